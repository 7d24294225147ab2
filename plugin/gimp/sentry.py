"""Somebody to tell the backend when GIMP ends the plug-in.

GIMP's Cancel kills the plug-in's process: nothing of it runs any more, and the backend would go on
painting for a minute before it takes its client for dead.  So somebody else listens at a pipe, and if
that closes before "done" was said, cancels the job: the process that keeps others ready
(:mod:`.standby`), or, where there is none, another half of this one, which is split off before a job
starts.  Where processes cannot be split, or not safely (Windows, macOS), the backend finds out by itself.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable

from scumble.shared.framing import is_id

#: For the cancellation to be answered.
_PATIENCE_S = 5.0
#: For a process to end that has nothing left to do.
_MOMENT_S = 1.0


#: The pipe to the process that looks after this one, if there is one.
keeper = -1


class Sentry:
    """Stands by from now on, until :meth:`dismiss` or the end of this process.

    To be made before any thread is started.

    :param connect: makes a client for the backend that gets the job; called in the other process.
    """

    def __init__(self, connect: Callable[[], object]) -> None:
        self._pipe = keeper
        self._child = 0
        if keeper >= 0 or not sys.platform.startswith("linux"):
            return
        with contextlib.suppress(OSError):
            end, self._pipe = os.pipe()
            self._child = os.fork()
            if self._child == 0:
                _stand(end, connect)
            os.close(end)

    def watch(self, job: str) -> None:
        """This job is to be cancelled if this process ends; instead of an earlier one."""
        self._say(job)

    def dismiss(self) -> None:
        """All is well."""
        self._say("done")
        if self._child:
            os.close(self._pipe)
            self._pipe = -1
            with contextlib.suppress(OSError):
                self._bury()

    def _bury(self) -> None:
        """Wait for the other process, which has nothing left to do; not for one that hangs."""
        until = time.monotonic() + _MOMENT_S
        while os.waitpid(self._child, os.WNOHANG)[0] == 0:
            if time.monotonic() > until:
                os.kill(self._child, signal.SIGKILL)
                os.waitpid(self._child, 0)
                return
            time.sleep(0.002)

    def _say(self, word: str) -> None:
        if self._pipe >= 0:
            with contextlib.suppress(OSError):
                os.write(self._pipe, f"{word}\n".encode("ascii"))


def last_word(text: bytes) -> str:
    """The job that is to be cancelled after everything that was said, ``""`` for none."""
    said = text.decode("ascii", "replace").split("\n")
    complete = [word for word in said[:-1] if word]
    return complete[-1] if complete and complete[-1] != "done" and is_id(complete[-1]) else ""


def cancel(job: str, connect: Callable[[], object]) -> None:
    """Cancel a job from outside of the session that started it."""
    from scumble.shared.client import Client

    client = connect()
    if not isinstance(client, Client):
        return
    with client:
        client.request("cancel", {"job": job})
        until = time.monotonic() + _PATIENCE_S
        while client.outstanding and time.monotonic() < until:
            client.poll(0.1)


def _stand(end: int, connect: Callable[[], object]) -> None:
    """The other process: it never returns, and holds nothing of GIMP's open."""
    try:
        os.setsid()  # GIMP kills the plug-in's whole group
        nothing = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(nothing, standard)
        keep = os.dup2(end, 3) if end != 3 else 3
        os.closerange(4, os.sysconf("SC_OPEN_MAX") if os.sysconf("SC_OPEN_MAX") < 1 << 16 else 1 << 16)
        heard = b""
        while chunk := os.read(keep, 4096):
            heard = (heard + chunk)[-4096:]
        job = last_word(heard)
        if job:
            cancel(job, connect)
    except BaseException:
        os._exit(1)
    os._exit(0)
