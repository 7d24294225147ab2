"""A mask as the document's selection, so that one undo brings back the one before.

libkis sets a selection without a step of the undo history.  Krita's own *Deselect* makes one that knows
the old selection, and *Select All* one that knows that there was none: the step is theirs, the new
selection takes its place.  (Redo then does what they say.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scumble.plugin.common.geometry import Rect
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import Bytes

from ..turns import Steps, strips
from . import nodes
from .colour import lend

REPLACE, ADD, SUBTRACT = "replace", "add", "subtract"


def put(
    application: Any,
    document: Any,
    new_selection: Callable[[], Any],
    rect: Rect,
    rows: Bytes | None,
    how: str = REPLACE,
) -> Steps[None]:
    """Make a mask the selection, or part of it.

    :param rows: u8 samples of the rectangle, row by row; ``None`` to select nothing.
    :raises ScumbleError: ``empty_selection`` for taking something from no selection.
    """
    before = document.selection()
    if how == SUBTRACT and before is None:
        raise ScumbleError(
            Code.EMPTY_SELECTION, "There is no selection to take this from.", "Select something first."
        )
    selection = None
    if rows is not None:
        selection = new_selection()
        flat = memoryview(rows).cast("B")
        for first, count in strips(rect.height, rect.width):
            part = flat[first * rect.width : (first + count) * rect.width]
            selection.setPixelData(lend(part), rect.x, rect.y + first, rect.width, count)
            yield
    if selection is not None and before is not None and how != REPLACE:
        whole = before.duplicate()
        if how == ADD:
            whole.add(selection)
        else:
            whole.subtract(selection)
        selection = whole
        yield
    active = application.activeDocument()
    if active is not None and nodes.document_id(active) == nodes.document_id(document):
        action = application.action("select_all" if before is None else "deselect")
        # Nothing selected before and after is no step.
        if action is not None and (before is not None or selection is not None):
            action.trigger()
            document.waitForDone()
    document.setSelection(selection)
