"""Soft edges: the guided filter of He, Sun and Tang (2010) with a colour picture as its guide."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
#: Variance of colours, of values in [0, 1], below which a place counts as flat.
SMOOTHNESS = 1e-4


def _mean(x: Floats, radius: int) -> Floats:
    size = (2 * radius + 1, 2 * radius + 1)
    blurred: Floats = np.asarray(cv2.blur(x, size, borderType=cv2.BORDER_REFLECT), np.float32)
    return blurred


def guided(values: Floats, guide: Floats, radius: int, smoothness: float = SMOOTHNESS) -> Floats:
    """The values as a locally linear function of the guide's colours: edges move to the picture's.

    :param values: (H, W).
    :param guide: (H, W, 3), RGB in [0, 1].
    :param radius: of the window in pixels.
    :returns: (H, W), not clipped.
    """
    mean_g, mean_v = _mean(guide, radius), _mean(values, radius)
    pairs = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
    s = {p: _mean(guide[..., p[0]] * guide[..., p[1]], radius) - mean_g[..., p[0]] * mean_g[..., p[1]]
         for p in pairs}  # fmt: skip
    for i in range(3):
        s[i, i] = s[i, i] + np.float32(smoothness)
    cross = [_mean(guide[..., i] * values, radius) - mean_g[..., i] * mean_v for i in range(3)]
    # The inverse of a symmetric 3 x 3 matrix by its cofactors.
    inv = {
        (0, 0): s[1, 1] * s[2, 2] - s[1, 2] ** 2,
        (0, 1): s[0, 2] * s[1, 2] - s[0, 1] * s[2, 2],
        (0, 2): s[0, 1] * s[1, 2] - s[0, 2] * s[1, 1],
        (1, 1): s[0, 0] * s[2, 2] - s[0, 2] ** 2,
        (1, 2): s[0, 1] * s[0, 2] - s[0, 0] * s[1, 2],
        (2, 2): s[0, 0] * s[1, 1] - s[0, 1] ** 2,
    }
    determinant = s[0, 0] * inv[0, 0] + s[0, 1] * inv[0, 1] + s[0, 2] * inv[0, 2]
    determinant = np.maximum(determinant, np.float32(1e-18))
    slope = np.stack(
        [sum(inv[min(i, j), max(i, j)] * cross[j] for j in range(3)) / determinant for i in range(3)], -1
    ).astype(np.float32)
    offset = mean_v - (slope * mean_g).sum(-1)
    result: Floats = (_mean(slope, radius) * guide).sum(-1) + _mean(offset, radius)
    return result.astype(np.float32)


def softened_contour(mask: Floats, image: Floats, width: float) -> Floats:
    """A mask whose contour follows the picture inside a band and is as soft as the picture is there.

    :param mask: (H, W) in [0, 1].
    :param image: (H, W, 3), RGB in [0, 1].
    :param width: of the band on either side of the contour, in pixels; 0 leaves the mask as it is.
    :returns: (H, W) in [0, 1]; outside the band exactly 0 or 1.
    """
    if width < 0.5:
        return mask
    hard = (mask >= 0.5).astype(np.uint8)
    if hard.all() or not hard.any():
        return hard.astype(np.float32)
    radius = max(1, round(width))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    band = (cv2.dilate(hard, kernel) - cv2.erode(hard, kernel)) > 0
    rows, columns = np.flatnonzero(band.any(1)), np.flatnonzero(band.any(0))
    if not rows.size:
        return hard.astype(np.float32)
    # Only the band's box is filtered: the cost follows the contour and not the picture.
    grow = 2 * radius + 1
    place = (
        slice(max(0, rows[0] - grow), rows[-1] + 1 + grow),
        slice(max(0, columns[0] - grow), columns[-1] + 1 + grow),
    )
    soft = guided(hard[place].astype(np.float32), np.ascontiguousarray(image[place]), radius)
    # Steeper than the filter's own ramp, or the whole band would be half selected.
    soft = np.clip((soft - 0.5) * 1.6 + 0.5, 0, 1)
    out = hard.astype(np.float32)
    out[place] = np.where(band[place], soft, out[place])
    return out
