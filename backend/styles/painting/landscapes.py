"""Landscapes: hills, a night sky, a lake between mountains, a wood, a seashore, a harbour."""

from __future__ import annotations

import numpy as np

from .fields import Array, blur, mix, noise, palette, ramp, step, vortices, warp
from .scene import Scene, three_tones


def _clouds(s: Scene, colour: Array, cover: float, cells: float = 4, stretch: float = 2.2) -> Array:
    """Cloud cover map, mixed into the sky."""
    c = noise(s.rng, s.n, cells, 5, 0.55, (stretch, 1.0))
    m = step(c, 0.25 - cover, 0.75 - cover)
    s.shade(m, colour, 0.9)
    return m


def tree(s: Scene, x: float, y: float, size: float, colours: Array, trunk: Array) -> None:
    """A leafy tree standing on (x, y): dark, middle and light foliage in clumps."""
    r = s.rng
    s = s.window(x, y - size * 0.5, size)
    s.fill(
        s.limb(
            [(x, y), (x + size * 0.03, y - size * 0.35), (x - size * 0.02, y - size * 0.6)],
            [size * 0.11, size * 0.07, size * 0.04],
        ),
        trunk,
        np.pi / 2,
    )
    clumps = sorted(
        [(r.normal(0, 0.22), r.uniform(-0.95, -0.42), r.uniform(0.15, 0.26)) for _ in range(9)],
        key=lambda c: c[1],
    )
    label = None
    for dx, dy, rad in clumps:
        cx, cy, cr = x + dx * size, y + dy * size, rad * size
        t = np.linspace(0, 2 * np.pi, 11, endpoint=False)
        rr = cr * (1 + 0.18 * r.standard_normal(11))
        mask = s.shape([(cx + a * np.cos(b), cy + 0.85 * a * np.sin(b)) for a, b in zip(rr, t, strict=True)])
        light, _ = s.ball(cx, cy, cr * 1.2, cr * 1.05)
        label = s.fill(mask, three_tones(light, colours[0], colours[1], colours[2]), s.around(cx, cy), label)


def cypress(s: Scene, x: float, y: float, size: float, colours: Array) -> None:
    """A flame-shaped dark tree."""
    w = size * 0.13
    flick = noise(s.rng, s.n, 16, 3, stretch=(0.5, 2.0))
    pts = [
        (x, y - size),
        (x + w * 0.5, y - size * 0.7),
        (x + w, y - size * 0.3),
        (x + w * 0.7, y),
        (x - w * 0.7, y),
        (x - w, y - size * 0.25),
        (x - w * 0.4, y - size * 0.62),
    ]
    mask = s.shape(pts)
    s.fill(
        mask,
        ramp(0.45 + 0.4 * flick - (s.x - x) / w * 0.25, colours),
        np.pi / 2 + 0.5 * noise(s.rng, s.n, 6, 2),
    )


def house(s: Scene, x: float, y: float, w: float, h: float, wall: Array, roof: Array, dark: Array) -> None:
    """A gabled house with a lit and a shaded side; (x, y) is its lower left corner."""
    s = s.window(x + w / 2, y - h / 2, w + 2 * h)
    s.fill(s.polygon([(x, y), (x, y - h), (x + w * 0.55, y - h), (x + w * 0.55, y)]), wall, np.pi / 2)
    s.fill(
        s.polygon([(x + w * 0.55, y), (x + w * 0.55, y - h), (x + w, y - h * 0.95), (x + w, y)]),
        mix(wall, dark, 0.35),
        np.pi / 2,
    )
    s.fill(
        s.polygon(
            [
                (x - w * 0.06, y - h * 0.96),
                (x + w * 0.14, y - h * 1.55),
                (x + w * 0.78, y - h * 1.55),
                (x + w * 0.62, y - h * 0.96),
            ]
        ),
        roof,
        0.2,
    )
    s.fill(
        s.polygon([(x + w * 0.60, y - h * 0.94), (x + w * 0.78, y - h * 1.55), (x + w * 1.04, y - h * 0.9)]),
        mix(wall, dark, 0.5),
        1.2,
    )
    for wx in (0.12, 0.36):
        s.fill(
            s.polygon(
                [
                    (x + w * wx, y - h * 0.35),
                    (x + w * wx, y - h * 0.72),
                    (x + w * (wx + 0.11), y - h * 0.72),
                    (x + w * (wx + 0.11), y - h * 0.35),
                ]
            ),
            dark,
        )


