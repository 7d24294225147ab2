"""All frames of a layer, what lies above what, and making things again: from the layer or the history."""

from __future__ import annotations

from typing import Any

import numpy as np
from fake_krita import PAD, Node, paint

from scumble.plugin.common.sources import GalleryStyle
from scumble.plugin.krita.interface import Output

TIMES = (0, 4, 9)


def animated(studio: Any) -> Any:
    """A document with an animated layer of three frames, at the second; its layer."""
    studio.krita.open(32, 32)
    node = studio.krita.active.root.children[0]
    node.animated = True
    for number, at in enumerate(TIMES):
        node.frames[at] = node.blank()
        studio.krita.active.time = at
        paint(Node(node), 0, 0, 32, 32, seed=number)
    studio.krita.active.time = 4
    studio.begin()
    studio.controller.see()
    return node


def on_canvas(node: Any, at: int) -> np.ndarray:
    return node.frames[at][PAD:-PAD, PAD:-PAD]


def turned(old: Any, new: Any, at: int, x: int, y: int, side: int) -> bool:
    """Whether a square of a frame is painted, and nothing else of it."""
    before, made = on_canvas(old, at), on_canvas(new, at)
    part = slice(y, y + side), slice(x, x + side)
    return bool(
        (made[part][..., :3] == 255 - before[part][..., :3]).all() and made[..., 3].sum() == 255 * side * side
    )


def activate(studio: Any, index: int) -> None:
    studio.krita.active.active = studio.krita.active.root.children[index]
    studio.krita.active.selection = None


def test_all_frames_become_one_animated_layer_in_one_step(studio: Any) -> None:
    node = animated(studio)
    assert studio.controller.state.document.frames == 3
    studio.select(4, 4, 8, 8)
    studio.controller.set_all_frames(True)
    studio.stylize()
    assert studio.failure() is None
    assert len(studio.painter.requests) == 3 and studio.krita.active.time == 4
    new = studio.krita.active.root.children[1]
    assert sorted(new.frames) == [0, 4, 9] and studio.undo == ["Add Layer"]
    assert all(turned(node, new, at, 4, 4, 8) for at in TIMES), "nothing of the copied frame is left"
    studio.take_back()
    node.children.append(studio.krita.activeDocument().createNode("hole", "transparencymask")._n)
    node.children[0].parent, node.children[0].visible = node, False
    studio.stylize()
    new = studio.krita.active.root.children[1]
    assert new.children == [] and studio.undo == ["Add Layer"], "taking the copy's mask off is no step"
    node.children.clear()
    studio.painter.requests.clear()
    studio.krita.activeDocument().setCurrentTime(4)
    studio.controller.set_all_frames(False)
    studio.stylize()
    assert len(studio.painter.requests) == 1, "one frame again"


def test_all_frames_of_two_regions_become_a_group_of_two_animated_layers(studio: Any) -> None:
    node = animated(studio)
    for x, style in ((2, "oil"), (20, "oil")):  # one style, and so one name
        studio.select(x, 5, 6, 6)
        studio.controller.pick_region("")
        studio.controller.set_style(GalleryStyle(style))
        studio.controller.add_region()
    studio.controller.set_all_frames(True)
    studio.controller.set_output(Output.GROUP)
    batches = set()
    studio.controller.listen(lambda parts: batches.add(studio.controller.state.batch))
    studio.stylize()
    assert studio.failure() is None and len(studio.painter.requests) == 6
    assert max(b.of for b in batches if b) == 6
    group = studio.krita.active.root.children[1]
    assert group.kind == "grouplayer" and studio.undo == ["Add Layer"]
    assert [child.name for child in group.children] == ["Oil · Regions"] * 2
    for child, x in zip(group.children, (2, 20)):
        assert all(turned(node, child, at, x, 5, 6) for at in TIMES)
    activate(studio, 1)
    studio.controller.set_output(Output.LAYER)
    studio.controller.set_all_frames(False)
    studio.controller.rerun()
    studio.idle()
    assert studio.failure() is None and len(studio.painter.requests) == 12
    again = studio.krita.active.root.children[2]
    assert again.kind == "grouplayer" and len(again.children) == 2, "as it was made the first time"


def test_frames_are_one_entry_of_the_history_and_come_back_together(studio: Any) -> None:
    node = animated(studio)
    studio.select(4, 4, 8, 8)
    studio.controller.set_all_frames(True)
    studio.stylize()
    (item,) = studio.controller.state.history
    assert item.name == "Oil · Regions" and item.placed and item.applicable
    assert studio.controller.history_thumbnail(item.id, 16, 16).width() == 8
    studio.controller.toggle_compare()
    assert not studio.krita.active.root.children[1].visible
    studio.take_back()
    assert studio.names == ["Background"]
    studio.controller.apply(item.id)
    studio.krita.events()
    assert studio.failure() is None and studio.undo == ["Add Layer"]
    new = studio.krita.active.root.children[1]
    assert all(turned(node, new, at, 4, 4, 8) for at in TIMES)
    assert studio.controller.state.history[0].placed


def test_running_again_paints_all_frames_if_those_were_painted(studio: Any) -> None:
    node = animated(studio)
    studio.select(4, 4, 8, 8)
    studio.controller.set_all_frames(True)
    studio.stylize()
    studio.controller.set_all_frames(False)
    activate(studio, 1)
    studio.controller.rerun()
    studio.idle()
    assert studio.failure() is None and len(studio.painter.requests) == 6
    assert all(turned(node, studio.krita.active.root.children[2], at, 4, 4, 8) for at in TIMES)


def test_a_new_result_lies_above_the_earlier_ones_of_its_layer(studio: Any) -> None:
    document = studio.krita.open()
    source = document.rootNode().childNodes()[0]
    above = document.createNode("above", "paintlayer")
    document.rootNode().addChildNode(above, source)
    studio.krita.events()
    document.setActiveNode(source)
    studio.begin()
    studio.stylize()
    studio.controller.set_style(GalleryStyle("ink"))
    studio.stylize()
    assert studio.names == ["Background", "Oil · Regions", "Ink · Regions", "above"]


def test_the_preview_lies_above_earlier_results(studio: Any) -> None:
    studio.krita.open()
    studio.begin()
    studio.stylize()
    studio.controller.set_preview(True)
    studio.loop.until(lambda: studio.controller.state.preview.shown, "the preview")
    studio.loop.some(0.1)
    assert studio.names == ["Background", "Oil · Regions", "Scumble preview"]
    assert studio.krita.active.active.name == "Background"
    studio.controller.set_preview(False)
    assert studio.names == ["Background", "Oil · Regions"] and studio.undo == ["Add Layer"]
