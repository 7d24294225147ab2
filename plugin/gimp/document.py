"""A GIMP image as :mod:`scumble.plugin.common.build` wants it, and the way of a result into it."""

from __future__ import annotations

import contextlib
import time
from typing import Any

from gi.repository import Babl, Gegl, Gimp, Gio

from scumble.plugin.common import annotation
from scumble.plugin.common.annotation import RunSettings
from scumble.plugin.common.build import PixelFormat
from scumble.plugin.common.geometry import NOTHING, Rect
from scumble.plugin.common.sources import CHANNEL, LAYER_ALPHA, FileStyle, LayerStyle, MaskSource, SingleStyle
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import DType, PixelBuffer, StylizeResult

from . import formats

#: Longest side of a style picture that is sent: the backend makes its short side 512 px or so.
STYLE_SIDE = 2048
_PERSISTENT = 1  # a parasite that is saved with the file


def check_layer(drawable: Any) -> Any:
    """The layer that is meant by what is active; raises ``unsupported_format`` with the remedy."""
    if drawable.is_layer_mask():
        drawable = Gimp.Layer.from_mask(drawable)
    image = drawable.get_image()
    if image.get_base_type() == Gimp.ImageBaseType.INDEXED:
        raise _refuse(
            "The image has indexed colours, which cannot be painted with.",
            "Convert it first: Image > Mode > RGB.",
        )
    if not drawable.is_layer():
        raise _refuse("This is a channel, not a layer.", "Click the layer in the layers dialog.")
    if drawable.is_group():
        raise _refuse(
            "This is a layer group, which has no pixels of its own.",
            "Choose a layer in it, or merge a copy of the group: Layer > Merge Layer Group.",
        )
    if drawable.is_floating_sel():
        raise _refuse(
            "This is a floating selection.", "Make it a layer first: Layer > To New Layer, or anchor it."
        )
    if drawable.get_width() < 1 or drawable.get_height() < 1:
        raise ScumbleError(Code.EMPTY_SELECTION, "The layer has no pixels.", "Choose another layer.")
    return drawable


def has_selection(image: Any) -> bool:
    """Whether something is selected; GIMP takes no selection for everything."""
    return not Gimp.Selection.is_empty(image)


