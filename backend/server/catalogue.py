"""The ``models`` messages: a thread of their own, because a download must hold up neither the I/O
thread nor a job on the device.  Pictures of the gallery are read beside it, each in a short-lived one."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from scumble.shared.codec import attached, failed_message
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.framing import Message

from .jobs import JobKey, SessionKey
from .worker import safe

log = logging.getLogger(__name__)
#: Of one server; more is a client gone wild.
_MOST_WAITING = 64
#: What a request for a style's picture is called in here; least and largest side of one.
PICTURE = "picture"
PICTURE_SIDES = (16, 2048)


@dataclass(frozen=True)
class ModelsTold:
    """Progress of one request."""

    session: SessionKey
    message: Message


@dataclass(frozen=True)
class ModelsDone:
    """The last answer to one request; ``changed`` if other models are there now."""

    session: SessionKey
    message: Message
    changed: bool


@dataclass(eq=False)
class _Task:
    key: JobKey
    session: SessionKey
    action: str
    model: str
    side: int = 0
    cancelled: threading.Event = field(default_factory=threading.Event)


class Catalogue:
    """Runs ``list``, ``fetch`` and ``remove`` one after the other and posts what comes of them."""

    def __init__(self, post: Callable[[ModelsTold | ModelsDone], None]) -> None:
        self._post = post
        self._tasks: dict[JobKey, _Task] = {}
        self._queue: queue.SimpleQueue[_Task] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    @property
    def busy(self) -> bool:
        """Whether something waits or runs."""
        return bool(self._tasks)

    def submit(self, key: JobKey, session: SessionKey, action: str, model: str) -> None:
        """Take a request.

        :raises ScumbleError: ``bad_request`` for an unknown action, ``busy`` if too many wait.
        """
        if action not in ("list", "fetch", "remove") or (action != "list" and not model):
            raise ScumbleError(
                Code.BAD_REQUEST,
                "This cannot be done with models.",
                "The actions are list, fetch and remove; the last two name a model.",
            )
        task = _Task(key, session, action, model)
        if not self._accept(task):
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="scumble-models", daemon=True)
            self._thread.start()
        self._queue.put(task)

    def picture(self, key: JobKey, session: SessionKey, style: str, side: int) -> None:
        """Take a request for a style's picture, at most ``side`` pixels long.

        :raises ScumbleError: ``busy`` if too many wait.
        """
        task = _Task(key, session, PICTURE, style, side)
        if self._accept(task):
            threading.Thread(target=self._finish, args=(task,), name="scumble-picture", daemon=True).start()

    def _accept(self, task: _Task) -> bool:
        with self._lock:
            if task.key in self._tasks:
                return False  # the same request again, by a client that reconnected
            if len(self._tasks) >= _MOST_WAITING:
                raise ScumbleError(Code.BUSY, "Too many requests are waiting.", retry=True)
            self._tasks[task.key] = task
        return True

    def cancel(self, key: JobKey) -> bool:
        """Stop a request; whether there was one."""
        with self._lock:
            task = self._tasks.get(key)
        if task is None:
            return False
        task.cancelled.set()
        return True

    def stop(self) -> None:
        """Stop all of them."""
        with self._lock:
            for task in self._tasks.values():
                task.cancelled.set()

    def _run(self) -> None:
        while True:
            self._finish(self._queue.get())

    def _finish(self, task: _Task) -> None:
        name = task.key[1]
        try:
            message = attached("result", name, self._do(task))
            changed = task.action not in ("list", PICTURE)
        except Exception as error:
            changed = False
            if task.cancelled.is_set():
                message = Message("cancelled", name)
            else:
                if not isinstance(error, ScumbleError):
                    log.exception("models %s failed", task.action)
                message = failed_message(safe(error), name)
        with self._lock:
            del self._tasks[task.key]
        self._post(ModelsDone(task.session, message, changed))

    def _do(self, task: _Task) -> Any:
        if task.cancelled.is_set():
            raise ScumbleError(Code.CANCELLED, "Cancelled.")
        if task.action == PICTURE:
            from scumble.backend import describe

            return describe.picture(task.model, task.side)
        from scumble.backend.models import catalogue

        if task.action == "list":
            return {"models": [entry.as_dict() for entry in catalogue.listing()]}
        if task.action == "remove":
            return {"freed": catalogue.remove(task.model)}
        from scumble.backend.models import fetch

        told = [-1]

        def progress(stage: str, done: int, of: int) -> None:
            percent = 100 * done // of if of else 0
            if percent != told[0]:
                told[0] = percent
                body = {"stage": stage, "done": int(done), "of": int(of)}
                self._post(ModelsTold(task.session, Message("progress", task.key[1], body)))

        fetch.fetch(task.model, progress, task.cancelled)
        return {"model": task.model}
