"""Starting, stopping and looking at the local backend, from an editor or a command line.

    start(python) -> Status        stop() -> Status        status() -> Status

are all that a command line needs; an editor gives :func:`launcher` to its
:class:`~scumble.shared.client.Client`, which never waits.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from . import events, paths
from .client import Client, Policy
from .connection import lock_path, read_connection
from .environment import scrubbed
from .errors import Code, ScumbleError
from .lock import holder, is_held

MODULE = "scumble.backend.server"
#: Written by the installer into the config folder: ``{"python": "/path/to/python"}``.
PYTHON_FILE = "backend.json"
_children: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True)
class Status:
    """How the backend is.

    :param state: ``stopped``, ``starting``, ``ready``, ``busy``, ``failed``, ``stopping``, or
        ``silent`` for a process that is there and does not answer.
    :param details: what ``pong`` said: queue length, running job, memory, uptime.
    """

    state: str
    pid: int = 0
    endpoint: str = ""
    version: str = ""
    log: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def running(self) -> bool:
        """Whether there is a backend."""
        return self.state != "stopped"

    def describe(self) -> dict[str, Any]:
        """As plain data for ``--json``."""
        return asdict(self)


def log_path() -> Path:
    """The backend's log (older ones beside it as ``.1``, ``.2``, ...)."""
    return paths.state_folder() / "backend.log"


def find_python(python: str | os.PathLike[str] | None = None) -> str:
    """The Python that has the backend: given, ``SCUMBLE_PYTHON``, or what the installer wrote.

    Never this process's own: inside an editor that is the editor's, or no Python at all.

    :raises ScumbleError: ``no_backend`` with what to do.
    """
    candidate = str(python or os.environ.get("SCUMBLE_PYTHON", ""))
    if not candidate:
        try:
            content = json.loads((paths.config_folder() / PYTHON_FILE).read_text("utf-8"))
            candidate = str(content["python"])
        except (OSError, ValueError, KeyError, TypeError):
            raise ScumbleError(
                Code.NO_BACKEND,
                "Scumble's backend is not installed for this user.",
                "Run the installer, or set SCUMBLE_PYTHON to the Python that has Scumble.",
            ) from None
    if not os.path.isfile(candidate):
        raise ScumbleError(
            Code.NO_BACKEND,
            "The Python that should run Scumble's backend is gone.",
            "Run the installer again, or set SCUMBLE_PYTHON to the Python that has Scumble.",
        )
    return candidate


class Process:
    """A backend process that was started and may or may not become *the* backend."""

    def __init__(
        self, process: subprocess.Popen[bytes], again: Callable[[], subprocess.Popen[bytes]] | None = None
    ) -> None:
        self.process = process
        self._again = again
        self._tries = 3

    def check(self) -> None:
        """Raise ``no_backend`` if it ended with an error (another one being faster is none).

        One that found the lock taken by somebody who only looked at it, as clients do, is started again.
        """
        if self.process.poll() == 0 and self._again is not None and not is_held(lock_path()):
            if not self._tries:
                raise ScumbleError(
                    Code.NO_BACKEND,
                    "The Scumble backend ended as soon as it was started.",
                    "Look at its log with: scumble backend status; or run: python3 -m installer doctor",
                    retry=True,
                )
            self._tries -= 1
            self.process = self._again()
        if self.process.poll():
            raise ScumbleError(
                Code.NO_BACKEND,
                f"The Scumble backend could not start (exit code {self.process.returncode}).",
                "Look at its log with: scumble backend status; or run: python3 -m installer doctor",
                retry=True,
            )


def spawn(python: str | os.PathLike[str] | None = None, *, args: Sequence[str] = ()) -> Process:
    """Start a backend process, detached from this one, and return at once.

    It has its own session, a clean environment, no inherited handles and the runtime folder as working
    directory, so that it neither dies with the editor nor keeps anything of it open.

    :raises ScumbleError: ``no_backend`` or ``disk``.
    """
    command = [find_python(python), "-m", MODULE, *args]
    runtime = paths.private_folder(paths.runtime_folder())
    state = paths.private_folder(paths.state_folder())
    _children[:] = [child for child in _children if child.poll() is None]  # no zombies
    more: dict[str, Any] = {}
    if sys.platform == "win32":
        more["creationflags"] = (
            subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP | 0x01000000
        )  # 0x01000000: CREATE_BREAKAWAY_FROM_JOB, or an editor's job object would end it
    else:
        more["start_new_session"] = True
    environment = scrubbed()
    # Where *this* process looks is where it has to write, whatever the scrubbing gave back.
    environment["SCUMBLE_RUNTIME_DIR"] = str(runtime)
    try:
        # What Python itself says when it cannot even start; the log proper is the backend's own.
        with open(state / "backend-start.log", "wb") as output:
            process = subprocess.Popen(
                command,
                env=environment,
                cwd=runtime,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                close_fds=True,
                **more,
            )
    except OSError as error:
        raise ScumbleError(
            Code.NO_BACKEND,
            f"The Scumble backend could not be started ({error.strerror}).",
            "Run the installer again, or set SCUMBLE_PYTHON to the Python that has Scumble.",
        ) from error
    _children.append(process)
    return Process(process, lambda: spawn(python, args=args).process)


