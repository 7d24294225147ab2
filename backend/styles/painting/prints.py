"""Printed colour: halftone dots, overprinted risograph inks, a key-block wave."""

from __future__ import annotations

import numpy as np

from . import creatures, people, shores
from .fields import Array, blur, grade, grain, grid, luma, mix, noise, palette, rgb, step, to_lab
from .lines import Sheet, darkness, outline
from .papers import emboss, paper, wood
from .recipe import Recipe, compose


def screen(n: int, tone: Array, cell: float, turn: float) -> Array:
    """A halftone screen: round dots that grow with the tone until they merge; (n, n) ink in [0, 1]."""
    x, y = grid(n)
    u = (x * np.cos(turn) + y * np.sin(turn)) * n / cell
    v = (-x * np.sin(turn) + y * np.cos(turn)) * n / cell
    dot = 0.5 + 0.25 * (np.cos(2 * np.pi * u) + np.cos(2 * np.pi * v))
    return np.clip((np.clip(tone, 0, 1) - (1 - dot)) * cell * 0.55 + 0.5, 0, 1).astype(np.float32)


POP = palette(
    "#19b5c8 #f7d417 #ffe3cf #ffb98f #f07a5a #e0202f #1b1a2e "
    "#ffc81f #ffe04a #e02a5f #ff7fa8 #fffaf0 #141018 #ffd21f #1f4fd0"
)


def pop(n: int, rng: np.random.Generator) -> Array:
    m = n * 2
    s, _ = compose(m, rng, people.portrait, 0.3, p=POP)
    u = m / 768
    flat = palette("#fff6e6 #ffd21f #f0305f #12a8c4 #ffb896 #1f3fb0 #17131f")
    lab, table = to_lab(blur(grade(s.rgb, 1.1, 1.35, 3), 2 * u)), to_lab(flat)
    lab[..., 0] *= 0.75
    table[:, 0] *= 0.75
    index = ((lab[..., None, :] - table[None, None]) ** 2).sum(3).argmin(2)
    colour = flat[index]
    tone = darkness(s.rgb, 1.0)
    wall = step(np.hypot(s.x - 0.49, s.y - 0.42) - 0.0, 0.0, 1.0)
    behind = s.label == 0
    stripes = step(np.sin(np.arctan2(s.y - 0.45, s.x - 0.49) * 26), -0.05, 0.05)
    colour = np.where(
        behind[..., None], mix(np.broadcast_to(flat[1], colour.shape), flat[3], stripes), colour
    )
    dots = screen(m, np.where(behind, 0.15 + 0.55 * wall, tone * 0.62 + 0.04), 11.5 * u, 0.6)
    dot_colour = np.where(behind[..., None], flat[2], mix(colour * 0.75, flat[2], 0.6))
    fine = screen(m, np.where(behind, 0.0, np.clip(1.15 * tone - 0.30, 0, 1)), 9 * u, 1.1)
    out = mix(colour, dot_colour, np.roll(dots, (round(2 * u), round(-2 * u)), (0, 1)) * 0.92)
    out = mix(out, flat[5], fine * 0.9)
    key = Sheet(m)
    outline(key, s, 5.5 * u, rng, 1.2, 70)
    ink = np.maximum(key.ink, step(tone, 0.90, 0.94) * (~behind))
    out = mix(out, flat[6], ink)
    return out * (0.965 + 0.05 * paper(rng, m)[..., None])


RISO = palette("#f4efe2 #ff5c6a #00838a #ffd23f")


