"""Styles as text."""

from __future__ import annotations

from pathlib import Path

import pytest

from scumble.backend.cli.style_text import parse_style
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import BlendStyle, BundledStyle, PixelStyle


def test_a_style_is_a_file_an_id_or_a_blend(desk: Path) -> None:
    assert isinstance(parse_style("red.png"), PixelStyle)
    assert parse_style("oil-sunset") == BundledStyle("oil-sunset")
    blend = parse_style("oil-sunset:0.7, red.png:0.3,ink")
    assert isinstance(blend, BlendStyle)
    assert [w for _, w in blend.parts] == [0.7, 0.3, 1.0]
    assert [type(p) for p, _ in blend.parts] == [BundledStyle, PixelStyle, BundledStyle]


def test_a_file_whose_name_looks_like_a_blend_is_a_file(desk: Path) -> None:
    (desk / "a:0.7,b:0.3").write_bytes((desk / "red.png").read_bytes())
    assert isinstance(parse_style("a:0.7,b:0.3"), PixelStyle)


@pytest.mark.parametrize("text", ["a:0", "a:-1,b:2", "a:nan", "a:inf,b:1", "", "a,,b", ":0.5", "a,b,c,d,e"])
def test_a_blend_that_makes_no_sense_is_refused(desk: Path, text: str) -> None:
    with pytest.raises(ScumbleError) as error:
        parse_style(text)
    assert error.value.code is Code.BAD_REQUEST and error.value.message.endswith(".")
