"""Pictures that follow a form of their own: facets, circles, whiplash curves, marbling, poured lines, gold."""

from __future__ import annotations

import numpy as np

from . import people, still_lifes
from .cells import border_distance, cell_means
from .fields import (
    Array, blur, from_lab, grade, grain, grid, luma, mix, noise, palette, ramp, rgb, smooth_angle, step, to_lab, warp,
)
from .lines import Sheet, darkness, outline
from .papers import canvas_weave, emboss, paper
from .recipe import Recipe, compose
from .scene import Scene, curve, three_tones
from .strokes import Brush, Canvas, draw_stroke, light, paint_layer, resample


def cubist(n: int, rng: np.random.Generator) -> Array:
    m = n * 3 // 2
    s, _ = compose(m, rng, still_lifes.guitar, 0.3)
    code = np.zeros((m, m), np.int64)
    for i in range(15):
        a = rng.choice([0.15, 0.55, 1.0, 1.35, 1.75, 2.2, 2.65]) + rng.normal(0, 0.10)
        px, py = 0.5 + rng.normal(0, 0.22), 0.52 + rng.normal(0, 0.22)
        side = (s.x - px) * np.cos(a) + (s.y - py) * np.sin(a) > 0
        along = -(s.x - px) * np.sin(a) + (s.y - py) * np.cos(a)
        reach = along < rng.uniform(0.05, 0.4) if rng.random() < 0.6 else np.ones_like(side)
        code += (side & reach).astype(np.int64) << i
    facet = np.unique(code, return_inverse=True)[1].reshape(m, m)
    count = int(facet.max()) + 1
    shift = rng.normal(0, 0.028, (count, 2)).astype(np.float32) * m
    turn = rng.normal(0, 0.13, count).astype(np.float32)[facet]
    scale = rng.normal(0, 0.08, count).astype(np.float32)[facet]
    cx = cell_means(facet, s.x, count)[facet]
    cy = cell_means(facet, s.y, count)[facet]
    dx, dy = (s.x - cx) * m, (s.y - cy) * m
    ref = warp(s.rgb, shift[facet][..., 0] - turn * dy + scale * dx, shift[facet][..., 1] + turn * dx + scale * dy)
    lab = to_lab(grade(ref, 1.15, 0.85))
    way = rng.uniform(0, 2 * np.pi, count).astype(np.float32)[facet]
    distance = border_distance(facet) / m
    lean = ((s.x - cx) * np.cos(way) + (s.y - cy) * np.sin(way)) / 0.13
    lab[..., 0] = np.clip(lab[..., 0] * 0.82 + 12 + 15 * np.clip(lean, -1.3, 1.3), 4, 97)
    lab[..., 1:] *= 0.9
    lab[..., 2] += 5
    lab[..., 0] -= 24 * np.exp(-distance / 0.006) * (np.sin(way) > -0.2)
    lab[..., 0] += 16 * np.exp(-distance / 0.008) * (np.sin(way) <= -0.2)
    field = (way + np.pi / 2 + 0.2 * noise(rng, m, 6, 2)).astype(np.float32)
    ref = from_lab(lab)
    c = Canvas(np.broadcast_to(np.array(rgb("#6a5238"), np.float32), s.rgb.shape))
    flat = dict(taper=0.05, streak=4.5, dry=0.45, pickup=0.15, height=0.45)
    for width, length, threshold, keep in ((0.030, 3.2, 0.0, 1.0), (0.017, 3.2, 7.0, 0.85), (0.009, 3.5, 10.0, 0.7)):
        paint_layer(c, ref, field, Brush(width, length, 0.55, 13, threshold, keep, jitter=(4, 3, 3), **flat), rng, labels=facet)  # type: ignore[arg-type]
    edges = Sheet(m)
    outline(edges, s, m / 320, rng, 1.2, 90, 0.85, 0.2)
    ink = warp(edges.ink, shift[facet][..., 0] - turn * dy + scale * dx, shift[facet][..., 1] + turn * dx + scale * dy)
    crease = np.clip(1 - distance * m / (1.3 * m / 768), 0, 1) * 0.5
    c.data[..., :3] = (mix(c.colour, np.array(rgb("#1d1712"), np.float32), np.clip(ink * 0.75 + crease, 0, 1)) * 255).astype(np.uint8)
    return light(c, 1.2, 0.12, 1.0, canvas_weave(m) * 0.25)


