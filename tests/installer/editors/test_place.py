"""A plug-in's folder is replaced whole or not at all."""

import errno
import os
import shutil
from pathlib import Path

import pytest

from scumble.installer.editors import place
from scumble.installer.problem import Problem

OLD = {"a.py": b"old", "gone/b.py": b"old"}
NEW = {"a.py": b"new", "lib/c ö.py": b"new"}


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_new_folder_has_exactly_the_new_files(tmp_path: Path) -> None:
    target = tmp_path / "plug-ins ö" / "scumble"
    place.write(target, OLD)
    place.write(target, NEW, executable=frozenset({"a.py"}))
    assert files(target.parent) == {f"scumble/{name}": content for name, content in NEW.items()}
    if os.name != "nt":
        assert (target / "a.py").stat().st_mode & 0o777 == 0o755
        assert (target / "lib" / "c ö.py").stat().st_mode & 0o111 == 0


@pytest.mark.parametrize("after", [0, 1])
def test_a_disk_that_becomes_full_leaves_the_old_folder_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    target = tmp_path / "scumble"
    place.write(target, OLD)
    written = 0
    write = Path.write_bytes

    def full(self: Path, data: bytes) -> int:
        nonlocal written
        if written >= after:
            raise OSError(errno.ENOSPC, "No space left on device", str(self))
        written += 1
        return write(self, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(Problem, match="disk became full") as caught:
        place.write(target, NEW)
    assert "still there" in caught.value.hint
    assert files(tmp_path) == {f"scumble/{name}": content for name, content in OLD.items()}


def test_a_folder_that_cannot_be_moved_in_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "scumble"
    place.write(target, OLD)
    rename = os.rename

    def stubborn(source: Path, to: Path) -> None:
        if ".scumble-new-" in str(source):
            raise PermissionError(errno.EACCES, "Permission denied", str(source))
        rename(source, to)

    monkeypatch.setattr(os, "rename", stubborn)
    with pytest.raises(Problem, match="may not write into"):
        place.write(target, NEW)
    assert files(tmp_path) == {f"scumble/{name}": content for name, content in OLD.items()}


def test_what_a_killed_run_left_is_tidied_away(tmp_path: Path) -> None:
    for name in (".scumble-new-scumble", ".scumble-old-scumble", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x").touch()
    place.write(tmp_path / "scumble", NEW)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["other", "scumble"]


@pytest.mark.skipif(os.name == "nt", reason="links")
def test_a_link_is_replaced_and_what_it_leads_to_stays(tmp_path: Path) -> None:
    place.write(tmp_path / "elsewhere", OLD)
    for act in (lambda: place.write(tmp_path / "scumble", NEW), lambda: place.remove(tmp_path / "scumble")):
        shutil.rmtree(tmp_path / "scumble", ignore_errors=True)
        (tmp_path / "scumble").symlink_to(tmp_path / "elsewhere")
        act()
        assert not (tmp_path / "scumble").is_symlink()
        assert files(tmp_path / "elsewhere") == OLD


@pytest.mark.parametrize("name", ["../x.py", "a/../../x.py", "/x.py"])
def test_no_file_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="leads out"):
        place.write(tmp_path / "scumble", {name: b""})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "sentence"),
    [(errno.EACCES, "may not write"), (errno.EROFS, "may not write"), (errno.ENOSPC, "disk became full")],
)
def test_every_refusal_is_a_sentence(number: int, sentence: str) -> None:
    assert sentence in place.explain(OSError(number, os.strerror(number)), Path("/x")).message


def test_removing_what_is_not_there_is_nothing(tmp_path: Path) -> None:
    place.remove(tmp_path / "scumble")
    assert list(tmp_path.iterdir()) == []
