"""Which place of the style each place of the content borrows from, without the full distance matrix.

Zero-centred cosine of hypercolumns (Kolkin et al. 2022, equation 2), in a projection on principal
directions and in blocks, so that memory does not grow with content times style.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

#: Products of one block, at most: 64 MB of float32, and on a CPU what stays in its cache.
BLOCK, BLOCK_CPU = 1 << 24, 1 << 20
#: On a CPU the largest product is looked for in groups of so many first: where it lies costs more to find
#: than how large it is.
GROUP = 64
#: Dimensions of the projection that matching happens in.
DIMS = 96


@dataclass(frozen=True)
class Grids:
    """Where the rows of a style's hypercolumns lie: several pictures or orientations, one after the other.

    :param shapes: (rows, columns) of each.
    """

    shapes: tuple[tuple[int, int], ...]

    @property
    def starts(self) -> tuple[int, ...]:
        """Index of each grid's first place, and of one past the last."""
        found = [0]
        for height, width in self.shapes:
            found.append(found[-1] + height * width)
        return tuple(found)

    @property
    def count(self) -> int:
        """Places in all."""
        return self.starts[-1]

    def coordinates(self) -> tuple[Tensor, Tensor, Tensor]:
        """(grid, row, column) of every place, int64."""
        grid, row, column = [], [], []
        for i, (height, width) in enumerate(self.shapes):
            grid.append(torch.full((height * width,), i))
            row.append(torch.arange(height).repeat_interleave(width))
            column.append(torch.arange(width).repeat(height))
        return torch.cat(grid), torch.cat(row), torch.cat(column)

    def doubled(self, factor: int) -> Grids:
        """The same grids ``factor`` times finer."""
        return Grids(tuple((h * factor, w * factor) for h, w in self.shapes))


def principal(rows: Tensor, dims: int) -> Tensor:
    """Principal directions of centred (M, C) rows: (C, dims), columns orthonormal."""
    rows = rows.float()
    _, vectors = torch.linalg.eigh((rows.T @ rows).double())
    return vectors[:, -dims:].to(rows.dtype).contiguous()


