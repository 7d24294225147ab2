"""From this part of the painting: a rectangle or a line drawn around it on a style's picture."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from scumble.plugin.common.picture_part import Outline, PicturePart, outline, part_box, part_mask, rectangle

from ..qt import Qt, QtCore, QtGui, QtWidgets, Signal, position
from . import theme
from .basics import Elided, column, row, tool
from .picture_view import PictureView

_KEY, _WITH = Qt.Key, Qt.KeyboardModifier
_ARROWS = {
    _KEY.Key_Left: (-1, 0),
    _KEY.Key_Right: (1, 0),
    _KEY.Key_Up: (0, -1),
    _KEY.Key_Down: (0, 1),
}
#: How far an arrow key moves a rectangle, and the least side that it may have, in shares of the picture.
_STEP, _LEAST = 0.02, 0.04
_HELP = {
    "rectangle": "Drag a rectangle. Arrow keys move it, with Shift they resize it.",
    "lasso": "Draw around the part; where you let go is joined to where you began.",
}


class PartCanvas(PictureView):
    """A style's picture on which a part is drawn; ``drawn(part)`` comes with each new one."""

    drawn = Signal(object)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.kind = "rectangle"
        self.text = ""
        self.wash, self.shade = 0.0, 0.6  # its own colours are what matters
        self._part: PicturePart | None = None
        self._line: list[tuple[float, float]] = []
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setAccessibleName("The style's picture")

    @property
    def part(self) -> PicturePart | None:
        """What is drawn; ``None`` for the whole picture."""
        return self._part

    def set_part(self, part: PicturePart | None) -> None:
        """Show a part; nobody is told."""
        self._part = part
        self.set_mask(None if part is None else part_mask(part), theme.Shades.of(self).accent, stretched=True)

    def set_picture(self, picture: Any) -> None:
        """Show a picture; the part stays, whatever the picture's size."""
        super().set_picture(picture)
        self.set_part(self._part)

    def _place(self, event: Any) -> tuple[float, float]:
        x, y = self.to_picture(position(event))
        return (
            min(1.0, max(0.0, x / self.picture.width())),
            min(1.0, max(0.0, y / self.picture.height())),
        )

    def mousePressEvent(self, event: Any) -> None:
        super().mousePressEvent(event)
        if self.picture is not None and event.button() == Qt.MouseButton.LeftButton:
            self._line = [self._place(event)]

    def mouseMoveEvent(self, event: Any) -> None:
        super().mouseMoveEvent(event)
        if self._line:
            self._line.append(self._place(event))
            self.update()

    def mouseReleaseEvent(self, event: Any) -> None:
        super().mouseReleaseEvent(event)
        if event.button() != Qt.MouseButton.LeftButton or not self._line:
            return
        line, self._line = [*self._line, self._place(event)], []
        part = outline(line) if self.kind == "lasso" else _dragged(line[0], line[-1])
        if part is not None:  # a mere click changes nothing
            self._take(part)
        self.update()

    def keyPressEvent(self, event: Any) -> None:
        if event.key() not in _ARROWS or self.picture is None or self.kind != "rectangle":
            super().keyPressEvent(event)
            return
        dx, dy = _ARROWS[event.key()]
        left, top, right, bottom = (
            part_box(self._part) if self._part is not None else (0.25, 0.25, 0.75, 0.75)
        )
        if event.modifiers() & _WITH.ShiftModifier:
            right = min(1.0, max(left + _LEAST, right + dx * _STEP))
            bottom = min(1.0, max(top + _LEAST, bottom + dy * _STEP))
        else:
            dx_, dy_ = dx * _STEP, dy * _STEP
            dx_ = min(max(dx_, -left), 1.0 - right)
            dy_ = min(max(dy_, -top), 1.0 - bottom)
            left, top, right, bottom = left + dx_, top + dy_, right + dx_, bottom + dy_
        self._take(rectangle(left, top, right, bottom))

    def _take(self, part: Outline) -> None:
        self.set_part(part)
        self.drawn.emit(part)

    def paint_nothing(self, painter: Any, shades: theme.Shades) -> None:
        painter.setPen(shades.dim)
        painter.drawText(
            QtCore.QRectF(self.rect()), self.text, QtGui.QTextOption(Qt.AlignmentFlag.AlignCenter)
        )

    def paint_over(self, painter: Any, shades: theme.Shades) -> None:
        if len(self._line) < 2:
            return
        wide, high = self.picture.width(), self.picture.height()
        points = [self.from_picture(x * wide, y * high) for x, y in self._line]
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for level, style in ((0, Qt.PenStyle.SolidLine), (255, Qt.PenStyle.DashLine)):
            painter.setPen(QtGui.QPen(QtGui.QColor(level, level, level), 1.2, style))
            if self.kind == "lasso":
                painter.drawPolyline(QtGui.QPolygonF(points))
            else:
                painter.drawRect(QtCore.QRectF(points[0], points[-1]).normalized())


