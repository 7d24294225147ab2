"""The colour distances against scipy, closed forms and their own symmetries."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance
from skimage import data

from scumble.backend.metrics.distances import (
    directions,
    gray_emd,
    samples,
    sliced_emd,
    wasserstein_1d,
)

numbers = st.lists(st.floats(-3, 3, width=32), min_size=1, max_size=40).map(lambda v: np.array(v, np.float64))


@given(numbers, numbers)
def test_distance_of_numbers_agrees_with_scipy_for_any_two_counts(a, b):
    assert wasserstein_1d(a, b) == pytest.approx(wasserstein_distance(a, b), abs=1e-9)


@given(numbers, st.integers(1, 5))
def test_repeating_every_sample_changes_nothing(a, times):
    assert wasserstein_1d(a, np.repeat(a, times), 2) == pytest.approx(0, abs=1e-12)


@given(numbers, st.floats(-2, 2))
def test_a_shift_costs_its_length_to_the_power(a, shift):
    assert wasserstein_1d(a, a + shift) == pytest.approx(abs(shift), abs=1e-6)
    assert wasserstein_1d(a, a + shift, 2) == pytest.approx(shift**2, abs=1e-6)


@given(numbers, numbers)
def test_squared_distance_of_equal_counts_pairs_the_sorted_samples(a, b):
    n = min(len(a), len(b))
    expected = np.mean((np.sort(a[:n]) - np.sort(b[:n])) ** 2)
    assert wasserstein_1d(a[:n], b[:n], 2) == pytest.approx(expected, abs=1e-9)


def test_identical_pictures_are_at_distance_zero():
    pixels = samples(data.astronaut()[::4, ::4])
    shuffled = np.random.default_rng(1).permutation(pixels)
    assert gray_emd(pixels, shuffled) == pytest.approx(0, abs=1e-7)
    assert sliced_emd(pixels, shuffled) == pytest.approx(0, abs=1e-6)


def test_black_and_white_are_as_far_apart_as_grey_values_get():
    black, white = np.zeros((7, 3), np.float32), np.ones((5, 3), np.float32)
    assert gray_emd(black, white) == pytest.approx(0.2989 + 0.5870 + 0.1140)


def test_grey_distance_of_two_photographs_is_scipys():
    a, b = samples(data.astronaut()[::5, ::5]), samples(data.coffee()[::7, ::7])
    gray = np.array([0.2989, 0.5870, 0.1140])
    assert gray_emd(a, b) == pytest.approx(wasserstein_distance(a @ gray, b @ gray), abs=1e-6)


def test_sliced_distance_is_the_root_of_the_mean_over_directions_of_squared_quantile_differences():
    rng = np.random.default_rng(2)
    a, b = rng.random((90, 3)), rng.random((60, 3)) ** 2
    # 180 is a common multiple: with every sample repeated, the sorted lists pair one to one.
    squares = [
        np.mean((np.sort(np.repeat(a @ d, 2)) - np.sort(np.repeat(b @ d, 3))) ** 2)
        for d in directions(20, 3).T
    ]
    expected = np.sqrt(np.mean(squares))
    assert sliced_emd(a, b, projections=20, seed=3) == pytest.approx(expected, rel=1e-5)


def test_sliced_distance_of_a_colour_shift_is_its_root_mean_square_over_the_directions():
    a = samples(data.coffee()[::9, ::9])
    shift = np.array([0.1, -0.05, 0.02], np.float32)
    expected = np.sqrt(np.mean((directions().T @ shift) ** 2))
    assert sliced_emd(a, a + shift) == pytest.approx(expected, rel=1e-3)


def test_sliced_distance_repeats_with_its_seed_and_is_symmetric():
    a, b = samples(data.astronaut()[::9, ::9]), samples(data.coffee()[::9, ::9])
    assert sliced_emd(a, b, seed=5) == sliced_emd(a, b, seed=5)
    assert sliced_emd(a, b, seed=5) != sliced_emd(a, b, seed=6)
    assert sliced_emd(a, b) == pytest.approx(sliced_emd(b, a), rel=1e-6)


def test_directions_have_unit_length():
    assert np.linalg.norm(directions(50, 0), axis=0) == pytest.approx(np.ones(50))


def test_only_pixels_under_the_mask_become_samples():
    picture = np.zeros((4, 5, 3), np.uint8)
    picture[1:3, 1:4] = 255
    mask = np.zeros((4, 5), np.uint8)
    mask[1:3, 1:4] = 1
    assert samples(picture, mask).shape == (6, 3)
    assert samples(picture, mask).min() == 1.0
    with pytest.raises(ValueError, match="selects no pixel"):
        samples(picture, np.zeros((4, 5), np.uint8))
    with pytest.raises(ValueError, match="does not fit"):
        samples(picture, np.zeros((5, 4), np.uint8))