class Document:
    """An image with the layer to repaint: the host of a request, in image coordinates.

    :param layer: one that :func:`check_layer` gave.
    """

    def __init__(self, layer: Any) -> None:
        self.layer = layer
        self.image = layer.get_image()
        self.format = formats.of(Babl.get_name(layer.get_format()))
        self._alphas: dict[str, tuple[Any, Rect]] = {}
        self._scratch: list[Any] = []
        #: Seconds that GIMP took to hand out pixels.
        self.waited = 0.0

    def close(self) -> None:
        """Delete the images that were made to look at masks."""
        while self._scratch:
            self._scratch.pop().delete()

    # -- the host of a request -------------------------------------------------------------------------

    def canvas_size(self) -> tuple[int, int]:
        """(width, height) of the image."""
        return self.image.get_width(), self.image.get_height()

    def layer_bounds(self) -> Rect:
        """Where the layer lies."""
        return bounds(self.layer)

    def pixel_format(self) -> PixelFormat:
        """What :meth:`layer_pixels` gives."""
        return self.format.sent

    def layer_pixels(self, rect: Rect) -> bytes:
        """The layer's own pixels, in the kind of :attr:`format`."""
        return self._fetch(self.layer, rect, self.format.fetch, bounds(self.layer))

    def _fetch(self, item: Any, rect: Rect, form: str, place: Rect, scale: float = 1.0) -> bytes:
        began = time.monotonic()
        data = fetch(item.get_buffer(), rect, form, place, scale)
        self.waited += time.monotonic() - began
        return data

    def layer_reduced(self, rect: Rect, scale: float) -> bytes:
        """The layer as 8-bit RGBA or grey with alpha, on the image at that scale."""
        form = "Y'A u8" if self.format.gives == "graya" else "R'G'B'A u8"
        return fetch(self.layer.get_buffer(), rect, form, bounds(self.layer), scale)

    def mask_bounds(self, mask: MaskSource) -> Rect:
        """Around what a mask selects."""
        if mask.kind == LAYER_ALPHA:
            return self._alpha(mask.ref)[1]
        if mask.kind == CHANNEL:
            self._channel(mask.ref)
            return Rect(0, 0, *self.canvas_size())
        _, some, x1, y1, x2, y2 = Gimp.Selection.bounds(self.image)
        return Rect(x1, y1, x2 - x1, y2 - y1) if some else NOTHING

    def mask_pixels(self, mask: MaskSource, rect: Rect) -> tuple[bytes, DType]:
        """One sample a pixel."""
        return self.mask_reduced(mask, rect, 1.0)

    def mask_reduced(self, mask: MaskSource, rect: Rect, scale: float) -> tuple[bytes, DType]:
        """The same, on the image at that scale."""
        if mask.kind == LAYER_ALPHA:
            item, place = self._alpha(mask.ref)
            if not item.has_alpha():
                return b"\xff" * rect.pixels, "u8"
            return self._fetch(item, rect, "A u8", place, scale), "u8"
        item = self._channel(mask.ref) if mask.kind == CHANNEL else self.image.get_selection()
        form, dtype = formats.of_mask(Babl.get_name(item.get_format()))
        return self._fetch(item, rect, form, Rect(0, 0, *self.canvas_size()), scale), dtype

    def style_pixels(self, style: SingleStyle) -> PixelBuffer:
        """A file that GIMP can read, or a layer of any open image."""
        if isinstance(style, LayerStyle):
            return _layer_style(style)
        assert isinstance(style, FileStyle)
        return _file_style(style.path)

    def _channel(self, name: str) -> Any:
        channel = self.image.get_channel_by_name(name)
        if channel is None:
            raise ScumbleError(
                Code.BAD_REQUEST, f"The channel {name[:60]!r} is not there.", "Choose the masks again."
            )
        return channel

    def _alpha(self, name: str) -> tuple[Any, Rect]:
        """A drawable whose alpha is the mask that a layer (or group, or masked layer) stands for."""
        if name not in self._alphas:
            layer = self.image.get_layer_by_name(name)
            if layer is None:
                raise ScumbleError(
                    Code.BAD_REQUEST, f"The layer {name[:60]!r} is not there.", "Choose the masks again."
                )
            masked = layer.get_mask() is not None and layer.get_apply_mask()
            if layer.is_group() or masked or layer.get_opacity() < 100.0:
                layer = self._rendered(layer)
            self._alphas[name] = layer, bounds(layer)
        return self._alphas[name]

    def _rendered(self, layer: Any) -> Any:
        """What a layer shows with its mask and opacity; GIMP does the sums, in an image of its own."""
        scratch = Gimp.Image.new_with_precision(
            *self.canvas_size(), self.image.get_base_type(), self.image.get_precision()
        )
        self._scratch.append(scratch)
        scratch.undo_disable()
        copy = Gimp.Layer.new_from_drawable(layer, scratch)
        copy.set_mode(Gimp.LayerMode.NORMAL)
        copy.set_visible(True)
        scratch.insert_layer(copy, None, 0)
        return Gimp.Layer.new_from_visible(scratch, scratch, "mask")

    # -- the result ------------------------------------------------------------------------------------

    def insert(self, result: StylizeResult, name: str, settings: RunSettings) -> Any:
        """A new layer above the source, in its group, as one step of the undo history; the layer."""
        pixels = result.layer
        self.format.check(pixels)
        grey = self.format.gives == "graya"
        self.image.undo_group_start()
        layer = None
        try:
            layer = Gimp.Layer.new(
                self.image,
                name,
                pixels.width,
                pixels.height,
                Gimp.ImageType.GRAYA_IMAGE if grey else Gimp.ImageType.RGBA_IMAGE,
                100.0,
                self.image.get_default_new_layer_mode(),
            )
            buffer = layer.get_buffer()
            whole = Gegl.Rectangle.new(0, 0, pixels.width, pixels.height)
            buffer.set(whole, self.format.give, bytes(pixels.data))
            buffer.flush()
            layer.set_offsets(*result.origin)
            text = annotation.dump(settings).encode("ascii")
            layer.attach_parasite(Gimp.Parasite.new(annotation.NAME, _PERSISTENT, list(text)))
            parent = self.layer.get_parent()
            self.image.insert_layer(layer, parent, self.image.get_item_position(self.layer))
            self._copy_mask(layer)
        except BaseException:
            # Half a result is none; what was put in already is taken out within the same step.
            with contextlib.suppress(Exception):
                if layer is not None:
                    self.image.remove_layer(layer)
            raise
        finally:
            self.image.undo_group_end()
        return layer

    def _copy_mask(self, layer: Any) -> None:
        """What the source's mask hides stays hidden."""
        mask = self.layer.get_mask()
        if mask is None or not self.layer.get_apply_mask():
            return
        there, here = bounds(self.layer), bounds(layer)
        copy = layer.create_mask(Gimp.AddMaskType.WHITE)
        layer.add_mask(copy)
        form = Babl.get_name(mask.get_format()).partition("-")[0]
        data = fetch(mask.get_buffer(), here, form, there)
        buffer = copy.get_buffer()
        buffer.set(Gegl.Rectangle.new(0, 0, here.width, here.height), form, data)
        buffer.flush()
        copy.update(0, 0, here.width, here.height)


