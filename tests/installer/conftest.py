"""A clone in small: the real installer with packages of a few bytes, so that no network is needed."""

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import scumble.installer

#: Stands in for every library that the set-up imports to try itself out.
MODULES = {
    "torch": ["torch", "cv2", "PIL", "zmq", "safetensors"],
    "numpy": ["numpy"],
    "small": ["small"],
    "pytest": ["pytest"],
    "setuptools": ["setuptools"],
}
SETUP = """
[options]
install_requires =
    torch>=1
    numpy
    small

[options.extras_require]
test =
    pytest
"""
#: A build backend that makes an editable install without setuptools.
BACKEND = """
import base64, hashlib, os, zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    name = "scumble-1-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as wheel:
        wheel.writestr("scumble.pth", os.path.join(os.getcwd(), "src") + "\\n")
        info = "scumble-1.dist-info/"
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: scumble\\nVersion: 1\\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(info + "RECORD", "")
    return name

def build_wheel(folder, config_settings=None, metadata_directory=None):
    raise SystemExit("not needed")
"""


def make_wheel(folder: Path, name: str, version: str, files: dict[str, str]) -> Path:
    """A wheel with these files."""
    info = f"{name}-{version}.dist-info"
    content = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in content.items():
            archive.writestr(path, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            record += f"{path},sha256={digest},{len(text.encode())}\n"
        archive.writestr(f"{info}/RECORD", record + f"{info}/RECORD,,\n")
    return wheel


class Clone:
    """A small clone of its own with a package server of its own: a folder."""

    def __init__(self, root: Path, wheels: Path, variables: dict[str, str]) -> None:
        self.root = root
        self.wheels = wheels
        self.variables = variables
        self.environment = root / ".scumble" / "env"
        self.log = root / ".scumble" / "install.log"

    def command(self, *arguments: str) -> list[str]:
        """The command line of the installer."""
        return [sys.executable, "-m", "installer", *arguments]

    def run(self, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
        """Run the installer to its end."""
        return subprocess.run(
            self.command(*arguments),
            cwd=self.root,
            env={**self.variables, **more},
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
        )

    def installs(self) -> list[str]:
        """pip's command lines so far that installed packages by name."""
        lines = self.log.read_text(encoding="utf-8").splitlines()
        return [line for line in lines if line.startswith("$ pip install --no-deps --progress-bar")]


@pytest.fixture(scope="module")
def make_clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Clone]]:
    """Makes clones by name, all with the same tiny packages."""
    base = tmp_path_factory.mktemp("clones")
    wheels = base / "wheels"
    wheels.mkdir()
    for name, modules in MODULES.items():
        files = {f"{m}/__init__.py": "" for m in modules}
        if name == "pytest":
            files["pytest/__main__.py"] = (
                "import sys; print(sys.argv[1:]); print('3 passed in 0.1s'); sys.exit(5)"
            )
        make_wheel(wheels, name, "1.0", files)

    def make(name: str) -> Clone:
        root = base / name
        root.mkdir()
        shutil.copytree(
            Path(scumble.installer.__file__).parent,
            root / "installer",
            ignore=shutil.ignore_patterns("__pycache__"),
        )
        (root / "setup.cfg").write_text(SETUP)
        (root / "constraints.txt").write_text("torch==1.0\nnumpy==1.0\nsmall==1.0\n")
        (root / "pyproject.toml").write_text(
            '[build-system]\nrequires = []\nbuild-backend = "tiny"\nbackend-path = ["."]\n'
        )
        (root / "tiny.py").write_text(BACKEND)
        for package in ("shared", "backend"):
            folder = root / "src" / "scumble" / package
            folder.mkdir(parents=True)
            (folder / "__init__.py").touch()
        variables = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "SCUMBLE_"))}
        # The user's own editors and plug-ins are not touched.
        homes = ("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA")
        own = {variable: str(base / f"{name} home") for variable in homes}
        variables = {k: v for k, v in variables.items() if not k.startswith("XDG_")} | own
        variables |= {
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(wheels),
            "PIP_NO_CACHE_DIR": "1",
            "SCUMBLE_CONFIG_DIR": str(base / f"{name} config"),
            "SCUMBLE_STATE_DIR": str(base / f"{name} state"),
            "SCUMBLE_RUNTIME_DIR": str(base / f"{name} run"),
            "SCUMBLE_TORCH_INDEX": "",
            "PYTHONIOENCODING": "utf-8",
        }
        return Clone(root, wheels, variables)

    yield make
    shutil.rmtree(base, ignore_errors=True)
