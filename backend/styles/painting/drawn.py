"""Dry media: charcoal, graphite, soft pastel, coloured pencil, chalk."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import creatures, landscapes, people, shores, still_lifes
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
)
from .lines import Sheet, darkness, hatch, outline
from .papers import paper, smudge
from .recipe import Recipe, compose
from .strokes import Brush, Canvas, paint_layer


def _tooth(a: Array, tooth: Array, hard: float = 0.35) -> Array:
    """Dry pigment catches on the high spots of the paper first."""
    return step(a * (1 + hard) - tooth * hard * 1.6, 0.0, 0.75)


def charcoal(n: int, rng: np.random.Generator) -> Array:
    m = n * 3 // 2
    s, angle = compose(m, rng, landscapes.birches, 0.4)
    tone = darkness(blur(s.rgb, m / 350), 0.95)
    u = m / 768
    tooth = paper(rng, m, 1.2)
    base = smudge(tone, angle, 14 * u, 1.5 * u) * (0.75 + 0.35 * noise(rng, m, 9, 3))
    rough = Sheet(m)
    hatch(rough, tone, angle, rng, 6 * u, 46 * u, (2.0 * u, 6.5 * u), 0.95, 0.12)
    hatch(rough, tone, angle * 0 + 0.9, rng, 9 * u, 60 * u, (2.0 * u, 5.0 * u), 1.0, 0.30)
    edges = Sheet(m)
    outline(edges, s, 3.0 * u, rng, 2.0, 60, 0.95, 0.25)
    ink = _tooth(np.clip(0.55 * base, 0, 1), tooth, 0.3) * 0.75
    ink = np.maximum(ink, _tooth(rough.ink * 0.85, tooth, 0.65) * (0.35 + 0.6 * tone))
    ink = np.maximum(ink, _tooth(edges.ink, tooth, 0.5) * 0.95)
    lifted = Sheet(m)
    hatch(lifted, step(1 - tone, 0.55, 0.95), angle, rng, 12 * u, 40 * u, (3 * u, 7 * u), 1.0, 0.3)
    ink = np.clip(ink - 0.55 * _tooth(lifted.ink, tooth, 0.4), 0, 1)
    sheet = np.array(rgb("#d9cdb8"), np.float32) * (1 + 0.10 * (tooth - 0.5))[..., None]
    out = mix(sheet, np.array(rgb("#191613"), np.float32), ink * 0.97)
    white = _tooth(lifted.ink * step(1 - tone, 0.75, 1.0), tooth, 0.6)
    return mix(out, np.array(rgb("#fbf6ea"), np.float32), white * 0.75)


def graphite(n: int, rng: np.random.Generator) -> Array:
    m = n * 3 // 2
    s, angle = compose(m, rng, people.portrait, 0.3, hat=True, light=(0.55, -0.45, 0.70), flip=True)
    tone = np.clip(darkness(blur(s.rgb, m / 400), 1.1) * 0.95 + 0.07, 0, 1)
    u = m / 768
    tooth = paper(rng, m, 0.4)
    soft = smudge(tone, angle, 9 * u, 1.2 * u) * 0.42
    total: Array = np.zeros((m, m), np.float32)
    for turn, light, gap, strength in (
        (0.0, 0.04, 2.6, 0.55),
        (0.5, 0.25, 3.0, 0.6),
        (-0.5, 0.45, 3.0, 0.65),
        (0.9, 0.66, 3.0, 0.8),
    ):
        sheet = Sheet(m)
        field = angle + turn if turn < 0.9 else np.full((m, m), -0.8, np.float32)
        hatch(
            sheet,
            tone,
            field,
            rng,
            gap * u,
            30 * u,
            (0.8 * u, 1.6 * u),
            min(1.0, light + 0.5),
            light,
            s.label if turn == 0 else None,
        )
        total = 1 - (1 - total) * (1 - sheet.ink * strength)
    edges = Sheet(m)
    outline(edges, s, 1.6 * u, rng, 1.2, 50, 0.9, 0.15)
    ink = 1 - (1 - soft) * (1 - total * (0.35 + 0.5 * tone)) * (1 - edges.ink * 0.75)
    ink = ink * (0.84 + 0.32 * (1 - tooth))
    sheet_colour = np.array(rgb("#f0ece2"), np.float32) * (1 + 0.07 * (tooth - 0.5))[..., None]
    return mix(sheet_colour, np.array(rgb("#24262b"), np.float32), np.clip(ink, 0, 1) * 0.95)


def _rubbed(
    c: Canvas,
    ref: Array,
    angle: Array,
    brush: Brush,
    rng: np.random.Generator,
    tooth: Array,
    grip: float,
    floor: float = 0.0,
) -> None:
    """A layer of strokes that reaches the high spots of the paper, and the pits by the share ``floor``."""
    before = c.data.copy()
    paint_layer(c, ref, angle, brush, rng)
    cover = step(1 - tooth, 0.5 - grip, 0.62 - grip * 0.5)[..., None]
    cover = floor + (1 - floor) * cover
    c.data[:] = (before * (1 - cover) + c.data * cover + 0.5).astype(np.uint8)


PASTEL_FRUIT = palette(
    "#7a6fa8 #43406f #f0dcc8 #b89ab8 #1f5f6f #8fd0b8 #d9784a #8f3f4a #f8c860 #e0483f #8a2048 #ffd95a #d08a3a "
    "#b8c85a #4f7f5a #7a4fa0 #2f2050 #fff2d8 #8a5f6a #4a3458"
)


def pastel(n: int, rng: np.random.Generator) -> Array:
    m = n * 3 // 2
    s, angle = compose(m, rng, still_lifes.fruit, 0.3, p=PASTEL_FRUIT)
    ref = grade(s.rgb, 1.1, 1.15, 2)
    tooth = paper(rng, m, 0.45)
    c = Canvas(np.array(rgb("#5b4a55"), np.float32) * (1 + 0.2 * (tooth - 0.5))[..., None])
    chalk: dict[str, Any] = dict(streak=7.0, dry=0.3, pickup=0.1, height=0.0, taper=0.15)
    _rubbed(c, ref, angle, Brush(0.034, 4, 0.5, 12, bend=0.15, jitter=(5, 6, 6), **chalk), rng, tooth, 0.42)
    c.data[..., :3] = (blur(c.colour, m / 500) * 255).astype(np.uint8)
    _rubbed(
        c, ref, angle + 0.5, Brush(0.020, 5, 0.75, 8, keep=0.8, jitter=(7, 9, 9), **chalk), rng, tooth, 0.24
    )
    _rubbed(c, ref, angle, Brush(0.011, 6, 0.8, 5, 8, 0.8, jitter=(7, 9, 9), **chalk), rng, tooth, 0.2)
    _rubbed(
        c,
        grade(ref, 1.2, 1.2, 5),
        angle,
        Brush(0.006, 7, 1.0, 3, 14, 0.8, jitter=(6, 8, 8), **chalk),
        rng,
        tooth,
        0.2,
    )
    return c.colour


def pencils(n: int, rng: np.random.Generator) -> Array:
    m = n * 3 // 2
    s, angle = compose(m, rng, creatures.owl, 0.3)
    lab = to_lab(grade(s.rgb, 1.05, 1.35, 4))
    tooth = paper(rng, m, 0.3)
    ground = np.array(rgb("#f6f1e4"), np.float32) * (1 + 0.05 * (tooth - 0.5))[..., None]
    c = Canvas(ground)
    lead: dict[str, Any] = dict(bristles=2, streak=5.0, dry=0.3, pickup=0.25, height=0.0, taper=0.9)
    for turn, shift, width, spacing, grip in (
        (0.0, (14.0, 3.0, 10.0), 0.0056, 1.0, 0.42),
        (0.45, (4.0, -9.0, -14.0), 0.0042, 1.35, 0.34),
        (-0.2, (0.0, 4.0, 3.0), 0.0036, 1.3, 0.34),
    ):
        _rubbed(
            c,
            from_lab(lab + np.array(shift, np.float32)),
            angle + turn,
            Brush(width, 9, spacing, keep=0.5, jitter=(5, 6, 6), bend=0.12, **lead),
            rng,
            tooth,
            grip,
            0.72,
        )
    edges = Sheet(m)
    outline(edges, s, m / 420, rng, 1.2, 60, 0.8, 0.25)
    return mix(c.colour, np.clip(s.rgb * 0.25, 0, 1), edges.ink * step(1 - tooth, 0.25, 0.6) * 0.85)


def chalk(n: int, rng: np.random.Generator) -> Array:
    m = n * 3 // 2
    s, angle = compose(m, rng, shores.harbour, 0.3)
    u = m / 768
    tooth = paper(rng, m, 0.5)
    bright = np.clip((luma(blur(s.rgb, m / 400)) - 0.15) / 0.75, 0, 1) ** 1.3
    sticks = palette("#f7f4ea #f6d96a #f08a7a #8fc8f0 #9ade9a #f2b0d0")
    lab, table = to_lab(grade(s.rgb, 1, 1.6, 14)), to_lab(sticks)
    colours = sticks[((lab[..., None, 1:] - table[None, None, :, 1:]) ** 2).sum(3).argmin(2)]
    colours = blur(colours.astype(np.float32), 1.2 * u)
    # Dust: what a sleeve has wiped across the board, in the colours of what was drawn there.
    wiped = line_integral(np.full((m, m), 0.35, np.float32), grain(rng, m, 2.0 * u), m / 10)
    wiped = np.clip(0.6 + 0.30 * wiped / float(wiped.std()) + 0.35 * noise(rng, m, 4, 4), 0, 1.5)
    board = np.broadcast_to(np.array(rgb("#1d2a26"), np.float32), s.rgb.shape)
    board = mix(board, blur(colours, 26 * u), 0.17 * wiped * (0.35 + blur(bright, 18 * u)))
    total: Array = np.zeros((m, m), np.float32)
    for turn, light, gap, wide in ((0.0, 0.10, 6.0, 4.6), (0.8, 0.55, 7.5, 4.0)):
        sheet = Sheet(m)
        hatch(
            sheet,
            np.clip(bright * 0.92 + 0.06, 0, 1),
            angle + turn,
            rng,
            gap * u,
            42 * u,
            (2.2 * u, wide * u),
            1.0,
            light,
            s.label,
        )
        total = np.maximum(total, blur(sheet.ink, 0.9 * u))
    # The stick skips over the board's grain, and skids along its own way.
    skid = line_integral(angle, grain(rng, m, 0.8 * u), 7 * u)
    catch = np.clip(1.05 - 1.5 * (tooth - 0.35) + 0.30 * skid / float(skid.std()), 0, 1)
    edges = Sheet(m)
    outline(edges, s, 3.0 * u, rng, 1.5, 45, 1.0, 0.12)
    out = mix(board, colours, total * catch * (0.45 + 0.5 * bright))
    line = blur(edges.ink, 0.8 * u) * np.clip(1.35 - 1.3 * (tooth - 0.3), 0, 1)
    out = mix(out, np.array(rgb("#fbf8ee"), np.float32), np.clip(line, 0, 1) * 0.92)
    out = mix(out, np.array(rgb("#fbf8ee"), np.float32), 0.10 * blur(edges.ink, 5 * u))
    return out + 0.012 * grain(rng, m, 0.7)[..., None]


RECIPES = (
    Recipe(
        "charcoal-birches",
        "Charcoal birches",
        "Rubbed and hatched charcoal on toned paper, lights lifted with an eraser.",
        ("charcoal", "landscape", "monochrome", "dark"),
        charcoal,
        72,
    ),
    Recipe(
        "graphite-portrait",
        "Graphite portrait",
        "Soft pencil hatching in four directions over smudged tone.",
        ("pencil", "portrait", "monochrome"),
        graphite,
        70,
    ),
    Recipe(
        "soft-pastel",
        "Soft pastel fruit",
        "Grainy chalk strokes on violet paper that shows through.",
        ("pastel", "still life", "warm"),
        pastel,
        74,
    ),
    Recipe(
        "coloured-pencil",
        "Coloured pencil owl",
        "Layers of fine crossing pencil lines in mixed hues on white paper.",
        ("pencil", "animal", "bright"),
        pencils,
        68,
    ),
    Recipe(
        "blackboard-chalk",
        "Chalk on blackboard",
        "Coloured chalk hatching and dusty outlines on dark slate.",
        ("chalk", "city", "dark"),
        chalk,
        67,
    ),
)
