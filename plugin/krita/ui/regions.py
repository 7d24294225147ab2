"""The list of regions: what is painted where, in which style and how strongly."""

from __future__ import annotations

from typing import Any

from scumble.plugin.common.sources import EVERYTHING, SAVED

from ..interface import ControllerPort, Part, Snapshot
from ..qt import Qt, QtCore, QtWidgets, Signal, position
from . import theme, thumbs
from .basics import Note, column, row, tool
from .pair_choice import chosen_style, pairs_parts, why_not
from .pair_dialog import open_pairs
from .pick_dialog import PickDialog
from .region_rows import Delegate, Model

#: Rows that are to be seen before the list scrolls.
_ROWS = 4
#: Before pictures are made anew (a selection may be changing just now), and between two of them.
_REST_MS, _BETWEEN_MS = 400, 30


class _View(QtWidgets.QListView):
    """The rows.  Pictures of regions cost Krita some milliseconds each: they are fetched one at a time, with
    the event loop running in between, and an old one stays until the new one is there."""

    asked_menu = Signal(object)

    def __init__(self, port: ControllerPort, pictures: thumbs.Thumbnails) -> None:
        super().__init__()
        self._port = port
        self.picked = ""
        self._images: dict[str, Any] = {}
        self._made_of: dict[str, Any] = {}
        self._wanted: dict[str, Any] = {}
        self._stale: list[str] = []
        self._fetching = QtCore.QTimer(self)
        self._fetching.setSingleShot(True)
        self._fetching.timeout.connect(self._fetch)
        self.setMouseTracking(True)
        self.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        self.setVerticalScrollMode(QtWidgets.QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setDragDropMode(QtWidgets.QAbstractItemView.DragDropMode.InternalMove)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        edit = QtWidgets.QAbstractItemView.EditTrigger
        self.setEditTriggers(edit.DoubleClicked | edit.EditKeyPressed)
        self.setItemDelegate(Delegate(self, pictures))
        self.setUniformItemSizes(True)
        self.setAccessibleName("Regions")
        self.viewport().setAutoFillBackground(False)
        theme.smaller(self, 0.92)

    def region_image(self, id: str) -> Any:
        """The picture of a region; ``None`` before it was made."""
        return self._images.get(id)

    def want(self, state: Snapshot, document_changed: bool) -> None:
        """See to it that there is a picture of each region as it is now."""
        document = state.document
        painted = (document.name, document.layer, document.width) if document is not None else None
        seen = {}
        for place, entry in enumerate(state.regions):
            seen[entry.id] = (entry.mask, place, painted)
            # A kept copy does not change; of all others only the document knows.
            changed = document_changed and entry.mask.kind not in (SAVED, EVERYTHING)
            if changed or self._made_of.get(entry.id) != seen[entry.id]:
                self._made_of.pop(entry.id, None)
                if entry.id not in self._stale:
                    self._stale.append(entry.id)
        self._stale = [id for id in self._stale if id in seen]
        self._images = {id: image for id, image in self._images.items() if id in seen}
        self._wanted = seen
        if self._stale and not self._fetching.isActive():
            new = any(id not in self._images for id in self._stale)
            self._fetching.start(0 if new else _REST_MS)

    def _fetch(self) -> None:
        if not self._stale:
            return
        # Those that have none come first.
        id = next((id for id in self._stale if id not in self._images), self._stale[0])
        self._stale.remove(id)
        self._made_of[id] = self._wanted.get(id)
        side = theme.unit(self) * 12 * max(1, round(self.devicePixelRatioF()))
        self._images[id] = self._port.region_thumbnail(id, side, side)
        self.viewport().update()
        if self._stale:
            self._fetching.start(_BETWEEN_MS)

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
        self._port, self._pictures = port, pictures
        self._picked = ""
        unit = theme.unit(self)
        self.model = Model(port, pictures, self)
        self.view = _View(port, pictures)
        self.view.setModel(self.model)
        self.add = QtWidgets.QPushButton("From selection")
        self.add.setIcon(theme.icon("add"))
        self.add.setToolTip(
            "Keep the current selection as a region with the style that is chosen now;\n"
            "then select the next part and choose its style."
        )
        self.add.setMinimumWidth(60)
        self.add.clicked.connect(lambda: port.add_region())
        self.pick = QtWidgets.QPushButton("Pick…")
        self.pick.setIcon(theme.icon("pick"))
        self.pick.setToolTip("Click at a thing on a picture of the layer, and have its mask made")
        self.pick.setMinimumWidth(40)
        self.pick.clicked.connect(lambda: self.open_picker())
        self._picker: Any = None
        self.match = QtWidgets.QPushButton("Match parts…")
        self.match.setIcon(theme.icon("pairs"))
        self.match.setMinimumWidth(60)
        self.match.clicked.connect(lambda: self.open_matching())
        self._matching: Any = None
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
        buttons.addWidget(self.pick)
        buttons.addWidget(self.others)
        layout.addLayout(buttons)
        layout.addWidget(self.match)
        self.model.moved.connect(port.move_region)
        self.view.clicked.connect(self._pick)
        self.view.selectionModel().currentChanged.connect(lambda now, _before: self._pick_by_key(now))
        self.view.asked_menu.connect(self._menu)
        pictures.arrived.connect(self.view.viewport().update)

    def show_state(self, state: Snapshot, parts: frozenset[Part]) -> None:
        """Show the list as it is now."""
        self.view.want(state, Part.DOCUMENT in parts)
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
        self.pick.setEnabled(document is not None)
        self.others.setEnabled(document is not None)
        problem = why_not(chosen_style(state))
        self.match.setVisible(pairs_parts(state))
        self.match.setEnabled(document is not None and not problem)
        self.match.setToolTip(
            problem
            or "Find parts of the layer and of the style's picture that match, edit the pairs,\n"
            "and make regions of them"
        )
        self.note.setVisible(not places)
        self.note.setText(
            "No document is open."
            if document is None
            else f"Paints the selection, {document.selection[0]} × {document.selection[1]}."
            if document.selection
            else "Paints the whole layer. Select a part first to paint only that."
        )

    def open_picker(self) -> Any:
        """The window for picking by clicks; there is one at a time."""
        if self._picker is None:
            self._picker = PickDialog(self._port, self.window())
            self._picker.destroyed.connect(self._picker_gone)
        self._picker.show()
        self._picker.raise_()
        self._picker.activateWindow()
        return self._picker

    def open_matching(self) -> Any:
        """The window for matching parts, for the style that is chosen now; there is one at a time."""
        if self._matching is not None:
            self._matching.close()
        dialog = open_pairs(self._port, self._pictures, self.window())
        if dialog is not None:
            dialog.destroyed.connect(lambda _gone: self._matching_gone(dialog))
        self._matching = dialog
        return dialog

    def _matching_gone(self, dialog: Any) -> None:
        if self._matching is dialog:
            self._matching = None

    def _picker_gone(self, _gone: Any = None) -> None:
        self._picker = None

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
        menu.addAction("Pick on the layer…", self.pick.click)
        clear = menu.addAction("Remove all", self._port.clear_regions)
        clear.setEnabled(bool(self.model.entries))
        menu.popup(place)
