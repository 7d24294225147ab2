"""How regions meet the layer and each other: feathered alpha, shares of overlapping masks, erosion.

All widths are in image pixels, so that the look does not depend on the resolution features have.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.float32]

#: Share of the feather's width in which the new layer comes to cover the old.  More is calmer at the seam,
#: less leaves more of the style at the edge (docs/evaluation.md, table 3).
COVERS = 0.9


@dataclass(frozen=True)
class Blend:
    """How the regions of one job are laid over the layer.

    :param alpha: (H, W) in [0, 1]: coverage of the new layer; 0 wherever no mask was drawn.
    :param shares: per region (H, W); they add up to one wherever ``alpha`` is positive.
    :param inner: (H, W) in [0, 1]: weight of stylized features against the content's own, 0 at
        the outer edge of the regions' union and 1 a feather's width inside.
    """

    alpha: Mask
    shares: tuple[Mask, ...]
    inner: Mask


def unite(masks: Sequence[Mask]) -> Mask:
    """The (H, W) coverage of all masks together, in [0, 1]; a single mask is given back itself."""
    if len(masks) == 1:
        return masks[0]
    return np.clip(np.sum(masks, axis=0), 0.0, 1.0).astype(np.float32)


def inner_distance(mask: Mask) -> Mask:
    """Distance in pixels from each position inside the mask to the outside; the border is not outside."""
    inside = (mask > 0).astype(np.uint8)
    if inside.all():
        return np.full(mask.shape, np.inf, dtype=np.float32)
    return cv2.distanceTransform(inside, cv2.DIST_L2, 5).astype(np.float32)


def smoothstep(x: Mask) -> Mask:
    """Cubic ramp from 0 at x <= 0 to 1 at x >= 1, flat at both ends."""
    t = np.clip(x, 0.0, 1.0)
    return (t * t * (3.0 - 2.0 * t)).astype(np.float32)


def feather_width(distance: Mask, wanted: float) -> float:
    """The wanted width, less where the region is too thin to bear it.

    A third of the largest inscribed radius leaves at least two thirds of even a thin line fully
    painted in its middle.
    """
    finite = distance[np.isfinite(distance)]
    if finite.size < distance.size:
        return wanted if finite.size == 0 else min(wanted, float(finite.max()) / 3.0)
    return min(wanted, float(finite.max()) / 3.0) if finite.size else wanted


def auto_feather(masks: Sequence[Mask]) -> float:
    """A feather's width in pixels from the regions' size: 2 % of the union's equivalent side, 4 to 16."""
    area = float(unite(masks).sum())
    return float(np.clip(0.02 * np.sqrt(area), 4.0, 16.0))


def blend(
    masks: tuple[Mask, ...],
    *,
    feather: float,
    feather_edge: bool,
    distance: Mask | None = None,
    tick: Callable[[], None] = lambda: None,
) -> Blend:
    """Work out alpha, shares and inner weight for one or more masks.

    :param masks: (H, W) in [0, 1] each, drawn softness included.
    :param feather: width of the inner ramp in pixels.
    :param feather_edge: ramp ``alpha`` up inside hard edges; a mask drawn softer than the ramp
        keeps its own softness, because the smaller of the two is taken.
    :param distance: :func:`inner_distance` of the masks' union, if it is known.
    :param tick: called now and then; may raise to stop the work.
    """
    union = unite(masks)
    if distance is None:
        distance = inner_distance(union)
    if np.isinf(distance[0, 0]):  # there is no outside, and so no edge to blend
        return Blend(union, shares(masks, feather, tick), np.ones_like(union))
    width = feather_width(distance, feather)
    tick()
    ramp = smoothstep(distance / max(width, 1.0)) if width > 0 else np.ones_like(union)
    alpha = np.minimum(union, smoothstep(distance / max(COVERS * width, 1.0))) if feather_edge else union
    # Features turn into paint one pixel later than the alpha, so the seam itself shows content.
    tick()
    inner = smoothstep((distance - 1.0) / max(width, 1.0)) if width > 1 else ramp
    return Blend(alpha, shares(masks, width, tick), np.minimum(inner, ramp))


def shares(
    masks: tuple[Mask, ...], width: float, tick: Callable[[], None] = lambda: None
) -> tuple[Mask, ...]:
    """Share of each region at every pixel: masks blurred over ``width`` pixels, then normalised.

    Blurring lets neighbouring styles melt into each other across a shared hard edge.
    """
    if len(masks) == 1:
        return (np.ones_like(masks[0]),)
    soft: list[Mask] = []
    for mask in masks:
        tick()
        soft.append(cv2.GaussianBlur(mask, (0, 0), max(0.5, width / 2.0)) + 1e-6 * mask)
    total = np.sum(soft, axis=0)
    equal = np.float32(1.0 / len(masks))
    found: list[Mask] = []
    for part in soft:
        tick()
        share = np.where(total > 1e-9, part / np.maximum(total, 1e-9), equal)
        found.append(share.astype(np.float32))
    return tuple(found)


def softened(mask: Mask, width: float) -> Mask:
    """The mask feathered outwards and inwards over ``width`` pixels, for the encoder to look through."""
    if width < 0.5 or bool((mask >= 1).all()):
        return mask
    size = 2 * int(np.ceil(width / 2)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    grown = cv2.dilate(mask, kernel)
    return np.maximum(mask, cv2.GaussianBlur(grown, (0, 0), max(0.5, width / 3.0))).astype(np.float32)
