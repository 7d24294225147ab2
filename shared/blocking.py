"""The client for scripts: every call waits for its answer or raises a :class:`ScumbleError`.

    with BlockingClient(launch=launcher(sys.executable)) as backend:
        result = backend.stylize(request)

Never for an editor's GUI thread; that is what :class:`scumble.shared.client.Client` is for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import events
from .client import Client, Policy, Starting
from .connection import Connection, read_connection
from .errors import Code, ScumbleError
from .limits import LIMITS, Limits
from .messages import StylizeRequest, StylizeResult
from .segmenting import SegmentRequest, SegmentResult

if TYPE_CHECKING:
    from typing_extensions import Self

_TICK_S = 0.05


class BlockingClient:
    """See the module; parameters as in :class:`scumble.shared.client.Client`.

    ``client`` is the client underneath.
    """

    def __init__(
        self,
        *,
        name: str = "script",
        version: str = "",
        session: str = "",
        find: Callable[[], Connection] = read_connection,
        launch: Callable[[], Starting] | None = None,
        policy: Policy | None = None,
        limits: Limits = LIMITS,
    ) -> None:
        self.client = Client(
            name=name,
            version=version,
            session=session,
            find=find,
            launch=launch,
            policy=policy,
            limits=limits,
        )

    def stylize(
        self,
        request: StylizeRequest,
        *,
        job: str = "",
        progress: Callable[[str, int, int], None] | None = None,
        preview: Callable[[StylizeResult], None] | None = None,
        accepted: Callable[[int], None] | None = None,
        cancelled: threading.Event | None = None,
        enough: threading.Event | None = None,
        timeout_s: float | None = None,
    ) -> StylizeResult:
        """The new layer.

        :param job: an id of one's own: sent again after a crash, it gets the result of the first time.
        :param accepted: called with the position in the queue.
        :param cancelled: set it (from another thread) to stop the job.
        :param enough: set it to get what there is so far as the result.
        :raises ScumbleError: whatever the backend said; ``cancelled``; ``timeout``; ``no_backend``;
            ``backend_lost`` with ``retry``.
        """

        def watch(event: events.Event) -> None:
            if isinstance(event, events.Progress) and progress:
                progress(event.stage, event.done, event.of)
            elif isinstance(event, events.Preview) and preview:
                preview(event.result)
            elif isinstance(event, events.Accepted) and accepted:
                accepted(event.position)

        name = self.client.stylize(request, job)
        event = self._wait(name, watch, cancelled, timeout_s, enough)
        if isinstance(event, events.Finished):
            return event.result
        raise ScumbleError(Code.INTERNAL, "The backend gave an answer that makes no sense.")

    def segment(
        self,
        request: SegmentRequest,
        *,
        job: str = "",
        progress: Callable[[str, int, int], None] | None = None,
        cancelled: threading.Event | None = None,
        timeout_s: float | None = None,
    ) -> SegmentResult:
        """Selections on a layer; parameters and errors as in :meth:`stylize`."""

        def watch(event: events.Event) -> None:
            if isinstance(event, events.Progress) and progress:
                progress(event.stage, event.done, event.of)

        event = self._wait(self.client.segment(request, job), watch, cancelled, timeout_s)
        if isinstance(event, events.Found):
            return event.result
        raise ScumbleError(Code.INTERNAL, "The backend gave an answer that makes no sense.")

    def describe(self, *, refresh: bool = False, timeout_s: float = 60.0) -> dict[str, Any]:
        """Engines with their options, styles, models, device; waits for a backend that is starting."""
        return dict(self._answer(self.client.describe(refresh), timeout_s))

    def ping(self, *, timeout_s: float = 10.0) -> dict[str, Any]:
        """State, running job, queue and memory."""
        event = self._wait(self.client.ping(), None, None, timeout_s)
        return dict(event.body) if isinstance(event, events.Pong) else {}

    def models(
        self,
        action: str,
        model: str = "",
        *,
        progress: Callable[[str, int, int], None] | None = None,
        cancelled: threading.Event | None = None,
        timeout_s: float | None = None,
        **more: Any,
    ) -> Any:
        """``list``, ``fetch`` or ``remove`` weights in the backend."""

        def watch(event: events.Event) -> None:
            if isinstance(event, events.Progress) and progress:
                progress(event.stage, event.done, event.of)

        event = self._wait(self.client.models(action, model, **more), watch, cancelled, timeout_s)
        return event.value if isinstance(event, events.Answer) else None

    def free_memory(self, *, timeout_s: float | None = None) -> None:
        """Drop the backend's caches (after the job that runs)."""
        self._wait(self.client.free_memory(), None, None, timeout_s)

    def shutdown(self, *, timeout_s: float = 10.0) -> None:
        """End the backend; what runs is cancelled."""
        self._wait(self.client.shutdown(), None, None, timeout_s)

    def close(self) -> None:
        """Close the connection; the backend stays."""
        self.client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _answer(self, name: str, timeout_s: float | None) -> Any:
        event = self._wait(name, None, None, timeout_s)
        return event.value if isinstance(event, events.Answer) else {}

    def _wait(
        self,
        name: str,
        watch: Callable[[events.Event], None] | None,
        cancelled: threading.Event | None,
        timeout_s: float | None,
        enough: threading.Event | None = None,
    ) -> events.Event:
        told = False
        until = None if timeout_s is None else time.monotonic() + timeout_s
        try:
            while True:
                for event in self.client.poll(_TICK_S):
                    if getattr(event, "job", getattr(event, "id", None)) != name:
                        continue
                    if isinstance(event, events.Failed):
                        raise event.error
                    if isinstance(event, events.Cancelled):
                        raise ScumbleError(Code.CANCELLED, "The job was cancelled.")
                    if isinstance(event, events.FINAL):
                        return event
                    if watch:
                        watch(event)
                if cancelled is not None and cancelled.is_set():
                    self.client.cancel(name)
                if enough is not None and enough.is_set() and not told:
                    told = True
                    self.client.enough(name)
                if until is not None and time.monotonic() > until:
                    raise ScumbleError(
                        Code.TIMEOUT,
                        "The Scumble backend did not answer in time.",
                        "It may be busy; look at: scumble backend status",
                        retry=True,
                    )
        except BaseException as error:
            # An interrupted or timed out script must not leave its job running.
            if not isinstance(error, ScumbleError) or error.code is Code.TIMEOUT:
                self.client.cancel(name)
                self.client.poll(0.0)
                self.client.forget(name)
            raise
