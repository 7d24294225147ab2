"""Pixel buffers to float RGB and back, and laying one layer over another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scumble.backend.imaging import pixels, transfer
from scumble.backend.imaging.composite import composite
from scumble.backend.regions.geometry import Box
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import CHANNELS, PixelBuffer, StylizeResult

LAYOUTS = sorted(CHANNELS)
DTYPES = ["u8", "u16", "f16", "f32"]


def noise(
    layout: str, dtype: str, seed: int, size: tuple[int, int] = (9, 7), encoding: str = "srgb"
) -> PixelBuffer:
    rng = np.random.default_rng(seed)
    shape = (size[1], size[0], CHANNELS[layout])
    if dtype[0] == "u":
        raw = rng.integers(0, pixels.FULL[dtype] + 1, shape).astype(pixels.NUMPY[dtype])
    else:
        raw = (rng.random(shape) * 3 - 1).astype(pixels.NUMPY[dtype])  # also below 0 and above 1
        if layout in ("rgba", "bgra", "graya"):
            raw[..., -1] = np.clip(raw[..., -1], 0, 1)
    return PixelBuffer(*size, layout, dtype, raw.tobytes(), encoding)  # type: ignore[arg-type]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
@given(seed=st.integers(0, 1000))
@settings(max_examples=5)
def test_decoding_and_encoding_gives_the_same_bytes(layout: str, dtype: str, seed: int) -> None:
    source = noise(layout, dtype, seed)
    rgb, alpha = pixels.decode(source)
    assert rgb.shape == (7, 9, 3) and alpha.shape == (7, 9)
    back = pixels.encode(rgb, alpha, source.layout, source.dtype)
    assert bytes(back.data) == bytes(source.data)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["u8", "u16"])
def test_every_integer_level_survives_linear_light(layout: str, dtype: str) -> None:
    levels = np.arange(pixels.FULL[dtype] + 1, dtype=pixels.NUMPY[dtype])
    raw = np.repeat(levels[None, :, None], CHANNELS[layout], axis=2)
    size = 256
    raw = raw.reshape(len(levels) // size, size, CHANNELS[layout])
    source = PixelBuffer(size, len(levels) // size, layout, dtype, raw.tobytes(), "linear")  # type: ignore[arg-type]
    back = pixels.encode(*pixels.decode(source), source.layout, source.dtype, "linear")
    assert bytes(back.data) == bytes(source.data)


@given(st.lists(st.floats(-4, 4, width=32), min_size=1, max_size=50))
def test_linear_light_and_back_is_the_identity_on_floats(values: list[float]) -> None:
    array = np.array(values, np.float32)
    assert np.allclose(transfer.to_linear(transfer.to_srgb(array)), array, rtol=2e-5, atol=1e-6)


def test_half_grey_in_linear_light_is_188_in_srgb() -> None:
    assert round(float(transfer.to_srgb(np.float32([0.5]))[0]) * 255) == 188


def test_layouts_say_which_channel_is_which() -> None:
    rgb, alpha = pixels.decode(PixelBuffer(1, 1, "bgra", "u8", bytes([10, 20, 30, 51])))
    assert np.allclose(rgb[0, 0] * 255, [30, 20, 10]) and np.isclose(alpha[0, 0], 0.2)
    rgb, alpha = pixels.decode(PixelBuffer(1, 1, "graya", "u8", bytes([40, 255])))
    assert np.allclose(rgb[0, 0] * 255, 40) and alpha[0, 0] == 1


def test_a_colour_becomes_the_grey_of_its_luminance() -> None:
    green = np.float32([[[0, 1, 0]]])
    gray = pixels.encode(green, np.ones((1, 1), np.float32), "graya", "u8")
    expected = float(transfer.to_srgb(np.float32([0.7152]))[0])
    assert bytes(gray.data) == bytes([round(expected * 255), 255])


@given(seed=st.integers(0, 1000), left=st.integers(0, 8), top=st.integers(0, 6), data=st.data())
def test_a_crop_decodes_as_the_whole_does_there(seed: int, left: int, top: int, data: Any) -> None:
    box = Box(left, top, data.draw(st.integers(left + 1, 9)), data.draw(st.integers(top + 1, 7)))
    source = noise("bgra", "u16", seed, encoding="linear")
    whole, opacity = pixels.decode(source)
    part, seen = pixels.decode(source, box)
    assert np.array_equal(part, whole[box.slices()]) and np.array_equal(seen, opacity[box.slices()])


def test_the_key_of_a_crop_depends_on_its_content_alone_and_on_how_it_is_read() -> None:
    a = noise("rgb", "u8", 1)
    raw = np.zeros((14, 18, 3), np.uint8)
    raw[5:12, 4:13] = pixels.samples(a)
    b = PixelBuffer(18, 14, "rgb", "u8", raw.tobytes())
    key = pixels.crop_key(a, Box(0, 0, 9, 7))
    assert key == pixels.crop_key(b, Box(4, 5, 13, 12))
    assert key != pixels.crop_key(b, Box(4, 5, 13, 11))
    linear = PixelBuffer(9, 7, "rgb", "u8", a.data, "linear")
    assert key != pixels.crop_key(linear, Box(0, 0, 9, 7))


@pytest.mark.parametrize("dtype", ["f16", "f32"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_or_infinity_in_a_visible_pixel_is_refused(dtype: str, bad: float) -> None:
    raw = np.ones((3, 3, 4), pixels.NUMPY[dtype])
    raw[1, 1, 0] = bad
    with pytest.raises(ScumbleError) as error:
        pixels.decode(PixelBuffer(3, 3, "rgba", dtype, raw.tobytes()))  # type: ignore[arg-type]
    assert error.value.code is Code.NOT_FINITE
    assert "not numbers" in error.value.message and "integer format" in error.value.hint


def test_nan_under_a_wholly_transparent_pixel_is_nothing_to_refuse() -> None:
    raw = np.ones((3, 3, 4), np.float32)
    raw[1, 1] = [np.nan, np.inf, 0.5, 0]
    rgb, alpha = pixels.decode(PixelBuffer(3, 3, "rgba", "f32", raw.tobytes()))
    assert np.isfinite(rgb).all() and alpha[1, 1] == 0 and alpha.sum() == 8


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_compositing_keeps_the_bytes_of_pixels_that_the_layer_does_not_cover(layout: str, dtype: str) -> None:
    source = noise(layout, dtype, 3)
    top = noise(pixels.WITH_ALPHA[layout], dtype, 4, (4, 5))
    raw = pixels.samples(top).copy()
    raw[::2, :, -1] = 0
    layer = PixelBuffer(4, 5, top.layout, top.dtype, raw.tobytes())
    # Half of the layer hangs over the source's edge.
    done = composite(source, StylizeResult(layer, (107, 204)), (100, 200))
    before, after = pixels.samples(source), pixels.samples(done)
    changed = np.zeros((7, 9), bool)
    changed[4:7, 7:9] = raw[:3, :2, -1] > 0
    assert np.array_equal(before[~changed], after[~changed])
    assert (before[changed] != after[changed]).any()


@pytest.mark.parametrize("dtype", DTYPES)
def test_an_opaque_layer_replaces_and_a_half_opaque_one_mixes_as_encoded(dtype: str) -> None:
    full = pixels.FULL.get(dtype, 1)
    below = np.full((1, 3, 4), 0, np.float64)
    below[0, :, 0] = 1  # red ...
    below[0, :, 3] = [1, 1, 0.5]  # ... the last pixel half transparent
    above = np.zeros((1, 3, 4))
    above[0, :, 1] = 1  # green
    above[0, :, 3] = [1, 0.5, 0.5]

    def buffer(raw: np.ndarray) -> PixelBuffer:
        typed = np.rint(raw * full) if full > 1 else raw
        return PixelBuffer(3, 1, "rgba", dtype, typed.astype(pixels.NUMPY[dtype]).tobytes())  # type: ignore[arg-type]

    done = pixels.samples(composite(buffer(below), StylizeResult(buffer(above), (0, 0)))) / full
    assert np.allclose(done[0, 0], [0, 1, 0, 1])
    assert np.allclose(done[0, 1], [0.5, 0.5, 0, 1], atol=1 / 200)
    assert np.allclose(done[0, 2], [1 / 3, 2 / 3, 0, 0.75], atol=1 / 100)


def test_a_layer_of_another_kind_is_not_composited() -> None:
    with pytest.raises(ScumbleError) as error:
        composite(noise("rgb", "u8", 1), StylizeResult(noise("bgra", "u8", 1), (0, 0)))
    assert error.value.code is Code.BAD_REQUEST
