"""From a request for selections to soft masks on the layer."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from scumble.backend import prepare
from scumble.backend.engines.base import Context, JobRegion
from scumble.backend.engines.pairing_views import SIDE
from scumble.backend.imaging import pixels
from scumble.backend.imaging.limits import check_size
from scumble.backend.regions.geometry import Box, bounds, decode_mask, mask_bounds
from scumble.backend.regions.matting import softened_contour
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import MaskBuffer, TextStyle
from scumble.shared.segmenting import FoundMask, SegmentRequest, SegmentResult

from . import methods, proposals
from .base import Candidate, Floats, Prompt, distinct, resized
from .simulated import Click

#: Longer side of a region's thumbnail in pixels.
THUMBNAIL = 72
#: Bytes a pixel of the layer: decoded colours, opacity, mask, the filter's planes.
BYTES_A_PIXEL = 4 * (3 + 1 + 2 + 24)


def estimate_bytes(request: SegmentRequest) -> int:
    """Upper estimate of the memory that a request needs, in bytes; checks the layer's size."""
    check_size(request.layer.width, request.layer.height, "layer")
    return request.layer.width * request.layer.height * BYTES_A_PIXEL + (400 << 20)


def find(request: SegmentRequest, context: Context) -> SegmentResult:
    """Do it.

    :raises ScumbleError: ``empty_selection`` where there is nothing, ``unknown_engine``,
        ``model_missing``, ``not_finite``.
    """
    began = time.perf_counter()
    layer = request.layer
    check_size(layer.width, layer.height, "layer")
    context.progress("read", 0, 1)
    rgb, opacity = pixels.decode(layer)
    rgb = np.ascontiguousarray(np.clip(rgb, 0, 1))
    if not (opacity > 0).any():
        raise ScumbleError(
            Code.EMPTY_SELECTION, "The layer is wholly transparent.", "Choose a layer with paint on it."
        )
    key = pixels.crop_key(layer, Box(0, 0, layer.width, layer.height))
    if request.mode == "pairs":
        found, name = _pairs(request, rgb, opacity, context), "pairs"
    else:
        method = methods.method(request.method)
        name = method.name
        scale = min(1.0, method.side / max(rgb.shape[:2]))
        size = (max(1, round(rgb.shape[0] * scale)), max(1, round(rgb.shape[1] * scale)))
        small = resized(rgb, size).clip(0, 1)
        prompt = _prompt(request, opacity)
        factor = (size[1] / rgb.shape[1], size[0] / rgb.shape[0])
        candidates = _candidates(request, method, small, prompt.scaled(factor, size), key, context)
        found = []
        for done, one in enumerate(candidates):
            context.checkpoint()
            context.progress("edge", done, len(candidates))
            mask = _fine(one.mask, rgb, request.edge, 1 / scale) * opacity
            made = _found(mask, one.score, _thumbnail(rgb, mask) if request.mode == "all" else "")
            if made is not None:
                found.append(made)
    if request.mode == "all":
        found.sort(key=lambda f: -f.area)  # the edges' refinement may have changed the order
    if not found:
        raise ScumbleError(
            Code.EMPTY_SELECTION,
            "Nothing was found there.",
            "Click in the middle of what you mean, draw a box around it, or try another method.",
        )
    seconds = {**context.seconds, "total": time.perf_counter() - began}
    report: Mapping[str, Any] = {"seconds": seconds, "device": str(context.device)}
    return SegmentResult(tuple(found), name, report)


def _prompt(request: SegmentRequest, opacity: Floats) -> Prompt:
    before = None
    if request.before is not None:
        height, width = opacity.shape
        if not mask_bounds(request.before, width, height).empty:
            before = decode_mask(request.before, width, height, Box(0, 0, width, height))
        elif not request.points and request.box is None:
            raise ScumbleError(
                Code.EMPTY_SELECTION,
                "The mask to be improved is empty.",
                "Click at least once on what you want.",
            )
    for p in request.points:
        if p.positive and opacity[int(p.y), int(p.x)] == 0:
            raise ScumbleError(
                Code.EMPTY_SELECTION,
                f"The layer is transparent at {p.x:g}, {p.y:g}.",
                "Click on paint, or choose the layer that has it.",
            )
    points = tuple(Click(p.x, p.y, p.positive) for p in request.points)
    return Prompt(points, request.box, before)


