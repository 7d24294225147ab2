"""VGG-16 up to relu4_3 (Simonyan and Zisserman, 2015): the judge, never the product's own network.

Perceptual losses, metrics and the full-size engine read features from here.  The weights are
Oxford's; see :mod:`scumble.backend.models.oxford` for how they are fetched.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

#: (name, input channels, output channels); a "pool" entry is a 2x2 max-pool.
LAYERS: tuple[tuple[str, int, int], ...] = (
    ("1_1", 3, 64),
    ("1_2", 64, 64),
    ("pool", 0, 0),
    ("2_1", 64, 128),
    ("2_2", 128, 128),
    ("pool", 0, 0),
    ("3_1", 128, 256),
    ("3_2", 256, 256),
    ("3_3", 256, 256),
    ("pool", 0, 0),
    ("4_1", 256, 512),
    ("4_2", 512, 512),
    ("4_3", 512, 512),
)
TAPS = ("1_1", "2_1", "3_1", "4_1")
#: Means of the ImageNet training set in RGB, on the 0-255 scale Oxford trained with.
MEANS_RGB = (123.68, 116.779, 103.939)


class VGG16(nn.Module):
    """VGG-16, blocks 1 to 4, with reflection padding instead of zeros at the border."""

    means: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.ModuleDict(
            {name: nn.Conv2d(cin, cout, 3) for name, cin, cout in LAYERS if name != "pool"}
        )
        self.register_buffer("means", torch.tensor(MEANS_RGB).view(1, 3, 1, 1), persistent=False)

    def forward(self, image: Tensor, taps: tuple[str, ...] = TAPS) -> dict[str, Tensor]:
        """Features after the ReLU of each tap.

        :param image: (N, 3, H, W), RGB in [0, 1].
        :param taps: names of the layers to return; computation stops after the last one.
        :returns: ``{tap: (N, C, H/2^level, W/2^level)}``.
        """
        x = image * 255.0 - self.means
        features: dict[str, Tensor] = {}
        for name, _, _ in LAYERS:
            if name == "pool":
                x = F.max_pool2d(x, 2)
                continue
            x = F.relu(self.convs[name](F.pad(x, (1, 1, 1, 1), mode="reflect")))
            if name in taps:
                features[name] = x
                if len(features) == len(taps):
                    break
        return features

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> VGG16:
        """Build from ``{"1_1.weight": ..., "1_1.bias": ...}``; raises ``RuntimeError`` on a misfit."""
        net = cls()
        net.load_state_dict({f"convs.{k}": v.float() for k, v in tensors.items()})
        return net.eval().requires_grad_(False)
