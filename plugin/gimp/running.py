"""A conversation with the backend while GIMP waits: progress is shown, nothing hangs for ever."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from scumble.plugin.common.backend import connector
from scumble.plugin.common.build import Built
from scumble.plugin.common.failures import Failure
from scumble.plugin.common.jobs import Job, JobView, Query
from scumble.plugin.common.session import Change, JobSession
from scumble.plugin.common.settings import Settings
from scumble.plugin.common.states import State
from scumble.plugin.common.worker import Worker
from scumble.shared.client import Policy
from scumble.shared.connection import connection_path
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import StylizeResult

from . import registered
from .sentry import Sentry

#: How often the bar moves at most, and how long an answer to a question may take.
_SHOW_S, _ANSWER_S = 0.1, 90.0


class Bar(Protocol):
    """GIMP's progress bar."""

    def show(self, text: str, fraction: float | None) -> None:
        """A line, and how much is done (``None`` while nothing can be said)."""
        ...


def connection_maker(
    settings: Settings | None = None, version: str = "", policy: Policy | None = None
) -> Callable[[], Any]:
    """Makes clients for the backend that the settings name."""
    settings = Settings.load() if settings is None else settings
    return connector(settings.remote, "gimp", version, policy=policy)


class Conversation:
    """With the backend that the settings name; one for each call of a procedure.

    :param version: Scumble's.
    :param listener: called in another thread with what has changed.
    """

    def __init__(
        self,
        version: str = "",
        *,
        settings: Settings | None = None,
        policy: Policy | None = None,
        listener: Callable[[tuple[Change, ...]], None] | None = None,
    ) -> None:
        self.settings = Settings.load() if settings is None else settings
        self._version, self._policy = version, policy
        connect = self._connector()
        self._sentry = Sentry(connect)  # before the thread
        self.session = JobSession(connect)
        self.listener = listener
        self._news = threading.Event()
        self._worker = Worker(self.session, self._changed)
        self._worker.start()

    def describe(self, bar: Bar) -> Mapping[str, Any]:
        """What the backend can do; starts it if need be.  Raises what it failed with."""
        query = self.session.describe()
        self.answer(query, bar)
        description = query.value if isinstance(query.value, dict) else {}
        registered.keep(description)
        return description

    def offered(self, bar: Bar) -> Mapping[str, Any]:
        """Engines and options; the backend is asked only if it has not said so since its start."""
        if not self.settings.remote.enabled and not os.environ.get("SCUMBLE_CONNECTION"):
            known = registered.fresh(connection_path())
            if known:
                self.session.open()
                return known
        return self.describe(bar)

    def answer(self, query: Query, bar: Bar, timeout_s: float | None = _ANSWER_S) -> Any:
        """The answer to a question; raises what it failed with, and ``timeout``."""
        until = None if timeout_s is None else time.monotonic() + timeout_s
        while not query.done:
            self._wait()
            bar.show(query.status or "Asking the Scumble backend…", query.fraction)
            if until is not None and time.monotonic() > until:
                self.session.cancel(query)
                raise ScumbleError(Code.TIMEOUT, "", retry=True)
        if query.failure is not None:
            raise error_of(query.failure)
        return query.value

    def stylize(self, built: Built, bar: Bar) -> StylizeResult:
        """The new layer; raises what it failed with."""
        job = self.session.start(built.request, built.settings)
        self._sentry.watch(job.id)
        view = self._follow(job, bar)
        if view.state is State.FINISHED and view.result is not None:
            return view.result
        if view.state is State.CANCELLED:
            raise ScumbleError(Code.CANCELLED, "")
        raise error_of(view.failure)

    def move(self) -> None:
        """Use the backend that the settings name now."""
        self.session.use(self._connector())

    def close(self) -> None:
        """End it; what runs is cancelled."""
        self._worker.stop()
        self._sentry.dismiss()

    def __enter__(self) -> Conversation:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _connector(self) -> Callable[[], Any]:
        return connection_maker(self.settings, self._version, self._policy)

    def _changed(self, changes: tuple[Change, ...]) -> None:
        self._news.set()
        if self.listener is not None:
            self.listener(changes)

    def _wait(self) -> None:
        self._news.wait(_SHOW_S)
        self._news.clear()

    def _follow(self, job: Job, bar: Bar) -> JobView:
        shown, at, name = "", 0.0, job.id
        while not (view := job.view).over:
            now = time.monotonic()
            if view.id != name:  # sent again under another id
                name = view.id
                self._sentry.watch(name)
            if view.status != shown or now - at >= _SHOW_S:
                shown, at = view.status, now
                bar.show(view.status, view.fraction)
            self._wait()
        return view


def error_of(failure: Failure | None) -> ScumbleError:
    """A failure as the error it was."""
    if failure is None:
        return ScumbleError(Code.INTERNAL, "")
    return ScumbleError(failure.code, failure.sentence, failure.hint, retry=failure.retry)
