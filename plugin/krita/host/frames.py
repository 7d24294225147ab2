"""The frames of an animated layer as a new animated layer, in one step to undo.

libkis cannot add key frames, but the copy of an animated layer has them all.  The copy is filled frame by
frame before it is attached; for that the document has to be at the frame's time, and is put back.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from scumble.shared.messages import StylizeResult

from ..turns import at_once
from . import nodes, placing
from .colour import Space


def make(
    application: Any, document: Any, source: Any, frames: Iterable[tuple[int, StylizeResult]], name: str
) -> Any:
    """The new layer, not attached yet.  In one go: Krita ends badly when a document is closed while there
    is a copy of one of its layers."""
    node = source.duplicate()
    for child in list(node.childNodes()):
        child.remove()
    node.setName(name)
    node.setOpacity(255)
    node.setBlendingMode("normal")
    node.setLocked(False)
    node.setVisible(True)
    results = dict(frames)
    now = document.currentTime()
    try:
        for time in nodes.key_times(document, source):
            document.setCurrentTime(time)
            document.waitForDone()
            at_once(placing.clear(node, nodes.rect_of(node.bounds())))
            result = results.get(time)
            if result is not None:
                space = placing.space_of(result.layer, document, source)
                at_once(placing.write(application, node, result, space))
    finally:
        document.setCurrentTime(now)
        document.waitForDone()
    return node


def is_possible(source: Any) -> bool:
    """Whether a layer can be copied with its frames."""
    return source is not None and bool(source.animated()) and Space.of(source).pixel_bytes > 0
