"""Faces modelled as a relief and lit, with hair and clothes."""

from __future__ import annotations

import numpy as np

from .fields import Array, blur, grain, line_integral, mix, noise, palette, ramp, step
from .scene import Scene, three_tones

PERSON = palette(
    "#3f5b63 #7b9a92 #f3cfae #d9986e #8a4f3a #c95c4e #2b1d1a #6a3d26 #b5763a #2f4f7f #8fb0cf "
    "#fbf3e4 #1d1512 #d9a53f #a83f35"
)


def relief(s: Scene, cx: float, cy: float, size: float) -> Array:
    """Height of a face seen nearly from the front, in unit lengths; ``size`` is half its width."""
    u, v = (s.x - cx) / size, (s.y - cy) / size
    lower = np.where(v > 0, 1 + 0.26 * v * v, 1.0)
    r2 = (u * lower) ** 2 + (v / np.where(v > 0, 1.42, 1.30)) ** 2
    h = np.sqrt(np.clip(1.02 - r2, 0, 1)) * 0.95

    def bump(x: float, y: float, rx: float, ry: float, amount: float) -> Array:
        return amount * np.exp(-(((u - x) / rx) ** 2 + ((v - y) / ry) ** 2))

    for side in (-1, 1):
        h += bump(0.40 * side, -0.06, 0.23, 0.13, -0.17)
        h += bump(0.40 * side, -0.02, 0.15, 0.09, 0.10)
        h += bump(0.38 * side, -0.27, 0.30, 0.07, 0.075)
        h += bump(0.52 * side, 0.32, 0.24, 0.22, 0.07)
        h += bump(0.17 * side, 0.46, 0.07, 0.06, 0.055)
    h += bump(0.0, 0.14, 0.10, 0.30, 0.15) + bump(0.0, 0.40, 0.125, 0.10, 0.19)
    h += (
        bump(0, 0.73, 0.26, 0.060, 0.085)
        + bump(0, 0.86, 0.20, 0.06, 0.085)
        + bump(0, 0.795, 0.24, 0.022, -0.05)
    )
    h += bump(0, 1.16, 0.22, 0.14, 0.09) + bump(0, 0.99, 0.22, 0.06, -0.05)
    return (h * size).astype(np.float32)


