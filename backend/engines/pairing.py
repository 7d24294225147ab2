"""Which part of a picture corresponds to which part of a painting: co-segmentation without labels.

Positions of all pictures are described by encoder features, colour and a little of their place, each
picture brought to the same mean and spread first, because a painting's features are not a
photograph's.  Each picture is clustered; then the clusters of each painting are matched one to one
with the layer's so that what is moved, weighted by its area, is moved the least.  A part of the layer
that is left over borrows from the nearest part of the painting.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from scumble.backend.nn.compact import TAPS, CompactEncoder
from scumble.backend.regions.matting import guided
from scumble.shared.errors import Code, ScumbleError

Floats = NDArray[np.float32]
#: Longest side in pixels at which pictures are clustered: parts are large, and this is quick.
SIDE = 256
#: Principal directions of the features that are looked at, and what colour and place count.
DIMS, COLOUR_WEIGHT, PLACE_WEIGHT = 12, 0.6, 0.35
#: Share of a painting below which a cluster does not count as being there.
LEAST_SHARE = 0.01
MOST_PARTS = 16
#: Longest side of the label maps that a report carries.
MAP_SIDE = 96


@dataclass(frozen=True)
class View:
    """One picture as the clustering sees it.

    :param image: (3, h, w), small.
    :param places: (N, D) descriptions of the grid's positions that count.
    :param where: (gh, gw) booleans: which of the grid's positions count.
    """

    image: Tensor
    places: Floats
    where: NDArray[np.bool_]


@dataclass(frozen=True)
class Parts:
    """What the clustering found; equal numbers mean matched parts.

    :param labels: per picture (gh, gw), -1 where it does not count.
    :param centres: per picture (K, D), NaN for a number that the picture does not have.
    """

    labels: tuple[NDArray[np.int32], ...]
    centres: tuple[Floats, ...]
    views: tuple[View, ...]

    @property
    def count(self) -> int:
        """Numbers in use."""
        return len(self.centres[0])

    def share(self, picture: int, part: int) -> float:
        """Share of a picture's counted positions that belong to a part."""
        labels = self.labels[picture]
        return float((labels == part).sum() / max(1, int((labels >= 0).sum())))


@dataclass(frozen=True)
class Pair:
    """Parts of the content that take their style from parts of the painting.

    Names are a part's number, or the number with ``a`` or ``b`` for its halves.
    """

    content: tuple[str, ...]
    style: tuple[str, ...]


