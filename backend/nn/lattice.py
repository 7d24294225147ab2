"""Cells of a grid by number, and those a step away; with no cell at all as the last number."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F

#: From a cell's four neighbours to the cell: (dy, dx).
_STEPS = ((0, 1), (0, -1), (1, 0), (-1, 0))


@lru_cache(maxsize=16)
def neighbours(size: tuple[int, int]) -> Tensor:
    """(4, H*W): the cell that lies one step before each cell; H*W where that is beyond the border."""
    return torch.stack([_stepped(size, -dy, -dx)[:-1] for dy, dx in _STEPS])


@lru_cache(maxsize=16)
def continued(grid: tuple[int, int], step: int = 1) -> Tensor:
    """(4, h*w + 1): the place a step after each place; h*w where that is beyond, or was already."""
    return torch.stack([_stepped(grid, dy * step, dx * step) for dy, dx in _STEPS])


@lru_cache(maxsize=16)
def around(size: tuple[int, int], reach: int) -> Tensor:
    """(H*W, (2 reach + 1)² - 1): all cells up to so many rows and columns away; H*W beyond the border."""
    steps = range(-reach, reach + 1)
    return torch.stack([_stepped(size, dy, dx)[:-1] for dy in steps for dx in steps if dy or dx], 1)


def _stepped(size: tuple[int, int], dy: int, dx: int) -> Tensor:
    """(H*W + 1,): the number of the cell at (y + dy, x + dx); H*W where there is none."""
    height, width = size
    numbered = torch.arange(height * width).view(size)
    frame = max(abs(dy), abs(dx))
    numbered = F.pad(numbered, (frame,) * 4, value=height * width)
    moved = numbered[frame + dy : frame + dy + height, frame + dx : frame + dx + width]
    return F.pad(moved.flatten(), (0, 1), value=height * width)
