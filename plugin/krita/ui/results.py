"""Results of this session: put back, compared, taken up again."""

from __future__ import annotations

import time
from typing import Any

from ..interface import ControllerPort, HistoryItem, Part, Snapshot
from ..qt import Qt, QtCore, QtGui, QtWidgets, number
from . import theme, thumbs
from .basics import column, row, tool

_ROLE = Qt.ItemDataRole
_ITEM = number(_ROLE.UserRole) + 1
_ROWS = 3


def when(item: HistoryItem) -> str:
    """When a result was made and how long it took."""
    clock = time.strftime("%H:%M", time.localtime(item.made_at)) if item.made_at else ""
    took = f"{item.seconds:.1f} s" if 0 < item.seconds < 60 else f"{item.seconds / 60:.0f} min"
    return " · ".join(part for part in (clock, took if item.seconds > 0 else "") if part)


class _Model(QtCore.QAbstractListModel):
    def __init__(self, parent: Any) -> None:
        super().__init__(parent)
        self.items: tuple[HistoryItem, ...] = ()

    def set(self, items: tuple[HistoryItem, ...]) -> None:
        if [i.id for i in items] == [i.id for i in self.items]:
            self.items = items
            if items:
                self.dataChanged.emit(self.index(0, 0), self.index(len(items) - 1, 0))
            return
        self.beginResetModel()
        self.items = items
        self.endResetModel()

    def rowCount(self, parent: Any = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.items)

    def data(self, index: Any, role: int = 0) -> Any:
        if not index.isValid() or index.row() >= len(self.items):
            return None
        item, role = self.items[index.row()], number(role)
        if role in (number(_ROLE.DisplayRole), number(_ROLE.AccessibleTextRole)):
            return item.name
        if role in (number(_ROLE.ToolTipRole), number(_ROLE.AccessibleDescriptionRole)):
            lines = [item.name, when(item)]
            if not item.placed:
                lines.append("Its layer is gone; it can be put back.")
            if not item.applicable:
                lines.append("Its pixels were dropped to save memory; its settings can be used again.")
            return "\n".join(line for line in lines if line)
        return item if role == _ITEM else None


class _Delegate(QtWidgets.QStyledItemDelegate):
    """A picture, the name, and when it was made."""

    def sizeHint(self, option: Any, index: Any) -> Any:
        return QtCore.QSize(100, theme.unit(self.parent()) * 12)

    def paint(self, painter: Any, option: Any, index: Any) -> None:
        view, item = self.parent(), index.data(_ITEM)
        shades, unit = theme.Shades.of(view), theme.unit(view)
        state = QtWidgets.QStyle.StateFlag
        cell = QtCore.QRectF(option.rect).adjusted(0, 1, 0, -1)
        painter.save()
        if option.state & state.State_Selected:
            theme.rounded(painter, cell, unit, theme.mix(shades.window, shades.accent, 0.30), shades.accent)
        elif option.state & state.State_MouseOver:
            theme.rounded(painter, cell, unit, shades.raised)
        inner = option.rect.adjusted(unit, unit, -unit, -unit)
        picture = QtCore.QRect(inner.x(), inner.y(), inner.height(), inner.height())
        image = view.picture(item.id)
        if image is not None and not image.isNull():
            painter.save()
            path = QtGui.QPainterPath()
            path.addRoundedRect(QtCore.QRectF(picture), unit * 0.8, unit * 0.8)
            painter.setClipPath(path)
            thumbs.checkers(painter, picture, shades)
            painter.restore()
        thumbs.draw(painter, picture, image, shades, unit * 0.8, "again")
        left = picture.right() + unit * 2
        right = inner.right()
        if item.placed:
            side = unit * 4
            eye = QtCore.QRect(right - side, inner.center().y() - side // 2, side, side)
            painter.setOpacity(1.0 if item.visible else 0.35)
            theme.draw_icon(painter, "eye", eye, shades.dim)
            painter.setOpacity(1.0)
            right = eye.left() - unit
        middle, metrics = inner.center().y(), view.fontMetrics()
        for text, top, colour in (
            (item.name, middle - metrics.height(), shades.text),
            (when(item), middle + 1, shades.dim),
        ):
            painter.setFont(view.font())
            painter.setPen(colour)
            box = QtCore.QRect(left, top, max(0, right - left), metrics.height() + 2)
            text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, box.width())
            painter.drawText(box, number(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop), text)
        painter.restore()