@torch.inference_mode()
def view(encoder: CompactEncoder, image: Tensor, mask: Tensor | None) -> View:
    """Describe a picture.

    :param image: (3, H, W), RGB in [0, 1].
    :param mask: (H, W) in [0, 1], what counts; ``None`` for everything.
    """
    height, width = image.shape[-2:]
    scale = min(1.0, SIDE / max(height, width))
    size = tuple(max(32, round(s * scale / 8) * 8) for s in (height, width))
    small = F.interpolate(image[None], size, mode="bilinear", antialias=True, align_corners=False)
    taps = encoder(small)
    grid = (size[0] // 4, size[1] // 4)
    deep = [_fitted(taps[tap], grid) for tap in TAPS[-2:]]
    features = torch.cat([F.normalize(x - x.mean((2, 3), keepdim=True), dim=1) for x in deep], 1)[0]
    # Parts are larger than strokes: what is painted with many small ones is one part.
    features = F.avg_pool2d(F.pad(features[None], (2, 2, 2, 2), mode="replicate"), 5, 1)[0]
    colour = F.adaptive_avg_pool2d(small, grid)[0].permute(1, 2, 0).cpu().numpy()
    lab = cv2.cvtColor(np.ascontiguousarray(colour, np.float32), cv2.COLOR_RGB2Lab)
    tones: Floats = np.asarray(cv2.GaussianBlur(lab, (0, 0), 1.0), np.float32)
    where = np.ones(grid, bool)
    if mask is not None:
        share = F.adaptive_avg_pool2d(mask[None, None].to(image), grid)[0, 0].cpu().numpy()
        where = share >= min(0.5, 0.7 * float(share.max()))
    rows, columns = np.mgrid[0 : grid[0], 0 : grid[1]].astype(np.float32)
    place = np.stack([rows / grid[0], 0.4 * columns / grid[1]], -1)
    flat = features.movedim(0, -1).cpu().numpy()[where]
    return View(small[0], _described(flat, tones[where], place[where]), where)


def _fitted(x: Tensor, grid: tuple[int, int]) -> Tensor:
    return F.interpolate(x, grid, mode="bilinear", align_corners=False)


def _described(features: Floats, lab: Floats, place: Floats) -> Floats:
    """Per picture: mean 0, every group of its own weight."""

    def even(x: Floats, weight: float) -> Floats:
        x = x - x.mean(0)
        return x * np.float32(weight / (np.sqrt((x**2).sum(1).mean()) + 1e-6))

    colours = np.concatenate([even(lab[:, :1], COLOUR_WEIGHT), even(lab[:, 1:], COLOUR_WEIGHT)], 1)
    joined = [even(features, 1.0), colours, even(place, PLACE_WEIGHT)]
    return np.concatenate(joined, 1).astype(np.float32)


def cluster(views: Sequence[View], count: int, seed: int) -> Parts:
    """Divide every picture into at most ``count`` parts and match them with those of the first."""
    every = np.concatenate([v.places for v in views])
    # The features' own dimensions are many and mostly noise.
    wide = every[:, : every.shape[1] - 5]
    _, vectors = np.linalg.eigh(wide.T @ wide / len(wide))
    turned = [
        np.concatenate([v.places[:, :-5] @ vectors[:, -DIMS:], v.places[:, -5:]], 1).astype(np.float32)
        for v in views
    ]
    centres = [_centres(t, count, seed) for t in turned]
    # Numbered from the top of the layer down, so that names mean something to a person.
    centres[0] = centres[0][np.argsort(centres[0][:, -2])]
    count = max(len(c) for c in centres)
    placed: list[Floats] = []
    labels: list[NDArray[np.int32]] = []
    for index, (v, t, own) in enumerate(zip(views, turned, centres, strict=True)):
        if index:
            share = np.bincount(labels[0][labels[0] >= 0], minlength=len(centres[0])) / len(turned[0])
            own = _matched(centres[0], share, own, count)
        else:
            own = np.concatenate([own, np.full((count - len(own), own.shape[1]), np.nan, np.float32)])
        there = np.flatnonzero(~np.isnan(own[:, 0]))
        nearest = there[((t[:, None] - own[None, there]) ** 2).sum(2).argmin(1)]
        grid = np.full(v.where.shape, -1, np.int32)
        grid[v.where] = nearest
        labels.append(_smoothed(grid, count))
        placed.append(own)
    new = tuple(View(v.image, t, v.where) for v, t in zip(views, turned, strict=True))
    return Parts(tuple(labels), tuple(placed), new)


def _centres(places: Floats, count: int, seed: int) -> Floats:
    count = max(1, min(count, MOST_PARTS, len(np.unique(places, axis=0))))
    cv2.setRNGSeed(seed % (1 << 31))
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 40, 1e-4)
    empty: Any = None
    _, _, centres = cv2.kmeans(places, count, empty, criteria, 3, cv2.KMEANS_PP_CENTERS)
    return np.asarray(centres, np.float32)


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
    """Every part of the layer with its counterpart, or with the nearest part that the painting has."""
    there = [i for i in range(parts.count)
             if all(parts.share(p, i) >= LEAST_SHARE for p in range(1, len(parts.labels)))]  # fmt: skip
    own = [i for i in range(parts.count) if parts.share(0, i) > 0]
    if not there:
        return [Pair(tuple(str(i) for i in own), ())]
    pairs = []
    for i in own:
        distance = ((parts.centres[1][there] - parts.centres[0][i]) ** 2).sum(1)
        pairs.append(Pair((str(i),), (str(i if i in there else there[int(distance.argmin())]),)))
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
                left_over.append(Pair((name,), pair.style))
            else:
                left_over += [Pair((half,), pair.style) for half in halves]
    return [w for w in wishes if w.style != ("-",)] + left_over


def _unclear(entry: str, count: int = 0) -> ScumbleError:
    names = f" Parts are numbered 0 to {count - 1}." if count else ""
    return ScumbleError(
        Code.OPTION_OUT_OF_RANGE,
        f"The pair {entry[:40]!r} cannot be understood.",
        "Write pairs as content:style, such as 0:1 or 0+1:2 or 3a:0,3b:1, with * for the whole painting"
        f" and - for nothing.{names}",
    )


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
    if axis[-2] < 0:
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
