"""Engine ``partial-conv``: blended partial convolution with masked transport of style statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from scumble.backend.models.bundled import bundled
from scumble.backend.nn.compact import CompactDecoder, CompactEncoder
from scumble.backend.nn.learned import CompactTransform
from scumble.backend.nn.moments import Moments
from scumble.backend.nn.partial_conv import freeze
from scumble.backend.nn.restyle import Restyle, StyleCode
from scumble.backend.nn.transport import Affine
from scumble.backend.regions.blending import Blend, auto_feather, blend, inner_distance, softened, unite
from scumble.shared.errors import Code, ScumbleError

from . import colour, full, registry
from .base import Context, Job, JobRegion, Painted
from .learned_maps import learned_maps
from .painter import MARGIN, OVERLAP, Network, Painter, Tile, style_side, tiles, timed
from .partial_conv_options import OPTIONS

#: Networks that this engine paints with; any other name is one that the user imported.
OWN_MODELS = ("compact", full.NAME)
#: Thickness below which a region is painted enlarged, in pixels.
THIN = 40.0
#: Largest enlargement, and the largest area in pixels that an enlarged crop may reach.
MAX_ENLARGE, ENLARGED_AREA = 6.0, 1 << 20
#: Crops with a shorter side than this are not reduced: they are quick as they are.
DRAFT_SIDE = 256
#: Least size at which a draft, or wide strokes, are painted.
SMALLEST = 0.5
#: Side of a tile's core when memory is plentiful.
TILE = 1024
#: What the published network needs for a pixel: its 64-channel layers, several alive at once.
PUBLISHED_BYTES = 1536
#: Margin that means "the whole layer": the baselines take their statistics from all of it.
WHOLE_LAYER = 1 << 20


class PartialConv:
    """Stylize painted regions so that only what lies under the mask shapes the result.

    After *Blended partial convolution for masked style transfer*: features come from partial
    convolutions, statistics from the drawn mask, and three blending techniques join the result to
    the layer.  The transform is the closed-form optimal transport at every tap.
    """

    name = "partial-conv"
    label = "Regions (fast)"
    help = "Stylizes each painted region with its own style in one pass; quick even without a GPU."
    options = OPTIONS
    style_kinds: tuple[str, ...] = ("pixels",)

    def margin(self, options: Mapping[str, Any]) -> int:
        """See :meth:`Engine.margin`; the baselines want the whole layer."""
        if options["method"] != "partial-conv" or options["parity"]:
            return WHOLE_LAYER
        return MARGIN if options["model"] in OWN_MODELS else 2 * MARGIN

    def estimate_bytes(self, width: int, height: int, regions: int, options: Mapping[str, Any]) -> int:
        """See :meth:`Engine.estimate_bytes`."""
        pixels = width * height
        if options["model"] not in OWN_MODELS:
            return pixels * PUBLISHED_BYTES + (300 << 20)
        whole = options["model"] == full.NAME
        tile = min(pixels, ((full.TILE if whole else TILE) + 2 * MARGIN) ** 2)
        # Floats per pixel: taps 32/4 + 64/16 + 128/64 = 14, twice; four live activations of 24 channels
        # at half the size and the picture while decoding.  Full: taps of 56, twice, and its first layers.
        floats = 112 + full.TILE_BYTES // 4 if whole else 28 + 32
        return tile * 4 * floats + pixels * 4 * (12 + 3 * regions) + (200 << 20)

    def run(self, job: Job, context: Context) -> Painted:
        """See :meth:`Engine.run`."""
        if job.options["parity"] or job.options["model"] not in OWN_MODELS:
            from .published import run_published

            return run_published(job, context)
        resized = _resized(job)
        painted = self._paint(resized, context)
        return painted if resized is job else _restored(painted, resized, job)

    def _maps(
        self, region: JobRegion, content: Mapping[str, Moments], styles: Sequence[tuple[StyleCode, float]]
    ) -> Mapping[str, Affine] | None:
        """The affine map of every tap for a region; ``None`` for the closed-form transport."""
        return None

    def _controls(self, region: JobRegion) -> dict[str, Any]:
        """What a region asks of :class:`Restyle`."""
        return {name: region.options[name] for name in ("texture", "detail")}

    @torch.inference_mode()
    def _paint(self, job: Job, context: Context) -> Painted:
        options = job.options
        method = options["method"]
        device = context.device
        painter = Painter(
            _network(options, str(device)),
            context,
            expand=options["expand_during"],
            renormalize=options["renormalize"],
        )
        content = job.content.to(device)
        with timed(context, "masks"):
            masks = tuple(r.mask.numpy().astype(np.float32, copy=False) for r in job.regions)
            feather = options["feather"] or auto_feather(masks)
            parts = blend(masks, feather=feather, feather_edge=options["feather_before"])
            union = _union(job)
            weights = [torch.from_numpy(m).to(device) for m in masks]
            support = torch.from_numpy(
                softened(union, feather / 2) if options["feather_before"] else union
            ).to(device)
            shares = [torch.from_numpy(s).to(device) for s in parts.shares]
            inner = torch.from_numpy(parts.inner).to(device) if options["feather_decoder"] else None
        mask: Tensor | None = support
        if method != "partial-conv":
            content, mask, weights, inner = _baseline(
                method, content, weights, torch.from_numpy(union).to(device)
            )
        key = f"{job.key}/{method}"
        if method == "mask-then-style":  # here the masks change what is encoded, not how
            key = f"{key}/{painter.mask_key(support)}"
        side = min(full.TILE if options["model"] == full.NAME else TILE, context.tile)
        pieces = tiles(torch.from_numpy(union), side)
        keep: dict[Tile, dict[str, Tensor]] = {}
        budget = KEEP_TILES if len(pieces) > 1 else 1

        def taps_of(tile: Tile) -> dict[str, Tensor]:
            if tile in keep:
                return keep[tile]
            taps = painter.encode(content, mask, tile, key)
            if len(keep) < budget:
                keep[tile] = taps
            return taps

        every = pieces
        if method != "partial-conv":  # statistics of the whole picture, not of the tiles to paint
            every = tiles(torch.ones_like(weights[0]), side)
        stats = painter.statistics(every, taps_of, weights, mask, key)
        learned = options["transform"] == "learned"
        styles = [
            [
                (painter.encode_style(p, style_side(p, r.options["style_scale"]), keep_all=learned), p.weight)
                for p in r.styles
            ]
            for r in job.regions
        ]
        with timed(context, "transform"):
            changes = []
            for region, weight, stat, style in zip(job.regions, weights, stats, styles, strict=True):
                maps = self._maps(region, stat, style)
                if learned:
                    maps = learned_maps(load_transform(str(device)), every, taps_of, weight, stat, style)
                controls = self._controls(region)
                changes.append(Restyle.between(stat, style, maps=maps, seed=job.seed, **controls))
        overlap = OVERLAP if len(pieces) > 1 else 0
        image, weight = torch.zeros_like(content), torch.zeros_like(content[0])
        strengths = [r.strength for r in job.regions]
        for done, tile in enumerate(pieces):
            context.progress("paint", done, len(pieces))
            context.checkpoint()
            out = painter.paint(tile, taps_of(tile), changes, shares, strengths, inner, mask, overlap)
            if out.shape == content.shape:  # one tile is everything
                image = out.contiguous()
                break
            x0, y0, x1, y1 = tile.decoded(overlap).core
            fade = tile.fade(overlap).to(device) if overlap else torch.ones_like(out[0])
            image[:, y0:y1, x0:x1] += out * fade
            weight[y0:y1, x0:x1] += fade
        else:
            image = _normalized(image, weight, content)
        with timed(context, "colour"):
            image = _finish(job, image, parts, weights)
        context.progress("paint", len(pieces), len(pieces))
        alpha = torch.from_numpy(parts.alpha)
        return Painted(image.cpu(), alpha, {"feather_px": round(float(feather), 2), "tiles": len(pieces)})


#: Tiles whose features stay in memory between the two passes.
KEEP_TILES = 2


def _network(options: Mapping[str, Any], device: str) -> Network:
    if options["model"] != full.NAME:
        return load_network(device)
    if options["transform"] == "learned":
        raise ScumbleError(
            Code.BAD_REQUEST,
            "The full-size network has no learned transform.",
            "Leave out transform=learned, or use model=compact.",
        )
    return full.load_full(device)


@lru_cache(maxsize=2)
def load_network(device: str) -> Network:
    """The bundled network on a device; loaded once a process."""
    tensors = bundled("compact")
    encoder, decoder = CompactEncoder(), CompactDecoder()
    for net, prefix in ((encoder, "encoder."), (decoder, "decoder.")):
        net.load_state_dict({k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)})
        net.eval().requires_grad_(False).to(device=torch.device(device), memory_format=torch.channels_last)  # type: ignore[call-overload]
        freeze(net)
    return Network("compact", encoder, decoder)


@lru_cache(maxsize=2)
def load_transform(device: str) -> CompactTransform:
    """The bundled learned transform on a device; loaded once a process."""
    return CompactTransform.from_tensors(bundled("compact")).to(torch.device(device))


def _baseline(
    method: str, content: Tensor, weights: list[Tensor], union: Tensor
) -> tuple[Tensor, Tensor | None, list[Tensor], Tensor | None]:
    """The two naive ways: style the whole layer, or style it with everything else blacked out."""
    if method == "mask-then-style":
        content = content * (union > 0)
    return content, None, [torch.ones_like(w) for w in weights], None


def _finish(job: Job, image: Tensor, parts: Blend, weights: Sequence[Tensor]) -> Tensor:
    """Colour: towards the styles' palette, back to the content's hues, and less of it all."""
    content = job.content.to(image)
    several = len(job.regions) > 1
    total = torch.zeros_like(image) if several else image
    for region, share, weight in zip(job.regions, parts.shares, weights, strict=True):
        amount = region.options["match_color"] * min(1.0, 2.0 * region.strength)
        styles = [(p.image.to(image), p.weight, p.mask) for p in region.styles]
        change = colour.palette_map(image, weight, styles, amount)
        # Below a quarter the features are so close to the content's that what is left to fade is
        # the network's own reconstruction error: fade it, so that strength 0 is the identity.
        paint = min(1.0, 4.0 * region.strength)
        hues = region.options["preserve_color"]
        kept = colour.keep_hues(colour.recoloured(image, change), content, weight, hues) if hues else None
        portion = torch.from_numpy(share).to(image) if several else None
        for band in _bands(image):
            own = colour.recoloured(image[band], change) if kept is None else kept[band]
            if paint < 1.0:
                own = torch.lerp(content[band], own, paint)
            if portion is None:
                total[band] = own
            else:
                total[band] += own * portion[band[1]]
    return total


def _bands(image: Tensor) -> list[tuple[slice, slice]]:
    """A (3, H, W) picture's rows in pieces: temporary copies stay small, and in the processor's cache."""
    height = image.shape[-2]
    step = max(16, (1 << 17) // image.shape[-1])
    return [(slice(None), slice(y, min(y + step, height))) for y in range(0, height, step)]


def _normalized(image: Tensor, weight: Tensor, content: Tensor) -> Tensor:
    """Sums of paint over sums of weight, in place; the content where there is no paint."""
    for band in _bands(image):
        share = weight[band[1]]
        image[band] = torch.where(share > 0, image[band] / share.clamp_min(1e-6), content[band])
    return image


def _reduction(job: Job) -> float:
    """Size at which to paint, as a share of the job's.

    The network lays strokes of a certain width in pixels, whatever the style picture's size: a style
    shown larger only gives it larger shapes to fill with them.  So wide strokes are painted small.
    """
    if job.options["method"] != "partial-conv":
        return 1.0
    widest = min(r.options["style_scale"] for r in job.regions)
    return SMALLEST if job.options["draft"] else min(1.0, max(SMALLEST, 1.0 / widest))


def _resized(job: Job) -> Job:
    """The job at the size at which it is painted.

    Enlarged when its regions are too small or thin for features at 1/8 of the size; reduced for a
    draft or for wide strokes; else the job itself.
    """
    union = _union(job)
    radius = float(inner_distance(union).max())
    height, width = union.shape
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
            replace(r, mask=fit(r.mask, cv2.INTER_LINEAR), options=scaled(r.options)) for r in job.regions
        ),
        options=scaled(job.options),
        key=f"{job.key}/{size[0]}x{size[1]}",
    )


def _restored(painted: Painted, resized: Job, job: Job) -> Painted:
    """Bring the result back to the job's size; never beyond the masks that were drawn."""
    height, width = job.content.shape[-2:]
    smaller = resized.content.shape[-1] < width

    def fit(x: Tensor) -> Tensor:
        return F.interpolate(x, (height, width), mode="bilinear", antialias=not smaller, align_corners=False)

    image = fit(painted.image[None])[0]
    if smaller:
        # What halving lost of the layer: its finest detail, in lightness only, or hues would bleed.
        luma = torch.tensor(colour.LUMA).view(3, 1, 1)
        lost = ((job.content - fit(resized.content[None])[0]) * luma).sum(0)
        image += float(job.options["detail"]) * lost
    alpha = torch.minimum(fit(painted.alpha[None, None])[0, 0], torch.from_numpy(_union(job)))
    return Painted(image.clamp_(0, 1), alpha, painted.notes)


def _union(job: Job) -> np.ndarray:
    return unite([r.mask.numpy().astype(np.float32, copy=False) for r in job.regions])


registry.register(PartialConv())
