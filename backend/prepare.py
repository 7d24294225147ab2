"""From a request to an engine's job: checks, boxes, decoding of the crop, styles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import torch

from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import (
    BlendStyle,
    BundledStyle,
    MaskBuffer,
    PixelBuffer,
    PixelStyle,
    Region,
    StyleRef,
    StylizeRequest,
    TextStyle,
)

from . import styles
from .engines.base import Engine, Job, JobRegion, StylePart
from .engines.registry import validated
from .imaging import pixels
from .imaging.limits import STYLE_SIDE, check_size
from .imaging.types import Floats
from .regions.geometry import Box, bounds, decode_mask, mask_bounds, mask_key, union

#: Edges of a crop lie on multiples of this, in layer pixels.
ALIGN = 16
#: An engine never gets a crop or a style with a shorter side; smaller ones repeat their edge.
SMALLEST = 32


@dataclass(frozen=True)
class Plan:
    """What a request will touch; nothing of the layer is decoded yet.

    :param box: everything selected and not transparent, in the layer buffer's coordinates.
    :param crop: the box with the engine's margin.
    :param options: every option with its value.
    :param region_options: the same, per region with its overrides.
    """

    engine: Engine
    box: Box
    crop: Box
    options: Mapping[str, Any]
    region_options: tuple[Mapping[str, Any], ...]

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of what the engine will get."""
        return max(self.crop.width, SMALLEST), max(self.crop.height, SMALLEST)


def _region_options(engine: Engine, whole: Mapping[str, Any], region: Region) -> dict[str, Any]:
    given = validated(engine.options, {**whole, **region.options})
    own = {o.name for o in engine.options if o.per_region}
    for name in region.options:
        if name not in own:
            raise ScumbleError(
                Code.UNKNOWN_OPTION,
                f"Option {name} holds for all regions and cannot differ between them.",
                f"A region may set: {', '.join(sorted(own)) or 'nothing'}.",
            )
    return given


def plan(request: StylizeRequest, engine: Engine) -> Plan:
    """Check a request and find out which pixels it needs.

    :raises ScumbleError: for unknown options or values, masks that select nothing, too large layers.
    """
    layer = request.layer
    check_size(layer.width, layer.height, "layer")
    options = validated(engine.options, request.options)
    per_region = tuple(_region_options(engine, options, r) for r in request.regions)
    for region in request.regions:
        _check_style(region.style, engine)
    box = union(mask_bounds(r.mask, layer.width, layer.height) for r in request.regions)
    if box.empty:
        raise ScumbleError(
            Code.EMPTY_SELECTION,
            "The selection is empty: nothing on the layer is selected.",
            "Select the part of the layer to stylize; in a mask picture it is what is not black.",
        )
    visible = pixels.opacity_bits(layer, box)
    if visible is not None:
        inner = bounds(visible)
        if inner.empty:
            raise ScumbleError(
                Code.EMPTY_SELECTION,
                "Everything that is selected is transparent.",
                "Select a part of the layer that has paint on it, or choose another layer.",
            )
        box = Box(box.left + inner.left, box.top + inner.top, box.left + inner.right, box.top + inner.bottom)
    margin = max(engine.margin(o) for o in (options, *per_region))
    crop = box.grow(margin, ALIGN, layer.width, layer.height)
    return Plan(engine, box, crop, options, per_region)


def _flat(style: StyleRef) -> tuple[tuple[BundledStyle | PixelStyle | TextStyle, float], ...]:
    """The parts of a style with weights that add up to one."""
    if not isinstance(style, BlendStyle):
        return ((style, 1.0),)
    total = sum(weight for _, weight in style.parts)
    return tuple((part, weight / total) for part, weight in style.parts)


def _check_style(style: StyleRef, engine: Engine) -> None:
    for part, _ in _flat(style):
        if isinstance(part, TextStyle) and "text" not in engine.style_kinds:
            raise ScumbleError(
                Code.UNKNOWN_STYLE,
                f"Engine {engine.name} does not understand styles in words.",
                "Choose a picture as the style, or an engine that takes text.",
            )
        if isinstance(part, BundledStyle):
            styles.find(part.id)
        if isinstance(part, PixelStyle):
            check_size(part.pixels.width, part.pixels.height, "style picture")


def job(request: StylizeRequest, plan: Plan) -> Job:
    """Decode the crop, the masks and the styles.

    Masks become zero where the layer is transparent.  Colour hidden under wholly transparent pixels
    is replaced by the crop's mean visible colour: two layers that look the same give one result.

    :raises ScumbleError: ``not_finite``, ``unknown_style``.
    """
    # Hashing takes as long as decoding, and another core may have nothing to do.
    with ThreadPoolExecutor(1) as aside:
        keys = aside.submit(_keys, request, plan.crop)
        return _decoded(request, plan, keys.result)


def _keys(request: StylizeRequest, crop: Box) -> tuple[str, list[str]]:
    """What distinguishes the crop and each of the masks in the keys of caches."""
    layer = request.layer
    masks = [mask_key(region.mask, layer.width, layer.height, crop) for region in request.regions]
    return pixels.crop_key(layer, crop), masks


