"""The published network: Linear Style Transfer (Li et al. 2019) with masks (StyleTransferMasked).

Three networks, for relu3_1 ("r31") or relu4_1 ("r41"): a VGG-19 encoder, a matrix predictor that
turns two feature maps into a linear transform, and the encoder's mirror image as decoder.  Names
of layers are those of the published checkpoints, so their files load unchanged.  Masks travel as
in the released masked code; :mod:`scumble.backend.engines.parity` holds the pipeline around it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .partial_conv import PartialConv2d

Layer = Literal["r31", "r41"]
LAYERS: tuple[Layer, ...] = ("r31", "r41")
#: Channels of the features that are transformed, and how often their size was halved.
WIDTH: dict[str, int] = {"r31": 256, "r41": 512}
LEVELS: dict[str, int] = {"r31": 2, "r41": 3}
#: Channels in which the transform works.
MATRIX = 32

_HALVE = ("halve", 0, 0, "")
_DOUBLE = ("double", 0, 0, "")

#: (name, input channels, output channels, tap after its ReLU); all 3x3.
_ENCODER: tuple[tuple[str, int, int, str], ...] = (
    ("conv2", 3, 64, "r11"),
    ("conv3", 64, 64, "r12"),
    _HALVE,
    ("conv4", 64, 128, "r21"),
    ("conv5", 128, 128, "r22"),
    _HALVE,
    ("conv6", 128, 256, "r31"),
    ("conv7", 256, 256, "r32"),
    ("conv8", 256, 256, "r33"),
    ("conv9", 256, 256, "r34"),
    _HALVE,
    ("conv10", 256, 512, "r41"),
)

#: (name, input channels, output channels, encoder tap that has the shape of its input); all 3x3.
_DECODER: dict[str, tuple[tuple[str, int, int, str], ...]] = {
    "r31": (
        ("conv7", 256, 128, "r31"),
        _DOUBLE,
        ("conv8", 128, 128, "r22"),
        ("conv9", 128, 64, "r21"),
        _DOUBLE,
        ("conv10", 64, 64, "r12"),
        ("conv11", 64, 3, "r11"),
    ),
    "r41": (
        ("conv11", 512, 256, "r41"),
        _DOUBLE,
        ("conv12", 256, 256, "r34"),
        ("conv13", 256, 256, "r33"),
        ("conv14", 256, 256, "r32"),
        ("conv15", 256, 128, "r31"),
        _DOUBLE,
        ("conv16", 128, 128, "r22"),
        ("conv17", 128, 64, "r21"),
        _DOUBLE,
        ("conv18", 64, 64, "r12"),
        ("conv19", 64, 3, "r11"),
    ),
}


def _conv(module: nn.Module, name: str) -> PartialConv2d:
    layer = module.get_submodule(name)
    assert isinstance(layer, PartialConv2d)
    return layer


class Encoder(nn.Module):
    """VGG-19 to relu3_1 or relu4_1; its first layer, 1x1, is VGG's input normalisation."""

    def __init__(self, layer: Layer = "r41") -> None:
        super().__init__()
        self.layer = layer
        taps = [tap for *_, tap in _ENCODER]
        self.plan = _ENCODER[: taps.index(layer) + 1]
        self.conv1 = PartialConv2d(3, 3, 1)
        for name, cin, cout, tap in self.plan:
            if tap:
                self.add_module(name, PartialConv2d(cin, cout))

    def forward(
        self,
        image: Tensor,
        mask: Tensor | None = None,
        *,
        expand: bool = True,
        keep: Collection[str] | None = None,
    ) -> tuple[dict[str, Tensor], Tensor | None]:
        """Features after each ReLU, and the mask that arrives at the last of them.

        The mask goes through the same reflected borders and 2x2 maxima as the features and grows
        by a pixel in every 3x3 layer: by 15 (r31) or about 35 (r41) image pixels a side in all.

        :param image: (N, 3, H, W), RGB in [0, 1]; H and W at least 4 (r31) or 8 (r41).
        :param mask: (N or 1, 1, H, W) in [0, 1]; ``None`` gives the plain network.
        :param expand: see :func:`~scumble.backend.nn.partial_conv.partial_conv2d`.
        :param keep: the taps wanted, all by default; all of them take about 1 kB a pixel.
        :returns: ({tap: (N, C, H // 2**level, W // 2**level)}, mask of the last tap's size).
        """
        features: dict[str, Tensor] = {}
        x, mask = self.conv1.masked(image, mask, expand=expand)
        for name, _, _, tap in self.plan:
            if not tap:
                x = F.max_pool2d(x, 2)
                mask = None if mask is None else F.max_pool2d(mask, 2)
                continue
            x, mask = _conv(self, name).masked(x, mask, expand=expand)
            x = F.relu(x)
            if keep is None or tap in keep:
                features[tap] = x
        return features, mask


