"""Small pictures: of styles, of files (read in a thread of their own), of regions, of results."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from scumble.plugin.common.picture_part import PicturePart, part_mask
from scumble.plugin.common.sources import (
    BlendedStyle,
    FileStyle,
    GalleryStyle,
    LayerStyle,
    SingleStyle,
    StyleSource,
    style_name,
    style_part,
    with_part,
)
from scumble.shared.messages import MaskBuffer

from ..interface import StyleCard
from ..qt import Qt, QtCore, QtGui, Signal
from . import theme
from .mask_pictures import edge_of, mask_image

#: Longest side of a picture that is kept, and how many of files are.
SIDE, _KEPT = 192, 64


class _Reading(QtCore.QRunnable):
    """Reads a picture file, scaled down while it is read where the format can do that."""

    def __init__(self, path: str, done: Any, side: int = SIDE) -> None:
        super().__init__()
        self._path, self._done, self._side = path, done, side

    def run(self) -> None:
        image = QtGui.QImage()
        try:
            reader = QtGui.QImageReader(self._path)
            reader.setAutoTransform(True)
            size = reader.size()
            if size.isValid() and max(size.width(), size.height()) > self._side:
                reader.setScaledSize(size.scaled(self._side, self._side, Qt.AspectRatioMode.KeepAspectRatio))
            image = reader.read()
        finally:
            try:
                self._done.emit(self._path, image)
            except RuntimeError:
                pass  # the docker was closed meanwhile


class _Reader(QtCore.QObject):
    """Whom a picture is handed that was read in another thread."""

    read = Signal(str, object)


class Thumbnails(QtCore.QObject):
    """Pictures of styles, by source.  ``arrived`` says that one more can be had.

    :param layer_image: makes the picture of another layer, at most so many pixels a side; ``None`` if it
        is gone; asked rarely.
    :param gallery_image: hands over the picture of a style of the gallery, now or later, by its id.
    """

    arrived = Signal()
    _read = Signal(str, object)

    def __init__(
        self,
        layer_image: Callable[[LayerStyle, int], Any] | None = None,
        parent: Any = None,
        gallery_image: Callable[[str, int, Callable[[Any], None]], None] | None = None,
    ) -> None:
        super().__init__(parent)
        self._layer_image, self._gallery_image = layer_image, gallery_image
        self._gallery: dict[str, StyleCard] = {}
        self._decoded: dict[bytes, Any] = {}
        self._kept: OrderedDict[Any, Any] = OrderedDict()
        self._parts: OrderedDict[Any, tuple[Any, Any]] = OrderedDict()
        self._asked: set[str] = set()
        self._read.connect(self._take)

    def set_gallery(self, cards: tuple[StyleCard, ...]) -> None:
        """The styles that the backend has."""
        self._gallery = {card.id: card for card in cards}
        kept = {card.thumbnail for card in cards}
        self._decoded = {data: image for data, image in self._decoded.items() if data in kept}
        self.arrived.emit()

    def of_card(self, card: StyleCard) -> Any:
        """The thumbnail of a style of the gallery; a null image if there is none."""
        if card.thumbnail not in self._decoded:
            image = QtGui.QImage()
            image.loadFromData(card.thumbnail)
            self._decoded[card.thumbnail] = image
        return self._decoded[card.thumbnail]

    def name(self, style: StyleSource | None) -> str:
        """What to call a style: the gallery's own names where it is from there."""
        if isinstance(style, GalleryStyle) and style.id in self._gallery:
            return self._gallery[style.id].name
        if isinstance(style, BlendedStyle):
            return " + ".join(self.name(part) for part, _ in style.parts)
        return style_name(style)

    def image(self, style: StyleSource | None) -> Any:
        """Its picture, square or not; ``None`` while (or if) there is none."""
        if style is None:
            return None
        part = style_part(style)
        if part is not None and not isinstance(style, BlendedStyle):
            return self._of_part(style, part)
        if isinstance(style, GalleryStyle):
            card = self._gallery.get(style.id)
            image = self.of_card(card) if card is not None else None
            return None if image is None or image.isNull() else image
        if isinstance(style, BlendedStyle):
            return self._blend(style)
        if style in self._kept:
            return self._kept[style]
        if isinstance(style, LayerStyle) and self._layer_image is not None:
            return self._keep(style, self._layer_image(style, 128))
        if isinstance(style, FileStyle) and style.path not in self._asked:
            self._asked.add(style.path)
            QtCore.QThreadPool.globalInstance().start(_Reading(style.path, self._read))
        return None

    def large(self, style: SingleStyle, side: int, done: Callable[[Any], None]) -> None:
        """A style's picture to draw on, handed over now or, of a file, when it was read; ``None`` if there
        is none.  One of the gallery comes twice: its thumbnail now, and the picture when it is there.
        Parts of it do not matter.

        :param side: its longer side, at most.
        """
        style = with_part(style, None)
        if not isinstance(style, FileStyle):
            own = self._layer_image
            big = own(style, side) if isinstance(style, LayerStyle) and own is not None else None
            done(self.image(style) if big is None else big)
            if isinstance(style, GalleryStyle) and self._gallery_image is not None:

                def better(image: Any) -> None:
                    if image is not None:
                        done(image)

                self._gallery_image(style.id, side, better)
            return
        reader = _Reader(self)
        reader.read.connect(lambda _path, image: done(None if image.isNull() else image))
        reader.read.connect(reader.deleteLater)
        QtCore.QThreadPool.globalInstance().start(_Reading(style.path, reader.read, side))

    def _of_part(self, style: SingleStyle, part: PicturePart) -> Any:
        """Its picture with the part in its colours, framed, and the rest dimmed."""
        whole = self.image(with_part(style, None))
        known = self._parts.get(style)
        if whole is None or (known is not None and known[0] is whole):
            return None if whole is None or known is None else known[1]
        image = with_part_shown(whole, part_mask(part))
        self._parts[style] = (whole, image)
        while len(self._parts) > _KEPT:
            self._parts.popitem(last=False)
        return image

    def forget_layers(self) -> None:
        """Layers may have been painted on: make their pictures anew when they are asked for."""
        for key in [key for key in self._kept if isinstance(key, LayerStyle)]:
            del self._kept[key]

    def _take(self, path: str, image: Any) -> None:
        self._keep(FileStyle(path), None if image.isNull() else image)
        self._asked.discard(path)
        self.arrived.emit()

    def _keep(self, style: Any, image: Any) -> Any:
        self._kept[style] = image
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return image

    def _blend(self, style: BlendedStyle) -> Any:
        """The parts side by side, as wide as they weigh."""
        image = QtGui.QImage(96, 96, QtGui.QImage.Format.Format_ARGB32_Premultiplied)
        image.fill(Qt.GlobalColor.transparent)
        painter = QtGui.QPainter(image)
        total, left = sum(weight for _, weight in style.parts), 0.0
        for part, weight in style.parts:
            wide = 96 * weight / total
            own = self.image(part)
            if own is not None:
                painter.save()
                painter.setClipRect(QtCore.QRectF(left, 0, wide, 96))
                cover(painter, own, QtCore.QRectF(0, 0, 96, 96))
                painter.restore()
            left += wide
        painter.end()
        return image


