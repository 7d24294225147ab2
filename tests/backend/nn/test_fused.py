"""Convolutions with what follows them in one go give what the steps give one by one."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from scumble.backend.nn import fused, partial_conv
from scumble.backend.nn.partial_conv import PartialConv2d


def tensors(cin: int, cout: int, side: int, kernel: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(side)
    x = torch.randn(1, cin, side, side + 3).contiguous(memory_format=torch.channels_last)
    return x, torch.randn(cout, cin, kernel, kernel), torch.randn(cout)


@pytest.fixture(params=[True, False], ids=["with the library's", "without"])
def offered(request, monkeypatch):
    """Both on builds of torch that have the fused operators and on others."""
    if not request.param:
        monkeypatch.setattr(fused, "available", lambda: False)


@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (4, 2), (1, 1)])
def test_a_convolution_and_its_relu_are_those_two(offered, kernel, stride):
    x, weight, bias = tensors(8, 24, 20, kernel)
    with torch.inference_mode():
        wanted = F.conv2d(x, weight, bias, stride).relu()
        found = fused.conv2d_relu(x, weight, bias, stride)
    assert torch.allclose(found, wanted, atol=1e-5)
    assert float(wanted.max()) > 1  # something was let through


def test_a_connection_is_added_where_the_sum_is_wanted(offered):
    x, weight, _ = tensors(32, 16, 12, 1)
    coarse = torch.randn(1, 16, 12, 15).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        wanted = (coarse + F.conv2d(x, weight)).relu()
        found = fused.plus_rows_relu(coarse, x, weight)
        assert torch.allclose(found, wanted, atol=1e-5)
        assert found.data_ptr() == coarse.data_ptr()


def test_gradients_flow_through_both(offered):
    x, weight, bias = tensors(8, 8, 6, 1)
    x.requires_grad_(True)
    y = fused.plus_rows_relu(torch.ones_like(x), fused.conv2d_relu(x, weight, bias), weight)
    y.sum().backward()
    assert x.grad is not None
    assert float(x.grad.abs().max()) > 0


@settings(max_examples=20, deadline=None)
@given(
    height=st.integers(4, 19),
    width=st.integers(4, 19),
    count=st.integers(1, 2),
    cin=st.sampled_from([3, 16, 64]),
    renormalize=st.booleans(),
    masked=st.booleans(),
)
def test_a_layer_asked_for_its_relu_gives_its_features_clipped(
    height, width, count, cin, renormalize, masked
):
    """With and without a mask, along the borders too, by every way of convolving there is."""
    torch.manual_seed(height * width)
    layer = PartialConv2d(cin, 128)
    layer.freeze()
    x = torch.randn(count, cin, height, width)
    mask = torch.rand(1, 1, height, width) if masked else None
    with torch.inference_mode():
        plain = layer.masked(x, mask, renormalize=renormalize)[0]
        clipped = layer.masked(x, mask, renormalize=renormalize, relu=True)[0]
        reflected = F.conv2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), layer.weight, layer.bias)
    assert torch.allclose(clipped, plain.clamp_min(0), atol=1e-5)
    if mask is None:
        assert torch.allclose(plain, reflected, atol=2e-5)


@pytest.mark.parametrize("relu", [False, True])
def test_a_large_picture_is_reflected_at_its_borders_as_a_small_one_is(relu, monkeypatch):
    """Large ones are not copied; the lines along their borders are made apart."""
    torch.manual_seed(0)
    layer, x = PartialConv2d(5, 16), torch.randn(2, 5, 9, 14)
    with torch.inference_mode():
        small = layer.masked(x, None, relu=relu)[0]
        monkeypatch.setattr(partial_conv, "_LARGE", 1)
        assert torch.allclose(layer.masked(x, None, relu=relu)[0], small, atol=1e-5)


def test_where_the_library_refuses_torchs_own_way_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    x, weight = torch.rand(1, 8, 9, 9), torch.rand(4, 8, 3, 3)
    wanted, plain = F.conv2d(x, weight), F.conv2d
    calls: list[bool] = []

    def refusing(*args: Any) -> torch.Tensor:
        calls.append(torch.backends.mkldnn.enabled)
        if calls[-1]:
            raise RuntimeError("could not create a primitive")
        return plain(*args)

    monkeypatch.setattr(F, "conv2d", refusing)
    assert torch.allclose(fused.conv2d(x, weight), wanted, atol=1e-5)
    assert calls == [True, False] and torch.backends.mkldnn.enabled
