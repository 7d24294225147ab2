"""The window for matching parts of the layer with parts of the painting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fake_picking import FakePicking, box_mask
from fake_port import FakePort
from hands import NONE, click, key, turn
from PyQt5 import QtCore, QtGui
from PyQt5.QtTest import QTest

from scumble.plugin.common.picture_part import Grid, rectangle
from scumble.plugin.common.sources import BlendedStyle, GalleryStyle, WordStyle, style_part
from scumble.plugin.krita.interface import Part
from scumble.plugin.krita.ui.pair_dialog import PairDialog
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import MaskBuffer
from scumble.shared.segmenting import FoundMask

KEY, CTRL = QtCore.Qt.Key, QtCore.Qt.KeyboardModifier.ControlModifier
NIGHT, WAVE = GalleryStyle("night-swirls"), GalleryStyle("woodblock-wave")


def pair(x: int, y: int, width: int, height: int, column: int) -> FoundMask:
    """A rectangle of the layer's picture with one of three columns of the painting."""
    style = bytearray(30 * 20)
    for row in range(20):
        style[row * 30 + column * 10 : row * 30 + column * 10 + 10] = b"\xff" * 10
    mask = box_mask(x, y, width, height)
    return FoundMask(mask.mask, 1.0, mask.area, MaskBuffer(30, 20, bytes(style)))


THREE = (pair(0, 0, 40, 90, 0), pair(40, 0, 40, 90, 1), pair(80, 0, 40, 90, 2))


@pytest.fixture
def dialog(panel: Any, port: FakePort, picking: FakePicking) -> Iterator[Any]:
    """The window with three pairs."""
    port.set_engine("semantic")
    port.set_style(GalleryStyle("night-swirls", rectangle(0, 0, 0.5, 0.5)))
    turn()
    it = panel.regions.open_matching()
    picking.answer(*THREE)
    turn()
    gone: list[Any] = []
    it.destroyed.connect(gone.append)
    yield it
    if not gone:
        it.close()
    turn()


def columns(dialog: Any) -> list[Any]:
    """Which column of the painting each row takes after, ``None`` for the whole of it."""
    found = []
    for row in dialog.table.rows:
        if row.part is None:
            found.append(None)
        else:
            data = [row.part.data[column * 10] > 127 for column in range(3)]
            found.append([at for at, there in enumerate(data) if there])
    return found


def point_at(view: Any, x: float, y: float, modifier: Any = NONE) -> None:
    """Click at a share of a picture."""
    at = view.from_picture(x * view.picture.width(), y * view.picture.height()).toPoint()
    QTest.mouseClick(view, QtCore.Qt.MouseButton.LeftButton, modifier, at)
    turn()


def test_the_button_is_there_for_an_engine_that_pairs_and_says_why_it_cannot_be_used(
    panel: Any, port: FakePort
) -> None:
    button = panel.regions.match
    port.set_style(NIGHT)
    assert button.isHidden()
    port.set_engine("semantic")
    assert not button.isHidden() and button.isEnabled() and "match" in button.toolTip()
    for style, word in ((BlendedStyle(((NIGHT, 1.0), (WAVE, 1.0))), "blend"), (WordStyle("x"), "Words")):
        port.set_style(style)
        assert not button.isEnabled() and word in button.toolTip()
        assert panel.regions.open_matching() is None
    port.set_style(NIGHT)
    port.become(Part.DOCUMENT, document=None)
    assert not button.isEnabled()


def test_it_asks_for_as_many_parts_as_the_engine_is_set_to(
    panel: Any, port: FakePort, picking: FakePicking
) -> None:
    port.set_engine("semantic")
    port.set_style(GalleryStyle("night-swirls", rectangle(0, 0, 0.5, 0.5)))
    port.set_option("parts", 6)
    dialog = panel.regions.open_matching()
    assert picking.last.mode == "pairs" and picking.last.count == 6
    assert picking.styles[-1] == NIGHT, "of the whole picture"
    assert dialog.status.text() and not dialog.use.isEnabled()
    dialog.count.changed.emit(3.0)
    dialog.count.changed.emit(5.0)
    QTest.qWait(500)
    assert len(picking.asked) == 2 and picking.last.count == 5
    dialog.close()
    turn()


