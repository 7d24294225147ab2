"""Partial convolution for masked style transfer (StyleTransferMasked, after Liu et al. 2018)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def expand_mask(mask: Tensor) -> Tensor:
    """Grow a (N, 1, H, W) mask by one pixel: a 3x3 maximum, soft values kept."""
    return F.max_pool2d(mask, 3, stride=1, padding=1)


def partial_conv2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    mask: Tensor | None,
    *,
    expand: bool = True,
    renormalize: bool = False,
    padding: str = "reflect",
) -> tuple[Tensor, Tensor | None]:
    """Convolve only what lies under the mask: ``y = conv(x * m') + b``.

    ``m' = max3x3(m)`` with ``expand`` and ``m`` without.  The mask handed on is
    ``clamp(conv(m, ones), 0, 1)`` of the *unexpanded* mask, as in the released code, so it grows
    by the kernel's radius a layer.  Without a mask this is the plain convolution; with an all-ones
    mask the result equals the plain convolution exactly.

    :param x: (N, C, H, W) features.
    :param weight: (O, C, K, K), odd K; the output keeps H and W.
    :param bias: (O,) or ``None``.
    :param mask: (N or 1, 1, H, W) in [0, 1], or ``None`` for the plain convolution.
    :param renormalize: divide by the share of the window that is valid (Liu et al. 2018, eq. 1),
        so that the answer near the mask's edge is not darkened by the zeros outside.
    :param padding: any mode of :func:`torch.nn.functional.pad`.
    :returns: (features, mask for the next layer).
    """
    radius = weight.shape[-1] // 2
    pads = (radius,) * 4

    def pad(t: Tensor) -> Tensor:
        if not radius:
            return t
        # A reflected border needs more pixels than the radius; a sliver repeats its edge instead.
        mode = "replicate" if padding == "reflect" and min(t.shape[-2:]) <= radius else padding
        return F.pad(t, pads, mode=mode)

    if mask is None:
        return F.conv2d(pad(x), weight, bias), None
    ones = torch.ones(1, 1, *weight.shape[-2:], dtype=x.dtype, device=x.device)
    padded = pad(mask)
    grown = F.conv2d(padded, ones).clamp(0, 1)
    if expand:
        # The released code pads first and expands then, which differs from the other order in the
        # border's ring; with zeros outside, expansion must not make that ring look valid.
        support = pad(expand_mask(mask)) if padding == "constant" else expand_mask(padded)
    else:
        support = padded
    if not renormalize:
        return F.conv2d(pad(x) * support, weight, bias), grown
    y = F.conv2d(pad(x) * support, weight)
    share = F.conv2d(support, ones) / ones.numel()
    y = y / share.clamp_min(1e-6) * (share > 1e-6)
    if bias is not None:
        y = y + bias.view(1, -1, 1, 1)
    return y, grown


class PartialConv2d(nn.Conv2d):
    """A convolution that keeps its size and can be asked to respect a mask.

    A plain ``nn.Conv2d`` in weights and keys; the mask is an argument, never state, so a call
    without one cannot be haunted by an earlier call's.
    """

    def __init__(self, cin: int, cout: int, kernel: int = 3, *, padding: str = "reflect") -> None:
        super().__init__(cin, cout, kernel)
        self.border = padding

    def masked(
        self, x: Tensor, mask: Tensor | None, *, expand: bool = True, renormalize: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        """See :func:`partial_conv2d`."""
        return partial_conv2d(
            x,
            self.weight,
            self.bias,
            mask,
            expand=expand,
            renormalize=renormalize,
            padding=self.border,
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.masked(x, None)[0]
