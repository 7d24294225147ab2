"""What VGG-16 sees: style losses, content distance and structure, inside a region.

The features are Oxford's VGG-16, never those of the network under test.  Statistics are weighted by
the drawn mask averaged down to the features' size, so that thin and tiny regions keep their say.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..nn.partial_conv import partial_conv2d
from ..nn.vgg import LAYERS, TAPS, VGG16
from .distances import GRAY_WEIGHTS

#: Layers of the perceptual distance: the last one of each block, as LPIPS takes them.
PERCEPTUAL_TAPS = ("1_2", "2_2", "3_3", "4_3")
CONTENT_TAP = "4_1"
#: Pixels around a region that its features down to relu4_3 can see, rounded up to whole cells.
MARGIN = 64
#: Down-sampling of the deepest features; crops start on multiples of it.
CELL = 8


@dataclass(frozen=True)
class Statistics:
    """Of one layer's features under a mask: mean (C,) and Gram matrix (C, C)."""

    mean: Tensor
    gram: Tensor


def weights_at(mask: Tensor, size: Sequence[int]) -> Tensor:
    """A (1, 1, H, W) mask averaged to (h, w): the share of each cell that it covers."""
    return F.interpolate(mask, size=tuple(size), mode="area")


def statistics(features: Tensor, weights: Tensor | None = None) -> Statistics:
    """Weighted mean and Gram matrix ``F Fᵀ / (c n)``, in float64.

    :param features: (1, C, h, w).
    :param weights: (1, 1, h, w), n being their sum; ``None`` weighs every position 1.
    """
    flat = features[0].flatten(1).double()
    w = torch.ones(flat.shape[1], dtype=torch.float64) if weights is None else weights.flatten().double()
    total = w.sum().clamp_min(1e-12)
    weighted = flat * w
    return Statistics(weighted.sum(1) / total, weighted @ flat.T / (len(flat) * total))


def style_loss(found: Mapping[str, Statistics], wanted: Mapping[str, Statistics]) -> float:
    """``Σ over layers of ‖Δmean‖² + ‖ΔGram‖²``, unweighted, as published (there with VGG-19)."""
    loss = 0.0
    for tap, want in wanted.items():
        have = found[tap]
        loss += float((have.mean - want.mean).square().sum() + (have.gram - want.gram).square().sum())
    return loss


def relative_style_loss(found: Mapping[str, Statistics], wanted: Mapping[str, Statistics]) -> float:
    """``Σ over layers of ‖Δmean‖²/‖mean‖² + ‖ΔGram‖²/‖Gram‖²``, relative to the style's own.

    Every layer counts alike, and the number does not depend on how the network scales its features.
    """
    loss = 0.0
    for tap, want in wanted.items():
        have = found[tap]
        loss += float((have.mean - want.mean).square().sum() / want.mean.square().sum())
        loss += float((have.gram - want.gram).square().sum() / want.gram.square().sum())
    return loss


def content_distance(found: Tensor, content: Tensor, weights: Tensor | None = None) -> float:
    """Squared difference of relu4_1 over the content's own square, both averaged under the mask.

    :param found: (1, C, h, w); ``content`` likewise.
    """
    w = torch.ones_like(content[:, :1]) if weights is None else weights
    return float(((found - content).square() * w).sum() / (content.square() * w).sum().clamp_min(1e-12))


def perceptual_distance(
    found: Mapping[str, Tensor], content: Mapping[str, Tensor], mask: Tensor | None = None
) -> float:
    """LPIPS without learned weights: how far the features turned, 0 (the same) to at most 4.

    Every position's feature vector is scaled to unit length; the squared distance of the two unit
    vectors is averaged under the mask, then over the layers (Zhang et al. 2018, equation 1, w = 1).

    :param found: ``{tap: (1, C, h, w)}``; ``content`` likewise.
    :param mask: (1, 1, H, W), or ``None`` for everywhere.
    """
    total = 0.0
    for tap, other in content.items():
        turned = (F.normalize(found[tap], dim=1, eps=1e-8) - F.normalize(other, dim=1, eps=1e-8)).square()
        per_position = turned.sum(1, keepdim=True)
        w = torch.ones_like(per_position) if mask is None else weights_at(mask, other.shape[-2:])
        total += float((per_position * w).sum() / w.sum().clamp_min(1e-12))
    return total / len(content)


