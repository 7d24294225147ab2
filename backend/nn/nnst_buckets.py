"""Matching again and again while a picture changes little: an inverted file over a style's places.

Places are dealt into buckets by direction (spherical k-means), and a query looks into the buckets whose
centres are nearest only (Sivic and Zisserman 2003; Jegou et al. 2011).  What such a search misses, the
match from before keeps, and the next search may find.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from .nnst_matching import Searcher, largest

#: Places that the centres are found from, at most, and how often they move.
SAMPLE, ROUNDS = 8192, 4
#: Fewest places a bucket should have on average, and most buckets.
LEAST, MOST = 32, 256


@dataclass(frozen=True)
class Buckets:
    """A :class:`Searcher`'s places, bucket after bucket.

    :param centres: (K, D), unit length.
    :param places: (M,) the searcher's places in this order.
    :param keys: (M, D) theirs.
    :param starts: where each bucket begins, and one past the last place: K + 1 numbers.
    """

    searcher: Searcher
    centres: Tensor
    places: Tensor
    keys: Tensor
    starts: tuple[int, ...]

    @classmethod
    def of(cls, searcher: Searcher, *, seed: int = 0) -> Buckets:
        """Deal out all places that may be chosen; about as many buckets as places in one."""
        places = searcher.places()
        keys = searcher.keys[places]
        total = places.numel()
        count = max(1, min(MOST, total // LEAST, round(total**0.5)))
        generator = torch.Generator().manual_seed(seed & 0x7FFFFFFF)
        order = torch.randperm(total, generator=generator).to(places.device)
        sample, centres = keys[order[:SAMPLE]], keys[order[:count]]
        for _ in range(ROUNDS):
            nearest = (sample @ centres.T).argmax(1)
            moved = torch.zeros_like(centres).index_add_(0, nearest, sample)
            # An empty bucket keeps its centre.
            centres = torch.where(moved.abs().sum(1, True) > 0, F.normalize(moved, dim=1), centres)
        bucket = torch.cat([(part @ centres.T).argmax(1) for part in keys.split(SAMPLE)])
        order = bucket.argsort()
        sizes = torch.bincount(bucket, minlength=count)
        starts = (0, *(int(n) for n in sizes.cumsum(0)))
        return cls(searcher, centres, places[order], keys[order].contiguous(), starts)

    def search(
        self, queries: Tensor, ranks: Sequence[int], tick: Callable[[], None] = lambda: None
    ) -> tuple[Tensor, Tensor]:
        """The best place in some of the buckets that are nearest to each query: (place, score), (N,) each.

        :param queries: (N, D), of unit length.
        :param ranks: which of a query's nearest buckets it looks into; 0 is the nearest.
        """
        tick()
        count = self.centres.shape[0]
        ranks = [r for r in ranks if r < count] or [0]
        nearest = (queries @ self.centres.T).topk(max(ranks) + 1, 1).indices[:, ranks]
        order = nearest.flatten().argsort()
        which = torch.div(order, len(ranks), rounding_mode="floor")
        rows = queries[which]
        ends = torch.bincount(nearest.flatten(), minlength=count).cumsum(0).tolist()
        place = torch.zeros(order.numel(), dtype=torch.int64, device=queries.device)
        score = torch.full((order.numel(),), -torch.inf, device=queries.device)
        first = 0
        for i, last in enumerate(ends):
            start, stop = self.starts[i], self.starts[i + 1]
            if last > first and stop > start:
                self._look(rows, slice(first, last), slice(start, stop), place, score)
            first = last
        found = torch.empty_like(place)
        found[order] = place
        scores = torch.empty_like(score)
        scores[order] = score
        best, at = scores.view(-1, len(ranks)).max(1)
        return found.view(-1, len(ranks)).gather(1, at[:, None])[:, 0], best

    def _look(self, rows: Tensor, own: slice, bucket: slice, place: Tensor, score: Tensor) -> None:
        product = rows[own] @ self.keys[bucket].T
        places = self.places[bucket]
        if self.searcher.bonus is not None:
            product = product * self.searcher.weight + self.searcher.bonus[places]
        score[own], index = largest(product)
        place[own] = places[index]
