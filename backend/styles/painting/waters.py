"""Water-borne paint: wet-in-wet, line and wash, brush and ink wash."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from . import landscapes, shores
from .fields import (
    Array,
    blur,
    from_lab,
    grade,
    grain,
    line_integral,
    luma,
    mix,
    noise,
    palette,
    rgb,
    step,
    to_lab,
    warp,
)
from .lines import Sheet, outline
from .papers import emboss, paper
from .recipe import Recipe, compose
from .scene import Scene
from .strokes import Brush, Canvas, draw_stroke, normals, paint_layer, resample


def _density(picture: Array) -> Array:
    """Optical density of a transparent wash that gives the colour on white."""
    return -np.log(np.clip(picture, 0.03, 0.99))


def _bleed(picture: Array, rng: np.random.Generator, reach: float) -> Array:
    """Colour carried by water: fingers along a turbulent warp, then diffusion."""
    m = picture.shape[0]
    for cells, share in ((7, 1.0), (22, 0.45), (60, 0.2)):
        picture = warp(
            picture, reach * share * noise(rng, m, cells, 2), reach * share * noise(rng, m, cells, 2)
        )
    return picture


def _edges(picture: Array, fine: float) -> Array:
    """Where pigment gathers as a wash dries: along borders, on the darker side."""
    tone = luma(picture)
    rim = blur(tone, fine * 2.2) - blur(tone, fine * 0.6)
    return np.clip(rim * 9, 0, 1)


def _washed(
    layers: list[tuple[Array, float]],
    tooth: Array,
    rng: np.random.Generator,
    ground: Array,
    granulate: float = 0.28,
) -> Array:
    m = tooth.shape[0]
    total = np.zeros((m, m, 3), np.float32)
    for picture, amount in layers:
        rim = _edges(picture, m / 700)
        bloom = noise(rng, m, 6, 4, 0.55)
        pool = 0.92 + 0.26 * bloom + 0.65 * rim
        total += _density(picture) * (amount * pool * (1 + granulate * (tooth - 0.5) * 2.0))[..., None]
    return (ground * np.exp(-np.clip(total, 0, 4))).astype(np.float32)


DAWN = palette(
    "#7fa8d8 #f6d8c0 #fbeee0 #b8a8d0 #7f7fb8 #fdf6ee #6f9aa8 #3f7f74 #24524f #6fb0b8 #c0e4dc #f2a07a #cfc9a0"
)


def wet(n: int, rng: np.random.Generator) -> Array:
    m = n * 3 // 2
    s, angle = compose(m, rng, landscapes.lake, 0.3, p=DAWN)
    lab = to_lab(grade(s.rgb, 1.0, 1.6, 5))
    lab[..., 1] += 9 * noise(rng, m, 4, 2)
    lab[..., 2] += 11 * noise(rng, m, 4, 2)
    ref = from_lab(lab)
    tooth = paper(rng, m, 1.2)
    far = _bleed(blur(ref, m / 110), rng, m / 34)
    c = Canvas(np.broadcast_to(np.float32(1.0), (m, m, 3)))
    wash: dict[str, Any] = dict(bristles=1, streak=0.0, dry=0.0, height=0.0, taper=0.7)
    paint_layer(c, ref, angle, Brush(0.075, 4, 0.5, jitter=(5, 7, 7), pickup=0.35, **wash), rng)
    paint_layer(
        c, ref, angle, Brush(0.038, 4, 0.6, threshold=9, keep=0.8, jitter=(5, 6, 6), pickup=0.2, **wash), rng
    )
    paint_layer(
        c, ref, angle, Brush(0.019, 4, 0.7, threshold=14, keep=0.8, jitter=(4, 5, 5), pickup=0.1, **wash), rng
    )
    middle = blur(_bleed(c.colour, rng, m / 130), m / 900)
    paint_layer(
        c, ref, angle, Brush(0.010, 4, 0.8, threshold=20, keep=0.8, jitter=(3, 3, 3), pickup=0.0, **wash), rng
    )
    near = _bleed(c.colour, rng, m / 500)
    ground = np.array(rgb("#fdfaf2"), np.float32) * (1 + 0.05 * (tooth - 0.5))[..., None]
    out = _washed([(far, 0.30), (middle, 0.45), (near, 0.42)], tooth, rng, ground, 0.34)
    # Back-runs: drops of clean water push the pigment into cauliflower rims.
    for _ in range(9):
        cx, cy, rad = rng.random(), rng.random() * 0.5, rng.uniform(0.03, 0.08)
        d = np.hypot(s.x - cx, s.y - cy) / rad + 0.22 * noise(rng, m, 22, 3)
        out = mix(out, ground, 0.28 * step(1 - d, 0, 0.5))
        out = out ** (1 + 0.9 * np.exp(-(((d - 1.0) / 0.08) ** 2)) * (d < 1.4))[..., None]
    return emboss(tooth, out, 0.05)


def line_wash(n: int, rng: np.random.Generator) -> Array:
    m = n * 3 // 2
    s, angle = compose(m, rng, shores.harbour, 0.3, flip=True)
    ref = grade(s.rgb, 1.0, 1.35, 6)
    tooth = paper(rng, m, 1.0)
    c = Canvas(np.broadcast_to(np.float32(1.0), (m, m, 3)))
    wash: dict[str, Any] = dict(bristles=1, streak=0.0, dry=0.0, height=0.0, taper=0.5)
    paint_layer(c, ref, angle, Brush(0.060, 3.5, 0.6, keep=0.85, jitter=(5, 7, 7), pickup=0.2, **wash), rng)
    first = _bleed(c.colour, rng, m / 120)
    paint_layer(
        c,
        ref,
        angle,
        Brush(0.026, 4, 0.7, threshold=12, keep=0.85, jitter=(5, 6, 6), pickup=0.1, **wash),
        rng,
    )
    paint_layer(
        c, ref, angle, Brush(0.013, 4, 0.8, threshold=18, keep=0.8, jitter=(4, 5, 5), pickup=0.0, **wash), rng
    )
    second = _bleed(c.colour, rng, m / 260)
    ground = np.array(rgb("#fbf6ea"), np.float32) * (1 + 0.05 * (tooth - 0.5))[..., None]
    out = _washed([(first, 0.42), (second, 0.62)], tooth, rng, ground)
    pen = Sheet(m)
    outline(pen, s, m / 300, rng, 3.0, 45, 0.95, 0.10)
    outline(pen, s, m / 700, rng, 6.0, 90, 0.8, 0.35)
    drops = np.zeros((m, m), np.uint8)
    for _ in range(130):
        x, y = rng.integers(0, m, 2)
        cv2.circle(drops, (int(x), int(y)), int(rng.exponential(m / 420)) + 1, 255, -1, cv2.LINE_AA)
    tint = from_lab(to_lab(blur(ref, m / 12)) * np.array([0.7, 1.4, 1.4], np.float32))
    out = mix(out, out * tint, drops.astype(np.float32) / 255 * 0.7)
    return mix(out, np.array(rgb("#2a211f"), np.float32), pen.ink * 0.92)


def _stalk(
    c: Canvas, x: float, y0: float, y1: float, width: float, tone: float, rng: np.random.Generator
) -> None:
    """A bamboo stalk in joints, each one stroke of a half-dry brush, from ``y0`` up to ``y1``."""
    m = c.n
    y = y0
    lean = rng.normal(0, 0.02)
    brush = Brush(width, bristles=26, streak=7.0, dry=0.35, pickup=0.25, height=0.0, taper=0.03)
    while y > y1:
        length = rng.uniform(0.11, 0.16)
        end = y - length
        points = np.array([[x, y], [x + lean * 0.5 * length, (y + end) / 2], [x + lean * length, end]]) * m
        draw_stroke(
            c,
            resample(points.astype(np.float32), 14),
            width * m,
            np.array([tone + rng.normal(0, 4), 0.5, 1.5], np.float32),
            brush,
            rng,
        )
        knot = (
            np.array(
                [
                    [x + lean * length - width * 0.62, end - 0.002],
                    [x + lean * length, end + 0.004],
                    [x + lean * length + width * 0.62, end - 0.003],
                ]
            )
            * m
        )
        draw_stroke(
            c,
            resample(knot.astype(np.float32), 10),
            width * m * 0.22,
            np.array([max(6.0, tone - 30), 0, 0], np.float32),
            Brush(0.01, bristles=5, streak=3, dry=0.2, pickup=0.0, height=0.0, taper=0.8),
            rng,
        )
        x += lean * length
        y = end - 0.009


def _blade(
    c: Canvas,
    x: float,
    y: float,
    turn: float,
    length: float,
    width: float,
    tone: float,
    rng: np.random.Generator,
) -> None:
    """A bamboo leaf: pressed at the stem, lifted to a point."""
    m = c.n
    bend = rng.normal(0.12, 0.15)
    t = np.linspace(0, 1, 16)[:, None]
    points = np.array([x, y]) + length * np.concatenate(
        [t * np.cos(turn + bend * t), t * np.sin(turn + bend * t)], 1
    )
    points = (points * m).astype(np.float32)
    profile = (np.sin(np.pi * t[:, 0] ** 0.7) * width * m + 0.6).astype(np.float32)
    side = normals(points)
    for k in np.linspace(-0.5, 0.5, 9):
        lane = points + side * (k * profile)[:, None]
        shade = float(np.clip(tone + rng.normal(0, 7), 3, 95))
        colour = (from_lab(np.array([shade, 0.3, 0.8], np.float32)[None])[0] * 255).tolist()
        last = len(lane) - int(rng.random() ** 3 * 6)
        fixed = np.round(lane[:last] * 16).astype(np.int32)
        cv2.polylines(c.data, [fixed], False, [*colour, 0], max(1, round(width * m / 7)), cv2.LINE_AA, 4)


def sumi(n: int, rng: np.random.Generator) -> Array:
    m = n * 3 // 2
    s = Scene(m, rng, rgb("#ece3cf"))
    tooth = paper(rng, m, 1.0)
    streaks = line_integral(
        np.full((m, m), 0.05, np.float32) + 0.25 * noise(rng, m, 3, 2), grain(rng, m, 1.5), m / 24
    )
    streaks /= float(streaks.std())
    ink = 0.10 + 0.05 * noise(rng, m, 4, 4, stretch=(2.5, 1)) + 0.035 * streaks
    d = np.hypot(s.x - 0.27, s.y - 0.20)
    ink = ink + 0.10 * step(d, 0.115, 0.125) * np.exp(-((d / 0.26) ** 2)) - 0.06 * step(0.12 - d, 0, 0.008)
    for base, height, depth, tone, reach in (
        (0.40, 0.10, 3.0, 0.22, 0.13),
        (0.53, 0.14, 3.2, 0.34, 0.15),
        (0.66, 0.12, 4.0, 0.50, 0.17),
        (0.82, 0.09, 4.5, 0.72, 0.2),
    ):
        line = s.ridge(base, height, depth, 5) + 0.006 * noise(rng, m, 60, 2)[0]
        below = s.y - line[None, :]
        inside = step(below, -0.002, 0.004)
        rocks = np.clip(0.7 + 0.55 * noise(rng, m, 14, 5, 0.6, (0.6, 1.6)), 0.1, 1.5)
        wash = tone * np.exp(-np.clip(below, 0, 1) / reach) * rocks * (1 + 0.16 * streaks)
        rim = (
            tone * 0.8 * np.exp(-(((below - 0.004) / 0.005) ** 2)) * np.clip(0.6 + noise(rng, m, 18, 2), 0, 1)
        )
        ink = ink * (1 - 0.55 * inside * np.exp(-np.clip(below, 0, 1) / reach)) + inside * (wash + rim)
    ground = (
        np.array(rgb("#efe6d0"), np.float32)
        * (1 + 0.08 * (tooth - 0.5) + 0.03 * noise(rng, m, 3, 3))[..., None]
    )
    ink = np.clip(ink * (0.86 + 0.28 * tooth), 0, 0.97)
    base_picture = mix(ground, np.array(rgb("#22252a"), np.float32), ink)
    c = Canvas(base_picture)
    for x, width, tone, top in (
        (0.70, 0.016, 62.0, -0.1),
        (0.94, 0.022, 55.0, -0.1),
        (0.80, 0.036, 34.0, -0.1),
        (0.89, 0.030, 22.0, 0.10),
    ):
        _stalk(c, x, 1.04, top, width, tone, rng)
    for _ in range(26):
        x, y = rng.uniform(0.52, 0.98), rng.uniform(0.02, 0.62)
        tone = float(rng.choice([12.0, 20.0, 45.0, 60.0], p=[0.4, 0.25, 0.2, 0.15]))
        for k in range(int(rng.integers(3, 6))):
            _blade(
                c,
                x,
                y,
                rng.normal(2.2, 0.55) + 0.1 * k,
                rng.uniform(0.08, 0.17),
                rng.uniform(0.010, 0.019),
                tone,
                rng,
            )
    for x, y, size in ((0.12, 0.34, 0.035), (0.20, 0.38, 0.026), (0.30, 0.33, 0.022), (0.40, 0.40, 0.018)):
        for side in (-1, 1):
            _blade(c, x, y, -np.pi / 2 + side * 1.1, size, size * 0.16, 14.0, rng)
    out = c.colour
    seal = s.polygon([(0.07, 0.86), (0.125, 0.858), (0.127, 0.925), (0.072, 0.927)])
    marks = step(np.sin(s.x * 420) * np.sin(s.y * 330 + 1), -0.1, 0.05) * step(
        noise(rng, m, 50, 1), -0.5, -0.3
    )
    out = mix(out, np.array(rgb("#b23a2a"), np.float32), seal * (0.35 + 0.6 * marks) * (0.8 + 0.2 * tooth))
    return emboss(tooth, out, 0.05)


RECIPES = (
    Recipe(
        "watercolour-lake",
        "Wet-in-wet watercolour",
        "Flowing washes with blooms, dark rims and granulation; a lake at dawn.",
        ("watercolour", "landscape", "cold", "soft"),
        wet,
        86,
    ),
    Recipe(
        "line-and-wash",
        "Line and wash harbour",
        "Nervous pen line over transparent overlapping washes, with splashes.",
        ("watercolour", "ink", "city", "bright"),
        line_wash,
        80,
    ),
    Recipe(
        "sumi-bamboo",
        "Ink-wash bamboo",
        "Brush and ink: misty ridges, half-dry stalks and pressed leaves.",
        ("ink", "wash", "landscape", "monochrome"),
        sumi,
        84,
    ),
)
