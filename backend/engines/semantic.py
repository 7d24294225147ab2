"""Engine ``semantic``: parts of the layer take their style from the parts of the painting they match."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from scumble.backend.nn.compact import TAPS
from scumble.backend.nn.moments import Moments, mixed
from scumble.backend.nn.restyle import StyleCode
from scumble.backend.nn.transport import Affine

from . import calming, pairing, pairing_views, registry
from .base import Context, Job, JobRegion, Option, Painted, StylePart
from .painter import timed
from .partial_conv import PartialConv, load_network
from .partial_conv_options import OPTIONS as SHARED
from .tiling import MARGIN

#: Least area of a paired part, in pixels: less than that is a crumb of the clustering.
LEAST_AREA = 48.0
_FIXED = {
    "method": "partial-conv",
    "transform": "transport",
    "model": "compact",
    "parity": False,
    "last_strokes": "off",
}

OPTIONS: tuple[Option, ...] = (
    Option(
        "parts",
        "Matched parts",
        "int",
        4,
        "Into how many matching parts layer and painting are divided; 1 divides nothing. A region that"
        " names its own part of the painting is not divided.",
        minimum=1,
        maximum=pairing.MOST_PARTS,
        step=1,
        group="Parts",
        per_region=True,
    ),
    Option(
        "pairs",
        "Pairs",
        "text",
        "",
        "Changes to the matching, such as 0:1,2+3:0,4a:2,4b:1 (layer:painting; * is the whole painting,"
        " - is nothing).",
        group="Parts",
        per_region=True,
        advanced=True,
    ),
    Option(
        "calm",
        "Calm",
        "float",
        1.0,
        "How far a part's contrast comes down to its counterpart's where that is plainer, at every scale"
        " from strokes to things; 0 leaves it.",
        minimum=0.0,
        maximum=1.0,
        step=0.05,
        per_region=True,
    ),
    Option(
        "order",
        "Statistics",
        "choice",
        "second",
        "What a part takes from its counterpart: second, colour and contrast of every feature together;"
        " first, the mean alone (the published method, exactly; brushwork, detail and calm then do nothing).",
        choices=("second", "first"),
        group="Method",
        per_region=True,
        advanced=True,
    ),
    *(o for o in SHARED if o.name not in _FIXED),
)


def mean_shift(content: Mapping[str, Moments], style: Mapping[str, Moments]) -> dict[str, Affine]:
    """The published objective's minimiser for a share w of 1: ``F + (m_s - m_c)``, at every tap.

    See ``docs/semantic.md``: the minimiser for any weight is ``F + w (m_s - m_c)``; the region's
    strength is w.
    """
    return {
        tap: Affine(
            torch.eye(len(m.mean), dtype=m.mean.dtype, device=m.mean.device), style[tap].mean - m.mean
        )
        for tap, m in content.items()
    }


def share_of(penalty: float, positions: int, channels: int) -> float:
    """The share w that the published weight lambda stands for: ``lambda / (lambda + 2 N C^2)``."""
    return penalty / (penalty + 2.0 * positions * channels**2)


@dataclass(frozen=True)
class Paired:
    """A region divided into pairs.

    :param report: see :func:`~scumble.backend.engines.pairing.report`.
    """

    regions: tuple[JobRegion, ...]
    report: dict[str, Any]


class Semantic(PartialConv):
    """Region-wise transfer after Lu et al. (*Decoder network over lightweight reconstructed feature*,
    ICCV 2017), with the exact minimiser of their objective in place of its iterations.

    Pairs come from the request (a region with a ``style_mask``) or are found by clustering layer
    and painting together.  Features, blending and decoder are those of ``partial-conv``.
    """

    name = "semantic"
    label = "Matching parts"
    help = "Sky takes after the painting's sky, skin after its skin: matching parts are found or given."
    options = OPTIONS
    style_kinds: tuple[str, ...] = ("pixels",)

    def margin(self, options: Mapping[str, Any]) -> int:
        """See :meth:`Engine.margin`."""
        return MARGIN

    def estimate_bytes(self, width: int, height: int, regions: int, options: Mapping[str, Any]) -> int:
        """See :meth:`Engine.estimate_bytes`."""
        parts = regions * int(options["parts"])
        calm = min(width * height, calming.MOST) * calming.BYTES
        return super().estimate_bytes(width, height, parts, {**options, **_FIXED}) + calm + (64 << 20)

    def run(self, job: Job, context: Context) -> Painted:
        """See :meth:`Engine.run`."""
        with context.watched():
            return self._run(job, context)

    def _run(self, job: Job, context: Context) -> Painted:
        regions: list[JobRegion] = []
        found: list[dict[str, Any]] = []
        for index, region in enumerate(job.regions):
            context.checkpoint()
            parts, given = int(region.options["parts"]), any(s.mask is not None for s in region.styles)
            if parts <= 1 or given:
                regions.append(region)
                continue
            context.progress("match", index, len(job.regions))
            with timed(context, "match"):
                paired = divide(job.content, region, context, job.seed)
            regions += paired.regions
            found.append({"region": index, **paired.report})
        regions = [replace(r, options={**r.options, **_FIXED}) for r in regions]
        if not regions:
            return Painted(job.content, torch.zeros_like(job.opacity), {"pairing": found})
        whole = replace(job, regions=tuple(regions), options={**job.options, **_FIXED})
        painted = super().run(whole, context)
        with timed(context, "calm"):
            lively = [r for r in regions if r.options["order"] == "second"]
            painted = replace(painted, image=calming.calmed(painted.image, lively, context))
        notes = {**painted.notes, "regions": len(regions), "pairing": found}
        return replace(painted, notes=notes)

    def _maps(
        self, region: JobRegion, content: Mapping[str, Moments], styles: Sequence[tuple[StyleCode, float]]
    ) -> Mapping[str, Affine] | None:
        if region.options["order"] == "second":
            return None
        return mean_shift(content, {t: mixed([(c.moments[t], w) for c, w in styles]) for t in TAPS})

    def _controls(self, region: JobRegion) -> dict[str, Any]:
        if region.options["order"] == "first":
            return {"texture": 0.0, "detail": 1.0}
        return super()._controls(region)


def divide(content: Tensor, region: JobRegion, context: Context, seed: int) -> Paired:
    """Find the parts of a region and of its style pictures, and pair them.

    :param content: (3, H, W), the job's crop.
    :raises ScumbleError: ``option_out_of_range`` for pairs that cannot be understood.
    """
    encoder = load_network(str(context.device)).encoder
    views = [pairing_views.view(encoder, content.to(context.device), region.mask)]
    views += [pairing_views.view(encoder, s.image.to(context.device), None) for s in region.styles]
    parts = pairing.cluster(views, int(region.options["parts"]), seed)
    pairs = pairing.default_pairs(parts)
    if region.options["pairs"]:
        pairs = pairing.edited(pairs, str(region.options["pairs"]), parts)
    grids = [pairing.chosen(parts, 0, p.content) for p in pairs]
    size = (region.mask.shape[0], region.mask.shape[1])
    masks = pairing.full_masks(parts, 0, [_spread(g, parts) for g in grids], size)
    regions = []
    owns = without_crumbs([m * region.mask.numpy() for m in masks], LEAST_AREA)
    for pair, mask in zip(pairs, owns, strict=True):
        if mask is None:
            continue
        own = torch.from_numpy(mask)
        styles = tuple(_part_of(s, parts, i + 1, pair) for i, s in enumerate(region.styles))
        regions.append(replace(region, mask=own, styles=styles, key=""))
    if not regions and pairs:
        # A region too small to be divided is painted whole.
        regions = [region]
    return Paired(tuple(regions), pairing.report(parts, pairs))


def without_crumbs(masks: Sequence[pairing.Floats], least: float) -> list[pairing.Floats | None]:
    """Masks of at least ``least`` pixels; what the smaller ones select goes to their neighbour, so that
    no hole is left, and ``None`` stands in their place."""
    large = [i for i, mask in enumerate(masks) if float(mask.sum()) >= least]
    found = list(masks)
    for i, mask in enumerate(masks):
        if i in large or not large or not mask.any():
            continue
        near = cv2.GaussianBlur(mask, (0, 0), 8.0)
        best = max(large, key=lambda j: float((near * masks[j]).sum()))
        found[best] = np.asarray(found[best] + mask, np.float32)
    return [mask if i in large else None for i, mask in enumerate(found)]


def _spread(grid: pairing.Floats, parts: pairing.Parts) -> pairing.Floats:
    """A part continued beyond the region's edge, so that its soft border is whole up to it."""
    where = torch.from_numpy(parts.views[0].where)
    from scumble.backend.nn.matching import nearest_inside

    spread: pairing.Floats = nearest_inside(torch.from_numpy(grid)[None], where)[0].numpy()
    return spread


def _part_of(style: StylePart, parts: pairing.Parts, picture: int, pair: pairing.Pair) -> StylePart:
    """The style picture with the mask of its paired parts; whole where it has none of them."""
    if not pair.style:
        return style
    grid = pairing.taken(parts, picture, pair)
    if not grid.any():
        return style
    size = (style.image.shape[1], style.image.shape[2])
    mask = torch.from_numpy(pairing.full_masks(parts, picture, [grid], size)[0])
    if float(mask.sum()) < LEAST_AREA:
        grid_up = F.interpolate(torch.from_numpy(np.ascontiguousarray(grid))[None, None], size)
        mask = grid_up[0, 0]
    return replace(style, mask=mask)


registry.register(Semantic())
