"""What an artist said, step by step: late answers, steps taken back, candidates."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scumble.plugin.common.clicks import Clicks
from scumble.shared.messages import MaskBuffer
from scumble.shared.segmenting import MOST_POINTS, FoundMask


def found(number: int) -> FoundMask:
    return FoundMask(MaskBuffer(1, 1, bytes([number])), 0.5, 1.0)


A, B, C = found(1), found(2), found(3)


def test_each_click_improves_the_mask_that_is_looked_at() -> None:
    clicks = Clicks()
    first = clicks.click(3, 4)
    assert first is not None and first.before is None and clicks.waiting
    assert clicks.take(first.number, (A, B)) and clicks.now.mask is A
    clicks.show(1)
    second = clicks.click(5, 6, False)
    assert second is not None and second.before is B.mask
    assert [(p.x, p.y, p.positive) for p in second.points] == [(3, 4, True), (5, 6, False)]
    assert clicks.now.mask is B, "the old mask stays in sight while it is asked"


def test_a_stale_answer_is_dropped() -> None:
    clicks = Clicks()
    first = clicks.click(3, 4)
    clicks.click(5, 6)
    assert first is not None and not clicks.take(first.number, (A,)) and clicks.now.mask is None
    assert clicks.take(clicks.now.number, (B,))
    assert not clicks.take(clicks.now.number, (C,)), "an answer comes once"
    assert clicks.now.mask is B


def test_taking_a_step_back_shows_its_answer_without_asking() -> None:
    clicks = Clicks()
    for mask in (A, B):
        clicks.click(1, 1)
        clicks.take(clicks.now.number, (mask,))
    assert not clicks.undo() and clicks.now.mask is A
    assert not clicks.undo() and clicks.now.mask is None and not clicks.can_undo
    assert not clicks.undo()


def test_a_step_that_was_never_answered_has_to_be_asked_again() -> None:
    clicks = Clicks()
    first = clicks.click(1, 1)
    clicks.click(2, 2)
    assert clicks.undo() and clicks.now == first


def test_after_a_failure_the_mask_of_before_stays() -> None:
    clicks = Clicks()
    clicks.click(1, 1)
    clicks.take(clicks.now.number, (A,))
    clicks.click(2, 2)
    assert clicks.take(clicks.now.number, ()) and not clicks.waiting and clicks.now.mask is A
    after = clicks.click(3, 3)
    assert after is not None and after.before is A.mask


def test_a_box_and_the_subject_begin_anew_and_clicks_go_on_from_them() -> None:
    clicks = Clicks()
    clicks.click(1, 1)
    clicks.take(clicks.now.number, (A,))
    box = clicks.draw_box(9, 8, 2, 3)
    assert box.box == (2, 3, 9, 8) and box.points == () and box.before is None
    clicks.take(clicks.now.number, (B,))
    more = clicks.click(4, 4)
    assert more is not None and more.box == box.box and more.before is B.mask
    subject = clicks.subject()
    assert subject.mode == "subject" and subject.box is None and subject.before is None
    clicks.take(clicks.now.number, (C,))
    refined = clicks.click(5, 5, False)
    assert refined is not None and refined.mode == "points" and refined.before is C.mask


def test_starting_again_can_be_taken_back() -> None:
    clicks = Clicks()
    clicks.click(1, 1)
    clicks.take(clicks.now.number, (A,))
    clicks.clear()
    assert clicks.now.empty and clicks.now.mask is None and not clicks.waiting
    clicks.clear()
    assert not clicks.undo() and clicks.now.mask is A


def test_asking_again_replaces_the_step_and_keeps_the_mask_in_sight() -> None:
    clicks = Clicks()
    first = clicks.click(1, 1)
    assert first is not None
    clicks.take(first.number, (A,))
    again = clicks.again()
    assert again.points == first.points and again.before is None and again.number != first.number
    assert clicks.now.mask is A and clicks.waiting
    clicks.take(again.number, (B,))
    assert not clicks.undo() and not clicks.can_undo


def test_asking_again_about_nothing_asks_nothing() -> None:
    clicks = Clicks()
    assert clicks.again().empty and not clicks.waiting


def test_candidates_come_round() -> None:
    clicks = Clicks()
    clicks.show(4)
    clicks.click(1, 1)
    clicks.take(clicks.now.number, (A, B, C))
    clicks.show(-1)
    assert clicks.now.mask is C
    clicks.show(3)
    assert clicks.now.mask is A


def test_more_clicks_than_the_backend_takes_are_refused() -> None:
    clicks = Clicks()
    for number in range(MOST_POINTS):
        assert clicks.click(number, 0) is not None
    assert clicks.click(0, 5) is None and len(clicks.now.points) == MOST_POINTS


@given(st.lists(st.sampled_from(["click", "box", "subject", "clear", "undo", "again", "answer", "nothing"])))
def test_whatever_is_done_a_late_answer_never_shows(steps: list[str]) -> None:
    clicks, asked = Clicks(), dict[int, FoundMask]()
    for count, step in enumerate(steps):
        if step == "click":
            clicks.click(count, 0)
        elif step == "box":
            clicks.draw_box(0, 0, count + 1, 3)
        elif step in ("answer", "nothing"):
            number = clicks.now.number
            asked.setdefault(number, found(count % 250))
            clicks.take(number, (asked[number],) if step == "answer" else ())
        else:
            getattr(clicks, step)()
        for number in list(asked):
            if number != clicks.now.number:
                assert not clicks.take(number, (A,))
        now = clicks.now
        if now.answer:
            assert now.mask is asked[now.number]
