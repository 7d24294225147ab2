"""Rectangles of whole pixels in document coordinates, which may be negative."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Rect:
    """``width`` x ``height`` pixels whose top left one is at (x, y); empty if either is below 1."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """One past the last column."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """One past the last row."""
        return self.y + self.height

    @property
    def empty(self) -> bool:
        """Whether there is no pixel in it."""
        return self.width < 1 or self.height < 1

    @property
    def pixels(self) -> int:
        """How many pixels it has."""
        return 0 if self.empty else self.width * self.height

    def intersect(self, other: Rect) -> Rect:
        """What both cover; :data:`NOTHING` if that is nothing."""
        left, top = max(self.x, other.x), max(self.y, other.y)
        right, bottom = min(self.right, other.right), min(self.bottom, other.bottom)
        return Rect(left, top, right - left, bottom - top) if right > left and bottom > top else NOTHING

    def union(self, other: Rect) -> Rect:
        """The smallest rectangle around both; an empty one does not count."""
        if self.empty or other.empty:
            return (NOTHING if other.empty else other) if self.empty else self
        left, top = min(self.x, other.x), min(self.y, other.y)
        right, bottom = max(self.right, other.right), max(self.bottom, other.bottom)
        return Rect(left, top, right - left, bottom - top)

    def contains(self, other: Rect) -> bool:
        """Whether no pixel of the other lies outside of this one."""
        return other.empty or self.intersect(other) == other

    def moved(self, dx: int, dy: int) -> Rect:
        """This one, somewhere else."""
        return Rect(self.x + dx, self.y + dy, self.width, self.height)

    def grow(self, margin: int, align: int, outer: Rect) -> Rect:
        """This one with a margin on all sides, inside of ``outer``.

        The edges move out to multiples of ``align``, counted from the corner of ``outer``, as the
        backend counts them from the corner of the layer it gets: what it computes is then the same,
        to the bit, whether it gets the whole layer or this part.  It also keeps the rectangle the
        same while a selection changes by a few pixels.
        """
        left = (self.x - margin - outer.x) // align * align + outer.x
        top = (self.y - margin - outer.y) // align * align + outer.y
        right = -(-(self.right + margin - outer.x) // align) * align + outer.x
        bottom = -(-(self.bottom + margin - outer.y) // align) * align + outer.y
        return Rect(left, top, right - left, bottom - top).intersect(outer)


NOTHING = Rect(0, 0, 0, 0)


def union(rects: Iterable[Rect]) -> Rect:
    """The smallest rectangle around all; :data:`NOTHING` if all are empty."""
    whole = NOTHING
    for rect in rects:
        whole = whole.union(rect)
    return whole
