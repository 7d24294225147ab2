"""Still lifes: fruit with bottle and jug, a bouquet, a guitar on a table."""

from __future__ import annotations

import numpy as np

from .fields import Array, mix, noise, palette, ramp, step
from .scene import Scene, mirrored, three_tones

FRUIT = palette(
    "#6d7f88 #3e4f5c #d9d2c0 #a5a092 #2d5a43 #7fb08a #c9623a #8a3a22 #f0b04a #d8412f #8c1f24 "
    "#f2cf4f #c08a2a #9bb24a #56702a #5a3a63 #2c1f38 #f8f0d8 #7a5434 #4a3020"
)


def shadow(s: Scene, cx: float, cy: float, rx: float, ry: float, colour: Array, amount: float = 0.6) -> None:
    """A soft cast shadow to the right of something that stands on (cx, cy)."""
    soft = np.exp(-(((s.x - cx - rx * 0.7) / (rx * 1.35)) ** 2 + ((s.y - cy) / ry) ** 2) * 1.2)
    s.shade(soft.astype(np.float32), colour, amount)


def round_fruit(
    s: Scene, cx: float, cy: float, r: float, dark: Array, middle: Array, bright: Array, squash: float = 0.94
) -> None:
    """An apple or an orange."""
    s = s.window(cx, cy, r * 1.4)
    pts = [
        (
            cx + r * (1 + 0.03 * np.cos(3 * a)) * np.cos(a),
            cy + r * squash * np.sin(a) - (0.10 * r * np.cos(a * 2 + np.pi) if np.sin(a) < 0 else 0),
        )
        for a in np.linspace(0, 2 * np.pi, 14, endpoint=False)
    ]
    light, _ = s.ball(cx, cy, r * 1.08, r * 1.02)
    light = np.clip(light * 0.95 + 0.18 * step((s.y - cy) / r, 0.55, 1.0), 0, 1)
    dx, dy = (s.x - cx) / r, (s.y - cy) / r
    s.fill(s.shape(pts), three_tones(light, dark, middle, bright), s.around(cx, cy - r * 0.3, 1.2))
    s.shade(np.exp(-((dx + 0.36) ** 2 + (dy + 0.42) ** 2) / 0.022), (1, 1, 0.94), 0.8)
    s.fill(
        s.limb(
            [(cx, cy - r * 0.72), (cx + r * 0.06, cy - r * 0.95), (cx + r * 0.16, cy - r * 1.15)],
            [r * 0.06, r * 0.07, r * 0.1],
        ),
        dark * 0.6,
        np.pi / 2,
    )