BAUHAUS = palette("#f0e3c4 #d9352c #f2b632 #1f4f8f #16181d #3f8f8a #e88a5a #efe9dc #6a3f6f")


def geometric(n: int, rng: np.random.Generator) -> Array:
    m = n * 3 // 2
    p = BAUHAUS
    s = Scene(m, rng, p[0])
    s.rgb[:] = ramp(0.5 + 0.5 * noise(rng, m, 3, 3) + 0.4 * (s.x - s.y), np.stack([mix(p[0], p[6], 0.55), p[0], mix(p[0], p[5], 0.45)]))
    s.angle[:] = -0.7 + 0.5 * noise(rng, m, 3, 2)

    def over(mask: Array, colour: Array, angle: Array | float, amount: float = 0.92) -> None:
        """Transparent over what is there: overlaps take a third colour."""
        below = s.rgb.copy()
        s.fill(mask, mix(np.broadcast_to(colour, below.shape), np.clip(below * colour * 1.5, 0, 1), 0.45 if amount < 1 else 0.0), angle)

    over(s.polygon([(0.02, 0.98), (0.50, 0.06), (0.74, 0.98)]), mix(p[0], p[2], 0.75), 1.0)
    for cx, cy, radii, colours in ((0.30, 0.33, (0.24, 0.195, 0.15, 0.105, 0.06, 0.025), (4, 1, 7, 3, 2, 4)),
                                   (0.76, 0.66, (0.20, 0.165, 0.115, 0.065), (3, 5, 2, 1)), (0.80, 0.18, (0.11, 0.075, 0.035), (2, 6, 4)),
                                   (0.17, 0.80, (0.12, 0.085, 0.04), (5, 7, 1)), (0.53, 0.56, (0.075, 0.045), (8, 2))):
        for radius, k in zip(radii, colours, strict=True):
            over(s.ellipse(cx, cy, radius, radius), p[k], s.around(cx, cy), 1.0 if radius < 0.1 else 0.9)
    half = s.ellipse(0.50, 0.86, 0.17, 0.17) * step(0.86 - s.y, 0, 0.003)
    over(half, p[1], s.around(0.50, 0.86))
    over(s.polygon([(0.56, 0.10), (0.97, 0.44), (0.60, 0.50)]), p[5], 0.7)
    over(s.polygon([(0.05, 0.50), (0.48, 0.60), (0.46, 0.66), (0.04, 0.57)]), p[3], 0.2)
    over(s.polygon([(0.86, 0.30), (0.98, 0.30), (0.98, 0.96), (0.86, 0.96)]), mix(p[0], p[1], 0.75), np.pi / 2)
    for i in range(5):
        for j in range(5):
            x0, y0 = 0.575 + 0.034 * i - 0.008 * j, 0.40 - 0.034 * j + 0.008 * i
            over(s.polygon([(x0, y0), (x0 + 0.034, y0 + 0.008), (x0 + 0.026, y0 + 0.042), (x0 - 0.008, y0 + 0.034)]),
                 p[4] if (i + j) % 2 else p[7], 0.2, 1.0)
    for k in range(7):
        s.fill(s.limb([(0.04 + 0.03 * k, 0.03), (0.62 + 0.018 * k, 0.97)], [0.004 + 0.0012 * (k % 3)] * 2), p[4], 1.0)
    for k in range(6):
        t = np.linspace(-2.2 + 0.1 * k, -0.3, 20)
        r = 0.30 + 0.022 * k
        s.fill(s.limb([(0.60 + r * float(np.cos(v)), 0.62 + r * float(np.sin(v))) for v in t], [0.006] * 2), p[(4, 1, 3)[k % 3]], s.around(0.60, 0.62))
    for x, y, r, k in ((0.44, 0.13, 0.020, 1), (0.50, 0.19, 0.012, 4), (0.92, 0.53, 0.024, 4), (0.36, 0.72, 0.022, 3), (0.62, 0.90, 0.026, 2),
                       (0.07, 0.11, 0.03, 8), (0.68, 0.33, 0.016, 1), (0.05, 0.66, 0.016, 4), (0.30, 0.92, 0.02, 6)):
        s.fill(s.ellipse(x, y, r, r), p[k], s.around(x, y))
    c = Canvas(s.rgb * 0.8)
    flat = dict(taper=0.08, streak=3.6, dry=0.5, pickup=0.06, height=0.4, stop=16)
    for width, length, threshold in ((0.026, 5, 0.0), (0.013, 5, 6.0), (0.006, 6, 9.0)):
        paint_layer(c, s.rgb, s.angle, Brush(width, length, 0.5, 14, threshold, jitter=(3.5, 3, 3), **flat), rng, labels=s.label)  # type: ignore[arg-type]
    return light(c, 0.9, 0.06, 0.9, canvas_weave(m) * 0.55)


