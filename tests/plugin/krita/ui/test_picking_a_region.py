"""The window for picking a region: clicks, boxes, and several readings of them."""

from __future__ import annotations

from typing import Any

import pytest
from fake_picking import FakePicking, box_mask
from fake_port import FakePort
from hands import click, key, turn
from picking_hands import BUTTON, colour, drag_box, point_at, said
from PyQt5 import QtCore
from PyQt5.QtTest import QTest

from scumble.plugin.krita.interface import Part
from scumble.plugin.krita.ui.pick_dialog import PickDialog
from scumble.shared.errors import Code, ScumbleError

KEY = QtCore.Qt.Key
ALT, CTRL = QtCore.Qt.KeyboardModifier.AltModifier, QtCore.Qt.KeyboardModifier.ControlModifier
NOTHING = ScumbleError(Code.EMPTY_SELECTION, "Nothing was found there.", "Click in the middle of it.")


@pytest.fixture
def dialog(pick_dialog: Any) -> Any:
    return pick_dialog


def test_the_docker_opens_one_window_for_picking(panel: Any, port: FakePort) -> None:
    click(panel.regions.pick)
    first = panel.regions.open_picker()
    assert isinstance(first, PickDialog) and first.isVisible() and "Painting" in first.windowTitle()
    first.close()
    turn()
    assert panel.regions._picker is None
    second = panel.regions.open_picker()
    assert second.isVisible()
    second.close()
    turn()
    port.become(Part.DOCUMENT, document=None)
    assert not panel.regions.pick.isEnabled()


def test_a_left_click_means_this_and_a_right_click_not_this(dialog: Any, picking: FakePicking) -> None:
    point_at(dialog, 40, 30)
    picking.answer(box_mask(20, 20, 40, 30))
    point_at(dialog, 80, 60, BUTTON.RightButton)
    assert said(picking) == [(40, 30, True), (80, 60, False)]
    assert picking.last.before is not None and picking.last.before.x == 20


@pytest.mark.parametrize("modifier", [ALT, CTRL])
def test_with_alt_or_ctrl_a_left_click_means_not_this(
    dialog: Any, picking: FakePicking, modifier: Any
) -> None:
    point_at(dialog, 40, 30)
    point_at(dialog, 80, 60, with_=modifier)
    assert said(picking)[-1] == (80, 60, False)


def test_the_mask_is_shown_at_once_in_colour_with_a_moving_line(dialog: Any, picking: FakePicking) -> None:
    before = colour(dialog, 40, 35), colour(dialog, 100, 80)
    point_at(dialog, 40, 30)
    picking.answer(box_mask(20, 20, 40, 30))
    turn()
    inside, outside = colour(dialog, 50, 42), colour(dialog, 100, 80)
    assert inside.saturation() > 60 > before[0].saturation()
    assert outside.lightness() < before[1].lightness() - 20 and outside.saturation() < 10
    edges = dialog.canvas.grab().toImage()
    dialog.canvas._march()
    moved = dialog.canvas.grab().toImage()
    assert edges != moved and dialog.canvas._marching.isActive()


def test_a_click_beside_the_picture_says_nothing(dialog: Any, picking: FakePicking) -> None:
    dialog.resize(900, 400)
    turn()
    for place in ((-30, 40), (150, 40)):
        point_at(dialog, *place)
        point_at(dialog, *place, BUTTON.RightButton)
    assert picking.asked == []


def test_a_drag_is_a_box_and_a_box_begins_anew(dialog: Any, picking: FakePicking) -> None:
    point_at(dialog, 40, 30)
    drag_box(dialog, 100, 80, 30, 20)
    box = picking.last.box
    assert box is not None and [round(side) for side in box] == [30, 20, 100, 80]
    assert picking.last.points == ()
    drag_box(dialog, 60, 50, 400, 400)
    assert picking.last.box is not None and picking.last.box[2:] == (120, 90), "cut off at the border"


def test_escape_gives_up_a_box_that_is_being_drawn_and_keeps_the_window(
    dialog: Any, picking: FakePicking
) -> None:
    drag_box(dialog, 30, 20, 90, 70, release=False)
    key(dialog.canvas, KEY.Key_Escape)
    QTest.mouseRelease(dialog.canvas, BUTTON.LeftButton)
    assert picking.asked == [] and dialog.isVisible()


@pytest.mark.parametrize("how", ["backspace", "ctrl z", "button"])
def test_the_last_click_is_taken_back_without_asking(dialog: Any, picking: FakePicking, how: str) -> None:
    for number in (1, 2):
        point_at(dialog, 20 * number, 30)
        picking.answer(box_mask(10 * number, 10, 20, 20))
    if how == "backspace":
        key(dialog.canvas, KEY.Key_Backspace)
    elif how == "ctrl z":
        key(dialog.canvas, KEY.Key_Z, CTRL)
    else:
        click(dialog.back)
    found = dialog.clicks.now.mask
    assert len(picking.asked) == 2 and found is not None and found.mask.x == 10
    key(dialog.canvas, KEY.Key_Backspace)
    assert dialog.clicks.now.mask is None and not dialog.back.isEnabled()
    key(dialog.canvas, KEY.Key_Backspace)


