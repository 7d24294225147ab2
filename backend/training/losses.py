"""Losses of the decoder's training, computed on the compact encoder's own taps."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from scumble.backend.nn.compact import TAPS


def raw_moments(features: Tensor, weight: Tensor | None = None) -> Tensor:
    """Second moments of (N, C, H, W) features with a constant 1 appended: (N, C+1, C+1).

    :param weight: (N, 1, H, W), how much each position counts.

    They hold mean and Gram matrix at once, and those of any affine image of the features.
    """
    flat = features.flatten(2)
    flat = torch.cat([flat, torch.ones_like(flat[:, :1])], 1)
    if weight is None:
        return flat @ flat.transpose(1, 2) / flat.shape[-1]
    w = weight.flatten(2)
    return (flat * w) @ flat.transpose(1, 2) / w.sum(-1, keepdim=True).clamp_min(1e-3)


class TeacherBasis:
    """Affine maps from the student's taps to the teacher's channels, fitted by least squares.

    With them mean and Gram matrix *in the teacher's basis* follow from the student's moments
    alone, so the style is judged with VGG's own weighting of channels at the student's cost.
    """

    def __init__(self, maps: Mapping[str, Tensor]) -> None:
        self.maps = {tap: m.float() for tap, m in maps.items()}

    def style_loss(
        self,
        output: Mapping[str, Tensor],
        style: Mapping[str, Tensor],
        weights: Mapping[str, Tensor] | None = None,
    ) -> Tensor:
        """Relative mean and Gram error summed over taps and averaged over the batch.

        :param output: features, {tap: (N, C, h, w)}.
        :param style: what :meth:`moments` made of the styles.
        :param weights: {tap: (N, 1, h, w)}, where the output is judged; everywhere by default.
        """
        return relative_moments(self.moments(output, weights), style)

    def moments(
        self, features: Mapping[str, Tensor], weights: Mapping[str, Tensor] | None = None
    ) -> dict[str, Tensor]:
        """:func:`raw_moments` of every tap, in the teacher's channels."""
        raw = {tap: raw_moments(features[tap], None if weights is None else weights[tap]) for tap in TAPS}
        return {tap: self.maps[tap] @ m @ self.maps[tap].T for tap, m in raw.items()}


def relative_moments(
    output: Mapping[str, Tensor], style: Mapping[str, Tensor], weights: Tensor | None = None
) -> Tensor:
    """Relative mean and Gram error, as the bench measures it, from :func:`raw_moments` of every tap.

    :param weights: (N,), what each picture counts; all alike by default.
    """
    errors = []
    for tap, wanted in style.items():
        for part in (slice(0, -1), slice(-1, None)):  # Gram block, then mean row
            a, b = output[tap][:, :-1, part], wanted[:, :-1, part]
            error = ((a - b) ** 2).sum((1, 2)) / (b**2).sum((1, 2))
            errors.append((error if weights is None else error * weights).mean())
    return torch.stack(errors).sum()


def fit_teacher_basis(
    student: list[dict[str, Tensor]], teacher: list[dict[str, Tensor]]
) -> dict[str, Tensor]:
    """(T+1, C+1) maps per tap with a last row that keeps the constant."""
    maps: dict[str, Tensor] = {}
    for tap in TAPS:
        xx: Tensor | None = None
        xy: Tensor | None = None
        for s, t in zip(student, teacher, strict=True):
            x = s[tap].permute(1, 0, 2, 3).flatten(1).double()
            x = torch.cat([x, torch.ones_like(x[:1])])
            y = t[tap].permute(1, 0, 2, 3).flatten(1).double()
            y = torch.cat([y, torch.ones_like(y[:1])])
            xx = x @ x.T if xx is None else xx + x @ x.T
            xy = x @ y.T if xy is None else xy + x @ y.T
        assert xx is not None and xy is not None
        ridge = 1e-4 * torch.trace(xx) / xx.shape[0] * torch.eye(xx.shape[0]).to(xx)
        maps[tap] = torch.linalg.solve(xx + ridge, xy).T.float().contiguous()
    return maps


def content_loss(
    output: Mapping[str, Tensor], target: Mapping[str, Tensor], taps: Mapping[str, float]
) -> Tensor:
    """Weighted squared error of standardised features, per tap."""
    total = output[TAPS[0]].new_zeros(())
    for tap, weight in taps.items():
        scale = target[tap].std((2, 3), keepdim=True).mean(1, keepdim=True).clamp_min(1e-3)
        total = total + weight * (((output[tap] - target[tap]) / scale) ** 2).mean()
    return total


def sliced_colour(output: Tensor, style: Tensor, directions: Tensor) -> Tensor:
    """Squared sliced Wasserstein distance between the pixels of two equally large batches.

    :param directions: (K, 3) unit vectors.
    """
    a = torch.einsum("kc,nchw->nkhw", directions, output).flatten(2).sort(-1).values
    b = torch.einsum("kc,nchw->nkhw", directions, style).flatten(2).sort(-1).values
    return F.mse_loss(a, b)


def total_variation(image: Tensor) -> Tensor:
    """Mean absolute difference of neighbours."""
    down = (image[..., 1:, :] - image[..., :-1, :]).abs().mean()
    return down + (image[..., 1:] - image[..., :-1]).abs().mean()
