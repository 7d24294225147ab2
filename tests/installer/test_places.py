"""Installer and wire agree where the user's files lie, though neither knows the other."""

import json
from pathlib import Path

import pytest

from scumble.installer import client_file, places
from scumble.installer.problem import Problem
from scumble.shared import launch, paths

VARIABLES = (
    "SCUMBLE_CONFIG_DIR", "SCUMBLE_STATE_DIR", "SCUMBLE_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_STATE_HOME",
    "XDG_RUNTIME_DIR", "HOST_XDG_CONFIG_HOME", "LOCALAPPDATA", "SCUMBLE_PYTHON",
)  # fmt: skip


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def agree() -> bool:
    return (
        places.config_folder() == paths.config_folder()
        and places.state_folder() == paths.state_folder()
        and places.runtime_folder() == paths.runtime_folder()
    )


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_the_folders_are_the_same_on_every_system(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", platform)
    assert agree()


@pytest.mark.parametrize("name", VARIABLES)
@pytest.mark.parametrize("value", ["", "relative/folder", "~/at home", "/tmp/ö x/snap.krita"])
def test_the_folders_are_the_same_whatever_a_variable_says(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    assert agree()


def test_the_python_that_the_installer_notes_is_the_one_that_editors_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCUMBLE_CONFIG_DIR", str(tmp_path / "config ö"))
    python = tmp_path / "env ö" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    client_file.write(python)
    assert client_file.path() == paths.config_folder() / launch.PYTHON_FILE
    assert launch.find_python() == str(python) == client_file.read()


def test_a_damaged_note_is_written_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCUMBLE_CONFIG_DIR", str(tmp_path))
    (tmp_path / client_file.NAME).write_text("{not json")
    assert client_file.read() == ""
    client_file.write(Path("/usr/bin/python3"))
    assert json.loads((tmp_path / client_file.NAME).read_text()) == {"python": "/usr/bin/python3"}


def test_a_settings_folder_that_cannot_be_made_is_a_clear_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SCUMBLE_CONFIG_DIR", str(tmp_path / "file" / "config"))
    with pytest.raises(Problem, match="settings folder") as caught:
        client_file.write(Path("/usr/bin/python3"))
    assert "SCUMBLE_CONFIG_DIR" in caught.value.hint
