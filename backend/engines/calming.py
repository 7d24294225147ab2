"""No part livelier than its counterpart: local contrast, scale by scale, brought down to the painting's.

Moving features' means and covariances keeps where the layer has its things, and a decoder draws them: a
shop window that is to look like a plain wall stays full of things, only grey ones.  Here the result
itself is divided into bands (Burt and Adelson 1983) inside each part.  How strong a band is around a
place has a distribution over the part, and another over the part of the painting; the transport between
the two, in one dimension and closed form, says how strong the band should be there.  It is followed
where it asks for less and never where it asks for more, for contrast that is turned up shows grain.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from .base import Context, JobRegion, StylePart
from .painter import style_shape, style_side

Floats = NDArray[np.float32]
#: Bands, each an octave: the coarsest holds things of some 32 px.
BANDS = 5
#: Radius (deviation) over which a band's strength is averaged, in positions of half its grid.
AROUND = 1.0
#: Quantiles in which distributions are compared, and how many positions tell them.
QUANTILES, ENOUGH = 65, 1 << 14
#: Positions below which a band of a part tells nothing.
LEAST = 48.0
#: Pixels of a part's box that are looked at; a larger one is halved and does without its finest octave.
MOST = 1 << 22
#: Bytes that this needs for each of them.
BYTES = 96


@dataclass(frozen=True)
class Band:
    """One octave of a picture under a mask.

    :param values: (3, h, w), zero where nothing was drawn.
    :param support: (h, w), 1 where the band is known.
    :param strength: (h/2, w/2), root mean square around each place.
    :param weight: (h/2, w/2), how much of each place was drawn.
    """

    values: Floats
    support: Floats
    strength: Floats
    weight: Floats

    def quantiles(self) -> Floats | None:
        """(QUANTILES,) strengths, rising; ``None`` where there is too little to tell."""
        step = max(1, int(np.sqrt(self.weight.size / ENOUGH)))
        value, weight = (x[::step, ::step].ravel() for x in (self.strength, self.weight))
        inside = weight > 0
        if float(self.weight.sum()) < LEAST or not inside.any():
            return None
        value, weight = value[inside], weight[inside].astype(np.float64)
        order = np.argsort(value, kind="stable")
        place = np.cumsum(weight[order]) - 0.5 * weight[order]
        found = np.interp(np.linspace(0, 1, QUANTILES), place / weight.sum(), value[order])
        return np.asarray(found, np.float32)


def bands(image: Floats, mask: Floats, count: int = BANDS) -> list[Band]:
    """Divide (3, H, W) into octaves, finest first, looking only under the (H, W) mask."""
    found: list[Band] = []
    for _ in range(count):
        height, width = mask.shape
        if min(height, width) < 8:
            break
        whole = bool((mask >= 1).all())
        below = cv2.pyrDown(mask)
        support = (below > 1e-3).astype(np.float32)
        inverse = support / np.maximum(below, 1e-3)
        low = np.stack([cv2.pyrDown(plane if whole else plane * mask) * inverse for plane in image])
        known = (mask > 0).astype(np.float32)
        values = image - _raised(low, support, (width, height))
        if not whole:
            values *= known
        half = (-(-width // 2), -(-height // 2))
        weight = cv2.resize(mask, half, interpolation=cv2.INTER_AREA)
        energy = np.einsum("chw,chw->hw", values, values) * (mask / np.float32(3))
        energy = cv2.resize(energy, half, interpolation=cv2.INTER_AREA)
        near = cv2.GaussianBlur(weight, (0, 0), AROUND)
        energy = cv2.GaussianBlur(energy, (0, 0), AROUND) / np.maximum(near, 1e-4)
        found.append(Band(values, known, np.sqrt(np.maximum(energy, 0)), np.asarray(weight, np.float32)))
        image, mask = low, below * support
    return found


def _raised(low: Floats, support: Floats, size: tuple[int, int]) -> Floats:
    """A coarser picture at ``size`` (width, height); what is not known there counts nothing."""
    if bool(support.all()):
        return np.stack([cv2.pyrUp(plane, dstsize=size) for plane in low])
    near = 1 / np.maximum(cv2.pyrUp(support, dstsize=size), np.float32(1e-3))
    return np.stack([cv2.pyrUp(plane * support, dstsize=size) * near for plane in low])


def calming(image: Floats, mask: Floats, wanted: Sequence[Floats | None]) -> Floats | None:
    """What to add to a picture so that no place under the mask is livelier than the painting.

    :param image: (3, H, W).
    :param mask: (H, W) in [0, 1].
    :param wanted: of each band the painting's :meth:`Band.quantiles`.
    :returns: (3, H, W), or ``None`` where nothing is too lively.
    """
    found = bands(image, mask, len(wanted))
    total: Floats | None = None
    for i in range(len(found) - 1, -1, -1):
        one, want = found[i], wanted[i]
        size = (one.values.shape[2], one.values.shape[1])
        if total is not None:
            total = _raised(total, found[i + 1].support, size)
            total *= one.support
        have = one.quantiles()
        if have is None or want is None or bool((have <= want * 1.001 + 1e-5).all()):
            continue
        asked = np.interp(one.strength, have, want)
        gain = np.minimum(1.0, asked / np.maximum(one.strength, 1e-6)).astype(np.float32)
        less = one.values * (cv2.resize(gain, size, interpolation=cv2.INTER_LINEAR) - np.float32(1))
        total = less if total is None else total + less
    return total


def wanted(region: JobRegion, context: Context) -> list[Floats | None]:
    """Of each band the quantiles of the region's styles, at the size at which it is painted; several
    styles together want the mean of theirs (the barycentre of distributions of one dimension)."""
    each = [(_of_style(p, float(region.options["style_scale"]), context), p.weight) for p in region.styles]
    found: list[Floats | None] = []
    for i in range(BANDS):
        own = [(quantiles[i], w) for quantiles, w in each if i < len(quantiles)]
        told = [(q, w) for q, w in own if q is not None]
        total = sum(w for _, w in told)
        found.append(np.asarray(sum(q * (w / total) for q, w in told), np.float32) if told else None)
    return found


def _of_style(part: StylePart, scale: float, context: Context) -> list[Floats | None]:
    shape = style_shape(part, style_side(part, scale))
    name = ""
    if part.mask is not None:
        values = np.ascontiguousarray(part.mask.numpy())
        name = hashlib.sha256(values.data, usedforsecurity=False).hexdigest()[:32]
    key = f"calming/{part.key}/{shape[0]}x{shape[1]}/{name}"
    known = context.cache.get(key)
    if isinstance(known, torch.Tensor):
        return [None if bool(row.isnan().any()) else row.numpy() for row in known]
    context.checkpoint()
    mask = torch.ones(part.image.shape[-2:]) if part.mask is None else part.mask
    # What the mask hides is not mixed in at its edge.
    both = torch.cat([part.image * mask, mask[None]])[None]
    both = F.interpolate(both, shape, mode="bilinear", antialias=True, align_corners=False)[0].clamp(0, 1)
    weight = both[3].numpy()
    image = (both[:3] / both[3].clamp_min(1e-3)).numpy()
    found = [b.quantiles() for b in bands(image, np.ascontiguousarray(weight))]
    rows = [np.full(QUANTILES, np.nan, np.float32) if q is None else q for q in found]
    if rows:
        context.cache.put(key, torch.from_numpy(np.stack(rows)))
    return found


def calmed(image: torch.Tensor, regions: Sequence[JobRegion], context: Context) -> torch.Tensor:
    """A painted picture with every region calmed by its option ``calm`` times its strength.

    :param image: (3, H, W); ``regions`` with masks of that size.
    """
    total = np.ones((image.shape[-2], image.shape[-1]), np.float32)
    if len(regions) > 1:
        np.maximum(total, sum(r.mask.numpy() for r in regions), out=total)
    out = image
    for region in regions:
        amount = float(region.options["calm"]) * region.strength
        box = _box(region.mask.numpy())
        if amount <= 0 or box is None:
            continue
        context.checkpoint()
        mask = np.ascontiguousarray(region.mask.numpy()[box], np.float32)
        change = _within(image[:, box[0], box[1]].numpy(), mask, wanted(region, context))
        if change is None:
            continue
        share = amount * mask / total[box]
        if out is image:
            out = image.clone()
        for plane, less in zip(out, change, strict=True):
            if less.shape != mask.shape:
                less = cv2.resize(less, mask.shape[::-1], interpolation=cv2.INTER_LINEAR)
            plane[box] += torch.from_numpy(less * share)
    return out


def _within(image: Floats, mask: Floats, wanted: Sequence[Floats | None]) -> Floats | None:
    """See :func:`calming`; of a large picture at a half, a quarter and so on of its size."""
    octaves = 0
    while mask.size >> (2 * octaves) > MOST:
        octaves += 1
    if not octaves or octaves >= len(wanted):
        return calming(np.ascontiguousarray(image), mask, wanted)
    size = (max(1, mask.shape[1] >> octaves), max(1, mask.shape[0] >> octaves))
    small = np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_AREA), np.float32)
    # What the mask hides is not mixed in at its edge.
    shown = [cv2.resize(plane * mask, size, interpolation=cv2.INTER_AREA) for plane in image]
    own = np.asarray(np.stack(shown) / np.maximum(small, 1e-3), np.float32)
    return calming(own, small, wanted[octaves:])


def _box(mask: Floats) -> tuple[slice, slice] | None:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not rows.size:
        return None
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
