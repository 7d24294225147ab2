"""Parts that the tests of the wire share: servers in a thread and as a process, requests, raw peers."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import zmq
from obedient import ObedientSession

from scumble.backend.server.front import Server
from scumble.backend.server.options import ServerOptions
from scumble.shared import events, launch
from scumble.shared.client import Client, Policy
from scumble.shared.connection import Connection, KeyPair, lock_path
from scumble.shared.framing import Message, decode, encode
from scumble.shared.lock import holder, is_held
from scumble.shared.messages import BundledStyle, MaskBuffer, PixelBuffer, Region, StylizeRequest

PATIENCE = 20.0
#: Quick enough for tests, patient enough for a busy machine.
QUICK = Policy(backoff_s=0.05, ping_s=0.2, connect_s=5.0)


def request(width: int = 8, height: int = 6, seed: int = 0, **options: Any) -> StylizeRequest:
    """A small request; the options tell the obedient session what to do."""
    layer = PixelBuffer(width, height, "rgba", "u8", bytes(i % 251 for i in range(width * height * 4)))
    mask = MaskBuffer(width, height, b"\xff" * (width * height))
    return StylizeRequest(layer, (Region(mask, BundledStyle("s1")),), options=options, seed=seed)


class Running:
    """A server in a thread of this process.

    :ivar connection: for a client whose key is admitted.
    """

    def __init__(self, factory: Callable[[], Any] = ObedientSession, **options: Any) -> None:
        self.keys = KeyPair.new()
        self.server = Server(factory, [self.keys.public], options=ServerOptions(**options), version="test")
        self.connection = Connection(self.server.bind(), self.server.keys.public, self.keys)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()

    def client(self, **more: Any) -> Client:
        """A client of it."""
        return Client(find=lambda: self.connection, policy=more.pop("policy", QUICK), **more)

    def end(self) -> None:
        """Stop it, and be sure that it has stopped."""
        self.server.stop()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive(), "the server did not end"


@contextmanager
def running(factory: Callable[[], Any] = ObedientSession, **options: Any) -> Iterator[Running]:
    """A server for the length of a block."""
    server = Running(factory, **options)
    try:
        yield server
    finally:
        server.end()


def until(client: Client, *kinds: type, job: str = "", seen: list[Any] | None = None) -> Any:
    """The first event of one of these kinds (and of that job), within the tests' patience.

    Events that it passes over stay for the next wait; ``seen`` collects the new ones in their order.
    """
    deadline = time.monotonic() + PATIENCE
    happened: list[Any] = [] if seen is None else seen
    left: list[Any] = client.__dict__.setdefault("left_over", [])
    while time.monotonic() < deadline:
        for index, event in enumerate(left):
            if isinstance(event, kinds) and job in ("", getattr(event, "job", getattr(event, "id", ""))):
                return left.pop(index)
        new = client.poll(0.05)
        left += new
        happened += new
    raise AssertionError(f"none of {[k.__name__ for k in kinds]} came; instead {happened}")


def eventually(true: Callable[[], Any], what: str = "it") -> Any:
    """Wait until something holds."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        value = true()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"{what} did not come true")


class Raw:
    """A peer that says whatever it is told to, under whatever keys.

    :param keys: ``None`` for a peer without encryption.
    """

    def __init__(
        self,
        context: zmq.Context[Any],
        connection: Connection,
        keys: KeyPair | None = None,
        *,
        server_key: str = "",
        plain: bool = False,
        routing_id: bytes = b"",
        deaf: bool = False,
    ) -> None:
        self.socket = context.socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        if deaf:  # takes next to nothing into its own queues
            self.socket.setsockopt(zmq.RCVHWM, 1)
            self.socket.setsockopt(zmq.RCVBUF, 4096)
        if routing_id:
            self.socket.setsockopt(zmq.ROUTING_ID, routing_id)
        if not plain:
            keys = keys or connection.client
            self.socket.curve_serverkey = (server_key or connection.server_key).encode()
            self.socket.curve_publickey = keys.public.encode()
            self.socket.curve_secretkey = keys.secret.encode()
        self.socket.connect(connection.endpoint)

    def say(self, *frames: bytes) -> None:
        """Send frames as they are."""
        self.socket.send_multipart(list(frames))

    def send(self, kind: str, name: str = "m", buffers: tuple[Any, ...] = (), **body: Any) -> None:
        """Send a proper message."""
        self.socket.send_multipart(encode(Message(kind, name, body, buffers)))

    def hear(self, timeout_s: float = PATIENCE) -> Message | None:
        """The next message, ``None`` if none comes."""
        if not self.socket.poll(int(timeout_s * 1000)):
            return None
        return decode(self.socket.recv_multipart())

    def ask(self, kind: str, name: str = "m", **body: Any) -> Message:
        """Send a proper message and wait for its answer; a running job may report in between."""
        self.send(kind, name, **body)
        answer = self.hear()
        while answer is not None and answer.type == "progress":
            answer = self.hear()
        assert answer is not None, f"no answer to {kind}"
        return answer

    def hello(self, session: str = "raw", **more: Any) -> Message:
        """Say hello."""
        return self.ask("hello", "hello", client="raw", protocols=[1], session=session, **more)

    def close(self) -> None:
        """Close at once."""
        self.socket.close(linger=0)


@pytest.fixture
def context() -> Iterator[zmq.Context[Any]]:
    """A ZeroMQ context, closed with all its sockets afterwards."""
    own: zmq.Context[Any] = zmq.Context()
    yield own
    own.destroy(linger=0)


@pytest.fixture
def server() -> Iterator[Running]:
    """A server with an obedient session."""
    with running() as it:
        yield it


@pytest.fixture
def client(server: Running) -> Iterator[Client]:
    """A client of that server."""
    with server.client(name="test") as it:
        yield it


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A user's folders of their own, in a path with a space and an umlaut.

    ``SCUMBLE_PYTHON`` names a Python that runs a whole backend process with the obedient session.
    """
    place = tmp_path / "a höme"
    for name in ("RUNTIME", "STATE", "CONFIG"):
        monkeypatch.setenv(f"SCUMBLE_{name}_DIR", str(place / name.lower()))
    monkeypatch.delenv("SCUMBLE_CONNECTION", raising=False)
    place.mkdir()
    python = place / "python"
    script = Path(__file__).parent / "obedient.py"
    # "$@" is -m scumble.backend.server and what follows.
    python.write_text(f'#!/bin/sh\nshift 2\nexec "{sys.executable}" "{script}" "$@"\n')
    python.chmod(0o755)
    monkeypatch.setenv("SCUMBLE_PYTHON", str(python))
    yield place
    for child in launch._children:  # one that lost a race may still be looking at the lock
        child.kill()
        child.wait()
    kill_backend()


def backend_pid() -> int:
    """The process that holds the lock, 0 if none does."""
    return (holder(lock_path()) or 0) if is_held(lock_path()) else 0


def kill_backend() -> None:
    """Kill the backend of the present home, if there is one, and wait until it is gone."""
    pid = backend_pid()
    if pid:
        os.kill(pid, 9)
    eventually(lambda: not is_held(lock_path()), "the backend's end")


__all__ = [
    "PATIENCE",
    "QUICK",
    "Raw",
    "Running",
    "backend_pid",
    "client",
    "context",
    "eventually",
    "events",
    "home",
    "kill_backend",
    "launch",
    "request",
    "running",
    "server",
    "until",
]
