"""Feature splitting: at the end of a descent every layer of the network is compared with matches of its own.

Searching all places for every layer at every step is what makes the published pass slow; but matches that lag
behind the picture hold it back.  So half of the layers look anew at each step, each place only into the
buckets of the painting that are nearest to it, and what they had stays where they find nothing better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from scumble.backend.nn.nnst_buckets import Buckets
from scumble.backend.nn.nnst_matching import Grids, Searcher

from .nnst_descent import Descent, Target, Tile

#: Adam's rate at the first step: matches move with the picture, so it may move further than with fixed ones.
RATE = 6e-3
#: Principal directions that a layer is matched in, at most.
DIMS = 64
#: A layer's matches are looked for anew after so many steps (published: each); layers take turns.
EVERY = 2
#: At first a place looks into so many of its nearest buckets; then into the nearest, and by turns into
#: ``MORE`` of the ``RANKS`` next.
FIRST, MORE, RANKS = 4, 2, 4


class Splitting:
    """Follows a picture with the matches of every layer; see the module.

    :param target: changed in place; its slices are the layers, see :func:`split_target`.
    :param masks: per region which part of the painting is matched, and how strictly.
    """

    def __init__(
        self,
        descent: Descent,
        target: Target,
        masks: Sequence[tuple[Tensor | None, float]],
        grids: Sequence[Grids],
        seed: int,
    ) -> None:
        self.target = target
        self.tick = descent.context.checkpoint
        self.buckets: list[list[Buckets]] = []
        for rows, (mask, guide), grid in zip(target.rows, masks, grids, strict=True):
            own = []
            for part in target.slices:
                self.tick()
                searcher = Searcher.of(rows[:, part], grid, dims=DIMS, mask=mask, guide=guide)
                own.append(Buckets.of(searcher, seed=seed))
            self.buckets.append(own)
        self._sums: dict[tuple[int, int], dict[Tile, tuple[Tensor, int]]] = {}

    @torch.no_grad()
    def __call__(self, step: int, tile: Tile, found: Sequence[Tensor]) -> None:
        """Look for better matches of a tile's cells; ``found`` is (C, N) of every layer."""
        for r, buckets in enumerate(self.buckets):
            index = self.target.index[r]
            mine = (index[0, tile.cells] >= 0).nonzero()[:, 0]
            if mine.numel() == 0:
                continue
            cells = tile.cells[mine]
            for i, (bucket, features) in enumerate(zip(buckets, found, strict=True)):
                if step and (step + i) % EVERY:
                    continue
                own = features if mine.numel() == tile.cells.numel() else features[:, mine]
                queries = self._queries(bucket.searcher, own, tile, (r, i))
                place, score = bucket.search(queries, _ranks(step), self.tick)
                before = index[i, cells]
                better = score > bucket.searcher.score(queries, before)
                index[i, cells] = torch.where(better, place, before)
        self.target.turn += 1

    def _queries(self, searcher: Searcher, own: Tensor, tile: Tile, key: tuple[int, int]) -> Tensor:
        """A tile's (C, N) features, centred on what all tiles showed last, projected and of unit length."""
        sums = self._sums.setdefault(key, {})
        sums[tile] = own.sum(1), own.shape[1]
        mean = torch.stack([s for s, _ in sums.values()]).sum(0) / sum(n for _, n in sums.values())
        return F.normalize(searcher.project(own.T, mean), dim=1)


def _ranks(step: int) -> list[int]:
    if step == 0:
        return list(range(FIRST))
    turn = step // EVERY * MORE
    return [0, *sorted({1 + (turn + k) % RANKS for k in range(MORE)})]


def split_target(target: Target, slices: Sequence[slice]) -> Target:
    """The same matches, one copy a layer, to start feature splitting from."""
    index = [i.expand(len(slices), -1).clone() for i in target.index]
    return replace(target, slices=slices, index=index)
