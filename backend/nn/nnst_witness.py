"""What VGG-16 would see, told from the small network's hypercolumns: a second witness for moments.

The small network tells which place is like which, but what its features look like taken together says
little about what VGG-16's do.  This branch reads its hypercolumns and foretells the strongest directions
of VGG-16's relu3_1 and relu4_1, where that matters: their means and second moments over a region.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from . import half_precision
from .nnst_features import Hypercolumns, grid_of
from .vgg import TAPS

#: Layers of VGG-16 that are foretold, and in how many of their principal directions.
DIRECTIONS = {"3_1": 96, "4_1": 160}


class Witness(nn.Module):
    """Two taps from hypercolumns: at their own size (a quarter of the picture's), and at half of it.

    :param columns: channels of the hypercolumns.
    :param white: of their principal directions, how many are looked at.
    :param width: channels inside at a quarter of the picture's size, and
    :param deep: at an eighth.
    """

    def __init__(self, columns: int = 416, white: int = 160, width: int = 96, deep: int = 192) -> None:
        super().__init__()
        # Hypercolumns' channels say much the same and differ widely in strength: turned onto their
        # principal directions, of even strength, they can be learned from.
        self.whiten = nn.Conv2d(columns, white, 1)
        self.enter = nn.Conv2d(white, width, 1)
        self.a3 = nn.Conv2d(width, width, 3)
        self.b3 = nn.Conv2d(width, width, 3)
        self.tell3 = nn.Conv2d(white + width, DIRECTIONS["3_1"], 1)
        self.a4 = nn.Conv2d(width, deep, 3)
        self.b4 = nn.Conv2d(deep, deep, 3)
        self.tell4 = nn.Conv2d(white + 2 * deep, DIRECTIONS["4_1"], 1)

    def forward(self, columns: Tensor) -> dict[str, Tensor]:
        """Foretell.

        :param columns: (N, C, h, w) hypercolumns; h and w even.
        :returns: ``{"3_1": (N, D, h, w), "4_1": (N, D, h / 2, w / 2)}``, in units of the layer's deviation.
        """
        white = self.whiten(columns)
        x = F.relu(self.enter(white))
        x = x + F.relu(_same(self.a3, x))
        x = x + F.relu(_same(self.b3, x))
        found = {"3_1": self.tell3(torch.cat([white, x], 1))}
        y = F.relu(_same(self.a4, F.max_pool2d(x, 2)))
        z = F.relu(_same(self.b4, y))
        found["4_1"] = self.tell4(torch.cat([F.avg_pool2d(white, 2), y, z], 1))
        return found

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Witness:
        """From ``witness.*`` tensors; raises ``RuntimeError`` on a misfit."""
        own = {k.removeprefix("witness."): v.float() for k, v in tensors.items() if k.startswith("witness.")}
        width, white = own["enter.weight"].shape[:2]
        net = cls(own["whiten.weight"].shape[1], white, width, own["a4.weight"].shape[0])
        net.load_state_dict(own)
        return net.eval().requires_grad_(False)


class Foretold(nn.Module):
    """VGG-16's taps as the bundled networks tell them: the shallow ones are the small network's own.

    Called like :class:`~scumble.backend.nn.vgg.VGG16`.
    """

    def __init__(self, frozen: Hypercolumns, witness: Witness) -> None:
        super().__init__()
        self.frozen = frozen
        self.witness = witness

    def forward(self, image: Tensor, taps: tuple[str, ...] = TAPS) -> dict[str, Tensor]:
        """Features at each tap.

        :param image: (1, 3, H, W), RGB in [0, 1]; sides that are whole multiples of 8.
        :returns: ``{tap: (1, C, H/2^level, W/2^level)}``.
        """
        half = image.device.type == "cpu" and half_precision.available()
        # On the way back, too: slopes lead where they lead in single precision.
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            seen = dict(self.frozen.outputs(image[0]))
            columns = self.frozen.stacked(list(seen.values()), grid_of(image))
            told = {**seen, **self.witness(columns[None])}
        return {tap: told[tap].float() for tap in taps}


def _same(conv: nn.Module, x: Tensor) -> Tensor:
    mode = "reflect" if min(x.shape[-2:]) > 1 else "replicate"
    found: Tensor = conv(F.pad(x, (1, 1, 1, 1), mode=mode))
    return found
