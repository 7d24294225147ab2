"""What the backend offers, as far as it is known without asking it.

GIMP asks each plug-in what it has when it starts, before any backend runs.  The answer is taken from the
newest of two files: the one that the installer put beside the plug-in, and the one that is kept from the
last time a backend was asked.  A call has to declare the very same arguments as at GIMP's start, whatever
was learned meanwhile, so what was declared is written down for as long as that GIMP runs.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scumble.plugin.common import described
from scumble.shared import paths
from scumble.shared.errors import ScumbleError

#: In the installed plug-in's folder, and in the state folder.
FILE = "description.json"
FOLDER = "gimp"
_LONGEST = 32 * 1024 * 1024
#: No GIMP runs for as long as that; where it cannot be asked, its note goes then.
_OLD_S = 30 * 86400.0


def beside() -> Path:
    """The file that the installer puts beside the plug-in."""
    return Path(__file__).resolve().parents[4] / FILE  # .../scumble/lib/scumble/plugin/gimp/registered.py


def latest() -> dict[str, Any]:
    """The newest answer to ``describe`` that there is; ``{}`` if there is none."""
    found: list[tuple[float, Path]] = []
    for file in (beside(), described.place()):
        with contextlib.suppress(OSError):
            found.append((file.stat().st_mtime, file))
    for _, file in sorted(found, reverse=True):
        data = _read(file)
        if data.get("engines"):
            return data
    return {}


_declared: dict[str, Any] = {}
#: The process of GIMP.
gimp = os.getppid()


def note(description: Mapping[str, Any]) -> None:
    """At GIMP's start: this is what is declared."""
    _declared.update(brief(description))
    with contextlib.suppress(OSError, ScumbleError):
        folder = paths.private_folder(paths.state_folder() / FOLDER)
        for file in folder.glob("declared-*.json"):
            old = time.time() - file.stat().st_mtime > _OLD_S
            if old or not _runs(file.stem.rpartition("-")[2]):
                file.unlink(missing_ok=True)
        _write(folder / f"declared-{gimp}.json", brief(description))


def declared() -> dict[str, Any]:
    """In a call: what was declared when this GIMP started."""
    if not _declared:
        file = paths.state_folder() / FOLDER / f"declared-{gimp}.json"
        _declared.update(_read(file) or brief(latest()))
    return _declared


def brief(description: Mapping[str, Any]) -> dict[str, Any]:
    """What declaring and asking for a job need of a description: no pictures."""
    return {key: description[key] for key in ("engines", "selecting") if key in description}


def keep(description: Mapping[str, Any]) -> None:
    """The backend that runs now has just said this."""
    described.keep(description)
    _keep_brief(description)


def _keep_brief(description: Mapping[str, Any]) -> None:
    with contextlib.suppress(OSError, ScumbleError):
        folder = paths.private_folder(paths.state_folder() / FOLDER)
        file, data = folder / "engines.json", brief(description)
        if _read(file) == data:
            os.utime(file)
        else:
            _write(file, data)


def fresh(connection: Path) -> dict[str, Any]:
    """What the backend that runs now has said already; ``{}`` if it has not been asked since its start.

    :param connection: the file that it wrote when it started.
    """
    file = paths.state_folder() / FOLDER / "engines.json"
    with contextlib.suppress(OSError):
        if file.stat().st_mtime > connection.stat().st_mtime:
            return _read(file)
    return {}


def _write(file: Path, data: Mapping[str, Any]) -> None:
    paths.write_private(file, json.dumps(data, ensure_ascii=False, separators=(",", ":")))


def _read(file: Path) -> dict[str, Any]:
    try:
        if file.stat().st_size > _LONGEST:
            return {}
        data = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _runs(pid: str) -> bool:
    """Whether there is such a process; where that cannot be asked without harm, true."""
    if not pid.isdigit() or sys.platform == "win32":
        return pid.isdigit()
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
