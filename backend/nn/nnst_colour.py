"""The colour step of neural neighbour style transfer, in OkLab, and its rule for monochrome styles.

Kolkin et al. 2022, section 4.4: the output keeps its lightness; its hues become the content's, moved to
the style's colour moments and smoothed so that they follow the strokes' edges.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from .moments import moments
from .transport import Affine, transport

#: A style whose hues' covariance stays below this in OkLab is monochrome (the published code's value).
MONOCHROME = 6e-5
#: The joint bilateral filter's window: taps to each side, and spread in OkLab lightness.
TAPS, LIGHTNESS_SPREAD = 3, 0.08
#: How much colours may be drawn together (not apart: that makes blotches) to fit the painting's.
STRETCH = (0.6, 1.0)

_TO_LMS = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
_TO_LAB = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)


def _mixed(matrix: Tensor, x: Tensor) -> Tensor:
    return torch.einsum("ij,jhw->ihw", matrix, x)


def oklab(image: Tensor) -> Tensor:
    """(3, H, W) sRGB in [0, 1] to OkLab (Ottosson 2020)."""
    linear = torch.where(image <= 0.04045, image / 12.92, ((image.clamp_min(0) + 0.055) / 1.055) ** 2.4)
    lms = _mixed(torch.tensor(_TO_LMS).to(image), linear).clamp_min(0)
    return _mixed(torch.tensor(_TO_LAB).to(image), lms ** (1 / 3))


def from_oklab(lab: Tensor) -> Tensor:
    """OkLab back to sRGB; not clamped."""
    lms = _mixed(torch.linalg.inv(torch.tensor(_TO_LAB, dtype=torch.float64)).to(lab), lab) ** 3
    linear = _mixed(torch.linalg.inv(torch.tensor(_TO_LMS, dtype=torch.float64)).to(lab), lms)
    bent = 1.055 * linear.clamp_min(0.0031308) ** (1 / 2.4) - 0.055
    return torch.where(linear <= 0.0031308, linear * 12.92, bent)


def is_monochrome(style: Tensor) -> bool:
    """Whether a (3, H, W) picture has next to no hues of its own."""
    hues = oklab(style)[1:].flatten(1).double()
    hues = hues - hues.mean(1, keepdim=True)
    return float((hues @ hues.T / hues.shape[1]).abs().max()) < MONOCHROME


def bilateral(values: Tensor, guide: Tensor, dilation: int = 1) -> Tensor:
    """Joint bilateral filter: ``values`` (C, H, W) averaged where the (1, H, W) guide is alike."""
    total, weight = torch.zeros_like(values), torch.zeros_like(guide)
    reach = TAPS * dilation
    mode = "reflect" if min(values.shape[-2:]) > reach else "replicate"
    v = F.pad(values[None], (reach,) * 4, mode=mode)[0]
    g = F.pad(guide[None], (reach,) * 4, mode=mode)[0]
    height, width = values.shape[-2:]
    for dy in range(-TAPS, TAPS + 1):
        for dx in range(-TAPS, TAPS + 1):
            y, x = reach + dy * dilation, reach + dx * dilation
            near = g[:, y : y + height, x : x + width]
            share = torch.exp(
                -((near - guide) ** 2) / (2 * LIGHTNESS_SPREAD**2) - (dy * dy + dx * dx) / (TAPS * TAPS)
            )
            total += share * v[:, y : y + height, x : x + width]
            weight += share
    return total / weight


def with_hues_of(output: Tensor, other: Tensor) -> Tensor:
    """The output's lightness with the hues of another picture of the same place, along the output's edges.

    Both (3, H, W) in [0, 1].  What an optimiser leaves as specks of colour goes; its strokes stay.
    """
    lightness = oklab(output.clamp(0, 1))[:1]
    hues = bilateral(oklab(other.clamp(0, 1))[1:], lightness)
    return from_oklab(torch.cat([lightness, hues])).clamp(0, 1)


def tamed(change: Affine, image: Tensor, weight: Tensor) -> Affine:
    """A map of colours that moves their mean as before but stretches them no more than :data:`STRETCH`.

    A region may borrow from one corner of the painting only; stretched to the range of the whole, what
    tells its strokes apart would turn into blotches.

    :param change: with a symmetric matrix.
    :param image: (3, H, W), what it will be applied to.
    :param weight: (H, W), where the mean is measured.
    """
    gains, axes = torch.linalg.eigh(change.matrix)
    matrix = (axes * gains.clamp(*STRETCH)) @ axes.T
    share = (weight / weight.sum().clamp_min(1e-6)).flatten().to(matrix)
    mean = image.flatten(1).to(matrix) @ share
    return Affine(matrix, change.matrix @ mean + change.offset - matrix @ mean)


def guided_colours(output: Tensor, content: Tensor, style: Tensor, weight: Tensor) -> Tensor:
    """The output with the content's hues in the style's range; unchanged for a monochrome style.

    :param output: (3, H, W) in [0, 1].
    :param content: likewise.
    :param style: (3, h, w).
    :param weight: (H, W), where the content's hues are measured.
    """
    if is_monochrome(style) or not bool((weight > 0).any()):
        return output
    lightness = oklab(output.clamp(0, 1))[:1]
    hues = oklab(content)[1:]
    hues = bilateral(hues, lightness, dilation=max(1, round(min(output.shape[-2:]) / 256)))
    wanted = moments(oklab(style)[1:])
    hues = transport(moments(hues, weight), wanted).apply(hues)
    return from_oklab(torch.cat([lightness, hues])).clamp(0, 1)
