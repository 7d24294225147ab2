"""The seam's measures on edges whose answer is known."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage import data

from scumble.backend.metrics.boundary import band, boundary_colour, boundary_gradient, gradient_magnitude

masks = arrays(np.bool_, st.tuples(st.integers(2, 12), st.integers(2, 12)))


def step(height: float, size: int = 12) -> tuple[np.ndarray, np.ndarray]:
    mask = np.zeros((size, size), bool)
    mask[:, size // 2 :] = True
    return np.where(mask[..., None], 40 + height, 40).repeat(3, -1).astype(np.float64), mask


@given(st.integers(0, 200))
def test_a_straight_step_has_four_times_its_height_as_gradient_and_its_height_as_colour_step(height):
    picture, mask = step(height)
    assert boundary_gradient(picture, mask) == pytest.approx(4 * height)
    assert boundary_colour(picture, mask) == pytest.approx(height)


@given(masks)
def test_a_flat_picture_has_no_seam_whatever_the_mask(mask):
    picture = np.full((*mask.shape, 3), 77, np.uint8)
    for value in (boundary_gradient(picture, mask), boundary_colour(picture, mask)):
        assert value == 0 or (math.isnan(value) and mask.all() | ~mask.any())


@given(masks)
def test_the_band_is_what_erosion_and_dilation_by_three_pixels_leave(mask):
    inner, outer = band(mask)
    kernel = np.ones((3, 3), np.uint8)
    eroded = cv2.erode(mask.astype(np.uint8), kernel).astype(bool)
    dilated = cv2.dilate(mask.astype(np.uint8), kernel).astype(bool)
    assert np.array_equal(inner, mask & ~eroded)
    assert np.array_equal(outer, dilated & ~mask)


@given(masks)
def test_inside_and_outside_may_be_exchanged(mask):
    picture = np.random.default_rng(0).integers(0, 256, (*mask.shape, 3))
    for measure in (boundary_gradient, boundary_colour):
        assert measure(picture, mask) == pytest.approx(measure(picture, ~mask), nan_ok=True)


def test_the_whole_picture_has_no_seam_along_its_frame():
    picture = data.astronaut()[::8, ::8]
    whole = np.ones(picture.shape[:2], bool)
    assert math.isnan(boundary_gradient(picture, whole))
    assert math.isnan(boundary_colour(picture, whole))


def test_the_gradient_is_opencvs_sobel_magnitude_averaged_over_channels():
    picture = data.coffee()[::4, ::4].astype(np.float64)
    gx = cv2.Sobel(picture, cv2.CV_64F, 1, 0, ksize=3, borderType=cv2.BORDER_REPLICATE)
    gy = cv2.Sobel(picture, cv2.CV_64F, 0, 1, ksize=3, borderType=cv2.BORDER_REPLICATE)
    assert gradient_magnitude(picture) == pytest.approx(np.hypot(gx, gy).mean(-1))


def test_softening_a_seam_lowers_both_measures():
    picture, mask = step(100)
    soft = cv2.GaussianBlur(picture, (0, 0), 1.5)
    assert boundary_gradient(soft, mask) < boundary_gradient(picture, mask)
    assert boundary_colour(soft, mask) < boundary_colour(picture, mask)


def test_only_pixels_next_to_the_edge_count():
    picture, mask = step(50)
    loud = picture.copy()
    loud[:, :3] = 255
    assert boundary_gradient(loud, mask) == boundary_gradient(picture, mask)
    assert boundary_colour(loud, mask) == boundary_colour(picture, mask)
