"""What a region may be: the selection, selection masks, transparency masks, layers' alpha, kept copies.

A mask is one sample a pixel in document coordinates.  Selections in Krita have 8 bits; a layer's alpha
comes in the layer's own sample type.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from scumble.plugin.common.geometry import NOTHING, Rect
from scumble.plugin.common.sources import (
    CURRENT,
    EVERYTHING,
    LAYER_ALPHA,
    SAVED,
    SELECTION,
    SELECTION_MASK,
    TRANSPARENCY_MASK,
    MaskSource,
)
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import Bytes, DType

from ..interface import MaskChoice
from . import nodes
from .colour import Space, check, view

_CASTS: dict[int, Literal["B", "H", "I"]] = {1: "B", 2: "H", 4: "I"}
_DTYPES: Mapping[str, DType] = {"U8": "u8", "U16": "u16", "F16": "f16", "F32": "f32"}


@dataclass(frozen=True)
class Kept:
    """A mask that was copied: 8 bits a pixel of a rectangle, row by row.

    :param packed: the rows, compressed: a mask of 4 MB becomes some kB, and as many may be kept as the
        user draws selections in a day.
    """

    rect: Rect
    packed: bytes = field(repr=False)

    @classmethod
    def of(cls, rect: Rect, data: Bytes) -> Kept:
        """From its rows."""
        return cls(rect, zlib.compress(data, 1))

    @property
    def name(self) -> str:
        """The same for the same mask."""
        place = f"{self.rect.x} {self.rect.y} {self.rect.width} {self.rect.height}".encode()
        return hashlib.blake2b(self.packed, digest_size=12, key=place[:64]).hexdigest()

    def rows(self) -> bytes:
        """All of it."""
        return zlib.decompress(self.packed)

    def part(self, rect: Rect) -> bytes:
        """A rectangle inside of its own."""
        if rect == self.rect:
            return self.rows()
        rows, wide = memoryview(self.rows()), self.rect.width
        first = rect.x - self.rect.x
        begins = range((rect.y - self.rect.y) * wide + first, (rect.bottom - self.rect.y) * wide, wide)
        return b"".join(rows[begin : begin + rect.width] for begin in begins)


def selection_rect(document: Any) -> Rect | None:
    """The selection's bounds, ``None`` without one; empty if it selects nothing."""
    selection = document.selection()
    if selection is None:
        return None
    rect = Rect(selection.x(), selection.y(), selection.width(), selection.height())
    return NOTHING if rect.empty else rect


def bounds(document: Any, mask: MaskSource, kept: Mapping[str, Kept]) -> Rect:
    """A rectangle outside which a mask is 0."""
    if mask.kind == SELECTION:
        return selection_rect(document) or NOTHING
    if mask.kind == SAVED:
        return _saved(mask, kept).rect
    node = _node(document, mask)
    if mask.kind == SELECTION_MASK:
        selection = node.selection()
        return Rect(selection.x(), selection.y(), selection.width(), selection.height())
    rect = nodes.bounds_of(document, node)
    if mask.kind == TRANSPARENCY_MASK:
        layer = nodes.layer_of(node)
        if layer is not None:
            return rect.intersect(nodes.bounds_of(document, layer))
    return rect


def pixels(document: Any, mask: MaskSource, rect: Rect, kept: Mapping[str, Kept]) -> tuple[Bytes, DType]:
    """A mask's samples in a rectangle inside its bounds."""
    area = (rect.x, rect.y, rect.width, rect.height)
    if mask.kind == SAVED:
        return _saved(mask, kept).part(rect), "u8"
    if mask.kind == SELECTION:
        selection = document.selection()
        if selection is None:
            raise _gone()
        return check(view(selection.pixelData(*area)), rect.pixels), "u8"
    node = _node(document, mask)
    if mask.kind == SELECTION_MASK:
        return check(view(node.selection().pixelData(*area)), rect.pixels), "u8"
    if mask.kind == TRANSPARENCY_MASK:
        data = view(node.pixelData(*area))
        if data.nbytes != rect.pixels:
            raise _unreadable(node.name())
        return data, "u8"
    space = Space.of(node)
    if not space.pixel_bytes:
        raise _unreadable(node.name())
    read = node.projectionPixelData if nodes.as_it_looks(node) else node.pixelData
    data = view(read(*area))
    check(data, rect.pixels * space.pixel_bytes)
    samples = data.cast("B").cast(_CASTS[space.sample])
    return samples[space.channels - 1 :: space.channels].tobytes(), _DTYPES[space.depth]


def copy(document: Any, mask: MaskSource, kept: Mapping[str, Kept]) -> Kept:
    """A copy of an 8-bit mask; raises ``empty_selection`` if it selects nothing."""
    rect = bounds(document, mask, kept)
    if rect.empty:
        raise ScumbleError(
            Code.EMPTY_SELECTION,
            "Nothing is selected." if mask == CURRENT else "The mask is empty.",
            "Select a part of the picture first.",
        )
    data, dtype = pixels(document, mask, rect, kept)
    if dtype == "u16":
        data = bytes(memoryview(data).cast("B")[1::2])  # the high bytes
    elif dtype != "u8":
        raise ScumbleError(
            Code.UNSUPPORTED_FORMAT,
            "The alpha of a float layer cannot be made a selection from here.",
            "Use Krita's own Select > Select Opaque.",
        )
    return Kept.of(rect, data)


def choices(document: Any) -> tuple[MaskChoice, ...]:
    """What a region of this document may be."""
    rect = selection_rect(document)
    no_selection = "" if rect else "There is no selection." if rect is None else "The selection is empty."
    found = [
        MaskChoice(CURRENT, "Current selection", "Selection", no_selection),
        MaskChoice(MaskSource(EVERYTHING), "Whole layer", "Layer"),
    ]
    alphas = []
    for node in nodes.walk(document):
        kind, id, name = node.type(), nodes.node_id(node), node.name()
        if kind == nodes.SELECTION:
            if nodes.layer_of(node) is not None:  # else it is the selection itself
                found.append(MaskChoice(MaskSource(SELECTION_MASK, id), name, "Selection masks"))
        elif kind == nodes.TRANSPARENCY:
            layer = nodes.layer_of(node)
            label = f"{name} of {layer.name()}" if layer is not None else name
            readable = len(node.pixelData(0, 0, 1, 1)) == 1
            problem = "" if readable else "Krita does not hand out this mask's pixels."
            found.append(MaskChoice(MaskSource(TRANSPARENCY_MASK, id), label, "Transparency masks", problem))
        elif kind not in nodes.MASKS and kind not in nodes.BOUNDLESS:
            alphas.append(MaskChoice(MaskSource(LAYER_ALPHA, id), name, "Alpha of layers"))
    return (*found, *alphas)


def _node(document: Any, mask: MaskSource) -> Any:
    node = nodes.find_node(document, mask.ref)
    if node is None:
        raise _gone()
    return node


def _saved(mask: MaskSource, kept: Mapping[str, Kept]) -> Kept:
    if mask.ref not in kept:
        raise _gone()
    return kept[mask.ref]


def _gone() -> ScumbleError:
    return ScumbleError(
        Code.FILE_MISSING,
        "The mask of a region is not there any more.",
        "Choose another mask for the region, or remove it.",
    )


def _unreadable(name: str) -> ScumbleError:
    return ScumbleError(
        Code.UNSUPPORTED_FORMAT,
        f"Krita does not hand out the pixels of the mask {name[:60]!r}.",
        "Make it the selection in Krita, and add a region from the selection.",
    )
