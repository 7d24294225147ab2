"""From a request to its result in one process, around a small engine that really paints."""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scumble.backend import Session, describe
from scumble.backend.engines.cache import TensorCache, size_of
from scumble.backend.imaging import pixels
from scumble.backend.imaging.composite import composite
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import (
    CHANNELS,
    BlendStyle,
    BundledStyle,
    MaskBuffer,
    PixelBuffer,
    PixelStyle,
    Region,
    StylizeRequest,
    TextStyle,
)

DTYPES = ["u8", "u16", "f16", "f32"]


@pytest.fixture(scope="module")
def session() -> Session:
    return Session("cpu")


def layer(
    width: int = 60, height: int = 50, layout: str = "rgb", dtype: str = "u8", **more: Any
) -> PixelBuffer:
    rng = np.random.default_rng(width * height)
    shape = (height, width, CHANNELS[layout])
    raw = rng.integers(0, pixels.FULL.get(dtype, 255) + 1, shape)
    typed = raw.astype(pixels.NUMPY[dtype]) if dtype[0] == "u" else (raw / 255).astype(pixels.NUMPY[dtype])
    if layout in ("rgba", "bgra", "graya"):
        typed[..., -1] = pixels.FULL.get(dtype, 1)
    return PixelBuffer(width, height, layout, dtype, typed.tobytes(), **more)  # type: ignore[arg-type]


def flat(red: int, green: int, blue: int) -> PixelStyle:
    return PixelStyle(PixelBuffer(2, 2, "rgb", "u8", bytes([red, green, blue] * 4)))


def box_mask(
    x: int, y: int, w: int, h: int, size: tuple[int, int] = (60, 50), level: int = 255
) -> MaskBuffer:
    raw = np.zeros((size[1], size[0]), np.uint8)
    raw[y : y + h, x : x + w] = level
    return MaskBuffer(size[0], size[1], raw.tobytes())


RED = flat(255, 0, 0)


def paint(session: Session, source: PixelBuffer, *regions: Region, **more: Any) -> Any:
    return session.stylize(source, regions, engine="test-tint", **more)


def refused(session: Session, code: Code, source: PixelBuffer, *regions: Region, **more: Any) -> ScumbleError:
    with pytest.raises(ScumbleError) as error:
        session.stylize(source, regions, **{"engine": "test-tint", **more})
    assert error.value.code is code, error.value
    assert error.value.message.endswith(".")
    return error.value


# -- what comes back ------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", sorted(CHANNELS))
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("transfer", ["srgb", "linear"])
def test_the_new_layer_has_the_kind_of_the_source_and_covers_the_mask_alone(
    session: Session, tint: Any, layout: str, dtype: str, transfer: str
) -> None:
    source = layer(layout=layout, dtype=dtype, transfer=transfer)
    result = paint(session, source, Region(box_mask(10, 12, 20, 15), RED))
    new = result.layer
    assert (new.layout, new.dtype, new.transfer) == (pixels.WITH_ALPHA[layout], dtype, transfer)
    assert result.origin == (10, 12) and (new.width, new.height) == (20, 15)
    rgb, alpha = pixels.decode(new)
    assert alpha.min() == 1
    expected = [1, 0, 0] if "gray" not in layout else [0.4984] * 3
    assert np.allclose(rgb, expected, atol=0.003)
    before, after = pixels.samples(source), pixels.samples(composite(source, result))
    changed = (before != after).any(axis=2)
    assert changed[12:27, 10:30].any()
    changed[12:27, 10:30] = False
    assert not changed.any()


def test_soft_masks_and_strength_become_alpha(session: Session, tint: Any) -> None:
    soft = Region(box_mask(5, 5, 4, 4, level=51), RED)
    half = Region(box_mask(20, 5, 4, 4), RED, strength=0.5)
    _, alpha = pixels.decode(paint(session, layer(), soft, half).layer)
    assert np.allclose(alpha[:, :4], 0.2, atol=1e-3) and np.allclose(alpha[:, 15:19], 0.5, atol=3e-3)
    assert not alpha[:, 4:15].any()


