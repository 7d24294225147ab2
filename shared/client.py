"""A client that never waits: give it requests, call :meth:`Client.poll`, get events.

Made for a worker thread inside an editor, so nothing in here blocks longer than asked for, and nothing
raises because of what the backend does: everything arrives as an event.  It belongs to one thread.
Scripts use :class:`scumble.shared.blocking.BlockingClient`.

It finds the backend, starts it if it may, says hello, and when the connection is lost makes a new one
and sends again what was not answered, under the same ids, so that nothing runs twice
(``docs/protocol.md``, section 9).
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import zmq

from . import events
from .codec import attachment, message_error, message_result, request_message
from .connection import Connection, read_connection
from .errors import Code, ScumbleError
from .events import Event
from .framing import PROTOCOLS, Message, encode, is_id
from .limits import LIMITS, Limits
from .link import Link
from .messages import StylizeRequest

if TYPE_CHECKING:
    from typing import Self


#: A backend does not forget a client sooner.
_FORGETFUL_S = 10.0


@dataclass(frozen=True)
class Policy:
    """How patient a client is; times in seconds.

    :param connect_s: for a connection and its ``welcome``.
    :param tries: connections tried in a row before giving up.
    :param backoff_s: wait after the first failed try; doubles up to ``backoff_max_s``.
    :param start_s: for a backend that was started to write its connection file.
    :param ping_s: between heartbeats while something is outstanding.
    :param silence_s: without any message (heartbeats are answered at once) before the backend is lost.
    :param restarts: times that one job is sent again to a *new* backend.  Not endless: a job that
        makes the system kill the backend would do so each time.
    """

    connect_s: float = 2.5
    tries: int = 3
    backoff_s: float = 1.0
    backoff_max_s: float = 32.0
    start_s: float = 30.0
    ping_s: float = 2.0
    silence_s: float = 20.0
    restarts: int = 1


class Starting(Protocol):
    """A backend that was started and is not yet there."""

    def check(self) -> None:
        """Raise a :class:`ScumbleError` once it is known that it will not come."""


@dataclass
class _Pending:
    """Something that has not had its last answer."""

    message: Message
    sent: bool = False
    #: The backend it was last sent to.
    instance: str = ""
    restarts: int = 0
    cancelled: bool = False


def new_id() -> str:
    """A fresh id for a job or a message, which nobody can guess."""
    return secrets.token_hex(16)


class Client:
    """See the module.

    :param name: what the backend calls this client in its log, such as ``"krita"``.
    :param find: gives the connection to try, read anew for each try; raises ``no_backend``.
    :param launch: starts a local backend without waiting for it; ``None`` to use only a running one.
    """

    def __init__(
        self,
        *,
        name: str = "client",
        version: str = "",
        session: str = "",
        find: Callable[[], Connection] = read_connection,
        launch: Callable[[], Starting] | None = None,
        policy: Policy | None = None,
        limits: Limits = LIMITS,
    ) -> None:
        self.name = name
        self.version = version
        self.session = session or new_id()
        self.policy = policy or Policy()
        self.limits = limits
        self._find = find
        self._launch = launch
        # Its own context: closing it cannot disturb other users of ZeroMQ in an editor's process.
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._link: Link | None = None
        self._state = "idle"  # idle, starting, connecting, ready, backoff
        self._until = 0.0
        self._attempt = 0
        self._wanted = False
        self._hello = Message("hello", "")
        self._greeted = False
        self._instance = ""
        self._starting: Starting | None = None
        self._launched = False
        self._pinged = 0.0
        self._pending: dict[str, _Pending] = {}
        self._cancels: dict[str, str] = {}
        self._events: list[Event] = []

    # -- what can be asked ---------------------------------------------------------------------------

    @property
    def state(self) -> str:
        """``idle``, ``starting``, ``connecting``, ``ready`` or ``backoff``."""
        return self._state

    @property
    def outstanding(self) -> tuple[str, ...]:
        """Ids that wait for their last event."""
        return tuple(self._pending)

    def connect(self) -> None:
        """Connect even with nothing to send; :class:`~.events.Connected` follows, or not."""
        self._wanted = True

    def stylize(self, request: StylizeRequest, job: str = "") -> str:
        """Send a job; its id.  The request's buffers must not change until it is over.

        :raises FrameError: ``too_large`` or ``bad_request``: it could never be sent.
        """
        return self._submit(request_message(request, job or new_id()))

    def describe(self, refresh: bool = False) -> str:
        """Ask what the backend can do; an :class:`~.events.Answer` follows."""
        return self._submit(Message("describe", new_id(), {"refresh": refresh}))

    def ping(self) -> str:
        """Ask how it is; a :class:`~.events.Pong` follows."""
        return self._submit(Message("ping", new_id()))

    def models(self, action: str, model: str = "", **more: Any) -> str:
        """``list``, ``fetch`` or ``remove`` weights; progress and an :class:`~.events.Answer` follow."""
        body = {"action": action, **more} | ({"model": model} if model else {})
        return self._submit(Message("models", new_id(), body))

    def free_memory(self) -> str:
        """Ask the backend to drop its caches."""
        return self._submit(Message("free_memory", new_id()))

    def shutdown(self) -> str:
        """Ask the backend to end; what runs is cancelled."""
        return self._submit(Message("shutdown", new_id()))

    def request(self, kind: str, body: Mapping[str, Any]) -> str:
        """Any other message of the protocol's table without buffers, such as ``segment``."""
        return self._submit(Message(kind, new_id(), dict(body)))

    def cancel(self, job: str) -> None:
        """Stop a job; :class:`~.events.Cancelled` follows (or its result, if that was faster)."""
        pending = self._pending.get(job)
        if pending is None or pending.cancelled:
            return
        pending.cancelled = True
        if pending.sent and self._state == "ready":
            self._send_cancel(job)
        else:
            self._end(events.Cancelled(job), job)

    def forget(self, name: str) -> None:
        """Stop waiting for a job or request; its later events are dropped."""
        self._pending.pop(name, None)

    def close(self) -> None:
        """Close; jobs that run go on until the backend finds that nobody waits for them."""
        self._drop_link()
        self._pending.clear()
        self._context.destroy(linger=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def poll(self, timeout_s: float = 0.0) -> list[Event]:
        """Do what is due and give back what happened; waits for news at most that long."""
        until = time.monotonic() + timeout_s
        while True:
            self._advance()
            left = 0.0 if self._events else max(0.0, until - time.monotonic())
            if self._link is not None:
                for message in self._link.receive(min(left, 0.1)):
                    self._take(message)
            elif left:
                time.sleep(min(left, 0.02))
            if self._events or time.monotonic() >= until:
                happened, self._events = self._events, []
                return happened

    # -- connecting ----------------------------------------------------------------------------------

    def _advance(self) -> None:
        now = time.monotonic()
        if self._state == "idle" and (self._pending or self._wanted):
            self._attempt, self._launched = 0, False
            self._try()
        elif self._state == "backoff" and now >= self._until:
            self._try()
        elif self._state == "starting":
            self._await_start(now)
        elif self._state == "connecting" and self._link is not None:
            if self._link.lost or now >= self._until:
                self._failed_attempt()
            elif not self._greeted:
                self._greeted = self._link.send(self._hello)
        elif self._state == "ready" and self._link is not None:
            silent = now - self._link.heard > self.policy.silence_s and bool(self._pending)
            if self._link.lost or silent:
                self._lose()
            else:
                self._flush()
                self._beat(now)

    def _try(self) -> None:
        self._attempt += 1
        connection: Connection | None = None
        try:
            connection = self._find()
            error = ScumbleError(
                Code.NO_BACKEND,
                "The Scumble backend is not running.",
                "Start it with: scumble backend start",
                retry=True,
            )
        except ScumbleError as found:
            error = found
        if connection is not None and connection.alive():
            self._open(connection)
            return
        self._strike("")
        if not (self._pending or self._wanted):
            self._state = "idle"
        elif self._launch is None or self._launched:
            self._give_up(error)
        else:
            self._start()

    def _start(self) -> None:
        assert self._launch is not None
        self._launched = True
        try:
            self._starting = self._launch()
        except ScumbleError as error:
            self._give_up(error)
            return
        self._state, self._until = "starting", time.monotonic() + self.policy.start_s
        self._events.append(events.Waiting("Starting the Scumble backend.", self._attempt))

    def _await_start(self, now: float) -> None:
        try:
            connection = self._find()
            if connection.alive():
                self._open(connection)
                return
        except ScumbleError:
            pass
        try:
            if self._starting is not None:
                self._starting.check()
        except ScumbleError as error:
            self._give_up(error)
            return
        if now >= self._until:
            self._give_up(
                ScumbleError(
                    Code.NO_BACKEND,
                    "The Scumble backend did not start in time.",
                    "Look at its log: scumble backend status",
                    retry=True,
                )
            )

    def _open(self, connection: Connection) -> None:
        self._drop_link()
        self._link = Link(self._context, connection, self.limits)
        self._state, self._until = "connecting", time.monotonic() + self.policy.connect_s
        body = {
            "client": self.name,
            "version": self.version,
            "protocols": list(PROTOCOLS),
            "session": self.session,
            "jobs": [name for name, pending in self._pending.items() if pending.instance],
        }
        self._hello = Message("hello", new_id(), body)
        self._greeted = False

    def _failed_attempt(self) -> None:
        alive = self._link is not None and self._link.connection.alive()
        self._drop_link()
        if self._attempt >= self.policy.tries:
            self._give_up(
                ScumbleError(
                    Code.NO_BACKEND if not self._instance else Code.BACKEND_LOST,
                    "The Scumble backend does not answer.",
                    "Start it again: scumble backend stop, then scumble backend start",
                    retry=True,
                )
            )
            return
        wait = min(self.policy.backoff_s * 2 ** (self._attempt - 1), self.policy.backoff_max_s)
        self._state, self._until = "backoff", time.monotonic() + (wait if alive else 0.0)
        self._events.append(events.Waiting("The Scumble backend does not answer yet.", self._attempt + 1))

    def _lose(self) -> None:
        self._drop_link()
        for pending in list(self._pending.values()):
            job = pending.message.id
            if pending.cancelled:
                self._end(events.Cancelled(job), job)
            elif pending.message.type == "shutdown" and pending.sent:
                self._end(events.Answer(job, "result", {}), job)
            pending.sent = False
        self._attempt, self._launched = 0, False
        # A moment for the system to let go of what a killed backend held, its lock above all.
        self._state, self._until = "backoff", time.monotonic() + 0.2
        self._events.append(events.Waiting("The connection to the Scumble backend was lost.", 1))
        if not self._pending:
            self._state, self._wanted = "idle", False

    def _strike(self, instance: str) -> None:
        """Count a restart against every job that another backend had; fail those with too many."""
        for job, pending in list(self._pending.items()):
            if pending.instance and pending.instance != instance:
                pending.instance = ""
                pending.restarts += 1
                if pending.restarts > self.policy.restarts:
                    error = ScumbleError(
                        Code.BACKEND_LOST,
                        "The Scumble backend ended while it worked on this.",
                        "Try again; if it happens again, select a smaller part.",
                        retry=True,
                    )
                    self._end(events.Failed(job, error), job)

    def _give_up(self, error: ScumbleError) -> None:
        self._drop_link()
        lost = bool(self._instance)
        if lost and error.code is Code.NO_BACKEND:
            error = ScumbleError(Code.BACKEND_LOST, error.message, error.hint, retry=True)
        for job in list(self._pending):
            self._end(events.Failed(job, error), job)
        if self._wanted:
            self._events.append(events.Failed("", error))
        self._state, self._wanted, self._instance = "idle", False, ""

    def _drop_link(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None

    # -- talking -------------------------------------------------------------------------------------

    def _submit(self, message: Message) -> str:
        if not is_id(message.id):
            raise ScumbleError(Code.BAD_REQUEST, "A job's id is 1 to 64 letters, digits, '-' or '_'.")
        if message.id in self._pending:
            return message.id
        # Now, not later: what can never be sent is the caller's mistake, not an event.
        encode(message, self.limits)
        self._pending[message.id] = _Pending(message)
        return message.id

    def _flush(self) -> None:
        assert self._link is not None
        for pending in self._pending.values():
            if not pending.sent:
                pending.sent = self._link.send(pending.message)
                if not pending.sent:
                    return
                if pending.message.type == "stylize":
                    pending.instance = self._instance
                # The answer takes as long as the upload: silence is counted from here.
                self._link.heard = time.monotonic()

    def _beat(self, now: float) -> None:
        assert self._link is not None
        if self._pending and now - self._pinged >= self.policy.ping_s:
            self._pinged = now
            self._link.send(Message("ping", "heartbeat"))

    def _send_cancel(self, job: str) -> None:
        assert self._link is not None
        message = Message("cancel", new_id(), {"job": job})
        self._cancels[message.id] = job
        self._link.send(message)

    def _end(self, event: Event, job: str) -> None:
        if self._pending.pop(job, None) is not None:
            self._events.append(event)
        for cancel in [c for c, j in self._cancels.items() if j == job]:
            del self._cancels[cancel]

    def _take(self, message: Message) -> None:
        try:
            if self._state == "connecting":
                self._welcome(message)
            else:
                self._answer(message)
        except ScumbleError as error:
            # An answer that makes no sense ends what it answers, and nothing else.
            self._end(events.Failed(message.id, error), message.id)

    def _welcome(self, message: Message) -> None:
        if message.id != self._hello.id:
            return
        if message.type != "welcome":
            self._give_up(message_error(message))
            return
        self._state, self._attempt, self._launched = "ready", 0, False
        self._instance = str(message.body.get("instance", ""))
        self._strike(self._instance)
        known = message.body.get("jobs")
        for job in known if isinstance(known, list) else ():
            if job in self._pending:  # no need to send its pixels again
                self._pending[job].sent = True
        self._events.append(events.Connected(self.session, str(message.body.get("server", ""))))
        self._wanted = False
        self._flush()

    def _answer(self, message: Message) -> None:
        kind, body, name = message.type, message.body, message.id
        if kind == "result" and message.buffers and "json" not in body:
            self._finish(message)
        elif kind == "failed" and name in self._cancels:
            # The backend does not know the job (any more), so nothing else will come of it.
            job = self._cancels.pop(name)
            self._end(events.Cancelled(job), job)
        elif kind == "failed" and self._forgotten(message):
            return
        elif kind == "failed":
            self._end(events.Failed(name, message_error(message)), name)
        elif kind == "cancelled":
            self._end(events.Cancelled(name), name)
        elif kind == "cancelling":
            self._events.append(events.Cancelling(str(body.get("job", ""))))
        elif kind == "pong":
            pong = events.Pong(name, str(body.get("state", "")), body)
            if name in self._pending:
                self._end(pong, name)
            else:
                self._events.append(pong)
        elif name not in self._pending:
            return
        elif kind == "accepted":
            self._events.append(events.Accepted(name, int(body.get("position", 0))))
        elif kind == "progress":
            self._events.append(self._progress(name, body))
        elif kind == "preview":
            self._events.append(events.Preview(name, message_result(message)))
        elif kind in ("result", "description"):
            self._end(events.Answer(name, kind, attachment(message)), name)

    def _forgotten(self, message: Message) -> bool:
        """Whether the backend forgot this client, which was silent for long; then say hello again."""
        told = message.body.get("code") == Code.NO_SESSION.value
        # Just after a welcome it cannot be that, and must not become an endless loop.
        if not told or self._link is None or time.monotonic() - self._link.opened < _FORGETFUL_S:
            return False
        self._link.lost = "no session"
        return True

    def _finish(self, message: Message) -> None:
        result = message_result(message)
        self._end(events.Finished(message.id, result), message.id)
        if self._link is not None:
            # Now the backend need not keep it for us.
            self._link.send(Message("release", new_id(), {"job": message.id}))

    @staticmethod
    def _progress(job: str, body: Mapping[str, Any]) -> events.Progress:
        eta = body.get("eta_s")
        return events.Progress(
            job,
            str(body.get("stage", "")),
            int(body.get("done", 0)),
            int(body.get("of", 0)),
            float(eta) if isinstance(eta, (int, float)) else None,
        )
