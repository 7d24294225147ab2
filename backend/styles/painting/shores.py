"""Towns and water: a harbour with boats, a great wave, a street in the rain."""

from __future__ import annotations

import numpy as np

from .fields import Array, mix, noise, palette, ramp, step, warp
from .scene import Scene, curve, three_tones

HARBOUR = palette(
    "#5fa3d3 #f6dfb2 #f2b56b #d9694a #e9c46a #8fb8c9 #c98f6b #f3ead7 #2f4f6f #2f6f8f #7fc0c0 "
    "#b53a35 #f5f1e6 #3f6b4a #3a2a2a"
)


def boat(s: Scene, x: float, y: float, size: float, hull: Array, sail: Array, dark: Array) -> None:
    """A small sailing boat; (x, y) is the middle of its waterline."""
    s = s.window(x, y - size * 0.55, size * 1.1)
    w = size * 0.45
    s.fill(s.limb([(x, y), (x - 0.01 * size, y - size)], [size * 0.025, size * 0.012]), dark, np.pi / 2)
    left = s.polygon(
        curve(
            [
                (x - 0.03 * size, y - size * 0.95),
                (x - w * 0.72, y - size * 0.5),
                (x - w * 0.85, y - size * 0.16),
                (x - 0.03 * size, y - size * 0.14),
            ]
        )
    )
    s.fill(left, three_tones(np.clip(0.9 - (x - s.x) / w * 0.5, 0, 1), sail * 0.6, sail * 0.88, sail), 1.2)
    right = s.polygon(
        [
            (x + 0.02 * size, y - size * 0.85),
            (x + w * 0.8, y - size * 0.18),
            (x + 0.02 * size, y - size * 0.16),
        ]
    )
    s.fill(right, three_tones(np.clip(0.75 - (s.x - x) / w * 0.5, 0, 1), sail * 0.55, sail * 0.8, sail), 1.1)
    s.fill(
        s.shape(
            [
                (x - w, y - size * 0.10),
                (x, y - size * 0.075),
                (x + w * 1.05, y - size * 0.12),
                (x + w * 0.72, y + size * 0.03),
                (x - w * 0.7, y + size * 0.03),
            ]
        ),
        three_tones(np.clip((y - s.y) / size * 8, 0, 1), hull * 0.5, hull, hull),
        0.0,
    )
    s.fill(
        s.limb(
            [(x - w * 0.95, y - size * 0.10), (x, y - size * 0.078), (x + w, y - size * 0.115)],
            [size * 0.02] * 3,
        ),
        sail,
        0.0,
    )


