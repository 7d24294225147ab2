"""A job's way through its states, against a backend that is told what to do, over a real socket."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from scripted import QUICK, Drive, ScriptedBackend, request
from scripted import result as made_of
from wire_parts import backend_pid, kill_backend
from wire_parts import request as obedient_request

from scumble.plugin.common.annotation import RegionSettings, RunSettings
from scumble.plugin.common.backend import Remote, connector
from scumble.plugin.common.history import History
from scumble.plugin.common.jobs import Job
from scumble.plugin.common.regions import RegionList
from scumble.plugin.common.session import JobSession
from scumble.plugin.common.sources import GalleryStyle
from scumble.plugin.common.states import OVER, State
from scumble.plugin.common.worker import Worker
from scumble.shared.client import Policy
from scumble.shared.errors import Code, ScumbleError


def painting(backend: ScriptedBackend, drive: Drive, session: JobSession, seed: int = 0) -> Job:
    """A job that runs."""
    job = session.start(request(seed))
    drive.until(lambda: any(m.id == job.id for m in backend.of("stylize")), "the job's arrival")
    backend.accept(job.id)
    backend.progress(job.id)
    drive.to(job, State.RUNNING)
    return job


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


def test_a_second_job_on_the_same_connection_begins_by_sending(backend: ScriptedBackend, drive: Drive) -> None:
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


def test_heartbeats_tell_when_a_waiting_job_moves_up_and_begins(backend: ScriptedBackend, drive: Drive) -> None:
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


def test_the_bar_never_goes_back_and_the_time_left_counts_down(backend: ScriptedBackend, drive: Drive) -> None:
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


# -- cancelling --------------------------------------------------------------------------------------


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


# -- lost backends -----------------------------------------------------------------------------------


def test_a_backend_killed_in_the_middle_and_restarted_gets_the_job_again(
    backend: ScriptedBackend, drive: Drive
) -> None:
    session = drive.session(backend.launching(start=False))
    job = painting(backend, drive, session, seed=6)
    id = job.id
    backend.kill()
    view = drive.to(job, State.CONNECTING, State.STARTING)
    assert view.fraction is None, "the bar of the lost run is not shown on"
    drive.to(job, State.STARTING)
    backend.start()
    drive.until(lambda: len(backend.of("stylize")) == 2, "the job's second arrival")
    assert [m.id for m in backend.of("stylize")] == [id, id] and job.id == id
    backend.accept(id)
    backend.progress(id)
    drive.to(job, State.RUNNING)
    backend.finish(id, seed=6)
    assert drive.to(job, State.FINISHED).result.origin == (6, 0)


def test_a_lost_connection_to_the_same_backend_does_not_send_the_pixels_again(
    backend: ScriptedBackend, drive: Drive
) -> None:
    session = drive.session(lambda: backend.client(policy=Policy(silence_s=0.5, ping_s=0.1, backoff_s=0.05)))
    job = painting(backend, drive, session)
    backend.known = [job.id]
    backend.mute = True  # silence is a lost connection, too
    drive.to(job, State.CONNECTING)
    assert job.view.status == "The connection to the Scumble backend was lost."
    backend.mute = False
    drive.to(job, State.SENDING)
    backend.accept(job.id)
    backend.finish(job.id)
    drive.to(job, State.FINISHED)
    assert len(backend.of("stylize")) == 1 and backend.hellos[-1]["jobs"] == [job.id]


def test_a_lost_backend_can_be_tried_again_under_the_same_id(backend: ScriptedBackend, drive: Drive) -> None:
    session = drive.session(backend.client)
    job = painting(backend, drive, session)
    id = job.id
    backend.kill()
    failure = drive.to(job, State.FAILED).failure
    assert failure.code is Code.BACKEND_LOST and failure.retry and failure.hint
    backend.start()
    session.retry(job)
    drive.until(lambda: len(backend.of("stylize")) == 2)
    assert job.id == id and job.view.attempt == 2 and job.view.failure is None
    backend.finish(id)
    drive.to(job, State.FINISHED)


def test_a_job_that_kills_two_backends_fails(backend: ScriptedBackend, drive: Drive) -> None:
    session = drive.session(backend.launching())
    job = painting(backend, drive, session)
    for _ in range(2):
        backend.kill()
        count = len(backend.of("stylize"))
        drive.until(lambda c=count: len(backend.of("stylize")) > c or job.state in OVER)  # type: ignore[misc]
    assert drive.to(job, State.FAILED).failure.code is Code.BACKEND_LOST
    assert len(backend.of("stylize")) == 2


def test_a_failure_of_the_backends_own_is_tried_again_under_another_id(
    backend: ScriptedBackend, drive: Drive
) -> None:
    """It keeps its last word on an id, and would only repeat it."""
    session = drive.session(backend.client)
    job = painting(backend, drive, session)
    backend.fail(job.id, ScumbleError(Code.OUT_OF_MEMORY, "No memory.", "Select less.", retry=True))
    drive.to(job, State.FAILED)
    session.retry(job)
    drive.until(lambda: len(backend.of("stylize")) == 2)
    first, second = backend.of("stylize")
    assert first.id != second.id == job.id and second.body == first.body


def test_retrying_what_has_not_failed_does_nothing(backend: ScriptedBackend, drive: Drive) -> None:
    session = drive.session(backend.client)
    job = painting(backend, drive, session)
    session.retry(job)
    backend.finish(job.id)
    drive.to(job, State.FINISHED)
    session.retry(job)
    drive.some(3)
    assert job.state is State.FINISHED and len(backend.of("stylize")) == 1


@pytest.mark.parametrize("code", list(Code))
def test_an_error_of_every_code_becomes_a_sentence_and_a_hint(
    backend: ScriptedBackend, drive: Drive, code: Code
) -> None:
    session = drive.session(backend.client)
    job = session.start(request())
    drive.until(lambda: backend.of("stylize"))
    backend.say("failed", job.id, code=code.value, message="", hint="")
    failure = drive.to(job, State.FAILED).failure
    assert failure.code is code
    assert failure.sentence.endswith(".") and failure.hint.rstrip(".")
    assert job.view.status == failure.sentence and failure.text == f"{failure.sentence} {failure.hint}"


def test_the_backends_own_words_are_used_where_there_are_any(backend: ScriptedBackend, drive: Drive) -> None:
    session = drive.session(backend.client)
    job = session.start(request())
    drive.until(lambda: backend.of("stylize"))
    backend.fail(job.id, ScumbleError(Code.UNKNOWN_STYLE, "There is no style 'x'.", "Take 'y'.", retry=False))
    failure = drive.to(job, State.FAILED).failure
    assert (failure.sentence, failure.hint, failure.retry) == ("There is no style 'x'.", "Take 'y'.", False)


def test_a_code_from_a_newer_backend_is_an_internal_error(backend: ScriptedBackend, drive: Drive) -> None:
    session = drive.session(backend.client)
    job = session.start(request())
    drive.until(lambda: backend.of("stylize"))
    backend.say("failed", job.id, code="moon_phase", message="The moon is full.", retry=True)
    failure = drive.to(job, State.FAILED).failure
    assert failure.code is Code.INTERNAL and failure.sentence == "The moon is full." and failure.report


def test_an_answer_that_makes_no_sense_fails_its_job_only(backend: ScriptedBackend, drive: Drive) -> None:
    session = drive.session(backend.client)
    job = painting(backend, drive, session)
    other = painting(backend, drive, session, 1)
    backend.say("progress", job.id, stage="paint", done=[], of={})
    backend.say("accepted", other.id, position=0)
    drive.to(other, State.QUEUED)
    assert drive.to(job, State.FAILED).failure.code is Code.INTERNAL
    backend.finish(other.id)
    drive.to(other, State.FINISHED)


def test_a_request_that_can_never_be_sent_fails_at_once(backend: ScriptedBackend, drive: Drive) -> None:
    session = drive.session(backend.client)
    job = session.start(request(prompt="x" * 300_000))
    failure = drive.to(job, State.FAILED).failure
    assert failure.code is Code.TOO_LARGE and not failure.retry
    assert not session.busy


def test_even_a_broken_machine_leaves_no_job_waiting(drive: Drive) -> None:
    """Making a client takes file handles, and there may be none."""

    def broken() -> Any:
        raise OSError(24, "Too many open files")

    session = drive.session(broken)
    job, query = session.start(request()), session.describe()
    failure = drive.to(job, State.FAILED).failure
    assert failure.code is Code.INTERNAL and failure.report and "files" not in failure.text
    assert query.done and query.failure is not None
    preview = session.preview(request(), delay_s=0.0)
    drive.to(preview, State.FAILED)


# -- live previews -----------------------------------------------------------------------------------


def test_the_latest_preview_wins(backend: ScriptedBackend, drive: Drive) -> None:
    session = drive.session(backend.client)
    old = session.preview(request(1), delay_s=0.0)
    drive.until(lambda: backend.of("stylize"))
    backend.progress(old.id)
    drive.to(old, State.RUNNING)
    skipped = session.preview(request(2), delay_s=0.0)
    new = session.preview(request(3), delay_s=0.0)
    drive.until(lambda: backend.of("cancel"))
    assert old.state is State.CANCELLING and skipped.state is State.CANCELLED and new.state is State.IDLE
    drive.some(3)
    assert len(backend.of("stylize")) == 1, "never two on the way at once"
    backend.cancelled(old.id)
    drive.until(lambda: len(backend.of("stylize")) == 2)
    assert backend.of("stylize")[1].id == new.id
    backend.finish(new.id, seed=3)
    assert drive.to(new, State.FINISHED).result.origin == (3, 0)
    assert old.state is State.CANCELLED and old.view.result is None
    assert session.history.entries == (), "previews are no results"


def test_a_stale_preview_that_comes_after_all_is_dropped(backend: ScriptedBackend, drive: Drive) -> None:
    session = drive.session(backend.client)
    old = session.preview(request(1), delay_s=0.0)
    drive.until(lambda: backend.of("stylize"))
    new = session.preview(request(2), delay_s=0.0)
    drive.until(lambda: backend.of("cancel"))
    backend.show(old.id, seed=1)
    backend.finish(old.id, seed=1)
    drive.to(old, State.CANCELLED)
    assert old.view.result is None and old.view.preview is None
    drive.until(lambda: len(backend.of("stylize")) == 2)
    backend.finish(new.id, seed=2)
    drive.to(new, State.FINISHED)


def test_a_preview_waits_for_the_hand_to_rest(backend: ScriptedBackend, drive: Drive) -> None:
    now = [10.0]
    session = drive.session(backend.client, clock=lambda: now[0])
    asked = []
    for seed in range(5):
        asked.append(session.preview(request(seed), delay_s=0.2))
        session.tick()
        now[0] += 0.15
    assert backend.heard == [] and [job.state for job in asked[:4]] == [State.CANCELLED] * 4
    now[0] += 0.1
    drive.until(lambda: backend.of("stylize"))
    assert [m.id for m in backend.of("stylize")] == [asked[-1].id]


def test_stylizing_takes_the_place_of_a_preview(backend: ScriptedBackend, drive: Drive) -> None:
    session = drive.session(backend.client)
    preview = session.preview(request(1), delay_s=0.0)
    drive.until(lambda: backend.of("stylize"))
    job = session.start(request(2))
    drive.until(lambda: len(backend.of("stylize")) == 2)
    backend.cancelled(preview.id)
    drive.to(preview, State.CANCELLED)
    later = session.preview(request(3), delay_s=0.0)
    drive.some(5)
    assert later.state is State.IDLE, "a preview does not queue behind a real job"
    backend.finish(job.id)
    drive.to(job, State.FINISHED)
    drive.until(lambda: len(backend.of("stylize")) == 3)
    session.drop_preview()
    drive.until(lambda: len(backend.of("cancel")) == 2)
    backend.cancelled(later.id)
    drive.to(later, State.CANCELLED)
    assert not session.busy


# -- history, questions, other backends --------------------------------------------------------------


def test_what_was_made_can_be_made_again(backend: ScriptedBackend, drive: Drive) -> None:
    session = drive.session(backend.client, history=History())
    run = RunSettings("partial-conv", (RegionSettings(GalleryStyle("waves"), strength=0.5),), {"detail": 1}, 7)
    job = session.start(request(4), run, tag={"layer": "l1"})
    drive.until(lambda: backend.of("stylize"))
    backend.finish(job.id, seed=4)
    drive.to(job, State.FINISHED)
    made = session.history.get(job.id)
    assert made is not None and made.settings is run and made.tag == {"layer": "l1"}
    assert made.result is job.view.result and made.nbytes == 64
    again = RegionList.of(made.settings).snapshot()[0]
    assert again.style == GalleryStyle("waves") and again.strength == 0.5


def test_describe_is_answered_and_kept(backend: ScriptedBackend, drive: Drive) -> None:
    session = drive.session(backend.client)
    query = session.describe()
    asked = drive.until(lambda: backend.of("describe"))[0]
    backend.progress(asked.id, "starting", 0, 0)
    drive.until(lambda: query.stage == "Starting")
    assert query.status == "Starting…" and query.fraction is None and not query.done
    backend.answer(asked.id, "description", {"engines": []})
    drive.until(lambda: query.done)
    assert query.value == {"engines": []} == session.description and query.failure is None


def test_models_report_progress_and_can_be_cancelled(backend: ScriptedBackend, drive: Drive) -> None:
    session = drive.session(backend.client)
    query = session.models("fetch", "vgg19")
    asked = drive.until(lambda: backend.of("models"))[0]
    assert asked.body == {"action": "fetch", "model": "vgg19"}
    backend.progress(asked.id, "download", 30, 40)
    drive.until(lambda: query.fraction == 0.75)
    assert query.status == "Downloading…"
    session.cancel(query)
    drive.until(lambda: backend.of("cancel"))
    backend.cancelled(asked.id)
    drive.until(lambda: query.done)
    assert query.cancelled and query.failure is not None and query.failure.code is Code.CANCELLED


def test_a_question_that_fails_says_why(backend: ScriptedBackend, drive: Drive) -> None:
    session = drive.session(backend.client)
    query = session.free_memory()
    asked = drive.until(lambda: backend.of("free_memory"))[0]
    backend.fail(asked.id, ScumbleError(Code.BUSY, "Too many."))
    drive.until(lambda: query.done)
    assert query.failure is not None and query.failure.retry and query.status == "Too many."


def test_ping_and_shutdown_are_answered(backend: ScriptedBackend, drive: Drive) -> None:
    session = drive.session(backend.client)
    ping = session.ping()
    drive.until(lambda: ping.done)
    assert ping.value["state"] == "ready" == session.condition["state"]
    end = session.shutdown()
    drive.until(lambda: backend.of("shutdown"))
    backend.kill()  # without an answer: it has ended, as it was told to
    drive.until(lambda: end.done)
    assert end.failure is None


def test_another_backend_can_be_chosen_while_a_job_runs(backend: ScriptedBackend, drive: Drive) -> None:
    other = ScriptedBackend()
    other.start()
    session = drive.session(backend.client)
    job = painting(backend, drive, session)
    session.use(other.client)
    later = session.start(request(5))
    drive.until(lambda: backend.of("cancel"))
    assert other.heard == [], "the old one hears of it first"
    backend.cancelled(job.id)
    drive.to(job, State.CANCELLED)
    drive.until(lambda: other.of("stylize"))
    assert other.of("stylize")[0].id == later.id and len(backend.of("stylize")) == 1
    other.kill()


def test_closing_tells_the_backend_and_leaves_nothing_waiting(backend: ScriptedBackend) -> None:
    session = JobSession(backend.client)
    job, query = session.start(request()), session.describe()
    while not backend.of("stylize"):
        session.tick(0.01)
    preview = session.preview(request())
    session.tick()
    session.close()
    assert job.state is State.CANCELLED and query.done and preview.state is State.CANCELLED
    deadline = time.monotonic() + 5
    while not backend.of("cancel") and time.monotonic() < deadline:
        time.sleep(0.01)
    assert backend.of("cancel")[0].body == {"job": job.id}
    assert session.tick() == ()
    session.close()


def test_a_tick_inside_a_tick_does_nothing(backend: ScriptedBackend, drive: Drive) -> None:
    """An editor's event loop may call its timer from inside of whatever a tick leads to."""
    inner: list[Any] = []

    def connect() -> Any:
        inner.append(session.tick())
        return backend.client()

    session = drive.session(connect)
    job = session.start(request())
    drive.to(job, State.SENDING)
    assert inner == [()]


