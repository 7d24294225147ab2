"""What the user chose: one JSON file in the config folder, shared by the editors.

Made to be hard to lose: written whole or not at all; keys that this version does not know are kept; two
editors that save at once keep each other's changes; a file that cannot be read is set aside, never
overwritten, and the user is told.
"""

from __future__ import annotations

import contextlib
import copy
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scumble.shared import paths
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.lock import FileLock

from .backend import Remote
from .sources import StyleSource, is_number, style_from_plain, style_to_plain

VERSION = 1
FILE = "settings.json"
#: A file beyond this is not ours.
_LONGEST = 4 * 1024 * 1024
#: For another editor that is just saving: this may run in a GUI's thread.
_PATIENCE_S = 0.2


@dataclass(frozen=True)
class LastUsed:
    """What an editor was last used with.

    :param options: what differed from the defaults, engine by engine.
    """

    engine: str = ""
    style: StyleSource | None = None
    strength: float = 1.0
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


class Settings:
    """The settings; :meth:`load` them, change them, :meth:`save` them.

    :ivar problem: a sentence for the user if the file could not be used, else ``""``.
    """

    def __init__(self, file: Path, data: dict[str, Any], problem: str = "") -> None:
        self.file = file
        self.problem = problem
        self._data = data
        self._loaded = copy.deepcopy(data)

    @classmethod
    def load(cls, file: Path | None = None) -> Settings:
        """What is in the file, by default the user's own; never raises.

        A broken file is renamed to ``settings.broken-….json`` beside it.
        """
        file = paths.config_folder() / FILE if file is None else file
        try:
            data = _read(file)
        except OSError as error:
            why = error.strerror or "no access"
            return cls(file, {}, f"Scumble's settings cannot be read ({why}); defaults are used.")
        except ValueError:
            aside = _set_aside(file)
            told = (
                f"It was kept as {aside.name}." if aside else "It stays as it is until you change something."
            )
            return cls(file, {}, f"Scumble's settings file was damaged; defaults are used. {told}")
        return cls(file, data)

    def save(self) -> None:
        """Write what has changed since they were loaded; nothing is written if nothing has.

        :raises ScumbleError: ``disk`` with the reason.
        """
        if self._data == self._loaded:
            return
        try:
            self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _turn(self.file.with_suffix(".lock")):
                try:
                    present = _read(self.file)
                except ValueError:
                    _set_aside(self.file)
                    present = {}
                merged = _merge(present, self._loaded, self._data)
                merged["version"] = max(VERSION, _version(merged))
                paths.write_private(self.file, json.dumps(merged, indent=1, ensure_ascii=False) + "\n")
        except OSError as error:
            raise ScumbleError(
                Code.DISK,
                f"Scumble's settings cannot be saved ({error.strerror or 'no access'}).",
                "Make room or give yourself access to the settings folder; until then they hold"
                " until the editor is closed.",
                retry=True,
            ) from error
        self._data, self._loaded = merged, copy.deepcopy(merged)

    @property
    def remote(self) -> Remote:
        """The backend on another machine."""
        data = _mapping(self._data, "remote")
        return Remote(_text(data, "address"), _text(data, "key_file"), data.get("enabled") is True)

    @remote.setter
    def remote(self, remote: Remote) -> None:
        self._at("remote").update(address=remote.address, key_file=remote.key_file, enabled=remote.enabled)

    @property
    def style_folder(self) -> str:
        """The folder in which "from file…" begins; ``""`` for none yet."""
        return _text(self._data, "style_folder")

    @style_folder.setter
    def style_folder(self, folder: str) -> None:
        self._data["style_folder"] = folder

    def last(self, editor: str) -> LastUsed:
        """What an editor was last used with; defaults for what cannot be understood."""
        data = _mapping(_mapping(self._data, "editors"), editor)
        style: StyleSource | None = None
        with contextlib.suppress(ValueError):
            style = style_from_plain(data.get("style"))
        strength = data.get("strength")
        good = float(strength) if is_number(strength) and 0 <= strength <= 1 else 1.0
        options = {
            engine: dict(values)
            for engine, values in _mapping(data, "options").items()
            if isinstance(values, dict)
        }
        return LastUsed(_text(data, "engine"), style, good, options)

    def remember(self, editor: str, last: LastUsed) -> None:
        """What an editor is used with now."""
        data = self._at("editors", editor)
        data.update(
            engine=last.engine,
            strength=last.strength,
            options={engine: dict(values) for engine, values in last.options.items()},
        )
        if last.style is None:
            data.pop("style", None)
        else:
            data["style"] = style_to_plain(last.style)

    def get(self, editor: str, key: str, default: Any = None) -> Any:
        """A setting of an editor's own, plain data; a copy."""
        return copy.deepcopy(_mapping(_mapping(self._data, "editors"), editor).get(key, default))

    def set(self, editor: str, key: str, value: Any) -> None:
        """Set one; the value is plain data."""
        self._at("editors", editor)[key] = copy.deepcopy(value)

    def _at(self, *names: str) -> dict[str, Any]:
        place = self._data
        for name in names:
            if not isinstance(place.get(name), dict):
                place[name] = {}
            place = place[name]
        return place


def _read(file: Path) -> dict[str, Any]:
    """The file's object, ``{}`` if there is none; ``ValueError`` if it is damaged."""
    try:
        with open(file, "rb") as stream:
            raw = stream.read(_LONGEST + 1)
    except FileNotFoundError:
        return {}
    if len(raw) > _LONGEST:
        raise ValueError("too long")
    try:
        data = json.loads(raw.decode("utf-8-sig"))
    except RecursionError:
        raise ValueError("too deep") from None
    if not isinstance(data, dict):
        raise ValueError("not an object")
    return data


def _set_aside(file: Path) -> Path | None:
    stamp = time.strftime("%Y%m%d-%H%M%S")
    for attempt in range(100):
        aside = file.with_name(f"{file.stem}.broken-{stamp}{f'-{attempt}' * bool(attempt)}{file.suffix}")
        if aside.exists():
            continue
        try:
            os.replace(file, aside)
        except OSError:
            return None
        return aside
    return None


@contextlib.contextmanager
def _turn(file: Path) -> Any:
    """One editor at a time; one that hangs while it saves does not keep the others from it for ever."""
    lock = FileLock(file)
    lock.acquire(_PATIENCE_S)
    try:
        yield
    finally:
        lock.release()


def _merge(present: dict[str, Any], before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """``present`` with the changes that lead from ``before`` to ``now``."""
    merged = dict(present)
    for key in before.keys() - now.keys():
        merged.pop(key, None)
    for key, value in now.items():
        old = before.get(key)
        if isinstance(value, dict) and (isinstance(old, dict) or key not in before):
            there = merged.get(key)
            if key not in before or value != old:
                merged[key] = _merge(there if isinstance(there, dict) else {}, old or {}, value)
        elif key not in before or value != old:
            merged[key] = copy.deepcopy(value)
    return merged


def _version(data: Mapping[str, Any]) -> int:
    version = data.get("version")
    return version if type(version) is int else 0


def _mapping(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = data.get(name)
    return value if isinstance(value, dict) else {}


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    return value if isinstance(value, str) else ""
