"""The bundled compact encoder: VGG-16 to relu4_1 at a sixteenth of the work, by distillation."""

from __future__ import annotations

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
    ) -> dict[str, Tensor]:
        """Features after the ReLU of each tap.

        :param image: (N, 3, H, W), RGB in [0, 1]; H and W at least 8.
        :param mask: (N or 1, 1, H, W) in [0, 1]; ``None`` gives the plain network.
        :param expand: see :func:`~scumble.backend.nn.partial_conv.partial_conv2d`.
        :param renormalize: likewise.
        :returns: ``{tap: (N, C, H // 2**level, W // 2**level)}``.
        """
        x = (image - self.mean) / self.std
        features: dict[str, Tensor] = {}
        for name, _, _ in _LAYERS:
            if name == "pool":
                x = F.max_pool2d(x, 2)
                mask = None if mask is None else F.max_pool2d(mask, 2)
                continue
            layer = self.get_submodule(name)
            assert isinstance(layer, PartialConv2d)
            x, mask = layer.masked(x, mask, expand=expand, renormalize=renormalize)
            x = F.relu(x)
            if name in TAPS:
                features[name] = x
        return features
