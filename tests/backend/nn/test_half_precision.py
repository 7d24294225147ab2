"""bfloat16 where the processor is made for it: the same pictures, but for what nobody sees."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data
from torch import Tensor

from scumble.backend.engines.partial_conv import load_network
from scumble.backend.nn import half_precision
from scumble.backend.nn.compact import TAPS, CompactDecoder, CompactEncoder
from scumble.backend.nn.partial_conv import PartialConv2d


@pytest.fixture
def chelsea() -> Tensor:
    """(1, 3, 192, 256) of a photograph."""
    small = Image.fromarray(data.chelsea()).resize((256, 192), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.asarray(small) / np.float32(255)).movedim(-1, 0)[None]


@pytest.fixture
def disc() -> Tensor:
    """A soft (1, 1, 192, 256) mask."""
    y, x = torch.meshgrid(torch.arange(192) - 96.0, torch.arange(256) - 128.0, indexing="ij")
    return ((70 - torch.hypot(x, y)) / 12).clamp(0, 1)[None, None]


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the processor is: the library can do it anywhere, only not as fast."""
    monkeypatch.setattr(half_precision, "available", lambda: True)


def networks() -> tuple[CompactEncoder, CompactDecoder]:
    network = load_network("cpu")
    encoder, decoder = network.encoder, network.decoder
    assert isinstance(encoder, CompactEncoder) and isinstance(decoder, CompactDecoder)
    return encoder, decoder


def both(
    picture: Tensor, mask: Tensor | None, monkeypatch: pytest.MonkeyPatch
) -> list[tuple[dict[str, Tensor], Tensor]]:
    """Taps and the picture decoded from them, in single precision and in half."""
    encoder, decoder = networks()
    found = []
    for half in (False, True):
        monkeypatch.setattr(half_precision, "available", lambda half=half: half)
        with torch.inference_mode():
            taps = encoder(picture, mask, renormalize=True)
            found.append((taps, decoder(dict(taps), mask, renormalize=True)))
    return found


@pytest.mark.parametrize("masked", [False, True])
def test_features_and_pictures_are_those_of_single_precision(
    chelsea: Tensor, disc: Tensor, masked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    mask = disc if masked else None
    (single, wanted), (half, found) = both(chelsea, mask, monkeypatch)
    for tap in TAPS:
        assert half[tap].dtype == torch.float32
        error = (half[tap] - single[tap]).norm() / single[tap].norm()
        assert 0 < float(error) < 0.01
    # Half a level of 255 on average.
    assert found.dtype == torch.float32
    assert 0 < float((found - wanted).abs().mean()) < 0.5 / 255


def test_a_smooth_sky_gets_no_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is made of a gradient rises as evenly as in single precision."""
    rise = torch.linspace(0.35, 0.55, 256)
    sky = rise.expand(1, 3, 192, 256).contiguous()
    (_, wanted), (_, found) = both(sky, None, monkeypatch)
    steps = [x[0, :, 32:160, 32:224].mean(1).diff(dim=-1).abs().amax() for x in (wanted, found)]
    assert float(steps[1]) < float(steps[0]) + 0.5 / 255


def test_gradients_are_always_in_single_precision(offered: None, chelsea: Tensor) -> None:
    assert half_precision.lowered(chelsea) is chelsea
    with torch.inference_mode():
        assert half_precision.lowered(chelsea).dtype == torch.bfloat16
        assert half_precision.lowered(chelsea.double()).dtype == torch.float64


@pytest.mark.parametrize("relu", [False, True])
def test_a_layer_takes_what_it_is_given_frozen_or_not(relu: bool) -> None:
    torch.manual_seed(3)
    layer = PartialConv2d(8, 12)
    x = torch.randn(1, 8, 20, 24).to(memory_format=torch.channels_last)
    with torch.inference_mode():
        wanted = layer.masked(x, None, relu=relu)[0]
        before = layer.masked(x.bfloat16(), None, relu=relu)[0]
        layer.freeze()
        after = layer.masked(x.bfloat16(), None, relu=relu)[0]
    assert before.dtype == after.dtype == torch.bfloat16
    assert torch.equal(before, after)
    assert torch.allclose(after.float(), wanted, atol=0.02 * float(wanted.abs().max()))


def test_a_processor_without_it_is_not_asked_to_do_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for without in (lambda: False, None):
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", without, raising=False)
        half_precision.available.cache_clear()
        assert not half_precision.available()
    half_precision.available.cache_clear()
