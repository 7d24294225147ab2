"""Where the user's files lie, with the standard library alone (the editors have nothing else).

=========  ===========================================  =====================  ==========================
what       Linux                                        macOS                  Windows
=========  ===========================================  =====================  ==========================
config     ``$XDG_CONFIG_HOME`` or ``~/.config``        ``~/Library/``         ``%LOCALAPPDATA%``
                                                        ``Application Support``
state      ``$XDG_STATE_HOME`` or ``~/.local/state``    ``~/Library/Logs``     ``%LOCALAPPDATA%``
runtime    ``$XDG_RUNTIME_DIR``, ``/run/user/UID``,     state                  state
           or state
=========  ===========================================  =====================  ==========================

plus ``scumble``.  ``SCUMBLE_CONFIG_DIR``, ``SCUMBLE_STATE_DIR`` and ``SCUMBLE_RUNTIME_DIR`` name whole
folders and win over all of it.
"""

from __future__ import annotations

import os
import platform
import re
import stat
import sys
from pathlib import Path

from .errors import Code, ScumbleError

_NAME = "scumble"


def _override(variable: str) -> Path | None:
    value = os.environ.get(variable, "")
    return Path(value).expanduser() if value else None


def _xdg(variable: str, fallback: str) -> Path:
    # A Flatpak or Snap points the XDG variables into its sandbox and keeps the user's own beside them;
    # editor and backend have to agree on one place.
    for name in (f"HOST_{variable}", variable):
        value = os.environ.get(name, "")
        if os.path.isabs(value):
            return Path(value)
    return Path.home() / fallback


def _local_app_data() -> Path:
    value = os.environ.get("LOCALAPPDATA", "")
    return Path(value) if value else Path.home() / "AppData" / "Local"


def config_folder() -> Path:
    """The user's settings; not created here."""
    override = _override("SCUMBLE_CONFIG_DIR")
    if override:
        return override
    if sys.platform == "win32":
        return _local_app_data() / _NAME
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / _NAME
    return _xdg("XDG_CONFIG_HOME", ".config") / _NAME


def state_folder() -> Path:
    """Logs; not created here."""
    override = _override("SCUMBLE_STATE_DIR")
    if override:
        return override
    if sys.platform == "win32":
        return _local_app_data() / _NAME / "state"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Logs" / _NAME
    return _xdg("XDG_STATE_HOME", ".local/state") / _NAME


def runtime_folder() -> Path:
    """The connection file and the lock; not created here."""
    override = _override("SCUMBLE_RUNTIME_DIR")
    if override:
        return override
    if sys.platform.startswith("linux"):
        # A Snap appends its own folder, which the backend outside of it would not use.
        value = re.sub(r"/snap\.[^/]+/?\Z", "", os.environ.get("XDG_RUNTIME_DIR", ""))
        for place in (value, f"/run/user/{os.getuid()}"):
            if os.path.isabs(place) and os.path.isdir(place) and os.stat(place).st_uid == os.getuid():
                return Path(place) / _NAME
    # A home folder may be shared by several machines, and an endpoint is good on one only.
    host = re.sub(r"[^A-Za-z0-9_-]", "-", platform.node())[:60] or "local"
    return state_folder() / f"run-{host}"


def private_folder(folder: Path) -> Path:
    """Create a folder that only this user may enter, or make sure that it is one.

    On Windows the profile's own access list (and, since Python 3.12.4, the mode) keeps others out.

    :raises ScumbleError: ``disk`` if it cannot be made or belongs to somebody else.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if sys.platform != "win32":
            info = folder.stat()
            if info.st_uid != os.getuid():
                raise ScumbleError(
                    Code.DISK,
                    "Scumble's folder for running programs belongs to another user.",
                    "Set SCUMBLE_RUNTIME_DIR to a folder of your own.",
                )
            if stat.S_IMODE(info.st_mode) & 0o077:
                folder.chmod(0o700)
    except OSError as error:
        raise ScumbleError(
            Code.DISK,
            f"Scumble's folder for running programs cannot be made ({error.strerror or 'no access'}).",
            "Make room or give yourself access there, or set SCUMBLE_RUNTIME_DIR to another folder.",
        ) from error
    return folder


def write_private(file: Path, text: str) -> None:
    """Write a file that only this user may read, whole or not at all.

    :raises OSError: as the system says.
    """
    partial = file.with_name(f".{file.name}.{os.getpid()}.partial")
    # A leftover of a crashed process with this id could have another mode.
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        _replace(partial, file)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _replace(source: Path, target: Path) -> None:
    import time

    # On Windows a reader or a virus scanner that has the file open makes this fail for a moment.
    for wait in (0.02, 0.05, 0.1, 0.2):
        try:
            os.replace(source, target)
            return
        except PermissionError:
            time.sleep(wait)
    os.replace(source, target)


def is_private(file: Path) -> bool:
    """Whether a file is this user's own and nobody else may read or write it."""
    if sys.platform == "win32":
        return file.is_file()
    info = file.lstat()
    return stat.S_ISREG(info.st_mode) and info.st_uid == os.getuid() and not info.st_mode & 0o077
