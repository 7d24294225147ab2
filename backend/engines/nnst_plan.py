"""What engine ``nnst`` has to do: the pieces that are painted, their sizes and scales."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from scumble.backend.regions.blending import Mask, inner_distance
from scumble.backend.regions.geometry import Box

#: Pixels around a piece's selection that the networks see.
MARGIN = 48
#: Long side in pixels of the coarsest scale, at most.
COARSEST = 72
#: No scale shows the style with a shorter side than this.
SMALLEST_STYLE = 32
#: Short side at which a style picture is shown at stroke size 1, in pixels.
STYLE_SIDE = 512
#: Thickness below which a piece is painted enlarged, and by how much at most.
THIN, MAX_ENLARGE = 24.0, 4.0


@dataclass(frozen=True)
class Piece:
    """A part of the job that is painted by itself.

    :param box: what is looked at, on the job's crop.
    :param own: (h, w) of the box: which of its pixels this piece paints.
    """

    box: Box
    own: NDArray[np.bool_]


def pieces(union: Mask) -> list[Piece]:
    """Split what was drawn into parts that lie far from each other, so that cost follows the area.

    Parts whose boxes, with their margins, waste little room together stay together: they are then
    matched as one.
    """
    height, width = union.shape
    drawn = (union > 0).astype(np.uint8)
    near = cv2.dilate(drawn, np.ones((2 * MARGIN // 3 + 1,) * 2, np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(near, connectivity=8)
    groups: list[tuple[Box, list[int]]] = []
    for label in range(1, count):
        x, y, w, h = (int(v) for v in stats[label][:4])
        groups.append((Box(x, y, x + w, y + h), [label]))
    merged = True
    while merged:
        merged = False
        for i in range(len(groups)):
            for j in range(i + 1, len(groups)):
                (a, mine), (b, theirs) = groups[i], groups[j]
                both = a.union(b)
                grown = [_area(box.grow(MARGIN, 1, width, height)) for box in (a, b, both)]
                if grown[2] <= 1.15 * (grown[0] + grown[1]):
                    groups[i] = (both, mine + theirs)
                    del groups[j]
                    merged = True
                    break
            if merged:
                break
    found = []
    for _, members in groups:
        own = np.isin(labels, members) & (drawn > 0)
        rows, columns = np.flatnonzero(own.any(1)), np.flatnonzero(own.any(0))
        tight = Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
        box = tight.grow(MARGIN, 8, width, height)
        found.append(Piece(box, own[box.slices()]))
    return found


def _area(box: Box) -> int:
    return box.width * box.height


@dataclass(frozen=True)
class Working:
    """The size at which a piece's motif is worked out.

    :param size: (rows, columns) in pixels.
    :param full: how many times larger the piece itself is, where it is larger: a whole number.
    :param enlarged: how many times smaller the piece is, where it is tiny.
    """

    size: tuple[int, int]
    full: int
    enlarged: float


def working(own: NDArray[np.bool_], size: int) -> Working:
    """Choose the working size of a piece.

    :param size: the longer side at which motifs are worked out; an eighth more is let through.
    """
    height, width = own.shape
    full = max(1, math.ceil(max(height, width) / size - 0.125))
    if full > 1:
        return Working((-(-height // full), -(-width // full)), full, 1.0)
    radius = float(inner_distance(own.astype(np.float32)).max())
    factor = 1.0
    if math.isfinite(radius):
        factor = min(MAX_ENLARGE, max(1.0, THIN / max(1.0, 2 * radius)), max(1.0, size / max(height, width)))
    factor = max(factor, 32 / min(height, width))
    return Working((round(height * factor), round(width * factor)), 1, factor)


@dataclass(frozen=True)
class Scale:
    """One step from coarse to fine: both pictures are shown at 1/``shrink`` of the working size.

    :param size: (rows, columns) of the motif in pixels.
    """

    shrink: float
    size: tuple[int, int]


def scales(size: tuple[int, int], style_side: float) -> list[Scale]:
    """The scales for a motif of that working size, coarse to fine.

    :param style_side: short side of the smallest style at the finest scale, in pixels.
    """
    steps = max(0, math.ceil(math.log2(max(size) / COARSEST))) if max(size) > COARSEST else 0
    while steps and style_side / 2**steps < SMALLEST_STYLE:
        steps -= 1
    return [
        Scale(float(2**k), (max(16, round(size[0] / 2**k)), max(16, round(size[1] / 2**k))))
        for k in range(steps, -1, -1)
    ]


def style_size(shape: tuple[int, int], scale: float, shrink: float) -> tuple[int, int]:
    """(rows, columns) at which a style picture is shown.

    A picture smaller than :data:`STYLE_SIDE` is not enlarged to it: blurred strokes make blurred
    paint.  A panorama needs no more than three times its short side.
    """
    short = min(shape)
    factor = min(STYLE_SIDE, short) * scale / short / shrink
    # Whole coarse cells, so that a field of matches can be taken to a larger size of the same picture.
    height, width = (max(16, round(min(s, 3 * short) * factor / 8) * 8) for s in shape)
    return height, width


def style_short(shape: tuple[int, int], scale: float) -> float:
    """Its short side at the finest scale."""
    return min(STYLE_SIDE, min(shape)) * scale
