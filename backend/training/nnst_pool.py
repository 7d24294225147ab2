"""What the training of engine ``nnst``'s decoder knows of its crops, worked out once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from scumble.backend.nn.nnst_features import Hypercolumns
from scumble.backend.nn.vgg import TAPS, VGG16

from .data import Crops
from .losses import raw_moments, relative_moments


@dataclass(frozen=True)
class Sample:
    """A crop and what the networks see in it, in half precision.

    :param image: (3, S, S), RGB in [0, 1].
    :param columns: (C, S / 4, S / 4), the frozen encoder's hypercolumns.
    :param seen: {tap: (1, D, h, w)}, what the teacher sees; empty without one, or for photographs.
    """

    image: Tensor
    columns: Tensor
    seen: Mapping[str, Tensor]

    @classmethod
    @torch.no_grad()
    def of(cls, image: Tensor, net: Hypercolumns, teacher: VGG16 | None) -> Sample:
        """Look at a (3, S, S) crop."""
        seen = {} if teacher is None else {t: x.half() for t, x in teacher(image[None], TAPS).items()}
        return cls(image.half(), net(image).half(), seen)


def samples(crops: Crops, count: int, size: int, net: Hypercolumns, teacher: VGG16 | None) -> list[Sample]:
    """``count`` crops of ``size`` px, from 0.4 of a picture's short side to all of it."""
    found = []
    for _ in range(count):
        found.append(Sample.of(crops.batch(1, size, scale=(0.4, 1.0))[0], net, teacher))
    return found


def borrowed(style: Sample, index: Tensor) -> Tensor:
    """How often each cell of a style was borrowed, (1, 1, S / 4, S / 4), for (N,) places in it."""
    rows, columns = style.columns.shape[1:]
    return torch.bincount(index, minlength=rows * columns).float().view(1, 1, rows, columns)


def teacher_occurrence(teacher: VGG16, output: Tensor, style: Sample, counts: Tensor) -> Tensor:
    """Relative difference of VGG-16's means and Gram matrices: the output's, and the borrowed places'.

    Votes average, so what comes out has less of everything than what was borrowed; these moments say
    how much less, in the channels of a network that the decoder is not judged by otherwise.

    :param output: (3, S, S).
    :param counts: of :func:`borrowed`.
    """
    found, wanted = {}, {}
    for tap, features in teacher(output[None], TAPS).items():
        side = features.shape[-1]
        found[tap] = raw_moments(features)
        mode = "nearest" if side >= counts.shape[-1] else "area"
        weight = F.interpolate(counts, (side, side), mode=mode)
        with torch.no_grad():
            wanted[tap] = raw_moments(style.seen[tap].float(), weight)
    return relative_moments(found, wanted) / len(wanted)
