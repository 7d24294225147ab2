"""What is laid at matched places: copies where matches agree, soft seams elsewhere, strokes over colours."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from scumble.backend.nn.laying import AROUND, Around, Layer, Texture, lay, strokes
from scumble.backend.nn.transport import Affine


def features(shape: tuple[int, ...], seed: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def laid(layer: Layer, cells: tuple[int, int], channels: int, factor: int) -> torch.Tensor:
    empty = torch.zeros(1, channels, cells[0] * factor, cells[1] * factor)
    return lay(empty, [(layer, 1.0)], cells)[0]


@pytest.mark.parametrize("factor", [1, 2, 4])
def test_laying_a_painting_at_its_own_places_gives_it_back(factor: int) -> None:
    source = features((3, 3 * factor, 5 * factor), 8)
    layer = Texture.of(source, (3, 5)).at(torch.arange(15), (3, 5))
    assert torch.allclose(laid(layer, (3, 5), 3, factor), source, atol=1e-6)


def test_where_matches_disagree_the_seam_is_a_mixture_and_the_middle_a_copy() -> None:
    source = torch.zeros(1, 8, 8)
    source[:, :, 4:] = 1.0
    texture = Texture.of(source, (2, 2))
    row = laid(texture.at(torch.tensor([0, 1]), (1, 2)), (1, 2), 1, 4)[0, 1]
    assert torch.equal(row[:2], torch.zeros(2)) and torch.equal(row[-2:], torch.ones(2))
    swapped = laid(texture.at(torch.tensor([1, 0]), (1, 2)), (1, 2), 1, 4)[0, 1]
    assert swapped[0] == 1 and swapped[-1] == 0 and 0 < swapped[3] < 1


@given(
    st.integers(1, 6), st.integers(1, 6), st.integers(1, 5), st.integers(1, 5),
    st.sampled_from([2, 4]), st.integers(0, 2**31),
)  # fmt: skip
def test_every_position_mixes_what_the_four_cells_around_it_would_continue_to(
    rows: int, cols: int, high: int, wide: int, factor: int, seed: int
) -> None:
    source = features((2, high * factor, wide * factor), seed)
    index = torch.randint(high * wide, (rows * cols,), generator=torch.Generator().manual_seed(seed))
    found = laid(Texture.of(source, (high, wide)).at(index, (rows, cols)), (rows, cols), 2, factor)
    expected = torch.zeros_like(found)
    for y in range(rows * factor):
        for x in range(cols * factor):
            at_y, at_x = (y + 0.5) / factor - 0.5, (x + 0.5) / factor - 0.5
            for cy in (int(at_y // 1), int(at_y // 1) + 1):
                for cx in (int(at_x // 1), int(at_x // 1) + 1):
                    cell_y, cell_x = min(max(cy, 0), rows - 1), min(max(cx, 0), cols - 1)
                    place = int(index[cell_y * cols + cell_x])
                    sy = place // wide * factor + y - cell_y * factor
                    sx = place % wide * factor + x - cell_x * factor
                    sy, sx = min(max(sy, 0), high * factor - 1), min(max(sx, 0), wide * factor - 1)
                    share = (1 - abs(at_y - cy)) * (1 - abs(at_x - cx))
                    expected[:, y, x] += share * source[:, sy, sx]
    assert torch.allclose(found, expected, atol=1e-5)


def test_strokes_and_the_means_around_add_up_to_the_painting() -> None:
    source = features((4, 40, 56), 3)
    around = laid(Around.of(source[None], None).at((10, 14), 4), (10, 14), 4, 4)
    assert torch.allclose(strokes(source) + around, source, atol=1e-5)


def test_an_even_colour_has_no_strokes() -> None:
    assert torch.allclose(strokes(torch.full((2, 37, 24), 0.7)), torch.zeros(2, 37, 24), atol=1e-5)


@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 2**31))
def test_colours_around_do_not_know_what_lies_outside_the_selection(high: int, wide: int, seed: int) -> None:
    """A red table must not show in the colours of the cup that was selected."""
    size = (high * 16, wide * 16)
    weight = (features((1, 1, *size), seed) > 0.7).float()
    weight[..., : size[0] // 2, : size[1] // 2] = 1.0
    inside, outside = 0.2, 5.0
    picture = torch.where(weight > 0, inside, outside).expand(1, 3, -1, -1)
    found = laid(Around.of(picture, weight).at((high * 4, wide * 4), 4), (high * 4, wide * 4), 3, 4)
    squares = F.max_pool2d(weight, AROUND, ceil_mode=True)
    near = F.interpolate(squares, scale_factor=AROUND, mode="bilinear")[0, 0, : size[0], : size[1]] > 0.01
    assert torch.allclose(found[:, near], torch.full((3, int(near.sum())), inside), atol=1e-3)


def test_what_is_laid_counts_by_its_weight_over_what_the_layer_was_changed_to() -> None:
    source = features((3, 8, 8), 1) - 0.5
    layer = Texture.of(source, (2, 2)).at(torch.arange(4), (2, 2))
    onto = features((1, 3, 8, 8), 2)
    change = Affine(0.5 * torch.eye(3).flip(0).double(), torch.tensor([0.1, 0.0, -0.2]).double())
    expected = 0.5 * onto.flip(1) + change.offset.float().view(1, 3, 1, 1) + 0.25 * source[None]
    before = onto.clone()
    assert torch.allclose(lay(onto, [(layer, 0.25)], (2, 2), change=change), expected, atol=1e-6)
    clipped = lay(onto, [(layer, 0.25)], (2, 2), change=change, relu=True)
    assert torch.allclose(clipped, expected.clamp_min(0), atol=1e-6) and float(clipped.min()) == 0
    assert torch.equal(onto, before)


def test_what_was_changed_already_is_laid_on_in_place() -> None:
    source = features((3, 8, 8), 1) - 0.5
    layer = Texture.of(source, (2, 2)).at(torch.arange(4), (2, 2))
    onto = features((1, 3, 8, 8), 2).contiguous(memory_format=torch.channels_last)
    expected = (onto + 0.25 * source[None]).clamp_min(0)
    assert torch.equal(lay(onto, [(layer, 0.25)], (2, 2), relu=True), onto)
    assert torch.allclose(onto, expected, atol=1e-6)
