"""What each message means (``docs/protocol.md``, sections 6 to 8): the server without its sockets.

Runs in the I/O thread.  Nothing here waits for anything: what takes time goes to the worker.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

from scumble.shared import fields
from scumble.shared.codec import attached, failed_message, message_request
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.framing import PROTOCOLS, Message, is_id
from scumble.shared.segmenting import SegmentRequest, message_segment

from . import memory
from .catalogue import PICTURE_SIDES, Catalogue, ModelsDone, ModelsTold
from .clients import Clients, ClientSession
from .jobs import FairQueue, Job, JobTable, SessionKey, digest
from .options import ServerOptions
from .post import Post, Sent
from .worker import Broken, Done, Over, Ready, Report, Told

log = logging.getLogger(__name__)
#: Requests of one client that wait for the worker without being jobs.
_MOST_WAITING = 64


class Service:
    """See the module.

    :param send: hands a message to a connection; ``full`` if it has no room, ``gone`` if it is no more.
    :param give: hands a task to the worker.
    :param owner: the key whose user may end the server and change its models; ``""`` for everyone.
    """

    def __init__(
        self,
        options: ServerOptions,
        version: str,
        send: Callable[[bytes, Message], Sent],
        give: Callable[[Job | str], None],
        catalogue: Catalogue,
        owner: str = "",
    ) -> None:
        self.options = options
        self.version = version
        self.instance = os.urandom(16).hex()
        self.stopping = False
        self._send_to = send
        self._give = give
        self._catalogue = catalogue
        self._owner = owner
        self._clients = Clients(options.limits.sessions)
        self._post = Post(self._clients, send)
        self._queue = FairQueue()
        self._table = JobTable(options.keep_bytes, options.keep_s)
        self._state = "starting"
        self._error: ScumbleError | None = None
        self._description: Message | None = None
        self._running: Job | None = None
        self._chore = ""
        #: Who waits for which chore: ("describe" | "free_memory", session, message id).
        self._waiting: list[tuple[str, SessionKey, str]] = []
        self._started = self._active = time.monotonic()
        self._handlers: dict[str, Callable[[ClientSession, Message], None]] = {
            "describe": self._describe,
            "stylize": self._stylize,
            "segment": self._stylize,
            "cancel": self._cancel,
            "enough": self._enough,
            "release": self._release,
            "models": self._models,
            "picture": self._picture,
            "free_memory": self._free_memory,
            "shutdown": self._shutdown,
        }

    # -- what comes in -------------------------------------------------------------------------------

    def handle(self, peer: bytes, user: str, message: Message) -> None:
        """Answer a message, now or later; never raises."""
        now = time.monotonic()
        session = self._clients.of_peer(peer, user)
        if session is not None:
            session.heard = now
        if message.type == "ping":
            self._send_to(peer, Message("pong", message.id, self.condition(user)))
            return
        self._active = now
        try:
            if message.type == "hello":
                self._hello(peer, user, message)
                return
            handler = self._handlers.get(message.type)
            if handler is None:
                raise ScumbleError(Code.BAD_REQUEST, "This type of message is not known.")
            if session is None:
                raise ScumbleError(Code.NO_SESSION, "Say hello first.", retry=True)
            handler(session, message)
        except ScumbleError as error:
            self._send_to(peer, failed_message(error, message.id))
        except Exception:
            log.exception("a %s message could not be handled", message.type)
            internal = ScumbleError(Code.INTERNAL, "Something went wrong inside Scumble.")
            self._send_to(peer, failed_message(internal, message.id))

    def condition(self, user: str = "") -> dict[str, Any]:
        """The body of ``pong``."""
        running = self._running
        mine = running is not None and running.session[0] == user
        state = "busy" if running is not None and self._state == "ready" else self._state
        body: dict[str, Any] = {
            "state": "stopping" if self.stopping else state,
            "job": running.id if running is not None and mine else "",
            "queue": len(self._queue),
            "memory": {"available": memory.available_bytes(), "kept": self._table.kept_bytes},
            "clients": len(self._clients),
            "version": self.version,
            "pid": os.getpid(),
            "uptime_s": round(time.monotonic() - self._started, 1),
        }
        if self._error is not None:
            body["error"] = failed_message(self._error, "").body
        return body

    def _hello(self, peer: bytes, user: str, message: Message) -> None:
        body, now = message.body, time.monotonic()
        name = fields.text(body, "client", "", longest=64)
        token = fields.text(body, "session", longest=64)
        jobs = fields.sequence(body, "jobs", 256, [])
        spoken = [p for p in fields.sequence(body, "protocols", 16) if type(p) is int and p in PROTOCOLS]
        if not spoken:
            raise ScumbleError(
                Code.UNSUPPORTED_PROTOCOL,
                "Plugin and backend speak different versions of their protocol.",
                "Update Scumble's plugin and backend to the same version.",
            )
        # Routing ids that the system gave start with 0.  One that a peer chose could be another's, and
        # get what was meant for it.
        if not is_id(token) or not peer.startswith(b"\0"):
            raise ScumbleError(Code.BAD_REQUEST, "The session has no proper name.")
        busy = {job.session for job in self._table.active()}
        session = self._clients.greet(peer, (user, token), name, now, busy)
        found = [self._table.get((user, job)) for job in jobs if is_id(job)]
        known = [job for job in found if job is not None]
        log.info("client %r connected (%d in all)", name, len(self._clients))
        answer = {
            "server": "scumble",
            "version": self.version,
            "protocol": max(spoken),
            "session": token,
            "instance": self.instance,
            "state": self.condition(user)["state"],
            "jobs": [job.id for job in known],
        }
        self._post.answer(session, Message("welcome", message.id, answer))
        for job in known:
            self._attach(session, job)

    def _stylize(self, session: ClientSession, message: Message) -> None:
        key, limits = (session.key[0], message.id), self.options.limits
        known, mark = self._table.get(key), digest(message)
        if known is not None:
            if known.digest != mark:
                raise ScumbleError(Code.BAD_REQUEST, "This job's id was used for another request.")
            self._attach(session, known)
            return
        if self._table.was_released(key):
            raise ScumbleError(Code.UNKNOWN_JOB, "This job was done and its result was fetched.")
        if self.stopping:
            raise _ending()
        asked = message_segment(message, limits) if message.type == "segment" else None
        request = asked or message_request(message, limits)
        jobs, nbytes = self._queue.of(session.key)
        if jobs >= limits.queued_jobs or nbytes + message.nbytes > limits.queued_bytes:
            raise ScumbleError(
                Code.BUSY,
                "Too many jobs of this client are waiting.",
                "Wait until some of them are done.",
                retry=True,
            )
        job = Job(message.id, session.key, mark, message.nbytes, request, accepted_at=time.monotonic())
        self._table.add(job)
        self._queue.push(job)
        log.info(
            "job %s of %r: %s, %d x %d",
            job.id,
            session.name,
            f"selection ({request.mode})" if isinstance(request, SegmentRequest) else request.engine,
            request.layer.width,
            request.layer.height,
        )
        self._accepted(session, job)
        self._next()

    def _attach(self, session: ClientSession, job: Job) -> None:
        """The same job again: not run twice, but told to whoever asks for it now."""
        if job.session != session.key and job.state == "queued":
            self._queue.remove(job)
            job.session = session.key
            self._queue.push(job)
        job.session = session.key
        if job.final is not None:
            self._post.answer(session, job.final)
        else:
            self._accepted(session, job)

    def _accepted(self, session: ClientSession, job: Job) -> None:
        position = 0 if job.state == "running" else self._queue.position(job) + (self._running is not None)
        body = {"position": position, "state": self._state}
        self._post.answer(session, Message("accepted", job.id, body))

    def _cancel(self, session: ClientSession, message: Message) -> None:
        name = fields.text(message.body, "job", longest=64)
        job = self._table.get((session.key[0], name))
        if self._catalogue.cancel((session.key[0], name)):
            self._post.answer(session, Message("cancelling", message.id, {"job": name}))
            return
        if job is None or job.state == "finished":
            raise ScumbleError(Code.UNKNOWN_JOB, "There is no such job, or it is over.")
        job.cancelled.set()
        self._post.answer(session, Message("cancelling", message.id, {"job": name}))
        if job.state == "queued":
            self._queue.remove(job)
            self._finish(job, Message("cancelled", job.id))

    def _enough(self, session: ClientSession, message: Message) -> None:
        name = fields.text(message.body, "job", longest=64)
        job = self._table.get((session.key[0], name))
        if job is None or job.state == "finished":
            raise ScumbleError(Code.UNKNOWN_JOB, "There is no such job, or it is over.")
        job.enough.set()
        self._post.answer(session, Message("finishing", message.id, {"job": name}))

    def _release(self, session: ClientSession, message: Message) -> None:
        name = fields.text(message.body, "job", longest=64)
        if not self._table.release((session.key[0], name)):
            raise ScumbleError(Code.UNKNOWN_JOB, "There is no such job, or it is not over.")
        self._post.answer(session, Message("result", message.id))

    def _describe(self, session: ClientSession, message: Message) -> None:
        refresh = fields.boolean(message.body, "refresh", False)
        if self._description is not None and not refresh:
            self._post.answer(session, Message("description", message.id, *_content(self._description)))
            return
        self._wait("describe", session, message)
        if self._state == "starting":
            self._post.answer(
                session, Message("progress", message.id, {"stage": "starting", "done": 0, "of": 0})
            )

    def _free_memory(self, session: ClientSession, message: Message) -> None:
        self._wait("free_memory", session, message)

    def _wait(self, chore: str, session: ClientSession, message: Message) -> None:
        if sum(key == session.key for _, key, _ in self._waiting) >= _MOST_WAITING:
            raise ScumbleError(Code.BUSY, "Too many requests of this client are waiting.", retry=True)
        self._waiting.append((chore, session.key, message.id))
        self._next()

    def _models(self, session: ClientSession, message: Message) -> None:
        action = fields.text(message.body, "action", longest=20)
        model = fields.text(message.body, "model", "", longest=200)
        if action != "list":
            self._check_owner(session)
        self._catalogue.submit((session.key[0], message.id), session.key, action, model)

    def _picture(self, session: ClientSession, message: Message) -> None:
        style = fields.text(message.body, "style", longest=200)
        side = fields.integer(message.body, "side", 768, *PICTURE_SIDES)
        self._catalogue.picture((session.key[0], message.id), session.key, style, side)

    def _check_owner(self, session: ClientSession) -> None:
        if self._owner and session.key[0] != self._owner:
            raise ScumbleError(
                Code.BAD_REQUEST,
                "Only the user who runs this backend may do that.",
                "Ask whoever looks after the machine that it runs on.",
            )

    def _shutdown(self, session: ClientSession, message: Message) -> None:
        self._check_owner(session)
        log.info("shutdown asked for by %r", session.name)
        self._post.answer(session, Message("result", message.id))
        self.stop()

    # -- what the other threads say ------------------------------------------------------------------

    def report(self, report: Report | ModelsTold | ModelsDone) -> None:
        """Take a report of the worker or of the models' thread."""
        if isinstance(report, Told):
            self._post.tell(report.job.session, report.message)
        elif isinstance(report, Over):
            self._running = None
            self._finish(report.job, report.message)
        elif isinstance(report, Ready):
            self._state, self._error = "ready", None
            self._description = attached("description", "", report.description)
            if self._chore != "describe":
                self._settle("describe", None)
        elif isinstance(report, Broken):
            self._state, self._error = "failed", report.error
            self._settle("describe", report.error)
        elif isinstance(report, Done):
            self._chore = ""
            self._settle(report.name, report.error)
        elif isinstance(report, ModelsTold):
            self._post.tell(report.session, report.message)
        else:
            self._post.tell(report.session, report.message)
            self._active = time.monotonic()
            if report.changed:  # what describe says of the models is out of date
                self._waiting.append(("describe", ("", ""), ""))
        self._next()

    def _settle(self, chore: str, error: ScumbleError | None) -> None:
        """Answer all who wait for a chore."""
        waiting = [w for w in self._waiting if w[0] == chore]
        self._waiting = [w for w in self._waiting if w[0] != chore]
        for _, key, name in waiting:
            if error is not None:
                self._post.tell(key, failed_message(error, name))
            elif chore == "describe" and self._description is not None:
                self._post.tell(key, Message("description", name, *_content(self._description)))
            else:
                self._post.tell(key, Message("result", name))

    def _next(self) -> None:
        """Give the worker something to do if it has nothing: chores first, they are short."""
        if self._running is not None or self._chore or self._state == "starting":
            return
        if self._waiting:
            self._chore = self._waiting[0][0]
            self._give(self._chore)
            return
        job = None if self.stopping else self._queue.pop()
        if job is not None:
            job.state, job.started_at = "running", time.monotonic()
            self._running = job
            self._give(job)

    def _finish(self, job: Job, final: Message) -> None:
        self._active = now = time.monotonic()
        for gone in self._table.expire(now):
            log.info("result of job %s dropped", gone.id)
        self._table.finish(job, final, now)
        if job.abandoned:
            self._table.forget(job)  # if its client comes back after all, it may have it run again
        self._post.tell(job.session, final)

    # -- time ----------------------------------------------------------------------------------------

    def tick(self, now: float) -> None:
        """Look after what only time changes; called several times a second."""
        self._post.again()
        for job in self._table.active():
            owner = self._clients.of_key(job.session)
            if not job.abandoned and (owner is None or now - owner.heard > self.options.abandon_s):
                log.info("job %s is abandoned by its client", job.id)
                job.abandoned = True
                job.cancelled.set()
                if job.state == "queued":
                    self._queue.remove(job)
                    self._finish(job, Message("cancelled", job.id))
        self._table.expire(now)

    def idle(self, now: float) -> bool:
        """Whether the process may end itself: nothing to do for long enough."""
        working = self._running or self._chore or len(self._queue) or self._catalogue.busy
        return bool(self.options.idle_s) and not working and now - self._active > self.options.idle_s

    def stop(self) -> None:
        """Take nothing new, cancel what runs, fail what waits."""
        if self.stopping:
            return
        self.stopping = True
        self._catalogue.stop()
        for job in list(self._queue):
            self._queue.remove(job)
            self._finish(job, failed_message(_ending(), job.id))
        for _, key, name in self._waiting:
            self._post.tell(key, failed_message(_ending(), name))
        self._waiting.clear()
        if self._running is not None:
            self._running.cancelled.set()

    @property
    def settled(self) -> bool:
        """Whether nothing runs any more."""
        return self._running is None


def _content(message: Message) -> tuple[Mapping[str, Any], Any]:
    return message.body, message.buffers


def _ending() -> ScumbleError:
    return ScumbleError(Code.BACKEND_LOST, "The Scumble backend is ending.", "Try again.", retry=True)
