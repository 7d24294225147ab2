"""A client that never waits: give it requests, call :meth:`Client.poll`, get events.

Made for a worker thread inside an editor, so nothing in here blocks longer than asked for, and nothing
raises because of what the backend does: everything arrives as an event.  It belongs to one thread.
Scripts use :class:`scumble.shared.blocking.BlockingClient`.

It finds the backend, starts it if it may, says hello, and when the connection is lost makes a new one
and sends again what was not answered, under the same ids, so that nothing runs twice
(``docs/protocol.md``, section 9).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import events
from .codec import attachment, message_error, message_result, request_message
from .connecting import Connecting, Policy, Starting, new_id
from .connection import Connection, read_connection
from .errors import Code, ScumbleError
from .events import Event
from .framing import Message, encode, is_id
from .limits import LIMITS, Limits
from .messages import StylizeRequest
from .segmenting import SegmentRequest, message_found, segment_message

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Client", "Policy", "Starting", "new_id"]

#: A backend does not forget a client sooner.
_FORGETFUL_S = 10.0
_SLOW_BYTES_A_SECOND = 10e6


@dataclass
class _Pending:
    """Something that has not had its last answer."""

    message: Message
    sent: bool = False
    #: The backend it was last sent to.
    instance: str = ""
    restarts: int = 0
    cancelled: bool = False


class Client(Connecting):
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
        super().__init__(name, version, session, find, launch, policy or Policy(), limits)
        self._pinged = 0.0
        self._pending: dict[str, _Pending] = {}
        self._cancels: dict[str, str] = {}

    # -- what can be asked ---------------------------------------------------------------------------

    @property
    def outstanding(self) -> tuple[str, ...]:
        """Ids that wait for their last event."""
        return tuple(self._pending)

    def stylize(self, request: StylizeRequest, job: str = "") -> str:
        """Send a job; its id.  The request's buffers must not change until it is over.

        :raises FrameError: ``too_large`` or ``bad_request``: it could never be sent.
        """
        return self._submit(request_message(request, job or new_id()))

    def segment(self, request: SegmentRequest, job: str = "") -> str:
        """Ask for selections; its id.  Progress and :class:`~.events.Found` follow.

        :raises FrameError: ``too_large`` or ``bad_request``: it could never be sent.
        """
        return self._submit(segment_message(request, job or new_id()))

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

    def picture(self, style: str, side: int = 768) -> str:
        """Ask for a style's picture of the gallery, at most so large; an :class:`~.events.Answer` follows."""
        return self._submit(Message("picture", new_id(), {"style": style, "side": side}))

    def free_memory(self) -> str:
        """Ask the backend to drop its caches."""
        return self._submit(Message("free_memory", new_id()))

    def shutdown(self) -> str:
        """Ask the backend to end; what runs is cancelled."""
        return self._submit(Message("shutdown", new_id()))

    def request(self, kind: str, body: Mapping[str, Any]) -> str:
        """Any other message of the protocol's table without buffers."""
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

    def enough(self, job: str) -> None:
        """Good enough: ask for what there is of a job so far, as its result.

        Engines that work in one go, and backends that do not know the message, go on as they were.
        """
        pending = self._pending.get(job)
        if pending is not None and pending.sent and self._state == "ready" and self._link is not None:
            self._link.send(Message("enough", new_id(), {"job": job}))

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

    # -- what becomes of the connection --------------------------------------------------------------

    def _awaited(self) -> list[str]:
        return [name for name, pending in self._pending.items() if pending.instance]

    def _travel_s(self) -> float:
        # There and back, at what a busy machine still encrypts.
        return 2 * sum(p.message.nbytes for p in self._pending.values()) / _SLOW_BYTES_A_SECOND

    def _welcomed(self, known: Sequence[str]) -> None:
        for job in known:
            if job in self._pending:  # no need to send its pixels again
                self._pending[job].sent = True
        self._flush()

    def _work(self, now: float) -> None:
        self._flush()
        self._beat(now)

    def _unsent(self) -> None:
        for pending in list(self._pending.values()):
            job = pending.message.id
            if pending.cancelled:
                self._end(events.Cancelled(job), job)
            elif pending.message.type == "shutdown" and pending.sent:
                self._end(events.Answer(job, "result", {}), job)
            pending.sent = False

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

    def _fail_all(self, error: ScumbleError) -> None:
        for job in list(self._pending):
            self._end(events.Failed(job, error), job)

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
                if pending.message.type in ("stylize", "segment"):
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
        except (TypeError, ValueError, OverflowError):
            nonsense = ScumbleError(Code.INTERNAL, "The backend gave an answer that makes no sense.")
            self._end(events.Failed(message.id, nonsense), message.id)

    def _answer(self, message: Message) -> None:
        kind, body, name = message.type, message.body, message.id
        if kind == "result" and ("masks" in body or (message.buffers and "json" not in body)):
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
        if "masks" in message.body:
            self._end(events.Found(message.id, message_found(message)), message.id)
        else:
            self._end(events.Finished(message.id, message_result(message)), message.id)
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
