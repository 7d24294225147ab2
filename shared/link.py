"""One socket to one backend, for one attempt.  Never waits, never reconnects.

When it is lost it stays lost: whoever owns it makes a new one (:mod:`scumble.shared.client`).  ZeroMQ's
own reconnection is switched off, because the backend that comes back has another port and other keys.
"""

from __future__ import annotations

import time

import zmq
from zmq.utils.monitor import recv_monitor_message

from .connection import Connection
from .errors import ScumbleError
from .framing import Message, decode, encode
from .limits import LIMITS, Limits

#: ZMTP heartbeats: a probe every 5 s.  Dead only after 120 s: a probe waits behind a frame that is under
#: way, and one of 2 GiB takes its time.  A process that dies here is noticed at once all the same.
HEARTBEAT_MS = 5_000
HEARTBEAT_TIMEOUT_MS = 120_000
HANDSHAKE_MS = 5_000
#: Below this a copy is cheaper than keeping track of the buffer.
_COPY_THRESHOLD = 65_536


def harden(socket: zmq.Socket[bytes], limits: Limits) -> None:
    """The options that both ends of every connection have."""
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.HEARTBEAT_IVL, HEARTBEAT_MS)
    socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS)
    socket.setsockopt(zmq.HEARTBEAT_TTL, HEARTBEAT_TIMEOUT_MS)
    socket.setsockopt(zmq.HANDSHAKE_IVL, HANDSHAKE_MS)
    socket.setsockopt(zmq.MAXMSGSIZE, limits.buffer_bytes)
    socket.copy_threshold = _COPY_THRESHOLD


class Link:
    """A DEALER socket under CURVE.  To be used by one thread.

    ``lost`` is ``""`` until the connection is known to be gone, then a reason for the log.
    """

    def __init__(
        self, context: zmq.Context[zmq.Socket[bytes]], connection: Connection, limits: Limits = LIMITS
    ) -> None:
        self.connection = connection
        self.limits = limits
        self.lost = ""
        self.heard = self.opened = time.monotonic()
        self._socket = context.socket(zmq.DEALER)
        harden(self._socket, limits)
        self._socket.setsockopt(zmq.RECONNECT_IVL, -1)
        self._socket.setsockopt(zmq.IMMEDIATE, 1)
        self._socket.setsockopt(zmq.SNDHWM, 256)
        self._socket.setsockopt(zmq.RCVHWM, 256)
        self._socket.curve_serverkey = connection.server_key.encode("ascii")
        self._socket.curve_publickey = connection.client.public.encode("ascii")
        self._socket.curve_secretkey = connection.client.secret.encode("ascii")
        news = (
            zmq.EVENT_HANDSHAKE_SUCCEEDED  # wakes the poll, so that what waits can be sent
            | zmq.EVENT_DISCONNECTED
            | zmq.EVENT_CLOSED
            | zmq.EVENT_CONNECT_RETRIED
            | zmq.EVENT_HANDSHAKE_FAILED_AUTH
            | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
            | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
        )
        self._monitor = self._socket.get_monitor_socket(news)
        self._monitor.setsockopt(zmq.LINGER, 0)
        self._poller = zmq.Poller()
        self._poller.register(self._socket, zmq.POLLIN)
        self._poller.register(self._monitor, zmq.POLLIN)
        try:
            self._socket.connect(connection.endpoint)
        except zmq.ZMQError as error:
            self.lost = f"connect: {error.strerror}"

    def send(self, message: Message) -> bool:
        """Hand a message over; false if it has to be tried again later (or the link is lost).

        :raises FrameError: the message breaks a limit.
        """
        frames = encode(message, self.limits)
        if self.lost:
            return False
        try:
            self._socket.send_multipart(frames, flags=zmq.NOBLOCK, copy=False)
        except zmq.Again:
            return False
        except zmq.ZMQError as error:
            self.lost = f"send: {error.strerror}"
            return False
        return True

    def receive(self, timeout_s: float = 0.0, most: int = 64) -> list[Message]:
        """The messages that are there; waits for the first one at most that long.

        A message that breaks the framing is a broken backend: the link is lost then.
        """
        if self.lost:
            return []
        messages: list[Message] = []
        ready = dict(self._poller.poll(max(0, int(timeout_s * 1000))))
        # Before the monitor: a backend that answers and ends has still answered.
        if self._socket in ready:
            while len(messages) < most:
                try:
                    frames = self._socket.recv_multipart(flags=zmq.NOBLOCK, copy=False)
                except zmq.Again:
                    break
                self.heard = time.monotonic()
                try:
                    messages.append(decode([frame.buffer for frame in frames], self.limits))
                except ScumbleError as error:
                    self.lost = f"decode: {error.message}"
                    return messages
        elif self._monitor in ready:
            event = recv_monitor_message(self._monitor, zmq.NOBLOCK)["event"]
            if event != zmq.EVENT_HANDSHAKE_SUCCEEDED:
                self.lost = str(zmq.Event(event).name).lower()
        return messages

    def close(self) -> None:
        """Close at once; what was not sent is dropped."""
        self.lost = self.lost or "closed"
        try:
            self._socket.disable_monitor()
        except zmq.ZMQError:
            pass
        self._monitor.close(linger=0)
        self._socket.close(linger=0)
