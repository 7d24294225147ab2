"""The bundled compact network: an encoder distilled from VGG-16 and the decoder trained on it.

Nothing is computed at the image's full size: the first layer takes windows of 4x4 px in steps of two,
the last one writes 2x2 px at a time.  On a CPU the layers at full size are the dearest, in time and in
memory, and the least use to brushwork; most of the work is at 1/8 and 1/4, where strokes are made.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .moments import area_averaged
from .partial_conv import PartialConv2d

#: The encoder's outputs, shallow to deep, named after the layers of VGG-16 they were distilled from.
TAPS = ("2_1", "3_1", "4_1")
#: Channels of each tap.
TAP_WIDTHS = {"2_1": 32, "3_1": 64, "4_1": 128}
#: Side of a tap's positions, in pixels of the image.
TAP_CELLS = {"2_1": 2, "3_1": 4, "4_1": 8}
#: What the sides of an image have to be whole multiples of, in pixels.
CELL = TAP_CELLS["4_1"]
MEAN_RGB = (0.485, 0.456, 0.406)
STD_RGB = (0.229, 0.224, 0.225)

_LAYERS = (
    ("1_1", 3, 24),
    ("2_1", 24, 32),
    ("pool", 0, 0),
    ("3_0", 32, 48),
    ("3_1", 48, 64),
    ("pool", 0, 0),
    ("4_0", 64, 96),
    ("4_1", 96, 128),
)


class CompactEncoder(nn.Module):
    """Three taps (relu2_1, 3_1, 4_1) of a narrow VGG, with partial convolution on request."""

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name, cin, cout in _LAYERS:
            if name == "1_1":
                self.add_module(name, PartialConv2d(cin, cout, 4, stride=2))
            elif name != "pool":
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

        :param image: (N, 3, H, W), RGB in [0, 1]; H and W at least 16, best multiples of 8.
        :param mask: (N or 1, 1, H, W) in [0, 1]; ``None`` gives the plain network.
        :param expand: see :func:`~scumble.backend.nn.partial_conv.partial_conv2d`.
        :param renormalize: likewise.
        :param tick: called before each layer; may raise to stop the work.
        :returns: ``{tap: (N, C, H // cell, W // cell)}``, see :data:`TAP_WIDTHS` and :data:`TAP_CELLS`.
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
    # Bilinear: nearest-neighbour doubling leaves steps of 4 to 8 px along every slanted stroke.
    height, width = like.shape[-2:]
    return F.interpolate(x, size=(height, width), mode="bilinear", align_corners=False)


def _unfolded(x: Tensor) -> Tensor:
    """``pixel_shuffle(x, 2)``, in half the time where the channels are last in memory."""
    count, channels, height, width = x.shape
    blocks = x.view(count, channels // 4, 2, 2, height, width).permute(0, 1, 4, 2, 5, 3)
    return blocks.reshape(count, channels // 4, 2 * height, 2 * width)


def _without_grid(image: Tensor) -> Tensor:
    """The picture without what alternates from pixel to pixel: 1-2-1 in both directions.

    Pixels of one 2x2 block come from different weights, and a network's eyes like the faint grid that
    these can make better than ours do.  This filter is blind to that grid and to nothing coarser; what
    it softens, the decoder has learned to give more of.
    """
    if image.device.type == "cpu" and not torch.is_grad_enabled():
        # The same sums, five times as quick; a 3x3 Gaussian of OpenCV's has these very weights.
        planes = image.contiguous().numpy()
        for plane in planes.reshape(-1, *planes.shape[-2:]):
            cv2.GaussianBlur(plane, (3, 3), 0, dst=plane, borderType=cv2.BORDER_REPLICATE)
        return torch.from_numpy(planes)
    padded = F.pad(image, (1, 1, 1, 1), mode="replicate")
    return F.avg_pool2d(F.avg_pool2d(padded, 2, stride=1), 2, stride=1)


def _plus(a: Tensor, b: Tensor) -> Tensor:
    """The sum, in ``a``'s own memory where nobody will ask for ``a`` again."""
    return a + b if torch.is_grad_enabled() else a.add_(b)


def _rows(layer: PartialConv2d, x: Tensor) -> Tensor:
    """A 1x1 convolution as a product of rows; it has nothing to mask that the next layer does not.

    Without its bias: see :func:`_raised`.
    """
    return F.linear(x.movedim(1, -1), layer.weight[:, :, 0, 0]).movedim(-1, 1)


def _raised(x: Tensor, layer: PartialConv2d) -> Tensor:
    """With the connection's bias: doubling keeps constants, so it is added where there are fewer places."""
    assert layer.bias is not None
    return _plus(x, layer.bias.view(1, -1, 1, 1))


class CompactDecoder(nn.Module):
    """From three taps of stylized features back to an image."""

    def __init__(self) -> None:
        super().__init__()
        self.a4 = PartialConv2d(128, 128)
        self.b4 = PartialConv2d(128, 64)
        self.skip3 = PartialConv2d(64, 64, 1)
        self.a3 = PartialConv2d(64, 64)
        self.b3 = PartialConv2d(64, 24)
        self.skip2 = PartialConv2d(32, 24, 1)
        self.a2 = PartialConv2d(24, 24)
        self.out = PartialConv2d(24, 12)
        with torch.no_grad():
            # The four pixels of a 2x2 block start out equal, or their differences show as a grid
            # that takes the whole training to fade (Aitken et al. 2017).
            assert self.out.bias is not None
            self.out.weight.copy_(self.out.weight[::4].repeat_interleave(4, 0))
            self.out.bias.copy_(self.out.bias[::4].repeat_interleave(4, 0))

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

        :param features: the encoder's three taps, stylized.
        :param mask: (1, 1, H, W) at the image's size, or ``None``.  It is area-averaged to each
            level, chained through the convolutions of that level and taken afresh at the next.
        :param tick: called before each layer; may raise to stop the work.
        :returns: (N, 3, H, W), twice the size of relu2_1, nominally in [0, 1], not clamped.
        """

        def level(tap: str) -> Tensor | None:
            if mask is None:
                return None
            height, width = features[tap].shape[-2:]
            return area_averaged(mask, (height, width))

        def conv(layer: PartialConv2d, x: Tensor, m: Tensor | None) -> tuple[Tensor, Tensor | None]:
            tick()
            return layer.masked(x, m, expand=expand, renormalize=renormalize)

        x, m = features["4_1"], level("4_1")
        y, m = conv(self.a4, x, m)
        x = _plus(F.relu(y, inplace=True), x)
        x, m = conv(self.b4, x, m)
        x = _raised(x, self.skip3)

        m = level("3_1")
        x = F.relu(_plus(_doubled(x, features["3_1"]), _rows(self.skip3, features["3_1"])), inplace=True)
        y, m = conv(self.a3, x, m)
        x = _plus(F.relu(y, inplace=True), x)
        x, m = conv(self.b3, x, m)
        x = _raised(x, self.skip2)

        m = level("2_1")
        x = F.relu(_plus(_doubled(x, features["2_1"]), _rows(self.skip2, features["2_1"])), inplace=True)
        y, m = conv(self.a2, x, m)
        x = _plus(F.relu(y, inplace=True), x)
        x, m = conv(self.out, x, m)
        return _without_grid(_unfolded(x))
