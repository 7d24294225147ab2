"""The I/O thread: one ROUTER socket under CURVE, its gate, and the loop that serves them.

Everything that arrives is answered from here within milliseconds, whatever the worker does: the loop
waits for sockets and for nothing else.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Iterable

import zmq
from zmq.constants import SocketOption

from scumble.shared.codec import failed_message
from scumble.shared.connection import KeyPair
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.framing import NO_ID, FrameError, Message, decode, encode
from scumble.shared.link import harden

from .auth import DOMAIN, Gate
from .catalogue import Catalogue, ModelsDone, ModelsTold
from .options import ServerOptions
from .post import Sent
from .service import Service
from .worker import Factory, Report, Worker

log = logging.getLogger(__name__)
_TICK_MS = 100
#: Messages read in a row before the worker's reports and the clock get their turn.
_BATCH = 32


class Server:
    """A backend server; :meth:`bind`, then :meth:`run` until something ends it.

    :param factory: makes the session, in the worker thread, after the socket is bound.
    :param clients: public keys that may connect, as Z85 text.
    :param server: the server's own key pair; a fresh one by default.
    :param owner: the client key that may also end the server and remove models; ``""`` for all.
    """

    def __init__(
        self,
        factory: Factory,
        clients: Iterable[str],
        *,
        server: KeyPair | None = None,
        options: ServerOptions | None = None,
        version: str = "",
        owner: str = "",
    ) -> None:
        self.options = options or ServerOptions()
        self.keys = server or KeyPair.new()
        self.endpoint = ""
        self.ended_by = ""
        self._reports: deque[Report | ModelsTold | ModelsDone] = deque()
        # Two threads for ZeroMQ: encrypting one client's large layer must not hold up the others.
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context(io_threads=2)
        self._context.setsockopt(SocketOption.LINGER, 0)
        self._gate = Gate(self._context, clients)
        self._front = self._context.socket(zmq.ROUTER)
        self._wake_in = self._context.socket(zmq.PULL)
        self._wake_in.bind("inproc://scumble.wake")
        self._wake_out = self._context.socket(zmq.PUSH)
        self._wake_out.connect("inproc://scumble.wake")
        self._wake_lock = threading.Lock()
        self._stop = threading.Event()
        self._worker = Worker(factory, self._post)
        self.service = Service(
            self.options, version, self._send, self._worker.give, Catalogue(self._post), owner
        )

    def bind(self) -> str:
        """Listen; the endpoint.  Raises ``no_backend`` if the address cannot be had."""
        front = self._front
        harden(front, self.options.limits)
        front.setsockopt(zmq.ROUTER_MANDATORY, 1)  # say so when a client is gone or does not read
        front.setsockopt(zmq.SNDHWM, 64)
        front.setsockopt(zmq.RCVHWM, 64)
        front.setsockopt(zmq.BACKLOG, 512)
        front.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)
        front.setsockopt(zmq.ZAP_DOMAIN, DOMAIN)
        front.curve_server = True
        front.curve_publickey = self.keys.public.encode("ascii")
        front.curve_secretkey = self.keys.secret.encode("ascii")
        try:
            front.bind(self.options.bind)
        except zmq.ZMQError as error:
            raise ScumbleError(
                Code.NO_BACKEND,
                f"The backend cannot listen on {self.options.bind} ({error.strerror}).",
                "Choose another address or port.",
            ) from error
        self.endpoint = front.getsockopt_string(zmq.LAST_ENDPOINT)
        return self.endpoint

    def run(self) -> None:
        """Serve until :meth:`stop`, ``shutdown`` or idleness; ``ended_by`` says which."""
        self._worker.start()
        poller = zmq.Poller()
        for socket in (self._front, self._gate.socket, self._wake_in):
            poller.register(socket, zmq.POLLIN)
        ticked, ending = 0.0, 0.0
        try:
            while True:
                ready = dict(poller.poll(_TICK_MS))
                if self._gate.socket in ready:
                    self._gate.serve()
                if self._front in ready:
                    self._read()
                if self._wake_in in ready:
                    self._drain_wakes()
                while self._reports:
                    self.service.report(self._reports.popleft())
                now = time.monotonic()
                if now - ticked >= _TICK_MS / 1000:
                    ticked = now
                    self.service.tick(now)
                    if self.service.idle(now) and not self.service.stopping:
                        self.ended_by = "idle"
                        self.service.stop()
                if self._stop.is_set() and not self.service.stopping:
                    self.ended_by = "signal"
                    self.service.stop()
                if self.service.stopping:
                    self.ended_by = self.ended_by or "shutdown"
                    ending = ending or now
                    if self.service.settled or now - ending > self.options.grace_s:
                        break
        finally:
            self._close()

    def stop(self) -> None:
        """End :meth:`run`; safe from any thread and from a signal handler."""
        # Nothing else: a signal handler may have interrupted whoever holds the lock of the wake-up.
        self._stop.set()

    def _post(self, report: Report | ModelsTold | ModelsDone) -> None:
        """Called by the other threads."""
        self._reports.append(report)
        # Full: it is awake anyway.  Closed: there is nobody to wake.
        with self._wake_lock, contextlib.suppress(zmq.ZMQError):
            self._wake_out.send(b"", zmq.NOBLOCK)

    def _drain_wakes(self) -> None:
        while True:
            try:
                self._wake_in.recv(zmq.NOBLOCK)
            except zmq.Again:
                return

    def _read(self) -> None:
        limits = self.options.limits
        for _ in range(_BATCH):
            frames: list[zmq.Frame] = []
            surplus = False
            while True:
                try:
                    frame = self._front.recv(zmq.NOBLOCK, copy=False)
                except zmq.Again:
                    return
                # What is too much is read and dropped at once, never collected.
                if len(frames) < limits.buffers + 4:
                    frames.append(frame)
                else:
                    surplus = True
                if not frame.more:
                    break
            peer = frames[0].bytes
            try:
                user = str(frames[-1].get("User-Id"))
                if surplus:
                    raise FrameError(Code.TOO_LARGE, f"A message has at most {limits.buffers} buffers.")
                message = decode([f.buffer for f in frames[1:]], limits)
            except FrameError as error:
                log.info("a malformed message was refused: %s", error.message)
                self._send(peer, failed_message(error, error.reply_to or NO_ID))
                continue
            except zmq.ZMQError:
                continue  # a peer that the gate did not name cannot have sent anything
            self.service.handle(peer, user, message)

    def _send(self, peer: bytes, message: Message) -> Sent:
        try:
            frames = encode(message, self.options.limits)
        except FrameError as error:
            log.error("an answer (%s) breaks the limits: %s", message.type, error.message)
            told = ScumbleError(Code.TOO_LARGE, "The answer is too large to be sent.")
            frames = encode(failed_message(told, message.id))
        try:
            self._front.send_multipart([peer, *frames], zmq.NOBLOCK, copy=False)
        except zmq.Again:
            return "full"
        except zmq.ZMQError as error:
            if error.errno != zmq.EHOSTUNREACH:
                log.warning("sending failed: %s", error.strerror)
            return "gone"
        return "sent"

    def _close(self) -> None:
        self._worker.give(None)
        # The last answers ("ending", the result of shutdown) get a moment to leave.
        self._front.close(linger=500)
        self._gate.close()
        self._wake_in.close(linger=0)
        with self._wake_lock:
            self._wake_out.close(linger=0)
        # term() waits for the linger and for the sockets; it is bounded by both.
        self._context.term()
        log.info("ended by %s (pid %d)", self.ended_by, os.getpid())
