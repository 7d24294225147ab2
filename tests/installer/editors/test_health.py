"""The doctor says which editors there are, how the plug-ins do, and why a menu entry would be missing."""

import importlib.util
import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from scumble.installer.editors import health, payload, wheels, where
from scumble.installer.editors.plugins import Plugin
from scumble.installer.editors.world import Program, Target, World
from scumble.installer.finding import Finding

from .conftest import ROOT, Place

KRITA = Path(".local/share/krita/pykrita")
GIMP = Path(".config/GIMP/3.0/plug-ins")
pytestmark = pytest.mark.skipif(os.name == "nt", reason="the folders of Linux")


def findings(place: Place, code: int | None = None) -> dict[str, list[Finding]]:
    """The doctor's findings about editors by what they are about."""
    said = json.loads(place.run("doctor", "--json", code=code))
    found: dict[str, list[Finding]] = {}
    for item in said["findings"]:
        found.setdefault(item["what"], []).append(Finding(**item))
    return found


def troubles(place: Place, what: str) -> list[tuple[str, str, str]]:
    return [(f.status, f.found, f.todo) for f in findings(place)[what] if f.status != "ok"]


def test_no_editor_is_worth_a_note_and_nothing_is_wrong(place: Place) -> None:
    found = findings(place)
    for name in ("Krita", "GIMP"):
        assert [(f.status, f.found) for f in found[name]] == [("note", "not found on this computer")]
    assert "Krita plug-in" not in found


def test_an_editor_without_the_plug_in_is_told_the_command(place: Place) -> None:
    program = place.editor("krita")
    found = findings(place)
    assert found["Krita"][0].status == "ok" and str(program) in found["Krita"][0].found
    (plugin,) = found["Krita plug-in"]
    assert (plugin.status, plugin.todo) == ("missing", "python3 -m installer krita")


def test_an_installed_plug_in_is_well(place: Place) -> None:
    place.editor("krita")
    place.editor("gimp-3.0")
    place.run("krita")
    place.run("gimp")
    found = findings(place)
    for name, folder in (("Krita plug-in", KRITA / "scumble_krita"), ("GIMP plug-in", GIMP / "scumble")):
        assert found[name][0].status == "ok" and str(place.home / folder) in found[name][0].found


def test_each_reason_for_a_missing_menu_entry_in_krita_is_named(place: Place) -> None:
    place.editor("krita")
    place.run("krita")
    rc, folder = place.home / ".config/kritarc", place.home / KRITA
    rc.write_text("[python]\nenable_scumble_krita=false\n")
    ((status, said, todo),) = troubles(place, "Krita plug-in")
    assert status == "wrong" and "not enabled" in said and "Python Plugin Manager" in todo
    place.run("krita")
    assert troubles(place, "Krita plug-in") == []
    (folder / "scumble_krita.desktop").unlink()
    ((status, said, todo),) = troubles(place, "Krita plug-in")
    assert status == "wrong" and "scumble_krita.desktop is missing" in said
    shutil.rmtree(folder / "scumble_krita")
    place.run("krita")
    assert troubles(place, "Krita plug-in") == []


def test_a_krita_without_scripting_is_named(place: Place) -> None:
    place.editor("krita")
    place.run("krita")
    lib = place.base / "prefix/lib/kritaplugins"
    lib.mkdir(parents=True)
    (lib / "kritacolorsmudge.so").touch()
    here = World("linux", place.home, {"PATH": str(place.base / "bin")})
    program = Program("Krita 5.2", place.base / "bin/krita", "5.2", None, Path(sys.executable))
    assert not where.has_scripting(program)
    target = Target("krita", place.home / KRITA, here.platform, place.home / ".config/kritarc", (program,))
    said = [found for _, found, _ in health._troubles(Plugin(target), ROOT, "again")]
    assert any("built without Python" in s for s in said)
    (lib / "kritapykrita.so").touch()
    assert where.has_scripting(program)


def judged(place: Place, editor: str, program: Program, system: str) -> list[tuple[str, str, str]]:
    """What the doctor says of an installed plug-in in this program."""
    folder = {"krita": KRITA, "gimp": GIMP}[editor]
    target = Target(editor, place.home / folder, system, None, (program,))
    return list(health._in_program(Plugin(target), program, "again"))


def test_a_python_that_is_too_old_or_has_no_build_is_named_with_the_remedy(place: Place) -> None:
    place.editor("gimp-3.0")
    place.run("gimp")
    system = World.here().platform
    at = place.base / "x"
    ((_, said, todo),) = judged(place, "gimp", Program("GIMP", at, "", (3, 8)), system)
    assert "has Python 3.8, and Scumble needs 3.10" in said and "newer GIMP" in todo
    assert judged(place, "gimp", Program("GIMP", at, "", (3, 13)), system) == []
    other = "macos" if system != "macos" else "windows-x86_64"
    ((_, said, todo),) = judged(place, "gimp", Program("GIMP", at, "", (3, 13)), other)
    assert f"no pyzmq for Python 3.12 and later on {other}" in said and todo == "again"
    ((_, said, todo),) = judged(place, "gimp", Program("GIMP", at, "", (3, 12)), "mingw-windows-x86_64")
    assert "no ready-made pyzmq" in said and "MSYS2" in todo and "--zmq FOLDER" in todo and "3.12" in todo


def test_what_keeps_pyzmq_from_loading_is_found_by_loading_it(place: Place) -> None:
    place.editor("gimp-3.0")
    place.run("gimp")
    folder = place.home / GIMP / "scumble"
    program = Program("GIMP", place.base / "x", "", None, Path(sys.executable))
    plugin = Plugin(Target("gimp", folder.parent, World.here().platform, None, (program,)))
    assert health._zmq_trouble(plugin, program) == ""
    build = wheels.fitting((sys.version_info[0], sys.version_info[1]), World.here().platform)
    assert build is not None
    (folder / "vendor" / build.name / "zmq" / "__init__.py").write_text("raise OSError('no such library')")
    assert health._zmq_trouble(plugin, program).startswith("Scumble's pyzmq cannot be loaded (OSError).")
    assert payload.damage(folder) == [f"vendor/{build.name}/zmq/__init__.py"]
    assert not list(folder.rglob("__pycache__")), "looking leaves nothing behind"


def test_a_library_that_the_editor_s_python_lacks_is_named_with_its_package(place: Place) -> None:
    place.editor("gimp-3.0")
    place.run("gimp")
    program = Program("GIMP 3.0", place.base / "x", "3.0", None, Path(sys.executable))
    plugin = Plugin(Target("gimp", place.home / GIMP, World.here().platform, None, (program,)))
    assert health._asked(Path(sys.executable), "import gi_of_another_world") != ""
    said = list(health._libraries(plugin, program))
    assert said or importlib.util.find_spec("gi"), "nothing is said only where the libraries are there"
    for status, found, todo in said:
        assert status == "wrong" and "Python support of GIMP is missing" in found
        assert "gir1.2-gimp-3.0" in todo


def test_a_flatpak_that_is_shut_off_is_told_what_to_allow(place: Place) -> None:
    note = "flatpak override --user --share=network org.kde.krita"
    program = Program("Krita 5.2 (Flatpak)", place.base / "x", "5.2", (3, 12), None, note)
    place.editor("krita")
    place.run("krita")
    said = judged(place, "krita", program, World.here().platform)
    assert ("note", note) in [(status, todo) for status, _, todo in said]
    assert any("backend start" in todo for _, _, todo in said)
