"""The doctor says what is there, what is missing and what to do, to people and to programs."""

import io
import json
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from scumble.installer import doctor, places
from scumble.installer.console import Console
from scumble.installer.environment import Environment

ROOT = Path(__file__).resolve().parents[2]
Usage = namedtuple("Usage", "total used free")


def examine(folder: Path) -> dict[str, doctor.Finding]:
    return {f.what: f for f in doctor.examine(Environment(ROOT, folder, Console(io.StringIO())))}


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONFIG", "STATE", "RUNTIME"):
        monkeypatch.setenv(f"SCUMBLE_{name}_DIR", str(tmp_path / name.lower()))
    for name in ("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)


def test_a_bare_machine_is_told_the_next_command_and_nothing_is_wrong(tmp_path: Path) -> None:
    found = examine(tmp_path / "env")
    assert found["Python"].status == "ok"
    assert (
        found["environment"].status == "missing" and found["environment"].todo == "python3 -m installer setup"
    )
    assert found["editors' note"].status == "missing"
    assert doctor.verdict(list(found.values())) == 0


def test_too_full_a_disk_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda at: Usage(10**9, 10**9, 0))
    found = examine(tmp_path / "env")
    assert found["disk"].status == "wrong" and "Free some space" in found["disk"].todo
    assert doctor.verdict(list(found.values())) == 1


def test_a_note_that_names_a_python_that_is_gone_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "backend.json").write_text('{"python": "/gone/python"}')
    assert examine(tmp_path / "env")["editors' note"].status == "wrong"


def test_the_report_for_people_shows_every_finding_with_what_to_do() -> None:
    stream = io.StringIO()
    findings = [
        doctor.Finding("Python", "ok", "3.12"),
        doctor.Finding("disk", "wrong", "full", "Free some space."),
    ]
    doctor.report(findings, Console(stream))
    said = stream.getvalue()
    assert "3.12" in said and "Free some space." in said and "stands in the way" in said


def test_a_terminal_that_knows_ascii_only_gets_a_report_too() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    doctor.report([doctor.Finding("environment", "missing", "/home/jörg", "go → on")], Console(stream))
    stream.flush()
    assert b"/home/j?rg" in raw.getvalue()


def test_the_same_as_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from scumble.installer import cli

    monkeypatch.setenv("SCUMBLE_ENV", str(tmp_path / "env"))
    assert cli.main(["doctor", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["ok"] is True
    assert {"what", "status", "found", "todo"} == set(data["findings"][0])
    assert places.environment_folder(ROOT) == tmp_path / "env"
