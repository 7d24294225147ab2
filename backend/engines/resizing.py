"""The size at which the fast engine paints a job, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from . import colour
from .base import Context, Job, Painted
from .edges import coverage

#: Thickness below which a region is painted enlarged, in pixels.
THIN = 40.0
#: Largest enlargement, and the largest area in pixels that an enlarged crop may reach.
MAX_ENLARGE, ENLARGED_AREA = 6.0, 1 << 20
#: Crops with a shorter side than this are not reduced: they are quick as they are.
DRAFT_SIDE = 256
#: Least size at which a draft, or wide strokes, are painted.
SMALLEST = 0.5


def _reduction(job: Job) -> float:
    """Size at which to paint, as a share of the job's.

    The network lays strokes of a certain width in pixels, whatever the style picture's size: a style
    shown larger only gives it larger shapes to fill with them.  So wide strokes are painted small.
    """
    if job.options["method"] != "partial-conv":
        return 1.0
    widest = min(r.options["style_scale"] for r in job.regions)
    return SMALLEST if job.options["draft"] else min(1.0, max(SMALLEST, 1.0 / widest))


def resized(job: Job, context: Context) -> Job:
    """The job at the size at which it is painted.

    Enlarged when its regions are too small or thin for features at 1/8 of the size; reduced for a
    draft or for wide strokes; else the job itself.
    """
    found = coverage(job, context)
    radius = found.radius
    height, width = found.union.shape
    factor = 1.0
    if np.isfinite(radius) and job.options["method"] == "partial-conv":
        factor = min(
            MAX_ENLARGE, THIN / max(1.0, 2 * radius), float(np.sqrt(ENLARGED_AREA / (height * width)))
        )
    factor = max(factor, 32 / min(height, width))
    if factor < 1.1:
        factor = _reduction(job)
        if factor > 0.9 or radius < THIN / factor or min(height, width) < DRAFT_SIDE:
            return job
    size = (round(width * factor), round(height * factor))

    def fit(x: Tensor, kind: int) -> Tensor:
        planes = x if x.ndim == 3 else x[None]
        kind = cv2.INTER_AREA if factor < 1 else kind
        big = [cv2.resize(p.numpy(), size, interpolation=kind).clip(0, 1) for p in planes]
        return torch.from_numpy(np.stack(big) if x.ndim == 3 else big[0])

    def scaled(options: Mapping[str, Any]) -> dict[str, Any]:
        # Strokes and feathers are given in image pixels, which are now of another size.
        stroke = options["style_scale"] * (factor if factor < 1 else 1.0)
        return {**options, "feather": min(200.0, options["feather"] * factor), "style_scale": stroke}

    return replace(
        job,
        content=fit(job.content, cv2.INTER_CUBIC),
        opacity=fit(job.opacity, cv2.INTER_LINEAR),
        regions=tuple(
            replace(
                r,
                mask=fit(r.mask, cv2.INTER_LINEAR),
                options=scaled(r.options),
                key=r.key and f"{r.key}/{size[0]}x{size[1]}",
            )
            for r in job.regions
        ),
        options=scaled(job.options),
        key=f"{job.key}/{size[0]}x{size[1]}",
    )


def restored(painted: Painted, small: Job, job: Job, context: Context) -> Painted:
    """Bring the result back to the job's size; never beyond the masks that were drawn."""
    height, width = job.content.shape[-2:]
    smaller = small.content.shape[-1] < width

    def fit(x: Tensor) -> Tensor:
        return F.interpolate(x, (height, width), mode="bilinear", antialias=not smaller, align_corners=False)

    image = fit(painted.image[None])[0]
    if smaller:
        # What halving lost of the layer: its finest detail, in lightness only, or hues would bleed.
        luma = torch.tensor(colour.LUMA).view(3, 1, 1)
        lost = ((job.content - fit(small.content[None])[0]) * luma).sum(0)
        image += float(job.options["detail"]) * lost
    alpha = torch.minimum(fit(painted.alpha[None, None])[0, 0], coverage(job, context).union)
    return Painted(image.clamp_(0, 1), alpha, painted.notes)
