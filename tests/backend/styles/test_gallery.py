"""The bundled gallery and the user's own pictures beside it."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scumble.backend import styles
from scumble.shared.errors import Code, ScumbleError


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder of the user's own styles, and a cache that is not the real one."""
    folder = tmp_path / "my styles ö"
    folder.mkdir()
    monkeypatch.setenv("SCUMBLE_STYLES_DIR", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield folder


def save(
    path: Path, mode: str = "RGB", size: tuple[int, int] = (40, 30), colour: object = (200, 40, 90)
) -> None:
    Image.new(mode, size, colour).save(path)  # type: ignore[arg-type]


def test_the_bundled_gallery_holds_at_least_24_styles_that_differ(own: Path) -> None:
    bundled = [s for s in styles.gallery() if s.source == "bundled"]
    assert len(bundled) >= 24
    assert (
        len({s.id for s in bundled})
        == len({s.name for s in bundled})
        == len({s.sha256 for s in bundled})
        == len(bundled)
    )
    assert all(s.name and s.description and s.tags for s in bundled)
    assert all(s.id == s.id.lower() and " " not in s.id for s in bundled)


def test_every_bundled_picture_is_intact_large_and_has_a_small_thumbnail(own: Path) -> None:
    total = 0
    for style in styles.gallery():
        data, small = style.path.read_bytes(), style.thumbnail.read_bytes()
        total += len(data) + len(small)
        assert hashlib.sha256(data).hexdigest() == style.sha256, style.id
        with Image.open(io.BytesIO(data)) as picture, Image.open(io.BytesIO(small)) as thumb:
            assert min(picture.size) >= 768
            assert max(thumb.size) == 128
    assert total < 6_500_000


def test_no_bundled_picture_has_a_large_flat_place(own: Path) -> None:
    """Texture everywhere: hardly any 48-px tile of a style is nearly of one tone."""
    for style in styles.gallery():
        grey = styles.load(style.id).mean(2)
        tiles = grey[:768, :768].reshape(16, 48, 16, 48).std((1, 3))
        assert (tiles < 2.0).mean() < 0.02, style.id


def test_load_gives_rgb_bytes_in_the_shape_of_the_picture(own: Path) -> None:
    pixels = styles.load(styles.gallery()[0].id)
    assert pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] == 3
    assert pixels.std() > 10


def test_an_unknown_style_is_answered_with_the_closest_names(own: Path) -> None:
    wanted = styles.gallery()[0].id
    with pytest.raises(ScumbleError) as failure:
        styles.find(wanted[:-1] + "z")
    assert failure.value.code is Code.UNKNOWN_STYLE
    assert wanted in failure.value.hint


def test_a_style_unlike_any_other_gets_a_hint_where_to_look(own: Path) -> None:
    with pytest.raises(ScumbleError) as failure:
        styles.load("qqqqqqqq")
    assert failure.value.code is Code.UNKNOWN_STYLE
    assert "scumble styles" in failure.value.hint


def test_ids_are_found_whatever_their_case(own: Path) -> None:
    wanted = styles.gallery()[0]
    assert styles.find(f" {wanted.id.upper()} ") == wanted


def test_the_users_pictures_follow_the_bundled_ones_and_are_named_by_their_files(own: Path) -> None:
    save(own / "Öl auf Holz_2.PNG")
    save(own / "another.jpg")
    mine = [s for s in styles.gallery() if s.source == "user"]
    assert [(s.id, s.name) for s in mine] == [("another", "another"), ("ol-auf-holz-2", "Öl auf Holz 2")]
    assert styles.gallery()[-1].source == "user"
    assert styles.load("ol-auf-holz-2").shape == (30, 40, 3)


def test_two_files_that_would_share_an_id_get_two(own: Path) -> None:
    bundled = styles.gallery()[0].id
    save(own / f"{bundled}.png", colour=(1, 2, 3))
    save(own / f"{bundled}.bmp", colour=(4, 5, 6))
    ids = [s.id for s in styles.gallery() if s.source == "user"]
    assert ids == [f"{bundled}-2", f"{bundled}-3"]
    assert styles.find(bundled).source == "bundled"


