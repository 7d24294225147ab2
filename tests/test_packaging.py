"""What is built contains what it needs and nothing else."""

import configparser
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("backend", "shared", "plugin", "installer")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scumble's wheel, built from a copy of the tree in a path with a space and an umlaut."""
    copy = tmp_path_factory.mktemp("build") / "a tree ö"
    copy.mkdir()
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE", "constraints.txt"):
        shutil.copy2(ROOT / name, copy / name)
    for name in PACKAGES:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run([*command, "-w", str(copy / "dist"), str(copy)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return next((copy / "dist").glob("*.whl"))


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    return set(zipfile.ZipFile(wheel).namelist())


def test_every_module_of_every_package_is_in_the_wheel(names: set[str]) -> None:
    expected = {
        f"scumble/{file.relative_to(ROOT).as_posix()}"
        for package in PACKAGES
        for file in (ROOT / package).rglob("*.py")
    }
    assert expected - names == set()


def test_weights_and_styles_are_in_the_wheel(names: set[str]) -> None:
    expected = {
        f"scumble/{file.relative_to(ROOT).as_posix()}"
        for folder in ("backend/models/weights", "backend/styles/gallery")
        for file in (ROOT / folder).iterdir()
        if file.is_file()
    }
    assert any(name.endswith(".safetensors") for name in expected)
    assert sum(name.endswith(".thumb.jpg") for name in expected) >= 12
    assert expected - names == set()


def test_nothing_else_is_in_the_wheel(names: set[str]) -> None:
    assert {name.partition("/")[0] for name in names} <= {"scumble", "scumble-0.1.0.dist-info"}
    assert not any(
        "test" in Path(name).name and "installer" not in name for name in names if name.endswith(".py")
    )
    assert any(name.endswith("LICENSE") for name in names)


def test_the_command_is_declared(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        points = archive.read("scumble-0.1.0.dist-info/entry_points.txt").decode()
    assert "scumble = scumble.backend.cli:main" in points


def test_the_wheel_installs_and_runs_without_the_clone(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "site ö"
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--no-index",
        "--target",
        str(target),
    ]
    subprocess.run([*command, str(wheel)], check=True, capture_output=True)
    code = (
        f"import sys; sys.path.insert(0, {str(target)!r})\n"
        "import scumble.backend.models.bundled as b, scumble.backend.styles.gallery_index as g\n"
        "print(b.__file__); b.bundled(); print(len(g.gallery()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    where, count = done.stdout.split("\n")[:2]
    assert where.startswith(str(target))
    assert int(count) >= 12


def test_every_requirement_is_pinned() -> None:
    config = configparser.ConfigParser(interpolation=None)
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    wanted = config["options"]["install_requires"].split()
    wanted += " ".join(config["options.extras_require"].values()).split()
    pins = {
        line.partition("==")[0].lower()
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if "==" in line
    }
    assert {w.partition(">=")[0].lower() for w in wanted} - pins == set()


def test_what_is_installed_here_is_what_the_constraints_say() -> None:
    from importlib.metadata import PackageNotFoundError, version

    from packaging.requirements import Requirement

    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if "==" not in line or line.startswith("#"):
            continue
        pin = Requirement(line)
        if pin.name in ("pip", "setuptools") or (pin.marker and not pin.marker.evaluate()):
            continue
        try:
            found = version(pin.name)
        except PackageNotFoundError:
            continue
        assert pin.specifier.contains(found.partition("+")[0]), f"{pin.name} {found}"
