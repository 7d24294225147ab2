"""Selections and matched parts on the wire, answered by the real session (docs/protocol.md, 6.4, 6.5)."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image
from wire_parts import Running, running

from scumble.backend.session import Session
from scumble.shared.blocking import BlockingClient
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import (
    MaskBuffer,
    PixelBuffer,
    PixelStyle,
    Region,
    StylizeRequest,
    TextStyle,
)
from scumble.shared.segmenting import Point, SegmentRequest, SegmentResult

SIDE = 96


def halves(top: tuple[int, int, int], bottom: tuple[int, int, int]) -> np.ndarray:
    """A smooth half over a rough one, opaque, with a transparent strip at the left."""
    noise = np.random.default_rng(0).normal(0, 25, (SIDE // 2, SIDE, 3))
    image = np.full((SIDE, SIDE, 4), 255, np.float32)
    image[: SIDE // 2, :, :3], image[SIDE // 2 :, :, :3] = top, bottom + noise
    image[:, :10, 3] = 0
    return image.clip(0, 255).astype(np.uint8)


def pixels(image: np.ndarray) -> PixelBuffer:
    """Of a message."""
    layout: Any = "rgba" if image.shape[2] == 4 else "rgb"
    return PixelBuffer(image.shape[1], image.shape[0], layout, "u8", np.ascontiguousarray(image).tobytes())


LAYER = pixels(halves((90, 120, 200), (60, 110, 50)))
STYLE = PixelStyle(pixels(halves((230, 190, 60), (120, 20, 60))[..., :3]))
ALL = MaskBuffer(SIDE, SIDE, b"\xff" * SIDE * SIDE)
EMPTY = MaskBuffer(SIDE, SIDE, bytes(SIDE * SIDE))


@pytest.fixture(scope="module")
def backend() -> Iterator[Running]:
    """A server with a real session on the CPU."""
    with running(lambda: Session("cpu")) as server:
        yield server


@pytest.fixture
def client(backend: Running) -> Iterator[BlockingClient]:
    """A script's client of it."""
    with BlockingClient(find=lambda: backend.connection) as connected:
        yield connected


def selected(client: BlockingClient, **more: Any) -> SegmentResult:
    """The answer to a question about the layer."""
    return client.segment(SegmentRequest(LAYER, **more), timeout_s=60)


