"""Small widgets that the docker is put together from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..qt import Qt, QtCore, QtGui, QtWidgets, Signal, number
from . import theme

_POLICY = QtWidgets.QSizePolicy.Policy


class Elided(QtWidgets.QLabel):
    """A line of text that gives way: what does not fit becomes "…", and the whole is the tool-tip."""

    def __init__(
        self, text: str = "", parent: Any = None, *, middle: bool = False, dim: bool = False
    ) -> None:
        super().__init__(parent)
        self._mode = Qt.TextElideMode.ElideMiddle if middle else Qt.TextElideMode.ElideRight
        self.dim, self._tip = dim, ""
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(_POLICY.Ignored, _POLICY.Fixed)
        self.setMinimumWidth(self.fontMetrics().horizontalAdvance("…") * 2)
        self.setText(text)

    def setText(self, text: str) -> None:  # Qt's own name
        """Show another text."""
        super().setText(text)
        self._tell()

    def setToolTip(self, tip: str) -> None:  # Qt's own name
        """Say more than the text when the pointer rests on it."""
        self._tip = tip
        self._tell()

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        self._tell()

    def _tell(self) -> None:
        long = self.fontMetrics().horizontalAdvance(self.text()) > self.contentsRect().width()
        super().setToolTip(f"{self.text()}\n{self._tip}".strip() if long else self._tip)

    def paintEvent(self, event: Any) -> None:
        painter = QtGui.QPainter(self)
        shades = theme.Shades.of(self)
        painter.setPen(shades.dim if self.dim else shades.text)
        box = self.contentsRect()
        text = self.fontMetrics().elidedText(self.text(), self._mode, box.width())
        painter.drawText(box, number(self.alignment() | Qt.AlignmentFlag.AlignVCenter), text)


class Note(QtWidgets.QLabel):
    """A wrapped, quieter text."""

    def __init__(self, text: str = "", parent: Any = None, *, dim: bool = True, factor: float = 0.92) -> None:
        super().__init__(text, parent)
        self._dim = dim
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setMinimumWidth(40)
        # Its height follows from its width; layouts ask only widgets that say so.
        policy = QtWidgets.QSizePolicy(_POLICY.Preferred, _POLICY.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        theme.smaller(self, factor)
        self._recolour()

    def sizeHint(self) -> Any:
        wide = theme.unit(self) * 50
        return QtCore.QSize(wide, self.heightForWidth(wide))

    def minimumSizeHint(self) -> Any:
        # Qt's own is for the narrowest text that there could be, and very high.
        return QtCore.QSize(40, self.fontMetrics().height())

    def changeEvent(self, event: Any) -> None:
        super().changeEvent(event)
        kind = QtCore.QEvent.Type
        if event.type() in (kind.PaletteChange, kind.StyleChange, kind.ParentChange):
            self._recolour()

    def _recolour(self) -> None:
        if not self._dim:
            return
        role, parent = QtGui.QPalette.ColorRole, self.parentWidget()
        palette = parent.palette() if parent is not None else QtWidgets.QApplication.palette()
        dim = theme.mix(palette.color(role.WindowText), palette.color(role.Window), 0.30)
        own = self.palette()
        if own.color(role.WindowText).rgb() != dim.rgb():
            own.setColor(role.WindowText, dim)
            self.setPalette(own)


def tool(
    name: str,
    tip: str,
    clicked: Callable[[], None] | None = None,
    *,
    text: str = "",
    checkable: bool = False,
) -> Any:
    """A flat button with an icon; ``tip`` is also what a screen reader says."""
    button = QtWidgets.QToolButton()
    button.setIcon(theme.icon(name))
    button.setAutoRaise(True)
    button.setToolTip(tip)
    button.setAccessibleName(text or tip.partition("\n")[0].partition(" (")[0].rstrip("."))
    button.setCheckable(checkable)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    side = theme.unit(button) * 4
    button.setIconSize(QtCore.QSize(side, side))
    if text:
        button.setText(text)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    if clicked is not None:
        button.clicked.connect(lambda _checked=False: clicked())
    return button


def row(*widgets: Any, spacing: int | None = None) -> Any:
    """Widgets side by side; ``None`` is a stretch."""
    layout = QtWidgets.QHBoxLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    if spacing is not None:
        layout.setSpacing(spacing)
    for widget in widgets:
        if widget is None:
            layout.addStretch(1)
        elif isinstance(widget, QtWidgets.QLayout):
            layout.addLayout(widget)
        else:
            layout.addWidget(widget)
    return layout


def column(parent: Any = None, *, margin: int = 0, spacing: int = 4) -> Any:
    """An empty vertical layout."""
    layout = QtWidgets.QVBoxLayout(parent) if parent is not None else QtWidgets.QVBoxLayout()
    layout.setContentsMargins(margin, margin, margin, margin)
    layout.setSpacing(spacing)
    return layout


class _Header(QtWidgets.QAbstractButton):
    """The line that opens and closes a section."""

    def __init__(self, title: str, parent: Any, strong: bool) -> None:
        super().__init__(parent)
        self.setText(title)
        self.setCheckable(True)
        self.setChecked(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(title)
        self.setSizePolicy(_POLICY.Expanding, _POLICY.Fixed)
        theme.smaller(self, 0.95 if strong else 0.9, bold=strong)
        self.note = ""

    def sizeHint(self) -> Any:
        unit = theme.unit(self)
        return QtCore.QSize(unit * 20, self.fontMetrics().height() + unit * 2)

    def minimumSizeHint(self) -> Any:
        return QtCore.QSize(40, self.sizeHint().height())

    def paintEvent(self, event: Any) -> None:
        painter = QtGui.QPainter(self)
        shades, unit = theme.Shades.of(self), theme.unit(self)
        if self.hasFocus():
            theme.rounded(painter, self.rect(), unit, None, shades.accent)
        side = unit * 3
        box = QtCore.QRect(0, (self.height() - side) // 2, side, side)
        theme.draw_icon(painter, "down" if self.isChecked() else "right", box, shades.dim)
        painter.setPen(shades.text if self.underMouse() or self.font().bold() else shades.dim)
        left = side + unit
        metrics = self.fontMetrics()
        text = metrics.elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width() - left)
        line = number(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
        painter.drawText(self.rect().adjusted(left, 0, 0, 0), line, text)
        if self.note:
            left += metrics.horizontalAdvance(text) + unit * 2
            painter.setPen(shades.dim)
            font = QtGui.QFont(self.font())
            font.setBold(False)
            painter.setFont(font)
            note = QtGui.QFontMetrics(font).elidedText(
                self.note, Qt.TextElideMode.ElideRight, max(0, self.width() - left)
            )
            painter.drawText(self.rect().adjusted(left, 0, 0, 0), line, note)


class Section(QtWidgets.QWidget):
    """A heading with something beneath that can be folded away.

    ``toggled(bool)`` says whether it is open now.
    """

    toggled = Signal(bool)

    def __init__(self, title: str, parent: Any = None, *, strong: bool = True, opened: bool = True) -> None:
        super().__init__(parent)
        unit = theme.unit(self)
        self._header = _Header(title, self, strong)
        self._tools = row(spacing=0)
        self.body = QtWidgets.QWidget(self)
        self.content = column(self.body, spacing=unit)
        layout = column(self, spacing=unit // 2)
        top = row(self._header, spacing=unit)
        top.addLayout(self._tools)
        layout.addLayout(top)
        layout.addWidget(self.body, 1)
        self._header.toggled.connect(self._fold)
        self.opened = opened

    @property
    def title(self) -> str:
        """Its heading."""
        return str(self._header.text())

    @property
    def opened(self) -> bool:
        """Whether its content is to be seen."""
        return bool(self._header.isChecked())

    @opened.setter
    def opened(self, opened: bool) -> None:
        self._header.setChecked(opened)
        self.body.setVisible(opened)

    def set_note(self, text: str) -> None:
        """A quiet word behind the heading."""
        if text != self._header.note:
            self._header.note = text
            self._header.update()

    def add_tool(self, widget: Any) -> None:
        """A small button at the right of the heading."""
        self._tools.addWidget(widget)

    def add(self, widget: Any, stretch: int = 0) -> None:
        """Something beneath the heading."""
        self.content.addWidget(widget, stretch)

    def _fold(self, opened: bool) -> None:
        self.body.setVisible(opened)
        self.toggled.emit(opened)


class Card(QtWidgets.QFrame):
    """A raised box, with a coloured edge if it has something to say."""

    def __init__(self, parent: Any = None, *, tone: str = "") -> None:
        super().__init__(parent)
        self._tone = tone
        unit = theme.unit(self)
        self.content = column(self, spacing=unit)
        self.content.setContentsMargins(unit * (3 if tone else 2), unit * 2, unit * 2, unit * 2)

    def paintEvent(self, event: Any) -> None:
        painter = QtGui.QPainter(self)
        shades, unit = theme.Shades.of(self), theme.unit(self)
        colour = getattr(shades, self._tone) if self._tone else None
        fill = theme.mix(shades.window, colour, 0.12) if colour else shades.raised
        theme.rounded(
            painter, self.rect(), unit, fill, theme.mix(shades.line, colour, 0.4) if colour else None
        )
        if colour:
            path = QtGui.QPainterPath()
            path.addRoundedRect(QtCore.QRectF(self.rect()), unit, unit)
            painter.setClipPath(path)
            painter.fillRect(QtCore.QRect(0, 0, max(3, unit - 1), self.height()), colour)


class Rule(QtWidgets.QWidget):
    """A hairline between two things."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(1)

    def paintEvent(self, event: Any) -> None:
        QtGui.QPainter(self).fillRect(self.rect(), theme.Shades.of(self).line)
