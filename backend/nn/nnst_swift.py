"""Hypercolumns on the way to a gradient, layer by layer, and what a step of descending compares them with.

What the network's own convolutions take is only a third of a step done by the book: the rest is padding,
pooling, resizing, and copies between layouts.  Here the way forth and back is written out for networks whose
weights stay as they are, features stay channels first (C, N), and cosines come with their gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.grad import conv2d_input

from .nnst_features import CELL, Hypercolumns, padded

#: Norms are not taken for smaller than this.
LEAST_NORM = 1e-8


def layers_of(
    net: Hypercolumns, image: Tensor, tick: Callable[[], None] = lambda: None
) -> tuple[Tensor, ...]:
    """What :class:`Hypercolumns` gives, one (channels, cells) tensor a layer; differentiable in the image.

    :param image: (3, H, W), RGB in [0, 1].
    :param tick: called before each layer, forth and back; may raise to stop the work.
    """
    x = (padded(image)[None] - net.shift) / net.spread
    found: tuple[Tensor, ...] = _Layers.apply(x, net, tick)
    return found


class _Layers(torch.autograd.Function):
    """(1, 3, H, W) -> every layer's scaled outputs at the cells, (C, N) each."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, net: Hypercolumns, tick: Callable[[], None]) -> tuple[Tensor, ...]:
        ctx.net, ctx.tick = net, tick
        outputs, pooled, found, level = [], {}, [], 0
        size = x.shape[-2] // CELL, x.shape[-1] // CELL
        for i, one in enumerate(net.layers):
            if one.level > level:
                pooled[i], level = x, one.level
                x = _largest(x)
            tick()
            conv = net.convs[one.name]
            x = F.conv2d(F.pad(x, (1, 1, 1, 1), mode=_mode(x)), conv.weight, conv.bias).relu_()  # type: ignore[arg-type]
            outputs.append(x)
            found.append((_at_cells(x, one.level, size) * one.scale)[0].flatten(1))
        ctx.save_for_backward(*outputs)
        ctx.pooled = tuple(pooled)
        return tuple(found)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, None, None]:
        net, outputs = ctx.net, ctx.saved_tensors
        gradient: Tensor | None = None
        for i in range(len(net.layers) - 1, -1, -1):
            ctx.tick()
            one, out, own = net.layers[i], outputs[i], gradients[i]
            if gradient is None:
                gradient = torch.zeros_like(out)
            if own is not None:
                _add_from_cells(gradient, own * one.scale, one.level)
            gradient *= out > 0
            height, width = out.shape[-2:]
            weight = net.convs[one.name].weight
            grown = conv2d_input((1, one.cin, height + 2, width + 2), weight, gradient)
            gradient = _unpadded(grown)
            if i in ctx.pooled:
                gradient = _from_largest(gradient, outputs[i - 1])
        return gradient, None, None


def _mode(x: Tensor) -> str:
    return "reflect" if min(x.shape[-2:]) > 1 else "replicate"


def _unpadded(grown: Tensor) -> Tensor:
    """The gradient of what was padded by one, from that of the padded."""
    to = 1 if min(grown.shape[-2:]) == 3 else 2  # replicated, or mirrored
    grown[..., to, :] += grown[..., 0, :]
    grown[..., -1 - to, :] += grown[..., -1, :]
    grown[..., to] += grown[..., 0]
    grown[..., -1 - to] += grown[..., -1]
    return grown[..., 1:-1, 1:-1].contiguous()


def _quarters(x: Tensor) -> list[Tensor]:
    return [x[..., i::2, j::2] for i in (0, 1) for j in (0, 1)]


def _largest(x: Tensor) -> Tensor:
    """2x2 max-pooling; on a CPU some seven times quicker than the library's."""
    a, b, c, d = _quarters(x)
    return torch.maximum(torch.maximum(a, b), torch.maximum(c, d))


