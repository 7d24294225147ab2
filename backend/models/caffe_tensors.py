"""Reading the weights out of a ``.caffemodel`` file: its layers' blobs, no more.

Enough to get a published network without making Caffe or the protocol-buffer package a dependency.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .onnx_tensors import fields, varint

# Field numbers of Caffe's published schema: layers of the first kind (VGG's) and of the second.
_LAYERS = {2: (4, 6), 100: (1, 7)}
_BLOB_DIMS, _BLOB_DATA, _BLOB_SHAPE, _SHAPE_DIM = (1, 2, 3, 4), 5, 7, 1


def _integers(value: int | memoryview) -> list[int]:
    if isinstance(value, int):
        return [value]
    found, at = [], 0
    while at < len(value):
        one, at = varint(value, at)
        found.append(one)
    return found


def _blob(data: memoryview) -> NDArray[np.float32]:
    dims: dict[int, int] = {}
    shape: list[int] = []
    parts: list[bytes] = []
    for number, value in fields(data):
        if number in _BLOB_DIMS and isinstance(value, int):
            dims[number] = value
        elif number == _BLOB_DATA and not isinstance(value, int):
            parts.append(bytes(value))
        elif number == _BLOB_SHAPE and not isinstance(value, int):
            for inner, size in fields(value):
                shape += _integers(size) if inner == _SHAPE_DIM else []
    flat = np.frombuffer(b"".join(parts), dtype="<f4").astype(np.float32)
    shape = shape or [dims.get(number, 1) for number in _BLOB_DIMS]
    if flat.size != int(np.prod(shape)):
        raise ValueError("damaged file")
    return flat.reshape(shape)


def layer_blobs(data: bytes | memoryview, wanted: frozenset[str]) -> dict[str, list[NDArray[np.float32]]]:
    """The blobs (weights, then biases) of the layers of these names.

    :param data: the file's content; only the wanted layers' numbers are read.
    :raises ValueError: if it is damaged or no such file.
    """
    found: dict[str, list[NDArray[np.float32]]] = {}
    for number, layer in fields(memoryview(data)):
        if number not in _LAYERS or isinstance(layer, int):
            continue
        name_field, blob_field = _LAYERS[number]
        name, blobs = "", []
        for inner, value in fields(layer):
            if inner == name_field and not isinstance(value, int):
                name = bytes(value).decode("utf-8", "replace")
            elif inner == blob_field and not isinstance(value, int):
                blobs.append(value)
        if name in wanted:
            found[name] = [_blob(b) for b in blobs]
    return found
