"""All of the host, for a running Krita."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from scumble.plugin.common.failures import explain
from scumble.plugin.common.geometry import NOTHING
from scumble.plugin.common.sources import (
    CURRENT,
    EVERYTHING,
    SAVED,
    FileStyle,
    LayerStyle,
    MaskSource,
    SingleStyle,
    StyleSource,
)
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.limits import LIMITS
from scumble.shared.messages import PixelBuffer, StylizeResult

from ..interface import DocumentInfo, LayerChoice, MaskChoice
from ..qt import QtGui
from . import frames, keeping, masks, nodes, pictures, placing
from .api import Look, Placed, Target
from .colour import Space, check, view
from .colour import lend as lend_bytes
from .source import LayerSource, notices


class KritaHost:
    """See :class:`.api.Host`.

    :param application: ``Krita.instance()``.
    :param new_selection: ``krita.Selection``.
    """

    def __init__(self, application: Any, new_selection: Callable[[], Any]) -> None:
        self._application = application
        self._new_selection = new_selection
        self._kept: dict[str, masks.Kept] = {}
        self._preview = placing.Preview(application)

    @property
    def version(self) -> str:
        """Such as ``Krita 5.2.9``."""
        return f"Krita {self._application.version()}"

    # -- looking ----------------------------------------------------------------------------------------

    def look(self) -> Look:
        """What the user has before them."""
        document = self._application.activeDocument()
        if document is None:
            return Look(problem=explain(_no_document()))
        try:
            return self._look(document)
        except ScumbleError as error:
            return Look(DocumentInfo(document.name()), problem=explain(error))

    def _look(self, document: Any) -> Look:
        selection = masks.selection_rect(document)
        general: dict[str, Any] = {
            "name": document.name() or document.fileName().rpartition("/")[2] or "Untitled",
            "width": document.width(),
            "height": document.height(),
            "selection": None if selection is None else (selection.width, selection.height),
        }
        node = nodes.layer_of(document.activeNode()) if document.activeNode() is not None else None
        if node is None:
            return Look(DocumentInfo(**general), None, explain(_no_layer()), selection)
        layer = nodes.node_id(node)
        if layer == self._preview.layer and self._preview.target is not None:
            # Krita activates what is new; the user means what lies below.
            node = nodes.find_node(document, self._preview.target.layer) or node
            layer = nodes.node_id(node)
        space, times = Space.of(node), nodes.key_times(document, node)
        info = DocumentInfo(
            **general,
            layer=node.name(),
            kind=node.type(),
            colour=space.words,
            frames=len(times),
            note=" ".join(notices(node, space)),
            rerunnable=keeping.has_settings(document, layer),
        )
        target = Target(nodes.document_id(document), layer, node.name())
        return Look(info, target, None, selection, times, document.currentTime())

    def selection_mark(self) -> int:
        """A sum over the selection's pixels."""
        document = self._application.activeDocument()
        rect = None if document is None else masks.selection_rect(document)
        if rect is None or rect.empty:
            return 0 if rect is None else 1
        data = document.selection().pixelData(rect.x, rect.y, rect.width, rect.height)
        return zlib.crc32(view(data), hash(rect) & 0xFFFFFFFF)

    def is_open(self, document: str) -> bool:
        """Whether a document is still open."""
        return nodes.find_document(self._application, document) is not None

    def mask_choices(self) -> tuple[MaskChoice, ...]:
        """See :func:`.masks.choices`."""
        document = self._application.activeDocument()
        return () if document is None else masks.choices(document)

    def layer_choices(self) -> tuple[LayerChoice, ...]:
        """All layers that have pixels, of all documents, the active one's first."""
        active = self._application.activeDocument()
        first = "" if active is None else nodes.document_id(active)
        found = []
        documents = sorted(self._application.documents(), key=lambda d: nodes.document_id(d) != first)
        for document in documents:
            title = document.name() or document.fileName().rpartition("/")[2] or "Untitled"
            for node in nodes.walk(document):
                if not nodes.is_mask(node) and node.type() != "filterlayer":
                    id, place = nodes.node_id(node), nodes.document_id(document)
                    if id != self._preview.layer:
                        style = LayerStyle(id, "" if place == first else place, node.name())
                        found.append(LayerChoice(style, node.name(), title))
        return tuple(found)

    # -- reading ----------------------------------------------------------------------------------------

    def source(self, target: Target | None = None) -> LayerSource:
        """The layer to read."""
        if target is None:
            look = self.look()
            if look.target is None:
                found = look.problem
                raise ScumbleError(found.code, found.sentence, found.hint) if found else _no_layer()
            target = look.target
        document, node = placing.find(self._application, target)
        if node is None:
            raise ScumbleError(
                Code.FILE_MISSING,
                f"The layer {target.name[:60]!r} is not there any more."
                if target.name
                else "The layer is gone.",
                "Choose the layer to stylize.",
            )
        saved = _Saved(self._kept, document)
        return LayerSource(self._application, document, node, saved, self.style_pixels, target.time)

    def default_mask(self) -> MaskSource:
        """The selection, or the whole layer without one."""
        document = self._active()
        return MaskSource(EVERYTHING) if document.selection() is None else CURRENT

    def keep(self, mask: MaskSource) -> MaskSource:
        """A copy of a mask."""
        document = self._active()
        kept = masks.copy(document, mask, _Saved(self._kept, document))
        name = kept.name
        self._kept[name] = kept
        return MaskSource(SAVED, name)

    def select(self, mask: MaskSource) -> None:
        """Make a mask the selection."""
        document = self._active()
        if mask.kind == EVERYTHING:
            document.setSelection(None)
            return
        kept = masks.copy(document, mask, _Saved(self._kept, document))
        selection, rect = self._new_selection(), kept.rect
        selection.setPixelData(lend_bytes(kept.rows()), rect.x, rect.y, rect.width, rect.height)
        document.setSelection(selection)

    def style_pixels(self, style: SingleStyle) -> PixelBuffer:
        """A file or a layer as a style picture."""
        if isinstance(style, FileStyle):
            return pictures.read_style(style.path)
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
        space = Space.of(node)
        if rect.pixels * max(1, space.pixel_bytes) > LIMITS.style_bytes or space.format is None:
            side = pictures.STYLE_SIDE
            return _rgba(node.thumbnail(min(rect.width, side), min(rect.height, side)))
        area = (rect.x, rect.y, rect.width, rect.height)
        data = view(node.projectionPixelData(*area) if nodes.as_it_looks(node) else node.pixelData(*area))
        check(data, rect.pixels * space.pixel_bytes)
        form = space.format
        return PixelBuffer(rect.width, rect.height, form.layout, form.dtype, data, form.transfer)

    # -- results ----------------------------------------------------------------------------------------

    def place(
        self,
        target: Target,
        results: Sequence[tuple[str, StylizeResult]],
        name: str,
        settings: str,
        masks: Iterable[str] = (),
        *,
        group: bool = False,
    ) -> Placed:
        """Results above the layer that they were made of."""
        document, source = placing.find(self._application, target)
        began = time.perf_counter()
        node = placing.make(self._application, document, source, results, name, group)
        return self._finish(document, source, node, settings, masks, target, began)

    def place_frames(
        self,
        target: Target,
        frames_: Iterable[tuple[int, StylizeResult]],
        name: str,
        settings: str,
        masks: Iterable[str] = (),
    ) -> Placed:
        """An animated layer above the one that it was made of."""
        document, source = placing.find(self._application, target)
        if not frames.is_possible(source):
            raise ScumbleError(
                Code.FILE_MISSING,
                "The animated layer is not there any more, so its frames have no place.",
                "Undo its removal, and stylize again.",
            )
        began = time.perf_counter()
        node = frames.make(self._application, document, source, frames_, name)
        return self._finish(document, source, node, settings, masks, target, began)

    def _finish(
        self,
        document: Any,
        source: Any,
        node: Any,
        settings: str,
        names: Iterable[str],
        target: Target,
        began: float,
    ) -> Placed:
        layer = nodes.node_id(node)
        if settings:
            saved = _Saved(self._kept, document)
            for name in names:
                if name in saved:
                    keeping.write_mask(document, name, saved[name])
            keeping.write_settings(document, layer, settings, target.layer)
        writing = time.perf_counter() - began
        attaching = placing.attach(document, source, node)
        told: tuple[str, ...] = ()
        if source is None:
            told = ("The layer was removed in the meantime: the result is on top of all layers.",)
        return Placed(target.document, layer, told, writing, attaching)

    def activate(self, target: Target) -> None:
        """Make a layer the active one."""
        document = nodes.find_document(self._application, target.document)
        node = None if document is None else nodes.find_node(document, target.layer)
        if node is not None:
            document.setActiveNode(node)
        if target == self._preview.target:
            self._preview.settled()

    def layers(self, document: str) -> dict[str, bool]:
        """The layers of an open document, and whether they are switched on."""
        found = nodes.find_document(self._application, document)
        return {} if found is None else {nodes.node_id(n): bool(n.visible()) for n in nodes.walk(found)}

    def set_visible(self, document: str, layer: str, visible: bool) -> None:
        """Switch a layer on or off."""
        found, node = self._find(document, layer)
        if node is not None:
            node.setVisible(visible)
            found.refreshProjection()

    def kept_settings(self, target: Target) -> tuple[str, str]:
        """What is kept with a result."""
        document = nodes.find_document(self._application, target.document)
        return ("", "") if document is None else keeping.read_settings(document, target.layer)

    # -- live preview -----------------------------------------------------------------------------------

    def put_preview(self, target: Target, result: StylizeResult) -> None:
        """Show a preview above the layer."""
        self._preview.put(target, result)

    def remove_preview(self) -> None:
        """Take it out again."""
        self._preview.remove()

    def has_preview(self) -> bool:
        """Whether one is shown."""
        return bool(self._preview.layer)

    # -- pictures ---------------------------------------------------------------------------------------

    def mask_thumbnail(self, mask: MaskSource, width: int, height: int, number: int = 0) -> Any:
        """The active layer with a mask laid over it in the colour of a region of that place in the list."""
        document = self._application.activeDocument()
        look = self.look()
        if document is None or look.target is None:
            return None
        node = nodes.find_node(document, look.target.layer)
        where = nodes.bounds_of(document, node)
        if where.empty:
            return None
        small = node.thumbnail(width, height)
        saved = _Saved(self._kept, document)
        try:
            place = where if mask.kind == EVERYTHING else masks.bounds(document, mask, saved).intersect(where)
            if mask.kind == EVERYTHING or place.empty:
                return pictures.tinted(small, where, None, "u8", place, width, height, number)
            data, dtype = masks.pixels(document, mask, place, saved)
        except ScumbleError:
            return pictures.tinted(small, where, None, "u8", NOTHING, width, height, number)
        return pictures.tinted(small, where, data, dtype, place, width, height, number)

    def style_thumbnail(self, style: StyleSource, width: int, height: int) -> Any:
        """A style from a file or a layer; ``None`` for others and for what is gone."""
        if isinstance(style, FileStyle):
            return pictures.file_thumbnail(style.path, width, height)
        if isinstance(style, LayerStyle):
            try:
                return self._style_layer(style)[1].thumbnail(width, height)
            except ScumbleError:
                return None
        return None

    def result_thumbnail(self, result: StylizeResult, width: int, height: int) -> Any:
        """A result."""
        return pictures.of_pixels(result.layer, width, height)

    # -- inside -----------------------------------------------------------------------------------------

    def _active(self) -> Any:
        document = self._application.activeDocument()
        if document is None:
            raise _no_document()
        return document

    def _find(self, document: str, layer: str) -> tuple[Any, Any]:
        found = nodes.find_document(self._application, document)
        return found, None if found is None else nodes.find_node(found, layer)

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


class _Saved(dict[str, masks.Kept]):
    """Kept masks: those of this session, and those that the document brings along."""

    def __init__(self, session: dict[str, masks.Kept], document: Any) -> None:
        super().__init__()
        self._session, self._document = session, document

    def __contains__(self, name: object) -> bool:
        if name not in self._session and isinstance(name, str):
            found = keeping.read_mask(self._document, name)
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


def _no_document() -> ScumbleError:
    return ScumbleError(Code.BAD_REQUEST, "No document is open.", "Open or create a picture first.")


def _no_layer() -> ScumbleError:
    return ScumbleError(Code.BAD_REQUEST, "No layer is chosen.", "Click the layer that your picture is on.")
