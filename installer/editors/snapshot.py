"""What the backend offers, asked for when a plug-in is installed and put beside it.

An editor asks its plug-ins for their commands when it starts, long before a backend runs.  With this file
the plug-in knows from the first start on which engines, options and selecting methods there are; what the
backend says later is newer, and wins.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from ..pip import clean_environment

#: In the plug-in's folder; ``scumble.plugin.gimp.registered`` reads it.
FILE = "description.json"
#: Editors whose plug-ins read it.
EDITORS = ("gimp",)
_PATIENCE_S = 240.0


def take(python: Path | str) -> bytes:
    """What the backend of this Python offers; empty if it cannot be asked, which is no reason to fail."""
    try:
        done = subprocess.run(
            [str(python), "-m", "scumble.backend.describe"],
            capture_output=True,
            timeout=_PATIENCE_S,
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return b""
    try:
        data = json.loads(done.stdout)
    except ValueError:
        return b""
    return done.stdout if isinstance(data, dict) and data.get("engines") else b""


def kept(folder: Path) -> bytes:
    """What an installed plug-in has already; empty for nothing."""
    try:
        return (folder / FILE).read_bytes()
    except OSError:
        return b""
