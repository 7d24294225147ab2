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

from . import nodes
from .api import Target
from .colour import LINEAR, SRGB, Space, change, lend

PREVIEW_NAME = "Scumble preview"
_DEPTHS = {"u8": "U8", "u16": "U16", "f16": "F16", "f32": "F32"}


def find(application: Any, target: Target) -> tuple[Any, Any]:
    """(document, layer); the layer is ``None`` if it was removed.

    :raises ScumbleError: ``file_missing`` if the document was closed.
    """
    document = nodes.find_document(application, target.document)
    if document is None:
        raise closed()
    return document, nodes.find_node(document, target.layer)


def closed() -> ScumbleError:
    """The document is not open any more."""
    return ScumbleError(
        Code.FILE_MISSING,
        "The document was closed before the result was there.",
        "Open it again and stylize again; nothing in it was changed.",
    )


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


def filled(application: Any, document: Any, source: Any, name: str, result: StylizeResult) -> Any:
    """A new paint layer outside of the document that holds a result."""
    node = document.createNode(name, nodes.PAINT)
    if node is None:
        raise ScumbleError(Code.INTERNAL, "Krita did not make a new layer.", "Try again.")
    write(application, node, result, space_of(result.layer, document, source))
    return node


def write(application: Any, node: Any, result: StylizeResult, space: Space) -> None:
    """A result's pixels into a layer."""
    layer = result.layer
    data: Bytes = change(application, layer.data, layer.width, layer.height, space, Space.of(node))
    node.setPixelData(lend(data), *result.origin, layer.width, layer.height)


def clear(node: Any, rect: Rect) -> None:
    """Make a rectangle of a layer transparent."""
    if not rect.empty:
        size = rect.pixels * Space.of(node).pixel_bytes
        node.setPixelData(lend(bytes(size)), rect.x, rect.y, rect.width, rect.height)


def attach(document: Any, source: Any, node: Any) -> float:
    """Put a finished node above the source (or on top of all if it is gone); seconds Krita took."""
    began = time.perf_counter()
    parent = source.parentNode() if source is not None else None
    if parent is None:
        parent, source = document.rootNode(), None
    parent.addChildNode(node, source)
    return time.perf_counter() - began


def make(
    application: Any,
    document: Any,
    source: Any,
    results: Sequence[tuple[str, StylizeResult]],
    name: str,
    group: bool,
) -> Any:
    """A layer, or a group of layers, that is not attached yet."""
    if not group:
        return filled(application, document, source, name, results[0][1])
    node = document.createNode(name, nodes.GROUP)
    for title, result in results:
        node.addChildNode(filled(application, document, source, title, result), None)
    return node


class Preview:
    """The one preview layer that there may be.

    Putting one in is a step to undo, which Krita insists on.  Taking it out again undoes that step as
    long as nothing else has happened since; filling it anew makes none.
    """

    def __init__(self, application: Any) -> None:
        self._application = application
        self._target: Target | None = None
        self._layer = ""
        self._rect = Rect(0, 0, 0, 0)
        self._undo_text: str | None = None
        self._nodes = 0
        self._was_modified = True

    def node(self) -> tuple[Any, Any]:
        """(document, preview layer), ``None`` each if there is none (any more)."""
        if self._target is None:
            return None, None
        document = nodes.find_document(self._application, self._target.document)
        node = None if document is None else nodes.find_node(document, self._layer)
        if node is None:
            self._target = None
            return None, None
        return document, node

    @property
    def target(self) -> Target | None:
        """What it shows."""
        return self._target

    @property
    def layer(self) -> str:
        """Its id; ``""`` if there is none."""
        return self._layer if self.node()[1] is not None else ""

    def put(self, target: Target, result: StylizeResult) -> bool:
        """Show a result; whether a new layer was made for it."""
        document, node = self.node()
        rect = Rect(*result.origin, result.layer.width, result.layer.height)
        if node is not None and self._target == target:
            source = nodes.find_node(document, target.layer)
            if not rect.contains(self._rect):
                clear(node, self._rect)
            write(self._application, node, result, space_of(result.layer, document, source))
            self._rect = rect
            document.refreshProjection()
            return False
        self.remove()
        document, source = find(self._application, target)
        if source is None:
            return False
        self._was_modified = document.modified()
        node = filled(self._application, document, source, PREVIEW_NAME, result)
        node.setLocked(True)
        attach(document, source, node)
        self._target, self._layer, self._rect = target, nodes.node_id(node), rect
        self._undo_text, self._nodes = None, _count(document)
        return True

    def settled(self) -> None:
        """Krita has caught up: its undo entry names the preview's step now, a moment after the fact."""
        if self._target is not None and self._undo_text is None:
            self._undo_text = self._undo()

    def remove(self) -> None:
        """Take it out; nothing happens if there is none."""
        document, node = self.node()
        self._target = None
        if node is None:
            return
        action = self._application.action("edit_undo")
        same = (
            action is not None
            and self._undo_text in (None, self._undo())
            and _count(document) == self._nodes
            and self._is_active(document)
        )
        if same:
            action.trigger()
            document.waitForDone()
        if nodes.find_node(document, self._layer) is not None:
            node.remove()
            document.waitForDone()
        elif not self._was_modified:
            document.setModified(False)

    def _undo(self) -> str:
        action = self._application.action("edit_undo")
        return "" if action is None else str(action.text())

    def _is_active(self, document: Any) -> bool:
        active = self._application.activeDocument()
        return active is not None and nodes.document_id(active) == nodes.document_id(document)


def _count(document: Any) -> int:
    """Nodes of a document; selections come and go without being a step."""
    return sum(1 for node in nodes.walk(document) if node.type() != nodes.SELECTION)