def with_part_shown(image: Any, mask: MaskBuffer) -> Any:
    """A picture with a part of it as it is, framed, and the rest dimmed.

    :param mask: the part, stretched over the whole picture.
    """
    fine = image.convertToFormat(QtGui.QImage.Format.Format_ARGB32_Premultiplied)
    if max(fine.width(), fine.height()) < SIDE:
        fine = fine.scaled(
            SIDE, SIDE, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        )
    cover = mask_image(mask, mask.width, mask.height).scaled(
        fine.size(), Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
    )
    mode = QtGui.QPainter.CompositionMode
    shade = QtGui.QImage(fine.size(), fine.format())
    shade.fill(QtGui.QColor(0, 0, 0, 165))
    painter = QtGui.QPainter(shade)
    painter.setCompositionMode(mode.CompositionMode_DestinationOut)
    painter.drawImage(0, 0, cover)
    painter.end()
    line = edge_of(cover)
    painter = QtGui.QPainter(line)
    painter.setCompositionMode(mode.CompositionMode_SourceIn)
    painter.fillRect(line.rect(), QtGui.QColor(255, 255, 255))
    painter.end()
    painter = QtGui.QPainter(fine)
    painter.drawImage(0, 0, shade)
    for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):  # thick enough to be seen when it is small
        painter.drawImage(dx, dy, line)
    painter.end()
    return fine


def cover(painter: Any, image: Any, box: Any) -> None:
    """An image that fills a rectangle; what is too long on one side is cut off."""
    box = QtCore.QRectF(box)
    if image is None or image.isNull() or box.isEmpty():
        return
    scale = max(box.width() / image.width(), box.height() / image.height())
    wide, high = box.width() / scale, box.height() / scale
    part = QtCore.QRectF((image.width() - wide) / 2, (image.height() - high) / 2, wide, high)
    painter.setRenderHint(QtGui.QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawImage(box, image, part)


def draw(painter: Any, box: Any, image: Any, shades: theme.Shades, radius: float, symbol: str = "") -> None:
    """A picture with rounded corners; a symbol on a plain ground where there is none."""
    box = QtCore.QRectF(box)
    painter.save()
    path = QtGui.QPainterPath()
    path.addRoundedRect(box, radius, radius)
    painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
    if image is None or image.isNull():
        painter.fillPath(path, theme.mix(shades.window, shades.text, 0.10))
        if symbol:
            side = min(box.width(), box.height()) * 0.5
            inner = QtCore.QRectF(0, 0, side, side)
            inner.moveCenter(box.center())
            theme.draw_icon(painter, symbol, inner, shades.dim)
    else:
        painter.setClipPath(path)
        cover(painter, image, box)
    painter.restore()


def checkers(painter: Any, box: Any, shades: theme.Shades, side: int = 5) -> None:
    """The pattern that stands for transparency."""
    box = QtCore.QRectF(box)
    painter.fillRect(box, theme.mix(shades.window, shades.text, 0.12))
    other = theme.mix(shades.window, shades.text, 0.22)
    painter.save()
    painter.setClipRect(box)
    for down in range(int(box.height() // side) + 1):
        for across in range(down % 2, int(box.width() // side) + 1, 2):
            painter.fillRect(
                QtCore.QRectF(box.left() + across * side, box.top() + down * side, side, side), other
            )
    painter.restore()
