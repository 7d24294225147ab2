"""What the plug-in knows of the backend before it asks."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from scumble.plugin.common import described
from scumble.plugin.gimp import registered

OLD: dict[str, Any] = {"engines": [{"name": "old"}], "styles": [{"id": "s", "thumbnail": "x" * 50}]}
NEW: dict[str, Any] = {"engines": [{"name": "new"}], "selecting": [{"name": "clicks"}], "models": []}


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The installer's file; the state folder is a fresh one."""
    monkeypatch.setenv("SCUMBLE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setattr(registered, "_declared", {})
    file = tmp_path / "plug-in" / "description.json"
    file.parent.mkdir()
    monkeypatch.setattr(registered, "beside", lambda: file)
    return file


def test_nothing_is_known_where_nobody_has_said_anything(beside: Path) -> None:
    assert registered.latest() == {} == registered.declared()


def test_the_newer_of_the_installer_s_and_the_backend_s_own_word_counts(beside: Path) -> None:
    beside.write_text(json.dumps(OLD))
    assert registered.latest() == OLD
    described.keep(NEW)
    os.utime(described.place(), (2e9, 2e9))
    assert registered.latest() == NEW
    os.utime(beside, (2.1e9, 2.1e9))
    assert registered.latest() == OLD, "the plug-in was installed anew"


@pytest.mark.parametrize("broken", ["", "{", "[]", '{"engines": []}'])
def test_a_file_that_says_nothing_is_passed_over(beside: Path, broken: str) -> None:
    described.keep(NEW)
    beside.write_text(broken)
    os.utime(beside, (2.1e9, 2.1e9))
    assert registered.latest() == NEW


def test_calls_declare_what_was_declared_at_gimp_s_start(
    beside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered.note(OLD)
    described.keep(NEW)
    monkeypatch.setattr(registered, "_declared", {})  # another process of the same GIMP
    assert registered.declared() == {"engines": OLD["engines"]}
    monkeypatch.setattr(registered, "_declared", {})
    monkeypatch.setattr(registered, "gimp", 2**22 + 1)  # one of another GIMP
    assert registered.declared()["engines"] == NEW["engines"]


def test_notes_of_gimps_that_have_ended_are_deleted(beside: Path) -> None:
    registered.note(OLD)
    folder = described.place().parent / "gimp"
    gone = folder / f"declared-{2**22 + 1}.json"  # larger than any process id
    gone.write_text("{}")
    registered.note(NEW)
    assert [each.name for each in folder.glob("declared-*")] == [f"declared-{os.getppid()}.json"]


def test_a_backend_that_runs_is_not_asked_twice(beside: Path, tmp_path: Path) -> None:
    connection = tmp_path / "connection.json"
    assert registered.fresh(connection) == {}
    connection.write_text("{}")
    registered.keep(NEW)
    os.utime(connection, (1e9, 1e9))
    assert registered.fresh(connection) == {"engines": NEW["engines"], "selecting": NEW["selecting"]}
    os.utime(connection, (2.1e9, 2.1e9))
    assert registered.fresh(connection) == {}, "it was started again since"
    registered.keep(NEW)


def test_keeping_without_a_place_for_it_harms_nobody(
    beside: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SCUMBLE_STATE_DIR", str(tmp_path / "file" / "state"))
    registered.note(NEW)
    registered.keep(NEW)
    assert registered.latest() == {} and registered.fresh(tmp_path / "file") == {}
