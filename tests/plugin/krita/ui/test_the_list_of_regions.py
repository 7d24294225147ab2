"""Regions: added, chosen, switched off, reordered, renamed, removed."""

from __future__ import annotations

from typing import Any

import pytest
from fake_port import FakePort
from hands import click, click_row, key, turn, write
from hypothesis import given
from hypothesis import strategies as st
from PyQt5 import QtCore, QtGui, QtWidgets
from PyQt5.QtTest import QTest

from scumble.plugin.common.sources import LAYER_ALPHA, TRANSPARENCY_MASK, GalleryStyle, MaskSource
from scumble.plugin.krita import tint
from scumble.plugin.krita.interface import Part
from scumble.plugin.krita.ui import thumbs
from scumble.plugin.krita.ui.regions import RegionPanel

KEY, ALT = QtCore.Qt.Key, QtCore.Qt.KeyboardModifier.AltModifier
NIGHT, WAVE = GalleryStyle("night-swirls"), GalleryStyle("woodblock-wave")


@pytest.fixture
def three(panel: Any, port: FakePort) -> Any:
    """The docker's list with three regions, the first one picked."""
    for label, style in (("Sky", NIGHT), ("", WAVE), ("Tree", None)):
        port.list.add(style=style, label=label)
    port._listed(picked="r1")
    turn()
    return panel.regions


def ids(port: FakePort) -> list[str]:
    return [entry.id for entry in port.state.regions]


def test_one_click_adds_the_selection_and_picks_it(panel: Any, port: FakePort) -> None:
    port.set_style(NIGHT)
    click(panel.regions.add)
    assert [entry.style for entry in port.state.regions] == [NIGHT] and port.state.picked == "r1"
    assert panel.regions.view.isVisible() and panel.regions.note.isHidden()


def test_an_empty_list_says_what_will_be_painted(panel: Any, port: FakePort) -> None:
    assert "640 × 420" in panel.regions.note.text()
    from dataclasses import replace

    document = port.state.document
    assert document is not None
    port.become(Part.DOCUMENT, document=replace(document, selection=None))
    assert "whole layer" in panel.regions.note.text()
    port.become(Part.DOCUMENT, document=None)
    assert "No document" in panel.regions.note.text() and not panel.regions.add.isEnabled()


def test_a_click_picks_a_region_and_a_click_beside_the_rows_none(three: Any, port: FakePort) -> None:
    click_row(three.view, 1)
    assert port.state.picked == "r2"
    three.view.setFixedHeight(400)
    turn()
    click(three.view.viewport(), QtCore.QPoint(50, 390))
    assert port.state.picked == ""


def test_its_check_box_switches_a_region_off_without_picking_it(three: Any, port: FakePort) -> None:
    view = three.view
    box = view.itemDelegate().boxes(view.visualRect(three.model.index(2, 0)))[0]
    click(view.viewport(), box.center())
    assert [entry.enabled for entry in port.state.regions] == [True, True, False]
    click(view.viewport(), box.center())
    assert all(entry.enabled for entry in port.state.regions)


def test_buttons_move_duplicate_and_remove_the_picked_one(three: Any, port: FakePort) -> None:
    assert not three.up.isEnabled() and three.down.isEnabled()
    click(three.down)
    assert ids(port) == ["r2", "r1", "r3"] and port.state.picked == "r1" and three.up.isEnabled()
    click(three.copy)
    assert len(ids(port)) == 4 and port.state.picked == ids(port)[2]
    click(three.remove)
    assert ids(port) == ["r2", "r1", "r3"] and port.state.picked == "" and not three.remove.isEnabled()


def test_keys_do_the_same(three: Any, port: FakePort) -> None:
    three.view.setFocus()
    key(three.view, KEY.Key_Down, ALT)
    assert ids(port) == ["r2", "r1", "r3"]
    key(three.view, KEY.Key_Up, ALT)
    assert ids(port) == ["r1", "r2", "r3"]
    key(three.view, KEY.Key_Space)
    assert not port.state.regions[0].enabled
    key(three.view, KEY.Key_Delete)
    assert ids(port) == ["r2", "r3"]


@given(start=st.integers(0, 4), at=st.integers(-1, 5))
def test_a_dragged_region_lands_where_it_is_dropped(app: Any, start: int, at: int) -> None:
    port = FakePort()
    for _ in range(5):
        port.list.add(style=NIGHT)
    port._listed()
    panel = RegionPanel(port, thumbs.Thumbnails())
    panel.show_state(port.state, frozenset(Part))
    model = panel.model
    panel.model.moved.disconnect()
    panel.model.moved.connect(port.move_region)
    before = ids(port)
    data = model.mimeData([model.index(start, 0)])
    move = QtCore.Qt.DropAction.MoveAction
    assert not model.dropMimeData(data, move, at, 0, QtCore.QModelIndex())
    rest = [id for id in before if id != before[start]]
    gap = len(before) if at < 0 else at  # -1: beneath the last row
    place = gap - 1 if gap > start else gap
    assert ids(port) == [*rest[:place], before[start], *rest[place:]]


