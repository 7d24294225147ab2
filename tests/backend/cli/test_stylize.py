"""The command ``scumble stylize``: what it writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from desk_parts import TINT, Scumble, array
from PIL import Image


def test_a_layer_is_written_at_the_contents_size_and_transparent_outside(
    scumble: Scumble, desk: Path
) -> None:
    args = ("stylize", "photo.png", "--mask", "left.png", "--style", "red.png", *TINT)
    assert scumble(*args, "-o", "layer.png", "--composite", "c.png", "--report", "r.json") == (0, "", "")
    layer, content, done = array(desk / "layer.png"), array(desk / "photo.png"), array(desk / "c.png")
    assert layer.shape == (40, 60, 4)
    assert (layer[10:20, 16:35] == [255, 0, 0, 255]).all() and layer[15, 15, 3] == 100
    layer[10:20, 15:35] = 0
    assert not layer.any()
    assert (done[10:20, 16:35] == [255, 0, 0]).all()
    done[10:20, 15:35] = content[10:20, 15:35]
    assert np.array_equal(done, content)
    report = json.loads((desk / "r.json").read_text())
    assert report["layer"] == {"origin": [15, 10], "size": [20, 10]} and report["canvas"] == [60, 40]
    assert report["engine"] == "test-tint" and report["device"] == "cpu" and report["peak_bytes"] >= 0
    assert report["seconds"]["total"] > 0 and report["client_seconds"]["total"] >= report["seconds"]["total"]


def test_the_box_alone_is_written_when_asked_for(scumble: Scumble, desk: Path) -> None:
    args = ("stylize", "photo.png", "--mask", "left.png", "--style", "red.png", *TINT, "--crop")
    assert scumble(*args, "-o", "layer.png", "--report", "r.json")[0] == 0
    assert array(desk / "layer.png").shape == (10, 20, 4)
    assert json.loads((desk / "r.json").read_text())["layer"]["origin"] == [15, 10]


def test_several_masks_have_their_own_styles_and_strengths(scumble: Scumble, desk: Path) -> None:
    code, _, err = scumble(
        "stylize", "photo.png", "--mask", "left.png", "--style", "red.png", "--strength", "1",
        "--mask", "right.png", "--style", "red.png:1,blue.png:3", "--strength", "0.6", *TINT, "-o", "l.png",
    )  # fmt: skip
    assert code == 0, err
    layer = array(desk / "l.png")
    assert layer[15, 20].tolist() == [255, 0, 0, 255]
    assert layer[15, 50, 3] == 153
    assert Image.open(desk / "l.png").getbbox() == (15, 10, 55, 20)


def test_one_style_serves_all_masks_and_without_a_mask_all_is_painted(scumble: Scumble, desk: Path) -> None:
    args = ("stylize", "photo.png", "--style", "blue.png", *TINT, "-o", "l.png")
    assert scumble(*args, "--mask", "left.png", "--mask", "right.png")[0] == 0
    assert (array(desk / "l.png")[12, 20] == [0, 0, 255, 255]).all()
    assert scumble(*args)[0] == 0
    assert (array(desk / "l.png") == [0, 0, 255, 255]).all()


def test_zero_strength_composites_to_the_content_itself(scumble: Scumble, desk: Path) -> None:
    args = ("stylize", "photo.png", "--style", "red.png", "--strength", "0", *TINT)
    assert scumble(*args, "-o", "l.png", "--composite", "c.png")[0] == 0
    assert np.array_equal(array(desk / "c.png"), array(desk / "photo.png"))


def test_16_bits_in_give_16_bits_out(scumble: Scumble, desk: Path) -> None:
    from scumble.backend.imaging import files, pixels, save
    from scumble.shared.messages import PixelBuffer

    raw = np.random.default_rng(2).integers(0, 65536, (40, 60, 3), dtype=np.uint16)
    save.write_picture(desk / "deep.png", PixelBuffer(60, 40, "rgb", "u16", raw.tobytes()))
    args = ("stylize", "deep.png", "--mask", "left.png", "--style", "red.png", *TINT)
    assert scumble(*args, "-o", "l.png", "--composite", "c.png")[0] == 0
    assert files.read_picture(desk / "l.png").pixels.dtype == "u16"
    done = pixels.samples(files.read_picture(desk / "c.png").pixels).copy()
    assert (done[12, 20] == [65535, 0, 0]).all()
    done[10:20, 15:35] = raw[10:20, 15:35]
    assert np.array_equal(done, raw)


def test_options_reach_the_engine(scumble: Scumble, desk: Path, tint: Any) -> None:
    args = ("stylize", "photo.png", "--style", "red.png", *TINT, "-o", "l.png", "--seed", "5")
    assert scumble(*args, "--option", "amount=0.5", "--option", "margin=2")[0] == 0
    assert tint.jobs[0].options["amount"] == 0.5 and tint.jobs[0].options["margin"] == 2
    assert tint.jobs[0].seed == 5


def test_a_style_mask_says_where_in_the_style_a_region_takes_after(scumble: Scumble, desk: Path) -> None:
    """One for each mask, ``-`` for the whole style; an empty one is refused."""
    two = np.zeros((40, 40, 3), np.uint8)
    two[:, :20], two[:, 20:] = (220, 30, 30), (30, 30, 220)
    Image.fromarray(two).save(desk / "two.png")
    half = np.zeros((40, 40), np.uint8)
    half[:, :18] = 255
    Image.fromarray(half).save(desk / "half.png")
    Image.fromarray(0 * half).save(desk / "nothing.png")
    words = ("stylize", "photo.png", "--style", "two.png", "--engine", "partial-conv", "--local")
    reds = []
    for mask in ("half.png", "-"):
        code, _, err = scumble(*words, "--style-mask", mask, "-o", "l.png")
        assert code == 0, err
        painted = np.asarray(Image.open(desk / "l.png").convert("RGB")).astype(float)
        reds.append((painted[..., 0] - painted[..., 2]).mean())
    assert reds[0] > reds[1] + 40
    code, _, err = scumble(*words, "--style-mask", "nothing.png", "-o", "l.png")
    assert code == 2 and "empty_selection" in err
