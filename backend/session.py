"""Everything between a request and its result, in this process: ``Session().stylize(layer, regions)``."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import cv2
import numpy as np
import torch

from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import PixelBuffer, Region, StylizeRequest, StylizeResult
from scumble.shared.segmenting import SegmentRequest, SegmentResult

from . import describe, engines, prepare
from . import device as devices
from .engines import registry
from .engines.base import Cancelled, Context, Engine, Job, Painted, no_preview
from .engines.cache import TensorCache
from .imaging import pixels
from .imaging.composite import composite
from .imaging.types import Floats
from .regions.geometry import Box

__all__ = ["Session", "composite"]

Progress = Callable[[str, int, int], None]

#: Side of the largest piece to compute at once, before and after memory ran out.
LARGEST_TILE, SMALLEST_TILE = 4096, 256
#: Bytes of encoded layers and styles to keep, at most, and as a share of the memory there is.
CACHE_BYTES, CACHE_SHARE = 1 << 30, 0.125

#: Long side of a preview in pixels; seconds before the first, and between two at least.
PREVIEW_SIDE, FIRST_PREVIEW_S, PREVIEW_S = 512, 0.3, 0.7

_log = logging.getLogger(__name__)


def _quiet(stage: str, done: int, of: int) -> None:
    return None


class Session:
    """A device with its caches and the engines on it.  Safe to share: jobs run one after the other.

    :param device: a torch device's name; ``None`` for CUDA if there is one, else the CPU.
    """

    def __init__(self, device: str | None = None) -> None:
        engines.load()
        self.device = devices.choose(device)
        _, total = devices.memory(self.device)
        self.cache = TensorCache(min(CACHE_BYTES, int(total * CACHE_SHARE)) if total else CACHE_BYTES // 4)
        self._job = threading.Lock()

    def stylize(
        self,
        request: StylizeRequest | PixelBuffer,
        regions: Sequence[Region] | None = None,
        *,
        engine: str = "partial-conv",
        options: Mapping[str, Any] | None = None,
        seed: int = 0,
        progress: Progress | None = None,
        cancelled: threading.Event | None = None,
        preview: Callable[[StylizeResult], None] | None = None,
        enough: threading.Event | None = None,
    ) -> StylizeResult:
        """Stylize the regions of a layer.

        :param request: a whole request, or only the layer's pixels; then the other arguments count.
        :param progress: called with (stage, done, of) from this thread.
        :param cancelled: set it from another thread to stop the job.
        :param preview: called from this thread with rough versions of the result, by engines that take
            long: 8 bit RGBA, reduced to at most 512 pixels a side; ``report["box"]`` is what it covers.
        :param enough: set it from another thread to get what there is so far as the result.
        :returns: the new layer: the selected box only, in the layer's sample type and encoding, with
            straight alpha; 0 alpha wherever a pixel must not change.
        :raises ScumbleError: for bad input, lack of memory, ``cancelled``, or an engine's failure.
        """
        if isinstance(request, PixelBuffer):
            request = StylizeRequest(request, tuple(regions or ()), engine, dict(options or {}), seed)
        elif regions is not None or options is not None:
            raise ScumbleError(Code.BAD_REQUEST, "A whole request comes with its own regions and options.")
        stop = cancelled or threading.Event()
        with self._turn(stop):
            try:
                return self._stylize(request, progress or _quiet, stop, preview, enough or threading.Event())
            except Cancelled:
                raise _cancelled() from None
            except ScumbleError:
                raise
            except Exception as error:
                if devices.is_out_of_memory(error):
                    raise _no_memory() from error
                _log.exception("engine %s failed", request.engine)
                raise ScumbleError(
                    Code.INTERNAL,
                    "Something went wrong inside Scumble while painting.",
                    "The log has the details (scumble backend log); please report it.",
                ) from error

    def segment(
        self,
        request: SegmentRequest,
        *,
        progress: Progress | None = None,
        cancelled: threading.Event | None = None,
    ) -> SegmentResult:
        """Find selections on a layer; see :mod:`scumble.backend.segment`.

        :raises ScumbleError: for bad input, where nothing is found, ``cancelled``, or a method's failure.
        """
        from .segment.find import find

        stop = cancelled or threading.Event()
        with self._turn(stop):
            try:
                return find(request, Context(self.device, self.cache, progress or _quiet, stop))
            except Cancelled:
                raise _cancelled() from None
            except ScumbleError:
                raise
            except Exception as error:
                if devices.is_out_of_memory(error):
                    self.cache.clear()
                    devices.release(self.device)
                    raise _no_memory() from error
                _log.exception("selecting (%s) failed", request.mode)
                raise ScumbleError(
                    Code.INTERNAL,
                    "Something went wrong inside Scumble while selecting.",
                    "The log has the details (scumble backend log); please report it.",
                ) from error

    @contextmanager
    def _turn(self, stop: threading.Event) -> Iterator[None]:
        while not self._job.acquire(timeout=0.05):
            if stop.is_set():
                raise _cancelled()
        try:
            yield
        finally:
            self._job.release()

    def _stylize(
        self,
        request: StylizeRequest,
        progress: Progress,
        stop: threading.Event,
        preview: Callable[[StylizeResult], None] | None,
        enough: threading.Event,
    ) -> StylizeResult:
        began = time.perf_counter()
        engine = registry.engine(request.engine)
        plan = prepare.plan(request, engine)
        report: dict[str, Any] = {
            "engine": engine.name,
            "options": dict(plan.options),
            "seed": request.seed,
            "box": [plan.box.left, plan.box.top, plan.box.width, plan.box.height],
            "crop": [plan.crop.left, plan.crop.top, plan.crop.width, plan.crop.height],
            "device": str(self.device),
        }
        origin = (request.origin[0] + plan.box.left, request.origin[1] + plan.box.top)
        if all(r.strength == 0 for r in request.regions):
            report |= {"tile": 0, "seconds": {"total": time.perf_counter() - began}, "peak_bytes": 0}
            return StylizeResult(_nothing(request.layer, plan.box), origin, report)
        progress("read", 0, 1)
        job = prepare.job(request, plan)
        decoded = time.perf_counter()
        devices.reset_peak(self.device)
        show = no_preview if preview is None else _Previews(preview, job, plan, origin).show
        painted, context = self._run(engine, job, progress, stop, show, enough)
        ran = time.perf_counter()
        context.checkpoint()
        progress("write", 0, 1)
        layer = _encoded(painted, job, request.layer, plan)
        progress("write", 1, 1)
        ended = time.perf_counter()
        stages = {f"engine.{stage}": seconds for stage, seconds in context.seconds.items()}
        report |= {
            "device": str(context.device),
            "tile": context.tile,
            "seconds": {
                "read": decoded - began,
                "engine": ran - decoded,
                **stages,
                "write": ended - ran,
                "total": ended - began,
            },
            "peak_bytes": devices.peak_bytes(context.device),
            "notes": dict(painted.notes),
        }
        return StylizeResult(layer, origin, report)

    def _run(
        self,
        engine: Engine,
        job: Job,
        progress: Progress,
        stop: threading.Event,
        show: Callable[[Callable[[], Painted]], None],
        enough: threading.Event,
    ) -> tuple[Painted, Context]:
        """Run the engine; when memory runs out, with smaller tiles, then on the CPU, then not at all."""
        places = [self.device] if self.device.type == "cpu" else [self.device, torch.device("cpu")]
        height, width = job.content.shape[-2:]
        failure: BaseException | None = None
        for place in places:
            tile = _first_tile(engine, job, devices.budget(place))
            while True:
                # After memory ran out it is all for the job: kept features would fill it again.
                cache = self.cache if place == self.device and failure is None else TensorCache(0)
                context = Context(place, cache, progress, stop, tile, preview=show, enough=enough)
                context.checkpoint()
                try:
                    return engine.run(job, context), context
                except Exception as error:
                    if not devices.is_out_of_memory(error):
                        raise
                    # The error's frames would keep the tensors alive that have to go.
                    failure = error.with_traceback(None)
                _log.warning("out of memory on %s with tiles of %d (%s)", place, tile, failure)
                self.cache.clear()
                devices.release(self.device)
                tile = min(tile, _ceil_power(max(width, height))) // 2
                if tile < SMALLEST_TILE:
                    break
        raise _no_memory() from failure

    def estimate_bytes(self, request: StylizeRequest | SegmentRequest) -> int:
        """Upper estimate of the memory that a request needs, in bytes; checks it on the way."""
        if isinstance(request, SegmentRequest):
            from .segment.find import estimate_bytes

            return estimate_bytes(request)
        engine = registry.engine(request.engine)
        plan = prepare.plan(request, engine)
        width, height = plan.size
        count = len(request.regions)
        # Content, opacity and masks decoded; the result and its encoded form.
        buffers = width * height * 4 * (3 + 1 + count + 3 + 1 + 4)
        return engine.estimate_bytes(width, height, count, plan.options) + buffers

    def estimate_seconds(self, request: StylizeRequest) -> float | None:
        """About how long a request will take here, for engines that can tell; those check it on the way."""
        engine = registry.engine(request.engine)
        tell = getattr(engine, "estimate_seconds", None)
        if tell is None:
            return None
        plan = prepare.plan(request, engine)
        return float(tell(*plan.size, len(request.regions), plan.options))

    def describe(self) -> dict[str, Any]:
        """Engines with their options, styles with thumbnails, models and the device, as plain data."""
        return {
            "engines": describe.engines(),
            "styles": describe.styles(),
            "models": describe.models(),
            "selecting": describe.selecting(),
            "device": devices.describe(self.device),
        }

    def free_memory(self) -> None:
        """Forget cached layers and styles and give the device's memory back."""
        self.cache.clear()
        for engine in registry.engines():
            release = getattr(engine, "free_memory", None)
            if release is not None:
                release()
        from .segment import methods

        methods.free_memory()
        devices.release(self.device)


