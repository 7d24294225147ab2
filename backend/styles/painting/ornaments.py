"""Ornament around a portrait: whiplash outlines and gold leaf."""

from __future__ import annotations

import numpy as np

from . import people
from .fields import (
    Array,
    blur,
    from_lab,
    grain,
    luma,
    mix,
    noise,
    palette,
    ramp,
    rgb,
    smooth_angle,
    step,
    to_lab,
)
from .lines import Sheet, darkness, outline
from .papers import emboss, paper
from .recipe import Recipe, compose
from .scene import Scene
from .strokes import Brush, Canvas, light, paint_layer

MUCHA = palette(
    "#e3cf9f #c9ae74 #f6dfbf #e3ac84 #a8684a #c25f4f #6a3220 "
    "#a8542c #dd9748 #4f7a6a #94b096 #f7edd6 #38211a #c8973c #b5543f"
)


def nouveau(n: int, rng: np.random.Generator) -> Array:
    m = n * 2
    p = MUCHA
    s = Scene(m, rng)
    people.portrait(s, p, (-0.55, -0.40, 0.75))
    u = m / 768
    face = (
        (np.hypot((s.x - 0.49) / 0.17, (s.y - 0.43) / 0.26) < 1)
        | ((s.y > 0.6) & (np.abs(s.x - 0.49) < 0.40 * (s.y - 0.45) + 0.10))
    ).astype(np.float32)
    keep = s.rgb.copy(), s.label.copy(), s.angle.copy()
    d = np.hypot(s.x - 0.49, s.y - 0.40)
    a = np.arctan2(s.y - 0.40, s.x - 0.49)
    back = Scene(m, rng, p[0])
    back.rgb[:] = ramp(
        0.5 + 0.35 * noise(rng, m, 5, 4) + 0.4 * (back.y - 0.5),
        np.stack([mix(p[10], p[0], 0.4), mix(p[0], p[10], 0.35), p[10]]),
    )
    back.angle[:] = s.around(0.49, 0.40)
    waves = np.sin(d * 130 + 0.7 * np.sin(a * 12) * 4)
    back.shade(step(waves, 0.55, 0.85) * (d > 0.44), p[13], 0.55)
    back.fill(back.ellipse(0.49, 0.40, 0.445, 0.445), p[1], back.around(0.49, 0.40))
    back.fill(back.ellipse(0.49, 0.40, 0.43, 0.43), p[9], back.around(0.49, 0.40))
    for k in range(26):
        t = 2 * np.pi * k / 26
        x, y = 0.49 + 0.385 * np.cos(t), 0.40 + 0.385 * np.sin(t)
        for petal in range(5):
            v = t + 2 * np.pi * petal / 5
            back.fill(
                back.ellipse(x + 0.021 * np.cos(v), y + 0.021 * np.sin(v), 0.019, 0.011, v),
                p[11] if k % 2 else p[14],
                v,
            )
        back.fill(back.ellipse(x, y, 0.010, 0.010), p[13])
    back.fill(back.ellipse(0.49, 0.40, 0.342, 0.342), p[13], back.around(0.49, 0.40))
    back.fill(
        back.ellipse(0.49, 0.40, 0.333, 0.333),
        mix(np.broadcast_to(p[2], s.rgb.shape), p[13], 0.35 + 0.35 * step(np.sin(a * 36), 0, 0.3)),
        a,
    )
    # Whiplash locks of hair, from the crown outwards.
    locks = []
    for side in (-1, 1):
        for k in range(13):
            f = k / 12
            x0, y0 = 0.49 + side * (0.03 + 0.13 * f), 0.15 + 0.20 * f * f
            sweep = rng.uniform(0.9, 1.15)
            tip = 0.24 + 0.25 * (1 - f) * sweep
            pts = [
                (x0, y0),
                (x0 + side * 0.10, y0 + 0.02 + 0.10 * f),
                (x0 + side * (0.13 + 0.07 * (1 - f)), y0 + 0.20),
                (x0 + side * 0.10, y0 + 0.36),
                (x0 + side * tip * 0.75, y0 + 0.50),
                (x0 + side * tip * 1.12, y0 + 0.47 + 0.08 * f),
                (x0 + side * tip * 1.16, y0 + 0.37 + 0.08 * f),
                (x0 + side * tip * 1.0, y0 + 0.35 + 0.08 * f),
                (x0 + side * tip * 0.96, y0 + 0.41 + 0.08 * f),
            ]
            locks.append((f, side, pts))
    for f, side, pts in locks:
        tone = 0.35 + 0.5 * rng.random() - 0.2 * (side > 0)
        back.fill(
            back.limb(pts, [0.030, 0.050, 0.052, 0.046, 0.040, 0.030, 0.022, 0.015, 0.004]),
            ramp(np.full((m, m), tone, np.float32), p[[6, 7, 8]]),
            np.pi / 2 + 0.6 * f,
        )
    offset = int(back.label.max()) + 50
    body = face * (keep[1] > 0)
    locks_over = back.label > 0
    mask = (body > 0.5) & ~(locks_over & (np.abs(s.x - 0.49) > 0.155) & (s.y > 0.2) & (s.y < 0.62))
    rgb_map = np.where(mask[..., None], keep[0], back.rgb)
    label = np.where(mask, keep[1] + offset, back.label)
    scene = Scene(m, rng)
    scene.rgb[:], scene.label[:] = rgb_map, label
    top = s.polygon([(0.0, 0.0), (0.22, 0.0), (0.07, 0.16), (0.0, 0.34)]) + s.polygon(
        [(0.98, 0.0), (0.76, 0.0), (0.91, 0.16), (1.0, 0.34)]
    )
    scene.fill(np.clip(top, 0, 1) * (label < offset), p[14] * 0.85, 0.8)
    for side, cx in ((1, 0.09), (-1, 0.91)):
        for k in range(6):
            t = (-0.2 + 0.32 * k) if side > 0 else np.pi - (-0.2 + 0.32 * k)
            x, y = cx - side * 0.07, 0.03
            scene.fill(
                scene.limb(
                    [
                        (x, y),
                        (x + 0.08 * np.cos(t), y + 0.08 * np.sin(t)),
                        (x + 0.17 * np.cos(t + side * 0.25), y + 0.17 * np.sin(t + side * 0.25)),
                    ],
                    [0.006, 0.042, 0.003],
                ),
                p[11] if k % 2 else p[13],
                t,
            )
    for side in (-1, 1):
        for k in range(3):
            x = 0.5 + side * (0.47 - 0.05 * k)
            scene.fill(
                scene.limb(
                    [
                        (x, 1.02),
                        (x - side * 0.03, 0.86),
                        (x + side * 0.02, 0.74 + 0.03 * k),
                        (x - side * 0.01, 0.64 + 0.05 * k),
                    ],
                    [0.018, 0.013, 0.010, 0.005],
                ),
                p[9],
                np.pi / 2,
            )
            fx, fy = x - side * 0.01, 0.63 + 0.05 * k
            for v in (-2.5, -2.0, -1.57, -1.14, -0.64):
                scene.fill(
                    scene.limb(
                        [
                            (fx, fy),
                            (fx + 0.035 * np.cos(v), fy + 0.04 * np.sin(v)),
                            (fx + 0.075 * np.cos(v) * 1.2, fy + 0.075 * np.sin(v)),
                        ],
                        [0.006, 0.030, 0.003],
                    ),
                    (p[14], p[5], p[11])[k],
                    v,
                )
    flat = to_lab(blur(scene.rgb, 0.8 * u))
    flat[..., 0] = np.round(flat[..., 0] / 11) * 11
    tooth = paper(rng, m, 1.2)
    out = from_lab(flat) * (0.95 + 0.10 * tooth + 0.07 * noise(rng, m, 9, 4))[..., None]
    fine, bold = Sheet(m), Sheet(m)
    outline(fine, scene, 2.0 * u, rng, 0.5, 60)
    figure = (label >= offset).astype(np.int32)
    outer = Scene(m, rng)
    outer.label[:] = figure
    outline(bold, outer, 6.0 * u, rng, 0.5, 200)
    strands = step(np.sin(np.arctan2(scene.y - 0.1, (scene.x - 0.49) * 1.3) * 60), 0.75, 0.95)
    hair = (luma(out) < 0.42) & (out[..., 0] > out[..., 2] * 1.7) & (figure == 0)
    ink = np.maximum(np.maximum(fine.ink * 0.95, bold.ink), 0.45 * strands * hair)
    gold = step(
        np.abs(
            np.mod(np.minimum(np.minimum(scene.x, 1 - scene.x), np.minimum(scene.y, 1 - scene.y)) * 60, 1)
            - 0.5
        ),
        0.25,
        0.35,
    )
    edge = np.minimum(np.minimum(scene.x, 1 - scene.x), np.minimum(scene.y, 1 - scene.y))
    out = mix(out, p[13], gold * step(0.022 - edge, 0, 0.002))
    return emboss(tooth, mix(out, p[12], ink), 0.04)


