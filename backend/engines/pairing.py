"""Which part of a picture corresponds to which part of a painting: co-segmentation without labels.

Positions of all pictures are described by encoder features, roughness, colour and height (see
:mod:`.pairing_views`).  Each picture is clustered.  How much a part of the layer takes of each part of
a painting is a transport between the two, weighted by area (Cuturi 2013), which gives in where sizes
differ and spreads where a match is doubtful: a doubtful part takes after more of the painting.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from scumble.backend.regions.matting import guided
from scumble.shared.errors import Code, ScumbleError

from .pairing_views import COMPARING, REST, View, compared

Floats = NDArray[np.float32]
#: Principal directions of the features that are looked at.
DIMS = 24
#: Share of a picture below which a cluster is joined to another; a half of a part has at least twice
#: as much.
LEAST_SHARE = 0.025
#: Softness of the transport, and how firmly it fills all of a painting, in squared descriptions.
SOFTNESS, FIRMNESS = 0.5, 1.0
#: How far, in deviations of lightness over a picture, a part and what it takes may lie apart before it
#: takes after the rest of the painting too, and from where on it takes after all of it alike.
APART = (0.4, 1.0)
#: Share of the best part's from which a part of the painting is named as a counterpart.
NAMED = 0.5
MOST_PARTS = 16
#: Longest side of the label maps that a report carries.
MAP_SIDE = 96


@dataclass(frozen=True)
class Parts:
    """What the clustering found; equal numbers mean matched parts.

    :param labels: per picture (gh, gw), -1 where it does not count.
    :param plans: per painting (K, K) in [0, 1]: how densely a part of the layer (row) takes from a part
        of the painting; the largest of a row is 1, and 0 is for numbers that either does not have.
    """

    labels: tuple[NDArray[np.int32], ...]
    plans: tuple[Floats, ...]
    views: tuple[View, ...]

    @property
    def count(self) -> int:
        """Numbers in use."""
        return 1 + max(int(grid.max()) for grid in self.labels)

    def share(self, picture: int, part: int) -> float:
        """Share of a picture's counted positions that belong to a part."""
        labels = self.labels[picture]
        return float((labels == part).sum() / max(1, int((labels >= 0).sum())))


@dataclass(frozen=True)
class Pair:
    """Parts of the content that take their style from parts of the painting.

    Names are a part's number, or the number with ``a`` or ``b`` for its halves.

    :param found: nobody named it: the transport's shares count, and ``style`` names the largest.
    """

    content: tuple[str, ...]
    style: tuple[str, ...]
    found: bool = False


def cluster(views: Sequence[View], count: int, seed: int) -> Parts:
    """Divide every picture into at most ``count`` parts and match them with those of the first."""
    every = np.concatenate([v.places for v in views])
    # The features' own dimensions are many and mostly noise.
    wide = every[:, :-REST]
    _, vectors = np.linalg.eigh(wide.T @ wide / len(wide))
    turned = [
        np.concatenate([v.places[:, :-REST] @ vectors[:, -DIMS:], v.places[:, -REST:]], 1).astype(np.float32)
        for v in views
    ]
    new = tuple(View(v.image, t, v.where) for v, t in zip(views, turned, strict=True))
    labels = [_divided(v, count, seed) for v in new]
    facts = [_parts_of(v, grid) for v, grid in zip(new, labels, strict=True)]
    # Numbered from the top of the layer down, so that names mean something to a person.
    order = np.argsort(facts[0][0][:, -1])
    labels[0], facts[0] = _renumbered(labels[0], np.argsort(order)), (facts[0][0][order], facts[0][1][order])
    most = max(len(own) for own, _ in facts)
    plans = []
    for index in range(1, len(new)):
        centres = _matched(facts[0][0], facts[0][1], facts[index][0], most)
        there = np.flatnonzero(~np.isnan(centres[:, 0]))
        # Which number each of the painting's parts got.
        number = np.array([there[int((centres[there] == own).all(1).argmax())] for own in facts[index][0]])
        labels[index] = _renumbered(labels[index], number)
        plan = np.zeros((most, most), np.float32)
        own = transported(facts[0], facts[index])
        plan[: len(facts[0][0]), number] = cautious(own, facts[0][0], *facts[index])
        plans.append(plan)
    return Parts(tuple(labels), tuple(plans), new)