class Decoder(nn.Module):
    """The encoder's mirror image: 3x3 convolutions and nearest-neighbour doublings."""

    def __init__(self, layer: Layer = "r41") -> None:
        super().__init__()
        self.layer = layer
        self.plan = _DECODER[layer]
        for name, cin, cout, tap in self.plan:
            if tap:
                self.add_module(name, PartialConv2d(cin, cout))

    def forward(
        self,
        x: Tensor,
        masks: Sequence[Tensor] | None = None,
        *,
        expand: bool = True,
        sizes: Sequence[tuple[int, int]] | None = None,
        before: Callable[[str, Tensor], Tensor] | None = None,
    ) -> Tensor:
        """Decode.

        :param x: (N, C, h, w) transformed features.
        :param masks: one (N or 1, 1, H_i, W_i) per resolution, deep to shallow: chained through
            the convolutions of a resolution and taken afresh at the next.  ``None``: plain.
        :param sizes: (H_i, W_i) of each resolution, deep to shallow; each twice the one before
            by default, as published, which loses up to 7 pixels of an image's side.
        :param before: called with (encoder tap, input) before every convolution; the input has
            that tap's shape.  Its answer is convolved instead.
        :returns: (N, 3, H, W), nominally in [0, 1], not clamped.
        """
        level = 0
        mask = masks[0] if masks else None
        for index, (name, _, _, tap) in enumerate(self.plan):
            if not tap:
                level += 1
                size = sizes[level] if sizes else (2 * x.shape[-2], 2 * x.shape[-1])
                x = F.interpolate(x, size=size, mode="nearest")
                mask = masks[level] if masks else None
                continue
            if before is not None:
                x = before(tap, x)
            x, mask = _conv(self, name).masked(x, mask, expand=expand)
            if index < len(self.plan) - 1:
                x = F.relu(x)
        return x


