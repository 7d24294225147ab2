"""The connection file: how a client finds the backend and proves that it may talk to it.

``docs/protocol.md``, section 2.  The backend writes it when its socket is bound and removes it when it
ends.  It holds a secret, so it is readable by its user only, and one that is not is not believed.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path

import zmq

from . import paths
from .errors import Code, ScumbleError
from .lock import is_held

#: The version of the file's own format.
FORMAT = 1
#: A Z85 key as ZeroMQ prints it.
_KEY = re.compile(r"[0-9A-Za-z.\-:+=^!/*?&<>()\[\]{}@%$#]{40}\Z")
_ENDPOINT = re.compile(r"tcp://[^\s/]+:[0-9]{1,5}\Z|ipc://\S+\Z")


@dataclass(frozen=True)
class KeyPair:
    """A CURVE key pair, both halves as Z85 text of 40 characters."""

    public: str
    secret: str

    @classmethod
    def new(cls) -> KeyPair:
        """A fresh pair."""
        public, secret = zmq.curve_keypair()
        return cls(public.decode("ascii"), secret.decode("ascii"))

    @classmethod
    def of_secret(cls, secret: str) -> KeyPair:
        """The pair of a secret key; raises ``bad_request`` if it is not one."""
        if not is_key(secret):
            raise ScumbleError(Code.BAD_REQUEST, "This is not a secret key.")
        return cls(zmq.curve_public(secret.encode("ascii")).decode("ascii"), secret)

    def __repr__(self) -> str:
        return f"KeyPair(public={self.public!r})"  # a secret has no business in a log


def is_key(text: object) -> bool:
    """Whether this is a key in Z85."""
    return isinstance(text, str) and _KEY.match(text) is not None


@dataclass(frozen=True)
class Connection:
    """What a client needs to know.

    :param endpoint: where the backend listens.
    :param server_key: the backend's public key, pinned.
    :param client: the client's own key pair, which the backend admits.
    :param pid: the backend's process, 0 if it runs elsewhere.
    :param lock: the lock that a living local backend holds; ``None`` for one elsewhere.
    """

    endpoint: str
    server_key: str
    client: KeyPair
    pid: int = 0
    started: float = 0.0
    version: str = ""
    lock: Path | None = None

    def alive(self) -> bool:
        """Whether its backend still runs, as far as can be told without asking it."""
        return self.lock is None or is_held(self.lock)


def connection_path() -> Path:
    """The connection file: ``SCUMBLE_CONNECTION`` (a backend elsewhere), or the local backend's."""
    override = os.environ.get("SCUMBLE_CONNECTION", "")
    return Path(override).expanduser() if override else paths.runtime_folder() / "connection.json"


def lock_path() -> Path:
    """The lock file of the local backend."""
    return paths.runtime_folder() / "backend.lock"


def connection_text(connection: Connection) -> str:
    """What the file holds."""
    content = asdict(connection)
    del content["lock"]
    return json.dumps({"format": FORMAT, **content}, indent=1)


def write_connection(connection: Connection, file: Path) -> None:
    """Write the file, mode 0600, whole or not at all; raises ``disk``."""
    try:
        paths.write_private(file, connection_text(connection))
    except OSError as error:
        raise ScumbleError(
            Code.DISK,
            f"The connection file cannot be written ({error.strerror or 'no access'}).",
            "Make room on the disk, or set SCUMBLE_RUNTIME_DIR to another folder.",
        ) from error


def read_connection(file: Path | None = None) -> Connection:
    """The connection in a file, by default the one of :func:`connection_path`.

    :raises ScumbleError: ``no_backend`` if there is none, if it is broken, or if others can read it.
    """
    local = file is None and not os.environ.get("SCUMBLE_CONNECTION")
    file = connection_path() if file is None else file
    try:
        if not paths.is_private(file):
            raise ScumbleError(
                Code.NO_BACKEND,
                "Other users can read the backend's connection file, so it is not used.",
                "Delete it and start the backend again.",
            )
        if file.stat().st_size > 16_384:
            raise ValueError("too long")
        return _parse(file.read_text("utf-8"), lock_path() if local else None)
    except FileNotFoundError:
        raise ScumbleError(
            Code.NO_BACKEND,
            "The Scumble backend is not running.",
            "Start it with: scumble backend start",
            retry=True,
        ) from None
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        raise ScumbleError(
            Code.NO_BACKEND,
            "The backend's connection file cannot be read.",
            "Start the backend again: scumble backend stop, then scumble backend start",
            retry=True,
        ) from None


def _parse(text: str, lock: Path | None) -> Connection:
    content = json.loads(text)
    client = content["client"]
    connection = Connection(
        endpoint=content["endpoint"],
        server_key=content["server_key"],
        client=KeyPair(client["public"], client["secret"]),
        pid=int(content.get("pid", 0)),
        started=float(content.get("started", 0.0)),
        version=str(content.get("version", "")),
        lock=lock,
    )
    if content.get("format") != FORMAT or not _ENDPOINT.match(connection.endpoint):
        raise ValueError("format")
    if not all(is_key(key) for key in (connection.server_key, client["public"], client["secret"])):
        raise ValueError("key")
    return connection


def remove_connection(file: Path, pid: int) -> None:
    """Remove the file if it is still that process's own (another backend may have replaced it)."""
    try:
        if json.loads(file.read_text("utf-8")).get("pid") == pid:
            file.unlink()
    except (OSError, ValueError, AttributeError):
        return
