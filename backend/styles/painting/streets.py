"""A street in the rain."""

from __future__ import annotations

import numpy as np

from .fields import (
    Array,
    mix,
    noise,
    palette,
    ramp,
    step,
    warp,
)
from .scene import Scene, three_tones

STREET = palette(
    "#2a3550 #5f6f8f #c9a98a #f2d9a8 #3a3448 #6a4f55 #a8654a #d9a25a #ffe6a3 #24202c #8fa8b8 #c8423a"
)


def street(s: Scene, p: Array = STREET) -> None:
    """A wet street at dusk: tall houses in perspective, lit windows, lamps, walkers with umbrellas.

    Palette: 0-3 sky dark to light, 4-7 houses, 8 light, 9 darks, 10 wet highlights, 11 red.
    """
    n, r = s.n, s.rng
    vx, vy = 0.52, 0.56
    s.rgb[:] = ramp(np.clip(s.y / 0.6 + 0.18 * noise(r, n, 4, 4, stretch=(2, 1)), 0, 1), p[[0, 1, 2, 3]])
    s.angle[:] = 0.3 + 0.5 * noise(r, n, 3, 2)
    s.fill(
        s.polygon(
            [(0.44, 0.58), (0.44, 0.42), (0.47, 0.42), (0.49, 0.30), (0.51, 0.42), (0.60, 0.44), (0.60, 0.58)]
        ),
        mix(p[1], p[2], 0.4),
        np.pi / 2,
    )

    def at(z: float, x: float, y: float) -> tuple[float, float]:
        return vx + (x - vx) / z, vy + (y - vy) / z

    for side in (-1, 1):
        edge = vx + side * 0.62
        for k in range(5, -1, -1):
            z0, z1 = 1.0 + 0.75 * k, 1.0 + 0.75 * (k + 1)
            top = -0.55 + 0.30 * float(r.random()) + 0.25 * (k % 2)
            c = p[4 + (k + (side > 0)) % 3]
            quad = [at(z0, edge, 0.98), at(z0, edge, top), at(z1, edge, top), at(z1, edge, 0.98)]
            haze = min(0.75, 0.13 * k)
            wall = ramp(
                0.5 + 0.3 * noise(r, n, 12, 3) + 0.4 * (s.y - 0.3), np.stack([c * 0.7, c, mix(c, p[7], 0.5)])
            )
            s.fill(s.polygon(quad), mix(wall, p[2], haze), np.pi / 2)
            s.fill(
                s.polygon(
                    [
                        at(z0, edge, top),
                        at(z0, edge - side * 0.02, top - 0.10),
                        at(z1, edge - side * 0.02, top - 0.10),
                        at(z1, edge, top),
                    ]
                ),
                mix(p[9], p[2], haze),
                0.6 * side,
            )
            for row in range(6):
                for col in range(3):
                    zc = z0 + (z1 - z0) * (col + 0.5) / 3
                    y0 = top + 0.12 + 0.225 * row
                    if y0 > 0.72:
                        continue
                    lit = r.random() < 0.5
                    w = 0.085
                    pane = [
                        at(zc - w, edge, y0),
                        at(zc + w, edge, y0),
                        at(zc + w, edge, y0 + 0.13),
                        at(zc - w, edge, y0 + 0.13),
                    ]
                    s.fill(s.polygon(pane), mix(p[8] if lit else p[0], p[2], haze * 0.6), np.pi / 2)
            s.fill(
                s.polygon(
                    [
                        at(z0 + 0.06, edge, 0.98),
                        at(z0 + 0.06, edge, 0.78),
                        at(z1 - 0.06, edge, 0.78),
                        at(z1 - 0.06, edge, 0.98),
                    ]
                ),
                mix(p[7] if k % 2 else p[8], p[2], haze),
                0.0,
            )
            s.fill(
                s.polygon(
                    [
                        at(z0 + 0.04, edge, 0.80),
                        at(z0 + 0.04, edge - side * 0.07, 0.85),
                        at(z1 - 0.04, edge - side * 0.07, 0.85),
                        at(z1 - 0.04, edge, 0.80),
                    ]
                ),
                mix(p[11] if k % 2 else p[6], p[2], haze),
                0.2,
            )
    # Wet ground: mirror of what stands above the vanishing line.
    row = int(0.655 * n)
    mirror = np.roll(s.rgb[::-1], 2 * row - n, axis=0)
    ripple = noise(r, n, 24, 3, stretch=(4, 0.6))
    mirror = warp(mirror, 0.015 * n * ripple, 0.05 * n * ripple)
    ground = s.polygon(
        [
            (-0.1, 1.1),
            (-0.1, 0.985),
            at(5.5, vx - 0.62, 0.98),
            at(5.5, vx + 0.62, 0.98),
            (1.14, 0.985),
            (1.1, 1.1),
        ]
    )
    wet = mix(mix(mirror, p[9], 0.30), p[10], 0.45 * step(ripple, 0.2, 0.55))
    s.fill(ground, wet, 0.1 * noise(r, n, 5, 2))
    s.fill(
        s.polygon([at(5.5, vx - 0.62, 0.985), at(5.5, vx + 0.62, 0.985), (1.2, 1.1), (-0.2, 1.1)]),
        wet,
        0.1 * noise(r, n, 5, 2),
    )
    for z, x in ((3.2, 0.22), (2.2, 0.22), (1.35, 0.22), (2.7, 0.85), (1.7, 0.85)):
        base, head = at(z, x, 0.99), at(z, x, 0.42)
        s.fill(s.limb([base, head], [0.012 / z, 0.007 / z]), p[9], np.pi / 2)
        d = np.hypot(s.x - head[0], s.y - head[1])
        s.shade(np.exp(-((d / (0.07 / z + 0.02)) ** 2)), p[8], 0.75)
        s.turn(np.exp(-((d / 0.05) ** 2)), s.around(*head))
        s.fill(s.ellipse(head[0], head[1], 0.020 / z, 0.026 / z), (1, 0.98, 0.85))
        streak = (
            np.exp(-(((s.x - base[0] + 0.008 * ripple) / (0.02 / z + 0.006)) ** 2))
            * step(s.y, base[1], base[1] + 0.02)
            * step(base[1] + 0.30 - s.y, 0, 0.25)
        )
        s.shade(streak, p[8], 0.75)
    for z, x, c in ((4.0, 0.60, 11), (3.0, 0.35, 0), (2.4, 0.62, 9), (1.5, 0.40, 11), (1.25, 0.70, 0)):
        foot = at(z, x, 0.99)
        h = 0.30 / z
        fx, fy = foot
        for side in (-1, 1):
            s.fill(
                s.limb(
                    [
                        (fx + side * h * 0.05, fy - h * 0.35),
                        (fx + side * h * 0.07, fy - h * 0.12),
                        (fx + side * h * 0.09, fy),
                    ],
                    [h * 0.10, h * 0.07, h * 0.09],
                ),
                p[9],
                np.pi / 2,
            )
        s.fill(
            s.shape(
                [
                    (fx - h * 0.10, fy - h * 0.86),
                    (fx + h * 0.10, fy - h * 0.86),
                    (fx + h * 0.17, fy - h * 0.70),
                    (fx + h * 0.14, fy - h * 0.52),
                    (fx + h * 0.22, fy - h * 0.24),
                    (fx - h * 0.22, fy - h * 0.24),
                    (fx - h * 0.14, fy - h * 0.52),
                    (fx - h * 0.17, fy - h * 0.70),
                ]
            ),
            three_tones(np.clip(0.6 - (s.x - fx) / h * 1.5, 0, 1), p[9], mix(p[9], p[0], 0.6), p[1]),
            np.pi / 2,
        )
        s.fill(s.ellipse(fx, fy - h * 0.93, h * 0.075, h * 0.085), mix(p[9], p[7], 0.5))
        dome = s.shape(
            [
                (fx - h * 0.52, fy - h * 0.92),
                (fx - h * 0.34, fy - h * 1.22),
                (fx, fy - h * 1.36),
                (fx + h * 0.34, fy - h * 1.22),
                (fx + h * 0.52, fy - h * 0.92),
                (fx + h * 0.2, fy - h * 1.0),
                (fx - h * 0.2, fy - h * 1.0),
            ]
        )
        s.fill(
            dome,
            three_tones(np.clip(0.7 - (s.x - fx) / h, 0, 1), p[c] * 0.4, p[c], mix(p[c], p[3], 0.4)),
            s.around(fx, fy - h),
        )
        s.shade(
            np.exp(-(((s.x - fx) / (h * 0.16)) ** 2))
            * step(s.y, fy, fy + 0.01)
            * step(fy + h * 0.9 - s.y, 0, h * 0.6),
            p[9],
            0.6,
        )