@pytest.mark.parametrize(
    ("question", "code"),
    [
        ({"points": (Point(3, 50),)}, Code.EMPTY_SELECTION),
        ({"points": (), "before": EMPTY}, Code.EMPTY_SELECTION),
        ({"points": (Point(50, 50),), "method": "crystal-ball"}, Code.UNKNOWN_ENGINE),
        ({"points": (Point(50, 50),), "method": "sam"}, Code.MODEL_MISSING),
        ({"mode": "pairs", "style": TextStyle("a sky")}, Code.UNKNOWN_STYLE),
        ({"mode": "subject", "layer": pixels(np.zeros((8, 8, 4), np.uint8))}, Code.EMPTY_SELECTION),
    ],
)
def test_a_question_without_an_answer_fails_with_a_sentence_and_a_hint(
    client: BlockingClient, question: dict[str, Any], code: Code, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Transparent places, empty masks, methods that are not there, words as a style, empty layers."""
    monkeypatch.setattr("scumble.backend.segment.methods.METHODS", _without_downloads())
    with pytest.raises(ScumbleError) as failed:
        client.segment(SegmentRequest(**{"layer": LAYER, **question}), timeout_s=60)
    assert failed.value.code is code and failed.value.message.endswith(".") and failed.value.hint


def _without_downloads() -> tuple[Any, ...]:
    """The methods of a machine where Segment Anything was not fetched."""
    from scumble.backend.segment.methods import METHODS
    from scumble.backend.segment.sam import SegmentAnything

    return (SegmentAnything(locate=lambda id: None), *METHODS[1:])


def test_nothing_to_tell_apart_is_an_answer_or_a_clear_no(client: BlockingClient) -> None:
    """A click on a plain picture, by every bundled method."""
    plain = pixels(np.full((40, 40, 3), 90, np.uint8))
    for method in ("clicks", "grabcut"):
        asked = SegmentRequest(plain, points=(Point(20, 20), Point(21.6, 20, False)), method=method)
        try:
            assert client.segment(asked, timeout_s=60).masks
        except ScumbleError as error:
            assert error.code is Code.EMPTY_SELECTION and error.hint


def test_matched_parts_come_with_their_part_of_the_style_and_can_be_divided_again(
    client: BlockingClient,
) -> None:
    """Mode pairs, and once more inside one of the parts with ``before``."""
    found = selected(client, mode="pairs", style=STYLE, count=2).masks
    assert len(found) == 2
    for one in found:
        assert one.style_mask is not None and max(one.style_mask.width, one.style_mask.height) <= 256
    part = max(found, key=lambda m: m.mask.y)
    halved = selected(client, mode="pairs", style=STYLE, count=2, before=part.mask).masks
    assert 1 <= len(halved) <= 2
    assert sum(m.area for m in halved) == pytest.approx(part.area, rel=0.2)
    assert min(m.area for m in halved) >= 0.03 * part.area, "no crumbs"


def test_a_region_on_one_side_only_and_sixteen_parts_are_painted(client: BlockingClient) -> None:
    """One region names its part of the painting, the other is matched; K at its most."""
    top = MaskBuffer(SIDE, SIDE // 2, b"\xff" * (SIDE * SIDE // 2))
    bottom = MaskBuffer(SIDE, SIDE // 2, b"\xff" * (SIDE * SIDE // 2), y=SIDE // 2)
    regions = (Region(top, STYLE, style_mask=ALL), Region(bottom, STYLE, options={"parts": 16}))
    result = client.stylize(StylizeRequest(LAYER, regions, "semantic"), timeout_s=120)
    layer = np.frombuffer(result.layer.data, np.uint8).reshape(result.layer.height, result.layer.width, 4)
    assert layer[8:-8, 20:-8, 3].min() > 200
    (told,) = result.report["notes"]["pairing"]
    assert told["region"] == 1 and 1 <= len(told["parts"]) <= 16
    labels = np.asarray(Image.open(io.BytesIO(base64.b64decode(told["content_map"]))))
    assert set(np.unique(labels[: len(labels) // 2 - 2])) == {255}, "nothing above the region"


def test_an_empty_part_of_the_style_picture_is_an_error_on_the_wire(client: BlockingClient) -> None:
    """A style mask that selects nothing."""
    asked = StylizeRequest(LAYER, (Region(ALL, STYLE, style_mask=EMPTY),), "semantic")
    with pytest.raises(ScumbleError) as failed:
        client.stylize(asked, timeout_s=60)
    assert failed.value.code is Code.EMPTY_SELECTION and failed.value.hint


@pytest.mark.parametrize("engine", ["semantic", "partial-conv"])
def test_an_empty_region_beside_others_is_left_out(client: BlockingClient, engine: str) -> None:
    """Nothing is selected by one of two regions, or only what is transparent; the other is painted."""
    top = MaskBuffer(SIDE, SIDE // 2, b"\xff" * (SIDE * SIDE // 2))
    strip = MaskBuffer(8, SIDE, b"\xff" * (8 * SIDE))
    for nothing in (EMPTY, strip):
        regions = (Region(nothing, STYLE, style_mask=ALL), Region(top, STYLE))
        result = client.stylize(StylizeRequest(LAYER, regions, engine), timeout_s=120)
        data = np.frombuffer(result.layer.data, np.uint8)
        layer = data.reshape(result.layer.height, result.layer.width, 4)
        assert layer[8 : SIDE // 2 - 16, 24:-8, 3].min() > 200
    with pytest.raises(ScumbleError) as failed:
        client.stylize(StylizeRequest(LAYER, (Region(strip, STYLE),), engine), timeout_s=60)
    assert failed.value.code is Code.EMPTY_SELECTION and failed.value.hint


def test_more_parts_than_sixteen_are_refused_with_the_range(client: BlockingClient) -> None:
    """K is 1 to 16."""
    for parts in (0, 17):
        with pytest.raises(ScumbleError) as failed:
            client.stylize(StylizeRequest(LAYER, (Region(ALL, STYLE),), "semantic", {"parts": parts}))
        assert failed.value.code is Code.OPTION_OUT_OF_RANGE and "16" in failed.value.hint
