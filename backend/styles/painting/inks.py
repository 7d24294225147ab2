"""Black and white: pen, crossed hatching, etching, scratched ground, woodcut, linocut, brush and wash."""

from __future__ import annotations

import numpy as np

from . import flowers, landscapes, people, still_lifes, streets
from .fields import Array, blur, grade, grain, mix, noise, palette, rgb, smooth_angle, step
from .lines import Sheet, carved, darkness, hatch, outline
from .papers import emboss, laid_paper, paper, wood
from .recipe import Recipe, compose


def _print(ink: Array, paper_colour: Array, ink_colour: Array) -> Array:
    return mix(paper_colour, ink_colour, ink)


def _sheet(rng: np.random.Generator, m: int, code: str, depth: float = 0.10) -> Array:
    tooth = paper(rng, m)
    stain = 0.03 * noise(rng, m, 3, 3)
    return np.clip(np.array(rgb(code), np.float32) * (1 + depth * (tooth - 0.5) + stain)[..., None], 0, 1)


def pen(n: int, rng: np.random.Generator) -> Array:
    m = n * 2
    s, angle = compose(m, rng, landscapes.lake, 0.3)
    tone = darkness(blur(s.rgb, m / 400), 0.85)
    tone = np.clip(tone * 0.9 + 0.16, 0, 1)
    sheet = Sheet(m)
    outline(sheet, s, m / 330, rng, 2.0, 60)
    u = m / 768
    hatch(sheet, tone, angle, rng, 4.2 * u, 38 * u, (0.9 * u, 2.2 * u), 0.95, 0.04, s.label)
    hatch(sheet, tone, angle + 0.5, rng, 5.0 * u, 26 * u, (0.9 * u, 2.0 * u), 1.0, 0.5, s.label)
    return _print(sheet.ink * 0.96, _sheet(rng, m, "#f3ead6"), np.array(rgb("#1d1b22"), np.float32))


def cross(n: int, rng: np.random.Generator) -> Array:
    m = n * 2
    s, angle = compose(m, rng, still_lifes.fruit, 0.2)
    tone = np.clip(darkness(blur(s.rgb, m / 300), 1.35) * 0.80 + 0.10, 0, 1)
    sheet = Sheet(m)
    u = m / 768
    outline(sheet, s, m / 420, rng, 1.5, 60)
    for turn, light, gap in ((0.0, 0.04, 5.2), (0.85, 0.26, 6.2), (-0.85, 0.50, 6.6), (1.57, 0.72, 6.6)):
        hatch(
            sheet,
            tone,
            angle + turn,
            rng,
            gap * u,
            44 * u,
            (0.8 * u, 1.7 * u),
            min(1.0, light + 0.5),
            light,
            s.label if turn == 0 else None,
        )
    return _print(sheet.ink * 0.94, _sheet(rng, m, "#efe6d0"), np.array(rgb("#2a1c18"), np.float32))


def etching(n: int, rng: np.random.Generator) -> Array:
    m = n * 2
    s, angle = compose(m, rng, streets.street, 0.2)
    tone = np.clip(darkness(grade(s.rgb, 1.2, 1.0, 14), 1.5, 0.02, 0.9) * 0.85 + 0.08, 0, 1)
    sheet = Sheet(m)
    u = m / 768
    outline(sheet, s, m / 560, rng, 1.2, 50)
    for turn, light, gap in ((0.0, 0.04, 3.8), (0.75, 0.42, 4.4), (-0.6, 0.66, 4.6)):
        hatch(
            sheet,
            tone,
            angle + turn,
            rng,
            gap * u,
            30 * u,
            (0.7 * u, 1.25 * u),
            min(1.0, light + 0.5),
            light,
            s.label,
        )
    plate = 0.10 + 0.14 * tone * (0.7 + 0.3 * noise(rng, m, 5, 4))
    ink = np.clip(sheet.ink * 0.9 + plate * (1 - sheet.ink), 0, 1)
    ink += 0.05 * np.clip(grain(rng, m, 1.0), 0, 2)
    ground = mix(_sheet(rng, m, "#ead9b5"), np.array(rgb("#cfae7a"), np.float32), 0.2 * laid_paper(rng, m))
    return _print(np.clip(ink, 0, 1), ground, np.array(rgb("#33190f"), np.float32))


