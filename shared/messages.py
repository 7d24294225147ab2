"""The contract between plugins and backend: one request, one result.

Standard library only: this module is imported inside the editors, where there is no numpy.
Everything an engine may know is in :class:`StylizeRequest`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from .errors import Code, ScumbleError

PixelLayout = Literal["rgba", "bgra", "rgb", "bgr", "gray", "graya"]
DType = Literal["u8", "u16", "f16", "f32"]
Transfer = Literal["srgb", "linear"]

#: Channels of each layout.
CHANNELS: dict[str, int] = {"rgba": 4, "bgra": 4, "rgb": 3, "bgr": 3, "gray": 1, "graya": 2}
#: Bytes of each sample type; all are little-endian.
SAMPLE_BYTES: dict[str, int] = {"u8": 1, "u16": 2, "f16": 2, "f32": 4}

Bytes = bytes | bytearray | memoryview


def _check_size(width: int, height: int, pixel_bytes: int, data: Bytes, what: str) -> None:
    if width < 1 or height < 1:
        raise ScumbleError(Code.BAD_REQUEST, f"The {what} has no pixels ({width} x {height}).")
    expected = width * height * pixel_bytes
    found = memoryview(data).nbytes
    if found != expected:
        raise ScumbleError(
            Code.BAD_REQUEST,
            f"The {what} should have {expected} bytes for {width} x {height} pixels, not {found}.",
        )


@dataclass(frozen=True)
class PixelBuffer:
    """Raw pixels: rows top to bottom without padding, straight (not premultiplied) alpha.

    Integers span their whole range for [0, 1]; floats are nominally [0, 1] and may exceed it.

    :raises ScumbleError: ``unsupported_format`` for an unknown layout or sample type,
        ``bad_request`` if the number of bytes does not fit.
    """

    width: int
    height: int
    layout: PixelLayout
    dtype: DType
    data: Bytes = field(repr=False)
    transfer: Transfer = "srgb"

    def __post_init__(self) -> None:
        if self.layout not in CHANNELS or self.dtype not in SAMPLE_BYTES:
            raise ScumbleError(
                Code.UNSUPPORTED_FORMAT,
                f"Pixels of kind {self.layout}/{self.dtype} are not supported.",
                "Convert the layer to RGB or grey, 8 or 16 bit integer, or 16 or 32 bit float.",
            )
        _check_size(self.width, self.height, self.pixel_bytes, self.data, "layer")

    @property
    def pixel_bytes(self) -> int:
        """Bytes of one pixel."""
        return CHANNELS[self.layout] * SAMPLE_BYTES[self.dtype]


@dataclass(frozen=True)
class MaskBuffer:
    """A soft selection: one sample a pixel, 0 outside to full scale inside.

    It covers the rectangle at (x, y) of the request's layer buffer; outside it the mask is 0.
    """

    width: int
    height: int
    data: Bytes = field(repr=False)
    dtype: DType = "u8"
    x: int = 0
    y: int = 0

    def __post_init__(self) -> None:
        if self.dtype not in SAMPLE_BYTES:
            raise ScumbleError(Code.UNSUPPORTED_FORMAT, f"Masks of kind {self.dtype} are not supported.")
        _check_size(self.width, self.height, SAMPLE_BYTES[self.dtype], self.data, "mask")


@dataclass(frozen=True)
class BundledStyle:
    """A style of the backend's gallery (its own pictures or the user's folder), by id."""

    id: str


@dataclass(frozen=True)
class PixelStyle:
    """A style given as a picture: a file the client read, or another layer."""

    pixels: PixelBuffer


@dataclass(frozen=True)
class TextStyle:
    """A style described in words, for engines that understand them."""

    prompt: str


@dataclass(frozen=True)
class BlendStyle:
    """Two to four styles mixed by weight; weights are positive and need not add up to one."""

    parts: tuple[tuple[BundledStyle | PixelStyle | TextStyle, float], ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.parts) <= 4:
            raise ScumbleError(Code.BAD_REQUEST, "A blend takes one to four styles.")
        if any(not 0 < weight < float("inf") for _, weight in self.parts):
            raise ScumbleError(Code.BAD_REQUEST, "The weights of a blend are positive numbers.")


StyleRef = BundledStyle | PixelStyle | TextStyle | BlendStyle


@dataclass(frozen=True)
class Region:
    """One painted selection with its style.

    :param strength: 0 (identity) to 1 (full).
    :param options: per-region overrides of the engine's options that say ``per_region``.
    :param style_mask: "from this part of the painting": a soft selection on the style picture, stretched
        over the whole of it whatever its own size (x and y are 0).  Engines that cannot use it ignore it.
    """

    mask: MaskBuffer
    style: StyleRef
    strength: float = 1.0
    options: Mapping[str, Any] = field(default_factory=dict)
    style_mask: MaskBuffer | None = None

    def __post_init__(self) -> None:
        if not 0.0 <= self.strength <= 1.0:  # also false for NaN
            raise ScumbleError(
                Code.OPTION_OUT_OF_RANGE,
                f"Strength {self.strength} is outside 0 to 1.",
                "Use a strength between 0 (unchanged) and 1 (full style).",
            )


@dataclass(frozen=True)
class StylizeRequest:
    """Everything an engine may know.

    :param layer: the active layer's pixels around the selection, or all of them.
    :param regions: 1 to N masks with their styles; where masks overlap, styles mix by weight.
    :param engine: an engine's name, as ``describe`` lists it.
    :param options: validated against the engine's own description.
    :param seed: two runs with one seed give the same picture.
    :param origin: (x, y) of the layer buffer's top left pixel on the canvas.
    :param canvas: (width, height) of the canvas; (0, 0) means "as large as the layer".
    """

    layer: PixelBuffer
    regions: tuple[Region, ...]
    engine: str = "partial-conv"
    options: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    origin: tuple[int, int] = (0, 0)
    canvas: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        if not self.regions:
            raise ScumbleError(
                Code.EMPTY_SELECTION, "There is no region to stylize.", "Select a part of the layer first."
            )


@dataclass(frozen=True)
class StylizeResult:
    """The new layer: the regions' bounding box only, in the sample type that came in.

    Its layout is ``rgba``, ``bgra`` or ``graya`` to match the source's channel order; alpha is the
    blended mask, so laying it over the source changes no pixel outside the regions.

    :param origin: (x, y) of the new layer on the canvas.
    :param report: stages' seconds, device, peak memory, the options used.
    """

    layer: PixelBuffer
    origin: tuple[int, int]
    report: Mapping[str, Any] = field(default_factory=dict)