class _Previews:
    """Passes an engine's previews on, not too often and not too large."""

    def __init__(
        self, tell: Callable[[StylizeResult], None], job: Job, plan: prepare.Plan, origin: tuple[int, int]
    ) -> None:
        self.tell = tell
        self.job = job
        self.plan = plan
        self.origin = origin
        self._next = time.monotonic() + FIRST_PREVIEW_S

    def show(self, make: Callable[[], Painted]) -> None:
        """Make and tell one if it is due."""
        began = time.monotonic()
        if began < self._next:
            return
        image, alpha = _cut(make(), self.job, self.plan)
        scale = min(1.0, PREVIEW_SIDE / max(alpha.shape))
        if scale < 1:
            size = (max(1, round(alpha.shape[1] * scale)), max(1, round(alpha.shape[0] * scale)))
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.float32)
            alpha = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), np.float32)
        box = self.plan.box
        report = {"preview": True, "box": [box.left, box.top, box.width, box.height]}
        self.tell(StylizeResult(pixels.encode(image, alpha, "rgba", "u8", "srgb"), self.origin, report))
        # At most a tenth of the time goes into previews.
        ended = time.monotonic()
        self._next = ended + max(PREVIEW_S, 9 * (ended - began))


def _first_tile(engine: Engine, job: Job, budget: int) -> int:
    """The largest tile whose estimate fits the budget."""
    height, width = job.content.shape[-2:]
    tile = LARGEST_TILE
    if not budget:
        return tile

    def needed(side: int) -> int:
        return engine.estimate_bytes(min(width, side), min(height, side), len(job.regions), job.options)

    while tile > SMALLEST_TILE and needed(tile) > budget:
        tile //= 2
    return tile