def riso(n: int, rng: np.random.Generator) -> Array:
    m = n * 2
    s, _ = compose(m, rng, creatures.owl, 0.3)
    u = m / 768
    ref = grade(s.rgb, 1.15, 1.2, 3)
    red, green, blue = ref[..., 0], ref[..., 1], ref[..., 2]
    plates = (
        (RISO[3], np.clip(1.15 * (0.5 * (red + green) - blue) + 0.05, 0, 1), 0.0, (0, 0)),
        (
            RISO[1],
            np.clip(1.25 * (red - 0.55 * green - 0.4 * blue) + 0.16 + 0.3 * (1 - luma(ref)), 0, 1),
            1.31,
            (2, -3),
        ),
        (RISO[2], np.clip(1.2 * (1 - red) - 0.05, 0, 1), 0.26, (-3, 2)),
    )
    out = np.broadcast_to(RISO[0], s.rgb.shape) * (0.97 + 0.06 * paper(rng, m)[..., None])
    for colour, tone, turn, (dx, dy) in plates:
        worn = 1 - 0.30 * step(grain(rng, m, 1.1 * u), 0.9, 2.2) - 0.12 * np.clip(noise(rng, m, 5, 4), 0, 1)
        ink = screen(m, tone * 1.05, 7.2 * u, turn) * worn
        ink = np.roll(ink, (round(dy * u), round(dx * u)), (0, 1))
        out = out * mix(np.ones_like(out), colour, ink * 0.94)
    key = Sheet(m)
    outline(key, s, 2.2 * u, rng, 1.5, 60, 1.0, 0.12)
    return (
        out
        * mix(
            np.ones_like(out), RISO[2] * 0.35, np.roll(key.ink, (round(-3 * u), round(2 * u)), (0, 1)) * 0.95
        )
    ).astype(np.float32)


def wave(n: int, rng: np.random.Generator) -> Array:
    m = n * 2
    s, _ = compose(m, rng, shores.great_wave, 0.3)
    u = m / 768
    fibres = wood(rng, m, 30)
    worn = 1 - 0.20 * step(fibres, 0.55, 1.0) - 0.10 * np.clip(noise(rng, m, 8, 4), 0, 1)
    sheet = (
        np.array(rgb("#efe3c6"), np.float32)
        * (1 + 0.06 * (paper(rng, m) - 0.5) + 0.04 * noise(rng, m, 3, 3))[..., None]
    )
    out = mix(
        sheet,
        sheet * mix(np.ones_like(s.rgb), s.rgb * 1.04, 1.0) / np.array(rgb("#efe3c6"), np.float32) * 0.97,
        worn * 0.96,
    )
    # The water's own lines: level lines of its tone steps, cut thin.
    tone = blur(luma(s.rgb), 1.2 * u)
    gx, gy = np.gradient(tone)
    rim = step(np.hypot(gx, gy) * u, 0.022, 0.045)
    key = Sheet(m)
    outline(key, s, 2.8 * u, rng, 0.8, 50)
    sky = step(0.60 - s.y, 0, 0.1) * (s.label == 0)
    cloud = np.sin((s.y + 0.012 * noise(rng, m, 5, 2, stretch=(3, 1))) * 2 * np.pi * 34)
    out = mix(out, np.array(rgb("#5f86a8"), np.float32), 0.20 * sky * step(cloud, 0.2, 0.6))
    out = mix(
        out,
        np.array(rgb("#16243f"), np.float32),
        np.maximum(key.ink * 0.95, rim * 0.75) * (0.85 + 0.15 * worn),
    )
    frame = step(np.minimum(np.minimum(s.x, 1 - s.x), np.minimum(s.y, 1 - s.y)), 0.012, 0.0135)
    out = mix(np.broadcast_to(sheet, out.shape), out, frame)
    border = np.exp(
        -(((np.minimum(np.minimum(s.x, 1 - s.x), np.minimum(s.y, 1 - s.y)) - 0.013) / 0.0016) ** 2)
    )
    out = mix(out, np.array(rgb("#16243f"), np.float32), border * 0.9)
    return emboss(fibres, np.clip(out, 0, 1), 0.035)


RECIPES = (
    Recipe(
        "pop-halftone",
        "Pop halftone",
        "Big screen dots, flat primaries and a thick key line.",
        ("print", "halftone", "portrait", "bright"),
        pop,
        68,
    ),
    Recipe(
        "risograph-owl",
        "Risograph owl",
        "Yellow, coral and teal screens overprinted slightly out of register.",
        ("print", "halftone", "animal", "bright"),
        riso,
        62,
    ),
    Recipe(
        "woodblock-wave",
        "Woodblock wave",
        "Stepped indigo bands, key-block lines and the grain of the plank.",
        ("print", "woodblock", "sea", "cold"),
        wave,
        76,
    ),
)
