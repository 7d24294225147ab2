"""Backends that die, come back, fail and talk nonsense, as an editor sees them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scripted import QUICK, Drive, ScriptedBackend, Starting, painting, request
from wire_parts import request as obedient_request

from scumble.plugin.common.backend import Remote, connector
from scumble.plugin.common.states import OVER, State
from scumble.shared.client import Client, Policy
from scumble.shared.connection import Connection, KeyPair
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.lock import FileLock


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
    session = drive.session(lambda: backend.client(policy=Policy(silence_s=1.0, ping_s=0.1, backoff_s=0.05)))
    job = painting(backend, drive, session)
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


def test_a_connection_that_breaks_in_a_way_nobody_thought_of_fails_its_jobs_and_the_next_one_works(
    backend: ScriptedBackend, drive: Drive
) -> None:
    session = drive.session(backend.client)
    job = painting(backend, drive, session)
    assert session._client is not None
    session._client._context.destroy(linger=0)
    failure = drive.to(job, State.FAILED).failure
    assert failure.code is Code.INTERNAL and failure.retry and not session.connected
    other = painting(backend, drive, session, 1)
    backend.finish(other.id)
    drive.to(other, State.FINISHED)


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


def test_a_new_backend_that_takes_its_time_is_waited_for(drive: Drive, tmp_path: Path) -> None:
    """It has the lock before it removes what a killed one left, then loads, and only then can be found."""
    backend, lock, phase = ScriptedBackend(), FileLock(tmp_path / "lock"), ["left behind"]
    dead = Connection("tcp://127.0.0.1:9", KeyPair.new().public, KeyPair.new(), lock=lock.file)

    def find() -> Connection:
        if phase == ["left behind"]:
            return dead
        return replace(backend.find(), lock=lock.file)

    def launch() -> Starting:
        assert lock.acquire()
        return Starting()

    session = drive.session(lambda: Client(name="test", find=find, launch=launch, policy=QUICK))
    job = session.start(request(seed=3))
    drive.to(job, State.STARTING)
    drive.some(60)
    assert job.state is State.STARTING, job.view
    phase[:] = ["removed"]
    drive.some(60)
    assert job.state is State.STARTING, job.view
    backend.start()
    drive.until(lambda: backend.of("stylize"))
    backend.finish(job.id, seed=3)
    assert drive.to(job, State.FINISHED).result.origin == (3, 0)
    lock.release()
    backend.kill()


def test_a_new_backend_that_answers_late_is_tried_until_its_time_is_over(drive: Drive) -> None:
    """As on a machine that is busy with something else."""
    backend = ScriptedBackend()
    backend.mute = True
    policy = Policy(backoff_s=0.01, backoff_max_s=0.01, connect_s=0.1, tries=2, start_s=60.0)

    def launch() -> Starting:
        backend.start()
        return Starting()

    session = drive.session(lambda: backend.client(launch=launch, policy=policy))
    job = session.start(request())
    drive.until(lambda: len(backend.hellos) > 4 or job.state in OVER)
    assert job.state not in OVER, job.view
    backend.mute = False
    drive.to(job, State.SENDING)
    backend.kill()


def test_a_backend_that_took_a_look_at_its_lock_for_a_holder_is_started_again(
    home: Path, drive: Drive
) -> None:
    real, count = home / "real", home / "count"
    (home / "python").rename(real)
    script = f'#!/bin/sh\necho x >>"{count}"\n[ $(wc -l <"{count}") -gt 1 ] || exit 0\nexec "{real}" "$@"\n'
    (home / "python").write_text(script)
    (home / "python").chmod(0o755)
    session = drive.session(connector(Remote(), "test", policy=QUICK))
    job = session.start(obedient_request(seconds=0.0, seed=4))
    drive.to(job, State.FINISHED, State.FAILED)
    assert job.state is State.FINISHED, job.view
    assert count.read_text() == "x\nx\n"
