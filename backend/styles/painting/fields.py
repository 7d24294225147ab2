"""Scalar and direction fields on a square picture: noise, flow, structure, warping and colour maths.

Conventions in this package: pictures are float32 (n, n, 3) RGB in [0, 1], maps are float32 (n, n),
angles are radians of the stroke direction (x right, y down, so only modulo pi matters), lengths are in
pixels unless they are called "unit", in which case the picture's side is 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Colour = tuple[float, float, float]


def rgb(code: str) -> Colour:
    """``"#a0b1c2"`` as RGB in [0, 1]."""
    code = code.lstrip("#")
    return (int(code[0:2], 16) / 255, int(code[2:4], 16) / 255, int(code[4:6], 16) / 255)


def palette(codes: str) -> Array:
    """``"#a0b1c2 #000000"`` as an array (k, 3)."""
    return np.array([rgb(code) for code in codes.split()], np.float32)


def grid(n: int) -> tuple[Array, Array]:
    """Unit coordinates (x, y) of the pixel centres, each (n, n)."""
    t = (np.arange(n, dtype=np.float32) + 0.5) / n
    x, y = np.meshgrid(t, t)
    return x, y


def blur(a: Array, sigma: float) -> Array:
    """Gaussian blur that copies the borders; sigma in pixels, 0 or less returns the input."""
    if sigma <= 0.2:
        return a
    return cv2.GaussianBlur(a, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101)


def noise(
    rng: np.random.Generator,
    n: int,
    cells: float,
    octaves: int = 4,
    gain: float = 0.5,
    stretch: tuple[float, float] = (1.0, 1.0),
) -> Array:
    """Fractal value noise, roughly in [-1, 1].

    :param cells: lattice cells along the side of the lowest octave.
    :param stretch: (x, y) factors by which the features are longer in that direction.
    """
    total = np.zeros((n, n), np.float32)
    amplitude, norm = 1.0, 0.0
    for _ in range(octaves):
        w = max(2, round(cells / stretch[0]) + 1)
        h = max(2, round(cells / stretch[1]) + 1)
        w, h = min(w, n), min(h, n)
        lattice = rng.random((h, w), dtype=np.float32) * 2 - 1
        total += amplitude * cv2.resize(lattice, (n, n), interpolation=cv2.INTER_CUBIC)
        norm += amplitude
        amplitude *= gain
        cells *= 2
    return total * (1.6 / norm)


def grain(rng: np.random.Generator, n: int, sigma: float = 0.0) -> Array:
    """White noise of unit variance, blurred by sigma and scaled back to unit variance."""
    a = rng.standard_normal((n, n), dtype=np.float32)
    if sigma > 0.2:
        a = blur(a, sigma)
        a /= float(a.std()) + 1e-6
    return a


def line_integral(angle: Array, source: Array, length: float, steps: int = 10) -> Array:
    """Smears ``source`` along the field (line integral convolution), length in pixels to each side."""
    n = source.shape[0]
    ys, xs = np.mgrid[0:n, 0:n].astype(np.float32)
    total, weight = source.copy(), 1.0
    step = length / steps
    cos, sin = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)
    for sign in (1.0, -1.0):
        px, py = xs.copy(), ys.copy()
        dx, dy = cos * sign, sin * sign
        for _ in range(steps):
            px += dx * step
            py += dy * step
            total += cv2.remap(source, px, py, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
            weight += 1
            nx = cv2.remap(cos, px, py, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT_101)
            ny = cv2.remap(sin, px, py, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT_101)
            flip = np.where(nx * dx + ny * dy < 0, -1, 1).astype(np.float32)
            dx, dy = nx * flip, ny * flip
    return total / weight


def warp(a: Array, dx: Array, dy: Array) -> Array:
    """Samples ``a`` at (x + dx, y + dy), shifts in pixels."""
    n = a.shape[0]
    ys, xs = np.mgrid[0:n, 0:n].astype(np.float32)
    return cv2.remap(
        a,
        xs + dx.astype(np.float32),
        ys + dy.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT_101,
    )


def wobble(rng: np.random.Generator, a: Array, amount: float, cells: float = 12) -> Array:
    """Hand-drawn unsteadiness: warps by smooth noise of ``amount`` pixels."""
    n = a.shape[0]
    return warp(a, amount * noise(rng, n, cells, 2), amount * noise(rng, n, cells, 2))


def smooth_angle(angle: Array, sigma: float, weight: Array | None = None) -> Array:
    """Averages directions (modulo pi) with a Gaussian, optionally weighted."""
    c, s = np.cos(2 * angle), np.sin(2 * angle)
    if weight is not None:
        c, s = c * weight, s * weight
    return 0.5 * np.arctan2(blur(s.astype(np.float32), sigma), blur(c.astype(np.float32), sigma))


def structure(picture: Array, sigma: float) -> tuple[Array, Array]:
    """Direction along edges and its strength in [0, 1], from the smoothed structure tensor."""
    tone = luma(picture) if picture.ndim == 3 else picture
    gx = cv2.Scharr(tone, cv2.CV_32F, 1, 0)
    gy = cv2.Scharr(tone, cv2.CV_32F, 0, 1)
    xx, yy, xy = blur(gx * gx, sigma), blur(gy * gy, sigma), blur(gx * gy, sigma)
    angle = 0.5 * np.arctan2(2 * xy, xx - yy) + np.pi / 2
    energy = np.sqrt((xx - yy) ** 2 + 4 * xy * xy)
    return angle.astype(np.float32), energy / (float(np.percentile(energy, 95)) + 1e-6)


def combine_angles(a: Array, b: Array, share: Array | float) -> Array:
    """Between two directions (modulo pi): ``share`` of b."""
    c = (1 - share) * np.cos(2 * a) + share * np.cos(2 * b)
    s = (1 - share) * np.sin(2 * a) + share * np.sin(2 * b)
    return (0.5 * np.arctan2(s, c)).astype(np.float32)


def vortices(n: int, centres: Sequence[tuple[float, float, float, float]], base: float = 0.0) -> Array:
    """Swirling directions: (x, y, radius, spin) in unit lengths over a base direction."""
    x, y = grid(n)
    vx = np.full((n, n), np.cos(base), np.float32)
    vy = np.full((n, n), np.sin(base), np.float32)
    for cx, cy, radius, spin in centres:
        dx, dy = x - cx, y - cy
        fall = spin * np.exp(-(dx * dx + dy * dy) / (2 * radius * radius)) / radius
        vx += -dy * fall * 3.0
        vy += dx * fall * 3.0
    return np.arctan2(vy, vx)


def luma(picture: Array) -> Array:
    """Rec. 709 luma of RGB."""
    return (picture @ np.array([0.2126, 0.7152, 0.0722], np.float32)).astype(np.float32)


def to_lab(picture: Array) -> Array:
    """RGB in [0, 1] to CIE Lab (L 0-100); any (..., 3) shape."""
    flat = np.ascontiguousarray(np.clip(picture, 0, 1).reshape(1, -1, 3), np.float32)
    return cv2.cvtColor(flat, cv2.COLOR_RGB2LAB).reshape(picture.shape)


def from_lab(lab: Array) -> Array:
    """CIE Lab to RGB, clipped to [0, 1]; any (..., 3) shape."""
    flat = np.ascontiguousarray(lab.reshape(1, -1, 3), np.float32)
    return np.clip(cv2.cvtColor(flat, cv2.COLOR_LAB2RGB), 0, 1).reshape(lab.shape)


def ramp(t: Array, colours: Array) -> Array:
    """Colours (k, 3) interpolated evenly over t in [0, 1]."""
    fine = np.linspace(0, len(colours) - 1, 1024, dtype=np.float32)
    table = np.stack([np.interp(fine, np.arange(len(colours)), colours[:, c]) for c in range(3)], 1)
    return table.astype(np.float32)[(np.clip(t, 0, 1) * 1023).astype(np.int32)]


def mix(a: Array, b: Array | Colour, share: Array | float) -> Array:
    """``a`` with ``share`` (a map or a number) of ``b`` over it."""
    if isinstance(share, np.ndarray) and share.ndim == 2:
        share = share[..., None]
    return (a * (1 - share) + np.asarray(b, np.float32) * share).astype(np.float32)


def step(a: Array, low: float, high: float) -> Array:
    """Smooth step from 0 at ``low`` to 1 at ``high``."""
    t = np.clip((a - low) / (high - low), 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)


def nearest_colours(picture: Array, colours: Array, chroma: float = 1.0) -> Array:
    """Index of the nearest palette colour (k, 3) in Lab for each pixel."""
    lab, table = to_lab(picture), to_lab(colours)
    best = np.full(picture.shape[:-1], np.inf, np.float32)
    index = np.zeros(picture.shape[:-1], np.int32)
    for i, entry in enumerate(table):
        d = lab - entry
        distance = d[..., 0] ** 2 + chroma * (d[..., 1] ** 2 + d[..., 2] ** 2)
        closer = distance < best
        best[closer] = distance[closer]
        index[closer] = i
    return index


def grade(picture: Array, contrast: float = 1.0, saturation: float = 1.0, lift: float = 0.0) -> Array:
    """Contrast and saturation about mid grey in Lab, then a lift of lightness (in L units)."""
    lab = to_lab(picture)
    lab[..., 0] = (lab[..., 0] - 52) * contrast + 52 + lift
    lab[..., 1:] *= saturation
    return from_lab(lab)


def finish(picture: Array, n: int) -> Array:
    """8-bit picture of side n from a float one of any size."""
    if picture.shape[0] != n:
        picture = cv2.resize(picture, (n, n), interpolation=cv2.INTER_AREA)
    return (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)
