"""A long job's picture while it grows: small, as wide as the dock allows, in its own proportions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scumble.shared.messages import StylizeResult

from ..qt import Qt, QtCore, QtGui, QtWidgets
from . import theme, thumbs

#: Height at most and at least, in units of the font: a dock may be low.
_HIGH, _LOW = 34, 10


def image_of(preview: StylizeResult) -> Any:
    """Its pixels as a ``QImage``; ``None`` if they are not the 8-bit RGBA that previews are."""
    pixels = preview.layer
    if (pixels.layout, pixels.dtype) != ("rgba", "u8"):
        return None
    kind = QtGui.QImage.Format.Format_RGBA8888
    # The copy, because Qt does not keep the bytes alive.
    return QtGui.QImage(
        bytes(pixels.data), pixels.width, pixels.height, pixels.width * pixels.pixel_bytes, kind
    ).copy()


def proportion(preview: StylizeResult) -> float:
    """Height by width of what it covers.

    Of the box and not of the pixels: sizes of coarse and fine previews are rounded differently, and the
    picture would jump by a pixel from one to the next.
    """
    box: Any = preview.report.get("box")
    sides = tuple(box[2:]) if isinstance(box, Sequence) and len(box) == 4 else ()
    if len(sides) == 2 and all(type(side) is int and side > 0 for side in sides):
        return float(sides[1] / sides[0])
    return preview.layer.height / preview.layer.width


class Growing(QtWidgets.QWidget):
    """Shows previews one after the other in the same place."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.preview: StylizeResult | None = None
        self._image: Any = None
        self._drawn: Any = None
        self._ratio = 1.0
        policy = QtWidgets.QSizePolicy.Policy
        self.setSizePolicy(policy.Ignored, policy.Maximum)
        self.setAccessibleName("The result so far")
        self.setToolTip("The result so far: rough at first, finer with each step.")

    def show_preview(self, preview: StylizeResult | None) -> None:
        """Show another one, ``None`` for none; the same one again changes nothing."""
        if preview is self.preview:
            return
        self.preview, self._drawn = preview, None
        self._image = image_of(preview) if preview is not None else None
        if preview is not None and self._image is not None:
            ratio = proportion(preview)
            if ratio != self._ratio:
                self._ratio = ratio
                self.updateGeometry()
        self.setVisible(self._image is not None)
        self.update()

    @property
    def box(self) -> Any:
        """Where the picture is drawn: as large as fits, in its proportions, in the middle."""
        wide, high = float(self.width()), float(self.height())
        wide, high = min(wide, high / self._ratio), min(high, wide * self._ratio)
        wide, high = max(1.0, round(wide)), max(1.0, round(high))
        return QtCore.QRectF((self.width() - wide) // 2, (self.height() - high) // 2, wide, high)

    def sizeHint(self) -> Any:
        unit = theme.unit(self)
        high = min(max(round(self.width() * self._ratio), unit * _LOW), unit * _HIGH)
        return QtCore.QSize(unit * 40, high)

    def minimumSizeHint(self) -> Any:
        return QtCore.QSize(40, theme.unit(self) * _LOW)

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.updateGeometry()  # the height that it would like follows from its width

    def paintEvent(self, event: Any) -> None:
        if self._image is None:
            return
        box, dots = self.box, self.devicePixelRatioF()
        size = QtCore.QSize(max(1, round(box.width() * dots)), max(1, round(box.height() * dots)))
        if self._drawn is None or self._drawn.size() != size:
            # Once for each preview; progress repaints what is around it far more often.
            self._drawn = self._image.scaled(
                size,
                Qt.AspectRatioMode.IgnoreAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
        painter = QtGui.QPainter(self)
        thumbs.checkers(painter, box, theme.Shades.of(self))
        painter.drawImage(box, self._drawn)
