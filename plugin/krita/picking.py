"""Picking a region by clicks: a small picture of the layer, questions about it, and what becomes of a mask.

No widgets.  Everything happens in the GUI thread, in pieces (:mod:`.turns`), and nothing raises: what goes
wrong is kept as :attr:`Picking.failure` for the dialog that asked, and ``done(None)`` is called.
"""

from __future__ import annotations

import base64
import logging
from collections import OrderedDict
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

from scumble.plugin.common.failures import Failure, explain
from scumble.plugin.common.geometry import Rect
from scumble.plugin.common.jobs import Query
from scumble.plugin.common.sources import BlendedStyle, GalleryStyle, StyleSource, WordStyle
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import BundledStyle, MaskBuffer, PixelStyle, StyleRef, TextStyle
from scumble.shared.segmenting import Mode, Point, SegmentRequest, SegmentResult

from . import turns
from .host.api import Picture
from .interface import Part
from .qt import QtGui

if TYPE_CHECKING:
    from .controller import Controller
    from .loop import Action

__all__ = ["Combine", "DocumentMask", "Method", "Picking", "Picture", "Point", "SegmentResult"]

T = TypeVar("T")
#: Pictures of the gallery that are kept.
_MOST_PICTURES = 4
log = logging.getLogger(__name__)
#: The longer side of the picture that is looked at: about what the methods work at.
LONGEST = 768


@dataclass(frozen=True, eq=False)
class DocumentMask:
    """A mask in document coordinates.

    :param rect: outside of it the mask is 0.
    :param data: u8 samples of the rectangle, row by row.
    """

    rect: Rect
    data: bytes


class Combine(str, Enum):
    """What a mask does to the selection that there is."""

    REPLACE = "replace"
    ADD = "add"
    SUBTRACT = "subtract"


@dataclass(frozen=True)
class Method:
    """A way to find masks, as the backend describes it.

    :param missing: why it cannot be used, and how to change that; empty if it can be.
    :param default: whether it is the best one that can be used.
    """

    name: str
    label: str
    help: str = ""
    missing: str = ""
    default: bool = False