@given(data=st.data(), layout=st.sampled_from(sorted(CHANNELS)), dtype=st.sampled_from(DTYPES))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pixels_outside_every_mask_keep_their_bytes_even_if_an_engine_spills(
    session: Session, tint: Any, data: st.DataObject, layout: str, dtype: str
) -> None:
    source = layer(layout=layout, dtype=dtype)
    raw = np.random.default_rng(data.draw(st.integers(0, 99))).random((20, 25)).astype(np.float32)
    raw[raw < data.draw(st.floats(0, 0.95))] = 0
    raw[3, 3] = 1
    x, y = data.draw(st.integers(-3, 55)), data.draw(st.integers(-3, 45))
    mask = MaskBuffer(25, 20, raw.tobytes(), "f32", x, y)
    result = paint(session, source, Region(mask, RED), options={"spill": True})
    selected = np.zeros((90, 90), bool)
    selected[10 + y : 30 + y, 10 + x : 35 + x] = raw > 0
    selected = selected[10:60, 10:70]
    before, after = pixels.samples(source), pixels.samples(composite(source, result))
    assert np.array_equal(before[~selected], after[~selected])


@pytest.mark.parametrize("layout", sorted(CHANNELS))
@pytest.mark.parametrize("dtype", DTYPES)
def test_zero_strength_is_the_identity_to_the_bit_and_runs_no_engine(
    session: Session, tint: Any, layout: str, dtype: str
) -> None:
    source = layer(layout=layout, dtype=dtype)
    result = paint(session, source, Region(box_mask(3, 4, 30, 20), RED, strength=0.0))
    assert not tint.jobs
    assert bytes(composite(source, result).data) == bytes(source.data)
    assert result.origin == (3, 4) and result.report["box"] == [3, 4, 30, 20]


def test_a_region_of_zero_strength_beside_another_stays_untouched(session: Session, tint: Any) -> None:
    source = layer()
    idle, busy = Region(box_mask(0, 0, 10, 10), RED, strength=0.0), Region(box_mask(30, 30, 10, 10), RED)
    after = pixels.samples(composite(source, paint(session, source, idle, busy, options={"spill": True})))
    assert np.array_equal(after[:10, :10], pixels.samples(source)[:10, :10])
    assert (after[30:40, 30:40] == [255, 0, 0]).all()


def test_transparent_pixels_are_outside_every_mask(session: Session, tint: Any) -> None:
    raw = pixels.samples(layer(layout="rgba")).copy()
    raw[:, 30:, 3] = 0
    raw[:10, :30, 3] = 128
    source = PixelBuffer(60, 50, "rgba", "u8", raw.tobytes())
    result = paint(session, source, Region(box_mask(0, 0, 60, 50), RED))
    assert (result.layer.width, result.layer.height) == (30, 50)
    mask = tint.jobs[0].regions[0].mask
    assert torch.allclose(mask[:10, :30], torch.tensor(128 / 255)) and not mask[:, 30:].any()
    after = pixels.samples(composite(source, result))
    assert np.array_equal(after[:, 30:], raw[:, 30:])


def test_colour_hidden_under_transparent_pixels_changes_nothing(session: Session, tint: Any) -> None:
    raw = pixels.samples(layer(layout="rgba")).copy()
    raw[:, 30:, 3] = 0
    for hidden in (0, 255):
        raw[:, 30:, :3] = hidden
        source = PixelBuffer(60, 50, "rgba", "u8", raw.tobytes())
        paint(session, source, Region(box_mask(10, 10, 30, 30), RED))
    assert torch.equal(tint.jobs[0].content, tint.jobs[1].content)


def test_the_place_on_the_canvas_is_carried_through(session: Session, tint: Any) -> None:
    request = StylizeRequest(layer(), (Region(box_mask(7, 9, 3, 3), RED),), "test-tint", origin=(-100, 40))
    assert session.stylize(request).origin == (-93, 49)


def test_one_request_gives_one_picture(session: Session, tint: Any) -> None:
    request = StylizeRequest(layer(), (Region(box_mask(7, 9, 30, 30), RED),), "test-tint", seed=4)
    assert bytes(session.stylize(request).layer.data) == bytes(session.stylize(request).layer.data)


# -- what an engine gets --------------------------------------------------------------------------