HILLS = palette(
    "#3f6fb5 #9cc3e0 #f5e3b0 #f6c667 #6d84a8 #7fa06a #a9b850 #d9b64a #c7803a #2f4a2c #587a34 "
    "#a8b84e #54372a #e9dcc0 #b5482f #cf3a3a"
)


def hills(s: Scene, p: Array = HILLS) -> None:
    """Rolling fields with trees, a farm and a winding path under a wide sky.

    Palette: 0-1 sky, 2 clouds, 3 sun, 4 far hills, 5-8 fields, 9-11 foliage, 12 trunk, 13 wall,
    14 roof, 15 flowers.
    """
    n, r = s.n, s.rng
    s.rgb = ramp(s.y / 0.5, p[[0, 1, 2]])
    s.angle = (0.25 * noise(r, n, 3, 2)).astype(np.float32)
    clouds = _clouds(s, np.minimum(p[2] * 1.05, 1), 0.15)
    s.turn(clouds, 0.9 * noise(r, n, 5, 2), 0.7)
    sx, sy = 0.72, 0.17
    d = np.hypot(s.x - sx, s.y - sy)
    s.rgb = mix(s.rgb, p[3], 0.75 * np.exp(-((d / 0.11) ** 2)))
    s.turn(np.exp(-((d / 0.16) ** 2)), s.around(sx, sy))
    s.fill(s.ellipse(sx, sy, 0.052, 0.052), np.minimum(p[3] * 1.1 + 0.1, 1), s.around(sx, sy))
    far = s.ridge(0.42, 0.05, 4)
    s.fill(s.below(far), mix(s.rgb * 0 + p[4], p[1], 0.5 * step(s.y, 0.40, 0.5)), 0.1)
    far2 = s.ridge(0.47, 0.035, 6)
    s.fill(s.below(far2), mix(np.broadcast_to(p[4], s.rgb.shape), p[5], 0.55), 0.12)
    tops = [0.52, 0.58, 0.66, 0.78]
    lines = []
    for i, base in enumerate(tops):
        tilt = r.uniform(-0.09, 0.09)
        line = s.ridge(base, 0.028 + 0.008 * i, 2.5, 2) + tilt * (s.x[0] - 0.5)
        lines.append(line)
        slope = np.arctan(np.gradient(line) * n)
        furrow = np.sin((s.x * (9 + 5 * i) + (s.y - base) * 20 * (1 if i % 2 else -1)) * 2 * np.pi)
        c = mix(np.broadcast_to(p[5 + i], s.rgb.shape), p[5 + (i + 1) % 4], 0.28 + 0.22 * furrow)
        c = mix(c, np.minimum(p[5 + i] * 1.25, 1), 0.5 * step(base + 0.07 - s.y, 0, 0.07))
        lane = np.arctan2(1.0, 2.2 * (1 if i % 2 == 0 else -1)) * 0.8
        s.fill(s.below(line), c, slope[None, :] + lane * step(s.y, base, base + 0.12))
        if i == 1:
            house(s, 0.24, 0.605, 0.11, 0.055, p[13], p[14], p[12])
            house(s, 0.37, 0.615, 0.08, 0.045, p[13], p[14] * 0.8, p[12])
        if i < 3:
            for _ in range(5 - i):
                tx = r.uniform(0.02, 0.98)
                ty = float(line[int(tx * (n - 1))]) + 0.012
                tree(s, tx, ty + 0.01, 0.06 + 0.035 * i, p[9:12], p[12])
    path = s.limb(
        [(0.47, 0.62), (0.53, 0.68), (0.42, 0.77), (0.55, 0.88), (0.44, 1.05)],
        [0.012, 0.025, 0.05, 0.085, 0.14],
    )
    s.fill(path, mix(p[13], p[7], 0.3), np.pi / 2 + 0.4)
    tree(s, 0.84, 0.80, 0.36, p[9:12], p[12])
    tree(s, 0.10, 0.86, 0.30, p[9:12], p[12])
    for _ in range(130):
        fx, fy = r.uniform(0, 1), 1.02 - abs(r.normal(0, 0.09))
        size = 0.006 + 0.01 * (fy - 0.75)
        spot = s.window(fx, fy, size * 1.5)
        spot.fill(spot.ellipse(fx, fy, size, size * 0.8), p[15] if r.random() < 0.6 else p[2], label=900)


