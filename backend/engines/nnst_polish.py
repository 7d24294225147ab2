"""The last strokes of optimising: a few steps on the moments of VGG-16's features, or of what foretells them.

A small network tells which place is like which about as well as VGG-16 does, but what its features look
like taken together says little about what VGG-16's do.  Where VGG-16 is not installed, a bundled branch on
the small network foretells its features' strongest directions (``backend/nn/nnst_witness.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import torch
from torch import Tensor
from torch.nn import functional as F

from scumble.backend.nn.nnst_witness import Foretold
from scumble.backend.nn.vgg import TAPS, VGG16

from .base import Context, JobRegion, StylePart
from .nnst_ground import Ground, fit
from .nnst_moments import Moments, difference, moments
from .nnst_plan import style_size

#: What VGG-16's moments count beside the cosine of the small network's features; and what is foretold of
#: them, which shows only a part of each difference.
WEIGHT, WEIGHT_FORETOLD = 0.6, 4.0
#: Pixels around a region that are seen with it.
AROUND = 24
#: Drawn pixels below which a region is left as it is.
LEAST = 256.0
#: Sides are whole multiples of this, so that no pooling loses a row.
GRAIN = 8
#: How much further away every other stroke is looked at.
FURTHER = 1.4
#: The tap that says what a picture shows.
DEEP = "4_1"
#: Drawn pixels times steps that the last strokes after decoding come to, and their fewest steps: small
#: regions lack most of what the painting has, and large ones have less time.
BRIEF_PIXELS, BRIEF_LEAST = 6e5, 2


class Last(Enum):
    """Whose moments the last strokes descend on: (steps, cost of one beside the usual per megapixel, rate).

    ``BRIEF`` is ``FORETOLD`` after decoding.  Costs are in the units of :mod:`.nnst_paint`; the rate is
    Adam's at the first stroke.
    """

    VGG = (12, 41.0, 4e-3)
    FORETOLD = (32, 1.3, 8e-3)
    BRIEF = (12, 1.3, 1e-2)

    def steps(self, area: float) -> int:
        """How many there are for ``area`` drawn pixels."""
        most = self.value[0]
        if self is not Last.BRIEF:
            return most
        return max(BRIEF_LEAST, min(most, round(BRIEF_PIXELS / max(area, 1.0))))

    @property
    def cost(self) -> float:
        """Of one step, beside the usual."""
        return self.value[1]

    @property
    def rate(self) -> float:
        """Of the first step."""
        return self.value[2]


def _rows(features: Tensor) -> Tensor:
    return features[0].flatten(1).T


@torch.no_grad()
def wanted(part: StylePart, net: VGG16 | Foretold, context: Context, scale: float) -> list[Moments]:
    """A style picture's moments at VGG-16's taps, upright, as large as the finest scale shows it."""
    size = style_size((part.image.shape[-2], part.image.shape[-1]), scale, 1.0)
    key = f"nnst/polish/{type(net).__name__}/{part.key}/{size[0]}x{size[1]}"
    known = context.cache.get(key) if part.mask is None else None
    if isinstance(known, list):
        return known
    features = net(fit(part.image.to(context.device), size).clamp(0, 1)[None], TAPS)
    found = []
    for tap in TAPS:
        context.checkpoint()
        x, weights = features[tap], None
        if part.mask is not None:
            mask = part.mask[None, None].to(x)
            weights = F.adaptive_avg_pool2d(mask, (x.shape[-2], x.shape[-1])).flatten()
        found.append(moments(_rows(x), weights))
    if part.mask is None:
        context.cache.put(key, found)
    return found


def _blended(parts: Sequence[tuple[list[Moments], float]]) -> list[Moments]:
    """Of several styles together, in their shares."""
    return [
        Moments(
            torch.stack([m[i].mean * w for m, w in parts]).sum(0),
            torch.stack([m[i].gram * w for m, w in parts]).sum(0),
        )
        for i in range(len(TAPS))
    ]


@dataclass(frozen=True)
class _Seen:
    """One region: where it is looked at, what its places count at each tap, and what is wanted there.

    :param content: what the layer shows there, if that is held: (N, C) features, and their weighted squares.
    """

    box: tuple[slice, slice]
    weights: list[Tensor]
    wanted: list[Moments]
    share: float
    content: tuple[Tensor, Tensor] | None = None


class Polish:
    """How far each region's VGG-16 features, taken together, are from its style's.

    :param drawn: (H, W), what was drawn.
    :param shrink: the regions and their styles are looked at reduced by this.
    :param hold: what it counts beside this how far relu4_1's features, place by place, are from the
        content's (Gatys et al. 2016, equation 1, relative to the content's own).
    """

    def __init__(
        self,
        net: VGG16 | Foretold,
        ground: Ground,
        drawn: Tensor,
        regions: Sequence[JobRegion],
        context: Context,
        hold: float = 0.0,
        shrink: float = 1.0,
    ) -> None:
        self.net = net
        high, wide = (max(GRAIN, round(side / shrink)) for side in ground.size)
        self.size = high, wide
        drawn = fit(drawn, self.size)
        self.weight = WEIGHT if isinstance(net, VGG16) else WEIGHT_FORETOLD
        self.hold = hold
        self.seen: list[_Seen] = []
        total = float(drawn.sum().clamp_min(1e-6))
        for region, share in zip(regions, ground.shares, strict=True):
            weight = fit(share, self.size) * drawn
            if float(weight.sum()) < LEAST:
                continue
            box, scale = box_around(weight), float(region.options["style_scale"]) / shrink
            parts = [(wanted(p, net, context, scale), p.weight) for p in region.styles]
            cover = _even(weight[None, box[0], box[1]], "constant")
            at = [F.avg_pool2d(cover, 1 << level).flatten() for level in range(len(TAPS))]
            content = None
            if hold:
                rows = self._deep(fit(ground.content, self.size)[:, box[0], box[1]])
                content = rows, (at[TAPS.index(DEEP)] @ rows.square().sum(1)).clamp_min(1e-6)
            self.seen.append(_Seen(box, at, _blended(parts), float(weight.sum()) / total, content))

    def __call__(self, composite: Tensor) -> Tensor:
        """The loss of a (3, H, W) composite; differentiable in it."""
        loss, composite = composite.new_zeros(()), fit(composite, self.size)
        for one in self.seen:
            features = self.net(_even(composite[:, one.box[0], one.box[1]], "replicate")[None], TAPS)
            found = [
                difference(moments(_rows(features[tap]), weight), want)
                for tap, weight, want in zip(TAPS, one.weights, one.wanted, strict=True)
            ]
            loss = loss + self.weight * one.share * torch.stack(found).mean()
            if one.content is not None:
                own, square = one.content
                away = (_rows(features[DEEP]) - own).square().sum(1)
                away = one.weights[TAPS.index(DEEP)] @ away / square
                loss = loss + self.weight * one.share * self.hold * away
        return loss

    @property
    def regions(self) -> int:
        """How many are large enough to be looked at."""
        return len(self.seen)

    @torch.no_grad()
    def _deep(self, picture: Tensor) -> Tensor:
        return _rows(self.net(_even(picture, "replicate")[None], (DEEP,))[DEEP])


class Looks:
    """A :class:`Polish` that looks from near and, at every other stroke, from a little further away.

    Seen at one size only, strokes learn what the network takes for the painting there; larger shapes lack.
    It takes less time, too.
    """

    def __init__(
        self,
        net: VGG16 | Foretold,
        ground: Ground,
        drawn: Tensor,
        regions: Sequence[JobRegion],
        context: Context,
    ) -> None:
        near = Polish(net, ground, drawn, regions, context)
        far = Polish(net, ground, drawn, regions, context, shrink=FURTHER)
        self.turns = (near, far) if far.regions == near.regions else (near,)
        self.done = 0

    def __call__(self, composite: Tensor) -> Tensor:
        """The loss of a (3, H, W) composite; differentiable in it."""
        self.done += 1
        return self.turns[(self.done - 1) % len(self.turns)](composite)


def _even(x: Tensor, mode: str) -> Tensor:
    """(C, H, W) padded to whole multiples of :data:`GRAIN`."""
    pad = (0, -x.shape[-1] % GRAIN, 0, -x.shape[-2] % GRAIN)
    return F.pad(x[None], pad, mode=mode)[0] if any(pad) else x


def box_around(weight: Tensor, grain: int = 1) -> tuple[slice, slice]:
    """What is looked at of an (H, W) picture for a region there; it begins on whole ``grain`` pixels."""
    found = []
    for axis in (1, 0):
        at = (weight.amax(axis) > 0).nonzero()[:, 0]
        low = max(0, int(at[0]) - AROUND) // grain * grain
        found.append(slice(low, min(weight.shape[1 - axis], int(at[-1]) + 1 + AROUND)))
    return found[0], found[1]
