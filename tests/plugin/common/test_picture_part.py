"""A part of a style's picture: drawn, found, written down, and what the backend makes of it."""

from __future__ import annotations

import json
import math
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scumble.backend import prepare
from scumble.plugin.common.annotation import RegionSettings, RunSettings, dump, parse
from scumble.plugin.common.build import PixelFormat, build
from scumble.plugin.common.geometry import Rect
from scumble.plugin.common.picture_part import (
    GRID_SIDE,
    MOST_POINTS,
    Grid,
    Outline,
    grid_of,
    outline,
    part_box,
    part_from_plain,
    part_mask,
    part_to_plain,
    rectangle,
)
from scumble.plugin.common.regions import RegionList
from scumble.plugin.common.sources import (
    EVERYTHING,
    BlendedStyle,
    FileStyle,
    GalleryStyle,
    LayerStyle,
    MaskSource,
    SingleStyle,
    WordStyle,
    style_part,
    with_part,
)
from scumble.shared.codec import message_request, request_message
from scumble.shared.messages import MaskBuffer, PixelBuffer

SHARE = st.floats(0, 1)
POINTS = st.lists(st.tuples(SHARE, SHARE), min_size=3, max_size=12)
OUTLINES = POINTS.map(lambda points: Outline(tuple(points)))
GRIDS = st.tuples(st.integers(1, 9), st.integers(1, 9)).flatmap(
    lambda size: st.binary(min_size=size[0] * size[1], max_size=size[0] * size[1]).map(
        lambda data: Grid(*size, data)
    )
)
LEFT = rectangle(0.0, 0.0, 0.5, 1.0)


def values(mask: MaskBuffer) -> Any:
    return np.frombuffer(bytes(mask.data), np.uint8).reshape(mask.height, mask.width)


@given(st.one_of(OUTLINES, GRIDS))
def test_a_part_comes_back_as_it_was_written(part: Outline | Grid) -> None:
    assert part_from_plain(json.loads(json.dumps(part_to_plain(part)))) == part


@settings(deadline=None, max_examples=30)
@given(POINTS)
def test_an_outlines_inside_is_what_opencv_fills(points: list[tuple[float, float]]) -> None:
    mask = values(part_mask(Outline(tuple(points)))) / 255
    fine = np.zeros((1024, 1024), np.uint8)
    corners = np.array([[round(x * 1024 * 16) - 8, round(y * 1024 * 16) - 8] for x, y in points], np.int32)
    cv2.fillPoly(fine, [corners.reshape(-1, 1, 2)], 1, shift=4)
    expected = cv2.resize(fine.astype(np.float32), (256, 256), interpolation=cv2.INTER_AREA)
    # Along its edges OpenCV fills every pixel that is touched.
    assert np.abs(mask - expected).mean() < 0.02
    assert (mask[cv2.dilate(expected, np.ones((3, 3))) == 0] == 0).all()


def test_a_rectangle_is_filled_exactly_and_cut_off_at_the_border() -> None:
    mask = values(part_mask(rectangle(0.75, 2.0, 0.25, 0.5)))
    assert (mask[128:, 64:192] == 255).all() and mask.sum() == 255 * 128 * 128
    assert part_box(rectangle(0.75, 2.0, 0.25, 0.5)) == (0.25, 0.5, 0.75, 1.0)


def test_a_freely_drawn_line_keeps_its_shape_with_few_points() -> None:
    angles = [2 * math.pi * i / 900 for i in range(900)]
    drawn = [(0.5 + 0.3 * math.cos(a), 0.5 + 0.3 * math.sin(a)) for a in angles]
    found = outline(drawn)
    assert found is not None and len(found.points) <= 64
    assert values(part_mask(found)).sum() / 255 / 256**2 == pytest.approx(math.pi * 0.09, rel=0.01)


def test_a_scribble_of_many_points_never_has_too_many() -> None:
    random = np.random.default_rng(3)
    found = outline([tuple(point) for point in random.random((2000, 2))])
    assert found is not None and len(found.points) <= MOST_POINTS


@pytest.mark.parametrize(
    "drawn", [[], [(0.1, 0.1)] * 40, [(0.1, 0.1), (0.9, 0.9)], [(0.2, 0.2), (0.21, 0.2)]]
)
def test_a_click_or_a_line_encloses_nothing(drawn: list[tuple[float, float]]) -> None:
    assert outline(drawn) is None


