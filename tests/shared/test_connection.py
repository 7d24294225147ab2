"""The connection file, folders and the lock (docs/protocol.md, section 2)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from scumble.shared import paths
from scumble.shared.connection import (
    Connection,
    KeyPair,
    connection_path,
    read_connection,
    remove_connection,
    write_connection,
)
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.lock import FileLock, is_held

posix = pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX")


@pytest.fixture
def connection() -> Connection:
    return Connection("tcp://127.0.0.1:4711", KeyPair.new().public, KeyPair.new(), 12, 3.5, "0.1")


def test_what_is_written_is_read(tmp_path: Path, connection: Connection) -> None:
    """Section 2.1."""
    write_connection(connection, tmp_path / "ö c.json")
    assert read_connection(tmp_path / "ö c.json") == connection


@posix
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602, 0o660])
def test_a_file_that_others_can_read_is_not_believed(
    tmp_path: Path, connection: Connection, mode: int
) -> None:
    """Section 2.2."""
    file = tmp_path / "c.json"
    write_connection(connection, file)
    file.chmod(mode)
    with pytest.raises(ScumbleError) as caught:
        read_connection(file)
    assert caught.value.code is Code.NO_BACKEND


@posix
def test_a_link_is_not_believed(tmp_path: Path, connection: Connection) -> None:
    """Section 2.2."""
    write_connection(connection, tmp_path / "real.json")
    (tmp_path / "c.json").symlink_to(tmp_path / "real.json")
    with pytest.raises(ScumbleError):
        read_connection(tmp_path / "c.json")


@pytest.mark.parametrize(
    "change",
    [{"endpoint": "tcp://evil:80/x"}, {"endpoint": 7}, {"server_key": "short"}, {"client": None},
     {"format": 2}, {"client": {"public": "x" * 40}}, {"pid": "many"}],
)  # fmt: skip
def test_a_broken_file_is_no_backend(tmp_path: Path, connection: Connection, change: dict) -> None:
    """Section 2.1."""
    file = tmp_path / "c.json"
    write_connection(connection, file)
    content = json.loads(file.read_text()) | change
    file.write_text(json.dumps(content))
    with pytest.raises(ScumbleError) as caught:
        read_connection(file)
    assert caught.value.code is Code.NO_BACKEND and caught.value.retry


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"', "[" * 9000, "\0"])
def test_a_file_of_nonsense_is_no_backend(tmp_path: Path, text: str) -> None:
    """Section 2.1."""
    file = tmp_path / "c.json"
    paths.write_private(file, text)
    with pytest.raises(ScumbleError) as caught:
        read_connection(file)
    assert caught.value.code is Code.NO_BACKEND


def test_only_its_own_process_removes_it(tmp_path: Path, connection: Connection) -> None:
    """Section 2.3: another backend may have replaced it."""
    file = tmp_path / "c.json"
    write_connection(connection, file)
    remove_connection(file, 13)
    assert file.exists()
    remove_connection(file, 12)
    assert not file.exists()
    remove_connection(file, 12)


def test_a_secret_is_not_printed(connection: Connection) -> None:
    """Section 2.2."""
    assert connection.client.secret not in f"{connection!r} {connection.client}"


def test_folders_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Section 2.1."""
    monkeypatch.setenv("SCUMBLE_RUNTIME_DIR", str(tmp_path / "r"))
    monkeypatch.delenv("SCUMBLE_CONNECTION", raising=False)
    assert connection_path() == tmp_path / "r" / "connection.json"
    monkeypatch.setenv("SCUMBLE_CONNECTION", str(tmp_path / "else.json"))
    assert connection_path() == tmp_path / "else.json"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="XDG")
def test_snap_and_flatpak_see_the_same_folders_as_the_backend(monkeypatch, tmp_path: Path) -> None:
    """Section 2.1."""
    for name in ("SCUMBLE_RUNTIME_DIR", "SCUMBLE_STATE_DIR", "SCUMBLE_CONFIG_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    plain = paths.runtime_folder()
    assert plain == tmp_path / "scumble"
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "snap.krita"))
    assert paths.runtime_folder() == plain
    monkeypatch.setenv("XDG_STATE_HOME", "/home/a/.var/app/x")
    monkeypatch.setenv("HOST_XDG_STATE_HOME", "/home/a/.local/state")
    assert paths.state_folder() == Path("/home/a/.local/state/scumble")


@posix
def test_a_folder_that_was_open_to_others_is_closed(tmp_path: Path) -> None:
    """Section 2.2."""
    folder = tmp_path / "r"
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    assert paths.private_folder(folder).stat().st_mode & 0o777 == 0o700


def test_a_folder_that_cannot_be_made_is_a_typed_error(tmp_path: Path) -> None:
    """Section 2.2."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ScumbleError) as caught:
        paths.private_folder(tmp_path / "file" / "r")
    assert caught.value.code is Code.DISK and str(tmp_path) not in caught.value.message


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    """Section 2.2: nothing is left of a write that failed."""
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "in the way").write_text("")
    with pytest.raises(OSError):
        paths.write_private(tmp_path / "target", "text")
    assert [p.name for p in tmp_path.iterdir()] == ["target"]


def test_a_lock_excludes_and_looking_does_not_take_it(tmp_path: Path) -> None:
    """Section 2.3."""
    file = tmp_path / "lock"
    assert not is_held(file)
    first, second = FileLock(file), FileLock(file)
    assert first.acquire() and not second.acquire()
    assert is_held(file) and is_held(file)
    first.release()
    assert not is_held(file)
    assert second.acquire()
    second.release()


def test_a_lock_ends_with_its_process_however_it_dies(tmp_path: Path) -> None:
    """Section 2.3."""
    file = tmp_path / "lock"
    code = (
        "import os, sys; from pathlib import Path; from scumble.shared.lock import FileLock\n"
        "FileLock(Path(sys.argv[1])).acquire(); print('held', flush=True); sys.stdin.read()"
    )
    # No reference kept: the descriptor stays open because nothing closes it.
    with subprocess.Popen(
        [sys.executable, "-c", code, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None and child.stdout.readline() == "held\n"
        assert is_held(file)
        child.kill()
        child.wait()
        assert not is_held(file)
        assert file.read_text() == f"{child.pid}\n" and child.pid != os.getpid()
