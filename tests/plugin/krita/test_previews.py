"""The live preview: it follows, the latest wins, and it goes without a trace."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from scumble.plugin.krita import controller


def shown(studio: Any) -> None:
    studio.loop.until(
        lambda: studio.controller.state.preview.shown and not studio.controller.state.preview.busy,
        "the preview",
    )
    studio.loop.some(0.1)


def test_the_preview_is_a_draft_and_the_users_layer_stays_the_active_one(studio: Any) -> None:
    studio.krita.open()
    studio.begin()
    studio.select(8, 8, 16, 16)
    studio.controller.set_preview(True)
    shown(studio)
    assert studio.painter.requests[-1].options == {"draft": True}
    assert studio.names == ["Background", "Scumble preview"]
    assert studio.krita.active.active.name == "Background"
    assert studio.krita.active.root.children[1].locked
    assert studio.controller.state.history == () and studio.controller.state.preview.text.startswith(
        "Preview in"
    )
    studio.controller.see()
    assert studio.controller.state.document.layer == "Background"


def test_it_follows_controls_and_selection_in_the_same_layer(studio: Any) -> None:
    studio.krita.open()
    studio.begin()
    studio.select(8, 8, 16, 16)
    studio.controller.set_preview(True)
    shown(studio)
    count = len(studio.painter.requests)
    for value in (0.1, 0.2, 0.3, 0.4):
        studio.controller.set_option("detail", value)
        studio.loop.some(0.02)
    studio.loop.until(lambda: studio.painter.requests[-1].options.get("detail") == 0.4, "the last value")
    shown(studio)
    assert len(studio.painter.requests) == count + 1, "the hand had not rested before"
    studio.select(30, 20, 10, 10)
    studio.loop.until(lambda: studio.painter.requests[-1].regions[0].mask.width == 10, "the new selection")
    shown(studio)
    assert studio.names == ["Background", "Scumble preview"] and studio.undo == ["Add Layer"]
    alpha = studio.layer(1)[..., 3]
    wanted = np.zeros_like(alpha)
    wanted[20:30, 30:40] = 255
    assert (alpha == wanted).all(), "nothing is left of the earlier one"


def test_switching_it_off_undoes_its_only_step(studio: Any) -> None:
    studio.krita.open()
    studio.krita.active.modified = False
    studio.begin()
    studio.controller.set_preview(True)
    shown(studio)
    studio.controller.set_preview(False)
    assert studio.names == ["Background"] and studio.undo == [] and not studio.krita.active.modified
    assert not studio.controller.state.preview.shown and not studio.controller.state.preview.on


def test_one_that_is_being_composed_is_undone_all_the_same(studio: Any) -> None:
    studio.krita.open()
    studio.begin()
    studio.select(8, 8, 16, 16)
    studio.controller.set_preview(True)
    shown(studio)
    studio.select(30, 20, 10, 10)
    studio.loop.until(lambda: studio.krita.active.refreshed > 1, "the preview to be filled anew")
    shown(studio)
    assert studio.krita.active.busy, "Krita hears no undo now"
    studio.controller.set_preview(False)
    assert studio.names == ["Background"] and studio.undo == []
    assert len(studio.krita.active.redo) == 1, "it was undone, and not removed"


def test_after_other_work_it_is_removed_as_a_layer_and_the_work_stays(studio: Any) -> None:
    document = studio.krita.open()
    studio.begin()
    studio.controller.set_preview(True)
    shown(studio)
    mine = document.createNode("mine", "paintlayer")
    document.rootNode().addChildNode(mine, document.rootNode().childNodes()[0])
    studio.krita.events()
    studio.controller.dismiss_preview()
    assert studio.names == ["Background", "mine"]
    assert studio.undo[:2] == ["Add Layer", "Add Layer"]


def test_the_full_result_takes_its_place_in_one_step(studio: Any) -> None:
    studio.krita.open()
    studio.begin()
    studio.controller.set_preview(True)
    shown(studio)
    studio.stylize()
    assert studio.painter.requests[-1].options == {}, "not a draft"
    assert studio.names == ["Background", "Oil · Regions"] and studio.undo == ["Add Layer"]


def test_without_anything_new_it_does_not_come_back_over_the_result(
    studio: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio.krita.open()
    studio.begin()
    studio.select(8, 8, 16, 16)
    monkeypatch.setattr(controller, "LOOK_MS", 60_000)  # a busy machine: nobody looks in between
    studio.loop.some(0.4)
    studio.controller.set_preview(True)
    shown(studio)
    studio.stylize()
    studio.controller.see()
    studio.loop.some(0.3)
    assert studio.names == ["Background", "Oil · Regions"] and len(studio.painter.requests) == 2
    studio.select(12, 12, 16, 16)
    studio.controller.see()
    shown(studio)
    assert studio.names == ["Background", "Oil · Regions", "Scumble preview"], "it is still on"


def test_it_does_not_come_back_because_krita_makes_the_result_the_active_layer_for_a_moment(
    studio: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No look but those below, also on a machine that is slow to turn.
    monkeypatch.setattr(controller, "LOOK_MS", 60_000)
    studio.krita.open()
    studio.begin()
    studio.select(8, 8, 16, 16)
    studio.controller.set_preview(True)
    shown(studio)
    studio.loop.some(0.2)
    studio.stylize()
    studio.loop.some(0.2)
    image = studio.krita.images[0]
    source, result = image.root.children
    for active in (result, source):  # the look falls just then
        image.active = active
        studio.controller.see()
        studio.loop.some(0.3)
    assert studio.names == ["Background", "Oil · Regions"] and len(studio.painter.requests) == 2
    image.active = result  # and now it is the user
    studio.controller.see()
    shown(studio)
    assert studio.names == ["Background", "Oil · Regions", "Scumble preview"]


def test_a_preview_that_the_user_undoes_does_not_come_back(studio: Any) -> None:
    studio.krita.open()
    studio.begin()
    studio.controller.set_preview(True)
    shown(studio)
    studio.take_back()
    studio.loop.until(lambda: not studio.controller.state.preview.on, "the end of the preview")
    studio.controller.set_seed(4)
    studio.loop.some(0.4)
    assert studio.names == ["Background"]


def test_what_cannot_be_previewed_is_said_quietly(studio: Any) -> None:
    studio.krita.open()
    studio.begin()
    studio.select(900, 900, 4, 4)
    studio.controller.set_preview(True)
    studio.loop.until(lambda: studio.controller.state.preview.text, "the reason")
    assert "no pixels" in studio.controller.state.preview.text and studio.failure() is None


def test_closing_krita_takes_the_preview_out(studio: Any) -> None:
    studio.krita.open()
    studio.begin()
    studio.controller.set_preview(True)
    shown(studio)
    studio.controller.close()
    assert studio.names == ["Background"]


def test_an_engine_without_a_draft_has_no_preview_and_says_so(studio: Any) -> None:
    studio.krita.open()
    studio.begin()
    studio.controller.set_preview(True)
    shown(studio)
    studio.controller.set_engine("other")
    studio.loop.until(lambda: not studio.controller.state.preview.shown, "the end of the old preview")
    assert studio.controller.state.preview.text == "Other has no quick preview."
    assert studio.names == ["Background"] and len(studio.painter.requests) == 1
    studio.controller.set_engine("regions")
    shown(studio)
    assert studio.names == ["Background", "Scumble preview"]
