"""Embedded colour profiles (ICC)."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Literal

import numpy as np
from PIL import Image, ImageCms

from . import transfer

#: Differences, in steps of 255, that still count as the same profile: rounding on both ways.
_SAME = 3

Meaning = Literal["srgb", "linear", "other"]


@lru_cache(maxsize=16)
def meaning(profile: bytes) -> Meaning:
    """Whether a profile means sRGB, sRGB's primaries with linear light, or something else.

    Found by sending colours through it, because names in profiles are not reliable.  A profile that
    cannot be used counts as sRGB: it says nothing that could be honoured.
    """
    try:
        space = ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile.xcolor_space.strip()
        if space not in ("RGB", "GRAY"):
            return "srgb"
        levels = np.linspace(0, 255, 9).round().astype(np.uint8)
        if space == "GRAY":
            probe = levels[None]
        else:
            probe = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(9, 81, 3)
        out = np.asarray(_convert(Image.fromarray(probe), profile), np.float32)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return "srgb"
    if np.abs(out - probe).max() <= _SAME:
        return "srgb"
    light = transfer.to_srgb(probe.astype(np.float32) / np.float32(255)) * 255
    return "linear" if np.abs(out - light).max() <= _SAME else "other"


def _convert(picture: Image.Image, profile: bytes) -> Image.Image:
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    target = ImageCms.createProfile("sRGB")
    intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
    flags = ImageCms.Flags.BLACKPOINTCOMPENSATION
    if picture.mode == "L":
        color = ImageCms.profileToProfile(
            picture, source, target, renderingIntent=intent, outputMode="RGB", flags=flags
        )
        assert color is not None
        return color.getchannel("G")
    done = ImageCms.profileToProfile(
        picture, source, target, renderingIntent=intent, outputMode=picture.mode, flags=flags
    )
    assert done is not None
    return done


def to_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """An 8-bit picture (L, LA, RGB or RGBA) in sRGB; as it is if the profile does not fit it."""
    if picture.mode == "LA":
        gray, alpha = picture.split()
        return Image.merge("LA", (to_srgb(gray, profile), alpha))
    try:
        return _convert(picture, profile)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture
