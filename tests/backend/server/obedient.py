"""A session that obeys: what it does with a job stands in the job's own options.

It is not a mock of the program's code but another part behind the same seam: the server takes whatever
makes its session.  Run as a program, it is a whole backend process with this session.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import MaskBuffer, PixelBuffer, StylizeRequest, StylizeResult
from scumble.shared.segmenting import FoundMask, SegmentRequest, SegmentResult

Progress = Callable[[str, int, int], None]


class ObedientSession:
    """Options: ``seconds`` to work, ``steps`` to count, ``fail`` with a code, ``die`` at once,
    ``shows`` previews, ``foresees`` how many seconds it will take, is ``content`` with what there is when
    told that it is enough, ``deaf`` to cancellation, ``gib`` to pretend to need, ``crash`` with a bug,
    ``diary`` a file to write the job's seed into when it starts."""

    def __init__(self, start_s: float = 0.0) -> None:
        time.sleep(start_s)
        self.freed = 0
        self.described = 0

    def stylize(
        self,
        request: StylizeRequest,
        *,
        progress: Progress | None = None,
        cancelled: threading.Event | None = None,
        preview: Callable[[StylizeResult], None] | None = None,
        enough: threading.Event | None = None,
    ) -> StylizeResult:
        options = dict(request.options)
        if "diary" in options:
            with Path(options["diary"]).open("a") as diary:
                diary.write(f"{request.seed}\n")
        if options.get("die"):
            os.kill(os.getpid(), 9)
        if options.get("crash"):
            raise ZeroDivisionError("in /home/somebody/secret/place.py")
        if "fail" in options:
            raise ScumbleError(
                Code(options["fail"]),
                "It failed, see /home/somebody/secret/log.txt.",
                "Look there.",
                retry=True,
            )
        steps = int(options.get("steps", 10))
        deadline = time.monotonic() + float(options.get("seconds", 0.0))
        done = 0
        if progress is not None and "foresees" in options:
            progress("paint", 0, steps)
        while time.monotonic() < deadline or done < steps:
            if cancelled is not None and cancelled.is_set() and not options.get("deaf"):
                raise ScumbleError(Code.CANCELLED, "The job was cancelled.")
            if enough is not None and enough.is_set() and options.get("content"):
                break
            if preview is not None and options.get("shows"):
                preview(StylizeResult(PixelBuffer(1, 1, "rgba", "u8", bytes([done % 256] * 4)), (3, 4)))
            if progress is not None and done < steps:
                progress("paint", done + 1, steps)
            done += 1
            if time.monotonic() < deadline:
                time.sleep(0.005)
        layer = request.layer
        data = bytes(layer.data)[::-1]
        pixels = PixelBuffer(layer.width, layer.height, layer.layout, layer.dtype, data, layer.transfer)
        return StylizeResult(pixels, request.origin, {"seed": request.seed, "seconds": {"total": 0.1}})

    def segment(
        self,
        request: SegmentRequest,
        *,
        progress: Progress | None = None,
        cancelled: threading.Event | None = None,
    ) -> SegmentResult:
        """As many masks as are asked for, each a pixel at one of the points; ``slow`` waits to be
        cancelled."""
        while request.method == "slow":
            if cancelled is not None and cancelled.is_set():
                raise ScumbleError(Code.CANCELLED, "The job was cancelled.")
            if progress is not None:
                progress("select", 0, 1)
            time.sleep(0.01)
        if request.method == "nothing":
            raise ScumbleError(Code.EMPTY_SELECTION, "Nothing was found there.", "Click elsewhere.")
        if progress is not None:
            progress("select", 1, 1)
        masks = tuple(
            FoundMask(MaskBuffer(1, 1, b"\xff", x=int(p.x), y=int(p.y)), 0.5, 1.0)
            for p in request.points[: request.count]
        )
        return SegmentResult(masks, "obedient", {"mode": request.mode})

    def estimate_bytes(self, request: StylizeRequest | SegmentRequest) -> int:
        if isinstance(request, SegmentRequest):
            return 0
        return int(float(request.options.get("gib", 0)) * 2**30)

    def estimate_seconds(self, request: StylizeRequest) -> float | None:
        return float(request.options["foresees"]) if "foresees" in request.options else None

    def describe(self) -> dict[str, Any]:
        self.described += 1
        # More than a header may hold, as a gallery's thumbnails are.
        styles = [{"id": f"s{i}", "thumbnail": "A" * 20_000} for i in range(20)]
        return {"engines": [], "styles": styles, "models": [], "described": self.described}

    def free_memory(self) -> None:
        self.freed += 1


if __name__ == "__main__":
    import sys

    from scumble.backend.server.main import main

    settings = {k[len("TEST_") :].lower(): float(v) for k, v in os.environ.items() if k.startswith("TEST_")}
    start_s = settings.pop("start_s", 0.0)
    code = main(sys.argv[1:], factory=lambda: ObedientSession(start_s), **settings)
    os._exit(code)
