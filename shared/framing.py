"""Messages as ZeroMQ frames: ``[b"SCUMBLE1", header, buffer*]`` (``docs/protocol.md``, section 3).

Nothing here knows what a message means.  :func:`decode` is what stands between a stranger's bytes and
the rest of the program: it checks every count and size before it keeps anything, it never copies a
buffer, and it raises nothing but :class:`FrameError`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .errors import Code, ScumbleError
from .limits import LIMITS, Limits
from .messages import CHANNELS, SAMPLE_BYTES, Bytes

MAGIC = b"SCUMBLE1"
#: The protocol versions this code speaks; ``hello`` negotiates them.
PROTOCOLS = (1,)
#: Messages of a client.
REQUESTS = frozenset(
    {
        "hello",
        "ping",
        "describe",
        "stylize",
        "segment",
        "cancel",
        "release",
        "models",
        "picture",
        "free_memory",
        "shutdown",
    }
)
#: Messages of a backend.
ANSWERS = frozenset(
    {
        "welcome",
        "pong",
        "description",
        "accepted",
        "progress",
        "preview",
        "result",
        "failed",
        "cancelling",
        "cancelled",
    }
)
#: The one buffer format that is not pixels: UTF-8 JSON, ``width`` bytes by 1.
JSON_FORMAT = "json"
#: The id in the answer to a message whose own could not be read.
NO_ID = "-"
TRANSFERS = ("srgb", "linear")

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_WORD = re.compile(r"[a-z_]{1,32}\Z")


class FrameError(ScumbleError):
    """A message that breaks the rules.

    :param reply_to: the message's id if that much could be read, so that an answer can name it.
    """

    def __init__(self, code: Code, message: str, hint: str = "", *, reply_to: str = "") -> None:
        super().__init__(code, message, hint)
        self.reply_to = reply_to


@dataclass(frozen=True)
class Buffer:
    """One buffer with its declaration: rows top to bottom without padding.

    :param role: what it is: ``layer``, ``mask``, ``style``, ``preview``, ``result`` or ``json``.
    :param format: a pixel layout of :data:`~scumble.shared.messages.CHANNELS`, or ``json``.
    :param data: a view of the frame; nothing is copied.
    """

    role: str
    width: int
    height: int
    format: str
    dtype: str
    data: Bytes = field(repr=False)
    transfer: str = "srgb"

    @property
    def nbytes(self) -> int:
        """Bytes of the data."""
        return memoryview(self.data).nbytes


@dataclass(frozen=True)
class Message:
    """A message of either direction.

    :param id: names the exchange: an answer carries its request's id; a job's id is its ``stylize``'s.
    """

    type: str
    id: str
    body: Mapping[str, Any] = field(default_factory=dict)
    buffers: tuple[Buffer, ...] = ()

    @property
    def nbytes(self) -> int:
        """Bytes of all buffers."""
        return sum(b.nbytes for b in self.buffers)


def is_id(value: Any) -> bool:
    """Whether a value may be the id of a message, job or session: 1 to 64 of ``A-Za-z0-9_-``."""
    return isinstance(value, str) and _ID.match(value) is not None


def json_buffer(value: Any) -> Buffer:
    """A JSON value as a buffer, for answers that would not fit into a header."""
    data = json.dumps(plain(value), ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    return Buffer(JSON_FORMAT, len(data), 1, JSON_FORMAT, "u8", data)


def plain(value: Any, depth: int = 16) -> Any:
    """The value in JSON's types only: tuples become lists, numbers that are not finite ``None``,
    anything unknown its type's name (never its ``repr``, which could hold a path)."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if depth and isinstance(value, Mapping):
        return {str(k): plain(v, depth - 1) for k, v in value.items()}
    if depth and isinstance(value, (list, tuple, set, frozenset)):
        return [plain(v, depth - 1) for v in value]
    return type(value).__name__


def encode(message: Message, limits: Limits = LIMITS) -> list[Bytes]:
    """The frames of a message, buffers as they are (send them with ``copy=False``).

    :raises FrameError: ``too_large`` if it breaks a limit: the sender learns it before the wire does;
        ``bad_request`` if the body is not plain data.
    """
    declared = []
    for buffer in message.buffers:
        entry: dict[str, Any] = {
            "role": buffer.role,
            "width": buffer.width,
            "height": buffer.height,
            "format": buffer.format,
            "dtype": buffer.dtype,
            "bytes": buffer.nbytes,
        }
        if buffer.transfer != "srgb":
            entry["transfer"] = buffer.transfer
        declared.append(entry)
    content = {"type": message.type, "id": message.id, "body": message.body, "buffers": declared}
    try:
        header = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError):
        raise FrameError(
            Code.BAD_REQUEST, "The message holds something that is not plain data.", reply_to=message.id
        ) from None
    _check_header_size(len(header), limits, message.id)
    _declarations(declared, limits, message.id)
    return [MAGIC, header, *(memoryview(b.data).cast("B") for b in message.buffers)]


