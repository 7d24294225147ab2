"""Masks that were found, to choose from: candidates of one answer, and all regions of a picture."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from scumble.shared.segmenting import FoundMask

from .. import tint
from ..qt import Qt, QtCore, QtGui, QtWidgets, Signal
from . import theme
from .basics import Note, column
from .mask_pictures import mask_image

_POLICY = QtWidgets.QSizePolicy.Policy


def small_tinted(picture: Any, found: FoundMask, colour: Any, side: int) -> Any:
    """A small picture with a mask tinted in it."""
    small = picture.scaled(
        side, side, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    )
    mask = mask_image(found.mask, picture.width(), picture.height()).scaled(
        small.size(), Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
    )
    return tint.tinted(small, mask.convertToFormat(QtGui.QImage.Format.Format_Alpha8), colour)


def percent(score: float) -> str:
    """A score for people."""
    return f"{round(100 * min(1.0, max(0.0, score)))} %"


class Candidates(QtWidgets.QWidget):
    """The candidates of an answer, the best first; ``chosen(int)`` names one.

    Their place is kept free while there are none: the picture must not move under the pointer.
    """

    chosen = Signal(int)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        unit = theme.unit(self)
        self._column = column(self, spacing=unit)
        self._column.addStretch(1)
        self.setFixedWidth(unit * 18)
        self.buttons: list[Any] = []
        self.labels: list[Any] = []
        self._group = QtWidgets.QButtonGroup(self)
        self._group.setExclusive(True)
        self._of: tuple[FoundMask, ...] = ()

    def show_masks(self, picture: Any, masks: Sequence[FoundMask], shown: int, colour: Any) -> None:
        """Show these; one alone is no choice and is left out."""
        masks = tuple(masks) if len(masks) > 1 else ()
        if masks != self._of:
            self._rebuild(picture, masks, colour)
        for index, button in enumerate(self.buttons):
            button.setChecked(index == shown)

    def _rebuild(self, picture: Any, masks: tuple[FoundMask, ...], colour: Any) -> None:
        for button in self.buttons:
            self._group.removeButton(button)
        for old in (*self.buttons, *self.labels):
            self._column.removeWidget(old)
            old.hide()
            old.deleteLater()
        self.buttons, self.labels, self._of = [], [], masks
        side = theme.unit(self) * 14
        for index, found in enumerate(masks):
            button = QtWidgets.QToolButton()
            button.setCheckable(True)
            button.setAutoRaise(True)
            image = small_tinted(picture, found, colour, side * 2)
            button.setIcon(QtGui.QIcon(QtGui.QPixmap.fromImage(image)))
            button.setIconSize(QtCore.QSize(side, round(side * image.height() / image.width())))
            button.setToolTip(
                f"Another reading of your clicks ({index + 1} of {len(masks)}); how sure: "
                f"{percent(found.score)} (Page Up, Page Down)"
            )
            button.setAccessibleName(f"Reading {index + 1} of {len(masks)}, {percent(found.score)}")
            # A text of its own: KDE would underline a letter of the button's.
            label = QtWidgets.QLabel(percent(found.score))
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            theme.smaller(label, 0.88)
            button.clicked.connect(lambda _checked=False, at=index: self.chosen.emit(at))
            self._group.addButton(button)
            self._column.insertWidget(2 * index, button, 0, Qt.AlignmentFlag.AlignHCenter)
            self._column.insertWidget(2 * index + 1, label)
            self.buttons.append(button)
            self.labels.append(label)


class Everything(QtWidgets.QWidget):
    """All regions of the picture as a list; several can be chosen.

    ``looked_at(int)`` names the one to show.
    """

    looked_at = Signal(int)
    changed = Signal()

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.masks: tuple[FoundMask, ...] = ()
        self.list = QtWidgets.QListWidget()
        self.list.setSelectionMode(QtWidgets.QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setAccessibleName("All regions")
        self.list.setUniformItemSizes(True)
        self.list.setVerticalScrollMode(QtWidgets.QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.currentRowChanged.connect(self._look)
        self.list.itemSelectionChanged.connect(self.changed)
        self.note = Note("Choose one, or several with Ctrl or Shift.")
        layout = column(self, spacing=theme.unit(self))
        layout.addWidget(self.list, 1)
        layout.addWidget(self.note)
        self.setSizePolicy(_POLICY.Fixed, _POLICY.Expanding)

    def sizeHint(self) -> Any:
        unit = theme.unit(self)
        return QtCore.QSize(unit * 38, unit * 80)

    def set_masks(self, masks: Sequence[FoundMask], pixels: int) -> None:
        """Show these; none empties the list.

        :param pixels: of the whole picture.
        """
        blocked = self.list.blockSignals(True)
        self.list.clear()
        self.masks = tuple(masks)
        unit = theme.unit(self)
        side = unit * 11
        self.list.setIconSize(QtCore.QSize(side, side))
        for number, found in enumerate(self.masks, 1):
            share = 100 * found.area / max(1, pixels)
            size = f"{share:.0f} %" if share >= 1 else "under 1 %"
            item = QtWidgets.QListWidgetItem(_icon(found.thumbnail, side * 2), f"Region {number}\n{size}")
            item.setToolTip(f"Region {number}: {size} of the picture")
            item.setSizeHint(QtCore.QSize(side * 2, side + unit))
            self.list.addItem(item)
        self.list.blockSignals(blocked)

    @property
    def picked(self) -> tuple[tuple[int, FoundMask], ...]:
        """(number in the list from 1, mask) of those that are chosen."""
        rows = sorted(self.list.row(item) for item in self.list.selectedItems())
        return tuple((at + 1, self.masks[at]) for at in rows)

    def _look(self, at: int) -> None:
        if 0 <= at < len(self.masks):
            self.looked_at.emit(at)


def _icon(data: str, side: int) -> Any:
    """A thumbnail in the middle of a square, so that all rows line up."""
    image = QtGui.QImage()
    try:
        image.loadFromData(base64.b64decode(data, validate=True))
    except (ValueError, binascii.Error):
        pass
    square = QtGui.QPixmap(side, side)
    square.fill(Qt.GlobalColor.transparent)
    if not image.isNull():
        image = image.scaled(
            side, side, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        )
        painter = QtGui.QPainter(square)
        painter.drawImage((side - image.width()) // 2, (side - image.height()) // 2, image)
        painter.end()
    icon = QtGui.QIcon(square)
    icon.addPixmap(square, QtGui.QIcon.Mode.Selected)  # not washed over when it is chosen
    return icon
