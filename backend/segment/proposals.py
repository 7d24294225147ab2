"""Without a click: the picture's subject, and all of its regions."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from scumble.backend.engines.base import Context

from .base import LEAST_AREA, Candidate, Floats, Method, Prompt, distinct, overlap
from .simulated import Click

#: Clicks along each side of the grid with which all regions are looked for.
GRID = 7
#: Most likeness of two regions.
ALIKE = 0.6


def salience(image: Floats) -> Floats:
    """(H, W) in [0, 1]: how little a place is like the picture's border, and how central it is.

    Distance of colours from the border's (Mahalanobis), which is mostly ground, times a wide bump.
    """
    height, width = image.shape[:2]
    lab = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2Lab)
    lab = cv2.GaussianBlur(lab, (0, 0), max(1.0, min(height, width) / 100))
    rim = max(1, min(height, width) // 20)
    sides = (lab[:rim], lab[-rim:], lab[:, :rim], lab[:, -rim:])
    far = []
    for side in sides:
        flat = side.reshape(-1, 3).astype(np.float64)
        spread = np.linalg.inv(np.cov(flat.T) + 25 * np.eye(3))
        off = lab.reshape(-1, 3) - flat.mean(0)
        far.append(np.sqrt(np.einsum("ni,ij,nj->n", off, spread, off)).reshape(height, width))
    unlike = np.sort(np.stack(far), axis=0)[:2].mean(0)
    ys, xs = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)[None, :]
    central = np.exp(-(xs**2 + ys**2) / (2 * 0.45**2))
    found = cv2.GaussianBlur((unlike * central).astype(np.float32), (0, 0), max(1.0, min(height, width) / 40))
    return np.asarray(found / max(float(found.max()), 1e-6), np.float32)


def subject(method: Method, image: Floats, key: str, context: Context) -> list[Candidate]:
    """What the picture is of: a few guesses of where it is, the most convincing answer first."""
    height, width = image.shape[:2]
    where = salience(image)
    inset = (0.04 * width, 0.04 * height, 0.96 * width, 0.96 * height)
    y, x = np.unravel_index(int(where.argmax()), where.shape)
    tall = where >= min(0.45, float(where.max()))  # a plain picture stands out nowhere
    rows, columns = np.flatnonzero(tall.any(1)), np.flatnonzero(tall.any(0))
    tight = (float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
    prompts = (
        Prompt((Click(float(x), float(y)),)),
        Prompt((Click(float(x), float(y)),), tight),
        Prompt((), inset),
        Prompt((Click(width / 2, height / 2),)),
    )
    found: list[Candidate] = []
    for done, prompt in enumerate(prompts):
        context.checkpoint()
        context.progress("select", done, len(prompts))
        for one in method.find(image, prompt, key, context)[:2]:
            found.append(Candidate(one.mask, one.score * _convincing(one.mask, where)))
    return distinct(sorted(found, key=lambda c: -c.score), 0.85)


def _convincing(mask: Floats, where: Floats) -> float:
    """A subject stands out, and does not run along the picture's border."""
    hard = mask >= 0.5
    area = float(hard.mean())
    if area < 0.005 or area > 0.9:
        return 0.05
    rim = np.concatenate([hard[0], hard[-1], hard[:, 0], hard[:, -1]])
    inside = float(where[hard].mean())
    holds = float(where[hard].sum() / (where.sum() + 1e-6))
    return float(np.sqrt(inside * holds) * (1 - 0.7 * rim.mean()) * min(1.0, area / 0.03))


def everything(method: Method, image: Floats, most: int, key: str, context: Context) -> list[Candidate]:
    """All regions, the largest first, without those that repeat others."""
    found = method.regions(image, most, key, context)
    if found is None:
        found = _by_grid(method, image, key, context)
    found = sorted(found, key=lambda c: -c.score)
    kept: list[Candidate] = []
    for one in found:
        hard = one.mask >= 0.5
        if all(overlap(hard, k.mask >= 0.5) < ALIKE for k in kept):
            kept.append(one)
    kept = kept[:most]
    return sorted(kept, key=lambda c: -float(c.mask.sum()))


def _by_grid(method: Method, image: Floats, key: str, context: Context) -> list[Candidate]:
    """What a grid of clicks finds, where nothing was found yet."""
    height, width = image.shape[:2]
    found: list[Candidate] = []
    covered = np.zeros((height, width), bool)
    clicks = _grid(height, width)
    for done, click in enumerate(clicks):
        context.checkpoint()
        context.progress("select", done, len(clicks))
        if covered[round(click.y), round(click.x)]:
            continue
        for one in method.find(image, Prompt((click,)), key, context)[:1]:
            hard = one.mask >= 0.5
            if LEAST_AREA < hard.mean() < 0.95 and hard[round(click.y), round(click.x)]:
                found.append(one)
                covered |= hard
    return found


def _grid(height: int, width: int) -> list[Click]:
    places: NDArray[np.float64] = (np.arange(GRID) + 0.5) / GRID
    # From the middle outwards: what matters claims its place first.
    cells = [(x * width, y * height) for y in places for x in places]
    cells.sort(key=lambda c: (c[0] / width - 0.5) ** 2 + (c[1] / height - 0.5) ** 2)
    return [Click(float(int(x)), float(int(y))) for x, y in cells]