def decode(frames: Sequence[Bytes], limits: Limits = LIMITS) -> Message:
    """The message in the frames, its buffers views of them.

    :raises FrameError: ``unsupported_protocol``, ``too_large``, ``unsupported_format`` or
        ``bad_request``.
    """
    if len(frames) < 2:
        raise FrameError(Code.BAD_REQUEST, "The message has too few frames.")
    if len(frames) > 2 + limits.buffers:
        raise FrameError(Code.TOO_LARGE, f"A message has at most {limits.buffers} buffers.")
    _check_magic(frames[0])
    _check_header_size(memoryview(frames[1]).nbytes, limits, "")
    header = _parse(frames[1])
    reply_to: Any = header.get("id")
    if not is_id(reply_to):
        raise FrameError(Code.BAD_REQUEST, "The message has no proper id.")
    kind, body = header.get("type"), header.get("body", {})
    if not isinstance(kind, str) or not _WORD.match(kind):
        raise FrameError(Code.BAD_REQUEST, "The message has no proper type.", reply_to=reply_to)
    if not isinstance(body, dict):
        raise FrameError(Code.BAD_REQUEST, "The message's body is not an object.", reply_to=reply_to)
    declared = header.get("buffers", [])
    if not isinstance(declared, list) or len(declared) != len(frames) - 2:
        raise FrameError(
            Code.BAD_REQUEST, "The message does not have the buffers it declares.", reply_to=reply_to
        )
    sizes = _declarations(declared, limits, reply_to)
    for size, frame in zip(sizes, frames[2:]):
        if memoryview(frame).nbytes != size:
            raise FrameError(
                Code.BAD_REQUEST, "A buffer does not have the size it declares.", reply_to=reply_to
            )
    buffers = tuple(
        Buffer(
            entry["role"],
            entry["width"],
            entry["height"],
            entry["format"],
            entry["dtype"],
            memoryview(frame),
            entry.get("transfer", "srgb"),
        )
        for entry, frame in zip(declared, frames[2:])
    )
    return Message(kind, reply_to, body, buffers)


def _check_magic(frame: Bytes) -> None:
    magic = bytes(memoryview(frame)[:16])
    if magic == MAGIC:
        return
    if re.match(rb"SCUMBLE[0-9]+\Z", magic):
        raise FrameError(
            Code.UNSUPPORTED_PROTOCOL,
            "The other side speaks a version of the protocol that this one does not know.",
            "Update Scumble's plugin and backend to the same version.",
        )
    raise FrameError(Code.BAD_REQUEST, "This is not a Scumble message.")


def _check_header_size(size: int, limits: Limits, reply_to: str) -> None:
    if size > limits.header_bytes:
        raise FrameError(
            Code.TOO_LARGE, f"A header has at most {limits.header_bytes // 1024} KiB.", reply_to=reply_to
        )


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


def _parse(frame: Bytes) -> dict[str, Any]:
    try:
        # RecursionError: a header may hold 100,000 brackets.
        header = json.loads(bytes(frame).decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise FrameError(Code.BAD_REQUEST, "The message's header is not JSON.") from None
    if not isinstance(header, dict):
        raise FrameError(Code.BAD_REQUEST, "The message's header is not an object.")
    return header


def _declarations(declared: Sequence[Any], limits: Limits, reply_to: str) -> list[int]:
    """The size in bytes of each declared buffer, from the declarations alone."""
    sizes = [_declared_bytes(entry, limits, reply_to) for entry in declared]
    if len(sizes) > limits.buffers or sum(sizes) > limits.message_bytes:
        raise FrameError(
            Code.TOO_LARGE,
            "The message is too large.",
            "Select a smaller part, or use fewer regions at once.",
            reply_to=reply_to,
        )
    return sizes


def _declared_bytes(entry: Any, limits: Limits, reply_to: str) -> int:
    def refuse(code: Code, message: str, hint: str = "") -> FrameError:
        return FrameError(code, message, hint, reply_to=reply_to)

    if not isinstance(entry, dict):
        raise refuse(Code.BAD_REQUEST, "A buffer's declaration is not an object.")
    role, layout, dtype = entry.get("role"), entry.get("format"), entry.get("dtype")
    width, height, size = (entry.get(key) for key in ("width", "height", "bytes"))
    if not isinstance(role, str) or not _WORD.match(role):
        raise refuse(Code.BAD_REQUEST, "A buffer has no proper role.")
    # bool is an int, and True would pass as 1.
    if type(width) is not int or type(height) is not int or type(size) is not int:
        raise refuse(Code.BAD_REQUEST, "A buffer's size is not given in whole numbers.")
    if width < 1 or height < 1 or size < 1:
        raise refuse(Code.BAD_REQUEST, f"The {role} has no pixels.")
    if entry.get("transfer", "srgb") not in TRANSFERS:
        raise refuse(Code.UNSUPPORTED_FORMAT, "A buffer's transfer function is not known.")
    if layout == JSON_FORMAT and dtype == "u8":
        if size > limits.json_bytes:
            raise refuse(Code.TOO_LARGE, "An attached text is too large.")
        expected = width * height
    elif isinstance(layout, str) and isinstance(dtype, str) and layout in CHANNELS and dtype in SAMPLE_BYTES:
        if width > limits.side or height > limits.side or width * height > limits.pixels:
            raise refuse(
                Code.TOO_LARGE,
                f"The {role} is too large: {_short(width)} x {_short(height)} pixels.",
                f"Use at most {limits.side} pixels a side and {limits.pixels // 1_000_000} megapixels"
                " in all; scale it down or crop it.",
            )
        expected = width * height * CHANNELS[layout] * SAMPLE_BYTES[dtype]
    else:
        raise refuse(
            Code.UNSUPPORTED_FORMAT,
            "Pixels of this kind are not supported.",
            "Convert the layer to RGB or grey, 8 or 16 bit integer, or 16 or 32 bit float.",
        )
    if expected != size:
        raise refuse(Code.BAD_REQUEST, f"The {role}'s bytes do not fit its width and height.")
    most = limits.style_bytes if role == "style" else limits.buffer_bytes
    if size > most:
        raise refuse(
            Code.TOO_LARGE,
            f"The {role} is too large: {size // 2**20} MiB.",
            f"At most {most // 2**20} MiB are accepted; scale it down or use fewer bits a channel.",
        )
    return size


def _short(value: int) -> str:
    """A number for a sentence: one of a thousand digits is not printed."""
    return str(value) if value < 10**9 else "over a thousand million"
