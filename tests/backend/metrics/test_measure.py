"""What is measured about a result that lies over its photograph."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage import data

from scumble.backend.metrics.measure import METRICS, measure, outside_changed, timed


def test_every_changed_byte_outside_is_counted_and_none_inside():
    photo = np.zeros((4, 4, 3), np.uint8)
    mask = np.zeros((4, 4), np.uint8)
    mask[:2] = 255
    mask[2] = 1
    result = photo + 1
    assert outside_changed(photo, result, mask) == 4 * 3
    result[3] = 0
    assert outside_changed(photo, result, mask) == 0


def test_the_style_pasted_into_the_region_beats_the_untouched_photograph(judge, small):
    photo, style = small(data.astronaut()), small(data.retina(), 64)
    mask = np.zeros(photo.shape[:2], np.uint8)
    mask[16 : 16 + style.shape[0], 16 : 16 + style.shape[1]] = 255
    pasted = photo.copy()
    inside = mask > 0
    rows, columns = slice(16, 16 + style.shape[0]), slice(16, 16 + style.shape[1])
    pasted[rows, columns] = style[: pasted[rows, columns].shape[0], : pasted[rows, columns].shape[1]]
    assert inside.sum() == style.shape[0] * style.shape[1]
    before, after = (measure(judge, photo, r, mask, style, style_key="retina") for r in (photo, pasted))
    assert after["gray_emd"] == pytest.approx(0, abs=1e-6)
    assert after["sliced_emd"] == pytest.approx(0, abs=1e-5)
    for name in ("gray_emd", "sliced_emd", "style_loss", "relative_style_loss"):
        assert after[name] < before[name]
    assert before["ssim"] == pytest.approx(1)
    assert before["content_distance"] == 0 < after["content_distance"]
    assert before["boundary_gradient"] == before["photo_boundary_gradient"] < after["boundary_gradient"]
    assert after["outside_changed"] == 0
    assert set(after) == set(METRICS) - {"seconds", "peak_mib"}


def test_measuring_twice_gives_the_same_numbers(judge, small):
    photo, style = small(data.coffee()), small(data.retina(), 48)
    mask = np.zeros(photo.shape[:2], np.uint8)
    mask[10:40, 10:60] = 255
    result = np.where(mask[..., None] > 0, 255 - photo, photo)
    assert measure(judge, photo, result, mask, style) == measure(judge, photo, result, mask, style)


def test_the_peak_of_a_call_counts_what_it_held_and_gave_back():
    def hold() -> int:
        return int(torch.ones(80 << 20, dtype=torch.uint8).sum())  # 80 MiB, touched

    _, idle = timed(lambda: None)
    answer, cost = timed(hold)
    assert answer == 80 << 20
    assert cost.peak_mib - idle.peak_mib > 60
    assert cost.seconds > 0
