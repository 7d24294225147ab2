"""Styles as they are written on a command line: a file, a gallery id, or ``a:0.7,b:0.3``."""

from __future__ import annotations

import math
import os
from pathlib import Path

from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import BlendStyle, BundledStyle, PixelStyle, StyleRef

_PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".ppm")


def parse_style(text: str) -> StyleRef:
    """The style that a text means.

    A file of exactly that name wins; otherwise commas separate the parts of a blend and the last
    colon of a part its weight (1 if there is none).

    :raises ScumbleError: ``file_missing`` for what looks like a file and is none, ``bad_request`` for
        a weight that is not positive, and whatever reading a file raises.
    """
    if os.path.isfile(text):
        return _single(text)
    parts = []
    for word in text.split(","):
        name, weight = _weighted(word.strip())
        if not name:
            raise ScumbleError(
                Code.BAD_REQUEST,
                f"{text[:60]!r} is not a style.",
                "Give a picture file, a style of the gallery (scumble styles), or a blend: a:0.7,b:0.3",
            )
        parts.append((_single(name), weight))
    if len(parts) == 1:
        return parts[0][0]
    return BlendStyle(tuple(parts))


def _weighted(word: str) -> tuple[str, float]:
    if os.path.isfile(word):
        return word, 1.0
    name, colon, tail = word.rpartition(":")
    try:
        weight = float(tail)
    except ValueError:
        return word, 1.0  # no weight, but perhaps a drive's letter
    if not colon:
        return word, 1.0
    if not (math.isfinite(weight) and weight > 0):
        raise ScumbleError(
            Code.BAD_REQUEST,
            f"The weight {tail[:20]} of style {Path(name).name[:40]} is not a positive number.",
            "Write a blend as a:0.7,b:0.3.",
        )
    return name, weight


def _single(name: str) -> BundledStyle | PixelStyle:
    path = Path(name)
    looks_like_file = path.suffix.lower() in _PICTURES or os.sep in name or "/" in name
    if path.exists() or looks_like_file:
        from ..imaging.files import read_style

        return PixelStyle(read_style(path))
    return BundledStyle(name)
