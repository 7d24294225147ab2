"""What a machine lacks is said before anything is fetched."""

import errno
import os
import shutil
import socket
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from scumble.installer import checks
from scumble.installer.pip import Pip, explain
from scumble.installer.problem import Problem

Usage = namedtuple("Usage", "total used free")


def test_too_little_room_is_said_with_both_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda at: Usage(10**10, 10**10 - 3 * 10**8, 3 * 10**8))
    with pytest.raises(Problem, match=r"300 MB free at .* about 2\.5 GB needed") as caught:
        checks.room(tmp_path / "not" / "there" / "yet")
    assert "SCUMBLE_ENV" in caught.value.hint


def test_enough_room_passes(tmp_path: Path) -> None:
    assert checks.room(tmp_path / "new", needed=1) > 0


def test_a_folder_that_is_new_is_made_and_left_empty(tmp_path: Path) -> None:
    folder = tmp_path / "a b" / "ö"
    checks.writable(folder)
    assert list(folder.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a process with fewer rights")
def test_no_right_to_write_is_said_with_the_folder(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    tmp_path.chmod(0o755)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover - the child reports through the pipe
        said = "nothing was raised"
        try:
            if os.getuid() == 0:  # for root nothing is closed
                os.setuid(65534)
            checks.writable(closed / "env")
        except Problem as problem:
            said = f"{problem.message}|{problem.hint}"
        except BaseException as error:
            said = repr(error)
        os.write(writer, said.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as stream:
        said = stream.read()
    os.waitpid(child, 0)
    assert said.startswith(f"Scumble may not write into {closed}/env.")
    assert "SCUMBLE_ENV=FOLDER" in said


def test_a_full_disk_met_while_writing_is_told_apart() -> None:
    full = checks.full_or(OSError(errno.ENOSPC, "No space left on device"), Path("/x"))
    assert "not enough room" in full.message


def test_this_python_can_make_environments() -> None:
    assert checks.virtual_environments() in ("venv", "virtualenv", "pip")


def test_a_python_without_venv_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "has_module", lambda name: name == "venv")
    with pytest.raises(Problem, match="virtual environments") as caught:
        checks.virtual_environments()
    assert f"python3.{sys.version_info[1]}-venv" in caught.value.hint


def test_without_ensurepip_an_installed_virtualenv_or_pip_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "has_module", lambda name: name == "virtualenv")
    assert checks.virtual_environments() == "virtualenv"
    monkeypatch.setattr(checks, "has_module", lambda name: name in ("venv", "pip"))
    assert checks.virtual_environments() == "pip"


def test_a_package_server_out_of_reach_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for name in [n for n in os.environ if n.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{port}/simple")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    pip = Pip(Path(sys.executable), tmp_path / "log")
    with pytest.raises(Problem, match="package server cannot be reached, so torch") as caught:
        pip.run(["download", "--retries", "1", "-d", str(tmp_path), "numpy"], "torch")
    assert "goes on where it stopped" in caught.value.hint
    assert "127.0.0.1" in (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk"),
        ("ERROR: Could not find a version that satisfies the requirement torch==9", "no build of torch"),
        (
            "ERROR: Could not install packages due to an OSError: [Errno 13] Permission denied: '/x'",
            "permission",
        ),
        ("ERROR: something new", "Installing torch failed: something new"),
        ("", "Installing torch failed."),
    ],
)
def test_what_pip_says_becomes_a_sentence(said: str, sentence: str, tmp_path: Path) -> None:
    assert sentence in explain(said, "torch", tmp_path / "log").message