def test_rows_show_what_takes_after_what(dialog: Any) -> None:
    rows = dialog.rows
    assert [rows.item(at).text() for at in range(rows.count())] == [f"Part {n}, 33 %" for n in (1, 2, 3)]
    assert rows.chosen == [0] and dialog.layer.has_mask and dialog.painting.has_mask
    shot, view = dialog.layer.grab().toImage(), dialog.layer
    hues = []
    for x in (0.2, 0.5, 0.8):
        at = view.from_picture(x * 120, 70)
        hues.append(shot.pixelColor(round(at.x()), round(at.y())).hue())
    assert len({round(hue / 20) for hue in hues}) == 3, "each part has a colour of its own"


def test_two_are_merged_and_that_is_taken_back(dialog: Any) -> None:
    assert not dialog.merge.isEnabled()
    dialog.rows.choose([0, 2])
    click(dialog.merge)
    assert columns(dialog) == [[0, 2], [1]] and dialog.rows.chosen == [0]
    click(dialog.back)
    assert columns(dialog) == [[0], [1], [2]] and not dialog.back.isEnabled()
    dialog.rows.choose([1, 2])
    key(dialog.rows, KEY.Key_M)
    assert columns(dialog) == [[0], [1, 2]]
    key(dialog, KEY.Key_Z, CTRL)
    assert len(dialog.table.rows) == 3


def test_one_is_split_by_asking_what_is_in_it(dialog: Any, picking: FakePicking) -> None:
    dialog.rows.choose([1])
    click(dialog.split)
    assert picking.last.mode == "pairs" and picking.last.count == 2
    assert picking.last.before is not None and picking.last.before.x == 40
    assert not dialog.split.isEnabled() and not dialog.use.isEnabled()
    picking.answer(pair(40, 0, 40, 45, 0), pair(40, 45, 40, 45, 1))
    assert columns(dialog) == [[0], [0], [1], [2]] and dialog.rows.chosen == [1, 2]


def test_what_cannot_be_split_is_said_and_a_late_split_of_other_rows_is_dropped(
    dialog: Any, picking: FakePicking
) -> None:
    dialog.rows.choose([1])
    click(dialog.split)
    picking.answer(pair(40, 0, 40, 90, 1))
    assert "cannot be divided" in dialog.message.sentence.text() and len(dialog.table.rows) == 3
    dialog.rows.choose([1])
    click(dialog.split)
    dialog.rows.choose([0, 2])
    dialog._merge()
    assert not picking.busy and dialog.split.isEnabled()
    picking.answer(pair(40, 0, 40, 45, 0), pair(40, 45, 40, 45, 1))
    assert columns(dialog) == [[0, 2], [1]]
    click(dialog.split)
    picking.fail(ScumbleError(Code.BUSY, "Too much to do.", "Wait."))
    assert dialog.message.sentence.text() == "Too much to do." and dialog.message.hint.text() == "Wait."


def test_another_counterpart_is_chosen_from_the_menu_or_drawn(dialog: Any) -> None:
    dialog.rows.choose([0, 1])
    dialog._fill_menu()
    actions = {action.text(): action for action in dialog.menu.actions()}
    assert [text for text in actions if "of the painting" in text] == [
        f"Part {n} of the painting" for n in (1, 2, 3)
    ]
    actions["Part 3 of the painting"].trigger()
    assert columns(dialog) == [[2], [2], [2]] and dialog.rows.chosen == [0, 1]
    actions["The whole painting"].trigger()
    assert columns(dialog) == [None, None, [2]]
    assert "the whole painting" in dialog.rows.item(0).text()
    actions["A part that I draw…"].trigger()
    drawing = dialog._part_dialog
    drawn = rectangle(0.1, 0.1, 0.4, 0.4)
    drawing.canvas.set_part(drawn)
    drawing._use()
    turn()
    assert [row.part for row in dialog.table.rows[:2]] == [drawn, drawn]


