"""The doctor's findings about editors and plug-ins: above all, why a menu entry would be missing."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from ..finding import Finding, Status
from ..pip import clean_environment
from ..problem import Problem
from . import kritarc, payload, remembered, wheels, where
from .plugins import Plugin
from .world import Program, Target, World

#: Tries the vendored pyzmq in an interpreter as the entry file does; prints what is wrong.
_TRY = """
import sys
from pathlib import Path
root = Path(sys.argv[1])
sys.path.insert(0, str(root / "lib"))
from scumble.plugin.common import vendor
print(vendor.activate(root))
"""
#: What Debian and others put into packages of their own: the import that fails, and what to install.
_NEEDS = {
    "krita": ("import PyQt5.QtWidgets", "import PyQt6.QtWidgets", "PyQt", "sudo apt install python3-pyqt5"),
    "gimp": (
        "import gi; gi.require_version('Gimp', '3.0'); gi.require_version('GimpUi', '3.0')",
        "",
        "Python support of GIMP",
        "sudo apt install python3-gi gir1.2-gimp-3.0",
    ),
}
_ENABLE = "Settings > Configure Krita > Python Plugin Manager > Scumble"


def examine(root: Path | None, world: World | None = None) -> list[Finding]:
    """Look at both editors and their plug-ins.

    :param root: the clone, with which an installed plug-in is compared; None without one.
    """
    world = world or World.here()
    found: list[Finding] = []
    for editor in where.EDITORS:
        name = where.NAMES[editor]
        targets = where.present(editor, world) + remembered.targets(editor, world)
        if not targets:
            found.append(_nowhere(editor, world))
        for target in targets:
            found += [_program(name, p) for p in target.programs]
            if not target.programs:
                found.append(Finding(name, "note", f"no program was found, but its folder {target.plugins}"))
            found += list(_plugin(target, root, world))
    return found


def _nowhere(editor: str, world: World) -> Finding:
    name = where.NAMES[editor]
    old = where.too_old(world) if editor == "gimp" else None
    if old:
        return Finding(name, "note", f"{old} is GIMP 2; Scumble needs GIMP 3", "Install GIMP 3.0 or newer.")
    return Finding(name, "note", "not found on this computer")


def _program(name: str, program: Program) -> Finding:
    python = f"; Python {program.python[0]}.{program.python[1]}" if program.python else ""
    return Finding(name, "ok", f"{program.title}: {program.at}{python}")


def _plugin(target: Target, root: Path | None, world: World) -> Iterator[Finding]:
    name = f"{where.NAMES[target.editor]} plug-in"
    again = f"python3 -m installer {target.editor}"
    if target in remembered.targets(target.editor, world):
        again += f' --folder "{target.plugins}"'
    plugin = Plugin(target)
    if not plugin.installed:
        yield Finding(name, "missing", f"not in {target.plugins}", again)
        return
    trouble = list(_troubles(plugin, root, again))
    note = payload.read_marker(plugin.folder)
    if not any(status == "wrong" for status, _, _ in trouble):
        version = note.get("scumble", "")
        yield Finding(name, "ok", f"{version} in {plugin.folder}{_pyzmq_words(target, plugin)}")
    for status, what, todo in trouble:
        yield Finding(name, status, what, todo)


def _troubles(plugin: Plugin, root: Path | None, again: str) -> Iterator[tuple[Status, str, str]]:
    """What keeps the plug-in from working, as (status, what, what to do)."""
    target = plugin.target
    damaged = payload.damage(plugin.folder)
    if not payload.read_marker(plugin.folder) or not plugin.main.is_file():
        yield "wrong", f"no menu entry: {plugin.folder} is not whole", again
        return
    if damaged:
        more = f" and {len(damaged) - 1} more" if len(damaged) > 1 else ""
        yield "wrong", f"missing or changed: {damaged[0]}{more}", again
    yield from _krita(plugin, again) if plugin.editor == "krita" else _gimp(plugin, again)
    if root is not None and not damaged:
        try:
            code = payload.digest(payload.source(root, plugin.editor))
        except Problem:
            code = ""
        if code and payload.read_marker(plugin.folder).get("code") != code:
            yield "missing", "it is of another version than this copy of Scumble", again
    for program in target.programs:
        yield from _in_program(plugin, program, again)


def _krita(plugin: Plugin, again: str) -> Iterator[tuple[Status, str, str]]:
    desktop = next(plugin.beside())
    if not desktop.is_file():
        yield "wrong", f"no menu entry: {desktop} is missing", again
    if plugin.is_enabled() is False:
        yield "wrong", "no menu entry: the plug-in is not enabled", f"{again}   (or in Krita: {_ENABLE})"
    rc = plugin.target.kritarc
    if rc is None:
        yield "note", "whether it is enabled there is not known", f"In Krita: {_ENABLE}"
    elif not rc.exists() and not kritarc.read(rc):
        yield "note", f"Krita has not written its settings yet ({rc})", ""


def _gimp(plugin: Plugin, again: str) -> Iterator[tuple[Status, str, str]]:
    if not plugin._is_executable():
        yield "wrong", f"no menu entry: {plugin.main} may not be run as a program", again


def _in_program(plugin: Plugin, program: Program, again: str) -> Iterator[tuple[Status, str, str]]:
    python = program.python
    if python is not None and python < wheels.OLDEST:
        have = f"{python[0]}.{python[1]}"
        yield (
            "wrong",
            f"no menu entry: {program.title} has Python {have}, and Scumble needs 3.10 or newer",
            f"Install a newer {where.NAMES[plugin.editor]}.",
        )
        return
    if plugin.editor == "krita" and program.interpreter is not None and not where.has_scripting(program):
        yield (
            "wrong",
            f"no menu entry: {program.title} was built without Python, or that part is not installed",
            "Install it with the system's package manager (its name has both krita and python in it).",
        )
    if program.note:
        yield "note", f"{program.title} is shut off from Scumble's backend", program.note
        if program.note.startswith("flatpak "):
            yield (
                "note",
                "and it cannot start the backend by itself; start it before painting",
                "python3 -m installer run scumble backend start",
            )
    trouble = _zmq_trouble(plugin, program)
    if trouble:
        yield "wrong", trouble, _zmq_remedy(plugin, program, again)
    yield from _libraries(plugin, program)


def _libraries(plugin: Plugin, program: Program) -> Iterator[tuple[Status, str, str]]:
    if program.interpreter is None or not program.at.parts[-1:]:
        return
    usual, other, what, todo = _NEEDS[plugin.editor]
    code = other if plugin.editor == "krita" and program.version.startswith("6") else usual
    said = _asked(program.interpreter, code)
    if said is not None and said != "":
        words = f"no menu entry: {what} is missing for {program.interpreter} ({said.splitlines()[-1][:120]})"
        yield "wrong", words, f"{todo}   (Debian, Ubuntu; other systems name it alike)"


def _asked(interpreter: Path, code: str, *arguments: str) -> str | None:
    """What an interpreter says to this code, ``""`` for nothing; None if it cannot be asked."""
    environment = clean_environment()
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    try:
        done = subprocess.run(
            [str(interpreter), "-B", "-I", "-c", code, *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=30,
            env=environment,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return (done.stdout + (done.stderr if done.returncode else "")).strip()


def _zmq_trouble(plugin: Plugin, program: Program) -> str:
    """Why pyzmq would not load in this program, or ``""``."""
    if program.interpreter is not None:
        said = _asked(program.interpreter, _TRY, str(plugin.folder))
        if said is not None:
            return said.splitlines()[-1] if said else ""
    if (plugin.folder / payload.OWN / "__init__.py").is_file():
        return ""
    build = wheels.fitting(program.python, plugin.target.system)
    there = {p.name for p in (plugin.folder / "vendor").glob("*") if (p / "zmq" / "__init__.py").is_file()}
    if build is not None:
        return "" if build.name in there else f"there is no pyzmq for {build.words} in it"
    if plugin.target.system not in wheels.PLATFORMS:
        return "there is no ready-made pyzmq for the Python inside this program"
    return "" if there else "there is no pyzmq in it"


def _zmq_remedy(plugin: Plugin, program: Program, again: str) -> str:
    return remedy(plugin.target, program.python) or again


def remedy(target: Target, python: tuple[int, int] | None = None) -> str:
    """What to do where no ready-made pyzmq fits, or ``""`` where one does."""
    if target.system in wheels.PLATFORMS:
        return ""
    zmq = f"python3 -m installer {target.editor} --zmq FOLDER"
    if target.system.startswith("mingw-windows"):
        version = f" (Python {python[0]}.{python[1]}, as GIMP's)" if python else ""
        return (
            "Install MSYS2; in its CLANG64 window: pacman -S mingw-w64-clang-x86_64-python-pyzmq; then "
            f"{zmq}, where FOLDER is its site-packages{version}"
        )
    return f"Build or install pyzmq for that Python, then: {zmq}, where FOLDER has zmq in it"


def _pyzmq_words(target: Target, plugin: Plugin) -> str:
    tried = [p for p in target.programs if p.interpreter is not None]
    if tried:
        return f"; its pyzmq loads in {tried[0].interpreter}"
    count = len(list((plugin.folder / "vendor").glob("*")))
    return f"; pyzmq in {count} builds" if count else ""
