"""The list of regions: what is painted where, in which style and how strongly."""

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

from ..interface import ControllerPort, Part, Snapshot
from ..qt import Qt, QtCore, QtGui, QtWidgets, Signal, number, position
from . import theme, thumbs
from .basics import Note, column, row, tool

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
#: Rows that are to be seen before the list scrolls.
_ROWS = 4


def mask_name(mask: MaskSource) -> str:
    """Where a mask comes from, in words."""
    return _MASKS.get(mask.kind, mask.kind.replace("_", " "))


def region_name(entry: RegionEntry, place: int) -> str:
    """What to call a region at a place of the list, counted from 0."""
    return entry.label or f"Region {place + 1}"


class _Model(QtCore.QAbstractListModel):
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


class _Delegate(QtWidgets.QStyledItemDelegate):
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
        self._stripe(painter, picture, theme.region_colour(index.row()), unit)
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


class _View(QtWidgets.QListView):
    """The rows; a picture of each region is fetched when it is to be seen."""

    asked_menu = Signal(object)

    def __init__(self, port: ControllerPort, pictures: thumbs.Thumbnails) -> None:
        super().__init__()
        self._port = port
        self.picked = ""
        self._images: dict[str, Any] = {}
        self.setMouseTracking(True)
        self.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        self.setVerticalScrollMode(QtWidgets.QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setDragDropMode(QtWidgets.QAbstractItemView.DragDropMode.InternalMove)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        edit = QtWidgets.QAbstractItemView.EditTrigger
        self.setEditTriggers(edit.DoubleClicked | edit.EditKeyPressed)
        self.setItemDelegate(_Delegate(self, pictures))
        self.setUniformItemSizes(True)
        self.setAccessibleName("Regions")
        self.viewport().setAutoFillBackground(False)
        theme.smaller(self, 0.92)

    def region_image(self, id: str) -> Any:
        """The picture of a region, asked for once."""
        if id not in self._images:
            side = theme.unit(self) * 12 * max(1, round(self.devicePixelRatioF()))
            self._images[id] = self._port.region_thumbnail(id, side, side)
        return self._images[id]

    def forget_images(self) -> None:
        """Masks or layers have changed."""
        self._images.clear()
        self.viewport().update()

    def sizeHint(self) -> Any:
        rows = min(max(1, self.model().rowCount()), _ROWS) if self.model() is not None else 1
        return QtCore.QSize(160, rows * theme.unit(self) * 13 + 2)

    def minimumSizeHint(self) -> Any:
        return self.sizeHint()

    def contextMenuEvent(self, event: Any) -> None:
        self.asked_menu.emit(event.globalPos())

    def mousePressEvent(self, event: Any) -> None:
        super().mousePressEvent(event)
        if not self.indexAt(position(event)).isValid():
            self._port.pick_region("")

    def keyPressEvent(self, event: Any) -> None:
        index, key = self.currentIndex(), event.key()
        if not index.isValid():
            super().keyPressEvent(event)
            return
        id = self.model().entries[index.row()].id
        moving = event.modifiers() & Qt.KeyboardModifier.AltModifier
        if key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self._port.remove_region(id)
        elif key == Qt.Key.Key_Escape:
            self._port.pick_region("")
        elif moving and key == Qt.Key.Key_Up:
            self._port.move_region(id, max(0, index.row() - 1))
        elif moving and key == Qt.Key.Key_Down:
            self._port.move_region(id, index.row() + 1)
        elif key == Qt.Key.Key_Space:
            self._port.change_region(id, enabled=not self.model().entries[index.row()].enabled)
        else:
            super().keyPressEvent(event)


class RegionPanel(QtWidgets.QWidget):
    """The list with its buttons."""

    def __init__(self, port: ControllerPort, pictures: thumbs.Thumbnails, parent: Any = None) -> None:
        super().__init__(parent)
        self._port = port
        self._picked = ""
        unit = theme.unit(self)
        self.model = _Model(port, pictures, self)
        self.view = _View(port, pictures)
        self.view.setModel(self.model)
        self.add = QtWidgets.QPushButton("Add from selection")
        self.add.setIcon(theme.icon("add"))
        self.add.setToolTip(
            "Keep the current selection as a region with the style that is chosen now;\n"
            "then select the next part and choose its style."
        )
        self.add.setMinimumWidth(60)
        self.add.clicked.connect(lambda: port.add_region())
        self.others = tool("more", "Add from a mask or a layer's alpha", self._ask_mask)
        self.note = Note("")
        self.up = tool("up", "Move up (Alt+Up)", lambda: self._move(-1))
        self.down = tool("down", "Move down (Alt+Down)", lambda: self._move(1))
        self.copy = tool("copy", "Duplicate", lambda: port.duplicate_region(self._picked))
        self.select = tool(
            "selection", "Make its mask the selection, to change it", lambda: port.select_mask(self._picked)
        )
        self.remove = tool("remove", "Remove (Delete)", lambda: port.remove_region(self._picked))
        self.tools = QtWidgets.QWidget()
        self.tools.setLayout(row(self.up, self.down, self.copy, self.select, None, self.remove, spacing=0))
        layout = column(self, spacing=unit)
        layout.addWidget(self.view)
        layout.addWidget(self.tools)
        layout.addWidget(self.note)
        buttons = row(spacing=unit // 2)
        buttons.addWidget(self.add, 1)
        buttons.addWidget(self.others)
        layout.addLayout(buttons)
        self.model.moved.connect(port.move_region)
        self.view.clicked.connect(self._pick)
        self.view.selectionModel().currentChanged.connect(lambda now, _before: self._pick_by_key(now))
        self.view.asked_menu.connect(self._menu)
        pictures.arrived.connect(self.view.viewport().update)

    def show_state(self, state: Snapshot, parts: frozenset[Part]) -> None:
        """Show the list as it is now."""
        if parts & {Part.DOCUMENT, Part.REGIONS}:
            self.view.forget_images()
        rows = self.model.set(state.regions)
        self._picked = self.view.picked = state.picked
        places = [entry.id for entry in state.regions]
        place = places.index(state.picked) if state.picked in places else -1
        index = self.model.index(place, 0) if place >= 0 else QtCore.QModelIndex()
        if self.view.currentIndex() != index:
            blocked = self.view.selectionModel().blockSignals(True)
            self.view.setCurrentIndex(index)
            self.view.selectionModel().blockSignals(blocked)
        if rows:
            self.view.updateGeometry()
        self.view.viewport().update()
        self.view.setVisible(bool(places))
        self.tools.setVisible(bool(places))
        for button in (self.copy, self.select, self.remove):
            button.setEnabled(place >= 0)
        self.up.setEnabled(place > 0)
        self.down.setEnabled(0 <= place < len(places) - 1)
        document = state.document
        self.add.setEnabled(document is not None)
        self.others.setEnabled(document is not None)
        self.note.setVisible(not places)
        self.note.setText(
            "No document is open."
            if document is None
            else f"Painting the selection, {document.selection[0]} × {document.selection[1]} px."
            if document.selection
            else "Painting the whole layer. Select a part, or add regions with styles of their own."
        )

    def _pick(self, index: Any) -> None:
        if index.isValid():
            id = self.model.entries[index.row()].id
            if id != self._picked:
                self._port.pick_region(id)

    def _pick_by_key(self, index: Any) -> None:
        if self.view.hasFocus() and not QtWidgets.QApplication.mouseButtons():
            self._pick(index)

    def _move(self, by: int) -> None:
        places = [entry.id for entry in self.model.entries]
        if self._picked in places:
            self._port.move_region(self._picked, places.index(self._picked) + by)

    def _ask_mask(self) -> None:
        menu = self._mask_menu("", self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.others.mapToGlobal(QtCore.QPoint(0, self.others.height())))

    def _mask_menu(self, region: str, parent: Any) -> Any:
        """Masks to choose from: for a region, or ``""`` for a new one."""
        menu = QtWidgets.QMenu(parent)
        menu.setToolTipsVisible(True)
        group = None
        for choice in self._port.mask_choices():
            if choice.group != group:
                group = choice.group
                menu.addSection(group) if group else menu.addSeparator()
            action = menu.addAction(choice.label)
            action.setEnabled(not choice.problem)
            action.setToolTip(choice.problem)
            action.triggered.connect(
                lambda _checked=False, mask=choice.source: (
                    self._port.change_region(region, mask=mask) if region else self._port.add_region(mask)
                )
            )
        if menu.isEmpty():
            menu.addAction("There is no mask to choose").setEnabled(False)
        return menu

    def _menu(self, place: Any) -> None:
        menu = QtWidgets.QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if self._picked:
            masks = self._mask_menu(self._picked, menu)
            masks.setTitle("Take its mask from")
            menu.addAction("Rename", lambda: self.view.edit(self.view.currentIndex()))
            menu.addMenu(masks)
            menu.addAction("Make its mask the selection", self.select.click)
            menu.addAction("Duplicate", self.copy.click)
            menu.addAction("Remove", self.remove.click)
            menu.addSeparator()
        menu.addAction("Add from selection", self.add.click)
        clear = menu.addAction("Remove all", self._port.clear_regions)
        clear.setEnabled(bool(self.model.entries))
        menu.popup(place)
