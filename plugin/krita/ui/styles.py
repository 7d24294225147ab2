"""Choosing a style: gallery, file, layer, words, or a blend of up to four of them."""

from __future__ import annotations

import os
from typing import Any

from scumble.plugin.common.picture_part import PicturePart
from scumble.plugin.common.sources import (
    BlendedStyle,
    FileStyle,
    GalleryStyle,
    LayerStyle,
    SingleStyle,
    StyleSource,
    WordStyle,
    style_part,
    with_part,
)

from ..interface import ControllerPort, Snapshot
from ..qt import Qt, QtCore, QtGui, QtWidgets, Signal, position
from . import theme, thumbs
from .basics import Card, Elided, Note, column, row, tool
from .gallery import Gallery
from .part_dialog import PartDialog
from .valuebar import ValueBar

#: Most styles of a blend.
MOST = 4
#: Longer side of a picture on which a part is drawn.
PART_SIDE = 1024
#: Endings of pictures that Qt reads in every Krita.
FILES = "Pictures (*.png *.jpg *.jpeg *.webp *.bmp *.gif *.tif *.tiff);;All files (*)"


class Swatch(QtWidgets.QWidget):
    """A style's picture, small."""

    clicked = Signal()

    def __init__(self, side: int, parent: Any = None) -> None:
        super().__init__(parent)
        self.setFixedSize(side, side)
        self._image: Any = None
        self._symbol = "layer"

    def show_image(self, image: Any, symbol: str = "layer") -> None:
        """Show an image, or a symbol where there is none."""
        self._image, self._symbol = image, symbol
        self.update()

    def mouseReleaseEvent(self, event: Any) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(position(event)):
            self.clicked.emit()

    def paintEvent(self, event: Any) -> None:
        painter = QtGui.QPainter(self)
        shades = theme.Shades.of(self)
        thumbs.draw(painter, self.rect(), self._image, shades, theme.unit(self), self._symbol)


def symbol(style: StyleSource | None) -> str:
    """The icon of a style's kind."""
    kinds = ((FileStyle, "file"), (LayerStyle, "layer"), (WordStyle, "words"), (BlendedStyle, "blend"))
    return next((name for kind, name in kinds if isinstance(style, kind)), "layer")


class _Part(QtWidgets.QWidget):
    """One style of a blend with its weight."""

    changed = Signal(float)
    removed = Signal()

    def __init__(self, style: SingleStyle, weight: float, pictures: thumbs.Thumbnails) -> None:
        super().__init__()
        self.style_source = style
        unit = theme.unit(self)
        self._swatch = Swatch(unit * 6)
        self._swatch.show_image(pictures.image(style), symbol(style))
        name = pictures.name(style)
        self.bar = ValueBar(name, 0.05, 1.0, 0.05, percent=True)
        self.bar.setToolTip(f"How much of “{name}” is in the blend")
        self.bar.set(weight)
        self.bar.changed.connect(self.changed)
        self.bar.reset_asked.connect(lambda: self.changed.emit(0.5))
        self.remove = tool("close", f"Take “{name}” out of the blend", self.removed.emit)
        self.setLayout(row(self._swatch, self.bar, self.remove, spacing=unit))


