"""Layers and masks of a document, by the ids that Krita keeps in its files.

Wrappers that libkis gives out are made anew each time and outlive what they wrap, so nothing in here is
kept: documents and nodes are looked up by id when they are needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from scumble.plugin.common.geometry import NOTHING, Rect
from scumble.shared.errors import Code, ScumbleError

from ..turns import Steps

T = TypeVar("T")

PAINT, GROUP = "paintlayer", "grouplayer"
TRANSPARENCY, SELECTION = "transparencymask", "selectionmask"
MASKS = frozenset({TRANSPARENCY, SELECTION, "filtermask", "transformmask", "colorizemask"})
#: Masks that change what a layer looks like.
CHANGING = MASKS - {SELECTION}
#: Layers that have no borders of their own.
BOUNDLESS = frozenset({"filllayer", "filterlayer"})
#: What is read as it looks, and how to tell.
WORDS = {
    GROUP: "A group is read as it looks",
    "vectorlayer": "A vector layer is read as it looks, as pixels",
    "filllayer": "A fill layer is read as it looks, as pixels",
    "filelayer": "A file layer is read as it looks, as pixels",
    "filterlayer": "A filter layer is read as it looks: the picture below it, filtered",
    "clonelayer": "A clone layer is read as it looks",
}


def node_id(node: Any) -> str:
    """A node's id."""
    return str(node.uniqueId().toString())


def document_id(document: Any) -> str:
    """An open document's id: that of its root layer, which is new each time it is opened."""
    root = document.rootNode()
    return "" if root is None else node_id(root)


def find_document(application: Any, id: str) -> Any:
    """The open document with that id, or ``None``."""
    return next((d for d in application.documents() if id and document_id(d) == id), None)


def walk(document: Any) -> Iterator[Any]:
    """All nodes, the topmost first, each before what lies in it."""
    root = document.rootNode()
    if root is not None:
        yield from _below(root)


def _below(node: Any) -> Iterator[Any]:
    for child in reversed(node.childNodes()):
        yield child
        yield from _below(child)


def find_node(document: Any, id: str) -> Any:
    """The node with that id, or ``None``."""
    return next((node for node in walk(document) if node_id(node) == id), None) if id else None


def is_mask(node: Any) -> bool:
    """Whether it belongs to a layer instead of being one."""
    return node.type() in MASKS


def layer_of(node: Any) -> Any:
    """The layer that a mask belongs to; a layer itself.  ``None`` for a mask of the whole document."""
    while node is not None and is_mask(node):
        node = node.parentNode()
    # The root is a group without a parent, and nobody's layer.
    return node if node is not None and node.parentNode() is not None else None


def adopt(group: Any, layers: Sequence[Any]) -> None:
    """Put layers into a group that is not attached yet, from below.

    ``addChildNode`` makes a step to undo of each, also outside of the document: the user would have to
    undo them all, and see nothing happen.  This makes none.
    """
    group.setChildNodes(list(layers))


def bare(node: Any) -> None:
    """Take the masks off a layer that is not attached; no steps to undo, which ``remove`` would make."""
    for _ in range(len(node.childNodes())):
        node.setChildNodes([])  # libkis takes the first one away and stops


def rect_of(bounds: Any) -> Rect:
    """A ``QRect``."""
    if bounds.width() < 1 or bounds.height() < 1:
        return NOTHING
    return Rect(bounds.x(), bounds.y(), bounds.width(), bounds.height())


def canvas_of(document: Any) -> Rect:
    """The canvas."""
    return Rect(0, 0, document.width(), document.height())


def is_masked(node: Any) -> bool:
    """Whether visible masks change how a layer looks."""
    return any(child.type() in CHANGING and child.visible() for child in node.childNodes())


def as_it_looks(node: Any) -> bool:
    """Whether it is read with what lies in it and on it, instead of its own pixels."""
    return node.type() != PAINT or is_masked(node)


def bounds_of(document: Any, node: Any) -> Rect:
    """Where a layer has pixels."""
    if node.type() in BOUNDLESS:
        return canvas_of(document)
    return rect_of(node.bounds())


def key_times(document: Any, node: Any) -> tuple[int, ...]:
    """The times of a layer's key frames."""
    if node.type() != PAINT or not node.animated():
        return ()
    last = max(document.fullClipRangeEndTime(), document.playBackEndTime(), document.currentTime())
    return tuple(t for t in range(min(last, 20_000) + 1) if node.hasKeyframeAtTime(t))


def is_hidden(node: Any) -> bool:
    """Whether it or a group around it is switched off."""
    while node is not None:
        if not node.visible() and node.parentNode() is not None:
            return True
        node = node.parentNode()
    return False


def closed() -> ScumbleError:
    """The document is not open any more."""
    return ScumbleError(
        Code.FILE_MISSING,
        "The document was closed before the result was there.",
        "Open it again and stylize again; nothing in it was changed.",
    )


def while_open(application: Any, document: str, steps: Steps[T]) -> Steps[T]:
    """The same, as long as a document is open: what is read of a closed one is nothing, or may end Krita.

    :raises ScumbleError: ``file_missing`` once it is closed.
    """
    while True:
        if find_document(application, document) is None:
            steps.close()
            raise closed()
        try:
            next(steps)
        except StopIteration as end:
            found: T = end.value
            return found
        yield