def bounds(item: Any) -> Rect:
    """Where a drawable lies on its image."""
    _, x, y = item.get_offsets()
    return Rect(x, y, item.get_width(), item.get_height())


def fetch(buffer: Any, rect: Rect, form: str, place: Rect, scale: float = 1.0) -> bytes:
    """Pixels of a drawable whose buffer lies at a place of the image.

    :param rect: in image coordinates, of the image at that scale.
    """
    x, y = round(place.x * scale), round(place.y * scale)
    area = Gegl.Rectangle.new(rect.x - x, rect.y - y, rect.width, rect.height)
    return bytes(buffer.get(area, scale, form, Gegl.AbyssPolicy.NONE))


def picture(drawable: Any, longest: int, form: str = "R'G'B'A u8") -> tuple[int, int, bytes]:
    """(width, height, bytes) of a whole drawable, reduced to that many pixels along its longer side."""
    width, height = drawable.get_width(), drawable.get_height()
    scale = min(1.0, longest / max(width, height, 1))
    small = Rect(0, 0, max(1, round(width * scale)), max(1, round(height * scale)))
    return (
        small.width,
        small.height,
        fetch(drawable.get_buffer(), small, form, Rect(0, 0, width, height), scale),
    )


def _layer_style(style: LayerStyle) -> PixelBuffer:
    drawable = Gimp.Drawable.get_by_id(int(style.layer)) if style.layer.isdigit() else None
    if drawable is None:
        raise ScumbleError(
            Code.FILE_MISSING, "The layer that was the style is not there any more.", "Choose another style."
        )
    width, height, data = picture(drawable, STYLE_SIDE)
    return PixelBuffer(width, height, "rgba", "u8", data)


def _file_style(path: str) -> PixelBuffer:
    file = Gio.File.new_for_path(path)
    if not file.query_exists(None):
        raise ScumbleError(
            Code.FILE_MISSING, "The style's picture file is not there.", "Choose it again, or another one."
        )
    image = None
    try:
        image = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, file)
    except Exception:
        image = None
    if image is None:
        raise ScumbleError(
            Code.FILE_UNREADABLE, "GIMP cannot read the style's file as a picture.", "Choose another file."
        )
    try:
        seen = Gimp.Layer.new_from_visible(image, image, "style")
        width, height, data = picture(seen, STYLE_SIDE)
        return PixelBuffer(width, height, "rgba", "u8", data)
    finally:
        image.delete()


def _refuse(message: str, hint: str) -> ScumbleError:
    return ScumbleError(Code.UNSUPPORTED_FORMAT, message, hint)
