"""Which colours a painting has, and the nearest of them to any other: for strokes that descended on features.

What a network takes for a likeness of the painting may show hues that are nowhere in it.  Those are moved to
the nearest that is there, in the plane of OkLab's two hue axes, and nothing becomes lighter or darker than
the painting is anywhere; what the painting has stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from .nnst_colour import from_oklab, oklab

#: The plane reaches from -RANGE to RANGE along both axes, in so many bins.
RANGE, BINS = 0.32, 64
#: Deviation in bins by which each of the painting's hues stands for those beside it.
NEAR = 1.5
#: The painting's hues without the rarest that come to this share of it count as its own.  An accent is rare,
#: too: at a twentieth a red sun turned brown.
RARE = 0.004
#: More places of a picture than these need not be looked at, along a side.
SIDE = 192


@dataclass(frozen=True)
class Known:
    """What is known of the colours of some pictures.

    :param table: (2, BINS, BINS): how far each bin of hues is from the nearest that the pictures have; zero
        in these.
    :param darkest: their least lightness in OkLab, and
    :param lightest: their greatest.
    """

    table: Tensor
    darkest: float
    lightest: float

    @classmethod
    @torch.no_grad()
    def of(cls, pictures: Sequence[tuple[Tensor, Tensor | None, float]]) -> Known:
        """Of one or more pictures.

        :param pictures: (3, h, w) each, what of it counts, (h, w) or ``None`` for all of it, and its weight.
        """
        device = pictures[0][0].device
        found, tones = torch.zeros(BINS * BINS, device=device), []
        for picture, mask, weight in pictures:
            # A small part is all there is of it: nothing is left out.
            step = 1 if mask is not None else max(1, max(picture.shape[-2:]) // SIDE)
            lab = oklab(picture[:, ::step, ::step].clamp(0, 1)).flatten(1)
            counts = torch.ones_like(lab[0]) if mask is None else mask.flatten().to(lab)
            at = ((lab[1:] / RANGE + 1) * (BINS / 2)).long().clamp(0, BINS - 1)
            found.index_add_(0, at[0] * BINS + at[1], counts * (weight / counts.sum().clamp_min(1e-6)))
            tones.append(lab[0, counts > 0])
        seen = torch.cat(tones)
        if seen.numel() == 0:
            return cls(torch.zeros(2, BINS, BINS, device=device), 0.0, 1.0)
        return cls(_table(found), float(seen.min()), float(seen.max()))

    @torch.no_grad()
    def nearest(self, image: Tensor) -> Tensor:
        """A (3, H, W) picture in [0, 1] with each colour moved to the nearest known one."""
        lab = oklab(image.clamp(0, 1))
        at = torch.stack([lab[2], lab[1]], -1)[None] / RANGE
        move = F.grid_sample(self.table[None], at, padding_mode="border", align_corners=False)[0]
        tone = lab[:1].clamp(self.darkest, self.lightest)
        return from_oklab(torch.cat([tone, lab[1:] + move])).clamp(0, 1)


def _table(found: Tensor) -> Tensor:
    """See :class:`Known`; from how often each bin occurs."""
    smooth = _smoothed(found.view(1, 1, BINS, BINS)).flatten()
    # From the rarest on: those that come to more than the share left out.
    order = smooth.argsort()
    known = torch.zeros_like(smooth, dtype=torch.bool)
    known[order] = found[order].cumsum(0) > RARE * found.sum()
    centres = (torch.arange(BINS, device=found.device) + 0.5) * (2 * RANGE / BINS) - RANGE
    plane = torch.stack(torch.meshgrid(centres, centres, indexing="ij"), -1).view(-1, 2)
    own = plane[known]
    return (own[torch.cdist(plane, own).argmin(1)] - plane).T.reshape(2, BINS, BINS)


def _smoothed(plane: Tensor) -> Tensor:
    reach = int(3 * NEAR)
    taps = torch.exp(-0.5 * (torch.arange(-reach, reach + 1, device=plane.device) / NEAR) ** 2)
    taps = taps / taps.sum()
    plane = F.conv2d(plane, taps.view(1, 1, -1, 1), padding=(reach, 0))
    return F.conv2d(plane, taps.view(1, 1, 1, -1), padding=(0, reach))
