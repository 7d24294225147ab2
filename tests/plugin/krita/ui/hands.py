"""What a user's hand does, in events."""

from __future__ import annotations

from typing import Any

from PyQt5 import QtCore, QtWidgets
from PyQt5.QtTest import QTest

LEFT = QtCore.Qt.MouseButton.LeftButton
NONE = QtCore.Qt.KeyboardModifier.NoModifier


def turn() -> None:
    """Let the event loop go round."""
    for _ in range(3):
        QtWidgets.QApplication.processEvents()
        # A plain number: what PyQt6 calls an enum, PyQt5 calls a number.
        late = QtCore.QEvent.Type.DeferredDelete
        QtCore.QCoreApplication.sendPostedEvents(None, int(getattr(late, "value", late)))


def click(widget: Any, place: Any = None) -> None:
    """Click on a widget, by default into its middle."""
    QTest.mouseClick(widget, LEFT, NONE, place or widget.rect().center())
    turn()


def click_row(view: Any, row: int, dx: int = 90) -> None:
    """Click on a row of a list."""
    box = view.visualRect(view.model().index(row, 0))
    click(view.viewport(), QtCore.QPoint(min(box.x() + dx, box.right() - 4), box.center().y()))


def key(widget: Any, which: Any, modifier: Any = NONE) -> None:
    """Press a key."""
    QTest.keyClick(widget, which, modifier)
    turn()


def write(widget: Any, text: str) -> None:
    """Type a text."""
    QTest.keyClicks(widget, text)
    turn()


def drag(widget: Any, start: int, end: int, modifier: Any = NONE) -> None:
    """Drag from one x to another."""
    high = widget.height() // 2
    QTest.mousePress(widget, LEFT, modifier, QtCore.QPoint(start, high))
    move = QtCore.QEvent.Type.MouseMove
    from PyQt5 import QtGui

    for x in (start + (end - start) // 2, end):
        event = QtGui.QMouseEvent(move, QtCore.QPointF(x, high), LEFT, LEFT, modifier)
        QtWidgets.QApplication.sendEvent(widget, event)
    QTest.mouseRelease(widget, LEFT, modifier, QtCore.QPoint(end, high))
    turn()
