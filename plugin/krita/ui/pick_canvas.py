"""The picture on which an artist clicks at what is meant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scumble.shared.segmenting import Point

from ..qt import Qt, QtCore, QtGui, QtWidgets, Signal, position
from . import theme
from .picture_view import PictureView

_KEY, _WITH = Qt.Key, Qt.KeyboardModifier
_ARROWS = {
    _KEY.Key_Left: (-1, 0),
    _KEY.Key_Right: (1, 0),
    _KEY.Key_Up: (0, -1),
    _KEY.Key_Down: (0, 1),
}
#: Pixels of the picture that an arrow key moves the crosshair, and with Shift.
_STEP, _STEP_FINE = 12.0, 1.0


def is_minus(event: Any) -> bool:
    """Whether a click means "not this": the right button, or Alt or Ctrl with the left."""
    other = bool(event.modifiers() & (_WITH.AltModifier | _WITH.ControlModifier))
    return bool(event.button() == Qt.MouseButton.RightButton) or other


class PickCanvas(PictureView):
    """See the module.

    ``clicked(x, y, positive)`` and ``boxed(x0, y0, x1, y1)`` are in pixels of the picture.  The arrow keys
    move a crosshair (Shift: a pixel at a time), Enter or + is a click there, - says "not this".
    """

    clicked = Signal(float, float, bool)
    boxed = Signal(float, float, float, float)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.text = ""
        self._points: tuple[Point, ...] = ()
        self._box: Any = None
        self._pressed: Any = None
        self._dragged: Any = None
        self.cross: tuple[float, float] | None = None
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setAccessibleName("The layer")
        self.setAccessibleDescription(
            "Arrow keys move the crosshair, Enter selects what is there, minus leaves out what is there."
        )

    def set_marks(self, points: Sequence[Point], box: tuple[float, float, float, float] | None) -> None:
        """Show the clicks and the box that count now."""
        self._points, self._box = tuple(points), box
        self.update()

    def set_picture(self, picture: Any) -> None:
        """Show another picture; clicks go with the old one."""
        self._points, self._box, self._pressed, self._dragged, self.cross = (), None, None, None, None
        super().set_picture(picture)

    def mousePressEvent(self, event: Any) -> None:
        super().mousePressEvent(event)
        buttons = Qt.MouseButton
        if self.picture is None or event.button() not in (buttons.LeftButton, buttons.RightButton):
            return
        self.cross = None
        if is_minus(event):
            self._click(position(event), False)
        else:
            self._pressed = position(event)

    def mouseMoveEvent(self, event: Any) -> None:
        super().mouseMoveEvent(event)
        if self._pressed is not None:
            there = position(event)
            far = (there - self._pressed).manhattanLength() >= QtWidgets.QApplication.startDragDistance()
            if far or self._dragged is not None:
                self._dragged = there
                self.update()

    def mouseReleaseEvent(self, event: Any) -> None:
        super().mouseReleaseEvent(event)
        if event.button() != Qt.MouseButton.LeftButton or self._pressed is None:
            return
        pressed, dragged, self._pressed, self._dragged = self._pressed, self._dragged, None, None
        if dragged is None:
            self._click(pressed, True)
            return
        x0, y0 = self.to_picture(pressed)
        x1, y1 = self.to_picture(position(event))
        wide, high = self.picture.width(), self.picture.height()
        ends = ((x0, wide), (y0, high), (x1, wide), (y1, high))
        sides = [min(max(value, 0.0), float(most)) for value, most in ends]
        if abs(sides[2] - sides[0]) >= 2 and abs(sides[3] - sides[1]) >= 2:
            self.boxed.emit(*sides)
        self.update()

    def _click(self, point: Any, positive: bool) -> None:
        x, y = self.to_picture(point)
        # A click beside the picture is not one: it may be meant for another window.
        if self.inside(x, y):
            self.clicked.emit(x, y, positive)

    def drop_drag(self) -> bool:
        """Forget a box that is being drawn; whether there was one."""
        dragging, self._pressed, self._dragged = self._pressed is not None, None, None
        self.update()
        return dragging

    def keyPressEvent(self, event: Any) -> None:
        key, shift = event.key(), bool(event.modifiers() & _WITH.ShiftModifier)
        if self.picture is None:
            super().keyPressEvent(event)
        elif key in _ARROWS:
            x, y = self.cross or (self.picture.width() / 2, self.picture.height() / 2)
            step = _STEP_FINE if shift else _STEP
            dx, dy = _ARROWS[key]
            self.cross = (
                min(max(x + dx * step, 0.0), self.picture.width() - 1.0),
                min(max(y + dy * step, 0.0), self.picture.height() - 1.0),
            )
            self.update()
        elif key in (_KEY.Key_Return, _KEY.Key_Enter, _KEY.Key_Plus) and self.cross is not None:
            self.clicked.emit(*self.cross, not event.modifiers() & _WITH.ControlModifier)
        elif key == _KEY.Key_Minus and self.cross is not None:
            self.clicked.emit(*self.cross, False)
        else:
            super().keyPressEvent(event)

    def paint_nothing(self, painter: Any, shades: theme.Shades) -> None:
        painter.setPen(shades.dim)
        option = QtGui.QTextOption(Qt.AlignmentFlag.AlignCenter)
        option.setWrapMode(QtGui.QTextOption.WrapMode.WordWrap)
        margin = theme.unit(self) * 4
        painter.drawText(QtCore.QRectF(self.rect().adjusted(margin, 0, -margin, 0)), self.text, option)

    def paint_over(self, painter: Any, shades: theme.Shades) -> None:
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        if self._dragged is not None:
            corners = QtCore.QPointF(self._pressed), QtCore.QPointF(self._dragged)
            _frame(painter, QtCore.QRectF(*corners).normalized())
        elif self._box is not None:
            x0, y0, x1, y1 = self._box
            _frame(painter, QtCore.QRectF(self.from_picture(x0, y0), self.from_picture(x1, y1)))
        radius = theme.unit(self) * 1.4
        for point in self._points:
            colour = shades.ready if point.positive else shades.trouble
            _mark(painter, self.from_picture(point.x, point.y), radius, colour, point.positive)
        if self.cross is not None:
            _cross(painter, self.from_picture(*self.cross), radius * 1.6)


def _frame(painter: Any, box: Any) -> None:
    """A rectangle that is seen on every picture."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    left, top = round(box.x()) + 0.5, round(box.y()) + 0.5
    sharp = QtCore.QRectF(left, top, round(box.width()), round(box.height()))
    for level, style in ((0, Qt.PenStyle.SolidLine), (255, Qt.PenStyle.DashLine)):
        painter.setPen(QtGui.QPen(QtGui.QColor(level, level, level), 1, style))
        painter.drawRect(sharp)


