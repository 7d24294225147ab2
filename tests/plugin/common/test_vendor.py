"""An installed plug-in finds the pyzmq that fits the Python it runs in, or says what to do."""

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from scumble.plugin.common import vendor

SOURCE = Path(vendor.__file__)
HERE = (sys.version_info[0], sys.version_info[1])


def put(root: Path, name: str, content: str = "") -> Path:
    folder = root / "vendor" / name
    (folder / "zmq").mkdir(parents=True)
    (folder / "zmq" / "__init__.py").write_text(content)
    return folder


def alone(code: str, root: Path) -> str:
    """What a Python with no pyzmq of its own prints; the module is loaded as a file, as it may be."""
    code = f"import sys, pathlib; sys.path.insert(0, {str(SOURCE.parent)!r}); import vendor\n{code}"
    command = [sys.executable, "-I", "-S", "-c", code, str(root)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


ACTIVATE = "print(vendor.activate(pathlib.Path(sys.argv[1])) or sys.modules['zmq'].__file__)"


@pytest.mark.parametrize(
    ("version", "best"),
    [
        ((3, 10), ["cp310-macos"]),
        ((3, 11), ["cp311-macos"]),
        ((3, 12), ["cp312-macos", "abi312-macos"]),
        ((3, 14), ["cp314-macos", "abi314-macos", "abi313-macos", "abi312-macos"]),
    ],
)
def test_the_stable_abi_serves_its_version_and_every_later_one(
    version: tuple[int, int], best: list[str]
) -> None:
    assert vendor.names(version, "macos") == best


@pytest.mark.parametrize(
    ("system", "built_for", "name"),
    [
        ("linux", "linux-x86_64", "linux-x86_64"),
        ("linux", "linux-aarch64", "linux-arm64"),
        ("win32", "win-amd64", "windows-x86_64"),
        ("win32", "win-arm64", "windows-arm64"),
        ("win32", "win32", "windows-x86"),
        ("win32", "mingw_x86_64_ucrt_llvm", "mingw-x86-64-ucrt-llvm"),
        ("darwin", "macosx-11.0-arm64", "macos"),
        ("darwin", "macosx-10.15-universal2", "macos"),
    ],
)
def test_every_system_has_one_name(
    system: str, built_for: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(sysconfig, "get_platform", lambda: built_for)
    assert vendor.platform_name() == name


def test_the_exact_build_is_taken_before_the_stable_abi_and_other_systems_never(tmp_path: Path) -> None:
    put(tmp_path, "cp310-elsewhere")
    assert vendor.choose(tmp_path) is None
    wanted = vendor.names()
    for name in reversed(wanted):
        folder = put(tmp_path, name)
        assert vendor.choose(tmp_path) == folder


def test_a_zmq_right_in_the_vendor_folder_will_do(tmp_path: Path) -> None:
    (tmp_path / "vendor" / "zmq").mkdir(parents=True)
    assert vendor.choose(tmp_path) is None
    (tmp_path / "vendor" / "zmq" / "__init__.py").touch()
    assert vendor.choose(tmp_path) == tmp_path / "vendor"


def test_the_chosen_one_is_the_one_that_is_imported(tmp_path: Path) -> None:
    folder = put(tmp_path / "plug in ö", vendor.names()[0])
    assert alone(ACTIVATE, tmp_path / "plug in ö") == str(folder / "zmq" / "__init__.py")


def test_without_a_fitting_one_the_sentence_says_what_to_run(tmp_path: Path) -> None:
    said = alone(ACTIVATE, tmp_path)
    assert said.startswith("Scumble was installed without a pyzmq for this program's Python")
    assert f"{HERE[0]}.{HERE[1]}" in said and "installer doctor" in said


def test_one_that_does_not_load_is_a_sentence_and_no_traceback(tmp_path: Path) -> None:
    put(tmp_path, vendor.names()[0], "raise OSError('DLL load failed: C:/Users/somebody')")
    said = alone(ACTIVATE, tmp_path)
    assert said.startswith("Scumble's pyzmq cannot be loaded (OSError).") and "somebody" not in said


def test_a_python_that_is_too_old_is_named(tmp_path: Path) -> None:
    said = alone("sys.version_info = (3, 8, 1)\n" + ACTIVATE, tmp_path)
    assert said.startswith("Scumble needs Python 3.10 or newer, and this program comes with 3.8.")
