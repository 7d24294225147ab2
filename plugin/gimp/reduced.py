"""A document made small, for previews: the same host of a request, in a smaller image's coordinates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from scumble.plugin.common.build import PixelFormat
from scumble.plugin.common.forms import Form
from scumble.plugin.common.geometry import Rect, union
from scumble.plugin.common.regions import RegionEntry
from scumble.plugin.common.sources import EVERYTHING, MaskSource, SingleStyle
from scumble.shared.messages import DType, PixelBuffer

#: Around what is selected, as a share of its size.
_AROUND = 0.15
#: The option that holds the size of strokes: smaller pictures want smaller ones.
_STROKES = "style_scale"


def around(rects: Sequence[Rect], layer: Rect) -> Rect:
    """The part of the layer to show for masks with these bounds: them and some of what is around them."""
    box = union(rect.intersect(layer) for rect in rects)
    if box.empty:
        return layer
    margin = max(8, round(_AROUND * max(box.width, box.height)))
    return Rect(box.x - margin, box.y - margin, box.width + 2 * margin, box.height + 2 * margin).intersect(
        layer
    )


def shrunk(rect: Rect, scale: float) -> Rect:
    """A rectangle in the smaller image: all pixels that any part of it falls on, at least one."""
    left, top = math.floor(rect.x * scale), math.floor(rect.y * scale)
    return Rect(
        left,
        top,
        max(1, math.ceil(rect.right * scale) - left),
        max(1, math.ceil(rect.bottom * scale) - top),
    )


def options(form: Form, chosen: Mapping[str, Any], scale: float) -> dict[str, Any]:
    """Options that make the small picture look as the large one will: lengths and strokes shrink with it."""
    form.load(chosen)
    for field in form.fields:
        if field.editable and (field.spec.unit == "px" or field.name == _STROKES):
            value = field.value * scale
            if field.spec.minimum is not None:
                value = max(value, field.spec.minimum)
            field.set(round(value) if field.spec.kind == "int" else value)
    return form.options()


class Reduced:
    """See the module.

    :param document: a :class:`~.document.Document`.
    :param longest: side of what is shown, in pixels.
    """

    def __init__(self, document: Any, entries: Sequence[RegionEntry], longest: int) -> None:
        self._document = document
        layer = document.layer_bounds()
        rects = [
            layer if entry.mask.kind == EVERYTHING else document.mask_bounds(entry.mask) for entry in entries
        ]
        self.shown = around(rects, layer)
        self.scale = min(1.0, longest / max(self.shown.width, self.shown.height))
        self.rect = shrunk(self.shown, self.scale)
        self._pixels: bytes | None = None
        self._masks: dict[MaskSource, tuple[Rect, bytes, DType]] = {}
        self._styles: dict[SingleStyle, PixelBuffer] = {}

    def canvas_size(self) -> tuple[int, int]:
        """(width, height) of the smaller image."""
        width, height = self._document.canvas_size()
        return max(1, round(width * self.scale)), max(1, round(height * self.scale))

    def layer_bounds(self) -> Rect:
        """The part that is shown."""
        return self.rect

    def pixel_format(self) -> PixelFormat:
        """Eight bits are enough for a look."""
        return PixelFormat(self._document.format.gives, "u8", "srgb")

    def layer_pixels(self, rect: Rect) -> bytes:
        """The layer's pixels; of the whole part, they are fetched once."""
        if rect != self.rect:
            return self._fetch(rect)
        if self._pixels is None:
            self._pixels = self._fetch(rect)
        return self._pixels

    def mask_bounds(self, mask: MaskSource) -> Rect:
        """Around what a mask selects."""
        found = self._document.mask_bounds(mask)
        return found if found.empty else shrunk(found, self.scale)

    def mask_pixels(self, mask: MaskSource, rect: Rect) -> tuple[bytes, DType]:
        """The mask; fetched once."""
        known = self._masks.get(mask)
        if known is None or known[0] != rect:
            known = self._masks[mask] = (rect, *self._document.mask_reduced(mask, rect, self.scale))
        return known[1], known[2]

    def style_pixels(self, style: SingleStyle) -> PixelBuffer:
        """The style's picture; fetched once."""
        if style not in self._styles:
            self._styles[style] = self._document.style_pixels(style)
        return self._styles[style]

    def _fetch(self, rect: Rect) -> bytes:
        pixels: bytes = self._document.layer_reduced(rect, self.scale)
        return pixels