class Picking:
    """See the module; the controller has one.

    :ivar failure: of the last thing that was asked for, until the next one is.
    """

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self.failure: Failure | None = None
        self._query: Query | None = None
        self._answer: Callable[[SegmentResult | None], None] | None = None
        self._looking: Action | None = None
        self._asked_pictures: dict[int, tuple[Query, tuple[str, int], Callable[[Any], None]]] = {}
        self._pictures: OrderedDict[tuple[str, int], Any] = OrderedDict()

    @property
    def busy(self) -> bool:
        """Whether a question is under way."""
        return self._query is not None

    @property
    def status(self) -> str:
        """A line for people while a question is under way, such as that the backend starts."""
        return "" if self._query is None else self._query.status

    @property
    def methods(self) -> tuple[Method, ...]:
        """Those that the backend has; none before it was asked."""
        found = self._controller.choices.catalogue.description.get("selecting")
        entries = found if isinstance(found, (list, tuple)) else ()
        return tuple(_method(entry) for entry in entries if isinstance(entry, Mapping) and entry.get("name"))

    def look(self, done: Callable[[Picture | None], None]) -> None:
        """What the active layer looks like; a newer call makes an older one void."""
        self.failure = None
        if self._looking is not None:
            self._looking()
            self._looking = None

        def found(picture: Picture | None) -> None:
            self._looking = None
            done(picture)

        def begin() -> None:
            self._looking = self._run(self._controller.host.picture(LONGEST), found)

        self._looking = self._controller.loop.later(0, begin)

    def find(
        self,
        picture: Picture,
        done: Callable[[SegmentResult | None], None],
        *,
        mode: Mode = "points",
        points: Sequence[Point] = (),
        box: tuple[float, float, float, float] | None = None,
        before: MaskBuffer | None = None,
        method: str = "auto",
        edge: float = 1.5,
        count: int = 3,
        style: StyleSource | None = None,
        seed: int = 0,
    ) -> None:
        """Ask the backend for masks of a picture; the latest wins, and an earlier ``done`` is never called.

        Points, box, earlier mask and the masks of the answer are in pixels of the picture.  The rest is
        as in :class:`~scumble.shared.segmenting.SegmentRequest`.
        """
        self.cancel_question()
        self.failure = None
        try:
            request = SegmentRequest(
                picture.pixels,
                mode,
                tuple(points),
                box,
                before,
                method,
                edge,
                count,
                None if style is None else self._style(style),
                seed,
            )
        except Exception as error:
            self._failed(error, done)
            return
        self._query, self._answer = self._controller.working_session().segment(request), done

    def take(self, query: Query) -> None:
        """For the controller: news of a question."""
        if query.done and id(query) in self._asked_pictures:
            self._take_picture(query)
            return
        if query is not self._query or not query.done:
            return
        done, self._query, self._answer = self._answer, None, None
        assert done is not None
        if query.cancelled or query.failure is not None:
            self.failure = query.failure
            done(None)
        else:
            done(query.value)

    def gallery_picture(self, style: str, side: int, done: Callable[[Any], None]) -> None:
        """A style's picture of the gallery as a ``QImage``, at most ``side`` pixels long; ``None`` if it
        cannot be had, such as from an older backend."""
        known = self._pictures.get((style, side))
        if known is not None:
            done(known)
            return
        query = self._controller.working_session().picture(style, side)
        self._asked_pictures[id(query)] = (query, (style, side), done)

    def _take_picture(self, query: Query) -> None:
        _, name, done = self._asked_pictures.pop(id(query))
        image = QtGui.QImage()
        data = query.value.get("jpeg") if isinstance(query.value, dict) else None
        if isinstance(data, str):
            try:
                image.loadFromData(base64.b64decode(data, validate=True))
            except ValueError:
                pass  # shown as it was: small
        if not image.isNull():
            self._pictures[name] = image
            while len(self._pictures) > _MOST_PICTURES:
                self._pictures.popitem(last=False)
        done(None if image.isNull() else image)

    def cancel_question(self) -> None:
        """Drop the question that is under way."""
        query, self._query, self._answer = self._query, None, None
        if query is not None:
            self._controller.session.cancel(query)

    def cancel(self) -> None:
        """Drop question and picture; what was to be called is not."""
        self.cancel_question()
        if self._looking is not None:
            self._looking()
            self._looking = None

    def enlarge(
        self, picture: Picture, mask: MaskBuffer, done: Callable[[DocumentMask | None], None]
    ) -> None:
        """A mask of the picture as one of the document, smooth."""
        host = self._controller.host
        self.failure = None

        def steps() -> turns.Steps[DocumentMask]:
            rect, data = yield from host.enlarged(mask, picture.rect, picture.factor)
            return DocumentMask(rect, data)

        self._run(steps(), done)

    def select(self, mask: DocumentMask, how: Combine = Combine.REPLACE) -> bool:
        """Make a mask the active document's selection, in one step to undo; false if that failed.

        A large one takes some turns of the event loop.
        """
        self.failure = None
        seen: list[bool] = []
        steps = self._controller.host.put_selection(mask.rect, mask.data, Combine(how).value)
        self._run(steps, lambda _: None, lambda: seen.append(False))
        return not seen

    def add_region(self, mask: DocumentMask, label: str = "") -> str:
        """A region of a mask, with the current style, picked; its id, ``""`` if that failed."""
        controller, id, self.failure = self._controller, "", None
        try:
            id = controller.choices.add(controller.host.keep_bytes(mask.rect, mask.data)).id
            if label:
                controller.choices.regions.change(id, label=label)
        except Exception as error:
            self._failed(error, lambda _: None)
        controller.touch(Part.REGIONS, Part.CHOICE)
        controller.preview.consider()
        return id

    def _style(self, style: StyleSource) -> StyleRef:
        if isinstance(style, BlendedStyle):
            raise ScumbleError(
                Code.BAD_REQUEST,
                "A blend of styles has no parts to choose from.",
                "Choose one style.",
            )
        if isinstance(style, GalleryStyle):
            return BundledStyle(style.id)
        if isinstance(style, WordStyle):
            return TextStyle(style.prompt)
        return PixelStyle(self._controller.host.style_pixels(style))

    def _run(
        self,
        steps: Generator[None, None, T],
        done: Callable[[T | None], None],
        failed: Callable[[], None] = lambda: None,
    ) -> Action:
        def fail(error: BaseException) -> None:
            failed()
            self._failed(error, done)

        return turns.run(self._controller.loop, steps, done, fail)

    def _failed(self, error: BaseException, done: Callable[[Any], None]) -> None:
        if not isinstance(error, ScumbleError):
            log.error("picking failed", exc_info=error)
        self.failure = explain(error)
        done(None)


def _method(entry: Mapping[str, Any]) -> Method:
    def text(name: str) -> str:
        value = entry.get(name)
        return value if isinstance(value, str) else ""

    name = text("name")
    return Method(name, text("label") or name, text("help"), text("missing"), entry.get("default") is True)
