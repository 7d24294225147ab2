"""Lines: contours of the areas, hatching that follows form, carved lines, pencil strokes."""

from __future__ import annotations

import cv2
import numpy as np

from .fields import Array, blur, luma
from .scene import Scene
from .strokes import normals, resample, trace

_SHIFT = 4


class Sheet:
    """Ink coverage drawn in 8 bits, read as float in [0, 1]."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.data = np.zeros((n, n), np.uint8)

    @property
    def ink(self) -> Array:
        """(n, n) in [0, 1]."""
        return self.data.astype(np.float32) / 255

    def line(self, points: Array, width: Array | float, strength: float = 1.0) -> None:
        """A line (m, 2) of varying width, in pixels; it only darkens.

        Lines thinner than a pixel are drawn one pixel wide and fainter.
        """
        w = np.broadcast_to(np.asarray(width, np.float32), (len(points),))
        value = int(255 * strength)
        side = normals(points) * (np.maximum(w, 0.9) / 2)[:, None]
        outline = np.concatenate([points + side, (points - side)[::-1]])
        lo = np.floor(outline.min(0)).astype(int) - 2
        hi = np.ceil(outline.max(0)).astype(int) + 3
        lo, hi = np.clip(lo, 0, self.n), np.clip(hi, 0, self.n)
        if (hi - lo).min() <= 0:
            return
        patch = np.zeros((hi[1] - lo[1], hi[0] - lo[0]), np.uint8)
        value = int(value * min(1.0, float(w.mean()) / 0.9))
        fixed = np.round((outline - lo) * (1 << _SHIFT)).astype(np.int32)
        cv2.fillPoly(patch, [fixed], value, cv2.LINE_AA, _SHIFT)
        area = self.data[lo[1] : hi[1], lo[0] : hi[0]]
        np.maximum(area, patch, out=area)

    def polyline(self, points: Array, width: float, strength: float = 1.0) -> None:
        """A line (m, 2) of even width, drawn quickly."""
        fixed = np.round(points * (1 << _SHIFT)).astype(np.int32)
        cv2.polylines(
            self.data, [fixed], False, int(255 * strength), max(1, round(width)), cv2.LINE_AA, _SHIFT
        )


def contours(label: Array, minimum: float, smooth: float = 1.5) -> list[Array]:
    """Smooth outlines (m, 2) in pixels of every area of a label map, once each."""
    found: list[Array] = []
    for value in np.unique(label):
        mask = (label == value).astype(np.uint8)
        x, y, w, h = cv2.boundingRect(mask)
        padded = cv2.copyMakeBorder(mask[y : y + h, x : x + w], 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
        pieces, _ = cv2.findContours(padded, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        for piece in pieces:
            p = piece[:, 0].astype(np.float32) + [x - 1, y - 1]
            if len(p) < minimum:
                continue
            n = label.shape[0]
            kernel = cv2.getGaussianKernel(int(smooth * 6) | 1, smooth)[:, 0]
            half = len(kernel) // 2
            ext = np.concatenate([p[-half:], p, p[:half]])
            p = np.stack([np.convolve(ext[:, c], kernel, "valid") for c in range(2)], 1)
            inside = ((p > 1.5) & (p < n - 2.5)).all(1)
            # A contour that runs along the picture's border is cut there.
            start = 0
            while start < len(p):
                while start < len(p) and not inside[start]:
                    start += 1
                end = start
                while end < len(p) and inside[end]:
                    end += 1
                if end - start >= minimum / 2:
                    found.append(p[start:end].astype(np.float32))
                start = end
    return found


def outline(
    sheet: Sheet,
    scene: Scene,
    width: float,
    rng: np.random.Generator,
    wander: float = 0.8,
    minimum: float = 40,
    strength: float = 1.0,
    broken: float = 0.0,
) -> None:
    """Pen outlines of a scene's areas, pressing harder here and there; ``broken`` leaves gaps."""
    scale = sheet.n / scene.label.shape[0]
    for p in contours(scene.label, minimum):
        q = resample(p * scale, max(4, int(len(p) * scale / 5)))
        m = len(q)
        shake = np.cumsum(rng.normal(0, 0.35, (m, 2)), 0)
        shake -= np.linspace(0, 1, m)[:, None] * shake[-1]
        q = q + np.clip(shake, -1, 1) * wander
        beat = np.interp(np.arange(m), np.arange(0, m + 12, 12), rng.random(len(np.arange(0, m + 12, 12))))
        w = width * (0.45 + 0.9 * beat)
        if broken > 0:
            w = np.where(beat < broken, 0.0, w)
            for run in np.split(np.arange(m), np.where(np.diff((w > 0).astype(int)) != 0)[0] + 1):
                if len(run) > 3 and w[run[0]] > 0:
                    sheet.line(q[run].astype(np.float32), w[run], strength)
        else:
            sheet.line(q.astype(np.float32), w, strength)


