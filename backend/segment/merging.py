"""All regions of a picture without a click: cells that flow together, then neighbours that are alike.

Small cells grow from places of little change (a watershed, Meyer 1992); neighbours are joined step by
step, those first whose joining changes their colours and roughness least for their size (Ward 1963) and
that no strong edge divides.  A second or so for a picture of 320 pixels.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from scumble.backend.engines.base import Context

from .base import Candidate, Floats

#: Cells along the longer side.
CELLS = 28
#: What lightness and roughness count beside the two of colour: lightness is mostly shading.
LIGHTNESS, ROUGHNESS = 0.5, 5.0
#: How much an edge between two cells keeps them apart, and how soon their size stops to matter.
EDGE, LARGE = 1.5, 0.02
#: Cost of a joining at which what remains is taken for regions of their own; colours are in Lab units.
APART = 15.0


@dataclass
class _Cell:
    """Positions, the sum of their descriptions, the summed contrast and length of each border."""

    count: int
    total: NDArray[np.float64]
    borders: dict[int, list[float]]


def described(image: Floats) -> tuple[Floats, Floats]:
    """Descriptions (H, W, 5), smooth inside things, and how much they change, (H, W)."""
    eight = (image * 255).round().clip(0, 255).astype(np.uint8)
    flat = cv2.bilateralFilter(cv2.bilateralFilter(eight, 9, 30, 4), 9, 30, 4)
    lab = cv2.cvtColor(np.ascontiguousarray(flat, np.uint8).astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
    light = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2Lab)[..., 0]
    rough = []
    for fine, coarse in ((0.0, 1.5), (1.5, 4.0)):
        near = light if fine == 0 else cv2.GaussianBlur(light, (0, 0), fine)
        band = near - cv2.GaussianBlur(light, (0, 0), coarse)
        rough.append(np.log1p(cv2.GaussianBlur(np.abs(band), (0, 0), 4.0)))
    planes = [lab[..., 0] * LIGHTNESS, lab[..., 1], lab[..., 2], *(r * ROUGHNESS for r in rough)]
    places = np.stack(planes, 2).astype(np.float32)
    change = np.zeros(light.shape, np.float32)
    for plane in range(3):
        dx, dy = (cv2.Sobel(places[..., plane], cv2.CV_32F, *d, scale=0.25) for d in ((1, 0), (0, 1)))
        change += dx**2 + dy**2
    return places, np.sqrt(change)


def cells(image: Floats, change: Floats) -> NDArray[np.int32]:
    """(H, W) numbers from 0 of small cells that follow the picture's edges."""
    height, width = change.shape
    step = max(4, round(max(height, width) / CELLS))
    marks = np.zeros((height, width), np.int32)
    number = 0
    for top in range(0, height, step):
        for left in range(0, width, step):
            part = change[top : top + step, left : left + step]
            y, x = np.unravel_index(int(part.argmin()), part.shape)
            number += 1
            marks[top + int(y), left + int(x)] = number
    eight = (image * 255).round().clip(0, 255).astype(np.uint8)
    grown = cv2.watershed(cv2.GaussianBlur(np.ascontiguousarray(eight), (0, 0), 1.0), marks.copy())
    # The lines between cells, and the picture's rim, go to a neighbour.
    grown = np.where(grown > 0, grown, 0)
    while (grown == 0).any():
        grown = np.where(grown > 0, grown, cv2.dilate(grown.astype(np.float32), np.ones((3, 3))))
        if not grown.any():
            return np.zeros((height, width), np.int32)
    _, numbers = np.unique(grown.astype(np.int32), return_inverse=True)
    return numbers.reshape(height, width).astype(np.int32)


