"""Krita's colour models, depths and profiles, and changing between them.

RGBA is stored as BGRA in integers and as RGBA in floats; grey has two channels.  What Scumble does not
know (CMYK, L*a*b*, …) goes through a scratch document that nobody sees, so that Krita's own colour
management does the work.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from scumble.plugin.common.build import PixelFormat
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import Bytes, DType, Transfer

from ..qt import QtCore

SRGB, LINEAR = "sRGB-elle-V2-srgbtrc.icc", "sRGB-elle-V2-g10.icc"
_DEPTHS: dict[str, DType] = {"U8": "u8", "U16": "u16", "F16": "f16", "F32": "f32"}
_SAMPLE = {"U8": 1, "U16": 2, "F16": 2, "F32": 4}
_CHANNELS = {"RGBA": 4, "GRAYA": 2, "CMYKA": 5, "LABA": 4, "XYZA": 4, "YCbCrA": 4, "A": 1}
_WORDS = {
    "RGBA": "RGB",
    "GRAYA": "grey",
    "CMYKA": "CMYK",
    "LABA": "L*a*b*",
    "XYZA": "XYZ",
    "YCbCrA": "YCbCr",
    "A": "alpha",
}
_BITS = {"U8": "8-bit", "U16": "16-bit", "F16": "16-bit float", "F32": "32-bit float"}
#: Curves that are neither linear nor near sRGB's.
_OTHER_CURVES = ("2084", "pq eotf", "hlg", "hybrid log")


@dataclass(frozen=True)
class Space:
    """How pixels are stored: libkis' ``colorModel``, ``colorDepth`` and ``colorProfile``."""

    model: str
    depth: str
    profile: str

    @classmethod
    def of(cls, thing: Any) -> Space:
        """A node's, or a document's."""
        return cls(str(thing.colorModel()), str(thing.colorDepth()), str(thing.colorProfile()))

    @property
    def words(self) -> str:
        """For people."""
        return f"{_WORDS.get(self.model, self.model)}, {_BITS.get(self.depth, self.depth)}"

    @property
    def channels(self) -> int:
        """Channels, with alpha, which is the last; 0 if it is not known."""
        return _CHANNELS.get(self.model, 0)

    @property
    def sample(self) -> int:
        """Bytes of a channel; 0 if it is not known."""
        return _SAMPLE.get(self.depth, 0)

    @property
    def pixel_bytes(self) -> int:
        """Bytes of a pixel; 0 if it is not known."""
        return self.channels * self.sample

    @property
    def linear(self) -> bool:
        """Whether the profile's numbers are proportional to light."""
        name = self.profile.casefold()
        return "g10" in name or "linear" in name or self.model == "XYZA"

    @property
    def format(self) -> PixelFormat | None:
        """How Scumble calls it; ``None`` if it has to be changed first."""
        dtype = _DEPTHS.get(self.depth)
        other = any(word in self.profile.casefold() for word in _OTHER_CURVES)
        if dtype is None or other or self.model not in ("RGBA", "GRAYA"):
            return None
        transfer: Transfer = "linear" if self.linear else "srgb"
        if self.model == "GRAYA":
            return PixelFormat("graya", dtype, transfer)
        return PixelFormat("bgra" if dtype in ("u8", "u16") else "rgba", dtype, transfer)

    @property
    def nearest(self) -> Space:
        """Itself, or what it is changed to, with no fewer bits."""
        if self.format is not None:
            return self
        depth = self.depth if self.depth in _DEPTHS else "U16"
        return Space("RGBA", depth, SRGB if depth in ("U8", "U16") else LINEAR)


def view(data: Any) -> memoryview:
    """The bytes of a ``QByteArray`` without a copy; it stays alive as long as they are used."""
    try:
        return memoryview(data)
    except TypeError:  # a PyQt that does not offer its bytes
        return memoryview(bytes(data))


def lend(data: Bytes) -> Any:
    """A ``QByteArray`` on somebody else's bytes, which have to outlive it."""
    kind: Any = QtCore.QByteArray
    flat = memoryview(data)
    try:
        return kind.fromRawData(flat)
    except (AttributeError, TypeError):  # PyQt6 has no such thing
        return kind(bytes(flat))


def check(data: Bytes, expected: int) -> Bytes:
    """The same, if there are as many bytes as there should be.

    Krita answers with nothing where it cannot, and writes nothing if it gets too little; it says so in
    its log only.
    """
    if memoryview(data).nbytes != expected:
        raise ScumbleError(
            Code.UNSUPPORTED_FORMAT,
            "Krita does not hand out the pixels of this layer.",
            "Convert it to a paint layer, or choose another one.",
        )
    return data


def change(application: Any, data: Bytes, width: int, height: int, old: Space, new: Space) -> Bytes:
    """The same pixels in another space, by way of a scratch document; Krita is busy for a moment."""
    if old == new:
        return data
    document = application.createDocument(width, height, "Scumble", old.model, old.depth, old.profile, 72.0)
    failed = ScumbleError(
        Code.UNSUPPORTED_FORMAT,
        f"Krita could not convert the layer from {old.words} to {new.words}.",
        "Convert a copy of the layer to RGB, 8 or 16 bit integer, and stylize that.",
    )
    if document is None:
        raise failed
    try:
        document.setBatchmode(True)
        node = next(iter(document.rootNode().childNodes()), None)
        if node is None:
            raise failed
        node.setPixelData(lend(data), 0, 0, width, height)
        document.setColorSpace(new.model, new.depth, new.profile)
        document.waitForDone()
        # An unknown profile would come back as another one; model and depth are what counts.
        if (str(node.colorModel()), str(node.colorDepth())) != (new.model, new.depth):
            raise failed
        return check(view(node.pixelData(0, 0, width, height)), width * height * new.pixel_bytes)
    finally:
        document.setModified(False)
        document.close()