def hatch(
    sheet: Sheet,
    tone: Array,
    angle: Array,
    rng: np.random.Generator,
    spacing: float,
    length: float,
    width: tuple[float, float],
    dark: float,
    light: float,
    labels: Array | None = None,
    strength: float = 1.0,
    bend: float = 0.03,
    steps: int = 7,
) -> int:
    """Hatching along ``angle`` where the picture is dark: more and thicker lines in deeper tone.

    :param tone: darkness wanted, (n, n) in [0, 1].
    :param spacing: between lines where the tone is deepest, in pixels.
    :param width: of the line at ``light`` and at ``dark`` tone.
    :param light: tone below which nothing is drawn.
    :return: how many lines were drawn.
    """
    n = sheet.n
    grid = np.arange(spacing / 2, n, spacing)
    gx, gy = np.meshgrid(grid, np.arange(length * 0.25, n, length * 0.5))
    a0 = 0.0
    start = np.stack([gx.ravel(), gy.ravel()], 1)
    start += (
        np.stack(
            [rng.uniform(-0.5, 0.5, len(start)) * spacing, rng.uniform(-0.5, 0.5, len(start)) * length * 0.5],
            1,
        )
        + a0
    )
    at = np.clip(start.astype(int), 0, n - 1)
    t = tone[at[:, 1], at[:, 0]]
    chosen = rng.random(len(start)) < np.clip((t - light) / (dark - light), 0, 1) ** 0.9
    start, t = start[chosen].astype(np.float32), t[chosen]
    if len(start) == 0:
        return 0
    lengths = length * rng.uniform(0.55, 1.2, len(start))
    path, alive = trace(angle, start, lengths, steps, rng, bend, None, 1e9, labels)
    press = np.sin(np.linspace(0.12, np.pi - 0.12, path.shape[1])) ** 0.6
    for i in range(len(start)):
        p = path[i][alive[i]]
        if len(p) < 3:
            continue
        q = np.clip(p.astype(int), 0, n - 1)
        local = np.clip((tone[q[:, 1], q[:, 0]] - light) / (dark - light), 0, 1)
        w = (width[0] + (width[1] - width[0]) * local) * press[alive[i]]
        sheet.line(p, w, strength)
    return len(start)


def carved(tone: Array, angle: Array, period: float, rng: np.random.Generator, shake: float = 0.25) -> Array:
    """Relief-print lines: black bands along the field, as wide as the tone is dark; (n, n) ink in [0, 1].

    The bands are the level lines of a phase that grows across the direction field; it is found by
    filtering noise along the field and sharpening it across, which lets lines fork as a carver's do.
    """
    n = tone.shape[0]
    phase = _bands(angle, period, rng)
    phase += shake * blur(rng.standard_normal((n, n)).astype(np.float32), period * 0.8) * period
    edge = np.clip(tone, 0, 1) * 2 - 1
    ink = np.clip((edge * 1.25 - phase) / 0.35 + 0.5, 0, 1)
    return ink.astype(np.float32)


def _bands(angle: Array, period: float, rng: np.random.Generator) -> Array:
    """Stripes along a direction field with a given period in pixels, in [-1, 1].

    White noise passed a few times through a Gabor-like filter that is oriented at each pixel: the
    directions are binned into 16 kernels and blended.
    """
    n = angle.shape[0]
    a = rng.standard_normal((n, n)).astype(np.float32)
    radius = int(period * 2.2)
    ys, xs = np.mgrid[-radius : radius + 1, -radius : radius + 1].astype(np.float32)
    kernels = []
    bins = 16
    for i in range(bins):
        t = np.pi * i / bins
        along, across = xs * np.cos(t) + ys * np.sin(t), -xs * np.sin(t) + ys * np.cos(t)
        k = np.exp(-(along**2) / (2 * (period * 1.1) ** 2) - across**2 / (2 * (period * 0.55) ** 2))
        k *= np.cos(2 * np.pi * across / period)
        k -= k.mean()
        kernels.append(k / np.abs(k).sum())
    place = np.mod(angle, np.pi) / np.pi * bins
    low = np.floor(place).astype(np.int32) % bins
    part = (place - np.floor(place)).astype(np.float32)
    for _ in range(5):
        out = np.zeros_like(a)
        for i in range(bins):
            weight = np.where(low == i, 1 - part, 0) + np.where((low + 1) % bins == i, part, 0)
            if weight.max() > 0:
                out += weight * cv2.filter2D(a, -1, kernels[i], borderType=cv2.BORDER_REFLECT_101)
        level = np.sqrt(blur(out * out, period * 1.5)) + 1e-6
        a = np.clip(out / level, -1.8, 1.8)
    return np.clip(a / 1.3, -1, 1)


def darkness(picture: Array, gamma: float = 1.0, black: float = 0.03, white: float = 0.97) -> Array:
    """How dark a picture is, (n, n) in [0, 1], stretched between its own extremes."""
    tone = luma(picture) ** (1 / 2.2) if gamma == 0 else luma(picture)
    low, high = np.quantile(tone, black), np.quantile(tone, white)
    return (1 - np.clip((tone - low) / (high - low), 0, 1)) ** (gamma or 1.0)