def fruit(s: Scene, p: Array = FRUIT) -> None:
    """Bottle, jug, lemons, apples, a pear and grapes on a rumpled cloth.

    Palette: 0-1 wall, 2-3 cloth, 4-5 bottle, 6-7 jug, 8 light on the jug, 9-10 apples, 11-12 lemons,
    13-14 pear, 15-16 grapes, 17 highlights, 18-19 table.
    """
    n, r = s.n, s.rng
    wall = 0.5 + 0.35 * noise(r, n, 3, 4) + 0.7 * (0.45 - s.x) - 0.2 * s.y
    s.rgb[:] = ramp(wall, np.stack([p[1] * 0.8, p[1], p[0], np.minimum(p[0] * 1.25, 1)]))
    s.angle[:] = 0.9 + 0.5 * noise(r, n, 3, 2)
    drape = s.limb([(0.86, -0.05), (0.82, 0.25), (0.93, 0.45), (0.90, 0.66)], [0.5, 0.3, 0.28, 0.42])
    folds = np.sin(s.x * 22 + 5 * (s.y - 0.3) ** 2 * np.sign(s.x - 0.88) + 0.4 * noise(r, n, 4, 2))
    s.fill(
        drape, three_tones(0.5 + 0.42 * folds, p[7] * 0.75, mix(p[7], p[6], 0.5), p[6]), 1.45 - (s.x - 0.85)
    )
    s.fill(
        step(s.y, 0.60, 0.604), ramp(0.5 + 0.5 * noise(r, n, 10, 3, stretch=(5, 0.7)), p[[19, 18, 18]]), 0.02
    )
    cloth = s.shape(
        [
            (-0.06, 0.67),
            (0.20, 0.655),
            (0.48, 0.68),
            (0.75, 0.66),
            (0.93, 0.72),
            (0.88, 0.83),
            (0.96, 0.95),
            (0.85, 1.08),
            (-0.06, 1.08),
        ]
    )
    crease = noise(r, n, 4, 3, 0.45)
    lines = np.abs(np.sin(crease * 5 + s.x * 7 - s.y * 5))
    s.fill(
        cloth,
        three_tones(np.clip(0.25 + 0.75 * lines + 0.25 * crease, 0, 1), p[3] * 0.75, p[3], p[2]),
        np.pi * 0.25 + crease,
    )
    for edge in ((0.60, 0.90), (0.30, 0.93)):
        band = np.exp(-(((s.y - edge[1] - 0.03 * np.sin(s.x * 9)) / 0.006) ** 2))
        s.shade(band.astype(np.float32) * cloth, p[9], 0.75)
    # Bottle.
    shadow(s, 0.30, 0.715, 0.10, 0.035, p[1])
    bottle = s.polygon(
        mirrored(
            [
                (0.026, 0.12),
                (0.030, 0.15),
                (0.026, 0.165),
                (0.028, 0.28),
                (0.070, 0.37),
                (0.082, 0.46),
                (0.082, 0.66),
                (0.072, 0.72),
                (0.03, 0.728),
            ],
            0.285,
        )
    )
    u = (s.x - 0.285) / 0.082
    glass = np.clip(0.45 - 0.45 * u + 0.25 * np.cos(u * 7), 0, 1)
    s.fill(bottle, three_tones(glass, p[4] * 0.45, p[4], p[5]), np.pi / 2)
    s.fill(
        bottle * step(s.y, 0.48, 0.485) * step(0.61 - s.y, 0, 0.005),
        three_tones(np.clip(0.8 - 0.4 * u, 0, 1), p[18], p[8], p[17]),
        0.1,
    )
    s.shade(
        np.exp(-(((u + 0.55) / 0.11) ** 2)) * step(s.y, 0.38, 0.42) * step(0.68 - s.y, 0, 0.05) * bottle,
        p[17],
        0.85,
    )
    # Jug.
    shadow(s, 0.66, 0.76, 0.17, 0.04, p[1])
    s.fill(
        s.limb([(0.77, 0.44), (0.90, 0.43), (0.90, 0.58), (0.79, 0.64)], [0.035, 0.04, 0.04, 0.03]),
        three_tones(np.clip(1.3 - (s.x - 0.75) * 6, 0, 1), p[7], p[6], p[8]),
        s.around(0.80, 0.53),
    )
    jug = s.polygon(
        mirrored(
            [
                (0.090, 0.33),
                (0.080, 0.37),
                (0.082, 0.42),
                (0.140, 0.53),
                (0.150, 0.62),
                (0.115, 0.735),
                (0.085, 0.77),
                (0.02, 0.776),
            ],
            0.65,
        )
    )
    u = (s.x - 0.65) / 0.15
    body = np.clip(0.62 - 0.5 * u - 0.35 * u * u + 0.05 * np.sin(s.y * 60), 0, 1)
    s.fill(jug, three_tones(body, p[7] * 0.6, p[6], p[8]), s.around(0.65, 0.2, 1.0))
    s.fill(s.ellipse(0.65, 0.332, 0.088, 0.022), p[7] * 0.5, 0.0)
    for y in (0.46, 0.645):
        s.fill(jug * np.exp(-(((s.y - y - 0.02 * (1 - u * u)) / 0.012) ** 2)), p[17] * 0.92, 0.0)
    s.shade(np.exp(-(((u + 0.45) / 0.13) ** 2) - ((s.y - 0.56) / 0.06) ** 2), p[17], 0.75)
    # Pear, apples, lemons, grapes.
    shadow(s, 0.475, 0.80, 0.09, 0.035, p[1])
    light, _ = s.ball(0.47, 0.75, 0.10, 0.14)
    pear = s.shape(
        [
            (0.465, 0.55),
            (0.495, 0.585),
            (0.505, 0.66),
            (0.55, 0.73),
            (0.545, 0.80),
            (0.475, 0.835),
            (0.405, 0.80),
            (0.398, 0.73),
            (0.44, 0.66),
            (0.44, 0.585),
        ]
    )
    s.fill(pear, three_tones(np.clip(light + 0.12, 0, 1), p[14], p[13], p[11]), s.around(0.47, 0.68, 1.6))
    s.fill(s.limb([(0.467, 0.56), (0.475, 0.53), (0.495, 0.51)], [0.008, 0.01, 0.014]), p[19], 1.2)
    for cx, cy, size in ((0.17, 0.80, 0.088), (0.30, 0.86, 0.092), (0.80, 0.87, 0.085)):
        shadow(s, cx, cy + size * 0.85, size, 0.03, p[1])
        round_fruit(s, cx, cy, size, p[10], p[9], mix(p[9], p[11], 0.7))
    for cx, cy, turn in ((0.60, 0.88, 0.3), (0.47, 0.935, -0.5)):
        shadow(s, cx, cy + 0.05, 0.08, 0.03, p[1])
        light, _ = s.ball(cx, cy, 0.085, 0.065)
        c, q = np.cos(turn), np.sin(turn)
        pts = [
            (0.10, 0),
            (0.07, 0.04),
            (0, 0.058),
            (-0.07, 0.04),
            (-0.092, 0),
            (-0.07, -0.04),
            (0, -0.058),
            (0.07, -0.04),
        ]
        s.fill(
            s.shape([(cx + a * c - b * q, cy + a * q + b * c) for a, b in pts]),
            three_tones(light, p[12], p[11], p[17]),
            s.around(cx, cy, 0.7),
        )
    for i in range(22):
        gx, gy = 0.09 + 0.13 * r.random() + 0.01 * (i % 3), 0.90 + 0.10 * r.random()
        cell = s.window(gx, gy, 0.04)
        light, _ = cell.ball(gx, gy, 0.027, 0.027)
        cell.fill(
            cell.ellipse(gx, gy, 0.024, 0.025),
            three_tones(light, p[16], p[15], mix(p[15], p[17], 0.6)),
            cell.around(gx, gy),
        )


