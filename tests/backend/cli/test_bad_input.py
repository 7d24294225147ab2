"""What ``scumble stylize`` refuses, and how it says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from desk_parts import BASE, TINT, Scumble, refused, swapped
from PIL import Image

from scumble.shared.errors import Code


@pytest.mark.parametrize("name", ["photo.png", "left.png", "red.png"])
def test_a_missing_file_is_named(scumble: Scumble, desk: Path, name: str) -> None:
    assert "gone.png" in refused(scumble(*swapped(name, "gone.png")), Code.FILE_MISSING)


@pytest.mark.parametrize("name", ["photo.png", "left.png", "red.png"])
def test_a_file_that_is_no_picture_is_refused(scumble: Scumble, desk: Path, name: str) -> None:
    (desk / "text.png").write_text("not pixels")
    refused(scumble(*swapped(name, "text.png")), Code.FILE_UNREADABLE)


def test_a_mask_of_the_wrong_size_is_refused(scumble: Scumble, desk: Path) -> None:
    assert "8 x 8" in refused(scumble(*swapped("left.png", "blue.png")), Code.MASK_SIZE)


def test_an_empty_mask_is_refused(scumble: Scumble, desk: Path) -> None:
    Image.new("L", (60, 40)).save(desk / "black.png")
    refused(scumble(*swapped("left.png", "black.png")), Code.EMPTY_SELECTION)


def test_a_cmyk_picture_is_refused(scumble: Scumble, desk: Path) -> None:
    Image.new("CMYK", (60, 40)).save(desk / "print.jpg")
    assert "RGB" in refused(scumble(*swapped("photo.png", "print.jpg")), Code.UNSUPPORTED_FORMAT)


def test_a_side_of_30001_pixels_is_refused_and_one_pixel_is_painted(scumble: Scumble, desk: Path) -> None:
    Image.new("L", (30_001, 1)).save(desk / "long.png")
    args = ("stylize", "long.png", "--style", "red.png", *TINT, "-o", "l.png")
    refused(scumble(*args), Code.TOO_LARGE)
    Image.new("L", (30_000, 1)).save(desk / "long.png")
    assert scumble(*args)[0] == 0 and Image.open(desk / "l.png").size == (30_000, 1)
    Image.new("RGB", (1, 1)).save(desk / "long.png")
    assert scumble(*args)[0] == 0 and Image.open(desk / "l.png").size == (1, 1)


def test_nan_in_a_float_picture_is_refused(scumble: Scumble, desk: Path) -> None:
    from scumble.backend.imaging import save
    from scumble.shared.messages import PixelBuffer

    raw = np.zeros((40, 60, 3), np.float32)
    raw[15, 20] = np.nan
    save.write_picture(desk / "f.tif", PixelBuffer(60, 40, "rgb", "f32", raw.tobytes(), "linear"))
    assert "NaN" in refused(scumble(*swapped("photo.png", "f.tif")), Code.NOT_FINITE)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--engine", "magic"), Code.UNKNOWN_ENGINE),
        (("--option", "sparkle=1"), Code.UNKNOWN_OPTION),
        (("--option", "amount=2"), Code.OPTION_OUT_OF_RANGE),
        (("--option", "amount=nan"), Code.OPTION_OUT_OF_RANGE),
        (("--option", "amount"), Code.BAD_REQUEST),
        (("--strength", "1.5"), Code.OPTION_OUT_OF_RANGE),
        (("--strength", "nan"), Code.OPTION_OUT_OF_RANGE),
        (("--strength", "1", "--strength", "0"), Code.BAD_REQUEST),
        (("--style", "blue.png"), Code.BAD_REQUEST),
        (("--style-mask", "no-such.png"), Code.FILE_MISSING),
        (("--style-mask", "-", "--style-mask", "left.png", "--style-mask", "-"), Code.BAD_REQUEST),
        (("-o", "l.jpg"), Code.UNSUPPORTED_FORMAT),
        (("-o", "l"), Code.UNSUPPORTED_FORMAT),
        (("-o", "photo.png"), Code.BAD_REQUEST),
        (("-o", "red.png"), Code.BAD_REQUEST),
        (("--composite", "l.png"), Code.BAD_REQUEST),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_written(
    scumble: Scumble, desk: Path, words: tuple[str, ...], code: Code
) -> None:
    before = {f.name: f.read_bytes() for f in desk.iterdir()}
    refused(scumble(*BASE, *words), code)
    assert {f.name: f.read_bytes() for f in desk.iterdir()} == before


def test_an_unknown_style_of_the_gallery_is_refused(scumble: Scumble, desk: Path) -> None:
    assert "no-such-style" in refused(scumble(*swapped("red.png", "no-such-style")), Code.UNKNOWN_STYLE)


def test_a_word_that_is_no_command_exits_with_2(scumble: Scumble) -> None:
    with pytest.raises(SystemExit) as exit:
        scumble("paint")
    assert exit.value.code == 2
    assert scumble()[0] == 2


@pytest.mark.parametrize("name", ["photo.png", "left.png", "red.png"])
def test_a_folder_in_place_of_a_file_is_called_one(scumble: Scumble, desk: Path, name: str) -> None:
    (desk / "things").mkdir()
    assert "folder" in refused(scumble(*swapped(name, "things")), Code.FILE_UNREADABLE)


@pytest.mark.parametrize("name", ["photo.png", "left.png", "red.png"])
@pytest.mark.parametrize("kind", ["png", "jpg"])
def test_a_file_that_was_cut_off_is_refused(scumble: Scumble, desk: Path, name: str, kind: str) -> None:
    whole = desk / f"whole.{kind}"
    Image.open(desk / "photo.png").save(whole)
    (desk / f"half.{kind}").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    assert "cut off" in refused(scumble(*swapped(name, f"half.{kind}")), Code.FILE_UNREADABLE)


@pytest.mark.parametrize(("name", "called"), [("left.png", "mask"), ("red.png", "style picture")])
def test_what_holds_the_nan_is_named(scumble: Scumble, desk: Path, name: str, called: str) -> None:
    import cv2

    values = np.zeros((40, 60, 3), np.float32)
    values[3, 3] = np.nan
    cv2.imwrite(str(desk / "f.tif"), values)
    assert called in refused(scumble(*swapped(name, "f.tif")), Code.NOT_FINITE)


def test_a_rotated_photograph_is_taken_as_it_is_seen(scumble: Scumble, desk: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.open(desk / "photo.png").save(desk / "turned.jpg", exif=exif)
    # The mask is drawn on what a viewer shows: 40 x 60.
    refused(scumble(*swapped("photo.png", "turned.jpg")), Code.MASK_SIZE)
    Image.open(desk / "left.png").rotate(-90, expand=True).save(desk / "left.png")
    assert scumble(*swapped("photo.png", "turned.jpg"))[0] == 0
    assert Image.open(desk / "l.png").size == (40, 60)
    assert Image.open(desk / "l.png").getbbox() == (20, 15, 30, 35)


@pytest.mark.parametrize(
    "words", [("--strength", "much"), ("--seed", "1.5"), ("--seed", "9" * 30), ("--sparkle",), ("-o",)]
)
def test_an_argument_that_makes_no_sense_is_a_sentence_too(
    scumble: Scumble, desk: Path, capfd: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    with pytest.raises(SystemExit) as exit:
        scumble(*BASE, *words)
    refused((int(exit.value.code or 0), "", capfd.readouterr().err), Code.BAD_REQUEST)
    assert not (desk / "l.png").exists()
