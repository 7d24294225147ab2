"""A backend for the controller's tests: the scripted one, which also paints when it is told to.

It paints by turning colours around, inside of the masks, with the blended mask as alpha: what the real
one promises about shape and place, so that what the plug-in does with it can be checked.
"""

from __future__ import annotations

import base64
import io
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image
from scripted import ScriptedBackend

from scumble.plugin.krita.loop import Action, safely
from scumble.shared.codec import attached, failed_message, message_request, result_message
from scumble.shared.errors import ScumbleError
from scumble.shared.framing import Message
from scumble.shared.messages import CHANNELS, MaskBuffer, PixelBuffer, StylizeRequest, StylizeResult
from scumble.shared.segmenting import (
    FoundMask,
    SegmentRequest,
    SegmentResult,
    found_message,
    message_segment,
)

OPTIONS = [
    {"name": "detail", "label": "Detail", "kind": "float", "default": 0.5, "minimum": 0.0, "maximum": 1.0,
     "group": "Look", "per_region": True},
    {"name": "draft", "label": "Quick draft", "kind": "bool", "default": False, "group": "Method"},
]  # fmt: skip
DESCRIPTION: dict[str, Any] = {
    "engines": [
        {"name": "regions", "label": "Regions", "options": OPTIONS, "margin": 8, "wider": []},
        {"name": "other", "label": "Other", "options": OPTIONS[:1]},
    ],
    "styles": [
        {"id": "oil", "name": "Oil", "description": "Thick", "tags": ["paint"], "thumbnail": "iVBORw0KGgo="},
        {"id": "ink", "name": "Ink", "source": "user"},
    ],
    "models": [],
    "device": {"kind": "cpu", "name": "CPU", "threads": 2},
}
SAMPLES = {"u8": np.uint8, "u16": np.uint16, "f16": np.float16, "f32": np.float32}


def array(pixels: PixelBuffer) -> np.ndarray:
    """Pixels as rows, columns, channels."""
    shape = (pixels.height, pixels.width, CHANNELS[pixels.layout])
    return np.frombuffer(pixels.data, SAMPLES[pixels.dtype]).reshape(shape)


def painted(request: StylizeRequest) -> StylizeResult:
    """The colours turned around inside of the masks."""
    layer = array(request.layer)
    cover = np.zeros(layer.shape[:2])
    for region in request.regions:
        mask = region.mask
        kind = SAMPLES[mask.dtype]
        full = np.iinfo(kind).max if mask.dtype in ("u8", "u16") else 1.0
        values = np.frombuffer(mask.data, kind).reshape(mask.height, mask.width) / full * region.strength
        part = cover[mask.y : mask.y + mask.height, mask.x : mask.x + mask.width]
        np.maximum(part, values, out=part)
    rows, columns = np.nonzero(cover)
    y0, y1, x0, x1 = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
    top = np.iinfo(layer.dtype).max if layer.dtype in (np.uint8, np.uint16) else 1
    new = (top - layer[y0:y1, x0:x1]).astype(layer.dtype)
    new[..., -1] = (cover[y0:y1, x0:x1] * layer[y0:y1, x0:x1, -1]).astype(layer.dtype)
    pixels = PixelBuffer(
        int(x1 - x0),
        int(y1 - y0),
        request.layer.layout,
        request.layer.dtype,
        new.tobytes(),
        request.layer.transfer,
    )
    origin = (int(x0) + request.origin[0], int(y0) + request.origin[1])
    return StylizeResult(pixels, origin, {"total_s": 0.01})


def found(question: SegmentRequest) -> SegmentResult:
    """Four by three pixels from the last click on, of which the first column is half selected."""
    point = question.points[-1]
    mask = MaskBuffer(4, 3, bytes([128, 255, 255, 255]) * 3, x=int(point.x), y=int(point.y))
    return SegmentResult((FoundMask(mask, 0.9, 10.5),), "scripted")


def picture(side: int) -> dict[str, Any]:
    """A red picture as the backend gives those of its gallery."""
    stream = io.BytesIO()
    Image.new("RGB", (side, side // 2), (250, 10, 10)).save(stream, "JPEG")
    return {"style": "red", "jpeg": base64.b64encode(stream.getvalue()).decode()}


class Painter(ScriptedBackend):
    """See the module.

    :ivar hold: while true, jobs are accepted and begun, and nothing more.
    :ivar refuse: instead of painting, fail with this.
    """

    def __init__(self) -> None:
        super().__init__()
        self.hold = False
        self.refuse: ScumbleError | None = None
        self.unwelcome: ScumbleError | None = None
        self.requests: list[StylizeRequest] = []
        self.questions: list[SegmentRequest] = []

    def _take(self, message: Message) -> Message | None:
        if message.type == "hello" and self.unwelcome is not None:
            return failed_message(self.unwelcome, message.id)
        reply = super()._take(message)
        if message.type == "describe":
            return attached("description", message.id, DESCRIPTION)
        if message.type == "stylize":
            request = message_request(message)
            self.requests.append(request)
            self.accept(message.id)
            self.progress(message.id)
            if self.refuse is not None:
                self.fail(message.id, self.refuse)
            elif not self.hold:
                self._say.append(result_message(painted(request), message.id))
        if message.type == "segment":
            question = message_segment(message)
            self.questions.append(question)
            if self.refuse is not None:
                self.fail(message.id, self.refuse)
            elif not self.hold:
                self._say.append(found_message(found(question), message.id))
        if message.type == "picture":
            if self.refuse is not None:
                self.fail(message.id, self.refuse)
            else:
                self._say.append(attached("result", message.id, picture(message.body["side"])))
        if message.type == "cancel":
            self.cancelled(message.body["job"])
        return reply

    def let_go(self) -> None:
        """Paint what was held."""
        self.hold = False
        message = self.of("stylize")[-1]
        self._say.append(result_message(painted(message_request(message)), message.id))


class HandLoop:
    """The GUI thread's loop, turned by the test."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._posted: list[Action] = []
        self._later: list[tuple[float, Action]] = []

    def post(self, action: Action) -> None:
        with self._lock:
            self._posted.append(action)

    def later(self, delay_ms: int, action: Action) -> Action:
        entry = (time.monotonic() + delay_ms / 1000, action)
        self._later.append(entry)

        def take_back() -> None:
            if entry in self._later:
                self._later.remove(entry)

        return take_back

    def turn(self) -> None:
        """Do what is due."""
        with self._lock:
            posted, self._posted = self._posted, []
        for action in posted:
            safely(action)
        now = time.monotonic()
        for entry in [e for e in self._later if e[0] <= now]:
            if entry in self._later:
                self._later.remove(entry)
                safely(entry[1])

    def until(self, true: Callable[[], Any], what: str = "it", patience_s: float = 60.0) -> Any:
        """Turn until something holds.

        :param patience_s: counted in turns: a machine that stands still for a while has not had its time.
        """
        for _ in range(round(patience_s / 0.002)):
            self.turn()
            value = true()
            if value:
                return value
            time.sleep(0.002)
        raise AssertionError(f"{what} did not come true")

    def some(self, seconds: float = 0.2) -> None:
        """Turn a while, for what should not happen."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.turn()
            time.sleep(0.002)
