"""Large buffers piece by piece: each function yields after at most :data:`..turns.PIECE_BYTES`.

Memory for what is large comes from the system untouched: it costs time only where it is written, piece by
piece too.
"""

from __future__ import annotations

import mmap
import zlib
from collections.abc import Callable

from scumble.plugin.common.geometry import Rect
from scumble.shared.messages import Bytes

from .. import turns
from ..turns import Steps, strips
from .colour import check

#: Gives the bytes of a rectangle.
Read = Callable[[Rect], Bytes]


def room(nbytes: int) -> memoryview:
    """So many bytes, zero, that nothing has touched yet."""
    return memoryview(mmap.mmap(-1, nbytes))


def rows(rect: Rect, pixel_bytes: int, read: Read, touched: int = 0) -> Steps[Bytes]:
    """The bytes of a rectangle, read strip by strip.

    :param touched: bytes of a pixel that reading touches, if they are more.
    """
    parts = strips(rect.height, rect.width * max(pixel_bytes, touched))
    if len(parts) == 1:
        return check(read(rect), rect.pixels * pixel_bytes)
    whole = room(rect.pixels * pixel_bytes)
    at = 0
    for first, count in parts:
        size = rect.width * count * pixel_bytes
        data = check(read(Rect(rect.x, rect.y + first, rect.width, count)), size)
        whole[at : at + size] = memoryview(data).cast("B")
        at += size
        yield
    return whole


def full(count: int) -> Steps[Bytes]:
    """So many bytes of 255."""
    if count <= turns.PIECE_BYTES:
        return b"\xff" * count
    whole = room(count)
    for first, size in strips(count, 1):
        whole[first : first + size] = b"\xff" * size
        yield
    return whole


def packed(data: Bytes) -> Steps[bytes]:
    """Compressed, as :func:`zlib.compress` does at its quickest."""
    flat = memoryview(data).cast("B")
    packer = zlib.compressobj(1)
    found = []
    for first, size in strips(len(flat), 1):
        found.append(packer.compress(flat[first : first + size]))
        yield
    found.append(packer.flush())
    return b"".join(found)


def unpacked(data: Bytes, count: int) -> Steps[Bytes]:
    """What was compressed, so many bytes of it.

    :raises zlib.error: if it is something else, or other than so many bytes.
    """
    if count <= turns.PIECE_BYTES:
        # One byte more than there should be is enough to know that it is wrong.
        opened = zlib.decompressobj()
        whole: Bytes = opened.decompress(data, count + 1)
        if not opened.eof or len(whole) != count:
            raise zlib.error("not as many bytes as there should be")
        return whole
    whole, at = room(count), 0
    opened, left = zlib.decompressobj(), bytes(data)
    while not opened.eof:
        part = opened.decompress(left, turns.PIECE_BYTES)
        left = opened.unconsumed_tail
        if at + len(part) > count or not (part or left or opened.eof):
            raise zlib.error("not as many bytes as there should be")
        whole[at : at + len(part)] = part
        at += len(part)
        yield
    if at != count:
        raise zlib.error("not as many bytes as there should be")
    return whole


def cut(data: Bytes, outer: Rect, inner: Rect) -> Steps[Bytes]:
    """A rectangle inside of another one, whose bytes are given; one byte a pixel."""
    if outer == inner:
        return data
    flat, wide = memoryview(data).cast("B"), outer.width

    def read(rect: Rect) -> Bytes:
        start = (rect.y - outer.y) * wide + rect.x - outer.x
        begins = range(start, start + rect.height * wide, wide)
        return b"".join(flat[begin : begin + rect.width] for begin in begins)

    return (yield from rows(inner, 1, read))


def every(data: Bytes, rect: Rect, step: int) -> Steps[bytes]:
    """Each ``step``-th pixel of each ``step``-th row; one byte a pixel."""
    flat, wide = memoryview(data).cast("B"), rect.width
    found = []
    for row in range(0, rect.height, step):
        found.append(bytes(flat[row * wide : (row + 1) * wide : step]))
        if row % (64 * step) == 63 * step:
            yield
    return b"".join(found)
