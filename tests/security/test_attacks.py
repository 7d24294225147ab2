"""The attacker's part (docs/protocol.md, section 5)."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import zmq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wire_parts import Raw, Running, eventually, request, running, until

from scumble.shared import events
from scumble.shared.codec import request_message
from scumble.shared.connection import KeyPair
from scumble.shared.framing import MAGIC, Message, encode
from scumble.shared.limits import Limits

#: How long the attacker waits for an answer that must not come.
A_WHILE = 0.5


def still_well(server: Running) -> None:
    """An honest client gets its layer."""
    with server.client() as client:
        until(client, events.Finished, job=client.stylize(request()))


def address(server: Running) -> tuple[str, int]:
    host, port = server.connection.endpoint.removeprefix("tcp://").split(":")
    return host, int(port)


class Wire:
    """A man in the middle: passes bytes between client and server, keeps what the client said, and may
    change it."""

    def __init__(self, server: Running, change: Callable[[bytes, int], bytes] = lambda b, n: b) -> None:
        self.said = b""
        self.heard = b""
        self._change = change
        self._target = address(server)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        self._sockets = [self._listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                ours, _ = self._listener.accept()
                theirs = socket.create_connection(self._target)
                self._sockets += [ours, theirs]
                for args in ((ours, theirs, True), (theirs, ours, False)):
                    threading.Thread(target=self._pass, args=args, daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, said: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if said:
                    data = self._change(data, len(self.said))
                    self.said += data
                else:
                    self.heard += data
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        for end in self._sockets:
            end.close()


@pytest.fixture
def wire(server: Running) -> Iterator[Wire]:
    it = Wire(server)
    yield it
    it.close()


def test_a_key_that_is_not_on_the_list_is_not_let_in(server: Running, context) -> None:
    """Section 5.2."""
    peer = Raw(context, server.connection, KeyPair.new())
    peer.send("ping")
    assert peer.hear(A_WHILE) is None
    still_well(server)


def test_a_server_with_another_key_is_not_talked_to(server: Running, context) -> None:
    """Section 5.1: the server's key is pinned."""
    peer = Raw(context, server.connection, server_key=KeyPair.new().public)
    peer.send("ping")
    assert peer.hear(A_WHILE) is None
    still_well(server)


@pytest.mark.parametrize("mechanism", ["none", "plain"])
def test_a_peer_without_encryption_is_not_let_in(server: Running, context, mechanism: str) -> None:
    """Section 5.1."""
    peer = context.socket(zmq.DEALER)
    peer.setsockopt(zmq.LINGER, 0)
    if mechanism == "plain":
        peer.plain_username, peer.plain_password = b"admin", b"admin"
    peer.connect(server.connection.endpoint)
    peer.send_multipart([bytes(f) for f in encode(Message("ping", "p"))])
    assert not peer.poll(int(A_WHILE * 1000))
    still_well(server)


def test_what_travels_cannot_be_read(server: Running, wire: Wire) -> None:
    """Section 5.1: pixels included."""
    with _through(server, wire) as client:
        until(client, events.Finished, job=client.stylize(request(64, 64)))
    pixels = bytes(request(64, 64).layer.data)
    assert len(wire.said) > len(pixels) and len(wire.heard) > len(pixels)
    for secret in (b"SCUMBLE1", b"stylize", pixels[:64], pixels[-64:], pixels[::-1][:64]):
        assert secret not in wire.said and secret not in wire.heard


def _through(server: Running, wire: Wire) -> Any:
    from wire_parts import QUICK

    from scumble.shared.client import Client

    return Client(find=lambda: replace(server.connection, endpoint=wire.endpoint), policy=QUICK)


def test_a_recorded_conversation_played_again_does_nothing(
    server: Running, wire: Wire, tmp_path: Path
) -> None:
    """Section 5.4: the keys of a connection are its own."""
    diary = tmp_path / "diary"
    with _through(server, wire) as client:
        until(client, events.Finished, job=client.stylize(request(seed=1, diary=str(diary))))
    with socket.create_connection(address(server)) as replay:
        replay.settimeout(A_WHILE)
        with contextlib.suppress(OSError):
            replay.sendall(wire.said)
            while replay.recv(65536):
                pass
    still_well(server)
    assert diary.read_text().split() == ["1"]