def ssim(found: Tensor, content: Tensor, mask: Tensor | None = None) -> float:
    """Structural similarity of the grey pictures, averaged under the mask (Wang et al. 2004).

    11 x 11 Gaussian window of deviation 1.5, K1 = 0.01, K2 = 0.03, data range 1.

    :param found: (1, 3, H, W) in [0, 1], both sides at least 6; ``content`` likewise.
    """
    position = torch.arange(-5, 6, dtype=torch.float64)
    window = torch.exp(-position.square() / (2 * 1.5**2))
    window = window / window.sum()

    def blur(t: Tensor) -> Tensor:
        t = F.conv2d(F.pad(t, (0, 0, 5, 5), mode="reflect"), window.view(1, 1, -1, 1))
        return F.conv2d(F.pad(t, (5, 5, 0, 0), mode="reflect"), window.view(1, 1, 1, -1))

    gray = torch.tensor(GRAY_WEIGHTS, dtype=torch.float64).view(1, 3, 1, 1)
    a, b = (found.double() * gray).sum(1, keepdim=True), (content.double() * gray).sum(1, keepdim=True)
    mean_a, mean_b = blur(a), blur(b)
    var_a, var_b = blur(a * a) - mean_a**2, blur(b * b) - mean_b**2
    cov = blur(a * b) - mean_a * mean_b
    c1, c2 = 0.01**2, 0.03**2
    score = ((2 * mean_a * mean_b + c1) * (2 * cov + c2)) / (
        (mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2)
    )
    w = torch.ones_like(score) if mask is None else mask.to(score)
    return float((score * w).sum() / w.sum())


def masked_features(net: VGG16, image: Tensor, mask: Tensor, taps: Sequence[str] = TAPS) -> dict[str, Tensor]:
    """VGG-16's features by partial convolution with mask expansion, as the published loss takes them.

    What lies more than a pixel a layer outside the mask is replaced by the training set's mean, so
    the untouched photograph does not count as style.  An all-ones mask gives the plain network.

    :param image: (1, 3, H, W), RGB in [0, 1].
    :param mask: (1, 1, H, W) in [0, 1].
    """
    x = image * 255.0 - net.means
    m: Tensor | None = mask
    found: dict[str, Tensor] = {}
    for name, _, _ in LAYERS:
        if name == "pool":
            x = F.max_pool2d(x, 2)
            m = F.max_pool2d(m, 2) if m is not None else None
            continue
        conv = cast("nn.Conv2d", net.convs[name])
        y, m = partial_conv2d(x, conv.weight, conv.bias, m, expand=True)
        x = F.relu(y)
        if name in taps:
            found[name] = x
            if len(found) == len(taps):
                break
    return found