def _divided(one: View, count: int, seed: int) -> NDArray[np.int32]:
    """(gh, gw) parts of a picture, none of them a crumb."""
    count = max(1, min(count, MOST_PARTS, len(np.unique(one.places, axis=0))))
    cv2.setRNGSeed(seed % (1 << 31))
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 40, 1e-3)
    empty: Any = None
    _, found, centres = cv2.kmeans(one.places, count, empty, criteria, 3, cv2.KMEANS_PP_CENTERS)
    grid = np.full(one.where.shape, -1, np.int32)
    grid[one.where] = found.ravel()
    least = max(1.0, min(2 * LEAST_SHARE, 4 * LEAST_SHARE / count) * len(one.places))
    while True:
        smooth = _smoothed(grid, len(centres))
        sizes = np.bincount(smooth[smooth >= 0], minlength=len(centres))
        if len(centres) == 1 or sizes.min() >= least:
            return smooth
        centres = np.delete(centres, int(sizes.argmin()), 0)
        distance = ((one.places[:, None] - centres[None]) ** 2).sum(2)
        grid[one.where] = distance.argmin(1)


def _parts_of(one: View, grid: NDArray[np.int32]) -> tuple[Floats, NDArray[np.float64]]:
    """Mean descriptions (K, D), as parts of two pictures are compared, and shares (K,)."""
    labels, places = grid[one.where], compared(one.places)
    count = int(labels.max()) + 1
    means = np.stack([places[labels == i].mean(0) for i in range(count)])
    return means.astype(np.float32), np.bincount(labels, minlength=count) / len(labels)


def _renumbered(grid: NDArray[np.int32], number: NDArray[Any]) -> NDArray[np.int32]:
    return np.where(grid >= 0, number[np.maximum(grid, 0)], -1).astype(np.int32)


def transported(
    content: tuple[Floats, NDArray[np.float64]], style: tuple[Floats, NDArray[np.float64]]
) -> Floats:
    """How densely every part of the layer takes from every part of a painting.

    The minimiser of ``<P, cost> + SOFTNESS * KL(P | content x style)`` that takes each part of the layer
    whole and, as firmly as FIRMNESS says, each part of the painting (unbalanced transport of Chizat
    et al. 2018, by Sinkhorn's iterations); divided by the painting's shares and each row's largest.

    :param content: (K, D) descriptions and (K,) shares; ``style`` likewise, (L, D) and (L,).
    :returns: (K, L) in [0, 1].
    """
    (ours, our_share), (theirs, their_share) = content, style
    cost = ((ours[:, None] - theirs[None]) ** 2).sum(2).astype(np.float64)
    kernel = np.exp(-(cost - cost.min(1, keepdims=True)) / SOFTNESS) * their_share
    scale = np.ones(len(their_share))
    for _ in range(100):
        rows = our_share / (kernel @ scale)
        columns = kernel.T @ rows
        scale = (their_share / np.maximum(columns, 1e-30)) ** (FIRMNESS / (FIRMNESS + SOFTNESS))
    density = kernel * scale / their_share
    out: Floats = (density / density.max(1, keepdims=True)).astype(np.float32)
    return out


def cautious(plan: Floats, content: Floats, style: Floats, share: NDArray[np.float64]) -> Floats:
    """A plan in which a part whose counterpart is of another tone takes after all of the painting.

    A wrong match does most harm where it turns dark into bright: trees that went with houses.  The whole
    painting never does as much.

    :param plan: (K, L) from :func:`transported`; ``content`` (K, D) and ``style`` (L, D) likewise.
    :param share: (L,) of the painting's parts.
    :returns: (K, L) in [0, 1].
    """
    ours, theirs = (x[:, -2] / COMPARING["lightness"] for x in (content, style))
    taken = plan * share
    apart = (taken * np.abs(ours[:, None] - theirs[None])).sum(1) / taken.sum(1)
    low, high = APART
    floor = np.clip((apart - low) / (high - low), 0, 1)
    return np.maximum(plan, floor[:, None]).astype(np.float32)


