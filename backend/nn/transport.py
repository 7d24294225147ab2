"""Closed-form style transform: optimal transport between the Gaussians of content and style."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from .fused import conv2d, conv2d_relu
from .moments import Moments

#: Largest factor by which any direction of the features is stretched.  A smooth region under a rough
#: style would otherwise have its noise blown up into embossed grain; texture is borrowed instead.
MAX_GAIN = 4.0
#: Shrinkage of a covariance towards its mean variance, as a share of that variance.
SHRINKAGE = 1e-3


@dataclass(frozen=True)
class Affine:
    """``y = matrix @ x + offset`` on the channel axis; float64."""

    matrix: Tensor
    offset: Tensor

    def apply(self, features: Tensor, *, relu: bool = False) -> Tensor:
        """Map (..., C, H, W) features, in their own precision, and clip them at zero if asked for.

        As a 1x1 convolution: for narrow matrices the library's are quicker than its products.
        """
        if features.dim() == 4:
            weight, bias = self.matrix.to(features)[..., None, None], self.offset.to(features)
            return conv2d_relu(features, weight, bias) if relu else conv2d(features, weight, bias)
        moved = F.linear(features.movedim(-3, -1), self.matrix.to(features), self.offset.to(features))
        moved = moved.movedim(-1, -3)
        return F.relu(moved) if relu else moved

    def seen_in(self, basis: Tensor, mean: Tensor) -> Affine:
        """The same map's results as their coordinates from ``mean`` along the (D, C) basis."""
        axes = basis.to(self.matrix)
        return Affine(axes @ self.matrix, axes @ (self.offset - mean.to(self.offset)))

    def scaled(self, share: float) -> Affine:
        """The same map with what comes out multiplied by ``share``."""
        return self if share == 1.0 else Affine(share * self.matrix, share * self.offset)

    def softened(self, gain: float, mean: Tensor) -> Affine:
        """The same map with deviations from ``mean`` multiplied by ``gain`` afterwards."""
        return Affine(gain * self.matrix, gain * self.offset + (1.0 - gain) * mean.to(self.offset))


def shrunk(m: Moments) -> Tensor:
    """The covariance pulled towards a multiple of the identity, the more the fewer positions.

    A region of n positions cannot tell C x C numbers apart when n is below C: its sample
    covariance is singular and its inverse root would blow noise up.  The pull C / (C + 4 n) is 1 %
    at n = 25 C and a half where n = C / 4.
    """
    size = m.covariance.shape[0]
    variance = torch.trace(m.covariance) / size
    eye = torch.eye(size, dtype=m.covariance.dtype, device=m.covariance.device)
    share = size / (size + 4.0 * m.count)
    pull = (1 - share) * m.covariance + share * variance * eye
    return pull + (SHRINKAGE * variance + 1e-10) * eye


def transport(content: Moments, style: Moments) -> Affine:
    """The Monge-Kantorovich map that takes content's Gaussian to style's.

    ``A = C^-1/2 (C^1/2 S C^1/2)^1/2 C^-1/2`` with shrunk covariances C and S: of all affine maps
    with the right first two moments it moves the features least (Olkin and Pukelsheim 1982), so
    the content's structure stays.  Its stretches are softly limited to :data:`MAX_GAIN`.

    Computed with a triangular factor in place of the root: with ``C = L L^T`` the same map is
    ``L^-T (L^T S L)^1/2 L^-1``, being symmetric, positive and taking C to S.  Factors cost a tenth of
    what eigenvectors do.
    """
    c, s = shrunk(content), shrunk(style)
    lower = torch.linalg.cholesky(c)
    values, vectors = torch.linalg.eigh(lower.T @ s @ lower)
    # L^-T V D^1/4, whose product with its transpose is the map.
    half = torch.linalg.solve_triangular(lower.T, vectors * values.clamp_min(1e-24).pow(0.25), upper=True)
    matrix = half @ half.T
    # What is taken off the large stretches need not be known to more digits than the features have.
    gains, axes = torch.linalg.eigh(matrix.float())
    spare = MAX_GAIN - 1.0
    excess = torch.where(gains > 1.0, gains - 1.0 - spare * torch.tanh((gains - 1.0) / spare), 0.0)
    matrix = matrix - ((axes * excess) @ axes.T).to(matrix)
    return Affine(matrix, style.mean - matrix @ content.mean)
