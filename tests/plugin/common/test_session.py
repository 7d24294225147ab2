"""A job's way through its states, against a backend that is told what to do, over a real socket."""

from __future__ import annotations

import pytest
from scripted import Drive, ScriptedBackend, painting, request

from scumble.plugin.common.states import State
from scumble.shared.errors import Code, ScumbleError


def test_a_job_goes_from_connecting_to_finished(backend: ScriptedBackend, drive: Drive) -> None:
    session = drive.session(backend.client)
    job = session.start(request(3), tag="the layer")
    assert job.state is State.IDLE, "nothing happens before the first tick"
    session.tick()
    assert job.state is State.CONNECTING and "Connecting" in job.view.status
    drive.to(job, State.SENDING)
    assert session.connected and "Sending" in job.view.status
    drive.until(lambda: backend.of("stylize"))
    backend.accept(job.id, position=2)
    view = drive.to(job, State.QUEUED)
    assert view.position == 2 and view.status == "Waiting: 2 jobs before this one"
    backend.progress(job.id, "paint", 1, 4, eta_s=3.0)
    view = drive.to(job, State.RUNNING)
    assert view.stage == "Painting" and view.position is None and 0.5 < (view.fraction or 0) < 0.8
    backend.finish(job.id, seed=3)
    view = drive.to(job, State.FINISHED)
    assert bytes(view.result.layer.data) == bytes([3]) * 64 and view.result.origin == (3, 0)
    assert view.fraction == 1.0 and view.over and view.status.startswith("Done in")
    assert job.request is None, "the layer's pixels are let go"
    assert session.jobs == () and job in drive.changes
    drive.until(lambda: backend.released == [job.id], "the release")


def test_a_second_job_on_the_same_connection_begins_by_sending(
    backend: ScriptedBackend, drive: Drive
) -> None:
    session = drive.session(backend.client)
    first = painting(backend, drive, session)
    second = session.start(request(2))
    session.tick()
    assert second.state is State.SENDING
    drive.until(lambda: len(backend.of("stylize")) == 2)
    backend.finish(second.id, seed=2)
    drive.to(second, State.FINISHED)
    assert first.state is State.RUNNING


def test_the_backend_is_started_when_there_is_none(drive: Drive) -> None:
    backend = ScriptedBackend()
    session = drive.session(backend.launching(start=False))
    job = session.start(request())
    view = drive.to(job, State.STARTING)
    assert view.status == "Starting the Scumble backend…" and backend.launched == 1
    backend.start()
    drive.to(job, State.SENDING)
    backend.kill()


def test_a_backend_that_cannot_start_fails_the_job_with_the_reason(drive: Drive) -> None:
    backend = ScriptedBackend()
    error = ScumbleError(Code.NO_BACKEND, "It could not start (exit code 3).", "Look at its log.", retry=True)
    session = drive.session(backend.launching(start=False, error=error))
    job = session.start(request())
    failure = drive.to(job, State.FAILED).failure
    assert failure.code is Code.NO_BACKEND and failure.retry and failure.hint == "Look at its log."


def test_without_a_backend_and_without_leave_to_start_one_the_job_fails(drive: Drive) -> None:
    session = drive.session(ScriptedBackend().client)
    job = session.start(request())
    failure = drive.to(job, State.FAILED).failure
    assert failure.code is Code.NO_BACKEND and failure.sentence and failure.hint
    assert not session.connected


def test_progress_without_an_acceptance_is_running(backend: ScriptedBackend, drive: Drive) -> None:
    """The first message may be lost to a client that reads slowly."""
    session = drive.session(backend.client)
    job = session.start(request())
    drive.until(lambda: backend.of("stylize"))
    backend.progress(job.id)
    drive.to(job, State.RUNNING)


def test_heartbeats_tell_when_a_waiting_job_moves_up_and_begins(
    backend: ScriptedBackend, drive: Drive
) -> None:
    session = drive.session(backend.client)
    job = session.start(request())
    drive.until(lambda: backend.of("stylize"))
    backend.pong = {"state": "busy", "job": "", "queue": 5}
    backend.accept(job.id, position=5)
    drive.to(job, State.QUEUED)
    backend.pong = {"state": "busy", "job": "", "queue": 1}
    drive.until(lambda: job.view.position == 1, "the place in the queue")
    assert job.view.status == "Waiting: 1 job before this one"
    backend.pong = {"state": "busy", "job": job.id, "queue": 0}
    view = drive.to(job, State.RUNNING)
    assert view.fraction is None and view.status == "Working…", "nothing is known yet but that it runs"
    assert session.condition["state"] == "busy"


def test_the_backends_own_preview_is_shown_until_the_result(backend: ScriptedBackend, drive: Drive) -> None:
    session = drive.session(backend.client)
    job = painting(backend, drive, session)
    backend.show(job.id, seed=9)
    view = drive.until(lambda: job.view.preview and job.view)
    assert view.preview.origin == (9, 0) and view.state is State.RUNNING
    backend.finish(job.id)
    drive.to(job, State.FINISHED)


