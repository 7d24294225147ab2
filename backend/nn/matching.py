"""Nearest-neighbour features: every position borrows the style's own texture.

A transport moves statistics but keeps the content's spatial pattern, so it cannot put a stroke
where the photograph is smooth.  Matching can: each content position takes the features found at
the most similar position of the style.  Left alone, neighbours pick unrelated places and strokes
are chopped to the grid; so matches are drawn together into coherent pieces.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

import torch
from torch import Tensor
from torch.nn import functional as F

from . import team
from .lattice import continued, neighbours
from .pieces import Blocks, asked, by_chance, distinctness
from .quilting import arranged, spread_out

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
    found = [_largest(queries[:, i : i + block].T @ unit) for i in range(0, queries.shape[1], block)]
    return torch.cat(found)


def _largest(scores: Tensor) -> Tensor:
    """Index of the largest value in each row of a matrix."""
    if scores.device.type == "cpu":
        # The same answer ten times as quick.
        return torch.from_numpy(scores.numpy().argmax(1))
    return scores.argmax(1)


@dataclass(frozen=True)
class Places:
    """A style picture's places, as they are searched; made once.

    :param keys: (h*w, C), unit vectors.
    :param grid: (h, w).
    :param blocks: what smooth areas are matched with.
    """

    keys: Tensor
    grid: tuple[int, int]
    blocks: Blocks

    @classmethod
    def of(cls, keys: Tensor, grid: tuple[int, int]) -> Places:
        """From (C, h*w) centred keys."""
        return cls(F.normalize(keys.T.contiguous(), dim=1), grid, Blocks.of(keys, grid))


@dataclass(frozen=True)
class FirstMatches:
    """What :func:`first_matches` found.

    :param queries: (H*W, C), of unit length times what likeness is worth there.
    :param keys: (h*w, C), unit vectors.
    :param place: (H*W,) int64 indices into the keys.
    """

    queries: Tensor
    keys: Tensor
    place: Tensor


def first_matches(queries: Tensor, places: Places, size: tuple[int, int], seed: int) -> FirstMatches:
    """Every cell's best place among a random share of the style's, or a part of its block's piece.

    Were all to look everywhere, a flat sky would fill with copies of its one most similar spot, in step
    with the grid; where the content is smooth, what is alike says little anyway, and blocks of cells
    take connected pieces (:mod:`.pieces`).

    :param queries: (C, H*W), centred.
    :param size: (H, W).
    :param seed: another seed lays other strokes.
    """
    q = F.normalize(queries.T.contiguous(), dim=1)
    worth = distinctness(queries, size, places.blocks.usual)
    own = torch.zeros(q.shape[0], dtype=torch.int64, device=q.device)
    work: list[Callable[[], Tensor | None]] = [partial(_in_pieces, queries, worth, places, size, seed)]
    pieces, *_ = team.together([*work, *_searches(q, places.keys, seed, own)])
    if pieces is not None:
        gain = (q * (places.keys.index_select(0, own) - places.keys.index_select(0, pieces))).sum(1)
        # Who goes alone disagrees with those around.
        own = torch.where(worth * gain > 2 * COHERENCE, own, pieces)
    return FirstMatches(q.mul_(worth[:, None]), places.keys, own)


def _in_pieces(
    queries: Tensor, worth: Tensor, places: Places, size: tuple[int, int], seed: int
) -> Tensor | None:
    """Places such that every block of cells takes one piece; ``None`` in a style smaller than a block."""
    blocks = places.blocks
    if not blocks.keys.shape[0]:
        return None
    q, weight, many = asked(queries, worth, size)
    likes = by_chance((q * weight[:, None]) @ blocks.keys.T, 1 - weight, seed)
    found = arranged(likes, blocks, many, seed)
    return spread_out(found, blocks, many, size, places.grid)


def drawn_together(first: FirstMatches, size: tuple[int, int], grid: tuple[int, int]) -> Tensor:
    """Matches drawn together into coherent pieces.

    Two neighbours agree when they borrow from neighbouring places, so that a stroke continues
    across them.  Each round, every cell may take over the place that continues a neighbour's match
    (Ashikhmin 2001) if its likeness plus :data:`COHERENCE` per agreeing neighbour grows; the cells are
    visited in two interleaved sets, so the total never falls.

    :param size: (H, W) of the cells.
    :param grid: (h, w) of the places.
    :returns: (H*W,) int64 indices into the keys.
    """
    q, k, place = first.queries, first.keys, first.place
    count, nowhere = q.shape[0], k.shape[0]
    liking = (q * k.index_select(0, place)).sum(1)
    # One place more, "nowhere", for matches that would end beyond the style, and one cell more that has
    # it, for neighbours beyond the border: so nothing has to ask where it is.
    k = F.pad(k, (0, 0, 0, 1))
    place = F.pad(place, (0, 1), value=nowhere)
    beside = neighbours(size).to(q.device)
    onward = continued(grid).to(q.device)
    rows = torch.arange(size[0], device=q.device)[:, None]
    cols = torch.arange(size[1], device=q.device)[None, :]
    halves = [((rows + cols) % 2 == half).flatten() for half in (0, 1)]
    # All of a cell's neighbours are in the other half: as long as none of them has changed since the
    # cell last chose, it would choose the same again; and so it would where all of them agree with it.
    around = onward.gather(1, place.take(beside))
    stirred = ((around != place[:-1]) & (around != nowhere)).any(0)
    for turn in range(2 * ROUNDS):
        cells = (halves[turn % 2] & stirred).nonzero()[:, 0]
        if not cells.numel():
            continue
        offers = onward.gather(1, place.take(beside.index_select(1, cells)))
        mine, own = q.index_select(0, cells), place.index_select(0, cells)
        likeness = (mine * k.index_select(0, offers.flatten()).view(*offers.shape, -1)).sum(-1)
        agreeing = (offers[:, None] == offers).sum(0)
        score = (likeness + COHERENCE * agreeing).masked_fill_(offers == nowhere, -torch.inf)
        top, side = score.max(0)
        was = liking.index_select(0, cells)
        better = top > was + COHERENCE * (offers == own).sum(0)
        best = torch.where(better, offers.gather(0, side[None])[0], own)
        place[cells] = best
        liking[cells] = torch.where(better, likeness.gather(0, side[None])[0], was)
        if turn:
            changed = torch.zeros(count + 1, dtype=torch.bool, device=q.device)
            changed[cells] = best != own
            stirred = changed.index_select(0, beside.flatten()).view(beside.shape).any(0)
    return place[:-1]


def _searches(q: Tensor, k: Tensor, seed: int, found: Tensor) -> list[Callable[[], None]]:
    """Pieces of work, each of which fills in ``found`` for the cells of one random share."""

    def search(members: Tensor, share: Tensor) -> None:
        likeness = q.index_select(0, members) @ k.index_select(0, share).T
        found[members] = share.index_select(0, _largest(likeness))

    dealt = [(m.to(q.device), s.to(q.device)) for m, s in _dealt(q.shape[0], k.shape[0], seed)]
    return [partial(search, members, share) for members, share in dealt if members.numel()]


@lru_cache(maxsize=16)
def _dealt(cells: int, keys: int, seed: int) -> list[tuple[Tensor, Tensor]]:
    """The parties of cells, and the places that each of them searches."""
    generator = torch.Generator().manual_seed(seed)
    places = torch.randperm(keys, generator=generator)[:MOST_KEYS]
    party = torch.randint(PARTIES, (cells,), generator=generator)
    few = places.numel() < 4 * PARTIES
    return [
        ((party == i).nonzero()[:, 0], places if few else places[i::PARTIES].contiguous())
        for i in range(PARTIES)
    ]


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