MUCHA = palette("#e3cf9f #c9ae74 #f6dfbf #e3ac84 #a8684a #c25f4f #6a3220 #a8542c #dd9748 #4f7a6a #94b096 #f7edd6 #38211a #c8973c #b5543f")


def nouveau(n: int, rng: np.random.Generator) -> Array:
    m = n * 2
    p = MUCHA
    s = Scene(m, rng)
    people.portrait(s, p, (-0.55, -0.40, 0.75))
    u = m / 768
    face = ((np.hypot((s.x - 0.49) / 0.17, (s.y - 0.43) / 0.26) < 1) | ((s.y > 0.6) & (np.abs(s.x - 0.49) < 0.40 * (s.y - 0.45) + 0.10))).astype(np.float32)
    keep = s.rgb.copy(), s.label.copy(), s.angle.copy()
    d = np.hypot(s.x - 0.49, s.y - 0.40)
    a = np.arctan2(s.y - 0.40, s.x - 0.49)
    back = Scene(m, rng, p[0])
    back.rgb[:] = ramp(0.5 + 0.35 * noise(rng, m, 5, 4) + 0.4 * (back.y - 0.5), np.stack([mix(p[10], p[0], 0.4), mix(p[0], p[10], 0.35), p[10]]))
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
            back.fill(back.ellipse(x + 0.021 * np.cos(v), y + 0.021 * np.sin(v), 0.019, 0.011, v), p[11] if k % 2 else p[14], v)
        back.fill(back.ellipse(x, y, 0.010, 0.010), p[13])
    back.fill(back.ellipse(0.49, 0.40, 0.342, 0.342), p[13], back.around(0.49, 0.40))
    back.fill(back.ellipse(0.49, 0.40, 0.333, 0.333), mix(np.broadcast_to(p[2], s.rgb.shape), p[13], 0.35 + 0.35 * step(np.sin(a * 36), 0, 0.3)), a)
    # Whiplash locks of hair, from the crown outwards.
    locks = []
    for side in (-1, 1):
        for k in range(13):
            f = k / 12
            x0, y0 = 0.49 + side * (0.03 + 0.13 * f), 0.15 + 0.20 * f * f
            sweep = rng.uniform(0.9, 1.15)
            tip = 0.24 + 0.25 * (1 - f) * sweep
            pts = [(x0, y0), (x0 + side * 0.10, y0 + 0.02 + 0.10 * f), (x0 + side * (0.13 + 0.07 * (1 - f)), y0 + 0.20), (x0 + side * 0.10, y0 + 0.36),
                   (x0 + side * tip * 0.75, y0 + 0.50), (x0 + side * tip * 1.12, y0 + 0.47 + 0.08 * f), (x0 + side * tip * 1.16, y0 + 0.37 + 0.08 * f),
                   (x0 + side * tip * 1.0, y0 + 0.35 + 0.08 * f), (x0 + side * tip * 0.96, y0 + 0.41 + 0.08 * f)]
            locks.append((f, side, pts))
    for f, side, pts in locks:
        tone = 0.35 + 0.5 * rng.random() - 0.2 * (side > 0)
        back.fill(back.limb(pts, [0.030, 0.050, 0.052, 0.046, 0.040, 0.030, 0.022, 0.015, 0.004]), ramp(np.full((m, m), tone, np.float32), p[[6, 7, 8]]),
                  np.pi / 2 + 0.6 * f)
    offset = int(back.label.max()) + 50
    body = face * (keep[1] > 0)
    locks_over = back.label > 0
    mask = (body > 0.5) & ~(locks_over & (np.abs(s.x - 0.49) > 0.155) & (s.y > 0.2) & (s.y < 0.62))
    rgb_map = np.where(mask[..., None], keep[0], back.rgb)
    label = np.where(mask, keep[1] + offset, back.label)
    scene = Scene(m, rng)
    scene.rgb[:], scene.label[:] = rgb_map, label
    top = s.polygon([(0.0, 0.0), (0.22, 0.0), (0.07, 0.16), (0.0, 0.34)]) + s.polygon([(0.98, 0.0), (0.76, 0.0), (0.91, 0.16), (1.0, 0.34)])
    scene.fill(np.clip(top, 0, 1) * (label < offset), p[14] * 0.85, 0.8)
    for side, cx in ((1, 0.09), (-1, 0.91)):
        for k in range(6):
            t = (-0.2 + 0.32 * k) if side > 0 else np.pi - (-0.2 + 0.32 * k)
            x, y = cx - side * 0.07, 0.03
            scene.fill(scene.limb([(x, y), (x + 0.08 * np.cos(t), y + 0.08 * np.sin(t)), (x + 0.17 * np.cos(t + side * 0.25), y + 0.17 * np.sin(t + side * 0.25))],
                                  [0.006, 0.042, 0.003]), p[11] if k % 2 else p[13], t)
    for side in (-1, 1):
        for k in range(3):
            x = 0.5 + side * (0.47 - 0.05 * k)
            scene.fill(scene.limb([(x, 1.02), (x - side * 0.03, 0.86), (x + side * 0.02, 0.74 + 0.03 * k), (x - side * 0.01, 0.64 + 0.05 * k)], [0.018, 0.013, 0.010, 0.005]), p[9], np.pi / 2)
            fx, fy = x - side * 0.01, 0.63 + 0.05 * k
            for v in (-2.5, -2.0, -1.57, -1.14, -0.64):
                scene.fill(scene.limb([(fx, fy), (fx + 0.035 * np.cos(v), fy + 0.04 * np.sin(v)), (fx + 0.075 * np.cos(v) * 1.2, fy + 0.075 * np.sin(v))],
                                      [0.006, 0.030, 0.003]), (p[14], p[5], p[11])[k], v)
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
    strands = step(np.sin((np.arctan2(scene.y - 0.1, (scene.x - 0.49) * 1.3) * 60)), 0.75, 0.95)
    hair = (luma(out) < 0.42) & (out[..., 0] > out[..., 2] * 1.7) & (figure == 0)
    ink = np.maximum(np.maximum(fine.ink * 0.95, bold.ink), 0.45 * strands * hair)
    gold = step(np.abs(np.mod(np.minimum(np.minimum(scene.x, 1 - scene.x), np.minimum(scene.y, 1 - scene.y)) * 60, 1) - 0.5), 0.25, 0.35)
    edge = np.minimum(np.minimum(scene.x, 1 - scene.x), np.minimum(scene.y, 1 - scene.y))
    out = mix(out, p[13], gold * step(0.022 - edge, 0, 0.002))
    return emboss(tooth, mix(out, p[12], ink), 0.04)


