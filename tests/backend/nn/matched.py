"""Matching as a whole, as a region's brushwork is matched."""

from __future__ import annotations

from torch import Tensor

from scumble.backend.nn.matching import Places, drawn_together, first_matches


def coherent_matches(
    queries: Tensor, keys: Tensor, size: tuple[int, int], grid: tuple[int, int], seed: int = 0
) -> Tensor:
    """Where each of (C, H*W) queries is matched among (C, h*w) keys: (H*W,)."""
    return drawn_together(first_matches(queries, Places.of(keys, grid), size, seed), size, grid)
