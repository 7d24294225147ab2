"""Selections from points, boxes, the subject, everything and pairs, through the session."""

from __future__ import annotations

import base64
import io
import json
import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from scumble.backend.cli.app import main
from scumble.backend.engines.base import Context
from scumble.backend.engines.cache import TensorCache
from scumble.backend.regions.matting import guided, softened_contour
from scumble.backend.segment import merging, methods
from scumble.backend.segment.base import Prompt, overlap
from scumble.backend.segment.simulated import Click, first_click, next_click
from scumble.backend.segment.snapping import snapped
from scumble.backend.session import Session
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import MaskBuffer, PixelBuffer, PixelStyle
from scumble.shared.segmenting import Point, SegmentRequest, SegmentResult

WIDTH, HEIGHT = 160, 120
HERE = [m.name for m in methods.METHODS if not m.missing()]


@pytest.fixture(scope="module")
def session() -> Session:
    """A session on the CPU."""
    return Session("cpu")


def scene() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A red disk and a blue square on textured green; the picture and the two masks."""
    rng = np.random.default_rng(3)
    image = np.full((HEIGHT, WIDTH, 3), (70, 130, 60), np.float32) + rng.normal(0, 8, (HEIGHT, WIDTH, 1))
    disk, square = np.zeros((HEIGHT, WIDTH), np.uint8), np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.circle(disk, (50, 60), 30, 1, -1)
    cv2.rectangle(square, (105, 40), (145, 85), 1, -1)
    image[disk > 0] = (200, 50, 40)
    image[square > 0] = (40, 60, 190)
    image += rng.normal(0, 4, image.shape)
    return image.clip(0, 255).astype(np.uint8), disk > 0, square > 0


IMAGE, DISK, SQUARE = scene()


def buffer(image: np.ndarray, layout: Any = "rgb") -> PixelBuffer:
    """As a layer."""
    return PixelBuffer(image.shape[1], image.shape[0], layout, "u8", np.ascontiguousarray(image).tobytes())


LAYER = buffer(IMAGE)


def whole(mask: MaskBuffer, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """A found mask on the layer, (H, W) in [0, 1]."""
    out = np.zeros((height, width), np.float32)
    part = np.frombuffer(mask.data, np.uint8).reshape(mask.height, mask.width) / 255
    out[mask.y : mask.y + mask.height, mask.x : mask.x + mask.width] = part
    return out


def ask(session: Session, *points: Point, **more: Any) -> SegmentResult:
    """Select on the scene."""
    return session.segment(SegmentRequest(more.pop("layer", LAYER), points=points, **more))


@pytest.mark.parametrize("method", HERE)
def test_a_click_selects_the_thing_under_it(session: Session, method: str) -> None:
    """Each installed method, each thing."""
    for point, thing in ((Point(50, 60), DISK), (Point(125, 60), SQUARE)):
        found = ask(session, point, method=method)
        assert found.method == method
        best = whole(found.masks[0].mask) >= 0.5
        assert overlap(best, thing) > 0.8


@pytest.mark.parametrize("method", HERE)
def test_a_further_click_adds_and_a_negative_one_takes_away(session: Session, method: str) -> None:
    """Refinement: the earlier mask goes back with one more click."""
    first = ask(session, Point(50, 60), method=method)
    both = ask(session, Point(50, 60), Point(125, 62), method=method, before=first.masks[0].mask)
    mask = whole(both.masks[0].mask) >= 0.5
    assert mask[60, 50] and mask[62, 125]
    less = ask(session, Point(50, 60), Point(125, 62, False), method=method, before=both.masks[0].mask)
    mask = whole(less.masks[0].mask) >= 0.5
    assert mask[60, 50] and not mask[62, 125]


@pytest.mark.parametrize("method", HERE)
def test_a_box_selects_what_it_holds(session: Session, method: str) -> None:
    """And nothing far from it."""
    found = ask(session, method=method, box=(15, 25, 85, 95))
    assert overlap(whole(found.masks[0].mask) >= 0.5, DISK) > 0.7


def test_the_subject_is_one_of_the_things_that_stand_out(session: Session) -> None:
    """Without a click."""
    found = ask(session, mode="subject")
    best = whole(found.masks[0].mask) >= 0.5
    assert max(overlap(best, m) for m in (DISK, SQUARE, DISK | SQUARE)) > 0.6


def test_all_regions_come_as_a_list_with_thumbnails(session: Session) -> None:
    """The largest first; the two things are among them."""
    found = ask(session, mode="all", count=20)
    hard = [whole(m.mask) >= 0.5 for m in found.masks]
    for thing in (DISK, SQUARE):
        assert max(overlap(h, thing) for h in hard) > 0.7
    areas = [m.area for m in found.masks]
    assert areas == sorted(areas, reverse=True)
    picture = Image.open(io.BytesIO(base64.b64decode(found.masks[0].thumbnail)))
    assert picture.mode == "RGBA" and max(picture.size) <= 72


def test_pairs_give_matching_parts_of_layer_and_painting(session: Session) -> None:
    """Masks on both sides, for regions of a semantic transfer."""
    painting = np.ascontiguousarray(IMAGE[:, ::-1])
    found = ask(session, mode="pairs", count=3, style=PixelStyle(buffer(painting)))
    assert 2 <= len(found.masks) <= 3
    total = sum(whole(m.mask) for m in found.masks)
    assert total.min() > 0.9 and total.max() < 1.1, "the parts cover the layer once"
    assert all(m.style_mask is not None for m in found.masks)


def test_candidates_differ_and_are_scored(session: Session) -> None:
    """At most as many as asked for."""
    found = ask(session, Point(50, 60), count=3)
    assert 1 <= len(found.masks) <= 3
    assert all(0 <= m.score <= 1 for m in found.masks)
    hard = [whole(m.mask) >= 0.5 for m in found.masks]
    assert all(overlap(a, b) < 0.99 for i, a in enumerate(hard) for b in hard[:i])


def test_the_edge_is_soft_where_asked_for_and_hard_where_not(session: Session) -> None:
    """``edge`` 0 gives a mask of two values."""
    blurred = buffer(cv2.GaussianBlur(IMAGE, (0, 0), 3))
    hard = whole(ask(session, Point(50, 60), layer=blurred, method="grabcut", edge=0.0).masks[0].mask)
    soft = whole(ask(session, Point(50, 60), layer=blurred, method="grabcut", edge=4.0).masks[0].mask)
    assert set(np.unique(hard)) <= {0.0, 1.0}
    assert ((soft > 0.05) & (soft < 0.95)).sum() > 20


def test_transparent_places_are_never_selected(session: Session) -> None:
    """The left half of the disk is transparent."""
    alpha = np.full((HEIGHT, WIDTH, 1), 255, np.uint8)
    alpha[:, :50] = 0
    layer = buffer(np.concatenate([IMAGE, alpha], 2), "rgba")
    mask = whole(ask(session, Point(65, 60), layer=layer, method="grabcut").masks[0].mask)
    assert mask[:, :50].max() == 0 and mask[60, 65] > 0.9
    with pytest.raises(ScumbleError) as failed:
        ask(session, Point(20, 60), layer=layer)
    assert failed.value.code is Code.EMPTY_SELECTION and "transparent" in failed.value.message


@pytest.mark.parametrize(
    ("points", "more", "code"),
    [
        ((Point(500, 10),), {}, Code.BAD_REQUEST),
        ((Point(10, 10), Point(10, 10, False)), {}, Code.BAD_REQUEST),
        ((Point(10, 10, False),), {}, Code.BAD_REQUEST),
        ((), {}, Code.BAD_REQUEST),
        ((), {"box": (500, 0, 600, 9)}, Code.BAD_REQUEST),
        ((Point(float("nan"), 1),), {}, Code.BAD_REQUEST),
        ((Point(10, 10),), {"method": "crystal-ball"}, Code.UNKNOWN_ENGINE),
        ((), {"before": MaskBuffer(2, 2, bytes(4))}, Code.EMPTY_SELECTION),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    session: Session, points: tuple[Point, ...], more: dict, code: Code
) -> None:
    """Clicks outside, contradictions, nothing wanted, unknown methods."""
    with pytest.raises(ScumbleError) as failed:
        ask(session, *points, **more)
    assert failed.value.code is code and failed.value.message.endswith(".")


def test_a_plain_picture_gives_an_answer_or_a_clear_no(session: Session) -> None:
    """No thing to be found, and nothing to divide by."""
    flat = buffer(np.full((64, 64, 3), 90, np.uint8))
    for mode in ("points", "subject", "all"):
        for method in HERE:
            try:
                points = (Point(30, 30),) if mode == "points" else ()
                found = ask(session, *points, layer=flat, mode=mode, method=method)
                assert found.masks
            except ScumbleError as error:
                assert error.code is Code.EMPTY_SELECTION and error.hint


def test_a_tiny_layer_can_be_selected_on(session: Session) -> None:
    """Smaller than any network's input."""
    for method in HERE:
        tiny = buffer(np.random.default_rng(0).integers(0, 255, (5, 3, 3), np.uint8))
        try:
            ask(session, Point(1, 1), layer=tiny, method=method)
        except ScumbleError as error:
            assert error.code is Code.EMPTY_SELECTION


