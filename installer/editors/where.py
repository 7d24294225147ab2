"""Finds Krita and GIMP: which are installed, where each looks for plug-ins, which Python is in it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from .world import (
    Program,
    Target,
    Version,
    World,
    bundle_version,
    dotted,
    flatpak_note,
    flatpak_python,
    flatpaks,
    listing,
    matching,
    python_named,
    released,
)

EDITORS = ("krita", "gimp")
NAMES = {"krita": "Krita", "gimp": "GIMP"}
FLATPAK = {"krita": "org.kde.krita", "gimp": "org.gimp.GIMP"}
#: GIMP's settings folders that can have Python 3 plug-ins of the new kind.
_GIMP_3 = re.compile(r"\A3\.\d+\Z")


def targets(editor: str, world: World | None = None) -> list[Target]:
    """Every folder that could hold the plug-in, whether a program is there or not."""
    world = world or World.here()
    found = _krita(world) if editor == "krita" else _gimp(world)
    merged: dict[Path, Target] = {}
    for target in found:
        known = merged.get(target.plugins)
        if known:
            target = replace(known, programs=known.programs + target.programs)
        merged[target.plugins] = target
    return list(merged.values())


def present(editor: str, world: World | None = None) -> list[Target]:
    """The folders of the editors that are here, or have been."""
    return [t for t in targets(editor, world) if t.present]


def chosen(editor: str, folder: Path, world: World | None = None) -> Target:
    """A folder that the user names: the plug-in folder itself, or the one above it."""
    world = world or World.here()
    folder = Path(os.path.abspath(folder.expanduser()))
    name = "pykrita" if editor == "krita" else "plug-ins"
    if folder.name != name and (folder.name == "krita" or (folder / name).is_dir()):
        folder = folder / name
    if editor == "gimp" and _GIMP_3.match(folder.name):
        folder = folder / name
    known = next((t for t in targets(editor, world) if t.plugins == folder), None)
    return known or Target(editor, folder, _system(editor, world))


def _system(editor: str, world: World) -> str:
    """Which builds of pyzmq an editor can load."""
    # GIMP's Python on Windows is made with MinGW and cannot load what other Pythons can.
    mingw = editor == "gimp" and world.system == "win32"
    return f"mingw-{world.platform}" if mingw else world.platform


# -- Krita ----------------------------------------------------------------------------------------


def _krita(world: World) -> Iterator[Target]:
    if world.system == "win32":
        yield from _krita_windows(world)
    elif world.system == "darwin":
        support = world.home / "Library" / "Application Support" / "krita" / "pykrita"
        rc = world.home / "Library" / "Preferences" / "kritarc"
        yield Target("krita", support, world.platform, rc, tuple(_bundles(world, "krita")))
    else:
        yield from _krita_linux(world)


def _krita_linux(world: World) -> Iterator[Target]:
    usual = Target(
        "krita",
        world.xdg_data() / "krita" / "pykrita",
        world.platform,
        world.xdg_config() / "kritarc",
    )
    program = world.which("krita")
    if program and not _is_wrapper(program):
        prefix = program.resolve().parent.parent
        version = released(prefix, "krita")
        python = _linked_python(prefix)
        title = _title("Krita", version, "Linux package")
        usual = replace(
            usual,
            programs=(Program(title, program, version, python, _interpreter(world, python)),),
        )
    usual = replace(usual, programs=usual.programs + tuple(_appimages(world, "krita")))
    yield usual
    sandbox = world.home / ".var" / "app" / FLATPAK["krita"]
    yield Target(
        "krita",
        sandbox / "data" / "krita" / "pykrita",
        world.platform,
        sandbox / "config" / "kritarc",
        tuple(_flatpaks(world, "krita")),
    )
    snap = world.home / "snap" / "krita" / "current"
    yield Target(
        "krita",
        snap / ".local" / "share" / "krita" / "pykrita",
        world.platform,
        snap / ".config" / "kritarc",
        tuple(_snaps(world, "krita")),
    )


def _krita_windows(world: World) -> Iterator[Target]:
    programs = []
    for folder in world.program_folders():
        for at in (p for p in listing(folder) if p.name.lower().startswith("krita")):
            program = at / "bin" / "krita.exe"
            if program.is_file():
                version = released(at, "krita") or dotted(at.name)
                python = python_named(matching(at, "python/python3??.dll", "bin/python3??.dll"))
                programs.append(Program(_title("Krita", version, "Windows"), program, version, python))
    plugins = world.roaming() / "krita" / "pykrita"
    yield Target("krita", plugins, world.platform, world.local() / "kritarc", tuple(programs))
    # The Microsoft Store's Krita sees a copy of these folders that is its own.
    for package in matching(world.local() / "Packages", "*Krita_*"):
        cache = package / "LocalCache"
        yield Target(
            "krita",
            cache / "Roaming" / "krita" / "pykrita",
            world.platform,
            cache / "Local" / "kritarc",
            (Program("Krita (Microsoft Store)", package),),
        )


def _linked_python(prefix: Path) -> Version | None:
    """The Python that Krita's scripting is linked to; only the library's name is read out of it."""
    patterns = ("lib/kritaplugins/kritapykrita*", "lib64/kritaplugins/kritapykrita*")
    for file in matching(prefix, *patterns, "lib/*/kritaplugins/kritapykrita*"):
        try:
            found = re.search(rb"libpython3\.(\d+)", file.read_bytes())
        except OSError:
            continue
        if found:
            return (3, int(found[1]))
    return None


def has_scripting(program: Program) -> bool:
    """Whether a Linux package of Krita has its Python support (some systems have it as an extra package)."""
    prefix = program.at.resolve().parent.parent
    patterns = ("lib/kritaplugins/", "lib64/kritaplugins/", "lib/*/kritaplugins/")
    folders = list(matching(prefix, *(p + "krita*.so" for p in patterns)))
    return not folders or any(f.name.startswith("kritapykrita") for f in folders)


# -- GIMP -----------------------------------------------------------------------------------------


def _gimp(world: World) -> Iterator[Target]:
    if world.system == "win32":
        yield from _gimp_targets(world, world.roaming() / "GIMP", list(_gimp_windows(world)))
    elif world.system == "darwin":
        base = world.home / "Library" / "Application Support" / "GIMP"
        yield from _gimp_targets(world, base, list(_bundles(world, "gimp")))
    else:
        programs = [*_gimp_packages(world), *_appimages(world, "gimp")]
        yield from _gimp_targets(world, world.xdg_config() / "GIMP", programs)
        sandbox = world.home / ".var" / "app" / FLATPAK["gimp"] / "config" / "GIMP"
        yield from _gimp_targets(world, sandbox, list(_flatpaks(world, "gimp")))
        snap = world.home / "snap" / "gimp" / "current" / ".config" / "GIMP"
        yield from _gimp_targets(world, snap, list(_snaps(world, "gimp")))


def _gimp_targets(world: World, base: Path, programs: list[Program]) -> Iterator[Target]:
    """A target for each settings folder that is there or that a program will make."""
    there = [p.name for p in listing(base) if _GIMP_3.match(p.name)]
    by_version: dict[str, list[Program]] = {name: [] for name in there}
    for program in programs:
        version = ".".join(program.version.split(".")[:2])
        if _GIMP_3.match(version):
            by_version.setdefault(version, []).append(program)
        elif not program.version:
            # It does not say which it is: the newest folder, or the one of the first GIMP 3.
            by_version.setdefault(max(there, key=_numbers, default="3.0"), []).append(program)
    own = world.env.get("GIMP3_DIRECTORY", "")
    for version, those in by_version.items():
        folder = base / version
        if own and not {".var", "snap"} & set(base.relative_to(base.anchor).parts):
            folder = Path(own) if os.path.isabs(own) else world.home / own
        yield Target("gimp", folder / "plug-ins", _system("gimp", world), None, tuple(those))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(n) for n in version.split("."))


def _gimp_packages(world: World) -> Iterator[Program]:
    seen: set[Path] = set()
    names = [f"gimp{kind}-3.{minor}" for minor in range(6, -1, -1) for kind in ("", "-console")]
    for name in [*names, "gimp-3", "gimp", "gimp-console"]:
        program = world.which(name)
        if program is None or _is_wrapper(program):
            continue
        real = program.resolve()
        version = dotted(real.name)
        prefix = real.parent.parent
        if real in seen or any(version == ".".join(p.version.split(".")[:2]) for p in _known(seen, prefix)):
            continue
        seen.add(real)
        full = released(prefix, "gimp")
        if not full.startswith(version):
            full = version
        if full and not full.startswith("3."):
            continue
        python = _interpreter_of_gimp(world, prefix)
        title = _title("GIMP", full, "Linux package")
        yield Program(title, program, full, python_named([python.resolve()]) if python else None, python)


def _known(seen: set[Path], prefix: Path) -> Iterator[Program]:
    for path in seen:
        if path.parent.parent == prefix:
            yield Program("", path, dotted(path.name))


def too_old(world: World | None = None) -> Path | None:
    """A GIMP 2 on the search path, where there is no newer one."""
    world = world or World.here()
    program = world.which("gimp")
    if program and not _is_wrapper(program) and dotted(program.resolve().name).startswith("2."):
        return program
    return None


def _interpreter_of_gimp(world: World, prefix: Path) -> Path | None:
    """The ``python3`` that GIMP starts plug-ins with."""
    for file in matching(prefix, "lib/gimp/3.*/interpreters/*", "lib/*/gimp/3.*/interpreters/*"):
        try:
            found = re.search(r"^python3=(.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
        except (OSError, ValueError):
            continue
        if found and Path(found[1].strip()).is_file():
            return Path(found[1].strip())
    own = prefix / "bin" / "python3"
    return own if own.is_file() else world.which("python3")


def _gimp_windows(world: World) -> Iterator[Program]:
    for folder in world.program_folders():
        for at in (p for p in listing(folder) if p.name.lower().startswith("gimp")):
            programs = [p for p in listing(at / "bin") if re.match(r"gimp-3(\.\d+)?\.exe\Z", p.name)]
            if not programs:
                continue
            program = max(programs, key=lambda p: dotted(p.name))
            version = released(at, "gimp") or dotted(program.name)
            python = python_named(matching(at, "bin/libpython3.*.dll", "lib/python3.*"))
            exe = next((p for p in matching(at, "bin/python3.exe", "bin/python.exe")), None)
            yield Program(_title("GIMP", version, "Windows"), program, version, python, exe)


# -- both -----------------------------------------------------------------------------------------


def _title(name: str, version: str, kind: str) -> str:
    return f"{name} {version} ({kind})" if version else f"{name} ({kind})"


def _is_wrapper(program: Path) -> bool:
    """Whether a program on the search path only starts a Flatpak or a Snap, which are found as such."""
    parts = {*program.parts, *program.resolve().parts}
    return "snap" in parts or "flatpak" in parts


def _interpreter(world: World, python: Version | None) -> Path | None:
    """The system's own interpreter of this version, for trying things out."""
    if python is None:
        return None
    name = f"python{python[0]}.{python[1]}"
    system = world.root / "usr" / "bin" / name
    return system if system.is_file() else world.which(name)


