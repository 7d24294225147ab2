"""Earth mover's distances between the colours of a region and those of a style picture.

Both follow the published evaluation of masked linear style transfer: every pixel of the region is a
sample, every pixel of the style picture is a sample, positions play no part.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]

#: Luminosity weights of the published grey distance, for R, G and B.
GRAY_WEIGHTS = (0.2989, 0.5870, 0.1140)
PROJECTIONS = 50


def samples(image: NDArray[np.generic], mask: NDArray[Any] | None = None) -> NDArray[np.float32]:
    """The pixels of a picture as (N, 3) float32 samples in [0, 1].

    :param image: (H, W, 3), ``uint8`` or float in [0, 1].
    :param mask: (H, W); pixels above 0 are taken.  ``None`` takes all.
    :raises ValueError: if nothing is selected or the sizes differ.
    """
    if image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"expected a (H, W, 3) picture, not {image.shape}")
    if mask is not None and mask.shape != image.shape[:2]:
        raise ValueError(f"mask {mask.shape} does not fit picture {image.shape[:2]}")
    flat = image.reshape(-1, 3) if mask is None else image[mask > 0]
    if not len(flat):
        raise ValueError("the mask selects no pixel")
    scale = 255.0 if image.dtype == np.uint8 else 1.0
    return np.ascontiguousarray(flat, dtype=np.float32) / np.float32(scale)


def _coupling(n: int, m: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """How the quantile functions of n and m equally heavy samples meet.

    Between two neighbouring steps of either function both are constant: (index into the first,
    index into the second, width).  Whole-number arithmetic, so that steps that coincide do.
    """
    steps = np.union1d(np.arange(1, n + 1, dtype=np.int64) * m, np.arange(1, m + 1, dtype=np.int64) * n)
    widths = np.diff(steps, prepend=0) / (n * m)
    return (steps - 1) // m, (steps - 1) // n, widths


def wasserstein_1d(a: Array, b: Array, power: float = 1.0) -> float:
    """The p-th power of the p-Wasserstein distance of two sets of numbers: ``∫|A⁻¹ − B⁻¹|^p``.

    Exact for any two sample counts; for ``power`` 1 this is the Earth mover's distance itself.

    :param a: (N,) samples of equal weight, N > 0.
    :param b: (M,) likewise.
    """
    first, second, widths = _coupling(len(a), len(b))
    gap = np.abs(np.sort(a)[first].astype(np.float64) - np.sort(b)[second])
    return float(widths @ gap**power)


def gray_emd(region: Array, style: Array) -> float:
    """Earth mover's distance of the grey values, in [0, 1].

    :param region: (N, 3) samples in [0, 1]; see :func:`samples`.
    :param style: (M, 3) samples in [0, 1].
    """
    weights = np.asarray(GRAY_WEIGHTS)
    return wasserstein_1d(region @ weights, style @ weights)


def directions(count: int = PROJECTIONS, seed: int = 0) -> NDArray[np.float64]:
    """(3, count) unit vectors, uniform on the sphere, the same for one seed on every machine."""
    # The legacy generator's stream is frozen for good, and it is the one POT draws from.
    drawn = np.random.RandomState(seed).normal(0.0, 1.0, (3, count))
    return np.asarray(drawn / np.sqrt((drawn**2).sum(0, keepdims=True)), dtype=np.float64)


def sliced_emd(region: Array, style: Array, *, projections: int = PROJECTIONS, seed: int = 0) -> float:
    """Sliced 2-Wasserstein distance of the colours: ``sqrt(mean over directions of W₂²)``.

    The same number as POT's ``sliced_wasserstein_distance(region, style, n_projections=50, p=2,
    seed=seed)`` (Bonneel et al. 2015).

    :param region: (N, 3) samples in [0, 1].
    :param style: (M, 3) samples in [0, 1].
    """
    axes = directions(projections, seed).astype(np.float32)
    first, second, widths = _coupling(len(region), len(style))
    total = 0.0
    for axis in axes.T:
        gap = np.sort(region @ axis)[first] - np.sort(style @ axis)[second]
        total += float(np.dot(widths, gap.astype(np.float64) ** 2))
    return float(np.sqrt(total / projections))
