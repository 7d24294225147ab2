"""What the backend offers is put beside GIMP's plug-in, so that its menu is whole at the first start."""

import json
import sys
from pathlib import Path

import pytest

from scumble.installer.editors import commands, payload, snapshot
from scumble.installer.editors.plugins import Plugin
from scumble.installer.editors.world import Program, Target

from .conftest import Place

GIMP = ".config/GIMP/3.0/plug-ins/scumble"


def pretended(folder: Path, offers: str) -> Path:
    """A Python whose backend offers this."""
    program, script = folder / "python", folder / "backend.py"
    script.write_text(f"import sys\nassert 'scumble.backend.describe' in sys.argv\n{offers}")
    # Not Python's path after "#!", which may have a space in it.
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n')
    program.chmod(0o755)
    return program


@pytest.fixture
def described(place: Place) -> Path:
    """GIMP and a backend that is set up."""
    place.editor("gimp")
    (place.home / ".config/GIMP/3.0").mkdir(parents=True)
    note = place.home / ".config/scumble/backend.json"
    note.parent.mkdir(parents=True)
    python = pretended(place.base, 'print(\'{"engines": [{"name": "fast"}]}\')')
    note.write_text(json.dumps({"python": str(python)}))
    return place.home / GIMP


def test_the_plug_in_knows_from_the_start_what_the_backend_offers(place: Place, described: Path) -> None:
    place.run("gimp")
    assert json.loads((described / "description.json").read_text()) == {"engines": [{"name": "fast"}]}
    assert "description.json" in payload.read_marker(described)["files"]
    assert payload.damage(described) == []
    assert "there already" in place.run("gimp")


def test_a_backend_that_cannot_be_asked_any_more_does_not_make_it_forget(
    place: Place, described: Path
) -> None:
    place.run("gimp")
    pretended(place.base, "sys.exit(1)")
    assert "there already" in place.run("gimp")
    assert (described / "description.json").exists()


@pytest.mark.parametrize("offers", ["sys.exit(3)", "print('nothing')", "print('[]')", "print('{}')"])
def test_a_backend_that_says_nothing_is_no_reason_to_fail(place: Place, described: Path, offers: str) -> None:
    pretended(place.base, offers)
    place.run("gimp")
    assert not (described / "description.json").exists()


def test_krita_s_plug_in_asks_the_backend_itself(place: Place, described: Path) -> None:
    place.editor("krita")
    place.run("krita")
    assert not list(place.home.rglob("scumble_krita/description.json"))


def test_setting_up_later_tells_plug_ins_that_are_there_already(tmp_path: Path) -> None:
    target = Target("gimp", tmp_path / "plug-ins", "linux-x86_64")
    plugin = Plugin(target)
    plugin.install(Path(__file__).parents[3], {"scumble.py": b""}, {})
    assert plugin.describe(b'{"engines": [1]}') and not plugin.describe(b'{"engines": [1]}')
    assert snapshot.kept(plugin.folder) == b'{"engines": [1]}'
    assert payload.damage(plugin.folder) == []
    assert not plugin.describe(b""), "nothing to say"
    assert not Plugin(Target("gimp", tmp_path / "elsewhere", "linux-x86_64")).describe(b"{}")


def test_the_modules_are_there_in_python_s_own_form_and_go_with_the_rest(tmp_path: Path) -> None:
    gimp = Program("GIMP", tmp_path / "gimp", interpreter=Path(sys.executable))
    plugin = Plugin(Target("gimp", tmp_path / "GIMP" / "plug-ins", "linux-x86_64", programs=(gimp,)))
    plugin.install(Path(__file__).parents[3], {"scumble.py": b"", "lib/a.py": b"b = 1"}, {})
    commands.compile_modules(plugin)
    assert list((plugin.folder / "lib").rglob("a.*.pyc"))
    assert payload.damage(plugin.folder) == []
    plugin.remove()
    assert not list(tmp_path.rglob("*.pyc"))
