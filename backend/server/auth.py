"""Who may connect: a ZAP handler with a list of client keys (``docs/protocol.md``, section 5).

It is served by the I/O thread itself, beside the front socket: one thread, nothing to race with, and
if it does not run, nobody gets in.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

import zmq
from zmq.utils import z85

ADDRESS = "inproc://zeromq.zap.01"
DOMAIN = b"scumble"
log = logging.getLogger(__name__)


class Gate:
    """Admits the listed CURVE keys; a peer's key becomes the ``User-Id`` of all its messages.

    :param keys: public keys as Z85 text.
    """

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], keys: Iterable[str]) -> None:
        self.keys = set(keys)
        self.socket = context.socket(zmq.ROUTER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.bind(ADDRESS)

    def serve(self) -> None:
        """Answer the questions that are there."""
        while True:
            try:
                frames = self.socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            try:
                split = frames.index(b"")
                route, question = frames[: split + 1], frames[split + 1 :]
                self.socket.send_multipart([*route, *self._answer(question)], zmq.NOBLOCK)
            except (ValueError, zmq.ZMQError) as error:
                log.warning("authentication question dropped: %s", error)

    def _answer(self, question: list[bytes]) -> list[bytes]:
        if len(question) < 6 or question[0] != b"1.0":
            return [b"1.0", question[1] if len(question) > 1 else b"", b"500", b"not ZAP 1.0", b"", b""]
        request, domain, address, mechanism = question[1], question[2], question[3], question[5]
        if domain == DOMAIN and mechanism == b"CURVE" and len(question) == 7 and len(question[6]) == 32:
            key = z85.encode(question[6]).decode("ascii")
            if key in self.keys:
                return [b"1.0", request, b"200", b"OK", key.encode("ascii"), b""]
        log.warning("a peer at %s was refused", address.decode("ascii", "replace")[:64])
        return [b"1.0", request, b"400", b"unknown key", b"", b""]

    def close(self) -> None:
        """Nobody gets in any more."""
        self.socket.close(linger=0)
