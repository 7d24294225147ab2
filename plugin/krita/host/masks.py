"""What a region may be: the selection, selection masks, transparency masks, layers' alpha, kept copies.

A mask is one sample a pixel in document coordinates.  Selections in Krita have 8 bits; a layer's alpha
comes in the layer's own sample type.
"""

from __future__ import annotations

import hashlib
import uuid
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

from .. import turns
from ..interface import MaskChoice
from ..turns import Steps, at_once, strips
from . import gather, nodes
from .colour import Space, check, view

_CASTS: dict[int, Literal["B", "H", "I"]] = {1: "B", 2: "H", 4: "I"}
_DTYPES: Mapping[str, DType] = {"U8": "u8", "U16": "u16", "F16": "f16", "F32": "f32"}


#: The longer side of what is kept of a large mask to be shown.
SHOWN = 256


@dataclass(eq=False)
class Kept:
    """A mask that was copied: 8 bits a pixel of a rectangle, row by row.

    :param packed: the rows, compressed: a mask of 4 MB becomes some kB, and as many may be kept as the
        user draws selections in a day.
    :param selection: instead of it, as long as a large one was not read yet: Krita's own copy.
    :param small: of a large one that was read, what :func:`.gather.every` gives for a step.
    """

    rect: Rect
    packed: bytes = field(default=b"", repr=False)
    selection: Any = field(default=None, repr=False)
    small: tuple[int, bytes] = field(default=(0, b""), repr=False)
    _name: str = ""

    @classmethod
    def of(cls, rect: Rect, data: Bytes) -> Kept:
        """From its rows."""
        return cls(rect, zlib.compress(data, 1))

    @property
    def name(self) -> str:
        """The same for the same mask, unless it is large: then its own."""
        if not self._name and self.selection is not None:
            self._name = uuid.uuid4().hex[:24]
        elif not self._name:
            place = f"{self.rect.x} {self.rect.y} {self.rect.width} {self.rect.height}".encode()
            self._name = hashlib.blake2b(self.packed, digest_size=12, key=place[:64]).hexdigest()
        return self._name

    def read(self) -> Steps[Bytes]:
        """All of its rows; packs them if they were not."""
        name = self.name
        if self.selection is None:
            data = yield from gather.unpacked(self.packed, self.rect.pixels)
        else:
            data = yield from gather.rows(self.rect, 1, reader(self.selection))
        if self.rect.pixels > turns.PIECE_BYTES and not self.small[0]:
            step = self.step
            self.small = (step, (yield from gather.every(data, self.rect, step)))
        if self.selection is not None:
            self.packed = yield from gather.packed(data)
            self.selection, self._name = None, name
        return data

    def rows(self) -> Bytes:
        """All of its rows, at once."""
        return at_once(self.read())

    def part(self, rect: Rect) -> Steps[Bytes]:
        """A rectangle inside of its own."""
        data = yield from self.read()
        return (yield from gather.cut(data, self.rect, rect))

    @property
    def step(self) -> int:
        """Of a large one every so many pixels are shown."""
        return -(-max(self.rect.width, self.rect.height) // SHOWN)


def reader(selection: Any) -> gather.Read:
    """Reads the pixels of a selection."""
    return lambda r: view(selection.pixelData(r.x, r.y, r.width, r.height))


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


def read(document: Any, mask: MaskSource, rect: Rect, kept: Mapping[str, Kept]) -> Steps[tuple[Bytes, DType]]:
    """A mask's samples in a rectangle inside its bounds."""
    if mask.kind == SAVED:
        return (yield from _saved(mask, kept).part(rect)), "u8"
    if mask.kind == SELECTION:
        selection = document.selection()
        if selection is None:
            raise _gone()
        if rect.pixels > turns.PIECE_BYTES:
            selection = selection.duplicate()  # the user may change it meanwhile
        return (yield from gather.rows(rect, 1, reader(selection))), "u8"
    node = _node(document, mask)
    if mask.kind == SELECTION_MASK:
        return (yield from gather.rows(rect, 1, reader(node.selection()))), "u8"
    if mask.kind == TRANSPARENCY_MASK:
        if len(node.pixelData(rect.x, rect.y, 1, 1)) != 1:
            raise _unreadable(node.name())
        return (yield from gather.rows(rect, 1, reader(node))), "u8"
    space = Space.of(node)
    if not space.pixel_bytes:
        raise _unreadable(node.name())
    get = node.projectionPixelData if nodes.as_it_looks(node) else node.pixelData

    def alpha(r: Rect) -> Bytes:
        data = check(view(get(r.x, r.y, r.width, r.height)), r.pixels * space.pixel_bytes)
        samples = memoryview(data).cast("B").cast(_CASTS[space.sample])
        return samples[space.channels - 1 :: space.channels].tobytes()

    # Read with all its channels: as many rows at once as of those.
    found: list[Bytes] = []
    for first, count in strips(rect.height, rect.width * space.pixel_bytes):
        found.append(alpha(Rect(rect.x, rect.y + first, rect.width, count)))
        yield
    return found[0] if len(found) == 1 else b"".join(found), _DTYPES[space.depth]


def pixels(document: Any, mask: MaskSource, rect: Rect, kept: Mapping[str, Kept]) -> tuple[Bytes, DType]:
    """The same at once."""
    return at_once(read(document, mask, rect, kept))


def sampled(
    document: Any, mask: MaskSource, kept: Mapping[str, Kept]
) -> tuple[Rect, tuple[int, int], Bytes, DType]:
    """A mask to be shown: (where it is, (width, height) of the samples, samples, their kind).

    Of a large one every so many pixels: it is looked at again and again while it is edited.
    """
    rect = bounds(document, mask, kept)
    if rect.pixels <= turns.PIECE_BYTES // 4:
        data, dtype = pixels(document, mask, rect, kept) if not rect.empty else (b"", "u8")
        return rect, (rect.width, rect.height), data, dtype
    step = -(-max(rect.width, rect.height) // SHOWN)
    size = -(-rect.width // step), -(-rect.height // step)
    if mask.kind == SAVED:
        saved = _saved(mask, kept)
        if saved.small[0] == step:
            return rect, size, saved.small[1], "u8"
        if saved.selection is None:
            return rect, size, at_once(gather.every(saved.rows(), rect, step)), "u8"
        get: gather.Read = reader(saved.selection)
    elif mask.kind == SELECTION:
        get = reader(document.selection())
    else:
        rows: list[Bytes] = []
        for row in range(0, rect.height, step):
            line, dtype = pixels(document, mask, Rect(rect.x, rect.y + row, rect.width, 1), kept)
            width = len(line) // rect.width
            flat = memoryview(line).cast("B").cast(_CASTS[width])
            rows.append(flat[::step].tobytes())
        return rect, size, b"".join(rows), dtype
    lines = (get(Rect(rect.x, rect.y + row, rect.width, 1)) for row in range(0, rect.height, step))
    return rect, size, b"".join(bytes(memoryview(line)[::step]) for line in lines), "u8"


def copy(document: Any, mask: MaskSource, kept: Mapping[str, Kept]) -> Kept:
    """A copy of an 8-bit mask; raises ``empty_selection`` if it selects nothing.

    Of a large selection Krita's own, which costs nothing; it is read when it is used.
    """
    rect = bounds(document, mask, kept)
    if rect.empty:
        raise ScumbleError(
            Code.EMPTY_SELECTION,
            "Nothing is selected." if mask == CURRENT else "The mask is empty.",
            "Select a part of the picture first.",
        )
    if rect.pixels > turns.PIECE_BYTES:
        if mask.kind == SELECTION:
            return Kept(rect, selection=document.selection().duplicate())
        if mask.kind == SAVED:
            return _saved(mask, kept)
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