def test_a_late_answer_is_dropped_and_the_latest_wins(dialog: Any, picking: FakePicking) -> None:
    point_at(dialog, 40, 30)
    point_at(dialog, 50, 30)
    picking.answer(box_mask(1, 1, 5, 5), to=0)
    assert dialog.clicks.now.mask is None and not dialog.takes.make.isEnabled()
    # Even if the connection were to hand it over.
    picking.asked[0][1](None)
    assert dialog.message.isHidden()
    picking.answer(box_mask(30, 20, 40, 30))
    found = dialog.clicks.now.mask
    assert found is not None and found.mask.x == 30 and dialog.takes.make.isEnabled()


def test_a_click_taken_back_while_it_is_asked_asks_the_one_before_again(
    dialog: Any, picking: FakePicking
) -> None:
    point_at(dialog, 40, 30)
    point_at(dialog, 50, 30)
    key(dialog.canvas, KEY.Key_Backspace)
    assert said(picking) == [(40, 30, True)] and len(picking.asked) == 3


def test_nothing_found_is_a_sentence_with_a_hint_and_the_mask_of_before_stays(
    dialog: Any, picking: FakePicking
) -> None:
    point_at(dialog, 40, 30)
    picking.answer(box_mask(20, 20, 40, 30))
    place = dialog.canvas.geometry()
    point_at(dialog, 90, 30)
    picking.fail(NOTHING)
    assert dialog.message.isVisible() and dialog.message.sentence.text() == NOTHING.message
    assert dialog.message.hint.text() == NOTHING.hint
    turn()
    assert dialog.canvas.geometry() == place, "the picture does not move under the pointer"
    found = dialog.clicks.now.mask
    assert found is not None and found.mask.x == 20
    key(dialog.canvas, KEY.Key_Backspace)
    assert dialog.message.isHidden()


def test_a_place_that_is_wanted_and_unwanted_is_said_at_once(dialog: Any, picking: FakePicking) -> None:
    point_at(dialog, 40, 30)
    picking.answer(box_mask(20, 20, 40, 30))
    point_at(dialog, 40, 30, BUTTON.RightButton)
    assert "both wanted and unwanted" in dialog.message.sentence.text() and dialog.message.hint.text()
    assert len(picking.asked) == 1
    key(dialog.canvas, KEY.Key_Backspace)
    assert dialog.message.isHidden() and dialog.takes.make.isEnabled()


def test_a_click_that_only_leaves_out_says_what_is_missing(dialog: Any, picking: FakePicking) -> None:
    point_at(dialog, 40, 30, BUTTON.RightButton)
    assert "Nothing says what to select" in dialog.message.sentence.text()


def test_several_readings_can_be_flipped_through(dialog: Any, picking: FakePicking) -> None:
    point_at(dialog, 40, 30)
    picking.answer(box_mask(1, 1, 9, 9, 0.91), box_mask(2, 1, 9, 9, 0.62), box_mask(3, 1, 9, 9, 0.3))
    turn()
    buttons = dialog.candidates.buttons
    assert [label.text() for label in dialog.candidates.labels] == ["91 %", "62 %", "30 %"]
    assert buttons[0].isChecked() and "91 %" in buttons[0].accessibleName()
    click(buttons[2])
    assert dialog.clicks.now.shown == 2
    key(dialog.canvas, KEY.Key_PageDown)
    assert dialog.clicks.now.shown == 0 and buttons[0].isChecked()
    key(dialog.canvas, KEY.Key_PageUp)
    point_at(dialog, 60, 30)
    assert picking.last.before is not None and picking.last.before.x == 3, "goes on from the one in sight"
    picking.answer(box_mask(4, 1, 9, 9))
    turn()
    assert dialog.candidates.buttons == [], "one alone is no choice"


def test_a_readings_small_picture_is_tinted_where_its_mask_is(dialog: Any, picking: FakePicking) -> None:
    point_at(dialog, 40, 30)
    picking.answer(box_mask(0, 0, 60, 90), box_mask(60, 0, 60, 90, 0.5))
    turn()
    for at, x in ((0, 0.25), (1, 0.75)):
        image = dialog.candidates.buttons[at].icon().pixmap(112, 112).toImage()
        tinted = image.pixelColor(round(image.width() * x), image.height() // 2)
        plain = image.pixelColor(round(image.width() * (1 - x)), image.height() // 2)
        assert tinted.saturation() > 60 > plain.saturation()
