"""Animals and plants: an owl on a branch, koi in a pond, a heron in the reeds, leaves."""

from __future__ import annotations

import numpy as np

from .fields import Array, mix, noise, palette, ramp, step
from .scene import Scene, curve, three_tones

OWL = palette(
    "#2f5f5a #7fae8f #e9d9a8 #5a3a26 #9a6a3f #d9b07a #f6ead0 #f2b82f #1c1714 #c8573a #4a7a3f #a3bf5a"
)


def leaf(
    s: Scene, x: float, y: float, turn: float, size: float, dark: Array, bright: Array, width: float = 0.34
) -> None:
    """A pointed leaf with a lit half and a midrib; (x, y) is its foot."""
    c, q = np.cos(turn), np.sin(turn)
    part = s.window(x + c * size / 2, y + q * size / 2, size * 0.75)

    def at(a: float, b: float) -> tuple[float, float]:
        return x + (a * c - b * q) * size, y + (a * q + b * c) * size

    upper = curve([at(0, 0), at(0.3, -width * 0.85), at(0.65, -width * 0.7), at(1, 0)], closed=False)
    rib = curve([at(1, 0), at(0.5, 0.03), at(0, 0)], closed=False)
    lower = curve([at(0, 0), at(0.3, width * 0.85), at(0.65, width * 0.7), at(1, 0)], closed=False)
    along = ((part.x - x) * c + (part.y - y) * q) / size
    across = np.abs(-(part.x - x) * q + (part.y - y) * c) / size
    veins = 0.5 + 0.5 * np.sin((along - across) * 42)
    part.fill(
        part.polygon(np.concatenate([upper, rib])),
        three_tones(0.55 + 0.3 * veins, dark, mix(dark, bright, 0.7), bright),
        turn + 0.5,
    )
    part.fill(
        part.polygon(np.concatenate([lower, rib])),
        three_tones(0.2 + 0.3 * veins, dark * 0.8, dark, bright),
        turn - 0.5,
    )
    part.fill(
        part.limb([at(0, 0), at(0.5, 0.03), at(0.98, 0)], [size * 0.035, size * 0.02, size * 0.006]),
        mix(bright, np.ones(3, np.float32), 0.4),
        turn,
    )


