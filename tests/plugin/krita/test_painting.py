"""From a click to a layer: what is sent, what comes back, where it goes, and what one undo takes away."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fake_krita import PAD, Node, Selection, _Node, paint
from painting import array

from scumble.plugin.common.sources import GalleryStyle
from scumble.plugin.krita.interface import Output, Part
from scumble.shared.errors import Code


def test_the_selection_becomes_one_new_layer_above_its_source(studio: Any) -> None:
    studio.krita.open()
    studio.begin()
    before = studio.layer(0).copy()
    studio.select(10, 12, 20, 16)
    studio.stylize()
    assert studio.failure() is None
    assert studio.names == ["Background", "Oil · Regions"]
    assert studio.undo == ["Add Layer"]
    new = studio.layer(1)
    inside = np.zeros(new.shape[:2], bool)
    inside[12:28, 10:30] = True
    assert (new[~inside] == 0).all(), "nothing outside of the selection"
    assert (new[inside][:, :3] == 255 - before[inside][:, :3]).all()
    assert (studio.layer(0) == before).all(), "the source stays as it is"
    assert studio.krita.active.selection is not None, "the selection stays"
    assert studio.krita.active.active.name == "Background", "the user goes on with their layer"


def test_only_what_the_engine_needs_is_read_and_sent(studio: Any) -> None:
    studio.krita.open(96, 96)
    studio.begin()
    studio.select(40, 40, 10, 10)
    studio.stylize()
    request = studio.painter.requests[-1]
    assert (request.layer.width, request.layer.height) == (32, 32), "a margin of 8, in steps of 16"
    assert request.origin == (32, 32) and request.canvas == (96, 96)


def test_a_soft_selection_arrives_as_it_is(studio: Any) -> None:
    studio.krita.open()
    studio.begin()
    soft = np.arange(20 * 10, dtype=np.uint8).reshape(10, 20)
    selection = Selection()
    selection.setPixelData(soft.tobytes(), 5, 6, 20, 10)
    studio.krita.activeDocument().setSelection(selection)
    studio.stylize()
    mask = studio.painter.requests[-1].regions[0].mask
    assert bytes(mask.data) == soft.tobytes() and mask.dtype == "u8"
    assert (studio.layer(1)[6:16, 5:25, 3] == soft).all(), "alpha is the mask"


def test_without_a_selection_the_whole_layer_is_painted(studio: Any) -> None:
    studio.krita.open(48, 32)
    studio.begin()
    studio.stylize()
    mask = studio.painter.requests[-1].regions[0].mask
    assert (mask.width, mask.height) == (48, 32) and set(bytes(mask.data)) == {255}
    assert (studio.layer(1)[..., 3] == 255).all()


@pytest.mark.parametrize(
    ("model", "depth", "layout", "dtype"),
    [
        ("RGBA", "U8", "bgra", "u8"),
        ("RGBA", "U16", "bgra", "u16"),
        ("RGBA", "F16", "rgba", "f16"),
        ("RGBA", "F32", "rgba", "f32"),
        ("GRAYA", "U8", "graya", "u8"),
        ("GRAYA", "F32", "graya", "f32"),
    ],
)
def test_each_kind_of_pixels_goes_out_and_comes_back_as_it_is(
    studio: Any, model: str, depth: str, layout: str, dtype: str
) -> None:
    studio.krita.open(32, 32, model, depth)
    studio.begin()
    studio.select(4, 4, 16, 16)
    made = studio.krita.made
    studio.stylize()
    layer = studio.painter.requests[-1].layer
    assert (layer.layout, layer.dtype, layer.transfer) == (layout, dtype, "srgb")
    sent = array(layer)
    assert (sent == studio.layer(0)[: layer.height, : layer.width]).all()
    top = np.iinfo(sent.dtype).max if sent.dtype.kind == "u" else 1
    new = studio.layer(1)[4:20, 4:20]
    assert (new[..., :-1] == (top - studio.layer(0)[4:20, 4:20, :-1]).astype(sent.dtype)).all()
    assert studio.krita.made == made, "no scratch document is needed"


def test_a_linear_profile_is_told(studio: Any) -> None:
    studio.krita.open(32, 32, "RGBA", "F32", profile="sRGB-elle-V2-g10.icc")
    studio.begin()
    studio.stylize()
    assert studio.painter.requests[-1].layer.transfer == "linear"


def test_cmyk_is_converted_through_a_copy_and_the_user_is_told(studio: Any) -> None:
    studio.krita.open(32, 32, "CMYKA", "U8")
    studio.begin()
    before = studio.layer(0).copy()
    studio.select(4, 4, 16, 16)
    studio.controller.see()
    assert "converted" in studio.controller.state.document.note
    studio.stylize()
    assert studio.failure() is None
    layer = studio.painter.requests[-1].layer
    assert (layer.layout, layer.dtype) == ("bgra", "u8")
    assert any("CMYK" in notice and "converted" in notice for notice in studio.controller.state.notices)
    assert (studio.layer(0) == before).all() and studio.layer(1).shape[2] == 5
    assert studio.layer(1)[..., 4].sum() == 255 * 16 * 16
    assert len(studio.krita.images) == 1, "scratch documents are closed"
    assert studio.undo == ["Add Layer"]


def test_a_layer_that_reaches_beyond_the_canvas_keeps_its_place(studio: Any) -> None:
    document = studio.krita.open(64, 64)
    layer = studio.krita.active.root.children[0]
    layer.frames = {0: layer.blank()}
    paint(document.rootNode().childNodes()[0], -20, 30, 40, 50, seed=3)
    studio.begin()
    studio.stylize()
    request = studio.painter.requests[-1]
    assert request.origin == (-20, 30) and (request.layer.width, request.layer.height) == (40, 50)
    new = studio.krita.active.root.children[1].now()
    assert (new[30 + PAD : 80 + PAD, -20 + PAD : 20 + PAD, 3] == 255).all()
    assert new[..., 3].sum() == 255 * 40 * 50


def test_two_regions_with_two_styles_are_one_job_and_one_layer(studio: Any) -> None:
    studio.krita.open()
    studio.begin()
    studio.select(2, 2, 10, 10)
    first = studio.controller.add_region()
    studio.select(30, 20, 12, 12)
    studio.controller.pick_region("")
    studio.controller.set_style(GalleryStyle("ink"))
    second = studio.controller.add_region()
    studio.controller.set_strength(0.5)
    studio.controller.set_region_option(second, "detail", 0.9)
    studio.stylize()
    request = studio.painter.requests[-1]
    assert [region.style.id for region in request.regions] == ["oil", "ink"]
    assert [region.strength for region in request.regions] == [1.0, 0.5]
    assert request.regions[1].options == {"detail": 0.9} and request.regions[0].options == {}
    assert studio.names == ["Background", "Oil, Ink · Regions"] and first != second
    alpha = studio.layer(1)[..., 3]
    assert (alpha[2:12, 2:12] == 255).all() and (alpha[20:32, 30:42] == 127).all()


def test_a_region_keeps_the_selection_it_was_made_of(studio: Any) -> None:
    studio.krita.open()
    studio.begin()
    studio.select(2, 2, 10, 10)
    studio.controller.add_region()
    studio.krita.activeDocument().setSelection(None)
    studio.stylize()
    assert studio.layer(1)[..., 3].sum() == 255 * 100


def test_a_group_has_one_layer_for_each_region_and_is_one_step(studio: Any) -> None:
    studio.krita.open()
    studio.begin()
    for place, style in ((4, "oil"), (30, "ink")):
        studio.select(place, place, 10, 10)
        studio.controller.pick_region("")
        studio.controller.set_style(GalleryStyle(style))
        studio.controller.add_region()
    studio.controller.set_output(Output.GROUP)
    batches = []
    studio.controller.listen(lambda parts: batches.append(studio.controller.state.batch))
    studio.stylize()
    group = studio.krita.active.root.children[1]
    assert group.kind == "grouplayer" and [c.name for c in group.children] == [
        "Oil · Regions",
        "Ink · Regions",
    ]
    assert studio.undo == ["Add Layer"]
    assert {b.done for b in batches if b is not None} == {0, 1}
    studio.take_back()
    assert studio.names == ["Background"]


def test_a_result_placed_while_krita_lets_events_run_is_placed_once(studio: Any) -> None:
    """Krita runs its event loop inside of adding a layer, and the same news may come in there again."""
    studio.krita.open()
    studio.begin()
    for _ in range(5):
        studio.stylize()
    assert len(studio.names) == 6 and len(studio.painter.requests) == 5


def test_a_group_layer_is_read_as_it_looks_with_a_word_to_the_user(studio: Any) -> None:
    document = studio.krita.open()
    group = document.createNode("figures", "grouplayer")
    inner = document.createNode("inner", "paintlayer")
    group.addChildNode(inner, None)
    paint(inner, 10, 10, 20, 20, seed=5)
    document.rootNode().addChildNode(group, document.rootNode().childNodes()[0])
    studio.krita.events()
    document.setActiveNode(group)
    studio.begin()
    studio.stylize()
    assert studio.failure() is None and studio.names[2].startswith("Oil")
    assert (studio.painter.requests[-1].layer.width, studio.painter.requests[-1].origin) == (20, (10, 10))
    assert any("group" in notice for notice in studio.controller.state.notices)


def test_an_active_mask_means_its_layer_read_with_its_masks(studio: Any) -> None:
    document = studio.krita.open()
    mask = Node(_Node(studio.krita.active, "veil", "transparencymask"))
    mask._n.frames[0][PAD + 5 : PAD + 15, PAD + 5 : PAD + 15] = 255
    document.rootNode().childNodes()[0].addChildNode(mask, None)
    studio.krita.events()
    document.setActiveNode(mask)
    studio.begin()
    studio.controller.see()
    assert studio.controller.state.document.layer == "Background"
    studio.stylize()
    sent = array(studio.painter.requests[-1].layer)
    assert sent[..., 3].sum() == 255 * 100, "what the mask hides is not shown by the new layer"
    assert any("masks" in notice for notice in studio.controller.state.notices)


def test_a_hidden_layer_is_painted_and_the_user_is_told(studio: Any) -> None:
    studio.krita.open()
    studio.krita.active.root.children[0].visible = False
    studio.begin()
    studio.stylize()
    assert studio.names == ["Background", "Oil · Regions"]
    assert any("hidden" in notice for notice in studio.controller.state.notices)


def test_the_docker_is_told_what_is_new_once_a_turn(studio: Any) -> None:
    studio.krita.open()
    studio.begin()
    told: list[frozenset[Part]] = []
    stop = studio.controller.listen(told.append)
    studio.controller.set_seed(5)
    studio.controller.set_strength(0.3)
    studio.loop.until(lambda: told)
    assert len(told) == 1 and {Part.CHOICE, Part.REGIONS} <= told[0]
    stop()
    studio.controller.set_seed(6)
    studio.loop.some(0.05)
    assert len(told) == 1
    assert studio.controller.state is studio.controller.state, "the same until something changes"


def test_a_listener_that_fails_costs_nobody_their_layer(studio: Any) -> None:
    studio.krita.open()
    studio.begin()

    def broken(parts: object) -> None:
        raise RuntimeError("a widget that is gone")

    studio.controller.listen(broken)
    studio.stylize()
    assert len(studio.names) == 2 and studio.failure() is None


def test_settings_travel_with_the_layer_and_run_again(studio: Any) -> None:
    studio.krita.open()
    studio.begin()
    studio.select(8, 8, 20, 20)
    studio.controller.set_style(GalleryStyle("ink"))
    studio.controller.set_option("detail", 0.75)
    studio.controller.set_seed(7)
    studio.stylize()
    document = studio.krita.activeDocument()
    assert any(kind.startswith("scumble-settings/") for kind in document.annotationTypes())
    # Another day: another plug-in, other choices, no selection.
    studio.host._kept.clear()
    studio.controller.reset_options()
    studio.controller.set_style(GalleryStyle("oil"))
    document.setSelection(None)
    document.setActiveNode(document.rootNode().childNodes()[1])
    studio.controller.see()
    assert studio.controller.state.document.rerunnable
    studio.controller.rerun()
    studio.idle()
    assert studio.failure() is None
    first, again = studio.painter.requests[-2:]
    assert again.seed == 7 and again.options == first.options == {"detail": 0.75}
    assert bytes(again.layer.data) == bytes(first.layer.data), "the source, not the result, is painted"
    assert bytes(again.regions[0].mask.data) == bytes(first.regions[0].mask.data)
    assert studio.names == ["Background", "Ink · Regions", "Ink · Regions"]
    document.setActiveNode(document.rootNode().childNodes()[1])
    studio.controller.load_from_layer()
    state = studio.controller.state
    assert state.form.field("detail").value == 0.75 and state.regions[0].style == GalleryStyle("ink")


def test_running_again_on_a_layer_of_the_users_own_says_what_is_missing(studio: Any) -> None:
    studio.krita.open()
    studio.begin()
    studio.controller.rerun()
    assert studio.failure().code is Code.BAD_REQUEST and "not made by Scumble" in studio.failure().sentence
    studio.krita.activeDocument().setAnnotation(
        "scumble-settings/" + studio.krita.activeDocument().activeNode().uniqueId().toString(),
        "",
        b'{"scumble":1,"engine":',
    )
    studio.controller.load_from_layer()
    assert studio.failure() is not None


def test_results_are_applied_again_and_compared(studio: Any) -> None:
    studio.krita.open()
    studio.begin()
    studio.stylize()
    (item,) = studio.controller.state.history
    assert (item.name, item.placed, item.visible, item.applicable) == ("Oil · Regions", True, True, True)
    assert studio.controller.state.compare == "after"
    studio.controller.toggle_compare()
    assert not studio.krita.active.root.children[1].visible
    assert studio.controller.state.compare == "before"
    assert studio.krita.active.refreshed, "hiding is seen"
    studio.controller.toggle_compare()
    assert studio.krita.active.root.children[1].visible
    studio.take_back()
    studio.controller.see()
    assert not studio.controller.state.history[0].placed and studio.controller.state.compare == ""
    studio.controller.apply(item.id)
    assert studio.names == ["Background", "Oil · Regions"] and studio.controller.state.history[0].placed
    thumbnail = studio.controller.history_thumbnail(item.id, 32, 32)
    assert (thumbnail.width(), thumbnail.height()) == (32, 24)
    studio.controller.forget(item.id)
    assert studio.controller.state.history == ()
