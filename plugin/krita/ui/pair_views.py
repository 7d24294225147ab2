"""The two pictures of matched parts, and the rows that say which takes after which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scumble.plugin.common.pair_table import PairRow
from scumble.plugin.common.picture_part import part_mask
from scumble.shared.messages import MaskBuffer

from ..qt import Qt, QtCore, QtGui, QtWidgets, Signal, position
from ..tint import region_colour
from . import theme
from .mask_pictures import mask_image, painting_on
from .pick_found import small_tinted
from .picture_view import PictureView
from .thumbs import with_part_shown

_MODE = QtGui.QPainter.CompositionMode
#: How strongly parts are coloured.
_WASH = 0.42


def coloured(picture: Any, parts: Sequence[tuple[MaskBuffer, Any]], stretched: bool) -> Any:
    """A picture with parts of it in colours.

    :param parts: masks with their colours.
    :param stretched: whether each mask covers the whole picture, whatever its own size.
    """
    result = picture.convertToFormat(QtGui.QImage.Format.Format_ARGB32_Premultiplied)
    for mask, colour in parts:
        size = QtCore.QSize(mask.width, mask.height) if stretched else result.size()
        image = mask_image(mask, size.width(), size.height())
        layer = QtGui.QImage(result.size(), result.format())
        layer.fill(colour)
        with painting_on(layer) as painting:
            painting.setCompositionMode(_MODE.CompositionMode_DestinationIn)
            painting.setRenderHint(QtGui.QPainter.RenderHint.SmoothPixmapTransform)
            painting.drawImage(layer.rect(), image)
        with painting_on(result) as painting:
            painting.setCompositionMode(_MODE.CompositionMode_SourceAtop)
            painting.setOpacity(_WASH)
            painting.drawImage(0, 0, layer)
    return result


class PairView(PictureView):
    """A picture whose parts are pointed at: ``pointed(x, y, more)``, in pixels of the picture."""

    pointed = Signal(float, float, bool)

    def __init__(self, name: str, tip: str, parent: Any = None) -> None:
        super().__init__(parent)
        self.wash, self.shade = 0.0, 0.35
        self.text = ""
        self.setAccessibleName(name)
        self.setToolTip(tip)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)

    def minimumSizeHint(self) -> Any:
        unit = theme.unit(self)
        return QtCore.QSize(unit * 30, unit * 24)

    def mousePressEvent(self, event: Any) -> None:
        super().mousePressEvent(event)
        if self.picture is not None and event.button() == Qt.MouseButton.LeftButton:
            x, y = self.to_picture(position(event))
            keys = Qt.KeyboardModifier
            if self.inside(x, y):
                self.pointed.emit(x, y, bool(event.modifiers() & (keys.ControlModifier | keys.ShiftModifier)))

    def paint_nothing(self, painter: Any, shades: theme.Shades) -> None:
        painter.setPen(shades.dim)
        option = QtGui.QTextOption(Qt.AlignmentFlag.AlignCenter)
        option.setWrapMode(QtGui.QTextOption.WrapMode.WordWrap)
        painter.drawText(QtCore.QRectF(self.rect()).adjusted(8, 0, -8, 0), self.text, option)


class PairRows(QtWidgets.QListWidget):
    """The rows, each with its part of the layer, an arrow, and its part of the painting.

    ``switched(int, bool)`` says that one is to be painted or not.
    """

    switched = Signal(int, bool)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.setSelectionMode(QtWidgets.QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setAccessibleName("Matched parts")
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QtWidgets.QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.itemChanged.connect(self._changed)

    def sizeHint(self) -> Any:
        unit = theme.unit(self)
        return QtCore.QSize(unit * 70, unit * 62)

    def minimumSizeHint(self) -> Any:
        unit = theme.unit(self)
        return QtCore.QSize(unit * 40, unit * 30)

    def keyPressEvent(self, event: Any) -> None:
        keys = Qt.Key
        if event.key() in (keys.Key_M, keys.Key_S, keys.Key_Backspace, keys.Key_Z):
            event.ignore()  # the window's; Qt would look for a row that begins with the letter
        else:
            super().keyPressEvent(event)

    @property
    def chosen(self) -> list[int]:
        """The places of the chosen rows."""
        return sorted(self.row(item) for item in self.selectedItems())

    def choose(self, places: Sequence[int]) -> None:
        """Choose rows; who listens to the selection is told once, at the end."""
        blocked = self.blockSignals(True)
        self.clearSelection()
        for at in places:
            if 0 <= at < self.count():
                self.item(at).setSelected(True)
        if places and 0 <= places[0] < self.count():
            flag = QtCore.QItemSelectionModel.SelectionFlag
            self.setCurrentRow(places[0], flag.NoUpdate)
        self.blockSignals(blocked)
        self.itemSelectionChanged.emit()

    def show_rows(self, rows: Sequence[PairRow], layer: Any, painting: Any, pixels: int) -> None:
        """Show these.

        :param layer: its picture; ``painting`` that of the style, ``None`` while there is none.
        :param pixels: of the layer's picture.
        """
        blocked = self.blockSignals(True)
        self.clear()
        unit = theme.unit(self)
        side = unit * 11
        self.setIconSize(QtCore.QSize(round(side * 2.7), side))
        for at, row in enumerate(rows):
            share = 100 * row.area / max(1, pixels)
            size = f"{share:.0f} %" if share >= 1 else "under 1 %"
            whole = row.part is None
            text = f"Part {at + 1}, {size}" + ("\nthe whole painting" if whole else "")
            pixmap = self._picture(row, at, layer, painting, side)
            icon = QtGui.QIcon(pixmap)
            icon.addPixmap(pixmap, QtGui.QIcon.Mode.Selected)  # not washed over when it is chosen
            item = QtWidgets.QListWidgetItem(icon, text)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked if row.on else Qt.CheckState.Unchecked)
            item.setToolTip(
                f"Part {at + 1}: {size} of the layer takes after "
                f"{'the whole painting' if whole else 'the part shown at the right'}"
                f"{'' if row.on else '; switched off: stays as it is'}"
            )
            item.setSizeHint(QtCore.QSize(side * 4, side + unit))
            self.addItem(item)
        self.blockSignals(blocked)

    def _picture(self, row: PairRow, at: int, layer: Any, painting: Any, side: int) -> Any:
        dots = 2  # sharp on fine screens, too
        pixmap = QtGui.QPixmap(round(side * 2.7) * dots, side * dots)
        pixmap.fill(Qt.GlobalColor.transparent)
        shades = theme.Shades.of(self)
        with painting_on(pixmap) as painter:
            if not row.on:
                painter.setOpacity(0.4)
            full = side * dots
            left = QtCore.QRect(0, 0, full, full)
            right = QtCore.QRect(pixmap.width() - full, 0, full, full)
            _centred(painter, small_tinted(layer, _found(row), region_colour(at), full), left)
            if painting is not None:
                shown = painting if row.part is None else with_part_shown(painting, part_mask(row.part))
                _centred(painter, shown, right)
            middle = QtCore.QRect(left.right(), 0, right.left() - left.right(), full)
            arrow = round(full * 0.42)
            theme.draw_icon(
                painter,
                "right",
                QtCore.QRect(middle.center().x() - arrow // 2, (full - arrow) // 2, arrow, arrow),
                shades.dim,
            )
        return pixmap

    def _changed(self, item: Any) -> None:
        self.switched.emit(self.row(item), item.checkState() == Qt.CheckState.Checked)


def _found(row: PairRow) -> Any:
    from scumble.shared.segmenting import FoundMask

    return FoundMask(row.mask, 1.0, row.area)


def _centred(painter: Any, image: Any, box: Any) -> None:
    small = image.scaled(
        box.size(), Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    )
    painter.drawImage(
        box.x() + (box.width() - small.width()) // 2, box.y() + (box.height() - small.height()) // 2, small
    )
