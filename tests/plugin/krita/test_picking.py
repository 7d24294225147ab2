"""Picking a region by clicks: the small picture, the question, and the mask that comes of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fake_krita import Node, paint

from scumble.plugin.common.failures import Failure
from scumble.plugin.common.geometry import Rect
from scumble.plugin.krita import turns
from scumble.plugin.krita.picking import Combine, DocumentMask, Picture, Point
from scumble.shared.errors import Code, ScumbleError


def looked(studio: Any) -> Picture:
    """What the active layer looks like."""
    seen: list[Any] = []
    studio.controller.picking.look(seen.append)
    studio.loop.until(lambda: seen, "the picture")
    return seen[0]


def answered(studio: Any, picture: Picture, *points: Point, **more: Any) -> Any:
    seen: list[Any] = []
    studio.controller.picking.find(picture, seen.append, points=points, **more)
    studio.loop.until(lambda: seen, "the answer")
    return seen[0]


def failure(studio: Any) -> Failure:
    """What the dialog shows; the docker is not told."""
    found = studio.controller.picking.failure
    assert studio.controller.state.failure is None
    assert isinstance(found, Failure)
    return found


def rgba(picture: Picture) -> np.ndarray:
    return np.frombuffer(picture.pixels.data, np.uint8).reshape(
        picture.pixels.height, picture.pixels.width, 4
    )


@pytest.mark.parametrize(("depth", "size"), [("U8", (64, 48)), ("U16", (64, 48)), ("U8", (1540, 100))])
def test_the_picture_shows_the_layer_on_the_canvas_at_most_so_large(
    studio: Any, depth: str, size: tuple[int, int]
) -> None:
    studio.krita.open(*size, depth=depth)
    layer = studio.krita.active.root.children[0]
    paint(Node(layer), -40, 0, 30, 30, seed=1)  # beyond the canvas
    studio.begin()
    picture = looked(studio)
    assert picture.rect == Rect(0, 0, *size) and max(picture.pixels.width, picture.pixels.height) <= 768
    times = picture.factor
    full = studio.layer(0)[..., [2, 1, 0, 3]].astype(float) / (255 if depth == "U8" else 65535) * 255
    high, wide = size[1] // times, size[0] // times
    mean = full[: high * times, : wide * times].reshape(high, times, wide, times, 4).mean(axis=(1, 3))
    assert np.abs(rgba(picture)[:high, :wide] - mean).max() <= 2
    assert picture.to_picture(*picture.to_document(3, 5)) == (3, 5)
    assert picture.image.width() == picture.pixels.width


def test_other_kinds_of_pixels_are_krita_s_to_show(studio: Any) -> None:
    studio.krita.open(64, 48, "CMYKA")
    studio.begin()
    assert (rgba(looked(studio)) == (128, 128, 128, 255)).all(), "as the fake one draws all thumbnails"


def test_an_answer_becomes_the_selection_in_one_step(studio: Any) -> None:
    document = studio.krita.open(1540, 100)
    studio.begin()
    studio.select(7, 8, 9, 10)
    picture = looked(studio)
    assert picture.factor == 3
    result = answered(studio, picture, Point(20, 4), Point(30, 6, False), edge=2.0)
    assert studio.painter.questions[0].points == (Point(20, 4), Point(30, 6, False))
    assert studio.painter.questions[0].layer.width == picture.pixels.width
    masks: list[Any] = []
    studio.controller.picking.enlarge(picture, result.masks[0].mask, masks.append)
    studio.loop.until(lambda: masks, "the mask")
    mask = masks[0]
    assert mask.rect == Rect(90, 18, 12, 9), "three document pixels for each"
    rows = np.frombuffer(mask.data, np.uint8).reshape(9, 12).astype(int)
    assert (rows[:, 8:] == 255).all() and (rows[:, 0] == 128).all()
    assert (np.diff(rows, axis=1) >= 0).all() and len(np.unique(rows[4])) > 2, "smooth in between"
    assert studio.controller.picking.select(mask)
    selection = document.selection()
    assert (selection.x(), selection.y(), selection.width(), selection.height()) == (90, 18, 12, 9)
    assert bytes(selection.pixelData(90, 18, 12, 9)) == mask.data
    assert len(studio.undo) == 1
    studio.take_back()
    selection = document.selection()
    assert (selection.x(), selection.y(), selection.width(), selection.height()) == (7, 8, 9, 10)


def test_undoing_the_first_selection_leaves_none(studio: Any) -> None:
    document = studio.krita.open()
    studio.begin()
    studio.controller.picking.select(DocumentMask(Rect(2, 3, 4, 5), b"\xff" * 20))
    assert document.selection().width() == 4 and len(studio.undo) == 1
    studio.take_back()
    assert document.selection() is None


def test_a_mask_is_added_to_the_selection_or_taken_from_it(studio: Any) -> None:
    document = studio.krita.open()
    studio.begin()
    picking = studio.controller.picking
    studio.select(0, 0, 10, 4, 255)
    picking.select(DocumentMask(Rect(8, 0, 4, 4), b"\x80" * 16), Combine.ADD)
    row = bytes(document.selection().pixelData(0, 0, 12, 1))
    assert row == b"\xff" * 10 + b"\x80" * 2
    picking.select(DocumentMask(Rect(0, 0, 5, 4), b"\xff" * 20), Combine.SUBTRACT)
    assert bytes(document.selection().pixelData(0, 0, 12, 1)) == b"\0" * 5 + b"\xff" * 5 + b"\x80" * 2
    assert len(studio.undo) == 2
    document.setSelection(None)
    assert not picking.select(DocumentMask(Rect(0, 0, 5, 4), b"\xff" * 20), Combine.SUBTRACT)
    assert failure(studio).code is Code.EMPTY_SELECTION and failure(studio).hint


def test_a_mask_becomes_a_region_that_is_painted(studio: Any) -> None:
    studio.krita.open()
    studio.begin()
    id = studio.controller.picking.add_region(DocumentMask(Rect(5, 6, 7, 8), b"\xff" * 56), "the boat")
    assert [(r.id, r.label) for r in studio.controller.state.regions] == [(id, "the boat")]
    assert studio.controller.state.picked == id
    studio.stylize()
    assert studio.layer(1)[..., 3].sum() == 255 * 56 and studio.layer(1)[6:14, 5:12, 3].all()


def test_the_latest_question_wins(studio: Any) -> None:
    studio.krita.open()
    studio.begin()
    picture = looked(studio)
    studio.painter.hold = True
    early: list[Any] = []
    studio.controller.picking.find(picture, early.append, points=[Point(1, 1)])
    studio.loop.until(lambda: studio.painter.questions, "the first question")
    assert studio.controller.picking.busy
    studio.painter.hold = False
    result = answered(studio, picture, Point(9, 9))
    assert result.masks[0].mask.x == 9 and early == []
    studio.loop.some(0.1)
    assert early == [] and not studio.controller.picking.busy and studio.painter.of("cancel")


def test_what_goes_wrong_is_shown_and_answered_with_nothing(studio: Any) -> None:
    studio.begin()
    assert looked(studio) is None and failure(studio).sentence == "No document is open."
    studio.krita.open()
    picture = looked(studio)
    studio.painter.refuse = ScumbleError(Code.EMPTY_SELECTION, "Nothing was found there.", "Click elsewhere.")
    assert answered(studio, picture, Point(1, 1)) is None
    assert failure(studio).sentence == "Nothing was found there."
    assert answered(studio, picture) is None and "Nothing says what" in failure(studio).sentence
    assert answered(studio, picture, Point(-1, 1)) is None and "outside" in failure(studio).sentence


def test_a_picture_of_the_gallery_is_asked_for_once_and_beside_questions(studio: Any) -> None:
    studio.krita.open()
    studio.begin()
    picking, seen = studio.controller.picking, []
    picking.gallery_picture("red", 200, seen.append)
    assert not picking.busy
    studio.loop.until(lambda: seen, "the picture")
    assert (seen[0].width(), seen[0].height()) == (200, 100) and seen[0].pixelColor(9, 9).red() > 200
    picking.gallery_picture("red", 200, seen.append)
    assert seen[1] is seen[0] and len(studio.painter.of("picture")) == 1
    studio.painter.refuse = ScumbleError(Code.BAD_REQUEST, "Unknown message.")
    picking.gallery_picture("red", 300, seen.append)
    studio.loop.until(lambda: len(seen) == 3, "the answer of an older backend")
    assert seen[2] is None and picking.failure is None and studio.controller.state.failure is None


def test_large_layers_are_looked_at_in_pieces(studio: Any, monkeypatch: Any) -> None:
    from fake_image import TOUCHED

    studio.krita.open(900, 700)
    studio.begin()
    monkeypatch.setattr(turns, "PIECE_BYTES", 40_000)
    monkeypatch.setattr(turns, "BUDGET_S", 0.0)
    TOUCHED.clear()
    seen: list[Any] = []
    studio.controller.picking.look(seen.append)
    studio.loop.turn()
    studio.loop.turn()
    assert len(TOUCHED) <= 2 and not seen, "one piece a turn"
    studio.loop.until(lambda: seen, "the picture")
    assert max(TOUCHED) <= 40_000 and len(TOUCHED) > 50