NIGHT = palette(
    "#0b1640 #1d3f8f #3f7cc4 #a9cfe3 #f8e9a1 #f3b838 #0c1a2c #15334a #224d5c #0e2b2b #3b6b4c #e9d9a8 #8a3d2a"
)


def night(s: Scene, p: Array = NIGHT) -> None:
    """A windy night over a bay: spiralling air, a moon, a lighthouse on a rock and village lights.

    Palette: 0-3 sky dark to pale, 4-5 lights, 6-8 land and sea, 9-10 bushes, 11 walls, 12 roofs.
    """
    n, r = s.n, s.rng
    eddies = [
        (0.30, 0.26, 0.13, 1.6),
        (0.56, 0.40, 0.10, -1.5),
        (0.10, 0.47, 0.08, 1.2),
        (0.86, 0.46, 0.09, 1.3),
        (0.62, 0.10, 0.07, -1.0),
        (0.82, 0.15, 0.12, 1.9),
    ]
    flow = vortices(n, eddies, 0.12)
    flow = flow + 0.25 * noise(r, n, 3, 2)
    bands = np.zeros((n, n), np.float32)
    for cx, cy, radius, spin in eddies:
        d = np.hypot(s.x - cx, s.y - cy)
        a = np.arctan2(s.y - cy, s.x - cx)
        bands += np.exp(-((d / (radius * 1.25)) ** 2)) * np.sin(2 * a * np.sign(spin) - d / radius * 7)
    wave = np.sin((s.y * 9 + 0.8 * noise(r, n, 3, 3)) * 2.2)
    tone = 0.36 + 0.25 * bands + 0.15 * wave + 0.14 * noise(r, n, 7, 4, stretch=(3, 1)) + 0.18 * (s.y - 0.3)
    s.rgb = ramp(tone, p[[0, 1, 1, 2, 3]])
    s.angle = flow.astype(np.float32)
    stars = [
        (0.06, 0.10, 0.020),
        (0.18, 0.07, 0.014),
        (0.44, 0.10, 0.018),
        (0.46, 0.26, 0.013),
        (0.70, 0.30, 0.016),
        (0.07, 0.30, 0.013),
        (0.95, 0.30, 0.015),
        (0.22, 0.42, 0.012),
        (0.72, 0.47, 0.010),
        (0.97, 0.06, 0.013),
        (0.40, 0.47, 0.010),
    ]
    for cx, cy, size in [*stars, (0.82, 0.15, 0.046)]:
        d = np.hypot(s.x - cx, s.y - cy)
        rings = 0.75 + 0.25 * np.cos(d / size * 2.6)
        glow = np.exp(-((d / (size * 2.6)) ** 2))
        s.rgb = mix(s.rgb, p[4], np.clip(glow * rings, 0, 1) * 0.85)
        s.turn(np.clip(glow * 1.6, 0, 1), s.around(cx, cy))
        s.fill(s.ellipse(cx, cy, size * 0.62, size * 0.62), mix(p[5], p[4], 0.3), s.around(cx, cy))
    far = s.ridge(0.60, 0.04, 4)
    s.fill(
        s.below(far),
        ramp(0.4 + 0.5 * noise(r, n, 8, 3, stretch=(2, 1)), p[[7, 1, 8]]),
        np.arctan(np.gradient(far) * n)[None, :] + 0.2,
    )
    sea = step(s.y, 0.66, 0.664)
    glint = noise(r, n, 18, 3, stretch=(5, 0.7)) + 0.9 * np.exp(-(((s.x - 0.80) / 0.07) ** 2)) * (1 - s.y)
    s.fill(sea, ramp(0.35 + 0.45 * glint, p[[6, 1, 2, 3, 4]]), 0.08 * noise(r, n, 6, 2))
    for i in range(15):
        x = 0.03 + 0.043 * i + r.uniform(-0.01, 0.01)
        h = r.uniform(0.022, 0.045)
        house(s, x, 0.665 + 0.004 * (i % 3), 0.035, h, p[8], p[7] if i % 3 else p[12], p[6])
        s.fill(
            s.polygon([(x + 0.006, 0.655), (x + 0.006, 0.64), (x + 0.018, 0.64), (x + 0.018, 0.655)]), p[5]
        )
        streak = (
            np.exp(-(((s.x - x - 0.012) / 0.006) ** 2)) * step(s.y, 0.665, 0.68) * step(0.80 - s.y, 0, 0.12)
        )
        s.shade(streak.astype(np.float32), p[5], 0.8)
    rock = np.minimum(s.ridge(0.93, 0.02, 9), 0.74 + 1.7 * np.abs(s.x[0] - 0.83) ** 1.15)
    s.fill(s.below(rock), ramp(0.4 + 0.5 * noise(r, n, 12, 4), p[[6, 7, 8]]), 0.9 + 0.5 * noise(r, n, 5, 2))
    tower = s.polygon([(0.795, 0.76), (0.81, 0.53), (0.85, 0.53), (0.865, 0.76)])
    s.fill(tower, three_tones(np.clip(1 - (s.x - 0.79) / 0.08, 0, 1), p[1], p[11] * 0.85, p[11]), np.pi / 2)
    for y in (0.60, 0.68):
        s.fill(tower * step(s.y, y, y + 0.003) * step(y + 0.035 - s.y, 0, 0.003), p[12], 0.0)
    s.fill(s.polygon([(0.80, 0.53), (0.86, 0.53), (0.86, 0.515), (0.80, 0.515)]), p[6], 0.0)
    s.fill(s.polygon([(0.815, 0.515), (0.845, 0.515), (0.845, 0.48), (0.815, 0.48)]), p[4], 0.0)
    s.fill(s.polygon([(0.808, 0.48), (0.83, 0.45), (0.852, 0.48)]), p[12], 0.0)
    beam = np.clip(
        1 - np.abs((s.y - 0.497) + (s.x - 0.83) * 0.10) / (0.008 + 0.11 * np.abs(s.x - 0.83)), 0, 1
    )
    s.shade(beam * (s.x < 0.815) * np.exp(-(0.83 - s.x) / 0.4), p[4], 0.55)
    for x, size in ((0.03, 0.42), (0.12, 0.33), (0.20, 0.22)):
        cypress(s, x, 1.0, size, p[[6, 9, 10]])


