"""Where things are: the clone, its environment, and the user's folders.

The user's folders follow the same rules as ``scumble.shared`` (a test holds the two together); they
are written out here because the installer stands alone.
"""

from __future__ import annotations

import os
import platform
import re
import sys
from pathlib import Path

APP = "scumble"


def clone() -> Path | None:
    """The checkout this installer was started from, or None if it came from an installed package."""
    root = Path(__file__).resolve().parent.parent
    if (root / "setup.cfg").is_file() and (root / "constraints.txt").is_file():
        return root
    return None


def environment_folder(root: Path) -> Path:
    """Where the private environment lives: ``$SCUMBLE_ENV``, or ``.scumble/env`` in the clone."""
    chosen = os.environ.get("SCUMBLE_ENV")
    return Path(chosen).expanduser().absolute() if chosen else root / ".scumble" / "env"


def cache_folder(root: Path) -> Path:
    """Downloads that are not Python packages (the demo's photograph)."""
    return root / ".scumble" / "cache"


def python_in(environment: Path) -> Path:
    """The interpreter of a virtual environment."""
    return environment / "Scripts" / "python.exe" if os.name == "nt" else environment / "bin" / "python"


def programs_in(environment: Path) -> Path:
    """The folder with the environment's commands."""
    return python_in(environment).parent


def _override(variable: str) -> Path | None:
    value = os.environ.get(variable, "")
    return Path(value).expanduser() if value else None


def _xdg(variable: str, fallback: str) -> Path:
    for name in (f"HOST_{variable}", variable):
        value = os.environ.get(name, "")
        if os.path.isabs(value):
            return Path(value)
    return Path.home() / fallback


def _local_app_data() -> Path:
    value = os.environ.get("LOCALAPPDATA", "")
    return Path(value) if value else Path.home() / "AppData" / "Local"


def config_folder() -> Path:
    """The user's settings."""
    override = _override("SCUMBLE_CONFIG_DIR")
    if override:
        return override
    if sys.platform == "win32":
        return _local_app_data() / APP
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / APP
    return _xdg("XDG_CONFIG_HOME", ".config") / APP


def state_folder() -> Path:
    """Logs."""
    override = _override("SCUMBLE_STATE_DIR")
    if override:
        return override
    if sys.platform == "win32":
        return _local_app_data() / APP / "state"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Logs" / APP
    return _xdg("XDG_STATE_HOME", ".local/state") / APP


def runtime_folder() -> Path:
    """The connection file of a running backend, and its lock."""
    override = _override("SCUMBLE_RUNTIME_DIR")
    if override:
        return override
    if sys.platform.startswith("linux"):
        value = re.sub(r"/snap\.[^/]+/?\Z", "", os.environ.get("XDG_RUNTIME_DIR", ""))
        for place in (value, f"/run/user/{os.getuid()}"):
            if os.path.isabs(place) and os.path.isdir(place) and os.stat(place).st_uid == os.getuid():
                return Path(place) / APP
    host = re.sub(r"[^A-Za-z0-9_-]", "-", platform.node())[:60] or "local"
    return state_folder() / f"run-{host}"
