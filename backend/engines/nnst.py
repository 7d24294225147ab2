"""Engine ``nnst``: neural neighbour style transfer under painted regions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from scumble.backend import device as devices
from scumble.backend.nn.nnst_colour import guided_colours
from scumble.backend.regions.blending import Blend, Mask, auto_feather, blend

from . import colour, nnst_models, registry
from .base import Context, Job, Option, Painted
from .nnst_cost import planned_cost
from .nnst_ground import fit
from .nnst_melt import Melt
from .nnst_options import OPTIONS
from .nnst_paint import Canvas, PiecePainter, piece_scales
from .nnst_plan import MARGIN, Piece, pieces, working
from .nnst_polish import Last
from .painter import timed

#: Bytes that a pixel of the working size needs while its features are optimised, by network.
STEP_BYTES, STEP_BYTES_VGG, POLISH_BYTES, DECODE_BYTES = 1400, 5200, 4000, 900
#: Progress is told in so many steps.
UNITS = 1000


@dataclass
class _Canvas:
    """The job's picture as it grows, with what is needed to show it."""

    job: Job
    context: Context
    parts: Blend
    image: Tensor
    cost: float
    spent: float = 0.0
    losses: list[float] = field(default_factory=list)

    def spend(self, units: float) -> None:
        """Tell the progress: this much more is done."""
        self.spent += units
        done = min(UNITS - 1, int(UNITS * self.spent / max(self.cost, 1e-9)))
        self.context.progress("paint", done, UNITS)

    def shower(self, piece: Piece) -> Callable[[Tensor], None]:
        """A function that shows a piece's paint, at whatever size, within the whole."""

        def show(paint: Tensor) -> None:
            def make() -> Painted:
                image = self.image.clone()
                _paste(image, piece, fit(paint.detach(), (piece.box.height, piece.box.width)))
                return Painted(image.clamp(0, 1).cpu(), torch.from_numpy(self.parts.alpha))

            self.context.preview(make)

        return show


class Nnst:
    """Paint regions with the style's own strokes.

    After Kolkin et al. 2022, *Neural Neighbor Style Transfer*: every place takes over the features of
    the style's most similar place, from coarse to fine; ``decoder`` turns them into a picture with a
    small network, ``optimise`` descends on the pixels until their features are the borrowed ones.
    """

    name = "nnst"
    label = "Brushwork"
    help = (
        "Rebuilds each painted region from strokes of the style picture. Seconds with the decoder; minutes"
        " with optimise where there is no GPU."
    )
    options: tuple[Option, ...] = OPTIONS
    style_kinds: tuple[str, ...] = ("pixels",)

    def margin(self, options: Mapping[str, Any]) -> int:
        """See :meth:`Engine.margin`."""
        return MARGIN

    def estimate_bytes(self, width: int, height: int, regions: int, options: Mapping[str, Any]) -> int:
        """See :meth:`Engine.estimate_bytes`."""
        pixels = width * height
        vgg = _vgg_asked(options)
        work = min(pixels, int(options["size"] * 1.125) ** 2)
        turns = (4 if options["turned"] else 1) * (2 if options["mirrored"] else 1)
        places = turns * 1.4 * (512 * options["style_scale"] / 4) ** 2
        channels = 2688 if vgg else 416
        style = regions * places * (2 * channels + 4 * 96 + 2 * 112)
        last, step = nnst_models.last(options), DECODE_BYTES
        if last is Last.BRIEF:  # gradients, and the branch's look at the whole painting
            step, style = STEP_BYTES, style + (300 << 20)
        if options["mode"] == "optimise":
            step = STEP_BYTES_VGG if vgg else POLISH_BYTES if last is Last.VGG else STEP_BYTES
            style += 600 << 20 if pixels > work else 0
        large = max(1.0, pixels / work) * regions * places * 2 * 112
        return int(work * step + style + large + pixels * 4 * (30 + 3 * regions) + (250 << 20))

    def estimate_seconds(self, width: int, height: int, regions: int, options: Mapping[str, Any]) -> float:
        """About how long a job will take if the whole crop is drawn on, on this process's device."""
        speed = _seconds_a_unit(str(devices.choose(None)))
        own = np.ones((height, width), bool)
        place = working(own, int(options["size"]))
        sizes = piece_scales((), place)
        area = float(place.size[0] * place.size[1])
        last = nnst_models.last(options)
        return speed * planned_cost(options, area, sizes, place.full, _vgg_asked(options), last)

    def free_memory(self) -> None:
        """Forget the networks."""
        nnst_models.release()

    def run(self, job: Job, context: Context) -> Painted:
        """See :meth:`Engine.run`."""
        with context.watched():
            return self._run(job, context)

    def _run(self, job: Job, context: Context) -> Painted:
        device = context.device
        eyes = nnst_models.eyes(job.options["features"], device)
        polisher = nnst_models.polisher(job.options, device)
        with timed(context, "masks"):
            masks = tuple(r.mask.numpy().astype(np.float32, copy=False) for r in job.regions)
            union = np.clip(np.sum(masks, axis=0), 0, 1).astype(np.float32)
            feather = job.options["feather"] or auto_feather(masks)
            parts = blend(masks, feather=feather, feather_edge=True)
            found = pieces(union)
            places = [working(p.own, int(job.options["size"])) for p in found]
        vgg = eyes.look.name == "vgg16"
        cost = 0.0
        for piece, place in zip(found, places, strict=True):
            area = float(piece.own.sum()) * place.enlarged**2 / place.full**2
            sizes = piece_scales(job.regions, place)
            cost += planned_cost(job.options, area, sizes, place.full, vgg, nnst_models.last(job.options))
        canvas = _Canvas(job, context, parts, job.content.to(device).clone(), cost)
        for piece, place in zip(found, places, strict=True):
            context.checkpoint()
            with timed(context, "paint"):
                own = _piece_canvas(job, piece, union, parts, feather, device)
                painter = PiecePainter(
                    own, place, eyes, context, job.options, job.seed, canvas.shower(piece), canvas.spend,
                    polisher, nnst_models.last(job.options),
                )  # fmt: skip
                _paste(canvas.image, piece, painter.run())
                canvas.losses += painter.losses[-1:]
        context.checkpoint()
        with timed(context, "colour"):
            image = _finished(job, canvas.image, parts, feather)
        context.progress("paint", UNITS, UNITS)
        return Painted(
            image.cpu(), torch.from_numpy(parts.alpha), self._notes(job, context, canvas, len(found))
        )

    def _notes(self, job: Job, context: Context, canvas: _Canvas, count: int) -> dict[str, Any]:
        notes: dict[str, Any] = {"pieces": count, "mode": job.options["mode"]}
        if canvas.losses:
            notes["loss"] = round(float(np.mean(canvas.losses)), 5)
        if context.enough.is_set():
            notes["stopped"] = "Stopped when it was good enough."
        if job.options["mode"] == "optimise" and context.device.type == "cpu":
            notes["warning"] = "Optimising takes long without a GPU; the decoder needs seconds."
        return notes