def test_a_click_on_the_painting_gives_the_chosen_row_what_is_there(dialog: Any) -> None:
    point_at(dialog.layer, 0.5, 0.5)
    assert dialog.rows.chosen == [1]
    point_at(dialog.painting, 0.9, 0.5)
    assert columns(dialog) == [[0], [2], [2]]
    point_at(dialog.layer, 0.9, 0.5, CTRL)
    assert dialog.rows.chosen == [1, 2]
    point_at(dialog.layer, 0.5, 0.5, CTRL)
    assert dialog.rows.chosen == [2]


def test_a_row_that_is_switched_off_is_left_as_it_is(
    dialog: Any, port: FakePort, picking: FakePicking
) -> None:
    dialog.rows.item(1).setCheckState(QtCore.Qt.CheckState.Unchecked)
    assert [row.on for row in dialog.table.rows] == [True, False, True]
    click(dialog.use)
    assert [mask.rect.x for mask, _ in picking.added] == [0, 160]


def test_rows_become_regions_with_masks_on_both_sides(
    dialog: Any, port: FakePort, picking: FakePicking
) -> None:
    port.add_region()
    dialog._show([0])
    click(dialog.use)
    assert [label for _, label in picking.added] == ["Part 1", "Part 2", "Part 3"]
    assert [mask.rect.x for mask, _ in picking.added] == [0, 80, 160]
    styles = [entry.style for entry in port.state.regions]
    assert len(styles) == 4 and all(isinstance(style, GalleryStyle) for style in styles)
    parts = [style_part(style) for style in styles[1:]]
    assert all(isinstance(part, Grid) for part in parts) and len(set(parts)) == 3
    assert "3 regions were added" in dialog.status.text()
    dialog.replace.setChecked(True)
    click(dialog.use)
    assert len(port.state.regions) == 3, "in place of those that were there"


def test_a_region_that_cannot_be_added_is_said(dialog: Any, port: FakePort, picking: FakePicking) -> None:
    picking.refusal = ScumbleError(Code.TOO_LARGE, "There are 32 regions already.", "Remove one.")
    click(dialog.use)
    assert dialog.message.sentence.text() == "There are 32 regions already." and picking.added == []


def test_without_layer_or_painting_it_says_so(panel: Any, port: FakePort, picking: FakePicking) -> None:
    from scumble.plugin.common.failures import explain

    picking.picture = None
    picking.failure = explain(ScumbleError(Code.EMPTY_SELECTION, "The layer is empty.", "Choose another."))
    port.set_engine("semantic")
    port.set_style(GalleryStyle("gone"))
    dialog = panel.regions.open_matching()
    turn()
    assert dialog.message.sentence.text() == "The layer is empty." and not dialog.use.isEnabled()
    assert "cannot be shown" in dialog.painting.text
    dialog.close()
    turn()


def test_there_is_one_window_and_closing_it_drops_the_question(
    panel: Any, port: FakePort, picking: FakePicking
) -> None:
    port.set_engine("semantic")
    port.set_style(NIGHT)
    first = panel.regions.open_matching()
    gone: list[Any] = []
    first.destroyed.connect(gone.append)
    second = panel.regions.open_matching()
    turn()
    assert gone and picking.cancelled == 1 and isinstance(second, PairDialog)
    picking.asked[0][1](None)
    second.close()
    turn()
    assert panel.regions._matching is None


def test_everything_has_a_key_and_krita_does_not_get_it(dialog: Any) -> None:
    for which in (KEY.Key_M, KEY.Key_S, KEY.Key_Backspace):
        event = QtGui.QKeyEvent(QtCore.QEvent.Type.ShortcutOverride, which, NONE)
        event.ignore()
        dialog.event(event)
        assert event.isAccepted()
    for button in (dialog.merge, dialog.split, dialog.other, dialog.back, dialog.use):
        assert button.focusPolicy() & QtCore.Qt.FocusPolicy.TabFocus and button.toolTip()