def _dragged(start: tuple[float, float], end: tuple[float, float]) -> Outline | None:
    if abs(start[0] - end[0]) < _LEAST / 2 or abs(start[1] - end[1]) < _LEAST / 2:
        return None
    return rectangle(*start, *end)


class PartDialog(QtWidgets.QDialog):
    """See the module; ``chosen(part)`` comes with its button, ``None`` for the whole picture.

    :param ask: hands the picture to a function, now or later, ``None`` if there is none.
    """

    chosen = Signal(object)

    def __init__(
        self,
        name: str,
        part: PicturePart | None,
        ask: Callable[[Callable[[Any], None]], None],
        parent: Any = None,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"Scumble: a part of “{name}”")
        unit = theme.unit(self)
        self.canvas = PartCanvas()
        self.canvas.text = "Reading the picture…"
        self.canvas.drawn.connect(lambda _part: self._show())
        self.tools = {}
        group = QtWidgets.QButtonGroup(self)
        top = row(spacing=unit)
        for kind, text in (("rectangle", "Rectangle"), ("lasso", "Freehand")):
            button = tool(kind, _HELP[kind], partial(self._draw, kind), text=text, checkable=True)
            group.addButton(button)
            top.addWidget(button)
            self.tools[kind] = button
        top.addStretch(1)
        self.whole = tool(
            "reset", "Take the style from the whole picture", self._use_whole, text="Whole picture"
        )
        top.addWidget(self.whole)
        self.status = Elided("", dim=True)
        self.use = QtWidgets.QPushButton("Use this part")
        self.use.setDefault(True)
        self.use.clicked.connect(lambda _checked=False: self._use())
        cancel = QtWidgets.QPushButton("Cancel")
        cancel.setAutoDefault(False)
        cancel.clicked.connect(lambda _checked=False: self.close())
        layout = column(self, margin=unit * 2, spacing=unit + 2)
        layout.addLayout(top)
        layout.addWidget(self.canvas, 1)
        layout.addWidget(self.status)
        layout.addLayout(row(None, self.use, cancel, spacing=unit))
        freehand = isinstance(part, Outline) and len(part.points) > 4
        self._draw("lasso" if freehand else "rectangle")
        self.tools[self.canvas.kind].setChecked(True)
        self._open = True
        self.canvas.set_part(part)
        ask(self._read)
        self.resize(unit * 130, unit * 120)
        self._show()

    def _read(self, picture: Any) -> None:
        if not self._open:
            return
        if picture is None or picture.isNull():
            self.canvas.text = "The picture cannot be shown."
            self.canvas.update()
        else:
            self.canvas.set_picture(picture)
            self.canvas.setFocus()
        self._show()

    def _draw(self, kind: str) -> None:
        self.canvas.kind = kind
        self.status.setText(_HELP[kind])

    def _show(self) -> None:
        there = self.canvas.picture is not None
        self.use.setEnabled(there)
        self.whole.setEnabled(there and self.canvas.part is not None)
        self.use.setText("Use this part" if self.canvas.part is not None else "Use the whole picture")

    def _use_whole(self) -> None:
        self.canvas.set_part(None)
        self._show()

    def _use(self) -> None:
        self.chosen.emit(self.canvas.part)
        self.close()

    def done(self, result: int) -> None:
        """Qt's way out, whichever it was."""
        self._open = False
        super().done(result)

    def closeEvent(self, event: Any) -> None:
        self._open = False
        super().closeEvent(event)
