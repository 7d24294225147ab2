"""A backend that does what a test tells it to, message by message, over a real encrypted socket.

It answers ``hello``, ``ping`` and ``release`` by itself and nothing else: what becomes of a job is the
test's to say.  It can be killed (its sockets close without a word) and started again with other keys on
another port, as a real one would.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import zmq

from scumble.plugin.common.jobs import Job
from scumble.plugin.common.session import JobSession
from scumble.plugin.common.states import State
from scumble.shared.client import Client, Policy
from scumble.shared.codec import attached, failed_message, message_request, result_message
from scumble.shared.connection import Connection, KeyPair
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.framing import Message, decode, encode
from scumble.shared.limits import LIMITS
from scumble.shared.link import harden
from scumble.shared.messages import (
    BundledStyle,
    MaskBuffer,
    PixelBuffer,
    Region,
    StylizeRequest,
    StylizeResult,
)

PATIENCE = 60.0
QUICK = Policy(backoff_s=0.05, ping_s=0.1, connect_s=5.0, start_s=10.0)


def request(seed: int = 0, side: int = 4, **options: Any) -> StylizeRequest:
    """A small request."""
    layer = PixelBuffer(side, side, "rgba", "u8", bytes([seed % 256]) * (side * side * 4))
    mask = MaskBuffer(side, side, b"\xff" * (side * side))
    return StylizeRequest(layer, (Region(mask, BundledStyle("s1")),), options=options, seed=seed)


def result(seed: int = 0, side: int = 4) -> StylizeResult:
    """A small result, to be told apart by its seed."""
    pixels = PixelBuffer(side, side, "rgba", "u8", bytes([seed % 256]) * (side * side * 4))
    return StylizeResult(pixels, (seed, 0), {"seed": seed})


class Starting:
    """A backend that somebody starts."""

    def __init__(self, error: ScumbleError | None = None) -> None:
        self.error = error

    def check(self) -> None:
        if self.error is not None:
            raise self.error


class ScriptedBackend:
    """See the module.

    :ivar heard: every message but heartbeats, hellos and releases, in their order.
    :ivar hellos: the bodies of all hellos.
    :ivar mute: while true, nothing is answered by itself.
    """

    def __init__(self) -> None:
        self.heard: list[Message] = []
        self.hellos: list[dict[str, Any]] = []
        self.released: list[str] = []
        self.known: list[str] = []
        self.mute = False
        self.pong: dict[str, Any] = {"state": "ready", "job": "", "queue": 0}
        self.connection: Connection | None = None
        self.launched = 0
        self._instance = 0
        self._peer: bytes | None = None
        self._say: deque[Message] = deque()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    # -- its life ------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to listen, as a new process with new keys."""
        self._instance += 1
        self._ending.clear()
        self._peer, self.known = None, []
        listening = threading.Event()
        keys, client = KeyPair.new(), KeyPair.new()
        self._thread = threading.Thread(target=self._run, args=(keys, client, listening), daemon=True)
        self._thread.start()
        assert listening.wait(PATIENCE)

    def kill(self) -> None:
        """Be gone, without a word."""
        self.connection = None
        self._ending.set()
        if self._thread is not None:
            self._thread.join(PATIENCE)
            assert not self._thread.is_alive()
        self._say.clear()

    def find(self) -> Connection:
        """For a client: where it is."""
        if self.connection is None:
            raise ScumbleError(
                Code.NO_BACKEND, "The Scumble backend is not running.", "Start it.", retry=True
            )
        return self.connection

    def client(self, **more: Any) -> Client:
        """A client of it, which does not start it."""
        return Client(name="test", find=self.find, policy=more.pop("policy", QUICK), **more)

    def launching(self, start: bool = True, error: ScumbleError | None = None) -> Callable[[], Client]:
        """Makes clients that start it (or believe that they do)."""

        def launch() -> Starting:
            self.launched += 1
            if start:
                self.start()
            return Starting(error)

        return lambda: self.client(launch=launch)

    # -- what it says --------------------------------------------------------------------------------

    def say(self, kind: str, name: str, **body: Any) -> None:
        """Any message without buffers."""
        self._say.append(Message(kind, name, body))

    def accept(self, job: str, position: int = 0) -> None:
        self.say("accepted", job, position=position, state="ready")

    def progress(self, job: str, stage: str = "paint", done: int = 1, of: int = 4, **more: Any) -> None:
        self.say("progress", job, stage=stage, done=done, of=of, **more)

    def finish(self, job: str, seed: int = 0, side: int = 4) -> None:
        self._say.append(result_message(result(seed, side), job))

    def show(self, job: str, seed: int = 0) -> None:
        """A preview."""
        self._say.append(result_message(result(seed), job, "preview"))

    def fail(self, job: str, error: ScumbleError) -> None:
        self._say.append(failed_message(error, job))

    def answer(self, name: str, kind: str, value: Any) -> None:
        self._say.append(attached(kind, name, value))

    def cancelled(self, job: str) -> None:
        """Confirm a cancellation as a backend does: twice."""
        for message in self.heard:
            if message.type == "cancel" and message.body["job"] == job:
                self.say("cancelling", message.id, job=job)
        self.say("cancelled", job)

    def of(self, kind: str) -> list[Message]:
        """What it heard of a kind."""
        return [message for message in list(self.heard) if message.type == kind]

    # -- its thread ----------------------------------------------------------------------------------

    def _run(self, keys: KeyPair, client: KeyPair, listening: threading.Event) -> None:
        context: zmq.Context[Any] = zmq.Context()
        socket = context.socket(zmq.ROUTER)
        harden(socket, LIMITS)
        socket.curve_server = True
        socket.curve_publickey = keys.public.encode()
        socket.curve_secretkey = keys.secret.encode()
        socket.bind("tcp://127.0.0.1:*")
        endpoint = socket.getsockopt_string(zmq.LAST_ENDPOINT)
        self.connection = Connection(endpoint, keys.public, client)
        listening.set()
        while not self._ending.is_set():
            while self._say and self._peer is not None:
                socket.send_multipart([self._peer, *encode(self._say.popleft())])
            if socket.poll(5):
                frames = socket.recv_multipart()
                self._peer = frames[0]
                reply = self._take(decode(frames[1:]))
                if reply is not None and not self.mute:
                    socket.send_multipart([frames[0], *encode(reply)])
        context.destroy(linger=0)

    def _take(self, message: Message) -> Message | None:
        if message.type == "hello":
            self.hellos.append(dict(message.body))
            known = [job for job in message.body["jobs"] if job in self.known]
            body = {"server": "scripted", "version": "1", "protocol": 1, "session": message.body["session"]}
            return Message("welcome", message.id, {**body, "instance": str(self._instance), "jobs": known})
        if message.type == "ping":
            return Message("pong", message.id, self.pong)
        if message.type == "release":
            self.released.append(message.body["job"])
            return Message("result", message.id)
        if message.type == "stylize":
            message_request(message)  # what a plugin sends has to be sound
            self.known.append(message.id)
        self.heard.append(message)
        return None


