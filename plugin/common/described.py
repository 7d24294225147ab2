"""The last answer to ``describe``, kept for the time before the backend gives the next one.

A dialog that opens while the backend still starts has its gallery and its options at once, and an editor
that registers its commands when it starts knows which of them the backend offers.  It is a copy: what
counts is what the backend says.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scumble.shared import paths
from scumble.shared.limits import LIMITS

FILE = "description.json"


def place() -> Path:
    """Where it is kept: in the state folder, as anything that can be had again."""
    return paths.state_folder() / FILE


def keep(description: Mapping[str, Any], file: Path | None = None) -> bool:
    """Keep an answer; whether that worked.  A full disk is no reason to fail at what the user wanted."""
    file = place() if file is None else file
    with contextlib.suppress(OSError, TypeError, ValueError):
        text = json.dumps(dict(description), ensure_ascii=False, separators=(",", ":"))
        if file.is_file() and file.read_text("utf-8") == text:
            return True
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        paths.write_private(file, text)
        return True
    return False


def kept(file: Path | None = None) -> dict[str, Any]:
    """The last answer; ``{}`` if there is none that can be read.  Never raises."""
    file = place() if file is None else file
    try:
        if file.stat().st_size > LIMITS.json_bytes:
            return {}
        data = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def engine_names(description: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of its engines, in its order; never raises."""
    engines = description.get("engines")
    if not isinstance(engines, (list, tuple)):
        return ()
    names = (entry.get("name") for entry in engines if isinstance(entry, Mapping))
    return tuple(name for name in names if isinstance(name, str) and name)
