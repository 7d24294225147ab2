"""How hard the seam is: gradient and colour step along the edge of a region.

The published evaluation names two measures without code; ours are in the 0-255 range and look at
one pixel on either side of the drawn edge.  Where the region runs along the picture's frame there
is no seam, and nothing is counted.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


def _neighbours(mask: Mask, outside: bool) -> list[Mask]:
    """The eight shifted copies of a mask; beyond the frame lies ``outside``."""
    padded = np.pad(mask, 1, constant_values=outside)
    height, width = mask.shape
    return [
        padded[dy : dy + height, dx : dx + width] for dy in range(3) for dx in range(3) if (dy, dx) != (1, 1)
    ]


def band(mask: Mask) -> tuple[Mask, Mask]:
    """The pixels inside that touch the outside (8 neighbours), and those outside that touch the inside."""
    touches_outside = ~np.logical_and.reduce(_neighbours(mask, True))
    touches_inside = np.logical_or.reduce(_neighbours(mask, False))
    return mask & touches_outside, ~mask & touches_inside


def gradient_magnitude(image: NDArray[np.generic]) -> NDArray[np.float64]:
    """Unnormalised 3x3 Sobel magnitude, the mean of the three channels.

    A straight step of height d has magnitude 4 d on the two pixels next to it.

    :param image: (H, W, 3), values 0 to 255; the border is replicated.
    :returns: (H, W).
    """
    p = np.pad(image.astype(np.float64), ((1, 1), (1, 1), (0, 0)), mode="edge")
    smooth_y = p[:-2] + 2 * p[1:-1] + p[2:]
    smooth_x = p[:, :-2] + 2 * p[:, 1:-1] + p[:, 2:]
    gx = smooth_y[:, 2:] - smooth_y[:, :-2]
    gy = smooth_x[2:] - smooth_x[:-2]
    return np.asarray(np.hypot(gx, gy).mean(-1))


def boundary_gradient(image: NDArray[np.generic], mask: Mask) -> float:
    """Mean gradient magnitude on the one-pixel band on both sides of the edge; NaN without an edge.

    :param image: (H, W, 3), 0 to 255.
    :param mask: (H, W), true inside.
    """
    inner, outer = band(mask)
    both = inner | outer
    return float(gradient_magnitude(image)[both].mean()) if both.any() else float("nan")


def boundary_colour(image: NDArray[np.generic], mask: Mask) -> float:
    """Mean |inside − outside| over all 4-neighbours that the edge parts, and channels; NaN without an edge.

    :param image: (H, W, 3), 0 to 255.
    :param mask: (H, W), true inside.
    """
    values = image.astype(np.float64)
    across_x = mask[:, 1:] != mask[:, :-1]
    across_y = mask[1:] != mask[:-1]
    steps = np.concatenate(
        [
            np.abs(values[:, 1:] - values[:, :-1])[across_x],
            np.abs(values[1:] - values[:-1])[across_y],
        ]
    )
    return float(steps.mean()) if steps.size else float("nan")