def _matched(content: Floats, share: NDArray[np.float64], style: Floats, count: int) -> Floats:
    """The painting's centres in the order of the layer's parts that they are matched with, (count, D)."""
    # Costs on a square: a part without a counterpart costs nothing.
    cost = np.zeros((count, count))
    distance = ((content[:, None] - style[None]) ** 2).sum(2)
    cost[: len(content), : len(style)] = distance * share[: len(content), None]
    order = list(range(count))
    for i in np.argsort(-share[: len(content)], kind="stable"):  # the largest part chooses first
        free = order.index(min(order[i:], key=lambda j: cost[i, j])) if i < count else i
        order[i], order[free] = order[free], order[i]
    better = True
    while better:  # exchange counterparts for as long as that helps
        better = False
        for a in range(count):
            for b in range(a + 1, count):
                now = cost[a, order[a]] + cost[b, order[b]]
                if cost[a, order[b]] + cost[b, order[a]] < now - 1e-9:
                    order[a], order[b], better = order[b], order[a], True
    out = np.full((count, style.shape[1]), np.nan, np.float32)
    for i, j in enumerate(order):
        if j < len(style):
            out[i] = style[j]
    return out


def _smoothed(grid: NDArray[np.int32], count: int) -> NDArray[np.int32]:
    """Each position takes the part that most of its surroundings belong to."""
    votes = np.stack([cv2.GaussianBlur((grid == i).astype(np.float32), (0, 0), 1.5) for i in range(count)])
    return np.where(grid >= 0, votes.argmax(0), -1).astype(np.int32)


def default_pairs(parts: Parts) -> list[Pair]:
    """Every part of the layer with what it takes from the (first) painting."""
    pairs = []
    for i in range(parts.count):
        if parts.share(0, i) > 0:
            plan = parts.plans[0][i]
            named = [int(j) for j in np.argsort(-plan, kind="stable") if plan[j] >= NAMED]
            pairs.append(Pair((str(i),), tuple(str(j) for j in named), found=True))
    return pairs


_NAME = re.compile(r"(\d{1,2})([ab]?)\Z")


def edited(pairs: Sequence[Pair], text: str, parts: Parts) -> list[Pair]:
    """The pairs after an artist's wishes: ``0+1:2`` paints parts 0 and 1 with the painting's part 2,
    ``3a:0,3b:1`` splits part 3 into halves, ``2:*`` takes the whole painting, ``2:-`` leaves part 2 as
    it is.  What is not mentioned stays as it was.

    :raises ScumbleError: ``bad_request``.
    """
    wishes: list[Pair] = []
    taken: set[str] = set()
    for entry in filter(None, (e.strip() for e in text.split(","))):
        left, colon, right = (s.strip() for s in entry.partition(":"))
        if not colon or not left or not right:
            raise _unclear(entry)
        content = tuple(s.strip() for s in left.split("+"))
        style = () if right == "*" else ("-",) if right == "-" else tuple(s.strip() for s in right.split("+"))
        for name in (*content, *(s for s in style if s != "-")):
            found = _NAME.match(name)
            if not found or int(found[1]) >= parts.count:
                raise _unclear(entry, parts.count)
        if taken & set(content):
            raise _unclear(entry)
        taken |= set(content)
        wishes.append(Pair(content, style))
    mentioned = taken | {n + half for n in taken if n[-1].isdigit() for half in "ab"}
    left_over = []
    for pair in pairs:
        for name in pair.content:
            if name in mentioned:
                continue
            halves = [name + h for h in "ab" if name + h not in mentioned]
            if len(halves) == 2:
                left_over.append(pair)
            else:
                left_over += [replace(pair, content=(half,)) for half in halves]
    return [w for w in wishes if w.style != ("-",)] + left_over


