"""Partial convolution: only what lies under the mask counts, and no call remembers another."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from scumble.backend.nn import partial_conv
from scumble.backend.nn.compact import TAP_CELLS, TAP_WIDTHS, TAPS, CompactDecoder
from scumble.backend.nn.partial_conv import Factor, PartialConv2d, Window, expand_mask, partial_conv2d


def tensors(seed: int, h: int = 12, w: int = 15, kernel: int = 3) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(2, 4, h, w, generator=g)
    weight = torch.randn(5, 4, kernel, kernel, generator=g)
    bias = torch.randn(5, generator=g)
    mask = torch.rand(1, 1, h, w, generator=g) * (torch.rand(1, 1, h, w, generator=g) > 0.5)
    return x, weight, bias, mask


def plain(x: Tensor, weight: Tensor, bias: Tensor, padding: str) -> Tensor:
    r = weight.shape[-1] // 2
    return F.conv2d(F.pad(x, (r, r, r, r), mode=padding) if r else x, weight, bias)


sizes = st.integers(3, 14)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 99), sizes, sizes, st.sampled_from([1, 3]), st.sampled_from(["reflect", "constant"]))
def test_an_all_ones_mask_is_the_plain_convolution_to_the_bit(
    seed: int, h: int, w: int, kernel: int, padding: str
) -> None:
    x, weight, bias, _ = tensors(seed, h, w, kernel)
    y, grown = partial_conv2d(x, weight, bias, torch.ones(1, 1, h, w), padding=padding)
    assert torch.equal(y, plain(x, weight, bias, padding))
    assert grown is not None and torch.equal(grown, torch.ones_like(grown))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 99), sizes, sizes, st.booleans(), st.booleans())
def test_values_outside_the_mask_never_matter(
    seed: int, h: int, w: int, expand: bool, renormalize: bool
) -> None:
    x, weight, bias, mask = tensors(seed, h, w)
    seen = expand_mask(mask) if expand else mask
    other = torch.where(seen > 0, x, torch.full_like(x, 1e3))
    a, _ = partial_conv2d(x, weight, bias, mask, expand=expand, renormalize=renormalize)
    b, _ = partial_conv2d(other, weight, bias, mask, expand=expand, renormalize=renormalize)
    if not renormalize:  # dividing by tiny shares of faint masks amplifies rounding
        assert torch.allclose(a, b, atol=1e-5)
    else:
        assert torch.allclose(a, b, rtol=1e-3, atol=1e-3)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 99), sizes, sizes)
def test_the_mask_handed_on_never_shrinks_and_grows_by_the_kernels_radius(seed: int, h: int, w: int) -> None:
    x, weight, bias, mask = tensors(seed, h, w)
    _, grown = partial_conv2d(x, weight, bias, mask)
    assert grown is not None
    assert bool((grown >= mask - 1e-6).all()) and float(grown.max()) <= 1
    assert torch.equal(grown > 0, expand_mask(mask) > 0)


def test_expansion_lets_in_one_pixel_beyond_the_mask() -> None:
    x = torch.ones(1, 1, 9, 9)
    mask = torch.zeros(1, 1, 9, 9)
    mask[..., 4, 4] = 1
    weight = torch.ones(1, 1, 1, 1)
    narrow, _ = partial_conv2d(x, weight, None, mask, expand=False)
    wide, _ = partial_conv2d(x, weight, None, mask, expand=True)
    assert int((narrow > 0).sum()) == 1 and int((wide > 0).sum()) == 9


def test_at_the_border_the_mask_is_reflected_before_it_is_expanded() -> None:
    """As released: the reflected ring sees its own neighbours, not those of the pixel it copies."""
    x, weight, bias, _ = tensors(1, 6, 8)
    mask = torch.zeros(1, 1, 6, 8)
    mask[..., 2] = 1  # two pixels off the border: the ring reflects column 1 and must stay dark
    y, _ = partial_conv2d(x, weight, bias, mask)
    padded = F.pad(mask, (1, 1, 1, 1), mode="reflect")
    support = F.max_pool2d(padded, 3, 1, 1)
    assert float(support[..., 0].max()) == 0
    expected = F.conv2d(F.pad(x, (1, 1, 1, 1), mode="reflect") * support, weight, bias)
    assert torch.equal(y, expected)


def test_renormalization_keeps_a_constant_constant_up_to_the_masks_edge() -> None:
    """Without it the zeros outside the mask darken the rim."""
    x = torch.full((1, 1, 16, 16), 0.5)
    mask = torch.zeros(1, 1, 16, 16)
    mask[..., 4:12, 4:12] = 1
    weight = torch.full((1, 1, 3, 3), 1 / 9)
    inside = mask[0, 0] > 0
    dark, _ = partial_conv2d(x, weight, None, mask, expand=False)
    kept, _ = partial_conv2d(x, weight, None, mask, expand=False, renormalize=True)
    assert float(dark[0, 0][inside].min()) < 0.3
    assert torch.allclose(kept[0, 0][inside], torch.tensor(0.5), atol=1e-6)


def test_with_zeros_outside_the_border_counts_as_invalid_when_renormalizing() -> None:
    x = torch.full((1, 1, 8, 8), 0.5)
    weight = torch.full((1, 1, 3, 3), 1 / 9)
    y, _ = partial_conv2d(x, weight, None, torch.ones(1, 1, 8, 8), renormalize=True, padding="constant")
    assert torch.allclose(y, torch.tensor(0.5), atol=1e-6)


def test_where_nothing_is_valid_renormalization_gives_the_bias() -> None:
    x, weight, bias, _ = tensors(2)
    mask = torch.zeros(1, 1, 12, 15)
    y, grown = partial_conv2d(x, weight, bias, mask, renormalize=True)
    assert torch.equal(y, bias.view(1, -1, 1, 1).expand_as(y))
    assert grown is not None and float(grown.max()) == 0


def test_a_call_without_a_mask_is_not_haunted_by_an_earlier_mask() -> None:
    x, _, _, mask = tensors(3)
    layer = PartialConv2d(4, 5)
    with torch.inference_mode():
        before = layer(x)
        layer.masked(x, mask)
        assert torch.equal(layer(x), before)


def test_a_sliver_one_pixel_wide_still_has_a_border() -> None:
    x, weight, bias, mask = tensors(4, 1, 9)
    y, grown = partial_conv2d(x, weight, bias, mask)
    assert y.shape == (2, 5, 1, 9) and grown is not None and grown.shape == mask.shape
    assert torch.isfinite(y).all()


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 99), st.booleans(), st.booleans())
def test_masks_kept_from_one_picture_serve_the_next(seed: int, expand: bool, renormalize: bool) -> None:
    g = torch.Generator().manual_seed(seed)
    decoder = CompactDecoder().requires_grad_(False)
    mask = (torch.rand(1, 1, 48, 64, generator=g) * 2 - 0.5).clamp(0, 1)
    windows: list[Window] = []
    how = {"expand": expand, "renormalize": renormalize}
    for kept in (0, 6):
        sizes = {tap: (TAP_WIDTHS[tap], 48 // TAP_CELLS[tap], 64 // TAP_CELLS[tap]) for tap in TAPS}
        taps = {tap: torch.rand(1, *size, generator=g) for tap, size in sizes.items()}
        fresh = decoder({tap: x.clone() for tap, x in taps.items()}, mask, **how)
        assert len(windows) == kept
        assert torch.equal(decoder(taps, mask, windows=windows, **how), fresh)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 99), st.integers(4, 14), st.integers(4, 14), st.booleans(), st.booleans())
def test_the_quick_way_at_the_border_gives_what_a_reflected_border_gives(
    seed: int, h: int, w: int, masked: bool, channels_last: bool
) -> None:
    x, weight, bias, mask = tensors(seed, h, w)
    if channels_last:
        x = x.to(memory_format=torch.channels_last)
    wanted, _ = partial_conv2d(x, weight, bias, mask if masked else None)
    with torch.inference_mode():
        found, _ = partial_conv2d(x, weight, bias, mask if masked else None)
    assert (found - wanted).abs().max() < 1e-4


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 99), st.integers(4, 24), st.integers(4, 24), st.booleans(), st.sampled_from([4, 64]))
def test_touching_only_what_a_mask_changes_gives_what_multiplying_everything_does(
    seed: int, h: int, w: int, expand: bool, width: int
) -> None:
    """Along a mask's edge and at the picture's, by every way of convolving there is."""
    g = torch.Generator().manual_seed(seed)
    layer = PartialConv2d(width, 128).requires_grad_(False)
    layer.freeze()
    x = torch.randn(1, width, h, w, generator=g).contiguous(memory_format=torch.channels_last)
    mask = torch.ones(1, 1, h, w)
    mask[..., : int(torch.randint(0, h // 2, (1,), generator=g)), :] = 0
    mask[..., 0] = torch.rand(h, generator=g)
    found = []
    for few in (1, 10**9):  # whenever it is not one everywhere, and never
        with pytest.MonkeyPatch.context() as patch, torch.inference_mode():
            patch.setattr(partial_conv, "_FEW", few)
            window = layer.window(mask, expand=expand, renormalize=True)
            touched = bool((window.support.values != 1).any())
            assert (window.support.few is None) == (few > 1 and touched)
            found.append(layer.masked(x, window, relu=True)[0])
    assert torch.allclose(*found, rtol=1e-4, atol=1e-4)


def test_a_factor_knows_where_it_is_not_one() -> None:
    values = torch.ones(1, 1, 5, 7)
    values[..., 2, 3], values[..., 4, 0] = 0.5, 0.0
    few = Factor.of(values).few
    assert few is not None
    rows, columns, there = few
    assert rows.tolist() == [2, 4] and columns.tolist() == [3, 0] and there.flatten().tolist() == [0.5, 0.0]
    assert Factor.of(torch.full((1, 1, 5, 7), 0.5)).few is None