def test_a_search_stops_when_it_is_cancelled(session: Session) -> None:
    """Between clicks of the grid."""
    stop = threading.Event()
    seen: list[str] = []

    def progress(stage: str, done: int, of: int) -> None:
        seen.append(stage)
        stop.set()

    with pytest.raises(ScumbleError) as failed:
        session.segment(SegmentRequest(LAYER, "all", method="grabcut"), progress=progress, cancelled=stop)
    assert failed.value.code is Code.CANCELLED and seen


def test_the_methods_are_described_with_one_default(session: Session) -> None:
    """For the editors' lists."""
    told = session.describe()["selecting"]
    assert [m["name"] for m in told] == ["sam", "clicks", "grabcut"]
    assert sum(m["default"] for m in told) == 1
    assert not next(m for m in told if m["name"] == "grabcut")["missing"]


def test_the_command_line_writes_a_mask_of_the_pictures_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """``scumble segment IMAGE --point x,y --point x,y,- -o mask.png --report``."""
    Image.fromarray(IMAGE).save(tmp_path / "in.png")
    monkeypatch.chdir(tmp_path)
    words = ["segment", "in.png", "--local", "--method", "grabcut", "-o", "m.png"]
    code = main([*words, "--point", "50,60", "--point", "125,60,-", "--report", "r.json"])
    assert code == 0, capsys.readouterr().err
    mask = np.asarray(Image.open("m.png"))
    assert mask.shape == (HEIGHT, WIDTH) and mask[60, 50] == 255 and mask[60, 125] == 0
    assert json.loads(Path("r.json").read_text())["masks"][0]["file"] == "m.png"
    assert main([*words, "--box", "15,25,85,95"]) == 0
    assert main(words) == 2 and "what to select" in capsys.readouterr().err
    assert main([*words, "--point", "a,b"]) == 2
    assert main([*words, "--point", "5000,1"]) == 2


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 9999))
def test_a_simulated_click_lies_in_what_it_is_about(seed: int) -> None:
    """The first inside the target, the next in the larger error, with its sign."""
    rng = np.random.default_rng(seed)
    noise = cv2.GaussianBlur(rng.normal(size=(40, 50)).astype(np.float32), (0, 0), 4)
    target, guess = noise > 0.05, cv2.GaussianBlur(noise + 0.03, (0, 0), 2) > 0.05
    if not target.any():
        return
    for source in (None, rng):
        click = first_click(target, source)
        assert target[int(click.y), int(click.x)]
        further = next_click(target, guess, source)
        if further is not None:
            place = (int(further.y), int(further.x))
            assert (target & ~guess)[place] if further.positive else (guess & ~target)[place]


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 9999), radius=st.integers(1, 6))
def test_the_guided_filter_reproduces_what_is_linear_in_the_guide(seed: int, radius: int) -> None:
    """Its defining property: a linear function of the colours comes back."""
    rng = np.random.default_rng(seed)
    guide = rng.random((20, 24, 3)).astype(np.float32)
    values = (guide @ np.array([0.5, -0.2, 0.3], np.float32) + 0.1).astype(np.float32)
    assert np.abs(guided(values, guide, radius, 1e-7) - values).max() < 1e-2


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 9999), width=st.floats(0.5, 8))
def test_a_softened_contour_changes_nothing_beyond_its_band(seed: int, width: float) -> None:
    """Deep inside stays 1, far outside stays 0."""
    rng = np.random.default_rng(seed)
    mask = np.zeros((50, 60), np.float32)
    cv2.circle(mask, (30, 25), int(rng.integers(14, 20)), 1.0, -1)
    image = rng.random((50, 60, 3)).astype(np.float32)
    soft = softened_contour(mask, image, width)
    reach = round(width) + 1
    kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    assert (soft[cv2.erode(mask, kernel) > 0] == 1).all()
    assert (soft[cv2.dilate(mask, kernel) == 0] == 0).all()
    assert soft.min() >= 0 and soft.max() <= 1


