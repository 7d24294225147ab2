"""Controls that several engines have in common are one and the same for the painter."""

from __future__ import annotations

from dataclasses import replace

from scumble.backend.engines import nnst, partial_conv, registry
from scumble.backend.engines.base import Option

ENGINES = {one.name: registry.engine(one.name) for one in (nnst.Nnst, partial_conv.PartialConv)}


def own(engine: str) -> dict[str, Option]:
    return {option.name: option for option in ENGINES[engine].options}


def test_both_engines_say_the_same_of_the_controls_they_share() -> None:
    fast, slow = own("partial-conv"), own("nnst")
    shared = fast.keys() & slow.keys()
    assert {"style_scale", "match_color", "preserve_color", "feather"} <= shared
    for name in shared:
        # How far a control goes may differ, what it is and where it stands may not.
        assert replace(fast[name], maximum=None) == replace(slow[name], maximum=None)


def test_groups_have_one_name_each() -> None:
    named = {option.group for engine in ENGINES for option in own(engine).values()}
    assert {"Colour", "Edges", "Method"} <= named
    assert not named & {"Edge", "Color", "Colours", "Methods"}
