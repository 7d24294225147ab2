"""A picture to point at: zoomed, moved, with a mask in colour and a moving line around it."""

from __future__ import annotations

from typing import Any

from scumble.shared.messages import MaskBuffer

from ..qt import Qt, QtCore, QtGui, QtWidgets, Signal, position
from . import theme, thumbs
from .mask_pictures import edge_of, mask_image, painting_on

_MODE = QtGui.QPainter.CompositionMode
_ARGB = QtGui.QImage.Format.Format_ARGB32_Premultiplied
#: Between two positions of the moving line, and length of its dashes on the screen.
_STEP_MS, _DASH = 120, 4
#: Largest magnification: dots of the screen for each pixel.
_MOST = 12.0


class PictureView(QtWidgets.QWidget):
    """See the module.  Places are pixels of the picture; (0, 0) is its upper left corner.

    The wheel zooms at the pointer, the middle button moves the picture.
    """

    resized = Signal()

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.picture: Any = None
        self._mask: Any = None
        self._colour = QtGui.QColor(60, 150, 230)
        #: How strongly a mask is coloured, and the rest darkened, 0 to 1.
        self.wash, self.shade = 0.36, 0.41
        self._faint = False
        self._zoom = 1.0
        self._centre = QtCore.QPointF()
        self._grip: Any = None
        self._layers: tuple[Any, Any, Any] | None = None
        self._phase = 0
        self._marching = QtCore.QTimer(self)
        self._marching.setInterval(_STEP_MS)
        self._marching.timeout.connect(self._march)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        policy = QtWidgets.QSizePolicy.Policy
        self.setSizePolicy(policy.Expanding, policy.Expanding)

    # -- what is shown ----------------------------------------------------------------------------------

    def set_picture(self, picture: Any) -> None:
        """Show a ``QImage``, ``None`` for none; zoom and mask go."""
        self.picture = picture
        self._mask = None
        self.fit()

    def set_mask(
        self, mask: MaskBuffer | None, colour: Any = None, *, faint: bool = False, stretched: bool = False
    ) -> None:
        """Show a mask over the picture.

        :param faint: that it is not the last word: no moving line.
        :param stretched: that it covers the whole picture, whatever its own size.
        """
        if self.picture is None:
            return
        size = self.picture.size() if mask is None or not stretched else QtCore.QSize(mask.width, mask.height)
        self._mask = None if mask is None else mask_image(mask, size.width(), size.height())
        self._faint = faint
        if colour is not None:
            self._colour = QtGui.QColor(colour)
        self._changed()

    @property
    def has_mask(self) -> bool:
        """Whether a mask is shown."""
        return self._mask is not None

    def fit(self) -> None:
        """The whole picture, as large as there is room."""
        self._zoom = 1.0
        if self.picture is not None:
            self._centre = QtCore.QPointF(self.picture.width() / 2, self.picture.height() / 2)
        self._changed()

    @property
    def scale(self) -> float:
        """Points of the widget for each pixel of the picture."""
        if self.picture is None or self.picture.isNull():
            return 1.0
        across, down = self.width() / self.picture.width(), self.height() / self.picture.height()
        return float(max(1e-3, min(across, down)) * self._zoom)

    @property
    def place(self) -> Any:
        """Where the picture lies on the widget, as a ``QRectF``; parts may be out of sight."""
        scale = self.scale
        left = self.width() / 2 - self._centre.x() * scale
        top = self.height() / 2 - self._centre.y() * scale
        return QtCore.QRectF(left, top, self.picture.width() * scale, self.picture.height() * scale)

    def to_picture(self, point: Any) -> tuple[float, float]:
        """A place of the widget on the picture; may be outside of it."""
        place, scale = self.place, self.scale
        return (point.x() - place.left()) / scale, (point.y() - place.top()) / scale

    def from_picture(self, x: float, y: float) -> Any:
        """A place of the picture on the widget, as a ``QPointF``."""
        place, scale = self.place, self.scale
        return QtCore.QPointF(place.left() + x * scale, place.top() + y * scale)

    def inside(self, x: float, y: float) -> bool:
        """Whether a place is on the picture."""
        return self.picture is not None and 0 <= x < self.picture.width() and 0 <= y < self.picture.height()

    def zoom_at(self, point: Any, factor: float) -> None:
        """Enlarge, and keep what is under a point of the widget there."""
        if self.picture is None:
            return
        x, y = self.to_picture(point)
        most = max(1.0, _MOST * self._zoom / self.scale)
        self._zoom = min(max(1.0, self._zoom * factor), most)
        scale = self.scale
        self._centre = QtCore.QPointF(
            x - (point.x() - self.width() / 2) / scale, y - (point.y() - self.height() / 2) / scale
        )
        self._hold()
        self._changed()

    def _hold(self) -> None:
        """Do not let the picture slip out of sight."""
        for axis, (whole, seen) in enumerate(
            ((self.picture.width(), self.width()), (self.picture.height(), self.height()))
        ):
            half = min(whole / 2, seen / 2 / self.scale)
            value = min(max((self._centre.x(), self._centre.y())[axis], half), whole - half)
            (self._centre.setX, self._centre.setY)[axis](value)

    def _changed(self) -> None:
        self._layers = None
        moving = self._mask is not None and not self._faint
        if moving and self.isVisible():
            self._marching.start()
        elif not moving:
            self._marching.stop()
        self.update()

    def _march(self) -> None:
        self._phase = (self._phase + 1) % (2 * _DASH)
        self.update()

    # -- Qt's ---------------------------------------------------------------------------------------------

    def sizeHint(self) -> Any:
        unit = theme.unit(self)
        return QtCore.QSize(unit * 120, unit * 90)

    def minimumSizeHint(self) -> Any:
        unit = theme.unit(self)
        return QtCore.QSize(unit * 40, unit * 36)

    def showEvent(self, event: Any) -> None:
        super().showEvent(event)
        self._changed()

    def hideEvent(self, event: Any) -> None:
        super().hideEvent(event)
        self._marching.stop()

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        if self.picture is not None:
            self._hold()
        self._changed()
        self.resized.emit()

    def wheelEvent(self, event: Any) -> None:
        steps = event.angleDelta().y() / 120
        if self.picture is not None and steps:
            self.zoom_at(position(event), 1.25**steps)
        event.accept()

    def mousePressEvent(self, event: Any) -> None:
        if event.button() == Qt.MouseButton.MiddleButton:
            self._grip = position(event)

    def mouseMoveEvent(self, event: Any) -> None:
        if self._grip is not None and self.picture is not None:
            moved, scale = position(event) - self._grip, self.scale
            self._grip = position(event)
            self._centre -= QtCore.QPointF(moved) / scale
            self._hold()
            self._changed()

    def mouseReleaseEvent(self, event: Any) -> None:
        if event.button() == Qt.MouseButton.MiddleButton:
            self._grip = None

    def paintEvent(self, event: Any) -> None:
        with painting_on(self) as painter:
            shades = theme.Shades.of(self)
            painter.fillRect(self.rect(), theme.mix(shades.window, QtGui.QColor(0, 0, 0), 0.25))
            if self.picture is None or self.picture.isNull():
                self.paint_nothing(painter, shades)
                return
            place = self.place
            if self.picture.hasAlphaChannel():
                thumbs.checkers(painter, place.intersected(QtCore.QRectF(self.rect())), shades)
            painter.setRenderHint(QtGui.QPainter.RenderHint.SmoothPixmapTransform, self.scale < 4)
            painter.drawImage(place, self.picture)
            if self._mask is not None:
                self._paint_mask(painter)
            self.paint_over(painter, shades)
            if self.hasFocus():
                painter.setPen(QtGui.QPen(shades.accent, 1))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def paint_nothing(self, painter: Any, shades: theme.Shades) -> None:
        """What to draw without a picture."""

    def paint_over(self, painter: Any, shades: theme.Shades) -> None:
        """What to draw over picture and mask."""

    def _paint_mask(self, painter: Any) -> None:
        if self._layers is None:
            self._layers = self._mask_layers()
        shade, wash, edge = self._layers
        painter.drawImage(0, 0, shade)
        painter.drawImage(0, 0, wash)
        if self._faint:
            painter.setOpacity(0.5)
            painter.drawImage(0, 0, edge)
            painter.setOpacity(1.0)
            return
        ants = QtGui.QImage(edge.size(), _ARGB)
        ants.setDevicePixelRatio(edge.devicePixelRatio())
        with painting_on(ants) as painting:
            painting.setCompositionMode(_MODE.CompositionMode_Source)
            painting.setBrushOrigin(self._phase, 0)
            painting.fillRect(self.rect(), QtGui.QBrush(_stripes()))
            painting.setCompositionMode(_MODE.CompositionMode_DestinationIn)
            painting.drawImage(0, 0, edge)
        painter.drawImage(0, 0, ants)

    def _mask_layers(self) -> tuple[Any, Any, Any]:
        """What darkens the outside, what colours the inside, and the line between them."""
        dots = self.devicePixelRatioF()
        size = QtCore.QSize(max(1, round(self.width() * dots)), max(1, round(self.height() * dots)))

        def blank() -> Any:
            image = QtGui.QImage(size, _ARGB)
            image.setDevicePixelRatio(dots)
            image.fill(Qt.GlobalColor.transparent)
            return image

        cover, place = blank(), self.place
        with painting_on(cover) as painting:
            painting.setRenderHint(QtGui.QPainter.RenderHint.SmoothPixmapTransform)
            painting.drawImage(place, self._mask)
        shade, wash, faint = blank(), cover.copy(), 0.6 if self._faint else 1.0
        with painting_on(shade) as painting:
            painting.fillRect(place, QtGui.QColor(0, 0, 0, round(255 * self.shade * faint)))
            painting.setCompositionMode(_MODE.CompositionMode_DestinationOut)
            painting.drawImage(0, 0, cover)
        with painting_on(wash) as painting:
            colour = QtGui.QColor(self._colour)
            colour.setAlphaF(self.wash * faint)
            painting.setCompositionMode(_MODE.CompositionMode_SourceIn)
            painting.fillRect(self.rect(), colour)
        edge = edge_of(cover)
        edge.setDevicePixelRatio(dots)
        return shade, wash, edge


_STRIPES: list[Any] = []


def _stripes() -> Any:
    """Black and white, aslant: cut to a line they are dashes, whichever way it runs."""
    if not _STRIPES:
        side = 2 * _DASH
        image = QtGui.QImage(side, side, QtGui.QImage.Format.Format_RGB32)
        for y in range(side):
            for x in range(side):
                light = (x + y) % side < _DASH
                image.setPixel(x, y, QtGui.qRgb(255, 255, 255) if light else QtGui.qRgb(0, 0, 0))
        _STRIPES.append(image)
    return _STRIPES[0]
