"""From matched places of a style to a picture, in one step: votes of the matched cells, then a small decoder.

The paper's NNST-D decodes 2,688-channel targets with four networks of 34 million parameters each and
was never released.  This one is small because it need not invert the features: each cell of the
target also brings the pixels that lie there in the painting.  Overlapping cells vote for a first
picture; the decoder sees votes, pixels and projected hypercolumns, and mends what the votes cannot
agree on, as four levels of a Laplacian pyramid.  One set of weights serves all scales and both
sources of features' shared cells.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .nnst_features import CELL, padded
from .nnst_matching import Grids
from .nnst_pyramid import collapse

#: Channels of a cell's own pixels.
PIXELS = 3 * CELL * CELL
#: Cells around a place whose result depends on it: votes 1, first convolution, blocks, heads.
REACH_CELLS = 12


def cells_of(images: Sequence[Tensor], cell: int = CELL) -> Tensor:
    """The pixels of every cell of (3, H, W) pictures, one after the other: (M, 3 * cell * cell)."""
    return torch.cat([F.pixel_unshuffle(padded(x), cell).flatten(1).T for x in images])


def _side(channels: int) -> int:
    """Pixels along the side of a cell with so many values."""
    return math.isqrt(channels // 3)


def _window(device: torch.device, cell: int) -> Tensor:
    """Raised cosines over 3 x 3 cells, (9, values of a cell): what a place's surroundings count around it.

    At every pixel not only the shares of all cells add up to the same but their squares too: where votes
    differ, their mean is equally lively everywhere, and no lattice of cells shows.
    """
    at = (torch.arange(3 * cell, device=device) + 0.5) / (1.5 * cell) - 1.0
    window = 0.5 + 0.5 * torch.cos(math.pi * at)
    both = (window[:, None] * window[None, :]).view(3, cell, 3, cell).permute(0, 2, 1, 3)
    return both.reshape(9, 1, cell * cell).expand(9, 3, -1).reshape(9, 3 * cell * cell)


def vote(cells: Tensor, grids: Grids, field: Tensor) -> tuple[Tensor, Tensor]:
    """What the matched places and their surroundings say of each cell's pixels.

    :param cells: (M, V), see :func:`cells_of`; V is 48 for the decoder's cells.
    :param field: (h, w) places in ``grids``; -1 where nothing was matched.
    :returns: the mean vote (V, h, w), and (1, h, w) how far apart the votes are (root mean square).
    """
    height, width = field.shape
    device = field.device
    grid, row, column = (t.to(device) for t in grids.coordinates())
    shapes = torch.tensor(grids.shapes, device=device)
    board = F.pad(field, (1, 1, 1, 1), value=-1)
    window = _window(device, _side(cells.shape[1]))
    total = torch.zeros(height * width, cells.shape[1], device=device)
    squares, weight = torch.zeros_like(total), torch.zeros_like(total)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            theirs = board[1 - dy : 1 - dy + height, 1 - dx : 1 - dx + width].flatten()
            known = theirs.clamp_min(0)
            y, x = row[known] + dy, column[known] + dx
            shape = shapes[grid[known]]
            valid = (theirs >= 0) & (y >= 0) & (x >= 0) & (y < shape[:, 0]) & (x < shape[:, 1])
            place = torch.where(valid, known + dy * shape[:, 1] + dx, 0)
            share = window[3 * (dy + 1) + dx + 1] * valid[:, None]
            pixels = cells[place].to(total.dtype)
            weight += share
            total += pixels * share
            squares += pixels.square() * share
    mean = total / weight.clamp_min(1e-6)
    spread = (squares / weight.clamp_min(1e-6) - mean.square()).clamp_min(0).mean(1).sqrt()
    return mean.T.reshape(-1, height, width), spread.view(1, height, width)


def as_image(cells: Tensor) -> Tensor:
    """(V, h, w) cells as a picture; (3, 4h, 4w) for the decoder's cells."""
    return F.pixel_shuffle(cells, _side(cells.shape[-3]))


class StrokeDecoder(nn.Module):
    """Mends the votes: a residual network on the grid of cells with one head a pyramid level.

    :param columns: channels of the hypercolumns.
    :param projected: channels they are projected to.
    :param width: channels inside.
    """

    def __init__(self, columns: int = 416, projected: int = 64, width: int = 96, blocks: int = 4) -> None:
        super().__init__()
        self.project = nn.Conv2d(columns, projected, 1)
        self.enter = nn.Conv2d(projected + 2 * PIXELS + 1, width, 3, padding=1)
        self.blocks = nn.ModuleList(
            nn.ModuleList([nn.Conv2d(width, width, 3, padding=1), nn.Conv2d(width, width, 3, padding=1)])
            for _ in range(blocks)
        )
        self.heads = nn.ModuleList(nn.Conv2d(width, n, 3, padding=1) for n in (48, 12, 3, 3))
        for head in self.heads:
            assert isinstance(head, nn.Conv2d) and head.bias is not None
            # At first the decoder changes nothing: the votes are its starting point.
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)

    def projected(self, rows: Tensor) -> Tensor:
        """(M, C) hypercolumns as (M, P): what is worth keeping of a style for decoding."""
        return F.linear(rows, self.project.weight[:, :, 0, 0], self.project.bias)

    def forward(self, target: Tensor, own: Tensor, votes: Tensor, spread: Tensor) -> Tensor:
        """Decode matched hypercolumns, (N, C, h, w); see :meth:`mend` for the rest."""
        return self.mend(self.project(target), own, votes, spread)

    def mend(self, target: Tensor, own: Tensor, votes: Tensor, spread: Tensor) -> Tensor:
        """Decode.

        :param target: (N, P, h, w), matched hypercolumns, projected.
        :param own: (N, 48, h, w), the matched cells' own pixels.
        :param votes: (N, 48, h, w), and
        :param spread: (N, 1, h, w), of :func:`vote`.
        :returns: (N, 3, 4h, 4w), nominally in [0, 1], not clamped.
        """
        x = torch.cat([target, own - 0.5, votes - 0.5, 4.0 * spread], 1)
        x = F.leaky_relu(self.enter(x), 0.1)
        for block in self.blocks:
            assert isinstance(block, nn.ModuleList)
            x = x + 0.5 * block[1](F.leaky_relu(block[0](x), 0.1))
        x = F.leaky_relu(x, 0.1)
        fine = F.pixel_shuffle(self.heads[0](x), 4)
        middle = F.pixel_shuffle(self.heads[1](x), 2)
        quarter = self.heads[2](x)
        eighth = self.heads[3](F.avg_pool2d(x, 2, ceil_mode=True))
        mended = [collapse([f, m, q, e]) for f, m, q, e in zip(fine, middle, quarter, eighth, strict=True)]
        return F.pixel_shuffle(votes, CELL) + torch.stack(mended)

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> StrokeDecoder:
        """From ``decoder.*`` tensors; raises ``RuntimeError`` on a misfit."""
        own = {k.removeprefix("decoder."): v.float() for k, v in tensors.items() if k.startswith("decoder.")}
        projected, columns = own["project.weight"].shape[:2]
        blocks = len({k.split(".")[1] for k in own if k.startswith("blocks.")})
        net = cls(columns, projected, own["enter.weight"].shape[0], blocks)
        net.load_state_dict(own)
        return net.eval().requires_grad_(False)
