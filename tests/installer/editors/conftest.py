"""A copy of Scumble and a home folder of their own, both in paths with a space and an umlaut."""

import base64
import hashlib
import io
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from scumble.installer import requirements
from scumble.installer.console import Console
from scumble.installer.editors import wheels
from scumble.installer.editors.world import World
from scumble.installer.problem import Problem

ROOT = Path(__file__).resolve().parents[3]
VERSION = requirements.pinned(ROOT, "pyzmq").partition("==")[2]
#: The tags that stand in a wheel's name for each system.
TAGS = {
    "linux-x86_64": "manylinux_2_28_x86_64",
    "linux-arm64": "manylinux_2_28_aarch64",
    "windows-x86_64": "win_amd64",
    "windows-arm64": "win_arm64",
    "macos": "macosx_10_15_universal2",
}


def tiny_pyzmq(folder: Path, build: wheels.Build, version: str = VERSION, more: str = "") -> Path:
    """A wheel of pyzmq for this build that holds next to nothing."""
    python = f"cp{build.python[0]}{build.python[1]}"
    tag = f"{python}-{'abi3' if build.name.startswith('abi') else python}-{TAGS[build.system]}"
    info = f"pyzmq-{version}.dist-info"
    files = {
        "zmq/__init__.py": f"built_for = {build.name!r}\n{more}",
        "zmq/tests/test_large.py": "not needed",
        "pyzmq.libs/libzmq.so": "library",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: pyzmq\nVersion: {version}\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nTag: {tag}\n",
    }
    wheel = folder / f"pyzmq-{version}-{tag}.whl"
    record = ""
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            record += f"{path},sha256={digest},{len(text.encode())}\n"
        archive.writestr(f"{info}/RECORD", f"{record}{info}/RECORD,,\n")
    return wheel


class Place:
    """A copy of Scumble, a home folder and a package server (a folder), and the commands run with them."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.clone = base / "my clone ö"
        self.home = base / "my home ö"
        self.shop = base / "shop"
        for folder in (self.clone, self.home, self.shop):
            folder.mkdir()
        for name in ("setup.cfg", "pyproject.toml", "constraints.txt"):
            shutil.copy2(ROOT / name, self.clone / name)
        for name in ("installer", "plugin", "shared"):
            shutil.copytree(
                ROOT / name, self.clone / name, ignore=shutil.ignore_patterns("__pycache__", "*.partial")
            )
        kept = ("PATH", "SYSTEMROOT", "TMPDIR", "TEMP", "TMP")
        self.variables = {k: v for k, v in os.environ.items() if k in kept} | {
            "HOME": str(self.home),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.shop),
            "PIP_NO_CACHE_DIR": "1",
            "PYTHONIOENCODING": "utf-8",
        }
        # Only this one's editors: those of the machine may be there or not.
        tools = base / "bin"
        tools.mkdir()
        self.variables["PATH"] = str(tools)

    def run(self, *arguments: str, code: int | None = 0, **more: str) -> str:
        """Run the installer; returns what it said to its end."""
        done = subprocess.run(
            [sys.executable, "-m", "installer", *arguments],
            cwd=self.clone,
            env={**self.variables, **more},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            timeout=300,
        )
        assert code is None or done.returncode == code, done.stdout
        assert "Traceback" not in done.stdout
        return done.stdout

    def editor(self, name: str) -> Path:
        """Something that looks like an installed editor: a program on the search path."""
        program = self.base / "prefix" / "bin" / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text("#!/bin/sh\nexit 1\n")
        program.chmod(0o755)
        link = self.base / "bin" / name
        link.symlink_to(program)
        return link

    def everything(self) -> dict[str, bytes]:
        """All files in the home folder with their contents."""
        files = (p for p in self.home.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
        return {p.relative_to(self.home).as_posix(): p.read_bytes() for p in files}


@pytest.fixture
def bare_place(tmp_path: Path) -> Place:
    """A fresh one, with builds of pyzmq for this system in its shop."""
    made = Place(tmp_path)
    for build in wheels.builds(World.here().platform):
        tiny_pyzmq(made.shop, build)
    return made


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A fresh one that has fetched pyzmq already; its shop is empty."""
    made = Place(tmp_path)
    for build in wheels.builds(World.here().platform):
        kept = made.clone / ".scumble" / "cache" / "wheels" / build.name
        kept.mkdir(parents=True)
        tiny_pyzmq(kept, build)
    return made


@pytest.fixture(scope="session")
def real_pyzmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[wheels.Build, Path]]:
    """pyzmq's real builds for this system, fetched once with the installer's own code."""
    folder = tmp_path_factory.mktemp("wheels") / "cache" / "wheels"
    store = wheels.Store(
        folder, requirements.pinned(ROOT, "pyzmq"), Path(sys.executable), Console(io.StringIO())
    )
    try:
        yield store.get(wheels.builds(World.here().platform))
    except Problem as problem:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"pyzmq cannot be fetched here: {problem.message}")
