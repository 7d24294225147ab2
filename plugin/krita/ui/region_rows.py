"""The rows of the list of regions: as data, as pictures, and as something to drag."""

from __future__ import annotations

from typing import Any

from scumble.plugin.common.regions import RegionEntry
from scumble.plugin.common.sources import (
    EVERYTHING,
    LAYER_ALPHA,
    SAVED,
    SELECTION,
    SELECTION_MASK,
    TRANSPARENCY_MASK,
    MaskSource,
)

from ..interface import ControllerPort
from ..qt import Qt, QtCore, QtGui, QtWidgets, Signal, number, position
from ..tint import region_colour
from . import theme, thumbs

_ROLE = Qt.ItemDataRole
_ENTRY = number(_ROLE.UserRole) + 1
_MIME = "application/x-scumble-region"
_MASKS = {
    EVERYTHING: "whole layer",
    SELECTION: "current selection",
    SAVED: "kept selection",
    SELECTION_MASK: "selection mask",
    TRANSPARENCY_MASK: "transparency mask",
    LAYER_ALPHA: "a layer's alpha",
}


def mask_name(mask: MaskSource) -> str:
    """Where a mask comes from, in words."""
    return _MASKS.get(mask.kind, mask.kind.replace("_", " "))


def region_name(entry: RegionEntry, place: int) -> str:
    """What to call a region at a place of the list, counted from 0."""
    return entry.label or f"Region {place + 1}"


class Model(QtCore.QAbstractListModel):
    """The regions; what the user does to them goes to the port."""

    moved = Signal(str, int)

    def __init__(self, port: ControllerPort, pictures: thumbs.Thumbnails, parent: Any) -> None:
        super().__init__(parent)
        self._port, self._pictures = port, pictures
        self.entries: tuple[RegionEntry, ...] = ()

    def set(self, entries: tuple[RegionEntry, ...]) -> bool:
        """Take over the list; whether there are other rows now."""
        if [e.id for e in entries] == [e.id for e in self.entries]:
            self.entries = entries
            if entries:
                self.dataChanged.emit(self.index(0, 0), self.index(len(entries) - 1, 0))
            return False
        self.beginResetModel()
        self.entries = entries
        self.endResetModel()
        return True

    def rowCount(self, parent: Any = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.entries)

    def flags(self, index: Any) -> Any:
        flag = Qt.ItemFlag
        if not index.isValid():
            return flag.ItemIsDropEnabled
        return (
            flag.ItemIsSelectable
            | flag.ItemIsEnabled
            | flag.ItemIsUserCheckable
            | flag.ItemIsDragEnabled
            | flag.ItemIsEditable
        )

    def data(self, index: Any, role: int = 0) -> Any:
        if not index.isValid() or index.row() >= len(self.entries):
            return None
        entry, role = self.entries[index.row()], number(role)
        name = region_name(entry, index.row())
        if role in (number(_ROLE.DisplayRole), number(_ROLE.EditRole)):
            return name
        if role == number(_ROLE.CheckStateRole):
            # A plain number: what PyQt6 calls an enum, PyQt5 calls a number.
            return Qt.CheckState.Checked if entry.enabled else Qt.CheckState.Unchecked
        if role in (number(_ROLE.ToolTipRole), number(_ROLE.AccessibleDescriptionRole)):
            return (
                f"{name}: {mask_name(entry.mask)}, {self._pictures.name(entry.style)},"
                f" strength {round(entry.strength * 100)} %{'' if entry.enabled else ', switched off'}"
            )
        if role == number(_ROLE.AccessibleTextRole):
            return name
        return entry if role == _ENTRY else None

    def setData(self, index: Any, value: Any, role: int = 2) -> bool:
        entry = self.entries[index.row()]
        if number(role) == number(_ROLE.CheckStateRole):
            self._port.change_region(entry.id, enabled=number(value) != 0)
            return True
        text = str(value).strip()[:200]
        if number(role) == number(_ROLE.EditRole) and text and text != region_name(entry, index.row()):
            self._port.change_region(entry.id, label=text)
            return True
        return False

    # -- dragging ---------------------------------------------------------------------------------------

    def supportedDropActions(self) -> Any:
        return Qt.DropAction.MoveAction

    def mimeTypes(self) -> list[str]:
        return [_MIME]

    def mimeData(self, indexes: Any) -> Any:
        data = QtCore.QMimeData()
        data.setData(_MIME, self.entries[indexes[0].row()].id.encode())
        return data

    def dropMimeData(self, data: Any, action: Any, at: int, _column: int, parent: Any) -> bool:
        if not data.hasFormat(_MIME):
            return False
        id = bytes(data.data(_MIME)).decode()
        places = [entry.id for entry in self.entries]
        if at < 0:
            at = parent.row() if parent.isValid() else len(places)
        if id in places:
            if places.index(id) < at:
                at -= 1  # it leaves its own place first
            self.moved.emit(id, at)
        # False: the view would otherwise take the dragged row out by itself.
        return False


