"""The fast engine's last strokes: a few steps of descending on the moments VGG-16 would see in a region.

A decoder that paints everything in one pass draws what is common well and what is particular to a
painting only in part: its larger shapes, above all, which hardly fit into a small region.  What engine
``nnst`` ends with helps here as well: a bundled branch foretells VGG-16's features, the region's means and
second moments are compared with the painting's, and their difference is followed down by the pixels.
A step costs as much as painting the region ten times, so only small regions get some unasked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from scumble.backend.nn.nnst_colour import with_hues_of
from scumble.backend.nn.nnst_features import CELL
from scumble.backend.nn.nnst_pyramid import collapse, laplacian

from .base import Context, Job, JobRegion, Option
from .colour import hues_let_in
from .descent_adam import Adam
from .nnst_descent import COLOUR_WEIGHT, spread
from .nnst_ground import Ground, fit
from .nnst_models import foretold
from .nnst_polish import LEAST, Polish, box_around
from .shared_options import METHOD

LAST_STROKES = Option(
    "last_strokes",
    "Last strokes",
    "choice",
    "auto",
    "Works over what was painted until it has more of the painting's own shapes: auto, only where that takes"
    " a third of a second; few or many, everywhere, for some seconds more.",
    choices=("auto", "off", "few", "many"),
    group=METHOD,
)
#: How many there are where they are asked for.
FEW, MANY = 6, 16
#: Unasked: pixels looked at times strokes that they may come to (0.35 s on two cores), most and least.
AUTO_PIXELS, AUTO_MOST, AUTO_LEAST = 160_000, 4, 2
#: Adam's rate at the first stroke, falling to a quarter; the most, and times the square root of how many
#: there are.  At the published one (2e-3) twice as many would come as far.
RATE_MOST, RATE_ALL = 1e-2, 0.024
#: Slopes well below this share of a band's usual one are not followed all the way.
LEAST_SLOPE = 0.3
#: What nearness to the content's relu4_1 counts beside the painting's moments where *Detail* is 1; it goes
#: with the square of that.
HOLD = 0.4
#: Pixels at which a region is looked at; a larger one is looked at reduced.
MOST_PIXELS = 1 << 18
#: What a pixel takes at its peak: activations on the way back; and the painting, looked at once.
STEP_BYTES, STYLE_BYTES = 1400, 300 << 20


@dataclass(frozen=True)
class Plan:
    """What the last strokes of a job are.

    :param steps: how many; 0 for none.
    :param boxes: (rows, columns) that are looked at for each region; ``None`` for a region that is left
        as it is.
    """

    steps: int
    boxes: tuple[tuple[slice, slice] | None, ...]

    @classmethod
    def of(cls, job: Job) -> Plan:
        """For a job at the size at which it is painted."""
        wanted = job.options["last_strokes"]
        if wanted == "off" or job.options["draft"] or job.options["parity"]:
            return cls(0, ())
        whole = job.options["method"] != "partial-conv"
        height, width = job.content.shape[-2:]
        everything = slice(0, height), slice(0, width)
        boxes = tuple(everything if whole else _box(r) for r in job.regions)
        if not any(boxes):
            return cls(0, ())
        if wanted != "auto":
            return cls(FEW if wanted == "few" else MANY, boxes)
        pixels = sum((y.stop - y.start) * (x.stop - x.start) for y, x in filter(None, boxes))
        steps = min(AUTO_MOST, AUTO_PIXELS // pixels)
        return cls(steps if steps >= AUTO_LEAST else 0, boxes)


def estimate_bytes(pixels: int, regions: int, options: Mapping[str, Any]) -> int:
    """What they may take at the peak for a crop of so many pixels."""
    wanted, unasked = options["last_strokes"], AUTO_PIXELS // AUTO_LEAST
    # The crop of a single region is what is looked at; several may be small and far apart.
    too_large = wanted == "auto" and regions == 1 and pixels > unasked
    if wanted == "off" or options["draft"] or too_large:
        return 0
    return min(pixels, unasked if wanted == "auto" else MOST_PIXELS) * STEP_BYTES + STYLE_BYTES


def _box(region: JobRegion) -> tuple[slice, slice] | None:
    if float(region.mask.sum()) < LEAST or region.strength <= 0:
        return None
    return box_around(region.mask, 8)  # on whole coarse cells, as the engine itself looks


def added(
    job: Job, image: Tensor, alpha: Tensor, shares: Sequence[Tensor], context: Context,
    plan: Plan, told: Callable[[int], None],
) -> Tensor:  # fmt: skip
    """The picture after them.

    Regions are worked over one after the other: where they overlap each moves its own share only.

    :param image: (3, H, W), what was painted.
    :param alpha: (H, W), how much of it will show; strokes settle against what lies outside.
    :param shares: (H, W) per region, adding up to one.
    :param told: called after every stroke with how many of the ``steps`` times regions are done.
    :raises Cancelled: soon after the context is cancelled.
    """
    image = image.clone()
    for index, (region, share, box) in enumerate(zip(job.regions, shares, plan.boxes, strict=True)):
        if box is None or context.enough.is_set():
            continue
        cut = (..., *box)
        drawn = region.mask if job.options["method"] == "partial-conv" else torch.ones_like(alpha)
        part, own = image[cut], (drawn[cut], alpha[cut], share[cut])
        first = index * plan.steps
        with context.watched():
            change = _change(
                job.content[cut],
                part,
                own,
                region,
                plan.steps,
                context,
                _from(first, told),
            )
        image[cut] = (part + change * (share[cut] * region.strength)).clamp(0, 1)
    return image


def _from(first: int, told: Callable[[int], None]) -> Callable[[int], None]:
    return lambda done: told(first + done)


def _change(
    content: Tensor,
    image: Tensor,
    masks: tuple[Tensor, Tensor, Tensor],
    region: JobRegion,
    steps: int,
    context: Context,
    told: Callable[[int], None],
) -> Tensor:
    """What a region's strokes add to a (3, H, W) picture.

    :param masks: what was drawn, how much will show, the region's share; (H, W) each.
    """
    height, width = content.shape[-2:]
    most = min(MOST_PIXELS, context.tile**2)
    factor = min(1.0, (most / (height * width)) ** 0.5)
    size = (max(8, round(height * factor)), max(8, round(width * factor)))
    drawn, cover, share = (m.to(context.device) for m in masks)
    ground = Ground.of(content.to(context.device), drawn, cover, (share,), size)
    # What was painted beyond the edge is nobody's business: it hangs on regions far away.
    start = torch.where(ground.cover > 0, fit(image.to(context.device), size), ground.content)
    scale = float(region.options["style_scale"]) * factor
    seen = replace(region, options={**region.options, "style_scale": scale})
    hold = HOLD * float(region.options["detail"]) ** 2
    polish = Polish(foretold(str(context.device)), ground, fit(drawn, size), [seen], context, hold)
    after = _descended(start, ground, polish, steps, context, told)
    after = with_hues_of(after, torch.lerp(start, after, hues_let_in(region, context)))
    change = (after - start).to(image)
    return F.interpolate(change[None], (height, width), mode="bilinear", align_corners=False)[0]


def _descended(
    start: Tensor, ground: Ground, polish: Polish, steps: int, context: Context, told: Callable[[int], None]
) -> Tensor:
    bands = [b.clone().requires_grad_() for b in laplacian(start)]
    rate = min(RATE_MOST, RATE_ALL / steps**0.5)
    adam = [Adam(b, LEAST_SLOPE) for b in bands]
    share = ground.shares[0]
    weight = _cells(ground.cover[None])
    weight = weight / weight.sum().clamp_min(1e-6)
    tones = _cells(ground.over(start))
    for step in range(steps):
        composite = ground.over(torch.lerp(start, collapse(bands), share))
        seen = composite.detach().requires_grad_()
        # Features say little of how strong a colour is: the mean of every cell is held.
        drift = ((_cells(seen) - tones).abs().mean(0) * weight[0]).sum()
        (polish(seen) + COLOUR_WEIGHT * drift).backward()
        assert seen.grad is not None
        composite.backward(spread(seen.grad))
        for one in adam:
            one.step(rate * (1.0 - 0.75 * step / steps))
        told(step + 1)
        if context.enough.is_set():
            break
    with torch.no_grad():
        return collapse(bands).clamp(0, 1)


def _cells(x: Tensor) -> Tensor:
    """(C, H, W) averaged over cells; one at the end may be smaller."""
    return F.avg_pool2d(x, CELL, ceil_mode=True)
