"""Weighted first and second moments of features: masked statistics without hard thresholds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import torch
from torch import Tensor
from torch.nn import functional as F

#: Positions of one tile beyond which statistics are taken on a regular grid of about that many:
#: neighbours at full size are nearly copies of each other.
ENOUGH = 1 << 14


@dataclass(frozen=True)
class Moments:
    """Mean and covariance of a set of C-dimensional features.

    :param mean: (C,), float64.
    :param covariance: (C, C), float64, symmetric positive semi-definite.
    :param count: effective number of positions, ``(sum w)^2 / sum w^2`` (Kish).
    """

    mean: Tensor
    covariance: Tensor
    count: float


class MomentSums:
    """Running sums, so that statistics of a large region can be gathered tile by tile.

    Sums are kept around a shift taken from the first batch: raw second moments of features with a
    large mean would lose their small variances to cancellation.
    """

    def __init__(self) -> None:
        self._shift: Tensor | None = None
        self._weight = self._weight_sq = 0.0
        self._first: Tensor | None = None
        self._second: Tensor | None = None

    def add(self, features: Tensor, weight: Tensor | None = None) -> None:
        """Take in features of one tile.

        :param features: (C, H, W).
        :param weight: (H, W), non-negative; positions with weight 0 are not looked at.
        """
        if weight is not None and _ones(weight):
            weight = None
        # Positions as rows: for channels-last features a view, and a mask selects whole rows.
        count = features.shape[-2] * features.shape[-1] if weight is None else int((weight > 0).sum())
        step = max(1, math.isqrt(count // ENOUGH))
        if step > 1:
            features = features[:, ::step, ::step]
            weight = None if weight is None else weight[::step, ::step]
        flat = features.movedim(0, -1).reshape(-1, features.shape[0])
        w: Tensor | None = None
        if weight is not None:
            w = weight.reshape(-1).to(flat.dtype)
            inside = w > 0
            if not bool(inside.all()):
                rows = inside.nonzero()[:, 0]
                flat, w = flat.index_select(0, rows), w.index_select(0, rows)
            if bool((w == 1).all()):
                w = None
        if flat.shape[0] == 0:
            return
        if self._shift is None:
            self._shift = flat.mean(0) if w is None else (w @ flat) / w.sum()
        centred = flat - self._shift
        weighted = centred if w is None else centred * w[:, None]
        first = weighted.sum(0).double()
        second = (weighted.T @ centred).double()
        self._first = first if self._first is None else self._first + first
        self._second = second if self._second is None else self._second + second
        self._weight += float(flat.shape[0] if w is None else w.double().sum())
        self._weight_sq += float(flat.shape[0] if w is None else (w.double() ** 2).sum())

    @property
    def empty(self) -> bool:
        """Whether nothing with a positive weight was added."""
        return self._weight <= 0

    def moments(self) -> Moments:
        """The moments of all that was added; raises ``ValueError`` if that is nothing."""
        if self._shift is None or self._first is None or self._second is None:
            raise ValueError("no positions under the mask")
        offset = self._first / self._weight
        covariance = self._second / self._weight - torch.outer(offset, offset)
        covariance = (covariance + covariance.T) / 2
        return Moments(self._shift.double() + offset, covariance, self._weight**2 / self._weight_sq)


def _ones(weight: Tensor) -> bool:
    low, high = torch.aminmax(weight)
    return float(low) == float(high) == 1


def moments(features: Tensor, weight: Tensor | None = None) -> Moments:
    """Moments of (C, H, W) features under an optional (H, W) weight."""
    sums = MomentSums()
    sums.add(features, weight)
    return sums.moments()


def mixed(parts: Sequence[tuple[Moments, float]]) -> Moments:
    """Moments of a blend of styles: means and covariances interpolated by weight.

    Interpolated rather than pooled: pooling adds the spread *between* the styles' means, which
    shows as garish contrast in the picture.
    """
    total = sum(w for _, w in parts)
    mean = torch.stack([m.mean * (w / total) for m, w in parts]).sum(0)
    covariance = torch.stack([m.covariance * (w / total) for m, w in parts]).sum(0)
    return Moments(mean, covariance, min(m.count for m, _ in parts))


def weights_at(mask: Tensor, size: tuple[int, int]) -> Tensor:
    """A soft (H, W) mask area-averaged to a feature map's size.

    The weight of a position is the share of its footprint that was drawn, so statistics follow
    the drawn mask and not the support that convolution has grown.
    """
    return area_averaged(mask[None, None], size)[0, 0]


def area_averaged(mask: Tensor, size: tuple[int, int]) -> Tensor:
    """A (N, 1, H, W) mask averaged over the areas that each of ``size``'s positions covers."""
    height, width = mask.shape[-2:]
    whole = mask.shape[0] == 1 and height % size[0] == 0 and width % size[1] == 0
    if whole and mask.device.type == "cpu" and not torch.is_grad_enabled():
        # The same means, in a small part of the time.
        small = cv2.resize(mask[0, 0].numpy(), (size[1], size[0]), interpolation=cv2.INTER_AREA)
        return torch.from_numpy(small)[None, None]
    return F.adaptive_avg_pool2d(mask, size)
