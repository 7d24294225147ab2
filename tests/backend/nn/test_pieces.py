"""Smooth areas take connected pieces of the painting; where the content says something, it decides."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from matched import coherent_matches
from torch import Tensor
from torch.nn import functional as F

from scumble.backend.nn.matching import Places, first_matches
from scumble.backend.nn.pieces import FLAT, distinctness

DIMS, GRID, SIZE = 12, (40, 56), (48, 40)


def noise(size: tuple[int, int], seed: int, smooth: int = 1) -> Tensor:
    """(DIMS, h*w) centred features that change over ``smooth`` cells."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.randn(1, DIMS, size[0] // smooth + 2, size[1] // smooth + 2, generator=generator)
    fine = F.interpolate(coarse, scale_factor=smooth, mode="bilinear") if smooth > 1 else coarse
    found = fine[0, :, : size[0], : size[1]].reshape(DIMS, -1)
    return found - found.mean(1, keepdim=True)


PAINTING = noise(GRID, 1, smooth=2)
FLAT_SKY = torch.ones(DIMS, SIZE[0] * SIZE[1]) + 1e-3 * noise(SIZE, 2)


def continued(index: Tensor, size: tuple[int, int] = SIZE, grid: tuple[int, int] = GRID) -> Tensor:
    """(H, W - 1): whether a cell goes on where the one to its left left off."""
    place = index.view(size)
    return (place[:, 1:] == place[:, :-1] + 1) & (place[:, 1:] % grid[1] > 0)


def test_a_smooth_sky_is_laid_in_connected_pieces() -> None:
    index = coherent_matches(FLAT_SKY, PAINTING, SIZE, GRID)
    assert float(continued(index).float().mean()) > 0.8


def test_another_seed_takes_other_pieces() -> None:
    one, other = (coherent_matches(FLAT_SKY, PAINTING, SIZE, GRID, seed) for seed in (0, 1))
    assert float((one == other).float().mean()) < 0.4


def test_where_the_content_says_something_its_own_matches_stay() -> None:
    index = torch.randperm(GRID[0] * GRID[1], generator=torch.Generator().manual_seed(3))
    content = PAINTING[:, index[: SIZE[0] * SIZE[1]]]
    found = first_matches(content, Places.of(PAINTING, GRID), SIZE, 0)
    own = F.normalize(PAINTING.T[found.place], dim=1)
    likeness = (F.normalize(content.T, dim=1) * own).sum(1)
    assert float(likeness.mean()) > 0.75


def test_likeness_is_worth_little_in_the_smooth_half_and_all_of_it_in_the_other() -> None:
    rows = torch.arange(SIZE[0]).repeat_interleave(SIZE[1])
    lower = rows >= SIZE[0] // 2
    usual = Places.of(PAINTING, GRID).blocks.usual
    worth = distinctness(torch.where(lower, 3 * noise(SIZE, 5), FLAT_SKY), SIZE, usual)
    assert float(worth.min()) >= FLAT and float(worth.max()) <= 1
    assert float(worth[rows < SIZE[0] // 2 - 2].max()) < FLAT + 0.01
    assert float(worth[rows > SIZE[0] // 2 + 2].mean()) > 0.95


@settings(max_examples=40, deadline=None)
@given(
    st.tuples(st.integers(1, 20), st.integers(1, 20)),
    st.tuples(st.integers(1, 20), st.integers(1, 20)),
    st.integers(0, 9),
)
def test_whatever_the_sizes_every_cell_gets_a_place_of_the_painting(
    size: tuple[int, int], grid: tuple[int, int], seed: int
) -> None:
    index = coherent_matches(noise(size, seed), noise(grid, seed + 1), size, grid, seed)
    assert index.shape == (size[0] * size[1],)
    assert int(index.min()) >= 0 and int(index.max()) < grid[0] * grid[1]