class _View(QtWidgets.QListView):
    def __init__(self, port: ControllerPort) -> None:
        super().__init__()
        self._port = port
        self._pictures: dict[str, Any] = {}
        self.setMouseTracking(True)
        self.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        self.setVerticalScrollMode(QtWidgets.QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QtWidgets.QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setItemDelegate(_Delegate(self))
        self.setUniformItemSizes(True)
        self.setAccessibleName("Results")
        self.viewport().setAutoFillBackground(False)
        theme.smaller(self, 0.92)

    def picture(self, id: str) -> Any:
        """A result's thumbnail, asked for once."""
        if id not in self._pictures:
            side = theme.unit(self) * 11 * max(1, round(self.devicePixelRatioF()))
            self._pictures[id] = self._port.history_thumbnail(id, side, side)
        return self._pictures[id]

    def keep(self, ids: set[str]) -> None:
        """Forget the pictures of all others."""
        self._pictures = {id: image for id, image in self._pictures.items() if id in ids}

    def sizeHint(self) -> Any:
        rows = min(max(1, self.model().rowCount()), _ROWS) if self.model() is not None else 1
        return QtCore.QSize(160, rows * theme.unit(self) * 12 + 2)

    def minimumSizeHint(self) -> Any:
        return self.sizeHint()


class Results(QtWidgets.QWidget):
    """The list with what can be done to the one that is selected in it."""

    def __init__(self, port: ControllerPort, parent: Any = None) -> None:
        super().__init__(parent)
        self._port = port
        unit = theme.unit(self)
        self.model = _Model(self)
        self.view = _View(port)
        self.view.setModel(self.model)
        self.apply = tool("again", "Put it back as a new layer", lambda: port.apply(self.selected))
        self.apply.setText("Put back")
        self.apply.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.compare = tool(
            "compare", "Before / after: hide or show its layer", lambda: port.toggle_compare(self.selected)
        )
        self.load = tool("sliders", "Use its settings again", lambda: port.load_from_history(self.selected))
        self.forget = tool(
            "remove", "Take it out of this list; its layer stays", lambda: port.forget(self.selected)
        )
        self.tools = QtWidgets.QWidget()
        self.tools.setLayout(row(self.apply, self.compare, self.load, None, self.forget, spacing=0))
        layout = column(self, spacing=unit // 2)
        layout.addWidget(self.view)
        layout.addWidget(self.tools)
        self.view.selectionModel().currentChanged.connect(lambda *_: self._enable())
        self.view.doubleClicked.connect(lambda _index: port.load_from_history(self.selected))

    @property
    def selected(self) -> str:
        """Id of the result that is selected; the newest if none is."""
        row = self.view.currentIndex().row()
        items = self.model.items
        return items[row].id if 0 <= row < len(items) else items[0].id if items else ""

    def show_state(self, state: Snapshot, parts: frozenset[Part]) -> None:
        """Show the results as they are now."""
        before = self.selected if self.view.currentIndex().isValid() else ""
        newest = self.model.items[0].id if self.model.items else ""
        ids = [item.id for item in state.history]
        self.model.set(state.history)
        self.view.keep(set(ids))
        if ids and ids[0] != newest:
            before = ids[0]  # what was just made is what one wants to look at
        if (before in ids and self.selected != before) or not self.view.currentIndex().isValid():
            self.view.setCurrentIndex(self.model.index(ids.index(before) if before in ids else 0, 0))
        self.view.updateGeometry()
        self._enable()

    def _enable(self) -> None:
        item = next((i for i in self.model.items if i.id == self.selected), None)
        self.apply.setEnabled(item is not None and item.applicable)
        self.compare.setEnabled(item is not None and item.placed)
        self.load.setEnabled(item is not None)
        self.forget.setEnabled(item is not None)
