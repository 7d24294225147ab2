"""``installer krita|gimp``: the plug-in arrives whole, is enabled, is renewed, and leaves without a trace."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scumble.installer.editors import payload, wheels
from scumble.installer.editors.world import World

from .conftest import Place

HERE = World.here().platform
KRITA = Path(".local/share/krita/pykrita")
GIMP = Path(".config/GIMP/3.0/plug-ins")
RC = b"[KisToolBrush]\r\nsize=4\r\n\r\n[python]\r\nenable_other=true\r\n[theme]\r\nTheme=Krita blender \xf6"

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the folders of Linux")


def loads(folder: Path) -> str:
    """Which pyzmq the installed plug-in loads, and that it imports what it is made of."""
    code = (
        "import sys; from pathlib import Path; root = Path(sys.argv[1]); "
        "sys.path.insert(0, str(root / 'lib')); from scumble.plugin.common import vendor; "
        "print(vendor.activate(root)); import zmq; print(zmq.built_for); "
        "import scumble.plugin.common.forms as f; print(f.__file__)"
    )
    command = [sys.executable, "-B", "-I", "-S", "-c", code, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    trouble, built_for, file = done.stdout.split("\n")[:3]
    assert trouble == "" and file.startswith(str(folder / "lib")), done.stderr
    return built_for


def test_krita_gets_its_plug_in_enabled_and_loses_nothing_of_its_settings(bare_place: Place) -> None:
    place = bare_place
    place.editor("krita")
    rc = place.home / ".config" / "kritarc"
    rc.parent.mkdir()
    rc.write_bytes(RC)
    said = place.run("krita")
    folder = place.home / KRITA / "scumble_krita"
    assert f"installed: {folder}" in said and f"enabled: {rc}" in said and "Dockers > Scumble" in said
    assert "python3 -m installer setup" in said  # there is no backend yet, and nobody to ask
    assert (place.home / KRITA / "scumble_krita.desktop").is_file()
    assert rc.read_bytes() == RC.replace(b"[python]\r\n", b"[python]\r\nenable_scumble_krita=true\r\n")
    python = (sys.version_info[0], sys.version_info[1])
    build = wheels.fitting(python, HERE)
    assert build is not None and loads(folder) == build.name
    tops = {p.name for p in (folder / "lib" / "scumble").iterdir()}
    assert tops == {"__init__.py", "plugin", "shared"}
    assert not (folder / "lib/scumble/plugin/gimp").exists() and not (folder / "lib/scumble/backend").exists()
    assert {p.name for p in (folder / "vendor").iterdir()} == {b.name for b in wheels.builds(HERE)}


def test_gimp_gets_a_program_of_the_folder_s_name(place: Place) -> None:
    place.editor("gimp-3.0")
    assert "Filters > Scumble" in place.run("gimp")
    folder = place.home / GIMP / "scumble"
    assert os.access(folder / "scumble.py", os.X_OK)
    assert (folder / "scumble.py").read_text().startswith("#!/usr/bin/env python3\n")
    assert (folder / "lib/scumble/plugin/gimp/main.py").is_file()
    assert not (folder / "lib/scumble/plugin/krita").exists()
    assert loads(folder).endswith(HERE)


@pytest.mark.parametrize("editor", ["krita", "gimp"])
def test_a_second_time_changes_nothing_and_asks_no_package_server(bare_place: Place, editor: str) -> None:
    place = bare_place
    place.editor("krita")
    place.editor("gimp-3.0")
    place.run(editor)
    before = place.everything()
    times = {p: p.stat().st_mtime_ns for p in place.home.rglob("*")}
    for wheel in place.shop.iterdir():
        wheel.unlink()
    assert "there already" in place.run(editor)
    assert place.everything() == before
    assert {p: p.stat().st_mtime_ns for p in place.home.rglob("*") if "__pycache__" not in p.parts} == times


@pytest.mark.parametrize("editor", ["krita", "gimp"])
def test_uninstalling_leaves_every_byte_as_it_was(place: Place, editor: str) -> None:
    place.editor("krita")
    place.editor("gimp-3.0")
    for path in (".config/kritarc", ".local/share/krita/pykrita/other.desktop", ".config/GIMP/3.0/gimprc"):
        (place.home / path).parent.mkdir(parents=True, exist_ok=True)
        (place.home / path).write_bytes(RC)
    before = place.everything()
    place.run(editor)
    assert place.everything() != before
    said = place.run("uninstall", editor, code=1)  # nobody agreed
    assert "This removes:" in said and "Nothing was removed" in said
    place.run("uninstall", editor, "--yes")
    assert place.everything() == before
    assert "There is no plug-in" in place.run("uninstall", editor, "--yes")


def test_what_gimp_remembers_of_the_dialogs_goes_with_the_plug_in(place: Place) -> None:
    place.editor("gimp-3.0")
    settings = place.home / GIMP.parent / "plug-in-settings"
    settings.mkdir(parents=True)
    (settings / "GimpProcedureConfigRun-plug-in-other.last").write_text("somebody else's")
    before = place.everything()
    place.run("gimp")
    for ending in ("last", "default"):
        (settings / f"GimpProcedureConfigRun-plug-in-scumble-stylize.{ending}").write_text("(style x)")
    place.run("uninstall", "gimp", "--yes")
    assert place.everything() == before


def test_uninstalling_everything_takes_the_plug_ins_and_their_settings_along(place: Place) -> None:
    place.editor("krita")
    place.editor("gimp-3.0")
    place.run("krita")
    place.run("gimp")
    config = place.home / ".config" / "scumble"
    config.mkdir()
    (config / "settings.json").write_text("{}")
    place.run("uninstall", "--yes")
    assert place.everything() == {}
    assert not config.exists() and not (place.home / KRITA.parent).exists()
    assert not (place.home / ".config" / "GIMP").exists()
    assert "nothing to remove" in place.run("uninstall", "--yes")


def test_a_newer_version_leaves_no_stale_file_and_krita_s_settings_still_come_out_as_they_were(
    place: Place,
) -> None:
    place.editor("krita")
    rc = place.home / ".config" / "kritarc"
    rc.parent.mkdir()
    rc.write_bytes(RC.replace(b"[python]\r\nenable_other=true\r\n", b""))
    before = place.everything()
    extra = place.clone / "plugin" / "common" / "of_yesterday.py"
    extra.write_text("")
    place.run("krita")
    folder = place.home / KRITA / "scumble_krita"
    assert (folder / "lib/scumble/plugin/common/of_yesterday.py").is_file()
    (folder / "lib/scumble/__pycache__").mkdir(exist_ok=True)
    (folder / "lib/scumble/__pycache__/x.pyc").touch()
    extra.unlink()
    (place.clone / "plugin" / "common" / "of_today.py").write_text("")
    assert "another version" in place.run("doctor", code=None)
    assert "brought up to date" in place.run("krita")
    assert not (folder / "lib/scumble/plugin/common/of_yesterday.py").exists()
    assert (folder / "lib/scumble/plugin/common/of_today.py").is_file()
    assert not (folder / "lib/scumble/__pycache__").exists()
    assert [p.name for p in (place.home / KRITA).iterdir() if p.name.startswith(".")] == []
    place.run("uninstall", "krita", "--yes")
    assert place.everything() == before


@pytest.mark.parametrize(
    "harm",
    ["truncated", "deleted", "not executable"],
)
def test_a_damaged_plug_in_is_made_whole(place: Place, harm: str) -> None:
    place.editor("gimp-3.0")
    place.run("gimp")
    whole = place.everything()
    folder = place.home / GIMP / "scumble"
    if harm == "truncated":
        (folder / "lib/scumble/shared/client.py").write_text("")
    elif harm == "deleted":
        (folder / "scumble.py").unlink()
    else:
        (folder / "scumble.py").chmod(0o644)
    said = place.run("doctor", code=1)
    assert "no menu entry" in said or "missing or changed" in said
    assert "brought up to date" in place.run("gimp")
    assert place.everything() == whole and os.access(folder / "scumble.py", os.X_OK)


def test_a_folder_of_somebody_else_s_is_left_alone(place: Place) -> None:
    place.editor("gimp-3.0")
    other = place.home / GIMP / "scumble" / "scumble.py"
    other.parent.mkdir(parents=True)
    other.write_text("somebody else's")
    assert "that is not Scumble's" in place.run("gimp", code=2)
    place.run("uninstall", "gimp", "--yes")
    assert other.read_text() == "somebody else's"


def test_a_folder_that_may_not_be_written_is_named(place: Place) -> None:
    place.editor("krita")
    blocked = place.home / ".local"
    blocked.write_text("a file where a folder should be")
    said = place.run("krita", code=2)
    assert str(place.home / ".local") in said and "cannot be used" in said
    assert place.everything() == {".local": b"a file where a folder should be"}


def test_settings_that_cannot_be_written_are_said_with_the_way_by_hand(place: Place) -> None:
    place.editor("krita")
    (place.home / ".config" / "kritarc").mkdir(parents=True)
    said = place.run("krita", code=2)
    assert "settings file" in said and "Python Plugin Manager" in said


def test_an_editor_that_is_not_there_is_said_with_what_to_do(place: Place) -> None:
    assert "--folder FOLDER" in place.run("krita", code=2)
    program = place.editor("gimp-2.10")
    (program.parent / "gimp").symlink_to(program.resolve())
    said = place.run("gimp", code=2)
    assert "is GIMP 2, and Scumble needs GIMP 3" in said
    assert place.everything() == {}


def test_a_folder_that_was_named_is_found_again_by_doctor_and_uninstall(place: Place) -> None:
    folder = place.base / "portable ö" / "krita"
    said = place.run("krita", "--folder", str(folder))
    assert "Python Plugin Manager" in said  # where its settings are is not known
    assert (folder / "pykrita" / "scumble_krita" / "__init__.py").is_file()
    assert str(folder / "pykrita") in place.run("doctor", code=None)
    assert "there already" in place.run("krita")
    place.run("uninstall", "krita", "--yes")
    assert not folder.exists() and place.everything() == {}


def test_without_a_package_server_nothing_is_installed_and_the_sentence_says_so(bare_place: Place) -> None:
    place = bare_place
    place.editor("krita")
    more = {"PIP_NO_INDEX": "", "PIP_FIND_LINKS": "", "PIP_INDEX_URL": "http://127.0.0.1:9/simple"}
    said = place.run("krita", code=2, PIP_RETRIES="0", **more)
    assert "package server cannot be reached" in said and "Check the network" in said
    assert place.everything() == {}


def test_where_the_editor_s_own_build_is_there_the_others_may_be_missing(place: Place) -> None:
    place.editor("gimp-3.0")
    interpreters = place.base / "prefix/lib/gimp/3.0/interpreters/pygimp.interp"
    interpreters.parent.mkdir(parents=True)
    python = place.base / "python3.11"
    python.symlink_to(sys.executable)
    interpreters.write_text(f"python3={python}\n")
    # A link to this interpreter: its real name tells the version.
    version = (sys.version_info[0], sys.version_info[1])
    if Path(os.path.realpath(sys.executable)).name != f"python{version[0]}.{version[1]}":
        pytest.skip("this Python's name does not tell its version")
    build = wheels.fitting(version, HERE)
    assert build is not None
    cache = place.clone / ".scumble/cache/wheels"
    for kept in cache.iterdir():
        if kept.name != build.name:
            shutil.rmtree(kept)
    assert "the one for this editor is there" in place.run("gimp")
    assert loads(place.home / GIMP / "scumble") == build.name


def test_a_zmq_of_the_user_s_own_is_taken_along(place: Place) -> None:
    place.editor("gimp-3.0")
    own = place.base / "clang64/lib/python3.12/site-packages/zmq"
    (own / "backend" / "cython").mkdir(parents=True)
    (own / "__init__.py").write_text("built_for = 'mine'")
    (place.base / "clang64/bin").mkdir()
    (place.base / "clang64/bin/libzmq.dll").write_text("library")
    place.run("gimp", "--zmq", str(own.parent))
    folder = place.home / GIMP / "scumble"
    assert (folder / "vendor/zmq/__init__.py").read_text() == "built_for = 'mine'"
    assert (folder / "vendor/zmq/backend/cython/libzmq.dll").read_text() == "library"
    assert "no zmq package" in place.run("gimp", "--zmq", str(place.base), code=2)


def test_a_backend_that_is_set_up_is_noted_for_the_editors(place: Place) -> None:
    place.editor("krita")
    note = place.home / ".config/scumble/backend.json"
    note.parent.mkdir(parents=True)
    note.write_text(json.dumps({"python": sys.executable}))  # by another copy of Scumble
    assert "installer setup" not in place.run("krita")
    assert json.loads(note.read_text()) == {"python": sys.executable}


def test_the_marker_lists_every_file(place: Place) -> None:
    place.editor("krita")
    place.run("krita")
    folder = place.home / KRITA / "scumble_krita"
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert set(payload.read_marker(folder)["files"]) == there - {payload.MARKER}
    assert payload.damage(folder) == []