def launcher(
    python: str | os.PathLike[str] | None = None, *, args: Sequence[str] = ()
) -> Callable[[], Process]:
    """For :class:`~scumble.shared.client.Client`: a function that starts the backend without waiting."""
    return lambda: spawn(python, args=args)


def status(timeout_s: float = 2.5) -> Status:
    """How the local backend is; never starts one, never raises for one that is not there."""
    held = is_held(lock_path())
    try:
        connection = read_connection()
    except ScumbleError:
        return Status("starting" if held else "stopped", log=str(log_path()))
    if connection.lock is not None and not held:
        return Status("stopped", log=str(log_path()))
    common: dict[str, Any] = {"pid": connection.pid, "endpoint": connection.endpoint, "log": str(log_path())}
    with Client(name="status", policy=Policy(connect_s=timeout_s, tries=1)) as client:
        client.ping()
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            for event in client.poll(0.1):
                if isinstance(event, events.Pong):
                    version = str(event.body.get("version", ""))
                    return Status(event.state, version=version, details=dict(event.body), **common)
                if isinstance(event, events.Failed):
                    until = 0.0
    return Status("silent" if is_held(lock_path()) or connection.lock is None else "stopped", **common)


def start(
    python: str | os.PathLike[str] | None = None,
    *,
    timeout_s: float = 30.0,
    args: Sequence[str] = (),
    until_ready: bool = False,
) -> Status:
    """Start the backend unless one runs, and wait until it answers.

    :param until_ready: wait also until its engines are loaded.
    :raises ScumbleError: ``no_backend`` if it does not come up.
    """
    until = time.monotonic() + timeout_s
    now = status()
    process = None if now.running else spawn(python, args=args)
    while now.state in ("stopped", "starting", "silent"):
        if process is not None:
            process.check()
        if now.state == "starting" and now.pid and not until_ready:
            return now
        if time.monotonic() > until:
            raise ScumbleError(
                Code.NO_BACKEND,
                "The Scumble backend did not start in time.",
                "Look at its log with: scumble backend status",
                retry=True,
            )
        time.sleep(0.05)
        now = status()
    return now


def stop(timeout_s: float = 10.0) -> Status:
    """End the backend: what runs is cancelled, what waits fails.  Nothing happens if none runs.

    :param timeout_s: for it to end by itself; after that its process is ended.
    :raises ScumbleError: ``timeout`` if it is still there even then.
    """
    until = time.monotonic() + timeout_s
    now = status(min(2.5, timeout_s))
    if not now.running:
        return now
    if os.environ.get("SCUMBLE_CONNECTION"):
        raise ScumbleError(
            Code.BAD_REQUEST,
            "The backend in use runs elsewhere and cannot be stopped from here.",
            "Unset SCUMBLE_CONNECTION to look after this machine's own backend.",
        )
    with Client(name="stop", policy=Policy(connect_s=min(2.5, timeout_s), tries=1)) as client:
        client.shutdown()
        while client.outstanding and time.monotonic() < until:
            client.poll(0.1)
    if not _gone(until):
        # Whoever holds the lock wrote its id there while holding it, so this hits no other process.
        pid = holder(lock_path())
        if pid is not None and pid != os.getpid():
            with contextlib.suppress(OSError):
                os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    if not _gone(time.monotonic() + 5.0):
        raise ScumbleError(
            Code.TIMEOUT,
            "The Scumble backend does not end.",
            "End its process by hand; scumble backend status shows its number.",
            retry=True,
        )
    return Status("stopped", log=str(log_path()))


def _gone(until: float) -> bool:
    """Whether the local backend has ended by then."""
    while is_held(lock_path()):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True
