"""The way to the backend: this machine's own, started when needed, or one on another machine."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from scumble.shared import launch, paths
from scumble.shared.client import Client, Policy
from scumble.shared.connection import Connection, read_connection
from scumble.shared.errors import Code, ScumbleError

_ADDRESS = re.compile(r"(?:tcp://)?(?P<host>\[[0-9A-Fa-f:.%]+\]|[^\s/:\[\]]+):(?P<port>[0-9]{1,5})/?\Z")


@dataclass(frozen=True)
class Remote:
    """A backend on another machine.

    :param address: ``host:port``; ``""`` for the one that the key file names.
    :param key_file: the connection file that whoever runs the backend gave to this user; it holds the
        keys.
    :param enabled: whether it is used.
    """

    address: str = ""
    key_file: str = ""
    enabled: bool = False


def endpoint(address: str) -> str:
    """An address as people write it, as ZeroMQ wants it; raises ``bad_request``."""
    found = _ADDRESS.match(address.strip())
    if found is None or not 1 <= int(found["port"]) <= 65535:
        raise ScumbleError(
            Code.BAD_REQUEST,
            "The backend's address cannot be understood.",
            "Write it as name:port or number:port, such as studio.local:5599.",
        )
    return f"tcp://{found['host']}:{found['port']}"


def remote_connection(remote: Remote) -> Connection:
    """The connection to a backend elsewhere; read anew each time.

    :raises ScumbleError: ``no_backend`` with what is wrong with the key file, ``bad_request`` for an
        address that is none.
    """

    def refuse(message: str, hint: str) -> ScumbleError:
        return ScumbleError(Code.NO_BACKEND, message, hint)

    if not remote.key_file:
        raise refuse(
            "There is no key file for the backend on another machine.",
            "Choose the connection file that you were given, in Scumble's settings.",
        )
    file = Path(remote.key_file).expanduser()
    if not file.is_file():
        raise refuse(
            "The key file for the backend on another machine is not there.",
            "Choose it again in Scumble's settings.",
        )
    if not paths.is_private(file):
        raise refuse(
            "Other users can read the key file, so it is not used.",
            "Make it readable by you alone (chmod 600), and no link.",
        )
    try:
        connection = read_connection(file)
    except ScumbleError:
        raise refuse(
            "The key file for the backend on another machine cannot be read.",
            "Ask for a new one, and choose it in Scumble's settings.",
        ) from None
    return replace(connection, endpoint=endpoint(remote.address)) if remote.address else connection


def connector(
    remote: Remote | None,
    name: str,
    version: str = "",
    *,
    python: str | os.PathLike[str] | None = None,
    idle_minutes: float | None = None,
    policy: Policy | None = None,
) -> Callable[[], Client]:
    """For :class:`~.session.JobSession`: makes the client for these settings.

    :param name: the editor's, for the backend's log.
    :param python: the one that has the backend; by default the one that the installer wrote down.
    :param idle_minutes: after which a backend that is started here ends itself; 0 for never, by default
        its own 30.
    """
    if remote is not None and remote.enabled:
        return lambda: Client(
            name=name, version=version, find=lambda: remote_connection(remote), policy=policy
        )
    # SCUMBLE_CONNECTION names a backend elsewhere: starting one here would not help.
    elsewhere = bool(os.environ.get("SCUMBLE_CONNECTION"))
    arguments = [] if idle_minutes is None else ["--idle", f"{idle_minutes:g}"]
    start = None if elsewhere else launch.launcher(python, args=arguments)
    return lambda: Client(name=name, version=version, launch=start, policy=policy)