def harbour(s: Scene, p: Array = HARBOUR) -> None:
    """Gabled houses along a quay, sailing boats and their broken reflections.

    Palette: 0-1 sky, 2-7 houses, 8 shadow, 9-10 water, 11 roofs, 12 sails, 13 hills, 14 darks.
    """
    n, r = s.n, s.rng
    s.rgb[:] = ramp(s.y / 0.42, p[[0, 0, 1]])
    s.angle[:] = 0.2 + 0.35 * noise(r, n, 3, 2)
    clouds = noise(r, n, 3, 5, 0.5, (2, 1))
    s.shade(step(clouds, 0.0, 0.5), p[12], 0.85)
    s.fill(
        s.below(s.ridge(0.30, 0.05, 3)),
        ramp(0.5 + 0.5 * noise(r, n, 16, 3), np.stack([p[13] * 0.8, p[13], mix(p[13], p[1], 0.4)])),
        0.3 + 0.5 * noise(r, n, 4, 2),
    )
    x = -0.03
    i = 0
    while x < 1.0:
        w = r.uniform(0.085, 0.135)
        top = r.uniform(0.16, 0.30)
        c = p[2 + (i * 5 + int(r.integers(0, 2))) % 6]
        s.fill(
            s.polygon([(x, 0.58), (x, top), (x + w, top), (x + w, 0.58)]),
            three_tones(
                np.clip(0.75 - (s.x - x) / w * 0.35 + 0.2 * noise(r, n, 30, 2), 0, 1), mix(c, p[8], 0.5), c, c
            ),
            np.pi / 2,
        )
        peak = top - r.uniform(0.05, 0.085)
        roof = p[11] if i % 3 else p[8]
        if i % 2:
            pts = [(x - 0.005, top + 0.004), (x + w / 2, peak), (x + w + 0.005, top + 0.004)]
        else:
            pts = [
                (x - 0.005, top + 0.004),
                (x + 0.02, peak),
                (x + w - 0.02, peak),
                (x + w + 0.005, top + 0.004),
            ]
        s.fill(s.polygon(pts), roof * r.uniform(0.8, 1.1), 0.9)
        cols = 2 if w < 0.105 else 3
        for row in range(int((0.50 - top) / 0.065)):
            for k in range(cols):
                wx, wy = x + w * (k + 0.5) / cols, top + 0.035 + 0.065 * row
                q = s.window(wx, wy, 0.04)
                q.fill(
                    q.polygon(
                        [
                            (wx - 0.013, wy - 0.020),
                            (wx + 0.013, wy - 0.020),
                            (wx + 0.013, wy + 0.020),
                            (wx - 0.013, wy + 0.020),
                        ]
                    ),
                    p[12],
                )
                q.fill(
                    q.polygon(
                        [
                            (wx - 0.009, wy - 0.016),
                            (wx + 0.009, wy - 0.016),
                            (wx + 0.009, wy + 0.016),
                            (wx - 0.009, wy + 0.016),
                        ]
                    ),
                    p[8] if (i + k + row) % 4 else p[4],
                )
        dx = x + w * r.uniform(0.3, 0.6)
        s.fill(
            s.polygon([(dx, 0.58), (dx, 0.52), (dx + 0.026, 0.52), (dx + 0.026, 0.58)]),
            p[14] if i % 2 else p[11],
            np.pi / 2,
        )
        x += w + 0.002
        i += 1
    for k in range(6):
        ax = 0.05 + 0.17 * k
        c = p[(11, 4, 12, 9, 11, 4)[k]]
        s.fill(s.polygon([(ax, 0.535), (ax + 0.085, 0.535), (ax + 0.10, 0.556), (ax - 0.015, 0.556)]), c, 0.0)
    s.fill(step(s.y, 0.58, 0.582) * step(0.60 - s.y, 0, 0.002), mix(p[7], p[8], 0.25), 0.0)
    s.fill(step(s.y, 0.60, 0.602) * step(0.625 - s.y, 0, 0.002), p[8], np.pi / 2)
    row = int(0.622 * n)
    mirror = np.roll(s.rgb[::-1], 2 * row - n, axis=0)
    ripple = noise(r, n, 26, 3, stretch=(4, 0.5))
    depth = np.clip((s.y - 0.6) * 3, 0.1, 1)
    mirror = warp(mirror, depth * 0.03 * n * ripple, depth * 0.04 * n * ripple)
    near = step(s.y, 0.66, 1.0)
    water = mix(mix(mirror, p[9], 0.35 + 0.35 * near), p[10], 0.55 * step(ripple, 0.15, 0.5))
    water = mix(water, p[9] * 0.7, 0.5 * step(-ripple, 0.25, 0.6))
    s.fill(step(s.y, 0.622, 0.624), water, 0.12 * noise(r, n, 6, 2))
    for bx, by, size, hull, sail in (
        (0.20, 0.70, 0.24, 11, 12),
        (0.47, 0.67, 0.16, 8, 4),
        (0.90, 0.68, 0.19, 13, 12),
        (0.69, 0.83, 0.40, 8, 3),
        (0.33, 0.93, 0.34, 11, 4),
    ):
        boat(s, bx, by, size, p[hull], p[sail], p[14])
        w = size * 0.4
        streak = (
            np.exp(-(((s.x - bx) / w) ** 2) * (1 + 0 * s.y))
            * step(s.y, by, by + 0.02)
            * step(by + size * 0.55 - s.y, 0, 0.15 * size + 0.01)
        )
        broken = step(np.sin((s.y - by) * 260 / (1 + 4 * (s.y - by)) + 3 * ripple), -0.1, 0.4)
        s.shade(streak * broken, mix(p[sail], p[9], 0.2), 0.7)
        s.shade(streak * (1 - broken) * np.exp(-(((s.y - by) / 0.03) ** 2)), p[hull] * 0.6, 0.8)


