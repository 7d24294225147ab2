"""A layer as the source of a request: the adapter behind :func:`scumble.plugin.common.build.build`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from scumble.plugin.common.build import PixelFormat, area
from scumble.plugin.common.geometry import Rect
from scumble.plugin.common.regions import RegionEntry
from scumble.plugin.common.sources import (
    EVERYTHING,
    BlendedStyle,
    FileStyle,
    LayerStyle,
    MaskSource,
    SingleStyle,
    StyleSource,
    with_part,
)
from scumble.shared.messages import Bytes, DType, PixelBuffer

from ..turns import Steps, at_once
from . import gather, masks, nodes
from .api import Target
from .colour import Space, change, check, view

T = TypeVar("T")


class LayerSource:
    """One layer of one document, at one frame; good for one request.

    :param styles: gives the pixels of a style.
    """

    def __init__(
        self,
        application: Any,
        document: Any,
        node: Any,
        kept: Mapping[str, masks.Kept],
        styles: Callable[[SingleStyle], Steps[PixelBuffer]],
        time: int | None = None,
    ) -> None:
        self.target = Target(nodes.document_id(document), nodes.node_id(node), node.name(), time)
        self.space = Space.of(node)
        self._application = application
        self._document = document
        self._node = node
        self._kept = kept
        self._styles = styles
        self._time = time
        self._bounds: Rect | None = None
        self._read_masks: dict[tuple[MaskSource, Rect], tuple[Bytes, DType]] = {}
        self._read_layer: dict[Rect, Bytes] = {}
        self._read_styles: dict[SingleStyle, PixelBuffer] = {}

    @property
    def notices(self) -> tuple[str, ...]:
        """What is done otherwise than one might think."""
        return notices(self._node, self.space)

    def canvas_size(self) -> tuple[int, int]:
        """(width, height) of the document."""
        return self._document.width(), self._document.height()

    def layer_bounds(self) -> Rect:
        """Where the layer has pixels."""
        if self._bounds is None:
            if self._time is None:
                self._bounds = nodes.bounds_of(self._document, self._node)
            else:
                # Krita tells the bounds of the frame that is shown only.
                self._bounds = nodes.canvas_of(self._document)
        return self._bounds

    def pixel_format(self) -> PixelFormat:
        """What :meth:`layer_pixels` will give."""
        found = self.space.nearest.format
        assert found is not None
        return found

    def prefetch(self, entries: Sequence[RegionEntry], margin: int | None) -> Steps[None]:
        """Read what a request of these regions needs, piece by piece; building it then only asks for that.

        :raises ScumbleError: as :func:`~scumble.plugin.common.build.area` and the readers do.
        """
        found = area(self, entries, margin)
        for entry, place in found.masks:
            key = (entry.mask, place)
            if key in self._read_masks:
                continue
            if entry.mask.kind == EVERYTHING:
                self._read_masks[key] = (yield from self._watched(gather.full(place.pixels))), "u8"
            else:
                steps = masks.read(self._document, entry.mask, place, self._kept)
                self._read_masks[key] = yield from self._watched(steps)
        self._read_layer[found.rect] = yield from self._watched(self._layer(found.rect))
        for style in {style for entry, _ in found.masks for style in _singles(entry.style)}:
            self._read_styles[style] = yield from self._styles(style)

    def _watched(self, steps: Steps[T]) -> Steps[T]:
        return nodes.while_open(self._application, self.target.document, steps)

    def _layer(self, rect: Rect) -> Steps[Bytes]:
        space, near = self.space, self.space.nearest

        def read(part: Rect) -> Bytes:
            area = (part.x, part.y, part.width, part.height)
            if self._time is not None:
                data = self._node.pixelDataAtTime(*area, self._time)
            elif nodes.as_it_looks(self._node):
                data = self._node.projectionPixelData(*area)
            else:
                data = self._node.pixelData(*area)
            native = check(view(data), part.pixels * space.pixel_bytes)
            return change(self._application, native, part.width, part.height, space, near)

        return (yield from gather.rows(rect, near.pixel_bytes, read, space.pixel_bytes))

    def layer_pixels(self, rect: Rect) -> Bytes:
        """The layer's pixels, in a space that Scumble knows."""
        found = self._read_layer.get(rect)
        return at_once(self._layer(rect)) if found is None else found

    def full_mask(self, rect: Rect) -> Bytes:
        """A mask that is 255 everywhere."""
        found = self._read_masks.get((MaskSource(EVERYTHING), rect))
        return b"\xff" * rect.pixels if found is None else found[0]

    def mask_bounds(self, mask: MaskSource) -> Rect:
        """See :func:`.masks.bounds`."""
        return masks.bounds(self._document, mask, self._kept)

    def mask_pixels(self, mask: MaskSource, rect: Rect) -> tuple[Bytes, DType]:
        """See :func:`.masks.read`."""
        found = self._read_masks.get((mask, rect))
        return masks.pixels(self._document, mask, rect, self._kept) if found is None else found

    def style_pixels(self, style: SingleStyle) -> PixelBuffer:
        """A file or a layer as a style picture."""
        found = self._read_styles.get(style)
        return at_once(self._styles(style)) if found is None else found


def _singles(style: StyleSource | None) -> tuple[FileStyle | LayerStyle, ...]:
    """The pictures of a style that are read here, whichever part of them is meant."""
    parts = [part for part, _ in style.parts] if isinstance(style, BlendedStyle) else [style]
    whole = (with_part(part, None) for part in parts if isinstance(part, (FileStyle, LayerStyle)))
    return tuple(each for each in whole if isinstance(each, (FileStyle, LayerStyle)))


def notices(node: Any, space: Space) -> tuple[str, ...]:
    """Sentences about what stylizing this layer does otherwise than one might think."""
    found = []
    if node.type() in nodes.WORDS:
        found.append(f"{nodes.WORDS[node.type()]}; the new layer goes above it.")
    elif nodes.is_masked(node):
        found.append("The layer is read as it looks with its masks.")
    if space.nearest != space:
        found.append(
            f"The layer is {space.words}: a copy is converted to {space.nearest.words},"
            " and the result back; the layer itself stays as it is."
        )
    if nodes.is_hidden(node):
        found.append("The layer is hidden; the new layer above it is not.")
    return tuple(found)
