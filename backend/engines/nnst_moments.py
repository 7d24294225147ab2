"""What a whole painting's features look like taken together, and how far a region's are from that.

Neighbours alone let a region borrow the same few places again and again.  Held also to the style's
means and second moments, layer by layer (Gatys et al. 2016; Kolkin et al. 2019 hold theirs to moments
beside neighbours too), it shows more of what the painting has, and as strongly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .nnst_style import Bank


@dataclass(frozen=True)
class Moments:
    """Of one layer: ``mean`` (C,) and ``gram`` (C, C), the mean of the features' outer products."""

    mean: Tensor
    gram: Tensor


def moments(rows: Tensor, weights: Tensor | None = None) -> Moments:
    """Of (N, C) features; differentiable in them.

    :param weights: (N,), how much each place counts.
    """
    if weights is None:
        return Moments(rows.mean(0), rows.T @ rows / rows.shape[0])
    total = weights.sum().clamp_min(1e-6)
    return Moments(weights @ rows / total, (rows * weights[:, None]).T @ rows / total)


def style_moments(bank: Bank, slices: Sequence[slice]) -> list[Moments]:
    """What a region should look like taken together, by layer: its styles', upright, in their shares."""
    places, weights = bank.upright()
    if bank.mask is not None:
        weights = weights * bank.mask[places]
    rows = bank.rows[places].float()
    return [moments(rows[:, part], weights) for part in slices]


def difference(have: Moments, want: Moments) -> Tensor:
    """Relative squared differences of mean and second moments, averaged."""
    mean = (have.mean - want.mean).square().sum() / want.mean.square().sum().clamp_min(1e-12)
    gram = (have.gram - want.gram).square().sum() / want.gram.square().sum().clamp_min(1e-12)
    return 0.5 * (mean + gram)


def apart(found: Sequence[Tensor], weights: Tensor, wanted: Sequence[Moments]) -> Tensor:
    """How far (C, N) features of every layer are from what is wanted of each, averaged over the layers."""
    pairs = zip(found, wanted, strict=True)
    return torch.stack([difference(moments(x.T, weights), want) for x, want in pairs]).mean()
