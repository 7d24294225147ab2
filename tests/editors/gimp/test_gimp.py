"""Every scenario in the real GIMP is a test here; what it does is in ``driver``, inside of GIMP."""

from __future__ import annotations

import ast
import os
import re
import stat
import time
from pathlib import Path
from typing import Any

import gimp_world
import pytest

DRIVER = Path(__file__).parent / "driver"
#: Those that ``windows.py`` imports; the others belong to ``console.py``.
WITH_WINDOWS = ("dialog_scenes", "living_scenes")


def scenarios(windows: bool) -> list[str]:
    """The names of the scenarios that need windows, or of those that need none."""
    files = sorted(DRIVER.glob("*_scenes.py"))
    trees = [ast.parse(f.read_text("utf-8")) for f in files if (f.stem in WITH_WINDOWS) == windows]
    return [
        node.name
        for tree in trees
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and any(isinstance(each, ast.Name) and each.id == "scenario" for each in node.decorator_list)
    ]


def check(report: dict[str, Any], name: str) -> None:
    assert name in report, f"GIMP did not get that far; its output ends:\n{report.get('output', '')[-3000:]}"
    if report[name]["problem"]:
        pytest.fail(report[name]["problem"], pytrace=False)


@pytest.mark.slow
@pytest.mark.parametrize("name", scenarios(windows=False))
def test_in_gimp_without_windows(console: dict[str, Any], name: str) -> None:
    check(console, name)


@pytest.mark.slow
@pytest.mark.parametrize("name", scenarios(windows=True))
def test_in_gimp_with_windows(windows: dict[str, Any], name: str) -> None:
    check(windows, name)


@pytest.mark.slow
def test_the_plug_in_left_no_trace_of_a_failure(
    world: gimp_world.World, console: dict[str, Any], windows: dict[str, Any]
) -> None:
    log = world.folder / "state" / "gimp.log"
    said = log.read_text("utf-8") if log.exists() else ""
    assert "Traceback" not in said, said
    assert "Traceback" not in console["output"]
    assert "Traceback" not in windows["output"]
    # GIMP closes a group of undo steps that a plug-in has left open, and says so.
    assert not re.search("undo .*inconsistent|open undo group", console["output"] + windows["output"])


@pytest.mark.slow
def test_nothing_stands_by_once_gimp_has_ended(world: gimp_world.World, windows: dict[str, Any]) -> None:
    until = time.monotonic() + 20
    while (left := plug_ins(world)) and time.monotonic() < until:
        time.sleep(0.2)
    assert left == []


def plug_ins(world: gimp_world.World) -> list[int]:
    """Processes that run this world's plug-in."""
    mark = (world.folder / gimp_world.PLUG_INS / "scumble" / "scumble-plugin.json").stat()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            program = next(os.fsdecode(word) for word in words if word.endswith(b"/scumble/scumble.py"))
            other = (process / f"root{program}").with_name("scumble-plugin.json").stat()
        except (OSError, StopIteration):
            continue
        if (other.st_ino, other.st_dev) == (mark.st_ino, mark.st_dev):
            found.append(int(process.name))
    return found


@pytest.mark.slow
def test_gimps_plug_in_is_a_program(world: gimp_world.World) -> None:
    program = world.folder / gimp_world.PLUG_INS / "scumble" / "scumble.py"
    assert stat.S_IMODE(program.stat().st_mode) & 0o111 == 0o111


@pytest.mark.slow
def test_uninstalling_after_use_leaves_nothing(world: gimp_world.World, windows: dict[str, Any]) -> None:
    assert windows, "everything was used"
    world.uninstall()
    left = [p for p in (world.folder / "home").rglob("*") if "scumble" in p.name]
    assert left == []


def test_there_are_scenarios() -> None:
    assert len(scenarios(windows=False)) > 30 and len(scenarios(windows=True)) > 4
