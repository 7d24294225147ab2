"""Lay a new layer over its source exactly as an editor would in normal mode."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import PixelBuffer, StylizeResult

from ..regions.geometry import Box
from .pixels import WITH_ALPHA, as_bytes, from_float, samples, to_float


def composite(source: PixelBuffer, result: StylizeResult, origin: tuple[int, int] = (0, 0)) -> PixelBuffer:
    """The source with the new layer over it, in the source's own layout, sample type and encoding.

    Straight alpha over: ``a = at + as (1 - at)``, ``c = (ct at + cs as (1 - at)) / a``, computed on the
    values as they are encoded, as editors do in a document of that kind.  Pixels where the layer's
    alpha is 0 keep their bytes.

    :param origin: (x, y) of the source's top left pixel on the canvas.
    :raises ScumbleError: ``bad_request`` if the layer is not of the source's kind.
    """
    top = result.layer
    expected = (WITH_ALPHA[source.layout], source.dtype, source.transfer)
    if (top.layout, top.dtype, top.transfer) != expected:
        raise ScumbleError(
            Code.BAD_REQUEST,
            f"A {top.layout}/{top.dtype}/{top.transfer} layer does not fit over a"
            f" {source.layout}/{source.dtype}/{source.transfer} one.",
        )
    out = samples(source).copy()
    left, upper = result.origin[0] - origin[0], result.origin[1] - origin[1]
    place = Box(left, upper, left + top.width, upper + top.height)
    seen = place.intersect(Box(0, 0, source.width, source.height))
    if not seen.empty:
        part = out[seen.slices()]
        _over(part, samples(top)[seen.within(place).slices()], source)
    return replace(source, data=as_bytes(out))


def _over(below: np.ndarray, above: np.ndarray, source: PixelBuffer) -> None:
    """Blend ``above`` into ``below`` in place."""
    touched = above[..., -1] > 0
    old, new = below[touched], above[touched]
    color = new.shape[-1] - 1
    alpha = to_float(new[:, -1:], source.dtype)
    kept = 1 - alpha
    has_alpha = old.shape[-1] > color
    if has_alpha:
        kept = kept * to_float(old[:, -1:], source.dtype)
    total = alpha + kept
    paint = to_float(new[:, :color], source.dtype) * alpha
    rest = to_float(old[:, :color], source.dtype)
    # Hidden colour that is not a number must not come through a weight of zero.
    rest = np.where(kept > 0, rest, np.float32(0)) * kept
    old[:, :color] = from_float((paint + rest) / total, source.dtype)
    if has_alpha:
        old[:, -1:] = from_float(total, source.dtype)
    below[touched] = old
