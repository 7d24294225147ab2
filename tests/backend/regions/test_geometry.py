"""Boxes, margins and masks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from scumble.backend.regions.geometry import NOTHING, Box, bounds, decode_mask, mask_bounds, union
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import MaskBuffer

NUMPY = {"u8": "|u1", "u16": "<u2", "f16": "<f2", "f32": "<f4"}
edge = st.integers(-40, 60)
places = st.builds(
    lambda x, y, w, h: Box(x, y, x + w, y + h),
    st.integers(0, 50), st.integers(0, 50), st.integers(1, 30), st.integers(1, 30),
)  # fmt: skip


@st.composite
def masks(draw: st.DrawFn) -> MaskBuffer:
    dtype = draw(st.sampled_from(sorted(NUMPY)))
    shape = draw(hnp.array_shapes(min_dims=2, max_dims=2, max_side=12))
    if dtype[0] == "u":
        values = draw(hnp.arrays(NUMPY[dtype], shape, elements=st.sampled_from([0, 0, 0, 1, 200])))
    else:
        levels = [0.0, 0.0, -0.0, -0.5, 0.25, 1.0, 3.0]
        values = draw(hnp.arrays(NUMPY[dtype], shape, elements=st.sampled_from(levels)))
    x, y = draw(st.integers(-10, 25)), draw(st.integers(-10, 25))
    return MaskBuffer(shape[1], shape[0], values.tobytes(), dtype, x, y)  # type: ignore[arg-type]


def laid_out(mask: MaskBuffer, width: int, height: int) -> np.ndarray:
    """The slow way: the whole mask on a canvas far larger than the layer, then cut."""
    raw = np.frombuffer(mask.data, NUMPY[mask.dtype]).reshape(mask.height, mask.width).astype(np.float32)
    full = {"u8": 255, "u16": 65535}.get(mask.dtype, 1)
    canvas = np.zeros((200, 200), np.float32)
    canvas[50 + mask.y : 50 + mask.y + mask.height, 50 + mask.x : 50 + mask.x + mask.width] = (
        raw / np.float32(full)
    )
    return np.clip(canvas[50 : 50 + height, 50 : 50 + width], 0, 1)


@given(places, places)
def test_a_union_holds_both_boxes_and_an_intersection_lies_in_both(a: Box, b: Box) -> None:
    both = a.union(b)
    assert both.intersect(a) == a and both.intersect(b) == b
    common = a.intersect(b)
    assert common.empty or (a.union(common) == a and b.union(common) == b)


@given(places, edge, edge)
def test_an_empty_box_does_not_count_in_a_union(box: Box, x: int, y: int) -> None:
    assert union([NOTHING, box, Box(x, y, x, y + 5)]) == box
    assert union([]).empty


@given(places, st.integers(0, 40), st.sampled_from([1, 8, 16]))
def test_a_grown_box_holds_the_margin_as_far_as_the_layer_reaches(box: Box, margin: int, align: int) -> None:
    layer = Box(0, 0, 80, 80)
    grown = box.grow(margin, align, 80, 80)
    wanted = Box(box.left - margin, box.top - margin, box.right + margin, box.bottom + margin).intersect(
        layer
    )
    assert grown.intersect(layer) == grown
    assert grown.union(wanted) == grown
    assert grown.left % align == 0 and grown.top % align == 0
    assert grown.right % align == 0 or grown.right == 80
    assert wanted.left - grown.left < align and grown.right - wanted.right < align


@given(hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, max_side=20)))
def test_bounds_are_the_tightest_box_around_what_is_set(marked: np.ndarray) -> None:
    box = bounds(marked)
    if not marked.any():
        assert box.empty
        return
    outside = marked.copy()
    outside[box.slices()] = False
    assert not outside.any()
    inner = marked[box.slices()]
    assert inner[0].any() and inner[-1].any() and inner[:, 0].any() and inner[:, -1].any()


@given(masks(), places)
def test_a_mask_decodes_on_any_crop_as_if_laid_out_whole(mask: MaskBuffer, crop: Box) -> None:
    crop = crop.intersect(Box(0, 0, 81, 81))
    whole = laid_out(mask, 81, 81)
    assert np.array_equal(decode_mask(mask, 81, 81, crop), whole[crop.slices()])


@given(masks(), st.integers(1, 30), st.integers(1, 30))
def test_a_masks_bounds_are_those_of_its_positive_values_on_the_layer(
    mask: MaskBuffer, w: int, h: int
) -> None:
    assert mask_bounds(mask, w, h) == bounds(laid_out(mask, w, h))


@pytest.mark.parametrize("dtype", ["f16", "f32"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_float_mask_with_nan_or_infinity_is_refused(dtype: str, bad: float) -> None:
    values = np.ones((4, 4), NUMPY[dtype])
    values[2, 1] = bad
    with pytest.raises(ScumbleError) as error:
        mask_bounds(MaskBuffer(4, 4, values.tobytes(), dtype), 4, 4)  # type: ignore[arg-type]
    assert error.value.code is Code.NOT_FINITE
    assert "not numbers" in error.value.message and error.value.hint
