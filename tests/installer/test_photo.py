"""The demo's photograph is fetched once and checked to the bit."""

import hashlib
import io
import os
import sys
import zipfile
from pathlib import Path

import pytest

from scumble.installer import photo
from scumble.installer.console import Console
from scumble.installer.problem import Problem

WHEEL = "scikit_image-0.25.2-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that serves packages; the real one is never asked."""
    for name in [n for n in os.environ if n.startswith("PIP_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "shop"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def wheel(shop: Path, files: dict[str, bytes]) -> None:
    info = "scikit_image-0.25.2.dist-info"
    meta = b"Metadata-Version: 2.1\nName: scikit-image\nVersion: 0.25.2\n"
    tag = b"Wheel-Version: 1.0\nTag: cp312-cp312-manylinux_2_17_x86_64\n"
    with zipfile.ZipFile(shop / WHEEL, "w") as archive:
        for name, data in {
            **files,
            f"{info}/METADATA": meta,
            f"{info}/WHEEL": tag,
            f"{info}/RECORD": b"",
        }.items():
            archive.writestr(name, data)


def fetch(cache: Path) -> Path:
    return photo.photograph(cache, Path(sys.executable), Console(io.StringIO()))


def test_the_picture_comes_out_of_the_wheel_and_stays(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photo, "SHA256", hashlib.sha256(b"a picture").hexdigest())
    wheel(shop, {f"skimage/data/{photo.NAME}": b"a picture"})
    file = fetch(tmp_path / "cache ö")
    assert file.read_bytes() == b"a picture"
    assert [p.name for p in file.parent.iterdir()] == [photo.NAME]  # the wheel does not
    (shop / WHEEL).unlink()
    assert fetch(tmp_path / "cache ö") == file


def test_another_picture_under_that_name_is_refused(shop: Path, tmp_path: Path) -> None:
    wheel(shop, {f"skimage/data/{photo.NAME}": b"another picture"})
    with pytest.raises(Problem, match="not the one that was expected"):
        fetch(tmp_path / "cache")
    assert not (tmp_path / "cache" / photo.NAME).exists()


def test_a_wheel_without_the_picture_is_said_so(shop: Path, tmp_path: Path) -> None:
    wheel(shop, {"skimage/__init__.py": b""})
    with pytest.raises(Problem, match="not in the package"):
        fetch(tmp_path / "cache")


def test_the_pinned_picture_is_the_one_that_scikit_image_ships() -> None:
    skimage = pytest.importorskip("skimage")
    shipped = Path(skimage.__file__).parent / "data" / photo.NAME
    assert photo.is_right(shipped)
