"""The worker thread: owns the :class:`~scumble.backend.session.Session`, runs one task at a time.

It imports torch (through the session's factory) only here, after the socket is bound, so that the
first clients hear "starting" at once.  It tells what happens through ``post``, which the I/O thread
gives it, and touches nothing else of the server.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from scumble.shared.codec import failed_message, result_message
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.framing import Message
from scumble.shared.messages import StylizeRequest, StylizeResult
from scumble.shared.segmenting import SegmentRequest, SegmentResult, found_message

from .. import allocator
from . import memory
from .jobs import Job

log = logging.getLogger(__name__)
#: Progress of one stage is told at most this often.
_PROGRESS_S = 0.05
#: After so long without a task, memory kept for the next one goes back to the other programs.
_QUIET_S = 60.0
#: After so long without a task, memory for the next one is made ready.
_BREATH_S = 0.05
_PATH = re.compile(r"(?<![\w:/\\])(?:[A-Za-z]:)?[\\/](?:[^\s\\/:'\"]+[\\/])+([^\s\\/'\"]*)")


class SessionLike(Protocol):
    """What the worker needs of a session."""

    def stylize(
        self,
        request: StylizeRequest,
        *,
        progress: Callable[[str, int, int], None] | None = None,
        cancelled: threading.Event | None = None,
        preview: Callable[[StylizeResult], None] | None = None,
        enough: threading.Event | None = None,
    ) -> StylizeResult: ...

    def estimate_seconds(self, request: StylizeRequest) -> float | None: ...

    def segment(
        self,
        request: SegmentRequest,
        *,
        progress: Callable[[str, int, int], None] | None = None,
        cancelled: threading.Event | None = None,
    ) -> SegmentResult: ...

    def estimate_bytes(self, request: StylizeRequest | SegmentRequest) -> int: ...

    def describe(self) -> dict[str, Any]: ...

    def free_memory(self) -> None: ...


Factory = Callable[[], SessionLike]


@dataclass(frozen=True)
class Ready:
    """The session is there; ``description`` is what ``describe`` answers from now on."""

    description: Mapping[str, Any]


@dataclass(frozen=True)
class Broken:
    """The session cannot be made."""

    error: ScumbleError


@dataclass(frozen=True)
class Told:
    """A job's progress (or preview)."""

    job: Job
    message: Message


@dataclass(frozen=True)
class Over:
    """A job has ended with this message."""

    job: Job
    message: Message


@dataclass(frozen=True)
class Done:
    """A housekeeping task has ended."""

    name: str
    error: ScumbleError | None = None


Report = Ready | Broken | Told | Over | Done


def safe(error: BaseException) -> ScumbleError:
    """An error as it may travel: no paths, no traces; anything that is not ours is ``internal``."""
    if isinstance(error, ScumbleError):
        return ScumbleError(error.code, _no_paths(error.message), _no_paths(error.hint), retry=error.retry)
    if isinstance(error, MemoryError):
        return ScumbleError(
            Code.OUT_OF_MEMORY,
            "There is not enough memory for this.",
            "Select a smaller part, lower the working size, or close other programs.",
            retry=True,
        )
    return ScumbleError(
        Code.INTERNAL,
        "Something went wrong inside Scumble.",
        "The backend's log says what; scumble backend status says where it is.",
    )


def _no_paths(text: str) -> str:
    return _PATH.sub(lambda found: found.group(1) or "a folder", text)[:2000]


