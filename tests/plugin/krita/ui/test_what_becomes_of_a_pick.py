"""The window for picking a region: methods, lists, keys, and what becomes of a mask."""

from __future__ import annotations

from typing import Any

import pytest
from fake_picking import FakePicking, box_mask, plain_picture
from fake_port import FakePort
from hands import click, key, turn
from picking_hands import BUTTON, colour, point_at, said
from PyQt5 import QtCore, QtGui, QtWidgets
from PyQt5.QtTest import QTest

from scumble.plugin.krita.interface import Part
from scumble.plugin.krita.picking import Combine
from scumble.plugin.krita.ui.pick_dialog import EDGE, METHOD, PickDialog
from scumble.shared.errors import Code, ScumbleError

KEY = QtCore.Qt.Key
CTRL, SHIFT = QtCore.Qt.KeyboardModifier.ControlModifier, QtCore.Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def dialog(pick_dialog: Any) -> Any:
    return pick_dialog


def test_the_subject_is_one_click(dialog: Any, picking: FakePicking) -> None:
    click(dialog.subject)
    assert picking.last.mode == "subject"
    picking.answer(box_mask(30, 20, 40, 30))
    point_at(dialog, 35, 25, BUTTON.RightButton)
    assert picking.last.mode == "points" and picking.last.before is not None


def test_the_method_is_chosen_and_kept_and_a_missing_one_says_why(
    dialog: Any, port: FakePort, picking: FakePicking
) -> None:
    box = dialog.method.box
    assert [box.itemText(at) for at in range(box.count())] == [
        "Best there is", "Segment Anything", "Clicks", "Colours and edges"
    ]  # fmt: skip
    assert "Clicks" in box.itemData(0, QtCore.Qt.ItemDataRole.ToolTipRole)
    assert not box.model().item(1).isEnabled()
    assert box.itemData(1, QtCore.Qt.ItemDataRole.ToolTipRole) == "Fetch its weights first."
    point_at(dialog, 40, 30)
    assert picking.last.method == "auto"
    box.setCurrentIndex(3)
    box.activated.emit(3)
    assert picking.last.method == "grabcut" and port.settings[METHOD] == "grabcut"
    assert said(picking) == [(40, 30, True)], "asked again at once"
    again = PickDialog(port)
    assert again.method.chosen == "grabcut"
    again.close()


def test_the_soft_edge_is_in_pixels_of_the_layer_and_asks_again_when_the_hand_rests(
    dialog: Any, port: FakePort, picking: FakePicking
) -> None:
    point_at(dialog, 40, 30)
    assert picking.last.edge == 2.0, "each of the picture's pixels stands for two by two"
    picking.answer(box_mask(20, 20, 40, 30))
    for pixels in (8, 9, 10):
        dialog.edge.changed.emit(float(pixels))
    assert len(picking.asked) == 1
    QTest.qWait(400)
    assert len(picking.asked) == 2 and picking.last.edge == 5.0 and port.settings[EDGE] == 10
    assert picking.last.before is None, "the same question, not an improvement of its answer"


@pytest.mark.parametrize("kept", ["much", None, True, -3, 1e9])
def test_an_odd_soft_edge_in_the_settings_does_no_harm(port: FakePort, kept: Any) -> None:
    port.settings[EDGE] = kept
    dialog = PickDialog(port)
    assert dialog.edge.number == 4.0
    dialog.close()


def test_the_mask_becomes_the_selection_is_added_to_it_or_taken_from_it(
    dialog: Any, picking: FakePicking
) -> None:
    assert not dialog.takes.make.isEnabled() and not dialog.takes.add.isEnabled()
    point_at(dialog, 40, 30)
    picking.answer(box_mask(20, 20, 40, 30))
    click(dialog.takes.make, QtCore.QPoint(20, 10))
    for action in dialog.takes.menu.actions()[1:]:
        action.trigger()
    assert [how for _, how in picking.selected] == [Combine.REPLACE, Combine.ADD, Combine.SUBTRACT]
    rect = picking.selected[0][0].rect
    assert (rect.x, rect.y, rect.width, rect.height) == (40, 40, 80, 60)
    assert dialog.isVisible() and dialog.status.text()


def test_the_mask_becomes_a_region_and_the_next_one_can_be_picked(
    dialog: Any, port: FakePort, picking: FakePicking
) -> None:
    for number in (1, 2):
        point_at(dialog, 40, 30)
        picking.answer(box_mask(20, 20, 40, 30))
        click(dialog.takes.add)
        assert len(port.state.regions) == number and len(picking.added) == number
        assert dialog.clicks.now.empty and not dialog.takes.add.isEnabled()
    assert "added" in dialog.status.text()


