"""Puts a folder where it belongs, all of it or nothing, and takes it away again.

The new folder is written beside its place under another name, the old one is moved aside, the new one moved
in, the old one deleted.  Whatever is interrupted, the place holds the old folder, the new one or none, and
the next run tidies up.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from ..problem import Problem

#: Names of folders that are being written, or that are on their way out.
_NEW, _OLD = ".scumble-new-", ".scumble-old-"


def write(place: Path, files: Mapping[str, bytes], *, executable: frozenset[str] = frozenset()) -> None:
    """Make ``place`` a folder with exactly these files.

    :param files: contents by path, with ``/``; none of them leads out of the folder.
    :param executable: those that get the executable bit.
    :raises Problem: with what to do; the place is as it was before.
    """
    parent = place.parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
        tidy(parent, place.name)
        new = parent / f"{_NEW}{place.name}"
        try:
            for name, content in files.items():
                file = new / name
                if ".." in Path(name).parts or Path(name).is_absolute():
                    raise ValueError(f"{name} leads out of the folder")
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
                file.chmod(0o755 if name in executable else 0o644)
            _swap(new, place)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
    except OSError as error:
        raise explain(error, parent) from error


def _swap(new: Path, place: Path) -> None:
    old = place.parent / f"{_OLD}{place.name}"
    had = place.is_symlink() or place.exists()
    if had:
        os.rename(place, old)
    try:
        os.rename(new, place)
    except BaseException:
        if had:
            os.rename(old, place)
        raise
    if had:
        _delete(old)


def remove(place: Path) -> None:
    """Take the folder away; nothing happens if there is none.

    :raises Problem: with what to do.
    """
    try:
        tidy(place.parent, place.name)
        if place.is_symlink() or place.exists():
            # Renamed first: half-deleted, an editor could still start it.
            old = place.parent / f"{_OLD}{place.name}"
            os.rename(place, old)
            _delete(old)
    except OSError as error:
        raise explain(error, place.parent) from error


def write_file(file: Path, content: bytes) -> None:
    """Write one file, all of it or nothing.

    :raises Problem: with what to do.
    """
    partial = file.with_name(f".{file.name}.partial")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            partial.write_bytes(content)
            os.replace(partial, file)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise explain(error, file.parent) from error


def tidy(parent: Path, name: str) -> None:
    """Delete what an interrupted run left behind."""
    for prefix in (_NEW, _OLD):
        _delete(parent / f"{prefix}{name}")


def _delete(path: Path) -> None:
    """Delete a folder, or a link to one but never what it leads to."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        # What cannot be deleted now (Windows: a library in use) the next run deletes.
        shutil.rmtree(path, ignore_errors=True)


def explain(error: OSError, folder: Path) -> Problem:
    """In words for the user."""
    windows = getattr(error, "winerror", 0)
    if error.errno == 28 or windows == 112:
        return Problem(
            f"The disk became full while writing into {folder}.",
            "Free some space and run the same command again; what was there before is still there.",
        )
    if windows in (5, 32) or (os.name == "nt" and isinstance(error, PermissionError)):
        return Problem(
            f"The plug-in in {folder} is in use, or there is no right to write there.",
            "Close the editor and run the same command again.",
        )
    if isinstance(error, PermissionError) or error.errno == 30:
        return Problem(
            f"Scumble may not write into {folder}.",
            "Give yourself the right to write there, or name another folder: --folder FOLDER",
        )
    return Problem(f"{error.filename or folder} cannot be used: {error.strerror or error}.")
