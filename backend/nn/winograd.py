"""3x3 convolutions with a quarter of the multiplications, for wide layers on a CPU.

Winograd's minimal filtering F(4x4, 3x3) (Lavin and Gray 2016): a tile of 6x6 inputs and the kernel are
taken to a space in which convolving is multiplying, 36 products for 16 results instead of 144.  Getting
there and back costs additions and memory, so it pays only where there are many channels.  Everything is
done by matrix products on a few rows of tiles at a time, which stay in the processor's cache.
"""

from __future__ import annotations

from functools import lru_cache, partial

import torch
from torch import Tensor

from . import team

#: Channels in and out from which it is quicker than the library's convolution, and their product.
LEAST_CHANNELS, LEAST_PRODUCT = 64, 64 * 128
#: Sides of a tile's result and of what it is computed from.
_OUT, _IN = 4, 6
#: About how many tiles at a time: enough to be worth the calls, few enough for a core's cache.
_AT_ONCE = 192

# Evaluation at 0, 1, -1, 2, -2 and infinity (Lavin and Gray 2016, section 4.3).
_INPUT = (
    (4.0, 0.0, -5.0, 0.0, 1.0, 0.0),
    (0.0, -4.0, -4.0, 1.0, 1.0, 0.0),
    (0.0, 4.0, -4.0, -1.0, 1.0, 0.0),
    (0.0, -2.0, -1.0, 2.0, 1.0, 0.0),
    (0.0, 2.0, -1.0, -2.0, 1.0, 0.0),
    (0.0, 4.0, 0.0, -5.0, 0.0, 1.0),
)
_KERNEL = (
    (1 / 4, 0.0, 0.0),
    (-1 / 6, -1 / 6, -1 / 6),
    (-1 / 6, 1 / 6, -1 / 6),
    (1 / 24, 1 / 12, 1 / 6),
    (1 / 24, -1 / 12, 1 / 6),
    (0.0, 0.0, 1.0),
)
_OUTPUT = (
    (1.0, 1.0, 1.0, 1.0, 1.0, 0.0),
    (0.0, 1.0, -1.0, 2.0, -2.0, 0.0),
    (0.0, 1.0, 1.0, 4.0, 4.0, 0.0),
    (0.0, 1.0, -1.0, 8.0, -8.0, 1.0),
)
#: Where a constant in the transformed space is the same constant in every result of the tile.
_CONSTANT = 1 * _IN + 1


@lru_cache(maxsize=8)
def _matrices(dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    return torch.tensor(_INPUT, dtype=dtype), torch.tensor(_OUTPUT, dtype=dtype)


def pays(weight: Tensor) -> bool:
    """Whether a layer's kernel is of a kind that gains by it."""
    cout, cin = weight.shape[:2]
    wide = min(cout, cin) >= LEAST_CHANNELS and cout * cin >= LEAST_PRODUCT
    return wide and tuple(weight.shape[2:]) == (3, 3) and weight.device.type == "cpu"


def transformed(weight: Tensor) -> Tensor:
    """(O, C, 3, 3) kernels in the space where convolving is multiplying: (36, C, O)."""
    kernel = torch.tensor(_KERNEL, dtype=torch.float64)
    # The first of the 36's two factors is the column, as in the tiles.
    found = torch.einsum("ai,ocij,bj->baco", kernel, weight.double(), kernel)
    return found.reshape(_IN * _IN, weight.shape[1], weight.shape[0]).to(weight.dtype).contiguous()


def padded_size(height: int, width: int) -> tuple[int, int]:
    """Rows and columns of the input that whole tiles need for (height, width) results."""
    return -(-height // _OUT) * _OUT + 2, -(-width // _OUT) * _OUT + 2


def convolved(
    padded: Tensor, kernels: Tensor, bias: Tensor | None, height: int, width: int, *, relu: bool = False
) -> Tensor:
    """A convolution's results.

    :param padded: (1, C, H', W') of :func:`padded_size`, channels last in memory: the input with a ring
        of one around it, and zeros from there to the end.
    :param kernels: (36, C, O), from :func:`transformed`.
    :param bias: (O,) or ``None``.
    :param relu: clip the results at zero, too, while they are in the cache.
    :returns: (1, O, height, width), channels last; differs from the plain sum by rounding, about 1e-5 of
        the largest value.
    """
    down, across = (padded.shape[-2] - 2) // _OUT, (padded.shape[-1] - 2) // _OUT
    result = padded.new_empty((down, _OUT, across, _OUT, kernels.shape[2]))
    # Every thread takes a band of its own: its rows of tiles then stay in its own core's cache.
    bands = team.shares(down, team.size())
    team.together([partial(_band, padded, kernels, bias, relu, result, *band) for band in bands])
    image = result.view(1, down * _OUT, across * _OUT, -1).permute(0, 3, 1, 2)
    return image[..., :height, :width]


def _band(
    padded: Tensor, kernels: Tensor, bias: Tensor | None, relu: bool, result: Tensor, first: int, end: int
) -> None:
    """Some rows of tiles of :func:`convolved`."""
    rows = padded.permute(0, 2, 3, 1)[0]
    channels, found = kernels.shape[1:]
    across = result.shape[2]
    into, outof = _matrices(padded.dtype)
    line = rows.shape[1] * channels
    # In equal pieces: a small rest would cost as many calls as a whole one.
    down = end - first
    step = -(-down // max(1, round(down * across / _AT_ONCE)))
    for top in range(first, end, step):
        count = min(step, end - top)
        start = rows.storage_offset() + top * _OUT * line
        # Overlapping windows, first of rows and then of columns, without copying the rows.
        strips = torch.as_strided(rows, (count, _IN, line), (_OUT * line, line, 1), start)
        strips = torch.matmul(into, strips)
        window = (_IN, _IN, count, across, channels)
        tiles = torch.as_strided(strips, window, (channels, line, _IN * line, _OUT * channels, 1))
        tiles = (into @ tiles.reshape(_IN, -1)).view(_IN * _IN, count * across, channels)
        products = torch.bmm(tiles, kernels)
        if bias is not None:
            products[_CONSTANT] += bias
        columns = outof @ products.view(_IN, -1)
        both = torch.matmul(outof, columns.view(_OUT, _IN, -1))
        if relu:
            both.relu_()
        # (column, row, tile down, tile across, channel)
        result[top : top + count] = both.view(_OUT, _OUT, count, across, found).permute(2, 1, 3, 0, 4)
