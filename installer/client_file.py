"""The note in the user's config folder that tells the editors which Python runs the backend."""

from __future__ import annotations

import json
import os
from pathlib import Path

from . import places
from .problem import Problem

NAME = "backend.json"


def path() -> Path:
    """Where it is."""
    return places.config_folder() / NAME


def read() -> str:
    """The Python that it names, or ``""``."""
    try:
        return str(json.loads(path().read_text(encoding="utf-8"))["python"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def write(python: Path) -> None:
    """Write it, unless it says so already.

    :raises Problem: if the folder cannot be written.
    """
    if read() == str(python):
        return
    file = path()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_name(f".{NAME}.partial")
        partial.write_text(json.dumps({"python": str(python)}, indent=1) + "\n", encoding="utf-8")
        os.replace(partial, file)
    except OSError as error:
        raise Problem(
            f"Scumble's settings folder {file.parent} cannot be written ({error.strerror or error}).",
            "Give yourself access to it, or set SCUMBLE_CONFIG_DIR to a folder of your own.",
        ) from None
