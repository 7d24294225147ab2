"""The table of a job's states, the bar and the time left."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import request, result

from scumble.plugin.common.jobs import Job
from scumble.plugin.common.progress import Progress, stage_label, time_left_text
from scumble.plugin.common.states import OVER, TABLE, UNDER_WAY, State, Trigger, after
from scumble.shared import events
from scumble.shared.errors import Code, ScumbleError

ERROR = ScumbleError(Code.INTERNAL, "It broke.")


def test_every_state_can_be_reached_and_every_state_under_way_can_be_left() -> None:
    reached = {State.IDLE}
    while more := {TABLE[pair] for pair in TABLE if pair[0] in reached} - reached:
        reached |= more
    assert reached == set(State)
    for state in UNDER_WAY:
        ends = {after(state, t) for t in (Trigger.FINISHED, Trigger.FAILED, Trigger.CANCEL_ASKED)}
        assert ends == {State.FINISHED, State.FAILED, State.CANCELLING}
    assert set(State) == UNDER_WAY | OVER | {State.IDLE, State.CANCELLING}


def test_only_another_try_leads_out_of_an_end() -> None:
    out = {pair for pair, to in TABLE.items() if pair[0] in OVER and to is not pair[0]}
    assert out == {(State.FAILED, Trigger.SUBMITTED)}


STEPS: dict[str, Any] = {
    "submit": lambda job, now: job.submit(now),
    "ask to cancel": lambda job, now: job.trigger(Trigger.CANCEL_ASKED, now),
    "connected": lambda job, now: job.trigger(Trigger.CONNECTED, now),
    "lost": lambda job, now: job.waiting("Lost.", False, now),
    "starting": lambda job, now: job.waiting("Starting.", True, now),
    "accepted": lambda job, now: job.take(events.Accepted(job.id, 1), now),
    "progress": lambda job, now: job.take(events.Progress(job.id, "paint", 1, 2, 1.0), now),
    "preview": lambda job, now: job.take(events.Preview(job.id, result(1)), now),
    "finished": lambda job, now: job.take(events.Finished(job.id, result(2)), now),
    "failed": lambda job, now: job.take(events.Failed(job.id, ERROR), now),
    "cancelled": lambda job, now: job.take(events.Cancelled(job.id), now),
    "heartbeat": lambda job, now: job.heartbeat(job.id, 0, now),
    "time": lambda job, now: job.refresh(now),
}


@given(st.lists(st.sampled_from(sorted(STEPS)), max_size=30))
def test_whatever_happens_in_whatever_order_a_jobs_view_stays_sound(steps: list[str]) -> None:
    job, asked = Job(request()), False
    for now, step in enumerate(steps):
        before = job.view
        STEPS[step](job, float(now))
        view = job.view
        asked = asked or (step == "ask to cancel" and view.state in (State.CANCELLING, State.CANCELLED))
        assert (view.result is not None) == (view.state is State.FINISHED)
        assert (view.failure is not None) == (view.state is State.FAILED)
        assert (view.position is not None) <= (view.state is State.QUEUED)
        assert (view.eta_s is not None) <= (view.state is State.RUNNING)
        assert bool(view.status) or view.state is State.IDLE
        if before.over and step != "submit":
            assert view.state is before.state
        if asked:
            assert view.state in (State.CANCELLING, State.CANCELLED), "a cancelled job never comes back"
        if view.state in (State.FINISHED, State.CANCELLED):
            assert job.request is None


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["read", "encode", "paint", "write", "dream", "fold"]),
            st.integers(-3, 50),
            st.integers(-1, 40),
            st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True)),
            st.floats(0, 30),
        ),
        max_size=40,
    )
)
def test_the_bar_stays_between_0_and_1_and_never_goes_back(reports: list[tuple[Any, ...]]) -> None:
    progress, now, last = Progress(), 0.0, 0.0
    for stage, done, of, eta, passed in reports:
        now += passed
        progress.update(stage, done, of, eta, now)
        assert last <= progress.fraction <= 1.0
        last = progress.fraction
        left = progress.left(now)
        assert left is None or left >= 0.0


def test_the_time_left_is_smooth_and_right_in_the_end() -> None:
    progress, shown = Progress(), []
    for step in range(1, 101):
        progress.update("paint", step, 100, None, step * 0.1)
        shown.append(progress.left(step * 0.1))
    known = [left for left in shown if left is not None]
    assert shown[0] is None, "nothing is told of a job that has just begun"
    assert max(abs(a - b) for a, b in itertools.pairwise(known[10:])) < 1.5
    assert known[-1] < 1.5


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "about a second left"),
        (4.4, "about 4 s left"),
        (33, "about 35 s left"),
        (59, "about 1 min left"),
        (600, "about 10 min left"),
        (3600, "about 1 h left"),
        (5000, "about 1 h 23 min left"),
    ],
)
def test_the_time_left_in_words(seconds: float, text: str) -> None:
    assert time_left_text(seconds) == text


def test_a_stage_of_a_newer_backend_is_called_by_its_name() -> None:
    assert stage_label("paint") == "Painting" and stage_label("mix_colours") == "Mix colours"
