"""Partial convolution for masked style transfer (StyleTransferMasked, after Liu et al. 2018)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from . import half_precision, winograd
from .fused import conv2d, conv2d_relu

#: Channels that a processor's convolution makes at a time.
_LANES = 8
#: A factor is not one at fewer than one of so many positions, if these are touched one by one.
_FEW = 3
#: Numbers in a tensor from which a copy of it costs more than its border lines do.
_LARGE = 1 << 22


def expand_mask(mask: Tensor) -> Tensor:
    """Grow a (N, 1, H, W) mask by one pixel: a 3x3 maximum, soft values kept."""
    # Comparisons of shifted copies: for one channel several times as quick as a max-pool.
    padded = F.pad(mask, (1, 1, 1, 1), mode="replicate")
    rows = torch.maximum(torch.maximum(padded[..., :-2, :], padded[..., 1:-1, :]), padded[..., 2:, :])
    return torch.maximum(torch.maximum(rows[..., :-2], rows[..., 1:-1]), rows[..., 2:])


def _window_sums(mask: Tensor, size: int, stride: int) -> Tensor:
    """Sums of a mask's size x size windows, every ``stride`` positions.

    By adding shifted copies: exactly 0 where a window is empty, and for one channel several times as
    quick as a convolution with ones.
    """
    for axis in (-1, -2):
        count = (mask.shape[axis] - size) // stride + 1
        total = mask
        for i in range(size):
            picked = mask.narrow(axis, i, (count - 1) * stride + 1)
            picked = picked[..., ::stride] if axis == -1 else picked[..., ::stride, :]
            total = picked if i == 0 else total + picked
        mask = total
    return mask


@dataclass(frozen=True)
class Factor:
    """What features are multiplied by, position by position.

    :param values: (N or 1, 1, H, W).
    :param few: (n,) rows and columns where it is not one, and (n, 1) what it is there; ``None`` where they
        are many.  A mask is one at most of its positions, and only the others need touching.
    """

    values: Tensor
    few: tuple[Tensor, Tensor, Tensor] | None

    @classmethod
    def of(cls, values: Tensor) -> Factor:
        """With the few positions, where looking for them pays."""
        if values.shape[0] > 1 or values.device.type != "cpu":
            return cls(values, None)
        rows, columns = (values[0, 0] != 1).nonzero(as_tuple=True)
        few = _FEW * rows.numel() < values.numel()
        return cls(values, (rows, columns, values[0, 0, rows, columns, None]) if few else None)


@dataclass(frozen=True)
class Window:
    """What a mask does to one convolution; depends on nothing else, so it serves every picture.

    :param support: (N or 1, 1, H + 2r, W + 2r), what the padded input is multiplied by.
    :param scale: (N or 1, 1, h, w), what the result is multiplied by, or ``None``.  Where the window is
        empty it does not matter, and is one.
    :param grown: (N or 1, 1, h, w), the mask for the next layer.
    """

    support: Factor
    scale: Factor | None
    grown: Tensor

    @classmethod
    def of(
        cls,
        mask: Tensor,
        kernel: int,
        *,
        expand: bool = True,
        renormalize: bool = False,
        padding: str = "reflect",
        stride: int = 1,
    ) -> Window:
        """For the options of :func:`partial_conv2d` and a window of ``kernel`` positions."""
        radius = (kernel - 1) // 2
        mode = _border(padding, radius, mask)
        padded = _pad(mask, radius, mode)
        grown = _window_sums(padded, kernel, stride).clamp(0, 1)
        if not expand:
            support = padded
        elif mode == "constant":
            # With zeros outside, expansion must not make the border's ring look valid.
            support = _pad(expand_mask(mask), radius, mode)
        else:
            # The released code pads first and expands then, which differs from the other order in the
            # ring.
            support = expand_mask(padded)
        if not renormalize:
            return cls(Factor.of(support), None, grown)
        share = _window_sums(support, kernel, stride) / kernel**2
        scale = torch.where(share > 1e-6, 1.0 / share.clamp_min(1e-6), 1.0)
        return cls(Factor.of(support), Factor.of(scale), grown)


def partial_conv2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    mask: Tensor | Window | None,
    *,
    expand: bool = True,
    renormalize: bool = False,
    padding: str = "reflect",
    stride: int = 1,
    kernels: Tensor | None = None,
    relu: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Convolve only what lies under the mask: ``y = conv(x * m') + b``.

    ``m' = max3x3(m)`` with ``expand`` and ``m`` without.  The mask handed on is
    ``clamp(conv(m, ones), 0, 1)`` of the *unexpanded* mask, as in the released code, so it grows
    by the kernel's radius a layer.  Without a mask this is the plain convolution; with an all-ones
    mask the result equals the plain convolution exactly.

    :param x: (N, C, H, W) features.
    :param weight: (O, C, K, K).  With odd K and stride 1 the output keeps H and W; with K 4 and
        stride 2 it has half of both.
    :param bias: (O,) or ``None``.
    :param mask: (N or 1, 1, H, W) in [0, 1], or the :class:`Window` that was made of it with the same
        options, or ``None`` for the plain convolution.
    :param renormalize: divide by the share of the window that is valid (Liu et al. 2018, eq. 1),
        so that the answer near the mask's edge is not darkened by the zeros outside.
    :param padding: any mode of :func:`torch.nn.functional.pad`.
    :param stride: step of the window, in pixels.
    :param kernels: the weight as :func:`.winograd.transformed` gives it, for a layer that gains by it.
    :param relu: clip the features at zero, too.
    :returns: (features, mask for the next layer).
    """
    kernel = weight.shape[-1]
    mode = _border(padding, (kernel - 1) // 2, x)
    if isinstance(mask, Tensor):
        options = {"expand": expand, "renormalize": renormalize}
        mask = Window.of(mask, kernel, padding=padding, stride=stride, **options)
    y = _bordered_conv2d(x, weight, bias, mask, mode, stride, kernels, relu)
    return y, None if mask is None else mask.grown


def _border(padding: str, radius: int, x: Tensor) -> str:
    """A reflected border needs more pixels than the radius; a sliver repeats its edge instead."""
    return "replicate" if padding == "reflect" and min(x.shape[-2:]) <= radius else padding


def _pad(t: Tensor, radius: int, mode: str) -> Tensor:
    return F.pad(t, (radius,) * 4, mode=mode) if radius else t


def _conv2d(
    x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, relu: bool, padding: int = 0
) -> Tensor:
    if relu:
        return conv2d_relu(x, weight, bias, stride, padding)
    return conv2d(x, weight, bias, stride, padding)


def _bordered_conv2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    window: Window | None,
    mode: str,
    stride: int,
    kernels: Tensor | None,
    relu: bool,
) -> Tensor:
    """``conv(pad(x) * support) * scale + bias`` for a support that already has the border's ring.

    The library's padding is slow where channels come last: without gradients the tensor is copied,
    multiplied on the way, and its ring filled in.  A large one without a mask is convolved with zeros
    around it and no copy, and its border lines are made anew.
    """
    size, graded = weight.shape[-1], torch.is_grad_enabled()
    height, width = x.shape[-2:]
    fast = size == 3 and mode == "reflect" and min(height, width) >= 4 and not graded
    minimal = kernels if fast and x.shape[0] == stride == 1 else None
    if fast and window is None and minimal is None and stride == 1 and x.numel() >= _LARGE:
        y = _conv2d(x, weight, bias, 1, relu, padding=1)
        _make_border(y, x, weight, bias, relu)
        return y
    support = None if window is None else window.support
    if fast:
        rows, columns = (
            winograd.padded_size(height, width) if minimal is not None else (height + 2, width + 2)
        )
        padded = _ringed(x, support, rows, columns)
    else:
        padded = _pad(x, (size - 1) // 2, mode)
        padded = padded if support is None else padded * support.values.to(x.dtype)

    def convolved(bias: Tensor | None, relu: bool) -> Tensor:
        if minimal is not None:
            return winograd.convolved(padded, minimal, bias, height, width, relu=relu)
        return _conv2d(padded, weight, bias, stride, relu)

    if window is None or window.scale is None:
        return convolved(bias, relu)
    if window.scale.few is not None and not graded:
        y = convolved(bias, relu)
        _scale_few(y, padded, weight, bias, *window.scale.few, stride, relu)
        return y
    y, scale = convolved(None, False), window.scale.values.to(x.dtype)
    if graded or bias is None:
        y = y * scale
        y = y if bias is None else y + bias.view(1, -1, 1, 1)
    else:
        torch.addcmul(bias.view(1, -1, 1, 1), y, scale, out=y)
    return F.relu(y, inplace=True) if relu else y


def _scale_few(
    y: Tensor,
    padded: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    rows: Tensor,
    columns: Tensor,
    scale: Tensor,
    stride: int,
    relu: bool,
) -> None:
    """Make a convolution's results at a few places anew, multiplied by the scale before the bias is added.

    From what is convolved and not by taking the bias off again: where the scale is large there is little
    beside the bias, and nothing would be left of it in half precision.
    """
    step = torch.arange(weight.shape[-1])
    down, right = step.repeat_interleave(len(step)), step.repeat(len(step))
    windows = padded[0].movedim(0, -1)[rows[:, None] * stride + down, columns[:, None] * stride + right]
    found = F.linear(windows.flatten(1), weight.permute(0, 2, 3, 1).flatten(1)).float() * scale
    found = found if bias is None else found + bias
    y[0].movedim(0, -1)[rows, columns] = (found.clamp_min_(0) if relu else found).to(y.dtype)


def _make_border(y: Tensor, x: Tensor, weight: Tensor, bias: Tensor | None, relu: bool) -> None:
    """Write the border lines of a 3x3 convolution of ``reflected(x)``.

    :param y: (N, O, H, W), whose outermost rows and columns are overwritten.
    :param x: (N, C, H, W).
    """
    for across in (False, True):  # the first and last row, then columns
        if across:
            x, y, weight = (t.transpose(-1, -2) for t in (x, y, weight))
        count, channels, height, width = x.shape
        # Channels last: (N, the two lines, three lines each, W + 2, C).
        lines = x.new_empty(count, 2, 3, width + 2, channels)
        for end, (line, beside) in enumerate(((0, 1), (height - 1, height - 2))):
            lines[:, end, 1, 1:-1] = x[..., line, :].movedim(1, -1)
            lines[:, end, ::2, 1:-1] = x[..., beside, :].movedim(1, -1)[:, None]
        lines[..., 0, :], lines[..., -1, :] = lines[..., 2, :], lines[..., -3, :]
        strips = lines.flatten(0, 1).permute(0, 3, 1, 2)
        found = _conv2d(strips, weight.contiguous(memory_format=torch.channels_last), bias, 1, relu)
        y[..., :: height - 1, :] = found.squeeze(2).unflatten(0, (count, 2)).transpose(1, 2)


def _ringed(x: Tensor, support: Factor | None, rows: int, columns: int) -> Tensor:
    """``reflected(x) * support``, channels last in memory, and zeros after it up to a size.

    :param x: (N, C, H, W), both sides at least 4.
    :param support: (N or 1, 1, H + 2, W + 2) or ``None``.
    :returns: (N, C, rows, columns).
    """
    count, channels, height, width = x.shape
    padded = x.new_empty(count, rows, columns, channels).permute(0, 3, 1, 2)
    inner = padded[..., 1 : height + 1, 1 : width + 1]
    few = None if support is None else support.few
    factor = None if support is None or few is not None else support.values.to(x.dtype)
    if factor is None:
        inner.copy_(x)
    else:
        torch.mul(x, factor[..., 1:-1, 1:-1], out=inner)
    # The ring is reflected before the mask is laid on it, as everywhere; both sides at once.
    down, right = slice(0, height + 2, height + 1), slice(0, width + 2, width + 1)
    from_rows, from_columns = slice(1, height - 1, height - 3), slice(1, width - 1, width - 3)
    whole, across = slice(1, height + 1), slice(1, width + 1)
    ring = (
        (down, across, from_rows, slice(None)),
        (whole, right, slice(None), from_columns),
        (down, right, from_rows, from_columns),
    )
    for y, x_, own_y, own_x in ring:
        line = x[..., own_y, own_x]
        padded[..., y, x_] = line if factor is None else line * factor[..., y, x_]
    if few is not None:
        image, at = padded[0].movedim(0, -1), few[:2]
        image[at] = image[at] * few[2].to(x.dtype)
    if rows > height + 2:
        padded[..., height + 2 :, :] = 0
    if columns > width + 2:
        padded[..., width + 2 :] = 0
    return padded


def _halved(weight: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """In bfloat16."""
    return weight.bfloat16(), None if bias is None else bias.bfloat16()


class PartialConv2d(nn.Conv2d):
    """A convolution that can be asked to respect a mask.

    A plain ``nn.Conv2d`` in weights and keys; the mask is an argument, never state, so a call
    without one cannot be haunted by an earlier call's.
    """

    _kernels: Tensor | None = None
    _wider: tuple[Tensor, Tensor] | None = None
    _half: tuple[Tensor, Tensor | None] | None = None

    def freeze(self) -> None:
        """Get ready for many calls with weights that will not change any more."""
        self.requires_grad_(False)
        self._kernels = winograd.transformed(self.weight) if winograd.pays(self.weight) else None
        spare = -self.out_channels % _LANES
        if spare and self.weight.device.type == "cpu" and self.bias is not None:
            # A convolution to 12 channels takes a third longer than one to 16.
            weight = F.pad(self.weight, (0, 0) * 3 + (0, spare))
            self._wider = weight.to(memory_format=torch.channels_last), F.pad(self.bias, (0, spare))
        if half_precision.available():
            self._half = _halved(*(self._wider or (self.weight, self.bias)))

    def __init__(
        self, cin: int, cout: int, kernel: int = 3, *, padding: str = "reflect", stride: int = 1
    ) -> None:
        super().__init__(cin, cout, kernel, stride)
        self.border = padding

    def window(self, mask: Tensor, *, expand: bool = True, renormalize: bool = False) -> Window:
        """What the mask does to this layer's input."""
        options = {"expand": expand, "renormalize": renormalize}
        return Window.of(mask, self.kernel_size[0], padding=self.border, stride=self.stride[0], **options)

    def masked(
        self,
        x: Tensor,
        mask: Tensor | Window | None,
        *,
        expand: bool = True,
        renormalize: bool = False,
        relu: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """See :func:`partial_conv2d`."""
        weight, bias = self._wider or (self.weight, self.bias)
        half = x.dtype == torch.bfloat16
        if half:
            weight, bias = self._half or _halved(weight, bias)
        features, grown = partial_conv2d(
            x,
            weight,
            bias,
            mask,
            expand=expand,
            renormalize=renormalize,
            padding=self.border,
            stride=self.stride[0],
            kernels=None if half else self._kernels,
            relu=relu,
        )
        return features[:, : self.out_channels], grown

    def forward(self, x: Tensor) -> Tensor:
        return self.masked(x, None)[0]


def freeze(net: nn.Module) -> None:
    """:meth:`PartialConv2d.freeze` for every such layer of a network."""
    for layer in net.modules():
        if isinstance(layer, PartialConv2d):
            layer.freeze()
