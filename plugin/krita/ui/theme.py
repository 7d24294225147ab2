"""Colours, sizes and icons, all taken from the palette and the font that Krita gives its widgets.

No colour is fixed: a theme's own window and text colours are mixed, so that dark, light and high-contrast
themes all look as if the docker were made for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..qt import Qt, QtCore, QtGui, QtWidgets

_ROLE = QtGui.QPalette.ColorRole
_GROUP = QtGui.QPalette.ColorGroup
#: Hues, in degrees, of what is not a theme's business: trouble, waiting, ready.
_TROUBLE, _WAITING, _READY = 4, 38, 145


def mix(one: Any, other: Any, part: float) -> Any:
    """A colour between two: ``one`` at 0, ``other`` at 1."""
    a, b = QtGui.QColor(one).getRgbF(), QtGui.QColor(other).getRgbF()
    return QtGui.QColor.fromRgbF(*(x + (y - x) * part for x, y in zip(a, b, strict=True)))


@dataclass(frozen=True)
class Shades:
    """A theme's colours by what they are for."""

    window: Any
    text: Any
    dim: Any
    line: Any
    field: Any
    raised: Any
    hover: Any
    accent: Any
    accent_text: Any
    trouble: Any
    waiting: Any
    ready: Any

    @classmethod
    def of(cls, widget: Any) -> Shades:
        """Those of a widget as it is drawn now."""
        palette = widget.palette()
        group = _GROUP.Active if widget.isEnabled() else _GROUP.Disabled
        window, text = palette.color(group, _ROLE.Window), palette.color(group, _ROLE.WindowText)
        dark = window.lightnessF() < 0.5
        return cls(
            window=window,
            text=text,
            dim=mix(text, window, 0.38),
            line=mix(window, text, 0.16),
            field=mix(window, text, 0.055) if dark else mix(window, palette.color(group, _ROLE.Base), 0.7),
            raised=mix(window, text, 0.10),
            hover=mix(window, text, 0.16),
            accent=palette.color(group, _ROLE.Highlight),
            accent_text=palette.color(group, _ROLE.HighlightedText),
            trouble=_hue(_TROUBLE, dark),
            waiting=_hue(_WAITING, dark),
            ready=_hue(_READY, dark),
        )


def _hue(hue: int, dark: bool) -> Any:
    return QtGui.QColor.fromHslF(hue / 360.0, 0.60, 0.62 if dark else 0.40)


def unit(widget: Any) -> int:
    """The distance that all others are multiples of: 4 px at the usual font size."""
    return max(3, round(widget.fontMetrics().height() / 4.2))


def smaller(widget: Any, factor: float = 0.9, bold: bool = False) -> Any:
    """A widget's font, smaller; the widget gets it."""
    font = QtGui.QFont(widget.font())
    if font.pointSizeF() > 0:
        font.setPointSizeF(max(6.0, font.pointSizeF() * factor))
    else:
        font.setPixelSize(max(8, round(font.pixelSize() * factor)))
    font.setBold(bold)
    widget.setFont(font)
    return font


