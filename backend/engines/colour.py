"""Colour after decoding: the style's palette, or the content's own hues."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from scumble.backend.nn.moments import Moments, mixed, moments
from scumble.backend.nn.transport import Affine, transport

from .base import Context, JobRegion, StylePart
from .edges import kept

#: Rec. 709 luma of sRGB-encoded values: close to perceived lightness and linear, so it inverts.
LUMA = (0.2126, 0.7152, 0.0722)
#: A palette needs no more of the style picture than this, in pixels of its longer side.
PALETTE_SIDE = 192
#: Deviation of hues (RGB without its grey) above which half of the strokes' own hues stay; a painting
#: without hues lets none in, for what descends on features leaves a tinge on white paper.
COLOURFUL = 0.05


def palette(part: StylePart, context: Context) -> Moments:
    """Moments of a style picture's colours, under its mask if there is one; kept where its key says all."""
    key = "" if part.mask is not None else f"palette/{part.key}"
    return kept(context, key, lambda: _colours(part.image.to(context.device), part.mask))


def _colours(style: Tensor, mask: Tensor | None) -> Moments:
    longest = max(style.shape[-2:])
    if mask is not None:
        # A small part is all there is of it: nothing is left out.
        return moments(style, mask.to(style))
    if longest > PALETTE_SIDE:
        size = tuple(max(1, round(s * PALETTE_SIDE / longest)) for s in style.shape[-2:])
        # Nearest keeps the colours that are there; averaging would dull a pointillist's palette.
        style = F.interpolate(style[None], size, mode="nearest")[0]
    return moments(style)


def palette_map(
    image: Tensor, weight: Tensor, palettes: Sequence[tuple[Moments, float]], amount: float
) -> Affine | None:
    """The map of colours that moves those under the weight to the styles' mean and covariance.

    The decoder reproduces feature statistics only roughly; three channels can be set right exactly.

    :param image: (3, H, W).
    :param weight: (H, W), where the colours are measured.
    :param palettes: the styles' colours, from :func:`palette`, with weights.
    :param amount: 0 (no change) to 1 (all the way).
    :returns: ``None`` where there is nothing to change.
    """
    if amount <= 0 or not float(weight.amax()) > 0:
        return None
    whole = transport(moments(image, weight), mixed(palettes))
    eye = torch.eye(3, dtype=whole.matrix.dtype, device=whole.matrix.device)
    return Affine(torch.lerp(eye, whole.matrix, amount), amount * whole.offset)


def recoloured(image: Tensor, change: Affine | None) -> Tensor:
    """(3, H, W) colours after a map, clamped to [0, 1]; always a new tensor."""
    if change is None:
        return image.clamp(0, 1)
    flat = torch.addmm(change.offset.to(image)[:, None], change.matrix.to(image), image.flatten(1))
    return flat.clamp_(0, 1).view(image.shape)


def keep_hues(image: Tensor, content: Tensor, weight: Tensor, amount: float) -> Tensor:
    """Keep the painted lightness but give back the content's own colour, by ``amount``.

    The painted lightness is first brought to the mean and spread the content has under the weight:
    a dark style would otherwise leave the content's colours glowing in the dark.

    :param image: (3, H, W) in [0, 1].
    :param content: likewise.
    :param weight: (H, W), where lightness is measured.
    """
    if not float(weight.amax()) > 0:
        return image
    luma = torch.tensor(LUMA).to(image).view(3, 1, 1)
    painted = (image * luma).sum(0, keepdim=True)
    own = (content * luma).sum(0, keepdim=True)
    matched = transport(moments(painted, weight), moments(own, weight)).apply(painted)
    return torch.lerp(image, (content + matched - own).clamp(0, 1), amount)


def hues_let_in(region: JobRegion, context: Context) -> float:
    """How much of the strokes' own hues stays: half, less where the painting has hardly any
    or the layer's are to stay."""
    total = 0.0
    for part in region.styles:
        covariance = palette(part, context).covariance
        grey = torch.full((3, 3), 1 / 3, dtype=covariance.dtype, device=covariance.device)
        apart = torch.eye(3, dtype=covariance.dtype, device=covariance.device) - grey
        deviation = float(torch.trace(apart @ covariance @ apart).clamp_min(0).sqrt())
        total += part.weight * min(1.0, deviation / COLOURFUL)
    return 0.5 * total * (1.0 - float(region.options.get("preserve_color", 0.0)))
