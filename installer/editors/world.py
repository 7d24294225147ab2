"""What the search for editors looks at: the system, the user's folders, and what programs tell of themselves.

Everything goes through :class:`World`, so that the folders of another system can be worked out, and tested,
on this one.
"""

from __future__ import annotations

import os
import platform
import plistlib
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

Version = tuple[int, int]


@dataclass(frozen=True)
class Program:
    """An editor that is installed.

    :param title: e.g. ``Krita 5.2.9 (Flatpak)``.
    :param at: where it was found.
    :param version: ``5.2.9``, or ``""`` if it is not known without starting it.
    :param python: (major, minor) of the Python in it, or None if that is not known.
    :param interpreter: a program that runs this Python, for trying things out, or None.
    :param note: what to do so that this one, shut into a sandbox, reaches the backend, or ``""``.
    """

    title: str
    at: Path
    version: str = ""
    python: Version | None = None
    interpreter: Path | None = None
    note: str = ""


@dataclass(frozen=True)
class Target:
    """A folder that receives the plug-in, and the programs that look into it.

    :param editor: ``krita`` or ``gimp``.
    :param plugins: ``pykrita``, or GIMP's ``plug-ins``.
    :param kritarc: Krita's settings file, or None if it is not known.
    :param system: as ``scumble.plugin.common.vendor.platform_name`` calls it.
    """

    editor: str
    plugins: Path
    system: str
    kritarc: Path | None = None
    programs: tuple[Program, ...] = ()

    @property
    def present(self) -> bool:
        """Whether a program is there, or has been: its folder is."""
        return bool(self.programs) or self.plugins.parent.is_dir()

    @property
    def title(self) -> str:
        """The programs' names, for people."""
        name = {"krita": "Krita", "gimp": "GIMP"}[self.editor]
        return ", ".join(p.title for p in self.programs) or f"{name}'s folder {self.plugins}"


@dataclass(frozen=True)
class World:
    """A computer as the search sees it.

    :param system: like ``sys.platform``.
    :param root: what stands for ``/``.
    :param machine: ``x86_64`` or ``arm64``.
    """

    system: str
    home: Path
    env: Mapping[str, str] = field(default_factory=dict)
    root: Path = Path("/")
    machine: str = "x86_64"

    @staticmethod
    def here() -> World:
        """This computer."""
        machine = platform.machine().lower()
        machine = {"amd64": "x86_64", "aarch64": "arm64"}.get(machine, machine)
        return World(sys.platform, Path.home(), dict(os.environ), machine=machine)

    @property
    def platform(self) -> str:
        """The name of this system's builds of pyzmq."""
        if self.system == "darwin":
            return "macos"
        return f"{'windows' if self.system == 'win32' else 'linux'}-{self.machine}"

    def which(self, name: str) -> Path | None:
        """A program on the search path."""
        found = shutil.which(name, path=self.env.get("PATH", os.defpath))
        return Path(found) if found else None

    def folder(self, variable: str, fallback: str) -> Path:
        """A folder of the user's that a variable names, or its usual place in the home folder."""
        value = self.env.get(variable, "")
        # An editor ignores a relative path here, as the standard for these variables asks.
        return Path(value) if os.path.isabs(value) else self.home / fallback

    def xdg_data(self) -> Path:
        """``~/.local/share``, usually."""
        return self.folder("XDG_DATA_HOME", ".local/share")

    def xdg_config(self) -> Path:
        """``~/.config``, usually."""
        return self.folder("XDG_CONFIG_HOME", ".config")

    def roaming(self) -> Path:
        """Windows' ``%APPDATA%``."""
        return self.folder("APPDATA", "AppData/Roaming")

    def local(self) -> Path:
        """Windows' ``%LOCALAPPDATA%``."""
        return self.folder("LOCALAPPDATA", "AppData/Local")

    def program_folders(self) -> Iterator[Path]:
        """Where Windows' programs are installed, each folder once."""
        names = ("ProgramW6432", "ProgramFiles", "ProgramFiles(x86)")
        found = [Path(self.env[n]) for n in names if self.env.get(n)] + [self.local() / "Programs"]
        yield from dict.fromkeys(found)

    def applications(self) -> Iterator[Path]:
        """Where macOS' programs are."""
        yield self.root / "Applications"
        yield self.home / "Applications"

    def appimages(self, name: str) -> Iterator[Path]:
        """AppImages of this program where people keep them."""
        kept = ("Applications", "AppImages", "Downloads", "Desktop", "bin", ".local/bin", "")
        folders = [self.home / k for k in kept] + [self.root / "opt", self.root / "usr/local/bin"]
        pattern = re.compile(rf"\A{name}[^/]*\.appimage\Z", re.IGNORECASE)
        for folder in dict.fromkeys(folders):
            yield from (p for p in listing(folder) if pattern.match(p.name) and p.is_file())


