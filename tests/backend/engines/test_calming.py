"""Parts come down to the contrast of their counterparts, and nothing else changes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from scumble.backend.engines import calming
from scumble.backend.engines.base import Context, JobRegion, StylePart
from scumble.backend.engines.cache import TensorCache
from scumble.backend.session import Session
from scumble.shared.messages import MaskBuffer, PixelBuffer, PixelStyle, Region, StylizeRequest

SIDE = 96
ALL = np.ones((SIDE, SIDE), np.float32)


def picture(contrast: float, seed: int, side: int = SIDE) -> np.ndarray:
    """(3, H, W): grey with blots of every size."""
    rng = np.random.default_rng(seed)
    image = np.zeros((3, side, side))
    for cell in (1, 2, 4, 8, 16):
        blots = rng.normal(size=(1, -(-side // cell), -(-side // cell)))
        image += blots.repeat(cell, 1).repeat(cell, 2)[:, :side, :side]
    return np.asarray((0.5 + contrast * image).clip(0, 1), np.float32)


def quantiles(image: np.ndarray, mask: np.ndarray = ALL) -> list[Any]:
    """Of each band."""
    return [b.quantiles() for b in calming.bands(image, mask)]


def region(mask: np.ndarray, *styles: StylePart, strength: float = 1.0, **options: Any) -> JobRegion:
    """With the options that matter here."""
    return JobRegion(torch.from_numpy(mask), styles, strength, {"calm": 1.0, "style_scale": 1.0, **options})


def style(image: np.ndarray, mask: np.ndarray | None = None, weight: float = 1.0) -> StylePart:
    """A style picture, or a part of one."""
    return StylePart(
        torch.from_numpy(image), f"{hash(image.tobytes())}", weight,
        None if mask is None else torch.from_numpy(mask),
    )  # fmt: skip


def context() -> Context:
    """With a small cache of its own."""
    return Context(torch.device("cpu"), TensorCache(1 << 24))


def test_a_lively_part_comes_down_to_its_plain_counterpart_at_every_scale() -> None:
    """The strengths of each band are the painting's afterwards, or nearly."""
    lively, plain, mask = picture(0.1, 1, 320), picture(0.02, 2, 320), np.ones((320, 320), np.float32)
    wanted = quantiles(plain, mask)
    change = calming.calming(lively, mask, wanted)
    assert change is not None
    after, before = quantiles(lively + change, mask), quantiles(lively, mask)
    for now, then, want in list(zip(after, before, wanted, strict=True))[:-1]:
        assert then.mean() > 4 * want.mean()
        assert now.mean() < 1.3 * want.mean()
    # The coarsest holds some of what is coarser yet, which stays.
    assert after[-1].mean() < 0.6 * before[-1].mean()


def test_its_mean_colour_stays() -> None:
    """Only what differs from the surroundings is less."""
    lively = picture(0.1, 1)
    change = calming.calming(lively, ALL, quantiles(picture(0.02, 2)))
    assert change is not None
    assert np.abs(change.mean((1, 2))).max() < 0.01


@settings(max_examples=20, deadline=None)
@given(contrast=st.floats(0.0, 0.1), more=st.floats(1.0, 3.0), seed=st.integers(0, 99))
def test_what_is_no_livelier_than_the_painting_is_left_alone(contrast: float, more: float, seed: int) -> None:
    """Contrast is never turned up, and a picture is not changed by itself."""
    image = picture(contrast, seed)
    assert calming.calming(image, ALL, quantiles(0.5 + (image - 0.5) * np.float32(more))) is None


@settings(max_examples=20, deadline=None)
@given(top=st.integers(0, 60), left=st.integers(0, 60), size=st.integers(16, 40), seed=st.integers(0, 99))
def test_what_lies_outside_the_mask_makes_no_difference_and_none_is_made_to_it(
    top: int, left: int, size: int, seed: int
) -> None:
    """Two pictures that are equal under the mask are changed equally there, and nowhere else."""
    mask = np.zeros((SIDE, SIDE), np.float32)
    mask[top : top + size, left : left + size] = 1
    one = picture(0.1, seed)
    other = np.where(mask > 0, one, picture(0.3, seed + 1)).astype(np.float32)
    plain = quantiles(picture(0.01, 7))
    first, second = (calming.calming(x, mask, plain) for x in (one, other))
    assert first is not None and second is not None
    assert np.array_equal(first, second)
    assert (first[:, mask == 0] == 0).all()


def test_bands_of_a_picture_with_odd_sides_are_octaves_and_a_flat_picture_has_none() -> None:
    """Sides are halved upwards."""
    image = picture(0.1, 3, 93)[:, :, :77]
    image = np.ascontiguousarray(image)
    found = calming.bands(image, np.ones(image.shape[1:], np.float32))
    assert [b.values.shape[1:] for b in found[:3]] == [(93, 77), (47, 39), (24, 20)]
    assert found[0].values.std() > 0.02
    flat = calming.bands(np.full_like(image, 0.3), np.ones(image.shape[1:], np.float32))
    assert max(float(np.abs(b.values).max()) for b in flat) < 1e-5


