"""What is in the picture: coloured areas with a stroke direction each, drawn in unit coordinates."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from .fields import Array, Colour, combine_angles, grid, mix, noise

Points = Sequence[tuple[float, float]]


def curve(points: Points, closed: bool = True, per: int = 14) -> Array:
    """Catmull-Rom spline through the points, as a dense polyline (m, 2)."""
    p = np.asarray(points, np.float32)
    if closed:
        ext = np.concatenate([p[-1:], p, p[:2]])
    else:
        ext = np.concatenate([2 * p[:1] - p[1:2], p, 2 * p[-1:] - p[-2:-1]])
    t = np.linspace(0, 1, per, endpoint=False, dtype=np.float32)[:, None]
    out = []
    for i in range(len(ext) - 3):
        a, b, c, d = ext[i], ext[i + 1], ext[i + 2], ext[i + 3]
        out.append(
            0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        )
    out.append(p[:1] if closed else p[-1:])
    return np.concatenate(out).astype(np.float32)


def mirrored(profile: Points, cx: float) -> Array:
    """A turned shape (vase, bottle): (half width, y) from top to bottom, mirrored about x = cx."""
    half = curve(profile, closed=False)
    right = half * [1, 1] + [cx, 0]
    left = half[::-1] * [-1, 1] + [cx, 0]
    return np.concatenate([right, left]).astype(np.float32)


class Scene:
    """A composition: colour, stroke direction and area number for every pixel.

    :ivar rgb: (n, n, 3); :ivar angle: (n, n); :ivar label: (n, n) int32, one number per area;
    :ivar x, y: unit coordinates.
    """

    def __init__(self, n: int, rng: np.random.Generator, colour: Colour | Array = (0.5, 0.5, 0.5)) -> None:
        self.n = n
        self.rng = rng
        self.rgb = np.zeros((n, n, 3), np.float32)
        self.rgb[:] = np.asarray(colour, np.float32)
        self.angle = np.zeros((n, n), np.float32)
        self.label = np.zeros((n, n), np.int32)
        self.x, self.y = grid(n)
        self.areas = [1]
        self._corner = (0, 0)

    def window(self, cx: float, cy: float, radius: float) -> Scene:
        """The part within ``radius`` of a point, sharing this scene's pixels: quick for small things."""
        n = self.n
        x0, y0 = (min(max(int((c - radius) * n), 0), n - 1) for c in (cx, cy))
        x1, y1 = (min(max(int((c + radius) * n) + 2, lo + 1), n) for c, lo in ((cx, x0), (cy, y0)))
        part = object.__new__(Scene)
        part.n, part.rng, part.areas = n, self.rng, self.areas
        part._corner = (self._corner[0] + x0, self._corner[1] + y0)
        for name in ("rgb", "angle", "label", "x", "y"):
            setattr(part, name, getattr(self, name)[y0:y1, x0:x1])
        return part

    # Masks: (n, n) float32 in [0, 1].

    def polygon(self, points: Points | Array) -> Array:
        """Filled polygon."""
        mask = np.zeros(self.x.shape, np.uint8)
        p = np.asarray(points, np.float64)
        fixed = np.round((p * self.n - 0.5 - np.array(self._corner)) * 16).astype(np.int32)
        cv2.fillPoly(mask, [fixed], 255, cv2.LINE_AA, 4)
        return mask.astype(np.float32) / 255

    def shape(self, points: Points) -> Array:
        """Filled smooth closed curve through the points."""
        return self.polygon(curve(points))

    def ellipse(self, cx: float, cy: float, rx: float, ry: float, turn: float = 0.0) -> Array:
        """Filled ellipse, turned by radians."""
        t = np.linspace(0, 2 * np.pi, 60, endpoint=False)
        px, py = rx * np.cos(t), ry * np.sin(t)
        c, s = np.cos(turn), np.sin(turn)
        return self.polygon(np.stack([cx + px * c - py * s, cy + px * s + py * c], 1))

    def limb(self, points: Points, widths: Sequence[float]) -> Array:
        """A tapering branch along a smooth path; widths at the given points."""
        p = curve(points, closed=False)
        w = np.interp(np.linspace(0, 1, len(p)), np.linspace(0, 1, len(widths)), widths)
        t = np.gradient(p, axis=0)
        t /= np.linalg.norm(t, axis=1, keepdims=True) + 1e-9
        side = np.stack([-t[:, 1], t[:, 0]], 1) * (w / 2)[:, None]
        return self.polygon(np.concatenate([p + side, (p - side)[::-1]]))

    def below(self, line: Array) -> Array:
        """Everything below a horizon line given as y for n columns, in unit lengths."""
        return np.clip((self.y - line[None, :]) * self.n + 0.5, 0, 1).astype(np.float32)

    def ridge(self, base: float, height: float, cells: float, octaves: int = 4) -> Array:
        """A random horizon line (n,), hills of ``height`` around ``base``."""
        row = noise(self.rng, self.n, cells, octaves)[self.n // 2]
        return (base - height * row).astype(np.float32)

    # Painting.

    def fill(
        self,
        mask: Array,
        colour: Colour | Array,
        angle: Array | float | None = None,
        label: int | None = None,
    ) -> int:
        """Lays a colour (one, or a picture) into the mask; returns the area's number."""
        if label is None:
            label = self.areas[0]
            self.areas[0] += 1
        x, y, w, h = cv2.boundingRect((mask > 0.004).astype(np.uint8))
        if w == 0:
            return label
        cut = np.s_[y : y + h, x : x + w]
        part = mask[cut]
        self.rgb[cut] = mix(self.rgb[cut], self._picture(colour)[cut], part)
        solid = part > 0.5
        self.label[cut][solid] = label
        if angle is not None:
            self.angle[cut][solid] = np.broadcast_to(np.asarray(angle, np.float32), mask.shape)[cut][solid]
        return label

    def _picture(self, colour: Colour | Array) -> Array:
        return np.broadcast_to(np.asarray(colour, np.float32), self.rgb.shape)

    def shade(self, mask: Array, colour: Colour | Array, amount: float | Array) -> None:
        """Mixes a colour into the mask without making a new area."""
        self.rgb[:] = mix(self.rgb, self._picture(colour), np.clip(mask * amount, 0, 1))

    def turn(self, mask: Array, angle: Array | float, share: float = 1.0) -> None:
        """Changes the stroke direction inside the mask."""
        field = np.broadcast_to(np.asarray(angle, np.float32), mask.shape)
        self.angle[:] = combine_angles(self.angle, field, np.clip(mask, 0, 1) * share)

    def around(self, cx: float, cy: float, stretch: float = 1.0) -> Array:
        """Directions that circle a point."""
        return np.arctan2((self.x - cx) * stretch, -(self.y - cy))

    def towards(self, cx: float, cy: float) -> Array:
        """Directions that point to a point."""
        return np.arctan2(self.y - cy, self.x - cx)

    def ball(
        self, cx: float, cy: float, rx: float, ry: float, light: tuple[float, float] = (-0.5, -0.6)
    ) -> tuple[Array, Array]:
        """Brightness in [0, 1] of a lit ellipsoid, and its height (1 in the middle, 0 at the rim)."""
        dx, dy = (self.x - cx) / rx, (self.y - cy) / ry
        z = np.sqrt(np.clip(1 - dx * dx - dy * dy, 0, 1))
        lz = np.sqrt(max(0.05, 1 - light[0] ** 2 - light[1] ** 2))
        return np.clip(dx * light[0] + dy * light[1] + z * lz, 0, 1).astype(np.float32), z


def three_tones(shade: Array, dark: Colour | Array, middle: Colour | Array, bright: Colour | Array) -> Array:
    """A picture from brightness in [0, 1]: shadow, local colour, light."""
    s = shade[..., None]
    dark, middle, bright = (np.asarray(c, np.float32) for c in (dark, middle, bright))
    low = dark + (middle - dark) * np.clip(s / 0.55, 0, 1)
    return (low + (bright - middle) * np.clip((s - 0.55) / 0.45, 0, 1)).astype(np.float32)
