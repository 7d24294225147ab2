"""Blocks of a smooth area have regard for each other: nothing twice nearby, no cuts in step with the grid."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from matched import coherent_matches
from torch import Tensor
from torch.nn import functional as F

from scumble.backend.nn.pieces import BLOCK, STRIDE, Blocks
from scumble.backend.nn.quilting import AGAIN, GOES_ON, NEARBY, arranged, spread_out

DIMS, GRID, MANY = 12, (48, 56), (6, 7)
SIZE = (MANY[0] * BLOCK, MANY[1] * BLOCK)


def painting(grid: tuple[int, int] = GRID) -> Tensor:
    """(DIMS, h*w) centred features without connection."""
    features = torch.randn(DIMS, grid[0] * grid[1], generator=torch.Generator().manual_seed(1))
    return features - features.mean(1, keepdim=True)


BLOCKS = Blocks.of(painting(), GRID)
PIECES = BLOCKS.keys.shape[0]


def begins(found: Tensor) -> list[tuple[int, int]]:
    """Where pieces begin in the painting, in cells."""
    top, left = BLOCKS.begins(found)
    return list(zip(top.tolist(), left.tolist(), strict=True))


def piece_at(row: int, col: int) -> int:
    """The number of the piece that begins at a cell of the painting."""
    return row // STRIDE * BLOCKS.grid[1] + col // STRIDE


def liked(many: tuple[int, int], piece: int, worth: float) -> Tensor:
    """What pieces are worth to blocks that all prefer the same one by so much."""
    likes = torch.zeros(many[0] * many[1], PIECES)
    likes[:, piece] = worth
    return likes


def overlap(one: tuple[int, int], other: tuple[int, int]) -> float:
    """The share of one piece that another holds too."""
    shares = [max(0.0, 1 - abs(a - b) / BLOCK) for a, b in zip(one, other, strict=True)]
    return shares[0] * shares[1]


def test_a_plain_sky_holds_nothing_twice_within_sight() -> None:
    sky = torch.ones(DIMS, SIZE[0] * SIZE[1])
    place = coherent_matches(sky, painting(), SIZE, GRID).view(SIZE)
    reach = NEARBY * BLOCK
    framed = F.pad(place, (reach,) * 4, value=-1)
    copies = torch.zeros(SIZE, dtype=torch.bool)
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            if max(abs(dy), abs(dx)) > 2:
                moved = framed[reach + dy : reach + dy + SIZE[0], reach + dx : reach + dx + SIZE[1]]
                copies |= moved == place
    assert float(copies.float().mean()) < 0.15


def test_a_block_lays_another_piece_where_its_neighbour_has_the_one_they_like() -> None:
    one, other = begins(arranged(liked((1, 2), 40, 0.9 * AGAIN), BLOCKS, (1, 2)))
    assert overlap(one, other) == 0


def test_a_block_lays_the_same_piece_where_no_other_will_do() -> None:
    found = arranged(liked((1, 2), 40, 1.1 * (AGAIN + GOES_ON)), BLOCKS, (1, 2))
    assert found.tolist() == [40, 40]


def test_the_same_piece_comes_again_out_of_sight() -> None:
    many = (1, NEARBY + 2)
    likes = torch.zeros(many[1], PIECES)
    likes[[0, -1], 40] = 0.9 * AGAIN
    found = arranged(likes, BLOCKS, many).tolist()
    assert found[0] == found[-1] == 40


def test_a_piece_goes_on_into_the_next_block() -> None:
    likes = torch.zeros(2, PIECES)
    likes[0, piece_at(16, 8)] = 2.0
    found = arranged(likes, BLOCKS, (1, 2))
    assert begins(found) == [(16, 8), (16, 8 + BLOCK)]


def test_pieces_meet_along_slanted_lines() -> None:
    sky = torch.ones(DIMS, SIZE[0] * SIZE[1])
    place = coherent_matches(sky, painting(), SIZE, GRID).view(SIZE)
    cuts = place[:, 1:] != place[:, :-1] + 1
    # Were blocks squares, all would lie there.
    assert float(cuts[:, BLOCK - 1 :: BLOCK].sum() / cuts.sum()) < 0.5


@settings(max_examples=40, deadline=None)
@given(
    st.tuples(st.integers(1, 7), st.integers(1, 7)),
    st.tuples(st.integers(BLOCK, 24), st.integers(BLOCK, 24)),
    st.tuples(st.integers(0, BLOCK - 1), st.integers(0, BLOCK - 1)),
    st.integers(0, 9),
)
def test_whatever_the_sizes_cells_lie_in_the_painting_as_their_pieces_do(
    many: tuple[int, int], grid: tuple[int, int], less: tuple[int, int], seed: int
) -> None:
    blocks = Blocks.of(painting(grid), grid)
    size = (many[0] * BLOCK - less[0], many[1] * BLOCK - less[1])
    generator = torch.Generator().manual_seed(seed)
    likes = torch.rand(many[0] * many[1], blocks.keys.shape[0], generator=generator)
    found = arranged(likes, blocks, many)
    place = spread_out(found, blocks, many, size, grid).view(size)
    assert int(place.min()) >= 0 and int(place.max()) < grid[0] * grid[1]
    # Whatever block it went to, a cell lies where that block's piece would go on to.
    top, left = blocks.begins(found)
    rows, cols = torch.arange(size[0])[:, None, None], torch.arange(size[1])[:, None]
    number = torch.arange(many[0] * many[1])
    at_row = top + rows - number // many[1] * BLOCK
    at_col = left + cols - number % many[1] * BLOCK
    fits = (at_row == (place // grid[1])[..., None]) & (at_col == (place % grid[1])[..., None])
    assert bool(fits.any(-1).all())
