"""Boxes, margins and masks: which pixels of a layer a job has to look at."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import MaskBuffer

#: What each 8-bit sample stands for.
U8_AS_FLOAT = np.arange(256, dtype=np.float32) / np.float32(255)
_NUMPY = {"u8": "|u1", "u16": "<u2", "f16": "<f2", "f32": "<f4"}


@dataclass(frozen=True)
class Box:
    """A rectangle of pixels; right and bottom are one past the last."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return max(0, self.right - self.left)

    @property
    def height(self) -> int:
        return max(0, self.bottom - self.top)

    @property
    def empty(self) -> bool:
        return self.right <= self.left or self.bottom <= self.top

    def union(self, other: Box) -> Box:
        """The smallest box around both; an empty one does not count."""
        if self.empty or other.empty:
            return other if self.empty else self
        return Box(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )

    def intersect(self, other: Box) -> Box:
        """What both cover; may be empty."""
        return Box(
            max(self.left, other.left),
            max(self.top, other.top),
            min(self.right, other.right),
            min(self.bottom, other.bottom),
        )

    def grow(self, margin: int, align: int, width: int, height: int) -> Box:
        """This box with a margin, its edges moved out to multiples of ``align``, inside width x height.

        The alignment keeps the crop, and so the cache key, the same while a selection changes by a
        few pixels, and keeps the networks' pooling grid fixed to the layer.
        """
        return Box(
            max(0, (self.left - margin) // align * align),
            max(0, (self.top - margin) // align * align),
            min(width, -(-(self.right + margin) // align) * align),
            min(height, -(-(self.bottom + margin) // align) * align),
        )

    def within(self, outer: Box) -> Box:
        """The same rectangle in the coordinates of ``outer``."""
        return Box(
            self.left - outer.left, self.top - outer.top, self.right - outer.left, self.bottom - outer.top
        )

    def slices(self) -> tuple[slice, slice]:
        """(rows, columns) to index an array with."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


NOTHING = Box(0, 0, 0, 0)


def bounds(marked: NDArray[Any]) -> Box:
    """The box of all positive values of an (H, W) array; empty if there is none."""
    if not marked.size:
        return NOTHING
    # Rows first: all that follows then looks at the rows that matter only.
    rows = np.flatnonzero(_peaks(marked, 1) > 0)
    if not rows.size:
        return NOTHING
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    columns = np.flatnonzero(_peaks(marked[top:bottom], 0) > 0)
    return Box(int(columns[0]), top, int(columns[-1]) + 1, bottom)


def _peaks(marked: NDArray[Any], axis: int) -> NDArray[Any]:
    if marked.dtype == np.float16:
        # Half floats have no fast maximum; as signed integers they compare with 0 all the same.
        marked = marked.view(np.int16)
    peaks: NDArray[Any] = marked.max(axis=axis)
    return peaks


def _view(mask: MaskBuffer, width: int, height: int) -> tuple[NDArray[Any], Box]:
    """The part of a mask that lies on a width x height layer, and where it lies."""
    place = Box(mask.x, mask.y, mask.x + mask.width, mask.y + mask.height)
    seen = place.intersect(Box(0, 0, width, height))
    raw = np.frombuffer(mask.data, _NUMPY[mask.dtype]).reshape(mask.height, mask.width)
    if seen.empty:
        return raw[:0, :0], NOTHING
    return raw[seen.within(place).slices()], seen


def mask_bounds(mask: MaskBuffer, width: int, height: int) -> Box:
    """The box, on a layer of that size, of everything that a mask selects; empty if nothing.

    :raises ScumbleError: ``not_finite`` if a float mask has NaN or infinity on the layer.
    """
    raw, seen = _view(mask, width, height)
    if mask.dtype in ("f16", "f32") and not np.isfinite(raw).all():
        raise ScumbleError(
            Code.NOT_FINITE,
            "The selection has values that are not numbers (NaN or infinity).",
            "Make the selection anew, or save the mask as an 8 or 16 bit picture.",
        )
    found = bounds(raw)
    if found.empty:
        return NOTHING
    return Box(found.left + seen.left, found.top + seen.top, found.right + seen.left, found.bottom + seen.top)


def decode_mask(mask: MaskBuffer, width: int, height: int, crop: Box) -> NDArray[np.float32]:
    """A mask's values in [0, 1] on a rectangle of a width x height layer, 0 where it does not reach.

    :returns: (crop.height, crop.width).
    """
    raw, seen = _view(mask, width, height)
    part = seen.intersect(crop)
    if part.empty:
        return np.zeros((crop.height, crop.width), np.float32)
    own = raw[part.within(seen).slices()]
    if mask.dtype == "u8":
        values = np.asarray(cv2.LUT(own, U8_AS_FLOAT), np.float32)
    elif mask.dtype == "u16":
        values = own.astype(np.float32) / np.float32(65535)
    else:
        values = own.astype(np.float32).clip(0, 1)
    if part == crop:
        return values
    out = np.zeros((crop.height, crop.width), np.float32)
    out[part.within(crop).slices()] = values
    return out


def mask_key(mask: MaskBuffer, width: int, height: int, crop: Box) -> str:
    """A hash of what :func:`decode_mask` would give for the same arguments."""
    raw, seen = _view(mask, width, height)
    part = seen.intersect(crop)
    place = part.within(crop) if not part.empty else NOTHING
    facts = (mask.dtype, crop.width, crop.height, place)
    found = hashlib.sha256(repr(facts).encode(), usedforsecurity=False)
    if not part.empty:
        found.update(np.ascontiguousarray(raw[part.within(seen).slices()]).data)
    return found.hexdigest()[:32]


def union(boxes: Iterable[Box]) -> Box:
    """The smallest box around all; empty if all are."""
    whole = NOTHING
    for box in boxes:
        whole = whole.union(box)
    return whole
