"""Laplacian pyramids: how neural neighbour style transfer parametrises the picture it optimises."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

#: Most levels of band-pass detail; the remainder below them is a thumbnail.
LEVELS = 8


def _resized(x: Tensor, size: tuple[int, int]) -> Tensor:
    return F.interpolate(x[None], size=size, mode="bilinear", align_corners=False)[0]


def laplacian(image: Tensor, levels: int = LEVELS) -> list[Tensor]:
    """Band-pass levels, fine to coarse, and the low-pass remainder last.

    Each level is what the next, halved, cannot say, so :func:`collapse` gives the image back to the
    last bits of rounding, whatever its sides are.

    :param image: (C, H, W).
    :returns: at most ``levels`` + 1 tensors; fewer when a side reaches one pixel.
    """
    bands = []
    for _ in range(levels):
        height, width = image.shape[-2:]
        if min(height, width) < 2:
            break
        half = _resized(image, (height // 2, width // 2))
        bands.append(image - _resized(half, (height, width)))
        image = half
    return [*bands, image]


def collapse(bands: Sequence[Tensor]) -> Tensor:
    """The image of a pyramid; differentiable in every level."""
    image = bands[-1]
    for band in reversed(bands[:-1]):
        image = _resized(image, (band.shape[-2], band.shape[-1])) + band
    return image


def without_detail(image: Tensor, levels: int) -> Tensor:
    """The image with its finest ``levels`` bands set to zero: what the coarsest scale starts from."""
    bands = laplacian(image, LEVELS)
    kept = [torch.zeros_like(b) if i < min(levels, len(bands) - 1) else b for i, b in enumerate(bands)]
    return collapse(kept)