def _mark(painter: Any, at: Any, radius: float, colour: Any, positive: bool) -> None:
    """A click: a disk with a plus or a minus, so that not only its colour tells."""
    painter.setPen(QtGui.QPen(QtGui.QColor(0, 0, 0, 130), 1))
    painter.setBrush(QtGui.QColor(255, 255, 255))
    painter.drawEllipse(at, radius + 1.5, radius + 1.5)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QtGui.QColor.fromHslF(max(0.0, colour.hslHueF()), 0.75, 0.36))
    painter.drawEllipse(at, radius, radius)
    painter.setPen(QtGui.QPen(QtGui.QColor(255, 255, 255), 1.6))
    arm = radius * 0.55
    painter.drawLine(QtCore.QPointF(at.x() - arm, at.y()), QtCore.QPointF(at.x() + arm, at.y()))
    if positive:
        painter.drawLine(QtCore.QPointF(at.x(), at.y() - arm), QtCore.QPointF(at.x(), at.y() + arm))


def _cross(painter: Any, at: Any, arm: float) -> None:
    for colour, wide in ((QtGui.QColor(0, 0, 0), 3.0), (QtGui.QColor(255, 255, 255), 1.2)):
        painter.setPen(QtGui.QPen(colour, wide))
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            painter.drawLine(
                QtCore.QPointF(at.x() + dx * arm * 0.3, at.y() + dy * arm * 0.3),
                QtCore.QPointF(at.x() + dx * arm, at.y() + dy * arm),
            )
