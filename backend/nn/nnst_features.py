"""Hypercolumns: the features that neural neighbour style transfer matches and synthesises from.

After Kolkin et al. 2022, *Neural Neighbor Style Transfer*, section 3: every ReLU output of the first
four blocks, each layer scaled, resized to a quarter of the image's size and stacked.  Two sources:
Oxford's VGG-16 (2,688 channels) and a frozen copy of a small network distilled from it (416).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from . import vgg

#: Pixels of an image that one hypercolumn stands for, along each side.
CELL = 4
#: Images are padded to whole multiples of this, so that no pooling step loses a row.
GRAIN = 8
MEAN_RGB = (0.485, 0.456, 0.406)
STD_RGB = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Layer:
    """One slice of the hypercolumn.

    :param level: it lies at 1/2**level of the image's size.
    :param scale: factor by which the raw features enter.
    """

    name: str
    level: int
    cin: int
    width: int
    scale: float


# The scales give each layer its share of the centred energy (0.02, 0.08, 0.10, 0.25, 0.20, 0.15, 0.10,
# 0.10): the shares that VGG-16's layers have after the published division by their channel count, with
# the deep ones' together in relu4_1.  Energies measured on twelve photographs and paintings.
FROZEN_LAYERS = (
    Layer("1_1", 0, 3, 16, (0.02 / 8.50) ** 0.5),
    Layer("1_2", 0, 16, 16, (0.08 / 12.81) ** 0.5),
    Layer("2_1", 1, 16, 32, (0.10 / 40.38) ** 0.5),
    Layer("2_2", 1, 32, 32, (0.25 / 34.69) ** 0.5),
    Layer("3_1", 2, 32, 64, (0.20 / 88.81) ** 0.5),
    Layer("3_2", 2, 64, 64, (0.15 / 35.13) ** 0.5),
    Layer("3_3", 2, 64, 64, (0.10 / 12.48) ** 0.5),
    Layer("4_1", 3, 64, 128, (0.10 / 82.52) ** 0.5),
)


def _vgg_layers() -> tuple[Layer, ...]:
    layers, level = [], 0
    for name, cin, width in vgg.LAYERS:
        if name == "pool":
            level += 1
        else:
            # Published code: each layer divided by its channel count; the paper does not say so.
            layers.append(Layer(name, level, cin, width, 1.0 / width))
    return tuple(layers)


VGG_LAYERS = _vgg_layers()


class Hypercolumns(nn.Module):
    """A frozen VGG-shaped network whose scaled ReLU outputs make up hypercolumns.

    :param layers: what it consists of; a step up in ``level`` is a 2x2 max-pool.
    :param shift: subtracted from the RGB image in [0, 1], per channel.
    :param spread: by which it is divided then.
    """

    shift: Tensor
    spread: Tensor

    def __init__(
        self,
        name: str,
        layers: tuple[Layer, ...],
        shift: tuple[float, float, float],
        spread: tuple[float, float, float],
    ) -> None:
        super().__init__()
        self.name = name
        self.layers = layers
        self.convs = nn.ModuleDict({one.name: nn.Conv2d(one.cin, one.width, 3) for one in layers})
        self.register_buffer("shift", torch.tensor(shift).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("spread", torch.tensor(spread).view(1, 3, 1, 1), persistent=False)

    @property
    def width(self) -> int:
        """Channels of a hypercolumn."""
        return sum(one.width for one in self.layers)

    @property
    def slices(self) -> tuple[slice, ...]:
        """Where each layer's channels lie."""
        found, at = [], 0
        for one in self.layers:
            found.append(slice(at, at + one.width))
            at += one.width
        return tuple(found)

    @property
    def reach(self) -> int:
        """Pixels around a cell that its hypercolumn can see."""
        radius = 0
        for one in self.layers:
            radius += 1 << one.level
        return radius + (1 << self.layers[-1].level)

    def forward(self, image: Tensor, tick: Callable[[], None] = lambda: None) -> Tensor:
        """Hypercolumns of one image.

        :param image: (3, H, W), RGB in [0, 1].
        :param tick: called before each layer; may raise to stop the work.
        :returns: (C, ceil(H / 4), ceil(W / 4)) for sides padded to whole multiples of 8.
        """
        size = grid_of(image)
        return self.stacked([x for _, x in self.outputs(image, tick)], size)

    def outputs(self, image: Tensor, tick: Callable[[], None] = lambda: None) -> Iterator[tuple[str, Tensor]]:
        """(name, (1, C, h, w) raw output) of every layer, at its own size; see :meth:`forward`."""
        x = (padded(image)[None] - self.shift) / self.spread
        level = 0
        for one in self.layers:
            if one.level > level:
                x, level = F.max_pool2d(x, 2), one.level
            tick()
            mode = "reflect" if min(x.shape[-2:]) > 1 else "replicate"
            x = F.relu(self.convs[one.name](F.pad(x, (1, 1, 1, 1), mode=mode)))
            yield one.name, x

    def stacked(self, outputs: Sequence[Tensor], size: tuple[int, int]) -> Tensor:
        """(C, h, w) hypercolumns from all layers' outputs; ``size`` is (h, w)."""
        parts = []
        for one, x in zip(self.layers, outputs, strict=True):
            if x.shape[-2:] != size:
                # Not antialiased, as published: averaging would blur what tells fine textures apart.
                x = F.interpolate(x, size=size, mode="bilinear", align_corners=False)
            parts.append(x * one.scale)
        return torch.cat(parts, 1)[0]

    @classmethod
    def frozen(cls, tensors: Mapping[str, Tensor]) -> Hypercolumns:
        """The bundled small network from its ``encoder.*`` tensors."""
        net = cls("frozen", FROZEN_LAYERS, MEAN_RGB, STD_RGB)
        own = {k.removeprefix("encoder."): v for k, v in tensors.items() if k.startswith("encoder.")}
        net.load_state_dict({f"convs.{k}": v.float() for k, v in own.items()})
        return net.eval().requires_grad_(False)

    @classmethod
    def vgg16(cls, tensors: Mapping[str, Tensor]) -> Hypercolumns:
        """Oxford's VGG-16 from ``{"1_1.weight": ...}``."""
        red, green, blue = (mean / 255.0 for mean in vgg.MEANS_RGB)
        net = cls("vgg16", VGG_LAYERS, (red, green, blue), (1 / 255.0,) * 3)
        net.load_state_dict({f"convs.{k}": v.float() for k, v in tensors.items()})
        return net.eval().requires_grad_(False)


def padded(image: Tensor) -> Tensor:
    """Repeat the last row and column until both sides are whole multiples of :data:`GRAIN`."""
    height, width = image.shape[-2:]
    pad = (0, -width % GRAIN, 0, -height % GRAIN)
    return F.pad(image[None], pad, mode="replicate")[0] if any(pad) else image


def grid_of(image: Tensor) -> tuple[int, int]:
    """(rows, columns) of the hypercolumns of a (..., H, W) image."""
    height, width = image.shape[-2:]
    return -(-height // GRAIN) * (GRAIN // CELL), -(-width // GRAIN) * (GRAIN // CELL)
