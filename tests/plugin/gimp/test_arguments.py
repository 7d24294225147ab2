"""What the procedures' arguments mean."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scumble.plugin.common.forms import Form
from scumble.plugin.common.sources import (
    BlendedStyle,
    FileStyle,
    GalleryStyle,
    LayerStyle,
    StyleSource,
    WordStyle,
)
from scumble.plugin.gimp import arguments, masks
from scumble.plugin.gimp.arguments import Given
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.segmenting import Point

FORM = {
    "name": "fast",
    "label": "Fast",
    "options": [
        {"name": "texture", "label": "Texture", "kind": "float", "default": 0.5, "minimum": 0, "maximum": 1},
        {"name": "draft", "label": "Draft", "kind": "bool", "default": False},
    ],
}


def refusal(code: Code, call: Any, *given: Any) -> ScumbleError:
    with pytest.raises(ScumbleError) as raised:
        call(*given)
    assert raised.value.code is code
    assert raised.value.hint, "it says what to do"
    return raised.value


LAYER = LayerStyle("12", "image", "leaves")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (Given("oil"), GalleryStyle("oil")),
        (Given(" oil : 2 "), GalleryStyle("oil")),
        (Given(file="/a/b.png"), FileStyle("/a/b.png")),
        (Given(drawable=LAYER), LAYER),
        (Given(words=" a storm "), WordStyle("a storm")),
        (Given("a:1, b:3"), BlendedStyle(((GalleryStyle("a"), 1.0), (GalleryStyle("b"), 3.0)))),
        (Given("oil", "/a.png", source="gallery"), GalleryStyle("oil")),
        (Given("oil", "/a.png", source="file"), FileStyle("/a.png")),
    ],
)
def test_a_style_is_what_is_given(given: Given, expected: StyleSource) -> None:
    assert arguments.style_of(given) == expected


def test_no_style_and_two_styles_are_refused() -> None:
    refusal(Code.UNKNOWN_STYLE, arguments.style_of, Given())
    refusal(Code.UNKNOWN_STYLE, arguments.style_of, Given("oil", source="file"))
    refusal(Code.BAD_REQUEST, arguments.style_of, Given("oil", "/a.png"))


@pytest.mark.parametrize(
    "text", ["a:x", "a:0", "a:-1", ",", "a,,b", "a:inf", "a:1e999", "a,b,c,d,e", ":1", "a:1:2"]
)
def test_what_is_no_blend_is_refused(text: str) -> None:
    refusal(Code.BAD_REQUEST, arguments.gallery_style, text)


@given(st.text())
def test_any_text_is_a_style_or_a_refusal(text: str) -> None:
    try:
        style = arguments.gallery_style(text)
    except ScumbleError as error:
        assert error.code is Code.BAD_REQUEST
    else:
        assert isinstance(style, (GalleryStyle, BlendedStyle))


ids = st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True)
weights = st.floats(0.01, 100).map(lambda weight: float(f"{weight:g}"))


@given(st.lists(st.tuples(ids, weights), min_size=2, max_size=4))
def test_a_blend_survives_being_written_as_an_argument(parts: list[tuple[str, float]]) -> None:
    style = BlendedStyle(tuple((GalleryStyle(id), weight) for id, weight in parts))
    assert arguments.style_of(Given(**arguments.style_words(style))) == style


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("  ", {}),
        ('{"texture": 0.8, "draft": true}', {"texture": 0.8, "draft": True}),
        ("texture=0.8, draft = yes", {"texture": "0.8", "draft": "yes"}),
    ],
)
def test_options_are_json_or_pairs(text: str, expected: dict[str, Any]) -> None:
    assert arguments.options_of(text) == expected


@pytest.mark.parametrize("text", ["{", "[1]", "texture", "=1", "{1: 2}", "a=1,,", "{" * 50_000])
def test_other_options_are_refused(text: str) -> None:
    refusal(Code.BAD_REQUEST, arguments.options_of, text)


def test_options_are_checked_against_the_engines_own_description() -> None:
    form = Form.parse(FORM)
    assert arguments.checked(form, {"texture": "0.8", "draft": "yes"}) == {"texture": 0.8, "draft": True}
    assert arguments.checked(form, {"texture": 0.5}) == {}, "the default need not be sent"
    assert "texture" in refusal(Code.UNKNOWN_OPTION, arguments.checked, form, {"glow": 1}).hint
    refusal(Code.OPTION_OUT_OF_RANGE, arguments.checked, form, {"texture": 2})


def test_the_first_engine_is_taken_unless_one_is_named() -> None:
    description = {"engines": [{"name": "nnst"}, FORM, {"name": "other"}]}
    assert arguments.engine_form(description, "").engine == "fast", "brushwork has a procedure of its own"
    assert arguments.engine_form(description, "nnst").engine == "nnst"
    assert "fast" in refusal(Code.UNKNOWN_ENGINE, arguments.engine_form, description, "oil").hint
    refusal(Code.UNKNOWN_ENGINE, arguments.engine_form, {}, "")


@pytest.mark.parametrize("description", [{}, {"selecting": None}, {"selecting": [1, {}, {"name": ""}]}])
def test_without_methods_nothing_selects_a_subject(description: dict[str, Any]) -> None:
    assert arguments.selectors(description) == ()


def test_methods_that_lack_something_are_not_offered() -> None:
    methods = [{"name": "a", "missing": "weights"}, {"name": "b", "missing": ""}]
    assert [m["name"] for m in arguments.selectors({"selecting": methods})] == ["b"]


# -- regions ---------------------------------------------------------------------------------------------


def test_each_mask_gets_the_style_that_is_assigned_to_its_name() -> None:
    given = masks.parse('[{"mask": "sky", "style": "a", "strength": 0.5}, {"mask": "*", "file": "/b.png"}]')
    found = masks.entries("group", ["ground", "sky"], given)
    assert [(e.mask.kind, e.mask.ref, e.style, e.strength) for e in found] == [
        ("layer_alpha", "ground", FileStyle("/b.png"), 1.0),
        ("layer_alpha", "sky", GalleryStyle("a"), 0.5),
    ]


def test_masks_that_nothing_is_assigned_to_are_left_alone() -> None:
    given = masks.parse('[{"mask": "sky", "style": "a"}]')
    assert [e.label for e in masks.entries("channels", ["ground", "sky"], given)] == ["sky"]


def test_what_is_wrong_with_the_regions_is_said() -> None:
    given = masks.parse('[{"mask": "moon", "style": "a"}]')
    assert "sky" in refusal(Code.BAD_REQUEST, masks.entries, "group", ["sky"], given).hint
    refusal(Code.EMPTY_SELECTION, masks.entries, "channels", [], given)
    refusal(Code.UNKNOWN_STYLE, masks.entries, "group", ["sky"], ())


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{}",
        "[1]",
        "[{}]",
        '[{"mask": ""}]',
        '[{"mask": 1, "style": "a"}]',
        '[{"mask": "a", "style": 1}]',
        '[{"mask": "a", "style": "b", "strength": 2}]',
        '[{"mask": "a", "style": "b", "strength": true}]',
        '[{"mask": "a", "style": "b", "options": []}]',
    ],
)
def test_other_regions_are_refused(text: str) -> None:
    refusal(Code.BAD_REQUEST, masks.parse, text)


names = st.text(min_size=1, max_size=20)


@given(st.dictionaries(names, st.tuples(ids, st.floats(0, 1)), max_size=6))
def test_regions_survive_being_written_as_an_argument(assigned: dict[str, tuple[str, float]]) -> None:
    given = tuple(masks.Assignment(name, GalleryStyle(id), s, {}) for name, (id, s) in assigned.items())
    text = masks.dump(given)
    assert masks.parse(text) == given
    assert isinstance(json.loads(text), list)


def test_points_are_written_like_on_the_command_line() -> None:
    assert arguments.points_of("") == ()
    assert arguments.points_of("120,80 40.5,30,-;7,8,+") == (
        Point(120, 80),
        Point(40.5, 30, False),
        Point(7, 8),
    )


@pytest.mark.parametrize("text", ["a,b", "1", "1,2,3", "1,2,-,4", "nan,3", "1,inf", "1,2 x"])
def test_points_that_make_no_sense_are_refused(text: str) -> None:
    refusal(Code.BAD_REQUEST, arguments.points_of, text)


@given(st.lists(st.tuples(st.integers(-9999, 9999), st.floats(-1e4, 1e4), st.booleans())))
def test_points_come_back_as_they_were(points: list[tuple[float, float, bool]]) -> None:
    given = tuple(Point(round(x, 3), round(y, 3), sign) for x, y, sign in points)
    assert arguments.points_of(arguments.points_text(given)) == given
