"""Clicks as a patient person would place them: for training and for measuring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Click:
    """A click in pixels; positive ones say "this", negative ones "not this"."""

    x: float
    y: float
    positive: bool = True


def _depth(mask: NDArray[Any]) -> NDArray[np.float32]:
    """Distance to the mask's outside, the picture's border included."""
    padded = np.pad(mask.astype(np.uint8), 1)
    return cv2.distanceTransform(padded, cv2.DIST_L2, 3)[1:-1, 1:-1].astype(np.float32)


def _inside(depth: NDArray[np.float32], rng: np.random.Generator | None) -> tuple[int, int]:
    if rng is None:
        y, x = np.unravel_index(int(depth.argmax()), depth.shape)
        return int(x), int(y)
    ys, xs = np.nonzero(depth >= depth.max() * rng.uniform(0.3, 0.9))
    pick = int(rng.integers(len(ys)))
    return int(xs[pick]), int(ys[pick])


def first_click(target: NDArray[Any], rng: np.random.Generator | None = None) -> Click:
    """Into the middle of the target's thickest part, or with ``rng`` somewhere well inside it."""
    x, y = _inside(_depth(target), rng)
    return Click(x, y)


def next_click(
    target: NDArray[Any], guess: NDArray[Any], rng: np.random.Generator | None = None
) -> Click | None:
    """Into the thickest error of a guess; ``None`` where there is none worth a click."""
    missed, spilled = _depth(target & ~guess), _depth(guess & ~target)
    deepest = max(float(missed.max()), float(spilled.max()))
    if deepest < 1.0:
        return None
    positive = bool(missed.max() >= spilled.max())
    x, y = _inside(missed if positive else spilled, rng)
    return Click(x, y, positive)
