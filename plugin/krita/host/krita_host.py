"""All of the host, for a running Krita."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from scumble.plugin.common.failures import explain
from scumble.plugin.common.geometry import NOTHING
from scumble.plugin.common.sources import (
    EVERYTHING,
    FileStyle,
    LayerStyle,
    MaskSource,
    StyleSource,
)
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import StylizeResult

from ..interface import DocumentInfo, LayerChoice, MaskChoice
from ..turns import Steps, at_once
from . import frames, keeping, marking, masks, nodes, pictures, placing, previewing
from .api import KeptSettings, Look, Placed, Target
from .colour import Space
from .reading import Reading, Saved, no_document, no_layer
from .source import notices


class KritaHost(Reading):
    """See :class:`.api.Host`.

    :param application: ``Krita.instance()``.
    :param new_selection: ``krita.Selection``.
    """

    def __init__(self, application: Any, new_selection: Callable[[], Any]) -> None:
        self._application = application
        self._new_selection = new_selection
        self._kept: dict[str, masks.Kept] = {}
        self._preview = previewing.Preview(application)
        self._mark = marking.Mark()

    @property
    def version(self) -> str:
        """Such as ``Krita 5.2.9``."""
        return f"Krita {self._application.version()}"

    # -- looking ----------------------------------------------------------------------------------------

    def look(self) -> Look:
        """What the user has before them."""
        document = self._application.activeDocument()
        if document is None:
            return Look(problem=explain(no_document()))
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
            return Look(DocumentInfo(**general), None, explain(no_layer()), selection)
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
        """A number that is another one after the selection has changed."""
        document = self._application.activeDocument()
        rect = None if document is None else masks.selection_rect(document)
        return self._mark.of(None if rect is None else document.selection(), rect)

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
    ) -> Steps[Placed]:
        """Results above the layer that they were made of."""
        document, source = placing.find(self._application, target)
        began = time.perf_counter()
        steps = placing.make(self._application, document, source, results, name, group)
        node = yield from nodes.while_open(self._application, target.document, steps)
        # Another time: the layer may have been removed meanwhile.
        document, source = placing.find(self._application, target)
        kept = KeptSettings(settings, target.layer, group=group)
        return (yield from self._finish(document, source, node, kept, masks, target, began))

    def place_frames(
        self,
        target: Target,
        results: Sequence[tuple[str, Iterable[tuple[int, StylizeResult]]]],
        name: str,
        settings: str,
        masks: Iterable[str] = (),
        *,
        group: bool = False,
    ) -> Steps[Placed]:
        """An animated layer, or a group of them, above the one that they were made of."""
        document, source = placing.find(self._application, target)
        if not frames.is_possible(source):
            raise ScumbleError(
                Code.FILE_MISSING,
                "The animated layer is not there any more, so its frames have no place.",
                "Undo its removal, and stylize again.",
            )
        began = time.perf_counter()
        kept = KeptSettings(settings, target.layer, frames=True, group=group)
        names = list(masks)
        yield from self._pack(document, names)
        node = frames.make(self._application, document, source, results, name, group)
        return at_once(self._finish(document, source, node, kept, names, target, began))

    def _finish(
        self,
        document: Any,
        source: Any,
        node: Any,
        kept: KeptSettings,
        names: Iterable[str],
        target: Target,
        began: float,
    ) -> Steps[Placed]:
        layer, names = nodes.node_id(node), list(names)
        if kept.text:
            yield from self._pack(document, names)
            saved = Saved(self._kept, document)
            for name in names:
                if name in saved:
                    keeping.write_mask(document, name, saved[name])
            keeping.write_settings(document, layer, kept)
        writing = time.perf_counter() - began
        attaching = placing.attach(document, source, node)
        told: tuple[str, ...] = ()
        if source is None:
            told = ("The layer was removed in the meantime: the result is on top of all layers.",)
        return Placed(target.document, layer, told, writing, attaching)

    def _pack(self, document: Any, names: Iterable[str]) -> Steps[None]:
        saved = Saved(self._kept, document)
        for name in names:
            if name in saved and saved[name].selection is not None:
                yield from saved[name].read()

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

    def kept_settings(self, target: Target) -> KeptSettings:
        """What is kept with a result."""
        document = nodes.find_document(self._application, target.document)
        return KeptSettings() if document is None else keeping.read_settings(document, target.layer)

    def key_times(self, target: Target) -> tuple[int, ...]:
        """The times of a layer's key frames."""
        document, node = self._find(target.document, target.layer)
        return () if node is None else nodes.key_times(document, node)

    # -- live preview -----------------------------------------------------------------------------------

    def put_preview(self, target: Target, result: StylizeResult) -> Steps[None]:
        """Show a preview above the layer."""
        yield from self._preview.put(target, result)

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
        saved = Saved(self._kept, document)
        try:
            if mask.kind == EVERYTHING:
                return pictures.tinted(small, where, None, "u8", where, width, height, number)
            place, size, data, dtype = masks.sampled(document, mask, saved)
        except ScumbleError:
            return pictures.tinted(small, where, None, "u8", NOTHING, width, height, number)
        if place.intersect(where).empty:
            return pictures.tinted(small, where, None, "u8", NOTHING, width, height, number)
        return pictures.tinted(small, where, data, dtype, place, width, height, number, size)

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

    def _find(self, document: str, layer: str) -> tuple[Any, Any]:
        found = nodes.find_document(self._application, document)
        return found, None if found is None else nodes.find_node(found, layer)
