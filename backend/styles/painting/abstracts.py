"""Pictures with a form of their own: facets, circles, marbling."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import still_lifes
from .cells import border_distance, cell_means
from .fields import (
    Array,
    from_lab,
    grade,
    grain,
    grid,
    mix,
    noise,
    palette,
    ramp,
    rgb,
    step,
    to_lab,
    warp,
)
from .lines import Sheet, outline
from .papers import canvas_weave, emboss, paper
from .recipe import Recipe, compose
from .scene import Scene
from .strokes import Brush, Canvas, light, paint_layer


def cubist(n: int, rng: np.random.Generator) -> Array:
    m = n * 3 // 2
    s, _ = compose(m, rng, still_lifes.guitar, 0.3)
    code = np.zeros((m, m), np.int64)
    for i in range(15):
        a = rng.choice([0.15, 0.55, 1.0, 1.35, 1.75, 2.2, 2.65]) + rng.normal(0, 0.10)
        px, py = 0.5 + rng.normal(0, 0.22), 0.52 + rng.normal(0, 0.22)
        side = (s.x - px) * np.cos(a) + (s.y - py) * np.sin(a) > 0
        along = -(s.x - px) * np.sin(a) + (s.y - py) * np.cos(a)
        reach = along < rng.uniform(0.05, 0.4) if rng.random() < 0.6 else np.ones_like(side)
        code += (side & reach).astype(np.int64) << i
    facet = np.unique(code, return_inverse=True)[1].reshape(m, m)
    count = int(facet.max()) + 1
    shift = rng.normal(0, 0.028, (count, 2)).astype(np.float32) * m
    turn = rng.normal(0, 0.13, count).astype(np.float32)[facet]
    scale = rng.normal(0, 0.08, count).astype(np.float32)[facet]
    cx = cell_means(facet, s.x, count)[facet]
    cy = cell_means(facet, s.y, count)[facet]
    dx, dy = (s.x - cx) * m, (s.y - cy) * m
    ref = warp(
        s.rgb, shift[facet][..., 0] - turn * dy + scale * dx, shift[facet][..., 1] + turn * dx + scale * dy
    )
    lab = to_lab(grade(ref, 1.15, 0.85))
    way = rng.uniform(0, 2 * np.pi, count).astype(np.float32)[facet]
    distance = border_distance(facet) / m
    lean = ((s.x - cx) * np.cos(way) + (s.y - cy) * np.sin(way)) / 0.13
    lab[..., 0] = np.clip(lab[..., 0] * 0.82 + 12 + 15 * np.clip(lean, -1.3, 1.3), 4, 97)
    lab[..., 1:] *= 0.9
    lab[..., 2] += 5
    lab[..., 0] -= 24 * np.exp(-distance / 0.006) * (np.sin(way) > -0.2)
    lab[..., 0] += 16 * np.exp(-distance / 0.008) * (np.sin(way) <= -0.2)
    field = (way + np.pi / 2 + 0.2 * noise(rng, m, 6, 2)).astype(np.float32)
    ref = from_lab(lab)
    c = Canvas(np.broadcast_to(np.array(rgb("#6a5238"), np.float32), s.rgb.shape))
    flat: dict[str, Any] = dict(taper=0.05, streak=4.5, dry=0.45, pickup=0.15, height=0.45)
    for width, length, threshold, keep in (
        (0.030, 3.2, 0.0, 1.0),
        (0.017, 3.2, 7.0, 0.85),
        (0.009, 3.5, 10.0, 0.7),
    ):
        paint_layer(
            c,
            ref,
            field,
            Brush(width, length, 0.55, 13, threshold, keep, jitter=(4, 3, 3), **flat),
            rng,
            labels=facet,
        )
    edges = Sheet(m)
    outline(edges, s, m / 320, rng, 1.2, 90, 0.85, 0.2)
    ink = warp(
        edges.ink,
        shift[facet][..., 0] - turn * dy + scale * dx,
        shift[facet][..., 1] + turn * dx + scale * dy,
    )
    crease = np.clip(1 - distance * m / (1.3 * m / 768), 0, 1) * 0.5
    c.data[..., :3] = (
        mix(c.colour, np.array(rgb("#1d1712"), np.float32), np.clip(ink * 0.75 + crease, 0, 1)) * 255
    ).astype(np.uint8)
    return light(c, 1.2, 0.12, 1.0, canvas_weave(m) * 0.25)


BAUHAUS = palette("#f0e3c4 #d9352c #f2b632 #1f4f8f #16181d #3f8f8a #e88a5a #efe9dc #6a3f6f")


def geometric(n: int, rng: np.random.Generator) -> Array:
    m = n * 3 // 2
    p = BAUHAUS
    s = Scene(m, rng, p[0])
    s.rgb[:] = ramp(
        0.5 + 0.5 * noise(rng, m, 3, 3) + 0.4 * (s.x - s.y),
        np.stack([mix(p[0], p[6], 0.55), p[0], mix(p[0], p[5], 0.45)]),
    )
    s.angle[:] = -0.7 + 0.5 * noise(rng, m, 3, 2)

    def over(mask: Array, colour: Array, angle: Array | float, amount: float = 0.92) -> None:
        """Transparent over what is there: overlaps take a third colour."""
        below = s.rgb.copy()
        s.fill(
            mask,
            mix(
                np.broadcast_to(colour, below.shape),
                np.clip(below * colour * 1.5, 0, 1),
                0.45 if amount < 1 else 0.0,
            ),
            angle,
        )

    over(s.polygon([(0.02, 0.98), (0.50, 0.06), (0.74, 0.98)]), mix(p[0], p[2], 0.75), 1.0)
    for cx, cy, radii, colours in (
        (0.30, 0.33, (0.24, 0.195, 0.15, 0.105, 0.06, 0.025), (4, 1, 7, 3, 2, 4)),
        (0.76, 0.66, (0.20, 0.165, 0.115, 0.065), (3, 5, 2, 1)),
        (0.80, 0.18, (0.11, 0.075, 0.035), (2, 6, 4)),
        (0.17, 0.80, (0.12, 0.085, 0.04), (5, 7, 1)),
        (0.53, 0.56, (0.075, 0.045), (8, 2)),
    ):
        for radius, k in zip(radii, colours, strict=True):
            over(s.ellipse(cx, cy, radius, radius), p[k], s.around(cx, cy), 1.0 if radius < 0.1 else 0.9)
    half = s.ellipse(0.50, 0.86, 0.17, 0.17) * step(0.86 - s.y, 0, 0.003)
    over(half, p[1], s.around(0.50, 0.86))
    over(s.polygon([(0.56, 0.10), (0.97, 0.44), (0.60, 0.50)]), p[5], 0.7)
    over(s.polygon([(0.05, 0.50), (0.48, 0.60), (0.46, 0.66), (0.04, 0.57)]), p[3], 0.2)
    over(
        s.polygon([(0.86, 0.30), (0.98, 0.30), (0.98, 0.96), (0.86, 0.96)]), mix(p[0], p[1], 0.75), np.pi / 2
    )
    for i in range(5):
        for j in range(5):
            x0, y0 = 0.575 + 0.034 * i - 0.008 * j, 0.40 - 0.034 * j + 0.008 * i
            over(
                s.polygon(
                    [(x0, y0), (x0 + 0.034, y0 + 0.008), (x0 + 0.026, y0 + 0.042), (x0 - 0.008, y0 + 0.034)]
                ),
                p[4] if (i + j) % 2 else p[7],
                0.2,
                1.0,
            )
    for k in range(7):
        s.fill(
            s.limb([(0.04 + 0.03 * k, 0.03), (0.62 + 0.018 * k, 0.97)], [0.004 + 0.0012 * (k % 3)] * 2),
            p[4],
            1.0,
        )
    for k in range(6):
        t = np.linspace(-2.2 + 0.1 * k, -0.3, 20)
        r = 0.30 + 0.022 * k
        s.fill(
            s.limb([(0.60 + r * float(np.cos(v)), 0.62 + r * float(np.sin(v))) for v in t], [0.006] * 2),
            p[(4, 1, 3)[k % 3]],
            s.around(0.60, 0.62),
        )
    for x, y, r, k in (
        (0.44, 0.13, 0.020, 1),
        (0.50, 0.19, 0.012, 4),
        (0.92, 0.53, 0.024, 4),
        (0.36, 0.72, 0.022, 3),
        (0.62, 0.90, 0.026, 2),
        (0.07, 0.11, 0.03, 8),
        (0.68, 0.33, 0.016, 1),
        (0.05, 0.66, 0.016, 4),
        (0.30, 0.92, 0.02, 6),
    ):
        s.fill(s.ellipse(x, y, r, r), p[k], s.around(x, y))
    c = Canvas(s.rgb * 0.8)
    flat: dict[str, Any] = dict(taper=0.08, streak=3.6, dry=0.5, pickup=0.06, height=0.4, stop=16)
    for width, length, threshold in ((0.026, 5, 0.0), (0.013, 5, 6.0), (0.006, 6, 9.0)):
        paint_layer(
            c,
            s.rgb,
            s.angle,
            Brush(width, length, 0.5, 14, threshold, jitter=(3.5, 3, 3), **flat),
            rng,
            labels=s.label,
        )
    return light(c, 0.9, 0.06, 0.9, canvas_weave(m) * 0.55)


MARBLE = palette("#10263f #1f5f7a #e9dcc0 #c8402f #e8a83a #f6efe0 #2f8f86 #8fc4b8")


def marbled(n: int, rng: np.random.Generator) -> Array:
    """Drops and combs, each a closed-form displacement, traced backwards from the final sheet.

    Lu, Jaffer et al., "Mathematical Marbling" (IEEE CG&A 2012): a drop maps P to
    C + (P - C) sqrt(1 + r^2/|P-C|^2),
    a tine line shifts along itself by z u^d.
    """
    m = n * 2
    x, y = grid(m)
    px, py = x.copy(), y.copy()

    def tine(offset: float, turn: float, z: float, sharp: float, period: float = 0.0) -> None:
        nonlocal px, py
        c, s = np.float32(np.cos(turn)), np.float32(np.sin(turn))
        d = -px * s + py * c - offset
        if period:
            d = np.mod(d + period / 2, period) - period / 2
        shift = z * np.exp(-np.abs(d) / sharp)
        px, py = px - c * shift, py - s * shift

    def swirl(cx: float, cy: float, radius: float, z: float, sharp: float) -> None:
        nonlocal px, py
        dx, dy = px - cx, py - cy
        d = np.hypot(dx, dy) + 1e-6
        a = -z * np.exp(-np.abs(d - radius) / sharp) / d
        c, s = np.cos(a), np.sin(a)
        px, py = cx + dx * c - dy * s, cy + dx * s + dy * c

    for cx, cy, z in (
        (0.28, 0.30, 0.11),
        (0.70, 0.22, -0.10),
        (0.50, 0.62, 0.12),
        (0.17, 0.78, -0.09),
        (0.84, 0.72, 0.10),
        (0.60, 0.95, -0.07),
        (0.96, 0.44, -0.07),
        (0.02, 0.48, 0.07),
    ):
        swirl(cx, cy, 0.045, z, 0.055)
    tine(0.05, 0.1, 0.055, 0.022, 0.125)
    tine(0.09, np.pi / 2 + 0.05, 0.09, 0.030, 0.16)
    tine(0.0, np.pi / 2 + 0.05, -0.09, 0.030, 0.16)
    px += 0.012 * noise(rng, m, 5, 3)
    py += 0.012 * noise(rng, m, 5, 3)
    drops = [
        (
            rng.uniform(-0.1, 1.1),
            rng.uniform(-0.1, 1.1),
            rng.uniform(0.018, 0.07),
            int(rng.integers(0, len(MARBLE))),
        )
        for _ in range(320)
    ]
    colour = np.full((m, m), -1, np.int32)
    for cx, cy, r, k in drops[::-1]:
        dx, dy = px - cx, py - cy
        d2 = dx * dx + dy * dy
        inside = (d2 < r * r) & (colour < 0)
        colour[inside] = k
        f = np.sqrt(np.clip(1 - r * r / np.maximum(d2, 1e-9), 0, 1))
        px, py = np.where(colour < 0, cx + dx * f, px), np.where(colour < 0, cy + dy * f, py)
    colour[colour < 0] = 0
    tooth = paper(rng, m, 0.9)
    out = MARBLE[colour] * (0.94 + 0.10 * tooth + 0.06 * noise(rng, m, 6, 4))[..., None]
    rim = np.exp(-border_distance(colour) / (m / 500))
    out = out * (1 - 0.28 * rim)[..., None]
    vein = step(grain(rng, m, m / 380), 1.9, 2.5)
    return emboss(tooth, mix(out, MARBLE[5], 0.5 * vein), 0.05)


RECIPES = (
    Recipe(
        "cubist-guitar",
        "Cubist guitar",
        "A table with a guitar broken into shaded facets; ochres, greys and greens.",
        ("oil", "facets", "still life", "muted"),
        cubist,
        82,
    ),
    Recipe(
        "geometric-abstraction",
        "Circles and lines",
        "Bauhaus-like discs, triangles and bars with brushed edges.",
        ("abstract", "flat", "bright"),
        geometric,
        77,
    ),
    Recipe(
        "marbled-paper",
        "Marbled paper",
        "Combed and swirled drops of ink floated on water.",
        ("abstract", "swirl", "bright"),
        marbled,
        74,
    ),
)
