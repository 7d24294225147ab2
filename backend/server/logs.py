"""The backend's log file: rotated, private, bounded."""

from __future__ import annotations

import logging
import logging.handlers
import os
from pathlib import Path

#: Four files of a mebibyte are weeks of use and nothing on a disk.
MAX_BYTES = 2**20
BACKUPS = 3


class _PrivateFile(logging.handlers.RotatingFileHandler):
    """Opens its files for their user alone."""

    def _open(self):  # type: ignore[no-untyped-def]
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace")


def to_file(file: Path, *, verbose: bool = False, max_bytes: int = MAX_BYTES) -> logging.Handler | None:
    """Send what the backend logs to a file; ``None`` (and no log) if the disk does not want it."""
    root = logging.getLogger("scumble")
    root.setLevel(logging.DEBUG if verbose else logging.INFO)
    try:
        handler = _PrivateFile(file, maxBytes=max_bytes, backupCount=BACKUPS, encoding="utf-8")
    except OSError:
        return None
    # A full disk must not put a traceback a line onto a stderr that nobody reads.
    logging.raiseExceptions = False
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root.addHandler(handler)
    return handler