def _appimages(world: World, editor: str) -> Iterator[Program]:
    for file in world.appimages(editor):
        version = dotted(file.name)
        # An AppImage shows what is in it only to whom unpacks it: its Python stays unknown.
        yield Program(_title(NAMES[editor], version, "AppImage"), file, version)


def _flatpaks(world: World, editor: str) -> Iterator[Program]:
    for deployed in flatpaks(world, FLATPAK[editor]):
        version = released(deployed / "files", editor)
        yield Program(
            _title(NAMES[editor], version, "Flatpak"),
            deployed,
            version,
            flatpak_python(deployed),
            note=flatpak_note(world, FLATPAK[editor], deployed),
        )


def _snaps(world: World, editor: str) -> Iterator[Program]:
    deployed = world.root / "snap" / editor / "current"
    if deployed.exists():
        version = released(deployed / "usr", editor) or released(deployed, editor)
        python = python_named(matching(deployed, "usr/lib/python3.*", "lib/python3.*"))
        # What a Snap may reach is fixed by whoever made it.
        note = f"Install {NAMES[editor]} in another way: as a package, an AppImage or a Flatpak."
        yield Program(_title(NAMES[editor], version, "Snap"), deployed, version, python, note=note)


def _bundles(world: World, editor: str) -> Iterator[Program]:
    for folder in world.applications():
        for app in (p for p in listing(folder) if re.match(rf"{editor}.*\.app\Z", p.name, re.IGNORECASE)):
            version = bundle_version(app)
            if editor == "gimp" and version and not version.startswith("3."):
                continue
            versions = "Frameworks/Python.framework/Versions/3.*"
            python = python_named(
                matching(
                    app / "Contents",
                    versions,
                    f"Resources/{versions}",
                    f"Resources/Library/{versions}",
                    "Resources/lib/python3.*",
                    "Frameworks/lib/python3.*",
                )
            )
            yield Program(_title(NAMES[editor], version, "macOS"), app, version, python)
