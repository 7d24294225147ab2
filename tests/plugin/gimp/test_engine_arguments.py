"""Options as arguments of procedures: names, types, and what a call means by them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scumble.plugin.gimp import engine_arguments, names
from scumble.plugin.gimp.engine_arguments import Held, for_procedure
from scumble.shared.errors import Code, ScumbleError


def option(name: str, kind: str = "float", default: Any = 0.5, **more: Any) -> dict[str, Any]:
    return {"name": name, "label": name.title(), "kind": kind, "default": default, **more}


DESCRIPTION = {
    "engines": [
        {
            "name": "fast",
            "options": [
                option("match_color", minimum=0, maximum=1),
                option("draft", "bool", False),
                option("strength", minimum=0, maximum=1),
                option("later", "colour", "#fff"),
                option("Ünlike", minimum=0, maximum=1),
            ],
        },
        {"name": "nnst", "options": [option("size", "int", 512, minimum=256, maximum=2048)]},
        {
            "name": "parts",
            "options": [
                option("match_color", minimum=0, maximum=1, default=0.7),
                option("order", "choice", "second", choices=["first", "second"]),
            ],
        },
    ]
}


class Config:
    """A procedure's arguments, all at their defaults."""

    def __init__(self, procedure: str = names.STYLIZE, description: Any = None) -> None:
        self.known = for_procedure(DESCRIPTION if description is None else description, procedure)
        self.values: dict[str, Any] = {each.name: each.spec.default for each in self.known} | {"options": ""}

    def get_property(self, name: str) -> Any:
        return self.values[name]

    def set_property(self, name: str, value: Any) -> None:
        assert name in self.values
        self.values[name] = value

    @property
    def held(self) -> Held:
        return Held(self, self.known)


def argument_names(procedure: str) -> list[str]:
    return [each.name for each in for_procedure(DESCRIPTION, procedure)]


def test_the_first_engine_s_options_keep_their_names_and_others_have_the_engine_s_before_them() -> None:
    assert argument_names(names.STYLIZE) == [
        "match-color",
        "draft",
        "fast-strength",  # "strength" is an argument anyway
        "parts-match-color",
        "parts-order",
    ]
    assert argument_names(names.REGIONS) == argument_names(names.STYLIZE)
    assert argument_names(names.BRUSHWORK) == ["size"]


def test_commands_that_do_not_paint_have_no_options() -> None:
    for procedure in (names.SELECT, names.POINTS, names.REPEAT, names.BACKEND):
        assert argument_names(procedure) == []


@pytest.mark.parametrize("nonsense", [{}, {"engines": 3}, {"engines": [None, {}, {"name": "x"}]}])
def test_a_description_that_says_nothing_gives_no_arguments(nonsense: Any) -> None:
    assert for_procedure(nonsense, names.STYLIZE) == ()


def test_arguments_at_their_defaults_say_nothing() -> None:
    assert Config().held.read("") == {} == Config().held.read("parts")


def test_only_the_engine_s_own_arguments_are_read() -> None:
    config = Config()
    config.values |= {"match-color": 0.1, "parts-order": "first"}
    assert config.held.read("") == config.held.read("fast") == {"match_color": 0.1}
    assert config.held.read("parts") == {"order": "first"}


def test_options_have_the_last_word() -> None:
    config = Config()
    config.values |= {"match-color": 0.1, "options": "match_color=0.9, draft=yes"}
    assert config.held.read("fast") == {"match_color": "0.9", "draft": "yes"}


def test_an_option_of_another_engine_is_refused_instead_of_doing_nothing() -> None:
    config = Config()
    config.held.refuse_strangers("")
    config.values["parts-order"] = "first"
    config.held.refuse_strangers("parts")
    with pytest.raises(ScumbleError) as raised:
        config.held.refuse_strangers("")
    assert raised.value.code is Code.UNKNOWN_OPTION and "parts-order" in raised.value.message


@given(
    st.fixed_dictionaries(
        {},
        optional={"match_color": st.floats(0, 1), "draft": st.booleans(), "from_a_newer_one": st.integers()},
    )
)
def test_what_is_written_is_read_again(options: dict[str, Any]) -> None:
    config = Config()
    config.values |= {"parts-order": "first"}
    config.held.write("fast", options)
    meant = {k: v for k, v in options.items() if (k, v) not in (("match_color", 0.5), ("draft", False))}
    found = config.held.read("fast")
    assert {**meant, **found} == found, "nothing is lost"
    assert all(found[name] == options[name] for name in found)
    assert config.values["parts-order"] == "first", "another engine's are left alone"


def test_a_default_that_has_changed_since_can_still_be_chosen() -> None:
    """The backend was renewed while GIMP ran: 0.5 is not its default any more, but the argument's."""
    config = Config()
    config.held.write("fast", {"match_color": 0.5})
    assert config.held.read("fast") == {"match_color": 0.5}


def test_none_of_the_names_is_taken_twice() -> None:
    twin = {"engines": [DESCRIPTION["engines"][0], {"name": "a", "options": [option("b c"), option("b_c")]}]}
    found = [each.name for each in engine_arguments.for_procedure(twin, names.STYLIZE)]
    assert len(found) == len(set(found)) and "a-b-c" in found
