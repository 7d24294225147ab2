"""``python3 -m installer krita`` and ``... gimp``, and the plug-ins' part of ``uninstall``."""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .. import client_file, places, requirements
from ..console import Console, megabytes
from ..environment import Environment
from ..pip import clean_environment
from ..problem import Problem
from . import archive, health, payload, remembered, snapshot, wheels, where
from .plugins import Plugin
from .world import Target, World

#: What to do next, in each editor.
_THEN = {
    "krita": "Start Krita (close it first if it runs): Settings > Dockers > Scumble.",
    "gimp": "Start GIMP (close it first if it runs): Filters > Scumble.",
}
_BY_HAND = {
    "krita": "Enable it in Krita: Settings > Configure Krita > Python Plugin Manager > Scumble.",
    "gimp": "",
}
_ZIP = {
    "krita": "In Krita: Tools > Scripts > Import Python Plugin from File..., then restart Krita.",
    "gimp": "Unpack it into GIMP's plug-ins folder (Edit > Preferences > Folders > Plug-ins), "
    "then restart GIMP.",
}
_MISSING = {
    "krita": "Install Krita 5.2 or newer, or name its folder (Settings > Manage Resources > Open Resource "
    "Folder shows it): python3 -m installer krita --folder FOLDER",
    "gimp": "Install GIMP 3.0 or newer, or name its folder (Edit > Preferences > Folders > Plug-ins shows "
    "it): python3 -m installer gimp --folder FOLDER",
}


def add_parsers(commands: Any) -> None:
    """Add ``krita`` and ``gimp`` to the command line."""
    for editor in where.EDITORS:
        name = where.NAMES[editor]
        command = commands.add_parser(editor, help=f"put the plug-in into {name}")
        command.add_argument("--zip", type=Path, metavar="FILE", help="make a zip instead, for any computer")
        command.add_argument(
            "--folder", type=Path, action="append", default=[], help=f"{name}'s folder, if it is not found"
        )
        command.add_argument("--zmq", type=Path, metavar="FOLDER", help="a folder with a zmq of your own")
        command.add_argument(
            "--yes", action="store_true", help="set up the backend, too, if it is not, without asking"
        )


def run(given: argparse.Namespace, environment: Environment, console: Console) -> int:
    """Install, or make the zip."""
    editor = str(given.command)
    store = _store(environment, console)
    if given.zip is not None:
        return _zip(given, environment.root, editor, store, console)
    targets = [where.chosen(editor, f) for f in given.folder] or [
        *where.present(editor),
        *remembered.targets(editor),
    ]
    if not targets:
        old = where.too_old() if editor == "gimp" else None
        sentence = f"{old} is GIMP 2, and Scumble needs GIMP 3." if old else ""
        raise Problem(sentence or f"{where.NAMES[editor]} was not found on this computer.", _MISSING[editor])
    source = payload.source(environment.root, editor)
    ready = _backend(given.yes, environment, console)
    store = _store(environment, console)
    description = _offered(editor)
    for target in targets:
        _install(target, source, description, store, given, environment.root, console)
    console.line(_THEN[editor])
    if not ready:
        console.line("Before that, set up what paints: python3 -m installer setup")
    return 0


def _store(environment: Environment, console: Console) -> wheels.Store:
    inside = environment.python if environment.marker and environment.python.exists() else None
    return wheels.Store(
        places.cache_folder(environment.root) / "wheels",
        requirements.pinned(environment.root, "pyzmq"),
        inside or Path(sys.executable),
        console,
    )


def _backend(yes: bool, environment: Environment, console: Console) -> bool:
    """Whether the editors will find a backend to start; offers to set it up."""
    state = environment.state()
    if state == "missing" and client_file.read() and Path(client_file.read()).exists():
        return True  # set up elsewhere, from another copy of Scumble
    if state != "ready":
        question = "Scumble's backend, which does the painting, is not set up (about 2.5 GB). Set it up now?"
        if state == "outdated":
            question = "Scumble's backend is of another version than this copy. Bring it up to date now?"
        if not yes and not ask(question, console):
            return False
        environment.ensure()
    client_file.write(environment.python)
    return True


def _offered(editor: str) -> bytes:
    """What the backend that the editors will start offers, even if it is not of the newest version."""
    python = client_file.read()
    return snapshot.take(python) if python and editor in snapshot.EDITORS else b""


def ask(question: str, console: Console) -> bool:
    """A question to a person; nobody there means no."""
    if not (sys.stdin and sys.stdin.isatty() and console.live):
        return False
    try:
        return input(f"{question} [Y/n] ").strip().lower() in ("", "y", "yes")
    except EOFError:
        return False


