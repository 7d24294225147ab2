"""The bundled compact network: an encoder distilled from VGG-16 and the decoder trained on it.

Nothing is computed at the image's full size: the first layer takes windows of 4x4 px in steps of two,
the last one writes 2x2 px at a time.  On a CPU the layers at full size are the dearest, in time and in
memory, and the least use to brushwork; most of the work is at 1/8 and 1/4, where strokes are made.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from .between import joined, plus, raised, unfolded, without_grid
from .half_precision import lowered
from .masked_layers import MaskedLayers
from .partial_conv import PartialConv2d, Window

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

    shift: Tensor
    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name, cin, cout in _LAYERS:
            if name == "1_1":
                self.add_module(name, PartialConv2d(cin, cout, 4, stride=2))
            elif name != "pool":
                self.add_module(name, PartialConv2d(cin, cout))
        # (image - mean) / std in one pass over the picture.
        scale = 1 / torch.tensor(STD_RGB).view(1, 3, 1, 1)
        self.register_buffer("scale", scale, persistent=False)
        self.register_buffer("shift", -torch.tensor(MEAN_RGB).view(1, 3, 1, 1) * scale, persistent=False)

    def forward(
        self,
        image: Tensor,
        mask: Tensor | None = None,
        *,
        expand: bool = True,
        renormalize: bool = False,
        tick: Callable[[], None] = lambda: None,
        windows: list[Window] | None = None,
    ) -> dict[str, Tensor]:
        """Features after the ReLU of each tap.

        :param image: (N, 3, H, W), RGB in [0, 1]; H and W at least 16, best multiples of 8.
        :param mask: (N or 1, 1, H, W) in [0, 1]; ``None`` gives the plain network.
        :param expand: see :func:`~scumble.backend.nn.partial_conv.partial_conv2d`.
        :param renormalize: likewise.
        :param tick: called before each layer; may raise to stop the work.
        :param windows: see :class:`~scumble.backend.nn.masked_layers.MaskedLayers`.
        :returns: ``{tap: (N, C, H // cell, W // cell)}``, see :data:`TAP_WIDTHS` and :data:`TAP_CELLS`.
        """
        layers = MaskedLayers(mask, expand=expand, renormalize=renormalize, tick=tick, windows=windows)
        x = lowered(torch.addcmul(self.shift, image, self.scale))
        return layers.encode(self, [name for name, _, _ in _LAYERS], x, TAPS)


class CompactDecoder(nn.Module):
    """From three taps of stylized features back to an image.

    :param middle: channels at 1/4 of the size.
    :param fine: channels at 1/2.
    """

    def __init__(self, middle: int = 48, fine: int = 16) -> None:
        super().__init__()
        self.a4 = PartialConv2d(128, 128)
        self.b4 = PartialConv2d(128, middle)
        self.skip3 = PartialConv2d(64, middle, 1)
        self.a3 = PartialConv2d(middle, middle)
        self.b3 = PartialConv2d(middle, fine)
        self.skip2 = PartialConv2d(32, fine, 1)
        self.a2 = PartialConv2d(fine, fine)
        self.out = PartialConv2d(fine, 12)
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
        windows: list[Window] | None = None,
    ) -> Tensor:
        """Decode.

        :param features: the encoder's three taps, stylized.
        :param mask: (1, 1, H, W) at the image's size, or ``None``.  It is area-averaged to each
            level, chained through the convolutions of that level and taken afresh at the next.
        :param tick: called before each layer; may raise to stop the work.
        :param windows: see :class:`~scumble.backend.nn.masked_layers.MaskedLayers`.
        :returns: (N, 3, H, W), twice the size of relu2_1, nominally in [0, 1], not clamped.
        """

        layers = MaskedLayers(mask, expand=expand, renormalize=renormalize, tick=tick, windows=windows)
        x = lowered(features["4_1"])
        layers.enter(x)
        x = plus(layers(self.a4, x, relu=True), x)
        x = raised(layers(self.b4, x), self.skip3)

        layers.enter(features["3_1"])
        x = joined(x, self.skip3, lowered(features["3_1"]))
        x = plus(layers(self.a3, x, relu=True), x)
        # Where pixels are made, rounding could be seen in a smooth sky.
        x = raised(layers(self.b3, x).float(), self.skip2)

        layers.enter(features["2_1"])
        x = joined(x, self.skip2, features["2_1"])
        x = plus(layers(self.a2, x, relu=True), x)
        return without_grid(unfolded(layers(self.out, x)))