@pytest.mark.parametrize("offset", [0, 70, 300, 500, 900])
def test_a_changed_byte_is_never_acted_upon(server: Running, tmp_path: Path, offset: int) -> None:
    """Section 5.1: every frame is authenticated; the client notices and gives up, or tries again."""
    diary = tmp_path / "diary"

    def change(data: bytes, before: int) -> bytes:
        index = offset - before
        if 0 <= index < len(data):
            data = data[:index] + bytes([data[index] ^ 1]) + data[index + 1 :]
        return data

    wire = Wire(server, change)
    keep = server.connection
    from scumble.shared.client import Client, Policy

    policy = Policy(connect_s=1.0, tries=1, silence_s=2.0, ping_s=0.3)
    with Client(find=lambda: replace(keep, endpoint=wire.endpoint), policy=policy) as client:
        job = client.stylize(request(seed=9, diary=str(diary)))
        end = until(client, events.Failed, events.Finished, job=job)
    wire.close()
    if isinstance(end, events.Finished):  # the byte was one of padding in the greeting
        assert diary.read_text().split() == ["9"]
    else:
        assert not diary.exists() or diary.read_text().split() == ["9"]
    still_well(server)


def test_hundreds_of_half_open_connections_keep_nobody_out_and_are_closed() -> None:
    """Section 5.5: some say nothing, some half a greeting, some a greeting and then nothing."""
    greeting = b"\xff" + b"\0" * 8 + b"\x7f" + b"\x03\x01" + b"CURVE" + b"\0" * 15 + b"\0" + b"\0" * 31
    with running() as server, contextlib.ExitStack() as stack:
        ends = []
        for index in range(300):
            end = stack.enter_context(socket.create_connection(address(server), timeout=10))
            with contextlib.suppress(OSError):
                end.sendall((b"", greeting[:10], greeting)[index % 3])
            ends.append(end)
        still_well(server)
        for end in ends[:3]:
            end.settimeout(15)  # a time-out fails the test: the server has to close it
            with contextlib.suppress(ConnectionError):
                while end.recv(4096):
                    pass
        still_well(server)


