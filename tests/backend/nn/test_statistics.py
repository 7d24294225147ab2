"""Masked moments and the closed-form transport built on them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from matched import coherent_matches

from scumble.backend.nn.matching import nearest
from scumble.backend.nn.moments import Moments, MomentSums, mixed, moments, weights_at
from scumble.backend.nn.transport import shrunk, transport

sizes = st.tuples(st.integers(1, 5), st.integers(3, 14), st.integers(3, 14))


def features(size: tuple[int, int, int], seed: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(3.0, 2.0, size)).float()


@settings(max_examples=40, deadline=None)
@given(sizes, st.integers(0, 10_000))
def test_weighted_moments_agree_with_numpys_weighted_mean_and_covariance(
    size: tuple[int, int, int], seed: int
) -> None:
    x = features(size, seed)
    w = torch.from_numpy(np.random.default_rng(seed + 1).uniform(0.1, 1, size[1:])).float()
    found = moments(x, w)
    flat, weight = x.flatten(1).double().numpy(), w.flatten().double().numpy()
    np.testing.assert_allclose(found.mean, np.average(flat, axis=1, weights=weight), atol=1e-5)
    np.testing.assert_allclose(
        found.covariance, np.atleast_2d(np.cov(flat, aweights=weight, ddof=0)), atol=1e-4
    )


@settings(max_examples=30, deadline=None)
@given(sizes, st.integers(0, 10_000), st.integers(1, 12))
def test_moments_gathered_in_pieces_equal_moments_of_the_whole(
    size: tuple[int, int, int], seed: int, cut: int
) -> None:
    x = features(size, seed)
    row = min(cut, size[1] - 1)
    sums = MomentSums()
    sums.add(x[:, :row])
    sums.add(x[:, row:])
    whole = moments(x)
    np.testing.assert_allclose(sums.moments().mean, whole.mean, atol=1e-5)
    np.testing.assert_allclose(sums.moments().covariance, whole.covariance, atol=1e-4)


def test_positions_with_weight_zero_do_not_count() -> None:
    x = features((4, 10, 10), 1)
    w = torch.zeros(10, 10)
    w[2:5, 3:9] = 1
    spoiled = x.clone()
    spoiled[:, w == 0] = 1e6
    assert torch.allclose(moments(x, w).mean, moments(spoiled, w).mean)
    assert moments(x, w).count == pytest.approx(18)


def test_an_empty_mask_has_no_moments() -> None:
    with pytest.raises(ValueError, match="no positions"):
        moments(features((2, 4, 4), 0), torch.zeros(4, 4))


def test_a_half_covered_cell_weighs_half() -> None:
    mask = torch.zeros(8, 16)
    mask[:, :4] = 1
    assert torch.allclose(weights_at(mask, (1, 2)), torch.tensor([[0.5, 0.0]]))


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 6), st.integers(0, 10_000))
def test_transport_gives_the_content_the_styles_mean_and_covariance(channels: int, seed: int) -> None:
    content = features((channels, 40, 40), seed)
    mixing = features((channels, channels, 1), seed + 1)[..., 0]
    style = (mixing @ features((channels, 40, 40), seed + 2).flatten(1)).view(channels, 40, 40)
    style = style / style.std() * 0.5  # within the limit on stretching
    moved = moments(transport(moments(content), moments(style)).apply(content))
    wanted = moments(style)
    scale = float(wanted.covariance.diagonal().mean())
    np.testing.assert_allclose(moved.mean, wanted.mean, atol=1e-3 * scale**0.5 + 1e-3)
    # Shrinkage keeps the match from being exact: 1e-3 of the mean variance plus C / (C + 4n).
    assert float((moved.covariance - wanted.covariance).norm() / wanted.covariance.norm()) < 0.05


def test_transport_to_its_own_statistics_is_the_identity() -> None:
    x = features((5, 20, 20), 3)
    m = moments(x)
    assert torch.allclose(transport(m, m).apply(x), x, atol=1e-4)


def test_the_map_is_symmetric_as_optimal_transport_between_gaussians_must_be() -> None:
    a, b = moments(features((6, 30, 30), 4)), moments(features((6, 30, 30), 5))
    matrix = transport(a, b).matrix
    assert torch.allclose(matrix, matrix.T, atol=1e-8)
    assert float(torch.linalg.eigvalsh(matrix).min()) > 0


def test_three_positions_in_sixty_four_channels_stay_stable() -> None:
    few = moments(features((64, 1, 3), 6))
    many = moments(features((64, 40, 40), 7))
    matrix = transport(few, many).matrix
    assert float(torch.linalg.eigvalsh(matrix).max()) < 100
    assert float(torch.linalg.eigvalsh(shrunk(few)).min()) > 0


def test_a_blend_of_two_styles_lies_between_them() -> None:
    a = Moments(torch.zeros(2).double(), torch.eye(2).double(), 10.0)
    b = Moments(torch.ones(2).double(), 3 * torch.eye(2).double(), 20.0)
    m = mixed([(a, 1.0), (b, 3.0)])
    assert torch.allclose(m.mean, torch.full((2,), 0.75).double())
    assert torch.allclose(m.covariance, 2.5 * torch.eye(2).double())


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 8), st.integers(1, 60), st.integers(1, 60), st.integers(1, 17), st.integers(0, 999))
def test_nearest_agrees_with_brute_force_whatever_the_block(
    c: int, n: int, m: int, block: int, seed: int
) -> None:
    q, k = features((c, n, 1), seed)[..., 0], features((c, m, 1), seed + 1)[..., 0]
    cosine = torch.nn.functional.cosine_similarity(q[:, :, None], k[:, None, :], dim=0)
    found = nearest(q, k, block=block)
    best = cosine.max(1).values
    assert torch.allclose(cosine[torch.arange(n), found], best, atol=1e-5)


def test_drawing_matches_together_costs_little_likeness_and_gains_agreement() -> None:
    size, grid = (16, 16), (12, 12)

    def smooth(side: int, seed: int) -> torch.Tensor:
        field = torch.nn.functional.avg_pool2d(features((8, side + 4, side + 4), seed) - 3.0, 5, 1)
        return field.flatten(1)

    keys, queries = smooth(12, 9), smooth(16, 10)

    def agreement(index: torch.Tensor) -> float:
        y, x = torch.div(index, 12, rounding_mode="floor").view(size), (index % 12).view(size)
        right = (x[:, 1:] == x[:, :-1] + 1) & (y[:, 1:] == y[:, :-1])
        return float(right.float().mean())

    def likeness(index: torch.Tensor) -> float:
        return float(torch.nn.functional.cosine_similarity(queries, keys[:, index], dim=0).mean())

    alone, together = nearest(queries, keys), coherent_matches(queries, keys, size, grid)
    assert agreement(together) > 2 * agreement(alone) + 0.05
    assert likeness(alone) - likeness(together) < 4 * 0.2