class Drive:
    """Ticks sessions until something holds."""

    def __init__(self) -> None:
        self.sessions: list[JobSession] = []
        self.changes: list[Any] = []

    def session(self, connect: Callable[[], Client], **more: Any) -> JobSession:
        """A session that is closed after the test."""
        session = JobSession(connect, **more)
        self.sessions.append(session)
        return session

    def until(self, true: Callable[[], Any], what: str | Callable[[], str] = "it") -> Any:
        """Tick until it is true."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for session in self.sessions:
                self.changes += session.tick(0.005)
            value = true()
            if value:
                return value
        raise AssertionError(f"{what if isinstance(what, str) else what()} did not come true")

    def to(self, job: Any, *states: State) -> Any:
        """Tick until the job is in one of these states; its view."""
        self.until(lambda: job.state in states, lambda: f"{[s.value for s in states]} (it is {job.view})")
        return job.view

    def some(self, ticks: int = 10) -> None:
        """Tick a while, for what should not happen."""
        for _ in range(ticks):
            for session in self.sessions:
                self.changes += session.tick(0.01)


def painting(backend: ScriptedBackend, drive: Drive, session: JobSession, seed: int = 0) -> Job:
    """A job that runs."""
    job = session.start(request(seed))
    drive.until(lambda: any(m.id == job.id for m in backend.of("stylize")), "the job's arrival")
    backend.accept(job.id)
    backend.progress(job.id)
    drive.to(job, State.RUNNING)
    return job


@pytest.fixture
def backend() -> Iterator[ScriptedBackend]:
    """A scripted backend that listens."""
    it = ScriptedBackend()
    it.start()
    yield it
    it.kill()


@pytest.fixture
def drive() -> Iterator[Drive]:
    """Drives sessions, and closes them."""
    it = Drive()
    yield it
    for session in it.sessions:
        session.close()