def nearest(
    queries: Tensor,
    keys: Tensor,
    *,
    bonus: Tensor | None = None,
    weight: float = 1.0,
    tick: Callable[[], None] = lambda: None,
) -> tuple[Tensor, Tensor]:
    """For each query the key with the largest ``weight`` x cosine + bonus.

    :param queries: (N, D), centred; their lengths do not matter.
    :param keys: (M, D), centred and of unit length.
    :param bonus: (M,) added to every product, such as the guidance of a style mask.
    :param tick: called before each block; may raise to stop the work.
    :returns: (index, score), (N,) each.
    """
    step = max(1, (BLOCK if keys.is_cuda else BLOCK_CPU) // max(1, keys.shape[0]))
    units = F.normalize(queries, dim=1)
    if weight != 1.0:
        units = units * weight
    found, scores = [], []
    for start in range(0, units.shape[0], step):
        tick()
        block = units[start : start + step]
        product = block @ keys.T if bonus is None else torch.addmm(bonus, block, keys.T)
        score, index = largest(product)
        found.append(index)
        scores.append(score)
    if not found:
        empty = torch.zeros(0, device=queries.device)
        return empty.long(), empty
    return torch.cat(found), torch.cat(scores)


def largest(product: Tensor) -> tuple[Tensor, Tensor]:
    """(largest of each row, where it is) of an (N, M) table."""
    count = product.shape[1] // GROUP
    if product.is_cuda or count < 4:
        found = product.max(1)
        return found.values, found.indices
    groups = product[:, : count * GROUP].unflatten(1, (count, GROUP))
    best, which = groups.amax(2).max(1)
    chosen = groups.gather(1, which[:, None, None].expand(-1, 1, GROUP))[:, 0]
    index = which * GROUP + chosen.argmax(1)
    if product.shape[1] > count * GROUP:
        rest = product[:, count * GROUP :].max(1)
        index = torch.where(rest.values > best, rest.indices + count * GROUP, index)
        best = torch.maximum(rest.values, best)
    return best, index


@dataclass(frozen=True)
class Searcher:
    """The style's side of matching: projected, centred, normalised keys.

    :param mean: (C,), of the style's hypercolumns (under its mask).
    :param basis: (C, D).
    :param keys: (M, D), unit length.
    :param allowed: (K,) places that may be chosen, or ``None`` for all.
    :param bonus: (M,) guidance, or ``None``.
    :param weight: what cosine counts beside it.
    """

    mean: Tensor
    basis: Tensor
    keys: Tensor
    grids: Grids
    allowed: Tensor | None = None
    bonus: Tensor | None = None
    weight: float = 1.0

    @classmethod
    def of(
        cls,
        rows: Tensor,
        grids: Grids,
        *,
        dims: int = DIMS,
        mask: Tensor | None = None,
        guide: float = 1.0,
    ) -> Searcher:
        """Prepare (M, C) hypercolumns for being searched.

        :param mask: (M,) in [0, 1]: the part of the painting to match.
        :param guide: 1: nothing outside the mask is chosen; less: cost is (1 - guide) x cosine
            distance + guide x distance in the mask (section 5 of the paper has one half each).
        """
        allowed = bonus = None
        weight = 1.0
        if mask is not None:
            if guide >= 1.0:
                allowed = (mask > 0.5 * float(mask.max())).nonzero()[:, 0]
            else:
                bonus, weight = guide * (mask.float() - 1.0), 1.0 - guide
        seen = rows if allowed is None else rows[allowed]
        mean = (seen.float() if bonus is None else _weighted(seen, mask)).mean(0)
        # A regular share of the places is enough to find the directions.
        step = max(1, seen.shape[0] // 16384)
        basis = principal(seen[::step].float() - mean, min(dims, rows.shape[1]))
        keys = torch.cat([(part.float() - mean) @ basis for part in rows.split(16384)])
        return cls(mean, basis, F.normalize(keys, dim=1), grids, allowed, bonus, weight)

    def project(self, rows: Tensor, mean: Tensor | None = None) -> Tensor:
        """Queries: (N, C) hypercolumns, centred on their own mean and projected: (N, D)."""
        rows = rows.float()
        return (rows - (rows.mean(0) if mean is None else mean)) @ self.basis

    def places(self) -> Tensor:
        """Indices of all places that may be chosen."""
        if self.allowed is not None:
            return self.allowed
        return torch.arange(self.keys.shape[0], device=self.keys.device)

    def among(
        self, queries: Tensor, places: Tensor, tick: Callable[[], None] = lambda: None
    ) -> tuple[Tensor, Tensor]:
        """The best of the given places for each projected query: (index, score)."""
        bonus = None if self.bonus is None else self.bonus[places]
        index, score = nearest(queries, self.keys[places], bonus=bonus, weight=self.weight, tick=tick)
        return places[index], score

    def score(self, queries: Tensor, places: Tensor) -> Tensor:
        """What :meth:`nearest` maximises, for one place of each unit-length query: (N,)."""
        found = torch.linalg.vecdot(queries, self.keys[places]) * self.weight
        return found if self.bonus is None else found + self.bonus[places]


def _weighted(rows: Tensor, mask: Tensor | None) -> Tensor:
    if mask is None:
        return rows.float()
    return rows.float() * (mask / mask.mean().clamp_min(1e-6))[:, None].to(rows.device)


def match(
    searcher: Searcher,
    queries: Tensor,
    *,
    most: int = 1 << 30,
    parties: int = 1,
    seed: int = 0,
    tick: Callable[[], None] = lambda: None,
) -> tuple[Tensor, Tensor]:
    """Match projected queries: (index, score).

    :param most: of the style's places, at most so many are searched (a seeded share of them).
    :param parties: deal the places into so many random shares, and let each query search one: equal
        queries then find different places instead of all the same one, and the search is quicker.
    """
    places = searcher.places()
    generator = torch.Generator().manual_seed(seed & 0x7FFFFFFF)
    if places.numel() > most or parties > 1:
        order = torch.randperm(places.numel(), generator=generator)[:most].to(places.device)
        places = places[order]
    parties = max(1, min(parties, places.numel() // 64))
    if parties == 1:
        return searcher.among(queries, places, tick)
    party = torch.randint(parties, (queries.shape[0],), generator=generator).to(queries.device)
    index = torch.zeros(queries.shape[0], dtype=torch.int64, device=queries.device)
    score = torch.zeros(queries.shape[0], device=queries.device)
    for i in range(parties):
        members = (party == i).nonzero()[:, 0]
        index[members], score[members] = searcher.among(queries[members], places[i::parties], tick)
    return index, score


def cohere(
    searcher: Searcher,
    queries: Tensor,
    index: Tensor,
    cells: Tensor,
    size: tuple[int, int],
    *,
    worth: float,
    rounds: int = 4,
    tick: Callable[[], None] = lambda: None,
) -> Tensor:
    """Draw matches together: neighbours that continue each other's place make one long stroke.

    After Ashikhmin 2001: each round, every cell may take over the place that continues a
    neighbour's match if its score plus ``worth`` for each agreeing neighbour grows.  Cells are
    visited in two interleaved sets, so the total never falls.

    :param queries: (N, D), projected.
    :param index: (N,) matches to start from.
    :param cells: (N,) which cell of the (H, W) = ``size`` grid each query is.
    """
    if worth <= 0 or index.numel() == 0:
        return index
    units = F.normalize(queries, dim=1)
    height, width = size
    grid, row, column = (t.to(index.device) for t in searcher.grids.coordinates())
    shapes = torch.tensor(searcher.grids.shapes, device=index.device)
    usable = torch.ones(searcher.keys.shape[0], dtype=torch.bool, device=index.device)
    if searcher.allowed is not None:
        usable.zero_()
        usable[searcher.allowed] = True
    board = torch.full((height + 2, width + 2), -1, dtype=torch.int64, device=index.device)
    rows = torch.div(cells, width, rounding_mode="floor") + 1
    columns = cells % width + 1
    board[rows, columns] = index
    halves = [((rows + columns) % 2 == half).nonzero()[:, 0] for half in (0, 1)]
    for turn in range(2 * rounds):
        tick()
        half = halves[turn % 2]
        y, x, mine = rows[half], columns[half], units[half]
        offers = []
        for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0)):
            theirs = board[y - dy, x - dx]
            known = theirs.clamp_min(0)
            to_y, to_x = row[known] + dy, column[known] + dx
            shape = shapes[grid[known]]
            inside = (theirs >= 0) & (to_y >= 0) & (to_x >= 0) & (to_y < shape[:, 0]) & (to_x < shape[:, 1])
            place = torch.where(inside, known + dy * shape[:, 1] + dx, 0)
            offers.append(torch.where(inside & usable[place], place, -1))
        own = board[y, x]
        best, best_score = own, torch.full(own.shape, -torch.inf, device=index.device)
        for candidate in (own, *offers):
            agree = torch.stack([candidate == o for o in offers]).sum(0).float()
            score = searcher.score(mine, candidate.clamp_min(0)) + worth * agree
            score = torch.where(candidate >= 0, score, -torch.inf)
            better = score > best_score
            best, best_score = torch.where(better, candidate, best), torch.where(better, score, best_score)
        board[y, x] = best
    return board[rows, columns]


def shared_out(scores: Sequence[Tensor], shares: Sequence[float], rounds: int = 40) -> Tensor:
    """Deal cells to several pictures in given proportions, each where it fits best: (N,) int64.

    :param scores: (N,) per picture: how well its best match fits.
    :param shares: of the cells that each picture should get; they add up to one.

    An auction: a picture with too few cells gets a bonus, one with too many a malus.
    """
    table = torch.stack([s - s.mean() for s in scores])
    wanted = torch.tensor(shares, device=table.device, dtype=table.dtype)
    bonus = torch.zeros_like(wanted)
    step = float(table.std().clamp_min(1e-4))
    chosen = table.argmax(0)
    for _ in range(rounds):
        chosen = (table + bonus[:, None]).argmax(0)
        got = torch.bincount(chosen, minlength=len(shares)).to(table) / max(1, chosen.numel())
        bonus = bonus + step * 2.0 * (wanted - got)
        step *= 0.95
    return chosen


def upsampled(index: Tensor, grids: Grids, size: tuple[int, int], factor: int) -> Tensor:
    """A nearest-neighbour field ``factor`` times finer: each cell's block continues where it points.

    :param index: (H*W,) places in ``grids``; -1 stays -1.
    :param size: (H, W).
    :returns: (H*factor * W*factor,) places in ``grids.doubled(factor)``.
    """
    grid, row, column = (t.to(index.device) for t in grids.coordinates())
    fine = grids.doubled(factor)
    starts = torch.tensor(fine.starts, device=index.device)
    widths = torch.tensor([w for _, w in fine.shapes], device=index.device)
    field = index.view(size).repeat_interleave(factor, 0).repeat_interleave(factor, 1)
    known = field.clamp_min(0)
    step_y = torch.arange(size[0] * factor, device=index.device) % factor
    step_x = torch.arange(size[1] * factor, device=index.device) % factor
    y = row[known] * factor + step_y[:, None]
    x = column[known] * factor + step_x[None, :]
    which = grid[known]
    found = starts[which] + y * widths[which] + x
    return torch.where(field >= 0, found, -1).flatten()
