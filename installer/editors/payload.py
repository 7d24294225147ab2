"""What an installed plug-in consists of, as paths and contents, for a folder or for a zip.

::

    pykrita/scumble_krita.desktop      (Krita; from plugin/krita/entry)
    pykrita/scumble_krita/  or  plug-ins/scumble/
        __init__.py  or  scumble.py    the entry file (from plugin/krita/entry or plugin/gimp/entry)
        lib/scumble/                   plugin/common, the editor's own part, and shared
        vendor/cp310-linux-x86_64/zmq/ and so on, see ``wheels``
        description.json               GIMP: what the backend offers, see ``snapshot``
        scumble-plugin.json            the marker: that this is ours, and what it should have
"""

from __future__ import annotations

import configparser
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..problem import Problem
from . import wheels

MARKER = "scumble-plugin.json"
#: The plug-in's folder, in each editor.
FOLDER = {"krita": "scumble_krita", "gimp": "scumble"}
#: The file in it that the editor starts.
MAIN = {"krita": "__init__.py", "gimp": "scumble.py"}
#: Where zmq lies that the user brought along.
OWN = "vendor/zmq"
_NOT_COPIED = ("__pycache__", "entry")


def version(root: Path) -> str:
    """Scumble's version."""
    config = configparser.ConfigParser(interpolation=None)
    config.read(root / "setup.cfg", encoding="utf-8")
    return config.get("metadata", "version", fallback="0")


def _entry(root: Path, editor: str) -> Iterator[tuple[str, Path]]:
    """The entry files by their names in the plug-in's folder; ``../x`` for those beside it."""
    folder = root / "plugin" / editor / "entry"
    for file in sorted(folder.rglob("*")):
        if not file.is_file() or "__pycache__" in file.parts or file.suffix == ".pyc":
            continue
        path = file.relative_to(folder)
        if path.suffix in (".desktop", ".action"):
            yield f"../{path.name}", file
        else:
            # The folder may be spelt out, as it will be in the end.
            inner = path.relative_to(FOLDER[editor]) if path.parts[0] == FOLDER[editor] else path
            yield inner.as_posix(), file


def _tree(folder: Path) -> Iterator[tuple[str, Path]]:
    for file in sorted(folder.rglob("*")):
        path = file.relative_to(folder)
        skipped = any(part in _NOT_COPIED or part.startswith(".") for part in path.parts)
        if file.is_file() and not skipped and file.suffix != ".pyc":
            yield path.as_posix(), file


def source(root: Path, editor: str) -> dict[str, bytes]:
    """All of the plug-in but ``vendor`` and the marker.

    :raises Problem: if this copy of Scumble has no such plug-in.
    """
    found: dict[str, bytes] = {name: file.read_bytes() for name, file in _entry(root, editor)}
    wanted = [MAIN[editor]] + (["../scumble_krita.desktop"] if editor == "krita" else [])
    if any(name not in found for name in wanted):
        raise Problem(
            f"This copy of Scumble is not whole: plugin/{editor}/entry is missing or incomplete.",
            "Get Scumble's folder anew, and run the command in it.",
        )
    found["lib/scumble/__init__.py"] = b""
    for part in ("shared", "plugin/common", f"plugin/{editor}"):
        for name, file in _tree(root / part):
            found[f"lib/scumble/{part}/{name}"] = file.read_bytes()
    found["lib/scumble/plugin/__init__.py"] = (root / "plugin" / "__init__.py").read_bytes()
    return found


def digest(files: Mapping[str, bytes]) -> str:
    """One value for a set of files: their names and contents."""
    total = hashlib.sha256()
    for name in sorted(files):
        total.update(name.encode() + b"\0" + hashlib.sha256(files[name]).digest())
    return total.hexdigest()


def vendor(found: Mapping[wheels.Build, Path], own: Path | None = None) -> dict[str, bytes]:
    """The unpacked wheels, each in a folder of its own.

    :param own: a folder with a ``zmq`` package in it that the user brought along.
    """
    files: dict[str, bytes] = {}
    for build, wheel in found.items():
        for name, content in wheels.contents(wheel):
            files[f"vendor/{build.name}/{name}"] = content
    if own is not None:
        files.update(_own(own))
    return files


def _own(folder: Path) -> dict[str, bytes]:
    folder = folder.parent if folder.name == "zmq" else folder
    if not (folder / "zmq" / "__init__.py").is_file():
        raise Problem(
            f"There is no zmq package in {folder}.",
            "Name the folder that has a folder called zmq in it, usually one called site-packages.",
        )
    files = {
        f"{OWN}/{name}": file.read_bytes()
        for name, file in _tree(folder / "zmq")
        if not name.startswith("tests/")
    }
    # MSYS2 keeps the libraries elsewhere; Windows looks for them beside the module that needs them.
    for place in folder.parents[1:3]:
        for file in sorted((place / "bin").glob("lib*.dll")):
            if file.name.startswith(("libzmq", "libsodium")):
                files[f"{OWN}/backend/cython/{file.name}"] = file.read_bytes()
    return files


def marker(root: Path, editor: str, files: Mapping[str, bytes], code: str, more: Mapping[str, Any]) -> bytes:
    """The marker's content.

    :param files: everything that is installed in the plug-in's folder.
    :param code: the digest of :func:`source`.
    """
    note = {
        "scumble": version(root),
        "editor": editor,
        "code": code,
        **more,
        "files": {n: hashlib.sha256(c).hexdigest() for n, c in sorted(files.items()) if n[:3] != "../"},
    }
    return (json.dumps(note, indent=1) + "\n").encode()


def read_marker(folder: Path) -> dict[str, Any]:
    """What the marker of an installed plug-in says; nothing if it is not ours."""
    try:
        found = json.loads((folder / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and "scumble" in found else {}


def damage(folder: Path) -> list[str]:
    """Files of an installed plug-in that are missing or not what they were."""
    files = read_marker(folder).get("files", {})
    wrong = []
    for name, expected in files.items() if isinstance(files, dict) else ():
        try:
            same = hashlib.sha256((folder / name).read_bytes()).hexdigest() == expected
        except OSError:
            same = False
        if not same:
            wrong.append(str(name))
    return wrong
