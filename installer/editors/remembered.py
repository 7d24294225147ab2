"""Folders that the user named with ``--folder``: kept, so that ``doctor`` and ``uninstall`` find them."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from .. import places
from . import place, where
from .world import Target, World

NAME = "editors.json"


def path() -> Path:
    """Where they are written down."""
    return places.config_folder() / NAME


def folders(editor: str) -> list[Path]:
    """The folders for this editor."""
    found = _read().get(editor, [])
    return [Path(f) for f in found if isinstance(f, str)] if isinstance(found, list) else []


def targets(editor: str, world: World | None = None) -> list[Target]:
    """The folders for this editor that are not among the usual ones."""
    usual = {t.plugins for t in where.targets(editor, world)}
    return [t for t in (where.chosen(editor, f, world) for f in folders(editor)) if t.plugins not in usual]


def add(editor: str, folder: Path) -> None:
    """Remember a folder."""
    _write(editor, list(dict.fromkeys([*folders(editor), folder])))


def forget(editor: str, folder: Path) -> None:
    """Remember a folder no more."""
    if folder in folders(editor):
        _write(editor, [f for f in folders(editor) if f != folder])


def _read() -> dict[str, object]:
    try:
        found = json.loads(path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(editor: str, wanted: list[Path]) -> None:
    content = {**_read(), editor: [str(f) for f in wanted]}
    content = {name: value for name, value in content.items() if value}
    if content:
        place.write_file(path(), (json.dumps(content, indent=1) + "\n").encode())
    else:
        with contextlib.suppress(OSError):
            path().unlink(missing_ok=True)