def joined(labels: NDArray[np.int32], places: Floats, change: Floats, most: int) -> NDArray[np.int32]:
    """(H, W) numbers after neighbours were joined: at most ``most`` of them, of regions that differ."""
    found = _cells(labels, places, change)
    parent = list(range(len(found)))
    queue = [
        (_cost(found, a, b, labels.size), a, b, 0, 0) for a, c in enumerate(found) for b in c.borders if a < b
    ]
    heapq.heapify(queue)
    age, left = [0] * len(found), len(found)
    while queue and left > 1:
        cost, a, b, age_a, age_b = heapq.heappop(queue)
        if age[a] != age_a or age[b] != age_b:
            continue
        if left <= most and cost > APART:
            break
        one, other = found[a], found[b]
        one.count, one.total = one.count + other.count, one.total + other.total
        parent[b], left = a, left - 1
        age[a], age[b] = age[a] + 1, -1
        for c, (contrast, length) in other.borders.items():
            del found[c].borders[b]
            if c == a:
                continue
            mine = one.borders.setdefault(c, [0.0, 0.0])
            mine[0], mine[1] = mine[0] + contrast, mine[1] + length
            found[c].borders[a] = mine
        one.borders.pop(b, None)
        for c in one.borders:
            low, high = min(a, c), max(a, c)
            heapq.heappush(queue, (_cost(found, low, high, labels.size), low, high, age[low], age[high]))
    for i in range(len(parent)):
        while parent[parent[i]] != parent[i]:
            parent[i] = parent[parent[i]]
    _, numbers = np.unique(np.asarray(parent)[labels], return_inverse=True)
    return numbers.reshape(labels.shape).astype(np.int32)


def _cells(labels: NDArray[np.int32], places: Floats, change: Floats) -> list[_Cell]:
    count = int(labels.max()) + 1
    sizes = np.bincount(labels.ravel(), minlength=count)
    planes = range(places.shape[2])
    sums = np.stack([np.bincount(labels.ravel(), places[..., i].ravel(), count) for i in planes], 1)
    found = [_Cell(int(n), s, {}) for n, s in zip(sizes, sums, strict=True)]
    for a, b, near, far in (
        (labels[:, :-1], labels[:, 1:], change[:, :-1], change[:, 1:]),
        (labels[:-1], labels[1:], change[:-1], change[1:]),
    ):
        across = a != b
        low, high = np.minimum(a, b)[across], np.maximum(a, b)[across]
        keys, where = np.unique(low.astype(np.int64) * count + high, return_inverse=True)
        contrast = np.bincount(where, np.maximum(near, far)[across])
        for key, c, n in zip(keys.tolist(), contrast.tolist(), np.bincount(where).tolist(), strict=True):
            mine = found[key // count].borders.setdefault(key % count, [0.0, 0.0])
            mine[0], mine[1] = mine[0] + c, mine[1] + n
            found[key % count].borders[key // count] = mine
    return found


def _cost(found: list[_Cell], a: int, b: int, size: int) -> float:
    one, other = found[a], found[b]
    apart = one.total / one.count - other.total / other.count
    contrast, length = one.borders[b]
    # Ward's factor, relative to the picture, and level from a few per cent on: two large regions
    # that look alike are one.
    weight = one.count * other.count / (one.count + other.count) / size
    differ = float(np.sqrt(apart @ apart)) + EDGE * contrast / length
    return differ * float(np.sqrt(min(1.0, weight / LARGE)))


def divided(image: Floats, most: int, least: float, context: Context) -> list[Candidate]:
    """A picture's regions, none of them overlapping, the largest first.

    :param image: (H, W, 3), RGB in [0, 1].
    :param most: regions.
    :param least: share of the picture that counts as a region.
    """
    context.progress("select", 0, 3)
    places, change = described(image)
    context.checkpoint()
    context.progress("select", 1, 3)
    small = cells(image, change)
    context.checkpoint()
    context.progress("select", 2, 3)
    labels = joined(small, places, change, most)
    regions = []
    sizes = np.bincount(labels.ravel())
    for number in np.argsort(-sizes, kind="stable")[:most]:
        hard = labels == number
        if hard.mean() > least:
            regions.append(Candidate(hard.astype(np.float32), _clear(hard, places)))
    return regions


def _clear(hard: NDArray[np.bool_], places: Floats) -> float:
    """How clearly a region differs from what is around it, against how varied it is itself, in [0, 1]."""
    ring = (cv2.dilate(hard.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0) & ~hard
    if not ring.any():
        return 0.5
    inside, around = places[hard], places[ring]
    apart = float(np.linalg.norm(inside.mean(0) - around.mean(0)))
    spread = float(np.sqrt(inside.var(0).sum()))
    return apart / (apart + spread + 1e-3)
