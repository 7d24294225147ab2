"""What lies between the convolutions: quick ways give what the plain ones give."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from scumble.backend.nn.between import halved, unfolded, without_grid
from scumble.backend.nn.partial_conv import PartialConv2d

SIDES = st.integers(1, 17)


@settings(max_examples=30, deadline=None)
@given(height=SIDES, width=SIDES, spare=st.sampled_from([0, 1, 4]), channels_last=st.booleans())
def test_blocks_of_four_channels_become_blocks_of_four_pixels(height, width, spare, channels_last):
    """Also where spare channels lie in memory behind those that count."""
    x = torch.rand(1, 12 + spare, height, width)
    if channels_last:
        x = x.to(memory_format=torch.channels_last)
    x = x[:, :12]
    with torch.inference_mode():
        assert torch.equal(unfolded(x), F.pixel_shuffle(x, 2))


def test_gradients_flow_through_the_blocks():
    x = torch.rand(2, 12, 3, 5, requires_grad=True)
    unfolded(x).sum().backward()
    assert x.grad is not None and bool((x.grad == 1).all())


@settings(max_examples=20, deadline=None)
@given(height=st.integers(2, 17), width=st.integers(2, 17))
def test_the_grid_is_removed_alike_while_training_and_while_painting(height, width):
    image = torch.rand(1, 3, height, width)
    slow = without_grid(image.clone().requires_grad_()).detach()
    with torch.inference_mode():
        assert torch.allclose(without_grid(image.clone()), slow, atol=1e-6)


def test_what_alternates_from_pixel_to_pixel_is_gone_and_a_slope_stays():
    rows = torch.arange(16.0)[:, None].expand(16, 16) / 16
    chequered = (torch.arange(16)[:, None] + torch.arange(16)) % 2 * 0.2
    with torch.inference_mode():
        smooth = without_grid((rows + chequered).repeat(1, 3, 1, 1))
        even = without_grid((0.4 + chequered).repeat(1, 3, 1, 1))
    assert torch.allclose(smooth[..., 1:-1, 1:-1], (rows + 0.1)[1:-1, 1:-1].expand(1, 3, 14, 14), atol=1e-6)
    # Up to the picture's border, where it would be a line along an even sky.
    assert torch.allclose(even, torch.full((1, 3, 16, 16), 0.5), atol=1e-6)


@settings(max_examples=20, deadline=None)
@given(height=st.integers(2, 17), width=st.integers(2, 17))
def test_halving_takes_the_largest_of_four(height, width):
    x = torch.rand(1, 4, height, width).to(memory_format=torch.channels_last)
    with torch.inference_mode():
        assert torch.equal(halved(x), F.max_pool2d(x, 2))


@settings(max_examples=20, deadline=None)
@given(
    found=st.sampled_from([8, 12, 13]),
    height=st.integers(4, 13),
    width=st.integers(4, 13),
    soft=st.booleans(),
)
def test_a_frozen_layer_may_compute_spare_channels_but_gives_its_own(found, height, width, soft):
    torch.manual_seed(found)
    plain, frozen = PartialConv2d(16, found), PartialConv2d(16, found)
    frozen.load_state_dict(plain.state_dict())
    frozen.freeze()
    x, mask = torch.rand(1, 16, height, width), torch.rand(1, 1, height, width)
    with torch.inference_mode():
        for m in (None, mask if soft else mask.round()):
            expected, features = plain.masked(x, m)[0], frozen.masked(x, m)[0]
            assert features.shape == expected.shape
            assert torch.allclose(features, expected, atol=1e-5)
