"""Regions shown in colours of their own: the same ones in the list and over the picture."""

from __future__ import annotations

from typing import Any

from .qt import Qt, QtGui

#: Hues by which regions are told apart; far from each other in this order.
_HUES = (205, 28, 140, 285, 52, 340, 175, 255)


def region_colour(number: int) -> Any:
    """The colour of the region at a place of the list, counted from 0."""
    return QtGui.QColor.fromHslF(_HUES[number % len(_HUES)] / 360.0, 0.75, 0.58)


def tinted(image: Any, mask: Any, colour: Any) -> Any:
    """A picture of a layer with what a mask leaves out greyed and what it takes in a region's colour.

    :param image: the layer's thumbnail, ``None`` for none.
    :param mask: a grey image of the same shape, white where the region is; ``None`` for everything.
    """
    wide, high = (image.width(), image.height()) if image is not None and not image.isNull() else (96, 96)
    result = QtGui.QImage(wide, high, QtGui.QImage.Format.Format_ARGB32_Premultiplied)
    result.fill(Qt.GlobalColor.transparent)
    painter = QtGui.QPainter(result)
    if image is not None and not image.isNull():
        painter.setOpacity(0.4)
        painter.drawImage(0, 0, image.convertToFormat(QtGui.QImage.Format.Format_Grayscale8))
        painter.setOpacity(1.0)
    painter.end()
    layer = QtGui.QImage(result.size(), result.format())
    layer.fill(Qt.GlobalColor.transparent)
    painter = QtGui.QPainter(layer)
    if image is not None and not image.isNull():
        painter.drawImage(0, 0, image)
    wash = QtGui.QColor(colour)
    wash.setAlphaF(0.42)
    painter.fillRect(layer.rect(), wash)
    if mask is not None and not mask.isNull():
        painter.setCompositionMode(QtGui.QPainter.CompositionMode.CompositionMode_DestinationIn)
        painter.setRenderHint(QtGui.QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(layer.rect(), as_alpha(mask))
    painter.end()
    painter = QtGui.QPainter(result)
    painter.drawImage(0, 0, layer)
    painter.end()
    return result


def as_alpha(mask: Any) -> Any:
    """A grey image as one whose opacity is the grey."""
    if mask.format() == QtGui.QImage.Format.Format_Alpha8:
        return mask
    grey = mask.convertToFormat(QtGui.QImage.Format.Format_Grayscale8)
    bits = grey.constBits()
    bits.setsize(grey.bytesPerLine() * grey.height())
    alpha = QtGui.QImage(
        bytes(bits), grey.width(), grey.height(), grey.bytesPerLine(), QtGui.QImage.Format.Format_Alpha8
    )
    return alpha.copy()