@given(x=st.integers(0, 299), y=st.integers(0, 199), margin=st.integers(0, 60))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_engine_sees_the_box_its_margin_and_little_more(
    session: Session, tint: Any, x: int, y: int, margin: int
) -> None:
    mask = MaskBuffer(1, 1, b"\xff", x=x, y=y)
    paint(session, layer(300, 200), Region(mask, RED), options={"margin": margin})
    height, width = tint.jobs[-1].content.shape[-2:]
    # The margin on both sides, at most 15 px on each for the alignment, and never less than 32.
    assert max(32, min(margin, x) + 1) <= width <= max(32, 1 + 2 * margin + 30)
    assert max(32, min(margin, y) + 1) <= height <= max(32, 1 + 2 * margin + 30)


def test_a_region_costs_the_same_memory_on_a_small_and_on_a_huge_canvas(session: Session, tint: Any) -> None:
    small, huge = layer(512, 512), PixelBuffer(6000, 6000, "rgb", "u8", bytes(3 * 36_000_000))
    for source in (small, huge):
        mask = MaskBuffer(200, 200, b"\xff" * 40_000, x=160, y=160)
        paint(session, source, Region(mask, RED))
    assert tint.jobs[0].content.shape == tint.jobs[1].content.shape


def test_the_key_follows_the_content_so_that_a_second_style_finds_the_first_ones_features(
    session: Session, tint: Any
) -> None:
    mask = box_mask(10, 10, 20, 20)
    paint(session, layer(), Region(mask, RED))
    paint(session, layer(), Region(mask, flat(0, 255, 0)))
    raw = pixels.samples(layer()).copy()
    raw[15, 15] ^= 1
    paint(session, PixelBuffer(60, 50, "rgb", "u8", raw.tobytes()), Region(mask, RED))
    first, second, third = tint.jobs
    assert first.key == second.key != third.key
    assert first.regions[0].styles[0].key == third.regions[0].styles[0].key
    assert first.regions[0].styles[0].key != second.regions[0].styles[0].key


def test_blended_styles_arrive_with_weights_that_add_up_to_one(session: Session, tint: Any) -> None:
    blend = BlendStyle(((RED, 3.0), (flat(0, 0, 255), 1.0)))
    result = paint(session, layer(), Region(box_mask(5, 5, 8, 8), blend))
    assert [p.weight for p in tint.jobs[0].regions[0].styles] == [0.75, 0.25]
    rgb, _ = pixels.decode(result.layer)
    assert np.allclose(rgb, [0.75, 0, 0.25], atol=0.003)


def test_transparent_parts_of_a_style_lie_on_white_and_empty_borders_are_cut_off(
    session: Session, tint: Any
) -> None:
    raw = np.zeros((40, 50, 4), np.uint8)
    raw[2:38, 3:47] = [200, 0, 0, 255]
    raw[10:20, 10:20, 3] = 0
    paint(
        session,
        layer(),
        Region(box_mask(5, 5, 8, 8), PixelStyle(PixelBuffer(50, 40, "rgba", "u8", raw.tobytes()))),
    )
    image = tint.jobs[0].regions[0].styles[0].image
    assert image.shape == (3, 36, 44)
    assert torch.equal(image[:, 8, 7], torch.ones(3)) and torch.allclose(
        image[:, 0, 0] * 255, torch.tensor([200.0, 0, 0])
    )


def test_float_colours_beyond_one_are_clipped_for_the_engine_only(session: Session, tint: Any) -> None:
    raw = np.full((50, 60, 3), 7.5, np.float32)
    source = PixelBuffer(60, 50, "rgb", "f32", raw.tobytes(), "linear")
    result = paint(session, source, Region(box_mask(5, 5, 8, 8), RED))
    assert tint.jobs[0].content.max() == 1
    after = pixels.samples(composite(source, result))
    assert (after[20:, 20:] == 7.5).all() and np.allclose(after[5:13, 5:13], [1, 0, 0], atol=1e-6)


