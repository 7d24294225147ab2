"""*Select Subject*: a selection from the backend, as one step of the undo history."""

from __future__ import annotations

from typing import Any

from gi.repository import Gimp, GObject

from scumble.shared.segmenting import SegmentRequest

from . import selecting
from .document import Document, check_layer, has_selection
from .procedures import one


def select(procedure: Any, interactive: bool, image: Any, drawables: list[Any], config: Any) -> Any:
    """The procedure."""
    document = Document(check_layer(one(drawables)))
    if interactive:
        from .ui.subject import ask

        ask(procedure, config)
    found = selecting.find(question(document, config.get_property("method"), config.get_property("edge")))
    selecting.select(document, found.masks[0])
    return [(GObject.TYPE_STRING, selecting.report(found))]


def question(document: Document, method: str = "", edge: float = 4.0) -> SegmentRequest:
    """What to ask for: the subject of the layer, or what the selection's box is drawn around."""
    layer = document.layer_bounds()
    box = None
    if has_selection(document.image):
        _, _, x1, y1, x2, y2 = Gimp.Selection.bounds(document.image)
        box = (float(x1 - layer.x), float(y1 - layer.y), float(x2 - layer.x), float(y2 - layer.y))
    return SegmentRequest(
        selecting.pixels(document),
        "subject" if box is None else "points",
        box=box,
        method=method or "auto",
        edge=edge,
        count=1,
    )