ALPS = palette(
    "#5b8fc7 #cfe3ee #f7efe2 #8391b8 #5d6a96 #f3f4f2 #3f5f6c #2c4f45 #1c3330 #4d8a96 #9ed0c9 #e8b27a #d3d9c0"
)


def lake(s: Scene, p: Array = ALPS) -> None:
    """Snow peaks and pines mirrored in a lake.

    Palette: 0-2 sky, 3-4 rock light and dark, 5 snow, 6 far wood, 7-8 pines, 9-10 water, 11 warm light,
    12 shore.
    """
    n, r = s.n, s.rng
    s.rgb = ramp(s.y / 0.45, p[[0, 1, 2]])
    s.angle = (0.15 + 0.3 * noise(r, n, 3, 2)).astype(np.float32)
    _clouds(s, p[2], 0.08, 3)
    for peaks, colour_shift in (
        ([(0.10, 0.30), (0.38, 0.22), (0.95, 0.26)], 0.45),
        ([(0.22, 0.24), (0.60, 0.10), (0.84, 0.27)], 0.0),
    ):
        line = np.full(n, 0.56, np.float32)
        for px, py in peaks:
            line = np.minimum(line, py + np.abs(s.x[0] - px) * 1.05 + 0.012)
        line = line + 0.02 * noise(r, n, 24, 4)[n // 2]
        mask = s.below(line)
        face = noise(r, n, 9, 5, 0.6, (0.8, 1.4))
        side = np.zeros((n, n), np.float32)
        nearest = np.full((n, n), 9.0, np.float32)
        for px, py in peaks:
            d = np.abs(s.x - px) * 1.05 + py
            side = np.where(d < nearest, s.x - px + 0.035 * face + 0.02 * np.sin(s.y * 60), side)
            nearest = np.minimum(d, nearest)
        lit = step(-side, -0.02, 0.02)
        rock = mix(np.broadcast_to(p[4], s.rgb.shape), mix(p[3], p[11], 0.35), lit)
        snow = step(line[None, :] + 0.16 + 0.09 * face - s.y, 0, 0.02)
        rock = mix(rock, mix(np.broadcast_to(mix(p[3], p[5], 0.45), s.rgb.shape), p[5], lit), snow)
        rock = mix(rock, p[1], colour_shift)
        s.fill(mask, rock, np.where(side > 0, 0.9, -0.9 + np.pi) + 0.35 * face)
    for base, c in ((0.50, 6), (0.54, 7)):
        line = s.ridge(base, 0.03, 6) + 0.012 * noise(r, n, 120, 2)[3]
        s.fill(
            s.below(line),
            ramp(0.5 + 0.5 * noise(r, n, 30, 2), np.stack([p[c] * 0.7, p[c], p[c] * 1.25])),
            np.pi / 2,
        )
    shore = 0.60
    flip = s.rgb[::-1]
    row = int(shore * n)
    mirror = np.roll(flip, 2 * row - n, axis=0)
    ripple = noise(r, n, 30, 3, stretch=(5, 0.6))
    shift = np.clip((s.y - shore) * 3, 0.2, 1) * ripple
    mirror = warp(mirror, shift * 0.012 * n, shift * 0.03 * n)
    water = mix(mirror, ramp(0.5 + 0.5 * ripple, p[[9, 10]]), 0.28 + 0.3 * step(ripple, 0.2, 0.7))
    s.fill(step(s.y, shore, shore + 0.003), water, 0.05 * noise(r, n, 5, 2))
    s.fill(step(s.y, shore - 0.006, shore - 0.003) * step(shore + 0.006 - s.y, 0, 0.003), p[12], 0.0)
    bank = s.ridge(0.93, 0.03, 5) - 0.10 * np.exp(-(((s.x[0] - 0.05) / 0.22) ** 2))
    s.fill(s.below(bank), ramp(0.5 + 0.6 * noise(r, n, 26, 3), p[[8, 7, 12]]), 1.2 + 0.6 * noise(r, n, 6, 2))
    for x, size in ((0.05, 0.62), (0.15, 0.50), (0.235, 0.34), (0.93, 0.52), (0.86, 0.30)):
        pine(s, x, 0.93 if x < 0.5 else 0.965, size, p[7:9])
    for x in np.linspace(0.3, 0.8, 13):
        pine(s, float(x + r.uniform(-0.02, 0.02)), shore + 0.004, float(r.uniform(0.05, 0.12)), p[7:9])


def pine(s: Scene, x: float, y: float, size: float, colours: Array) -> None:
    """A spruce in tiers."""
    r = s.rng
    s = s.window(x, y - size * 0.5, size * 0.7)
    s.fill(s.limb([(x, y), (x, y - size * 0.3)], [size * 0.05, size * 0.03]), colours[1], np.pi / 2)
    tiers = 8
    label = None
    for i in range(tiers):
        top = y - size + i * size * 0.10
        w = size * (0.05 + 0.022 * i)
        pts = [(x, top)]
        for k in range(6):
            pts.append(
                (
                    x + w * (1 - k / 2.6 + r.uniform(-0.06, 0.06)) * (1 if k < 6 else 0),
                    top + size * (0.19 + (0.025 if k % 2 else -0.012)),
                )
            )
        mask = s.polygon(pts)
        t = np.clip((s.y - top) / (size * 0.2), 0, 1) * 0.6 + 0.4 * step(x - s.x, -w * 0.4, w * 0.6)
        c = ramp(t, np.stack([colours[1] * 0.8, colours[1], colours[0], np.minimum(colours[0] * 1.6, 1)]))
        label = s.fill(mask, c, np.where(s.x > x, 0.9, np.pi - 0.9), label)


WOOD = palette("#f2d17c #f5e8b8 #d98d3c #9a4b2c #eee9dc #bfb6b0 #5a5262 #7e6b3a #c76f2b #4b3f5c #7f8fb0")


def birches(s: Scene, p: Array = WOOD) -> None:
    """A birch wood in low autumn light with a path.

    Palette: 0-1 light, 2-3 leaves, 4-6 bark light to dark, 7-8 ground, 9-10 shadows and distance.
    """
    n, r = s.n, s.rng
    glow = np.exp(-((s.x - 0.58) ** 2 + (s.y - 0.36) ** 2) / 0.09)
    leaf = noise(r, n, 22, 4, 0.6)
    s.rgb = mix(ramp(0.5 + 0.5 * leaf, p[[9, 3, 2, 0]]), p[1], glow * 0.8)
    s.angle = (s.towards(0.58, 0.36) + np.pi / 2 + 0.7 * noise(r, n, 6, 2)).astype(np.float32)
    ground = s.ridge(0.62, 0.02, 5)
    g = noise(r, n, 20, 4, 0.6, (3, 1))
    stripes = np.sin((s.x - 0.58) / (s.y - 0.5 + 1e-3) * 9 + g)
    s.fill(
        s.below(ground),
        mix(ramp(0.5 + 0.6 * g, p[[3, 7, 8, 2, 0]]), p[9], 0.55 * step(stripes, 0.3, 0.7)),
        0.5 * (s.x - 0.5) + 0.25 * noise(r, n, 6, 2),
    )
    s.fill(
        s.limb([(0.57, 0.62), (0.60, 0.70), (0.50, 0.82), (0.56, 1.05)], [0.015, 0.05, 0.12, 0.25]),
        mix(
            mix(np.broadcast_to(p[1], s.rgb.shape), p[8], 0.3 + 0.3 * g), p[9], 0.45 * step(stripes, 0.3, 0.7)
        ),
        0.1,
    )
    for depth in range(4):
        count = (16, 11, 7, 5)[depth]
        width = (0.012, 0.022, 0.038, 0.062)[depth]
        foot = (0.64, 0.70, 0.80, 0.98)[depth]
        for i in range(count):
            x = (i + r.uniform(0.15, 0.85)) / count
            if depth > 1 and 0.44 < x < 0.68:
                continue
            lean = r.normal(0, 0.02)
            w = width * r.uniform(0.75, 1.2)
            y0 = foot + r.uniform(-0.02, 0.03)
            mask = s.limb([(x, y0), (x + lean, y0 * 0.5), (x + lean * 1.5, -0.05)], [w * 1.2, w, w * 0.75])
            across = (s.x - x - lean * (1 - s.y / y0)) / w
            bark = three_tones(np.clip(0.55 + across * np.sign(0.58 - x) * 0.9, 0, 1), p[6], p[5], p[4])
            marks = noise(r, n, 40, 2, stretch=(6, 0.7))
            bark = mix(bark, p[9], step(marks, 0.35, 0.55) * 0.9)
            bark = mix(bark, p[10], 0.5 - 0.16 * depth)
            s.fill(mask, bark, np.pi / 2)
        for _ in range(26):
            cx, cy = r.uniform(0, 1), r.uniform(-0.02, 0.22 + 0.25 * r.random())
            cr = r.uniform(0.014, 0.034) * (0.7 + 0.2 * depth)
            s.fill(
                s.ellipse(cx, cy, cr * 1.5, cr, r.uniform(-0.6, 0.6)),
                ramp(0.5 + 0.5 * leaf, p[[3, 2, 8, 0, 1]]),
                r.uniform(0, np.pi),
                label=800 + depth,
            )
    s.rgb = mix(s.rgb, p[1], 0.25 * glow)
    s.rgb = mix(s.rgb, blur(s.rgb, 2), 0.3)
