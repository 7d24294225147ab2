"""Requests and results as messages, and back (``docs/protocol.md``, section 6).

Pixels are never copied: a message's buffers are the request's own, and a decoded request's buffers are
views of the frames.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal, cast

from . import fields
from .errors import Code, ScumbleError
from .framing import Buffer, Message, json_buffer, plain
from .limits import LIMITS, Limits
from .messages import (
    BlendStyle,
    BundledStyle,
    DType,
    MaskBuffer,
    PixelBuffer,
    PixelLayout,
    PixelStyle,
    Region,
    StyleRef,
    StylizeRequest,
    StylizeResult,
    TextStyle,
    Transfer,
)

_SEED = 2**63


def _pixels(role: str, pixels: PixelBuffer) -> Buffer:
    return Buffer(
        role, pixels.width, pixels.height, pixels.layout, pixels.dtype, pixels.data, pixels.transfer
    )


class _Packer:
    """Collects buffers; the same data under the same role travels once."""

    def __init__(self) -> None:
        self.buffers: list[Buffer] = []
        self._seen: dict[tuple[str, int], int] = {}

    def add(self, buffer: Buffer) -> int:
        key = (buffer.role, id(buffer.data))
        index = self._seen.get(key)
        # The data is compared by identity, the rest by value: one array may be read as two pictures.
        if index is not None and self.buffers[index] == buffer:
            return index
        self.buffers.append(buffer)
        self._seen[key] = len(self.buffers) - 1
        return len(self.buffers) - 1

    def style(self, style: StyleRef) -> dict[str, Any]:
        if isinstance(style, BundledStyle):
            return {"kind": "bundled", "id": style.id}
        if isinstance(style, TextStyle):
            return {"kind": "text", "prompt": style.prompt}
        if isinstance(style, PixelStyle):
            return {"kind": "pixels", "buffer": self.add(_pixels("style", style.pixels))}
        parts = [{"style": self.style(part), "weight": weight} for part, weight in style.parts]
        return {"kind": "blend", "parts": parts}


def request_message(request: StylizeRequest, job: str) -> Message:
    """The ``stylize`` message of a request."""
    packer = _Packer()
    layer = packer.add(_pixels("layer", request.layer))
    regions = []
    for region in request.regions:
        mask = region.mask
        index = packer.add(Buffer("mask", mask.width, mask.height, "gray", mask.dtype, mask.data))
        entry: dict[str, Any] = {
            "mask": {"buffer": index, "x": mask.x, "y": mask.y},
            "style": packer.style(region.style),
            "strength": region.strength,
            "options": dict(region.options),
        }
        part = region.style_mask
        if part is not None:
            entry["style_mask"] = packer.add(
                Buffer("style_mask", part.width, part.height, "gray", part.dtype, part.data)
            )
        regions.append(entry)
    body = {
        "layer": layer,
        "regions": regions,
        "engine": request.engine,
        "options": dict(request.options),
        "seed": request.seed,
        "origin": list(request.origin),
        "canvas": list(request.canvas),
    }
    return Message("stylize", job, body, tuple(packer.buffers))


class _Unpacker:
    """Hands out buffers by index and role, and knows which were asked for."""

    def __init__(self, message: Message, limits: Limits) -> None:
        self.buffers = message.buffers
        self.used: set[int] = set()
        self.limits = limits

    def buffer(self, body: Mapping[str, Any], name: str, role: str) -> Buffer:
        index = fields.integer(body, name, low=0, high=max(len(self.buffers) - 1, 0))
        if index >= len(self.buffers) or self.buffers[index].role != role:
            raise ScumbleError(Code.BAD_REQUEST, f"The field {name!r} does not name a {role} buffer.")
        self.used.add(index)
        return self.buffers[index]

    def pixels(self, body: Mapping[str, Any], name: str, role: str) -> PixelBuffer:
        return to_pixels(self.buffer(body, name, role))

    def style_mask(self, body: Mapping[str, Any]) -> MaskBuffer | None:
        if body.get("style_mask") is None:
            return None
        buffer = self._gray(body, "style_mask", "style_mask")
        return MaskBuffer(buffer.width, buffer.height, buffer.data, cast(DType, buffer.dtype))

    def _gray(self, body: Mapping[str, Any], name: str, role: str) -> Buffer:
        buffer = self.buffer(body, name, role)
        if buffer.format != "gray":
            raise ScumbleError(Code.UNSUPPORTED_FORMAT, "A mask has one channel.")
        return buffer

    def mask(self, body: Mapping[str, Any], role: str = "mask") -> MaskBuffer:
        buffer = self._gray(body, "buffer", role)
        x, y = fields.integer(body, "x", 0), fields.integer(body, "y", 0)
        return MaskBuffer(buffer.width, buffer.height, buffer.data, cast(DType, buffer.dtype), x, y)

    def style(self, body: Mapping[str, Any], nested: bool = False) -> StyleRef:
        kind = fields.text(body, "kind", longest=20)
        if kind == "bundled":
            return BundledStyle(fields.text(body, "id", longest=200))
        if kind == "text":
            return TextStyle(fields.text(body, "prompt", longest=self.limits.text))
        if kind == "pixels":
            return PixelStyle(self.pixels(body, "buffer", "style"))
        if kind == "blend" and not nested:
            parts = []
            for entry in fields.sequence(body, "parts", most=4):
                if not isinstance(entry, dict):
                    raise ScumbleError(Code.BAD_REQUEST, "A part of a blend is not an object.")
                style = self.style(fields.mapping(entry, "style"), nested=True)
                parts.append((style, fields.number(entry, "weight")))
            return BlendStyle(cast(Any, tuple(parts)))
        raise ScumbleError(Code.BAD_REQUEST, "This kind of style is not known.")

    def region(self, body: Any) -> Region:
        if not isinstance(body, dict):
            raise ScumbleError(Code.BAD_REQUEST, "A region is not an object.")
        return Region(
            mask=self.mask(fields.mapping(body, "mask")),
            style=self.style(fields.mapping(body, "style")),
            strength=fields.number(body, "strength", 1.0),
            options=fields.scalars(body, "options", self.limits.options, self.limits.text),
            style_mask=self.style_mask(body),
        )


def to_pixels(buffer: Buffer) -> PixelBuffer:
    """A buffer as pixels; raises ``unsupported_format`` for one that is not a picture."""
    return PixelBuffer(
        buffer.width,
        buffer.height,
        cast(PixelLayout, buffer.format),
        cast(DType, buffer.dtype),
        buffer.data,
        cast(Transfer, buffer.transfer),
    )


def message_request(message: Message, limits: Limits = LIMITS) -> StylizeRequest:
    """The request in a ``stylize`` message.

    :raises ScumbleError: ``bad_request``, ``too_large``, ``empty_selection``, ``option_out_of_range``
        or ``unsupported_format``.
    """
    body, unpacker = message.body, _Unpacker(message, limits)
    canvas = fields.pair(body, "canvas", (0, 0))
    if min(canvas) < 0:
        raise ScumbleError(Code.BAD_REQUEST, "The canvas cannot have a negative size.")
    request = StylizeRequest(
        layer=unpacker.pixels(body, "layer", "layer"),
        regions=tuple(unpacker.region(r) for r in fields.sequence(body, "regions", limits.regions)),
        engine=fields.text(body, "engine", "partial-conv", longest=100),
        options=fields.scalars(body, "options", limits.options, limits.text),
        seed=fields.integer(body, "seed", 0, low=-_SEED, high=_SEED - 1),
        origin=fields.pair(body, "origin", (0, 0)),
        canvas=canvas,
    )
    if len(unpacker.used) != len(message.buffers):
        raise ScumbleError(Code.BAD_REQUEST, "The message has a buffer that the request does not use.")
    return request


def result_message(
    result: StylizeResult, job: str, kind: Literal["result", "preview"] = "result", limits: Limits = LIMITS
) -> Message:
    """The ``result`` (or ``preview``) message of a result; a report that is too long is left out."""
    report = plain(result.report)
    if len(str(report)) > limits.header_bytes // 4:
        report = {"left_out": "The report was too long."}
    body = {"layer": 0, "origin": list(result.origin), "report": report}
    return Message(kind, job, body, (_pixels("result", result.layer),))


def message_result(message: Message) -> StylizeResult:
    """The result in a ``result`` or ``preview`` message; raises ``bad_request`` if there is none."""
    pixels = _Unpacker(message, LIMITS).pixels(message.body, "layer", "result")
    return StylizeResult(
        pixels, fields.pair(message.body, "origin"), fields.mapping(message.body, "report", {})
    )


def failed_message(error: ScumbleError, reply_to: str) -> Message:
    """The ``failed`` message of an error."""
    body = {"code": error.code.value, "message": error.message, "hint": error.hint, "retry": error.retry}
    return Message("failed", reply_to, body)


def message_error(message: Message) -> ScumbleError:
    """The error in a ``failed`` message; a code that this version does not know is ``internal``."""
    body = message.body
    try:
        code = Code(body.get("code"))
    except ValueError:
        code = Code.INTERNAL
    return ScumbleError(
        code,
        str(body.get("message", "Something failed in the backend.")),
        str(body.get("hint", "")),
        retry=body.get("retry") is True,
    )


def attached(kind: str, reply_to: str, value: Any) -> Message:
    """A message whose whole content is JSON in a buffer (``description``, lists of models)."""
    return Message(kind, reply_to, {"json": 0}, (json_buffer(value),))


def attachment(message: Message) -> Any:
    """The JSON value that :func:`attached` put in, or the body if there is none."""
    if "json" not in message.body:
        return dict(message.body)
    buffer = _Unpacker(message, LIMITS).buffer(message.body, "json", "json")
    try:
        return json.loads(bytes(buffer.data).decode("utf-8"))
    except (ValueError, RecursionError):
        raise ScumbleError(Code.BAD_REQUEST, "The attached text is not JSON.") from None
