"""A long job's previews, and stopping it where it is good enough."""

from __future__ import annotations

from typing import Any

from scumble.plugin.common.states import State
from scumble.plugin.krita.interface import Part
from scumble.shared.errors import Code, ScumbleError


def painting(studio: Any) -> str:
    """A job that the backend has begun; its id."""
    studio.krita.open()
    studio.begin()
    studio.painter.hold = True
    studio.controller.stylize()
    return begun(studio)


def begun(studio: Any) -> str:
    def running() -> bool:
        job = studio.controller.state.job
        return job is not None and job.state is State.RUNNING

    studio.loop.until(running, "the beginning")
    return str(studio.painter.of("stylize")[-1].id)


def shown(studio: Any, job: str, seed: int = 1) -> Any:
    """What the docker is given once the backend has sent a preview."""

    def there() -> Any:
        preview = studio.controller.state.job.preview
        return preview if preview is not None and preview.report == {"seed": seed} else None

    studio.painter.show(job, seed)
    return studio.loop.until(there, "the preview")


def test_each_preview_of_the_job_is_told_and_no_layer_is_made_of_it(studio: Any) -> None:
    job = painting(studio)
    told: list[Part] = []
    studio.controller.listen(lambda parts: told.extend(parts))
    assert bytes(shown(studio, job, 1).layer.data[:1]) == b"\x01"
    assert bytes(shown(studio, job, 2).layer.data[:1]) == b"\x02"
    assert Part.JOB in told and studio.names == ["Background"] and studio.undo == []
    assert not studio.controller.state.preview.shown, "the live preview is something else"
    studio.painter.let_go()
    studio.idle()


def test_good_enough_is_said_once_and_the_result_comes_as_usual(studio: Any) -> None:
    job = painting(studio)
    shown(studio, job)
    assert not studio.controller.state.finishing
    studio.controller.enough()
    assert studio.controller.state.finishing and studio.controller.state.running
    studio.controller.enough()
    studio.loop.until(lambda: studio.painter.of("enough"), "the word")
    studio.loop.some(0.1)
    assert [message.body for message in studio.painter.of("enough")] == [{"job": job}]
    studio.painter.let_go()
    studio.idle()
    assert studio.names == ["Background", "Oil · Regions"] and studio.undo == ["Add Layer"]
    assert not studio.controller.state.finishing and studio.failure() is None


def test_before_there_is_a_preview_nothing_is_good_enough(studio: Any) -> None:
    studio.controller.enough()
    painting(studio)
    studio.controller.enough()
    studio.loop.some(0.1)
    assert studio.painter.of("enough") == [] and not studio.controller.state.finishing
    studio.painter.let_go()
    studio.idle()


def test_it_can_still_be_cancelled_after_that(studio: Any) -> None:
    job = painting(studio)
    shown(studio, job)
    studio.controller.enough()
    studio.controller.cancel()
    studio.idle()
    assert studio.names == ["Background"] and not studio.controller.state.finishing


def test_another_try_refines_again(studio: Any) -> None:
    job = painting(studio)
    shown(studio, job)
    studio.controller.enough()
    studio.painter.fail(job, ScumbleError(Code.INTERNAL, "No.", "Try again.", retry=True))
    studio.loop.until(lambda: studio.failure(), "the failure")
    studio.controller.retry()
    begun(studio)
    state = studio.controller.state
    assert not state.finishing and state.job.preview is None
    studio.painter.let_go()
    studio.idle()


def test_a_backend_that_begins_anew_has_not_been_told(studio: Any) -> None:
    job = painting(studio)
    shown(studio, job)
    studio.controller.enough()
    studio.loop.until(lambda: studio.painter.of("enough"), "the word")
    studio.painter.kill()
    studio.painter.start()
    studio.loop.until(lambda: len(studio.painter.of("stylize")) == 2, "the job, again")
    begun(studio)
    assert not studio.controller.state.finishing
    studio.controller.enough()
    studio.loop.until(lambda: len(studio.painter.of("enough")) == 2, "the word, again")
    studio.painter.let_go()
    studio.idle()
    assert studio.names == ["Background", "Oil · Regions"]
