"""A thread that drives a session, for editors whose own thread must not even poll."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from .session import Change, JobSession

#: Longest waits for news while something is under way, and for commands while nothing is.
_BUSY_S, _IDLE_S = 0.02, 1.0

log = logging.getLogger(__name__)


class Worker(threading.Thread):
    """Ticks a session until :meth:`stop`, and closes it.

    :param changed: called in this thread with what has changed; a GUI passes it on to its own thread.
        It has to return soon.
    """

    def __init__(self, session: JobSession, changed: Callable[[tuple[Change, ...]], None]) -> None:
        # A daemon: an editor that quits must not hang on it.
        super().__init__(name="scumble-session", daemon=True)
        self.session = session
        self._changed = changed
        self._stop_asked = threading.Event()

    def run(self) -> None:
        """The thread's loop."""
        while not self._stop_asked.is_set():
            changes = self.session.tick(_BUSY_S if self.session.busy else 0.0)
            if changes:
                try:
                    self._changed(changes)
                except Exception:
                    # The docker's fault must not cost it the news that follow.
                    log.exception("a listener failed")
            if not self.session.busy:
                self.session.wait(_IDLE_S)
        self.session.close()

    def stop(self, timeout_s: float = 2.0) -> bool:
        """End it; whether it has ended in time."""
        self._stop_asked.set()
        self.session.wake()
        self.join(timeout_s)
        return not self.is_alive()
