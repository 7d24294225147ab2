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
    halves = [(rows + cols) % 2 == half for half in (0, 1)]
    place = _first_matches(q, k, seed)
    liking = torch.linalg.vecdot(q, k[place])
    # All of a cell's neighbours are in the other half: as long as none of them has changed since the
    # cell last chose, it would choose the same again.
    stirred = torch.ones(size, dtype=torch.bool, device=q.device)
    for turn in range(2 * ROUNDS):
        cells = (halves[turn % 2] & stirred).flatten().nonzero()[:, 0]
        if not cells.numel():
            continue
        offers = _offers(place, cells, size, grid)
        mine, own = q[cells], place[cells]
        best, best_liking = own, liking[cells]
        best_score = best_liking + COHERENCE * (offers == own).sum(0)
        for offer in offers:
            agree = (offers == offer).sum(0)
            likeness = torch.linalg.vecdot(mine, k[offer.clamp_min(0)])
            score = torch.where(offer >= 0, likeness + COHERENCE * agree, -torch.inf)
            better = score > best_score
            best, best_score = torch.where(better, offer, best), torch.where(better, score, best_score)
            best_liking = torch.where(better, likeness, best_liking)
        place[cells], liking[cells] = best, best_liking
        changed = torch.zeros(height * width, dtype=torch.bool, device=q.device)
        changed[cells] = best != own
        stirred = _beside(changed.view(size)) if turn else stirred
    return place


def _beside(changed: Tensor) -> Tensor:
    """Which cells have a changed one above, below, left or right of them."""
    padded = F.pad(changed, (1, 1, 1, 1))
    return padded[:-2, 1:-1] | padded[2:, 1:-1] | padded[1:-1, :-2] | padded[1:-1, 2:]


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


def _offers(place: Tensor, cells: Tensor, size: tuple[int, int], grid: tuple[int, int]) -> Tensor:
    """Where the matches of a cell's four neighbours continue at the cell itself.

    :param place: (H*W,) matches.
    :param cells: (n,) which cells ask.
    :returns: (4, n); -1 where there is no neighbour, or its match ends at the style's edge.
    """
    height, width = size
    y, x = torch.div(cells, width, rounding_mode="floor"), cells % width
    found = []
    for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        # What continues by (dy, dx) to this cell comes from the neighbour on the other side.
        inside = (y >= dy) & (y - dy < height) & (x >= dx) & (x - dx < width)
        theirs = place[(cells - dy * width - dx).clamp(0, place.numel() - 1)]
        ty, tx = torch.div(theirs, grid[1], rounding_mode="floor") + dy, theirs % grid[1] + dx
        inside &= (ty >= 0) & (ty < grid[0]) & (tx >= 0) & (tx < grid[1])
        found.append(torch.where(inside, theirs + dy * grid[1] + dx, -1))
    return torch.stack(found)


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
