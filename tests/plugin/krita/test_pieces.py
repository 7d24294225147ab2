"""Nothing large is touched at once: what is read, packed and written goes piece by piece through the loop."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import pytest
from fake_image import TOUCHED
from fake_krita import Selection
from hypothesis import given
from hypothesis import strategies as st
from painting import array

from scumble.plugin.common.geometry import Rect
from scumble.plugin.common.sources import LAYER_ALPHA, MaskSource
from scumble.plugin.krita import turns
from scumble.plugin.krita.host import gather
from scumble.plugin.krita.interface import Output

PIECE = 24_000
WIDE, HIGH = 500, 300


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: Any) -> None:
    monkeypatch.setattr(turns, "PIECE_BYTES", PIECE)
    monkeypatch.setattr(turns, "BUDGET_S", 0.0)


def opened(studio: Any, model: str = "RGBA", depth: str = "U8") -> Any:
    document = studio.krita.open(WIDE, HIGH, model, depth)
    studio.begin()
    TOUCHED.clear()
    return document


def soft(studio: Any) -> np.ndarray:
    """A selection of nearly all, with something in it; what it is."""
    mask = np.zeros((HIGH, WIDE), np.uint8)
    mask[3:-3, 5:-5] = 1 + np.arange(WIDE - 10) % 255
    selection = Selection()
    selection.setPixelData(mask[3:-3, 5:-5].tobytes(), 5, 3, WIDE - 10, HIGH - 6)
    studio.krita.activeDocument().setSelection(selection)
    TOUCHED.clear()
    return mask


def in_pieces() -> bool:
    """Whether much was touched, and never much at once."""
    return max(TOUCHED) <= PIECE and len(TOUCHED) > 20


def test_a_whole_layer_is_read_and_its_result_written_in_pieces(studio: Any) -> None:
    opened(studio)
    before = studio.layer(0).copy()
    studio.stylize()
    assert studio.failure() is None and in_pieces()
    assert (array(studio.painter.requests[-1].layer) == before).all()
    assert (studio.layer(1)[..., :3] == 255 - before[..., :3]).all() and studio.undo == ["Add Layer"]


def test_a_large_selection_is_read_packed_and_kept_as_it_was_at_the_click(studio: Any) -> None:
    opened(studio)
    mask = soft(studio)
    studio.controller.stylize()
    studio.select(1, 1, 4, 4)
    studio.idle()
    assert studio.failure() is None and in_pieces()
    assert (studio.layer(1)[..., 3] == mask).all()
    studio.krita.activeDocument().setSelection(None)
    studio.krita.active.active = studio.krita.active.root.children[1]
    TOUCHED.clear()
    studio.controller.rerun()
    studio.loop.until(lambda: len(studio.names) == 3, "the second result")
    studio.idle()
    assert studio.failure() is None and in_pieces()
    assert (studio.layer(1)[..., 3] == mask).all(), "from what was kept with the first"


@pytest.mark.parametrize(("model", "depth"), [("CMYKA", "U8"), ("RGBA", "F32"), ("GRAYA", "U16")])
def test_other_kinds_of_pixels_go_in_pieces_too(studio: Any, model: str, depth: str) -> None:
    opened(studio, model, depth)
    mask = soft(studio)
    studio.stylize()
    assert studio.failure() is None and in_pieces()
    alpha = studio.layer(1)[..., -1].astype(float) / {"U8": 255, "U16": 65535}.get(depth, 1)
    assert np.abs(alpha - mask / 255).max() < 1e-3
    assert len(studio.krita.images) == 1, "scratch documents are closed"


def test_regions_in_a_group_and_the_alpha_of_a_layer(studio: Any) -> None:
    document = opened(studio)
    soft(studio)
    studio.controller.add_region()
    layer = document.rootNode().childNodes()[0]
    studio.controller.add_region(MaskSource(LAYER_ALPHA, layer.uniqueId().toString()))
    studio.controller.set_output(Output.GROUP)
    studio.stylize()
    assert studio.failure() is None and in_pieces() and len(studio.undo) == 1
    assert len(studio.krita.active.root.children[1].children) == 2


def test_looking_at_regions_reads_little(studio: Any) -> None:
    opened(studio)
    soft(studio)
    for mask in (None, MaskSource(LAYER_ALPHA, studio.krita.active.root.children[0].id.toString())):
        region = studio.controller.add_region(mask)
        TOUCHED.clear()
        assert studio.controller.region_thumbnail(region, 48, 48).width() == 48
        assert max(TOUCHED) <= PIECE
    region = studio.controller.state.regions[0].id
    studio.stylize()
    TOUCHED.clear()
    shown = studio.controller.region_thumbnail(region, 48, 48)
    assert shown.width() == 48 and not TOUCHED, "what was read once is remembered small"
    studio.controller.select_mask(region)
    studio.loop.some(0.2)
    assert max(TOUCHED) <= PIECE and studio.krita.activeDocument().selection().width() == WIDE - 10


def test_a_preview_of_a_large_selection_follows_in_pieces(studio: Any) -> None:
    opened(studio)
    mask = soft(studio)
    studio.controller.set_preview(True)
    studio.loop.until(lambda: studio.controller.state.preview.shown, "the preview")
    assert (studio.layer(1)[..., 3] == mask).all() and in_pieces()
    selection = studio.krita.active.selection
    selection._data[200, 100] ^= 255  # one pixel, the bounds stay
    studio.loop.until(lambda: len(studio.painter.requests) == 2, "the change to be noticed")
    studio.loop.until(lambda: not studio.controller.state.preview.busy, "the second preview")
    studio.loop.until(lambda: studio.layer(1)[203, 105, 3] != mask[203, 105], "the change to be shown")
    studio.controller.set_preview(False)
    assert studio.names == ["Background"] and max(TOUCHED) <= PIECE


def test_cancelling_while_it_is_read_sends_nothing(studio: Any) -> None:
    opened(studio)
    studio.controller.stylize()
    studio.loop.turn()
    assert studio.controller.state.running and not studio.painter.requests
    studio.controller.cancel()
    assert not studio.controller.state.running
    studio.loop.some(0.1)
    assert not studio.painter.requests and studio.names == ["Background"] and studio.failure() is None


def test_cancelling_while_it_is_written_leaves_nothing(studio: Any) -> None:
    opened(studio)
    studio.controller.stylize()
    studio.loop.until(lambda: studio.controller.run.timing.job, "the result")
    assert studio.controller.state.running and studio.names == ["Background"]
    studio.controller.cancel()
    studio.loop.some(0.1)
    assert studio.names == ["Background"] and not studio.controller.state.running


@pytest.mark.parametrize("when", ["read", "written"])
def test_a_document_closed_meanwhile_ends_it(studio: Any, when: str) -> None:
    document = opened(studio)
    studio.controller.stylize()
    if when == "written":
        studio.loop.until(lambda: studio.controller.run.timing.job, "the result")
    studio.loop.turn()
    document.close()
    studio.loop.until(lambda: not studio.controller.state.running, "the end")
    assert "closed" in studio.failure().sentence and studio.failure().hint
    studio.krita.open(name="another")
    studio.stylize()
    assert studio.failure() is None


@given(st.binary(max_size=200), st.integers(1, 9), st.integers(1, 9), st.integers(1, 40))
def test_packing_and_cutting_in_pieces_changes_nothing(
    data: bytes, width: int, height: int, piece: int
) -> None:
    before, turns.PIECE_BYTES = turns.PIECE_BYTES, piece
    try:
        packed = turns.at_once(gather.packed(data))
        assert zlib.decompress(packed) == data
        assert bytes(turns.at_once(gather.unpacked(packed, len(data)))) == data
        with pytest.raises(zlib.error):
            turns.at_once(gather.unpacked(packed, len(data) + 1))
        outer = Rect(-2, 3, width + 3, height + 2)
        rows = np.arange(outer.pixels, dtype=np.uint8).reshape(outer.height, outer.width)
        part = turns.at_once(gather.cut(rows.tobytes(), outer, Rect(-1, 4, width, height)))
        assert bytes(part) == rows[1 : 1 + height, 1 : 1 + width].tobytes()
    finally:
        turns.PIECE_BYTES = before
