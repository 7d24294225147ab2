"""What a method of finding selections is: a small picture and a prompt in, candidate masks out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from scumble.backend.engines.base import Context

from .simulated import Click

Floats = NDArray[np.float32]
#: Least share of a picture that counts as a region.
LEAST_AREA = 0.004


@dataclass(frozen=True)
class Prompt:
    """What a user said, in pixels of the picture that a method sees.

    :param box: x0, y0, x1, y1.
    :param before: (H, W) in [0, 1], an earlier answer to improve.
    """

    points: tuple[Click, ...] = ()
    box: tuple[float, float, float, float] | None = None
    before: Floats | None = field(default=None, repr=False)

    def scaled(self, factor: tuple[float, float], size: tuple[int, int]) -> Prompt:
        """The same on a picture of another size.

        :param factor: of x and y.
        :param size: (H, W) of that picture.
        """
        fx, fy = factor
        points = tuple(Click((p.x + 0.5) * fx - 0.5, (p.y + 0.5) * fy - 0.5, p.positive) for p in self.points)
        box = None if self.box is None else (
            self.box[0] * fx, self.box[1] * fy, self.box[2] * fx, self.box[3] * fy)  # fmt: skip
        before = None if self.before is None else resized(self.before, size)
        return Prompt(points, box, before)


@dataclass(frozen=True)
class Candidate:
    """A mask, (H, W) in [0, 1], and its estimated intersection over union with what was meant."""

    mask: Floats
    score: float


class Method(Protocol):
    """A way to find a selection."""

    name: str
    label: str
    help: str
    #: Longer side in pixels of the picture that it wants to see.
    side: int

    def missing(self) -> str:
        """Why it cannot be used, and how to change that; empty if it can be."""
        ...

    def find(self, image: Floats, prompt: Prompt, key: str, context: Context) -> list[Candidate]:
        """Candidates, the best first; empty if nothing was found.

        :param image: (H, W, 3), RGB in [0, 1].
        :param key: of the picture's content, for caches.
        """
        ...

    def regions(self, image: Floats, most: int, key: str, context: Context) -> list[Candidate] | None:
        """All regions of a picture, the surest first; ``None`` where a grid of clicks has to do.

        :param most: regions that are wanted.
        """
        ...


def resized(values: Floats, size: tuple[int, int]) -> Floats:
    """(H, W) or (H, W, C) values at another (H, W): averaged when smaller, bilinear when larger."""
    if values.shape[:2] == size:
        return values
    kind = cv2.INTER_AREA if size[0] < values.shape[0] else cv2.INTER_LINEAR
    out: Floats = np.asarray(cv2.resize(values, (size[1], size[0]), interpolation=kind), np.float32)
    return out


def overlap(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Intersection over union; 1 for two empty masks."""
    either = int((a | b).sum())
    return float((a & b).sum()) / either if either else 1.0


def distinct(candidates: list[Candidate], likeness: float = 0.92) -> list[Candidate]:
    """Without those that repeat an earlier one or select nothing."""
    kept: list[Candidate] = []
    for one in candidates:
        hard = one.mask >= 0.5
        if hard.any() and all(overlap(hard, k.mask >= 0.5) < likeness for k in kept):
            kept.append(one)
    return kept