def listing(folder: Path) -> list[Path]:
    """What is in a folder, sorted; nothing if it cannot be read."""
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def matching(folder: Path, *patterns: str) -> Iterator[Path]:
    """Files below a folder that match one of the patterns; nothing where it cannot be read."""
    for pattern in patterns:
        try:
            yield from sorted(folder.glob(pattern))
        except OSError:
            continue


def dotted(text: str) -> str:
    """The first thing in a text that looks like a version."""
    found = re.search(r"(?<![\d.])(\d+\.\d+(?:\.\d+)?)", text)
    return found[1] if found else ""


def released(prefix: Path, name: str) -> str:
    """The version that a program's own description below its prefix names, or ``""``."""
    for file in matching(prefix, f"share/metainfo/*{name}*.xml", f"share/appdata/*{name}*.xml"):
        try:
            text = file.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        if re.search(rf"<id>[^<]*{name}(\.desktop)?</id>", text, re.IGNORECASE):
            found = re.search(r"<release\b[^>]*\bversion=\"([\d.]+)", text)
            if found:
                return found[1]
    return ""


def bundle_version(app: Path) -> str:
    """The version in a macOS bundle's description."""
    try:
        with (app / "Contents" / "Info.plist").open("rb") as stream:
            return dotted(str(plistlib.load(stream).get("CFBundleShortVersionString", "")))
    except (OSError, ValueError):  # plistlib's own error is a ValueError
        return ""


def python_named(paths: Iterable[Path]) -> Version | None:
    """The newest Python in names such as ``python3.12``, ``python312.dll``, ``Versions/3.10``."""
    found: set[Version] = set()
    for path in paths:
        name = re.search(r"(?:python|\A)3\.?(\d{1,2})(?!\d)", path.name)
        if name:
            found.add((3, int(name[1])))
    return max(found, default=None)


def flatpaks(world: World, app: str) -> Iterator[Path]:
    """The deployed folders of a Flatpak application, the system's and the user's."""
    for base in (world.root / "var/lib/flatpak", world.home / ".local/share/flatpak"):
        deployed = base / "app" / app / "current" / "active"
        if deployed.exists():
            yield deployed


def flatpak_python(deployed: Path) -> Version | None:
    """The Python in a Flatpak: its own, or its runtime's."""
    own = python_named(matching(deployed / "files", "lib/python3.*"))
    if own:
        return own
    runtime = _keys(deployed / "metadata").get("runtime", "")
    # .../app/ID/current/active -> .../runtime/ID/ARCH/BRANCH/active
    base = deployed.parent.parent.parent.parent
    return python_named(matching(base / "runtime" / runtime / "active" / "files", "lib/python3.*"))


def flatpak_note(world: World, app: str, deployed: Path) -> str:
    """What a Flatpak has to be allowed, so that it reaches the backend; ``""`` if it is."""
    allowed: dict[str, set[str]] = {"shared": set(), "filesystems": set()}
    files = [deployed / "metadata"]
    for base in (world.root / "var/lib/flatpak", world.home / ".local/share/flatpak"):
        files += [base / "overrides" / "global", base / "overrides" / app]
    for file in files:
        keys = _keys(file)
        for name, values in allowed.items():
            values.update(v for v in keys.get(name, "").split(";") if v)
    missing = [] if "network" in allowed["shared"] else ["--share=network"]
    if not any(f.partition(":")[0] == "xdg-run/scumble" for f in allowed["filesystems"]):
        missing.append("--filesystem=xdg-run/scumble")
    if not missing:
        return ""
    return f"flatpak override --user {' '.join(missing)} {app}"


def _keys(file: Path) -> dict[str, str]:
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    return {k.strip(): v.strip() for k, eq, v in (line.partition("=") for line in lines) if eq}