MUSIC = palette(
    "#3b4a50 #6f7f74 #b9a27a #8c5a2f #c98a45 #e8c88a #2a2422 #efe6cf #5f6f8a #9a3f2f #2f4a3f #d8b860"
)


def guitar(s: Scene, p: Array = MUSIC) -> None:
    """A guitar, a bottle, a glass, a newspaper and a bowl on a round table, seen from above and in front.

    Palette: 0-1 wall, 2 table, 3-5 guitar, 6 dark, 7 light, 8 blue, 9 red, 10 green, 11 yellow.
    """
    n, r = s.n, s.rng
    s.rgb[:] = ramp(0.5 + 0.4 * noise(r, n, 3, 3) - 0.5 * (s.x - 0.5), np.stack([p[6], p[0], p[1]]))
    s.angle[:] = 1.0
    s.fill(s.polygon([(0, 0), (0.30, 0), (0.24, 0.56), (0, 0.62)]), mix(s.rgb, p[9], 0.55), 1.4)
    s.fill(s.polygon([(0.72, 0), (1, 0), (1, 0.5), (0.78, 0.52)]), mix(s.rgb, p[10], 0.6), 1.7)
    s.fill(
        s.ellipse(0.5, 0.78, 0.53, 0.30),
        ramp(
            0.6 - 0.6 * (s.x - 0.5) + 0.2 * noise(r, n, 12, 3, stretch=(4, 1)),
            np.stack([p[3] * 0.7, p[2] * 0.8, p[2]]),
        ),
        0.05,
    )
    paper = s.polygon([(0.06, 0.70), (0.40, 0.62), (0.50, 0.90), (0.14, 0.98)])
    text = step(np.sin((s.y * 0.97 + s.x * 0.24) * 170), 0.0, 0.5) * step(
        noise(r, n, 60, 1, stretch=(3, 1)), -0.2, 0.1
    )
    s.fill(paper, mix(np.broadcast_to(p[7], s.rgb.shape), p[6], 0.6 * text), -0.2)
    s.fill(s.polygon([(0.12, 0.725), (0.37, 0.668), (0.38, 0.70), (0.13, 0.757)]), p[6], -0.2)
    bottle = s.polygon(
        mirrored(
            [(0.022, 0.10), (0.026, 0.13), (0.022, 0.27), (0.07, 0.36), (0.075, 0.62), (0.05, 0.66)], 0.80
        )
    )
    u = (s.x - 0.80) / 0.075
    s.fill(
        bottle, three_tones(np.clip(0.5 - 0.5 * u + 0.2 * np.cos(u * 8), 0, 1), p[6], p[10], p[11]), np.pi / 2
    )
    s.fill(bottle * step(s.y, 0.44, 0.444) * step(0.55 - s.y, 0, 0.004), p[7], 0.0)
    body = s.shape(
        [
            (0.36, 0.52),
            (0.45, 0.44),
            (0.55, 0.47),
            (0.60, 0.55),
            (0.66, 0.60),
            (0.76, 0.66),
            (0.75, 0.82),
            (0.62, 0.90),
            (0.47, 0.86),
            (0.44, 0.74),
            (0.40, 0.66),
            (0.33, 0.60),
        ]
    )
    wood = 0.62 + 0.16 * np.sin((s.x * 0.8 - s.y * 0.6) * 120) - 0.8 * (s.x - 0.55) - 0.5 * (s.y - 0.66)
    s.fill(body, three_tones(np.clip(wood, 0, 1), p[3], p[4], p[5]), 0.7)
    s.fill(s.ellipse(0.535, 0.635, 0.062, 0.058, 0.7), p[6], s.around(0.535, 0.635))
    neck = s.polygon([(0.545, 0.60), (0.51, 0.645), (0.18, 0.27), (0.21, 0.235)])
    s.fill(neck, mix(p[3], p[6], 0.45), 0.85)
    s.fill(s.polygon([(0.21, 0.225), (0.165, 0.275), (0.09, 0.20), (0.14, 0.15)]), p[4], 0.85)
    for k in range(5):
        f = (k - 2) * 0.0075
        s.fill(s.limb([(0.15 + f, 0.215 - f), (0.62 + f, 0.745 - f)], [0.0022, 0.0022]), p[7], 0.85)
    s.fill(s.polygon([(0.585, 0.74), (0.65, 0.70), (0.665, 0.72), (0.60, 0.765)]), p[6], 0.6)
    glass = s.polygon(
        mirrored(
            [(0.06, 0.62), (0.055, 0.74), (0.02, 0.80), (0.012, 0.84), (0.012, 0.90), (0.055, 0.93)], 0.88
        )
    )
    u = (s.x - 0.88) / 0.06
    s.fill(glass, mix(s.rgb, three_tones(np.clip(0.6 - 0.5 * u, 0, 1), p[6], p[8], p[7]), 0.7), np.pi / 2)
    s.fill(glass * step(s.y, 0.69, 0.694) * step(0.80 - s.y, 0, 0.01), p[9], 0.0)
    for cx, cy in ((0.27, 0.55), (0.20, 0.60), (0.30, 0.62)):
        round_fruit(s, cx, cy, 0.055, p[9] * 0.5, p[9], p[11])
