"""The gallery of styles: thumbnails in as many columns as fit, with a search."""

from __future__ import annotations

from typing import Any

from ..interface import StyleCard
from ..qt import Qt, QtCore, QtGui, QtWidgets, Signal, number
from . import theme, thumbs
from .basics import Note, column

_ROLE = Qt.ItemDataRole
_CARD = number(_ROLE.UserRole) + 1


class _Model(QtCore.QAbstractListModel):
    """The styles that match what is searched for."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._all: tuple[StyleCard, ...] = ()
        self.shown: tuple[StyleCard, ...] = ()
        self._words = ""

    def set(self, cards: tuple[StyleCard, ...]) -> None:
        self._all = cards
        self._filter()

    def search(self, text: str) -> None:
        self._words = text
        self._filter()

    def _filter(self) -> None:
        self.beginResetModel()
        self.shown = tuple(card for card in self._all if card.matches(self._words))
        self.endResetModel()

    def rowCount(self, parent: Any = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.shown)

    def data(self, index: Any, role: int = 0) -> Any:
        if not index.isValid() or index.row() >= len(self.shown):
            return None
        card = self.shown[index.row()]
        role = number(role)
        if role in (number(_ROLE.DisplayRole), number(_ROLE.AccessibleTextRole)):
            return card.name
        if role == number(_ROLE.ToolTipRole):
            return "\n".join(part for part in (card.name, card.description, ", ".join(card.tags)) if part)
        if role == number(_ROLE.AccessibleDescriptionRole):
            return card.description
        return card if role == _CARD else None


class _Delegate(QtWidgets.QStyledItemDelegate):
    """A rounded thumbnail with its name beneath."""

    def __init__(self, view: Any, pictures: thumbs.Thumbnails) -> None:
        super().__init__(view)
        self._pictures = pictures

    def sizeHint(self, option: Any, index: Any) -> Any:
        return self.parent().gridSize()

    def paint(self, painter: Any, option: Any, index: Any) -> None:
        card: StyleCard = index.data(_CARD)
        view = self.parent()
        shades, unit = theme.Shades.of(view), theme.unit(view)
        state = option.state
        chosen = bool(state & QtWidgets.QStyle.StateFlag.State_Selected)
        hovered = bool(state & QtWidgets.QStyle.StateFlag.State_MouseOver)
        cell = QtCore.QRect(option.rect)
        pad = max(2, unit // 2)
        high = view.fontMetrics().height()
        side = min(cell.width() - 2 * pad, cell.height() - high - 2 * pad)
        box = QtCore.QRect(cell.x() + (cell.width() - side) // 2, cell.y() + pad, side, side)
        thumbs.draw(painter, box, self._pictures.of_card(card), shades, unit, "layer")
        if chosen or hovered or state & QtWidgets.QStyle.StateFlag.State_HasFocus:
            painter.save()
            painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            colour = theme.mix(shades.accent, shades.text, 0.25) if chosen else shades.dim
            wide = 3.0 if chosen else 1.5
            if chosen:  # a second, thin ring keeps it apart from a picture of the same colour
                painter.setPen(QtGui.QPen(shades.window, wide + 3))
                painter.drawRoundedRect(QtCore.QRectF(box).adjusted(1.5, 1.5, -1.5, -1.5), unit, unit)
            painter.setPen(QtGui.QPen(colour, wide))
            painter.drawRoundedRect(QtCore.QRectF(box).adjusted(0, 0, 0, 0), unit, unit)
            painter.restore()
        painter.setFont(view.font())
        painter.setPen(shades.text if chosen or hovered else shades.dim)
        name = view.fontMetrics().elidedText(card.name, Qt.TextElideMode.ElideRight, cell.width() - pad)
        place = QtCore.QRect(cell.x(), box.bottom() + 2, cell.width(), high)
        painter.drawText(place, number(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop), name)


class _View(QtWidgets.QListView):
    """Cells that share the width evenly."""

    def __init__(self, pictures: thumbs.Thumbnails) -> None:
        super().__init__()
        self.setViewMode(QtWidgets.QListView.ViewMode.IconMode)
        self.setMovement(QtWidgets.QListView.Movement.Static)
        self.setResizeMode(QtWidgets.QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setSpacing(0)
        self.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setVerticalScrollMode(QtWidgets.QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setItemDelegate(_Delegate(self, pictures))
        theme.smaller(self, 0.82)
        self.viewport().setAutoFillBackground(False)
        self._fit()

    def _fit(self) -> None:
        unit = theme.unit(self)
        wanted = unit * 22
        wide = max(wanted, self.viewport().width() - 1)
        columns = max(2, round(wide / wanted))
        cell = wide // columns
        size = QtCore.QSize(cell, cell + self.fontMetrics().height() + unit // 2)
        if size != self.gridSize():
            self.setGridSize(size)
        self.verticalScrollBar().setSingleStep(max(8, cell // 3))

    def resizeEvent(self, event: Any) -> None:
        self._fit()
        super().resizeEvent(event)
        if self.currentIndex().isValid():
            self.scrollTo(self.currentIndex())

    def rows_high(self, rows: float) -> int:
        """The height at which that many rows are to be seen."""
        return round(self.gridSize().height() * rows)


class Gallery(QtWidgets.QWidget):
    """Search and thumbnails.  ``chosen(str)`` names the style that the user took."""

    chosen = Signal(str)

    def __init__(self, pictures: thumbs.Thumbnails, *, rows: float = 2.35, parent: Any = None) -> None:
        super().__init__(parent)
        self._waiting = False
        unit = theme.unit(self)
        self._rows = rows
        self._current = ""
        self.search = QtWidgets.QLineEdit()
        self.search.setPlaceholderText("Search styles")
        self.search.setAccessibleName("Search styles")
        self.search.setClearButtonEnabled(True)
        self.search.addAction(theme.icon("search"), QtWidgets.QLineEdit.ActionPosition.LeadingPosition)
        self.model = _Model(self)
        self.view = _View(pictures)
        self.view.setModel(self.model)
        self.view.setAccessibleName("Styles")
        self.empty = Note("")
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.hide()
        layout = column(self, spacing=unit)
        layout.addWidget(self.search)
        layout.addWidget(self.view, 1)
        layout.addWidget(self.empty, 1)
        self.search.textChanged.connect(self._searched)
        self.search.returnPressed.connect(self._take_first)
        self.view.clicked.connect(self._take)
        self.view.activated.connect(self._take)
        self.view.selectionModel().currentChanged.connect(lambda now, _before: self._take_by_key(now))
        self.set_cards(())

    def set_cards(self, cards: tuple[StyleCard, ...], waiting: bool = False) -> None:
        """What there is to choose from; ``waiting`` while the backend has not said."""
        self._waiting = waiting
        self.model.set(cards)
        self._after_reset()

    def set_current(self, style: str) -> None:
        """Mark a style as the chosen one (``""`` for none); nobody is told."""
        self._current = style
        self._mark()

    def minimumSizeHint(self) -> Any:
        return QtCore.QSize(150, self.sizeHint().height())

    def sizeHint(self) -> Any:
        unit = theme.unit(self)
        high = self.view.rows_high(self._rows) + self.search.sizeHint().height() + unit
        return QtCore.QSize(unit * 60, high)

    def showEvent(self, event: Any) -> None:
        super().showEvent(event)
        # Only now there is a size in which the chosen one can be brought into sight.
        QtCore.QTimer.singleShot(0, self._mark)

    def _searched(self, text: str) -> None:
        self.model.search(text)
        self._after_reset()

    def _after_reset(self) -> None:
        nothing = not self.model.shown
        self.view.setVisible(not nothing)
        self.empty.setVisible(nothing)
        if nothing:
            searching = bool(self.search.text().strip())
            self.empty.setText(
                f"No style matches “{self.search.text().strip()[:40]}”."
                if searching
                else "The styles appear as soon as the backend is there."
                if self._waiting
                else "The backend has no styles."
            )
        self._mark()

    def _mark(self) -> None:
        model = self.view.selectionModel()
        blocked = model.blockSignals(True)
        model.clear()
        for row, card in enumerate(self.model.shown):
            if card.id == self._current:
                index = self.model.index(row, 0)
                flag = QtCore.QItemSelectionModel.SelectionFlag
                model.setCurrentIndex(index, flag.ClearAndSelect)
                self.view.scrollTo(index)
        model.blockSignals(blocked)
        self.view.viewport().update()

    def _take_by_key(self, index: Any) -> None:
        if self.view.hasFocus() and not QtWidgets.QApplication.mouseButtons():
            self._take(index)

    def _take_first(self) -> None:
        if self.model.shown:
            self._take(self.model.index(0, 0))

    def _take(self, index: Any) -> None:
        card = index.data(_CARD) if index.isValid() else None
        if card is not None and card.id != self._current:
            self._current = card.id
            self.chosen.emit(card.id)
            self._mark()
