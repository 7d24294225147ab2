"""The protocol gives the same triplets to everyone."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from scumble.backend.metrics.protocol import (
    LEAST_AREA,
    LOOSE_AREAS,
    TINY_AREA,
    Triplet,
    photo_file,
    read_picture,
    region_mask,
    regions,
    style_files,
    triplets,
)
from scumble.shared.errors import Code, ScumbleError

STYLES = ["a.png", "b.png", "c.png"]


def test_two_runs_get_the_same_triplets_in_the_same_order(bench):
    assert triplets(bench[0], STYLES, seed=3) == triplets(bench[0], list(reversed(STYLES)), seed=3)


def test_the_choice_is_pinned_so_that_no_version_of_anything_changes_it(bench):
    assert [t.key for t in triplets(bench[0], STYLES)] == [
        "coffee:2:c.png",
        "chelsea:2:c.png",
        "rocket:1:a.png",
        "astronaut:2:c.png",
    ]


def test_another_seed_gives_other_triplets(bench):
    assert len({tuple(triplets(bench[0], STYLES, seed=s)) for s in range(5)}) > 1


def test_a_shorter_list_is_the_beginning_of_a_longer_one(bench):
    whole = triplets(bench[0], STYLES)
    assert triplets(bench[0], STYLES, limit=2) == whole[:2]


def test_taking_a_photograph_away_leaves_the_others_as_they_were(bench, tmp_path: Path):
    fewer = tmp_path / "fewer"
    shutil.copytree(bench[0], fewer)
    (fewer / "coffee.jpg").unlink()
    expected = [t for t in triplets(bench[0], STYLES) if t.stem != "coffee"]
    assert triplets(fewer, STYLES) == expected


def test_regular_regions_cover_two_per_cent_and_tiny_ones_less(bench):
    assert all(t.area >= LEAST_AREA for t in triplets(bench[0], STYLES))
    tiny = triplets(bench[0], STYLES, kind="tiny")
    assert {t.label for t in tiny} == {3}
    assert all(TINY_AREA <= t.area < LEAST_AREA for t in tiny)


def test_whole_pictures_need_no_label_map(bench, tmp_path: Path):
    shutil.copy(bench[0] / "coffee.jpg", tmp_path / "coffee.jpg")
    (found,) = triplets(tmp_path, STYLES, kind="whole")
    assert (found.label, found.area) == (0, 1.0)
    assert region_mask(tmp_path, found, (5, 7)).all()


def test_loose_selections_cover_what_they_say_lie_inside_and_are_in_one_piece(bench):
    for triplet in triplets(bench[0], STYLES, kind="loose"):
        for size in ((200, 300), (300, 150)):
            mask = region_mask(bench[0], triplet, size)
            assert LOOSE_AREAS[0] <= triplet.area <= LOOSE_AREAS[1]
            assert (mask > 0).mean() == pytest.approx(triplet.area, rel=0.15)
            assert not (mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any())
            assert cv2.connectedComponents(mask)[0] == 2


def test_areas_are_counted_where_no_table_lists_them_and_read_where_one_does(bench, tmp_path: Path):
    counted = dict(regions(bench[0])["coffee"])
    mask = region_mask(bench[0], Triplet("coffee", 2, 0, ""), read_picture(bench[0] / "coffee.jpg").shape[:2])
    assert counted[2] == pytest.approx((mask > 0).mean())
    listed = tmp_path / "listed"
    shutil.copytree(bench[0], listed)
    (listed / "regions.csv").write_text("stem,label,area_frac\ncoffee,7,0.5\nabsent,1,0.5\n")
    assert regions(listed)["coffee"] == [(7, 0.5)]
    assert regions(listed)["astronaut"] == []


def test_a_mask_is_full_scale_inside_and_zero_outside(bench):
    triplet = triplets(bench[0], STYLES)[0]
    size = read_picture(photo_file(bench[0], triplet.stem)).shape[:2]
    mask = region_mask(bench[0], triplet, size)
    assert mask.dtype == np.uint8
    assert set(np.unique(mask)) == {0, 255}


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda b: triplets(b / "nowhere", STYLES), Code.FILE_MISSING),
        (lambda b: style_files(b, "*.none"), Code.FILE_MISSING),
        (lambda b: read_picture(b / "none.jpg"), Code.FILE_MISSING),
        (lambda b: photo_file(b, "none"), Code.FILE_MISSING),
        (lambda b: region_mask(b, Triplet("coffee", 99, 0, ""), (64, 96)), Code.EMPTY_SELECTION),
        (lambda b: region_mask(b, Triplet("coffee", 1, 0, ""), (9, 9)), Code.MASK_SIZE),
    ],
)
def test_what_is_missing_is_named(bench, call, code):
    with pytest.raises(ScumbleError) as caught:
        call(bench[0])
    assert caught.value.code is code


def test_a_file_that_is_no_picture_is_unreadable(tmp_path: Path):
    (tmp_path / "x.jpg").write_bytes(b"not a picture")
    with pytest.raises(ScumbleError) as caught:
        read_picture(tmp_path / "x.jpg")
    assert caught.value.code is Code.FILE_UNREADABLE