def owl(s: Scene, p: Array = OWL) -> None:
    """A big-eyed owl on a branch among leaves, in front of a moon.

    Palette: 0-1 sky, 2 moon, 3-6 feathers dark to light, 7 eyes, 8 darks, 9 berries, 10-11 leaves.
    """
    n, r = s.n, s.rng
    d = np.hypot(s.x - 0.56, s.y - 0.36)
    s.rgb[:] = ramp(
        0.3 + 0.9 * (0.75 - d) + 0.25 * noise(r, n, 5, 4), np.stack([p[0] * 0.55, p[0], p[0], p[1]])
    )
    s.angle[:] = s.around(0.56, 0.36) + 0.3 * noise(r, n, 4, 2)
    s.fill(
        s.ellipse(0.56, 0.36, 0.36, 0.36),
        ramp(0.6 + 0.3 * noise(r, n, 6, 4), np.stack([mix(p[1], p[2], 0.5), p[2], mix(p[2], p[6], 0.7)])),
        s.around(0.56, 0.36),
    )
    for k in range(42):
        a = r.uniform(0, 2 * np.pi)
        rad = r.uniform(0.42, 0.75)
        x, y = 0.5 + rad * np.cos(a), 0.46 + rad * np.sin(a)
        leaf(
            s,
            x,
            y,
            a + np.pi + r.normal(0, 0.7),
            r.uniform(0.10, 0.19),
            p[10] * (0.55 + 0.2 * (k % 3)),
            p[11] * (0.7 + 0.15 * (k % 3)),
        )
    s.fill(
        s.limb([(-0.05, 0.86), (0.25, 0.80), (0.6, 0.835), (1.05, 0.74)], [0.075, 0.06, 0.05, 0.03]),
        three_tones(0.5 + 0.4 * noise(r, n, 18, 3, stretch=(4, 0.7)), p[8], p[3], p[4]),
        0.02,
    )
    for x, y, t in (
        (0.2, 0.80, -1.1),
        (0.12, 0.84, 0.9),
        (0.82, 0.79, -0.9),
        (0.9, 0.80, 0.8),
        (0.72, 0.82, 1.4),
    ):
        leaf(s, x, y, t, 0.15, p[10], p[11])
    for x, y in ((0.80, 0.86), (0.84, 0.885), (0.775, 0.90), (0.10, 0.92), (0.145, 0.905)):
        light, _ = s.ball(x, y, 0.024, 0.024)
        s.fill(s.ellipse(x, y, 0.022, 0.022), three_tones(light, p[9] * 0.4, p[9], p[6]), s.around(x, y))
    tail = s.shape([(0.44, 0.74), (0.42, 0.90), (0.46, 0.985), (0.54, 0.985), (0.57, 0.90), (0.56, 0.74)])
    s.fill(tail, three_tones(0.5 + 0.5 * np.sin(s.y * 90), p[8], p[3], p[4]), np.pi / 2)
    body = s.shape(
        [
            (0.50, 0.20),
            (0.62, 0.24),
            (0.70, 0.40),
            (0.715, 0.58),
            (0.64, 0.76),
            (0.50, 0.83),
            (0.36, 0.76),
            (0.285, 0.58),
            (0.30, 0.40),
            (0.38, 0.24),
        ]
    )
    s.fill(body, p[5], np.pi / 2)
    # Breast feathers in overlapping rows, from below upwards.
    for row in range(11):
        y = 0.785 - row * 0.034
        half = 0.18 * np.sqrt(max(0.05, 1 - ((y - 0.58) / 0.26) ** 2))
        count = int(half * 2 / 0.045)
        for k in range(count + 1):
            x = 0.5 - half + (k + 0.5 * (row % 2)) * 0.045
            if abs(x - 0.5) > half:
                continue
            q = s.window(x, y, 0.06)
            tone = np.clip((q.y - y) / 0.05 + 0.5 - 0.7 * (x - 0.45), 0, 1)
            q.fill(
                q.shape(
                    [
                        (x - 0.026, y - 0.03),
                        (x + 0.026, y - 0.03),
                        (x + 0.024, y + 0.012),
                        (x, y + 0.036),
                        (x - 0.024, y + 0.012),
                    ]
                ),
                three_tones(tone, p[4], p[5], p[6]),
                np.pi / 2,
            )
            q.fill(q.limb([(x, y - 0.012), (x, y + 0.026)], [0.009, 0.003]), p[3], np.pi / 2)
    for side in (-1, 1):
        wing = s.shape(
            [
                (0.5 + side * 0.13, 0.40),
                (0.5 + side * 0.215, 0.43),
                (0.5 + side * 0.25, 0.58),
                (0.5 + side * 0.20, 0.78),
                (0.5 + side * 0.10, 0.905),
                (0.5 + side * 0.12, 0.72),
                (0.5 + side * 0.155, 0.56),
            ]
        )
        bars = np.sin((s.y - side * (s.x - 0.5) * 0.6) * 105)
        s.fill(
            wing,
            three_tones(np.clip(0.45 + 0.35 * bars - side * 0.2, 0, 1), p[8], p[3], p[4]),
            np.pi / 2 + side * 0.22,
        )
        for k in range(5):
            fx = 0.5 + side * (0.235 - 0.024 * k)
            s.fill(
                s.limb(
                    [
                        (fx, 0.52 + 0.05 * k),
                        (fx - side * 0.02, 0.68 + 0.035 * k),
                        (fx - side * 0.07, 0.79 + 0.03 * k),
                    ],
                    [0.006, 0.028, 0.006],
                ),
                p[4] if k % 2 else p[3],
                np.pi / 2 + side * 0.25,
            )
    head = s.shape(
        [
            (0.34, 0.13),
            (0.40, 0.185),
            (0.50, 0.195),
            (0.60, 0.185),
            (0.66, 0.13),
            (0.69, 0.27),
            (0.66, 0.40),
            (0.58, 0.46),
            (0.50, 0.475),
            (0.42, 0.46),
            (0.34, 0.40),
            (0.31, 0.27),
        ]
    )
    s.fill(
        head,
        three_tones(0.5 + 0.25 * noise(r, n, 30, 3) - 0.5 * (s.x - 0.5), p[3], p[4], p[5]),
        s.around(0.5, 0.1),
    )
    for side in (-1, 1):
        cx, cy = 0.5 + side * 0.087, 0.315
        around = np.arctan2(s.y - cy, s.x - cx)
        d = np.hypot(s.x - cx, s.y - cy)
        rays = 0.62 + 0.22 * np.sin(around * 34) - 1.5 * np.abs(d - 0.07)
        s.fill(s.ellipse(cx, cy, 0.098, 0.105), three_tones(np.clip(rays, 0, 1), p[4], p[5], p[6]), around)
        s.fill(s.ellipse(cx, cy, 0.058, 0.058), p[8], s.around(cx, cy))
        s.fill(
            s.ellipse(cx, cy, 0.050, 0.050),
            three_tones(np.clip(1.1 - d / 0.055, 0, 1), mix(p[7], p[9], 0.6), p[7], mix(p[7], p[6], 0.5)),
            s.around(cx, cy),
        )
        s.fill(s.ellipse(cx, cy, 0.027, 0.027), p[8])
        s.fill(s.ellipse(cx - 0.012, cy - 0.014, 0.009, 0.009), p[6])
        s.fill(
            s.limb(
                [(0.5 + side * 0.01, 0.285), (0.5 + side * 0.07, 0.225), (0.5 + side * 0.155, 0.145)],
                [0.03, 0.03, 0.006],
            ),
            p[3],
            -0.7 * side,
        )
    s.fill(
        s.shape([(0.478, 0.33), (0.522, 0.33), (0.512, 0.38), (0.5, 0.415), (0.488, 0.38)]),
        three_tones(np.clip(1.4 - (s.x - 0.47) * 18, 0, 1), p[3], p[7], p[6]),
        np.pi / 2,
    )
    for cx in (0.43, 0.56):
        for k in (-1, 0, 1):
            s.fill(
                s.limb([(cx + k * 0.022, 0.795), (cx + k * 0.026, 0.845)], [0.024, 0.010]),
                p[7] * 0.85,
                np.pi / 2,
            )