# -- the worker, and a real backend process ----------------------------------------------------------


def test_a_worker_drives_a_session_from_another_thread(backend: ScriptedBackend) -> None:
    seen: list[tuple[str, State]] = []
    finished = threading.Event()

    def changed(changes: tuple[Any, ...]) -> None:
        for change in changes:
            seen.append((threading.current_thread().name, change.state))
            if change.state is State.RUNNING:
                raise ValueError("a listener's bug")
            if change.state in OVER:
                finished.set()

    worker = Worker(JobSession(backend.client), changed)
    worker.start()
    job = worker.session.start(request(8))
    deadline = time.monotonic() + 20
    while not backend.of("stylize") and time.monotonic() < deadline:
        time.sleep(0.01)
    backend.progress(job.id)
    while job.state is not State.RUNNING and time.monotonic() < deadline:
        time.sleep(0.01)
    backend.finish(job.id, seed=8)
    assert finished.wait(20) and job.view.result is not None
    assert {name for name, _ in seen} == {"scumble-session"} and seen[-1][1] is State.FINISHED
    assert worker.stop() and worker.session.tick() == ()


def test_a_worker_that_has_nothing_to_do_stops_at_once(backend: ScriptedBackend) -> None:
    worker = Worker(JobSession(backend.client), lambda changes: None)
    worker.start()
    assert worker.stop(20)
    assert backend.hellos == [], "nothing was wanted of the backend"


def test_a_real_backend_is_started_killed_and_started_again(home: Any, drive: Drive) -> None:
    """The same with a process: the whole way from nothing to a result, with a crash in the middle."""
    session = drive.session(connector(Remote(), "test", policy=QUICK))
    asked = obedient_request(seconds=1.0, seed=4)
    job = session.start(asked)
    drive.to(job, State.STARTING)
    drive.to(job, State.RUNNING)
    first = backend_pid()
    kill_backend()
    drive.to(job, State.STARTING)
    view = drive.to(job, State.FINISHED)
    assert bytes(view.result.layer.data) == bytes(asked.layer.data)[::-1]
    assert backend_pid() not in (0, first)


def test_views_are_compared_by_identity() -> None:
    """By value would compare pixels, each time that a docker looks whether something has changed."""
    one, two = Job(request()), Job(request())
    assert one.view != two.view and one.view == one.view
    assert made_of(1).origin == (1, 0)
