"""What a job's masks come to: their union, how thick it is, and how its edges are blended.

All of it depends on the masks alone and is kept for the next run on the same selection.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from scumble.backend.regions.blending import auto_feather, blend, inner_distance, softened, unite

from .base import Context, Job

_Kept = TypeVar("_Kept")


@dataclass(frozen=True)
class Coverage:
    """The masks together.

    :param union: (H, W) in [0, 1].
    :param distance: (H, W), pixels to the outside; infinite where there is none.
    :param radius: the largest of them.
    """

    union: Tensor
    distance: Tensor
    radius: float


@dataclass(frozen=True)
class Edges:
    """How the masks meet the layer and each other; see :class:`scumble.backend.regions.blending.Blend`.

    :param support: (H, W), what the encoder looks through.
    :param feather: width in pixels.
    :param key: what distinguishes the support among all masks of this crop; empty if unknown.
    """

    union: Tensor
    alpha: Tensor
    shares: tuple[Tensor, ...]
    inner: Tensor
    support: Tensor
    feather: float
    key: str


def _masks_key(job: Job) -> str:
    keys = [region.key for region in job.regions]
    return "/".join(keys) if all(keys) else ""


def kept(context: Context, key: str, make: Callable[[], _Kept]) -> _Kept:
    """The cached value of that key, made if there is none; an empty key keeps nothing."""
    found: _Kept | None = context.cache.get(key) if key else None
    if found is None:
        found = make()
        if key:
            context.cache.put(key, found)
    return found


def coverage(job: Job, context: Context) -> Coverage:
    """The union of a job's masks and the distance to its outside."""

    def make() -> Coverage:
        union = unite([r.mask.numpy().astype(np.float32, copy=False) for r in job.regions])
        context.checkpoint()
        distance = inner_distance(union)
        context.checkpoint()
        return Coverage(torch.from_numpy(union), torch.from_numpy(distance), float(distance.max()))

    key = _masks_key(job)
    return kept(context, key and f"coverage/{key}", make)


def edges(job: Job, context: Context) -> Edges:
    """The blending of a job's masks, with the feather that its options ask for."""
    wanted, before = float(job.options["feather"]), bool(job.options["feather_before"])
    key = _masks_key(job)
    key = key and f"{key}/{wanted}/{before:d}"

    def make() -> Edges:
        found = coverage(job, context)
        masks = tuple(r.mask.numpy().astype(np.float32, copy=False) for r in job.regions)
        feather = wanted or auto_feather(masks)
        distance = found.distance.numpy()
        parts = blend(masks, feather=feather, feather_edge=before, distance=distance, tick=context.checkpoint)
        context.checkpoint()
        union = found.union.numpy()
        support = softened(union, feather / 2) if before else union
        return Edges(
            found.union,
            torch.from_numpy(parts.alpha),
            tuple(torch.from_numpy(share) for share in parts.shares),
            torch.from_numpy(parts.inner),
            torch.from_numpy(support),
            float(feather),
            key,
        )

    return kept(context, key and f"edges/{key}", make)
