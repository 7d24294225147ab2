"""What lies under the paint: paper tooth, canvas weave, wood grain, plaster and its cracks."""

from __future__ import annotations

import cv2
import numpy as np

from .cells import voronoi
from .fields import Array, blur, grain, grid, line_integral, noise


def paper(rng: np.random.Generator, n: int, tooth: float = 1.0) -> Array:
    """Relief of rough paper in [0, 1], mean about 0.5; ``tooth`` scales the size of the bumps."""
    a = grain(rng, n, 0.8 * tooth * n / 768) + 1.1 * grain(rng, n, 2.0 * tooth * n / 768)
    a += 0.5 * grain(rng, n, 5 * tooth * n / 768)
    return np.clip(0.5 + 0.17 * a, 0, 1).astype(np.float32)


def laid_paper(rng: np.random.Generator, n: int) -> Array:
    """Paper with the fine parallel wires of its mould."""
    x, y = grid(n)
    wires = 0.5 + 0.5 * np.sin(y * 2 * np.pi * 170 + 0.6 * noise(rng, n, 6, 2))
    chains = np.exp(-(((np.mod(x * 14, 1) - 0.5) / 0.04) ** 2))
    return np.clip(0.55 * paper(rng, n) + 0.3 * wires + 0.15 * chains, 0, 1).astype(np.float32)


def canvas_weave(n: int, threads: int = 190) -> Array:
    """Relief of plain-woven canvas in [0, 1]."""
    x, y = grid(n)
    u, v = x * threads, y * threads
    over = (np.floor(u) + np.floor(v)) % 2
    warp = np.sin(np.pi * np.mod(u, 1)) * (0.55 + 0.45 * over)
    weft = np.sin(np.pi * np.mod(v, 1)) * (1.0 - 0.45 * over)
    return np.maximum(warp, weft).astype(np.float32)


def wood(rng: np.random.Generator, n: int, lines: float = 26) -> Array:
    """Grain of a sawn plank in [0, 1], running left to right, with a knot."""
    x, y = grid(n)
    d = np.hypot((x - 0.7) * 0.35, y - 0.35)
    bend = 0.05 * noise(rng, n, 2, 3, stretch=(2.5, 1)) + 0.10 * np.exp(-((d / 0.07) ** 2)) * np.sign(
        y - 0.35
    )
    rings = np.mod((y + bend) * lines + 0.4 * noise(rng, n, 3, 2, stretch=(4, 1)), 1)
    fibre = line_integral(np.zeros((n, n), np.float32), grain(rng, n, 0.6), n / 20)
    return np.clip(0.25 + 0.55 * rings**1.5 + 0.25 * fibre / (float(fibre.std()) + 1e-6) * 0.6, 0, 1).astype(
        np.float32
    )


def cracks(rng: np.random.Generator, n: int, count: int = 60, width: float = 0.0016) -> Array:
    """Craquelure in [0, 1]: borders of warped Voronoi cells, broken and uneven."""
    points = rng.random((count, 2)) * n
    index, edge = voronoi(n, points, (0.03 * n * noise(rng, n, 8, 4), 0.03 * n * noise(rng, n, 8, 4)))
    del index
    w = width * n * (0.5 + np.clip(noise(rng, n, 6, 3) + 0.6, 0, 2))
    line = np.clip(1.2 - edge / np.maximum(w, 0.3), 0, 1)
    return (line * (noise(rng, n, 5, 2) > -0.35)).astype(np.float32)


def emboss(relief: Array, picture: Array, depth: float) -> Array:
    """The picture on a relief lit from the upper left."""
    gx = cv2.Sobel(relief, cv2.CV_32F, 1, 0, ksize=3)
    gy = cv2.Sobel(relief, cv2.CV_32F, 0, 1, ksize=3)
    lit = np.clip(1 + depth * (0.62 * gx + 0.78 * gy), 0.3, 1.7)
    return np.clip(picture * lit[..., None], 0, 1).astype(np.float32)


def smudge(a: Array, angle: Array, length: float, sigma: float) -> Array:
    """Rubs a tone map along a direction, as a finger does with charcoal."""
    return blur(line_integral(angle, a, length), sigma)
