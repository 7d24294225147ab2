"""Masks as images: as something to paint with, and as the line around what they select."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from scumble.shared.messages import MaskBuffer

from ..qt import Qt, QtGui

_MODE = QtGui.QPainter.CompositionMode
_ARGB = QtGui.QImage.Format.Format_ARGB32_Premultiplied
#: Everything from the middle up counts as inside, for the line.
_HALVES = bytes(128) + b"\xff" * 128


@contextlib.contextmanager
def painting_on(device: Any) -> Iterator[Any]:
    """A painter that ends even if something goes wrong: Qt does not forgive one that was left open."""
    painter = QtGui.QPainter(device)
    try:
        yield painter
    finally:
        painter.end()


def mask_image(mask: MaskBuffer, width: int, height: int) -> Any:
    """A mask as an ``Alpha8`` image of a picture's size; black outside its own rectangle."""
    data = bytes(mask.data)  # has to live as long as the image that is made of it
    own = QtGui.QImage(data, mask.width, mask.height, mask.width, QtGui.QImage.Format.Format_Alpha8)
    if (mask.width, mask.height, mask.x, mask.y) == (width, height, 0, 0):
        return own.copy()
    whole = QtGui.QImage(max(1, width), max(1, height), _ARGB)
    whole.fill(Qt.GlobalColor.transparent)
    with painting_on(whole) as painting:
        painting.setCompositionMode(_MODE.CompositionMode_Source)
        painting.drawImage(mask.x, mask.y, own)
    return whole.convertToFormat(QtGui.QImage.Format.Format_Alpha8)


def edge_of(cover: Any) -> Any:
    """A line, one dot wide, along the inside of what an image covers by half or more."""
    alpha = cover.convertToFormat(QtGui.QImage.Format.Format_Alpha8)
    bits = alpha.constBits()
    bits.setsize(alpha.bytesPerLine() * alpha.height())
    data = bytes(bits).translate(_HALVES)
    wide, high, stride = alpha.width(), alpha.height(), alpha.bytesPerLine()
    hard = QtGui.QImage(data, wide, high, stride, alpha.format()).convertToFormat(_ARGB)
    inner = hard.copy()
    with painting_on(inner) as painting:
        painting.setCompositionMode(_MODE.CompositionMode_DestinationIn)
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            painting.drawImage(dx, dy, hard)
    with painting_on(hard) as painting:
        painting.setCompositionMode(_MODE.CompositionMode_DestinationOut)
        painting.drawImage(0, 0, inner)
    return hard
