"""A bouquet in a vase."""

from __future__ import annotations

import numpy as np

from .fields import (
    Array,
    blur,
    mix,
    noise,
    palette,
    ramp,
    step,
)
from .scene import Scene, curve, mirrored, three_tones
from .still_lifes import shadow

BLOOM = palette(
    "#2f6f8f #7fb8b0 #d9c9a0 #b98a52 #f2c230 #e88a1a #b5541c #e5e0cf #d4574a #8f2f3f #3f6b35 "
    "#7f9b3f #22402c #5f86b5 #2f4a7f #fff3c4"
)


def _flower(
    s: Scene,
    cx: float,
    cy: float,
    size: float,
    dark: Array,
    middle: Array,
    bright: Array,
    eye: Array,
    petals: int,
) -> None:
    r = s.rng
    s = s.window(cx, cy, size * 1.5)
    squash, tilt = r.uniform(0.72, 1.0), r.uniform(0, np.pi)
    for ring, scale in enumerate((1.0, 0.72)):
        for i in range(petals):
            a = 2 * np.pi * (i + 0.5 * ring) / petals + r.normal(0, 0.10)
            length = size * scale * r.uniform(0.85, 1.12)
            width = length * r.uniform(0.22, 0.32) * 8 / petals + size * 0.05
            tip = np.array([np.cos(a), np.sin(a)]) * length
            side = np.array([-np.sin(a), np.cos(a)]) * width
            pts = np.array(
                [
                    [0, 0],
                    tip * 0.5 + side,
                    tip * 0.85 + side * 0.6,
                    tip,
                    tip * 0.85 - side * 0.6,
                    tip * 0.5 - side,
                ]
            )
            c, q = np.cos(tilt), np.sin(tilt)
            m = np.array(
                [
                    [c * c + squash * q * q, (1 - squash) * c * q],
                    [(1 - squash) * c * q, q * q + squash * c * c],
                ]
            )
            pts = pts @ m.T + [cx, cy]
            t = np.hypot(s.x - cx, s.y - cy) / size
            lightness = np.clip(0.25 + 0.75 * t + r.normal(0, 0.10) - 0.15 * (1 - ring), 0, 1)
            s.fill(
                s.polygon(curve([(float(u), float(v)) for u, v in pts])),
                three_tones(lightness, dark, middle, bright),
                a,
            )
    light, _ = s.ball(cx, cy, size * 0.36, size * 0.36)
    dots = noise(r, s.n, 90, 1)[: s.x.shape[0], : s.x.shape[1]]
    s.fill(
        s.ellipse(cx, cy, size * 0.30, size * 0.27),
        three_tones(np.clip(light + 0.3 * dots, 0, 1), eye * 0.4, eye, mix(eye, bright, 0.5)),
        s.around(cx, cy),
    )


