"""What goes wrong becomes a sentence and a hint, changes nothing, and leaves the docker usable."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from fake_krita import Node, Selection

from scumble.plugin.common.backend import Remote
from scumble.plugin.common.sources import SELECTION_MASK, FileStyle, LayerStyle, MaskSource
from scumble.plugin.krita.interface import BackendState, Output
from scumble.shared.errors import Code, ScumbleError


def held(studio: Any) -> None:
    """Begin a job that does not end by itself."""
    studio.painter.hold = True
    studio.controller.stylize()
    running(studio)


def running(studio: Any) -> None:
    studio.loop.until(
        lambda: studio.controller.state.job and studio.controller.state.job.state.value == "running",
        "the job",
    )


def test_without_a_document_there_is_a_problem_to_show_and_a_click_says_it(studio: Any) -> None:
    studio.begin()
    assert studio.controller.state.document is None
    assert studio.controller.state.problem.sentence == "No document is open."
    studio.stylize()
    assert studio.failure().sentence == "No document is open." and studio.failure().hint
    assert studio.painter.requests == []


def test_without_a_layer_there_is_a_problem(studio: Any) -> None:
    studio.krita.open()
    studio.krita.active.active = None
    studio.begin()
    studio.stylize()
    assert "No layer" in studio.failure().sentence


@pytest.mark.parametrize(
    ("rect", "words"),
    [((-40, -40, 10, 10), "no pixels"), ((500, 500, 10, 10), "no pixels"), ((0, 0, 0, 0), "selected")],
)
def test_a_selection_without_anything_to_paint_says_so(studio: Any, rect: Any, words: str) -> None:
    studio.krita.open()
    studio.begin()
    studio.select(*rect)
    studio.stylize()
    assert studio.failure().code is Code.EMPTY_SELECTION and words in studio.failure().sentence
    assert studio.names == ["Background"] and studio.undo == []


def test_an_empty_layer_says_so(studio: Any) -> None:
    studio.krita.open()
    node = studio.krita.active.root.children[0]
    node.frames = {0: node.blank()}
    studio.begin()
    studio.stylize()
    assert "The layer is empty" in studio.failure().sentence


def test_a_huge_layer_is_refused_before_its_pixels_are_read(studio: Any, monkeypatch: Any) -> None:
    studio.krita.open()
    studio.begin()
    monkeypatch.setattr("fake_krita.Document.width", lambda self: 20_000)
    monkeypatch.setattr("fake_krita.Document.height", lambda self: 20_000)
    from PyQt5.QtCore import QRect

    monkeypatch.setattr("fake_krita.Node.bounds", lambda self: QRect(0, 0, 20_000, 20_000))
    studio.stylize()
    assert studio.failure().code is Code.TOO_LARGE and "20000 x 20000" in studio.failure().sentence
    studio.select(4, 4, 10, 10)
    studio.stylize()
    assert studio.failure() is None, "a small part of a huge canvas is nothing special"


def test_a_style_file_that_is_gone_is_named(studio: Any, tmp_path: Path) -> None:
    studio.krita.open()
    studio.begin()
    studio.controller.set_style(FileStyle(str(tmp_path / "my picture.png")))
    studio.stylize()
    assert studio.failure().code is Code.FILE_MISSING and "my picture.png" in studio.failure().sentence
    assert str(tmp_path) not in studio.failure().text
    (tmp_path / "my picture.png").write_bytes(b"no picture at all")
    studio.stylize()
    assert studio.failure().code is Code.FILE_UNREADABLE


def test_a_style_layer_of_a_closed_document_is_named(studio: Any) -> None:
    studio.krita.open()
    studio.begin()
    studio.controller.set_style(LayerStyle("{gone}", "", "Sketch"))
    studio.stylize()
    assert studio.failure().code is Code.FILE_MISSING and "Sketch" in studio.failure().sentence


def test_a_mask_that_was_removed_says_so(studio: Any) -> None:
    studio.krita.open()
    studio.begin()
    studio.controller.add_region(MaskSource(SELECTION_MASK, "{gone}"))
    studio.stylize()
    assert studio.failure().code is Code.FILE_MISSING and "mask" in studio.failure().sentence


def test_adding_a_region_without_a_selection_says_so(studio: Any) -> None:
    studio.krita.open()
    studio.begin()
    assert studio.controller.add_region() == ""
    assert studio.failure().code is Code.EMPTY_SELECTION and studio.controller.state.regions == ()


def test_cancelling_leaves_nothing_behind(studio: Any) -> None:
    studio.krita.open()
    studio.begin()
    held(studio)
    studio.controller.cancel()
    studio.idle()
    assert studio.controller.state.job.state.value == "cancelled"
    assert studio.failure() is None and studio.names == ["Background"] and studio.undo == []
    studio.painter.hold = False
    studio.stylize()
    assert len(studio.names) == 2


def test_cancelling_between_two_regions_of_a_group_leaves_nothing(studio: Any) -> None:
    studio.krita.open()
    studio.begin()
    studio.controller.set_output(Output.GROUP)
    for place in (4, 30):
        studio.select(place, place, 10, 10)
        studio.controller.add_region()
    stop = studio.controller.listen(
        lambda parts: studio.controller.cancel() if len(studio.painter.requests) == 1 else None
    )
    studio.stylize()
    stop()
    studio.loop.some(0.2)
    assert studio.names == ["Background"] and studio.failure() is None
    assert len(studio.painter.requests) == 1


def preview_x(studio: Any) -> int:
    """Where the preview layer begins."""
    layers = studio.krita.active.root.children
    return -1 if len(layers) < 2 else Node(layers[1]).bounds().x()


def test_previews_keep_no_copies_of_selections(studio: Any) -> None:
    studio.krita.open()
    studio.begin()
    studio.controller.set_preview(True)
    for x in (2, 12, 22):
        studio.select(x, 8, 6, 6)
        studio.loop.until(lambda x=x: studio.painter.requests and preview_x(studio) == x, "the preview there")
    assert studio.host._kept == {}


def test_a_second_click_while_something_is_painted_is_answered(studio: Any) -> None:
    studio.krita.open()
    studio.begin()
    held(studio)
    studio.controller.stylize()
    assert any("already" in notice for notice in studio.controller.state.notices)
    studio.painter.let_go()
    studio.idle()
    assert len(studio.painter.requests) == 1 and len(studio.names) == 2


def test_a_killed_backend_that_comes_back_finishes_the_job(studio: Any) -> None:
    studio.krita.open()
    studio.begin()
    held(studio)
    studio.painter.kill()
    studio.loop.until(
        lambda: studio.controller.state.job.state.value == "connecting", "the loss", patience_s=30
    )
    studio.painter.hold = False
    studio.painter.start()
    studio.idle()
    assert studio.failure() is None and len(studio.names) == 2


def test_a_backend_that_stays_away_is_a_failure_that_can_be_tried_again(studio: Any) -> None:
    studio.krita.open()
    studio.begin()
    held(studio)
    studio.painter.kill()
    studio.loop.until(lambda: studio.failure(), "the failure", patience_s=30)
    assert studio.failure().retry and studio.failure().code in (Code.BACKEND_LOST, Code.NO_BACKEND)
    assert not studio.controller.state.running
    assert studio.controller.state.backend.state in (BackendState.FAILED, BackendState.LOST)
    studio.painter.hold = False
    studio.painter.start()
    studio.controller.retry()
    studio.idle()
    assert studio.failure() is None and len(studio.names) == 2


def test_what_the_backend_refuses_is_shown_as_it_says_it(studio: Any) -> None:
    studio.krita.open()
    studio.begin()
    studio.painter.refuse = ScumbleError(Code.OUT_OF_MEMORY, "No room for this.", "Select less.", retry=True)
    studio.stylize()
    assert (studio.failure().sentence, studio.failure().hint) == ("No room for this.", "Select less.")
    assert studio.names == ["Background"]
    report = studio.controller.report()
    assert "out_of_memory" in report and "64 x 48 bgra/u8" in report and "Krita 5.1.5" in report
    studio.controller.dismiss_failure()
    assert studio.failure() is None


def test_a_backend_of_another_version_is_told_apart(studio: Any) -> None:
    studio.krita.open()
    studio.painter.unwelcome = ScumbleError(
        Code.UNSUPPORTED_PROTOCOL, "The backend speaks protocol 99.", "Update both."
    )
    studio.controller.set_shown(True)
    studio.loop.until(lambda: studio.controller.state.backend.state is BackendState.FAILED, "the refusal")
    assert "protocol 99" in studio.controller.state.backend.text
    studio.controller.stylize()
    studio.loop.until(lambda: studio.failure(), "the failure")
    assert studio.failure().code is Code.UNSUPPORTED_PROTOCOL and not studio.controller.state.running


def test_a_document_closed_while_it_is_painted_cancels_the_job(studio: Any) -> None:
    document = studio.krita.open()
    studio.begin()
    held(studio)
    document.close()
    studio.loop.until(lambda: not studio.controller.state.running, "the end")
    assert "closed" in studio.failure().sentence and studio.painter.of("cancel")
    other = studio.krita.open(name="other")
    studio.painter.hold = False
    studio.stylize()
    assert studio.failure() is None and len(other.rootNode().childNodes()) == 2


def test_a_layer_removed_while_it_is_painted_leaves_the_result_on_top(studio: Any) -> None:
    document = studio.krita.open()
    above = document.createNode("above", "paintlayer")
    document.rootNode().addChildNode(above, document.rootNode().childNodes()[0])
    studio.krita.events()
    document.setActiveNode(document.rootNode().childNodes()[0])
    studio.begin()
    held(studio)
    document.rootNode().childNodes()[0].remove()
    studio.painter.let_go()
    studio.idle()
    assert studio.names == ["above", "Oil · Regions"]
    assert any("removed" in notice for notice in studio.controller.state.notices)


def test_a_click_before_the_backend_has_ever_answered_waits_for_it(studio: Any) -> None:
    studio.krita.open()
    studio.select(4, 4, 10, 10)
    studio.controller.stylize()
    assert studio.controller.state.running and studio.controller.state.job.status
    studio.select(30, 30, 4, 4)  # what was selected at the click counts
    studio.idle()
    assert studio.failure() is None and studio.layer(1)[..., 3].sum() == 255 * 100


def test_an_address_that_is_none_is_refused_and_nothing_changes(studio: Any) -> None:
    studio.begin()
    studio.controller.set_remote(Remote("what is this", "", True))
    assert studio.failure().code is Code.BAD_REQUEST and "address" in studio.failure().sentence
    assert studio.controller.state.backend.remote == Remote()
    assert studio.controller.state.backend.state is BackendState.READY


def test_choices_are_kept_for_the_next_time(studio: Any, tmp_path: Path) -> None:
    from scumble.plugin.common.settings import Settings
    from scumble.plugin.krita.controller import Controller

    studio.begin()
    studio.controller.set_option("detail", 0.25)
    studio.controller.set_strength(0.5)
    studio.controller.set_setting("folded", ["look"])
    studio.controller.close()
    assert os.stat(tmp_path / "settings.json").st_mode & 0o077 == 0
    again = Controller(studio.host, studio.loop, settings=Settings.load(tmp_path / "settings.json"))
    # The last description is kept, so that the docker is not empty before the backend answers.
    assert again.state.form.field("detail").value == 0.25 and again.state.strength == 0.5
    assert again.get_setting("folded") == ["look"] and len(again.state.styles) == 2


def test_a_command_about_a_region_that_is_gone_is_no_failure(studio: Any) -> None:
    studio.krita.open()
    studio.begin()
    for command in ("remove_region", "duplicate_region", "pick_region", "select_mask"):
        getattr(studio.controller, command)("r99")
    assert studio.controller.region_form("r99") is None
    assert studio.controller.region_thumbnail("r99", 8, 8) is None
    assert studio.failure() is None


def test_an_option_out_of_range_is_marked_at_its_field(studio: Any) -> None:
    studio.begin()
    field = studio.controller.set_option("detail", 7)
    assert field.error is not None and field.value == 0.5
    assert studio.controller.set_option("nothing", 1) is None
    assert studio.failure() is None


def test_a_selection_can_be_taken_back_from_a_region(studio: Any) -> None:
    studio.krita.open()
    studio.begin()
    studio.select(3, 4, 5, 6, 77)
    region = studio.controller.add_region()
    studio.krita.activeDocument().setSelection(Selection())
    studio.controller.select_mask(region)
    selection = studio.krita.activeDocument().selection()
    assert (selection.x(), selection.y(), selection.width(), selection.height()) == (3, 4, 5, 6)
    assert set(bytes(selection.pixelData(3, 4, 5, 6))) == {77}
