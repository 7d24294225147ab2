"""Noticing that the selection has changed, without reading all of a large one each time."""

from __future__ import annotations

import zlib
from typing import Any

from scumble.plugin.common.geometry import Rect

from ..turns import strips
from .colour import view


class Mark:
    """Sums over the strips of a selection; one strip of a large one is looked at each time, in turn."""

    def __init__(self) -> None:
        self._number = 0
        self._rect: Rect | None = None
        self._sums: dict[int, int] = {}
        self._next = 0

    def of(self, selection: Any, rect: Rect | None) -> int:
        """A number that is another one after a change.

        :param rect: the selection's bounds, ``None`` without one.
        """
        if rect != self._rect:
            self._rect, self._sums, self._next = rect, {}, 0
            self._number += 1
        if rect is None or rect.empty:
            return self._number
        parts = strips(rect.height, rect.width)
        first, count = parts[self._next % len(parts)]
        self._next += 1
        data = selection.pixelData(rect.x, rect.y + first, rect.width, count)
        found = zlib.crc32(view(data))
        new = first not in self._sums
        changed = self._sums.setdefault(first, found) != found
        self._sums[first] = found
        # What happened to the others before each was seen once is not known.
        if changed or (new and 1 < len(self._sums) == len(parts)):
            self._number += 1
        return self._number
