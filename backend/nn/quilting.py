"""Which piece of the painting goes where in a smooth area, and where it meets the next.

Blocks of a smooth area all like the same pieces.  Left to themselves they lay one beside itself like a
wallpaper, with cuts in step with the grid.  So every block has regard for those around it: a piece goes
on into the next block where it can, and does not come again nearby; and pieces meet along slanted lines.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from .lattice import around, continued, neighbours
from .pieces import BLOCK, STRIDE, Blocks

#: What it is worth to go on where a neighbour's piece ends, in units of cosine.
GOES_ON = 0.3
#: What it costs to lay what a block nearby lays already; in part, if pieces overlap.
AGAIN = 0.4
#: How many blocks away still counts as nearby.
NEARBY = 2
#: How often every block chooses.
ROUNDS = 3
#: How far a block's middle is moved to and fro before cells go to the nearest one, in cells.
SLANT = 3.0


def arranged(likes: Tensor, blocks: Blocks, many: tuple[int, int], seed: int = 0) -> Tensor:
    """The piece that every block takes, with regard for those around it.

    Blocks choose in turns, those of a turn out of each other's sight.  Covering an area with pieces of a
    picture is image quilting (Efros and Freeman 2001); what repeats cost is ours.

    :param likes: (N, M), what each of the painting's pieces is worth to each block.
    :param many: (rows, columns) of blocks.
    :param seed: of the order in which they choose.
    :returns: (N,) int64, numbers of pieces.
    """
    count, nowhere = likes.shape
    device = likes.device
    onward = continued(blocks.grid, BLOCK // STRIDE).to(device)
    beside, near = neighbours(many).to(device), around(many, NEARBY).to(device)
    rows, cols = (_overlaps(n).to(likes) for n in blocks.grid)
    # Neither a block beyond the border nor one that has not chosen yet lies anywhere.
    place = torch.full((count + 1,), nowhere, device=device)
    for _ in range(ROUNDS):
        was = place.clone()
        for cells in (turns.to(device) for turns in _turns(many, seed)):
            there = place[near[cells]]
            row = torch.where(there < nowhere, there // blocks.grid[1], blocks.grid[0])
            # A piece is repeated by as much as rows and columns overlap.
            twice = (rows[row].mT @ cols[there % blocks.grid[1]]).flatten(1)
            worth = torch.add(likes[cells], twice, alpha=-AGAIN)
            offers = onward.gather(1, place[beside[:, cells]]).T
            bonus = GOES_ON * (offers < nowhere).to(worth)
            worth.scatter_add_(1, offers.clamp_max(nowhere - 1), bonus)
            place[cells] = worth.argmax(1)
        if torch.equal(was, place):
            break
    return place[:-1]


@lru_cache(maxsize=16)
def _overlaps(length: int) -> Tensor:
    """(length + 1, length): the share of one piece's rows that another's are too; none of the last's."""
    at = torch.arange(length)
    apart = (at[:, None] - at).abs() * STRIDE
    shares = (1 - apart / BLOCK).clamp_min(0)
    return torch.cat([shares, shares.new_zeros(1, length)])


@lru_cache(maxsize=16)
def _turns(many: tuple[int, int], seed: int) -> list[Tensor]:
    """Blocks that are out of each other's sight, in sets that choose one after another."""
    apart = NEARBY + 1
    number = torch.arange(many[0] * many[1]).view(many)
    sets = [number[i::apart, j::apart].flatten() for i in range(apart) for j in range(apart)]
    # In no order of rows, or pieces would only ever go on to the right and downwards.
    shuffled = torch.randperm(len(sets), generator=torch.Generator().manual_seed(seed)).tolist()
    return [sets[i] for i in shuffled if sets[i].numel()]


def spread_out(
    found: Tensor, blocks: Blocks, many: tuple[int, int], size: tuple[int, int], grid: tuple[int, int]
) -> Tensor:
    """Every cell's place when its block takes the piece ``found`` for it.

    :param found: (N,) of :attr:`Blocks.keys`.
    :param many: (rows, columns) of blocks.
    :returns: (H*W,) int64.
    """
    top, left = blocks.begins(found)
    rows, cols = (torch.arange(n, device=found.device) for n in size)

    def places(block: Tensor) -> tuple[Tensor, Tensor]:
        row, col = block // many[1], block % many[1]
        return top[block] + rows[:, None] - row * BLOCK, left[block] + cols - col * BLOCK

    y, x = places(_slanted(size, many).to(found.device))
    outside = (y < 0) | (y >= grid[0]) | (x < 0) | (x >= grid[1])
    # The painting ends there: the cell stays with the block it lies in.
    own_y, own_x = places((rows // BLOCK * many[1])[:, None] + cols // BLOCK)
    return torch.where(outside, own_y * grid[1] + own_x, y * grid[1] + x).flatten()


@lru_cache(maxsize=16)
def _slanted(size: tuple[int, int], many: tuple[int, int]) -> Tensor:
    """(H, W): the block whose middle, moved to and fro, is nearest to a cell."""
    moved = torch.rand(2, *many, generator=torch.Generator().manual_seed(0)) * 2 - 1
    middle_y = (torch.arange(many[0])[:, None] + 0.5) * BLOCK + SLANT * moved[0]
    middle_x = (torch.arange(many[1]) + 0.5) * BLOCK + SLANT * moved[1]
    rows, cols = torch.arange(size[0])[:, None], torch.arange(size[1])
    nearest = torch.full(size, torch.inf)
    owner = torch.zeros(size, dtype=torch.int64)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            row = (rows // BLOCK + dy).clamp(0, many[0] - 1)
            col = (cols // BLOCK + dx).clamp(0, many[1] - 1)
            away = (middle_y[row, col] - rows - 0.5) ** 2 + (middle_x[row, col] - cols - 0.5) ** 2
            owner = torch.where(away < nearest, row * many[1] + col, owner)
            nearest = torch.minimum(nearest, away)
    return owner