def _unclear(entry: str, count: int = 0) -> ScumbleError:
    names = f" Parts are numbered 0 to {count - 1}." if count else ""
    return ScumbleError(
        Code.OPTION_OUT_OF_RANGE,
        f"The pair {entry[:40]!r} cannot be understood.",
        "Write pairs as content:style, such as 0:1 or 0+1:2 or 3a:0,3b:1, with * for the whole painting"
        f" and - for nothing.{names}",
    )


def taken(parts: Parts, picture: int, pair: Pair) -> Floats:
    """(gh, gw) in [0, 1]: what a pair takes from a painting."""
    if not pair.found:
        return chosen(parts, picture, pair.style)
    row = np.append(parts.plans[picture - 1][int(pair.content[0].rstrip("ab"))], np.float32(0))
    labels = parts.labels[picture]
    out: Floats = row[np.where(labels < 0, len(row) - 1, labels)]
    return out


def chosen(parts: Parts, picture: int, names: Sequence[str]) -> Floats:
    """(gh, gw) in {0, 1}: the named parts of a picture."""
    labels = parts.labels[picture]
    out = np.zeros(labels.shape, np.float32)
    for name in names:
        part = int(name.rstrip("ab"))
        if name[-1].isdigit():
            out[labels == part] = 1
        else:
            out[_half(parts, picture, part) == "ab".index(name[-1])] = 1
    return out


def _half(parts: Parts, picture: int, part: int) -> NDArray[np.int32]:
    """(gh, gw): 0 for the upper half of a part, 1 for the other, -1 elsewhere."""
    labels = parts.labels[picture]
    out = np.full(labels.shape, -1, np.int32)
    members = parts.views[picture].places[labels[parts.views[picture].where] == part]
    if not len(members):
        return out
    # Along the direction in which the part varies most, at its mean.
    centred = members - members.mean(0)
    axis = np.linalg.eigh(centred.T @ centred)[1][:, -1]
    if axis[-1] < 0:  # the last column is height
        axis = -axis
    out[labels == part] = (centred @ axis > 0).astype(np.int32)
    return out


def full_masks(parts: Parts, picture: int, grids: Sequence[Floats], size: tuple[int, int]) -> list[Floats]:
    """Grid masks brought to a picture's size along its own edges; they add up to at most one.

    :param size: (H, W).
    """
    small = np.ascontiguousarray(parts.views[picture].image.permute(1, 2, 0).cpu().numpy())
    fine = []
    for grid in grids:
        mask = cv2.resize(grid, (small.shape[1], small.shape[0]), interpolation=cv2.INTER_LINEAR)
        mask = np.clip(guided(mask.astype(np.float32), small, 6, 4e-4), 0, 1)
        fine.append(cv2.resize(mask, (size[1], size[0]), interpolation=cv2.INTER_LINEAR).astype(np.float32))
    total = np.sum(fine, axis=0)
    return [np.asarray(m / np.maximum(total, 1.0), np.float32) for m in fine]


def report(parts: Parts, pairs: Sequence[Pair]) -> dict[str, Any]:
    """What was found, for the artist: parts, pairs, and label maps as PNG in base64 (255 is nothing)."""
    return {
        "parts": [
            {
                "name": str(i),
                "content_share": round(parts.share(0, i), 4),
                "style_share": round(parts.share(1, i), 4),
            }
            for i in range(parts.count)
        ],
        "pairs": [{"content": list(p.content), "style": list(p.style)} for p in pairs],
        "content_map": _png(parts.labels[0]),
        "style_map": _png(parts.labels[1]),
    }


def _png(labels: NDArray[np.int32]) -> str:
    scale = min(1.0, MAP_SIDE / max(labels.shape))
    size = (max(1, round(labels.shape[1] * scale)), max(1, round(labels.shape[0] * scale)))
    flat = np.where(labels < 0, 255, labels).astype(np.uint8)
    small = cv2.resize(flat, size, interpolation=cv2.INTER_NEAREST)
    stream = io.BytesIO()
    Image.fromarray(small).save(stream, "PNG", optimize=True)
    return base64.b64encode(stream.getvalue()).decode("ascii")
