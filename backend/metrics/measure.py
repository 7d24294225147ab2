"""Everything that is measured about one result: colours, features, seam, outside, time, memory."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .boundary import boundary_colour, boundary_gradient
from .distances import gray_emd, samples, sliced_emd
from .perceptual import Judge

Picture = NDArray[np.uint8]
T = TypeVar("T")

#: Every measure with the direction that is better: -1 smaller, 1 larger, 0 neither.
METRICS: dict[str, int] = {
    "gray_emd": -1,
    "sliced_emd": -1,
    "style_loss": -1,
    "relative_style_loss": -1,
    "inner_style_loss": -1,
    "content_distance": -1,
    "perceptual_distance": -1,
    "ssim": 1,
    "boundary_gradient": -1,
    "boundary_colour": -1,
    "photo_boundary_gradient": 0,
    "photo_boundary_colour": 0,
    "outside_changed": -1,
    "seconds": -1,
    "peak_mib": -1,
}


def outside_changed(photo: Picture, result: Picture, mask: Picture) -> int:
    """Bytes that differ where the mask is 0; anything but 0 is a bug."""
    return int(np.count_nonzero((photo != result)[mask == 0]))


def tensor(picture: Picture) -> Tensor:
    """(1, C, H, W) float32 in [0, 1] from (H, W, C) or (H, W) bytes."""
    planes = picture[None] if picture.ndim == 2 else np.moveaxis(picture, 2, 0)
    return torch.from_numpy(np.ascontiguousarray(planes)).float().div(255.0)[None]


def measure(
    judge: Judge,
    photo: Picture,
    result: Picture,
    mask: Picture,
    style: Picture,
    *,
    style_key: str = "",
    photo_key: str = "",
    seed: int = 0,
) -> dict[str, float]:
    """All picture measures of one result inside one region.

    :param photo: (H, W, 3) ``uint8``, RGB; ``result`` likewise, already laid over the photograph.
    :param mask: (H, W) ``uint8``; at least half coverage counts as inside.
    :param style: (h, w, 3) ``uint8``.
    :raises ValueError: if the mask selects nothing.
    """
    inside = mask >= 128
    region, painted = samples(result, inside), samples(style)
    found: dict[str, float] = {
        "gray_emd": gray_emd(region, painted),
        "sliced_emd": sliced_emd(region, painted, seed=seed),
    }
    found |= judge.judge(
        tensor(photo),
        tensor(result),
        torch.from_numpy(inside)[None, None].float(),
        tensor(style),
        style_key=style_key,
        photo_key=photo_key,
    )
    found["boundary_gradient"] = boundary_gradient(result, inside)
    found["boundary_colour"] = boundary_colour(result, inside)
    found["photo_boundary_gradient"] = boundary_gradient(photo, inside)
    found["photo_boundary_colour"] = boundary_colour(photo, inside)
    found["outside_changed"] = outside_changed(photo, result, mask)
    return found


@dataclass(frozen=True)
class Cost:
    """What a call took: wall seconds, and the process's peak resident memory during it in MiB."""

    seconds: float
    peak_mib: float


def _reset_peak() -> None:
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass  # Not Linux, or not allowed: the peak is then that of the whole process so far.


def _peak_mib() -> float:
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except (OSError, ValueError, IndexError):
        pass
    if sys.platform == "win32":
        return float("nan")
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def timed(call: Callable[[], T]) -> tuple[T, Cost]:
    """Run a call; its answer and its cost.  On a GPU the peak is the device's own memory."""
    cuda = torch.cuda.is_available()
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    _reset_peak()
    started = time.perf_counter()
    answer = call()
    if cuda:
        torch.cuda.synchronize()
    seconds = time.perf_counter() - started
    peak = torch.cuda.max_memory_allocated() / (1 << 20) if cuda else 0.0
    return answer, Cost(seconds, peak or _peak_mib())