def portrait(
    s: Scene, p: Array = PERSON, light: tuple[float, float, float] = (-0.62, -0.42, 0.66), hat: bool = False
) -> None:
    """Head and shoulders of a woman with loose hair, a collar and a leafy wall behind her.

    Palette: 0-1 wall, 2-4 skin light to dark, 5 lips, 6-8 hair dark to light, 9-10 dress, 11 whites,
    12 darks, 13-14 accents (hat, ribbon, flowers).
    """
    n, r = s.n, s.rng
    cx, cy, size = 0.49, 0.42, 0.185
    wall = 0.5 + 0.4 * noise(r, n, 4, 4) + 0.5 * (s.x - 0.5) - 0.3 * (s.y - 0.5)
    s.rgb[:] = ramp(wall, np.stack([p[0] * 0.6, p[0], p[1], np.minimum(p[1] * 1.15, 1)]))
    s.angle[:] = 0.8 + 1.0 * noise(r, n, 3, 2)
    for i in range(26):
        lx, ly, a = r.uniform(0, 1), r.uniform(0, 0.95), r.uniform(0, np.pi)
        q = s.window(lx, ly, 0.08)
        c, d = 0.055 * np.cos(a), 0.055 * np.sin(a)
        q.fill(
            q.shape(
                [
                    (lx - c, ly - d),
                    (lx - d * 0.35, ly + c * 0.35),
                    (lx + c, ly + d),
                    (lx + d * 0.35, ly - c * 0.35),
                ]
            ),
            mix(p[0] * (0.6 + 0.25 * (i % 3)), p[1], 0.3 * (i % 3)) if i % 7 else p[13],
            a,
        )
    # Hair behind.
    strands = grain(r, n, n / 260)

    def hair(mask: Array, turn: Array, shift: float = 0.0) -> None:
        lock = line_integral(turn, strands, n / 14)
        t = 0.45 + 0.30 * lock / (float(lock.std()) + 1e-6) - 0.6 * (s.x - cx) + shift
        s.fill(mask, ramp(t, p[[6, 6, 7, 8]]), turn)

    back = s.shape(
        [
            (cx, 0.115),
            (0.61, 0.13),
            (0.70, 0.24),
            (0.725, 0.40),
            (0.76, 0.55),
            (0.73, 0.70),
            (0.78, 0.80),
            (0.64, 0.80),
            (0.36, 0.80),
            (0.20, 0.79),
            (0.26, 0.68),
            (0.225, 0.54),
            (0.27, 0.40),
            (0.28, 0.24),
            (0.37, 0.13),
        ]
    )
    hair(back, (np.pi / 2 + 0.8 * (s.x - cx) + 0.55 * np.sin(s.y * 15 + 3 * s.x)).astype(np.float32), -0.05)
    # Neck and shoulders.
    neck = s.shape(
        [
            (0.415, 0.58),
            (0.565, 0.58),
            (0.575, 0.70),
            (0.68, 0.775),
            (0.60, 0.90),
            (0.49, 0.97),
            (0.38, 0.90),
            (0.30, 0.775),
            (0.405, 0.70),
        ]
    )
    tone = np.clip(
        0.72 - 1.5 * (s.x - 0.42) - 1.4 * np.exp(-(((s.y - 0.655) / 0.045) ** 2)) * step(s.x, 0.38, 0.52),
        0,
        1,
    )
    s.fill(neck, three_tones(tone, p[4], p[3], p[2]), np.pi / 2 - 0.9 * (s.x - cx))
    dress = s.shape(
        [
            (0.02, 1.08),
            (0.06, 0.87),
            (0.19, 0.795),
            (0.33, 0.765),
            (0.40, 0.86),
            (0.49, 0.93),
            (0.58, 0.86),
            (0.66, 0.765),
            (0.81, 0.80),
            (0.94, 0.87),
            (0.98, 1.08),
        ]
    )
    fold = np.sin((s.x - 0.49) * 34 * (1.3 - 0.6 * s.y) + 2.2 * noise(r, n, 4, 2))
    s.fill(
        dress,
        three_tones(np.clip(0.52 + 0.34 * fold - 0.7 * (s.x - 0.45), 0, 1), p[9] * 0.5, p[9], p[10]),
        np.pi / 2 - 1.6 * (s.x - 0.49),
    )
    for side in (-1, 1):
        s.fill(
            s.shape(
                [
                    (0.49, 0.955),
                    (0.49 + side * 0.07, 0.87),
                    (0.49 + side * 0.165, 0.765),
                    (0.49 + side * 0.215, 0.80),
                    (0.49 + side * 0.145, 0.90),
                    (0.49 + side * 0.05, 0.985),
                ]
            ),
            three_tones(
                np.clip(0.8 - 1.1 * (s.x - 0.35) + 0.2 * fold, 0, 1), p[10] * 0.7, p[11] * 0.9, p[11]
            ),
            0.9 * -side + np.pi,
        )
    s.fill(s.ellipse(0.49, 0.955, 0.024, 0.024), p[14], s.around(0.49, 0.955))
    # Face: relief lit from the side.
    h = blur(relief(s, cx, cy, size), n / 340) * n
    gy, gx = np.gradient(h)
    nz = 1 / np.sqrt(1 + gx * gx + gy * gy)
    shade = np.clip((-gx * light[0] - gy * light[1] + light[2]) * nz, 0, 1)
    u, v = (s.x - cx) / size, (s.y - cy) / size
    face = s.shape(
        [
            (cx + size * a, cy + size * b)
            for a, b in (
                (0, -1.30),
                (0.55, -1.16),
                (0.90, -0.70),
                (0.985, -0.1),
                (0.92, 0.45),
                (0.72, 0.93),
                (0.36, 1.30),
                (0, 1.42),
                (-0.36, 1.30),
                (-0.72, 0.93),
                (-0.92, 0.45),
                (-0.985, -0.1),
                (-0.90, -0.70),
                (-0.55, -1.16),
            )
        ]
    )
    skin = three_tones(np.clip(0.10 + 0.95 * shade, 0, 1), p[4] * 0.8, p[3], p[2])
    blush = sum(np.exp(-(((u - 0.5 * q) / 0.22) ** 2 + ((v - 0.42) / 0.18) ** 2)) for q in (-1, 1))
    skin = mix(skin, p[5], 0.30 * np.asarray(blush, np.float32) * np.clip(shade + 0.2, 0, 1))
    flow = np.arctan2(-gx, gy + 1e-6)
    s.fill(face, skin, blur(flow, 0))
    # Features.
    for side in (-1, 1):
        ex, ey = cx + size * 0.40 * side, cy - size * 0.035
        w, k = size * 0.205, size * 0.085
        eye = s.shape(
            [
                (ex - w, ey + 0.2 * k),
                (ex - 0.35 * w, ey - k),
                (ex + 0.4 * w, ey - k),
                (ex + w, ey + 0.1 * k),
                (ex + 0.35 * w, ey + 0.8 * k),
                (ex - 0.35 * w, ey + 0.8 * k),
            ]
        )
        s.fill(eye, mix(p[11], p[3], 0.25) * (0.95 if side < 0 else 0.78), 0.0)
        iris = s.ellipse(ex + 0.01 * size, ey - 0.1 * k, 0.092 * size, 0.092 * size)
        s.fill(np.minimum(eye, iris), mix(p[9], p[12], 0.25), s.around(ex, ey))
        s.fill(np.minimum(eye, s.ellipse(ex + 0.01 * size, ey - 0.1 * k, 0.045 * size, 0.045 * size)), p[12])
        s.fill(s.ellipse(ex - 0.02 * size, ey - 0.4 * k, 0.02 * size, 0.02 * size), p[11])
        s.fill(
            s.limb(
                [
                    (ex - 1.05 * w, ey + 0.2 * k),
                    (ex - 0.4 * w, ey - 1.05 * k),
                    (ex + 0.4 * w, ey - 1.1 * k),
                    (ex + 1.1 * w, ey - 0.1 * k),
                ],
                [0.004, 0.008, 0.008, 0.004],
            ),
            p[12],
            0.0,
        )
        s.shade(
            s.limb(
                [(ex - 0.9 * w, ey - 1.3 * k), (ex, ey - 2.15 * k), (ex + 0.9 * w, ey - 1.4 * k)],
                [0.003, 0.006, 0.003],
            ),
            p[4] * 0.7,
            0.7,
        )
        inner, outer = (ex - side * 1.15 * w, ex + side * 1.2 * w)
        s.fill(
            s.limb([(inner, ey - 2.5 * k), (ex, ey - 3.5 * k), (outer, ey - 2.5 * k)], [0.010, 0.016, 0.004]),
            mix(p[6], p[7], 0.35),
            0.25 * side,
        )
        s.shade(
            s.ellipse(cx + side * 0.115 * size, cy + 0.475 * size, 0.055 * size, 0.030 * size),
            p[4] * 0.45,
            0.85,
        )
    my = cy + 0.79 * size
    upper = s.shape(
        [
            (cx - 0.33 * size, my),
            (cx - 0.12 * size, my - 0.105 * size),
            (cx, my - 0.075 * size),
            (cx + 0.12 * size, my - 0.105 * size),
            (cx + 0.33 * size, my),
            (cx, my + 0.03 * size),
        ]
    )
    lower = s.shape(
        [
            (cx - 0.31 * size, my + 0.005),
            (cx, my + 0.03 * size),
            (cx + 0.31 * size, my + 0.005),
            (cx + 0.16 * size, my + 0.135 * size),
            (cx, my + 0.155 * size),
            (cx - 0.16 * size, my + 0.135 * size),
        ]
    )
    s.fill(upper, three_tones(shade, p[5] * 0.4, p[5] * 0.75, p[5]), 0.1)
    s.fill(lower, three_tones(shade, p[5] * 0.5, p[5], mix(p[5], p[11], 0.45)), -0.1)
    s.fill(
        s.limb(
            [(cx - 0.34 * size, my - 0.001), (cx, my + 0.022 * size), (cx + 0.34 * size, my - 0.001)],
            [0.003, 0.006, 0.003],
        ),
        p[5] * 0.35,
        0.0,
    )
    # Hair in front: a parting with two sweeps.
    left = s.shape(
        [
            (0.545, 0.15),
            (0.525, 0.225),
            (0.42, 0.262),
            (0.355, 0.315),
            (0.325, 0.40),
            (0.330, 0.50),
            (0.29, 0.60),
            (0.235, 0.52),
            (0.265, 0.36),
            (0.30, 0.20),
            (0.40, 0.115),
        ]
    )
    right = s.shape(
        [
            (0.53, 0.15),
            (0.535, 0.225),
            (0.60, 0.265),
            (0.645, 0.315),
            (0.668, 0.40),
            (0.662, 0.50),
            (0.70, 0.62),
            (0.745, 0.50),
            (0.715, 0.34),
            (0.67, 0.20),
            (0.59, 0.115),
        ]
    )
    hair(
        left,
        (np.pi / 2 + 0.9 * np.clip((0.40 - s.y) * 3, -0.3, 1) + 0.25 * np.sin(s.y * 22)).astype(np.float32),
        0.18,
    )
    hair(
        right,
        (np.pi / 2 - 0.9 * np.clip((0.40 - s.y) * 3, -0.3, 1) - 0.25 * np.sin(s.y * 22)).astype(np.float32),
        -0.06,
    )
    if hat:
        crown = s.shape(
            [(0.35, 0.215), (0.37, 0.07), (0.44, 0.02), (0.56, 0.02), (0.62, 0.07), (0.64, 0.215)]
        )
        weave = 0.6 - 1.1 * (s.x - 0.42) + 0.16 * np.sin((s.y + 0.5 * (s.x - 0.49) ** 2) * 230)
        s.fill(
            crown,
            three_tones(np.clip(weave, 0, 1), p[13] * 0.5, p[13], mix(p[13], p[11], 0.6)),
            1.0 * (s.x - 0.49),
        )
        s.fill(
            crown * step(s.y + 0.4 * (s.x - 0.49) ** 2, 0.145, 0.15),
            three_tones(np.clip(weave, 0, 1), p[14] * 0.5, p[14], p[5]),
            0.0,
        )
        brim = s.ellipse(0.495, 0.215, 0.30, 0.060, -0.04)
        rays = 0.62 - 0.9 * (s.x - 0.42) + 0.14 * np.sin(np.arctan2((s.y - 0.2) * 5, s.x - 0.495) * 60)
        s.fill(
            brim,
            three_tones(np.clip(rays, 0, 1), p[13] * 0.45, p[13], mix(p[13], p[11], 0.6)),
            s.around(0.495, 0.20, 0.2),
        )
        s.shade(np.exp(-(((s.x - 0.50) / 0.17) ** 2 + ((s.y - 0.285) / 0.022) ** 2)), p[4] * 0.5, 0.55)
        for fx, fy, c in ((0.41, 0.17, p[14]), (0.45, 0.185, p[11]), (0.375, 0.185, p[5])):
            s.fill(s.ellipse(fx, fy, 0.026, 0.022), c, s.around(fx, fy))
            s.fill(s.ellipse(fx, fy, 0.009, 0.008), p[13])
