"""The decoding half of engine ``nnst``: a picture straight from a field of matches, tile by tile."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from scumble.backend.nn.nnst_decoder import PIXELS, REACH_CELLS, as_image, vote
from scumble.backend.nn.nnst_features import CELL, padded

from .base import Context
from .nnst_ground import Ground
from .nnst_style import Bank, Eyes

#: Side of a tile's core in cells.
TILE_CELLS = 128
#: Values that are voted on at once.
BAND_VALUES = 1 << 22


@torch.no_grad()
def strokes(
    ground: Ground, fields: Sequence[Tensor], banks: Sequence[Bank], eyes: Eyes, context: Context
) -> Tensor:
    """Paint every region's field and mix the regions by their shares: (3, H, W), content elsewhere.

    :param fields: per region (h*w,) places in its bank; -1 where it does not match.
    """
    painted = [
        _region(ground, field.view(ground.grid), bank, eyes, context)
        for field, bank in zip(fields, banks, strict=True)
    ]
    return _mixed(ground, painted)


@torch.no_grad()
def voted(
    ground: Ground, fields: Sequence[Tensor], grid: tuple[int, int], banks: Sequence[Bank], context: Context
) -> Tensor:
    """The same from the votes alone, for cells of any size.

    A field that was found at the working size lays a picture of any larger one, with the style shown
    larger by the same factor: cells grow, and fade into each other over their own width, so that no
    edge of a cell can be seen.

    :param fields: per region (h*w,) places, on
    :param grid: (h, w) cells of the banks' size.
    """
    painted = []
    for field, bank in zip(fields, banks, strict=True):
        board = F.pad(field.view(grid), (0, 0, 1, 1), value=-1)
        step = max(1, BAND_VALUES // (bank.cells.shape[1] * grid[1]))
        bands = []
        for top in range(0, grid[0], step):
            context.checkpoint()
            bottom = min(grid[0], top + step)
            votes, _ = vote(bank.cells, bank.grids, board[top : bottom + 2].contiguous())
            bands.append(as_image(votes[:, 1:-1]))
        image = torch.cat(bands, 1)
        cell = image.shape[1] // grid[0]
        known = (field.view(grid) >= 0).to(image)[None]
        painted.append((image, known.repeat_interleave(cell, 1).repeat_interleave(cell, 2)))
    return _mixed(ground, painted)


def _mixed(ground: Ground, painted: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    """Each region's (paint, where there is any), by the regions' shares; content elsewhere."""
    height, width = ground.content.shape[-2:]
    total = torch.zeros_like(ground.content)
    weight = torch.zeros_like(ground.content[:1])
    for (paint, known), share in zip(painted, ground.shares, strict=True):
        part = share[None] * known[:, :height, :width]
        total += paint[:, :height, :width] * part
        weight += part
    mixed = torch.where(weight > 1e-4, total / weight.clamp_min(1e-4), ground.content)
    return mixed.clamp(0, 1)


def _region(ground: Ground, field: Tensor, bank: Bank, eyes: Eyes, context: Context) -> tuple[Tensor, Tensor]:
    """(3, 4h, 4w) paint of one region, and (1, 4h, 4w) where there is any."""
    rows, columns = field.shape
    content = padded(ground.content)
    out = content.clone()
    # A tile's decoding is independent of its neighbours' beyond the decoder's reach, so tiles have
    # no seams; and cells that were not matched cost nothing where a whole tile has none.
    side = max(16, min(TILE_CELLS, context.tile // CELL))
    for top in range(0, rows, side):
        for left in range(0, columns, side):
            part = field[top : top + side, left : left + side] >= 0
            if not bool(part.any()):
                continue
            context.checkpoint()
            ys, xs = part.any(1).nonzero()[:, 0], part.any(0).nonzero()[:, 0]
            core = (top + int(ys[0]), top + int(ys[-1]) + 1, left + int(xs[0]), left + int(xs[-1]) + 1)
            image = _tile(content, field, core, bank, eyes)
            y0, y1, x0, x1 = (CELL * c for c in core)
            out[:, y0:y1, x0:x1] = image
    known = (field >= 0).to(out)[None]
    return out, known.repeat_interleave(CELL, 1).repeat_interleave(CELL, 2)


def _tile(content: Tensor, field: Tensor, core: tuple[int, int, int, int], bank: Bank, eyes: Eyes) -> Tensor:
    """The core's pixels; (top, bottom, left, right) in cells."""
    rows, columns = field.shape
    # Whole coarse cells, so that features of the frame fall on the same grid as the whole picture's.
    y0, x0 = max(0, core[0] - REACH_CELLS) // 2 * 2, max(0, core[2] - REACH_CELLS) // 2 * 2
    y1, x1 = min(rows, core[1] + REACH_CELLS), min(columns, core[3] + REACH_CELLS)
    y1, x1 = min(rows, y1 + y1 % 2), min(columns, x1 + x1 % 2)
    part = field[y0:y1, x0:x1].contiguous()
    votes, spread = vote(bank.cells, bank.grids, part)
    known, place = (part >= 0)[None], part.clamp_min(0).flatten()
    frame = content[:, CELL * y0 : CELL * y1, CELL * x0 : CELL * x1]
    theirs = F.pixel_unshuffle(frame, CELL)
    own = bank.cells[place].float().T.reshape(PIXELS, *part.shape)
    own, votes = torch.where(known, own, theirs), torch.where(known, votes.float(), theirs)
    if eyes.decoder is None:
        image = as_image(votes)
    else:
        target = bank.brush[place].float().T.reshape(-1, *part.shape)
        if not bool(known.all()):
            seen = eyes.frozen(frame).flatten(1).T
            seen = eyes.decoder.projected(seen).T.reshape(-1, *part.shape)
            target = torch.where(known, target, seen)
        image = eyes.decoder.mend(target[None], own[None], votes[None], spread.float()[None])[0]
    top, left = CELL * (core[0] - y0), CELL * (core[2] - x0)
    return image[:, top : top + CELL * (core[1] - core[0]), left : left + CELL * (core[3] - core[2])]