def test_a_mask_that_was_found_becomes_a_small_grid_of_the_same_share() -> None:
    ys, xs = np.mgrid[0:300, 0:400]
    mask = (np.hypot(xs - 150, ys - 170) < 90).astype(np.uint8) * 255
    grid = grid_of(MaskBuffer(400, 300, mask.tobytes()))
    assert (grid.width, grid.height) == (GRID_SIDE, 72)
    assert np.mean(list(grid.data)) == pytest.approx(mask.mean(), rel=0.02)
    left, top, right, bottom = part_box(grid)
    assert left == pytest.approx(60 / 400, abs=0.02) and right == pytest.approx(240 / 400, abs=0.02)
    assert top == pytest.approx(80 / 300, abs=0.02) and bottom == pytest.approx(260 / 300, abs=0.02)
    with pytest.raises(ValueError):
        grid_of(MaskBuffer(4, 4, bytes(16)))


NAN = float("nan")
ODD: list[Any] = [
    None, 3, [], {}, {"outline": 3}, {"outline": [[0, 0], [1, 1]]}, {"outline": [[0, 0], [1, 1], [2, 0]]},
    {"outline": [[0, 0], [1, 1], [NAN, 0]]}, {"outline": [[0, 0], [1, 1], [True, 0]]},
    {"outline": [[0, 0], [1, 1], ["a", 0]]}, {"outline": [[0, 0]] * 5000}, {"grid": [1, 2]},
    {"grid": [2, 2, "not base64!"]}, {"grid": [2, 2, "AAAA"]}, {"grid": [2, 2, 5]},
    {"grid": [9999, 9999, "AAAA"]}, {"grid": [True, 1, "AAAA"]}, {"grid": [-1, 2, "AAAA"]},
]  # fmt: skip


@pytest.mark.parametrize("data", ODD)
def test_whatever_hands_made_of_it_is_refused_and_nothing_worse(data: Any) -> None:
    with pytest.raises(ValueError):
        part_from_plain(data)


def test_packed_data_that_would_grow_without_end_is_refused() -> None:
    import base64
    import zlib

    bomb = base64.b64encode(zlib.compress(bytes(20_000_000))).decode()
    with pytest.raises(ValueError):
        part_from_plain({"grid": [2, 2, bomb[:30_000]]})


@given(st.one_of(OUTLINES, GRIDS))
def test_a_layers_settings_keep_the_parts(part: Outline | Grid) -> None:
    styles = (GalleryStyle("waves", part), FileStyle("/a.png", part), LayerStyle("7", "", "Sky", part))
    run = RunSettings("semantic", tuple(RegionSettings(style) for style in styles))
    assert parse(dump(run)).settings == run


def test_words_have_no_part_and_blends_use_whole_pictures() -> None:
    words = WordStyle("stormy")
    assert with_part(words, LEFT) is words and style_part(words) is None
    assert style_part(BlendedStyle(((GalleryStyle("a", LEFT), 1.0),))) is None
    assert style_part(with_part(FileStyle("/a.png"), LEFT)) == LEFT
    assert style_part(None) is None


class Document:
    """An editor with one layer, and style files of two colours side by side."""

    def __init__(self) -> None:
        self.loaded: list[SingleStyle] = []

    def canvas_size(self) -> tuple[int, int]:
        return 64, 64

    def layer_bounds(self) -> Rect:
        return Rect(0, 0, 64, 64)

    def pixel_format(self) -> PixelFormat:
        return PixelFormat("rgba", "u8")

    def layer_pixels(self, rect: Rect) -> bytes:
        return bytes((90, 120, 150, 255)) * rect.pixels

    def mask_bounds(self, mask: MaskSource) -> Rect:
        raise AssertionError("everything needs no host")

    def mask_pixels(self, mask: MaskSource, rect: Rect) -> Any:
        raise AssertionError("everything needs no host")

    def style_pixels(self, style: SingleStyle) -> PixelBuffer:
        self.loaded.append(style)
        row = bytes((250, 20, 20)) * 40 + bytes((20, 20, 250)) * 40
        return PixelBuffer(80, 60, "rgb", "u8", row * 60)


def test_the_backend_gets_each_regions_part_and_the_picture_once() -> None:
    document, right = Document(), rectangle(0.5, 0, 1, 1)
    regions = RegionList()
    for part in (LEFT, right, None):
        regions.add(MaskSource(EVERYTHING), FileStyle("/two.png", part))
    built = build(document, regions.snapshot(), engine="partial-conv")
    assert document.loaded == [FileStyle("/two.png")], "the host need not know of parts"
    request = message_request(request_message(built.request, "j"))
    parts = []
    for region in request.regions:
        styles, _ = prepare._styles(region.style, region.style_mask)
        parts.append(styles[0])
    assert parts[2].mask is None
    for part, colour in zip(parts, ((250, 20, 20), (20, 20, 250)), strict=False):
        assert part.mask is not None and float(part.mask.mean()) == pytest.approx(0.5, abs=0.02)
        inside = (part.image * part.mask).sum((1, 2)) / part.mask.sum() * 255
        assert inside.numpy() == pytest.approx(np.array(colour), abs=6)
    assert [style_part(region.style) for region in built.settings.regions] == [LEFT, right, None]
