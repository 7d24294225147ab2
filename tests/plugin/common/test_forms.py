"""Forms made of what the real backend describes, and of what a future one might."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scumble.backend import describe as described
from scumble.backend.engines import load, registry
from scumble.backend.engines.base import Option
from scumble.plugin.common.forms import KINDS, Form, Spec, forms, margin
from scumble.shared.errors import ScumbleError

load()
DESCRIPTION = {"engines": [e for e in described.engines() if not e["name"].startswith("test-")]}
PARTIAL = next(e for e in DESCRIPTION["engines"] if e["name"] == "partial-conv")


def form() -> Form:
    return Form.parse(PARTIAL)


def test_every_option_of_every_real_engine_can_be_edited() -> None:
    assert forms(DESCRIPTION)
    for each in forms(DESCRIPTION):
        assert all(field.editable for field in each.fields)
        assert all(field.shown or field.value == "" for field in each.fields)
        assert not each.is_changed and each.options() == {}


def test_groups_and_fields_keep_the_backends_order() -> None:
    groups = form().groups
    listed = [o["name"] for o in PARTIAL["options"]]
    assert [g.name for g in groups] == list(dict.fromkeys(o["group"] for o in PARTIAL["options"]))
    assert sorted(f.name for g in groups for f in g.fields) == sorted(listed)
    for group in groups:
        assert [f.name for f in group.fields] == [n for n in listed if n in {f.name for f in group.fields}]
        assert all(f.spec.advanced for f in group.advanced) and not any(f.spec.advanced for f in group.basic)


def test_only_what_differs_from_the_defaults_is_sent() -> None:
    it = form()
    assert it.field("texture").set(0.75) and it.field("match_color").set(0.7)
    assert it.options() == {"texture": 0.75} and it.field("texture").is_changed
    assert not it.field("match_color").is_changed
    it.field("texture").reset()
    assert it.options() == {} and not it.is_changed


def test_a_wrong_value_is_refused_beside_its_field_and_the_old_one_stays() -> None:
    it = form()
    texture = it.field("texture")
    assert not texture.set(7)
    assert texture.value == texture.spec.default and texture.error is not None
    assert texture.error.hint == "It takes a number from 0 to 1." and it.errors == (texture.error,)
    assert texture.set(0.7) and it.errors == ()


def test_values_are_shown_with_their_units() -> None:
    it = form()
    it.field("style_scale").set(1.5)
    assert it.field("style_scale").shown == "1.5 x"
    assert it.field("parity").shown == "off" and it.field("model").shown == "compact"


def test_earlier_options_are_loaded_and_what_no_longer_fits_is_named() -> None:
    it = form()
    it.field("detail").set(0.1)
    left = it.load({"texture": 0.9, "feather": -3, "of_long_ago": 1, "method": "style-then-mask"})
    assert left == ("feather", "of_long_ago") and it.errors == ()
    assert it.options() == {"texture": 0.9, "method": "style-then-mask"}


def test_a_region_begins_with_the_forms_values_and_keeps_only_what_it_changes() -> None:
    it = form()
    it.field("texture").set(0.9)
    region = it.for_region()
    assert {f.name for f in region.fields} == {o["name"] for o in PARTIAL["options"] if o["per_region"]}
    assert region.field("texture").value == 0.9 and region.options() == {}
    region.field("texture").set(0.2)
    assert region.options() == {"texture": 0.2}
    assert it.options() == {"texture": 0.9}, "the form itself is not touched"
    assert it.for_region({"texture": 0.2, "feather": 3}).options() == {"texture": 0.2}


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(-5, 12), st.floats(), st.floats(-2, 300),
    st.text(max_size=8), st.text(min_size=195, max_size=205),
    st.sampled_from(["true", "Yes", "0", "1", "off", "3", "0.5", "1e400", "nan", "partial-conv", "learned"]),
    st.lists(st.integers(), max_size=2), st.binary(max_size=3),
)  # fmt: skip


def outcome(check: Any, value: Any) -> tuple[str, Any]:
    try:
        found = check(value)
    except ScumbleError as error:
        return "refused", error.code
    return type(found).__name__, found


@given(st.data())
def test_the_plugin_accepts_exactly_what_the_backend_accepts(data: st.DataObject) -> None:
    options = [o for e in registry.engines() for o in e.options]
    option = data.draw(st.sampled_from(options))
    value = data.draw(SCALARS)
    ours = outcome(Spec.parse(option.describe()).validate, value)
    assert ours == outcome(option.validate, value)


@given(
    st.sampled_from(["float", "int"]),
    st.one_of(st.none(), st.floats(-10, 10)),
    st.one_of(st.none(), st.floats(-10, 10)),
    SCALARS,
)
def test_open_ended_numbers_too(kind: Any, low: float | None, high: float | None, value: Any) -> None:
    option = Option("n", "N", kind, low if low is not None else high or 0, "", minimum=low, maximum=high)
    spec = Spec(**{**option.describe(), "choices": ()})
    assert outcome(spec.validate, value) == outcome(option.validate, value)


# -- backends of another version -----------------------------------------------------------------------


def test_an_unknown_kind_is_shown_and_left_alone() -> None:
    curve = {
        "name": "tone",
        "label": "Tone curve",
        "kind": "curve",
        "default": [[0, 0], [1, 1]],
        "help": "New.",
    }
    it = Form.parse({"name": "e", "options": [curve, *PARTIAL["options"]]})
    field = it.field("tone")
    assert not field.editable and field.shown == "[[0, 0], [1, 1]]"
    assert not field.set([[0, 1]]) and it.load({"tone": 3}) == ("tone",)
    assert "tone" not in it.options() and "tone" not in it.values()


@pytest.mark.parametrize(
    "broken",
    [
        {"default": 9.0}, {"minimum": "low"}, {"choices": 5}, {"choices": [1]}, {"kind": None},
        {"kind": "choice", "choices": ["a"], "default": "b"}, {"maximum": True},
    ],
)  # fmt: skip
def test_an_option_whose_description_makes_no_sense_is_shown_and_left_alone(broken: dict[str, Any]) -> None:
    option = {**PARTIAL["options"][0], **broken}
    it = Form.parse({"name": "e", "options": [option]})
    assert not it.fields[0].editable and it.options() == {}


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=6)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(["engines", "options", "name", "kind", "default", "choices", "margin", "wider",
                             "option", "value", "minimum", "style_kinds", "label", "group"]),
            inner, max_size=6,
        ),
    ),
    max_leaves=25,
)  # fmt: skip


@given(JSON, JSON)
def test_no_description_whatever_makes_it_raise(engine: Any, value: Any) -> None:
    description = {"engines": [engine, {"name": "e", "options": [engine], "margin": value, "wider": [value]}]}
    for it in forms(description):
        assert all(group.fields for group in it.groups)
        it.load({"name": value})
        it.for_region({"x": value})
        assert set(it.options()) <= set(it.values())
    assert margin(description, "e", {"a": 1}) is None or type(value) is int


def test_kinds_are_the_backends() -> None:
    import typing

    from scumble.backend.engines.base import Kind

    assert set(KINDS) == set(typing.get_args(Kind))


# -- how much of the layer an engine wants --------------------------------------------------------------


def test_the_margin_is_the_engines_own() -> None:
    engine = registry.engine("partial-conv")
    defaults = {o.name: o.default for o in engine.options}
    assert margin(DESCRIPTION, "partial-conv", {}) == engine.margin(defaults)
    for chosen in (
        {"method": "style-then-mask"}, {"parity": True}, {"model": "vgg19"}, {"texture": 0.1},
        {"model": "vgg19", "method": "mask-then-style"},
    ):  # fmt: skip
        assert margin(DESCRIPTION, "partial-conv", chosen) == engine.margin({**defaults, **chosen})


def test_a_regions_own_options_count_for_the_margin() -> None:
    description = {
        "engines": [
            {
                "name": "e",
                "options": [Option("far", "Far", "bool", False, "", per_region=True).describe()],
                "margin": 8,
                "wider": [{"option": "far", "value": True, "margin": 99}],
            }
        ]
    }
    assert margin(description, "e", {}) == 8
    assert margin(description, "e", {}, [{}, {"far": True}]) == 99
    assert margin(description, "e", {"far": True}, [{"far": False}]) == 99


def test_a_backend_that_does_not_say_gets_the_whole_layer() -> None:
    assert margin({"engines": [{"name": "e", "options": []}]}, "e", {}) is None
    assert margin(DESCRIPTION, "not-there", {}) is None
