"""The docker's windows in the real Krita, by hand and with the real backend."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.slow


def test_a_disc_is_picked_in_the_window_and_becomes_the_selection(report: Any) -> None:
    found = report["by_hand"]
    assert "raised" not in found, found.get("raised")
    assert found["picked"] == [True, False, True]
    assert np.abs(np.array(found["selected"]) - (168, 48, 144, 144)).max() <= 8, "a disc of 144 pixels"


def test_the_windows_keys_are_not_kritas(report: Any) -> None:
    found = report["by_hand"]
    undoable, same_step, selection = found["keys"]
    assert not undoable and same_step and selection == found["selected"]


def test_a_picked_region_is_painted_from_a_part_of_the_painting(report: Any) -> None:
    found = report["by_hand"]
    assert found["region"] == [1, "saved"] and found["part"] is True
    assert found["failure"] is None and len(found["names"]) == 2


def test_matched_parts_become_regions_with_masks_on_both_sides(report: Any) -> None:
    found = report["by_hand"]
    assert found["rows"] >= 2 and len(found["matched"]) == found["rows"] - 1
    assert all(part and kind == "saved" for part, kind in found["matched"])
