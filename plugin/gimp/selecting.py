"""Selections from the backend: asking for a mask, and making it a selection or a saved channel."""

from __future__ import annotations

import json
from typing import Any

from gi.repository import Babl, Gegl, Gimp

from scumble.plugin.common.backend import connector
from scumble.plugin.common.settings import Settings
from scumble.shared import events
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.framing import plain
from scumble.shared.messages import PixelBuffer
from scumble.shared.segmenting import FoundMask, SegmentRequest, SegmentResult

from . import log, names
from .document import Document
from .procedures import Bar
from .sentry import Sentry

_DOING = "Looking for it…"
_OPERATIONS = {
    names.REPLACE: Gimp.ChannelOps.REPLACE,
    names.ADD: Gimp.ChannelOps.ADD,
    names.SUBTRACT: Gimp.ChannelOps.SUBTRACT,
    names.INTERSECT: Gimp.ChannelOps.INTERSECT,
}


def pixels(document: Document) -> PixelBuffer:
    """The whole layer."""
    layer, form = document.layer_bounds(), document.pixel_format()
    return PixelBuffer(
        layer.width, layer.height, form.layout, form.dtype, document.layer_pixels(layer), form.transfer
    )


def find(request: SegmentRequest) -> SegmentResult:
    """The backend's answer, with progress; raises what it failed with."""
    bar = Bar(_DOING)
    connect = client_maker()
    sentry = Sentry(connect)
    try:
        client = connect()
        with client:
            job = client.segment(request)
            sentry.watch(job)
            while True:
                for event in client.poll(0.1):
                    result = take(event, job)
                    if result is not None:
                        return result
                    _tell(event, bar)
                bar.show("", None)
    finally:
        sentry.dismiss()
        Gimp.progress_end()


def client_maker() -> Any:
    """Makes a client for the backend that the settings name."""
    return connector(Settings.load().remote, "gimp", log.version())


def take(event: events.Event, job: str) -> SegmentResult | None:
    """The answer, once an event brings it; raises what the job failed with."""
    if getattr(event, "job", "") not in ("", job):
        return None
    if isinstance(event, events.Found):
        if not event.result.masks:
            raise ScumbleError(
                Code.EMPTY_SELECTION, "Nothing was found.", "Say more about where it is, then try again."
            )
        return event.result
    if isinstance(event, events.Failed):
        raise event.error
    if isinstance(event, events.Cancelled):
        raise ScumbleError(Code.CANCELLED, "")
    return None


def channel(document: Document, found: FoundMask, name: str) -> Any:
    """A saved channel with the mask, on top of the others."""
    image, layer, mask = document.image, document.layer_bounds(), found.mask
    width, height = document.canvas_size()
    made = Gimp.Channel.new(image, name, width, height, 50.0, Gegl.Color.new("black"))
    buffer = made.get_buffer()
    perceptual = "'" in str(Babl.get_name(made.get_format()))
    form = ("Y' u8" if perceptual else "Y u8") if mask.dtype == "u8" else "Y u16"
    # A fresh channel's pixels are not defined.
    nothing = bytes(width * height * (1 if mask.dtype == "u8" else 2))
    buffer.set(Gegl.Rectangle.new(0, 0, width, height), form, nothing)
    area = Gegl.Rectangle.new(mask.x + layer.x, mask.y + layer.y, mask.width, mask.height)
    buffer.set(area, form, bytes(mask.data))
    buffer.flush()
    made.set_visible(False)
    image.insert_channel(made, None, 0)
    return made


def save(document: Document, found: FoundMask, name: str) -> Any:
    """The mask as a saved channel, as one step of the undo history; the active layer stays active."""
    image = document.image
    selected = image.get_selected_drawables()
    image.undo_group_start()
    try:
        made = channel(document, found, name)
        layers = [each for each in selected if each.is_layer()]
        if layers:
            image.set_selected_layers(layers)
        return made
    finally:
        image.undo_group_end()


def select(document: Document, found: FoundMask, operation: str = names.REPLACE) -> None:
    """The mask as the selection, as one step of the undo history."""
    image = document.image
    image.undo_group_start()
    try:
        made = channel(document, found, "Scumble")
        image.select_item(_OPERATIONS[operation], made)
        image.remove_channel(made)
    finally:
        image.undo_group_end()


def report(found: SegmentResult) -> str:
    """The return value: JSON with what was found and by which method."""
    best = found.masks[0]
    data = {
        "method": found.method,
        "score": best.score,
        "area": best.area,
        "report": plain(dict(found.report)),
    }
    return json.dumps(data)


def _tell(event: events.Event, bar: Bar) -> None:
    if isinstance(event, events.Progress):
        bar.show(_DOING, event.done / event.of if event.of else None)
    elif isinstance(event, events.Waiting):
        bar.show(event.reason, None)