WAVE = palette("#efe3c4 #e9c9a0 #d98a6a #1f3a63 #2f5f93 #6f9fc0 #a9c9d0 #f7f2e2 #16243f #c4473a #8a6f4f")


def _claws(points: Array, r: np.random.Generator, size: float, out: float) -> list[tuple[float, float]]:
    """A foam edge: small curled lobes along a polyline."""
    t = np.gradient(points, axis=0)
    t /= np.linalg.norm(t, axis=1, keepdims=True) + 1e-6
    nrm = np.stack([t[:, 1], -t[:, 0]], 1) * out
    res: list[tuple[float, float]] = []
    for i in range(len(points)):
        k = (0.2, 1.0, 1.25, 0.45)[i % 4] * size * r.uniform(0.7, 1.2)
        q = points[i] + nrm[i] * k + t[i] * k * 0.5
        res.append((float(q[0]), float(q[1])))
    return res


def great_wave(s: Scene, p: Array = WAVE) -> None:
    """A curling breaker, rollers, a sailing junk, a red sun and a far cone of a mountain.

    Palette: 0-2 sky, 3-6 water dark to light, 7 foam, 8 line, 9 sun, 10 wood.
    """
    n, r = s.n, s.rng
    s.rgb[:] = ramp(s.y / 0.62, p[[4, 6, 0, 0, 1, 2]])
    s.angle[:] = 0.04 * noise(r, n, 3, 2)
    for i in range(4):
        cy = 0.10 + 0.075 * i
        x0 = (0.36, 0.62, 0.45, 0.70)[i]
        s.fill(
            s.limb([(x0, cy), (x0 + 0.16, cy - 0.012), (x0 + 0.34, cy + 0.008)], [0.006, 0.034, 0.006]),
            p[7],
            0.0,
        )
        s.fill(s.limb([(x0 + 0.12, cy + 0.022), (x0 + 0.30, cy + 0.030)], [0.004, 0.02]), p[7], 0.0)
    s.fill(s.ellipse(0.72, 0.30, 0.105, 0.105), p[9], s.around(0.72, 0.30))
    cone = np.minimum(0.62, 0.40 + 0.02 + 0.62 * np.abs(s.x[0] - 0.56) ** 0.9)
    cone = np.maximum(cone, 0.425)
    snow = step(0.50 + 0.022 * np.sin(s.x * 130) * 1.0 - s.y, 0, 0.004)
    s.fill(
        s.below(cone) * step(np.abs(s.x - 0.56), 0.5, 0.2),
        mix(np.broadcast_to(mix(p[4], p[5], 0.4), s.rgb.shape), p[7], snow),
        np.where(s.x > 0.56, 0.7, -0.7),
    )

    def body(line: Array, tone: float, freq: float) -> None:
        depth = s.y - line[None, :]
        band = np.sin(np.sqrt(np.clip(depth, 0, 1)) * freq + 2.0 * noise(r, n, 3, 2))
        t = tone + 0.38 * band
        slope = np.arctan(np.gradient(line) * n)
        s.fill(s.below(line), ramp(np.round(t * 4) / 4, p[[3, 4, 5, 6]]), slope[None, :] + 0 * s.x)
        foam = np.clip(depth, 0, 1) < 0.014 + 0.010 * np.sin(s.x * 150)
        s.fill((foam & (depth > 0)).astype(np.float32), p[7], slope[None, :] + 0 * s.x)

    body((0.62 + 0.035 * np.sin(s.x[0] * 11 + 0.6)).astype(np.float32), 0.55, 46)
    # A junk with a striped sail.
    s.fill(s.shape([(0.70, 0.63), (0.80, 0.655), (0.93, 0.62), (0.90, 0.685), (0.73, 0.69)]), p[10], 0.0)
    s.fill(s.limb([(0.80, 0.65), (0.805, 0.43)], [0.008, 0.005]), p[8], np.pi / 2)
    sail = s.polygon([(0.81, 0.43), (0.91, 0.46), (0.90, 0.62), (0.805, 0.63)])
    s.fill(sail, mix(np.broadcast_to(p[7], s.rgb.shape), p[2], step(np.sin(s.y * 140), 0.6, 0.8)), 0.1)
    body((0.715 + 0.05 * np.sin(s.x[0] * 7.5 + 2.6)).astype(np.float32), 0.45, 44)
    # The breaker.
    outer = curve(
        [(-0.06, 0.52), (0.03, 0.30), (0.17, 0.16), (0.33, 0.135), (0.46, 0.22), (0.50, 0.33), (0.47, 0.40)],
        closed=False,
        per=9,
    )
    inner = curve(
        [
            (0.43, 0.36),
            (0.38, 0.305),
            (0.29, 0.32),
            (0.235, 0.42),
            (0.25, 0.56),
            (0.36, 0.70),
            (0.56, 0.80),
            (0.8, 0.86),
            (1.06, 0.80),
            (1.06, 1.06),
            (-0.06, 1.06),
        ],
        closed=False,
        per=9,
    )
    mask = s.polygon(np.concatenate([outer, inner]))
    d = np.hypot((s.x - 0.40) * 1.0, (s.y - 0.47) * 0.92)
    stripes = np.sin(d * 62 + 1.5 * np.sin(np.arctan2(s.y - 0.47, s.x - 0.40) * 2))
    t = np.round((0.34 + 0.42 * stripes) * 4) / 4
    s.fill(mask, ramp(t, p[[3, 4, 5, 6]]), s.around(0.40, 0.47, 1.05))
    rim = curve(
        [(-0.06, 0.545), (0.05, 0.33), (0.18, 0.215), (0.30, 0.195), (0.385, 0.25), (0.40, 0.33)],
        closed=False,
        per=9,
    )
    crest = _claws(outer, r, 0.020, 1.0)
    tips = _claws(
        np.concatenate([curve([(0.47, 0.40), (0.43, 0.36), (0.40, 0.33)], closed=False, per=6)]),
        r,
        0.030,
        1.0,
    )
    s.fill(
        s.polygon(curve([*crest, *tips, *[(float(v[0]), float(v[1])) for v in rim[::-1][::3]]], per=4)),
        p[7],
        s.around(0.40, 0.47),
    )
    for k in range(24):
        a = -2.4 + 0.095 * k
        rad = 0.235 + 0.02 * (k % 3)
        cx, cy = 0.31 + rad * np.cos(a) * 0.95, 0.37 + rad * np.sin(a)
        finger = s.limb(
            [
                (cx, cy),
                (cx - 0.035 * np.cos(a + 0.4), cy - 0.04 * np.sin(a + 0.4)),
                (cx - 0.055 * np.cos(a + 0.9), cy - 0.07 * np.sin(a + 0.9)),
            ],
            [0.022, 0.012, 0.003],
        )
        s.fill(finger * mask, p[7], a)
    for _ in range(90):
        a = r.uniform(-2.2, 0.6)
        rad = 0.255 + abs(r.normal(0, 0.07))
        cx, cy, size = 0.33 + rad * np.cos(a), 0.36 + rad * np.sin(a), r.uniform(0.002, 0.007)
        q = s.window(cx, cy, 0.02)
        q.fill(q.ellipse(cx, cy, size, size), p[7], label=700)
    body(
        (0.90 - 0.04 * np.sin(s.x[0] * 9 + 0.3) - 0.08 * np.exp(-(((s.x[0] - 0.98) / 0.16) ** 2))).astype(
            np.float32
        ),
        0.35,
        40,
    )