def bouquet(s: Scene, p: Array = BLOOM) -> None:
    """Sunflowers, poppies and small blue flowers in a glazed vase.

    Palette: 0-1 wall, 2-3 table, 4-6 sunflowers, 7 white, 8-9 poppies, 10-12 leaves, 13-14 vase and blue
    flowers, 15 highlights.
    """
    n, r = s.n, s.rng
    d = np.hypot(s.x - 0.47, s.y - 0.42)
    s.rgb[:] = ramp(
        0.75 - d + 0.35 * noise(r, n, 4, 4), np.stack([p[0] * 0.75, p[0], p[1], np.minimum(p[1] * 1.15, 1)])
    )
    s.angle[:] = s.around(0.48, 0.42) + 0.5 * noise(r, n, 4, 2)
    s.fill(
        step(s.y + 0.02 * s.x, 0.80, 0.804),
        ramp(
            0.45 + 0.4 * noise(r, n, 7, 4, stretch=(3, 1)) + 0.5 * (s.y - 0.9),
            np.stack([p[3] * 0.8, p[3], p[2], p[2]]),
        ),
        0.05,
    )
    shadow(s, 0.52, 0.925, 0.16, 0.04, p[6] * 0.5)
    for _ in range(46):
        a = r.uniform(-np.pi * 1.05, 0.05)
        reach = r.uniform(0.18, 0.44)
        bx, by = 0.49 + reach * np.cos(a), 0.44 + reach * 0.95 * np.sin(a) + 0.06
        turn = a + r.normal(0, 0.5)
        size = r.uniform(0.05, 0.105)
        tip = np.array([np.cos(turn), np.sin(turn)]) * size
        side = np.array([-np.sin(turn), np.cos(turn)]) * size * 0.32
        o = np.array([bx, by])
        pts = [(float(v[0]), float(v[1])) for v in (o - tip, o + side, o + tip, o - side)]
        part = s.window(bx, by, size * 1.4)
        across = ((part.x - bx) * side[0] + (part.y - by) * side[1]) / (size * 0.32) ** 2 * size * 0.32 / size
        part.fill(
            part.shape(pts),
            three_tones(np.clip(0.5 + across * 3 + r.normal(0, 0.15), 0, 1), p[12], p[10], p[11]),
            turn,
        )
        part.fill(
            part.limb(
                [(bx - float(tip[0]), by - float(tip[1])), (bx + float(tip[0]), by + float(tip[1]))],
                [0.004, 0.002],
            ),
            p[11],
            turn,
        )
    body = s.polygon(
        mirrored(
            [
                (0.085, 0.60),
                (0.075, 0.63),
                (0.080, 0.66),
                (0.150, 0.74),
                (0.155, 0.82),
                (0.105, 0.92),
                (0.080, 0.94),
                (0.02, 0.945),
            ],
            0.49,
        )
    )
    u = (s.x - 0.49) / 0.155
    s.fill(
        body,
        three_tones(np.clip(0.65 - 0.5 * u - 0.3 * u * u, 0, 1), p[14] * 0.7, p[13], p[7]),
        s.around(0.49, 0.35),
    )
    s.fill(
        body * np.exp(-(((s.y - 0.80 - 0.02 * (1 - u * u)) / 0.03) ** 2)),
        mix(
            three_tones(np.clip(0.7 - 0.5 * u, 0, 1), p[14] * 0.4, p[14], p[13]),
            p[7],
            step(np.sin(u * 22) * np.cos((s.y - 0.8) * 180), 0.1, 0.3),
        ),
        0.0,
    )
    s.shade(np.exp(-(((u + 0.5) / 0.12) ** 2) - ((s.y - 0.74) / 0.04) ** 2), p[15], 0.8)
    spots = [
        (0.24, 0.52, 0.085, 0),
        (0.75, 0.50, 0.090, 0),
        (0.17, 0.33, 0.075, 1),
        (0.82, 0.29, 0.078, 1),
        (0.50, 0.10, 0.075, 2),
        (0.31, 0.17, 0.085, 0),
        (0.68, 0.15, 0.088, 0),
        (0.36, 0.60, 0.065, 1),
        (0.64, 0.61, 0.070, 2),
        (0.50, 0.52, 0.110, 0),
        (0.33, 0.39, 0.115, 0),
        (0.63, 0.36, 0.120, 0),
        (0.48, 0.27, 0.090, 1),
        (0.80, 0.41, 0.055, 2),
        (0.20, 0.43, 0.05, 2),
        (0.47, 0.39, 0.055, 2),
    ]
    for cx, cy, size, kind in spots:
        if kind == 0:
            _flower(s, cx, cy, size, p[6], p[5], p[4], p[9] * 0.5 + p[6] * 0.2, 13)
        elif kind == 1:
            _flower(s, cx, cy, size, p[9], p[8], mix(p[8], p[15], 0.35), p[12], 5)
        else:
            _flower(s, cx, cy, size, p[14], mix(p[13], p[7], 0.5), p[7], p[4], 8)
    for _ in range(34):
        a, reach = r.uniform(0, 2 * np.pi), r.uniform(0.15, 0.42)
        cx, cy = 0.49 + reach * np.cos(a), 0.36 + 0.8 * reach * np.sin(a)
        if cy < 0.62:
            _flower(s, cx, cy, 0.022, p[14], p[13], mix(p[13], p[7], 0.4), p[4], 5)
    for fx, fy in ((0.25, 0.90), (0.31, 0.94), (0.70, 0.93), (0.78, 0.90)):
        s.fill(s.ellipse(fx, fy, 0.028, 0.011, r.uniform(-0.5, 0.5)), p[4] if r.random() < 0.6 else p[8], 0.3)
    s.rgb[:] = mix(s.rgb, blur(s.rgb, n / 400), 0.3)