def _candidates(
    request: SegmentRequest, method: Any, small: Floats, prompt: Prompt, key: str, context: Context
) -> list[Candidate]:
    if request.mode == "subject":
        return proposals.subject(method, small, key, context)[: request.count]
    if request.mode == "all":
        found = proposals.everything(method, small, request.count, key, context)
        return found
    found = method.find(small, prompt, key, context)
    return distinct([replace(c, mask=_said(c.mask, prompt)) for c in found])[: request.count]


def _said(mask: Floats, prompt: Prompt) -> Floats:
    """The mask with a small disk's worth of each click as it was said, whatever the method made of it."""
    height, width = mask.shape
    radius = max(1, round(0.006 * max(height, width)))
    out = mask.copy()
    for p in prompt.points:
        place = (min(width - 1, max(0, round(p.x))), min(height - 1, max(0, round(p.y))))
        if (out[place[1], place[0]] >= 0.5) != p.positive:
            cv2.circle(out, place, radius, 1.0 if p.positive else 0.0, -1)
    return out


def _fine(mask: Floats, image: Floats, edge: float, scale: float) -> Floats:
    """The small mask on the layer, its contour drawn to the picture's edges and softened."""
    large = resized(mask, (image.shape[0], image.shape[1]))
    if edge <= 0:
        return (large >= 0.5).astype(np.float32)
    # A mask found on a smaller picture is uncertain by its pixels' size.
    return softened_contour(large, image, max(edge, 1.5 * scale if scale > 1.5 else edge))


def _found(mask: Floats, score: float, thumbnail: str = "") -> FoundMask | None:
    eight = np.rint(mask * 255).astype(np.uint8)
    box = bounds(eight)
    if box.empty:
        return None
    part = np.ascontiguousarray(eight[box.slices()])
    buffer = MaskBuffer(box.width, box.height, part.tobytes(), "u8", box.left, box.top)
    return FoundMask(buffer, float(np.clip(score, 0, 1)), float(part.sum() / 255), None, thumbnail)


def _thumbnail(image: Floats, mask: Floats) -> str:
    box = bounds((mask >= 0.25).astype(np.uint8))
    if box.empty:
        return ""
    scale = min(1.0, THUMBNAIL / max(box.width, box.height))
    size = (max(1, round(box.height * scale)), max(1, round(box.width * scale)))
    rgb, alpha = resized(image[box.slices()], size), resized(mask[box.slices()], size)
    eight: NDArray[np.uint8] = np.rint(np.dstack([rgb, alpha]).clip(0, 1) * 255).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(eight, "RGBA").save(stream, "PNG", optimize=True)
    return base64.b64encode(stream.getvalue()).decode("ascii")


def _pairs(request: SegmentRequest, rgb: Floats, opacity: Floats, context: Context) -> list[FoundMask]:
    """Parts of the layer with the parts of a style picture that correspond to them."""
    from scumble.backend.engines.semantic import divide

    assert request.style is not None
    if isinstance(request.style, TextStyle):
        raise ScumbleError(
            Code.UNKNOWN_STYLE, "Words have no parts to be paired with.", "Choose a picture as the style."
        )
    parts, _ = prepare._styles(request.style)
    mask = opacity
    if request.before is not None:
        height, width = opacity.shape
        mask = opacity * decode_mask(request.before, width, height, Box(0, 0, width, height))
    content = torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1)))
    region = JobRegion(torch.from_numpy(mask), parts, 1.0, {"parts": request.count, "pairs": ""})
    paired = divide(content, region, context, request.seed)
    found = []
    for own in paired.regions:
        made = _found(own.mask.numpy(), 1.0)
        style = own.styles[0].mask if own.styles else None
        if made is not None:
            found.append(replace(made, style_mask=None if style is None else _style_mask(style.numpy())))
    return found


def _style_mask(mask: Floats) -> MaskBuffer:
    """No larger than pictures are when parts are looked for: there is no more in it, and it is stretched
    over the style picture anyway."""
    scale = min(1.0, SIDE / max(mask.shape))
    small = resized(mask, (max(1, round(mask.shape[0] * scale)), max(1, round(mask.shape[1] * scale))))
    eight = np.rint(small.clip(0, 1) * 255).astype(np.uint8)
    return MaskBuffer(eight.shape[1], eight.shape[0], eight.tobytes())
