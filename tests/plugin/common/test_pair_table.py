"""Matched parts as an artist edits them: merged, split, given another counterpart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scumble.plugin.common.pair_table import PairRow, PairTable
from scumble.plugin.common.picture_part import Grid, part_mask, rectangle
from scumble.shared.messages import MaskBuffer
from scumble.shared.segmenting import FoundMask

WIDE, HIGH = 24, 16


def found(mask: np.ndarray[Any, Any], style: np.ndarray[Any, Any] | None) -> FoundMask:
    """As the backend gives it: only the rectangle that is not empty."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    part = np.ascontiguousarray(mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    buffer = MaskBuffer(part.shape[1], part.shape[0], part.tobytes(), "u8", int(columns[0]), int(rows[0]))
    other = None if style is None else MaskBuffer(style.shape[1], style.shape[0], style.tobytes())
    return FoundMask(buffer, 1.0, float(part.sum() / 255), other)


def whole(mask: MaskBuffer) -> np.ndarray[Any, Any]:
    """A mask on the whole picture."""
    out = np.zeros((HIGH, WIDE), int)
    data = np.frombuffer(bytes(mask.data), np.uint8).reshape(mask.height, mask.width)
    out[mask.y : mask.y + mask.height, mask.x : mask.x + mask.width] = data
    return out


def cells(part: Any) -> np.ndarray[Any, Any]:
    mask = part_mask(part)
    return np.frombuffer(bytes(mask.data), np.uint8).reshape(mask.height, mask.width)


@pytest.fixture
def table() -> PairTable:
    """Three stripes of the layer with three of the painting, from left to right."""
    parts = []
    for at in range(3):
        mask, style = np.zeros((HIGH, WIDE), np.uint8), np.zeros((20, 30), np.uint8)
        mask[:, at * 8 : at * 8 + 8] = 255
        style[:, at * 10 : at * 10 + 10] = 255
        parts.append(found(mask, style))
    return PairTable.of(parts)


def test_what_was_found_becomes_rows_and_a_pool_to_choose_from(table: PairTable) -> None:
    assert [row.area for row in table.rows] == [128, 128, 128] and len(table.pool) == 3
    assert [row.part for row in table.rows] == list(table.pool)


def test_merging_joins_masks_and_counterparts(table: PairTable) -> None:
    merged = table.merged([2, 0])
    assert len(merged.rows) == 2 and merged.rows[0].area == 256 and merged.rows[1] == table.rows[1]
    expected = whole(table.rows[0].mask) + whole(table.rows[2].mask)
    assert (whole(merged.rows[0].mask) == expected).all()
    both = cells(merged.rows[0].part)
    assert (both[:, :10] == 255).all() and (both[:, 10:20] == 0).all() and (both[:, 20:] == 255).all()
    assert len(merged.pool) == 4, "what there was can still be chosen"


@given(st.lists(st.integers(0, 255), min_size=WIDE * HIGH, max_size=WIDE * HIGH))
def test_soft_masks_that_share_pixels_add_up_to_what_they_were(values: list[int]) -> None:
    one = np.array(values, np.uint8).reshape(HIGH, WIDE)
    other = 255 - one
    if not one.any() or not other.any():
        return
    merged = PairTable.of([found(one, None), found(other, None)]).merged([0, 1])
    assert (whole(merged.rows[0].mask) == 255).all() and merged.rows[0].part is None


def test_one_row_is_not_merged_with_itself_nor_with_what_is_not_there(table: PairTable) -> None:
    assert table.merged([1]) is table and table.merged([1, 1]) is table and table.merged([0, 9]) is table


def test_merging_with_the_whole_painting_is_the_whole_painting(table: PairTable) -> None:
    assert table.given([0], None).merged([0, 1]).rows[0].part is None


def test_a_drawn_part_and_a_found_one_are_united(table: PairTable) -> None:
    drawn = table.given([1], rectangle(0.8, 0.0, 1.0, 1.0)).merged([0, 1])
    part = drawn.rows[0].part
    assert isinstance(part, Grid)
    both = cells(part)
    assert (both[:, :9] == 255).all() and (both[:, 12:22] == 0).all() and (both[:, 25:29] == 255).all()


def test_splitting_puts_what_was_found_in_its_place(table: PairTable) -> None:
    upper, lower = np.zeros((HIGH, WIDE), np.uint8), np.zeros((HIGH, WIDE), np.uint8)
    upper[:8, 8:16], lower[8:, 8:16] = 255, 255
    style = np.full((20, 30), 255, np.uint8)
    split = table.switched(1, False).divided(1, [found(upper, style), found(lower, style)])
    assert [row.area for row in split.rows] == [128, 64, 64, 128] and len(split.pool) == 4
    assert [row.on for row in split.rows] == [True, False, False, True]
    assert table.divided(1, [found(upper, style)]) is table
    assert table.divided(7, [found(upper, style), found(lower, style)]) is table


def test_rows_get_another_counterpart(table: PairTable) -> None:
    drawn = rectangle(0, 0, 0.5, 0.5)
    again = table.given([0, 2], drawn)
    assert [row.part for row in again.rows] == [drawn, table.pool[1], drawn] and again.pool[-1] == drawn
    assert table.given([0], table.pool[2]).pool == table.pool


def test_a_place_of_the_painting_names_the_part_there_the_smaller_one_of_two(table: PairTable) -> None:
    merged = table.merged([0, 1])
    assert merged.part_at(0.1, 0.5) == table.pool[0] and merged.part_at(0.9, 0.5) == table.pool[2]
    assert merged.part_at(1.5, 0.5) is None and PairTable().part_at(0.5, 0.5) is None


def test_a_place_of_the_layer_names_its_row(table: PairTable) -> None:
    assert [table.row_at(x, 3) for x in (0, 7.9, 8, 23.5, 24, -1)] == [0, 0, 1, 2, -1, -1]


def test_a_counterpart_that_selects_nothing_is_the_whole_painting() -> None:
    mask = np.full((HIGH, WIDE), 255, np.uint8)
    table = PairTable.of([found(mask, np.zeros((9, 9), np.uint8))])
    assert table.rows == (PairRow(table.rows[0].mask, None, float(WIDE * HIGH)),) and table.pool == ()