def test_a_contour_that_is_nearly_right_snaps_to_the_pictures_edge() -> None:
    """Three pixels off come right; half the thing off is left to further clicks."""
    image = IMAGE.astype(np.float32) / 255
    near = cv2.dilate(DISK.astype(np.float32), np.ones((3, 3), np.uint8))
    moved = snapped(image, near, Prompt((Click(50, 60),)))
    assert overlap(moved >= 0.5, DISK) > overlap(near >= 0.5, DISK)
    assert overlap(moved >= 0.5, DISK) > 0.97
    far = DISK.astype(np.float32)
    far[:60] = 0
    assert overlap(snapped(image, far, Prompt((Click(50, 75),))) >= 0.5, far >= 0.5) > 0.9
    for plain in (np.zeros_like(near), np.ones_like(near)):
        assert np.array_equal(snapped(image, plain, Prompt()), plain)


@pytest.mark.parametrize("method", ["clicks", "grabcut"])
def test_all_regions_of_a_method_leave_no_large_part_of_the_picture_out(
    session: Session, method: str
) -> None:
    """Both things are among them, and most of the ground."""
    found = ask(session, mode="all", count=24, method=method)
    hard = [whole(m.mask) >= 0.5 for m in found.masks]
    for thing in (DISK, SQUARE):
        assert max(overlap(h, thing) for h in hard) > 0.7
    assert np.any(hard, axis=0).mean() > 0.8


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    most=st.integers(1, 20),
)
def test_joined_cells_are_a_division_of_any_picture(seed: int, height: int, width: int, most: int) -> None:
    """Every pixel belongs to exactly one region, and there are at most as many as were asked for."""
    rng = np.random.default_rng(seed)
    image = rng.random((height, width, 3), np.float32)
    image[: height // 2] *= 0.3
    context = Context(torch.device("cpu"), TensorCache(1 << 20))
    regions = merging.divided(image, most, 0.0, context)
    total = np.sum([r.mask for r in regions], axis=0)
    assert 1 <= len(regions) <= most
    assert (total == 1).all()
    assert all(0 <= r.score <= 1 for r in regions)