def rounded(painter: Any, rect: Any, radius: float, fill: Any = None, line: Any = None) -> None:
    """A rounded rectangle whose line is as sharp as the screen can draw it."""
    painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
    painter.setPen(QtGui.QPen(line, 1) if line is not None else Qt.PenStyle.NoPen)
    painter.setBrush(fill if fill is not None else Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(QtCore.QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)


# Paths in a square of 24: M move, L line, C curve, Z close, O circle (x y r), R rounded rectangle
# (x y w h r), F fill from here on.
_ICONS = {
    "add": "M 12 5 L 12 19 M 5 12 L 19 12",
    "remove": "M 5 7 L 19 7 M 9 7 L 9 4.5 L 15 4.5 L 15 7 M 7 7 L 8 20 L 16 20 L 17 7 M 10.5 11 L 10.8 16.5"
    " M 13.5 11 L 13.2 16.5",
    "up": "M 6 14.5 L 12 8.5 L 18 14.5",
    "down": "M 6 9.5 L 12 15.5 L 18 9.5",
    "right": "M 9.5 6 L 15.5 12 L 9.5 18",
    "copy": "R 8 8 12 12 2 M 16 8 L 16 5.5 C 16 4.5 15.5 4 14.5 4 L 5.5 4 C 4.5 4 4 4.5 4 5.5 L 4 14.5"
    " C 4 15.5 4.5 16 5.5 16 L 8 16",
    "close": "M 6.5 6.5 L 17.5 17.5 M 17.5 6.5 L 6.5 17.5",
    "check": "M 5 12.5 L 10 17.5 L 19.5 7",
    "search": "O 10.5 10.5 5.5 M 14.7 14.7 L 19.5 19.5",
    "file": "M 3.5 7 L 3.5 18 C 3.5 19 4 19.5 5 19.5 L 19 19.5 C 20 19.5 20.5 19 20.5 18 L 20.5 9"
    " C 20.5 8 20 7.5 19 7.5 L 12 7.5 L 10 5 L 5 5 C 4 5 3.5 5.7 3.5 7 Z",
    "layer": "M 12 4 L 21 9 L 12 14 L 3 9 Z M 4 13.5 L 12 18 L 20 13.5",
    "blend": "O 9 10 5.5 O 15 14 5.5",
    "words": "M 5 6 L 19 6 M 5 10.5 L 19 10.5 M 5 15 L 14 15",
    "reset": "M 6 8.5 C 7.5 6 9.5 5 12 5 C 16 5 19 8 19 12 C 19 16 16 19 12 19 C 9 19 6.5 17.3 5.5 14.7"
    " M 5.5 4.5 L 5.8 9 L 10.2 8.6",
    "settings": "M 4 7 L 9 7 M 13 7 L 20 7 O 11 7 2 M 4 17 L 11 17 M 15 17 L 20 17 O 13 17 2",
    "log": "R 5 4 14 16 2 M 8.5 9 L 15.5 9 M 8.5 12.5 L 15.5 12.5 M 8.5 16 L 12.5 16",
    "reconnect": "M 5 11 C 5.5 7.5 8.5 5 12 5 C 14.5 5 16.5 6 18 8 M 18.5 4 L 18.3 8.3 L 14 8 M 19 13"
    " C 18.5 16.5 15.5 19 12 19 C 9.5 19 7.5 18 6 16 M 5.5 20 L 5.7 15.7 L 10 16",
    "selection": "M 4 8 L 4 5.5 C 4 4.5 4.5 4 5.5 4 L 8 4 M 11 4 L 13 4 M 16 4 L 18.5 4 C 19.5 4 20 4.5 20"
    " 5.5 L 20 8 M 20 11 L 20 13 M 20 16 L 20 18.5 C 20 19.5 19.5 20 18.5 20 L 16 20 M 13 20 L 11 20 M 8 20"
    " L 5.5 20 C 4.5 20 4 19.5 4 18.5 L 4 16 M 4 13 L 4 11",
    "eye": "M 3 12 C 6 7.5 9 6 12 6 C 15 6 18 7.5 21 12 C 18 16.5 15 18 12 18 C 9 18 6 16.5 3 12 Z O 12 12"
    " 2.6",
    "compare": "R 4 5 16 14 2 M 12 5 L 12 19 F M 12 6 L 18 6 C 18.7 6 19 6.3 19 7 L 19 17 C 19 17.7 18.7 18"
    " 18 18 L 12 18 Z",
    "again": "M 5 12 L 15 12 M 11 7.5 L 15.5 12 L 11 16.5 M 19 5 L 19 19",
    "sliders": "M 7 4 L 7 11 M 7 15 L 7 20 O 7 13 2 M 17 4 L 17 7 M 17 11 L 17 20 O 17 9 2",
    "more": "F O 6 12 1.6 O 12 12 1.6 O 18 12 1.6",
    "trouble": "M 12 4.5 L 21 19.5 L 3 19.5 Z M 12 10 L 12 14.5 F O 12 17 1",
    "dice": "R 4.5 4.5 15 15 3 F O 9 9 1.3 O 15 15 1.3 O 15 9 1.3 O 9 15 1.3",
    "pick": "M 4.5 19.5 L 13.5 10.5 M 17 3 L 17 5.2 M 17 8.8 L 17 11 M 13 7 L 15.2 7 M 18.8 7 L 21 7 M 14.4"
    " 4.4 L 15 5 M 19 9 L 19.6 9.6 M 19.6 4.4 L 19 5",
    "subject": "O 12 8 3.6 M 4.5 20 C 4.5 15.5 8 13.8 12 13.8 C 16 13.8 19.5 15.5 19.5 20",
    "regions": "R 4 4 16 16 2 M 4 13.5 C 8 9 13 16.5 20 11 M 12.5 4 C 11 7.5 12.2 10 12 12.8",
    "undo": "M 5 9.5 L 14 9.5 C 17.5 9.5 19.5 11.5 19.5 14.3 C 19.5 17.2 17.5 19 14 19 L 9 19 M 9 5 L 4.5 9.5"
    " L 9 14",
    "fit": "M 4 9 L 4 4 L 9 4 M 15 4 L 20 4 L 20 9 M 20 15 L 20 20 L 15 20 M 9 20 L 4 20 L 4 15",
    "part": "M 7 3 L 7 17 L 21 17 M 3 7 L 17 7 L 17 21",
    "rectangle": "R 4 6 16 12 1",
    "lasso": "M 12 5 C 17 5 20.5 7.2 20.5 10.2 C 20.5 13.2 17 15.4 12 15.4 C 7 15.4 3.5 13.2 3.5 10.2 C 3.5"
    " 7.2 7 5 12 5 M 7.2 14.4 C 5.6 15.4 5.4 17.2 7.2 17.7 C 9 18.1 9 19.8 7.4 20.5",
    "pairs": "O 6.3 12 3.3 O 17.7 12 3.3 M 9.6 12 L 14.4 12",
    "merge": "M 5 4.5 C 5 10 12 9 12 14 L 12 20 M 19 4.5 C 19 10 12 9 12 14",
    "split": "M 12 4 L 12 9.5 C 12 14 5 13 5 19.5 M 12 9.5 C 12 14 19 13 19 19.5",
    "frames": "R 3.5 5 17 14 2 M 8 5 L 8 19 M 16 5 L 16 19 M 3.5 9.6 L 8 9.6 M 3.5 14.4 L 8 14.4 M 16 9.6"
    " L 20.5 9.6 M 16 14.4 L 20.5 14.4",
}


class _Engine(QtGui.QIconEngine):
    """Draws an icon in the colour that text has when it is drawn: a change of theme needs no new icon."""

    def __init__(self, name: str, role: Any) -> None:
        super().__init__()
        self._name, self._role = name, role

    def clone(self) -> Any:
        return _Engine(self._name, self._role)

    def pixmap(self, size: Any, mode: Any, state: Any) -> Any:
        image = QtGui.QPixmap(size)
        image.fill(Qt.GlobalColor.transparent)
        painter = QtGui.QPainter(image)
        self.paint(painter, QtCore.QRect(QtCore.QPoint(0, 0), size), mode, state)
        painter.end()
        return image

    def paint(self, painter: Any, rect: Any, mode: Any, state: Any) -> None:
        palette = QtWidgets.QApplication.palette()
        disabled = mode == QtGui.QIcon.Mode.Disabled
        colour = QtGui.QColor(palette.color(_GROUP.Active, self._role))
        colour.setAlphaF(0.32 if disabled else 0.92)
        draw_icon(painter, self._name, rect, colour)


def draw_icon(painter: Any, name: str, rect: Any, colour: Any) -> None:
    """An icon of this module in the middle of a rectangle."""
    box = QtCore.QRectF(rect)
    side = min(box.width(), box.height())
    painter.save()
    painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
    painter.translate(box.center().x() - side / 2, box.center().y() - side / 2)
    painter.scale(side / 24.0, side / 24.0)
    pen = QtGui.QPen(colour, 1.7, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
    for path, filled in _paths(_ICONS[name]):
        painter.setPen(Qt.PenStyle.NoPen if filled else pen)
        painter.setBrush(colour if filled else Qt.BrushStyle.NoBrush)
        painter.drawPath(path)
    painter.restore()


def _paths(text: str) -> list[tuple[Any, bool]]:
    line, solid = QtGui.QPainterPath(), QtGui.QPainterPath()
    path, words = line, iter(text.split())
    for word in words:
        if word == "F":
            path = solid
        elif word == "Z":
            path.closeSubpath()
        else:
            x, y, *more = (float(next(words)) for _ in range({"C": 6, "O": 3, "R": 5}.get(word, 2)))
            if word == "M":
                path.moveTo(x, y)
            elif word == "L":
                path.lineTo(x, y)
            elif word == "C":
                path.cubicTo(x, y, *more)
            elif word == "O":
                path.addEllipse(QtCore.QPointF(x, y), more[0], more[0])
            else:
                path.addRoundedRect(QtCore.QRectF(x, y, more[0], more[1]), more[2], more[2])
    return [(line, False), (solid, True)]


def icon(name: str, role: Any = _ROLE.WindowText) -> Any:
    """An icon by name, in the colour of a role of the palette."""
    return QtGui.QIcon(_Engine(name, role))
