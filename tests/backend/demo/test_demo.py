"""The demo's own parts: its selections, its sheet, and what it says when something is not right."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scumble.backend.demo import __main__ as demo
from scumble.backend.demo.overview import WIDTH, Story, overview
from scumble.backend.demo.selections import selections
from scumble.backend.styles import gallery_index


def test_the_selections_are_irregular_soft_and_share_no_pixel_fully() -> None:
    cup, table = selections(2)
    assert cup.shape == table.shape == (800, 1200)
    for mask in (cup, table):
        inside = mask > 127
        ys, xs = np.nonzero(inside)
        box = (np.ptp(ys) + 1) * (np.ptp(xs) + 1)
        assert 0.3 < inside.sum() / box < 0.9  # no rectangle
        assert len(np.unique(mask)) > 100  # soft values
        assert 0.1 < inside.mean() < 0.6
    assert (cup.astype(int) + table).max() <= 256  # where they meet they share, and never overfill


def test_the_selections_are_the_same_every_time() -> None:
    for first, second in zip(selections(1), selections(1), strict=True):
        assert np.array_equal(first, second)


def test_the_sheet_shows_each_picture_where_it_belongs() -> None:
    def plain(*colour: int) -> np.ndarray:
        return np.full((200, 300, len(colour)), colour, np.uint8)

    red, blue, green = (220, 30, 30), (20, 40, 200), (30, 160, 60)
    mask = np.zeros((200, 300), np.uint8)
    story = Story(
        source=plain(*red),
        masks=[mask, 255 - mask],
        styles=[("One", plain(200, 200, 20)), ("Two", plain(20, 200, 200))],
        layer=np.dstack([plain(*green), mask]),
        baseline=plain(*blue),
        ours=plain(*green),
        details=[(0.1, 0.1, 0.5, 0.5), (0.4, 0.4, 0.5, 0.5)],
        note="a note",
    )
    sheet = overview(story)
    assert sheet.shape[1] == WIDTH

    def share(colour: tuple[int, ...], half: slice) -> float:
        return float((np.abs(sheet[:, half].astype(int) - colour).max(axis=2) < 4).mean())

    left, right = slice(0, WIDTH // 2), slice(WIDTH // 2, WIDTH)
    assert share(blue, left) > 0.3 and share(green, right) > 0.3  # usual way on the left, ours on the right
    assert share(green, left) > 0.05 and share(blue, right) > 0.05  # close-ups of both on both sides
    assert share(red, left) > 0.1 and share(red, right) == 0


def test_the_demos_styles_are_in_the_gallery() -> None:
    for id in demo.STYLES:
        assert gallery_index.find(id).source == "bundled"


def test_a_photograph_that_is_not_there_is_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert demo.main(["--photo", str(tmp_path / "none.png"), "--out", str(tmp_path / "out")]) == 4
    said = capsys.readouterr().err
    assert "none.png cannot be read" in said and "Traceback" not in said


def test_another_photograph_is_sent_to_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGB", (30, 20)).save(tmp_path / "mine.png")
    assert demo.main(["--photo", str(tmp_path / "mine.png"), "--out", str(tmp_path / "out")]) == 4
    assert "scumble stylize" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert demo.main(["--photo", "x.png", "--out", str(tmp_path / "file" / "out")]) == 4
    assert "--out" in capsys.readouterr().err


def test_the_installation_finds_nothing_wrong_with_itself() -> None:
    command = [sys.executable, "-m", "scumble.backend.demo.inspect"]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    by_name = {finding["what"]: finding for finding in found["findings"]}
    assert {"PyTorch", "networks", "styles", "backend"} <= set(by_name)
    assert [f for f in found["findings"] if f["status"] == "wrong"] == []
