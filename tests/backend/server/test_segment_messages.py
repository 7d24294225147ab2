"""Selections on the wire (docs/protocol.md, section 6.5)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wire_parts import Raw, Running, until

from scumble.shared import events
from scumble.shared.blocking import BlockingClient
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.framing import decode, encode
from scumble.shared.messages import BundledStyle, MaskBuffer, PixelBuffer
from scumble.shared.segmenting import (
    FoundMask,
    Point,
    SegmentRequest,
    SegmentResult,
    found_message,
    message_found,
    message_segment,
    segment_message,
)

LAYER = PixelBuffer(8, 6, "rgba", "u8", bytes(8 * 6 * 4))


def test_points_are_answered_with_masks_in_their_place(client) -> None:
    """Section 6.5."""
    seen: list = []
    asked = SegmentRequest(LAYER, points=(Point(3, 2), Point(7, 5, False)))
    found = until(client, events.Found, job=client.segment(asked), seen=seen).result
    assert [(m.mask.x, m.mask.y, m.score) for m in found.masks] == [(3, 2, 0.5), (7, 5, 0.5)]
    assert found.report["mode"] == "points"
    assert any(isinstance(e, events.Progress) and e.stage == "select" for e in seen)
    assert client.outstanding == ()


def test_nothing_found_says_so_with_a_hint(client) -> None:
    """Section 6.5: a failure for people."""
    asked = SegmentRequest(LAYER, points=(Point(3, 2),), method="nothing")
    failed = until(client, events.Failed, job=client.segment(asked)).error
    assert failed.code is Code.EMPTY_SELECTION and failed.hint


def test_a_search_can_be_cancelled(client) -> None:
    """Section 6.6 holds for selections too."""
    job = client.segment(SegmentRequest(LAYER, mode="subject", method="slow"))
    until(client, events.Progress, job=job)
    client.cancel(job)
    until(client, events.Cancelled, job=job)


def test_a_script_gets_its_masks_from_one_call(server: Running) -> None:
    """The blocking client."""
    with BlockingClient(find=lambda: server.connection) as client:
        result = client.segment(SegmentRequest(LAYER, points=(Point(1, 1),)), timeout_s=20)
        assert result.masks[0].mask.x == 1
        with pytest.raises(ScumbleError, match="Nothing was found"):
            client.segment(SegmentRequest(LAYER, points=(Point(1, 1),), method="nothing"), timeout_s=20)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "bad_request"),
        ({"layer": 0}, "bad_request"),
        ({"layer": 0, "points": [[1]]}, "bad_request"),
        ({"layer": 0, "points": [[1, 2, 3]]}, "bad_request"),
        ({"layer": 0, "points": [[1, "a"]]}, "bad_request"),
        ({"layer": 0, "points": [[9, 2, 1]]}, "bad_request"),
        ({"layer": 0, "points": [[1, 2, 0]]}, "bad_request"),
        ({"layer": 0, "points": [[1, 2, 1], [1, 2, 0]]}, "bad_request"),
        ({"layer": 0, "points": [[1, 2, 1]] * 65}, "too_large"),
        ({"layer": 0, "box": [1, 2, 3]}, "bad_request"),
        ({"layer": 0, "box": [20, 2, 30, 4]}, "bad_request"),
        ({"layer": 0, "mode": "dreams", "points": [[1, 2, 1]]}, "bad_request"),
        ({"layer": 0, "mode": "pairs"}, "bad_request"),
        ({"layer": 0, "mode": "subject", "edge": 1e9}, "option_out_of_range"),
        ({"layer": 0, "mode": "all", "count": 0}, "option_out_of_range"),
    ],
)
def test_questions_that_make_no_sense_are_refused_by_their_cause(
    server: Running, context, body: dict, code: str
) -> None:
    """Section 6.5: clicks outside, contradictions, nothing wanted."""
    peer = Raw(context, server.connection)
    peer.hello()
    buffers = segment_message(SegmentRequest(LAYER, mode="subject"), "x").buffers
    peer.send("segment", "s", buffers if body else (), **body)
    answer = peer.hear()
    assert answer is not None and (answer.type, answer.body["code"]) == ("failed", code)
    assert answer.body["message"].endswith(".")


masks = st.builds(
    lambda w, h, x, y: MaskBuffer(w, h, bytes(range(w * h)), x=x, y=y),
    st.integers(1, 5), st.integers(1, 5), st.integers(-9, 9), st.integers(-9, 9),
)  # fmt: skip
points = st.builds(Point, st.floats(0, 3.5), st.floats(0, 5.5), st.just(True)) | st.builds(
    Point, st.floats(5.5, 7.5), st.floats(0, 5.5), st.just(False)
)
questions = st.builds(
    lambda points, box, before, method, edge, count, style, mode: SegmentRequest(
        LAYER, mode, tuple(points), box, before, method, edge, count, style
    ),
    st.lists(points, max_size=5), st.none() | st.just((1.0, 1.0, 4.5, 5.0)), st.none() | masks,
    st.sampled_from(["auto", "grabcut"]), st.floats(0, 100), st.integers(1, 48),
    st.just(BundledStyle("batik")), st.sampled_from(["subject", "all", "pairs"]),
)  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(questions)
def test_a_question_survives_the_wire(asked: SegmentRequest) -> None:
    """Section 6.5: what comes out of the frames is what went in."""
    frames = [bytes(f) for f in encode(segment_message(asked, "job"))]
    assert message_segment(decode(frames)) == asked


@settings(max_examples=50, deadline=None)
@given(st.lists(st.builds(FoundMask, masks, st.floats(0, 1), st.floats(0, 99), st.none() | masks,
                          st.sampled_from(["", "aGk="])), max_size=5))  # fmt: skip
def test_an_answer_survives_the_wire(found: list[FoundMask]) -> None:
    """Section 6.5."""
    result = SegmentResult(tuple(found), "clicks", {"seconds": {"total": 0.5}})
    frames = [bytes(f) for f in encode(found_message(result, "job"))]
    assert message_found(decode(frames)) == result