def _ceil_power(side: int) -> int:
    return 1 << max(0, side - 1).bit_length()


def _nothing(layer: PixelBuffer, box: Box) -> PixelBuffer:
    zeros = np.zeros((box.height, box.width, 3), np.float32)
    return pixels.encode(zeros, zeros[..., 0], pixels.WITH_ALPHA[layer.layout], layer.dtype, layer.transfer)


def _encoded(painted: Painted, job: Job, layer: PixelBuffer, plan: prepare.Plan) -> PixelBuffer:
    """The box of what an engine painted, in the layer's own form.

    Alpha is cut to the drawn masks of a strength above zero here, whatever the engine did: that
    nothing else changes is the one promise that must not depend on a method.
    """
    rgb, alpha = _cut(painted, job, plan)
    return pixels.encode(rgb, alpha, pixels.WITH_ALPHA[layer.layout], layer.dtype, layer.transfer)


def _cut(painted: Painted, job: Job, plan: prepare.Plan) -> tuple[Floats, Floats]:
    """The box of what an engine painted: (h, w, 3) and (h, w)."""
    place = plan.box.within(plan.crop).slices()
    channels_too = (slice(None), *place)
    # Neither may be written to: an engine may have given what it keeps.
    image, alpha = _in_range(painted.image[channels_too]), _in_range(painted.alpha[place])
    drawn = [region.mask.numpy()[place] for region in job.regions if region.strength > 0]
    if not any(mask.min() > 0 for mask in drawn):
        alpha = alpha * np.any([mask > 0 for mask in drawn], axis=0)
    if not alpha.min() > 0:
        image = image * (alpha > 0)
    return image.transpose(1, 2, 0), alpha


def _in_range(values: torch.Tensor) -> Floats:
    values = values.detach().cpu().float()
    low, high = (float(end) for end in torch.aminmax(values))
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeError("the engine returned values that are not numbers")
    inside: Floats = (values if low >= 0 and high <= 1 else values.clamp(0, 1)).numpy()
    return inside


def _cancelled() -> ScumbleError:
    return ScumbleError(Code.CANCELLED, "The job was cancelled.", retry=True)


def _no_memory() -> ScumbleError:
    return ScumbleError(
        Code.OUT_OF_MEMORY,
        "There is not enough memory for this selection.",
        "Select a smaller part, scale the layer down, or close other programs.",
        retry=True,
    )
