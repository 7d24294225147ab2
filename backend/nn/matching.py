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
ROUNDS = 5
#: Places of the style that are searched; the rest are reached by continuing a neighbour's match.
MOST_KEYS = 4096
#: Into how many random shares the searched places are dealt.
PARTIES = 8


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


def coherent_matches(
    queries: Tensor, keys: Tensor, size: tuple[int, int], grid: tuple[int, int], seed: int = 0
) -> Tensor:
    """Matches that agree with their neighbours where that costs little likeness.

    Two neighbours agree when they borrow from neighbouring places, so that a stroke continues
    across them.  First every cell looks for its best place among a random share of the style's:
    were all to look everywhere, a flat sky would fill with copies of its one most similar spot, in
    step with the grid.  Then, each round, every cell may take over the place that continues a
    neighbour's match (Ashikhmin 2001) if cosine plus :data:`COHERENCE` per agreeing neighbour
    grows; the cells are visited in two interleaved sets, so the total never falls.

    :param queries: (C, H*W), centred.
    :param keys: (C, h*w), centred.
    :param size: (H, W).
    :param grid: (h, w).
    :param seed: another seed lays other strokes.
    :returns: (H*W,) int64.
    """
    height, width = size
    q = F.normalize(queries, dim=0).T.contiguous()
    k = F.normalize(keys, dim=0).T.contiguous()
    rows = torch.arange(height, device=q.device)[:, None]
    cols = torch.arange(width, device=q.device)[None, :]
    halves = [((rows + cols) % 2 == half).flatten().nonzero()[:, 0] for half in (0, 1)]
    place = _first_matches(q, k, seed)
    for turn in range(2 * ROUNDS):
        half = halves[turn % 2]
        offers = [o[half] for o in _offers(place.view(size), grid)]
        own = place[half]
        best, best_score = own, torch.full(own.shape, -torch.inf, device=q.device, dtype=q.dtype)
        mine = q[half]
        for candidate in (own, *offers):
            agree = torch.stack([candidate == o for o in offers]).sum(0).to(q.dtype)
            likeness = torch.linalg.vecdot(mine, k[candidate.clamp_min(0)])
            score = torch.where(candidate >= 0, likeness + COHERENCE * agree, -torch.inf)
            better = score > best_score
            best, best_score = torch.where(better, candidate, best), torch.where(better, score, best_score)
        place = place.index_copy(0, half, best)
    return place


def _first_matches(q: Tensor, k: Tensor, seed: int) -> Tensor:
    """The best place for every cell among a random share of the style's."""
    generator = torch.Generator().manual_seed(seed)
    places = torch.randperm(k.shape[0], generator=generator)[:MOST_KEYS].to(q.device)
    party = torch.randint(PARTIES, (q.shape[0],), generator=generator).to(q.device)
    first = torch.zeros(q.shape[0], dtype=torch.int64, device=q.device)
    for i in range(PARTIES):
        share = places[i::PARTIES] if places.numel() >= 4 * PARTIES else places
        members = (party == i).nonzero()[:, 0]
        first[members] = share[nearest(q[members].T, k[share].T)] if members.numel() else members
    return first


def _offers(place: Tensor, grid: tuple[int, int]) -> list[Tensor]:
    """For each of four neighbours, flat, where its match continues at this cell; -1 beyond the style."""
    height, width = place.shape
    padded = F.pad(place, (1, 1, 1, 1), value=-1)
    offers = []
    for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        theirs = padded[1 - dy : 1 - dy + height, 1 - dx : 1 - dx + width]
        y = torch.div(theirs, grid[1], rounding_mode="floor") + dy
        x = theirs % grid[1] + dx
        valid = (theirs >= 0) & (y >= 0) & (y < grid[0]) & (x >= 0) & (x < grid[1])
        offers.append(torch.where(valid, y * grid[1] + x, -1).flatten())
    return offers


