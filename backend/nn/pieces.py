"""Pieces of the painting for smooth areas: what the content leaves open, the painting's own strokes fill.

Cells of a smooth area all ask for the same.  Each for itself they find places of no connection, and a
fine weave in step with the grid comes of it instead of strokes.  So likeness is worth little there, and
blocks of cells are matched with blocks of the painting first.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F

#: What likeness is worth in perfectly smooth areas, beside one where there is something to be like.
FLAT = 0.2
#: Cells a side of a block, and how far apart the places are that a block may begin at in the painting.
BLOCK, STRIDE = 8, 2
#: Of the directions in which features are matched, the strongest, which say how distinct a place is.
TOLD_BY = 8
#: The most that chance adds to the cosines of a smooth block, so that another seed lays other pieces.
CHANCE = 0.1


@dataclass(frozen=True)
class Blocks:
    """What of a painting is asked for when blocks are matched; made once for every painting.

    :param usual: how far its places are from those around them, on average.
    :param keys: (M, C), unit vectors, the mean features of blocks; M may be zero.
    :param grid: (h, w) of them, :data:`STRIDE` cells apart.
    """

    usual: float
    keys: Tensor
    grid: tuple[int, int]

    @classmethod
    def of(cls, keys: Tensor, grid: tuple[int, int]) -> Blocks:
        """From a painting's (C, h*w) keys, centred; directions in rising order of strength."""
        usual = float(_from_around(keys, grid).mean())
        if min(grid) < BLOCK:
            return cls(usual, keys.new_zeros(0, keys.shape[0]), (0, 0))
        means = F.avg_pool2d(keys.reshape(1, -1, *grid), BLOCK, STRIDE)[0]
        unit = F.normalize(means.flatten(1).T.contiguous(), dim=1)
        return cls(usual, unit, (means.shape[-2], means.shape[-1]))

    def begins(self, number: Tensor) -> tuple[Tensor, Tensor]:
        """Row and column, in cells of the painting, at which blocks begin."""
        row = torch.div(number, self.grid[1], rounding_mode="floor")
        return row * STRIDE, number % self.grid[1] * STRIDE


def distinctness(queries: Tensor, size: tuple[int, int], usual: float) -> Tensor:
    """(H*W,) in [:data:`FLAT`, 1]: what likeness is worth at a cell.

    It grows with how far the cell is from those around it, and is one where that is as far as places of
    the painting usually are.

    :param queries: (C, H*W), centred; directions in rising order of strength.
    :param usual: see :class:`Blocks`.
    """
    contrast = _from_around(queries, size) / max(usual, 1e-12)
    return FLAT + (1 - FLAT) * _averaged(contrast[None], size)[0].clamp_(0, 1)


def _from_around(x: Tensor, size: tuple[int, int]) -> Tensor:
    strongest = x[-TOLD_BY:]
    return (strongest - _averaged(strongest, size)).norm(dim=0)


def _averaged(x: Tensor, size: tuple[int, int]) -> Tensor:
    """(C, H*W) over three by three cells, those of the border counting as their neighbours beyond it too."""
    planes = F.pad(x.reshape(1, -1, *size), (1, 1, 1, 1), mode="replicate")
    # Sums of shifted copies: a good deal quicker than pooling for so few channels.
    lines = planes[..., :-2, :] + planes[..., 1:-1, :] + planes[..., 2:, :]
    return ((lines[..., :-2] + lines[..., 1:-1] + lines[..., 2:]) / 9).reshape(x.shape)


def asked(queries: Tensor, worth: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor, tuple[int, int]]:
    """What every block of the content asks for.

    :param queries: (C, H*W), centred.
    :param worth: (H*W,), see :func:`distinctness`.
    :returns: (N, C) unit vectors, (N,) what likeness is worth to each, and their (rows, columns).
    """
    means = F.avg_pool2d(_whole(queries.reshape(1, -1, *size)), BLOCK)[0]
    weight = F.avg_pool2d(_whole(worth.view(1, 1, *size)), BLOCK).flatten()
    return F.normalize(means.flatten(1).T.contiguous(), dim=1), weight, (means.shape[-2], means.shape[-1])


def _whole(planes: Tensor) -> Tensor:
    """(1, C, H, W) with the last row and column repeated up to whole blocks."""
    pad = (0, -planes.shape[-1] % BLOCK, 0, -planes.shape[-2] % BLOCK)
    return F.pad(planes, pad, mode="replicate") if any(pad) else planes


def by_chance(likes: Tensor, smooth: Tensor, seed: int) -> Tensor:
    """(N, M), what pieces are worth to blocks, to which chance is added, the more the smoother the block."""
    chance = _chance(likes.shape[0], likes.shape[1], seed).to(likes)
    return torch.addcmul(likes, CHANCE * smooth[:, None], chance)


@lru_cache(maxsize=4)
def _chance(rows: int, columns: int, seed: int) -> Tensor:
    return torch.rand(rows, columns, generator=torch.Generator().manual_seed(seed))
