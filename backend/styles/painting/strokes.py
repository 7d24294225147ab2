"""The brush: strokes traced through a direction field and drawn bristle by bristle, with paint height.

Coarse-to-fine layering follows Hertzmann, "Painterly rendering with curved brush strokes of multiple
sizes" (SIGGRAPH 1998), with a given direction field instead of image gradients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from .fields import Array, blur, from_lab, to_lab

_SHIFT = 4


@dataclass(frozen=True)
class Brush:
    """How strokes of one layer look.

    :param width: of a stroke, in unit lengths.
    :param length: of a stroke, in widths.
    :param spacing: distance of the stroke grid, in widths.
    :param bristles: drawn lines per stroke.
    :param threshold: colour error (Lab units) above which a place is painted; 0 paints everywhere.
    :param keep: share of the eligible places that get a stroke.
    :param jitter: standard deviation of the stroke colour in Lab (L, a, b).
    :param streak: standard deviation of the bristle colour in L units.
    :param pickup: share of wet paint below that a stroke takes with it.
    :param dry: 0 = loaded brush, 1 = bristles break off early.
    :param bend: random turn of the stroke direction, radians.
    :param stop: colour change (Lab units) at which a stroke ends.
    :param height: of the paint, 0-1.
    :param taper: how pointed the ends are: 0 square (flat brush), 1 pointed (round brush).
    """

    width: float
    length: float = 5.0
    spacing: float = 0.6
    bristles: int = 12
    threshold: float = 0.0
    keep: float = 1.0
    jitter: tuple[float, float, float] = (3.0, 2.0, 2.0)
    streak: float = 4.0
    pickup: float = 0.15
    dry: float = 0.2
    bend: float = 0.1
    stop: float = 22.0
    height: float = 0.5
    taper: float = 0.4


class Canvas:
    """Colour and paint height, drawn in 8 bits: (n, n, 4) as RGB and height."""

    def __init__(self, ground: Array) -> None:
        n = ground.shape[0]
        self.n = n
        self.data = np.zeros((n, n, 4), np.uint8)
        self.data[..., :3] = np.clip(ground * 255 + 0.5, 0, 255)
        self.data[..., 3] = 40

    @property
    def colour(self) -> Array:
        """RGB float (n, n, 3)."""
        return self.data[..., :3].astype(np.float32) / 255

    @property
    def height(self) -> Array:
        """Paint height in [0, 1]."""
        return self.data[..., 3].astype(np.float32) / 255


def trace(
    angle: Array,
    start: Array,
    lengths: Array,
    steps: int,
    rng: np.random.Generator,
    bend: float,
    lab: Array | None = None,
    stop: float = 1e9,
    labels: Array | None = None,
) -> tuple[Array, Array]:
    """Follows the field from the middle of each stroke to both of its ends.

    :param start: (k, 2) pixel positions (x, y).
    :param lengths: (k,) whole lengths in pixels.
    :param lab: colours that the stroke must not leave by more than ``stop``.
    :param labels: areas whose borders end a stroke.
    :return: paths (k, 2*steps+1, 2), and which of their points are alive (k, 2*steps+1).
    """
    n = angle.shape[0]
    k = len(start)
    path = np.zeros((k, 2 * steps + 1, 2), np.float32)
    alive = np.zeros((k, 2 * steps + 1), bool)
    path[:, steps], alive[:, steps] = start, True
    stride = (lengths / (2 * steps))[:, None]
    turn = rng.standard_normal(k) * bend
    at = np.clip(start.astype(np.int32), 0, n - 1)
    home = lab[at[:, 1], at[:, 0]] if lab is not None else None
    own = labels[at[:, 1], at[:, 0]] if labels is not None else None
    for sign in (1, -1):
        p = start.astype(np.float32).copy()
        a0 = angle[at[:, 1], at[:, 0]] + turn
        direction = np.stack([np.cos(a0), np.sin(a0)], 1) * sign
        going = np.ones(k, bool)
        for i in range(1, steps + 1):
            p = p + direction * stride
            q = np.clip(p.astype(np.int32), 0, n - 1)
            if home is not None and lab is not None:
                going &= np.abs(lab[q[:, 1], q[:, 0]] - home).sum(1) < stop
            if own is not None and labels is not None:
                going &= labels[q[:, 1], q[:, 0]] == own
            path[:, steps + sign * i] = p
            alive[:, steps + sign * i] = going
            a = angle[q[:, 1], q[:, 0]] + turn
            new = np.stack([np.cos(a), np.sin(a)], 1)
            new *= np.where((new * direction).sum(1) < 0, -1, 1)[:, None]
            direction = 0.5 * direction + 0.5 * new
            direction /= np.linalg.norm(direction, axis=1, keepdims=True) + 1e-6
    return path, alive


def resample(points: Array, count: int) -> Array:
    """``count`` points evenly along a polyline (m, 2)."""
    d = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    if d[-1] < 1e-6:
        return np.repeat(points[:1], count, 0)
    t = np.linspace(0, d[-1], count)
    return np.stack([np.interp(t, d, points[:, 0]), np.interp(t, d, points[:, 1])], 1).astype(np.float32)


def normals(points: Array) -> Array:
    """Unit normals along a polyline (m, 2)."""
    t = np.gradient(points, axis=0)
    t /= np.linalg.norm(t, axis=1, keepdims=True) + 1e-6
    return np.stack([-t[:, 1], t[:, 0]], 1)


def draw_stroke(
    canvas: Canvas, points: Array, width: float, colour: Array, brush: Brush, rng: np.random.Generator
) -> None:
    """One stroke along ``points`` (m, 2) in pixels, ``colour`` in Lab."""
    count = brush.bristles
    m = len(points)
    t = np.linspace(0, 1, m)
    edge = np.linspace(-1, 1, count) if count > 1 else np.zeros(1)
    offset = edge + rng.normal(0, 0.6 / count, count)
    end = np.minimum(t, 1 - t) * 2
    profile = np.clip(end / max(brush.taper, 0.02), 0, 1) ** 0.5 * (1 - 0.15 * t)
    side = normals(points)
    lines = points[None] + side[None] * (offset[:, None] * profile[None] * width / 2)[..., None]
    n = canvas.n
    streak = rng.normal(0, brush.streak, count)
    lab = np.repeat(colour[None], count, 0)
    lab[:, 0] += streak
    if brush.pickup > 0:
        q = np.clip(lines[:, min(1, m - 1)].astype(np.int32), 0, n - 1)
        below = to_lab(canvas.data[q[:, 1], q[:, 0], :3].astype(np.float32) / 255)
        share = brush.pickup * rng.random((count, 1)) * 2
        lab = lab * (1 - share) + below * share
    paint = np.zeros((count, 4))
    paint[:, :3] = from_lab(lab) * 255
    ridge = 0.35 * (np.abs(edge) > 0.75) + 0.12 * rng.standard_normal(count)
    paint[:, 3] = np.clip(60 + 190 * brush.height * (0.65 + ridge), 5, 255)
    first = (rng.random(count) * 0.08 * m).astype(int)
    last = m - (rng.random(count) ** 2 * (0.1 + 0.6 * brush.dry) * m).astype(int)
    thick = max(1, round(width / count * 1.7))
    fixed = (lines * (1 << _SHIFT)).astype(np.int32)
    order = rng.permutation(count)
    for b in order:
        piece = fixed[b, first[b] : max(last[b], first[b] + 2)]
        cv2.polylines(canvas.data, [piece], False, paint[b].tolist(), thick, cv2.LINE_AA, _SHIFT)
    if brush.height > 0.3 and m > 3:
        # Paint piles up where the brush leaves the canvas.
        tip = (lines[:, -2] * (1 << _SHIFT)).astype(np.int32)
        top = [*(colour_at(colour) * 255).tolist(), min(255.0, 90 + 190 * brush.height)]
        if rng.random() < 0.12:
            cv2.polylines(canvas.data, [tip], False, top, max(1, thick), cv2.LINE_AA, _SHIFT)


def colour_at(lab: Array) -> Array:
    """A single Lab colour as RGB."""
    return from_lab(lab[None])[0]


def paint_layer(
    canvas: Canvas,
    reference: Array,
    angle: Array,
    brush: Brush,
    rng: np.random.Generator,
    where: Array | None = None,
    labels: Array | None = None,
    colours: Array | None = None,
) -> int:
    """Covers the canvas with one layer of strokes; returns how many were drawn.

    :param where: map of the probability that a place is painted.
    :param labels: areas whose borders end a stroke.
    :param colours: (k, 3) RGB: strokes take the nearest of these instead of the reference's own colour.
    """
    n = canvas.n
    width = brush.width * n
    pitch = max(2.0, width * brush.spacing)
    steps = np.arange(pitch / 2, n, pitch)
    gx, gy = np.meshgrid(steps, steps)
    start = np.stack([gx.ravel(), gy.ravel()], 1) + rng.uniform(-0.5, 0.5, (gx.size, 2)) * pitch
    start = np.clip(start, 0, n - 1).astype(np.float32)
    at = start.astype(np.int32)
    lab = to_lab(blur(reference, max(0.5, width * 0.18)))
    wanted = rng.random(len(start)) < brush.keep
    if where is not None:
        wanted &= rng.random(len(start)) < where[at[:, 1], at[:, 0]]
    if brush.threshold > 0:
        error = np.abs(to_lab(blur(canvas.colour, width * 0.25)) - lab).sum(2)
        wanted &= error[at[:, 1], at[:, 0]] > brush.threshold
    start, at = start[wanted], at[wanted]
    k = len(start)
    if k == 0:
        return 0
    lengths = width * brush.length * rng.uniform(0.6, 1.25, k)
    path, alive = trace(angle, start, lengths, 5, rng, brush.bend, lab, brush.stop, labels)
    colour = lab[at[:, 1], at[:, 0]]
    if colours is not None:
        table = to_lab(colours)
        colour = table[((colour[:, None] - table[None]) ** 2).sum(2).argmin(1)]
    colour = colour + rng.standard_normal((k, 3)) * np.array(brush.jitter)
    widths = width * rng.uniform(0.75, 1.2, k)
    for i in rng.permutation(k):
        points = path[i][alive[i]]
        if len(points) < 2:
            continue
        if rng.random() < 0.5:
            points = points[::-1]
        draw_stroke(canvas, points, float(widths[i]), colour[i].astype(np.float32), brush, rng)
    return k


def paint(
    canvas: Canvas,
    reference: Array,
    angle: Array,
    brushes: Sequence[Brush],
    rng: np.random.Generator,
    labels: Array | None = None,
    colours: Array | None = None,
) -> None:
    """All layers, coarse to fine."""
    for brush in brushes:
        paint_layer(canvas, reference, angle, brush, rng, None, labels, colours)


def light(
    canvas: Canvas, depth: float = 1.0, gloss: float = 0.15, fine: float = 0.8, weave: Array | None = None
) -> Array:
    """The canvas lit from the upper left, paint ridges catching the light.

    :param weave: canvas relief to add, in [0, 1] units of height, stronger where paint is thin.
    """
    h = canvas.height
    if weave is not None:
        h = h + weave * (1.0 - 0.75 * np.clip(h * 1.5, 0, 1))
    h = blur(h, fine)
    gx = cv2.Sobel(h, cv2.CV_32F, 1, 0, ksize=3)
    gy = cv2.Sobel(h, cv2.CV_32F, 0, 1, ksize=3)
    facing = gx * 0.62 + gy * 0.78
    lit = np.clip(1 + 0.55 * depth * facing, 0.45, 1.6)
    shine = np.clip(facing * 1.2 - 0.25, 0, 1) ** 2 * gloss * 4
    return np.clip(canvas.colour * lit[..., None] + shine[..., None], 0, 1)
