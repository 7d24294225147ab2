"""Crafted pictures: stained glass, mosaic, fresco, batik, tapestry, embroidery, cut paper."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import creatures, flowers, landscapes, people
from .cells import border_distance, cell_means, centroidal, scatter, voronoi
from .fields import (
    Array,
    blur,
    from_lab,
    grade,
    grain,
    line_integral,
    mix,
    noise,
    palette,
    rgb,
    step,
    structure,
    to_lab,
    vortices,
)
from .lines import Sheet, outline
from .papers import cracks, emboss, paper
from .recipe import Recipe, compose
from .strokes import Brush, Canvas, paint_layer


def stained_glass(n: int, rng: np.random.Generator) -> Array:
    m = n * 3 // 2
    s, _ = compose(m, rng, flowers.bouquet, 0.3)
    ref = grade(s.rgb, 1.15, 1.7, 4)
    _, edge = structure(blur(ref, m / 300), m / 200)
    points = centroidal(rng, 0.5 + 0.6 * np.clip(edge, 0, 1.5), 430, 5)
    index, _ = voronoi(m, points)
    # Panes also break where the drawing's large areas meet.
    big = s.label.copy()
    counts = np.bincount(big.ravel())
    big[counts[big] < m * m / 600] = 0
    pane = np.unique(index.astype(np.int64) * (int(big.max()) + 1) + big, return_inverse=True)[1].reshape(
        m, m
    )
    colour = cell_means(pane, to_lab(ref), int(pane.max()) + 1)
    size = np.bincount(pane.ravel())
    colour[:, 0] += rng.normal(0, 6, len(colour)) + 4
    colour[:, 1:] *= 1.35
    glass = from_lab(colour[pane])
    distance = border_distance(np.where(size[pane] < m * m / 16000, -1, pane))
    u = m / 768
    streak = line_integral(
        vortices(m, [(0.3, 0.4, 0.2, 1.0), (0.7, 0.6, 0.2, -1.0)], 0.6), grain(rng, m, 2.0), m / 16
    )
    streak /= float(streak.std())
    bubbles = step(grain(rng, m, 2.0 * u), 2.6, 3.0)
    glow = 0.86 + 0.10 * streak + 0.16 * noise(rng, m, 5, 3) + 0.18 * step(distance, 2 * u, 16 * u)
    glass = np.clip(glass * (glow + 0.25 * bubbles)[..., None], 0, 1)
    glass = mix(glass, blur(glass, 10 * u) * 1.15, 0.25)
    lead = np.clip((3.9 * u - distance) / (1.2 * u), 0, 1)
    profile = np.clip(1 - (distance / (3.9 * u)) ** 2, 0, 1)
    came = emboss(
        blur(profile, 0.8 * u), np.broadcast_to(np.array(rgb("#2a2a30"), np.float32), glass.shape), 1.3
    )
    return mix(glass, came, lead)


def _tesserae(
    m: int, angle: Array, size: float, rng: np.random.Generator, density: Array, rounds: int = 5
) -> tuple[Array, Array]:
    """Squarish cells in rows along a direction field; returns cell numbers and seed points.

    Lloyd's relaxation with distances measured along each cell's own axes, each seed drawing its pyramid
    into a depth buffer (Hausner, "Simulating decorative mosaics", SIGGRAPH 2001).
    """
    count = int(m * m / (size * size))
    points = scatter(rng, density, count)
    reach = int(size * 2.2)
    owner = np.zeros((m, m), np.int32)
    for i in range(rounds + 1):
        depth = np.full((m, m), 1e9, np.float32)
        owner = np.full((m, m), -1, np.int32)
        for k, (px, py) in enumerate(points):
            x0, y0 = max(0, int(px) - reach), max(0, int(py) - reach)
            x1, y1 = min(m, int(px) + reach + 1), min(m, int(py) + reach + 1)
            a = angle[min(m - 1, int(py)), min(m - 1, int(px))]
            c, q = np.cos(a), np.sin(a)
            dx = np.arange(x0, x1, dtype=np.float32)[None] - px
            dy = np.arange(y0, y1, dtype=np.float32)[:, None] - py
            d = np.maximum(np.abs(dx * c + dy * q), np.abs(-dx * q + dy * c))
            cut = np.s_[y0:y1, x0:x1]
            closer = d < depth[cut]
            depth[cut][closer] = d[closer]
            owner[cut][closer] = k
        if i < rounds:
            taken = owner.ravel() >= 0
            cells = owner.ravel()[taken]
            ys, xs = np.divmod(np.flatnonzero(taken), m)
            mass = np.maximum(np.bincount(cells, minlength=count), 1)
            moved = [np.bincount(cells, v, minlength=count) / mass for v in (xs, ys)]
            alive = np.bincount(cells, minlength=count) > 0
            points[alive] = np.stack(moved, 1)[alive]
    return np.maximum(owner, 0), points


def mosaic(n: int, rng: np.random.Generator) -> Array:
    m = n * 3 // 2
    s, angle = compose(m, rng, creatures.koi, 0.7)
    ref = grade(s.rgb, 1.1, 1.25, 4)
    _, edge = structure(blur(ref, 2), m / 200)
    index, points = _tesserae(m, angle, m / 64, rng, 0.6 + np.clip(edge, 0, 1))
    lab = to_lab(cell_means(index, ref, len(points)))
    lab += rng.standard_normal(lab.shape) * np.array([5.5, 4.0, 5.0])
    colour = from_lab(lab.astype(np.float32))
    gold = rng.random(len(points)) < 0.03
    colour[gold] = np.array(rgb("#d9b14a"), np.float32)
    distance = border_distance(index)
    u = m / 768
    stone = colour[index] * (1 + 0.10 * noise(rng, m, 60, 3))[..., None]
    tilt = rng.normal(0, 1, (len(points), 2)).astype(np.float32)
    ys, xs = np.mgrid[0:m, 0:m].astype(np.float32)
    lean = (
        tilt[index][..., 0] * (xs - points[index][..., 0])
        + tilt[index][..., 1] * (ys - points[index][..., 1])
    ) / (m / 64)
    relief = step(distance, 0.6 * u, 3.2 * u)
    stone = emboss(blur(relief, 0.9 * u), np.clip(stone * (1 + 0.14 * lean)[..., None], 0, 1), 0.55)
    grout = np.array(rgb("#cfc3ab"), np.float32) * (0.72 + 0.2 * paper(rng, m))[..., None]
    return mix(grout, stone, step(distance, 0.7 * u, 1.7 * u))


EARTH = palette(
    "#8f9f86 #cdbf95 #eecfa4 #cf8f62 #7f4630 #b5573f #3a2419 "
    "#6f4329 #b07c45 #4f6f78 #9fb5ab #f2e6cb #2a1d17 #c9993f #a04a34"
)


def fresco(n: int, rng: np.random.Generator) -> Array:
    m = n * 3 // 2
    s, angle = compose(m, rng, people.portrait, 0.3, p=EARTH, light=(0.5, -0.5, 0.7), flip=True)
    tooth = paper(rng, m, 1.6)
    c = Canvas(np.broadcast_to(np.array(rgb("#d9c49c"), np.float32), s.rgb.shape))
    brush: dict[str, Any] = dict(height=0.0, streak=4.0, dry=0.5, taper=0.5, pickup=0.2)
    ref = s.rgb
    paint_layer(c, ref, angle, Brush(0.032, 5, 0.5, 12, jitter=(4, 3, 4), **brush), rng)
    paint_layer(c, ref, angle, Brush(0.015, 6, 0.6, 8, threshold=8, jitter=(4, 3, 3), **brush), rng)
    paint_layer(
        c, ref, angle, Brush(0.007, 7, 0.7, 4, threshold=11, keep=0.8, jitter=(3, 2, 2), **brush), rng
    )
    drawing = Sheet(m)
    outline(drawing, s, m / 300, rng, 1.5, 60, 0.9, 0.15)
    picture = mix(c.colour, np.array(rgb("#5a2a1c"), np.float32), drawing.ink * 0.75)
    # A halo with punched rays behind the head, as on gilded walls.
    d = np.hypot(s.x - 0.51, s.y - 0.38)
    a = np.arctan2(s.y - 0.38, s.x - 0.51)
    halo = step(0.345 - d, 0, 0.004) * (s.label == 0)
    gold = mix(
        np.broadcast_to(np.array(rgb("#d0a040"), np.float32), picture.shape),
        np.array(rgb("#8f5f22"), np.float32),
        0.65 * step(np.sin(a * 70), 0.3, 0.7) * step(d, 0.27, 0.275)
        + 0.25 * np.clip(noise(rng, m, 20, 3), 0, 1),
    )
    picture = mix(picture, gold, halo * 0.85)
    picture = mix(
        picture, np.array(rgb("#5a2a1c"), np.float32), np.exp(-(((d - 0.345) / 0.004) ** 2)) * (s.label == 0)
    )
    plaster = (
        np.array(rgb("#e2d3b3"), np.float32) * (0.86 + 0.22 * tooth + 0.08 * noise(rng, m, 6, 4))[..., None]
    )
    worn = np.clip(0.22 + 0.55 * noise(rng, m, 5, 6, 0.62), 0, 1) * 0.75
    picture = mix(picture, plaster, worn * (0.45 + 0.8 * (tooth - 0.3)).clip(0, 1))
    lost = step(
        noise(rng, m, 4, 6, 0.6) + 0.45 * np.maximum(np.abs(s.x - 0.5), np.abs(s.y - 0.5)), 0.83, 0.86
    )
    rim = blur(lost, m / 400)
    picture = mix(picture, plaster * 0.93, lost)
    line = np.maximum(cracks(rng, m, 70), 0.75 * cracks(rng, m, 420, 0.0009))
    relief = 0.45 * tooth - 0.9 * blur(line, 0.9) - 0.8 * rim + 0.35 * noise(rng, m, 14, 3)
    picture = mix(picture, np.array(rgb("#4a3526"), np.float32), line * 0.8)
    return emboss(relief.astype(np.float32), np.clip(picture, 0, 1), 0.28)


CARD = palette(
    "#f2b65a #f7d98a #f6ead0 #f0563a #2f4f8f #3f8f8a #8fb84f #f2a03a #d9483a #123a3f #1f6a55 #7fb86a #4a2438 "
    "#f7e6c4 #b02f3f #f7c6b0"
)


def cut_paper(n: int, rng: np.random.Generator) -> Array:
    m = n * 3 // 2
    s, _ = compose(m, rng, landscapes.hills, 0.3, p=CARD)
    u = m / 768
    order = s.label.copy()
    sun = np.hypot(s.x - 0.72, s.y - 0.17)
    # The sky is torn strips that ring the sun; each strip lies on the one outside it.
    ring = np.clip(9 - sun * 14 + 0.7 * noise(rng, m, 7, 3), 0, 9).astype(np.int32)
    order = np.where(order == 0, ring, order + 20)
    order = np.unique(order, return_inverse=True)[1].reshape(m, m)
    count = int(order.max()) + 1
    lab = to_lab(cell_means(order, grade(s.rgb, 1.1, 1.25), count))
    strips = to_lab(
        palette("#1f3f7f #2f5fa0 #4f86bd #86b4d0 #c4d4c8 #f2dcae #f7cf7a #f5b04f #f2913a #ee7a30")
    )
    lab[:10] = strips[np.minimum(np.arange(10), len(strips) - 1)] if count > 10 else lab[:10]
    lab += rng.normal(0, 1, lab.shape) * np.array([3.0, 3.0, 3.0])
    turn = rng.uniform(0, np.pi, count).astype(np.float32)[order] + 0.25 * noise(rng, m, 3, 2)
    streak = line_integral(turn, grain(rng, m, 1.5 * u), 26 * u)
    streak /= float(streak.std())
    picture = from_lab(
        lab.astype(np.float32)[order] + streak[..., None] * np.array([5.5, 2.0, 2.5], np.float32)
    )
    shadow = np.zeros((m, m), np.float32)
    for shift in (2, 4, 7):
        higher = np.roll(order, (round(shift * u), round(shift * u * 0.8)), (0, 1)) > order
        shadow += blur(higher.astype(np.float32), (0.7 + 0.5 * shift) * u) / 3
    picture = picture * (1 - 0.62 * shadow)[..., None]
    rim = (np.roll(order, (-round(1.5 * u), -round(1.5 * u)), (0, 1)) != order) & (
        np.roll(order, (1, 1), (0, 1)) < order
    )
    picture = mix(picture, np.ones(3, np.float32), 0.4 * blur(rim.astype(np.float32), 0.6 * u))
    return emboss(paper(rng, m, 0.8), np.clip(picture, 0, 1), 0.10)


RECIPES = (
    Recipe(
        "stained-glass",
        "Stained glass",
        "Glowing panes of streaky glass between rounded lead lines.",
        ("glass", "cells", "flowers", "bright"),
        stained_glass,
        80,
    ),
    Recipe(
        "koi-mosaic",
        "Koi mosaic",
        "Tilted stone tesserae laid in rows along the forms, with gold.",
        ("mosaic", "cells", "animal", "cold"),
        mosaic,
        70,
    ),
    Recipe(
        "fresco",
        "Cracked fresco",
        "Faded earth colours on rough, cracked and flaking plaster.",
        ("fresco", "portrait", "warm", "soft"),
        fresco,
        80,
    ),
    Recipe(
        "cut-paper",
        "Cut paper valley",
        "Sheets of brush-painted paper, cut and stacked with soft shadows.",
        ("collage", "flat", "landscape", "bright"),
        cut_paper,
        84,
    ),
)
