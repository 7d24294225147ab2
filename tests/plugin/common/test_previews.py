"""Live previews: the latest wins, the stale are dropped."""

from __future__ import annotations

from scripted import Drive, ScriptedBackend, request

from scumble.plugin.common.states import State


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
