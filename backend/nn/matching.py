"""Nearest-neighbour features: every position borrows the style's own texture.

A transport moves statistics but keeps the content's spatial pattern, so it cannot put a stroke
where the photograph is smooth.  Matching can: each content position takes the features found at
the most similar position of the style.  Left alone, neighbours pick unrelated places and strokes
are chopped to the grid; so matches are first drawn together into coherent pieces, and where pieces
meet they are cross-faded.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

#: What one agreeing neighbour is worth, in units of cosine.
COHERENCE = 0.2
#: Rounds of drawing matches together; each lets a piece grow by one cell.
ROUNDS = 4


def matching_basis(keys: Tensor, dims: int) -> Tensor:
    """Principal directions of (C, M) centred features: (dims, C), rows orthonormal."""
    covariance = (keys @ keys.T).double()
    _, vectors = torch.linalg.eigh(covariance)
    return vectors[:, -dims:].T.to(keys.dtype).contiguous()


def nearest(queries: Tensor, keys: Tensor, *, block: int = 4096) -> Tensor:
    """Index of the key with the largest cosine for each query, in blocks of bounded memory.

    :param queries: (C, N), centred; their lengths do not matter.
    :param keys: (C, M), centred.
    :returns: (N,) int64 indices into the keys.
    """
    unit = F.normalize(keys, dim=0)
    found = [(queries[:, i : i + block].T @ unit).argmax(1) for i in range(0, queries.shape[1], block)]
    return torch.cat(found)


def coherent_matches(queries: Tensor, keys: Tensor, size: tuple[int, int], grid: tuple[int, int]) -> Tensor:
    """Matches that agree with their neighbours where that costs little likeness.

    Two neighbours agree when they borrow from neighbouring places, so that a stroke continues
    across them.  Each round every cell may take over the place that continues a neighbour's match
    (Ashikhmin 2001) if cosine plus :data:`COHERENCE` per agreeing neighbour grows; the cells are
    visited in two interleaved sets, so the total never falls.

    :param queries: (C, H*W), centred.
    :param keys: (C, h*w), centred.
    :param size: (H, W).
    :param grid: (h, w).
    :returns: (H*W,) int64.
    """
    index = nearest(queries, keys).view(size)
    height, width = size
    q, k = F.normalize(queries, dim=0), F.normalize(keys, dim=0).T.contiguous()
    y, x = torch.div(index, grid[1], rounding_mode="floor"), index % grid[1]
    rows = torch.arange(height, device=q.device)[:, None]
    cols = torch.arange(width, device=q.device)[None, :]
    steps = ((0, 1), (0, -1), (1, 0), (-1, 0))
    flat_q = q.T.contiguous()
    for turn in range(2 * ROUNDS):
        # What each neighbour's match continues to at this cell; outside the style it is void (-1).
        offers = []
        for dy, dx in steps:
            oy, ox = _shift(y, dy, dx) + dy, _shift(x, dy, dx) + dx
            valid = (oy >= 0) & (oy < grid[0]) & (ox >= 0) & (ox < grid[1]) & (_shift(y, dy, dx) >= 0)
            offers.append(torch.where(valid, oy * grid[1] + ox, -1))
        own = y * grid[1] + x
        best, best_score = own, torch.full(size, -torch.inf, device=q.device, dtype=q.dtype)
        for candidate in (own, *offers):
            agree = sum((candidate == o).to(q.dtype) for o in offers)
            likeness = (flat_q * k[candidate.clamp_min(0).flatten()]).sum(1).view(size)
            score = torch.where(candidate >= 0, likeness + COHERENCE * agree, -torch.inf)
            better = score > best_score
            best, best_score = torch.where(better, candidate, best), torch.where(better, score, best_score)
        turn_of = (rows + cols) % 2 == turn % 2
        chosen = torch.where(turn_of, best, own)
        y, x = torch.div(chosen, grid[1], rounding_mode="floor"), chosen % grid[1]
    return (y * grid[1] + x).flatten()


def _shift(values: Tensor, dy: int, dx: int) -> Tensor:
    """``out[i, j] = values[i - dy, j - dx]``; -1 where that lies outside."""
    height, width = values.shape
    padded = F.pad(values, (1, 1, 1, 1), value=-1)
    return padded[1 - dy : 1 - dy + height, 1 - dx : 1 - dx + width]


def borrow(source: Tensor, index: Tensor, size: tuple[int, int], grid: tuple[int, int]) -> Tensor:
    """Lay out the style's finer features at the matched coarse positions, cross-faded.

    A fine position mixes, with bilinear weights, what the four coarse cells around it would
    continue to at that place.  Cells that agree give an exact copy, others a soft seam.

    :param source: (C, h*f, w*f), features f times finer than the (h, w) grid that was matched.
    :param index: (H*W,) positions in the (h, w) grid.
    :param size: (H, W) of the result in coarse positions.
    :param grid: (h, w) of the source in coarse positions.
    :returns: (C, H*f, W*f).
    """
    channels = source.shape[0]
    factor = source.shape[1] // grid[0]
    flat = source.flatten(1)
    height, width = source.shape[1:]
    match = index.view(size)
    if factor == 1:
        return flat[:, match.flatten()].view(channels, *size)
    cells = [torch.arange(n * factor, device=source.device) for n in size]
    total = source.new_zeros(channels, size[0] * factor * size[1] * factor)
    near = [torch.div(c, factor, rounding_mode="floor") for c in cells]
    offset = [(c % factor + 0.5) / factor - 0.5 for c in cells]
    for use_y in (0, 1):
        for use_x in (0, 1):
            picks, shares = [], []
            for n, o, use, limit in zip(near, offset, (use_y, use_x), size, strict=True):
                picks.append((n + use * o.sign().long()).clamp(0, limit - 1))
                shares.append(o.abs() if use else 1 - o.abs())
            place = match[picks[0][:, None], picks[1][None, :]]
            sy = torch.div(place, grid[1], rounding_mode="floor") * factor + (cells[0] - picks[0] * factor)[:, None]
            sx = place % grid[1] * factor + (cells[1] - picks[1] * factor)[None, :]
            spot = sy.clamp(0, height - 1) * width + sx.clamp(0, width - 1)
            share = (shares[0][:, None] * shares[1][None, :]).to(source)
            total += flat[:, spot.flatten()] * share.flatten()
    return total.view(channels, size[0] * factor, size[1] * factor)
