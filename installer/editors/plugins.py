"""Installs one plug-in into one folder, and takes it out again without a trace."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from ..problem import Problem
from . import kritarc, payload, place, snapshot
from .world import Target

Outcome = Literal["installed", "brought up to date", "there already"]


class Plugin:
    """Scumble's plug-in in one folder, whether it is there or not.

    :param target: the folder, and what looks into it.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self.editor = target.editor
        self.folder = target.plugins / payload.FOLDER[target.editor]
        self.main = self.folder / payload.MAIN[target.editor]

    # -- what there is ----------------------------------------------------------------------------

    @property
    def installed(self) -> bool:
        """Whether something of ours is there."""
        return bool(payload.read_marker(self.folder)) or any(f.exists() for f in self.beside())

    @property
    def is_ours(self) -> bool:
        """Whether the folder may be replaced: it is ours, a link, empty, or not there."""
        if self.folder.is_symlink() or not self.folder.exists():
            return True
        if not self.folder.is_dir():
            return False
        return bool(payload.read_marker(self.folder)) or not any(self.folder.iterdir())

    def beside(self) -> Iterator[Path]:
        """The files outside the folder that belong to the plug-in (Krita's)."""
        if self.editor == "krita":
            yield self.target.plugins / "scumble_krita.desktop"
            yield self.target.plugins.parent / "actions" / "scumble_krita.action"

    def remembered(self) -> list[Path]:
        """What GIMP itself keeps of the plug-in's dialogs: the last and the saved settings of each."""
        if self.editor != "gimp":
            return []
        return sorted((self.target.plugins.parent / "plug-in-settings").glob("*-plug-in-scumble-*"))

    def is_enabled(self) -> bool | None:
        """Whether Krita will load it; None where that is not known."""
        if self.target.kritarc is None:
            return None
        try:
            return kritarc.is_enabled(kritarc.read(self.target.kritarc))
        except OSError:
            return None

    # -- changing it ------------------------------------------------------------------------------

    def install(self, root: Path, source: Mapping[str, bytes], vendor: Mapping[str, bytes]) -> Outcome:
        """Put the plug-in there; a second time nothing changes.

        :param source: as :func:`payload.source` gives it.
        :param vendor: as :func:`payload.vendor` gives it.
        :raises Problem: with what to do; the folder is then as it was before.
        """
        if not self.is_ours:
            raise Problem(
                f"There is something in {self.folder} that is not Scumble's.",
                "Move it elsewhere and run the same command again.",
            )
        before = payload.read_marker(self.folder)
        inside = {n: c for n, c in {**source, **vendor}.items() if not n.startswith("../")}
        added = str(before.get("kritarc", ""))
        note = payload.marker(root, self.editor, inside, payload.digest(source), {"kritarc": added})
        same = not self.folder.is_symlink() and before == json.loads(note)
        same = same and not payload.damage(self.folder) and self._is_executable()
        if not same:
            files = {**inside, payload.MARKER: note}
            place.write(self.folder, files, executable=frozenset({payload.MAIN[self.editor]}))
        for file in self.beside():
            content = source.get(f"../{file.name}")
            if content is not None and not (file.is_file() and file.read_bytes() == content):
                place.write_file(file, content)
                same = False
        same = self._enable(root, source, inside, added) and same
        return "there already" if same else "brought up to date" if before else "installed"

    def describe(self, description: bytes) -> bool:
        """Put a new snapshot of what the backend offers beside the plug-in; whether that changed anything.

        :raises Problem: with what to do.
        """
        note = payload.read_marker(self.folder)
        files = note.get("files")
        if not description or not isinstance(files, dict) or snapshot.kept(self.folder) == description:
            return False
        place.write_file(self.folder / snapshot.FILE, description)
        files[snapshot.FILE] = hashlib.sha256(description).hexdigest()
        note["files"] = dict(sorted(files.items()))
        place.write_file(self.folder / payload.MARKER, (json.dumps(note, indent=1) + "\n").encode())
        return True

    def _is_executable(self) -> bool:
        return os.access(self.main, os.X_OK) or os.name == "nt"

    def _enable(
        self, root: Path, source: Mapping[str, bytes], inside: Mapping[str, bytes], before: str
    ) -> bool:
        """Enable it in Krita; returns whether it was already."""
        file = self.target.kritarc
        if file is None or self.is_enabled():
            return True
        try:
            added = kritarc.enable(file).decode("ascii")
        except OSError as error:
            raise Problem(
                f"The plug-in is in its place, but Krita's settings file {file} cannot be written "
                f"({error.strerror or error}).",
                "Enable it in Krita: Settings > Configure Krita > Python Plugin Manager > Scumble.",
            ) from None
        if added != before:
            more = {"kritarc": added}
            note = payload.marker(root, self.editor, inside, payload.digest(source), more)
            place.write_file(self.folder / payload.MARKER, note)
        return False

    def remove(self) -> list[Path]:
        """Take it out, with every trace; returns what was removed or changed.

        :raises Problem: with what to do.
        """
        done: list[Path] = []
        added = str(payload.read_marker(self.folder).get("kritarc", "")).encode("ascii", "replace")
        # The settings first: with the folder gone, what was added to them would not be known any more.
        file = self.target.kritarc
        try:
            if file is not None and kritarc.forget(file, added):
                done.append(file)
            for beside in (*self.beside(), *self.remembered()):
                if beside.exists():
                    beside.unlink()
                    done.append(beside)
        except OSError as error:
            raise place.explain(error, Path(error.filename or self.folder).parent) from error
        there = self.folder.is_symlink() or self.folder.exists()
        if there and self.is_ours:
            place.remove(self.folder)
            done.append(self.folder)
        for folder in {f.parent for f in (*self.beside(), self.folder)}:
            # GIMP's folders are one deeper: GIMP/3.0/plug-ins.
            upper = [folder.parent.parent] if folder.parent.parent.name == "GIMP" else []
            _remove_empty(folder, folder.parent, *upper)
        return done

    def traces(self) -> list[Path]:
        """What :meth:`remove` would remove or change."""
        found = [f for f in (*self.beside(), *self.remembered()) if f.exists()]
        if (self.folder.is_symlink() or self.folder.exists()) and payload.read_marker(self.folder):
            found.append(self.folder)
        file = self.target.kritarc
        try:
            if file is not None and kritarc.without(kritarc.read(file)) != kritarc.read(file):
                found.append(file)
        except OSError:
            pass
        return found


def _remove_empty(*folders: Path) -> None:
    """Remove folders of the editor's that have nothing in them; it makes them again when it needs them."""
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:
            return
