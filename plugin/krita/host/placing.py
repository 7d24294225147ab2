"""Results and previews as layers.

One step to undo: a layer is made and filled outside of the document and attached last; Krita then takes
it into the picture by itself.  A group is built the same way.  What is set on an attached layer would
make further steps, or none at all.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from scumble.plugin.common.geometry import Rect
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import Bytes, PixelBuffer, StylizeResult

from ..turns import Steps, strips
from . import keeping, nodes
from .api import Target
from .colour import LINEAR, SRGB, Space, change, lend

_DEPTHS = {"u8": "U8", "u16": "U16", "f16": "F16", "f32": "F32"}


def find(application: Any, target: Target) -> tuple[Any, Any]:
    """(document, layer); the layer is ``None`` if it was removed.

    :raises ScumbleError: ``file_missing`` if the document was closed.
    """
    document = nodes.find_document(application, target.document)
    if document is None:
        raise nodes.closed()
    return document, nodes.find_node(document, target.layer)


def space_of(pixels: PixelBuffer, document: Any, source: Any) -> Space:
    """The space of a result: the source layer's, or what that was changed to."""
    depth = _DEPTHS[pixels.dtype]
    model = "GRAYA" if pixels.layout == "graya" else "RGBA"
    for known in (source, document):
        if known is not None:
            near = Space.of(known).nearest
            if (near.model, near.depth) == (model, depth):
                return near
    if model == "GRAYA":
        return Space(model, depth, "")
    return Space(model, depth, LINEAR if pixels.transfer == "linear" else SRGB)


def filled(application: Any, document: Any, source: Any, name: str, result: StylizeResult) -> Steps[Any]:
    """A new paint layer outside of the document that holds a result."""
    node = document.createNode(name, nodes.PAINT)
    if node is None:
        raise ScumbleError(Code.INTERNAL, "Krita did not make a new layer.", "Try again.")
    yield from write(application, node, result, space_of(result.layer, document, source))
    return node


def write(application: Any, node: Any, result: StylizeResult, space: Space) -> Steps[None]:
    """A result's pixels into a layer, strip by strip."""
    layer, (x, y), new = result.layer, result.origin, Space.of(node)
    flat = memoryview(layer.data).cast("B")
    row_bytes = layer.width * layer.pixel_bytes
    for first, count in strips(layer.height, layer.width * max(layer.pixel_bytes, new.pixel_bytes)):
        part = flat[first * row_bytes : (first + count) * row_bytes]
        data: Bytes = change(application, part, layer.width, count, space, new)
        node.setPixelData(lend(data), x, y + first, layer.width, count)
        yield


def clear(node: Any, rect: Rect) -> Steps[None]:
    """Make a rectangle of a layer transparent."""
    if rect.empty:
        return
    pixel_bytes = Space.of(node).pixel_bytes
    for first, count in strips(rect.height, rect.width * pixel_bytes):
        nothing = bytes(rect.width * count * pixel_bytes)
        node.setPixelData(lend(nothing), rect.x, rect.y + first, rect.width, count)
        yield


def attach(document: Any, source: Any, node: Any) -> float:
    """Put a finished node above the source and its earlier results, which would hide it (or on top of all
    if the source is gone); seconds Krita took."""
    began = time.perf_counter()
    parent = source.parentNode() if source is not None else None
    if parent is None:
        parent, above = document.rootNode(), None
    else:
        above = _topmost(document, parent, source)
    parent.addChildNode(node, above)
    return time.perf_counter() - began


def _topmost(document: Any, parent: Any, source: Any) -> Any:
    """The last of the results of a layer that lie directly above it; the layer itself without any."""
    id, found = nodes.node_id(source), None
    for node in parent.childNodes():
        if found is None:
            found = node if nodes.node_id(node) == id else None
        elif keeping.read_settings(document, nodes.node_id(node)).source == id:
            found = node
        else:
            break
    return found if found is not None else source


def make(
    application: Any,
    document: Any,
    source: Any,
    results: Sequence[tuple[str, StylizeResult]],
    name: str,
    group: bool,
) -> Steps[Any]:
    """A layer, or a group of layers, that is not attached yet."""
    if not group:
        return (yield from filled(application, document, source, name, results[0][1]))
    layers = []
    for title, result in results:
        layers.append((yield from filled(application, document, source, title, result)))
    node = document.createNode(name, nodes.GROUP)
    nodes.adopt(node, layers)
    return node
