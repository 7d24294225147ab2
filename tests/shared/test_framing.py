"""Frames and their limits (docs/protocol.md, sections 3 and 4)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scumble.shared import fields
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.framing import MAGIC, Buffer, FrameError, Message, decode, encode, plain
from scumble.shared.limits import Limits

ids = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)
scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text()
scalars = scalars.filter(lambda v: v not in (float("inf"), float("-inf")))
bodies = st.dictionaries(
    st.text(),
    st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8),
)
SIZES = {"u8": 1, "u16": 2, "f16": 2, "f32": 4}
CHANNELS = {"rgba": 4, "bgra": 4, "rgb": 3, "bgr": 3, "gray": 1, "graya": 2}


@st.composite
def buffers(draw: Any) -> Buffer:
    """A proper buffer."""
    width, height = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    layout, dtype = draw(st.sampled_from(sorted(CHANNELS))), draw(st.sampled_from(sorted(SIZES)))
    size = width * height * CHANNELS[layout] * SIZES[dtype]
    transfer = draw(st.sampled_from(["srgb", "linear"]))
    return Buffer(
        "layer", width, height, layout, dtype, draw(st.binary(min_size=size, max_size=size)), transfer
    )


def header(**more: Any) -> bytes:
    """A header with one proper buffer of 2 x 1 grey pixels, changed as told."""
    entry = {"role": "mask", "width": 2, "height": 1, "format": "gray", "dtype": "u8", "bytes": 2}
    entry |= {k: v for k, v in more.items() if k in entry or k == "transfer"}
    content = {"type": "stylize", "id": "a", "body": {}, "buffers": [entry]}
    content |= {k: v for k, v in more.items() if k in content}
    return json.dumps(content).encode()


@given(ids, bodies, st.lists(buffers(), max_size=4))
def test_what_is_encoded_decodes_to_itself(name: str, body: dict[str, Any], parts: list[Buffer]) -> None:
    """Section 3.1."""
    message = Message("stylize", name, body, tuple(parts))
    frames = [bytes(f) for f in encode(message)]
    found = decode(frames)
    assert (found.type, found.id, found.body) == ("stylize", name, body)
    for ours, theirs in zip(parts, found.buffers, strict=True):
        assert bytes(theirs.data) == bytes(ours.data)
        assert (theirs.width, theirs.height, theirs.transfer) == (ours.width, ours.height, ours.transfer)


def test_buffers_are_never_copied() -> None:
    """Section 3.4: encoding and decoding hand out views of the same memory."""
    data = bytearray(24)
    frames = encode(Message("stylize", "a", {}, (Buffer("layer", 3, 2, "rgba", "u8", data),)))
    found = decode(frames)
    data[5] = 77
    assert found.buffers[0].data[5] == 77


@given(st.lists(st.binary(max_size=200), max_size=6))
def test_random_frames_are_refused_and_nothing_else_happens(frames: list[bytes]) -> None:
    """Section 3.5."""
    with pytest.raises(FrameError):
        decode(frames)


@given(st.binary(max_size=300), st.lists(st.binary(max_size=20), max_size=3))
def test_random_headers_are_refused(junk: bytes, rest: list[bytes]) -> None:
    """Section 3.5."""
    with pytest.raises(FrameError):
        decode([MAGIC, junk, *rest])


json_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
)
KEYS = ["type", "id", "body", "buffers", "role", "width", "height", "format", "dtype", "bytes", "transfer"]


@given(st.sampled_from(KEYS), json_values)
def test_a_wrong_type_anywhere_is_refused_or_harmless(key: str, value: Any) -> None:
    """Section 3.5: one field of a proper message replaced by anything."""
    try:
        found = decode([MAGIC, header(**{key: value}), b"ab"])
    except FrameError as error:
        assert error.code in (Code.BAD_REQUEST, Code.TOO_LARGE, Code.UNSUPPORTED_FORMAT)
    else:
        assert sum(b.nbytes for b in found.buffers) == 2


@given(st.integers(0, 400), st.data())
def test_a_truncated_message_is_refused(cut: int, data: st.DataObject) -> None:
    """Section 3.5: any frame cut short, or missing."""
    frames = [MAGIC, header(), b"ab"]
    index = data.draw(st.integers(0, 2))
    short = frames[index][: cut % len(frames[index])]
    with pytest.raises(FrameError):
        decode([*frames[:index], short, *frames[index + 1 :]])
    with pytest.raises(FrameError):
        decode(frames[:index])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"width": 30_001, "bytes": 30_001}, Code.TOO_LARGE),
        ({"width": 30_000, "height": 30_000, "bytes": 900_000_000}, Code.TOO_LARGE),
        ({"width": 10**4000, "bytes": 10**4000}, Code.TOO_LARGE),
        ({"role": "style", "width": 10_000, "height": 7_000, "bytes": 70_000_000}, Code.TOO_LARGE),
        ({"format": "json", "width": 2**30, "bytes": 2**30}, Code.TOO_LARGE),
        ({"format": "cmyk"}, Code.UNSUPPORTED_FORMAT),
        ({"dtype": "f64"}, Code.UNSUPPORTED_FORMAT),
        ({"transfer": "log"}, Code.UNSUPPORTED_FORMAT),
        ({"width": True}, Code.BAD_REQUEST),
        ({"width": 2.0}, Code.BAD_REQUEST),
        ({"width": -2, "height": -1}, Code.BAD_REQUEST),
        ({"width": 0, "bytes": 0}, Code.BAD_REQUEST),
        ({"bytes": 3}, Code.BAD_REQUEST),
        ({"id": ""}, Code.BAD_REQUEST),
        ({"id": "../../etc"}, Code.BAD_REQUEST),
        ({"id": "x" * 65}, Code.BAD_REQUEST),
        ({"type": "A type"}, Code.BAD_REQUEST),
        ({"body": []}, Code.BAD_REQUEST),
        ({"buffers": []}, Code.BAD_REQUEST),
    ],
)
def test_each_limit_has_its_code(change: dict[str, Any], code: Code) -> None:
    """Sections 3.3 and 4.1: all refused from the declaration alone; the frame has 2 bytes."""
    with pytest.raises(FrameError) as caught:
        decode([MAGIC, header(**change), b"ab"])
    assert caught.value.code is code
    assert len(caught.value.message) < 200


def test_a_header_that_is_too_long_or_too_deep_is_refused() -> None:
    """Section 4.1."""
    with pytest.raises(FrameError) as caught:
        decode([MAGIC, b" " * (256 * 1024 + 1)])
    assert caught.value.code is Code.TOO_LARGE
    with pytest.raises(FrameError) as caught:
        decode([MAGIC, b"[" * 200_000])
    assert caught.value.code is Code.BAD_REQUEST
    with pytest.raises(FrameError):
        decode([MAGIC, b'{"type":"ping","id":"a","body":{"x":NaN}}'])


def test_too_many_or_too_large_buffers_in_all_are_refused() -> None:
    """Section 4.1."""
    limits = Limits(buffers=2, message_bytes=3)
    entry = json.loads(header())["buffers"][0]
    with pytest.raises(FrameError) as caught:
        decode([MAGIC, header(buffers=[entry] * 3), b"ab", b"ab", b"ab"], limits)
    assert caught.value.code is Code.TOO_LARGE
    with pytest.raises(FrameError) as caught:
        decode([MAGIC, header(buffers=[entry] * 2), b"ab", b"ab"], limits)
    assert caught.value.code is Code.TOO_LARGE


def test_a_refusal_names_the_message_if_its_id_could_be_read() -> None:
    """Section 3.5."""
    with pytest.raises(FrameError) as caught:
        decode([MAGIC, header(width=3), b"ab"])
    assert caught.value.reply_to == "a"


def test_another_version_of_the_frames_is_told_from_nonsense() -> None:
    """Section 1.2."""
    for magic, code in ((b"SCUMBLE2", Code.UNSUPPORTED_PROTOCOL), (b"SCUMBLEX", Code.BAD_REQUEST)):
        with pytest.raises(FrameError) as caught:
            decode([magic, header(), b"ab"])
        assert caught.value.code is code


def test_the_sender_learns_of_a_limit_before_the_wire_does() -> None:
    """Section 4.2."""
    with pytest.raises(FrameError) as caught:
        encode(Message("stylize", "a", {"text": "x" * 300_000}))
    assert caught.value.code is Code.TOO_LARGE
    for value in (float("nan"), object(), b"bytes"):
        with pytest.raises(FrameError) as caught:
            encode(Message("stylize", "a", {"x": value}))
        assert caught.value.code is Code.BAD_REQUEST


def test_reports_become_plain_data_without_representations_of_objects(tmp_path) -> None:
    """Section 8.3: a stray object must not print a path onto the wire."""
    value = plain({"p": tmp_path, "n": float("nan"), "t": (1, 2.5), 3: {"x": None}})
    assert value == {"p": type(tmp_path).__name__, "n": None, "t": [1, 2.5], "3": {"x": None}}


@given(json_values)
def test_field_readers_return_their_type_or_bad_request(value: Any) -> None:
    """Section 3.5."""
    for read, kinds in (
        (fields.text, str),
        (fields.boolean, bool),
        (fields.integer, int),
        (fields.number, float),
        (fields.pair, tuple),
        (fields.mapping, dict),
        (fields.scalars, dict),
    ):
        try:
            assert isinstance(read({"x": value}, "x"), kinds)
        except ScumbleError as error:
            assert error.code in (Code.BAD_REQUEST, Code.TOO_LARGE)
