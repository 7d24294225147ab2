"""What Scumble is measured beside."""

from __future__ import annotations

import numpy as np

from scumble.backend.metrics.peers import peer


def test_the_painting_itself_is_laid_over_the_photograph_and_mirrored_on() -> None:
    rng = np.random.default_rng(0)
    photo = np.zeros((50, 70, 3), np.uint8)
    style = rng.integers(0, 255, (40, 30, 3), dtype=np.uint8)
    laid = peer("painting")(photo, style, 1.0)
    assert laid.shape == photo.shape and laid.dtype == np.uint8
    assert np.array_equal(laid[:40, :30], style)
    assert np.array_equal(laid[:40, 30:60], style[:, ::-1])
    assert np.array_equal(laid[40:, :30], style[:-11:-1])


def test_half_its_strength_is_half_the_painting() -> None:
    photo = np.full((20, 20, 3), 100, np.uint8)
    style = np.full((20, 20, 3), 200, np.uint8)
    assert np.array_equal(peer("painting")(photo, style, 0.5), np.full((20, 20, 3), 150, np.uint8))


def test_a_large_painting_is_laid_as_large_as_the_judge_sees_it() -> None:
    style = np.zeros((1024, 600, 3), np.uint8)
    style[:, 300:] = 255
    laid = peer("painting")(np.zeros((512, 300, 3), np.uint8), style, 1.0)
    assert laid[:, 148].max() < 128 <= laid[:, 152].min()
