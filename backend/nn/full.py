"""The full-size network: Oxford's VGG-16 as it is for an encoder, and our own decoder behind it.

It has the taps, the sizes and the calls of the compact network, so everything that paints with one
paints with the other.  Only the encoder works at the image's full size; the decoder spends most of
its work at 1/8 and 1/4, where strokes are made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .between import joined, plus, raised, rows, unfolded, without_grid
from .compact import TAPS
from .half_precision import lowered
from .masked_layers import MaskedLayers
from .partial_conv import PartialConv2d, Window
from .vgg import LAYERS, MEANS_RGB

#: VGG-16's own activations are hundreds large; all layers of ours are smaller by this factor.
UNIT = 400.0
#: Channels of each tap.
WIDTHS = {"1_1": 64, "2_1": 128, "3_1": 256, "4_1": 512}


class FullEncoder(nn.Module):
    """VGG-16 from relu1_1 to relu4_1, with partial convolution on request."""

    mean: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.layers: list[str] = []
        for name, cin, cout in LAYERS:
            self.layers.append(name)
            if name != "pool":
                self.add_module(name, PartialConv2d(cin, cout))
            if name == TAPS[-1]:
                break
        self.register_buffer("mean", torch.tensor(MEANS_RGB).view(1, 3, 1, 1) / 255, persistent=False)

    def forward(
        self,
        image: Tensor,
        mask: Tensor | None = None,
        *,
        expand: bool = True,
        renormalize: bool = False,
        tick: Callable[[], None] = lambda: None,
        windows: list[Window] | None = None,
        taps: tuple[str, ...] = TAPS,
    ) -> dict[str, Tensor]:
        """Features after the ReLU of each tap, divided by :data:`UNIT`.

        :param image: (N, 3, H, W), RGB in [0, 1]; H and W at least 16, best multiples of 8.
        :param mask: (N or 1, 1, H, W) in [0, 1]; ``None`` gives the plain network.
        :param expand: see :func:`~scumble.backend.nn.partial_conv.partial_conv2d`.
        :param renormalize: likewise.
        :param tick: called before each layer; may raise to stop the work.
        :param windows: see :class:`~scumble.backend.nn.masked_layers.MaskedLayers`.
        :param taps: layers to return, shallow to deep.
        :returns: ``{tap: (N, C, H // 2^level, W // 2^level)}``, see :data:`WIDTHS`.
        """
        layers = MaskedLayers(mask, expand=expand, renormalize=renormalize, tick=tick, windows=windows)
        return layers.encode(self, self.layers, lowered(image - self.mean), taps)

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> FullEncoder:
        """From the catalogue's ``{"1_1.weight": ..., "1_1.bias": ...}``, which may hold more layers.

        ReLU passes a factor on, so the scale of :data:`UNIT` costs nothing: the first layer's weights
        and every bias take it.

        :raises RuntimeError: if a layer is missing or has another shape.
        """
        net = cls()
        own = {k: tensors[k].float().clone() for k in net.state_dict() if k in tensors}
        for key, value in own.items():
            if key.endswith(".bias"):
                value /= UNIT
            elif key == "1_1.weight":
                value *= 255 / UNIT
        net.load_state_dict(own)
        net.eval().requires_grad_(False)
        return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


class Residual(nn.Module):
    """Two convolutions whose result is added to what went in."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = PartialConv2d(width, width)
        self.second = PartialConv2d(width, width)
        with torch.no_grad():
            # A block starts out small beside what it is added to, so that deep stacks learn at once.
            self.second.weight.mul_(0.2)


class FullDecoder(nn.Module):
    """From three taps of stylized features back to an image.

    :param deep: channels at 1/8 of the size.
    :param middle: channels at 1/4.
    :param fine: channels at 1/2.
    """

    def __init__(self, deep: int = 192, middle: int = 128, fine: int = 64) -> None:
        super().__init__()
        self.enter = PartialConv2d(WIDTHS["4_1"], deep, 1)
        self.a4 = Residual(deep)
        self.b4 = Residual(deep)
        self.c4 = PartialConv2d(deep, middle)
        self.skip3 = PartialConv2d(WIDTHS["3_1"], middle, 1)
        self.a3 = Residual(middle)
        self.c3 = PartialConv2d(middle, fine)
        self.skip2 = PartialConv2d(WIDTHS["2_1"], fine, 1)
        self.a2 = Residual(fine)
        self.out = PartialConv2d(fine, 12)
        with torch.no_grad():
            # The four pixels of a 2x2 block start out equal: see the compact decoder.
            assert self.out.bias is not None
            self.out.weight.copy_(self.out.weight[::4].repeat_interleave(4, 0))
            self.out.bias.fill_(0.5)

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> FullDecoder:
        """From ``decoder.*`` tensors, whose shapes tell the widths.

        :raises RuntimeError: if a layer is missing or has another shape; ``KeyError`` likewise.
        """
        own = {k.removeprefix("decoder."): v.float() for k, v in tensors.items() if k.startswith("decoder.")}
        widths = [own[f"{name}.weight"].shape[0] for name in ("enter", "c4", "c3")]
        net = cls(*widths)
        net.load_state_dict(own)
        net.eval().requires_grad_(False)
        return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

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
        :param mask: (N or 1, 1, H, W) at the image's size, or ``None``.  It is area-averaged to each
            level, chained through the convolutions of that level and taken afresh at the next.
        :param tick: called before each layer; may raise to stop the work.
        :param windows: see :class:`~scumble.backend.nn.masked_layers.MaskedLayers`.
        :returns: (N, 3, H, W), twice the size of relu2_1, nominally in [0, 1], not clamped.
        """

        layers = MaskedLayers(mask, expand=expand, renormalize=renormalize, tick=tick, windows=windows)

        def block(residual: Residual, x: Tensor) -> Tensor:
            y = layers(residual.second, layers(residual.first, x, relu=True))
            return F.relu(plus(y, x), inplace=True)

        layers.enter(features["4_1"])
        x = F.relu(raised(rows(self.enter, lowered(features["4_1"])), self.enter), inplace=True)
        x = block(self.b4, block(self.a4, x))
        x = raised(layers(self.c4, x), self.skip3)

        layers.enter(features["3_1"])
        x = joined(x, self.skip3, lowered(features["3_1"]))
        # Where pixels are made, rounding could be seen in a smooth sky.
        x = raised(layers(self.c3, block(self.a3, x)).float(), self.skip2)

        layers.enter(features["2_1"])
        x = joined(x, self.skip2, features["2_1"])
        return without_grid(unfolded(layers(self.out, block(self.a2, x))))