MARBLE = palette("#10263f #1f5f7a #e9dcc0 #c8402f #e8a83a #f6efe0 #2f8f86 #8fc4b8")


def marbled(n: int, rng: np.random.Generator) -> Array:
    """Drops and combs, each a closed-form displacement, traced backwards from the final sheet.

    Lu, Jaffer et al., "Mathematical Marbling" (IEEE CG&A 2012): a drop maps P to C + (P - C) sqrt(1 + r^2/|P-C|^2),
    a tine line shifts along itself by z u^d.
    """
    m = n * 2
    x, y = grid(m)
    px, py = x.copy(), y.copy()

    def tine(offset: float, turn: float, z: float, sharp: float, period: float = 0.0) -> None:
        nonlocal px, py
        c, s = np.float32(np.cos(turn)), np.float32(np.sin(turn))
        d = -px * s + py * c - offset
        if period:
            d = np.mod(d + period / 2, period) - period / 2
        shift = z * np.exp(-np.abs(d) / sharp)
        px, py = px - c * shift, py - s * shift

    def swirl(cx: float, cy: float, radius: float, z: float, sharp: float) -> None:
        nonlocal px, py
        dx, dy = px - cx, py - cy
        d = np.hypot(dx, dy) + 1e-6
        a = -z * np.exp(-np.abs(d - radius) / sharp) / d
        c, s = np.cos(a), np.sin(a)
        px, py = cx + dx * c - dy * s, cy + dx * s + dy * c

    for cx, cy, z in ((0.28, 0.30, 0.11), (0.70, 0.22, -0.10), (0.50, 0.62, 0.12), (0.17, 0.78, -0.09), (0.84, 0.72, 0.10), (0.60, 0.95, -0.07), (0.96, 0.44, -0.07),
                      (0.02, 0.48, 0.07)):
        swirl(cx, cy, 0.045, z, 0.055)
    tine(0.05, 0.1, 0.055, 0.022, 0.125)
    tine(0.09, np.pi / 2 + 0.05, 0.09, 0.030, 0.16)
    tine(0.0, np.pi / 2 + 0.05, -0.09, 0.030, 0.16)
    px += 0.012 * noise(rng, m, 5, 3)
    py += 0.012 * noise(rng, m, 5, 3)
    drops = [(rng.uniform(-0.1, 1.1), rng.uniform(-0.1, 1.1), rng.uniform(0.018, 0.07), int(rng.integers(0, len(MARBLE)))) for _ in range(320)]
    colour = np.full((m, m), -1, np.int32)
    for cx, cy, r, k in drops[::-1]:
        dx, dy = px - cx, py - cy
        d2 = dx * dx + dy * dy
        inside = (d2 < r * r) & (colour < 0)
        colour[inside] = k
        f = np.sqrt(np.clip(1 - r * r / np.maximum(d2, 1e-9), 0, 1))
        px, py = np.where(colour < 0, cx + dx * f, px), np.where(colour < 0, cy + dy * f, py)
    colour[colour < 0] = 0
    tooth = paper(rng, m, 0.9)
    out = MARBLE[colour] * (0.94 + 0.10 * tooth + 0.06 * noise(rng, m, 6, 4))[..., None]
    rim = np.exp(-border_distance(colour) / (m / 500))
    out = out * (1 - 0.28 * rim)[..., None]
    vein = step(grain(rng, m, m / 380), 1.9, 2.5)
    return emboss(tooth, mix(out, MARBLE[5], 0.5 * vein), 0.05)


