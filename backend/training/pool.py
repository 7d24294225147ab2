"""Style crops with everything the decoder's training needs to know of them, worked out once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from scumble.backend.nn.compact import CompactEncoder
from scumble.backend.nn.restyle import StyleCode
from scumble.backend.nn.vgg import TAPS as TEACHER_TAPS
from scumble.backend.nn.vgg import VGG16

from .data import Crops
from .losses import TeacherBasis, raw_moments

#: Layer whose Gram matrix is the largest by far.
LOUD_TAP = "3_1"


@dataclass(frozen=True)
class StyleSample:
    """A crop of a painting.

    :param image: (3, S, S), RGB in [0, 1], half precision.
    :param code: what the engine keeps of it.
    :param moments: its moments as the student sees them, in the teacher's channels.
    :param seen: its moments as VGG-16 sees them.
    :param loudness: how strong its features are beside those of the whole pool, 1 on average.  The published
        style loss is not relative to them, so loud paintings decide most of it.
    """

    image: Tensor
    code: StyleCode
    moments: dict[str, Tensor]
    seen: dict[str, Tensor]
    loudness: float = 1.0


@torch.no_grad()
def style_pool(
    encoder: CompactEncoder, judge: TeacherBasis, teacher: VGG16, paintings: Crops, count: int, size: int
) -> list[StyleSample]:
    """``count`` crops of ``size`` px, from half to all of a painting's short side."""
    found = []
    for _ in range(count):
        image = paintings.batch(1, size, scale=(0.5, 1.0)).contiguous(memory_format=torch.channels_last)
        taps = encoder(image)
        seen = {tap: raw_moments(x) for tap, x in teacher(image, TEACHER_TAPS).items()}
        found.append(StyleSample(image[0].half(), StyleCode.of(taps), judge.moments(taps), seen))
    loud = [float(s.seen[LOUD_TAP].norm()) for s in found]
    usual = sum(loud) / max(1, len(loud))
    return [replace(s, loudness=own / usual) for s, own in zip(found, loud, strict=True)]


def joined(samples: Sequence[StyleSample], what: Literal["moments", "seen"]) -> dict[str, Tensor]:
    """One batch of the samples' moments."""
    return {tap: torch.cat([getattr(s, what)[tap] for s in samples]) for tap in getattr(samples[0], what)}
