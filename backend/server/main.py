"""``python -m scumble.backend.server``: one backend process, from its lock to its end."""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import logging
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType

from scumble.shared import paths
from scumble.shared.connection import (
    Connection,
    KeyPair,
    is_key,
    lock_path,
    remove_connection,
    write_connection,
)
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.launch import log_path
from scumble.shared.lock import FileLock

from .. import allocator
from . import logs
from .front import Server
from .options import ServerOptions
from .preload import preload_torch
from .worker import Factory, SessionLike

log = logging.getLogger(__name__)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m scumble.backend.server", description="The backend of Scumble."
    )
    parser.add_argument("--bind", default=ServerOptions.bind, help="where to listen (default: %(default)s)")
    parser.add_argument(
        "--authorized",
        type=Path,
        help="file with one client's public key a line; needed to listen beyond this machine",
    )
    parser.add_argument(
        "--secret", type=Path, help="file with the server's secret key, so that its public key stays the same"
    )
    parser.add_argument(
        "--idle",
        type=float,
        default=ServerOptions.idle_s / 60,
        metavar="MINUTES",
        help="end after so long without work; 0 for never (default: %(default)g)",
    )
    parser.add_argument("--device", help="where to compute: cpu, cuda, ... (default: the best there is)")
    parser.add_argument("--verbose", action="store_true", help="log more")
    return parser.parse_args(argv)


def session_factory(device: str | None) -> Factory:
    """Makes the real session; torch is imported when it is called, not before."""

    def make() -> SessionLike:
        allocator.keep_freed_memory()
        preload_torch()
        from scumble.backend.session import Session

        return Session(device)

    return make


def main(argv: Sequence[str] | None = None, factory: Factory | None = None, **more: float) -> int:
    """Run a backend; 0 when it ended as it should or another one runs already, 1 with a sentence if not.

    :param factory: another session than the real one, for tests.
    :param more: fields of :class:`ServerOptions` in place of their defaults, for tests.
    """
    args = _arguments(argv)
    try:
        runtime = paths.private_folder(paths.runtime_folder())
        paths.private_folder(paths.state_folder())
        lock = FileLock(lock_path())
        # A little patience: a client that looks whether the lock is held holds it for an instant itself.
        # Not more, or one that lost the race would step in for a backend that was just stopped.
        if not lock.acquire(patience_s=0.25):
            print("Another Scumble backend runs already.", file=sys.stderr)
            return 0
        try:
            return _serve(args, runtime, factory or session_factory(args.device), more)
        finally:
            lock.release()
    except ScumbleError as error:
        log.error("%s", error)
        print(f"{error.message}\n{error.hint}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"The backend's files cannot be written: {error.strerror}", file=sys.stderr)
        return 1


def _serve(args: argparse.Namespace, runtime: Path, factory: Factory, more: dict[str, float]) -> int:
    handler = logs.to_file(log_path(), verbose=args.verbose)
    if sys.stderr is not None:
        faulthandler.enable()
    _raise_file_limit()
    # Not connection_path(): SCUMBLE_CONNECTION is for clients, and names another machine's backend.
    file = runtime / "connection.json"
    # From a backend that was killed: nobody must try to talk to its port.
    file.unlink(missing_ok=True)
    options = replace(ServerOptions(bind=args.bind, idle_s=args.idle * 60), **more)  # type: ignore[arg-type]
    client = KeyPair.new()
    allowed = [client.public, *_authorized(args.authorized, args.bind)]
    server = Server(
        factory,
        allowed,
        server=_secret(args.secret),
        options=options,
        version=_version(),
        owner=client.public,
    )
    server.bind()

    def end(number: int, frame: FrameType | None) -> None:
        server.stop()

    for name in ("SIGTERM", "SIGINT", "SIGBREAK", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), end)
    endpoint = server.endpoint.replace("0.0.0.0", "127.0.0.1").replace("[::]", "[::1]")
    connection = Connection(
        endpoint, server.keys.public, client, os.getpid(), time.time(), version=_version()
    )
    write_connection(connection, file)
    log.info("listening on %s (pid %d)", server.endpoint, os.getpid())
    try:
        server.run()
    finally:
        remove_connection(file, os.getpid())
        if handler is not None:
            handler.flush()
    return 0


def _authorized(file: Path | None, bind: str) -> list[str]:
    local = bind.startswith(("tcp://127.", "tcp://localhost:", "tcp://[::1]:", "ipc://"))
    if file is None:
        if local:
            return []
        raise ScumbleError(
            Code.BAD_REQUEST,
            "Listening beyond this machine needs a list of clients' keys.",
            "Give --authorized FILE with one public key a line.",
        )
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise ScumbleError(Code.FILE_UNREADABLE, "The list of clients' keys cannot be read.") from None
    keys = []
    for line in lines:
        word = (line.split() or [""])[0]
        if is_key(word):  # first: a key may begin with '#'
            keys.append(word)
        elif word and not word.startswith("#"):
            raise ScumbleError(
                Code.BAD_REQUEST,
                "A line of the list of clients' keys is not a key.",
                "A public key has 40 characters; comments start with '#'.",
            )
    return keys


def _secret(file: Path | None) -> KeyPair | None:
    if file is None:
        return None
    try:
        if not paths.is_private(file):
            raise ScumbleError(
                Code.BAD_REQUEST,
                "Other users can read the file with the server's secret key.",
                "Make it readable by you alone (chmod 600).",
            )
        return KeyPair.of_secret(file.read_text("utf-8").strip())
    except (OSError, UnicodeDecodeError):
        raise ScumbleError(
            Code.FILE_UNREADABLE, "The file with the server's secret key cannot be read."
        ) from None


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("scumble")
    except PackageNotFoundError:
        return "0"


def _raise_file_limit() -> None:
    """Room for many connections at once, half-open ones of an attacker included."""
    try:
        import resource
    except ImportError:  # Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 8192 if hard == resource.RLIM_INFINITY else min(hard, 8192)
    if soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