def test_what_cannot_be_done_with_a_mask_is_said(dialog: Any, picking: FakePicking) -> None:
    point_at(dialog, 40, 30)
    picking.answer(box_mask(20, 20, 40, 30))
    picking.refusal = ScumbleError(Code.TOO_LARGE, "There are 32 regions already.", "Remove one.")
    click(dialog.takes.add)
    assert dialog.message.sentence.text() == "There are 32 regions already."
    assert dialog.message.hint.text() == "Remove one." and not dialog.clicks.now.empty
    click(dialog.takes.make, QtCore.QPoint(20, 10))
    assert dialog.message.isVisible()


def test_all_regions_come_as_a_list_and_each_can_be_added(
    dialog: Any, port: FakePort, picking: FakePicking
) -> None:
    click(dialog.all)
    assert picking.last.mode == "all" and picking.last.count > 10
    assert not dialog.takes.add.isEnabled() and not dialog.everything.isEnabled()
    picking.answer(box_mask(0, 0, 60, 90), box_mask(60, 0, 60, 45), box_mask(0, 0, 3, 3))
    turn()
    rows = [dialog.everything.list.item(at).text() for at in range(3)]
    assert rows == ["Region 1\n50 %", "Region 2\n25 %", "Region 3\nunder 1 %"]
    assert colour(dialog, 30, 45).saturation() > 60, "the first one is shown"
    dialog.everything.list.setCurrentRow(1)
    turn()
    assert colour(dialog, 90, 20).saturation() > 60 > colour(dialog, 30, 45).saturation()
    dialog.everything.list.selectAll()
    assert dialog.takes.add.text() == "Add as regions"
    click(dialog.takes.add)
    assert [mask.rect.x for mask, _ in picking.added] == [0, 120, 0] and len(port.state.regions) == 3
    dialog.takes.menu.actions()[0].trigger()
    assert [how for _, how in picking.selected] == [Combine.REPLACE, Combine.ADD, Combine.ADD]


def test_a_click_leaves_the_list(dialog: Any, picking: FakePicking) -> None:
    click(dialog.all)
    point_at(dialog, 40, 30)
    picking.answer(box_mask(0, 0, 60, 90), to=0)
    assert dialog.everything.masks == () and not dialog.everything.isVisible()
    picking.answer(box_mask(20, 20, 40, 30))
    click(dialog.takes.add)
    assert picking.added[0][0].rect.x == 40


def test_the_list_stays_beside_a_click_and_can_be_gone_back_to(dialog: Any, picking: FakePicking) -> None:
    click(dialog.all)
    picking.answer(box_mask(0, 0, 60, 90), box_mask(60, 0, 60, 45))
    turn()
    place = dialog.canvas.geometry()
    point_at(dialog, 90, 70)
    picking.answer(box_mask(20, 20, 40, 30), box_mask(20, 20, 30, 30, 0.4))
    turn()
    assert dialog.canvas.geometry() == place, "the picture does not move under the pointer"
    assert dialog.everything.isVisible() and dialog.everything.picked == ()
    assert dialog.candidates.isVisible() and len(dialog.candidates.buttons) == 2
    dialog.everything.list.setCurrentRow(1)
    turn()
    click(dialog.takes.add)
    assert picking.added[0][0].rect.x == 120


def test_the_place_for_readings_is_kept_free(port: FakePort, picking: FakePicking) -> None:
    later: list[Any] = []
    picking.look = later.append  # type: ignore[method-assign]
    dialog = PickDialog(port)
    dialog.show()
    later[0](plain_picture())
    turn()
    place = dialog.canvas.geometry()
    point_at(dialog, 40, 30)
    picking.answer(box_mask(1, 1, 9, 9, 0.91), box_mask(2, 1, 9, 9, 0.62))
    turn()
    assert dialog.canvas.geometry() == place and dialog.candidates.isVisible()
    dialog.close()
    turn()