def scratch(n: int, rng: np.random.Generator) -> Array:
    m = n * 2
    s, angle = compose(m, rng, people.portrait, 0.3)
    bright = 1 - darkness(blur(s.rgb, m / 400), 1.0)
    bright = np.clip(bright * 0.95 + 0.10, 0, 1)
    sheet = Sheet(m)
    u = m / 768
    hatch(sheet, bright, angle, rng, 4.4 * u, 34 * u, (0.9 * u, 2.8 * u), 0.95, 0.06, s.label)
    hatch(sheet, bright, angle + 0.7, rng, 5.0 * u, 22 * u, (0.8 * u, 2.0 * u), 1.0, 0.5, s.label)
    outline(sheet, s, m / 420, rng, 1.5, 60, 0.9, 0.35)
    ground = np.array(rgb("#14171c"), np.float32) * (1 + 0.25 * (paper(rng, m) - 0.5))[..., None]
    tint = mix(np.broadcast_to(np.array(rgb("#f4efe2"), np.float32), s.rgb.shape), s.rgb, 0.25)
    return mix(ground, tint, sheet.ink * 0.97)


def woodcut(n: int, rng: np.random.Generator) -> Array:
    m = n * 3 // 2
    s, angle = compose(m, rng, landscapes.hills, 0.2)
    sun = np.hypot(s.x - 0.72, s.y - 0.17)
    rays = step(0.36 - s.y, 0.0, 0.06)
    angle = np.where((rays > 0.5) & (s.label == 0), s.towards(0.72, 0.17), angle)
    tone = darkness(blur(s.rgb, m / 350), 0.9)
    tone = np.where(s.label == 0, np.clip(0.12 + 0.75 * sun, 0.1, 0.62), tone)
    ink = carved(np.clip(0.10 + 0.88 * tone, 0, 1), smooth_angle(angle, m / 200), m / 74, rng)
    lines = Sheet(m)
    outline(lines, s, m / 150, rng, 1.2, 70)
    keep = Sheet(m)
    outline(keep, s, m / 60, rng, 0.5, 70)
    ink = np.maximum(np.minimum(ink, 1.0), lines.ink * 0.98)
    grain_lines = wood(rng, m, 40)
    ink = ink * np.clip(1.12 - 0.5 * step(grain_lines, 0.62, 0.95), 0, 1)
    return _print(blur(ink, 0.9), _sheet(rng, m, "#f1e7cf"), np.array(rgb("#17161a"), np.float32))


LINO = palette("#f2e6c8 #e08a3c #1f5f66 #14242e")


def linocut(n: int, rng: np.random.Generator) -> Array:
    m = n * 3 // 2
    s, angle = compose(m, rng, flowers.bouquet, 0.3)
    tone = darkness(blur(s.rgb, m / 300), 0.9)
    tone = np.clip(tone - 0.22 * step(s.rgb[..., 0] - s.rgb[..., 2], 0.05, 0.2), 0, 1)
    bands = carved(np.clip(tone * 0.92 + 0.04, 0, 1), smooth_angle(angle, m / 160), m / 52, rng, 0.12)
    edges = Sheet(m)
    outline(edges, s, m / 260, rng, 1.0, 60)
    key = np.maximum(bands * step(tone, 0.5, 0.62), edges.ink)
    second = np.maximum(bands, step(tone, 0.72, 0.76))
    warm = step(s.rgb[..., 0] - s.rgb[..., 2], 0.12, 0.2)
    shift = np.roll(warm, (m // 300, -m // 260), (0, 1))
    speckle = 1 - 0.5 * step(grain(rng, m, 1.2), 1.3, 1.8)
    out = _sheet(rng, m, "#f2e6c8")
    out = mix(out, LINO[1], shift * 0.95 * speckle)
    out = mix(out, LINO[2], second * (1 - 0.55 * shift) * 0.93 * speckle)
    return emboss(blur(key, 1.5), mix(out, LINO[3], key * 0.97 * speckle), 0.12)


RECIPES = (
    Recipe(
        "ink-hatching",
        "Pen and ink hatching",
        "Contour hatching with a steel nib on cream paper; peaks and pines.",
        ("ink", "hatching", "landscape", "monochrome"),
        pen,
        62,
    ),
    Recipe(
        "cross-hatching",
        "Cross-hatched still life",
        "Up to four crossed layers of brown ink lines build the tone.",
        ("ink", "hatching", "still life", "monochrome"),
        cross,
        58,
    ),
    Recipe(
        "etching-street",
        "Etched street",
        "Fine bitten lines and plate tone in sepia on laid paper.",
        ("ink", "etching", "city", "monochrome", "warm"),
        etching,
        58,
    ),
    Recipe(
        "scratchboard",
        "Scratchboard portrait",
        "White lines scratched out of black, following the form.",
        ("ink", "scratchboard", "portrait", "monochrome", "dark"),
        scratch,
        61,
    ),
    Recipe(
        "woodcut-sun",
        "Woodcut sun",
        "Carved black and white bands that swell with the tone; rays and furrows.",
        ("print", "woodcut", "landscape", "monochrome"),
        woodcut,
        70,
    ),
    Recipe(
        "linocut-flowers",
        "Linocut flowers",
        "Bold gouge marks in three inks, slightly out of register.",
        ("print", "linocut", "flowers", "bright"),
        linocut,
        72,
    ),
)