def extended(image: Tensor, mask: Tensor) -> Tensor:
    """The region's own pixels everywhere: outside, every pixel repeats the nearest one inside.

    The border that a masked convolution sees around a region is an edge of its own making, which
    in a small region outweighs the strokes; here the region ends without one.

    :param image: (1, 3, H, W).
    :param mask: (1, 1, H, W), above 0 inside, where it must select something.
    """
    outside = (mask[0, 0] == 0).byte().numpy()
    _, nearest = cv2.distanceTransformWithLabels(outside, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    inside = np.flatnonzero(outside == 0)
    place = np.zeros(int(nearest.max()) + 1, np.int64)
    place[nearest.ravel()[inside]] = inside
    return image.flatten(2)[:, :, torch.from_numpy(place[nearest.ravel()])].view_as(image)


def fitted(image: Tensor, long_side: int) -> Tensor:
    """Scale (1, C, H, W) down, antialiased, until its long side is at most ``long_side``."""
    height, width = image.shape[-2:]
    if max(height, width) <= long_side:
        return image
    scale = long_side / max(height, width)
    size = (max(CELL, round(height * scale)), max(CELL, round(width * scale)))
    return F.interpolate(image, size=size, mode="bilinear", antialias=True, align_corners=False).clamp(0, 1)


def region_box(mask: Tensor, margin: int = MARGIN, cell: int = CELL) -> tuple[slice, slice]:
    """Rows and columns around a (1, 1, H, W) mask that hold all its features can see.

    It starts on whole cells, so that pooling groups the same pixels as on the full picture.
    """
    inside = mask[0, 0] > 0
    box = []
    for axis in (1, 0):
        where = torch.nonzero(inside.any(axis)).flatten()
        if not len(where):
            raise ValueError("the mask selects no pixel")
        first = max(0, (int(where[0]) - margin) // cell * cell)
        last = min(inside.shape[1 - axis], math.ceil((int(where[-1]) + 1 + margin) / cell) * cell)
        box.append(slice(first, last))
    return box[0], box[1]


class Judge:
    """Oxford's VGG-16 with the memory of the last pictures it was shown.

    :param long_side: pictures are scaled down to this many pixels before the network sees them.
    """

    def __init__(self, net: VGG16, long_side: int = 512) -> None:
        self.net = net
        self.long_side = long_side
        self._styles: dict[str, dict[str, Statistics]] = {}
        self._photo: tuple[str, dict[str, Tensor]] = ("", {})

    @torch.inference_mode()
    def style_statistics(self, style: Tensor, key: str = "") -> dict[str, Statistics]:
        """Mean and Gram matrix of a whole style picture at the style taps.

        :param style: (1, 3, H, W), RGB in [0, 1].
        :param key: remembers the answer under this name.
        """
        if key and key in self._styles:
            return self._styles[key]
        features = self.net(fitted(style, self.long_side), TAPS)
        found = {tap: statistics(features[tap]) for tap in TAPS}
        if key:
            self._styles[key] = found
        return found

    @torch.inference_mode()
    def judge(
        self,
        photo: Tensor,
        result: Tensor,
        mask: Tensor,
        style: Tensor,
        *,
        style_key: str = "",
        photo_key: str = "",
    ) -> dict[str, float]:
        """All perceptual measures of one result inside one region.

        :param photo: (1, 3, H, W), RGB in [0, 1]; ``result`` likewise.
        :param mask: (1, 1, H, W), 0 or 1.
        :param photo_key: names photograph and mask together; the last one is remembered.
        :returns: ``style_loss``, ``relative_style_loss``, ``inner_style_loss``,
            ``content_distance``, ``perceptual_distance``, ``ssim``.
        """
        structure = ssim(result, photo, mask)
        alone = extended(result, mask)  # before scaling mixes inside and outside
        photo, result, alone, mask = (fitted(t, self.long_side) for t in (photo, result, alone, mask))
        rows, columns = region_box(mask)
        photo, result, alone, mask = (t[:, :, rows, columns] for t in (photo, result, alone, mask))

        wanted = self.style_statistics(style, style_key)
        taps = (*PERCEPTUAL_TAPS, CONTENT_TAP)
        whole = bool((mask == 1).all())
        if not photo_key or self._photo[0] != photo_key:
            self._photo = (photo_key, self.net(photo, taps))
        before, after = self._photo[1], self.net(result, tuple({*taps, *TAPS}) if whole else taps)
        # An all-ones mask gives the plain features exactly: no second pass.
        styled = after if whole else masked_features(self.net, result, mask)
        found = {t: statistics(styled[t], weights_at(mask, styled[t].shape[-2:])) for t in TAPS}
        inner = after if whole else self.net(alone, TAPS)
        bare = {t: statistics(inner[t], weights_at(mask, inner[t].shape[-2:])) for t in TAPS}
        ends = {t: before[t] for t in PERCEPTUAL_TAPS}
        at_content = weights_at(mask, before[CONTENT_TAP].shape[-2:])
        return {
            "style_loss": style_loss(found, wanted),
            "relative_style_loss": relative_style_loss(found, wanted),
            "inner_style_loss": relative_style_loss(bare, wanted),
            "content_distance": content_distance(after[CONTENT_TAP], before[CONTENT_TAP], at_content),
            "perceptual_distance": perceptual_distance(after, ends, mask),
            "ssim": structure,
        }