def test_everything_can_be_done_with_the_keyboard(dialog: Any, port: FakePort, picking: FakePicking) -> None:
    dialog.canvas.setFocus()
    for _ in range(2):
        key(dialog.canvas, KEY.Key_Left)
    key(dialog.canvas, KEY.Key_Down, SHIFT)
    key(dialog.canvas, KEY.Key_Return)
    assert said(picking) == [(36, 46, True)] and dialog.isVisible()
    picking.answer(box_mask(20, 20, 40, 30))
    key(dialog.canvas, KEY.Key_Up)
    key(dialog.canvas, KEY.Key_Minus)
    assert said(picking)[1] == (36, 34, False)
    picking.answer(box_mask(20, 20, 40, 30))
    for button in (dialog.takes.make, dialog.takes.add, dialog.subject, dialog.all, dialog.back):
        assert button.focusPolicy() & QtCore.Qt.FocusPolicy.TabFocus and button.toolTip()
    key(dialog.takes.add, KEY.Key_Space)
    assert len(port.state.regions) == 1
    gone: list[Any] = []
    dialog.destroyed.connect(gone.append)
    key(dialog.canvas, KEY.Key_Escape)
    assert gone


def test_krita_does_not_get_the_keys_that_are_meant_for_the_picture(dialog: Any) -> None:
    event = QtGui.QKeyEvent(QtCore.QEvent.Type.ShortcutOverride, KEY.Key_Z, CTRL)
    event.ignore()
    QtWidgets.QApplication.sendEvent(dialog, event)
    assert event.isAccepted()


def test_the_wheel_comes_closer_where_the_pointer_is_and_clicks_still_land(
    dialog: Any, picking: FakePicking
) -> None:
    canvas = dialog.canvas
    at = canvas.from_picture(30, 20)
    for _ in range(4):
        canvas.zoom_at(at, 1.25)
    assert canvas.to_picture(at) == pytest.approx((30, 20), abs=0.01) and canvas.scale > 5
    point_at(dialog, 35, 25)
    assert picking.last.points[0].x == pytest.approx(35, abs=0.3)
    key(canvas, KEY.Key_0)
    assert canvas.place.width() <= canvas.width() + 1
    for _ in range(60):
        canvas.zoom_at(at, 1.25)
    assert canvas.scale <= 12.01
    for _ in range(60):
        canvas.zoom_at(at, 0.8)
    assert canvas.scale == pytest.approx(min(canvas.width() / 120, canvas.height() / 90), abs=0.01), (
        "never smaller than the room"
    )


def test_without_a_layer_the_window_says_why(port: FakePort, picking: FakePicking) -> None:
    from scumble.plugin.common.failures import explain

    picking.picture = None
    picking.failure = explain(ScumbleError(Code.EMPTY_SELECTION, "The layer is empty.", "Choose another."))
    dialog = PickDialog(port)
    dialog.show()
    turn()
    assert dialog.message.sentence.text() == "The layer is empty." and not dialog.subject.isEnabled()
    picking.picture = plain_picture()
    click(dialog.reload)
    assert dialog.message.isHidden() and dialog.subject.isEnabled()
    dialog.close()


def test_while_it_takes_long_the_window_says_what_it_waits_for(dialog: Any, picking: FakePicking) -> None:
    point_at(dialog, 40, 30)
    assert dialog.status.text() == "Looking…"
    picking.status = "Starting the Scumble backend…"
    QTest.qWait(400)
    assert dialog.status.text() == picking.status
    picking.answer(box_mask(20, 20, 40, 30))
    assert "Click: this" in dialog.status.text()


def test_another_active_layer_is_said_and_looked_at_on_request(
    dialog: Any, port: FakePort, picking: FakePicking
) -> None:
    from dataclasses import replace

    document = port.state.document
    assert document is not None
    port.become(Part.DOCUMENT, document=replace(document, layer="Lines"))
    assert "“Lines” is the active layer now" in dialog.status.text()


def test_closing_drops_what_is_asked_and_late_news_find_nobody(port: FakePort, picking: FakePicking) -> None:
    dialog = PickDialog(port)
    dialog.show()
    turn()
    point_at(dialog, 40, 30)
    listeners = len(port.listeners)
    done = picking.asked[-1][1]
    dialog.close()
    assert picking.cancelled == 1 and len(port.listeners) == listeners - 1
    turn()
    done(None)
    port.become(Part.REGIONS)


@pytest.mark.parametrize("unit", [7.0, 9.0, 14.0])
def test_it_fits_small_screens_and_large_fonts(app: Any, port: FakePort, unit: float) -> None:
    font = app.font()
    before = font.pointSizeF()
    font.setPointSizeF(unit)
    app.setFont(font)
    try:
        dialog = PickDialog(port)
        assert dialog.minimumSizeHint().width() <= 760 and dialog.minimumSizeHint().height() <= 620
        dialog.close()
    finally:
        font.setPointSizeF(before)
        app.setFont(font)