def _install(
    target: Target,
    source: dict[str, bytes],
    description: bytes,
    store: wheels.Store,
    given: argparse.Namespace,
    root: Path,
    console: Console,
) -> None:
    console.line(f"{target.title}:")
    for program in target.programs:
        build = wheels.fitting(program.python, target.system)
        if program.python is not None and program.python < wheels.OLDEST:
            console.line(
                f"  {program.title} has Python {program.python[0]}.{program.python[1]}, which is too old "
                "for Scumble (3.10): the plug-in will not load in it."
            )
        elif build is not None:
            console.line(f"  {program.title} has Python {program.python[0]}.{program.python[1]}.")  # type: ignore[index]
    found = wanted(target, store, console)
    plugin = Plugin(target)
    others = payload.vendor(found, given.zmq)
    description = description or snapshot.kept(plugin.folder)
    if description:
        others[snapshot.FILE] = description
    outcome = plugin.install(root, source, others)
    if outcome != "there already" and target.editor == "gimp":  # which starts it anew for every call
        compile_modules(plugin)
    mark = "✓" if console.rich else "-"
    console.line(f"  {mark} {outcome}: {plugin.folder}")
    if target.kritarc is not None:
        console.line(f"  {mark} enabled: {target.kritarc}")
    elif _BY_HAND[target.editor]:
        console.line(f"  {_BY_HAND[target.editor]}")
    if given.folder:
        remembered.add(target.editor, target.plugins)
    remedy = health.remedy(target, next((p.python for p in target.programs if p.python), None))
    if remedy and given.zmq is None:
        console.line("  There is no ready-made pyzmq for the Python inside it, so it cannot paint yet.")
        console.line(f"  {remedy}.")
    for program in target.programs:
        if program.note:
            console.line(f"  {program.title} is shut off from the backend. Do this: {program.note}")


def compile_modules(plugin: Plugin) -> None:
    """Python's own form of the modules, so that not even the first call waits for it; no harm if not."""
    for interpreter in {p.interpreter for p in plugin.target.programs if p.interpreter is not None}:
        command = [str(interpreter), "-I", "-m", "compileall", "-q", str(plugin.folder)]
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(command, capture_output=True, timeout=120, env=clean_environment())


def describe_anew(python: Path) -> None:
    """After the backend was set up or renewed: tell the plug-ins that are installed what it offers now.

    :raises Problem: with what to do.
    """
    plugins = [plugin for plugin in installed(snapshot.EDITORS) if payload.read_marker(plugin.folder)]
    description = snapshot.take(python) if plugins else b""
    for plugin in plugins:
        plugin.describe(description)


def wanted(target: Target, store: wheels.Store, console: Console) -> dict[wheels.Build, Path]:
    """The builds that go into this folder.

    All of the system's: several programs may look into one folder (a package and an AppImage), and one
    that is updated brings a newer Python.  Where the Python is known, the others may be missing.

    :raises Problem: if one that is needed cannot be had.
    """
    every = wheels.builds(target.system)
    needed = [b for b in (wheels.fitting(p.python, target.system) for p in target.programs) if b is not None]
    try:
        return store.get(every)
    except Problem:
        found = {b: w for b, w in ((b, store.kept(b)) for b in every) if w is not None}
        if needed and all(build in found for build in needed):
            console.line("  Not every build of pyzmq could be fetched; the one for this editor is there.")
            return found
        raise


def _zip(given: argparse.Namespace, root: Path, editor: str, store: wheels.Store, console: Console) -> int:
    every = [build for system in wheels.PLATFORMS for build in wheels.builds(system)]
    payload.source(root, editor)  # what is not whole is said before anything is fetched
    others = payload.vendor(store.get(every), given.zmq)
    description = _offered(editor)
    if description:
        others[snapshot.FILE] = description
    size = archive.write(given.zip, root, editor, others)
    console.line(f"{given.zip} ({megabytes(size)}), for Linux, Windows and macOS.")
    console.line(_ZIP[editor])
    console.line("On the computer that gets it, Scumble's backend is set up with: python3 -m installer setup")
    return 0


# -- uninstall --------------------------------------------------------------------------------------


def installed(editors: Sequence[str] = where.EDITORS, world: World | None = None) -> list[Plugin]:
    """Every plug-in of which there is a trace, whether its editor is still there or not."""
    every = [t for e in editors for t in (*where.targets(e, world), *remembered.targets(e, world))]
    return [plugin for plugin in map(Plugin, every) if plugin.traces()]


def remove(plugins: Sequence[Plugin]) -> None:
    """Take them out.

    :raises Problem: with what to do; those before it are gone already.
    """
    for plugin in plugins:
        plugin.remove()
        remembered.forget(plugin.editor, plugin.target.plugins)
