"""A layer as a small picture, and a mask of that picture in the document's pixels again.

Read and drawn in strips, each a piece of work for one turn of the event loop (:mod:`..turns`).
"""

from __future__ import annotations

import math
from typing import Any

from scumble.plugin.common.geometry import Rect
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import MaskBuffer

from ..qt import Qt, QtCore, QtGui
from ..turns import Steps, strips
from . import nodes
from .colour import Space, check, view

#: Integers of which Qt knows the order; anything else is Krita's to make a picture of.
_FORMATS = {("RGBA", "U8"): "Format_ARGB32", ("RGBA", "U16"): "Format_RGBA64"}


def factor(rect: Rect, longest: int) -> int:
    """By which a rectangle is made smaller so that its longer side is not more than ``longest``."""
    return max(1, math.ceil(max(rect.width, rect.height) / longest))


def image(document: Any, node: Any, rect: Rect, longest: int) -> Steps[Any]:
    """What a layer looks like in a rectangle, each pixel the mean of ``factor(rect, longest)`` squared.

    :return: a ``QImage``, RGBA8888, of the rectangle's size divided by the factor, rounded up.
    """
    times = factor(rect, longest)
    wide, high = -(-rect.width // times), -(-rect.height // times)
    space = Space.of(node)
    name = _FORMATS.get((space.model, space.depth), "")
    if not name or space.format is None or space.linear or not hasattr(QtGui.QImage.Format, name):
        return _thumbnail(document, node, rect, wide, high)
    form = getattr(QtGui.QImage.Format, name)
    read = node.projectionPixelData if nodes.as_it_looks(node) else node.pixelData
    rows: list[bytes] = []
    # Whole squares: what lies beyond the rectangle is transparent, or not looked at.
    row_bytes = wide * times * space.pixel_bytes
    for first, count in strips(high * times, row_bytes, times):
        data = check(view(read(rect.x, rect.y + first, wide * times, count)), row_bytes * count)
        strip = QtGui.QImage(data, wide * times, count, row_bytes, form)
        if times > 1:
            strip = _fitted(strip, wide, count // times)
        if form == QtGui.QImage.Format.Format_ARGB32:
            strip = strip.convertToFormat(QtGui.QImage.Format.Format_RGBA8888)
        else:  # Krita's order of the colours is the other one
            strip = strip.convertToFormat(QtGui.QImage.Format.Format_RGBA8888).rgbSwapped()
        rows.append(rgba(strip))
        yield
    return QtGui.QImage(b"".join(rows), wide, high, wide * 4, QtGui.QImage.Format.Format_RGBA8888).copy()


def _thumbnail(document: Any, node: Any, rect: Rect, wide: int, high: int) -> Any:
    # Of all that the layer has: the part that is wanted has to be cut out of it.
    bounds = nodes.bounds_of(document, node)
    share = max(bounds.width / max(1, rect.width), bounds.height / max(1, rect.height))
    fit = min(1.0, 2048 / max(1.0, wide * share, high * share))
    small = node.thumbnail(
        max(1, round(wide * bounds.width / rect.width * fit)),
        max(1, round(high * bounds.height / rect.height * fit)),
    )
    if small.isNull():
        raise ScumbleError(
            Code.UNSUPPORTED_FORMAT,
            "Krita does not show a small picture of this layer.",
            "Convert it to a paint layer, or choose another one.",
        )
    across, down = small.width() / bounds.width, small.height() / bounds.height
    box = QtCore.QRect(
        round((rect.x - bounds.x) * across),
        round((rect.y - bounds.y) * down),
        max(1, round(rect.width * across)),
        max(1, round(rect.height * down)),
    )
    return _fitted(small.copy(box), wide, high).convertToFormat(QtGui.QImage.Format.Format_RGBA8888)


def rgba(picture: Any) -> bytes:
    """The pixels of an RGBA8888 image."""
    bits = picture.constBits()
    bits.setsize(picture.width() * picture.height() * 4)
    return bytes(bits)


def enlarged(mask: MaskBuffer, rect: Rect, times: int) -> Steps[tuple[Rect, bytes]]:
    """A mask of a small picture as one of the document, smooth.

    :param mask: u8 or u16, in pixels of a picture that was made of ``rect`` by the factor ``times``.
    :return: (where it is in the document, u8 samples row by row).
    """
    data = memoryview(mask.data).cast("B")
    if mask.dtype == "u16":
        data = data[1::2]
    elif mask.dtype != "u8":
        raise ScumbleError(Code.UNSUPPORTED_FORMAT, "Masks of kind float cannot become a selection.")
    place = Rect(
        rect.x + mask.x * times, rect.y + mask.y * times, mask.width * times, mask.height * times
    ).intersect(rect)
    if times == 1:
        yield
        return place, bytes(data)
    small = QtGui.QImage(
        bytes(data), mask.width, mask.height, mask.width, QtGui.QImage.Format.Format_Grayscale8
    )
    rows = []
    for first, count in strips(place.height, place.width * 4):
        strip = QtGui.QImage(place.width, count, QtGui.QImage.Format.Format_Grayscale8)
        painter = QtGui.QPainter(strip)
        painter.setRenderHint(QtGui.QPainter.RenderHint.SmoothPixmapTransform)
        painter.setCompositionMode(QtGui.QPainter.CompositionMode.CompositionMode_Source)
        painter.translate(0, -first)
        painter.scale(times, times)
        painter.drawImage(QtCore.QPointF(0, 0), small)
        painter.end()
        line = strip.bytesPerLine()
        bits = strip.constBits()
        bits.setsize(line * count)
        whole = bytes(bits)
        # Qt's lines are multiples of four bytes.
        rows += [whole[y * line : y * line + place.width] for y in range(count)]
        yield
    return place, b"".join(rows)


def _fitted(picture: Any, width: int, height: int) -> Any:
    return picture.scaled(
        width, height, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
    )
