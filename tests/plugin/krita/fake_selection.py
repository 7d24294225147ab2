"""The fake Krita's selections."""

from __future__ import annotations

import numpy as np
from fake_image import touched
from PyQt5.QtCore import QByteArray


class Selection:
    """libkis' selection."""

    def __init__(self) -> None:
        self._rect = (0, 0, 0, 0)
        self._data = np.zeros((0, 0), np.uint8)

    def x(self) -> int:
        return self._rect[0]

    def y(self) -> int:
        return self._rect[1]

    def width(self) -> int:
        return self._rect[2]

    def height(self) -> int:
        return self._rect[3]

    def select(self, x: int, y: int, w: int, h: int, value: int) -> None:
        self._rect, self._data = (x, y, w, h), np.full((h, w), value, np.uint8)

    def setPixelData(self, value: QByteArray | bytes, x: int, y: int, w: int, h: int) -> None:
        touched(w * h)
        part = np.frombuffer(bytes(value), np.uint8)[: w * h].reshape(h, w)
        self._grow(x, y, w, h)
        left, top = self._rect[:2]
        self._data[y - top : y - top + h, x - left : x - left + w] = part

    def duplicate(self) -> Selection:
        twin = Selection()
        twin._rect, twin._data = self._rect, self._data.copy()
        return twin

    def add(self, other: Selection) -> None:
        self._grow(*other._rect)
        self._set(np.maximum(self._data, other._over(*self._rect)))

    def subtract(self, other: Selection) -> None:
        self._set(np.minimum(self._data, 255 - other._over(*self._rect)))

    def _set(self, data: np.ndarray) -> None:
        """Its bounds are those of what is selected."""
        rows, columns = np.nonzero(data)
        if not len(rows):
            self._rect, self._data = (0, 0, 0, 0), np.zeros((0, 0), np.uint8)
            return
        x0, x1, y0, y1 = columns.min(), columns.max() + 1, rows.min(), rows.max() + 1
        x, y = self._rect[:2]
        self._data = data[y0:y1, x0:x1].copy()
        self._rect = (int(x + x0), int(y + y0), int(x1 - x0), int(y1 - y0))

    def _over(self, x: int, y: int, w: int, h: int) -> np.ndarray:
        out = np.zeros((h, w), np.uint8)
        sx, sy, sw, sh = self._rect
        x0, y0, x1, y1 = max(x, sx), max(y, sy), min(x + w, sx + sw), min(y + h, sy + sh)
        if x1 > x0 and y1 > y0:
            out[y0 - y : y1 - y, x0 - x : x1 - x] = self._data[y0 - sy : y1 - sy, x0 - sx : x1 - sx]
        return out

    def _grow(self, x: int, y: int, w: int, h: int) -> None:
        """So that this rectangle is part of its own."""
        ox, oy, ow, oh = self._rect if self._data.size else (x, y, w, h)
        left, top = min(x, ox), min(y, oy)
        rect = (left, top, max(x + w, ox + ow) - left, max(y + h, oy + oh) - top)
        self._data, self._rect = self._over(*rect), rect

    def pixelData(self, x: int, y: int, w: int, h: int) -> QByteArray:
        touched(w * h)
        return QByteArray(self._over(x, y, w, h).tobytes())
