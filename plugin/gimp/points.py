"""*Select by Points*: a selection or a saved channel of what some points lie on, and others do not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gi.repository import Gimp, GObject

from scumble.shared.errors import Code, ScumbleError
from scumble.shared.segmenting import Point, SegmentRequest

from . import names, selecting
from .arguments import points_of
from .document import Document, check_layer
from .procedures import one


def select(procedure: Any, interactive: bool, image: Any, drawables: list[Any], config: Any) -> Any:
    """The procedure."""
    document = Document(check_layer(one(drawables)))
    if interactive:
        from .ui.points import ask

        points = ask(procedure, config, document)
    else:
        points = given(config, image)
    found = selecting.find(
        question(document, points, config.get_property("method"), config.get_property("edge"))
    )
    channel = None
    if config.get_property("result") == names.CHANNEL:
        channel = selecting.save(document, found.masks[0], config.get_property("channel-name") or "Scumble")
    else:
        selecting.select(document, found.masks[0], config.get_property("operation"))
    return [(Gimp.Channel, channel), (GObject.TYPE_STRING, selecting.report(found))]


def given(config: Any, image: Any) -> tuple[Point, ...]:
    """The points of a call in pixels of the image: its arguments', else the selected paths' anchors.

    :raises ScumbleError: ``bad_request`` if there are none, or if they cannot be understood.
    """
    points = points_of(config.get_property("points"))
    for name, positive in (("path", True), ("minus-path", False)):
        path = config.get_property(name)
        if path is not None:
            points += anchors(path, positive)
    if not points:
        points = of_selected_paths(image)
    if not points:
        raise ScumbleError(
            Code.BAD_REQUEST,
            "No point says what to select.",
            "Give points such as 120,80 200,90 40,30,- or a path whose anchors are the points.",
        )
    return points


def of_selected_paths(image: Any) -> tuple[Point, ...]:
    """The anchors of the paths that are selected in the paths dialog."""
    return tuple(point for path in image.get_selected_paths() for point in anchors(path, True))


def anchors(path: Any, positive: bool) -> tuple[Point, ...]:
    """The anchors of all strokes of a path."""
    found = []
    for stroke in path.get_strokes():
        _, numbers, _ = path.stroke_get_points(stroke)
        # Each anchor lies between its two handles: six numbers.
        found += [Point(numbers[i + 2], numbers[i + 3], positive) for i in range(0, len(numbers) - 5, 6)]
    return tuple(found)


def question(
    document: Document, points: Sequence[Point], method: str = "", edge: float = 4.0
) -> SegmentRequest:
    """What to ask for.

    :param points: in pixels of the image.
    :raises ScumbleError: ``bad_request`` for a point beside the layer, and for points that contradict.
    """
    layer = document.layer_bounds()
    for point in points:
        if not (layer.x <= point.x < layer.right and layer.y <= point.y < layer.bottom):
            raise ScumbleError(
                Code.BAD_REQUEST,
                f"The point {point.x:g}, {point.y:g} lies beside the layer.",
                "Click on the layer, or choose the layer that the points lie on.",
            )
    moved = tuple(Point(point.x - layer.x, point.y - layer.y, point.positive) for point in points)
    return SegmentRequest(
        selecting.pixels(document), "points", points=moved, method=method or "auto", edge=edge, count=1
    )
