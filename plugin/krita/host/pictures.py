"""Thumbnails as ``QImage``; Qt and Krita do the scaling, and a few thousand pixels are picked here."""

from __future__ import annotations

import os
import struct
from typing import Any

from scumble.plugin.common.geometry import Rect
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.limits import LIMITS
from scumble.shared.messages import CHANNELS, SAMPLE_BYTES, Bytes, DType, PixelBuffer

from .. import tint
from ..qt import Qt, QtCore, QtGui
from ..tint import region_colour

#: The longer side of a style picture: strokes are smaller than that.
STYLE_SIDE = 2048
_CODES = {"u8": "B", "u16": "H", "f16": "e", "f32": "f"}


def read_style(path: str) -> PixelBuffer:
    """A picture file as 8-bit RGBA, at most :data:`STYLE_SIDE` pixels a side.

    :raises ScumbleError: ``file_missing``, ``file_unreadable``.
    """
    image = _read(path, STYLE_SIDE, STYLE_SIDE)
    image = image.convertToFormat(QtGui.QImage.Format.Format_RGBA8888)
    bits = image.constBits()
    bits.setsize(image.width() * image.height() * 4)
    return PixelBuffer(image.width(), image.height(), "rgba", "u8", bytes(bits))


def file_thumbnail(path: str, width: int, height: int) -> Any:
    """A picture file, small; ``None`` if it cannot be read."""
    try:
        return _read(path, width, height)
    except ScumbleError:
        return None


def _read(path: str, width: int, height: int) -> Any:
    name = os.path.basename(path)[:60]
    if not os.path.isfile(path):
        raise ScumbleError(
            Code.FILE_MISSING,
            f"The style's file {name!r} is not there any more.",
            "Choose it again where it is now, or choose another style.",
        )
    reader = QtGui.QImageReader(path)
    reader.setAutoTransform(True)
    reader.setDecideFormatFromContent(True)
    size = reader.size()
    if size.isValid():
        if size.width() * size.height() > LIMITS.pixels:
            raise _unreadable(name, "it is too large")
        if size.width() > width or size.height() > height:
            reader.setScaledSize(size.scaled(width, height, Qt.AspectRatioMode.KeepAspectRatio))
    image = reader.read()
    if image.isNull():
        raise _unreadable(name, "it is damaged or of a kind that Krita's Qt does not know")
    if image.width() > width or image.height() > height:
        image = scaled(image, width, height)
    return image


def _unreadable(name: str, why: str) -> ScumbleError:
    return ScumbleError(
        Code.FILE_UNREADABLE,
        f"The style's file {name!r} cannot be used: {why}.",
        "Choose another file, or open it in Krita and use its layer as the style.",
    )


def scaled(image: Any, width: int, height: int) -> Any:
    """Fitted into a size."""
    return image.scaled(
        max(1, width),
        max(1, height),
        Qt.AspectRatioMode.KeepAspectRatio,
        Qt.TransformationMode.SmoothTransformation,
    )


def of_pixels(pixels: PixelBuffer, width: int, height: int) -> Any:
    """Pixels of any kind, small: each of the picture's pixels is one of theirs."""
    ratio = max(pixels.width / max(1, width), pixels.height / max(1, height), 1.0)
    wide, high = max(1, int(pixels.width / ratio)), max(1, int(pixels.height / ratio))
    out = bytearray()
    samples = CHANNELS[pixels.layout]
    one = struct.Struct(f"<{samples}{_CODES[pixels.dtype]}")
    full = {"u8": 255, "u16": 65535}.get(pixels.dtype, 1)
    data = memoryview(pixels.data).cast("B")
    for row in range(high):
        line = min(pixels.height - 1, int((row + 0.5) * ratio)) * pixels.width
        for column in range(wide):
            at = (line + min(pixels.width - 1, int((column + 0.5) * ratio))) * one.size
            values = [_byte(v / full) for v in one.unpack_from(data, at)]
            out += _bgra(values, pixels.layout, pixels.transfer == "linear")
    return QtGui.QImage(bytes(out), wide, high, wide * 4, QtGui.QImage.Format.Format_ARGB32).copy()


