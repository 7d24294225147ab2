"""Requests and results as messages (docs/protocol.md, section 6.4)."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scumble.shared import codec
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.framing import Message, decode, encode
from scumble.shared.messages import (
    BlendStyle,
    BundledStyle,
    MaskBuffer,
    PixelBuffer,
    PixelStyle,
    Region,
    StylizeRequest,
    StylizeResult,
    TextStyle,
)


def picture(width: int, height: int, layout: str = "bgra", dtype: str = "u16", **more: Any) -> PixelBuffer:
    size = {"rgba": 4, "bgra": 4, "rgb": 3, "gray": 1, "graya": 2}[layout] * {"u8": 1, "u16": 2, "f32": 4}[
        dtype
    ]
    return PixelBuffer(
        width, height, layout, dtype, bytes(i % 256 for i in range(width * height * size)), **more
    )


simple = st.one_of(
    st.builds(BundledStyle, st.text(min_size=1, max_size=20)),
    st.builds(TextStyle, st.text(max_size=50)),
    st.builds(lambda w, h: PixelStyle(picture(w, h, "rgb", "u8")), st.integers(1, 5), st.integers(1, 5)),
)
blends = st.lists(st.tuples(simple, st.floats(0.01, 10)), min_size=1, max_size=4).map(
    lambda parts: BlendStyle(tuple(parts))
)
options = st.dictionaries(
    st.text(max_size=20),
    st.booleans() | st.integers(-1000, 1000) | st.floats(-1e6, 1e6) | st.text(max_size=20),
    max_size=4,
)  # fmt: skip
regions = st.builds(
    lambda w, h, x, y, style, strength, more, part: Region(
        MaskBuffer(w, h, b"\x80" * (w * h), x=x, y=y), style, strength, more, part
    ),
    st.integers(1, 6), st.integers(1, 6), st.integers(-9, 9), st.integers(-9, 9),
    simple | blends, st.floats(0, 1), options,
    st.none()
    | st.builds(lambda w, h: MaskBuffer(w, h, b"\x40" * (w * h)), st.integers(1, 4), st.integers(1, 4)),
)  # fmt: skip
requests = st.builds(
    lambda layout, dtype, transfer, regions, engine, more, seed, origin, canvas: StylizeRequest(
        picture(4, 3, layout, dtype, transfer=transfer), tuple(regions), engine, more, seed, origin, canvas
    ),
    st.sampled_from(["rgba", "bgra", "gray"]), st.sampled_from(["u8", "u16", "f32"]),
    st.sampled_from(["srgb", "linear"]), st.lists(regions, min_size=1, max_size=4), st.text(max_size=20),
    options, st.integers(-(2**63), 2**63 - 1), st.tuples(st.integers(-99, 99), st.integers(-99, 99)),
    st.tuples(st.integers(0, 99), st.integers(0, 99)),
)  # fmt: skip


@given(requests)
def test_a_request_survives_the_wire(request: StylizeRequest) -> None:
    """Section 6.4: every field, every kind of style."""
    frames = [bytes(f) for f in encode(codec.request_message(request, "job"))]
    assert codec.message_request(decode(frames)) == request


def test_a_picture_that_several_regions_use_travels_once() -> None:
    """Section 6.4."""
    style = PixelStyle(picture(5, 5, "rgb", "u8"))
    mask = MaskBuffer(2, 2, b"abcd")
    request = StylizeRequest(picture(4, 4), (Region(mask, style), Region(mask, style, 0.5)))
    message = codec.request_message(request, "job")
    assert [b.role for b in message.buffers] == ["layer", "mask", "style"]
    assert codec.message_request(message) == request


def test_the_requests_own_memory_is_what_is_sent() -> None:
    """Section 3.4."""
    data = bytearray(64)
    layer = PixelBuffer(4, 4, "rgba", "u8", data)
    request = StylizeRequest(layer, (Region(MaskBuffer(1, 1, b"a"), BundledStyle("x")),))
    assert codec.request_message(request, "job").buffers[0].data is data


@given(st.sampled_from(["rgba", "graya"]), st.sampled_from(["u8", "u16", "f32"]), st.integers(-9, 9))
def test_a_result_survives_the_wire(layout: str, dtype: str, x: int) -> None:
    """Section 6.4."""
    result = StylizeResult(picture(3, 2, layout, dtype), (x, 4), {"seconds": {"total": 1.5}, "device": "cpu"})
    frames = [bytes(f) for f in encode(codec.result_message(result, "job"))]
    assert codec.message_result(decode(frames)) == result


def test_a_report_that_is_too_long_does_not_cost_the_result() -> None:
    """Section 6.4."""
    result = StylizeResult(picture(1, 1), (0, 0), {"notes": "x" * 10**6})
    message = codec.message_result(decode(encode(codec.result_message(result, "job"))))
    assert message.layer == result.layer and "left_out" in message.report


def good() -> Message:
    style = PixelStyle(picture(2, 2, "rgb", "u8"))
    blend = BlendStyle(((style, 1.0), (BundledStyle("s"), 2.0)))
    return codec.request_message(
        StylizeRequest(picture(4, 4), (Region(MaskBuffer(4, 4, b"m" * 16), blend),)), "job"
    )


def changed(path: list[Any], value: Any) -> Message:
    message = good()
    body = copy.deepcopy(dict(message.body))
    place: Any = body
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return Message("stylize", "job", body, message.buffers)


REGION = ["regions", 0]


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        (["layer"], 1, Code.BAD_REQUEST),  # the mask
        (["layer"], 99, Code.BAD_REQUEST),
        (["layer"], -1, Code.BAD_REQUEST),
        (["layer"], True, Code.BAD_REQUEST),
        (["regions"], [], Code.EMPTY_SELECTION),
        (["regions"], {}, Code.BAD_REQUEST),
        (["regions"], [7], Code.BAD_REQUEST),
        (["regions"], [good().body["regions"][0]] * 33, Code.TOO_LARGE),
        (["seed"], 2**63, Code.BAD_REQUEST),
        (["seed"], 1.5, Code.BAD_REQUEST),
        (["origin"], [1], Code.BAD_REQUEST),
        (["origin"], [2**31, 0], Code.BAD_REQUEST),
        (["canvas"], [-1, 5], Code.BAD_REQUEST),
        (["options"], {"a": [1]}, Code.BAD_REQUEST),
        (["options"], {"a": None}, Code.BAD_REQUEST),
        (["options"], {str(i): 1 for i in range(65)}, Code.TOO_LARGE),
        (["engine"], 3, Code.BAD_REQUEST),
        ([*REGION, "strength"], 1.5, Code.OPTION_OUT_OF_RANGE),
        ([*REGION, "strength"], "1", Code.BAD_REQUEST),
        ([*REGION, "strength"], 10**400, Code.BAD_REQUEST),
        ([*REGION, "mask", "buffer"], 0, Code.BAD_REQUEST),
        ([*REGION, "mask", "x"], "0", Code.BAD_REQUEST),
        ([*REGION, "style"], {"kind": "magic"}, Code.BAD_REQUEST),
        ([*REGION, "style"], {"kind": "bundled", "id": 3}, Code.BAD_REQUEST),
        ([*REGION, "style"], {"kind": "text", "prompt": "x" * 3000}, Code.BAD_REQUEST),
        ([*REGION, "style", "parts"], [], Code.BAD_REQUEST),
        ([*REGION, "style", "parts", 0, "weight"], -1, Code.BAD_REQUEST),
        ([*REGION, "style", "parts", 0, "style"], {"kind": "blend", "parts": []}, Code.BAD_REQUEST),
        (
            [*REGION, "style"],
            {"kind": "bundled", "id": "s"},
            Code.BAD_REQUEST,
        ),  # the style picture is left over
    ],
)
def test_a_field_that_is_wrong_is_refused_with_its_code(path: list[Any], value: Any, code: Code) -> None:
    """Section 6.4."""
    codec.message_request(good())
    with pytest.raises(ScumbleError) as caught:
        codec.message_request(changed(path, value))
    assert caught.value.code is code


words = st.sampled_from(["layer", "regions", "mask", "style", "kind", "parts", "buffer", "weight"])
bodies = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(words, inner),
)


@given(bodies)
def test_any_body_gives_a_request_or_a_typed_refusal(body: Any) -> None:
    """Section 6.4."""
    if not isinstance(body, dict):
        body = {"layer": 0, "regions": [{"mask": {"buffer": 1}, "style": body}]}
    with pytest.raises(ScumbleError):
        codec.message_request(Message("stylize", "job", body, good().buffers[:2]))


def test_an_error_survives_the_wire_and_an_unknown_code_is_internal() -> None:
    """Section 8.1."""
    error = ScumbleError(Code.BUSY, "Busy.", "Wait.", retry=True)
    found = codec.message_error(codec.failed_message(error, "a"))
    assert (found.code, found.message, found.hint, found.retry) == (Code.BUSY, "Busy.", "Wait.", True)
    assert codec.message_error(Message("failed", "a", {"code": "from_the_future"})).code is Code.INTERNAL