class StyleChooser(QtWidgets.QWidget):
    """What is chosen, and everything to choose from.

    Takes and gives styles through the port only: whom they belong to (a region, or what is painted
    next) is the controller's business.
    """

    def __init__(self, port: ControllerPort, pictures: thumbs.Thumbnails, parent: Any = None) -> None:
        super().__init__(parent)
        self._port, self._pictures = port, pictures
        self._style: StyleSource | None = None
        self._parts: list[_Part] = []
        unit = theme.unit(self)
        self.swatch = Swatch(unit * 11)
        self.name = Elided()
        font = self.name.font()
        font.setBold(True)
        self.name.setFont(font)
        self.whose = Elided(dim=True)
        theme.smaller(self.whose, 0.9)
        self.from_file = tool("file", "From a picture file…", self._ask_file)
        self.from_layer = tool("layer", "From a layer of an open document…", self._ask_layer)
        self.from_words = tool("words", "In words…", self._ask_words)
        self.blending = tool("blend", "Blend up to four styles", checkable=True)
        self.blending.toggled.connect(self._set_blending)
        self.part = tool("part", "", self.open_part)
        self.clear_part = tool("close", "Take the style from the whole picture", lambda: self._set_part(None))
        self._part_dialog: Any = None
        self.swatch.clicked.connect(lambda: self.part.isEnabled() and self.open_part())
        sources = row(
            self.from_file,
            self.from_layer,
            self.from_words,
            self.blending,
            self.part,
            self.clear_part,
            None,
            spacing=0,
        )
        texts = column(spacing=0)
        for each in (self.name, self.whose):
            texts.addWidget(each)
        texts.addLayout(sources)
        head = row(self.swatch, spacing=unit * 2)
        head.addLayout(texts, 1)
        self.strength = ValueBar("Strength", percent=True)
        self.strength.setToolTip("0 % leaves the layer as it is, 100 % is the full style.")
        self.strength.changed.connect(lambda value: self._port.set_strength(value))
        self.strength.reset_asked.connect(lambda: self._port.set_strength(1.0))
        self.blend = Card()
        self._blend_rows = column(spacing=unit // 2 + 1)
        self._blend_note = Note("")
        self.blend.content.addLayout(self._blend_rows)
        self.blend.content.addWidget(self._blend_note)
        self.blend.hide()
        self.gallery = Gallery(pictures)
        self.gallery.chosen.connect(lambda id: self._take(GalleryStyle(id)))
        layout = column(self, spacing=unit + 1)
        layout.addLayout(head)
        layout.addWidget(self.strength)
        layout.addWidget(self.blend)
        layout.addWidget(self.gallery, 1)
        pictures.arrived.connect(self._repaint_pictures)

    def show_state(self, state: Snapshot) -> None:
        """Show what is chosen now."""
        picked = next((entry for entry in state.regions if entry.id == state.picked), None)
        self._style = picked.style if picked is not None else state.style
        form = state.form
        kinds = form.style_kinds if form is not None else ("pixels",)
        self.from_words.setVisible("text" in kinds)
        if picked is not None:
            number = [entry.id for entry in state.regions].index(picked.id) + 1
            self.whose.setText(f"for {picked.label or f'region {number}'}")
        elif state.regions:
            self.whose.setText("for new regions")
        elif state.document is not None and state.document.selection:
            self.whose.setText("for the selection")
        else:
            self.whose.setText("for the whole layer")
        self._show_part()
        self.name.setText(self._pictures.name(self._style) if self._style else "Choose a style")
        self.swatch.show_image(self._pictures.image(self._style), symbol(self._style))
        strength = picked.strength if picked is not None else state.strength
        if abs(self.strength.number - strength) > 1e-9:
            self.strength.set(strength)
        self.gallery.set_current(self._style.id if isinstance(self._style, GalleryStyle) else "")
        self._show_blend()

    def _repaint_pictures(self) -> None:
        self.swatch.show_image(self._pictures.image(self._style), symbol(self._style))
        self.name.setText(self._pictures.name(self._style) if self._style else "Choose a style")
        self.gallery.view.viewport().update()

    # -- taking a style ---------------------------------------------------------------------------------

    def _take(self, style: SingleStyle) -> None:
        if not self.blending.isChecked():
            self._port.set_style(style)
            return
        parts = self._blend_parts()
        if style in (part for part, _ in parts):
            return
        if len(parts) >= MOST:
            self._blend_note.setText(f"A blend has at most {MOST} styles: take one out first.")
            return
        self._port.set_style(BlendedStyle((*parts, (style, 0.5))))

    def _blend_parts(self) -> tuple[tuple[SingleStyle, float], ...]:
        if isinstance(self._style, BlendedStyle):
            return self._style.parts
        # What is mixed is mixed of whole pictures.
        return ((with_part(self._style, None), 0.5),) if self._style is not None else ()

    def _set_blending(self, on: bool) -> None:
        if not on and isinstance(self._style, BlendedStyle):
            self._port.set_style(max(self._style.parts, key=lambda part: part[1])[0])
        self._show_blend()

    def _show_blend(self) -> None:
        if isinstance(self._style, BlendedStyle) and not self.blending.isChecked():
            blocked = self.blending.blockSignals(True)
            self.blending.setChecked(True)
            self.blending.blockSignals(blocked)
        on = self.blending.isChecked()
        self.blend.setVisible(on)
        parts = self._blend_parts() if on else ()
        if [part.style_source for part in self._parts] == [style for style, _ in parts]:
            for widget, (_, weight) in zip(self._parts, parts, strict=True):
                if abs(widget.bar.number - weight) > 1e-9:
                    widget.bar.set(weight)
        else:
            self._rebuild_parts(parts)
        left = MOST - len(parts)
        more = (
            "a style"
            if len(parts) == 0
            else "another"
            if len(parts) == 1
            else "one more"
            if left == 1
            else f"up to {left} more"
        )
        self._blend_note.setText(f"Choose {more} below to add it." if left else "")
        self._blend_note.setVisible(bool(left))

    def _rebuild_parts(self, parts: tuple[tuple[SingleStyle, float], ...]) -> None:
        for old in self._parts:
            self._blend_rows.removeWidget(old)
            old.hide()
            old.deleteLater()
        self._parts = []
        for index, (style, weight) in enumerate(parts):
            widget = _Part(style, weight, self._pictures)
            widget.changed.connect(lambda value, at=index: self._weigh(at, value))
            widget.removed.connect(lambda at=index: self._take_out(at))
            self._blend_rows.addWidget(widget)
            self._parts.append(widget)

    def _weigh(self, index: int, weight: float) -> None:
        parts = list(self._blend_parts())
        parts[index] = (parts[index][0], weight)
        self._port.set_style(BlendedStyle(tuple(parts)))

    def _take_out(self, index: int) -> None:
        parts = [part for at, part in enumerate(self._blend_parts()) if at != index]
        self._port.set_style(BlendedStyle(tuple(parts)) if parts else None)

    # -- a part of its picture --------------------------------------------------------------------------

    def _show_part(self) -> None:
        style = self._style
        there = isinstance(style, (GalleryStyle, FileStyle, LayerStyle))
        chosen = style_part(style) is not None
        self.part.setEnabled(there)
        tip = (
            "From this part of the picture… (another part)"
            if chosen
            else "From a part of the picture…"
            if there
            else "A blend is made of whole pictures"
            if isinstance(style, BlendedStyle)
            else "Only a picture has parts"
        )
        self.part.setToolTip(tip)
        self.part.setAccessibleName("From a part of the picture")
        self.swatch.setToolTip(tip if there else "")
        self.swatch.setCursor(Qt.CursorShape.PointingHandCursor if there else Qt.CursorShape.ArrowCursor)
        self.clear_part.setVisible(chosen)
        if chosen:
            self.whose.setText(f"{self.whose.text()}, from a part of it")

    def open_part(self) -> Any:
        """The window in which a part of the style's picture is drawn; there is one at a time."""
        style = self._style
        if not isinstance(style, (GalleryStyle, FileStyle, LayerStyle)):
            return None
        if self._part_dialog is not None:
            self._part_dialog.close()
        dialog = PartDialog(
            self._pictures.name(style),
            style.part,
            lambda done: self._pictures.large(style, PART_SIDE, done),
            self.window(),
        )
        # To the style that it was drawn on, which may not be the chosen one any more.
        dialog.chosen.connect(lambda part: self._set_part(part, style))
        dialog.destroyed.connect(lambda _gone: self._part_gone(dialog))
        self._part_dialog = dialog
        dialog.show()
        return dialog

    def _part_gone(self, dialog: Any) -> None:
        if self._part_dialog is dialog:
            self._part_dialog = None

    def _set_part(self, part: PicturePart | None, drawn_on: SingleStyle | None = None) -> None:
        style = self._style
        if style is None or isinstance(style, BlendedStyle):
            return
        if drawn_on is None or with_part(style, None) == with_part(drawn_on, None):
            self._port.set_style(with_part(style, part))

    # -- other sources ----------------------------------------------------------------------------------

    def _ask_file(self) -> None:
        dialog = QtWidgets.QFileDialog(
            self, "Choose a picture as style", self._port.state.style_folder, FILES
        )
        dialog.setFileMode(QtWidgets.QFileDialog.FileMode.ExistingFile)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.take_file)
        # Not exec(): a loop within Krita's own event loop makes it lose its active node.
        dialog.open()

    def take_file(self, path: str) -> None:
        """Use a picture file as style."""
        if path:
            self._port.set_style_folder(os.path.dirname(path))
            self._take(FileStyle(path))

    def take_words(self, text: str) -> None:
        """Use words as style."""
        if text.strip():
            self._take(WordStyle(text.strip()[:200]))

    def _ask_layer(self) -> None:
        menu = QtWidgets.QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        document = None
        for choice in self._port.layer_choices():
            if choice.document != document:
                document = choice.document
                menu.addSection(document)
            action = menu.addAction(choice.label)
            action.triggered.connect(lambda _checked=False, style=choice.style: self._take(style))
        if menu.isEmpty():
            menu.addAction("No layer of an open document can be used").setEnabled(False)
        menu.popup(self.from_layer.mapToGlobal(QtCore.QPoint(0, self.from_layer.height())))

    def _ask_words(self) -> None:
        dialog = QtWidgets.QInputDialog(self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle("Style in words")
        dialog.setLabelText("How should it look?")
        dialog.textValueSelected.connect(self.take_words)
        dialog.open()
