"""Small layers, masks and styles, and how a session is asked to paint them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from scumble.backend import Session
from scumble.backend.imaging import pixels
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import (
    CHANNELS,
    MaskBuffer,
    PixelBuffer,
    PixelStyle,
    Region,
)


def layer(
    width: int = 60, height: int = 50, layout: str = "rgb", dtype: str = "u8", **more: Any
) -> PixelBuffer:
    rng = np.random.default_rng(width * height)
    shape = (height, width, CHANNELS[layout])
    raw = rng.integers(0, pixels.FULL.get(dtype, 255) + 1, shape)
    typed = raw.astype(pixels.NUMPY[dtype]) if dtype[0] == "u" else (raw / 255).astype(pixels.NUMPY[dtype])
    if layout in ("rgba", "bgra", "graya"):
        typed[..., -1] = pixels.FULL.get(dtype, 1)
    return PixelBuffer(width, height, layout, dtype, typed.tobytes(), **more)  # type: ignore[arg-type]


def flat(red: int, green: int, blue: int) -> PixelStyle:
    return PixelStyle(PixelBuffer(2, 2, "rgb", "u8", bytes([red, green, blue] * 4)))


def box_mask(
    x: int, y: int, w: int, h: int, size: tuple[int, int] = (60, 50), level: int = 255
) -> MaskBuffer:
    raw = np.zeros((size[1], size[0]), np.uint8)
    raw[y : y + h, x : x + w] = level
    return MaskBuffer(size[0], size[1], raw.tobytes())


RED = flat(255, 0, 0)


def paint(session: Session, source: PixelBuffer, *regions: Region, **more: Any) -> Any:
    return session.stylize(source, regions, engine="test-tint", **more)


def refused(session: Session, code: Code, source: PixelBuffer, *regions: Region, **more: Any) -> ScumbleError:
    with pytest.raises(ScumbleError) as error:
        session.stylize(source, regions, **{"engine": "test-tint", **more})
    assert error.value.code is code, error.value
    assert error.value.message.endswith(".")
    return error.value
