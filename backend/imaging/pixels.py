"""Raw pixel buffers to float RGB and back.

Everything works on a rectangle of a buffer and touches no byte outside it, so the cost follows the
selection and not the canvas.
"""

from __future__ import annotations

import hashlib
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import CHANNELS, DType, MaskBuffer, PixelBuffer, PixelLayout

from ..regions.geometry import U8_AS_FLOAT, Box
from . import transfer
from .types import Floats, Samples

#: numpy's name of each sample type.
NUMPY: dict[str, str] = {"u8": "|u1", "u16": "<u2", "f16": "<f2", "f32": "<f4"}
#: The layout of a new layer above a layer of each layout.
WITH_ALPHA: dict[str, PixelLayout] = {
    "rgba": "rgba", "rgb": "rgba", "bgra": "bgra", "bgr": "bgra", "graya": "graya", "gray": "graya",
}  # fmt: skip
#: Largest value of the integer sample types.
FULL: dict[str, int] = {"u8": 255, "u16": 65535}


def samples(buffer: PixelBuffer | MaskBuffer) -> Samples:
    """The buffer as (H, W, C) samples, without a copy; a mask has one channel."""
    channels = CHANNELS[buffer.layout] if isinstance(buffer, PixelBuffer) else 1
    flat = np.frombuffer(buffer.data, dtype=NUMPY[buffer.dtype])
    return flat.reshape(buffer.height, buffer.width, channels)


def as_bytes(raw: Samples) -> memoryview:
    """Samples as bytes in order; without a copy when they lie in order already."""
    flat: Any = np.ascontiguousarray(raw).reshape(-1).view(np.uint8)
    return memoryview(flat)


def to_float(raw: Samples, dtype: DType) -> Floats:
    """Samples to float32, whole integer range to [0, 1]; exact, so that encoding gives them back."""
    if dtype in FULL:
        scaled: Floats = np.asarray(raw, np.float32) / np.float32(FULL[dtype])
        return scaled
    plain: Floats = np.asarray(raw, np.float32)
    return plain


def from_float(values: Floats, dtype: DType) -> Samples:
    """float32 to samples: rounded and clipped for integers, as they are for floats."""
    if dtype == "u8" and values.size:
        # Scaled, rounded to even and clipped, as below but in one pass; what is added weighs nothing.
        found: Samples = cv2.addWeighted(values, 255.0, values, 0.0, 0.0, dtype=cv2.CV_8U)
        return found.reshape(values.shape)
    if dtype in FULL:
        values = np.clip(values, 0, 1)
        values *= np.float32(FULL[dtype])
        np.rint(values, out=values)
    elif dtype == "f16":
        limit = np.float32(65504)
        values = np.clip(values, -limit, limit)
    plain: Samples = values.astype(NUMPY[dtype])
    return plain


def _order(layout: PixelLayout) -> tuple[int, int, int]:
    """Where red, green and blue are."""
    if layout in ("gray", "graya"):
        return 0, 0, 0
    return (2, 1, 0) if layout in ("bgr", "bgra") else (0, 1, 2)


def has_alpha(layout: PixelLayout) -> bool:
    """Whether a layout's last channel is opacity."""
    return layout in ("rgba", "bgra", "graya")


def opacity_bits(buffer: PixelBuffer, box: Box) -> NDArray[np.bool_] | None:
    """(h, w) booleans, true where the layer is not wholly transparent; ``None`` without an alpha."""
    if not has_alpha(buffer.layout):
        return None
    return samples(buffer)[box.top : box.bottom, box.left : box.right, -1] > 0


