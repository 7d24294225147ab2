"""Strokes as lively as the painting's: the contrast of each octave, brought halfway to the painting's own.

What features ask for the decoder draws only roughly: ink comes out grey, and stripes of the layer under
swirling strokes are livelier than any stroke.  So what was painted is divided into octaves (Burt and
Adelson 1983), and each is weakened or strengthened as a whole until its energy under the region's mask is
halfway, in logarithms, to that of the painting.  The finest octave is left alone: it shows grain before it
shows strokes, and costs more of the layer than it gives of the painting (docs/partial-conv.md, 10).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from scumble.backend.nn.nnst_pyramid import collapse, laplacian

from .base import Context, JobRegion, StylePart
from .colour import LUMA
from .edges import kept
from .painter import style_shape, style_side

#: Octaves, beginning with details of some 4 px.
OCTAVES = 3
#: How far to go, as an exponent of the ratio of contrasts; and the most that an octave is changed.
SHARE, LEAST_GAIN, MOST_GAIN = 0.5, 0.7, 1.4
#: Contrast (deviation of lightness) below which there is nothing but rounding.
FLOOR = 1 / 255
#: Positions of an octave's grid under the mask below which it tells nothing.
LEAST = 48.0


def halved(image: Tensor) -> Tensor:
    """(C, H, W) at half of its size."""
    size = (max(1, image.shape[-2] // 2), max(1, image.shape[-1] // 2))
    return F.interpolate(image[None], size, mode="bilinear", align_corners=False)[0]


def contrasts(octaves: Sequence[Tensor], weight: Tensor) -> list[float]:
    """Root mean square of every octave's lightness under a mask; 0 where there is too little of it to tell.

    :param octaves: (3, h, w) each, fine to coarse.
    :param weight: (h, w) of the first.
    """
    luma = torch.tensor(LUMA).to(octaves[0])
    found: list[float] = []
    for octave in octaves:
        if octave.shape[-2:] != weight.shape:
            weight = F.interpolate(weight[None, None], octave.shape[-2:], mode="area")[0, 0]
        total = float(weight.sum())
        energy = (torch.einsum("c,chw->hw", luma, octave).square() * weight).sum() / max(total, 1.0)
        found.append(float(energy) ** 0.5 if total >= LEAST else 0.0)
    return found


def of_style(part: StylePart, scale: float, context: Context) -> list[float]:
    """:func:`contrasts` of a style picture, at the size at which it is encoded; kept."""
    shape = style_shape(part, style_side(part, scale))

    def look() -> Tensor:
        image = part.image.to(context.device)
        mask = torch.ones_like(image[0]) if part.mask is None else part.mask.to(image)
        # What the mask hides is not mixed in at its edge; the usual colour makes the least edge of its own.
        both = torch.cat([image * mask, mask[None]])[None]
        if shape != image.shape[-2:]:
            both = F.interpolate(both, shape, mode="bilinear", antialias=True, align_corners=False)
        both = halved(both[0].clamp(0, 1))
        usual = both[:3].sum((1, 2), keepdim=True) / both[3].sum().clamp_min(1e-3)
        seen = both[:3] + usual * (1 - both[3])
        return torch.tensor(contrasts(laplacian(seen, OCTAVES)[:OCTAVES], both[3]))

    key = "" if part.mask is not None else f"contrast/{part.key}/{shape[0]}x{shape[1]}"
    return [float(c) for c in kept(context, key, look)]


def gains(have: Sequence[float], wanted: Sequence[Sequence[float]], shares: Sequence[float]) -> list[float]:
    """By how much to multiply each octave.

    :param have: contrasts of what was painted.
    :param wanted: of each style, with its share.
    """
    found: list[float] = []
    for i, own in enumerate(have):
        told = [(w[i], s) for w, s in zip(wanted, shares, strict=True) if i < len(w) and w[i] > 0]
        if own <= FLOOR or not told:
            found.append(1.0)
            continue
        want = (sum(w * w * s for w, s in told) / sum(s for _, s in told)) ** 0.5
        found.append(min(MOST_GAIN, max(LEAST_GAIN, (max(want, FLOOR) / own) ** SHARE)))
    return found


def change(
    image: Tensor,
    under: tuple[Tensor, Tensor] | None,
    region: JobRegion,
    weight: Tensor,
    inner: Tensor | None,
    context: Context,
) -> Tensor | None:
    """What to add to a painted picture for a region.

    :param image: (3, h, w), painted, at half of the picture's size.
    :param under: the layer, and how much of the paint will show, of the same size: contrast is told of what
        is seen, for what was painted beyond the edge hangs on regions far away.  ``None`` for all of it.
    :param weight: (H, W), where contrast is told.
    :param inner: (H, W), how much of the change is due, or ``None``.
    :returns: (3, h, w), for :func:`enlarged`, or ``None`` where nothing is to be changed.
    """
    if region.strength <= 0:
        return None
    if under is not None:
        layer, alpha = under
        image = torch.lerp(layer, image, alpha)
    *octaves, rest = laplacian(image, OCTAVES)
    scale = float(region.options["style_scale"])
    wanted = [of_style(p, scale, context) for p in region.styles]
    have = contrasts(octaves, halved(weight.to(image)[None])[0])
    factors = gains(have, wanted, [p.weight for p in region.styles])
    if all(abs(g - 1) < 0.01 for g in factors):
        return None
    more = [(g**region.strength - 1) * o for g, o in zip(factors, octaves, strict=True)]
    total = collapse([*more, torch.zeros_like(rest)])
    if inner is not None and float(inner.amin()) < 1:
        total = total * halved(inner.to(image)[None])
    return total


def enlarged(small: Tensor, size: Sequence[int], rows: slice) -> Tensor:
    """Some rows of a picture enlarged bilinearly, as they are in the whole of it.

    :param small: (C, h, w).
    :param size: (H, W) of the whole.
    :param rows: which of the H rows are wanted.
    :returns: (C, rows, W).
    """
    height, width = size[0], size[1]
    at = (torch.arange(height, device=small.device)[rows] + 0.5) * (small.shape[-2] / height) - 0.5
    at = at.clamp(0, small.shape[-2] - 1)
    above = at.long()
    below = (above + 1).clamp_max(small.shape[-2] - 1)
    part = torch.lerp(small[:, above], small[:, below], (at - above)[:, None].to(small))
    return F.interpolate(part[None], (len(at), width), mode="bilinear", align_corners=False)[0]
