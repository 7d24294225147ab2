"""The full-size network: VGG-16 behind the compact network's calls, on random weights of its shapes."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from scumble.backend.nn import half_precision
from scumble.backend.nn.compact import TAPS
from scumble.backend.nn.full import UNIT, WIDTHS, FullDecoder, FullEncoder
from scumble.backend.nn.vgg import LAYERS, VGG16


def vgg_tensors(seed: int = 0) -> dict[str, torch.Tensor]:
    """Random weights in VGG-16's shapes, scaled so that activations neither die nor explode."""
    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    for name, cin, cout in LAYERS:
        if name != "pool":
            spread = (2 / (9 * cin)) ** 0.5
            tensors[f"{name}.weight"] = torch.randn(cout, cin, 3, 3, generator=generator) * spread
            tensors[f"{name}.bias"] = torch.randn(cout, generator=generator)
    return tensors


TENSORS = vgg_tensors()
ENCODER = FullEncoder.from_tensors(TENSORS)


def decoder(seed: int = 0) -> FullDecoder:
    torch.manual_seed(seed)
    return FullDecoder(32, 24, 16).eval().requires_grad_(False)


DECODER = decoder()


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 99), st.sampled_from([(32, 48), (40, 16), (33, 47)]), st.booleans())
def test_without_a_mask_it_is_vgg_itself_in_other_units(seed: int, size: tuple[int, int], half: bool) -> None:
    image = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(seed))
    with torch.inference_mode(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(half_precision, "available", lambda: half)
        ours, theirs = ENCODER(image), VGG16.from_tensors(TENSORS)(image, TAPS)
    assert list(ours) == list(TAPS)
    near = 0.02 if half else 1e-3
    for tap in TAPS:
        assert ours[tap].shape[1] == WIDTHS[tap]
        assert torch.allclose(ours[tap] * UNIT, theirs[tap], rtol=near, atol=near * float(theirs[tap].max()))


@pytest.mark.parametrize("renormalize", [False, True])
@pytest.mark.parametrize("expand", [False, True])
@torch.inference_mode()
def test_an_all_ones_mask_gives_the_plain_network(expand: bool, renormalize: bool) -> None:
    image = torch.rand(1, 3, 48, 40, generator=torch.Generator().manual_seed(1))
    how = {"expand": expand, "renormalize": renormalize}
    ones = torch.ones(1, 1, 48, 40)
    plain, masked = ENCODER(image), ENCODER(image, ones, **how)
    pairs = [(plain[tap], masked[tap]) for tap in TAPS]
    pairs.append((DECODER(plain), DECODER(plain, ones, **how)))
    if renormalize:  # the bias is added after the division: the last bit may differ
        assert all(torch.allclose(a, b, atol=1e-5) for a, b in pairs)
    else:
        assert all(torch.equal(a, b) for a, b in pairs)


@torch.inference_mode()
def test_pixels_far_outside_the_mask_never_matter() -> None:
    generator = torch.Generator().manual_seed(2)
    image, mask = torch.rand(1, 3, 96, 96, generator=generator), torch.zeros(1, 1, 96, 96)
    mask[..., 8:40, 8:40] = 1
    other = image.clone()
    other[..., 42:, :] = torch.rand(1, 3, 54, 96, generator=generator)
    one, two = (ENCODER(x, mask, renormalize=True) for x in (image, other))
    assert all(torch.equal(one[tap], two[tap]) for tap in TAPS)


@torch.inference_mode()
def test_the_picture_has_twice_the_sides_of_the_finest_tap_and_no_single_pixel_grid() -> None:
    image = torch.rand(1, 3, 64, 48, generator=torch.Generator().manual_seed(3))
    out = DECODER(ENCODER(image))
    assert out.shape == image.shape
    # The filter behind the last layer is blind to what alternates from pixel to pixel.
    inner = out[..., 4:-4, 4:-4]
    signs = torch.ones(inner.shape[-2:])
    signs[::2] *= -1
    signs[:, ::2] *= -1
    assert abs(float((inner * signs).mean())) < 1e-3 * float(inner.std())


def test_a_decoder_is_rebuilt_from_its_tensors_whatever_its_widths() -> None:
    tensors = {f"decoder.{k}": v.half() for k, v in DECODER.state_dict().items()}
    again = FullDecoder.from_tensors(tensors)
    assert again.state_dict().keys() == DECODER.state_dict().keys()
    assert torch.equal(again.c4.weight, DECODER.c4.weight.half().float())


def test_weights_that_lack_a_layer_are_refused() -> None:
    with pytest.raises(RuntimeError, match="2_2"):
        FullEncoder.from_tensors({k: v for k, v in TENSORS.items() if not k.startswith("2_2")})
