"""The zips work on any computer: Krita's own importer takes the one, GIMP's folder the other."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from scumble.installer.editors import payload, wheels
from scumble.plugin.common import vendor

from .conftest import Place, tiny_pyzmq

IMPORTER = Path("/usr/share/krita/pykrita/plugin_importer/plugin_importer.py")
#: Every Python and system that the zip is for, and the folder in it that serves them.
PAIRS = [((3, minor), system) for minor in range(10, 16) for system in wheels.PLATFORMS]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """Both zips, made by the command."""
    place = Place(tmp_path_factory.mktemp("zips"))
    for system in wheels.PLATFORMS:
        for build in wheels.builds(system):
            kept = place.clone / ".scumble" / "cache" / "wheels" / build.name
            kept.mkdir(parents=True)
            tiny_pyzmq(kept, build)
    zips = {editor: place.base / "out ö" / f"{editor}.zip" for editor in ("krita", "gimp")}
    for editor, file in zips.items():
        said = place.run(editor, "--zip", str(file))
        assert str(file) in said and "Linux, Windows and macOS" in said
        first = file.read_bytes()
        place.run(editor, "--zip", str(file))
        assert file.read_bytes() == first, "the same plug-in makes the same zip"
        assert [p.name for p in file.parent.iterdir() if p.suffix != ".zip"] == []
    assert place.everything() == {}, "making a zip installs nothing"
    yield zips


@pytest.mark.parametrize("editor", ["krita", "gimp"])
def test_the_zip_has_a_pyzmq_for_every_python_and_system(made: dict[str, Path], editor: str) -> None:
    names = set(zipfile.ZipFile(made[editor]).namelist())
    for version, system in PAIRS:
        folders = [f"{payload.FOLDER[editor]}/vendor/{n}" for n in vendor.names(version, system)]
        assert any(f"{folder}/zmq/__init__.py" in names for folder in folders), (version, system)


def test_krita_s_own_importer_takes_the_zip(made: dict[str, Path], tmp_path: Path) -> None:
    if not IMPORTER.is_file():
        assert not os.environ.get("CI"), "Krita has to be there in CI"
        pytest.skip("Krita is not installed here")
    resources = tmp_path / "krita ö"
    resources.mkdir()
    code = (
        "import builtins, sys; builtins.i18n = str; sys.path.insert(0, sys.argv[1]); "
        "from plugin_importer import PluginImporter; "
        "print([p['name'] for p in PluginImporter(sys.argv[2], sys.argv[3], lambda p: True).import_all()])"
    )
    command = [sys.executable, "-c", code, str(IMPORTER.parent), str(made["krita"]), str(resources)]
    for _ in range(2):  # and once more over the first
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.stdout.strip() == "['scumble_krita']", done.stderr
        folder = resources / "pykrita" / "scumble_krita"
        assert (resources / "pykrita" / "scumble_krita.desktop").is_file()
        assert payload.damage(folder) == [] and payload.read_marker(folder)["editor"] == "krita"


def test_the_layout_is_the_one_that_krita_asks_for(made: dict[str, Path]) -> None:
    with zipfile.ZipFile(made["krita"]) as archive:
        names = archive.namelist()
        desktop = archive.read("scumble_krita.desktop").decode()
    assert "X-KDE-Library=scumble_krita" in desktop
    assert "scumble_krita/" in names and "scumble_krita/__init__.py" in names
    assert not any(n.startswith("/") or ".." in n or "__pycache__" in n or "/entry/" in n for n in names)


@pytest.mark.skipif(os.name == "nt", reason="modes of Unix")
def test_gimp_s_zip_unpacks_into_a_program(made: dict[str, Path], tmp_path: Path) -> None:
    with zipfile.ZipFile(made["gimp"]) as archive:
        modes = {i.filename: i.external_attr >> 16 for i in archive.infolist()}
        archive.extractall(tmp_path)
    assert modes["scumble/scumble.py"] & 0o777 == 0o755
    assert modes["scumble/lib/scumble/__init__.py"] & 0o777 == 0o644
    assert payload.damage(tmp_path / "scumble") == []
    assert sorted(p.name for p in tmp_path.iterdir()) == ["scumble"]


@pytest.mark.parametrize("target", ["folder", "file/below.zip"])
def test_a_place_that_cannot_take_a_zip_is_a_sentence(place: Place, target: str) -> None:
    for system in wheels.PLATFORMS:
        for build in wheels.builds(system):
            kept = place.clone / ".scumble" / "cache" / "wheels" / build.name
            if not kept.exists():
                kept.mkdir(parents=True)
                tiny_pyzmq(kept, build)
    (place.base / "folder").mkdir()
    (place.base / "file").touch()
    said = place.run("gimp", "--zip", str(place.base / target), code=2)
    assert "is a folder" in said or "cannot be used" in said
    assert list((place.base / "folder").iterdir()) == []