def test_broken_pictures_are_left_out_with_a_warning_that_names_the_file_only(own: Path) -> None:
    (own / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing more")
    buffer = io.BytesIO()
    Image.effect_noise((300, 300), 60).convert("RGB").save(buffer, "JPEG")
    (own / "cut.jpg").write_bytes(buffer.getvalue()[: len(buffer.getvalue()) // 2])
    save(own / "good.png")
    (own / "notes.txt").write_text("not a picture")
    found = styles.gallery()
    assert [s.id for s in found if s.source == "user"] == ["good"]
    assert len(found.warnings) == 2
    assert any("torn.png" in w for w in found.warnings) and any("cut.jpg" in w for w in found.warnings)
    assert not any(str(own) in w for w in found.warnings)


def test_a_folder_that_is_not_there_means_no_own_styles(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCUMBLE_STYLES_DIR", str(own / "nowhere"))
    found = styles.gallery()
    assert all(s.source == "bundled" for s in found) and not found.warnings


def test_a_thumbnail_of_an_own_picture_is_made_when_asked_for_and_kept(own: Path) -> None:
    save(own / "wide.png", size=(400, 100))
    style = styles.find("wide")
    assert not style.thumbnail.exists()
    with Image.open(io.BytesIO(styles.thumbnail_bytes(style))) as small:
        assert small.size == (128, 32)
    assert style.thumbnail.exists()


def test_a_changed_picture_gets_a_new_thumbnail(own: Path) -> None:
    save(own / "mine.png", size=(100, 100))
    before = styles.thumbnail_bytes(styles.find("mine"))
    save(own / "mine.png", size=(300, 100), colour=(0, 250, 0))
    assert styles.thumbnail_bytes(styles.find("mine")) != before


def test_thumbnails_work_where_the_cache_cannot_be_written(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (own / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(own / "file"))
    save(own / "mine.png")
    assert styles.thumbnail_bytes(styles.find("mine"))[:2] == b"\xff\xd8"


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("L", 100, (100, 100, 100)),
        ("RGBA", (255, 0, 0, 0), (255, 255, 255)),
        ("P", 0, (0, 0, 0)),
        ("I;16", 0x8080, (128, 128, 128)),
        ("1", 1, (255, 255, 255)),
    ],
)
def test_pictures_of_every_kind_load_as_rgb(
    own: Path, mode: str, colour: object, expected: tuple[int, int, int]
) -> None:
    save(own / "kind.png", mode, colour=colour)
    assert tuple(styles.load("kind")[0, 0]) == expected


def test_a_cmyk_jpeg_loads_as_rgb(own: Path) -> None:
    save(own / "press.jpg", "CMYK", colour=(0, 0, 0, 0))
    assert styles.load("press")[0, 0].tolist() == [255, 255, 255]


def test_a_photograph_turned_by_its_camera_note_is_turned_upright(own: Path) -> None:
    picture = Image.new("RGB", (40, 20))
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(own / "turned.jpg", exif=exif)
    assert styles.load("turned").shape == (40, 20, 3)


def test_a_picture_that_vanishes_after_listing_fails_with_a_sentence(own: Path) -> None:
    save(own / "gone.png")
    style = styles.find("gone")
    style.path.unlink()
    with pytest.raises(ScumbleError) as failure:
        styles.load_style(style)
    assert failure.value.code is Code.FILE_UNREADABLE
    assert str(own) not in failure.value.message


def test_a_bundled_picture_that_was_changed_is_not_used(own: Path, tmp_path: Path) -> None:
    style = styles.gallery()[0]
    copy = tmp_path / "copy.jpg"
    copy.write_bytes(style.path.read_bytes()[:-2] + b"\0\0")
    damaged = styles.Style(
        style.id, style.name, style.description, style.tags, copy, style.thumbnail, "bundled", style.sha256
    )
    with pytest.raises(ScumbleError) as failure:
        styles.load_style(damaged)
    assert "Install" in failure.value.hint
