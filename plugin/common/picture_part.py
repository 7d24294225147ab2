"""A part of a style's picture, independent of its size: "from this part of the painting".

An artist draws an :class:`Outline`; a :class:`Grid` is what a program found.  Both turn into the soft mask
that a request carries (stretched over the picture, see ``docs/protocol.md``, 6.4) and into plain data for
annotations and settings.  Reading never raises anything but ``ValueError``.
"""

from __future__ import annotations

import base64
import binascii
import math
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from scumble.shared.messages import MaskBuffer

#: Most points of an outline, and longest side of a grid.
MOST_POINTS, GRID_SIDE = 256, 96
#: Sides of the mask made of an outline, and lines of it that are looked at for each of its rows.
_SIDE, _LINES = 256, 4
#: Decimals kept of a place.
_DIGITS = 4


@dataclass(frozen=True)
class Outline:
    """Straight lines around the part.

    :param points: (x, y) as shares of the picture's width and height, 0 to 1; the last one is joined to
        the first.
    """

    points: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        if not 3 <= len(self.points) <= MOST_POINTS:
            raise ValueError(f"an outline has 3 to {MOST_POINTS} points")
        if not all(0 <= value <= 1 for point in self.points for value in point):  # false for NaN, too
            raise ValueError("places on a picture are shares of its sides")


@dataclass(frozen=True)
class Grid:
    """How much of each cell belongs to the part.

    :param data: a byte a cell, row by row, 0 to 255.
    """

    width: int
    height: int
    data: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not (1 <= self.width <= GRID_SIDE and 1 <= self.height <= GRID_SIDE):
            raise ValueError(f"a grid has 1 to {GRID_SIDE} cells a side")
        if len(self.data) != self.width * self.height:
            raise ValueError("a grid has a byte for each cell")


PicturePart = Outline | Grid


def rectangle(x0: float, y0: float, x1: float, y1: float) -> Outline:
    """The outline of a rectangle between two corners, cut off at the picture's border."""
    (left, right), (top, bottom) = (sorted(_share(value) for value in pair) for pair in ((x0, x1), (y0, y1)))
    return Outline(((left, top), (right, top), (right, bottom), (left, bottom)))


def outline(points: Iterable[tuple[float, float]]) -> Outline | None:
    """The outline of a freely drawn line, with as many points as matter; ``None`` if it encloses nothing."""
    drawn = [(_share(x), _share(y)) for x, y in points]
    tolerance = 0.0015
    simple = _simplified(drawn, tolerance)
    while len(simple) > MOST_POINTS:
        tolerance *= 1.6
        simple = _simplified(drawn, tolerance)
    if len(simple) < 3 or _area(simple) < 2e-4:
        return None
    return Outline(tuple(simple))


def grid_of(mask: MaskBuffer) -> Grid:
    """An 8-bit mask that covers the whole picture, as a grid; cells are averages.

    :raises ValueError: for a mask of another kind, or one that selects nothing.
    """
    if mask.dtype != "u8":
        raise ValueError("a grid is made of 8 bits")
    scale = max(mask.width / GRID_SIDE, mask.height / GRID_SIDE, 1.0)
    wide, high = max(1, round(mask.width / scale)), max(1, round(mask.height / scale))
    data, across = memoryview(mask.data).cast("B"), _steps(mask.width, wide)
    cells = bytearray()
    for top, bottom in _steps(mask.height, high):
        rows = [bytes(data[y * mask.width : (y + 1) * mask.width]) for y in range(top, bottom)]
        for left, right in across:
            total = sum(sum(row[left:right]) for row in rows)
            cells.append(round(total / (len(rows) * (right - left))))
    if not any(cells):
        raise ValueError("the mask selects nothing")
    return Grid(wide, high, bytes(cells))


