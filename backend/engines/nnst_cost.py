"""What things cost, for progress and estimates.

In units of one pass of the small network over a megapixel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .nnst_ground import Ground
from .nnst_plan import Scale
from .nnst_polish import Last
from .nnst_style import Eyes

#: Feature-splitting steps for one finishing pass, as a share of a scale's steps.
SPLIT_SHARE = 0.25
MATCH, DECODE, STEP, STEP_VGG = 6.0, 4.0, 4.4, 75.0
#: Of a step of feature splitting beside the usual: every layer is searched.
SPLIT = 8.0


def match_cost(ground: Ground) -> float:
    """Of one matching."""
    return MATCH * sum(float((s > 0).sum()) for s in ground.cell_shares) * 16e-6


def decode_cost(ground: Ground) -> float:
    """Of one decoding."""
    return DECODE * sum(float((s > 0).sum()) for s in ground.cell_shares) * 16e-6


def step_cost(ground: Ground, eyes: Eyes, more: float = 0.0) -> float:
    """Of one step of optimisation; ``more`` beside the usual for each megapixel."""
    each = (STEP_VGG if eyes.look.name == "vgg16" else STEP) + more
    return each * float((ground.weight > 0).sum()) * 16e-6


def planned_cost(
    options: Mapping[str, Any],
    area: float,
    sizes: Sequence[Scale],
    full: int,
    vgg: bool,
    last: Last | None = None,
) -> float:
    """What a piece will cost, before it is begun.

    :param area: drawn pixels at the working size.
    :param vgg: whether VGG-16 looks throughout.
    :param last: who does the last strokes.
    """
    total, each = 0.0, STEP_VGG if vgg else STEP
    for i, scale in enumerate(sizes):
        own = area / scale.shrink**2 * 1e-6
        passes = 1 + (int(options["finish"]) if i == len(sizes) - 1 else 0)
        if options["mode"] == "optimise":
            steps = int(options["steps"])
            total += own * (MATCH + steps * (each + (each + SPLIT) * SPLIT_SHARE * (passes - 1)))
        else:
            total += own * (MATCH + DECODE) * passes
    if last is not None:
        total += area * 1e-6 * last.steps(area) * (each + last.cost)
    if full > 1:
        large = area * full * full * 1e-6
        total += large * DECODE
        if options["mode"] == "optimise" and full == 2:
            afar = 0.0 if last is None else last.cost / full**2
            total += large * (each + afar) * options["steps"] / 2
    return total
