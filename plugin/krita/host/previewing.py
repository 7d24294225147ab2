"""The live preview's layer."""

from __future__ import annotations

from typing import Any

from scumble.plugin.common.geometry import Rect
from scumble.shared.messages import StylizeResult

from ..turns import Steps
from . import nodes, placing
from .api import Target

PREVIEW_NAME = "Scumble preview"
#: How often it is undone, should Krita not hear.
_TRIES = 3


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

    def put(self, target: Target, result: StylizeResult) -> Steps[bool]:
        """Show a result; whether a new layer was made for it."""
        document, node = self.node()
        rect = Rect(*result.origin, result.layer.width, result.layer.height)
        if node is not None and self._target == target:
            source = nodes.find_node(document, target.layer)
            space = placing.space_of(result.layer, document, source)
            # Both, should this be given up in the middle.
            old, self._rect = self._rect, rect.union(self._rect)
            if not rect.contains(old):
                yield from self._watched(placing.clear(node, old))
            yield from self._watched(placing.write(self._application, node, result, space))
            self._rect = rect
            document.refreshProjection()
            return False
        self.remove()
        document, source = placing.find(self._application, target)
        if source is None:
            return False
        self._was_modified = document.modified()
        steps = placing.filled(self._application, document, source, PREVIEW_NAME, result)
        node = yield from nodes.while_open(self._application, target.document, steps)
        node.setLocked(True)
        placing.attach(document, source, node)
        self._target, self._layer, self._rect = target, nodes.node_id(node), rect
        self._undo_text, self._nodes = None, _count(document)
        return True

    def _watched(self, steps: Steps[None]) -> Steps[None]:
        """The same, as long as the preview is there."""
        for _ in steps:
            yield
            if self.node()[1] is None:
                return

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
        # Krita drops an undo that comes while it composes, as it does when this was filled just now.
        for _ in range(_TRIES):
            document.waitForDone()
            if not self._is_last_step(document):
                break
            self._application.action("edit_undo").trigger()
            document.waitForDone()
        if nodes.find_node(document, self._layer) is not None:
            node.remove()
            document.waitForDone()
        elif not self._was_modified:
            document.setModified(False)

    def _is_last_step(self, document: Any) -> bool:
        """Whether it is there, and one undo would take out just this."""
        return (
            nodes.find_node(document, self._layer) is not None
            and self._application.action("edit_undo") is not None
            and self._undo_text in (None, self._undo())
            and _count(document) == self._nodes
            and self._is_active(document)
        )

    def _undo(self) -> str:
        action = self._application.action("edit_undo")
        return "" if action is None else str(action.text())

    def _is_active(self, document: Any) -> bool:
        active = self._application.activeDocument()
        return active is not None and nodes.document_id(active) == nodes.document_id(document)


def _count(document: Any) -> int:
    """Nodes of a document; selections come and go without being a step."""
    return sum(1 for node in nodes.walk(document) if node.type() != nodes.SELECTION)
