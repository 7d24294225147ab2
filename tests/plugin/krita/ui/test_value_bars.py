"""The bar that holds a number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hands import click, drag, key, turn, write
from hypothesis import given
from hypothesis import strategies as st
from PyQt5 import QtCore, QtGui, QtWidgets
from PyQt5.QtTest import QTest

from scumble.plugin.krita.ui.valuebar import ValueBar

KEY = QtCore.Qt.Key


@pytest.fixture
def bar(app: Any) -> Iterator[Any]:
    bar = ValueBar("Brushwork", 0, 1, 0.05, percent=True)
    bar.set(0.5)
    bar.resize(202, 24)
    bar.show()
    turn()
    yield bar
    bar.close()
    bar.deleteLater()
    turn()


def heard(signal: Any) -> list[Any]:
    got: list[Any] = []
    signal.connect(got.append)
    return got


def test_dragging_changes_it_all_the_way_and_settles_once(bar: Any) -> None:
    changed, settled = heard(bar.changed), heard(bar.settled)
    drag(bar, 101, 161)
    assert bar.number == pytest.approx(0.8) and changed[-1] == bar.number and len(changed) >= 2
    assert settled == [bar.number]


def test_with_shift_it_moves_a_tenth_as_far_and_from_where_it_was(bar: Any) -> None:
    drag(bar, 20, 120, QtCore.Qt.KeyboardModifier.ShiftModifier)
    assert bar.number == pytest.approx(0.55, abs=0.011)


def test_arrow_keys_move_it_by_a_step_and_the_ends_hold(bar: Any) -> None:
    bar.setFocus()
    key(bar, KEY.Key_Right)
    assert bar.number == pytest.approx(0.55)
    key(bar, KEY.Key_End)
    key(bar, KEY.Key_Right)
    assert bar.number == 1.0 and bar.text() == "100 %"


def test_typing_a_number_enters_it(bar: Any) -> None:
    settled = heard(bar.settled)
    bar.setFocus()
    write(bar, "7")
    field = bar.findChild(QtWidgets.QLineEdit)
    write(field, "5")
    key(field, KEY.Key_Return)
    assert bar.number == 0.75 and settled == [0.75]


def test_escape_leaves_what_was_there(bar: Any) -> None:
    bar.setFocus()
    key(bar, KEY.Key_Return)
    field = bar.findChild(QtWidgets.QLineEdit)
    assert field.text() == "50"
    write(field, "99")
    key(field, KEY.Key_Escape)
    assert bar.number == 0.5


@pytest.mark.parametrize(("typed", "expected"), [("30 %", 0.3), ("12,5", 0.125), ("900", 1.0), ("x", 0.5)])
def test_units_commas_and_nonsense_are_understood(bar: Any, typed: str, expected: float) -> None:
    bar.edit(typed)
    key(bar.findChild(QtWidgets.QLineEdit), KEY.Key_Return)
    assert bar.number == pytest.approx(expected)


def test_the_wheel_passes_through_unless_the_bar_has_the_focus(bar: Any) -> None:
    def wheel() -> bool:
        event = QtGui.QWheelEvent(
            QtCore.QPointF(50, 10), QtCore.QPointF(bar.mapToGlobal(QtCore.QPoint(50, 10))),
            QtCore.QPoint(), QtCore.QPoint(0, 120), QtCore.Qt.MouseButton.NoButton,
            QtCore.Qt.KeyboardModifier.NoModifier, QtCore.Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        bar.wheelEvent(event)
        return event.isAccepted()

    bar.clearFocus()
    assert not wheel() and bar.number == 0.5
    bar.activateWindow()
    bar.setFocus()
    turn()
    if bar.hasFocus():
        assert wheel() and bar.number == pytest.approx(0.55)


def test_delete_asks_for_a_reset(bar: Any) -> None:
    asked = []
    bar.reset_asked.connect(lambda: asked.append(True))
    bar.setFocus()
    key(bar, KEY.Key_Delete)
    assert asked == [True]


def test_a_screen_reader_hears_name_and_value(bar: Any) -> None:
    assert bar.accessibleName() == "Brushwork"
    bar.set(0.25)
    assert bar.accessibleDescription() == "25 %"


def test_a_value_that_was_set_is_kept_exactly_and_nobody_is_told(bar: Any) -> None:
    changed = heard(bar.changed)
    bar.set(1 / 3)
    assert bar.number == 1 / 3 and changed == []


@given(low=st.floats(-1e4, 1e4), span=st.floats(1e-3, 1e5), step=st.floats(1e-3, 50), x=st.integers(-50, 400))
def test_wherever_it_is_clicked_the_value_lies_in_its_range(
    app: Any, low: float, span: float, step: float, x: int
) -> None:
    bar = ValueBar("Any", low, low + span, step)
    bar.resize(202, 24)
    QTest.mousePress(bar, QtCore.Qt.MouseButton.LeftButton, pos=QtCore.QPoint(x, 5))
    assert low <= bar.number <= low + span


def test_whole_numbers_stay_whole(app: Any) -> None:
    bar = ValueBar("Rounds", 1, 12, 1, whole=True)
    bar.resize(202, 24)
    for x in range(0, 202, 7):
        click(bar, QtCore.QPoint(x, 5))
        assert bar.number == round(bar.number)
    bar.close()
