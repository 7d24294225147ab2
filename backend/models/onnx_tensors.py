"""Reading the weights out of an ONNX file: its protocol-buffer fields that hold tensors, no more.

Enough to get float32 initializers without making the ``onnx`` package a dependency of those who
only want a network's weights.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

# Field numbers of ONNX's published schema.
_MODEL_GRAPH = 7
_GRAPH_INITIALIZER = 5
_TENSOR_DIMS, _TENSOR_TYPE, _TENSOR_FLOATS, _TENSOR_NAME, _TENSOR_RAW = 1, 2, 4, 8, 9
_FLOAT = 1


def varint(data: memoryview, at: int) -> tuple[int, int]:
    """A protocol buffer's integer at a place, and the place after it; ``ValueError`` if damaged."""
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise ValueError("damaged file")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """(field number, value) of one message: integers as they are, the rest as bytes.

    :raises ValueError: if it is damaged.
    """
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        wire = key & 7
        if wire == 0:
            value, at = varint(data, at)
            yield key >> 3, value
            continue
        if wire == 2:
            size, at = varint(data, at)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise ValueError("damaged file")
        if at + size > len(data):
            raise ValueError("damaged file")
        yield key >> 3, data[at : at + size]
        at += size


def _tensor(data: memoryview) -> tuple[str, NDArray[np.float32] | None]:
    name, kind, dims = "", 0, []
    raw: list[bytes] = []
    for number, value in fields(data):
        if number == _TENSOR_DIMS:
            if isinstance(value, int):
                dims.append(value)
            else:  # packed
                at = 0
                while at < len(value):
                    size, at = varint(value, at)
                    dims.append(size)
        elif number == _TENSOR_TYPE and isinstance(value, int):
            kind = value
        elif number == _TENSOR_NAME and not isinstance(value, int):
            name = bytes(value).decode("utf-8", "replace")
        elif number in (_TENSOR_RAW, _TENSOR_FLOATS) and not isinstance(value, int):
            raw.append(bytes(value))
    if kind != _FLOAT:
        return name, None
    flat = np.frombuffer(b"".join(raw), dtype="<f4").astype(np.float32)
    if flat.size != int(np.prod(dims)):
        raise ValueError("damaged file")
    return name, flat.reshape(dims)


def float_initializers(data: bytes) -> dict[str, NDArray[np.float32]]:
    """All float32 weights of an ONNX model, by name.

    :param data: the file's content.
    :raises ValueError: if it is damaged or no ONNX file.
    """
    found: dict[str, NDArray[np.float32]] = {}
    for number, graph in fields(memoryview(data)):
        if number != _MODEL_GRAPH or isinstance(graph, int):
            continue
        for inner, tensor in fields(graph):
            if inner == _GRAPH_INITIALIZER and not isinstance(tensor, int):
                name, array = _tensor(tensor)
                if array is not None:
                    found[name] = array
    return found