def decode(buffer: PixelBuffer, box: Box | None = None, what: str = "layer") -> tuple[Floats, Floats]:
    """Float RGB, sRGB-encoded, and opacity of a rectangle of the buffer.

    Values of float buffers beyond [0, 1] stay as they are.  Colour under wholly transparent pixels
    that is not a number (some programs leave it there) becomes 0.

    :param what: how a sentence about it calls the picture.
    :returns: (h, w, 3) and (h, w).
    :raises ScumbleError: ``not_finite`` for NaN or infinity in a visible pixel.
    """
    raw = samples(buffer)
    if box is not None:
        raw = raw[box.slices()]
    # One plane after the other: networks want them so, and a plane at a time stays in the cache.
    planes = np.empty((3, *raw.shape[:2]), np.float32)
    order = _order(buffer.layout)
    parts = cv2.split(raw) if buffer.dtype == "u8" and raw.size else np.moveaxis(raw, -1, 0)
    for channel in range(3):
        if channel and order[channel] == order[0]:
            planes[channel] = planes[0]
        elif buffer.dtype == "u8" and raw.size:  # looked up, which is as exact as dividing
            cv2.LUT(parts[order[channel]], U8_AS_FLOAT, dst=planes[channel])
        else:
            planes[channel] = to_float(parts[order[channel]], buffer.dtype)
    if has_alpha(buffer.layout):
        alpha = to_float(parts[-1], buffer.dtype)
    else:
        alpha = np.ones(raw.shape[:2], np.float32)
    if buffer.dtype in ("f16", "f32"):
        planes, alpha = _finite(planes, alpha, what)
    if buffer.transfer == "linear":
        planes = transfer.to_srgb(planes)
    return planes.transpose(1, 2, 0), np.ascontiguousarray(alpha)


def _finite(planes: Floats, alpha: Floats, what: str) -> tuple[Floats, Floats]:
    # A sum is finite only if all that it adds up is; the slow way is for the rest.
    if not (np.isfinite(planes.sum()) and np.isfinite(alpha.sum())):
        good = np.isfinite(planes)
        planes = np.where(good | (alpha > 0), planes, np.float32(0))
        if not (np.isfinite(alpha).all() and np.isfinite(planes).all()):
            place = " near the selection" if what == "layer" else ""
            raise ScumbleError(
                Code.NOT_FINITE,
                f"The {what} has pixels that are not numbers (NaN or infinity){place}.",
                f"Paint over them or convert the {what} to an integer format; a filter that divides by zero"
                " often leaves them.",
            )
    return planes, np.clip(alpha, 0, 1)


def encode(
    rgb: Floats, alpha: Floats, layout: PixelLayout, dtype: DType, to: Literal["srgb", "linear"] = "srgb"
) -> PixelBuffer:
    """The inverse of :func:`decode`: exact for every layout and sample type that stays sRGB-encoded.

    :param rgb: (H, W, 3), sRGB-encoded; grey layouts get the grey of the same luminance.
    :param alpha: (H, W); left out for layouts without alpha.
    """
    height, width = rgb.shape[:2]
    gray = layout in ("gray", "graya")
    planes = [transfer.gray(rgb)] if gray else [rgb[..., channel] for channel in range(3)]
    encoded: list[Samples] = [np.empty(0)] * CHANNELS[layout]
    for plane, place in zip(planes, _order(layout), strict=False):
        encoded[place] = from_float(transfer.to_linear(plane) if to == "linear" else plane, dtype)
    if has_alpha(layout):
        encoded[-1] = from_float(alpha, dtype)
    if dtype == "u8" and height and width:
        out: Samples = cv2.merge(encoded).reshape(height, width, -1)
    else:
        out = np.stack(encoded, axis=-1)
    return PixelBuffer(width, height, layout, dtype, as_bytes(out), to)


def digest(raw: Samples, *facts: object) -> str:
    """A hash of samples and of whatever else decides how they are read; a key for caches."""
    # SHA-256 because processors have instructions for it: twice as fast as BLAKE2 where it was measured.
    h = hashlib.sha256(repr((raw.shape, raw.dtype.str, facts)).encode(), usedforsecurity=False)
    h.update(as_bytes(raw))
    return h.hexdigest()[:32]


def crop_key(buffer: PixelBuffer, box: Box) -> str:
    """The cache key of a rectangle of a buffer: its content and format, not its place."""
    raw = samples(buffer)[box.top : box.bottom, box.left : box.right]
    return digest(raw, buffer.layout, buffer.dtype, buffer.transfer)