def borrow(source: Tensor, index: Tensor, size: tuple[int, int], grid: tuple[int, int]) -> Tensor:
    """Lay out the style's finer features at the matched coarse positions, cross-faded.

    A fine position mixes, with bilinear weights, what the four coarse cells around it would
    continue to at that place.  Cells that agree give an exact copy, others a soft seam.

    :param source: (C, h*f, w*f), features f times finer than the (h, w) grid that was matched.
    :param index: (H*W,) positions in the (h, w) grid.
    :param size: (H, W) of the result in coarse positions.
    :param grid: (h, w) of the source in coarse positions.
    :returns: (C, H*f, W*f), channels last in memory.
    """
    channels, height, width = source.shape
    factor = height // grid[0]
    flat = source.movedim(0, -1).reshape(-1, channels)
    fine = (size[0] * factor, size[1] * factor)
    if factor == 1:
        return flat[index].view(*fine, channels).movedim(-1, 0)
    match = index.view(size)
    cells = [torch.arange(n, device=source.device) for n in fine]
    near = [torch.div(c, factor, rounding_mode="floor") for c in cells]
    offset = [(c % factor + 0.5) / factor - 0.5 for c in cells]
    total: Tensor | None = None
    for use_y in (0, 1):
        for use_x in (0, 1):
            picks, shares = [], []
            for n, o, use, limit in zip(near, offset, (use_y, use_x), size, strict=True):
                picks.append((n + use * o.sign().long()).clamp(0, limit - 1))
                shares.append(o.abs() if use else 1 - o.abs())
            place = match[picks[0][:, None], picks[1][None, :]]
            sy = (
                torch.div(place, grid[1], rounding_mode="floor") * factor
                + (cells[0] - picks[0] * factor)[:, None]
            )
            sx = place % grid[1] * factor + (cells[1] - picks[1] * factor)[None, :]
            spot = sy.clamp(0, height - 1) * width + sx.clamp(0, width - 1)
            share = (shares[0][:, None] * shares[1][None, :]).to(source)
            part = flat[spot.flatten()].mul_(share.view(-1, 1))
            total = part if total is None else total.add_(part)
    assert total is not None
    return total.view(*fine, channels).movedim(-1, 0)


def nearest_inside(source: Tensor, inside: Tensor) -> Tensor:
    """The features with every position that is not inside replaced by the nearest one that is.

    :param source: (C, H, W).
    :param inside: (H, W) booleans, true somewhere.
    """
    if bool(inside.all()):
        return source.clone(memory_format=torch.preserve_format)
    rows = torch.arange(inside.shape[0], device=inside.device)
    columns = torch.arange(inside.shape[1], device=inside.device)
    flat = torch.arange(inside.numel(), device=inside.device).view(inside.shape)
    place = torch.where(inside, flat, -1)
    # Nearest in its own row or column; what has neither is reached from those in a second pass.
    for _ in range(2):
        filled = place >= 0
        by_row = _nearest_in_rows(filled)
        by_column = _nearest_in_rows(filled.T).T
        far = inside.numel()
        columns = torch.arange(inside.shape[1], device=inside.device)[None, :]
        rows = torch.arange(inside.shape[0], device=inside.device)[:, None]
        dx = torch.where(by_row >= 0, (by_row - columns).abs(), far)
        dy = torch.where(by_column >= 0, (by_column - rows).abs(), far)
        beside = place.gather(1, by_row.clamp_min(0))
        above = place.gather(0, by_column.clamp_min(0))
        found = torch.where(dx <= dy, beside, above)
        place = torch.where(torch.minimum(dx, dy) < far, found, place)
    return source.flatten(1)[:, place.flatten()].view(source.shape)


def _nearest_in_rows(filled: Tensor) -> Tensor:
    """(H, W): the column of the nearest true value in the same row, -1 where the row has none."""
    width = filled.shape[1]
    columns = torch.arange(width, device=filled.device).expand(filled.shape)
    left = torch.where(filled, columns, -1).cummax(1).values
    right = torch.where(filled, columns, 2 * width).flip(1).cummin(1).values.flip(1)
    nearer_right = (right < 2 * width) & ((left < 0) | (right - columns < columns - left))
    return torch.where(nearer_right, right, left)
