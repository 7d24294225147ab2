"""What went wrong inside the plug-in, for whoever helps; users get a sentence, never a trace."""

from __future__ import annotations

import contextlib
import functools
import json
import logging
from pathlib import Path

from scumble.shared import paths
from scumble.shared.errors import ScumbleError

FILE = "gimp.log"
_LONGEST = 256 * 1024


def keep() -> None:
    """From now on, log into the state folder; without a place for that, nowhere."""
    root = logging.getLogger()
    if root.handlers:
        return
    # It brings much along, and each call of a procedure is a start of Python.
    from logging.handlers import RotatingFileHandler

    with contextlib.suppress(OSError, ScumbleError):
        folder = paths.private_folder(paths.state_folder())
        handler = RotatingFileHandler(
            folder / FILE, maxBytes=_LONGEST, backupCount=1, encoding="utf-8", delay=True
        )
        handler.setFormatter(logging.Formatter("%(asctime)s %(process)d %(name)s %(message)s"))
        root.addHandler(handler)


@functools.cache
def version() -> str:
    """Scumble's, as the installer wrote it beside the plug-in; ``""`` where it did not."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        # .../scumble/lib/scumble/plugin/gimp/log.py
        marker = Path(__file__).resolve().parents[4] / "scumble-plugin.json"
        data = json.loads(marker.read_text("utf-8"))
        if isinstance(data, dict) and isinstance(data.get("scumble"), str):
            return str(data["scumble"])[:40]
    return ""
