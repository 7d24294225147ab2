"""The picture of a long job in the docker, and the button that says that it is good enough."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fake_port import FakePort
from hands import click, turn

from scumble.plugin.common.jobs import JobView
from scumble.plugin.common.states import State
from scumble.plugin.krita.interface import Batch, Part
from scumble.shared.messages import PixelBuffer, StylizeResult

RED, BLUE = bytes((220, 30, 30, 255)), bytes((30, 30, 220, 255))


def preview(colour: bytes = RED, wide: int = 120, high: int = 80, **report: Any) -> StylizeResult:
    return StylizeResult(PixelBuffer(wide, high, "rgba", "u8", colour * (wide * high)), (0, 0), report)


def job(shown: StylizeResult | None = None, state: State = State.RUNNING) -> JobView:
    return JobView("j", state, "Painting, about 40 s left", "Painting", 0.3, 40.0, preview=shown)


def middle(panel: Any) -> tuple[int, ...]:
    """The colour in the middle of the picture on the screen."""
    growing = panel.run.growing
    return tuple(growing.grab().toImage().pixelColor(growing.rect().center()).getRgb()[:3])


def test_a_picture_and_a_button_come_with_the_first_preview_and_go_with_the_job(
    panel: Any, port: FakePort
) -> None:
    run = panel.run
    port.become(Part.JOB, job=job(), running=True)
    assert run.growing.isHidden() and run.enough.isHidden() and run.cancel.isVisible()
    port.become(Part.JOB, job=job(preview()))
    turn()
    assert run.growing.isVisible() and run.enough.isVisible() and run.enough.text() == "Good enough"
    assert middle(panel) == tuple(RED[:3])
    port.become(Part.JOB, job=job(preview(BLUE)))
    assert middle(panel) == tuple(BLUE[:3])
    port.become(Part.JOB, job=job(preview(BLUE), State.FINISHED), running=False)
    assert run.running.isHidden() and run.growing.preview is None, "its pixels are not kept"
    port.become(Part.JOB, job=job(), running=True)
    assert run.growing.isHidden() and run.enough.isHidden(), "the next one begins without"


def test_good_enough_is_one_click_and_then_it_is_finishing(panel: Any, port: FakePort) -> None:
    enough = panel.run.enough
    port.become(Part.JOB, job=job(preview()), running=True)
    turn()
    click(enough)
    assert port.called("enough") == [()]
    port.become(Part.JOB, finishing=True)
    assert enough.text() == "Finishing…" and not enough.isEnabled() and panel.run.cancel.isEnabled()
    click(enough)
    assert port.called("enough") == [()]
    port.become(Part.JOB, running=False, finishing=False)
    port.become(Part.JOB, job=job(preview(BLUE)), running=True)
    assert enough.text() == "Good enough" and enough.isEnabled()


@pytest.mark.parametrize("state", [State.CANCELLING, State.CONNECTING, State.FINISHED])
def test_it_is_off_while_nobody_refines(panel: Any, port: FakePort, state: State) -> None:
    port.become(Part.JOB, job=job(preview(), state), running=True)
    turn()
    assert panel.run.growing.isVisible() and not panel.run.enough.isEnabled()


@pytest.mark.parametrize("wide", [240, 300, 520])
@pytest.mark.parametrize(("across", "down"), [(512, 300), (60, 400), (500, 20), (1, 1)])
def test_the_picture_fits_and_keeps_its_proportions(
    panel: Any, port: FakePort, wide: int, across: int, down: int
) -> None:
    shown = preview(wide=across, high=down)
    port.become(Part.JOB, job=job(shown), running=True)
    panel.resize(wide, 700)
    turn()
    growing, box = panel.run.growing, panel.run.growing.box
    assert panel.width() == wide and panel.run.minimumSizeHint().width() <= 240
    assert box.left() >= 0 and box.right() <= growing.width() and box.bottom() <= growing.height()
    assert box.width() == pytest.approx(box.height() * across / down, rel=0.02, abs=across / down + 1)
    assert box.width() >= growing.width() - 1 or box.height() >= growing.height() - 1, "as large as fits"
    assert growing.height() <= 200


def test_coarse_and_fine_previews_take_the_same_place(panel: Any, port: FakePort) -> None:
    places = []
    port.become(Part.JOB, job=job(preview(box=[10, 20, 1600, 935])), running=True)
    turn()  # the docker makes room, once
    turn()
    for wide, high in ((32, 19), (64, 37), (128, 75), (512, 299)):
        port.become(Part.JOB, job=job(preview(wide=wide, high=high, box=[10, 20, 1600, 935])), running=True)
        turn()
        growing = panel.run.growing
        places.append((growing.geometry().getRect(), growing.box.getRect(), panel.run.geometry().getRect()))
    assert len(set(places)) == 1, "nothing jumps while it grows"


def test_progress_without_a_new_preview_does_not_draw_it_again(panel: Any, port: FakePort) -> None:
    shown = preview()
    port.become(Part.JOB, job=job(shown), running=True)
    turn()
    turn()
    middle(panel)
    drawn = panel.run.growing._drawn
    assert drawn is not None
    for fraction in (0.4, 0.5, 0.6):
        port.become(Part.JOB, job=replace(job(shown), fraction=fraction))
        turn()
    assert panel.run.growing._drawn is drawn


def test_between_two_frames_the_last_picture_stays_and_the_button_waits(panel: Any, port: FakePort) -> None:
    port.become(Part.JOB, job=job(preview()), running=True, batch=Batch(0, 3, 0))
    turn()
    port.become(Part.JOB, job=job(), batch=Batch(1, 3, 4))
    assert panel.run.growing.isVisible() and panel.run.enough.isHidden()
    port.become(Part.JOB, running=False, batch=None)
    port.become(Part.JOB, running=True, batch=Batch(0, 3, 0))
    assert panel.run.growing.isHidden(), "of another run there is nothing to show"


def test_a_box_that_makes_no_sense_and_other_pixels_do_no_harm(panel: Any, port: FakePort) -> None:
    for box in ([0, 0, 0, 5], "1234", [1], None, [0, 0, "a", 2]):
        port.become(Part.JOB, job=job(preview(box=box)), running=True)
        assert panel.run.growing.isVisible() and middle(panel) == tuple(RED[:3])
    grey = StylizeResult(PixelBuffer(2, 2, "graya", "u8", b"\x40\xff" * 4), (0, 0), {})
    port.become(Part.JOB, job=job(grey))
    assert panel.run.growing.isHidden()
