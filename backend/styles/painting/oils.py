"""Paint with body: oil, impasto, palette knife, patches, dots, gouache."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import flowers, landscapes, people, shores, streets
from .fields import Array, blur, from_lab, grade, noise, palette, rgb, to_lab
from .papers import canvas_weave, paper
from .recipe import Recipe, compose
from .strokes import Brush, Canvas, light, paint, paint_layer


def _ground(m: int, code: str) -> Array:
    return np.broadcast_to(np.array(rgb(code), np.float32), (m, m, 3))


def oil(n: int, rng: np.random.Generator) -> Array:
    m = n * 3 // 2
    s, angle = compose(m, rng, landscapes.hills)
    c = Canvas(_ground(m, "#8a5a34"))
    paint(
        c,
        grade(s.rgb, 1.05, 1.05),
        angle,
        [
            Brush(0.042, 4.5, 0.55, 18, bend=0.25, jitter=(5, 4, 4)),
            Brush(0.023, 5, 0.55, 14, threshold=9, keep=0.75, jitter=(5, 3, 3)),
            Brush(0.013, 5, 0.6, 9, threshold=10, keep=0.7),
            Brush(0.007, 5, 0.7, 5, threshold=16, keep=0.5, height=0.6),
        ],
        rng,
    )
    return light(c, 1.1, 0.12, 1.0, canvas_weave(m) * 0.25)


def impasto(n: int, rng: np.random.Generator) -> Array:
    m = n * 3 // 2
    s, angle = compose(m, rng, flowers.bouquet, 0.3)
    c = Canvas(_ground(m, "#3b4a66"))
    ref = grade(s.rgb, 1.1, 1.2, 3)
    paint(
        c,
        ref,
        angle,
        [
            Brush(0.050, 3.5, 0.5, 16, bend=0.3, jitter=(6, 6, 6), streak=6, height=0.7, dry=0.3),
            Brush(0.030, 3.6, 0.5, 13, threshold=9, keep=0.8, jitter=(5, 4, 4), streak=6, height=0.9),
            Brush(0.017, 3.6, 0.6, 9, threshold=12, keep=0.8, jitter=(4, 4, 4), streak=5, height=1.0),
        ],
        rng,
    )
    return light(c, 2.4, 0.35, 1.3)


def night(n: int, rng: np.random.Generator) -> Array:
    m = n * 3 // 2
    s, angle = compose(m, rng, landscapes.night, 0.2)
    c = Canvas(_ground(m, "#16244a"))
    ref = grade(s.rgb, 1.1, 1.1, 4)
    paint(
        c,
        ref,
        angle,
        [
            Brush(0.030, 6, 0.5, 12, jitter=(7, 5, 7), streak=6, bend=0.08, stop=30),
            Brush(
                0.016,
                6.5,
                0.62,
                8,
                threshold=0,
                keep=0.75,
                jitter=(9, 6, 8),
                streak=5,
                bend=0.08,
                height=0.8,
                stop=26,
            ),
            Brush(0.009, 6, 0.7, 5, threshold=14, keep=0.75, jitter=(5, 4, 5), height=0.9, taper=0.7),
        ],
        rng,
    )
    return light(c, 1.7, 0.2, 1.0)


ALPENGLOW = palette(
    "#24488c #4f78b5 #9fb0d4 #e89a78 #3a3f78 #f9dcc0 #35586f #2a5548 #16302f #2f7a8a #8fc6c4 #f08a5a #c9a878"
)


def knife(n: int, rng: np.random.Generator) -> Array:
    m = n * 3 // 2
    s, angle = compose(m, rng, landscapes.lake, 0.35, p=ALPENGLOW)
    ref = grade(s.rgb, 1.15, 1.25, -3)
    c = Canvas(_ground(m, "#c98f5c"))
    blade: dict[str, Any] = dict(
        bristles=26, taper=0.02, streak=1.6, dry=0.45, pickup=0.35, jitter=(5.0, 5.0, 6.0)
    )
    paint(
        c,
        ref,
        angle,
        [
            Brush(0.075, 2.6, 0.5, bend=0.35, height=0.5, **blade),
            Brush(0.045, 2.4, 0.5, threshold=10, keep=0.8, bend=0.3, height=0.7, **blade),
            Brush(0.024, 2.4, 0.55, threshold=13, keep=0.7, bend=0.2, height=0.85, **blade),
            Brush(0.011, 3.2, 0.7, 8, threshold=24, keep=0.5, height=0.8),
        ],
        rng,
    )
    return light(c, 1.9, 0.25, 1.2)


def rain(n: int, rng: np.random.Generator) -> Array:
    m = n * 3 // 2
    s, angle = compose(m, rng, streets.street, 0.3)
    lab = to_lab(grade(s.rgb, 1.1, 1.5, 2))
    lab[..., 1] += 7 * np.sin(s.x * 5 + 1)
    lab[..., 2] += 10 * noise(rng, m, 5, 2)
    c = Canvas(_ground(m, "#1c1a2c"))
    wash: dict[str, Any] = dict(taper=0.05, streak=4.0, jitter=(6.0, 9.0, 10.0))
    paint(
        c,
        from_lab(lab),
        angle,
        [
            Brush(0.045, 3.5, 0.5, 20, bend=0.2, height=0.5, pickup=0.2, **wash),
            Brush(0.024, 3.5, 0.55, 14, threshold=8, keep=0.85, height=0.7, **wash),
            Brush(0.011, 4, 0.65, 7, threshold=12, keep=0.7, height=0.8),
        ],
        rng,
    )
    return light(c, 1.5, 0.25, 1.0)


FAUVE = palette(
    "#ffb52a #f77f9a #f2582f #d92f6a #ffd21f #2fae6a #f7a040 #c7379a #17307a #1f5fc8 #3fc8b8 #e0322f "
    "#fff0c8 #7a3fa8 #3a1f5f"
)


def fauve(n: int, rng: np.random.Generator) -> Array:
    m = n * 3 // 2
    s, angle = compose(m, rng, shores.harbour, 0.4, p=FAUVE)
    c = Canvas(_ground(m, "#fbf1dc"))
    paint(
        c,
        s.rgb,
        angle,
        [
            Brush(
                0.050,
                2.4,
                0.72,
                16,
                bend=0.4,
                jitter=(5, 14, 14),
                streak=4,
                dry=0.5,
                taper=0.1,
                height=0.35,
                pickup=0.05,
            ),
            Brush(
                0.030,
                2.8,
                0.85,
                13,
                threshold=24,
                keep=0.7,
                jitter=(6, 10, 10),
                dry=0.4,
                taper=0.1,
                height=0.45,
                pickup=0.05,
            ),
            Brush(0.015, 4, 0.8, 8, threshold=34, keep=0.6, jitter=(4, 8, 8), height=0.5),
        ],
        rng,
    )
    return light(c, 0.8, 0.06, 1.0, canvas_weave(m) * 0.5)


PARK = palette(
    "#5f8fd8 #a8c0e8 #f6dcc8 #ffd98a #7f8fd0 #5fae9a #9fc45a #e8c84f #d98a5f #2f4f6a #4a9a4a #b8d84f #5a3a5f "
    "#f3d8c0 #d9583f #f05a7a"
)


def points(n: int, rng: np.random.Generator) -> Array:
    m = n * 3 // 2
    s, angle = compose(m, rng, landscapes.hills, 0.4, p=PARK, flip=True)
    ref = grade(s.rgb, 1.2, 1.3, -3)
    c = Canvas(_ground(m, "#efe2c6"))
    dot: dict[str, Any] = dict(
        bristles=2, taper=0.9, streak=0.0, dry=0.0, pickup=0.0, length=1.25, height=0.5
    )
    lab = to_lab(ref)
    # Optical mixture: each dot leans towards a neighbouring or a complementary hue.
    for width, spacing, keep, spread in (
        (0.017, 0.62, 1.0, 14.0),
        (0.012, 0.75, 0.9, 20.0),
        (0.0085, 0.85, 0.75, 15.0),
    ):
        swing = noise(rng, m, 90, 1)
        shifted = lab.copy()
        shifted[..., 1] += spread * swing
        shifted[..., 2] -= spread * np.roll(swing, m // 7, 1) * 1.2
        paint_layer(
            c,
            from_lab(shifted),
            angle,
            Brush(width, spacing=spacing, keep=keep, jitter=(6, 9, 10), **dot),
            rng,
        )
    return light(c, 0.9, 0.08, 1.0)


def expressive(n: int, rng: np.random.Generator) -> Array:
    m = n * 3 // 2
    s, angle = compose(m, rng, people.portrait, 0.35, hat=True)
    lab = to_lab(grade(s.rgb, 1.2, 1.35))
    tone = lab[..., 0] / 100
    lab[..., 1] += 16 * np.clip(tone - 0.45, 0, 1) - 10 * np.clip(0.5 - tone, 0, 1)
    lab[..., 2] += 14 * np.clip(tone - 0.5, 0, 1) - 34 * np.clip(0.5 - tone, 0, 1)
    ref = from_lab(lab)
    c = Canvas(_ground(m, "#a5482f"))
    paint(
        c,
        ref,
        angle,
        [
            Brush(0.052, 3.5, 0.6, 20, bend=0.4, jitter=(6, 9, 9), streak=6, dry=0.5, taper=0.1),
            Brush(0.028, 4, 0.6, 14, threshold=9, keep=0.75, jitter=(6, 7, 7), streak=6, dry=0.4, taper=0.15),
            Brush(0.014, 4.2, 0.6, 9, threshold=11, keep=0.75, jitter=(4, 5, 5)),
            Brush(0.0065, 5, 0.7, 5, threshold=16, keep=0.6, jitter=(3, 3, 3)),
        ],
        rng,
    )
    return light(c, 1.2, 0.15, 1.0, canvas_weave(m) * 0.3)


AUTUMN = palette("#f2c14e #f7e3b0 #e0803a #9a3f2f #f1e6d2 #b9a9a4 #4f4a63 #6b7f4f #c7693a #3f4f6f #7f9fae")


def gouache(n: int, rng: np.random.Generator) -> Array:
    m = n * 5 // 4
    s, angle = compose(m, rng, landscapes.birches, 0.3, p=AUTUMN)
    # Opaque and matt: few tones, each laid with a broad dry brush.
    lab = to_lab(blur(s.rgb, m / 500))
    lab[..., 0] = np.round(lab[..., 0] / 9) * 9
    ref = from_lab(lab)
    c = Canvas(_ground(m, "#efe0c2"))
    flat: dict[str, Any] = dict(taper=0.05, streak=2.2, dry=0.75, pickup=0.0, height=0.15)
    paint(
        c,
        ref,
        angle,
        [
            Brush(0.050, 4, 0.42, 26, bend=0.15, jitter=(2.5, 2, 2), **flat),
            Brush(0.024, 4.5, 0.5, 16, threshold=7, jitter=(2.5, 2, 2), **flat),
            Brush(0.011, 5, 0.55, 9, threshold=9, jitter=(2, 2, 2), **flat),
            Brush(
                0.005, 5, 0.7, 4, threshold=14, jitter=(2, 1, 1), streak=2, dry=0.2, pickup=0.0, height=0.1
            ),
        ],
        rng,
    )
    return light(c, 0.35, 0.0, 0.8) * (0.94 + 0.06 * paper(rng, m)[..., None])


RECIPES = (
    Recipe(
        "oil-orchard",
        "Orchard in oil",
        "Loaded bristle strokes that follow fields and foliage; summer greens and gold.",
        ("oil", "brush", "landscape", "warm"),
        oil,
    ),
    Recipe(
        "impasto-bouquet",
        "Impasto bouquet",
        "Thick ridged paint on a blue ground; sunflowers, poppies and light on the relief.",
        ("oil", "impasto", "flowers", "bright"),
        impasto,
        78,
    ),
    Recipe(
        "night-swirls",
        "Swirling night",
        "Short comma strokes turning in eddies of ultramarine and lamp yellow.",
        ("oil", "swirl", "night", "cold"),
        night,
        79,
    ),
    Recipe(
        "palette-knife-lake",
        "Palette-knife lake",
        "Broad flat scrapes of thick paint with sharp edges; peaks and water.",
        ("oil", "knife", "landscape", "cold"),
        knife,
    ),
    Recipe(
        "rainy-street",
        "Rainy street",
        "Slabs of saturated colour and wet reflections under street lamps.",
        ("oil", "knife", "city", "night", "warm"),
        rain,
        79,
    ),
    Recipe(
        "fauve-harbour",
        "Fauve harbour",
        "Patches of unmixed, unlikely colour with bare canvas between.",
        ("oil", "patches", "city", "bright"),
        fauve,
    ),
    Recipe(
        "pointillist-meadow",
        "Pointillist meadow",
        "Touching dots of neighbouring and complementary hues.",
        ("oil", "dots", "landscape", "bright"),
        points,
    ),
    Recipe(
        "expressive-portrait",
        "Expressive portrait",
        "Loose portrait with hot lights and blue shadows over a red ground.",
        ("oil", "brush", "portrait", "warm"),
        expressive,
    ),
    Recipe(
        "gouache-birches",
        "Gouache birches",
        "Opaque matt colour in few tones, dragged with a dry flat brush.",
        ("gouache", "flat", "landscape", "warm"),
        gouache,
    ),
)
