"""Each editor's folders are found on every system, however it was installed."""

import plistlib
from pathlib import Path

import pytest

from scumble.installer.editors import where
from scumble.installer.editors.world import World, dotted, flatpak_note, python_named

METAINFO = (
    '<component><id>org.{0}</id><releases><release date="2025-01-01" version="{1}"/></releases></component>'
)


def make(path: Path, content: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def world(base: Path, system: str, **env: str) -> World:
    (base / "home ö").mkdir(exist_ok=True)
    return World(system, base / "home ö", {"PATH": str(base / "bin"), **env}, base / "root", "x86_64")


def program(base: Path, real: str, *names: str) -> Path:
    file = make(base / "prefix" / "bin" / real, "#!/bin/sh\n")
    file.chmod(0o755)
    (base / "bin").mkdir(exist_ok=True)
    for name in (real, *names):
        (base / "bin" / name).symlink_to(file)
    return file


def test_on_a_bare_machine_there_is_nothing(tmp_path: Path) -> None:
    for system in ("linux", "win32", "darwin"):
        for editor in where.EDITORS:
            assert where.present(editor, world(tmp_path, system)) == []


def test_a_linux_package_of_krita_tells_its_version_and_the_python_it_is_linked_to(tmp_path: Path) -> None:
    program(tmp_path, "krita")
    make(tmp_path / "prefix/share/metainfo/org.kde.krita.appdata.xml", METAINFO.format("kde.krita", "5.2.9"))
    make(tmp_path / "prefix/lib/x86_64-linux-gnu/kritaplugins/kritapykrita.so", "\0libpython3.13.so.1.0\0")
    (target,) = where.present("krita", world(tmp_path, "linux"))
    (found,) = target.programs
    assert found.title == "Krita 5.2.9 (Linux package)" and found.python == (3, 13)
    home = tmp_path / "home ö"
    assert (
        target.plugins == home / ".local/share/krita/pykrita" and target.kritarc == home / ".config/kritarc"
    )
    assert target.system == "linux-x86_64"


def test_package_and_appimages_share_one_folder(tmp_path: Path) -> None:
    program(tmp_path, "krita")
    make(tmp_path / "home ö/Downloads/krita-5.2.9-x86_64.AppImage")
    make(tmp_path / "home ö/Applications/krita-6.0.0-x86_64.appimage")
    make(tmp_path / "home ö/Downloads/other.AppImage")
    (target,) = where.present("krita", world(tmp_path, "linux"))
    assert target.title == "Krita (Linux package), Krita 6.0.0 (AppImage), Krita 5.2.9 (AppImage)"


@pytest.mark.parametrize("value", ["", "relative/folder"])
def test_the_xdg_folders_count_if_they_are_absolute(tmp_path: Path, value: str) -> None:
    program(tmp_path, "krita")
    other = {"XDG_DATA_HOME": str(tmp_path / "d ö"), "XDG_CONFIG_HOME": str(tmp_path / "c")}
    (target,) = where.present("krita", world(tmp_path, "linux", **other))
    assert target.plugins == tmp_path / "d ö/krita/pykrita" and target.kritarc == tmp_path / "c/kritarc"
    (target,) = where.present("krita", world(tmp_path, "linux", XDG_DATA_HOME=value, XDG_CONFIG_HOME=value))
    assert target.plugins == tmp_path / "home ö/.local/share/krita/pykrita"


def flatpak(base: Path, app: str, id_: str, runtime: str, python: str, context: str = "") -> Path:
    version = "3.0.4" if id_ == "gimp.GIMP" else "5.2.6"
    top = base / "root/var/lib/flatpak"
    active = top / "app" / app / "current/active"
    make(active / "metadata", f"[Application]\nname={app}\nruntime={runtime}\n[Context]\n{context}\n")
    make(active / f"files/share/metainfo/{app}.appdata.xml", METAINFO.format(id_, version))
    make(top / "runtime" / runtime / "active/files/lib" / python / "os.py")
    return active


def test_a_flatpak_has_folders_of_its_own_and_the_python_of_its_runtime(tmp_path: Path) -> None:
    flatpak(tmp_path, "org.kde.krita", "kde.krita", "org.kde.Platform/x86_64/5.15-24.08", "python3.12")
    (target,) = where.present("krita", world(tmp_path, "linux"))
    home = tmp_path / "home ö/.var/app/org.kde.krita"
    assert target.plugins == home / "data/krita/pykrita" and target.kritarc == home / "config/kritarc"
    assert target.title == "Krita 5.2.6 (Flatpak)" and target.programs[0].python == (3, 12)


def test_a_flatpak_is_allowed_only_what_it_lacks(tmp_path: Path) -> None:
    app, runtime = "org.kde.krita", "org.kde.Platform/x86_64/1"
    active = flatpak(tmp_path, app, "kde.krita", runtime, "python3.12", "shared=ipc;\nfilesystems=host;")
    here = world(tmp_path, "linux")
    both = "flatpak override --user --share=network --filesystem=xdg-run/scumble org.kde.krita"
    assert flatpak_note(here, app, active) == both
    overrides = tmp_path / "home ö/.local/share/flatpak/overrides"
    make(overrides / "global", "[Context]\nshared=network;\n")
    assert "network" not in flatpak_note(here, app, active)
    make(overrides / app, "[Context]\nfilesystems=xdg-run/scumble:rw;\n")
    assert flatpak_note(here, app, active) == ""


def test_a_snap_has_folders_of_its_own(tmp_path: Path) -> None:
    make(tmp_path / "root/snap/krita/current/usr/lib/python3.10/os.py")
    (target,) = where.present("krita", world(tmp_path, "linux"))
    assert target.plugins == tmp_path / "home ö/snap/krita/current/.local/share/krita/pykrita"
    assert target.programs[0].python == (3, 10) and "in another way" in target.programs[0].note


def test_krita_on_windows(tmp_path: Path) -> None:
    at = tmp_path / "Program Files/Krita (x64)"
    make(at / "bin/krita.exe")
    make(at / "python/python3.dll")
    make(at / "python/python310.dll")
    make(at / "share/metainfo/org.kde.krita.appdata.xml", METAINFO.format("kde.krita", "5.2.9"))
    make(tmp_path / "home ö/AppData/Local/Packages/49800Krita_RV7/LocalCache/Roaming/krita/kritadisplayrc")
    here = world(tmp_path, "win32", ProgramFiles=str(at.parent), ProgramW6432=str(at.parent))
    usual, store = where.present("krita", here)
    home = tmp_path / "home ö/AppData"
    assert usual.plugins == home / "Roaming/krita/pykrita" and usual.kritarc == home / "Local/kritarc"
    assert [p.title for p in usual.programs] == ["Krita 5.2.9 (Windows)"]
    assert usual.programs[0].python == (3, 10) and usual.system == "windows-x86_64"
    cache = home / "Local/Packages/49800Krita_RV7/LocalCache"
    assert store.plugins == cache / "Roaming/krita/pykrita" and store.kritarc == cache / "Local/kritarc"


def test_both_editors_on_a_mac(tmp_path: Path) -> None:
    for name, version in (("krita", "5.2.9"), ("GIMP", "3.0.4")):
        contents = tmp_path / f"root/Applications/{name}.app/Contents"
        make(contents / "Frameworks/Python.framework/Versions/3.10/Python")
        (contents / "Info.plist").write_bytes(plistlib.dumps({"CFBundleShortVersionString": version}))
    make(tmp_path / "root/Applications/GIMP-2.10.app/Contents/Info.plist").write_bytes(
        plistlib.dumps({"CFBundleShortVersionString": "2.10.38"})
    )
    here = world(tmp_path, "darwin")
    support = tmp_path / "home ö/Library/Application Support"
    (krita,) = where.present("krita", here)
    assert krita.plugins == support / "krita/pykrita" and krita.system == "macos"
    assert krita.kritarc == tmp_path / "home ö/Library/Preferences/kritarc"
    assert krita.title == "Krita 5.2.9 (macOS)" and krita.programs[0].python == (3, 10)
    (gimp,) = where.present("gimp", here)
    assert gimp.plugins == support / "GIMP/3.0/plug-ins" and gimp.title == "GIMP 3.0.4 (macOS)"


def test_gimp_on_linux_is_found_by_any_of_its_names_and_once(tmp_path: Path) -> None:
    program(tmp_path, "gimp-3.0", "gimp-3", "gimp")
    program(tmp_path, "gimp-console-3.0", "gimp-console")
    make(tmp_path / "prefix/share/metainfo/org.gimp.GIMP.appdata.xml", METAINFO.format("gimp.GIMP", "3.0.4"))
    python = make(tmp_path / "prefix/py/python3.13")
    make(tmp_path / "prefix/lib/x/gimp/3.0/interpreters/pygimp.interp", f"python=/p\npython3={python}\n")
    (target,) = where.present("gimp", world(tmp_path, "linux"))
    assert target.plugins == tmp_path / "home ö/.config/GIMP/3.0/plug-ins"
    (found,) = target.programs
    assert found.title == "GIMP 3.0.4 (Linux package)" and found.python == (3, 13)


def test_every_version_of_gimp_3_has_its_folder_and_gimp_2_none(tmp_path: Path) -> None:
    program(tmp_path, "gimp-2.10", "gimp")
    for version in ("2.10", "3.0"):
        make(tmp_path / "home ö/.config/GIMP" / version / "gimprc")
    make(tmp_path / "home ö/GIMP-3.2.0-x86_64.AppImage")
    here = world(tmp_path, "linux")
    found = where.present("gimp", here)
    assert [t.plugins.parent.name for t in found] == ["3.0", "3.2"]
    assert found[0].programs == () and found[1].title == "GIMP 3.2.0 (AppImage)"
    assert where.too_old(here) == tmp_path / "bin/gimp"


def test_gimp_s_own_variable_names_its_folder(tmp_path: Path) -> None:
    program(tmp_path, "gimp-3.0")
    (target,) = where.present("gimp", world(tmp_path, "linux", GIMP3_DIRECTORY=str(tmp_path / "mine ö")))
    assert target.plugins == tmp_path / "mine ö/plug-ins"


def test_gimp_in_a_flatpak(tmp_path: Path) -> None:
    flatpak(tmp_path, "org.gimp.GIMP", "gimp.GIMP", "org.gnome.Platform/x86_64/48", "python3.12")
    make(tmp_path / "home ö/.var/app/org.gimp.GIMP/config/GIMP/3.0/gimprc")
    (target,) = [t for t in where.present("gimp", world(tmp_path, "linux")) if t.programs]
    assert target.programs[0].python == (3, 12) and ".var" in target.plugins.parts


def test_gimp_on_windows_has_a_python_that_no_ready_made_build_fits(tmp_path: Path) -> None:
    at = tmp_path / "Local/Programs/GIMP 3"
    for name in ("bin/gimp-3.exe", "bin/gimp-3.0.exe", "bin/gimp-console-3.0.exe", "bin/libpython3.12.dll"):
        make(at / name)
    here = world(tmp_path, "win32", LOCALAPPDATA=str(tmp_path / "Local"), APPDATA=str(tmp_path / "Roaming"))
    (target,) = where.present("gimp", here)
    assert target.plugins == tmp_path / "Roaming/GIMP/3.0/plug-ins" and target.system.startswith("mingw-")
    assert target.programs[0].title == "GIMP 3.0 (Windows)" and target.programs[0].python == (3, 12)
    assert where.chosen("gimp", tmp_path / "elsewhere", here).system == target.system


def test_a_wrapper_of_a_snap_on_the_search_path_is_not_a_package(tmp_path: Path) -> None:
    wrapper = make(tmp_path / "snap/bin/krita", "#!/bin/sh\n")
    wrapper.chmod(0o755)
    assert where.present("krita", world(tmp_path, "linux", PATH=str(wrapper.parent))) == []


@pytest.mark.parametrize(
    ("editor", "given", "folder"),
    [
        ("krita", "portable/krita", "portable/krita/pykrita"),
        ("krita", "x/pykrita", "x/pykrita"),
        ("krita", "elsewhere", "elsewhere"),
        ("gimp", "GIMP/3.2", "GIMP/3.2/plug-ins"),
        ("gimp", "my plug-ins", "my plug-ins"),
    ],
)
def test_a_folder_that_is_named_may_be_the_plug_ins_or_the_one_above(
    tmp_path: Path, editor: str, given: str, folder: str
) -> None:
    assert where.chosen(editor, tmp_path / given, world(tmp_path, "linux")).plugins == tmp_path / folder


def test_naming_the_usual_folder_keeps_what_is_known_of_it(tmp_path: Path) -> None:
    here = world(tmp_path, "linux")
    target = where.chosen("krita", tmp_path / "home ö/.local/share/krita", here)
    assert target.kritarc == tmp_path / "home ö/.config/kritarc"


def test_a_folder_that_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    blocked = make(tmp_path / "home ö/.config/GIMP")  # a file where a folder should be
    assert where.present("gimp", world(tmp_path, "linux")) == [] and blocked.is_file()


@pytest.mark.parametrize(
    ("text", "version"),
    [("krita-5.2.9-x86_64.appimage", "5.2.9"), ("gimp-3.0", "3.0"), ("GIMP-3.0.4-1", "3.0.4"), ("krita", "")],
)
def test_versions_in_names(text: str, version: str) -> None:
    assert dotted(text) == version


def test_pythons_in_names() -> None:
    names = ("python3", "python3.dll", "python310.dll", "python3.9", "libpython3.11.dll", "os.py")
    assert python_named(Path(n) for n in names) == (3, 11)
    assert python_named([Path("3.13"), Path("Current")]) == (3, 13)
    assert python_named([Path("python3")]) is None
