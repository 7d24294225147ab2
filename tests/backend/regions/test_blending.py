"""Feathering, shares of overlapping masks, and that nothing leaks outside what was drawn."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from scumble.backend.regions.blending import Mask, blend, inner_distance, smoothstep, softened

soft_masks = hnp.arrays(
    np.float32, st.tuples(st.integers(4, 24), st.integers(4, 24)), elements=st.floats(0, 1, width=16)
)


def disc(size: int, radius: float) -> Mask:
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    return (np.hypot(x, y) <= radius).astype(np.float32)


@settings(max_examples=80, deadline=None)
@given(soft_masks, st.floats(0, 30), st.booleans())
def test_alpha_never_exceeds_what_was_drawn(mask: Mask, feather: float, edge: bool) -> None:
    result = blend((mask,), feather=feather, feather_edge=edge)
    assert (result.alpha <= mask + 1e-6).all()
    assert (result.alpha >= 0).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 4), st.integers(0, 999), st.floats(0, 20))
def test_shares_of_the_regions_add_up_to_one(count: int, seed: int, feather: float) -> None:
    rng = np.random.default_rng(seed)
    masks = tuple(
        (rng.random((17, 23)) * (rng.random((17, 23)) > 0.5)).astype(np.float32) for _ in range(count)
    )
    result = blend(masks, feather=feather, feather_edge=True)
    np.testing.assert_allclose(np.sum(result.shares, axis=0), 1.0, atol=1e-5)


def test_two_masks_that_share_a_hard_edge_leave_no_seam_between_them() -> None:
    left = np.zeros((60, 120), np.float32)
    left[:, :60] = 1
    result = blend((left, 1 - left), feather=12, feather_edge=True)
    assert (result.alpha == 1).all()
    across = result.shares[0][30, 45:75]
    assert (np.diff(across) <= 1e-6).all() and across[0] > 0.95 and across[-1] < 0.05


def test_the_middle_of_a_thin_line_is_fully_painted() -> None:
    mask = np.zeros((40, 80), np.float32)
    mask[19:22, 10:70] = 1
    result = blend((mask,), feather=16, feather_edge=True)
    assert result.alpha[20, 40] == 1
    assert result.alpha.sum() > 0.5 * mask.sum()


def test_a_mask_that_touches_the_border_is_not_faded_there() -> None:
    mask = np.zeros((50, 50), np.float32)
    mask[:, :25] = 1
    result = blend((mask,), feather=10, feather_edge=True)
    assert (result.alpha[:, 0] == 1).all()
    assert result.alpha[25, 24] < 0.2


def test_a_hole_is_feathered_like_an_outer_edge() -> None:
    mask = disc(101, 45) - disc(101, 15)
    result = blend((mask,), feather=8, feather_edge=True)
    assert result.alpha[50, 50] == 0
    assert result.alpha[50, 50 + 17] < 0.9 and result.alpha[50, 50 + 30] == 1


def test_a_mask_drawn_softer_than_the_feather_keeps_its_own_softness() -> None:
    ramp = np.tile(np.clip((np.arange(100) - 20) / 60, 0, 1).astype(np.float32), (20, 1))
    result = blend((ramp,), feather=6, feather_edge=True)
    np.testing.assert_allclose(result.alpha[:, 30:], ramp[:, 30:], atol=1e-6)


def test_stylized_features_fade_in_no_earlier_than_the_alpha() -> None:
    result = blend((disc(121, 50),), feather=12, feather_edge=True)
    assert (result.inner <= result.alpha + 1e-6).all()
    assert result.inner[60, 60] == 1


@settings(max_examples=40, deadline=None)
@given(soft_masks, st.floats(0, 8))
def test_softening_only_adds_to_the_mask_and_stays_in_range(mask: Mask, width: float) -> None:
    out = softened(mask, width)
    assert (out >= mask - 1e-6).all() and out.max() <= 1 + 1e-6


def test_distance_is_measured_to_what_was_not_drawn() -> None:
    distance = inner_distance(disc(41, 10))
    assert abs(distance[20, 20] - 10.5) < 1.0 and distance[0, 0] == 0
    assert np.isinf(inner_distance(np.ones((5, 5), np.float32))).all()


def test_the_ramp_is_flat_at_both_ends_and_monotone() -> None:
    x = np.linspace(-1, 2, 301, dtype=np.float32)
    y = smoothstep(x)
    assert y[0] == 0 and y[-1] == 1 and (np.diff(y) >= 0).all()
