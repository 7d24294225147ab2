"""From a request to its result in one process, around a small engine that really paints."""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from session_parts import RED, box_mask, flat, layer, paint

from scumble.backend import Session, describe
from scumble.backend.imaging import pixels
from scumble.backend.imaging.composite import composite
from scumble.shared.messages import (
    CHANNELS,
    BlendStyle,
    BundledStyle,
    MaskBuffer,
    PixelBuffer,
    PixelStyle,
    Region,
    StylizeRequest,
)

DTYPES = ["u8", "u16", "f16", "f32"]


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


def test_freeing_memory_empties_the_cache(tint: Any) -> None:
    session = Session("cpu")
    session.cache.put("x", torch.zeros(10))
    session.free_memory()
    assert len(session.cache) == 0
