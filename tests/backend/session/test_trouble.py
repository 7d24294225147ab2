"""Bad input, lack of memory, cancelling and bugs: what a session answers, and that it goes on."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
import pytest
import torch
from session_parts import RED, box_mask, layer, paint, refused

from scumble.backend import Session
from scumble.backend.imaging import pixels
from scumble.backend.imaging.composite import composite
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import (
    BundledStyle,
    MaskBuffer,
    PixelBuffer,
    Region,
    StylizeRequest,
    TextStyle,
)

# -- bad input ------------------------------------------------------------------------------------


def test_an_unknown_engine_is_answered_with_those_there_are(session: Session) -> None:
    error = refused(session, Code.UNKNOWN_ENGINE, layer(), Region(box_mask(5, 5, 8, 8), RED), engine="magic")
    assert "magic" in error.message and "partial-conv" in error.hint


def test_an_unknown_style_of_the_gallery_is_refused(session: Session, tint: Any) -> None:
    error = refused(
        session, Code.UNKNOWN_STYLE, layer(), Region(box_mask(5, 5, 8, 8), BundledStyle("no-such"))
    )
    assert "no-such" in error.message and error.hint and not tint.jobs


def test_a_style_in_words_is_refused_by_an_engine_without_words(session: Session) -> None:
    error = refused(session, Code.UNKNOWN_STYLE, layer(), Region(box_mask(5, 5, 8, 8), TextStyle("cubism")))
    assert "words" in error.message and error.hint


def test_an_unknown_option_and_one_out_of_range_are_refused(session: Session) -> None:
    region = Region(box_mask(5, 5, 8, 8), RED)
    error = refused(session, Code.UNKNOWN_OPTION, layer(), region, options={"sparkle": 1})
    assert "sparkle" in error.message and "amount" in error.hint
    error = refused(session, Code.OPTION_OUT_OF_RANGE, layer(), region, options={"amount": 1.5})
    assert "amount" in error.message and "0.0 to 1.0" in error.hint


def test_a_region_cannot_set_what_holds_for_all(session: Session) -> None:
    region = Region(box_mask(5, 5, 8, 8), RED, options={"margin": 3})
    error = refused(session, Code.UNKNOWN_OPTION, layer(), region)
    assert "margin" in error.message and "amount" in error.hint


@pytest.mark.parametrize(
    "mask", [box_mask(0, 0, 0, 0), MaskBuffer(5, 5, b"\xff" * 25, x=60), MaskBuffer(5, 5, b"\xff" * 25, y=-5)]
)
def test_a_mask_that_selects_nothing_of_the_layer_is_refused(session: Session, mask: MaskBuffer) -> None:
    error = refused(session, Code.EMPTY_SELECTION, layer(), Region(mask, RED))
    assert "selection is empty" in error.message and error.hint


def test_no_region_at_all_is_refused(session: Session) -> None:
    refused(session, Code.EMPTY_SELECTION, layer())


def test_a_selection_of_transparent_pixels_alone_is_refused(session: Session) -> None:
    source = PixelBuffer(60, 50, "rgba", "u8", bytes(60 * 50 * 4))
    error = refused(session, Code.EMPTY_SELECTION, source, Region(box_mask(5, 5, 8, 8), RED))
    assert "transparent" in error.message and error.hint


def test_nan_near_the_selection_is_refused_and_far_from_it_is_not(session: Session, tint: Any) -> None:
    raw = np.zeros((400, 400, 3), np.float32)
    raw[350, 350] = np.nan
    source = PixelBuffer(400, 400, "rgb", "f32", raw.tobytes())
    error = refused(
        session, Code.NOT_FINITE, source, Region(MaskBuffer(20, 20, b"\xff" * 400, x=340, y=340), RED)
    )
    assert "NaN" in error.message and error.hint
    result = paint(session, source, Region(MaskBuffer(20, 20, b"\xff" * 400), RED))
    assert np.isnan(pixels.samples(composite(source, result))[350, 350]).all()


def test_a_layer_beyond_the_documented_side_is_refused_and_one_of_that_side_is_not(
    session: Session, tint: Any
) -> None:
    region = Region(MaskBuffer(4, 1, b"\xff" * 4), RED)
    error = refused(session, Code.TOO_LARGE, PixelBuffer(30_001, 1, "gray", "u8", bytes(30_001)), region)
    assert "30001 x 1" in error.message and "30000" in error.hint
    result = paint(session, PixelBuffer(30_000, 1, "gray", "u8", bytes(30_000)), region)
    assert (result.layer.width, result.layer.height) == (4, 1)


def test_a_layer_of_one_pixel_is_painted(session: Session, tint: Any) -> None:
    one = PixelBuffer(1, 1, "rgb", "u8", bytes([1, 2, 3]))
    for engine in ("test-tint", "partial-conv"):
        result = session.stylize(one, [Region(MaskBuffer(1, 1, b"\xff"), RED)], engine=engine)
        assert (result.layer.width, result.layer.height, result.origin) == (1, 1, (0, 0))
    assert tint.jobs[0].content.shape[-2:] == (32, 32)


def test_a_whole_request_does_not_take_regions_beside_it(session: Session) -> None:
    request = StylizeRequest(layer(), (Region(box_mask(7, 9, 3, 3), RED),), "test-tint")
    with pytest.raises(ScumbleError) as error:
        session.stylize(request, [])
    assert error.value.code is Code.BAD_REQUEST


# -- memory, cancelling, failing ------------------------------------------------------------------


def test_out_of_memory_is_answered_by_smaller_tiles(session: Session, tint: Any) -> None:
    source = PixelBuffer(700, 600, "gray", "u8", bytes(420_000))
    region = Region(MaskBuffer(700, 600, b"\xff" * 420_000), RED)
    result = paint(session, source, region, options={"fits": 300})
    assert tint.tiles == [4096, 512, 256] and result.report["tile"] == 256


def test_when_the_smallest_tile_does_not_fit_either_the_answer_is_clear(session: Session, tint: Any) -> None:
    error = refused(
        session, Code.OUT_OF_MEMORY, layer(), Region(box_mask(5, 5, 8, 8), RED), options={"fits": 100}
    )
    assert "smaller" in error.hint and error.retry
    assert set(tint.devices) == {"cpu"}


def test_a_device_without_memory_hands_the_job_to_the_cpu(tint: Any) -> None:
    # The "meta" device stands for a GPU here: the engine refuses every tile on it.
    class Refusing(type(tint)):  # type: ignore[misc]
        name = "test-refusing"

        def run(self, job: Any, context: Any) -> Any:
            if context.device.type == "meta":
                self.devices.append("meta")
                raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
            return super().run(job, context)

    from scumble.backend.engines import registry

    engine = Refusing()
    registry.register(engine)
    try:
        source, region = layer(), Region(box_mask(5, 5, 8, 8), RED)
        result = Session("meta").stylize(source, [region], engine="test-refusing")
    finally:
        del registry._engines["test-refusing"]
    assert engine.devices == ["meta", "cpu"] and result.report["device"] == "cpu"


def test_an_estimate_beyond_the_budget_starts_with_a_smaller_tile(
    session: Session, tint: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCUMBLE_MEMORY_MB", "100")
    source = PixelBuffer(2000, 1500, "gray", "u8", bytes(3_000_000))
    request = StylizeRequest(
        source, (Region(MaskBuffer(2000, 1500, b"\xff" * 3_000_000), RED),), "test-tint", {"per_pixel": 100}
    )
    assert session.estimate_bytes(request) > 300_000_000
    session.stylize(request)
    assert tint.tiles == [1024]


def test_a_cancelled_job_stops_between_two_steps(session: Session, tint: Any) -> None:
    stop = threading.Event()
    seen: list[int] = []

    def progress(stage: str, done: int, of: int) -> None:
        seen.append(done)
        if stage == "tint" and done == 5:
            stop.set()

    region = Region(box_mask(5, 5, 8, 8), RED)
    with pytest.raises(ScumbleError) as error:
        paint(session, layer(), region, options={"steps": 1_000_000}, progress=progress, cancelled=stop)
    assert error.value.code is Code.CANCELLED and max(seen) == 5
    assert len(tint.jobs) == 1


def test_a_job_that_waits_for_another_can_be_cancelled(session: Session, tint: Any) -> None:
    first, second = threading.Event(), threading.Event()
    region = Region(box_mask(5, 5, 8, 8), RED)
    more = {"options": {"steps": 1_000_000_000}}

    def long_job() -> None:
        with pytest.raises(ScumbleError):
            paint(session, layer(), region, cancelled=first, **more)

    thread = threading.Thread(target=long_job)
    thread.start()
    while not tint.jobs:
        time.sleep(0.01)
    second.set()
    with pytest.raises(ScumbleError) as error:
        paint(session, layer(), region, cancelled=second)
    assert error.value.code is Code.CANCELLED and len(tint.jobs) == 1
    first.set()
    thread.join(30)
    assert not thread.is_alive()


def test_a_bug_in_an_engine_is_a_sentence_without_a_path(session: Session, tint: Any) -> None:
    error = refused(session, Code.INTERNAL, layer(), Region(box_mask(5, 5, 8, 8), RED), options={"bug": True})
    assert "/" not in error.message and "log" in error.hint
    assert paint(session, layer(), Region(box_mask(5, 5, 8, 8), RED)).layer.width == 8
