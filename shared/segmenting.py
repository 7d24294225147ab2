"""Asking for selections: points, a box, "the subject" or "everything" to soft masks.

The dataclasses and their messages (``docs/protocol.md``, section 6.5).  Standard library only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from . import fields
from .codec import _Packer, _pixels, _Unpacker
from .errors import Code, ScumbleError
from .framing import Buffer, Message, plain
from .limits import LIMITS, Limits
from .messages import MaskBuffer, PixelBuffer, StyleRef

#: What is looked for: what points and a box say, the picture's subject, every region of it, or the
#: parts of the picture that correspond to parts of a style picture.
Mode = Literal["points", "subject", "all", "pairs"]
MODES: tuple[str, ...] = get_args(Mode)
#: Most points of a request, and most masks of a result.
MOST_POINTS, MOST_MASKS = 64, 48


@dataclass(frozen=True)
class Point:
    """A click in pixels of the layer buffer: "this" or, if not positive, "not this"."""

    x: float
    y: float
    positive: bool = True


@dataclass(frozen=True)
class SegmentRequest:
    """A question for selections.

    :param layer: the layer's pixels.
    :param box: (x0, y0, x1, y1) in pixels around what is meant.
    :param before: the mask to be improved: an earlier answer.
    :param method: a method's name, or ``auto`` for the best that is installed.
    :param edge: half the width in pixels of the band in which the contour is softened; 0 for a hard one.
    :param count: candidates (``points``, ``subject``), masks at most (``all``) or parts (``pairs``).
    :param style: the style picture of ``pairs``.
    """

    layer: PixelBuffer
    mode: Mode = "points"
    points: tuple[Point, ...] = ()
    box: tuple[float, float, float, float] | None = None
    before: MaskBuffer | None = None
    method: str = "auto"
    edge: float = 4.0
    count: int = 3
    style: StyleRef | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ScumbleError(
                Code.BAD_REQUEST,
                "This kind of selection is not known.",
                f"There are: {', '.join(MODES)}.",
            )
        if len(self.points) > MOST_POINTS:
            raise ScumbleError(
                Code.TOO_LARGE, f"At most {MOST_POINTS} points are looked at.", "Remove some of the clicks."
            )
        if not 0 <= self.edge <= 100:
            raise ScumbleError(
                Code.OPTION_OUT_OF_RANGE, "The soft edge is 0 to 100 pixels wide.", "4 suits most pictures."
            )
        if not 1 <= self.count <= MOST_MASKS:
            raise ScumbleError(
                Code.OPTION_OUT_OF_RANGE, f"The number of masks is 1 to {MOST_MASKS}.", "Ask for fewer."
            )
        self._check_prompt()

    def _check_prompt(self) -> None:
        wide, high = self.layer.width, self.layer.height
        for p in self.points:
            if not (0 <= p.x < wide and 0 <= p.y < high):  # also false for NaN
                raise ScumbleError(
                    Code.BAD_REQUEST,
                    f"The point {p.x:g}, {p.y:g} lies outside the layer ({wide} x {high}).",
                    "Click on the layer.",
                )
        for p in self.points:
            for q in self.points:
                if p.positive and not q.positive and math.hypot(p.x - q.x, p.y - q.y) < 1.5:
                    raise ScumbleError(
                        Code.BAD_REQUEST,
                        f"The point {p.x:g}, {p.y:g} is both wanted and unwanted.",
                        "Remove one of the two clicks.",
                    )
        if self.box is not None:
            x0, y0, x1, y1 = self.box
            if not (all(map(math.isfinite, self.box)) and min(x1, wide) - max(x0, 0) >= 1
                    and min(y1, high) - max(y0, 0) >= 1):  # fmt: skip
                raise ScumbleError(
                    Code.BAD_REQUEST,
                    "The box covers nothing of the layer.",
                    "A box is left, top, right, bottom in pixels of the layer.",
                )
        said = self.box is not None or self.before is not None or any(p.positive for p in self.points)
        if self.mode == "points" and not said:
            raise ScumbleError(
                Code.BAD_REQUEST,
                "Nothing says what to select.",
                "Click at least once on what you want, or draw a box around it.",
            )
        if self.mode == "pairs" and self.style is None:
            raise ScumbleError(
                Code.BAD_REQUEST, "Pairs need a style picture to be paired with.", "Choose a style first."
            )


@dataclass(frozen=True)
class FoundMask:
    """A mask that was found.

    :param score: estimated overlap (intersection over union) with what was meant, 0 to 1.
    :param area: selected pixels, soft ones in part.
    :param style_mask: with ``pairs``, the corresponding part of the style picture.
    :param thumbnail: with ``all``, the region as a small PNG in base64; else empty.
    """

    mask: MaskBuffer
    score: float
    area: float
    style_mask: MaskBuffer | None = None
    thumbnail: str = ""


@dataclass(frozen=True)
class SegmentResult:
    """Masks, the best first (``all``: the largest first)."""

    masks: tuple[FoundMask, ...]
    method: str
    report: Mapping[str, Any] = field(default_factory=dict)


def segment_message(request: SegmentRequest, job: str) -> Message:
    """The ``segment`` message of a request."""
    packer = _Packer()
    body: dict[str, Any] = {
        "layer": packer.add(_pixels("layer", request.layer)),
        "mode": request.mode,
        "points": [[p.x, p.y, 1 if p.positive else 0] for p in request.points],
        "method": request.method,
        "edge": request.edge,
        "count": request.count,
        "seed": request.seed,
    }
    if request.box is not None:
        body["box"] = list(request.box)
    if request.before is not None:
        body["before"] = _placed(packer, request.before, "mask")
    if request.style is not None:
        body["style"] = packer.style(request.style)
    return Message("segment", job, body, tuple(packer.buffers))


def _placed(packer: _Packer, mask: MaskBuffer, role: str) -> dict[str, int]:
    index = packer.add(Buffer(role, mask.width, mask.height, "gray", mask.dtype, mask.data))
    return {"buffer": index, "x": mask.x, "y": mask.y}


def message_segment(message: Message, limits: Limits = LIMITS) -> SegmentRequest:
    """The request in a ``segment`` message.

    :raises ScumbleError: ``bad_request``, ``too_large``, ``option_out_of_range``, ``unsupported_format``.
    """
    body, unpacker = message.body, _Unpacker(message, limits)
    points = []
    for entry in fields.sequence(body, "points", MOST_POINTS, []):
        if not isinstance(entry, list) or len(entry) not in (2, 3):
            raise ScumbleError(Code.BAD_REQUEST, "A point is x, y and 1 or 0.")
        named = dict(zip(("x", "y", "positive"), entry, strict=False))
        sign = fields.integer(named, "positive", 1, 0, 1)
        points.append(Point(fields.number(named, "x"), fields.number(named, "y"), sign == 1))
    box = None
    if body.get("box") is not None:
        sides = fields.sequence(body, "box", 4)
        if len(sides) != 4:
            raise ScumbleError(Code.BAD_REQUEST, "A box has four sides.")
        named = dict(zip("abcd", sides, strict=True))
        box = tuple(fields.number(named, key) for key in "abcd")
    before = body.get("before")
    style = body.get("style")
    request = SegmentRequest(
        layer=unpacker.pixels(body, "layer", "layer"),
        mode=fields.text(body, "mode", "points", longest=20),  # type: ignore[arg-type]
        points=tuple(points),
        box=box,  # type: ignore[arg-type]
        before=None if before is None else unpacker.mask(fields.mapping(body, "before")),
        method=fields.text(body, "method", "auto", longest=100),
        edge=fields.number(body, "edge", 4.0),
        count=fields.integer(body, "count", 3),
        style=None if style is None else unpacker.style(fields.mapping(body, "style")),
        seed=fields.integer(body, "seed", 0),
    )
    if len(unpacker.used) != len(message.buffers):
        raise ScumbleError(Code.BAD_REQUEST, "The message has a buffer that the request does not use.")
    return request


def found_message(result: SegmentResult, job: str) -> Message:
    """The ``result`` message of found masks."""
    packer = _Packer()
    masks = []
    for found in result.masks:
        entry: dict[str, Any] = {
            "mask": _placed(packer, found.mask, "mask"),
            "score": float(found.score),
            "area": float(found.area),
        }
        if found.style_mask is not None:
            entry["style_mask"] = _placed(packer, found.style_mask, "style_mask")
        if found.thumbnail:
            entry["thumbnail"] = found.thumbnail
        masks.append(entry)
    body = {"masks": masks, "method": result.method, "report": plain(result.report)}
    return Message("result", job, body, tuple(packer.buffers))


def message_found(message: Message) -> SegmentResult:
    """The masks in a ``result`` message; raises ``bad_request`` if they make no sense."""
    body, unpacker = message.body, _Unpacker(message, LIMITS)
    masks = []
    for entry in fields.sequence(body, "masks", MOST_MASKS):
        if not isinstance(entry, dict):
            raise ScumbleError(Code.BAD_REQUEST, "A found mask is not an object.")
        style = None
        if entry.get("style_mask") is not None:
            place = fields.mapping(entry, "style_mask")
            style = unpacker.mask(place, "style_mask")
        masks.append(
            FoundMask(
                unpacker.mask(fields.mapping(entry, "mask")),
                fields.number(entry, "score"),
                fields.number(entry, "area"),
                style,
                fields.text(entry, "thumbnail", "", longest=200_000),
            )
        )
    return SegmentResult(
        tuple(masks), fields.text(body, "method", "", longest=100), fields.mapping(body, "report", {})
    )
