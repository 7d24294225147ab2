"""The motif at one scale: content, coverage, and which cells each region has to fill."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from scumble.backend.nn.nnst_features import CELL, grid_of

#: Cells around a region that are matched and decoded with it, so that strokes do not end at its edge.
BORDER_CELLS = 2
#: Share of a cell below which a region leaves it to others.
LEAST_SHARE = 0.02


def fit(x: Tensor, size: tuple[int, int]) -> Tensor:
    """A (C, H, W) or (H, W) tensor resized, antialiased; itself if it has that size."""
    if tuple(x.shape[-2:]) == tuple(size):
        return x
    planes = x[None] if x.ndim == 3 else x[None, None]
    found = F.interpolate(planes, size, mode="bilinear", antialias=True, align_corners=False)
    return found[0] if x.ndim == 3 else found[0, 0]


@dataclass(frozen=True)
class Ground:
    """See the module.

    :param content: (3, H, W).
    :param cover: (H, W) in [0, 1]: how much of the paint shows; the content shows through for the rest.
    :param shares: per region (H, W); they add up to one.
    :param grid: (h, w) cells.
    :param weight: (h*w,) how much of each cell was drawn.
    :param cell_shares: per region (h*w,): its share of each cell, 0 where it does not match.
    :param melt: what becomes of the paint at the selection's edge before it is laid over, if anything.
    """

    content: Tensor
    cover: Tensor
    shares: tuple[Tensor, ...]
    grid: tuple[int, int]
    weight: Tensor
    cell_shares: tuple[Tensor, ...]
    melt: Callable[[Tensor], Tensor] | None = None

    @classmethod
    def of(
        cls, content: Tensor, union: Tensor, cover: Tensor, shares: Sequence[Tensor], size: tuple[int, int]
    ) -> Ground:
        """The full-size motif, (3, H, W) and (H, W) each, at ``size``."""
        small = fit(content, size).clamp(0, 1)
        grid = grid_of(small)

        def cells(x: Tensor) -> Tensor:
            return F.adaptive_avg_pool2d(_whole(fit(x, size), grid)[None, None], grid)[0, 0]

        drawn = cells(union)
        reach = 2 * BORDER_CELLS + 1
        near = F.max_pool2d((drawn > 0).float()[None], reach, 1, BORDER_CELLS)[0] > 0
        own = []
        for share in shares:
            part = cells(share)
            own.append(torch.where(near & (part > LEAST_SHARE), part, 0.0).flatten())
        fitted = tuple(fit(s, size) for s in shares)
        return cls(small, fit(cover, size).clamp(0, 1), fitted, grid, drawn.flatten(), tuple(own))

    @property
    def size(self) -> tuple[int, int]:
        """(rows, columns) in pixels."""
        return self.content.shape[-2], self.content.shape[-1]

    def active(self, region: int) -> Tensor:
        """Flat indices of the cells that a region fills."""
        return (self.cell_shares[region] > 0).nonzero()[:, 0]

    def over(self, paint: Tensor) -> Tensor:
        """Paint (3, H, W) laid over the content."""
        return torch.lerp(self.content, paint if self.melt is None else self.melt(paint), self.cover)


def _whole(x: Tensor, grid: tuple[int, int]) -> Tensor:
    """Repeat the last row and column of (H, W) up to whole coarse cells."""
    pad = (0, grid[1] * CELL - x.shape[1], 0, grid[0] * CELL - x.shape[0])
    return F.pad(x[None, None], pad, mode="replicate")[0, 0] if any(pad) else x