def _decoded(request: StylizeRequest, plan: Plan, keys: Callable[[], tuple[str, list[str]]]) -> Job:
    layer, crop = request.layer, plan.crop
    rgb, opacity = pixels.decode(layer, crop)
    if layer.dtype in ("f16", "f32"):
        rgb = np.clip(rgb, 0, 1)
    # Asking every pixel takes longer than a small region is worth.
    opaque = not pixels.has_alpha(layer.layout) or bool((opacity >= 1).all())
    if not opaque:
        rgb = _fill_hidden(rgb, opacity)
    regions: list[JobRegion | None] = []
    for region, options in zip(request.regions, plan.region_options, strict=True):
        mask = decode_mask(region.mask, layer.width, layer.height, crop)
        if not opaque:
            mask = mask * opacity
        parts, prompt = _styles(region.style, region.style_mask)  # complains of what is wrong with it
        if not mask.any():  # one of several: nothing of it is to be painted
            regions.append(None)
            continue
        whole = torch.from_numpy(_roomy(mask, fill=True))
        regions.append(JobRegion(whole, parts, region.strength, options, prompt))
    content_key, mask_keys = keys()
    if not opaque:
        mask_keys = [f"{key}/{content_key}" for key in mask_keys]
    there = [replace(one, key=key) for one, key in zip(regions, mask_keys, strict=True) if one is not None]
    if not there:
        raise ScumbleError(
            Code.EMPTY_SELECTION,
            "Everything that is selected is transparent.",
            "Select a part of the layer that has paint on it, or choose another layer.",
        )
    return Job(
        content=_planes(_roomy(rgb)),
        opacity=torch.from_numpy(_roomy(opacity)),
        regions=tuple(there),
        options=plan.options,
        seed=request.seed,
        key=content_key,
    )


def _fill_hidden(rgb: Floats, opacity: Floats) -> Floats:
    hidden = opacity == 0
    if not hidden.any():
        return rgb
    weight = opacity.sum(dtype=np.float64)
    mean = np.einsum("hwc,hw->c", rgb, opacity, dtype=np.float64) / max(weight, 1e-6)
    return np.where(hidden[..., None], mean.astype(np.float32), rgb)


def _roomy(values: Floats, *, fill: bool = False) -> Floats:
    """Extend right and bottom to the smallest side: by the edge's pixels, or by zeros with ``fill``."""
    pads = [(0, max(0, SMALLEST - side)) for side in values.shape[:2]]
    if not any(pad for _, pad in pads):
        return values
    pads += [(0, 0)] * (values.ndim - 2)
    return np.pad(values, pads) if fill else np.pad(values, pads, mode="edge")


def _planes(rgb: Floats) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1)))


#: Style pictures kept decoded: an artist tries a handful in turn.
KEPT_STYLES = 8


@lru_cache(maxsize=KEPT_STYLES)
def _bundled_part(id: str) -> StylePart:
    return style_part(_bundled(id))


def _styles(style: StyleRef, mask: MaskBuffer | None = None) -> tuple[tuple[StylePart, ...], str]:
    """The pictures of a style with their shares, and its words."""
    pictures: list[StylePart] = []
    words: list[str] = []
    for part, weight in _flat(style):
        if isinstance(part, TextStyle):
            words.append(part.prompt)
        else:
            if isinstance(part, BundledStyle) and mask is None:
                picture = _bundled_part(part.id)
            else:
                picture = style_part(part.pixels if isinstance(part, PixelStyle) else _bundled(part.id), mask)
            pictures.append(replace(picture, weight=weight))
    total = sum(p.weight for p in pictures)
    return tuple(replace(p, weight=p.weight / total) for p in pictures), "; ".join(words)


def style_part(buffer: PixelBuffer, mask: MaskBuffer | None = None) -> StylePart:
    """A style picture as an engine wants it.

    Transparent parts lie on white paper, and wholly transparent borders are cut off.

    :param mask: the part of it to take the style from, stretched over the whole picture.
    :raises ScumbleError: ``empty_selection`` if nothing of it can be seen or the mask selects nothing of
        it, ``not_finite``.
    """
    box = Box(0, 0, buffer.width, buffer.height)
    visible = pixels.opacity_bits(buffer, box)
    if visible is not None:
        box = bounds(visible)
        if box.empty:
            raise ScumbleError(
                Code.EMPTY_SELECTION,
                "The style picture is wholly transparent.",
                "Choose a picture, or a layer with paint on it, as the style.",
            )
    rgb, alpha = pixels.decode(buffer, box, "style picture")
    rgb = np.clip(rgb, 0, 1)
    if visible is not None:
        rgb = rgb * alpha[..., None] + (1 - alpha[..., None])
    scale = STYLE_SIDE / max(rgb.shape[:2])
    if scale < 1:
        size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
        rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.float32).clip(0, 1)
    part = StylePart(_planes(_roomy(rgb)), pixels.crop_key(buffer, box))
    if mask is None:
        return part
    chosen = _style_mask(mask, buffer, box, rgb.shape[:2])
    return replace(part, mask=torch.from_numpy(_roomy(chosen, fill=True)))


def _style_mask(mask: MaskBuffer, buffer: PixelBuffer, box: Box, size: tuple[int, ...]) -> Floats:
    """The mask on the style picture's visible box, at the size at which the picture is kept."""
    mask_bounds(mask, mask.width, mask.height)  # raises for values that are not numbers
    values = decode_mask(mask, mask.width, mask.height, Box(0, 0, mask.width, mask.height))
    kind = cv2.INTER_AREA if mask.width > buffer.width else cv2.INTER_LINEAR
    whole = np.asarray(cv2.resize(values, (buffer.width, buffer.height), interpolation=kind), np.float32)
    part = cv2.resize(whole[box.slices()], (size[1], size[0]), interpolation=cv2.INTER_AREA)
    found = np.asarray(part, np.float32).reshape(size[:2]).clip(0, 1)
    if not (found > 0).any():
        raise ScumbleError(
            Code.EMPTY_SELECTION,
            "The selection on the style picture is empty.",
            "Select the part of the painting to take the style from, or leave the selection out.",
        )
    return found


def _bundled(id: str) -> PixelBuffer:
    picture = styles.load(id)
    return PixelBuffer(picture.shape[1], picture.shape[0], "rgb", "u8", pixels.as_bytes(picture))
