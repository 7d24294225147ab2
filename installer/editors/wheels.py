"""pyzmq for the Python inside an editor: fetched with pip from anywhere for any system, checked, unpacked.

One folder of the installed plug-in's ``vendor`` is one unpacked wheel; its name says which Python and
system it is for, and ``scumble.plugin.common.vendor`` picks the one that fits (a test holds the two
together).  pyzmq is built for each of Python 3.10 and 3.11, and once, with the stable ABI, for 3.12 and
everything later.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import re
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..checks import has_module
from ..console import Console
from ..pip import Pip
from ..problem import Problem
from .world import Version

#: The systems for which there are builds, as pip calls them.
PLATFORMS: dict[str, tuple[str, ...]] = {
    "linux-x86_64": ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"),
    "linux-arm64": ("manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64"),
    "windows-x86_64": ("win_amd64",),
    "windows-arm64": ("win_arm64",),
    "macos": ("macosx_11_0_universal2", "macosx_10_15_universal2"),
}
#: The first Python of the stable ABI.
ABI: Version = (3, 12)
OLDEST: Version = (3, 10)
#: pyzmq's own tests and what is needed to compile it are of no use in an editor.
_SKIPPED = re.compile(r"\Azmq/tests/|\.(pyx|pxd|pxi|h|c)\Z")


@dataclass(frozen=True)
class Build:
    """A build of pyzmq.

    :param python: the Python it is for; with ``ABI`` or later, this and all later ones.
    :param system: a key of :data:`PLATFORMS`.
    """

    python: Version
    system: str

    @property
    def name(self) -> str:
        """The folder in ``vendor``."""
        kind = "abi" if self.python >= ABI else "cp"
        return f"{kind}{self.python[0]}{self.python[1]}-{self.system}"

    @property
    def words(self) -> str:
        """For people."""
        later = " and later" if self.python >= ABI else ""
        return f"Python {self.python[0]}.{self.python[1]}{later} on {self.system}"


def builds(system: str) -> list[Build]:
    """All builds for a system; together they serve every Python that Scumble runs in."""
    if system not in PLATFORMS:
        return []
    return [Build((3, 10), system), Build((3, 11), system), Build(ABI, system)]


def fitting(python: Version | None, system: str) -> Build | None:
    """The build that serves this Python, or None if none does, or the Python is not known."""
    if python is None or python < OLDEST or system not in PLATFORMS:
        return None
    return Build(min(python, ABI), system)


class Store:
    """Wheels that were fetched, kept for the next time.

    :param folder: where they lie.
    :param requirement: ``pyzmq==27.3.0``.
    :param python: an interpreter whose pip fetches what is missing.
    """

    def __init__(self, folder: Path, requirement: str, python: Path, console: Console) -> None:
        self.folder = folder
        self.requirement = requirement
        self.python = python
        self.console = console
        self._pip = Pip(python, folder.parent.parent / "install.log")

    def kept(self, build: Build) -> Path | None:
        """The wheel for this build if it is here and whole."""
        wanted = self.requirement.partition("==")[2]
        for wheel in sorted((self.folder / build.name).glob("*.whl")):
            if wanted in ("", wheel.name.split("-")[1]) and is_whole(wheel):
                return wheel
        return None

    def get(self, wanted: Sequence[Build]) -> dict[Build, Path]:
        """The wheels for these builds, fetched where they are not here yet.

        :raises Problem: with what to do.
        """
        found = {build: self.kept(build) for build in wanted}
        missing = [build for build, wheel in found.items() if wheel is None]
        if missing:
            self._ready()
            what = missing[0].words if len(missing) == 1 else f"{len(missing)} builds"
            with self.console.step(f"pyzmq for {what}"):
                for build in missing:
                    found[build] = self._fetch(build)
        return {build: wheel for build, wheel in found.items() if wheel is not None}

    def _ready(self) -> None:
        if self.python != Path(sys.executable) or has_module("pip"):
            return
        raise Problem(
            "pyzmq, which the plug-in needs, cannot be fetched: this Python has no pip.",
            "Run this first: python3 -m installer setup   (then the same command again)",
        )

    def _fetch(self, build: Build) -> Path:
        folder = self.folder / build.name
        self.folder.mkdir(parents=True, exist_ok=True)
        version = f"{build.python[0]}.{build.python[1]}"
        with tempfile.TemporaryDirectory(dir=self.folder) as partial:
            arguments = ["download", "--no-deps", "--only-binary", ":all:", "--implementation", "cp"]
            arguments += ["--python-version", version, "--retries", "2", "--progress-bar", "off"]
            for platform in PLATFORMS[build.system]:
                arguments += ["--platform", platform]
            self._pip.run([*arguments, "-d", partial, self.requirement], f"pyzmq for {build.words}")
            wheel = next(Path(partial).glob("*.whl"), None)
            if wheel is None or not is_whole(wheel):
                raise Problem(
                    f"What the package server sent as pyzmq for {build.words} is damaged.",
                    "Run the same command again; with a package server of your own, look at its files.",
                    1,
                )
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            os.replace(wheel, folder / wheel.name)
        return folder / wheel.name


def is_whole(wheel: Path) -> bool:
    """Whether every file of a wheel is listed in it and has the hash that is listed."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = [n for n in archive.namelist() if not n.endswith("/")]
            record = next(n for n in names if n.endswith(".dist-info/RECORD"))
            listed = {row[0]: row[1] for row in csv.reader(io.StringIO(archive.read(record).decode())) if row}
            for name in names:
                if name == record or name.endswith((".jws", ".p7s")):
                    continue
                kind, _, digest = listed[name].partition("=")
                actual = hashlib.new(kind, archive.read(name)).digest()
                if base64.urlsafe_b64encode(actual).rstrip(b"=").decode() != digest:
                    return False
            return any(n.startswith("zmq/") for n in names)
    except (OSError, zipfile.BadZipFile, StopIteration, KeyError, ValueError, IndexError, EOFError):
        return False


def contents(wheel: Path) -> list[tuple[str, bytes]]:
    """What of a wheel goes into ``vendor``: (path, content).

    :raises Problem: for a wheel that would write elsewhere.
    """
    found = []
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name:
                raise Problem(f"The package {wheel.name} is not what it should be.", "Do not use it.", 1)
            if not name.endswith("/") and not _SKIPPED.search(name):
                found.append((name, archive.read(name)))
    return found