class CovarianceNet(nn.Module):
    """Half of the matrix predictor: features -> three convolutions -> covariance -> fc -> 32x32."""

    def __init__(self, layer: Layer = "r41") -> None:
        super().__init__()
        widths = (WIDTH[layer], WIDTH[layer] // 2, WIDTH[layer] // 4, MATRIX)
        layers: list[nn.Module] = []
        for cin, cout in pairwise(widths):
            layers += [PartialConv2d(cin, cout, padding="constant"), nn.ReLU()]
        self.convs = nn.Sequential(*layers[:-1])
        self.fc = nn.Linear(MATRIX * MATRIX, MATRIX * MATRIX)

    def forward(
        self,
        features: Tensor,
        mask: Tensor | None = None,
        weights: Tensor | None = None,
        *,
        expand: bool = True,
    ) -> Tensor:
        """Predict one factor of the transform.

        :param features: (N, C, h, w), centred.
        :param mask: (N or 1, 1, h, w); the *same* mask goes into all three convolutions.
        :param weights: (N or 1, 1, h, w), how much each position counts in the covariance.
        :returns: (N, 32, 32).
        """
        x = features
        for layer in self.convs:
            x = layer.masked(x, mask, expand=expand)[0] if isinstance(layer, PartialConv2d) else layer(x)
        x = x.flatten(2)
        if weights is None:
            covariance = x @ x.mT / x.shape[-1]
        else:
            w = weights.flatten(2)
            covariance = (x * w) @ x.mT / w.sum(-1, keepdim=True).clamp_min(1e-12)
        predicted: Tensor = self.fc(covariance.flatten(1))
        return predicted.view(-1, MATRIX, MATRIX)


class MulLayer(nn.Module):
    """The learned linear transform: T = S C, from the covariances of style and content."""

    def __init__(self, layer: Layer = "r41") -> None:
        super().__init__()
        self.layer = layer
        self.snet = CovarianceNet(layer)
        self.cnet = CovarianceNet(layer)
        self.compress = PartialConv2d(WIDTH[layer], MATRIX, 1)
        self.unzip = PartialConv2d(MATRIX, WIDTH[layer], 1)

    def forward(
        self,
        content: Tensor,
        style: Tensor,
        content_mask: Tensor | None = None,
        weights: Tensor | None = None,
        *,
        expand: bool = True,
    ) -> Tensor:
        """Give the content's features the style's statistics.

        Inside means ``content_mask > 0``.  As released, features outside keep their mean (the
        ring that expansion lets in is not centred) and come out as the last layer's bias.

        :param content: (N, C, h, w) features.
        :param style: (N or 1, C, h', w') features.
        :param content_mask: (N or 1, 1, h, w) in [0, 1], or ``None`` for the plain network.
        :param weights: (N or 1, 1, h, w), how much each position counts in the content's mean and
            covariance; by default 1 inside and 0 outside, as released.
        :returns: (N, C, h, w).
        """
        style_mean = style.mean((2, 3), keepdim=True)
        style_factor = self.snet(style - style_mean)
        if content_mask is None:
            inside = torch.ones_like(content[:, :1])
        else:
            inside = (content_mask > 0).to(content.dtype).expand(len(content), -1, -1, -1)
        if weights is None:
            weights = inside
        total = weights.sum((2, 3), keepdim=True).clamp_min(1e-12)
        content_mean = (content * weights).sum((2, 3), keepdim=True) / total
        centred = content - content_mean * inside
        content_factor = self.cnet(centred, content_mask, weights, expand=expand)
        compressed, _ = self.compress.masked(centred, content_mask, expand=expand)
        transform = style_factor @ content_factor
        moved = (transform @ (compressed * inside).flatten(2)).view_as(compressed)
        return self.unzip.masked(moved, content_mask, expand=expand)[0] + style_mean * inside


class LinearTransfer(nn.Module):
    """Encoder, matrix and decoder of one published set."""

    def __init__(self, layer: Layer = "r41") -> None:
        super().__init__()
        self.layer: Layer = layer
        self.encoder = Encoder(layer)
        self.matrix = MulLayer(layer)
        self.decoder = Decoder(layer)

    @property
    def smallest_side(self) -> int:
        """The shortest side in pixels of an image that the published code can encode."""
        return 2 << LEVELS[self.layer]

    def forward(self, content: Tensor, style: Tensor) -> Tensor:
        """The plain network without masks, as published.

        :param content: (N, 3, H, W), RGB in [0, 1].
        :param style: (1, 3, h, w), RGB in [0, 1].
        :returns: (N, 3, H', W') with H' = H rounded down to a multiple of 4 (r31) or 8 (r41).
        """
        c = self.encoder(content, keep=(self.layer,))[0][self.layer]
        s = self.encoder(style, keep=(self.layer,))[0][self.layer]
        image: Tensor = self.decoder(self.matrix(c, s))
        return image

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> LinearTransfer:
        """Build from ``{"encoder.conv1.weight": ..., "matrix...": ..., "decoder...": ...}``.

        r31 and r41 are told apart by the tensors' shapes.

        :raises RuntimeError: if names or shapes fit neither.
        """
        width = tensors["matrix.unzip.weight"].shape[0] if "matrix.unzip.weight" in tensors else 512
        net = cls("r31" if width == WIDTH["r31"] else "r41")
        net.load_state_dict({k: v.float() for k, v in tensors.items()})
        return net.eval().requires_grad_(False)