def test_something_else_that_is_dropped_changes_nothing(three: Any, port: FakePort) -> None:
    data = QtCore.QMimeData()
    data.setText("r1")
    assert not three.model.dropMimeData(data, QtCore.Qt.DropAction.MoveAction, 2, 0, QtCore.QModelIndex())
    assert ids(port) == ["r1", "r2", "r3"]


def test_a_region_is_renamed_in_its_row(three: Any, port: FakePort) -> None:
    three.view.edit(three.model.index(1, 0))
    field = three.view.findChild(QtWidgets.QLineEdit)
    assert field.text() == "Region 2"
    field.selectAll()
    write(field, "Water")
    key(field, KEY.Key_Return)
    assert port.state.regions[1].label == "Water"


def test_other_masks_are_offered_and_those_that_cannot_be_taken_say_why(panel: Any, port: FakePort) -> None:
    click(panel.regions.others)
    menu = QtWidgets.QApplication.activePopupWidget()
    actions = {action.text(): action for action in menu.actions()}
    assert not actions["Lines"].isEnabled() and actions["Lines"].toolTip() == "The layer is empty."
    actions["Sky"].trigger()
    menu.close()
    assert port.state.regions[0].mask == MaskSource(TRANSPARENCY_MASK, "t1")
    assert port.mask_choices()[2].source == MaskSource(LAYER_ALPHA, "l1")


def test_a_row_tells_a_screen_reader_everything(three: Any) -> None:
    index = three.model.index(0, 0)
    said = three.model.data(index, QtCore.Qt.ItemDataRole.AccessibleDescriptionRole)
    assert said == "Sky: current selection, Swirling night, strength 100 %"


def test_pictures_are_asked_for_one_at_a_time_and_only_when_something_changed(
    panel: Any, port: FakePort
) -> None:
    asked: list[str] = []

    def picture(id: str, width: int, height: int) -> Any:
        asked.append(id)
        image = QtGui.QImage(width, height, QtGui.QImage.Format.Format_RGB32)
        image.fill(QtGui.QColor(10, 200, 10))
        return image

    def settle(expected: int) -> list[str]:
        QTest.qWait(30)
        for _ in range(200):
            if len(asked) >= expected and not panel.regions.view._fetching.isActive():
                break
            QTest.qWait(10)
        return asked

    port.region_picture = picture
    port.add_region()
    port.add_region(MaskSource(TRANSPARENCY_MASK, "t1"))
    assert asked == [], "not while the list is being drawn"
    assert settle(2) == ["r1", "r2"]
    panel.regions.view.viewport().repaint()
    port.change_region("r1", label="Sky", strength=0.5)
    assert settle(2) == ["r1", "r2"]
    port.become(Part.DOCUMENT)
    assert settle(3) == ["r1", "r2", "r2"], "a kept selection stays as it is, a mask may have changed"
    port.move_region("r2", 0)
    assert sorted(settle(5)[3:]) == ["r1", "r2"], "they have other colours now"
    port.remove_region("r1")
    assert "r1" not in panel.regions.view._images


def test_a_tinted_picture_keeps_its_colours_only_where_the_mask_is(app: Any) -> None:
    picture = QtGui.QImage(40, 20, QtGui.QImage.Format.Format_RGB32)
    picture.fill(QtGui.QColor(250, 20, 20))
    mask = QtGui.QImage(40, 20, QtGui.QImage.Format.Format_Grayscale8)
    mask.fill(0)
    for y in range(20):
        for x in range(20):
            mask.setPixel(x, y, QtGui.qRgb(255, 255, 255))
    result = tint.tinted(picture, mask, tint.region_colour(0))
    inside, outside = QtGui.QColor(result.pixel(5, 10)), QtGui.QColor(result.pixel(35, 10))
    assert inside.blue() > 80 and inside.saturation() > 60 and outside.saturation() < 10
    assert result.pixelColor(5, 10).alpha() == 255 and result.pixelColor(35, 10).alpha() < 255


def test_regions_are_told_apart_by_colours_far_from_each_other() -> None:
    hues = [tint.region_colour(number).hue() for number in range(4)]
    for one in range(4):
        for other in range(one):
            apart = abs(hues[one] - hues[other])
            assert min(apart, 360 - apart) > 50