def gilded(n: int, rng: np.random.Generator) -> Array:
    m = n * 3 // 2
    s, angle = compose(
        m,
        rng,
        people.portrait,
        0.3,
        p=palette(
            "#8a6a2a #c9a040 #f7e0c8 #e3b494 #a86a52 #d0605a #2a1614 "
            "#5a2a1f #8f4a2a #3f2f5f #b58f4a #f4e6c0 #1d1412 #d9a53f #a83f35"
        ),
    )
    u = m / 768
    across = np.abs(s.x - 0.49)
    throat = (s.y > 0.58) & (across < 0.082 + 0.5 * np.clip(s.y - 0.68, 0, 1)) & (s.y < 0.80)
    chest = np.hypot((s.x - 0.49) / 0.135, (s.y - 0.775) / 0.105) < 1
    skin = (np.hypot((s.x - 0.49) / 0.172, (s.y - 0.43) / 0.255) < 1) | throat | chest
    hair = ~skin & (s.rgb.mean(2) < 0.42) & (s.y < 0.80) & (across < 0.27)
    robe = (s.y > 0.765) & ~skin & (across < 0.30 + 0.6 * np.sqrt(np.clip(s.y - 0.765, 0, 1)))
    gold = palette("#6a4a14 #a8771f #d9a93a #f3d87a #fff0b0")
    # Tiles of leaf in a jittered brick pattern.
    bx, by = s.x * 34, s.y * 26 + 0.25 * np.floor(s.x * 34) % 1
    tile = (np.floor(bx) * 131 + np.floor(by) * 17).astype(np.int64)
    tile = np.unique(tile, return_inverse=True)[1].reshape(m, m)
    luck = rng.random(int(tile.max()) + 1).astype(np.float32)
    leaf = ramp(np.clip(0.25 + 0.55 * luck[tile] + 0.18 * noise(rng, m, 12, 4), 0, 1), gold)
    leaf = leaf * (0.9 + 0.12 * grain(rng, m, 1.2 * u))[..., None]
    relief = np.minimum(
        np.minimum(np.mod(bx, 1), 1 - np.mod(bx, 1)), np.minimum(np.mod(by, 1), 1 - np.mod(by, 1))
    )
    out = leaf.copy()
    height = 0.5 * step(relief, 0.0, 0.12)

    def spirals(
        count: int,
        low: tuple[float, float],
        high: tuple[float, float],
        region: Array,
        colours: Array,
        size: tuple[float, float],
    ) -> None:
        nonlocal out, height
        for _ in range(count):
            cx, cy, r = rng.uniform(low[0], high[0]), rng.uniform(low[1], high[1]), rng.uniform(*size)
            d, a = np.hypot(s.x - cx, s.y - cy), np.arctan2(s.y - cy, s.x - cx)
            inside = (d < r) & region
            turns = np.mod(d / r * 3.2 - a * rng.choice([-1, 1]) / (2 * np.pi), 1)
            line = np.exp(-(((turns - 0.5) / 0.16) ** 2)) * inside
            k = colours[rng.integers(len(colours))]
            out = mix(out, k, inside.astype(np.float32) * 0.85)
            out = mix(out, gold[3], line * 0.95)
            height = np.where(inside, 0.35 + 0.55 * line, height)

    spirals(
        60,
        (0, 0),
        (1, 0.8),
        ~skin & ~hair & ~robe,
        np.concatenate([gold[1:3], palette("#7a4a1a #3f2a1a")]),
        (0.03, 0.075),
    )
    cells = np.stack([np.floor(s.x * 17 + 0.5 * np.floor(s.y * 15)), np.floor(s.y * 15)], 2).astype(np.int64)
    key = np.unique(cells[..., 0] * 1000 + cells[..., 1], return_inverse=True)[1].reshape(m, m)
    pick = rng.integers(0, 7, int(key.max()) + 1)[key]
    gems = palette("#1d1a2a #b5332a #274f8f #f4e6c0 #3f7f5a #d9a93a #6a3f7a")
    fx, fy = np.mod(s.x * 17 + 0.5 * np.floor(s.y * 15), 1) - 0.5, np.mod(s.y * 15, 1) - 0.5
    shape = np.where(
        pick % 3 == 0,
        np.maximum(np.abs(fx), np.abs(fy)),
        np.where(pick % 3 == 1, np.hypot(fx, fy), np.abs(fx) + np.abs(fy) * 0.9),
    )
    patch = mix(leaf, gems[pick], step(0.42 - shape, 0, 0.05))
    patch = mix(patch, gems[(pick + 3) % 7], step(0.26 - shape, 0, 0.04))
    patch = mix(patch, gold[3], step(0.12 - shape, 0, 0.03))
    out = np.where(robe[..., None], patch, out)
    height = np.where(robe, 0.4 + 0.3 * step(0.40 - shape, 0, 0.05), height)
    spirals(14, (0.15, 0.80), (0.85, 1.0), robe, gems[[0, 1, 2, 6]], (0.03, 0.06))
    c = Canvas(s.rgb)
    paint_layer(
        c, s.rgb, smooth_angle(angle, 2 * u), Brush(0.011, 4, 0.55, 8, jitter=(3.5, 4, 4), height=0.4), rng
    )
    paint_layer(c, s.rgb, angle, Brush(0.006, 5, 0.7, 4, 10, 0.8, jitter=(3, 3, 3), height=0.4), rng)
    person = light(c, 1.0, 0.1, 0.9)
    figure = (skin | hair).astype(np.float32)
    out = emboss(blur(height.astype(np.float32), 1.0 * u), np.clip(out, 0, 1), 0.65)
    out = mix(out, person, blur(figure, 1.0 * u))
    border = Scene(m, rng)
    border.label[:] = skin.astype(np.int32) + 2 * robe.astype(np.int32) + 4 * hair.astype(np.int32)
    edge = Sheet(m)
    outline(edge, border, 3.0 * u, rng, 1.0, 160)
    tone = darkness(s.rgb)
    return mix(out, np.array(rgb("#2a1a10"), np.float32), np.clip(edge.ink * 0.85, 0, 1) * (0.7 + 0.3 * tone))


RECIPES = (
    Recipe(
        "art-nouveau",
        "Art nouveau",
        "Flat tints inside whiplash outlines, hair in locks and a floral ring.",
        ("poster", "outline", "portrait", "warm"),
        nouveau,
        80,
    ),
    Recipe(
        "gilded-portrait",
        "Gilded portrait",
        "Gold-leaf tiles, spirals and jewel ornament around a painted face.",
        ("gold", "ornament", "portrait", "warm"),
        gilded,
        74,
    ),
)
