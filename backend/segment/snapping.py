"""The last few pixels: a network's contour moved to the picture's, where both are nearly one anyway."""

from __future__ import annotations

import cv2
import numpy as np

from .base import Floats, Prompt, overlap, resized

#: Longer side in pixels at which the contour is looked for.
SIDE = 320
#: Half the width of the band in which it may move: share of the diagonal, less for small things.
BAND, LEAST_BAND = 0.02, 2
#: Radius in pixels of a click's certain disk, and rounds of colour model and cut.
DISK, ROUNDS = 2, 2
#: Overlap with the mask as it was, below which the cut is taken for a mistake.
TRUSTED = 0.9


def snapped(image: Floats, mask: Floats, prompt: Prompt) -> Floats:
    """The mask with its contour cut anew (Rother et al. 2004) inside a narrow band along it.

    Wider bands, and cuts that change much, were measured to lose more than they win.

    :param image: (H, W, 3), RGB in [0, 1].
    :param mask: (H, W) in [0, 1].
    :returns: (H, W) in [0, 1]; the mask itself where the cut is not trusted.
    """
    scale = min(1.0, SIDE / max(mask.shape))
    size = (max(1, round(mask.shape[0] * scale)), max(1, round(mask.shape[1] * scale)))
    small = resized(image, size)
    hard = (resized(mask, size) >= 0.5).astype(np.uint8)
    if not hard.any() or hard.all():
        return mask
    share = BAND * min(1.0, 2 * float(np.sqrt(hard.mean())))
    radius = max(LEAST_BAND, round(share * float(np.hypot(*size))))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    seeds = np.where(hard > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    seeds[cv2.erode(hard, kernel) > 0] = cv2.GC_FGD
    seeds[cv2.dilate(hard, kernel) == 0] = cv2.GC_BGD
    for p in prompt.scaled((size[1] / mask.shape[1], size[0] / mask.shape[0]), size).points:
        sure = cv2.GC_FGD if p.positive else cv2.GC_BGD
        cv2.circle(seeds, (round(p.x), round(p.y)), DISK, sure, -1)
    eight = np.ascontiguousarray((small[..., ::-1] * 255).round().clip(0, 255).astype(np.uint8))
    ground, thing = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)
    try:
        cv2.grabCut(eight, seeds, None, ground, thing, ROUNDS, cv2.GC_INIT_WITH_MASK)  # type: ignore[call-overload]
    except cv2.error:  # a colour model of fewer colours than it has parts
        return mask
    cut = (seeds == cv2.GC_FGD) | (seeds == cv2.GC_PR_FGD)
    moved = resized(cut.astype(np.float32), (mask.shape[0], mask.shape[1]))
    return moved if overlap(moved >= 0.5, mask >= 0.5) > TRUSTED else mask
