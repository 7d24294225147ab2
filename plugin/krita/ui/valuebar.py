"""A number as painters know it from Krita: a bar with its name and value in it.

Drag to change it, hold Shift for fine steps, double-click or type to enter it, right-click to reset it.
"""

from __future__ import annotations

import math
from typing import Any

from ..qt import Qt, QtCore, QtGui, QtWidgets, Signal, number, position
from . import theme

_KEY = Qt.Key
#: Most positions that the bar tells apart.
_MOST = 2000


class ValueBar(QtWidgets.QAbstractSlider):
    """See the module.

    ``changed(float)`` comes while the user drags, ``settled(float)`` when the hand rests; neither comes
    from :meth:`set`.

    :param percent: show 0 to 1 as 0 to 100 %.
    """

    changed = Signal(float)
    settled = Signal(float)
    reset_asked = Signal()

    def __init__(
        self,
        label: str,
        minimum: float = 0.0,
        maximum: float = 1.0,
        step: float = 0.05,
        *,
        whole: bool = False,
        unit: str = "",
        percent: bool = False,
        parent: Any = None,
    ) -> None:
        super().__init__(parent)
        self.label, self.unit, self.percent, self.whole = label, unit, percent, whole
        self._low, self._high = float(minimum), float(maximum)
        span = max(self._high - self._low, 1e-9)
        fine = max(1.0, step) if whole else step / 5 if step < 1 else step
        self._fine = max(fine, span / _MOST)
        if whole:
            self._fine = math.ceil(self._fine)
        self._exact = self._low
        self._editor: Any = None
        self._grip = (0, 0.0)
        self.setOrientation(Qt.Orientation.Horizontal)
        self.setRange(0, max(1, round(span / self._fine)))
        self.setSingleStep(max(1, round(step / self._fine)))
        self.setPageStep(self.singleStep() * 4)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.SizeHorCursor)
        self.setSizePolicy(QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Fixed)
        self.setAccessibleName(label)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self._pause = QtCore.QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(250)
        self._pause.timeout.connect(self._rest)
        self._told()
        self.actionTriggered.connect(self._moved_by_key)

    # -- value ------------------------------------------------------------------------------------------

    @property
    def number(self) -> float:
        """Its value."""
        return self._exact

    def set(self, value: float) -> None:
        """Show a value; nobody is told."""
        value = min(max(float(value), self._low), self._high)
        self._exact = value
        blocked = self.blockSignals(True)
        self.setValue(round((value - self._low) / self._fine))
        self.blockSignals(blocked)
        self._told()
        self.update()

    def text(self) -> str:
        """The value for people."""
        if self.percent:
            return f"{round(self._exact * 100)} %"
        text = f"{round(self._exact)}" if self.whole else f"{self._exact:.4g}"
        if self.unit == "x":
            return f"{text}×"
        return f"{text} {self.unit}".rstrip()

    def _give(self, value: float, settled: bool) -> None:
        before = self._exact
        self.set(value)
        if self._exact != before:
            self.changed.emit(self._exact)
        if settled:
            self._pause.stop()
            self.settled.emit(self._exact)

    def _rest(self) -> None:
        self.settled.emit(self._exact)

    def _moved_by_key(self, _action: int) -> None:
        # Comes before the value is taken over; what the keys ask for is the slider's position.
        value = min(self._low + self.sliderPosition() * self._fine, self._high)
        self._give(value, settled=False)
        self._pause.start()

    def _told(self) -> None:
        self.setAccessibleDescription(self.text())

    # -- mouse and keys ---------------------------------------------------------------------------------

    def _at(self, x: int) -> float:
        part = (x - 1) / max(1, self.width() - 2)
        value = self._low + min(max(part, 0.0), 1.0) * (self._high - self._low)
        return self._low + round((value - self._low) / self._fine) * self._fine

    def mousePressEvent(self, event: Any) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        x = position(event).x()
        self._grip = (x, self._exact)
        if not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._give(self._at(x), settled=False)
            self._grip = (x, self._exact)

    def mouseMoveEvent(self, event: Any) -> None:
        if not event.buttons() & Qt.MouseButton.LeftButton:
            return
        x = position(event).x()
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            start, value = self._grip
            moved = (x - start) / max(1, self.width()) * (self._high - self._low) / 10
            value = self._low + round((value + moved - self._low) / self._fine) * self._fine
            self._give(value, settled=False)
        else:
            self._give(self._at(x), settled=False)
            self._grip = (x, self._exact)

    def mouseReleaseEvent(self, event: Any) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._give(self._exact, settled=True)

    def mouseDoubleClickEvent(self, event: Any) -> None:
        # The first click of the two has moved it: the field begins with what was there before that.
        self.edit()

    def contextMenuEvent(self, event: Any) -> None:
        menu = QtWidgets.QMenu(self)
        menu.addAction("Enter a value…", self.edit)
        menu.addAction(f"Reset {self.label.lower()}", self.reset_asked.emit)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())

    def wheelEvent(self, event: Any) -> None:
        # Scrolling through the docker must not change what the pointer happens to pass.
        if not self.hasFocus():
            event.ignore()
            return
        steps = event.angleDelta().y() / 120 * self.singleStep()
        self._give(self._exact + steps * self._fine, settled=False)
        self._pause.start()
        event.accept()

    def keyPressEvent(self, event: Any) -> None:
        text = event.text()
        if text and text in "0123456789.,-":
            self.edit(text)
        elif event.key() in (_KEY.Key_Return, _KEY.Key_Enter, _KEY.Key_F2):
            self.edit()
        elif event.key() in (_KEY.Key_Backspace, _KEY.Key_Delete):
            self.reset_asked.emit()
        else:
            super().keyPressEvent(event)

    def edit(self, text: str | None = None) -> None:
        """Let the user type the value."""
        if self._editor is not None:
            return
        field = self._editor = QtWidgets.QLineEdit(self)
        field.setFrame(False)
        field.setAlignment(Qt.AlignmentFlag.AlignRight)
        field.setAccessibleName(self.label)
        field.setGeometry(self.rect())
        shown = f"{self._exact * 100:.4g}" if self.percent else f"{self._exact:.4g}"
        field.setText(shown if text is None else text)
        if text is None:
            field.selectAll()
        field.editingFinished.connect(self._entered)
        field.installEventFilter(self)
        field.show()
        field.setFocus()

    def eventFilter(self, watched: Any, event: Any) -> bool:
        escape = event.type() == QtCore.QEvent.Type.KeyPress and event.key() == _KEY.Key_Escape
        if escape and watched is self._editor:
            self._close()
            return True
        return bool(super().eventFilter(watched, event))

    def _entered(self) -> None:
        if self._editor is None:
            return
        text = self._editor.text().strip().replace(",", ".").rstrip("%×x ").strip()
        self._close()
        try:
            value = float(text.removesuffix(self.unit).strip() if self.unit else text)
        except ValueError:
            return
        if math.isfinite(value):
            value = value / 100 if self.percent else value
            self._give(round(value) if self.whole else value, settled=True)

    def _close(self) -> None:
        field, self._editor = self._editor, None
        if field is not None:
            field.hide()
            field.deleteLater()
            self.setFocus()

    # -- look -------------------------------------------------------------------------------------------

    def sizeHint(self) -> Any:
        unit = theme.unit(self)
        return QtCore.QSize(unit * 36, self.fontMetrics().height() + unit * 2)

    def minimumSizeHint(self) -> Any:
        return QtCore.QSize(70, self.sizeHint().height())

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        if self._editor is not None:
            self._editor.setGeometry(self.rect())

    def paintEvent(self, event: Any) -> None:
        painter = QtGui.QPainter(self)
        shades, unit = theme.Shades.of(self), theme.unit(self)
        box = QtCore.QRectF(self.rect())
        radius = unit * 0.8
        line = shades.accent if self.hasFocus() else shades.line
        theme.rounded(painter, box, radius, shades.field)
        part = (self._exact - self._low) / max(self._high - self._low, 1e-9)
        fill = shades.accent if self.isEnabled() else shades.line
        if part > 0:
            painter.save()
            path = QtGui.QPainterPath()
            path.addRoundedRect(box.adjusted(1, 1, -1, -1), radius, radius)
            painter.setClipPath(path)
            strength = 0.62 if self.underMouse() and self.isEnabled() else 0.5
            full = QtCore.QRectF(box)
            full.setWidth(box.width() * part)
            painter.fillRect(full, theme.mix(shades.field, fill, strength))
            painter.restore()
        theme.rounded(painter, box, radius, None, line)
        text = self.text()
        metrics = self.fontMetrics()
        inner = self.rect().adjusted(unit * 2, 0, -unit * 2, 0)
        wide = metrics.horizontalAdvance(text)
        painter.setPen(shades.text)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(inner, number(middle | Qt.AlignmentFlag.AlignRight), text)
        name = metrics.elidedText(
            self.label, Qt.TextElideMode.ElideRight, max(0, inner.width() - wide - unit * 2)
        )
        painter.drawText(inner, number(middle | Qt.AlignmentFlag.AlignLeft), name)
