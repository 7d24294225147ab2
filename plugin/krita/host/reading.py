"""The part of the host that reads: layers, masks, styles, and small pictures of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from scumble.plugin.common.geometry import Rect
from scumble.plugin.common.sources import (
    CURRENT,
    EVERYTHING,
    SAVED,
    FileStyle,
    LayerStyle,
    MaskSource,
    SingleStyle,
)
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.limits import LIMITS
from scumble.shared.messages import Bytes, MaskBuffer, PixelBuffer

from ..qt import QtGui
from ..turns import Steps, aside, at_once
from . import gather, keeping, masks, nodes, pictures, placing, reduced, selecting
from .api import Look, Picture, Target
from .colour import Space, view
from .source import LayerSource

T = TypeVar("T")


class Reading:
    """Mixed into the host."""

    _application: Any
    _new_selection: Callable[[], Any]
    _kept: dict[str, masks.Kept]

    def look(self) -> Look:
        """The host's."""
        raise NotImplementedError

    def source(self, target: Target | None = None) -> LayerSource:
        """The layer to read."""
        target = target or self._target()
        document, node = placing.find(self._application, target)
        if node is None:
            raise ScumbleError(
                Code.FILE_MISSING,
                f"The layer {target.name[:60]!r} is not there any more."
                if target.name
                else "The layer is gone.",
                "Choose the layer to stylize.",
            )
        saved = Saved(self._kept, document)
        return LayerSource(self._application, document, node, saved, self.style_steps, target.time)

    def default_mask(self) -> MaskSource:
        """The selection, or the whole layer without one."""
        document = self._active()
        return MaskSource(EVERYTHING) if document.selection() is None else CURRENT

    def keep(self, mask: MaskSource) -> MaskSource:
        """A copy of a mask."""
        document = self._active()
        kept = masks.copy(document, mask, Saved(self._kept, document))
        return self._keep(kept)

    def select(self, mask: MaskSource) -> Steps[None]:
        """Make a mask the selection."""
        document = self._active()
        rect, rows = Rect(0, 0, 0, 0), None
        if mask.kind != EVERYTHING:
            kept = masks.copy(document, mask, Saved(self._kept, document))
            rect, rows = kept.rect, (yield from kept.read())
        yield from selecting.put(self._application, document, self._new_selection, rect, rows)

    def recall(self, names: Iterable[str]) -> Steps[None]:
        """Read masks that were saved with the active document, so that later nobody waits for them."""
        document = self._active()
        for name in names:
            if name not in self._kept:
                found = yield from keeping.read_mask(document, name)
                if found is not None:
                    self._kept[name] = found

    def style_pixels(self, style: SingleStyle) -> PixelBuffer:
        """A file or a layer as a style picture, at once."""
        return at_once(self.style_steps(style))

    def style_steps(self, style: SingleStyle) -> Steps[PixelBuffer]:
        """A file or a layer as a style picture."""
        if isinstance(style, FileStyle):
            return (yield from aside(lambda: pictures.read_style(style.path)))
        if not isinstance(style, LayerStyle):
            raise ScumbleError(Code.UNKNOWN_STYLE, "This style has no pixels.", "Choose another style.")
        document, node = self._style_layer(style)
        rect = nodes.bounds_of(document, node)
        if not nodes.canvas_of(document).intersect(rect).empty:
            rect = nodes.canvas_of(document).intersect(rect)
        if rect.empty:
            raise ScumbleError(
                Code.EMPTY_SELECTION,
                f"The layer {node.name()[:60]!r}, which should be the style, is empty.",
                "Choose a layer with paint on it.",
            )
        space, id = Space.of(node), nodes.document_id(document)
        if rect.pixels * max(1, space.pixel_bytes) > LIMITS.style_bytes or space.format is None:
            steps = reduced.image(document, node, rect, pictures.STYLE_SIDE)
            return _rgba((yield from self._while_open(id, steps)))
        get = node.projectionPixelData if nodes.as_it_looks(node) else node.pixelData
        rows = gather.rows(rect, space.pixel_bytes, lambda r: view(get(r.x, r.y, r.width, r.height)))
        data = yield from self._while_open(id, rows)
        form = space.format
        return PixelBuffer(rect.width, rect.height, form.layout, form.dtype, data, form.transfer)

    def _while_open(self, document: str, steps: Steps[T]) -> Steps[T]:
        return nodes.while_open(self._application, document, steps)

    # -- picking by clicks ------------------------------------------------------------------------------

    def picture(self, longest: int) -> Steps[Picture]:
        """What the active layer looks like."""
        target = self._target()
        document, node = placing.find(self._application, target)
        rect = nodes.bounds_of(document, node).intersect(nodes.canvas_of(document))
        if rect.empty:
            raise ScumbleError(
                Code.EMPTY_SELECTION,
                "The layer is empty: there is nothing on it to pick.",
                "Choose the layer that your picture is on.",
            )
        image = yield from reduced.image(document, node, rect, longest)
        pixels = PixelBuffer(image.width(), image.height(), "rgba", "u8", reduced.rgba(image))
        return Picture(target, rect, pixels, image, reduced.factor(rect, longest))

    def enlarged(self, mask: MaskBuffer, rect: Rect, times: int) -> Steps[tuple[Rect, bytes]]:
        """See :func:`.reduced.enlarged`."""
        return reduced.enlarged(mask, rect, times)

    def put_selection(self, rect: Rect, rows: Bytes, how: str) -> Steps[None]:
        """A mask as the active document's selection; see :func:`.selecting.put`."""
        yield from selecting.put(self._application, self._active(), self._new_selection, rect, rows, how)

    def keep_bytes(self, rect: Rect, rows: Bytes) -> MaskSource:
        """A mask of the active document, as one that is kept."""
        self._active()
        return self._keep(masks.Kept.of(rect, rows))

    # -- inside -----------------------------------------------------------------------------------------

    def _keep(self, kept: masks.Kept) -> MaskSource:
        name = kept.name
        self._kept[name] = kept
        return MaskSource(SAVED, name)

    def _target(self) -> Target:
        look = self.look()
        if look.target is None:
            found = look.problem
            raise ScumbleError(found.code, found.sentence, found.hint) if found else no_layer()
        return look.target

    def _active(self) -> Any:
        document = self._application.activeDocument()
        if document is None:
            raise no_document()
        return document

    def _style_layer(self, style: LayerStyle) -> tuple[Any, Any]:
        # A layer's id is its own wherever it is: documents get new ids when they are opened again.
        for document in self._application.documents():
            node = nodes.find_node(document, style.layer)
            if node is not None:
                return document, node
        raise ScumbleError(
            Code.FILE_MISSING,
            f"The layer {style.name[:60]!r}, which should be the style, is not open."
            if style.name
            else "The layer that should be the style is not open.",
            "Open its document, or choose another style.",
        )


class Saved(dict[str, masks.Kept]):
    """Kept masks: those of this session, and those that the document brings along."""

    def __init__(self, session: dict[str, masks.Kept], document: Any) -> None:
        super().__init__()
        self._session, self._document = session, document

    def __contains__(self, name: object) -> bool:
        if name not in self._session and isinstance(name, str):
            found = at_once(keeping.read_mask(self._document, name))
            if found is not None:
                self._session[name] = found
        return name in self._session

    def __getitem__(self, name: str) -> masks.Kept:
        return self._session[name]


def _rgba(image: Any) -> PixelBuffer:
    image = image.convertToFormat(QtGui.QImage.Format.Format_RGBA8888)
    bits = image.constBits()
    bits.setsize(image.width() * image.height() * 4)
    return PixelBuffer(image.width(), image.height(), "rgba", "u8", bytes(bits))


def no_document() -> ScumbleError:
    return ScumbleError(Code.BAD_REQUEST, "No document is open.", "Open or create a picture first.")


def no_layer() -> ScumbleError:
    return ScumbleError(Code.BAD_REQUEST, "No layer is chosen.", "Click the layer that your picture is on.")
