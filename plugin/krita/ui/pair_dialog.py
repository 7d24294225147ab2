"""Match parts: which part of the layer takes after which part of the painting, found and then edited."""

from __future__ import annotations

from typing import Any

from scumble.plugin.common.pair_table import Counterpart, PairRow, PairTable
from scumble.plugin.common.picture_part import part_mask
from scumble.plugin.common.sources import BlendedStyle, SingleStyle, WordStyle, with_part
from scumble.shared.segmenting import SegmentResult

from ..interface import ControllerPort
from ..picking import DocumentMask, Picture
from ..qt import Qt, QtGui, QtWidgets
from ..tint import region_colour
from . import theme
from .basics import Elided, column, row, tool
from .pair_choice import MOST_PARTS, chosen_style, parts_of
from .pair_views import PairRows, PairView, coloured
from .part_dialog import PartDialog
from .thumbs import Thumbnails, with_part_shown
from .valuebar import ValueBar
from .window import MaskWindow

#: Longer side of the style's picture in here, and how long a hand has to rest on the number of parts.
_SIDE, _REST_MS = 768, 350
_KEY = Qt.Key


class PairDialog(MaskWindow):
    """See the module.  Nothing waits; what comes too late is dropped.

    :param style: a style with a picture; parts of it that are chosen already do not matter here.
    """

    KEYS = (_KEY.Key_Backspace, _KEY.Key_Z, _KEY.Key_M, _KEY.Key_S)

    def __init__(
        self, port: ControllerPort, pictures: Thumbnails, style: SingleStyle, parent: Any = None
    ) -> None:
        self.layer = PairView("The layer", "Click on a part to choose its row (Ctrl: several)")
        super().__init__(port, self.layer, parent)
        self._pictures, self._style = pictures, with_part(style, None)
        self.table = PairTable()
        self._before: list[PairTable] = []
        self._picture: Picture | None = None
        self._painting: Any = None
        self._part_dialog: Any = None
        self.setWindowTitle(f"Scumble: match parts with “{pictures.name(self._style)}”")
        self._build()
        self._rest = self.timer(_REST_MS, self.find, once=True)
        pictures.large(self._style, _SIDE, self._painted)
        self._picking.look(self._seen)
        self._show()

    def _build(self) -> None:
        unit = theme.unit(self)
        self.count = ValueBar("Parts", 2, MOST_PARTS, 1, whole=True)
        self.count.setToolTip("Into how many parts the layer is divided")
        self.count.set(parts_of(self._port.state))
        self.count.changed.connect(self._recount)
        self.count.reset_asked.connect(lambda: self._recount(parts_of(self._port.state)))
        self.layer.text = "Looking at the layer…"
        self.layer.pointed.connect(self._point_layer)
        self.painting = PairView("The painting", "Click on the part that the chosen rows are to take after")
        self.painting.text = "Reading the picture…"
        self.painting.pointed.connect(self._point_painting)
        self.rows = PairRows()
        self.rows.itemSelectionChanged.connect(self._show_chosen)
        self.rows.switched.connect(lambda at, on: self._edit(self.table.switched(at, on)))
        self.merge = tool("merge", "Make one of the chosen rows (M)", self._merge, text="Merge")
        self.split = tool("split", "Divide the chosen row in two (S)", self._split, text="Split")
        self.other = tool(
            "pairs", "Choose another part of the painting for the chosen rows", text="Takes after"
        )
        self.other.setPopupMode(QtWidgets.QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu = QtWidgets.QMenu(self)
        self.menu.aboutToShow.connect(self._fill_menu)
        self.other.setMenu(self.menu)
        self.back = tool("undo", "Undo (Backspace)", self._undo, text="Undo")
        self.status = Elided("", dim=True)
        self.replace = QtWidgets.QCheckBox("In place of the regions in the list")
        self.use = QtWidgets.QPushButton(theme.icon("add"), "Use as regions")
        self.use.setToolTip("Each row becomes a region with a mask on the layer and a part of the painting")
        self.use.setAutoDefault(False)
        self.use.clicked.connect(lambda _checked=False: self._use())
        close = QtWidgets.QPushButton("Close")
        close.setAutoDefault(False)
        close.clicked.connect(lambda _checked=False: self.close())
        layout = column(self, margin=unit * 2, spacing=unit + 2)
        both = row(spacing=unit * 2)
        both.addWidget(self.layer, 1)
        both.addWidget(self.painting, 1)
        layout.addLayout(both, 3)
        layout.addWidget(self.count)
        edits = column(spacing=unit)
        for button in (self.merge, self.split, self.other, self.back):
            button.setSizePolicy(QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Fixed)
            edits.addWidget(button)
        edits.addStretch(1)
        beneath = row(spacing=unit * 2)
        beneath.addWidget(self.rows, 1)
        beneath.addLayout(edits)
        layout.addLayout(beneath, 2)
        layout.addWidget(self.status)
        layout.addLayout(row(self.use, self.replace, None, close, spacing=unit * 2))
        self.resize(unit * 165, unit * 175)

    # -- what is found ------------------------------------------------------------------------------------

    def _painted(self, image: Any) -> None:
        if self._open:
            self._painting = image
            if image is None:
                self.painting.text = "The style's picture cannot be shown."
            self._show()

    def _seen(self, picture: Picture | None) -> None:
        if not self._open:
            return
        self._picture = picture
        if picture is None:
            self.layer.text = "There is no picture to divide."
            self.fail()
            self._show()
        else:
            self.find()

    def find(self) -> None:
        """Have layer and painting divided and matched; edits go."""
        picture = self._picture
        if picture is None:
            return
        self.message.hide()
        self._rest.stop()

        def done(result: SegmentResult | None) -> None:
            if not self._open:
                return
            if result is None:
                self.fail()
            else:
                self.table, self._before = PairTable.of(result.masks), []
            self._show([0])
            self.rows.setFocus()

        count = round(float(self.count.number))
        self._picking.find(picture, done, mode="pairs", count=count, style=self._style)
        self._show(self.rows.chosen)

    def _recount(self, count: float) -> None:
        self.count.set(count)
        self._rest.start()

    # -- edits --------------------------------------------------------------------------------------------

    def _edit(self, table: PairTable, chosen: list[int] | None = None) -> None:
        if table is not self.table:
            self._picking.cancel_question()  # what is being split is not there any more
            self._before.append(self.table)
            self.table = table
        self.message.hide()
        self._show(self.rows.chosen if chosen is None else chosen)

    def _undo(self) -> None:
        if self._before:
            self._picking.cancel_question()
            self.table = self._before.pop()
            self.message.hide()
            self._show([])

    def _merge(self) -> None:
        chosen = self.rows.chosen
        if len(chosen) > 1:
            self._edit(self.table.merged(chosen), [chosen[0]])

    def _split(self) -> None:
        picture, chosen = self._picture, self.rows.chosen
        if picture is None or len(chosen) != 1:
            return
        at, table = chosen[0], self.table

        def done(result: SegmentResult | None) -> None:
            if not self._open or self.table is not table:
                return
            if result is None:
                self.fail()
            elif len(result.masks) < 2:
                self.tell("This part cannot be divided further.", "Pick parts of it by clicks instead.")
            else:
                self._edit(table.divided(at, result.masks), [at, at + 1])
                return
            self._show(chosen)

        self.message.hide()
        self._picking.find(
            picture, done, mode="pairs", count=2, before=table.rows[at].mask, style=self._style
        )
        self._show(chosen)

    def _give(self, part: Counterpart) -> None:
        if self.rows.chosen:
            self._edit(self.table.given(self.rows.chosen, part))

    def _fill_menu(self) -> None:
        self.menu.clear()
        side = theme.unit(self) * 10
        for number, part in enumerate(self.table.pool, 1):
            icon = QtGui.QIcon()
            if self._painting is not None:
                image = with_part_shown(self._painting, part_mask(part)).scaled(
                    side * 2,
                    side * 2,
                    Qt.AspectRatioMode.KeepAspectRatio,
                    Qt.TransformationMode.SmoothTransformation,
                )
                icon = QtGui.QIcon(QtGui.QPixmap.fromImage(image))
            action = self.menu.addAction(icon, f"Part {number} of the painting")
            action.triggered.connect(lambda _checked=False, part=part: self._give(part))
        self.menu.addSeparator()
        self.menu.addAction("The whole painting").triggered.connect(lambda _checked=False: self._give(None))
        draw = self.menu.addAction("A part that I draw…")
        draw.triggered.connect(lambda _checked=False: self._draw())

    def _draw(self) -> None:
        chosen = self.rows.chosen
        if not chosen or self._painting is None:
            return
        painting = self._painting
        part = self.table.rows[chosen[0]].part
        dialog = PartDialog(self._pictures.name(self._style), part, lambda done: done(painting), self)
        dialog.chosen.connect(self._give)
        dialog.setModal(True)  # the rows must not change meanwhile
        self._part_dialog = dialog
        dialog.open()

    def _point_layer(self, x: float, y: float, more: bool) -> None:
        at = self.table.row_at(x, y)
        if at >= 0:
            before = self.rows.chosen if more else []
            self.rows.choose([n for n in before if n != at] if at in before else [*before, at])

    def _point_painting(self, x: float, y: float, _more: bool) -> None:
        part = self.table.part_at(x / self._painting.width(), y / self._painting.height())
        if part is not None:
            self._give(part)

    # -- what becomes of it -------------------------------------------------------------------------------

    def _use(self) -> None:
        picture = self._picture
        wanted = [(at, each) for at, each in enumerate(self.table.rows) if each.on]
        if picture is None or not wanted:
            return
        if self.replace.isChecked():
            self._port.clear_regions()

        def put(index: int, mask: DocumentMask) -> bool:
            at, each = wanted[index]
            id = self._picking.add_region(mask, f"Part {at + 1}")
            if id:
                self._port.change_region(id, style=with_part(self._style, each.part))
            return bool(id)

        def done() -> None:
            self._show(self.rows.chosen)
            count = len(wanted)
            self.status.setText(f"{count} region{'s were' if count > 1 else ' was'} added.")

        self.put_each(picture, [each.mask for _, each in wanted], put, done)

    # -- what is shown ------------------------------------------------------------------------------------

    def _show(self, chosen: list[int] | None = None) -> None:
        picture, rows, busy = self._picture, self.table.rows, bool(self._picking.busy)
        if picture is not None:
            parts = [(each.mask, region_colour(at)) for at, each in enumerate(rows) if each.on]
            self._keep_zoom(self.layer, coloured(picture.image, parts, False))
            pixels = picture.pixels.width * picture.pixels.height
            self.rows.show_rows(rows, picture.image, self._painting, pixels)
        if self._painting is not None:
            self._keep_zoom(self.painting, coloured(self._painting, _painted_parts(rows), True))
        else:
            self.painting.update()
        for each in (self.rows, self.count):
            each.setEnabled(picture is not None)
        self.use.setEnabled(any(each.on for each in rows) and not busy)
        self.back.setEnabled(bool(self._before))
        self.replace.setVisible(bool(self._port.state.regions))
        self.rows.choose([] if chosen is None else chosen)
        self.status.setText(
            (self._picking.status or "Matching…")
            if busy
            else "The whole layer is divided. Switch off what is to stay as it is."
            if rows
            else ""
        )

    @staticmethod
    def _keep_zoom(view: PairView, image: Any) -> None:
        if view.picture is not None and view.picture.size() == image.size():
            view.picture = image
            view.update()
        else:
            view.set_picture(image)

    def _show_chosen(self) -> None:
        chosen = self.rows.chosen
        some = [self.table.rows[at] for at in chosen if at < len(self.table.rows)]
        busy = bool(self._picking.busy)
        self.merge.setEnabled(len(some) > 1 and not busy)
        self.split.setEnabled(len(some) == 1 and not busy)
        self.other.setEnabled(bool(some) and not busy)
        shown: PairRow | None = None
        if some:
            shown = PairTable(tuple(some)).merged(range(len(some))).rows[0]
        self.layer.set_mask(shown.mask if shown is not None else None, faint=busy)
        part = shown.part if shown is not None else None
        self.painting.set_mask(None if part is None else part_mask(part), faint=busy, stretched=True)

    def keyPressEvent(self, event: Any) -> None:
        key = event.key()
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if key == _KEY.Key_Backspace or (key == _KEY.Key_Z and control):
            self._undo()
        elif key == _KEY.Key_M:
            self._merge()
        elif key == _KEY.Key_S:
            self._split()
        else:
            super().keyPressEvent(event)


def _painted_parts(rows: Any) -> list[Any]:
    """The painting's parts in the colour of the first row that takes after each."""
    seen: dict[Any, Any] = {}
    for at, each in enumerate(rows):
        if each.on and each.part is not None:
            seen.setdefault(each.part, region_colour(at))
    return [(part_mask(part), colour) for part, colour in seen.items()]


def open_pairs(port: ControllerPort, pictures: Thumbnails, parent: Any) -> PairDialog | None:
    """The window for the style at hand; ``None`` if that has no picture."""
    style = chosen_style(port.state)
    if style is None or isinstance(style, (BlendedStyle, WordStyle)):
        return None
    dialog = PairDialog(port, pictures, style, parent)
    dialog.show()
    return dialog