def _vgg_asked(options: Mapping[str, Any]) -> bool:
    return bool(options["features"] == "vgg16" or (options["features"] == "auto" and devices.gpu()))


def _piece_canvas(
    job: Job, piece: Piece, union: Mask, parts: Blend, feather: float, device: torch.device
) -> Canvas:
    place = piece.box.slices()

    def own(x: np.ndarray[Any, Any]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(x[place] * piece.own)).to(device)

    shares = tuple(torch.from_numpy(np.ascontiguousarray(s[place])).to(device) for s in parts.shares)
    rows, columns = place
    content = job.content[:, rows, columns].to(device)
    inner = own(parts.inner) if job.options["melt"] and bool((parts.inner < 1).any()) else None
    return Canvas(content, own(union), own(parts.alpha), shares, job.regions, inner, feather)


def _paste(image: Tensor, piece: Piece, paint: Tensor) -> None:
    rows, columns = piece.box.slices()
    own = torch.from_numpy(piece.own).to(image.device)
    image[:, rows, columns] = torch.where(own, paint, image[:, rows, columns])


def _finished(job: Job, image: Tensor, parts: Blend, feather: float) -> Tensor:
    """Edges and colours, region by region."""
    content = job.content.to(image)
    if job.options["melt"]:
        image = _melted(content, image, parts, feather)
    total = torch.zeros_like(image)
    for region, share in zip(job.regions, parts.shares, strict=True):
        own = image.clamp(0, 1)
        weight = region.mask.to(image)
        if region.options["colour"] == "guided":
            style = max(region.styles, key=lambda p: p.weight)
            own = guided_colours(own, content, style.image.to(image), weight)
        if region.options["preserve_color"] > 0:
            own = colour.keep_hues(own, content, weight, region.options["preserve_color"])
        total += torch.lerp(content, own, region.strength) * torch.from_numpy(share).to(image)
    return total


def _melted(content: Tensor, paint: Tensor, parts: Blend, feather: float) -> Tensor:
    inner = torch.from_numpy(parts.inner).to(paint)
    return paint if bool((inner >= 1).all()) else Melt(content, inner, feather)(paint)


_speeds: dict[str, float] = {}


def _seconds_a_unit(device: str) -> float:
    """Seconds that one unit of :func:`planned_cost` takes; measured once a process, in some 50 ms."""
    if device not in _speeds:
        import time

        net = nnst_models.eyes("compact", torch.device(device)).frozen
        probe = torch.zeros(3, 160, 160, device=device)
        with torch.no_grad():
            net(probe)
            began = time.perf_counter()
            float(net(probe).sum())
            _speeds[device] = (time.perf_counter() - began) / (160 * 160 * 1e-6)
    return _speeds[device]


registry.register(Nnst())
