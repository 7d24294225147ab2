"""What a machine must have before anything is fetched or written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from .console import megabytes
from .problem import Problem

#: Free bytes asked for: measured with the pinned packages, with room for what pip unpacks meanwhile.
NEEDED = 2_500_000_000
#: The same with the GPU build of PyTorch and its CUDA libraries.
NEEDED_GPU = 12_000_000_000


def existing(folder: Path) -> Path:
    """The nearest folder above (or at) this path that exists."""
    folder = folder.absolute()
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def writable(folder: Path) -> None:
    """Make sure that we may write there, by writing.

    :raises Problem: with what to do.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        if isinstance(error, PermissionError) or error.errno in (13, 30):
            raise Problem(
                f"Scumble may not write into {folder}.",
                "Move the Scumble folder to a place of your own (your home folder, say), "
                "or choose another place: SCUMBLE_ENV=FOLDER python3 -m installer ...",
            ) from None
        raise full_or(error, folder) from None


def full_or(error: OSError, folder: Path) -> Problem:
    """A problem for this error of the file system."""
    if error.errno == 28:
        return no_space(folder, 0, NEEDED)
    return Problem(f"{folder} cannot be used: {error.strerror or error}.")


def no_space(folder: Path, free: int, needed: int) -> Problem:
    """The disk is full, or would be."""
    return Problem(
        f"There is not enough room on the disk: {megabytes(free)} free at {folder}, "
        f"about {megabytes(needed)} needed.",
        "Free some space, or choose another disk: SCUMBLE_ENV=FOLDER python3 -m installer ...",
    )


def room(folder: Path, needed: int = NEEDED) -> int:
    """Free bytes where this folder is or will be.

    :raises Problem: if there are fewer than needed, here or where pip unpacks.
    """
    at = existing(folder)
    free = shutil.disk_usage(at).free
    if free < needed:
        raise no_space(at, free, needed)
    return free


def virtual_environments() -> str:
    """How this Python can make a virtual environment: ``venv``, ``virtualenv`` or ``pip``.

    Debian and Ubuntu leave ``ensurepip`` out of their Python; an installed virtualenv or pip does
    as well.

    :raises Problem: if there is no way.
    """
    for module, way in (("ensurepip", "venv"), ("virtualenv", "virtualenv"), ("pip", "pip")):
        if has_module(module) and (way == "virtualenv" or has_module("venv")):
            return way
    minor = f"{sys.version_info[0]}.{sys.version_info[1]}"
    raise Problem(
        "This Python cannot make virtual environments.",
        f"On Debian or Ubuntu: sudo apt install python{minor}-venv   (then run this again)",
    )


def has_module(name: str) -> bool:
    """Whether this interpreter could import the module (asked in a process of its own)."""
    # Debian's broken ensurepip can be found but not used, hence a real import.
    code = f"import {name}" + ("; ensurepip.version()" if name == "ensurepip" else "")
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, cwd=os.path.dirname(sys.executable)
    )
    return done.returncode == 0