class Worker(threading.Thread):
    """See the module.  :meth:`give` hands it a task; it is idle when every task's end was posted."""

    def __init__(self, factory: Factory, post: Callable[[Report], None]) -> None:
        # A daemon: a computation that does not look at its event must not keep the process alive.
        super().__init__(name="scumble-worker", daemon=True)
        self._factory = factory
        self._post = post
        self._tasks: queue.SimpleQueue[Job | str | None] = queue.SimpleQueue()
        self._session: SessionLike | None = None

    def give(self, task: Job | str | None) -> None:
        """A job, ``"describe"`` or ``"free_memory"``; ``None`` ends the thread."""
        self._tasks.put(task)

    def run(self) -> None:
        """The thread's loop: first the session, then whatever is given."""
        with contextlib.suppress(ScumbleError):  # posted; the next task tries again
            self._ensure()
        while (task := self._next()) is not None:
            if isinstance(task, str):
                self._housekeeping(task)
            else:
                # Not in a variable that lives on while the thread waits: it holds a layer's pixels.
                self._post(Over(task, self._job(task)))
            del task

    def _next(self) -> Job | str | None:
        try:
            return self._tasks.get(timeout=_BREATH_S)
        except queue.Empty:
            free = memory.available_bytes()
            if free is not None and free > 16 * allocator.READY_BYTES:
                allocator.have_memory_ready(enough=lambda: not self._tasks.empty())
        try:
            return self._tasks.get(timeout=_QUIET_S)
        except queue.Empty:
            allocator.return_freed_memory()
            return self._tasks.get()

    def _ensure(self) -> SessionLike:
        if self._session is None:
            began = time.monotonic()
            try:
                session = self._factory()
                description = session.describe()
            except Exception as error:
                log.exception("the session cannot be made")
                told = safe(error)
                self._post(Broken(told))
                raise told from error
            self._session = session
            log.info("ready after %.1f s", time.monotonic() - began)
            self._post(Ready(description))
        return self._session

    def _housekeeping(self, name: str) -> None:
        try:
            session = self._ensure()
            if name == "free_memory":
                session.free_memory()
            elif name == "describe":
                self._post(Ready(session.describe()))
            self._post(Done(name))
        except Exception as error:
            log.exception("%s failed", name)
            self._post(Done(name, safe(error)))

    def _job(self, job: Job) -> Message:
        began = time.monotonic()
        try:
            if job.cancelled.is_set() or job.request is None:
                return Message("cancelled", job.id)
            message = self._answer(self._ensure(), job, job.request)
        except Exception as error:
            if job.cancelled.is_set():
                log.info("job %s cancelled after %.2f s", job.id, time.monotonic() - began)
                return Message("cancelled", job.id)
            if isinstance(error, ScumbleError):
                log.warning("job %s failed: %s", job.id, error)
            else:
                log.exception("job %s failed", job.id)
            return failed_message(safe(error), job.id)
        if job.cancelled.is_set():
            return Message("cancelled", job.id)
        log.info("job %s done in %.2f s", job.id, time.monotonic() - began)
        return message

    def _answer(self, session: SessionLike, job: Job, request: StylizeRequest | SegmentRequest) -> Message:
        needed = session.estimate_bytes(request)
        try:
            memory.check(needed, memory.available_bytes())
        except ScumbleError:
            session.free_memory()  # our own caches are the first to go
            memory.check(needed, memory.available_bytes())
        stage, began, told = "", 0.0, 0.0
        estimate: float | None = None

        def progress(name: str, done: int, of: int) -> None:
            nonlocal stage, began, told
            now = time.monotonic()
            if name != stage:
                stage, began = name, now
            elif now - told < _PROGRESS_S and done < of:
                return
            told = now
            eta = (now - began) * (of - done) / done if 0 < done <= of else None
            if done == 0 and name == "paint":
                eta = estimate  # before anything is painted, what the engine expects
            body: dict[str, Any] = {"stage": name, "done": int(done), "of": int(of)}
            if eta is not None:
                body["eta_s"] = round(eta, 2)
            self._post(Told(job, Message("progress", job.id, body)))

        if isinstance(request, SegmentRequest):
            found = session.segment(request, progress=progress, cancelled=job.cancelled)
            return found_message(found, job.id)

        def preview(result: StylizeResult) -> None:
            self._post(Told(job, result_message(result, job.id, "preview")))

        estimate = session.estimate_seconds(request)
        result = session.stylize(
            request, progress=progress, cancelled=job.cancelled, preview=preview, enough=job.enough
        )
        return result_message(result, job.id)
