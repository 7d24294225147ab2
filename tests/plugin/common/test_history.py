"""What the history keeps, and what it lets go."""

from hypothesis import given
from hypothesis import strategies as st
from scripted import result

from scumble.plugin.common.annotation import RegionSettings, RunSettings
from scumble.plugin.common.history import History
from scumble.plugin.common.sources import GalleryStyle

RUN = RunSettings("partial-conv", (RegionSettings(GalleryStyle("waves")),))


@given(st.lists(st.integers(1, 8), max_size=30), st.integers(0, 800), st.integers(1, 12))
def test_it_stays_within_its_bounds_and_loses_the_oldest_pixels_first(
    sides: list[int], most: int, entries: int
) -> None:
    history = History(most, entries)
    for number, side in enumerate(sides):
        history.add(f"job{number}", result(number, side), RUN)
        kept = history.entries
        assert kept[0].id == f"job{number}" and kept[0].result is not None, "the newest stays"
        assert history.nbytes <= max(most, kept[0].nbytes)
        assert len(kept) == min(number + 1, entries), "settings outlive pixels"
        with_pixels = [made.result is not None for made in kept]
        assert with_pixels == sorted(with_pixels, reverse=True)


def test_a_result_without_settings_leaves_with_its_pixels() -> None:
    history = History(max_bytes=100)
    history.add("a", result(1))
    history.add("b", result(2))
    assert [made.id for made in history.entries] == ["b"]
    assert history.get("a") is None and history.get("b") is not None
    history.remove("b")
    history.remove("b")
    assert history.entries == ()


def test_a_snapshot_does_not_change() -> None:
    history = History()
    history.add("a", result(1), RUN)
    before = history.entries
    history.clear()
    assert before[0].id == "a" and history.nbytes == 0
