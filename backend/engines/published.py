"""The published network inside engine ``partial-conv``: imported weights, blended or to the letter."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from scumble.backend.models import imported
from scumble.backend.models.importing import load_linear_transfer
from scumble.backend.nn.linear_transfer import LinearTransfer
from scumble.backend.regions.blending import auto_feather
from scumble.shared.errors import Code, ScumbleError

from .base import Context, Job, Painted
from .painter import style_side
from .parity import Blending, PublishedRegion, paint_blended, paint_published


@lru_cache(maxsize=1)
def _network(name: str, digest: str, device: str) -> LinearTransfer:
    # The digest is part of the key: an import under the same name replaces the network.
    return load_linear_transfer(name).to(torch.device(device))


@torch.inference_mode()
def run_published(job: Job, context: Context) -> Painted:
    """Paint with an imported network.

    With option ``parity`` it is the released arithmetic: one region with one style, styles at their
    native size, the released masks, no feathering, a plain alpha blend by the drawn mask.

    :raises ScumbleError: ``model_missing``, ``model_corrupt``; ``bad_request`` if parity is asked
        of the bundled network, of several regions or of a blend of styles.
    """
    name = str(job.options["model"])
    if name in ("compact", "full"):
        raise ScumbleError(
            Code.BAD_REQUEST,
            "The published arithmetic needs the published network.",
            "Import it with `scumble models import linear-transfer` and name it with --option model=NAME.",
        )
    context.progress("encode", 0, 1)
    network = _network(name, str(imported.records().get(name, {}).get("sha256")), str(context.device))
    content = job.content[None].to(context.device)
    if job.options["parity"]:
        return _parity(job, context, network, content)
    regions = []
    for region in job.regions:
        for part in region.styles:
            side = style_side(part, region.options["style_scale"])
            mask = region.mask[None, None].to(content)
            style = _resized(part.image[None].to(content), side)
            regions.append(PublishedRegion(mask, style, region.strength, part.weight))
    masks = [r.mask.numpy().astype(np.float32, copy=False) for r in job.regions]
    blending = Blending(
        before=job.options["feather_before"],
        expand=job.options["expand_during"],
        decoder=job.options["feather_decoder"],
        feather=job.options["feather"] or auto_feather(masks),
    )
    image, alpha = paint_blended(network, content, regions, blending, context.checkpoint)
    context.progress("paint", 1, 1)
    return Painted(image[0].clamp(0, 1).cpu(), alpha[0, 0].cpu(), {"layer": network.layer})


def _parity(job: Job, context: Context, network: LinearTransfer, content: Tensor) -> Painted:
    if len(job.regions) != 1 or len(job.regions[0].styles) != 1:
        raise ScumbleError(
            Code.BAD_REQUEST,
            "The published arithmetic knows one region with one style only.",
            "Use one mask and one style, or leave out parity=true.",
        )
    region = job.regions[0]
    mask = region.mask[None, None].to(content)
    style = region.styles[0].image[None].to(content)
    image = paint_published(network, content, style, mask, context.checkpoint)
    context.progress("paint", 1, 1)
    alpha = region.mask * region.strength
    return Painted(image[0].cpu(), alpha, {"layer": network.layer, "parity": True})


def _resized(image: Tensor, side: int) -> Tensor:
    height, width = image.shape[-2:]
    scale = side / min(height, width)
    size = tuple(min(4 * side, max(16, round(s * scale))) for s in (height, width))
    return F.interpolate(image, size, mode="bilinear", antialias=True, align_corners=False)
