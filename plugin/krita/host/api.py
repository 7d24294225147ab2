"""What the controller asks of the editor.  All of it belongs to the GUI thread."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from scumble.plugin.common.build import Host as PixelHost
from scumble.plugin.common.failures import Failure
from scumble.plugin.common.geometry import Rect
from scumble.plugin.common.regions import RegionEntry
from scumble.plugin.common.sources import MaskSource, SingleStyle, StyleSource
from scumble.shared.messages import Bytes, MaskBuffer, PixelBuffer, StylizeResult

from ..interface import DocumentInfo, LayerChoice, MaskChoice
from ..turns import Steps


@dataclass(frozen=True)
class Target:
    """What a job works on.

    :param document: of an open document; good until it is closed.
    :param layer: of the layer that is read; Krita keeps it in the file.
    :param name: the layer's, for people.
    :param time: the frame; ``None`` for whatever is shown.
    """

    document: str
    layer: str
    name: str = ""
    time: int | None = None


@dataclass(frozen=True)
class Look:
    """What the user has before them; two equal ones need no new drawing.

    :param info: ``None`` if no document is open.
    :param target: ``None`` if there is nothing to stylize.
    :param problem: why there is not.
    :param selection: the selection's bounds, ``None`` without one.
    :param times: of the layer's key frames.
    :param time: the current frame.
    """

    info: DocumentInfo | None = None
    target: Target | None = None
    problem: Failure | None = None
    selection: Rect | None = None
    times: tuple[int, ...] = ()
    time: int = 0


@dataclass(frozen=True, eq=False)
class Picture:
    """What a layer looks like, small.

    :param target: the layer.
    :param rect: the part of the document that it shows: the layer, as far as it is on the canvas.
    :param pixels: rgba u8, straight alpha.
    :param image: the same as a ``QImage``.
    :param factor: document pixels of each of its pixels, along each side; the last column and row may
        stand for fewer.
    """

    target: Target
    rect: Rect
    pixels: PixelBuffer
    image: Any
    factor: int = 1

    @property
    def scale(self) -> float:
        """Document pixels of a picture pixel."""
        return float(self.factor)

    def to_document(self, x: float, y: float) -> tuple[float, float]:
        """A place of the picture in the document."""
        return self.rect.x + x * self.factor, self.rect.y + y * self.factor

    def to_picture(self, x: float, y: float) -> tuple[float, float]:
        """A place of the document in the picture."""
        return (x - self.rect.x) / self.factor, (y - self.rect.y) / self.factor


class Source(PixelHost, Protocol):
    """A layer to read.

    :ivar target: which one.
    :ivar notices: what is done otherwise than one might think, a sentence each.
    """

    target: Target

    @property
    def notices(self) -> tuple[str, ...]: ...

    def prefetch(self, entries: Sequence[RegionEntry], margin: int | None) -> Steps[None]:
        """Read, piece by piece, what a request of these regions will ask for."""
        ...


@dataclass(frozen=True)
class Placed:
    """A result's layer (or group) in a document.

    :param notices: what was done otherwise than one might think.
    :param writing_s: seconds for making and filling the layer.
    :param attaching_s: seconds Krita took for taking it into the picture.
    """

    document: str
    layer: str
    notices: tuple[str, ...] = ()
    writing_s: float = 0.0
    attaching_s: float = 0.0


@dataclass(frozen=True)
class KeptSettings:
    """What a result's layer says about how it was made.

    :param text: the settings, as :func:`~scumble.plugin.common.annotation.parse` reads them.
    :param source: the layer that they were used on.
    :param frames: whether all its frames were painted.
    :param group: whether each region became a layer of its own.
    """

    text: str = ""
    source: str = ""
    frames: bool = False
    group: bool = False


class Host(Protocol):
    """The editor.  What cannot be done raises :class:`ScumbleError`; what may take long comes in
    :data:`..turns.Steps`."""

    @property
    def version(self) -> str:
        """The editor's name and version."""
        ...

    # -- looking ----------------------------------------------------------------------------------------

    def look(self) -> Look:
        """What the user has before them; never raises."""
        ...

    def selection_mark(self) -> int:
        """A number that is another one after the selection has changed."""
        ...

    def is_open(self, document: str) -> bool: ...

    def mask_choices(self) -> tuple[MaskChoice, ...]: ...

    def layer_choices(self) -> tuple[LayerChoice, ...]: ...

    # -- reading ----------------------------------------------------------------------------------------

    def source(self, target: Target | None = None) -> Source:
        """The layer to read, by default the active one."""
        ...

    def default_mask(self) -> MaskSource:
        """The selection, or the whole layer without one."""
        ...

    def keep(self, mask: MaskSource) -> MaskSource:
        """A copy of a mask that stays as it is when the selection changes."""
        ...

    def select(self, mask: MaskSource) -> Steps[None]:
        """Make a mask the selection."""
        ...

    def recall(self, names: Iterable[str]) -> Steps[None]:
        """Read masks that were saved with the active document, so that later nobody waits for them."""
        ...

    def style_pixels(self, style: SingleStyle) -> PixelBuffer:
        """A file or a layer as a style picture."""
        ...

    # -- picking by clicks ------------------------------------------------------------------------------

    def picture(self, longest: int) -> Steps[Picture]:
        """What the active layer looks like, at most so many pixels a side."""
        ...

    def enlarged(self, mask: MaskBuffer, rect: Rect, times: int) -> Steps[tuple[Rect, bytes]]:
        """A mask of a small picture of ``rect`` in document pixels: (where it is, u8 samples)."""
        ...

    def put_selection(self, rect: Rect, rows: Bytes, how: str) -> Steps[None]:
        """A mask of u8 samples as the active document's selection: ``replace``, ``add`` or
        ``subtract``; one step to undo."""
        ...

    def keep_bytes(self, rect: Rect, rows: Bytes) -> MaskSource:
        """A mask of u8 samples in the active document, to be kept."""
        ...

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
        """Put results above the layer they were made of, as one step to undo.

        :param results: (name, result); one without ``group``.
        :param settings: to be kept with the new layer.
        :param masks: the kept masks' names that the settings mention.
        """
        ...

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
        """Put an animated layer, or a group of them, above the one they were made of, as one step to undo.

        :param results: (name, frames); one without ``group``.
        """
        ...

    def activate(self, target: Target) -> None:
        """Make a layer the active one, if it is there."""
        ...

    def layers(self, document: str) -> dict[str, bool]:
        """The layers of a document by id, and whether they are shown; none of a closed one."""
        ...

    def set_visible(self, document: str, layer: str, visible: bool) -> None: ...

    def kept_settings(self, target: Target) -> KeptSettings:
        """What is kept with a result; empty if it is none."""
        ...

    def key_times(self, target: Target) -> tuple[int, ...]:
        """The times of a layer's key frames."""
        ...

    # -- live preview -----------------------------------------------------------------------------------

    def put_preview(self, target: Target, result: StylizeResult) -> Steps[None]:
        """Show a preview above the layer; an earlier one goes."""
        ...

    def remove_preview(self) -> None:
        """Take it out again, without a trace in the undo history where that is possible."""
        ...

    def has_preview(self) -> bool:
        """Whether one is shown (the user may have undone it)."""
        ...

    # -- pictures ---------------------------------------------------------------------------------------

    def mask_thumbnail(self, mask: MaskSource, width: int, height: int, number: int = 0) -> Any: ...

    def style_thumbnail(self, style: StyleSource, width: int, height: int) -> Any: ...

    def result_thumbnail(self, result: StylizeResult, width: int, height: int) -> Any: ...
