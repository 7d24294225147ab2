"""Engine ``partial-conv``: blended partial convolution with masked transport of style statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from scumble.backend.models.bundled import bundled
from scumble.backend.nn.compact import CompactDecoder, CompactEncoder
from scumble.backend.nn.learned import CompactTransform
from scumble.backend.nn.moments import Moments
from scumble.backend.nn.partial_conv import freeze
from scumble.backend.nn.restyle import Restyle, StyleCode
from scumble.backend.nn.transport import Affine
from scumble.shared.errors import Code, ScumbleError

from . import colour, contrast, full, last_strokes, registry
from .base import Context, Job, JobRegion, Painted
from .edges import edges, kept
from .learned_maps import learned_maps
from .painter import Network, Painter, style_side, timed
from .partial_conv_options import OPTIONS
from .resizing import resized, restored
from .tiling import DECODER_MARGIN, MARGIN, OVERLAP, Tile, tiles

#: Networks that this engine paints with; any other name is one that the user imported.
OWN_MODELS = ("compact", full.NAME)
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
        # Nothing outside the masks counts, so the encoder needs no more around them than the decoder.
        return DECODER_MARGIN if options["model"] in OWN_MODELS else 2 * MARGIN

    def estimate_bytes(self, width: int, height: int, regions: int, options: Mapping[str, Any]) -> int:
        """See :meth:`Engine.estimate_bytes`."""
        pixels = width * height
        if options["model"] not in OWN_MODELS:
            return pixels * PUBLISHED_BYTES + (300 << 20)
        whole = options["model"] == full.NAME
        tile = min(pixels, ((full.TILE if whole else TILE) + 2 * MARGIN) ** 2)
        # Floats per pixel: taps 32/4 + 64/16 + 128/64 = 14, twice; four live activations of 24 channels
        # (encoding; fewer while decoding) at half the size, and the picture.  Full: taps of 56, twice, and
        # its first layers.
        floats = 112 + full.TILE_BYTES // 4 if whole else 28 + 32
        more = last_strokes.estimate_bytes(pixels, regions, options)
        return tile * 4 * floats + pixels * 4 * (20 + 3 * regions) + (200 << 20) + more

    def run(self, job: Job, context: Context) -> Painted:
        """See :meth:`Engine.run`."""
        if job.options["parity"] or job.options["model"] not in OWN_MODELS:
            from .published import run_published

            with context.watched():
                return run_published(job, context)
        small = resized(job, context)
        plan = last_strokes.Plan.of(small)
        painted = self._paint(small, context, plan)
        if plan.steps:
            painted = self._finished(small, painted, context, plan)
        return painted if small is job else restored(painted, small, job, context)

    def _finished(self, job: Job, painted: Painted, context: Context, plan: last_strokes.Plan) -> Painted:
        """After the last strokes; they need gradients, so what was inferred is copied."""
        whole = job.options["method"] != "partial-conv"
        alpha = torch.ones_like(job.opacity) if whole else painted.alpha.clone()
        shares = [s.clone().cpu() for s in edges(job, context).shares]
        of = plan.steps * len(job.regions)
        with timed(context, "strokes"):
            image = last_strokes.added(
                job, painted.image.clone(), alpha, shares, context, plan,
                lambda done: context.progress("paint", of + done, 2 * of),
            )  # fmt: skip
        return replace(painted, image=image, notes={**painted.notes, "last_strokes": plan.steps})

    def _maps(
        self, region: JobRegion, content: Mapping[str, Moments], styles: Sequence[tuple[StyleCode, float]]
    ) -> Mapping[str, Affine] | None:
        """The affine map of every tap for a region; ``None`` for the closed-form transport."""
        return None

    def _controls(self, region: JobRegion) -> dict[str, Any]:
        """What a region asks of :class:`Restyle`."""
        return {name: region.options[name] for name in ("texture", "detail")}

    @torch.inference_mode()
    def _paint(self, job: Job, context: Context, plan: last_strokes.Plan) -> Painted:
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
            edge = edges(job, context)
            union = edge.union
            weights = [r.mask.float().to(device) for r in job.regions]
            support = edge.support.to(device)
            shares = [share.to(device) for share in edge.shares]
            inner = edge.inner.to(device) if options["feather_decoder"] else None
            if edge.key:
                painter.name_mask(support, edge.key)
                if inner is not None:
                    painter.name_mask(inner, f"{edge.key}/inner")
                for region, weight in zip(job.regions, weights, strict=True):
                    painter.name_mask(weight, region.key)
        mask: Tensor | None = support
        if method != "partial-conv":
            content, mask, weights, inner = _baseline(method, content, weights, union.to(device))
        key = f"{job.key}/{method}"
        if method == "mask-then-style":  # here the masks change what is encoded, not how
            key = f"{key}/{painter.mask_key(support)}"
        side = min(full.TILE if options["model"] == full.NAME else TILE, context.tile)
        pieces = kept(context, edge.key and f"tiles/{edge.key}/{side}", lambda: tiles(union, side))
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
            every = tiles(torch.ones_like(union), side)
            pieces = every if plan.steps else pieces  # last strokes, too, look at all of it
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
        of = len(pieces) * (2 if plan.steps else 1)  # the second half of the way is the last strokes'
        image = torch.zeros_like(content)
        paint = torch.zeros_like(content[0]) if len(pieces) > 1 else None
        strengths = [r.strength for r in job.regions]
        for done, tile in enumerate(pieces):
            context.progress("paint", done, of)
            context.checkpoint()
            out = painter.paint(tile, taps_of(tile), changes, shares, strengths, inner, mask, overlap)
            x0, y0, x1, y1 = tile.decoded(overlap).core
            if out.shape == content.shape:  # one tile is everything
                image = out.contiguous()
                continue
            if paint is None:
                image = content.clone()
                image[:, y0:y1, x0:x1] = out
                continue
            fade = tile.fade(overlap).to(device)
            image[:, y0:y1, x0:x1] += out * fade
            paint[y0:y1, x0:x1] += fade
        if paint is not None:
            image = _normalized(image, paint, content)
        with timed(context, "colour"):
            seen = edge.alpha if method == "partial-conv" else None
            image = _finish(job, image, shares, weights, seen, inner, context)
        context.progress("paint", len(pieces), of)
        notes = {"feather_px": round(edge.feather, 2), "tiles": len(pieces)}
        return Painted(image.cpu(), edge.alpha, notes)


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


def _finish(
    job: Job,
    image: Tensor,
    shares: Sequence[Tensor],
    weights: Sequence[Tensor],
    alpha: Tensor | None,
    inner: Tensor | None,
    context: Context,
) -> Tensor:
    """Towards the styles' palette and their contrasts, back to the content's hues, and less of it all."""
    content = job.content.to(image)
    small, under = contrast.halved(image), None
    if alpha is not None and float(alpha.amin()) < 1:
        under = contrast.halved(content), contrast.halved(alpha.to(image)[None])
    several = len(job.regions) > 1
    total = torch.zeros_like(image) if several else image
    for region, share, weight in zip(job.regions, shares, weights, strict=True):
        amount = region.options["match_color"] * min(1.0, 2.0 * region.strength)
        palettes = [(colour.palette(part, context), part.weight) for part in region.styles]
        context.checkpoint()
        change = colour.palette_map(image, weight, palettes, amount)
        # Below a quarter the features are so close to the content's that what is left to fade is
        # the network's own reconstruction error: fade it, so that strength 0 is the identity.
        paint = min(1.0, 4.0 * region.strength)
        hues = region.options["preserve_color"]
        recoloured = colour.recoloured(small, change)
        more = contrast.change(recoloured, under, region, weight, inner, context)
        kept = None
        if hues:
            own = colour.recoloured(image, change)
            kept = colour.keep_hues(_added(own, more, slice(None), image.shape[-2:]), content, weight, hues)
        portion = share.to(image) if several else None
        for band in _bands(image):
            context.checkpoint()
            if kept is None:
                own = _added(colour.recoloured(image[band], change), more, band[1], image.shape[-2:])
            else:
                own = kept[band]
            if paint < 1.0:
                own = torch.lerp(content[band], own, paint)
            if portion is None:
                total[band] = own
            else:
                total[band] += own * portion[band[1]]
    return total


def _added(image: Tensor, more: Tensor | None, rows: slice, size: Sequence[int]) -> Tensor:
    """Some rows of a picture with what contrast adds to them, in place."""
    return image if more is None else image.add_(contrast.enlarged(more, size, rows)).clamp_(0, 1)


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


registry.register(PartialConv())
