"""The list of regions, as it is edited."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scumble.plugin.common.regions import RegionEntry, RegionList
from scumble.plugin.common.sources import GalleryStyle, WordStyle
from scumble.shared.errors import ScumbleError


def test_editing_the_list() -> None:
    listed = RegionList()
    a, b = listed.add(label="a"), listed.add(label="b", style=GalleryStyle("waves"))
    c = listed.duplicate(a.id)
    assert [e.label for e in listed] == ["a", "a", "b"] and c.id not in (a.id, b.id)
    listed.move(b.id, 0)
    listed.move(a.id, 99)
    assert [e.id for e in listed] == [b.id, c.id, a.id]
    listed.change(c.id, strength=0.5, style=WordStyle("rust"))
    assert listed.get(c.id).strength == 0.5 and listed.get(a.id).strength == 1.0
    assert listed.get(c.id).name == "a" and RegionEntry("x", style=GalleryStyle("w-x")).name == "w x"
    assert listed.remove(b.id).label == "b" and len(listed) == 2
    with pytest.raises(KeyError):
        listed.change(b.id, label="gone")
    with pytest.raises(TypeError):
        listed.change(a.id, id="other")
    listed.clear()
    assert len(listed) == 0


def test_a_snapshot_stays_as_it_is() -> None:
    listed = RegionList()
    own = {"texture": 0.5}
    entry = listed.add(label="a", options=own)
    before = listed.snapshot()
    own["texture"] = 0.9
    listed.change(entry.id, label="b")
    listed.add()
    assert [e.label for e in before] == ["a"] and before[0].options == {"texture": 0.5}


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan")])
def test_a_strength_outside_0_to_1_is_refused(strength: float) -> None:
    listed = RegionList()
    entry = listed.add()
    with pytest.raises(ScumbleError):
        listed.change(entry.id, strength=strength)
    assert listed.get(entry.id).strength == 1.0


@given(
    st.lists(
        st.tuples(st.sampled_from(["add", "remove", "move", "duplicate"]), st.integers(-2, 9)), max_size=40
    )
)
def test_ids_stay_unique_and_nothing_gets_lost(steps: list[tuple[str, int]]) -> None:
    listed, count = RegionList(), 0
    for what, number in steps:
        entries = listed.snapshot()
        if what == "add" and count < 32:
            listed.add()
            count += 1
        elif entries:
            id = entries[number % len(entries)].id
            if what == "remove":
                listed.remove(id)
                count -= 1
            elif what == "move":
                listed.move(id, number)
            elif what == "duplicate" and count < 32:
                listed.duplicate(id)
                count += 1
        assert len({e.id for e in listed}) == len(listed) == count
