"""Parts of the layer and the parts of a style's picture that they take after, as an artist edits them.

What the backend found (``segment`` with mode ``pairs``, ``docs/protocol.md``, 6.5) becomes rows; rows are
merged, split, switched off and given another counterpart.  A table never changes: every edit gives a new
one, so the one before is what is gone back to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from scumble.shared.messages import MaskBuffer
from scumble.shared.segmenting import FoundMask

from .picture_part import GRID_SIDE, Grid, PicturePart, grid_of, part_mask

#: What a row takes after: a part of the painting, or the whole of it.
Counterpart = PicturePart | None


@dataclass(frozen=True)
class PairRow:
    """A part of the layer.

    :param mask: in pixels of the layer's picture.
    :param part: of the style's picture; ``None`` for the whole of it.
    :param area: pixels of the mask, soft ones in part.
    :param on: whether it is painted at all.
    """

    mask: MaskBuffer
    part: Counterpart
    area: float
    on: bool = True


@dataclass(frozen=True)
class PairTable:
    """See the module.

    :param pool: the parts of the painting that were found or drawn, to choose from.
    """

    rows: tuple[PairRow, ...] = ()
    pool: tuple[PicturePart, ...] = ()

    @classmethod
    def of(cls, found: Iterable[FoundMask]) -> PairTable:
        """What was found, in its order."""
        rows = tuple(_row(each) for each in found)
        return cls(rows, _pooled((), rows))

    def merged(self, which: Iterable[int]) -> PairTable:
        """Several rows as one, in the place of the first; it takes after all of their counterparts."""
        chosen = sorted(set(which) & set(range(len(self.rows))))
        if len(chosen) < 2:
            return self
        picked = [self.rows[at] for at in chosen]
        parts = [row.part for row in picked]
        part = None if any(each is None for each in parts) else _united([p for p in parts if p is not None])
        mask = _joined([row.mask for row in picked])
        row = PairRow(mask, part, sum(row.area for row in picked), any(row.on for row in picked))
        rest = [row for at, row in enumerate(self.rows) if at not in chosen]
        rows = (*rest[: chosen[0]], row, *rest[chosen[0] :])
        return PairTable(rows, _pooled(self.pool, (row,)))

    def divided(self, at: int, found: Sequence[FoundMask]) -> PairTable:
        """A row in the place of which there are those that were found in it; itself if it was one only."""
        if len(found) < 2 or not 0 <= at < len(self.rows):
            return self
        new = tuple(replace(_row(each), on=self.rows[at].on) for each in found)
        return PairTable((*self.rows[:at], *new, *self.rows[at + 1 :]), _pooled(self.pool, new))

    def given(self, which: Iterable[int], part: Counterpart) -> PairTable:
        """Rows with another counterpart."""
        chosen = set(which)
        rows = tuple(replace(row, part=part) if at in chosen else row for at, row in enumerate(self.rows))
        return PairTable(rows, self.pool if part is None else _pooled(self.pool, rows))

    def switched(self, at: int, on: bool) -> PairTable:
        """A row that is painted, or not."""
        rows = tuple(replace(row, on=on) if n == at else row for n, row in enumerate(self.rows))
        return PairTable(rows, self.pool)

    def row_at(self, x: float, y: float) -> int:
        """The row that a place of the layer's picture belongs to, -1 for none.

        :param x: in pixels, as ``y``.
        """
        for at, row in enumerate(self.rows):
            mask = row.mask
            across, down = int(x) - mask.x, int(y) - mask.y
            there = 0 <= across < mask.width and 0 <= down < mask.height
            if there and memoryview(mask.data).cast("B")[down * mask.width + across] >= 128:
                return at
        return -1

    def part_at(self, x: float, y: float) -> PicturePart | None:
        """The part in the pool that a place of the painting belongs to most, ``None`` for none.

        :param x: share of the painting's width; ``y`` of its height.
        """
        best: PicturePart | None = None
        least = float("inf")
        for part in self.pool:
            mask = part_mask(part)
            data = memoryview(mask.data).cast("B")
            column, row = int(x * mask.width), int(y * mask.height)
            if not (0 <= column < mask.width and 0 <= row < mask.height):
                return None
            here, area = data[row * mask.width + column] / 255, sum(data) / (255 * len(data))
            # Of two that both have it, such as a merged one and one of its parts, the smaller.
            if here >= 0.5 and area < least:
                best, least = part, area
        return best


def _row(found: FoundMask) -> PairRow:
    part: Counterpart = None
    if found.style_mask is not None:
        try:
            part = grid_of(found.style_mask)
        except ValueError:
            pass  # nothing of the painting, or masks of another kind: the whole of it
    return PairRow(found.mask, part, found.area)


def _pooled(pool: Sequence[PicturePart], rows: Iterable[PairRow]) -> tuple[PicturePart, ...]:
    return tuple(dict.fromkeys((*pool, *(row.part for row in rows if row.part is not None))))


def _united(parts: Sequence[PicturePart]) -> PicturePart:
    """Where any of them is."""
    if all(part == parts[0] for part in parts):
        return parts[0]
    sizes = {(part.width, part.height) for part in parts if isinstance(part, Grid)}
    wide, high = sizes.pop() if len(sizes) == 1 else (GRID_SIDE, GRID_SIDE)
    cells = [_cells(part, wide, high) for part in parts]
    return Grid(wide, high, bytes(map(max, *cells)))


def _cells(part: PicturePart, wide: int, high: int) -> bytes:
    if isinstance(part, Grid) and (part.width, part.height) == (wide, high):
        return part.data
    mask = part_mask(part)
    data, size = memoryview(mask.data).cast("B"), (mask.width, mask.height)
    columns = [int((x + 0.5) * size[0] / wide) for x in range(wide)]
    rows = [int((y + 0.5) * size[1] / high) * size[0] for y in range(high)]
    return bytes(data[row + column] for row in rows for column in columns)


def _joined(masks: Sequence[MaskBuffer]) -> MaskBuffer:
    """The sum of masks, at most full, in the rectangle that holds them all."""
    left, top = min(m.x for m in masks), min(m.y for m in masks)
    wide = max(m.x + m.width for m in masks) - left
    high = max(m.y + m.height for m in masks) - top
    out = bytearray(wide * high)
    for mask in masks:
        data = bytes(mask.data)
        for row in range(mask.height):
            start = (mask.y - top + row) * wide + mask.x - left
            mine = data[row * mask.width : (row + 1) * mask.width]
            there = out[start : start + mask.width]
            out[start : start + mask.width] = (
                bytes(min(255, a + b) for a, b in zip(there, mine, strict=True)) if any(there) else mine
            )
    return MaskBuffer(wide, high, bytes(out), "u8", left, top)
