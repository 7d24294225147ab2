"""The sRGB transfer function (IEC 61966-2-1), both ways, on float32 arrays of any range."""

from __future__ import annotations

import numpy as np

from .types import Floats

#: Luminance weights of linear sRGB (ITU-R BT.709).
LUMINANCE = (0.2126, 0.7152, 0.0722)


def to_linear(encoded: Floats) -> Floats:
    """sRGB-encoded values to linear light; odd-symmetric below 0, continued above 1."""
    size = np.abs(encoded)
    curve = ((size + np.float32(0.055)) / np.float32(1.055)) ** np.float32(2.4)
    return np.copysign(np.where(size <= 0.04045, size / np.float32(12.92), curve), encoded)


def to_srgb(linear: Floats) -> Floats:
    """Linear light to sRGB-encoded values; the inverse of :func:`to_linear`."""
    size = np.abs(linear)
    curve = np.float32(1.055) * size ** np.float32(1 / 2.4) - np.float32(0.055)
    return np.copysign(np.where(size <= 0.0031308, size * np.float32(12.92), curve), linear)


def gray(rgb: Floats) -> Floats:
    """The grey of the same luminance, sRGB-encoded.

    :param rgb: (H, W, 3), sRGB-encoded.  A pixel that is grey already keeps its value exactly.
    :returns: (H, W).
    """
    luminance = to_linear(rgb) @ np.array(LUMINANCE, np.float32)
    neutral = (rgb[..., 0] == rgb[..., 1]) & (rgb[..., 1] == rgb[..., 2])
    return np.where(neutral, rgb[..., 0], to_srgb(luminance))