@pytest.mark.parametrize(
    "junk", [b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\0" * 10_000, bytes(range(256)) * 40]
)
def test_other_protocols_and_noise_on_the_port_do_no_harm(server: Running, junk: bytes) -> None:
    """Section 5.5."""
    for _ in range(20):
        with socket.create_connection(address(server)) as end, contextlib.suppress(OSError):
            end.sendall(junk)
    still_well(server)


def test_a_frame_that_is_too_large_ends_the_connection_of_its_sender_alone(context) -> None:
    """Section 4.1: refused by its announced size, before memory is found for it."""
    with running(limits=Limits(buffer_bytes=100_000)) as server:
        peer = Raw(context, server.connection)
        peer.hello()
        peer.say(MAGIC, b"x" * 200_000)
        peer.send("ping", "after")
        answer = peer.hear(A_WHILE)
        # ZeroMQ connects the socket again by itself, and the new connection may ping.
        assert answer is None or answer.id == "after"
        still_well(server)


def test_a_message_of_too_many_frames_is_answered_and_dropped(server: Running, context) -> None:
    """Section 4.1."""
    peer = Raw(context, server.connection)
    peer.hello()
    peer.say(MAGIC, b"{}", *[b"x"] * 5000)
    assert peer.hear().body["code"] == "too_large"
    assert peer.ask("ping").type == "pong"


def test_declared_sizes_that_lie_are_refused_without_memory_for_them(server: Running, context) -> None:
    """Section 3.3."""
    peer = Raw(context, server.connection)
    peer.hello()
    entry = {"role": "layer", "width": 10_000, "height": 10_000, "format": "rgba", "dtype": "u8"}
    content = {"type": "stylize", "id": "lie", "body": {}, "buffers": [entry | {"bytes": 4 * 10**8}]}
    peer.say(MAGIC, json.dumps(content).encode(), b"tiny")
    answer = peer.hear()
    assert (answer.id, answer.body["code"]) == ("lie", "bad_request")


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
kinds = st.sampled_from(
    ["hello", "ping", "describe", "stylize", "segment", "cancel", "release", "models", "free_memory", "what"]
)
names = st.sampled_from(
    ["client", "protocols", "session", "jobs", "job", "action", "model", "layer", "refresh"]
)
messages = st.builds(
    lambda kind, body: [MAGIC, json.dumps({"type": kind, "id": "x", "body": body, "buffers": []}).encode()],
    kinds, st.dictionaries(names, anything, max_size=4) | anything,
)  # fmt: skip
noise = st.lists(st.binary(max_size=60), min_size=1, max_size=5)


@pytest.fixture(scope="module")
def target() -> Iterator[Running]:
    with running() as server:
        yield server


@settings(max_examples=150, suppress_health_check=list(HealthCheck), deadline=None)
@given(said=st.lists(messages | noise, min_size=1, max_size=4))
def test_whatever_an_admitted_peer_says_is_answered(target: Running, said: list[list[bytes]]) -> None:
    """Sections 3.5 and 5.6: never a crash, never silence."""
    own: zmq.Context[Any] = zmq.Context()
    try:
        peer = Raw(own, target.connection)
        peer.hello(session="fuzz")
        for frames in said:
            peer.say(*frames)
            assert peer.hear() is not None
        assert target.thread.is_alive()
    finally:
        own.destroy(linger=0)


def test_after_all_that_it_is_well(target: Running) -> None:
    still_well(target)


def test_a_peer_cannot_take_anothers_place(context, tmp_path: Path) -> None:
    """Section 5.7: a routing id that a peer chose itself gets no session."""
    with running() as server:
        peer = Raw(context, server.connection, routing_id=b"krita")
        answer = peer.ask("hello", client="x", protocols=[1], session="s")
        assert answer.body["code"] == "bad_request"


def test_one_user_cannot_see_or_stop_anothers_jobs(context, tmp_path: Path) -> None:
    """Section 5.7: on a shared server users are told apart by their keys, not by what they say."""
    with running() as server:
        mallory = KeyPair.new()
        server.server._gate.keys.add(mallory.public)  # what --authorized does
        job = "secret-job"
        with server.client(session="same") as ada:
            asked = request(seconds=60)
            ada.stylize(asked, job)
            until(ada, events.Progress, job=job)
            thief = Raw(context, server.connection, mallory)
            welcome = thief.hello(session="same", jobs=[job])
            assert welcome.body["jobs"] == []
            assert thief.ask("cancel", job=job).body["code"] == "unknown_job"
            assert thief.ask("release", job=job).body["code"] == "unknown_job"
            assert thief.ask("ping").body["job"] == ""
            thief.socket.send_multipart(encode(request_message(asked, job)))
            assert thief.hear().body["position"] == 1  # a job of its own, behind ada's
            ada.cancel(job)
            until(ada, events.Cancelled, job=job)
            assert thief.ask("cancel", "c", job=job).type == "cancelling"


def test_a_flood_of_connections_with_wrong_keys_keeps_nobody_out(server: Running, context) -> None:
    """Section 5.5."""
    peers = [Raw(context, server.connection, KeyPair.new()) for _ in range(50)]
    for peer in peers:
        peer.send("ping")
    still_well(server)
    assert not any(peer.socket.poll(0) for peer in peers)


def test_more_clients_than_there_is_room_for_push_out_the_silent_ones(context) -> None:
    """Section 4.3; one that was pushed out says hello again and goes on."""
    with running(limits=Limits(sessions=3)) as server:
        peers = [Raw(context, server.connection) for _ in range(5)]
        for index, peer in enumerate(peers):
            assert peer.hello(session=f"s{index}").type == "welcome"
            time.sleep(0.01)
        assert peers[0].ask("describe").body["code"] == "no_session"
        assert peers[4].ask("free_memory").type == "result"
        assert peers[0].hello(session="s0").type == "welcome"


def test_the_secret_of_a_client_is_in_no_log(server: Running, caplog: pytest.LogCaptureFixture) -> None:
    """Section 2.2."""
    caplog.set_level("DEBUG", "scumble")
    still_well(server)
    eventually(lambda: caplog.text)
    assert server.keys.secret not in caplog.text and server.server.keys.secret not in caplog.text
