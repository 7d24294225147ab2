"""Method ``grabcut``: colours of object and ground (Rother et al. 2004), seeded from clicks and boxes."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from scumble.backend.engines.base import Context

from . import merging
from .base import LEAST_AREA, Candidate, Floats, Prompt, distinct, overlap

#: Rounds of colour model and cut.
ROUNDS = 3
#: Radius of a click's certain disk, as a share of the picture's diagonal.
DISK = 0.012
#: How alike colours are, in Lab units, and how far a click reaches, as a share of the diagonal: three
#: guesses of what a click means.
REACH = ((14.0, 0.22), (26.0, 0.4), (9.0, 0.1))


class GrabCut:
    """Always there; knows colours and edges, not things."""

    name = "grabcut"
    label = "Colours"
    help = "Separates by colour and edges; needs nothing but is easily misled by busy pictures."
    side = 320

    def missing(self) -> str:
        """See :meth:`Method.missing`."""
        return ""

    def find(self, image: Floats, prompt: Prompt, key: str, context: Context) -> list[Candidate]:
        """See :meth:`Method.find`."""
        eight = np.ascontiguousarray((image[..., ::-1] * 255).round().astype(np.uint8))
        lab = np.asarray(cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2Lab), np.float32)
        guesses = [(0.0, 0.0)] if not prompt.points or prompt.before is not None else list(REACH)
        masks = []
        for done, (colour, reach) in enumerate(guesses):
            context.checkpoint()
            context.progress("select", done, len(guesses))
            seeds = _seeds(lab, prompt, colour, reach)
            masks.append(_connected(_cut(eight, seeds), prompt))
        found = []
        for mask in masks:
            # What all guesses agree about is likely meant.
            agreed = [overlap(mask, other) for other in masks if other is not mask] or [0.6]
            found.append(Candidate(mask.astype(np.float32), 0.9 * float(np.mean(agreed))))
        return distinct(found)

    def regions(self, image: Floats, most: int, key: str, context: Context) -> list[Candidate]:
        """See :meth:`Method.regions`: cells that are joined, where a cut for each click took a minute."""
        return merging.divided(image, most, LEAST_AREA, context)


def _seeds(lab: Floats, prompt: Prompt, colour: float, reach: float) -> NDArray[np.uint8]:
    height, width = lab.shape[:2]
    diagonal = float(np.hypot(height, width))
    seeds = np.full((height, width), cv2.GC_PR_BGD, np.uint8)
    if prompt.before is not None:
        seeds[prompt.before >= 0.5] = cv2.GC_PR_FGD
        # What is like a click that the earlier mask has wrong changes sides with it.
        alike = _alike(lab, prompt, REACH[0][0], REACH[0][1] * diagonal, wrong=prompt.before)
        seeds[alike > 0.35] = cv2.GC_PR_FGD
        seeds[alike < -0.35] = cv2.GC_PR_BGD
    elif prompt.box is not None and not any(p.positive for p in prompt.points):
        seeds[:] = cv2.GC_PR_FGD
    elif colour:
        seeds[_alike(lab, prompt, colour, reach * diagonal) > 0.35] = cv2.GC_PR_FGD
    if prompt.box is not None:
        x0, y0, x1, y1 = (round(v) for v in prompt.box)
        inside = np.zeros((height, width), bool)
        inside[max(0, y0) : max(1, y1), max(0, x0) : max(1, x1)] = True
        if prompt.before is None and colour == 0:
            seeds[inside] = cv2.GC_PR_FGD
        seeds[~inside] = cv2.GC_BGD
    radius = max(2, round(DISK * diagonal))
    for p in prompt.points:
        cv2.circle(seeds, (round(p.x), round(p.y)), radius, cv2.GC_FGD if p.positive else cv2.GC_BGD, -1)
    return seeds


def _alike(lab: Floats, prompt: Prompt, colour: float, reach: float, wrong: Floats | None = None) -> Floats:
    """How much more every place is like a positive click than like a negative one.

    :param wrong: an earlier mask: only clicks that it has wrong count.
    """
    height, width = lab.shape[:2]
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    smooth = cv2.GaussianBlur(lab, (0, 0), 1.5)
    best = {True: np.zeros((height, width), np.float32), False: np.zeros((height, width), np.float32)}
    for p in prompt.points:
        x, y = min(width - 1, max(0, round(p.x))), min(height - 1, max(0, round(p.y)))
        if wrong is not None and (wrong[y, x] >= 0.5) == p.positive:
            continue
        near = ((xs - x) ** 2 + (ys - y) ** 2) / (2 * reach**2)
        tone = ((smooth - smooth[y, x]) ** 2).sum(2) / (2 * colour**2)
        best[p.positive] = np.maximum(best[p.positive], np.exp(-near - tone))
    return best[True] - best[False]


def _cut(eight: NDArray[np.uint8], seeds: NDArray[np.uint8]) -> NDArray[np.bool_]:
    wanted = (seeds == cv2.GC_FGD) | (seeds == cv2.GC_PR_FGD)
    if not wanted.any() or wanted.all():
        return wanted
    mask = seeds.copy()
    ground, thing = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)
    try:
        cv2.grabCut(eight, mask, None, ground, thing, ROUNDS, cv2.GC_INIT_WITH_MASK)  # type: ignore[call-overload]
    except cv2.error:  # a colour model of fewer colours than it has parts
        return wanted
    return np.asarray((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD))


def _connected(mask: NDArray[np.bool_], prompt: Prompt) -> NDArray[np.bool_]:
    """Only the pieces that were clicked on; without clicks the largest piece."""
    count, labels, facts, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count <= 2:
        return mask
    clicked = {
        int(labels[min(mask.shape[0] - 1, max(0, round(p.y))), min(mask.shape[1] - 1, max(0, round(p.x)))])
        for p in prompt.points
        if p.positive
    } - {0}
    if not clicked:
        if prompt.before is not None:
            return mask
        clicked = {1 + int(facts[1:, cv2.CC_STAT_AREA].argmax())}
    return np.isin(labels, list(clicked))
