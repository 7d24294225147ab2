"""What a picture's places are like, for :mod:`.pairing`: features, roughness, colour and height."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from scumble.backend.nn.compact import TAPS, CompactEncoder
from scumble.backend.nn.full import FullEncoder

Floats = NDArray[np.float32]
#: Longest side in pixels at which pictures are clustered: parts are large, and this is quick.
SIDE = 256
#: Scales, in pixels of that size, between which roughness is measured.
BANDS = ((0.5, 1.0), (1.0, 2.0), (2.0, 4.0))
#: Columns of a description after the features: roughness of each band, two of colour, lightness, height.
REST = len(BANDS) + 2 + 1 + 1
#: What each group counts when a picture is divided, and when parts of two pictures are compared.
#: Lightness counts for parts to be of one tone: what is dark in a part of the layer's and bright in its
#: counterpart's loses more than hue or place can win, on measured pairs.
DIVIDING = {"features": 0.7, "roughness": 1.0, "colour": 0.3, "lightness": 0.5, "height": 0.7}
COMPARING = {"features": 1.0, "roughness": 0.7, "colour": 0.4, "lightness": 1.0, "height": 0.8}


@dataclass(frozen=True)
class View:
    """One picture as the clustering sees it.

    :param image: (3, h, w), small.
    :param places: (N, D) descriptions of the grid's positions that count; the last column is height.
    :param where: (gh, gw) booleans: which of the grid's positions count.
    """

    image: Tensor
    places: Floats
    where: NDArray[np.bool_]


@torch.inference_mode()
def view(encoder: CompactEncoder | FullEncoder, image: Tensor, mask: Tensor | None) -> View:
    """Describe a picture.

    :param image: (3, H, W), RGB in [0, 1].
    :param mask: (H, W) in [0, 1], what counts; ``None`` for everything.
    """
    height, width = image.shape[-2:]
    scale = min(1.0, SIDE / max(height, width))
    size = tuple(max(32, round(s * scale / 8) * 8) for s in (height, width))
    small = F.interpolate(image[None], size, mode="bilinear", antialias=True, align_corners=False)
    taps = encoder(small)
    grid = (size[0] // 4, size[1] // 4)
    deep = [F.interpolate(taps[tap], grid, mode="bilinear", align_corners=False) for tap in TAPS[-2:]]
    features = torch.cat([F.normalize(x - x.mean((2, 3), keepdim=True), dim=1) for x in deep], 1)
    # Parts are larger than strokes: what is painted with many small ones is one part.
    features = F.avg_pool2d(F.pad(features, (2, 2, 2, 2), mode="replicate"), 5, 1)[0]
    where = np.ones(grid, bool)
    if mask is not None:
        share = F.adaptive_avg_pool2d(mask[None, None].to(image), grid)[0, 0].cpu().numpy()
        where = share >= min(0.5, 0.7 * float(share.max()))
    pixels = np.ascontiguousarray(small[0].permute(1, 2, 0).cpu().numpy(), np.float32)
    lab: Floats = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2Lab), np.float32)
    rough = np.stack([_roughness(lab[..., 0], band, grid) for band in BANDS], -1)
    colour, light = _coarse(lab[..., 1:], grid, 1.5), _coarse(lab[..., 0], grid, 1.5)[..., None]
    rows = np.mgrid[0 : grid[0], 0 : grid[1]][0].astype(np.float32)[..., None] / grid[0]
    groups = {
        "features": _even(features.movedim(0, -1).cpu().numpy()[where]),
        "roughness": _even(rough[where], each=True),
        "colour": _even(colour[where]),
        "lightness": _even(light[where]),
        # Fully spread over a picture height has an energy of 1/12.
        "height": (rows[where] - rows[where].mean(0)) * np.float32(np.sqrt(12)),
    }
    places = np.concatenate([x * np.float32(DIVIDING[name]) for name, x in groups.items()], 1)
    return View(small[0], places.astype(np.float32), where)


def compared(places: Floats) -> Floats:
    """Descriptions with every group weighing what it does when parts of two pictures are compared."""
    wide = places.shape[1] - REST
    counts = {"features": wide, "roughness": len(BANDS), "colour": 2, "lightness": 1, "height": 1}
    factors = [np.full(n, COMPARING[name] / DIVIDING[name], np.float32) for name, n in counts.items()]
    out: Floats = places * np.concatenate(factors)
    return out


def _coarse(x: Floats, grid: tuple[int, int], blur: float) -> Floats:
    small = cv2.resize(x, (grid[1], grid[0]), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(small, (0, 0), blur), np.float32)


def _roughness(light: Floats, band: tuple[float, float], grid: tuple[int, int]) -> Floats:
    """Logarithm of how much lightness varies between two scales: sky is smooth, grass is not."""
    fine, coarse = (cv2.GaussianBlur(light, (0, 0), s) for s in band)
    energy = _coarse(np.asarray((fine - coarse) ** 2, np.float32), grid, 2.5)
    return np.asarray(0.5 * np.log(np.maximum(energy, 0) + 0.05), np.float32)


def _even(x: Floats, *, each: bool = False) -> Floats:
    """Mean 0 and energy 1 in this picture, because a painting is not a photograph; ``each`` column
    has the same share of it."""
    x = x - x.mean(0)
    if each:
        x = x / (np.sqrt((x**2).mean(0)) + np.float32(1e-3)) / np.float32(np.sqrt(x.shape[1]))
        return np.asarray(x, np.float32)
    return np.asarray(x / (np.sqrt((x**2).sum(1).mean()) + np.float32(1e-3)), np.float32)