class Delegate(QtWidgets.QStyledItemDelegate):
    """Check box, tinted picture, name over style and strength, the style's picture."""

    def __init__(self, view: Any, pictures: thumbs.Thumbnails) -> None:
        super().__init__(view)
        self._view, self._pictures = view, pictures

    def sizeHint(self, option: Any, index: Any) -> Any:
        return QtCore.QSize(100, theme.unit(self._view) * 13)

    def boxes(self, rect: Any) -> tuple[Any, Any, Any, Any]:
        """Where check box, picture, texts and style picture are."""
        unit = theme.unit(self._view)
        cell = rect.adjusted(unit, unit // 2, -unit, -(unit // 2))
        check = QtCore.QRect(cell.x(), cell.center().y() - unit * 2 + 1, unit * 4, unit * 4)
        side = cell.height() - 2
        image = QtCore.QRect(check.right() + unit + unit // 2, cell.y() + 1, side, side)
        small = round(side * 0.78)
        style = QtCore.QRect(cell.right() - small, cell.center().y() - small // 2 + 1, small, small)
        left = image.right() + unit * 2
        texts = QtCore.QRect(left, cell.y(), style.left() - unit * 2 - left, cell.height())
        return check, image, texts, style

    def paint(self, painter: Any, option: Any, index: Any) -> None:
        entry: RegionEntry = index.data(_ENTRY)
        view = self._view
        shades, unit = theme.Shades.of(view), theme.unit(view)
        state = QtWidgets.QStyle.StateFlag
        picked = entry.id == view.picked
        painter.save()
        cell = QtCore.QRectF(option.rect).adjusted(0, 1, 0, -1)
        if picked:
            theme.rounded(painter, cell, unit, theme.mix(shades.window, shades.accent, 0.30), shades.accent)
        elif option.state & state.State_MouseOver:
            theme.rounded(painter, cell, unit, shades.raised)
        check, picture, texts, style = self.boxes(option.rect)
        self._check(painter, check, entry.enabled, shades)
        if not entry.enabled:
            painter.setOpacity(0.45)
        thumbs.draw(painter, picture, view.region_image(entry.id), shades, unit * 0.8, "selection")
        self._stripe(painter, picture, region_colour(index.row()), unit)
        thumbs.draw(painter, style, self._pictures.image(entry.style), shades, unit * 0.8, "layer")
        middle = texts.center().y()
        upper = QtCore.QRect(texts.x(), middle - view.fontMetrics().height(), texts.width(), 2000)
        font = QtGui.QFont(view.font())
        font.setBold(True)
        self._line(painter, upper, font, shades.text, index.data())
        font.setBold(False)
        lower = QtCore.QRect(texts.x(), middle + 1, texts.width(), 2000)
        if entry.style is None:
            self._line(painter, lower, font, shades.trouble, "choose a style")
        else:
            self._detail(painter, lower, font, shades, entry)
        painter.restore()

    def _detail(self, painter: Any, box: Any, font: Any, shades: theme.Shades, entry: RegionEntry) -> None:
        """The strength in full, and as much of the style's name as fits."""
        strength = "" if entry.strength == 1.0 else f"{round(entry.strength * 100)} % "
        wide = QtGui.QFontMetrics(font).horizontalAdvance(strength)
        self._line(painter, box, font, shades.text, strength)
        rest = box.adjusted(wide, 0, 0, 0)
        self._line(painter, rest, font, shades.dim, self._pictures.name(entry.style))

    @staticmethod
    def _line(painter: Any, box: Any, font: Any, colour: Any, text: str) -> None:
        painter.setFont(font)
        painter.setPen(colour)
        metrics = QtGui.QFontMetrics(font)
        text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, max(0, box.width()))
        painter.drawText(box, number(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop), text)

    @staticmethod
    def _stripe(painter: Any, box: Any, colour: Any, unit: int) -> None:
        """The colour in which the region is tinted, so that list and picture can be told to agree."""
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        painter.setPen(QtGui.QPen(colour, 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QtCore.QRectF(box), unit * 0.8, unit * 0.8)

    @staticmethod
    def _check(painter: Any, box: Any, on: bool, shades: theme.Shades) -> None:
        inner = QtCore.QRectF(box).adjusted(1, 1, -1, -1)
        theme.rounded(painter, inner, 3, shades.accent if on else shades.field, None if on else shades.dim)
        if on:
            theme.draw_icon(painter, "check", inner.adjusted(1, 1, -1, -1), shades.accent_text)

    def editorEvent(self, event: Any, model: Any, option: Any, index: Any) -> bool:
        release = QtCore.QEvent.Type.MouseButtonRelease
        inside = event.type() in (
            release,
            QtCore.QEvent.Type.MouseButtonPress,
            QtCore.QEvent.Type.MouseButtonDblClick,
        ) and self.boxes(option.rect)[0].adjusted(-4, -4, 4, 4).contains(position(event))
        if inside and event.type() == release:
            entry = index.data(_ENTRY)
            model.setData(index, 0 if entry.enabled else 2, number(_ROLE.CheckStateRole))
        return inside

    def updateEditorGeometry(self, editor: Any, option: Any, index: Any) -> None:
        texts = self.boxes(option.rect)[2]
        high = editor.sizeHint().height()
        editor.setGeometry(texts.x(), texts.center().y() - high // 2, texts.width(), high)