KOI = palette("#123f4f #1f6f78 #5fb0a8 #d8452a #f08a3a #f8efe0 #1b1c22 #3f7a4a #9ac25a #f4a8b8 #f7e07a")


def koi(s: Scene, p: Array = KOI) -> None:
    """Three koi circling in a pond with lily pads.

    Palette: 0-2 water, 3-5 fish, 6 dark, 7-8 pads, 9-10 flower.
    """
    n, r = s.n, s.rng
    d = np.hypot(s.x - 0.5, s.y - 0.5)
    a = np.arctan2(s.y - 0.5, s.x - 0.5)
    swirl = np.sin(d * 46 + a * 2 + 1.6 * noise(r, n, 4, 3))
    s.rgb[:] = ramp(0.45 + 0.30 * swirl + 0.2 * noise(r, n, 9, 3), p[[0, 0, 1, 2]])
    s.angle[:] = s.around(0.5, 0.5) + 0.3 * noise(r, n, 4, 2)
    for cx, cy, size, turn in (
        (0.13, 0.14, 0.125, 0.5),
        (0.31, 0.07, 0.075, 2.0),
        (0.90, 0.88, 0.14, 3.6),
        (0.73, 0.95, 0.08, 5.2),
        (0.93, 0.10, 0.09, 1.2),
        (0.06, 0.90, 0.10, 4.4),
    ):
        t = np.linspace(turn + 0.28, turn + 2 * np.pi - 0.28, 40)
        pts = np.concatenate([[[cx, cy]], np.stack([cx + size * np.cos(t), cy + size * np.sin(t)], 1)])
        phi = np.arctan2(s.y - cy, s.x - cx)
        dist = np.hypot(s.x - cx, s.y - cy) / size
        s.shade(np.exp(-((s.x - cx - 0.015) ** 2 + (s.y - cy - 0.02) ** 2) / (size * size)), p[0] * 0.6, 0.4)
        s.fill(
            s.polygon(pts),
            three_tones(np.clip(0.35 + 0.3 * np.cos(phi * 9) + 0.35 * dist, 0, 1), p[7] * 0.6, p[7], p[8]),
            phi,
        )
    for ring in range(2):
        for k in range(9):
            leaf(
                s,
                0.15,
                0.13,
                2 * np.pi * (k + 0.5 * ring) / 9,
                0.072 - 0.02 * ring,
                p[9] * (0.75 + 0.2 * ring),
                mix(p[9], p[5], 0.6),
                0.3,
            )
    s.fill(s.ellipse(0.15, 0.13, 0.014, 0.014), p[10])
    for phase, radius, size, kind in ((0.3, 0.27, 0.44, 0), (2.45, 0.28, 0.40, 1), (4.4, 0.26, 0.42, 2)):
        _fish(s, phase, radius, size, p, kind)