def poured(n: int, rng: np.random.Generator) -> Array:
    m = n * 3 // 2
    ground = np.array(rgb("#d8c7a0"), np.float32) * (1 + 0.10 * noise(rng, m, 5, 4))[..., None]
    c = Canvas(np.clip(ground, 0, 1))
    inks = to_lab(palette("#14151a #efe8d8 #1f6f80 #c9922e #b23a2a #14151a #dfe6e4 #3f4f55"))
    for layer, (count, width) in enumerate(((16, 0.020), (22, 0.013), (26, 0.009), (26, 0.006), (22, 0.005))):
        for i in range(count):
            k = (layer * 3 + i) % len(inks)
            at = np.array([rng.random(), rng.random()])
            heading = rng.uniform(0, 2 * np.pi)
            spin = rng.normal(0, 0.22)
            pts = [at]
            for _ in range(int(rng.integers(26, 60))):
                spin = 0.86 * spin + rng.normal(0, 0.16)
                heading += spin
                at = at + 0.030 * np.array([np.cos(heading), np.sin(heading)])
                if not (-0.08 < at[0] < 1.08 and -0.08 < at[1] < 1.08):
                    heading += 1.6
                pts.append(at)
            path = curve([(float(q[0]), float(q[1])) for q in pts], closed=False, per=6) * m
            w = width * m * rng.uniform(0.5, 1.2)
            pieces = max(3, len(path) // 14)
            for piece in np.array_split(np.arange(len(path)), pieces):
                lo, hi = max(0, piece[0] - 2), min(len(path), piece[-1] + 3)
                swell = w * rng.uniform(0.45, 1.35)
                draw_stroke(c, resample(path[lo:hi], 14), swell, (inks[k] + rng.normal(0, 2, 3)).astype(np.float32),
                            Brush(0.01, bristles=5, streak=1.2, dry=0.0, pickup=0.02, height=0.75, taper=0.5), rng)
            for _ in range(16):
                q = path[rng.integers(len(path))] + rng.normal(0, 0.022 * m, 2)
                size = m * float(np.clip(rng.exponential(0.0035), 0.001, 0.014))
                drop = np.stack([q, q + rng.normal(0, size * 0.4, 2)]).astype(np.float32)
                draw_stroke(c, resample(drop, 4), size, inks[k].astype(np.float32), Brush(0.01, bristles=2, streak=1, pickup=0.0, dry=0.0, height=0.8, taper=0.9), rng)
    return light(c, 1.8, 0.5, 1.1, canvas_weave(m) * 0.2)


def gilded(n: int, rng: np.random.Generator) -> Array:
    m = n * 3 // 2
    s, angle = compose(m, rng, people.portrait, 0.3, p=palette(
        "#8a6a2a #c9a040 #f7e0c8 #e3b494 #a86a52 #d0605a #2a1614 #5a2a1f #8f4a2a #3f2f5f #b58f4a #f4e6c0 #1d1412 #d9a53f #a83f35"))
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
    relief = np.minimum(np.minimum(np.mod(bx, 1), 1 - np.mod(bx, 1)), np.minimum(np.mod(by, 1), 1 - np.mod(by, 1)))
    out = leaf.copy()
    height = 0.5 * step(relief, 0.0, 0.12)

    def spirals(count: int, low: tuple[float, float], high: tuple[float, float], region: Array, colours: Array, size: tuple[float, float]) -> None:
        nonlocal out, height
        for _ in range(count):
            cx, cy, r = rng.uniform(low[0], high[0]), rng.uniform(low[1], high[1]), rng.uniform(*size)
            d, a = np.hypot(s.x - cx, s.y - cy), np.arctan2(s.y - cy, s.x - cx)
            inside = (d < r) & region
            turns = np.mod(d / r * 3.2 - a * rng.choice([-1, 1]) / (2 * np.pi), 1)
            line = np.exp(-((turns - 0.5) / 0.16) ** 2) * inside
            k = colours[rng.integers(len(colours))]
            out = mix(out, k, inside.astype(np.float32) * 0.85)
            out = mix(out, gold[3], line * 0.95)
            height = np.where(inside, 0.35 + 0.55 * line, height)

    spirals(60, (0, 0), (1, 0.8), ~skin & ~hair & ~robe, np.concatenate([gold[1:3], palette("#7a4a1a #3f2a1a")]), (0.03, 0.075))
    cells = np.stack([np.floor(s.x * 17 + 0.5 * np.floor(s.y * 15)), np.floor(s.y * 15)], 2).astype(np.int64)
    key = np.unique(cells[..., 0] * 1000 + cells[..., 1], return_inverse=True)[1].reshape(m, m)
    pick = rng.integers(0, 7, int(key.max()) + 1)[key]
    gems = palette("#1d1a2a #b5332a #274f8f #f4e6c0 #3f7f5a #d9a93a #6a3f7a")
    fx, fy = np.mod(s.x * 17 + 0.5 * np.floor(s.y * 15), 1) - 0.5, np.mod(s.y * 15, 1) - 0.5
    shape = np.where(pick % 3 == 0, np.maximum(np.abs(fx), np.abs(fy)), np.where(pick % 3 == 1, np.hypot(fx, fy), np.abs(fx) + np.abs(fy) * 0.9))
    patch = mix(leaf, gems[pick], step(0.42 - shape, 0, 0.05))
    patch = mix(patch, gems[(pick + 3) % 7], step(0.26 - shape, 0, 0.04))
    patch = mix(patch, gold[3], step(0.12 - shape, 0, 0.03))
    out = np.where(robe[..., None], patch, out)
    height = np.where(robe, 0.4 + 0.3 * step(0.40 - shape, 0, 0.05), height)
    spirals(14, (0.15, 0.80), (0.85, 1.0), robe, gems[[0, 1, 2, 6]], (0.03, 0.06))
    c = Canvas(s.rgb)
    paint_layer(c, s.rgb, smooth_angle(angle, 2 * u), Brush(0.011, 4, 0.55, 8, jitter=(3.5, 4, 4), height=0.4), rng)
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
    Recipe("cubist-guitar", "Cubist guitar", "A table with a guitar broken into shaded facets; ochres, greys and greens.",
           ("oil", "facets", "still life", "muted"), cubist, 82),
    Recipe("geometric-abstraction", "Circles and lines", "Bauhaus-like discs, triangles and bars with brushed edges.",
           ("abstract", "flat", "bright"), geometric, 82),
    Recipe("art-nouveau", "Art nouveau", "Flat tints inside whiplash outlines, hair in locks and a floral ring.",
           ("poster", "outline", "portrait", "warm"), nouveau, 80),
    Recipe("marbled-paper", "Marbled paper", "Combed and swirled drops of ink floated on water.",
           ("abstract", "swirl", "bright"), marbled, 74),
    Recipe("poured-enamel", "Poured enamel", "Looping poured lines and splashes in many layers.",
           ("abstract", "splash", "dark"), poured, 74),
    Recipe("gilded-portrait", "Gilded portrait", "Gold-leaf tiles, spirals and jewel ornament around a painted face.",
           ("gold", "ornament", "portrait", "warm"), gilded, 74),
)
