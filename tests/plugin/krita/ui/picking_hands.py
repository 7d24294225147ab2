"""What a hand does in the window for picking, and what is seen there."""

from __future__ import annotations

from typing import Any

from fake_picking import FakePicking
from hands import NONE, turn
from PyQt5 import QtCore, QtGui, QtWidgets
from PyQt5.QtTest import QTest

BUTTON = QtCore.Qt.MouseButton


def point_at(dialog: Any, x: float, y: float, button: Any = BUTTON.LeftButton, with_: Any = NONE) -> None:
    """Click at a place of the picture."""
    at = dialog.canvas.from_picture(x, y).toPoint()
    QTest.mouseClick(dialog.canvas, button, with_, at)
    turn()


def drag_box(dialog: Any, x0: float, y0: float, x1: float, y1: float, release: bool = True) -> None:
    """Drag from one place of the picture to another."""
    canvas = dialog.canvas
    start, end = (canvas.from_picture(*place).toPoint() for place in ((x0, y0), (x1, y1)))
    QTest.mousePress(canvas, BUTTON.LeftButton, NONE, start)
    for part in (0.5, 1.0):
        event = QtGui.QMouseEvent(
            QtCore.QEvent.Type.MouseMove,
            QtCore.QPointF(start + (end - start) * part),
            BUTTON.LeftButton,
            BUTTON.LeftButton,
            NONE,
        )
        QtWidgets.QApplication.sendEvent(canvas, event)
    if release:
        QTest.mouseRelease(canvas, BUTTON.LeftButton, NONE, end)
    turn()


def said(picking: FakePicking) -> list[tuple[int, int, bool]]:
    """The clicks of the newest question, to the nearest pixel."""
    return [(round(p.x), round(p.y), p.positive) for p in picking.last.points]


def colour(dialog: Any, x: float, y: float) -> Any:
    """What is seen at a place of the picture."""
    image, at = dialog.canvas.grab().toImage(), dialog.canvas.from_picture(x, y)
    return image.pixelColor(round(at.x()), round(at.y()))
