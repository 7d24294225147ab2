"""The bundled compact network: an encoder distilled from VGG-16 and the decoder trained on it.

The encoder costs a sixteenth of VGG-16 to relu4_1.  The decoder fuses the stylized features of all
four taps; most of its work is at 1/8 and 1/4 of the size, where strokes are made.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .partial_conv import PartialConv2d

TAPS = ("1_1", "2_1", "3_1", "4_1")
#: Channels of each tap, shallow to deep; a tap at index i lies at 1/2**i of the image's size.
TAP_WIDTHS = {"1_1": 16, "2_1": 32, "3_1": 64, "4_1": 128}
MEAN_RGB = (0.485, 0.456, 0.406)
STD_RGB = (0.229, 0.224, 0.225)

_LAYERS = (
    ("1_1", 3, 16),
    ("1_2", 16, 16),
    ("pool", 0, 0),
    ("2_1", 16, 32),
    ("2_2", 32, 32),
    ("pool", 0, 0),
    ("3_1", 32, 64),
    ("3_2", 64, 64),
    ("3_3", 64, 64),
    ("pool", 0, 0),
    ("4_1", 64, 128),
)


class CompactEncoder(nn.Module):
    """Four taps (relu1_1, 2_1, 3_1, 4_1) of a narrow VGG, with partial convolution on request."""

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name, cin, cout in _LAYERS:
            if name != "pool":
                self.add_module(name, PartialConv2d(cin, cout))
        self.register_buffer("mean", torch.tensor(MEAN_RGB).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD_RGB).view(1, 3, 1, 1), persistent=False)

    def forward(
        self,
        image: Tensor,
        mask: Tensor | None = None,
        *,
        expand: bool = True,
        renormalize: bool = False,
        tick: Callable[[], None] = lambda: None,
    ) -> dict[str, Tensor]:
        """Features after the ReLU of each tap.

        :param image: (N, 3, H, W), RGB in [0, 1]; H and W at least 8.
        :param mask: (N or 1, 1, H, W) in [0, 1]; ``None`` gives the plain network.
        :param expand: see :func:`~scumble.backend.nn.partial_conv.partial_conv2d`.
        :param renormalize: likewise.
        :param tick: called before each layer; may raise to stop the work.
        :returns: ``{tap: (N, C, H // 2**level, W // 2**level)}``.
        """
        x = (image - self.mean) / self.std
        features: dict[str, Tensor] = {}
        for name, _, _ in _LAYERS:
            if name == "pool":
                x = _halved(x)
                mask = None if mask is None else F.max_pool2d(mask, 2)
                continue
            tick()
            layer = self.get_submodule(name)
            assert isinstance(layer, PartialConv2d)
            x, mask = layer.masked(x, mask, expand=expand, renormalize=renormalize)
            x = F.relu(x, inplace=True)
            if name in TAPS:
                features[name] = x
        return features


def _halved(x: Tensor) -> Tensor:
    """2x2 maximum; as three comparisons it needs no indices and runs along the channels."""
    if torch.is_grad_enabled():
        return F.max_pool2d(x, 2)
    height, width = x.shape[-2] // 2 * 2, x.shape[-1] // 2 * 2
    x = x[..., :height, :width]
    upper = torch.maximum(x[..., ::2, ::2], x[..., ::2, 1::2])
    return torch.maximum(upper, torch.maximum(x[..., 1::2, ::2], x[..., 1::2, 1::2]))


def _doubled(x: Tensor, like: Tensor) -> Tensor:
    # Bilinear: nearest-neighbour doubling leaves steps of 2 to 8 px along every slanted stroke.
    # Sides that do not divide by 8 lose their remainder in the encoder's pools; follow the tap.
    height, width = like.shape[-2:]
    return F.interpolate(x, size=(height, width), mode="bilinear", align_corners=False)


class CompactDecoder(nn.Module):
    """From four taps of stylized features back to an image."""

    def __init__(self) -> None:
        super().__init__()
        self.a4 = PartialConv2d(128, 128)
        self.b4 = PartialConv2d(128, 64)
        self.a3 = PartialConv2d(128, 64)
        self.b3 = PartialConv2d(64, 64)
        self.c3 = PartialConv2d(64, 32)
        self.a2 = PartialConv2d(64, 32)
        self.b2 = PartialConv2d(32, 16)
        self.skip1 = PartialConv2d(16, 16, 1)
        self.a1 = PartialConv2d(16, 16)
        self.out = PartialConv2d(16, 3)

    def forward(
        self,
        features: dict[str, Tensor],
        mask: Tensor | None = None,
        *,
        expand: bool = True,
        renormalize: bool = False,
        tick: Callable[[], None] = lambda: None,
    ) -> Tensor:
        """Decode.

        :param features: the encoder's four taps, stylized.
        :param mask: (1, 1, H, W) at the image's size, or ``None``.  It is area-averaged to each
            level, chained through the convolutions of that level and taken afresh at the next.
        :param tick: called before each layer; may raise to stop the work.
        :returns: (N, 3, H, W) for taps of an (H, W) image, nominally in [0, 1], not clamped.
        """

        def level(tap: str) -> Tensor | None:
            if mask is None:
                return None
            height, width = features[tap].shape[-2:]
            return F.adaptive_avg_pool2d(mask, (height, width))

        def conv(layer: PartialConv2d, x: Tensor, m: Tensor | None) -> tuple[Tensor, Tensor | None]:
            tick()
            return layer.masked(x, m, expand=expand, renormalize=renormalize)

        x, m = features["4_1"], level("4_1")
        y, m = conv(self.a4, x, m)
        x = x + F.relu(y, inplace=True)
        x, m = conv(self.b4, x, m)
        x = F.relu(x, inplace=True)

        m = level("3_1")
        x = torch.cat([_doubled(x, features["3_1"]), features["3_1"]], 1)
        x, m = conv(self.a3, x, m)
        x = F.relu(x, inplace=True)
        y, m = conv(self.b3, x, m)
        x = x + F.relu(y, inplace=True)
        x, m = conv(self.c3, x, m)
        x = F.relu(x, inplace=True)

        m = level("2_1")
        x = torch.cat([_doubled(x, features["2_1"]), features["2_1"]], 1)
        x, m = conv(self.a2, x, m)
        x = F.relu(x, inplace=True)
        x, m = conv(self.b2, x, m)
        x = F.relu(x, inplace=True)

        m = level("1_1")
        # 1x1, as a product of rows: nothing to mask that the next layer does not.
        y = F.linear(features["1_1"].movedim(1, -1), self.skip1.weight[:, :, 0, 0])
        assert self.skip1.bias is not None
        y += self.skip1.bias
        x = _doubled(x, features["1_1"]) + y.movedim(-1, 1)
        x, m = conv(self.a1, F.relu(x, inplace=True), m)
        x = F.relu(x, inplace=True)
        x, m = conv(self.out, x, m)
        return x
