"""The convolution with fewer multiplications is the convolution."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from scumble.backend.nn import winograd
from scumble.backend.nn.partial_conv import PartialConv2d

SIDES = st.integers(4, 37)


def layers(cin: int, cout: int, seed: int) -> tuple[PartialConv2d, PartialConv2d]:
    """The same layer twice, as trained and frozen."""
    torch.manual_seed(seed)
    plain, frozen = PartialConv2d(cin, cout), PartialConv2d(cin, cout)
    frozen.load_state_dict(plain.state_dict())
    frozen.freeze()
    return plain, frozen


@settings(max_examples=25, deadline=None)
@given(height=SIDES, width=SIDES, seed=st.integers(0, 99), expand=st.booleans(), soft=st.booleans())
def test_a_frozen_layer_gives_what_the_layer_gives_at_every_size_and_mask(height, width, seed, expand, soft):
    plain, frozen = layers(64, 128, seed)
    assert frozen._kernels is not None
    x = torch.rand(1, 64, height, width)
    mask = torch.rand(1, 1, height, width)
    mask = mask if soft else (mask > 0.5).float()
    with torch.inference_mode():
        for m in (None, mask):
            expected, grown = plain.masked(x, m, expand=expand)
            found, also_grown = frozen.masked(x, m, expand=expand)
            assert torch.allclose(found, expected, atol=2e-5)
            assert (grown is None) == (also_grown is None)
            if grown is not None and also_grown is not None:
                assert torch.equal(grown, also_grown)


def test_a_frozen_layer_with_a_mask_of_ones_is_the_plain_one_to_the_bit():
    _, frozen = layers(96, 96, 0)
    x = torch.rand(1, 96, 21, 34)
    with torch.inference_mode():
        assert torch.equal(frozen.masked(x, torch.ones(1, 1, 21, 34))[0], frozen.masked(x, None)[0])


def test_what_lies_outside_the_mask_never_matters_to_a_frozen_layer():
    _, frozen = layers(96, 96, 1)
    mask = torch.zeros(1, 1, 24, 24)
    mask[..., 8:16, 6:13] = 1
    x = torch.rand(1, 96, 24, 24)
    wild = torch.where(mask > 0, x, 1e6 * torch.rand_like(x))
    with torch.inference_mode():
        found = frozen.masked(x, mask, expand=False)[0]
        assert torch.equal(found, frozen.masked(wild, mask, expand=False)[0])


@pytest.mark.parametrize(("cin", "cout"), [(24, 512), (512, 24), (64, 64)])
def test_narrow_layers_stay_as_they_are(cin, cout):
    assert layers(cin, cout, 0)[1]._kernels is None


def test_gradients_flow_through_the_plain_convolution():
    """Frozen kernels are for painting only; a training goes the way its weights go."""
    _, frozen = layers(96, 96, 0)
    x = torch.rand(1, 96, 8, 8, requires_grad=True)
    frozen.masked(x, None)[0].sum().backward()
    assert x.grad is not None
    assert winograd.padded_size(8, 8) == (10, 10)
