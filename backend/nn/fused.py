"""Convolutions together with what follows them, in one pass over the memory where the library offers it.

A ReLU or a sum after a convolution reads and writes the whole result once more, which for narrow layers
takes a good part of the convolution's own time.  oneDNN can do both before a value leaves the processor's
registers; the results are the same to the bit.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F

_CL = torch.channels_last
_TYPES = (torch.float32, torch.bfloat16)


def _pointwise(x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int = 0) -> Tensor:
    sides = [[padding] * 2, [stride] * 2, [1, 1]]
    found: Tensor = torch.ops.mkldnn._convolution_pointwise(x, weight, bias, *sides, 1, "relu", [], "")
    return found


def _added(into: Tensor, x: Tensor, weight: Tensor) -> None:
    sides = [[0, 0], [1, 1], [1, 1]]
    torch.ops.mkldnn._convolution_pointwise_.binary(
        into, x, weight, None, *sides, 1, "add", 1.0, "relu", [], ""
    )


@lru_cache(maxsize=1)
def available() -> bool:
    """Whether this build of torch has the fused operators, and they do what is expected of them."""
    try:
        with torch.inference_mode():
            x = torch.linspace(-1, 1, 8 * 36).view(1, 8, 6, 6).contiguous(memory_format=_CL)
            weight = torch.linspace(-1, 1, 8 * 8 * 9).view(8, 8, 3, 3).contiguous(memory_format=_CL)
            wanted, found = F.conv2d(x, weight, x[0, :, 0, 0]), _pointwise(x, weight, x[0, :, 0, 0], 1)
            into = x.clone(memory_format=torch.preserve_format)
            _added(into, x, weight[..., :1, :1])
            sums = F.conv2d(x, weight[..., :1, :1]).add_(x)
            return torch.allclose(found, wanted.relu(), atol=1e-5) and torch.allclose(
                into, sums.relu(), atol=1e-5
            )
    except (AttributeError, RuntimeError):
        return False


def _usable(x: Tensor) -> bool:
    plain = x.device.type == "cpu" and x.dtype in _TYPES and not torch.is_grad_enabled()
    return plain and available()


def _refused(error: RuntimeError) -> bool:
    """Whether oneDNN could not set up an operation, which is how it says that it got no memory.

    It may go on saying so when there is memory again.
    """
    return "could not create a primitive" in str(error)


def conv2d(
    x: Tensor, weight: Tensor, bias: Tensor | None = None, stride: int = 1, padding: int = 0
) -> Tensor:
    """``F.conv2d`` with zeros as padding; in torch's own, slower way where the library refuses."""
    try:
        return F.conv2d(x, weight, bias, stride, padding)
    except RuntimeError as error:
        if not _refused(error):
            raise
    with torch.backends.mkldnn.flags(enabled=False):
        return F.conv2d(x, weight, bias, stride, padding)


def conv2d_relu(x: Tensor, weight: Tensor, bias: Tensor | None, stride: int = 1, padding: int = 0) -> Tensor:
    """``relu(conv2d(x, weight, bias, stride, padding))`` with zeros as padding."""
    if _usable(x):
        try:
            return _pointwise(x, weight, bias, stride, padding)
        except RuntimeError as error:
            if not _refused(error):
                raise
    return F.relu(conv2d(x, weight, bias, stride, padding), inplace=True)


def plus_rows_relu(into: Tensor, x: Tensor, weight: Tensor) -> Tensor:
    """``relu(into + conv2d(x, weight))`` for a 1x1 convolution.

    In ``into``'s own memory where nobody will ask for it again, which is without gradients.
    """
    if _usable(x) and into.is_contiguous(memory_format=_CL):
        try:
            _added(into, x, weight)
            return into
        except RuntimeError as error:
            if not _refused(error):
                raise
    y = conv2d(x, weight)
    if torch.is_grad_enabled():
        return F.relu(into + y)
    return into.add_(y).relu_()
