"""Deep TIFF files (16 bit and float, several channels), which Pillow does not read or write.

Reading parses the header here, so that sizes are checked before anything is allocated, and leaves the
pixels to OpenCV.  Writing is baseline TIFF 6.0 with Deflate strips and unassociated alpha.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import TiffImagePlugin

from .types import Samples

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 256, 257, 258, 259, 262
_STRIPS, _ORIENTATION, _CHANNELS, _ROWS, _STRIP_BYTES, _PLANAR = 273, 274, 277, 278, 279, 284
_PREDICTOR, _EXTRA, _FORMAT, _PROFILE = 317, 338, 339, 34675
_FLOAT, _MIN_IS_WHITE, _GRAY, _RGB = 3, 0, 1, 2


@dataclass(frozen=True)
class Header:
    """What the first picture of a TIFF file says about itself.

    :param bits: of one sample.
    :param premultiplied: whether colour was multiplied by alpha (associated alpha).
    """

    width: int
    height: int
    bits: int
    channels: int
    floating: bool
    photometric: int
    premultiplied: bool
    orientation: int
    profile: bytes | None
    compression: int
    predictor: int
    offsets: tuple[int, ...]
    lengths: tuple[int, ...]

    @property
    def deep(self) -> bool:
        """Whether the file has more than 8 bits a sample."""
        return self.bits > 8

    @property
    def color(self) -> bool:
        """Whether it is RGB."""
        return self.photometric == _RGB

    @property
    def readable(self) -> bool:
        """Whether OpenCV gives the samples as they are: RGB or grey, 16 bit or single precision."""
        known = (self.bits, self.floating) in {(16, False), (32, True)}
        return self.photometric in (_GRAY, _RGB) and known and self.channels != 2

    @property
    def plain(self) -> bool:
        """Whether :func:`strips` reads it: what :func:`encode` writes and OpenCV does not know."""
        simple = self.compression in (1, 8) and self.predictor == 1 and bool(self.offsets)
        known = (self.bits, self.floating) in {(16, False), (16, True), (32, True)}
        return simple and known and self.photometric in (_GRAY, _RGB) and not self.readable


def header(data: bytes) -> Header | None:
    """The header of a TIFF file, or ``None`` if it is none or is damaged."""
    if data[:4] not in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return None
    try:
        tags = TiffImagePlugin.ImageFileDirectory_v2(data[: 16 if data[2:4].strip(b"\0") == b"+" else 8])
        stream = io.BytesIO(data)
        stream.seek(tags.next)
        tags.load(stream)
        extra = _first(tags, _EXTRA, 0)
        return Header(
            width=int(tags[_WIDTH]),
            height=int(tags[_HEIGHT]),
            bits=int(_first(tags, _BITS, 1)),
            channels=int(tags.get(_CHANNELS, 1)),
            floating=_first(tags, _FORMAT, 1) == _FLOAT,
            photometric=int(tags.get(_PHOTOMETRIC, _GRAY)),
            premultiplied=extra == 1,
            orientation=int(tags.get(_ORIENTATION, 1)),
            profile=tags.get(_PROFILE),
            compression=int(tags.get(_COMPRESSION, 1)),
            # Planes one after the other count as a compression that is not known.
            predictor=int(tags.get(_PREDICTOR, 1)) if tags.get(_PLANAR, 1) == 1 else 0,
            offsets=tuple(tags.get(_STRIPS, ())),
            lengths=tuple(tags.get(_STRIP_BYTES, ())),
        )
    except Exception:  # a damaged directory raises whatever its bytes lead to
        return None


def strips(data: bytes, head: Header) -> Samples | None:
    """(H, W, C) samples of a file of strips without prediction; ``None`` if they are damaged."""
    order = "<" if data[:2] == b"II" else ">"
    kind = np.dtype(f"{order}{'f' if head.floating else 'u'}{head.bits // 8}")
    left = head.width * head.height * head.channels * kind.itemsize
    whole = bytearray()
    try:
        for start, length in zip(head.offsets, head.lengths, strict=True):
            piece = data[start : start + length]
            # Bounded by the size that was checked: a strip cannot unfold into more than that.
            whole += zlib.decompressobj().decompress(piece, left + 1) if head.compression == 8 else piece
        shape = (head.height, head.width, head.channels)
        return np.frombuffer(whole, kind).reshape(shape).astype(kind.newbyteorder("<"))
    except (zlib.error, ValueError):
        return None


def _first(tags: Mapping[int, Any], tag: int, default: int) -> int:
    value = tags.get(tag, default)
    if isinstance(value, tuple):
        return int(value[0]) if value else default
    return int(value)


def encode(raw: Samples, profile: bytes | None = None) -> bytes:
    """A TIFF file of (H, W, C) samples: grey, grey and alpha, RGB or RGBA; straight alpha."""
    raw = np.ascontiguousarray(raw)
    height, width, channels = raw.shape
    rows = max(1, min(height, (1 << 20) // max(1, raw[0].nbytes)))
    strips = [zlib.compress(raw[y : y + rows].tobytes(), 4) for y in range(0, height, rows)]
    has_alpha = channels in (2, 4)
    kind = _FLOAT if raw.dtype.kind == "f" else 1
    body = io.BytesIO()
    offsets = []
    for strip in strips:
        offsets.append(8 + body.tell())
        body.write(strip + b"\0" * (len(strip) % 2))
    tags: list[tuple[int, str, tuple[int, ...] | bytes]] = [
        (_WIDTH, "I", (width,)),
        (_HEIGHT, "I", (height,)),
        (_BITS, "H", (raw.itemsize * 8,) * channels),
        (_COMPRESSION, "H", (8,)),
        (_PHOTOMETRIC, "H", (_RGB if channels > 2 else _GRAY,)),
        (_STRIPS, "I", tuple(offsets)),
        (_CHANNELS, "H", (channels,)),
        (_ROWS, "I", (rows,)),
        (_STRIP_BYTES, "I", tuple(len(s) for s in strips)),
        (_PLANAR, "H", (1,)),
    ]
    if has_alpha:
        tags.append((_EXTRA, "H", (2,)))
    tags.append((_FORMAT, "H", (kind,) * channels))
    if profile:
        tags.append((_PROFILE, "B", profile))
    return _assemble(body, tags)


def _assemble(body: io.BytesIO, tags: list[tuple[int, str, tuple[int, ...] | bytes]]) -> bytes:
    """Header, strips, long values and directory, in this order; little-endian."""
    types = {"H": 3, "I": 4, "B": 7}
    entries = []
    for tag, code, values in tags:
        packed = values if isinstance(values, bytes) else struct.pack(f"<{len(values)}{code}", *values)
        count = len(values)
        if len(packed) > 4:
            place = 8 + body.tell()
            body.write(packed + b"\0" * (len(packed) % 2))
            packed = struct.pack("<I", place)
        entries.append(struct.pack("<HHI", tag, types[code], count) + packed.ljust(4, b"\0"))
    directory = 8 + body.tell()
    head = b"II*\0" + struct.pack("<I", directory)
    tail = struct.pack("<H", len(entries)) + b"".join(entries) + b"\0\0\0\0"
    return head + body.getvalue() + tail
