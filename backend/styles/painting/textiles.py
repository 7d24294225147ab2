"""Pictures in cloth: batik, tapestry, embroidery."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import creatures, flowers, landscapes
from .fields import (
    Array,
    blur,
    combine_angles,
    from_lab,
    grade,
    grain,
    grid,
    line_integral,
    luma,
    mix,
    nearest_colours,
    noise,
    palette,
    rgb,
    step,
    to_lab,
    vortices,
)
from .lines import Sheet, outline
from .papers import cracks, emboss
from .recipe import Recipe, compose
from .strokes import Brush, Canvas, light, paint_layer

DYES = palette("#f6ead0 #e8b03a #c8532a #7a2a22 #1f4f73 #14213f")


def batik(n: int, rng: np.random.Generator) -> Array:
    m = n * 3 // 2
    s, _angle = compose(m, rng, creatures.koi, 0.3)
    index = nearest_colours(
        grade(blur(s.rgb, m / 400), 1.1, 1.2, 2),
        palette("#f4ead8 #f0a84a #d8452a #3f7a4a #2f8088 #123f4f"),
        1.0,
    )
    dyes = DYES[[0, 1, 2, 1, 4, 5]]
    cloth = blur(dyes[index].astype(np.float32), 1.4)
    # Wax resist: dotted lines and little spirals laid along the flow stay light.
    u = m / 768
    wax = np.zeros((m, m), np.float32)
    d = np.hypot(s.x - 0.5, s.y - 0.5)
    a = np.arctan2(s.y - 0.5, s.x - 0.5)
    ring = np.abs(np.mod(d * 16 + a / np.pi + 0.12 * noise(rng, m, 5, 2), 1) - 0.5)
    beads = 0.5 + 0.5 * np.cos(a * np.maximum(8, np.round(d * 170)))
    water = step(blur((index >= 4).astype(np.float32), 2 * u), 0.6, 0.9)
    wax = np.maximum(wax, water * step(0.16 - np.hypot(ring, (1 - beads) * 0.30), 0, 0.05))
    edges = Sheet(m)
    outline(edges, s, 3.6 * u, rng, 1.5, 60)
    wax = np.maximum(wax, edges.ink)
    out = mix(cloth, DYES[0], wax * 0.93)
    vein = np.maximum(cracks(rng, m, 260, 0.0016), 0.8 * cracks(rng, m, 900, 0.0009))
    bleed = blur(vein, 1.6 * u)
    waxed = 0.35 + 0.65 * step(luma(out), 0.25, 0.6)
    out = mix(out, DYES[5] * 0.9 + 0.05, np.clip(vein * 0.65 + bleed * 0.6, 0, 1) * waxed)
    dark = step(0.3 - luma(out), 0, 0.2)
    out = mix(out, DYES[4], 0.5 * vein * dark)
    x, y = grid(m)
    threads = 0.5 + 0.25 * (np.sin(x * 2 * np.pi * 230) + np.sin(y * 2 * np.pi * 230))
    mottled = 1 + 0.10 * noise(rng, m, 9, 4) + 0.06 * (threads - 0.5)
    return np.clip(out * mottled[..., None], 0, 1)


def tapestry(n: int, rng: np.random.Generator) -> Array:
    m = n * 3 // 2
    s, _ = compose(m, rng, landscapes.birches, 0.3)
    wool = palette(
        "#2b2a3d #4a3550 #7a3328 #b0522c #d98a35 #edc060 #f3e3b5 "
        "#8a8a55 #4f5f3f #2f4a4f #6f8a90 #b9b5a5 #6b4a2f #e8d3a0"
    )
    rows, columns = 150, 75
    ref = blur(grade(s.rgb, 1.1, 1.2), m / rows / 3)
    index = nearest_colours(ref, wool, 1.0)
    x, y = grid(m)
    yy = y + 0.0012 * noise(rng, m, 6, 3)
    row = np.clip((yy * rows).astype(np.int32), 0, rows - 1)
    offset = (row % 2) * 0.5
    col = np.clip((x * columns + offset).astype(np.int32), 0, columns)
    cell = row * (columns + 1) + col
    # A pass of weft over one warp thread has one colour: the commonest below it.
    votes = np.zeros((rows * (columns + 1), len(wool)), np.int32)
    np.add.at(votes, (cell.ravel(), index.ravel()), 1)
    chosen = votes.argmax(1)
    lab = to_lab(wool)[chosen] + rng.standard_normal((len(chosen), 3)) * np.array([3.2, 1.5, 1.5])
    fu = np.mod(x * columns + offset, 1)
    fv = np.mod(yy * rows, 1)
    bulge = np.sin(np.pi * fu) ** 0.5 * np.sin(np.pi * fv) ** 0.7
    ply = 0.5 + 0.5 * np.sin((fu * 2.2 + fv * 1.3) * 2 * np.pi)
    out = from_lab(lab.astype(np.float32))[cell]
    out = out * (0.50 + 0.52 * bulge + 0.10 * ply * bulge + 0.05 * noise(rng, m, 8, 4))[..., None]
    fuzz = line_integral(np.zeros((m, m), np.float32), grain(rng, m, 0.7), m / 130)
    out = out * (1 + 0.06 * fuzz / float(fuzz.std()))[..., None]
    return emboss(blur(bulge.astype(np.float32), 0.8), np.clip(out, 0, 1), 0.22)


def embroidery(n: int, rng: np.random.Generator) -> Array:
    m = n * 3 // 2
    s, angle = compose(
        m,
        rng,
        flowers.bouquet,
        0.3,
        p=palette(
            "#22304f #3a4a70 #8f3a4a #6f2a3f #f6cf4a #f0902f #c04a2a #f6efe0 "
            "#e8506a #a02a4a #2f7a55 #8fc46a #1f4a44 #7aa8e0 #3a5fb0 #fff3d0"
        ),
    )
    x, y = grid(m)
    weave = np.sin(x * 2 * np.pi * 170) * np.sin(y * 2 * np.pi * 170)
    ground = np.array(rgb("#2a3552"), np.float32) * (1 + 0.2 * weave)[..., None]
    c = Canvas(np.clip(ground, 0, 1))
    ref = grade(s.rgb, 1.1, 1.25, 3)
    fill = angle.copy()
    wall = s.label == 0
    fill = np.where(
        wall,
        combine_angles(
            fill,
            vortices(
                m,
                [
                    (0.2, 0.2, 0.12, 1.5),
                    (0.8, 0.25, 0.13, -1.5),
                    (0.12, 0.62, 0.12, -1.4),
                    (0.88, 0.66, 0.12, 1.4),
                ],
                0.3,
            ),
            0.85,
        ),
        fill,
    )
    thread: dict[str, Any] = dict(bristles=3, taper=0.35, dry=0.0, pickup=0.0, height=0.9)
    for width, length, spacing, threshold in (
        (0.0085, 6.5, 0.6, 0.0),
        (0.0065, 5.5, 0.75, 8.0),
        (0.0048, 6.0, 0.9, 16.0),
    ):
        paint_layer(
            c,
            ref,
            fill,
            Brush(
                width,
                length,
                spacing,
                threshold=threshold,
                keep=0.45 if threshold == 0 else 0.7,
                jitter=(4, 3, 3),
                streak=6,
                bend=0.06,
                stop=26,
                **thread,
            ),
            rng,
            labels=s.label,
        )
    out = light(c, 2.0, 0.28, 0.7)
    sheen = 0.92 + 0.22 * np.abs(np.cos(fill - 0.7)) ** 2
    return np.clip(out * sheen[..., None], 0, 1)


RECIPES = (
    Recipe(
        "batik",
        "Batik koi",
        "Indigo and ochre dye with wax-resist dots and fine crackle.",
        ("textile", "animal", "warm"),
        batik,
        70,
    ),
    Recipe(
        "tapestry-wood",
        "Woven wood",
        "Rows of wool weft in fourteen dyed colours.",
        ("textile", "woven", "landscape", "warm"),
        tapestry,
        68,
    ),
    Recipe(
        "embroidery",
        "Silk embroidery",
        "Long and short stitches that shine with their direction.",
        ("textile", "stitches", "flowers", "bright"),
        embroidery,
        69,
    ),
)
