"""An editor's conversation with the backend: jobs, live previews, questions, all without waiting.

    session = JobSession(connector(settings.remote, "krita"))     # finds, starts and keeps the backend
    job = session.start(built.request, built.settings)            # from any thread
    session.tick()                                                # from one thread, again and again
    job.view                                                      # from any thread

Commands may come from any thread and take effect at the next tick.  Ticks belong to one thread, a
:class:`~.worker.Worker` or an editor's timer; a tick never blocks, unless it is told for how long it may.
Whatever happens, every job ends as finished, failed or cancelled.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from scumble.shared import events
from scumble.shared.client import Client
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import StylizeRequest

from .annotation import RunSettings
from .history import History
from .jobs import Job, Query
from .questions import Questions
from .states import OVER, State, Trigger

__all__ = ["Change", "Job", "JobSession", "Query"]

Change = Job | Query
#: How long the user's hand has to rest before a preview is asked for.
PREVIEW_DELAY_S = 0.15
#: For a backend that is left to hear that its jobs are cancelled.
_FAREWELL_S = 2.0
#: For a connection that nothing waits for yet.
_OPENING_S = 3.0

log = logging.getLogger(__name__)


class JobSession(Questions):
    """See the module.

    :param connect: makes a client; called in the ticking thread when there is something to say.
    :param history: where finished jobs go (previews do not).
    :ivar condition: what the backend last said about itself (``docs/protocol.md``, 6.2).
    :ivar description: the last answer to ``describe``, ``None`` before.
    """

    def __init__(
        self,
        connect: Callable[[], Client],
        *,
        history: History | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.history = history if history is not None else History()
        self.condition: Mapping[str, Any] = {}
        self.description: Mapping[str, Any] | None = None
        self._connect = connect
        self._clock = clock
        self._client: Client | None = None
        self._commands: deque[Callable[[], None]] = deque()
        self._woken = threading.Event()
        self._jobs: dict[str, Job] = {}
        self._queries: dict[str, Query] = {}
        self._changed: dict[int, Change] = {}
        self._preview: Job | None = None
        self._preview_next: Job | None = None
        self._preview_due = 0.0
        self._moving_to: Callable[[], Client] | None = None
        self._moving_until = 0.0
        self._opening_until = 0.0
        self._ticking = False
        self._closed = False

    # -- from any thread -------------------------------------------------------------------------------

    def start(self, request: StylizeRequest, settings: RunSettings | None = None, tag: Any = None) -> Job:
        """Stylize.  A live preview that is under way gives way to it."""
        job = Job(request, settings, tag)

        def begin() -> None:
            self._drop_preview()
            self._submit(job)

        self._command(begin)
        return job

    def preview(
        self,
        request: StylizeRequest,
        settings: RunSettings | None = None,
        tag: Any = None,
        *,
        delay_s: float = PREVIEW_DELAY_S,
    ) -> Job:
        """Ask for a live preview; the latest wins.

        An earlier one is cancelled, and its result, should it still come, is dropped.  This one is sent
        when nothing newer came for ``delay_s``, the earlier one is over, and no real job runs.
        """
        job = Job(request, settings, tag, live=True)

        def begin() -> None:
            self._drop_preview()
            self._preview_next, self._preview_due = job, self._clock() + delay_s

        self._command(begin)
        return job

    def drop_preview(self) -> None:
        """Cancel the live preview, if there is one."""
        self._command(self._drop_preview)

    def cancel(self, job: Job | Query | None = None) -> None:
        """Cancel one, or all jobs."""
        self._command(lambda: self._cancel_all() if job is None else self._cancel(job))

    def enough(self, job: Job) -> None:
        """Good enough: a job that refines step by step stops there, and its result comes."""

        def tell() -> None:
            if self._client is not None and job.id in self._jobs:
                self._client.enough(job.id)

        self._command(tell)

    def retry(self, job: Job) -> None:
        """Try a failed job again; nothing happens to one that has not failed.

        After a lost backend it keeps its id: if the backend had it all the time, it does not run twice.
        """
        self._command(lambda: self._submit(job))

    def open(self) -> None:
        """Open the way to the backend now, for a job that is still being put together."""

        def begin() -> None:
            self._open().connect()
            self._opening_until = self._clock() + _OPENING_S

        self._command(begin)

    def use(self, connect: Callable[[], Client]) -> None:
        """From now on talk to another backend; what runs on the present one is cancelled."""

        def move() -> None:
            self._cancel_all()
            self._moving_to, self._moving_until = connect, self._clock() + _FAREWELL_S

        self._command(move)

    @property
    def busy(self) -> bool:
        """Whether ticks are needed soon."""
        waiting = self._commands or self._jobs or self._queries or self._preview_next or self._moving_to
        return bool(waiting) or (self._clock() < self._opening_until and not self.connected)

    @property
    def connected(self) -> bool:
        """Whether the backend answered last time, and nothing says that it is gone."""
        client = self._client
        return client is not None and client.state == "ready"

    @property
    def jobs(self) -> tuple[Job, ...]:
        """Those that are under way."""
        return tuple(self._jobs.values())

    def wake(self) -> None:
        """End a :meth:`wait`."""
        self._woken.set()

    def wait(self, timeout_s: float) -> None:
        """For the ticking thread: sleep until there is a command, at most that long."""
        self._woken.wait(timeout_s)

    # -- from the ticking thread -----------------------------------------------------------------------

    def tick(self, timeout_s: float = 0.0) -> tuple[Change, ...]:
        """Do what is due; the jobs and questions that have changed.

        :param timeout_s: for which it may wait for news.
        """
        if self._ticking or self._closed:
            return ()  # an editor's event loop called back into its own timer
        self._ticking = True
        try:
            self._obey()
            self._send_preview()
            if self._client is not None:
                for event in self._client.poll(timeout_s):
                    self._take(event)
            now = self._clock()
            for job in self._jobs.values():
                if job.refresh(now):
                    self._note(job)
        except Exception as error:
            # A full disk of handles, a broken wheel of pyzmq, a bug: nobody may be left waiting.
            log.exception("the conversation with the backend failed")
            self._collapse(error)
        finally:
            self._ticking = False
        changed, self._changed = tuple(self._changed.values()), {}
        return changed

    def close(self) -> None:
        """Cancel what runs, tell the backend, and close; takes at most a moment."""
        if self._closed:
            return
        try:
            self._cancel_all()
            if self._client is not None:
                until = time.monotonic() + 0.3
                while self._client.outstanding and time.monotonic() < until:
                    for event in self._client.poll(0.05):
                        self._take(event)
        except Exception:
            log.exception("closing the conversation with the backend failed")
        self._collapse(ScumbleError(Code.CANCELLED, "The editor closed Scumble."))
        self._closed = True

    # -- inside ----------------------------------------------------------------------------------------

    def _ask(self, kind: str, **arguments: Any) -> Query:
        query = Query(kind, arguments)

        def ask() -> None:
            try:
                client = self._open()
                query.id = getattr(client, kind)(**arguments)
                self._queries[query.id] = query
            except Exception as error:
                query.fail(error)
            self._note(query)

        self._command(ask)
        return query

    def _command(self, command: Callable[[], None]) -> None:
        self._commands.append(command)
        self._woken.set()

    def _obey(self) -> None:
        self._woken.clear()
        while self._commands or self._moving_to is not None:
            if self._moving_to is not None:
                # Later commands are for the new backend and wait until the old one knows.
                idle = self._client is None or not self._client.outstanding
                if not idle and self._clock() < self._moving_until:
                    return
                self._collapse(ScumbleError(Code.CANCELLED, "Another backend was chosen."))
                self._connect, self._moving_to = self._moving_to, None
                self.condition, self.description = {}, None
            elif self._commands:
                self._commands.popleft()()

    def _open(self) -> Client:
        if self._client is None:
            self._client = self._connect()
        return self._client

    def _submit(self, job: Job) -> None:
        now = self._clock()
        if not job.submit(now):
            return
        self._note(job)
        self._jobs[job.id] = job
        try:
            assert job.request is not None
            client = self._open()
            client.stylize(job.request, job.id)
        except Exception as error:
            if not isinstance(error, ScumbleError):
                log.exception("a job could not be handed over")
            del self._jobs[job.id]
            job.fail(error, now)
            return
        if client.state == "ready":
            job.trigger(Trigger.CONNECTED, now)

    def _cancel(self, what: Job | Query) -> None:
        if isinstance(what, Query):
            if self._client is not None and not what.done:
                self._client.cancel(what.id)
            return
        if what is self._preview_next:
            self._preview_next = None
        if what.trigger(Trigger.CANCEL_ASKED, self._clock()):
            self._note(what)
            if self._client is not None and what.state is State.CANCELLING:
                self._client.cancel(what.id)

    def _cancel_all(self) -> None:
        self._drop_preview()
        for job in list(self._jobs.values()):
            self._cancel(job)

    def _drop_preview(self) -> None:
        for job in (self._preview_next, self._preview):
            if job is not None:
                self._cancel(job)

    def _send_preview(self) -> None:
        if self._preview is not None and self._preview.state in OVER:
            self._preview = None
        job = self._preview_next
        if job is None or self._preview is not None or self._clock() < self._preview_due:
            return
        if not any(not other.live for other in self._jobs.values()):
            self._preview, self._preview_next = job, None
            self._submit(job)

    def _take(self, event: events.Event) -> None:
        now = self._clock()
        if isinstance(event, events.Connected):
            for job in self._jobs.values():
                self._note(job, job.trigger(Trigger.CONNECTED, now))
        elif isinstance(event, events.Waiting):
            starting = self._client is not None and self._client.state == "starting"
            for job in self._jobs.values():
                self._note(job, job.waiting(event.reason, starting, now))
            for query in self._queries.values():
                query.status = event.reason
                self._note(query)
        elif isinstance(event, events.Pong) and event.id not in self._queries:
            self.condition = event.body
            running, queue = str(event.body.get("job", "")), event.body.get("queue")
            for job in self._jobs.values():
                waiting = queue if type(queue) is int and queue >= 0 else 1 << 30
                self._note(job, job.heartbeat(running, waiting, now))
        else:
            self._take_named(event, now)

    def _take_named(self, event: events.Event, now: float) -> None:
        name = str(getattr(event, "job", getattr(event, "id", "")))
        query, job = self._queries.get(name), self._jobs.get(name)
        if query is not None:
            self._note(query, query.take(event))
            if query.done:
                del self._queries[name]
                if query.kind == "describe" and isinstance(query.value, dict):
                    self.description = query.value
                elif query.kind == "ping" and isinstance(query.value, dict):
                    self.condition = query.value
        elif job is not None:
            self._note(job, job.take(event, now))
            if job.state in OVER:
                del self._jobs[name]
                if job.view.result is not None and not job.live:
                    self.history.add(name, job.view.result, job.settings, job.tag, job.seconds)

    def _collapse(self, error: BaseException) -> None:
        """End everything with this error and close the connection."""
        now = self._clock()
        cancelled = isinstance(error, ScumbleError) and error.code is Code.CANCELLED
        for job in (*self._jobs.values(), self._preview_next):
            if job is not None:
                if cancelled or job is self._preview_next:
                    job.trigger(Trigger.CANCEL_ASKED, now)
                job.fail(error, now)
                self._note(job)
        for query in self._queries.values():
            query.fail(error)
            self._note(query)
        self._jobs, self._queries = {}, {}
        self._preview = self._preview_next = None
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(Exception):
                client.close()

    def _note(self, change: Change, changed: bool = True) -> None:
        if changed:
            self._changed[id(change)] = change
