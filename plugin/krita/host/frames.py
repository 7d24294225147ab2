"""The frames of an animated layer as a new animated layer, in one step to undo.

libkis cannot add key frames, but the copy of an animated layer has them all.  The copy is filled frame by
frame before it is attached; for that the document has to be at the frame's time, and is put back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from scumble.shared.messages import StylizeResult

from ..turns import at_once
from . import nodes, placing
from .colour import Space


def make(
    application: Any,
    document: Any,
    source: Any,
    results: Sequence[tuple[str, Iterable[tuple[int, StylizeResult]]]],
    name: str,
    group: bool,
) -> Any:
    """The new layer, or a group of them, not attached yet.

    In one go: Krita ends badly when a document is closed while there is a copy of one of its layers.
    """
    layers = [(_copy(source, title), _InOrder(frames)) for title, frames in results]
    now = document.currentTime()
    try:
        for time in nodes.key_times(document, source):
            document.setCurrentTime(time)
            document.waitForDone()
            for node, frames in layers:
                at_once(placing.clear(node, nodes.rect_of(node.bounds())))
                result = frames.at(time)
                if result is not None:
                    space = placing.space_of(result.layer, document, source)
                    at_once(placing.write(application, node, result, space))
    finally:
        document.setCurrentTime(now)
        document.waitForDone()
    if not group:
        return layers[0][0]
    whole = document.createNode(name, nodes.GROUP)
    nodes.adopt(whole, [node for node, _ in layers])
    return whole


class _InOrder:
    """Frames that are asked for by rising times, so that only one of them need be in memory."""

    def __init__(self, frames: Iterable[tuple[int, StylizeResult]]) -> None:
        self._frames = iter(frames)
        self._next = next(self._frames, None)

    def at(self, time: int) -> StylizeResult | None:
        while self._next is not None and self._next[0] < time:
            self._next = next(self._frames, None)
        return self._next[1] if self._next is not None and self._next[0] == time else None


def _copy(source: Any, name: str) -> Any:
    node = source.duplicate()
    nodes.bare(node)
    node.setName(name)
    node.setOpacity(255)
    if node.blendingMode() != "normal":
        node.setBlendingMode("normal")  # which Krita keeps as a step of its own
    node.setLocked(False)
    node.setVisible(True)
    return node


def is_possible(source: Any) -> bool:
    """Whether a layer can be copied with its frames."""
    return source is not None and bool(source.animated()) and Space.of(source).pixel_bytes > 0