def _steps(length: int, count: int) -> list[tuple[int, int]]:
    return [
        (i * length // count, max(i * length // count + 1, (i + 1) * length // count)) for i in range(count)
    ]


def part_mask(part: PicturePart) -> MaskBuffer:
    """The soft mask that a request carries."""
    if isinstance(part, Grid):
        return MaskBuffer(part.width, part.height, part.data)
    return MaskBuffer(_SIDE, _SIDE, _filled(part))


def part_box(part: PicturePart) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of it, as shares of the picture's sides."""
    if isinstance(part, Outline):
        across, down = zip(*part.points, strict=True)
        return min(across), min(down), max(across), max(down)
    columns = [x for x in range(part.width) if any(part.data[x :: part.width])]
    rows = [y for y in range(part.height) if any(part.data[y * part.width : (y + 1) * part.width])]
    if not columns:
        return 0.0, 0.0, 1.0, 1.0
    return (
        columns[0] / part.width,
        rows[0] / part.height,
        (columns[-1] + 1) / part.width,
        (rows[-1] + 1) / part.height,
    )


def part_to_plain(part: PicturePart) -> dict[str, Any]:
    """It as JSON data."""
    if isinstance(part, Outline):
        return {"outline": [list(point) for point in part.points]}
    packed = base64.b64encode(zlib.compress(part.data, 9)).decode("ascii")
    return {"grid": [part.width, part.height, packed]}


def part_from_plain(data: Any) -> PicturePart:
    """The part in JSON data; raises ``ValueError`` if there is none."""
    if isinstance(data, dict) and isinstance(data.get("outline"), list):
        return Outline(tuple(_point(entry) for entry in data["outline"][: MOST_POINTS + 1]))
    if isinstance(data, dict) and isinstance(data.get("grid"), list) and len(data["grid"]) == 3:
        wide, high, packed = data["grid"]
        sides = all(type(side) is int and 1 <= side <= GRID_SIDE for side in (wide, high))
        if sides and isinstance(packed, str) and len(packed) <= 4 * GRID_SIDE**2:
            return Grid(wide, high, _unpacked(packed, wide * high))
    raise ValueError("a part of a picture")


def _unpacked(text: str, size: int) -> bytes:
    try:
        packed = base64.b64decode(text, validate=True)
        # One more than there should be: what is longer is refused, however long it is.
        return zlib.decompressobj().decompress(packed, size + 1)
    except (ValueError, binascii.Error, zlib.error):
        raise ValueError("a part of a picture") from None


def _point(entry: Any) -> tuple[float, float]:
    if not isinstance(entry, list) or len(entry) != 2:
        raise ValueError("a place on a picture")
    if not all(type(value) in (int, float) and math.isfinite(value) for value in entry):
        raise ValueError("a place on a picture")
    return float(entry[0]), float(entry[1])


def _share(value: float) -> float:
    return round(min(1.0, max(0.0, float(value))), _DIGITS)


def _area(points: Sequence[tuple[float, float]]) -> float:
    ahead = (*points[1:], points[0])
    return abs(sum(x * v - u * y for (x, y), (u, v) in zip(points, ahead, strict=True))) / 2


def _simplified(points: list[tuple[float, float]], tolerance: float) -> list[tuple[float, float]]:
    """Fewer points on the same line (Ramer, Douglas and Peucker)."""
    if len(points) < 3:
        return points
    keep, spans = {0, len(points) - 1}, [(0, len(points) - 1)]
    while spans:
        first, last = spans.pop()
        far, at = tolerance, -1
        for index in range(first + 1, last):
            away = _away(points[index], points[first], points[last])
            if away > far:
                far, at = away, index
        if at >= 0:
            keep.add(at)
            spans += [(first, at), (at, last)]
    return [points[index] for index in sorted(keep)]


def _away(point: tuple[float, float], start: tuple[float, float], end: tuple[float, float]) -> float:
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = math.hypot(dx, dy)
    if length < 1e-9:
        return math.hypot(point[0] - start[0], point[1] - start[1])
    return abs(dy * (point[0] - start[0]) - dx * (point[1] - start[1])) / length


@lru_cache(maxsize=16)
def _filled(part: Outline) -> bytes:
    """The outline's inside, ``_SIDE`` bytes square: what is between an odd and an even crossing of a line."""
    points = [(x * _SIDE, y * _SIDE) for x, y in part.points]
    edges = [(a, b) for a, b in zip(points, (*points[1:], points[0]), strict=True) if a[1] != b[1]]
    out = bytearray()
    for row in range(_SIDE):
        cover = [0.0] * _SIDE
        for line in range(_LINES):
            y = row + (line + 0.5) / _LINES
            crossings = sorted(
                a[0] + (y - a[1]) * (b[0] - a[0]) / (b[1] - a[1])
                for a, b in edges
                if (a[1] <= y < b[1]) or (b[1] <= y < a[1])
            )
            for start, end in zip(crossings[::2], crossings[1::2], strict=False):
                _cover(cover, start, end)
        out += bytes(min(255, round(value * 255 / _LINES)) for value in cover)
    return bytes(out)


def _cover(cover: list[float], start: float, end: float) -> None:
    first, last = int(start), min(_SIDE - 1, int(end))
    if first >= _SIDE:
        return
    if first == last:
        cover[first] += end - start
        return
    cover[first] += first + 1 - start
    for column in range(first + 1, last):
        cover[column] += 1.0
    cover[last] += min(1.0, end - last)