def _byte(value: float) -> int:
    return min(255, max(0, round(value * 255))) if value == value else 0


def _bgra(values: list[int], layout: str, linear: bool) -> bytes:
    channels = dict(zip({"gray": "g", "graya": "ga"}.get(layout, layout), values))
    alpha = channels.pop("a", 255)
    if linear:
        channels = {name: round(255 * (value / 255) ** (1 / 2.2)) for name, value in channels.items()}
    if layout.startswith("gray"):
        return bytes((channels["g"],) * 3 + (alpha,))
    return bytes((channels["b"], channels["g"], channels["r"], alpha))


def tinted(
    picture: Any,
    where: Rect,
    mask: Bytes | None,
    dtype: DType,
    place: Rect,
    width: int,
    height: int,
    number: int = 0,
    size: tuple[int, int] | None = None,
) -> Any:
    """A picture with a mask laid over it as a colour; what the mask leaves out is grey.

    :param picture: a ``QImage`` of the rectangle ``where``; ``None`` for none.
    :param mask: samples in the rectangle ``place``; ``None`` for all of it.
    :param number: place in the list of regions, which decides the colour.
    :param size: (width, height) of the samples, if they are not all that there are.
    """
    ratio = max(where.width / max(1, width), where.height / max(1, height), 1e-6)
    wide, high = max(1, int(where.width / ratio)), max(1, int(where.height / ratio))
    formats = QtGui.QImage.Format
    image = QtGui.QImage(wide, high, formats.Format_ARGB32_Premultiplied)
    chosen = QtGui.QImage(wide, high, formats.Format_ARGB32_Premultiplied)
    image.fill(0)
    chosen.fill(0)
    spot = _spot(mask, dtype, place, size or (place.width, place.height))
    for target, source, box in (
        (image, picture, QtCore.QRect(0, 0, wide, high)),
        (chosen, spot, _scaled(place, where, ratio)),
    ):
        if source is not None:
            painter = QtGui.QPainter(target)
            painter.drawImage(box.topLeft(), _fitted(source, box))
            painter.end()
    alpha = chosen.convertToFormat(formats.Format_Alpha8)
    return tint.tinted(image, alpha, region_colour(number))


def _fitted(source: Any, box: Any) -> Any:
    """Scaled so that each pixel counts; a painter would skip most of them."""
    return source.scaled(
        box.size(), Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
    )


def _spot(mask: Bytes | None, dtype: DType, place: Rect, size: tuple[int, int]) -> Any:
    """A mask as an image that is opaque where the mask is 1; ``None`` for an empty one."""
    if place.empty:
        return None
    if mask is not None:
        return _alpha(mask, dtype, *size)
    whole = QtGui.QImage(1, 1, QtGui.QImage.Format.Format_Alpha8)
    whole.fill(255)
    return whole


def _scaled(place: Rect, where: Rect, ratio: float) -> Any:
    return QtCore.QRect(
        round((place.x - where.x) / ratio),
        round((place.y - where.y) / ratio),
        max(1, round(place.width / ratio)),
        max(1, round(place.height / ratio)),
    )


def _alpha(mask: Bytes, dtype: DType, width: int, height: int) -> Any:
    data = memoryview(mask).cast("B")
    if dtype == "u16":
        data = data[1::2]
    elif dtype != "u8":
        count = len(data) // SAMPLE_BYTES[dtype]
        data = memoryview(bytes(_byte(v) for v in struct.unpack(f"<{count}{_CODES[dtype]}", data)))
    return QtGui.QImage(bytes(data), width, height, width, QtGui.QImage.Format.Format_Alpha8).copy()
