"""Where weights lie on this machine, and whether they are what they should be.

One folder is ours to write (``SCUMBLE_MODELS_DIR``, or the system's place for a user's data).
More folders can be searched (``SCUMBLE_MODELS_PATH``, separated like ``PATH``), so that weights
that are on disk already, or on a studio's share, need no second copy; those are never written.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import platformdirs

from scumble.shared.errors import Code, ScumbleError

#: Called with (stage, done, of), in bytes.
Progress = Callable[[str, int, int], None]

#: Room that must remain on the disk after a download.
SPARE_BYTES = 64 << 20
_BLOCK = 1 << 20
_VERIFIED = "verified.json"
_lock = threading.Lock()


def no_progress(stage: str, done: int, of: int) -> None:
    """A progress callback that nobody looks at."""


def models_folder() -> Path:
    """The folder that fetched and imported weights go to; need not exist yet."""
    chosen = os.environ.get("SCUMBLE_MODELS_DIR", "").strip()
    if chosen:
        return Path(chosen).expanduser()
    return Path(platformdirs.user_data_dir("scumble", appauthor=False)) / "models"


def search_folders() -> tuple[Path, ...]:
    """All folders to look in, our own first."""
    more = os.environ.get("SCUMBLE_MODELS_PATH", "").split(os.pathsep)
    return (models_folder(), *(Path(m.strip()).expanduser() for m in more if m.strip()))


def find(name: str) -> list[Path]:
    """All files of that name in the folders to look in, our own first, whatever they hold."""
    found = []
    for folder in search_folders():
        with contextlib.suppress(OSError):  # a share that is off-line is no reason to fail
            if (folder / name).is_file():
                found.append(folder / name)
    return found


def cancelled_error() -> ScumbleError:
    """What a cancelled fetch or import raises."""
    return ScumbleError(Code.CANCELLED, "Cancelled.", "What was downloaded so far is kept for the next time.")


def disk_error(error: OSError) -> ScumbleError:
    """A failure to write, in words."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ScumbleError(
            Code.DISK,
            "The disk is full.",
            "Free some space, or choose another folder with SCUMBLE_MODELS_DIR.",
        )
    return ScumbleError(
        Code.DISK,
        "The folder for models cannot be written.",
        "Check its permissions, or choose another folder with SCUMBLE_MODELS_DIR.",
    )


def make_folder(folder: Path) -> Path:
    """Create a folder; raises ``disk`` with a hint when that is not possible."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_error(error) from error
    return folder


def check_room(folder: Path, needed: int) -> None:
    """Raise ``disk`` before a byte is written if the file would not fit."""
    free = shutil.disk_usage(folder).free
    if free < needed + SPARE_BYTES:
        raise ScumbleError(
            Code.DISK,
            f"There is not enough room on the disk: {needed / 1e6:.0f} MB are needed, "
            f"{free / 1e6:.0f} MB are free.",
            "Free some space, or choose another folder with SCUMBLE_MODELS_DIR.",
        )


def sha256_of(path: Path, progress: Progress = no_progress, cancelled: threading.Event | None = None) -> str:
    """Hash a file without reading it into memory at once; raises ``cancelled`` when asked to stop."""
    digest, done, size = hashlib.sha256(), 0, path.stat().st_size
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            if cancelled is not None and cancelled.is_set():
                raise cancelled_error()
            digest.update(block)
            done += len(block)
            progress("verify", done, size)
    return digest.hexdigest()


def move_into_place(partial: Path, target: Path) -> None:
    """Rename, with patience: virus scanners hold fresh files for a moment."""
    for attempt in range(6):
        try:
            os.replace(partial, target)
            return
        except PermissionError as error:
            if attempt == 5:
                raise disk_error(error) from error
            time.sleep(0.1 * 2**attempt)


def _try_lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@contextlib.contextmanager
def exclusive(folder: Path, name: str, cancelled: threading.Event | None = None) -> Iterator[None]:
    """Hold a file's lock among threads and processes; the system frees it if its holder dies.

    The backend and a command line may be asked for the same model at once, and must not write into
    one partial file.
    """
    place = make_folder(folder / "locks")
    try:
        lock = (place / name).open("ab")
    except OSError as error:
        raise disk_error(error) from error
    with lock:
        while not _try_lock(lock.fileno()):
            if cancelled is not None and cancelled.is_set():
                raise cancelled_error()
            time.sleep(0.05)
        yield


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file; empty if it is missing or damaged."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write a JSON object so that a reader sees the old one or the new one, never half of one."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        partial.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n", "utf-8")
        move_into_place(partial, path)
    except OSError as error:
        raise disk_error(error) from error


def digest_of(path: Path) -> str:
    """SHA-256 of an installed file, remembered until its size or time changes.

    Hashing gigabytes for every list would take seconds; what was verified once is noted in our own
    folder, for files of the other folders as well.
    """
    stat = path.stat()
    stamp = [stat.st_size, stat.st_mtime_ns]
    notes = models_folder() / _VERIFIED
    with _lock:
        known = read_json(notes).get(str(path))
    if isinstance(known, dict) and known.get("stamp") == stamp and isinstance(known.get("sha256"), str):
        return str(known["sha256"])
    digest = sha256_of(path)
    remember(path, digest)
    return digest


def remember(path: Path, digest: str) -> None:
    """Note that a file was just hashed; a note that cannot be written costs time, nothing else."""
    stat = path.stat()
    notes = models_folder() / _VERIFIED
    with _lock, contextlib.suppress(OSError, ScumbleError):
        notes.parent.mkdir(parents=True, exist_ok=True)
        known = {k: v for k, v in read_json(notes).items() if Path(k).exists()}
        known[str(path)] = {"stamp": [stat.st_size, stat.st_mtime_ns], "sha256": digest}
        write_json(notes, known)
