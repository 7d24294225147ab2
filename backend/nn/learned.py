"""The learned linear transform of Li et al. (2019) for the compact encoder's taps.

A small network looks at centred features, takes the covariance of what it sees and predicts a
matrix from it; the product of the style's and the content's matrix, between a compressing and an
unzipping 1x1 layer, replaces the closed form.  All of it folds into one affine map per tap.

Two things are ours: features are brought to unit scale first and the styles' scale is put back
after, so contrast need not be learned; and the product is added to the identity, because a product
of rank 24 alone would throw away most of the 128 channels' content.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .compact import TAP_WIDTHS, TAPS
from .moments import Moments
from .partial_conv import PartialConv2d
from .transport import Affine

#: Channels in which each tap's transform works; the published 32 would cost eight times the bytes.
RANKS = {"2_1": 16, "3_1": 16, "4_1": 24}


class MatrixNet(nn.Module):
    """Features -> two convolutions -> covariance -> fully connected -> (rank, rank)."""

    def __init__(self, channels: int, rank: int) -> None:
        super().__init__()
        self.rank = rank
        self.conv1 = PartialConv2d(channels, max(rank, channels // 2), padding="constant")
        self.conv2 = PartialConv2d(max(rank, channels // 2), rank, padding="constant")
        self.fc = nn.Linear(rank * rank, rank * rank)

    def look(self, centred: Tensor) -> Tensor:
        """(1, C, h, w) centred features to (rank, h, w)."""
        seen: Tensor = self.conv2(F.relu(self.conv1(centred)))[0]
        return seen

    def matrix(self, covariance: Tensor) -> Tensor:
        """(rank, rank) covariance of what was seen to the (rank, rank) factor."""
        predicted: Tensor = self.fc(covariance.flatten()).view(self.rank, self.rank)
        return predicted


class TapTransform(nn.Module):
    """The transform of one tap: T = S C between compress and unzip."""

    def __init__(self, channels: int, rank: int) -> None:
        super().__init__()
        self.cnet = MatrixNet(channels, rank)
        self.snet = MatrixNet(channels, rank)
        self.compress = nn.Linear(channels, rank)
        self.unzip = nn.Linear(rank, channels)
        nn.init.zeros_(self.unzip.weight)
        nn.init.zeros_(self.unzip.bias)

    def affine(
        self, content_factor: Tensor, style_factor: Tensor, content: Moments, style: Moments
    ) -> Affine:
        """Fold everything into ``y = A x + b``, differentiable."""
        inner = style_factor @ content_factor
        ratio = scale_of(style) / scale_of(content)
        eye = torch.eye(self.unzip.out_features, dtype=inner.dtype, device=inner.device)
        matrix = ratio * (eye + self.unzip.weight @ inner @ self.compress.weight)
        bias = self.unzip.weight @ (inner @ self.compress.bias) + self.unzip.bias
        offset = style.mean.to(matrix) + scale_of(style) * bias - matrix @ content.mean.to(matrix)
        return Affine(matrix, offset)


def scale_of(m: Moments) -> float:
    """Root mean variance of the channels."""
    return math.sqrt(float(torch.trace(m.covariance)) / m.covariance.shape[0]) + 1e-6


class CompactTransform(nn.Module):
    """One :class:`TapTransform` for each tap of the compact encoder."""

    def __init__(self) -> None:
        super().__init__()
        for tap in TAPS:
            self.add_module(tap, TapTransform(TAP_WIDTHS[tap], RANKS[tap]))

    def tap(self, name: str) -> TapTransform:
        """The transform of one tap."""
        module = self.get_submodule(name)
        assert isinstance(module, TapTransform)
        return module

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> CompactTransform:
        """Build from ``{"transform.4_1.compress.weight": ...}``; other keys are ignored."""
        net = cls()
        prefix = "transform."
        net.load_state_dict({k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)})
        return net.eval().requires_grad_(False)


class SeenCovariance:
    """Weighted covariance of what a :class:`MatrixNet` sees, gathered tile by tile."""

    def __init__(self, rank: int) -> None:
        self.total = torch.zeros(rank, rank)
        self.weight = 0.0

    def add(self, net: MatrixNet, features: Tensor, stats: Moments, weight: Tensor | None) -> None:
        """Take in a tile.

        :param features: (C, h, w).
        :param stats: the whole region's moments.
        :param weight: (h, w) or ``None``; centred features outside it are set to zero, so that
            the convolutions see only the region.
        """
        centred = (features - stats.mean.to(features)[:, None, None]) / scale_of(stats)
        if weight is not None:
            centred = centred * (weight > 0)
        seen = net.look(centred[None]).flatten(1)
        w = torch.ones_like(seen[0]) if weight is None else weight.flatten().to(seen)
        self.total = self.total.to(seen) + (seen * w) @ seen.T
        self.weight += float(w.sum())

    def result(self) -> Tensor:
        """(rank, rank)."""
        return self.total / max(self.weight, 1e-9)
