"""Settings as text: there and back, and whatever somebody's hands made of it."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scumble.plugin.common.annotation import LONGEST, RegionSettings, RunSettings, dump, parse
from scumble.plugin.common.sources import (
    BlendedStyle,
    FileStyle,
    GalleryStyle,
    LayerStyle,
    MaskSource,
    WordStyle,
    style_from_plain,
    style_name,
    style_to_plain,
)

TEXT = st.text(min_size=1, max_size=20)
SINGLE = st.one_of(
    TEXT.map(GalleryStyle),
    TEXT.filter(lambda path: not path.startswith("~")).map(FileStyle),
    TEXT.map(WordStyle),
    st.builds(LayerStyle, TEXT, st.text(max_size=9), st.text(max_size=9)),
)
WEIGHT = st.floats(0.01, 100)
STYLE = st.one_of(
    SINGLE, st.lists(st.tuples(SINGLE, WEIGHT), min_size=1, max_size=4).map(lambda p: BlendedStyle(tuple(p)))
)
OPTIONS = st.dictionaries(
    TEXT, st.one_of(st.booleans(), st.integers(-9, 9), st.floats(-9, 9), st.text(max_size=9)), max_size=4
)
REGION = st.builds(
    RegionSettings,
    STYLE,
    st.builds(MaskSource, TEXT, st.text(max_size=9)),
    st.floats(0, 1),
    OPTIONS,
    st.text(max_size=9),
)
RUN = st.builds(
    RunSettings,
    TEXT,
    st.lists(REGION, min_size=1, max_size=4).map(tuple),
    OPTIONS,
    st.integers(-(2**63), 2**63 - 1),
    st.text(max_size=9),
)
SIMPLE = RunSettings("partial-conv", (RegionSettings(GalleryStyle("waves")),))


@given(RUN)
def test_settings_come_back_as_they_went(run: RunSettings) -> None:
    text = dump(run)
    assert text.isascii() and "\n" not in text
    parsed = parse(text)
    assert parsed.settings == run and parsed.problems == ()
    assert parse(text.encode() + b"\0").settings == run, "a parasite's bytes end with a zero"


def test_what_has_its_default_takes_no_room() -> None:
    assert dump(SIMPLE) == '{"scumble":1,"engine":"partial-conv","regions":[{"style":{"gallery":"waves"}}]}'


def test_a_file_in_the_users_own_folder_is_kept_without_the_users_name() -> None:
    """Documents are given to others."""
    path = os.path.join(os.path.expanduser("~"), "Pictures", "old wall.jpg")
    text = dump(RunSettings("e", (RegionSettings(FileStyle(path)),)))
    assert "~/Pictures/old wall.jpg" in text and os.path.expanduser("~") not in text
    run = parse(text).settings
    assert run is not None and run.regions[0].style == FileStyle(path)
    assert style_from_plain({"file": "~somebody/x.png"}) == FileStyle("~somebody/x.png")


@given(st.one_of(st.text(), st.binary()))
def test_no_text_whatever_makes_it_raise(text: str | bytes) -> None:
    parsed = parse(text)
    assert parsed.settings is None and parsed.problems


NODE = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(["style", "gallery", "file", "blend", "mask", "strength", "options", "label"]),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["engine", "options", "regions", "seed", "version"]), NODE), NODE)
def test_settings_edited_by_hand_never_make_it_raise(edited: dict[str, Any], region: Any) -> None:
    data = {"scumble": 1, "engine": "e", "regions": [region, {"style": {"gallery": "g"}}], **edited}
    parsed = parse(json.dumps(data))
    if parsed.settings is None:
        assert parsed.problems
    else:
        assert parse(dump(parsed.settings)).settings == parsed.settings, "what is read can be kept again"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"scumble":1,"engine":"e","regions":[{"style":{"gallery":"g"},"strength":7}]}', "strength"),
        ('{"scumble":1,"engine":"e","seed":"x","regions":[{"style":{"gallery":"g"}}]}', "seed"),
        ('{"scumble":1,"engine":"e","options":{"a":[1]},"regions":[{"style":{"gallery":"g"}}]}', "option"),
        ('{"scumble":1,"engine":"e","regions":[{"style":{"gallery":"g"}},{"style":{"hue":1}}]}', "Region 2"),
        ('{"scumble":2,"engine":"e","more":1,"regions":[{"style":{"gallery":"g"}}]}', "newer"),
        ('{"scumble":1,"engine":"e","regions":[' + ",".join(['{"style":{"gallery":"g"}}'] * 40) + "]}", "32"),
    ],
)
def test_what_is_left_out_is_said_and_the_rest_is_used(text: str, problem: str) -> None:
    parsed = parse(text)
    assert parsed.settings is not None and parsed.settings.regions[0].style == GalleryStyle("g")
    assert len(parsed.problems) == 1 and problem in parsed.problems[0]


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", '{"scumble":1}', '{"scumble":true,"engine":"e"}', '{"scumble":1,"engine":"e"}',
     "[" * 100_000, "{" * (LONGEST + 1), '{"scumble":1,"engine":"e","regions":[]}'],
)  # fmt: skip
def test_a_text_without_settings_says_so(text: str) -> None:
    assert parse(text).settings is None and parse(text).problems


def test_names_for_layers() -> None:
    blend = BlendedStyle(((GalleryStyle("night-swirls"), 1.0), (FileStyle("C:\\art\\old wall.jpg"), 2.0)))
    run = RunSettings("nnst", (RegionSettings(blend), RegionSettings(WordStyle("rust " * 20))))
    assert run.name.startswith("night swirls + old wall, rust rust") and run.name.endswith("… (nnst)")
    assert style_name(LayerStyle("{id}", name="Sky")) == "Sky" and style_name(None) == "no style"
    assert style_name(FileStyle("/a/b/with ö.png")) == "with ö"


@given(STYLE)
def test_styles_come_back_as_they_went(style: Any) -> None:
    assert style_from_plain(json.loads(json.dumps(style_to_plain(style)))) == style
    assert style_name(style)