def _fish(s: Scene, phase: float, radius: float, size: float, p: Array, kind: int) -> None:
    r = s.rng
    t = np.linspace(0, 1, 9)
    angle = phase + t * size / radius * 1.15
    sway = radius + 0.03 * np.sin(t * 5.0 + kind)
    spine = np.stack([0.5 + sway * np.cos(angle), 0.5 + sway * np.sin(angle)], 1)
    pts = [(float(v[0]), float(v[1])) for v in spine]
    w = np.array([0.35, 0.82, 1.0, 0.98, 0.86, 0.68, 0.48, 0.30, 0.18]) * size * 0.25
    s.shade(s.limb([(x + 0.02, y + 0.03) for x, y in pts], list(w)), p[0] * 0.4, 0.55)
    tail_dir = float(np.arctan2(spine[-1, 1] - spine[-2, 1], spine[-1, 0] - spine[-2, 0]))
    for turn in (-0.45, 0.45, 0.0):
        leaf(s, pts[-1][0], pts[-1][1], tail_dir + turn, size * 0.30, mix(p[5], p[3], 0.35), p[5], 0.24)
    for i, side in ((2, -1), (2, 1), (5, -1), (5, 1)):
        direction = float(np.arctan2(spine[i + 1, 1] - spine[i, 1], spine[i + 1, 0] - spine[i, 0]))
        nx, ny = -np.sin(direction) * side, np.cos(direction) * side
        fx, fy = pts[i][0] + nx * w[i] * 0.40, pts[i][1] + ny * w[i] * 0.40
        leaf(
            s,
            fx,
            fy,
            direction + side * 0.85,
            size * (0.24 if i == 2 else 0.14),
            mix(p[5], p[4], 0.5),
            p[5],
            0.26,
        )
    body = s.limb(pts, list(w))
    fx, fy = s.x - 0.5, s.y - 0.5
    along = np.mod(np.arctan2(fy, fx) - phase + 0.6, 2 * np.pi) - 0.6
    across = (np.hypot(fx, fy) - radius) / (size * 0.125)
    scales = np.cos(along * 75) * np.cos(across * 13)
    light = np.clip(0.78 - 0.45 * across * across + 0.16 * scales, 0, 1)
    base = three_tones(light, mix(p[5], p[1], 0.55), p[5] * 0.93, p[5])
    patch = noise(r, s.n, 8, 2) + (0.15, -0.05, 0.3)[kind]
    red = three_tones(light, p[3] * 0.6, p[3], p[4])
    c = mix(base, red, step(patch, 0.0, 0.06))
    if kind == 1:
        c = mix(c, p[6], step(noise(r, s.n, 10, 2), 0.25, 0.3))
    circling = np.arctan2(fx, -fy)
    s.fill(body, c, circling)
    s.fill(s.limb(pts[2:7], [0.004, 0.024, 0.020, 0.014, 0.004]), mix(p[3], p[5], 0.3 * kind), circling)
    nose = (spine[1] - spine[0]) / np.linalg.norm(spine[1] - spine[0])
    for side in (-1, 1):
        ex, ey = spine[0] + nose * size * 0.07 + np.array([-nose[1], nose[0]]) * side * size * 0.075
        s.fill(s.ellipse(float(ex), float(ey), 0.010, 0.010), p[6])
