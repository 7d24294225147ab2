"""How a client comes by its connection: find the backend, start it, try again, notice that it is lost.

A state machine that never waits (``docs/protocol.md``, section 9); what is sent over the connection is
the business of :class:`scumble.shared.client.Client`, which derives from it.
"""

from __future__ import annotations

import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import zmq

from . import events
from .codec import message_error
from .connection import Connection
from .errors import Code, ScumbleError
from .events import Event
from .framing import PROTOCOLS, Message
from .limits import Limits
from .link import Link


@dataclass(frozen=True)
class Policy:
    """How patient a client is; times in seconds.

    :param connect_s: for a connection and its ``welcome``.
    :param tries: connections tried in a row before giving up.
    :param backoff_s: wait after the first failed try; doubles up to ``backoff_max_s``.
    :param start_s: for a backend that was started to write its connection file.
    :param ping_s: between heartbeats while something is outstanding.
    :param silence_s: without any message (heartbeats are answered at once) before the backend is lost;
        more while large layers travel.
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


def new_id() -> str:
    """A fresh id for a job or a message, which nobody can guess."""
    return secrets.token_hex(16)


class Connecting(ABC):
    """See the module.  Subclasses say what is outstanding and are told what becomes of the connection."""

    def __init__(
        self,
        name: str,
        version: str,
        session: str,
        find: Callable[[], Connection],
        launch: Callable[[], Starting] | None,
        policy: Policy,
        limits: Limits,
    ) -> None:
        self.name = name
        self.version = version
        self.session = session or new_id()
        self.policy = policy
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
        self._start_until = 0.0
        self._dead: Connection | None = None
        self._events: list[Event] = []

    @property
    def state(self) -> str:
        """``idle``, ``starting``, ``connecting``, ``ready`` or ``backoff``."""
        return self._state

    def connect(self) -> None:
        """Connect even with nothing to send; :class:`~.events.Connected` follows, or not."""
        self._wanted = True

    @property
    @abstractmethod
    def outstanding(self) -> tuple[str, ...]:
        """Ids that wait for their last event."""

    @abstractmethod
    def _awaited(self) -> Sequence[str]:
        """Jobs that a backend may already have."""

    @abstractmethod
    def _travel_s(self) -> float:
        """Seconds for which pixels under way may keep a heartbeat waiting."""

    @abstractmethod
    def _welcomed(self, known: Sequence[str]) -> None:
        """Connected; the backend has these jobs."""

    @abstractmethod
    def _work(self, now: float) -> None:
        """Connected and well: send what waits."""

    @abstractmethod
    def _unsent(self) -> None:
        """The connection is lost; what was not answered has to be sent again."""

    @abstractmethod
    def _strike(self, instance: str) -> None:
        """Whatever another backend than this one had is not there any more."""

    @abstractmethod
    def _fail_all(self, error: ScumbleError) -> None:
        """There will be no connection."""

    def _advance(self) -> None:
        now = time.monotonic()
        if self._state == "idle" and (self.outstanding or self._wanted):
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
            silence = now - self._link.heard
            if self._link.lost or (self.outstanding and silence > self.policy.silence_s + self._travel_s()):
                self._lose()
            else:
                self._work(now)

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
        self._dead = connection
        self._strike("")
        if not (self.outstanding or self._wanted):
            self._state = "idle"
        elif self._launch is None or (self._launched and time.monotonic() >= self._start_until):
            self._give_up(error)
        elif self._launched:
            self._state, self._until = "starting", self._start_until
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
        self._state = "starting"
        self._until = self._start_until = time.monotonic() + self.policy.start_s
        self._events.append(events.Waiting("Starting the Scumble backend.", self._attempt))

    def _await_start(self, now: float) -> None:
        try:
            connection = self._find()
            # The new one holds the lock for a moment before it removes what a killed one has left.
            if connection != self._dead and connection.alive():
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
            "client": self.name[:64],
            "version": self.version,
            "protocols": list(PROTOCOLS),
            "session": self.session,
            "jobs": list(self._awaited()),
        }
        self._hello = Message("hello", new_id(), body)
        self._greeted = False

    def _failed_attempt(self) -> None:
        alive = self._link is not None and self._link.connection.alive()
        self._drop_link()
        # One that was started just now may be slow on a busy machine, and gets the time for that.
        if self._attempt >= self.policy.tries and not (
            self._launched and time.monotonic() < self._start_until
        ):
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
        self._unsent()
        self._attempt, self._launched = 0, False
        # A moment for the system to let go of what a killed backend held, its lock above all.
        self._state, self._until = "backoff", time.monotonic() + 0.2
        self._events.append(events.Waiting("The connection to the Scumble backend was lost.", 1))
        if not self.outstanding:
            self._state, self._wanted = "idle", False

    def _give_up(self, error: ScumbleError) -> None:
        self._drop_link()
        lost = bool(self._instance)
        if lost and error.code is Code.NO_BACKEND:
            error = ScumbleError(Code.BACKEND_LOST, error.message, error.hint, retry=True)
        self._fail_all(error)
        if self._wanted:
            self._events.append(events.Failed("", error))
        self._state, self._wanted, self._instance = "idle", False, ""

    def _drop_link(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None

    def _welcome(self, message: Message) -> None:
        if message.id != self._hello.id:
            return
        if message.type != "welcome":
            self._give_up(message_error(message))
            return
        body: Mapping[str, Any] = message.body
        self._state, self._attempt, self._launched, self._wanted = "ready", 0, False, False
        self._instance = str(body.get("instance", ""))
        self._strike(self._instance)
        self._events.append(events.Connected(self.session, str(body.get("server", ""))))
        known = body.get("jobs")
        self._welcomed([str(job) for job in known] if isinstance(known, list) else [])
