"""A layer as the source of a request: the adapter behind :func:`scumble.plugin.common.build.build`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from scumble.plugin.common.build import PixelFormat
from scumble.plugin.common.geometry import Rect
from scumble.plugin.common.sources import MaskSource, SingleStyle
from scumble.shared.messages import Bytes, DType, PixelBuffer

from . import masks, nodes
from .api import Target
from .colour import Space, change, check, view


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
        styles: Callable[[SingleStyle], PixelBuffer],
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

    def layer_pixels(self, rect: Rect) -> Bytes:
        """The layer's pixels, in a space that Scumble knows."""
        area = (rect.x, rect.y, rect.width, rect.height)
        if self._time is not None:
            data = self._node.pixelDataAtTime(*area, self._time)
        elif nodes.as_it_looks(self._node):
            data = self._node.projectionPixelData(*area)
        else:
            data = self._node.pixelData(*area)
        expected = rect.pixels * self.space.pixel_bytes
        return change(
            self._application,
            check(view(data), expected),
            rect.width,
            rect.height,
            self.space,
            self.space.nearest,
        )

    def mask_bounds(self, mask: MaskSource) -> Rect:
        """See :func:`.masks.bounds`."""
        return masks.bounds(self._document, mask, self._kept)

    def mask_pixels(self, mask: MaskSource, rect: Rect) -> tuple[Bytes, DType]:
        """See :func:`.masks.pixels`."""
        return masks.pixels(self._document, mask, rect, self._kept)

    def style_pixels(self, style: SingleStyle) -> PixelBuffer:
        """A file or a layer as a style picture."""
        return self._styles(style)


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