def test_a_region_overrides_the_options_that_say_so(session: Session, tint: Any) -> None:
    own = Region(box_mask(5, 5, 8, 8), RED, options={"amount": "0.25"})
    other = Region(box_mask(25, 5, 8, 8), RED)
    paint(session, layer(), own, other, options={"amount": 0.5, "margin": "3"})
    job = tint.jobs[0]
    assert [r.options["amount"] for r in job.regions] == [0.25, 0.5]
    assert job.options["margin"] == 3 and job.options["steps"] == 1


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


# -- report, description, cache -------------------------------------------------------------------


def test_the_report_has_times_device_memory_options_and_place(session: Session, tint: Any) -> None:
    report = paint(session, layer(), Region(box_mask(5, 6, 8, 9), RED), seed=3).report
    assert json.loads(json.dumps(report)) == report
    assert report["engine"] == "test-tint" and report["options"]["amount"] == 1.0 and report["seed"] == 3
    assert report["box"] == [5, 6, 8, 9] and report["device"] == "cpu" and report["tile"] == 4096
    seconds = report["seconds"]
    parts = seconds["read"] + seconds["engine"] + seconds["write"]
    assert 0 < parts <= seconds["total"] * 1.0001
    if sys.platform != "win32":
        assert report["peak_bytes"] > 1 << 20


def test_the_description_is_plain_data_with_every_engine_style_and_model(session: Session) -> None:
    found = json.loads(json.dumps(session.describe()))
    names = [e["name"] for e in found["engines"]]
    assert names.index("partial-conv") >= 0 and "test-tint" in names
    tint = next(e for e in found["engines"] if e["name"] == "test-tint")
    assert tint["options"][0]["maximum"] == 1.0 and tint["options"][0]["per_region"] is True
    assert any(m["id"] == "compact" for m in found["models"])
    assert found["device"]["kind"] == "cpu" and found["device"]["memory_total"] > 0
    assert all({"id", "name", "thumbnail"} <= set(s) for s in found["styles"])


def test_a_picture_in_the_users_own_folder_is_described_and_used(
    session: Session, tint: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import Image

    Image.new("RGB", (200, 100), (0, 0, 255)).save(tmp_path / "My Blue.png")
    monkeypatch.setenv("SCUMBLE_STYLES_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    own = next(s for s in describe.styles() if s["id"] == "my-blue")
    assert own["name"] == "My Blue" and own["thumbnail"].startswith("iVBOR")
    rgb, _ = pixels.decode(
        paint(session, layer(), Region(box_mask(5, 5, 8, 8), BundledStyle("my-blue"))).layer
    )
    assert np.allclose(rgb, [0, 0, 1], atol=1e-3)


def test_the_cache_never_holds_more_bytes_than_its_limit_and_forgets_the_oldest_first() -> None:
    one = size_of(torch.zeros(1000))
    cache = TensorCache(3 * one)
    for name in "abc":
        cache.put(name, torch.zeros(1000))
    assert cache.get("a") is not None  # now b is the oldest
    cache.put("d", torch.zeros(1000))
    assert cache.get("b") is None and all(cache.get(n) is not None for n in "acd")
    cache.put("huge", torch.zeros(5000))
    assert cache.get("huge") is None and len(cache) == 3
    cache.put("a", {"x": (torch.zeros(1000), [torch.zeros(1000)])})
    assert cache.bytes <= cache.limit and cache.get("a") is not None
    cache.clear()
    assert cache.bytes == 0 and len(cache) == 0


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 4000)), max_size=60))
def test_whatever_is_put_the_cache_counts_what_it_holds(puts: list[tuple[str, int]]) -> None:
    cache = TensorCache(20_000)
    for name, count in puts:
        cache.put(name, torch.zeros(count))
        assert cache.bytes <= 20_000
        assert cache.bytes == sum(size_of(cache.get(n)) for n in "abcdef" if cache.get(n) is not None)


def test_a_view_counts_with_all_that_it_keeps_alive() -> None:
    base = torch.zeros(100_000)
    assert size_of(base[:10]) == size_of(base)
    assert size_of((base, base[5:])) == size_of(base)


def test_freeing_memory_empties_the_cache(tint: Any) -> None:
    session = Session("cpu")
    session.cache.put("x", torch.zeros(10))
    session.free_memory()
    assert len(session.cache) == 0