def _from_largest(gradient: Tensor, x: Tensor) -> Tensor:
    """The gradient before pooling: it goes to the first of the largest."""
    found = torch.empty_like(x)
    top, left = _largest(x), gradient.clone()
    for own, to in zip(_quarters(x), _quarters(found), strict=True):
        part = left * (own == top)
        to.copy_(part)
        left -= part
    return found


def _middle(x: Tensor, level: int) -> list[Tensor]:
    """Views of the pixels whose mean a cell sees: the middle four, as bilinear resizing has it."""
    block = CELL >> level
    low = block // 2 - 1
    return [x[..., low + i :: block, low + j :: block] for i in (0, 1) for j in (0, 1)]


def _at_cells(x: Tensor, level: int, size: tuple[int, int]) -> Tensor:
    if CELL >> level == 1:
        return x
    if CELL >> level > 1:
        a, b, c, d = _middle(x, level)
        return (a + b + c + d) * 0.25
    return F.interpolate(x, size=size, mode="bilinear", align_corners=False)


def _add_from_cells(gradient: Tensor, own: Tensor, level: int) -> None:
    """Add to a layer's gradient what comes from its (C, N) features at the cells."""
    height, width = gradient.shape[-2:]
    if CELL >> level >= 1:
        block = CELL >> level
        own = own.view(1, own.shape[0], height // block, width // block)
        if block == 1:
            gradient += own
            return
        own = own * 0.25
        for view in _middle(gradient, level):
            view += own
        return
    times = (1 << level) // CELL
    with torch.enable_grad():
        start = torch.zeros_like(gradient).requires_grad_()
        grown = F.interpolate(
            start, size=(height * times, width * times), mode="bilinear", align_corners=False
        )
    gradient += torch.autograd.grad(grown, start, own.view_as(grown))[0]


def unit(rows: Sequence[Tensor], groups: Sequence[Sequence[int]]) -> list[Tensor]:
    """(C, N) features of each layer, of unit length over the layers of each group."""
    found = list(rows)
    for group in groups:
        norm = _norm([rows[i] for i in group])
        for i in group:
            found[i] = rows[i] / norm
    return found


def _norm(parts: Sequence[Tensor]) -> Tensor:
    total = parts[0].square().sum(0)
    for x in parts[1:]:
        total += x.square().sum(0)
    return total.sqrt_().clamp_min_(LEAST_NORM)


def cosine_distance(
    found: Sequence[Tensor], wanted: Sequence[Tensor], weight: Tensor, groups: Sequence[Sequence[int]]
) -> Tensor:
    """Sum over the cells of weight x (1 - cosine), averaged over groups of layers.

    :param found: (C, N) of each layer; the result is differentiable in these alone.
    :param wanted: the same, of unit length over each group, see :func:`unit`.
    :param weight: (N,).
    :param groups: which layers are compared together.
    """
    distance: Tensor = _Distance.apply(wanted, weight, groups, *found)
    return distance


class _Distance(torch.autograd.Function):
    """See :func:`cosine_distance`."""

    @staticmethod
    def forward(
        ctx: Any, wanted: Sequence[Tensor], weight: Tensor, groups: Sequence[Sequence[int]], *found: Tensor
    ) -> Tensor:
        total = weight.new_zeros(())
        gradients: list[Tensor] = [x.new_empty(0) for x in found]
        weight = weight / len(groups)
        for group in groups:
            norm = _norm([found[i] for i in group])
            dot = torch.stack([(found[i] * wanted[i]).sum(0) for i in group]).sum(0)
            cosine = dot / norm
            total = total + (1 - cosine) @ weight
            pull = weight / norm
            keep = pull * cosine / norm
            for i in group:
                gradients[i] = (found[i] * keep).addcmul_(wanted[i], pull, value=-1)
        ctx.save_for_backward(*gradients)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        return (None, None, None, *(g * gradient for g in ctx.saved_tensors))
