"""What else a session does: history, questions, another backend, closing, its thread, a real process."""

from __future__ import annotations

import threading
import time
from typing import Any

from scripted import QUICK, Drive, ScriptedBackend, painting, request
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
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import MaskBuffer, PixelBuffer
from scumble.shared.segmenting import (
    FoundMask,
    Point,
    SegmentRequest,
    SegmentResult,
    found_message,
    message_segment,
)


def test_what_was_made_can_be_made_again(backend: ScriptedBackend, drive: Drive) -> None:
    session = drive.session(backend.client, history=History())
    run = RunSettings(
        "partial-conv", (RegionSettings(GalleryStyle("waves"), strength=0.5),), {"detail": 1}, 7
    )
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


def test_the_way_can_be_opened_before_there_is_anything_to_say(
    backend: ScriptedBackend, drive: Drive
) -> None:
    session = drive.session(backend.client)
    assert not session.busy
    session.open()
    assert session.busy, "whoever ticks it goes on ticking"
    drive.until(lambda: session.connected)
    assert not session.busy and not backend.of("stylize") and not backend.of("describe")
    job = session.start(request())
    drive.until(lambda: backend.of("stylize"))
    backend.finish(job.id)
    drive.to(job, State.FINISHED)


def test_a_question_for_selections_is_answered_with_masks(backend: ScriptedBackend, drive: Drive) -> None:
    session = drive.session(backend.client)
    layer = PixelBuffer(4, 3, "rgba", "u8", bytes(range(48)))
    query = session.segment(SegmentRequest(layer, points=(Point(1, 2), Point(3, 0, False))))
    asked = drive.until(lambda: backend.of("segment"))[0]
    heard = message_segment(asked)
    assert heard.points == (Point(1, 2), Point(3, 0, False)) and bytes(heard.layer.data) == bytes(range(48))
    mask = MaskBuffer(2, 1, b"\x80\xff", x=1, y=2)
    backend._say.append(found_message(SegmentResult((FoundMask(mask, 0.5, 1.5),), "scripted"), asked.id))
    drive.until(lambda: query.done)
    found = query.value.masks[0]
    assert query.failure is None and (found.mask.x, found.mask.y, bytes(found.mask.data)) == (
        1,
        2,
        b"\x80\xff",
    )
    assert not query.arguments, "the pixels are let go"


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
    deadline = time.monotonic() + 60
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
    deadline = time.monotonic() + 60
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