def test_the_bar_never_goes_back_and_the_time_left_counts_down(
    backend: ScriptedBackend, drive: Drive
) -> None:
    now = [100.0]
    session = drive.session(backend.client, clock=lambda: now[0])
    job = session.start(request())
    drive.until(lambda: backend.of("stylize"))
    shown = [-1.0]
    for second, (stage, done) in enumerate((s, d) for s in ("read", "encode", "paint") for d in range(1, 5)):
        now[0] = 100.0 + second
        backend.progress(job.id, stage, done, 4)
        drive.until(lambda: (job.view.fraction or 0.0) > shown[-1], "progress")
        shown.append(job.view.fraction or 0.0)
    assert shown[-1] > 0.9
    left = job.view.eta_s
    assert left is not None and 0 < left < 12
    now[0] += 0.6
    drive.some(2)
    assert job.view.eta_s is not None and job.view.eta_s < left
    backend.progress(job.id, "read", 0, 4)
    drive.some(5)
    assert job.view.fraction == shown[-1]


@pytest.mark.parametrize("when", ["queued", "running"])
def test_cancel(backend: ScriptedBackend, drive: Drive, when: str) -> None:
    session = drive.session(backend.client)
    job = session.start(request())
    drive.until(lambda: backend.of("stylize"))
    backend.accept(job.id, position=1)
    if when == "running":
        backend.progress(job.id)
    drive.to(job, State(when))
    session.cancel(job)
    session.tick()
    assert job.state is State.CANCELLING and job.view.status == "Cancelling…"
    drive.until(lambda: backend.of("cancel"))
    assert backend.of("cancel")[0].body == {"job": job.id}
    backend.progress(job.id, done=2)
    drive.some()
    assert job.state is State.CANCELLING, "late progress does not bring it back"
    backend.cancelled(job.id)
    view = drive.to(job, State.CANCELLED)
    assert view.result is None and view.failure is None and job.request is None
    assert not session.busy and session.history.entries == ()


def test_cancel_before_the_backend_is_there(drive: Drive) -> None:
    backend = ScriptedBackend()
    session = drive.session(backend.launching(start=False))
    job = session.start(request())
    drive.to(job, State.STARTING)
    session.cancel()
    drive.to(job, State.CANCELLED)
    assert not session.busy


def test_cancel_before_the_first_tick_sends_nothing(backend: ScriptedBackend, drive: Drive) -> None:
    session = drive.session(backend.client)
    job = session.start(request())
    session.cancel(job)
    drive.to(job, State.CANCELLED)
    drive.some()
    assert backend.heard == []


@pytest.mark.parametrize("answer", ["result", "failed", "unknown"])
def test_a_cancelled_job_that_ends_otherwise_is_cancelled_all_the_same(
    backend: ScriptedBackend, drive: Drive, answer: str
) -> None:
    session = drive.session(backend.client)
    job = painting(backend, drive, session)
    session.cancel(job)
    cancel = drive.until(lambda: backend.of("cancel"))[0]
    if answer == "result":
        backend.finish(job.id)
    elif answer == "failed":
        backend.fail(job.id, ScumbleError(Code.OUT_OF_MEMORY, "No memory."))
    else:
        backend.fail(cancel.id, ScumbleError(Code.UNKNOWN_JOB, "It is over."))
    view = drive.to(job, State.CANCELLED)
    assert view.result is None and view.failure is None
    assert session.history.entries == ()


def test_cancelling_again_or_after_the_end_does_nothing(backend: ScriptedBackend, drive: Drive) -> None:
    session = drive.session(backend.client)
    job = painting(backend, drive, session)
    session.cancel(job)
    session.cancel(job)
    drive.until(lambda: backend.of("cancel"))
    backend.cancelled(job.id)
    drive.to(job, State.CANCELLED)
    session.cancel(job)
    drive.some(3)
    assert job.state is State.CANCELLED and len(backend.of("cancel")) == 1


def test_a_connection_lost_while_cancelling_is_a_cancellation(backend: ScriptedBackend, drive: Drive) -> None:
    session = drive.session(backend.client)
    job = painting(backend, drive, session)
    session.cancel(job)
    drive.to(job, State.CANCELLING)
    backend.kill()
    drive.to(job, State.CANCELLED)


def test_a_backend_that_is_told_to_end_fails_the_job_and_another_try_gets_another_id(
    backend: ScriptedBackend, drive: Drive
) -> None:
    """Somebody else stopped the backend: the job is "cancelled", but nobody here asked for it."""
    session = drive.session(backend.client)
    job = painting(backend, drive, session)
    backend.say("cancelled", job.id)
    failure = drive.to(job, State.FAILED).failure
    assert failure.code is Code.BACKEND_LOST and failure.retry
    session.retry(job)
    drive.until(lambda: len(backend.of("stylize")) == 2)
    first, second = backend.of("stylize")
    assert second.id == job.id != first.id
    backend.finish(job.id)
    drive.to(job, State.FINISHED)