def test_several_styles_ask_for_something_between_them() -> None:
    """By their shares."""
    lively, plain = style(picture(0.1, 1), weight=0.25), style(picture(0.02, 2), weight=0.75)
    both = calming.wanted(region(ALL, lively, plain), context())
    for mixed, a, b in zip(both, quantiles(picture(0.1, 1)), quantiles(picture(0.02, 2)), strict=False):
        if mixed is not None and a is not None and b is not None:
            assert np.allclose(mixed, 0.25 * a + 0.75 * b, atol=1e-4)


def test_only_the_paired_part_of_the_painting_counts_also_from_the_cache() -> None:
    """What a style's mask hides may be anything."""
    left = np.zeros((SIDE, SIDE), np.float32)
    left[:, : SIDE // 2] = 1
    one = picture(0.02, 2)
    other = np.where(left > 0, one, picture(0.2, 5)).astype(np.float32)
    kept = context()
    for image in (one, other):
        first = calming.wanted(region(ALL, style(image, left)), kept)
        again = calming.wanted(region(ALL, style(image, left)), kept)
        for a, b, want in zip(first, again, calming.wanted(region(ALL, style(one, left)), kept), strict=True):
            assert (a is None) == (b is None) == (want is None)
            if a is not None and b is not None and want is not None:
                assert np.array_equal(a, b) and np.allclose(a, want, atol=1e-4)
    hidden = calming.wanted(region(ALL, style(other, 1 - left)), kept)[0]
    shown = calming.wanted(region(ALL, style(other, left)), kept)[0]
    assert hidden is not None and shown is not None and hidden.mean() > 3 * shown.mean()


def test_strength_and_the_control_say_how_far() -> None:
    """Half the strength is half the way; none is none."""
    lively = torch.from_numpy(picture(0.1, 1))
    plain = style(picture(0.02, 2))
    whole = calming.calmed(lively, [region(ALL, plain)], context()) - lively
    half = calming.calmed(lively, [region(ALL, plain, strength=0.5)], context()) - lively
    other = calming.calmed(lively, [region(ALL, plain, calm=0.5)], context()) - lively
    assert float(whole.abs().max()) > 0.05
    assert torch.allclose(half, 0.5 * whole, atol=1e-6) and torch.allclose(other, half)
    assert calming.calmed(lively, [region(ALL, plain, calm=0.0)], context()) is lively


@pytest.mark.parametrize("size", [1, 3, 7, 9])
def test_a_region_of_a_few_pixels_is_left_as_it_is(size: int) -> None:
    """It has no bands to speak of."""
    mask = np.zeros((SIDE, SIDE), np.float32)
    mask[5 : 5 + size, 5 : 5 + size] = 1
    lively = torch.from_numpy(picture(0.1, 1))
    out = calming.calmed(lively, [region(mask, style(picture(0.02, 2)))], context())
    assert bool(out.isfinite().all())
    assert torch.equal(out[:, mask == 0], lively[:, mask == 0])


def test_a_large_part_is_calmed_at_half_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """About as much, but for the finest octave, and what lies outside makes no difference there either."""
    mask = np.zeros((320, 320), np.float32)
    mask[20:310, 31:300] = 1
    lively = torch.from_numpy(picture(0.1, 1, 320))
    own = region(mask, style(picture(0.02, 2, 320)))
    whole = calming.calmed(lively, [own], context())
    monkeypatch.setattr(calming, "MOST", 200 * 200)
    half = calming.calmed(lively, [own], context())
    hidden = torch.where(own.mask > 0, lively, torch.rand(lively.shape))
    elsewhere = calming.calmed(hidden, [own], context())
    assert torch.equal(half[:, own.mask == 0], lively[:, own.mask == 0])
    assert torch.equal(half[:, own.mask > 0], elsewhere[:, own.mask > 0])

    def coarse(x: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.avg_pool2d(x[:, 40:280, 40:280], 4)

    before, after, at_half = (float(coarse(x).std()) for x in (lively, whole, half))
    assert after < 0.8 * before and at_half < 0.9 * before


def painted(**options: Any) -> np.ndarray:
    """A layer with things on a wall, under a plain style, by the whole engine; (H, W, 3)."""
    buffers, things = [], np.full((3, SIDE, SIDE), 0.6, np.float32)
    for top, left in ((20, 20), (28, 60), (60, 36)):
        things[:, top : top + 18, left : left + 14] = 0.1
        things[:, top + 4 : top + 10, left + 4 : left + 10] = 1.0
    for image in (things, picture(0.02, 2)):
        pixels = (image.clip(0, 1) * 255).astype(np.uint8).transpose(1, 2, 0)
        buffers.append(PixelBuffer(SIDE, SIDE, "rgb", "u8", np.ascontiguousarray(pixels).tobytes()))
    whole = MaskBuffer(SIDE, SIDE, bytes([255]) * SIDE * SIDE)
    regions = (Region(whole, PixelStyle(buffers[1]), style_mask=whole),)
    layer = Session("cpu").stylize(StylizeRequest(buffers[0], regions, "semantic", options)).layer
    return np.frombuffer(layer.data, np.uint8).reshape(layer.height, layer.width, 4)[..., :3].astype(float)


def test_the_engine_calms_what_it_paints_unless_it_is_told_not_to() -> None:
    """A lively layer under a plain painting is plainer with it; the published method is without it."""
    inside = (slice(16, -16), slice(16, -16))
    assert painted()[inside].std() < 0.95 * painted(calm=0.0)[inside].std()
    assert np.array_equal(painted(order="first"), painted(order="first", calm=0.0))
