"""*Select Subject*: a selection from the backend, as one step of the undo history."""

from __future__ import annotations

import json
from typing import Any

from gi.repository import Gegl, Gimp, GObject

from scumble.plugin.common.backend import connector
from scumble.plugin.common.settings import Settings
from scumble.shared import events
from scumble.shared.client import Client
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.framing import plain
from scumble.shared.messages import PixelBuffer
from scumble.shared.segmenting import FoundMask, SegmentRequest, SegmentResult

from . import log
from .document import Document, check_layer, has_selection
from .procedures import Bar
from .sentry import Sentry

#: As for stages that the backend names.
_STAGES = {"segment": "Looking for the subject"}


def select(procedure: Any, interactive: bool, image: Any, drawables: list[Any], config: Any) -> Any:
    """The procedure."""
    from .procedures import one

    document = Document(check_layer(one(drawables)))
    if interactive:
        from .ui.subject import ask

        ask(procedure, config)
    method, edge = config.get_property("method"), config.get_property("edge")
    bar = Bar("Looking for the subject…")
    try:
        found = find(question(document, method, edge), bar)
    finally:
        Gimp.progress_end()
    best = found.masks[0]
    put(document, best)
    Gimp.displays_flush()
    data = {
        "method": found.method,
        "score": best.score,
        "area": best.area,
        "report": plain(dict(found.report)),
    }
    return [(GObject.TYPE_STRING, json.dumps(data))]


def question(document: Document, method: str = "", edge: float = 4.0) -> SegmentRequest:
    """What to ask for: the subject of the layer, or what the selection's box is drawn around."""
    layer = document.layer_bounds()
    form = document.pixel_format()
    pixels = PixelBuffer(
        layer.width, layer.height, form.layout, form.dtype, document.layer_pixels(layer), form.transfer
    )
    box = None
    if has_selection(document.image):
        _, _, x1, y1, x2, y2 = Gimp.Selection.bounds(document.image)
        box = (float(x1 - layer.x), float(y1 - layer.y), float(x2 - layer.x), float(y2 - layer.y))
    mode = "subject" if box is None else "points"
    return SegmentRequest(pixels, mode, box=box, method=method or "auto", edge=edge, count=1)  # type: ignore[arg-type]


def find(request: SegmentRequest, bar: Bar) -> SegmentResult:
    """The backend's answer; raises what it failed with."""
    connect = connector(Settings.load().remote, "gimp", log.version())
    sentry = Sentry(connect)
    client: Client = connect()
    try:
        with client:
            job = client.segment(request)
            sentry.watch(job)
            while True:
                for event in client.poll(0.1):
                    result = _take(event, job, bar)
                    if result is not None:
                        return result
                bar.show("", None)
    finally:
        sentry.dismiss()


def put(document: Document, found: FoundMask) -> None:
    """Make it the selection: GIMP keeps the old one in its history."""
    image, layer, mask = document.image, document.layer_bounds(), found.mask
    width, height = document.canvas_size()
    image.undo_group_start()
    try:
        channel = Gimp.Channel.new(image, "Scumble", width, height, 100.0, Gegl.Color.new("black"))
        buffer = channel.get_buffer()
        form = ("Y' u8" if "'" in _format(channel) else "Y u8") if mask.dtype == "u8" else "Y u16"
        # A fresh channel's pixels are not defined.
        buffer.set(
            Gegl.Rectangle.new(0, 0, width, height),
            form,
            bytes(width * height * (1 if mask.dtype == "u8" else 2)),
        )
        area = Gegl.Rectangle.new(mask.x + layer.x, mask.y + layer.y, mask.width, mask.height)
        buffer.set(area, form, bytes(mask.data))
        buffer.flush()
        image.insert_channel(channel, None, 0)
        image.select_item(Gimp.ChannelOps.REPLACE, channel)
        image.remove_channel(channel)
    finally:
        image.undo_group_end()


def _format(item: Any) -> str:
    from gi.repository import Babl

    return str(Babl.get_name(item.get_format()))


def _take(event: events.Event, job: str, bar: Bar) -> SegmentResult | None:
    if getattr(event, "job", "") not in ("", job):
        return None
    if isinstance(event, events.Found):
        if not event.result.masks:
            raise ScumbleError(
                Code.EMPTY_SELECTION, "Nothing was found.", "Select the part around it first, then try again."
            )
        return event.result
    if isinstance(event, events.Failed):
        raise event.error
    if isinstance(event, events.Cancelled):
        raise ScumbleError(Code.CANCELLED, "")
    if isinstance(event, events.Progress):
        bar.show(
            f"{_STAGES.get(event.stage, 'Looking for the subject')}…",
            event.done / event.of if event.of else None,
        )
    elif isinstance(event, events.Waiting):
        bar.show(event.reason, None)
    return None
