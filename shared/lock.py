"""A lock between processes that the operating system drops when its holder dies, however it dies.

The file itself stays: deleting it would let two processes each hold "the" lock on different files.
What it contains (the holder's process id) is for people; who holds it is known by the lock alone, so a
stale one cannot exist, whatever a crashed process left behind.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    # Far behind the content: Windows locks are mandatory, and the content has to stay readable.
    _OFFSET = 1 << 30

    def _lock(descriptor: int) -> bool:
        os.lseek(descriptor, _OFFSET, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, _OFFSET, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

    _probe = _lock

else:
    import fcntl

    def _lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)

    def _probe(descriptor: int) -> bool:
        # Shared: two processes that look at once do not take each other for the holder.
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


class FileLock:
    """An exclusive lock on a file.  Not shared with child processes (the descriptor is not inherited)."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._descriptor: int | None = None

    def acquire(self, patience_s: float = 0.0) -> bool:
        """Try, for that long.  Raises ``OSError`` if the file cannot be opened.

        :func:`is_held` looks by locking for an instant, so whoever must not take such a look for a
        holder has some patience.
        """
        until = time.monotonic() + patience_s
        while not self._try():
            if time.monotonic() >= until:
                return False
            time.sleep(0.05)
        return True

    def _try(self) -> bool:
        if self._descriptor is not None:
            return True
        descriptor = os.open(self.file, os.O_RDWR | os.O_CREAT, 0o600)
        if not _lock(descriptor):
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        return True

    def release(self) -> None:
        """Give it up; nothing happens if it is not held."""
        if self._descriptor is not None:
            _unlock(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None


def is_held(file: Path) -> bool:
    """Whether some process (this one included) holds the lock right now."""
    try:
        descriptor = os.open(file, os.O_RDWR)
    except OSError:
        return False
    try:
        if not _probe(descriptor):
            return True
        _unlock(descriptor)
        return False
    finally:
        os.close(descriptor)


def holder(file: Path) -> int | None:
    """The process id that the holder wrote, or ``None``; may be out of date when nobody holds it."""
    try:
        return int(file.read_text("ascii").strip() or "0") or None
    except (OSError, ValueError):
        return None
