"""bfloat16 for the networks' wide layers, on processors that multiply it twice as fast.

Half the bits are also half the memory to move.  What is rounded is features, by 0.4 % at most each and up or
down by chance; sums are in single precision within a layer.  Where a picture's own pixels are made, and
where statistics are taken, everything is in single precision; so are gradients, but for those that last
strokes follow.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from .fused import conv2d_relu

_CL = torch.channels_last


@lru_cache(maxsize=1)
def available() -> bool:
    """Whether this processor has instructions for it, and this build of torch makes use of them."""
    known = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    if known is None or not known() or not torch.backends.mkldnn.is_available():
        return False
    try:
        with torch.inference_mode():
            x = torch.linspace(-1, 1, 16 * 64).view(1, 16, 8, 8).contiguous(memory_format=_CL)
            weight = torch.linspace(-1, 1, 16 * 16 * 9).view(16, 16, 3, 3).contiguous(memory_format=_CL)
            wanted = conv2d_relu(x, weight, None)
            found = conv2d_relu(x.bfloat16(), weight.bfloat16(), None)
            return torch.allclose(found.float(), wanted, rtol=0.02, atol=0.02 * float(wanted.amax()))
    except (AttributeError, RuntimeError):
        return False


def lowered(x: Tensor) -> Tensor:
    """The features in bfloat16, where that is quicker and no gradients are asked for; else as they are."""
    if x.dtype != torch.float32 or x.device.type != "cpu" or torch.is_grad_enabled() or not available():
        return x
    return x.bfloat16()
