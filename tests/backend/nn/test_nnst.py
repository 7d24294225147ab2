"""The parts of neural neighbour style transfer: matching, pyramids, votes, colours."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import color, data
from torch.nn import functional as F

from scumble.backend.models.bundled import bundled
from scumble.backend.nn import nnst_matching as matching
from scumble.backend.nn.nnst_colour import from_oklab, guided_colours, is_monochrome, oklab
from scumble.backend.nn.nnst_decoder import StrokeDecoder, _window, as_image, cells_of, vote
from scumble.backend.nn.nnst_features import CELL, Hypercolumns, grid_of
from scumble.backend.nn.nnst_matching import Grids, Searcher
from scumble.backend.nn.nnst_pyramid import collapse, laplacian, without_detail


def picture(image: np.ndarray, side: int = 96) -> torch.Tensor:
    x = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).float() / 255
    return F.interpolate(x[None], (side, side), mode="bilinear", antialias=True)[0].clamp(0, 1)


PHOTO = picture(data.astronaut())
STYLE = picture(data.coffee())


@pytest.fixture(scope="module")
def net() -> Hypercolumns:
    return Hypercolumns.frozen(bundled("nnst-encoder"))


def brute_force(queries: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
    table = torch.empty(queries.shape[0], keys.shape[0], dtype=torch.float64)
    for i, q in enumerate(queries.double()):
        for j, k in enumerate(keys.double()):
            table[i, j] = (q @ k) / (q.norm() * k.norm()).clamp_min(1e-12)
    return table


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 9), st.integers(1, 40), st.integers(2, 6), st.integers(0, 10_000), st.integers(1, 40),
    st.integers(1, 9),
)  # fmt: skip
def test_nearest_is_what_brute_force_finds_whatever_the_block(
    count: int, places: int, dims: int, seed: int, block: int, group: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    queries = torch.randn(count, dims, generator=generator)
    keys = torch.randn(places, dims, generator=generator)
    before = matching.BLOCK_CPU, matching.GROUP
    matching.BLOCK_CPU, matching.GROUP = block, group
    try:
        index, score = matching.nearest(queries, F.normalize(keys, dim=1))
    finally:
        matching.BLOCK_CPU, matching.GROUP = before
    table = brute_force(queries, keys)
    best = table.max(1).values
    assert torch.allclose(table.gather(1, index[:, None])[:, 0], best, atol=1e-5)
    assert torch.allclose(score.double(), best, atol=1e-5)


def test_matches_in_the_projection_are_as_good_as_exact_ones(net: Hypercolumns) -> None:
    """At least 95 % have a cosine within 0.02 of the exact best."""
    rows, queries = net(STYLE).flatten(1).T, net(PHOTO).flatten(1).T
    searcher = Searcher.of(rows, Grids((grid_of(STYLE),)))
    index, _ = matching.match(searcher, searcher.project(queries))
    q, k = F.normalize(queries - queries.mean(0), dim=1), F.normalize(rows - rows.mean(0), dim=1)
    table = q @ k.T
    loss = table.max(1).values - table.gather(1, index[:, None])[:, 0]
    assert float((loss <= 0.02).float().mean()) >= 0.95


def test_a_hard_mask_is_never_left_and_a_soft_one_only_leans(net: Hypercolumns) -> None:
    rows, queries = net(STYLE).flatten(1).T, net(PHOTO).flatten(1).T
    height, width = grid_of(STYLE)
    mask = (torch.arange(height * width) % width < width // 3).float()
    inside = []
    for guide in (0.0, 0.5, 1.0):
        searcher = Searcher.of(rows, Grids(((height, width),)), mask=mask, guide=guide)
        index, _ = matching.match(searcher, searcher.project(queries))
        inside.append(float(mask[index].mean()))
    assert inside[0] < inside[1] <= inside[2] == 1.0


def test_coherence_only_ever_improves_what_it_counts_and_stays_in_the_style(net: Hypercolumns) -> None:
    rows, queries = net(STYLE).flatten(1).T, net(PHOTO).flatten(1).T
    size = grid_of(STYLE)
    searcher = Searcher.of(rows, Grids((size,)))
    projected = searcher.project(queries)
    index, _ = matching.match(searcher, projected, parties=4, seed=3)
    cells = torch.arange(index.numel())
    units = F.normalize(projected, dim=1)

    def total(places: torch.Tensor) -> float:
        board = places.view(size)
        side = ((board[:, 1:] - board[:, :-1]) == 1) & (board[:, 1:] % size[1] > 0)
        down = (board[1:] - board[:-1]) == size[1]
        # Each agreeing pair counts for both of its cells.
        return float(searcher.score(units, places).sum()) + 0.1 * 2 * int(side.sum() + down.sum())

    better = matching.cohere(searcher, projected, index, cells, size, worth=0.1)
    assert int(better.min()) >= 0 and int(better.max()) < rows.shape[0]
    assert total(better) > total(index)
    assert torch.equal(matching.cohere(searcher, projected, index, cells, size, worth=0.0), index)


def test_a_blend_gives_each_picture_its_share() -> None:
    generator = torch.Generator().manual_seed(1)
    scores = [torch.rand(4000, generator=generator), 0.5 + torch.rand(4000, generator=generator)]
    chosen = matching.shared_out(scores, (0.7, 0.3))
    assert abs(float((chosen == 0).float().mean()) - 0.7) < 0.03


@given(st.integers(2, 70), st.integers(2, 70), st.integers(0, 8))
@settings(max_examples=40, deadline=None)
def test_a_pyramid_gives_the_picture_back(height: int, width: int, levels: int) -> None:
    image = torch.rand(3, height, width, generator=torch.Generator().manual_seed(height * width))
    assert torch.allclose(collapse(laplacian(image, levels)), image, atol=1e-5)


def test_without_its_finest_bands_a_picture_is_smoother() -> None:
    rough = (PHOTO[:, 1:] - PHOTO[:, :-1]).abs().mean()
    smooth = without_detail(PHOTO, 2)
    assert (smooth[:, 1:] - smooth[:, :-1]).abs().mean() < 0.7 * rough
    assert float((smooth.mean() - PHOTO.mean()).abs()) < 1e-2


def test_a_field_taken_to_a_larger_size_continues_inside_every_cell() -> None:
    grids = Grids(((3, 4), (2, 5)))
    index = torch.tensor([0, 5, 12 + 7, -1])
    fine = matching.upsampled(index, grids, (2, 2), 2).view(4, 4)
    grid, row, column = grids.doubled(2).coordinates()
    for y in range(4):
        for x in range(4):
            place, source = int(fine[y, x]), int(index[(y // 2) * 2 + x // 2])
            if source < 0:
                assert place == -1
                continue
            old = [int(t[source]) for t in grids.coordinates()]
            assert int(grid[place]) == old[0]
            assert (int(row[place]), int(column[place])) == (2 * old[1] + y % 2, 2 * old[2] + x % 2)


def test_votes_of_a_picture_for_itself_are_the_picture() -> None:
    size = grid_of(STYLE)
    field = torch.arange(size[0] * size[1]).view(size)
    votes, spread = vote(cells_of([STYLE]), Grids((size,)), field)
    assert torch.allclose(as_image(votes), STYLE, atol=1e-5)
    assert float(spread.max()) < 1e-3


@pytest.mark.parametrize("cell", [4, 8, 16])
def test_votes_count_alike_everywhere_in_sum_and_in_squares(cell: int) -> None:
    """Otherwise the mean of unlike votes would be livelier in the middle of a cell than at its corners."""
    window = _window(torch.device("cpu"), cell).double()
    for total in (window.sum(0), window.square().sum(0)):
        assert torch.allclose(total, total.mean().expand_as(total), rtol=1e-5)


def test_an_untrained_decoder_returns_the_votes_and_knows_its_own_weights() -> None:
    decoder = StrokeDecoder(20, 8, 16, 1)
    votes = torch.rand(1, 48, 6, 5)
    out = decoder(torch.rand(1, 20, 6, 5), votes, votes, torch.zeros(1, 1, 6, 5))
    assert torch.allclose(out[0], as_image(votes[0]), atol=1e-6)
    again = StrokeDecoder.from_tensors({f"decoder.{k}": v for k, v in decoder.state_dict().items()})
    assert torch.equal(again.project.weight, decoder.project.weight)


def test_hypercolumns_of_a_part_are_those_of_the_whole_beyond_their_reach(net: Hypercolumns) -> None:
    """What tiles rely on: no cell sees farther than ``reach`` pixels."""
    wide = picture(data.astronaut(), 160)
    whole, part = net(wide), net(wide[:, 32:, 32:])
    margin = -(-net.reach // CELL)
    inner = (slice(None), slice(margin, None), slice(margin, None))
    assert torch.allclose(whole[:, 8:, 8:][inner], part[inner], atol=1e-4)


def test_oklab_agrees_with_its_published_values_and_inverts() -> None:
    white, red = torch.ones(3, 1, 1), torch.tensor([1.0, 0.0, 0.0]).view(3, 1, 1)
    assert torch.allclose(oklab(white).flatten(), torch.tensor([1.0, 0.0, 0.0]), atol=1e-3)
    assert torch.allclose(oklab(red).flatten(), torch.tensor([0.62796, 0.22486, 0.12585]), atol=1e-3)
    assert torch.allclose(from_oklab(oklab(PHOTO)), PHOTO, atol=1e-3)


def test_guided_colours_keep_lightness_and_take_the_styles_spread_of_hues() -> None:
    """Against a direct formula: per-axis standard deviations of the hues."""
    weight = torch.ones(PHOTO.shape[-2:])
    output = PHOTO.flip(-1)
    # A pale style, so that nothing is clipped.
    by, plus = torch.tensor([[0.3, 0.4, 0.4], [0.5, 0.0, 0.0]]).view(2, 3, 1, 1)
    pale = from_oklab(oklab(STYLE) * by + plus)
    found = oklab(guided_colours(output * 0.4 + 0.3, PHOTO, pale, weight))
    wanted = oklab(pale)
    assert torch.allclose(found[1:].std((1, 2)), wanted[1:].std((1, 2)), rtol=0.1)
    assert torch.allclose(found[1:].mean((1, 2)), wanted[1:].mean((1, 2)), atol=0.01)
    assert torch.allclose(found[:1], oklab(output * 0.4 + 0.3)[:1], atol=0.02)


def test_a_monochrome_style_leaves_the_colours_alone() -> None:
    grey = torch.from_numpy(color.rgb2gray(data.coffee())).float()[::4, ::4].expand(3, -1, -1)
    assert is_monochrome(grey) and not is_monochrome(STYLE)
    assert guided_colours(PHOTO, PHOTO, grey, torch.ones(PHOTO.shape[-2:])) is PHOTO
