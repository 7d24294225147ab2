"""What the controller asks of the editor.  All of it belongs to the GUI thread."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from scumble.plugin.common.build import Host as PixelHost
from scumble.plugin.common.failures import Failure
from scumble.plugin.common.geometry import Rect
from scumble.plugin.common.sources import MaskSource, StyleSource
from scumble.shared.messages import StylizeResult

from ..interface import DocumentInfo, LayerChoice, MaskChoice


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


class Source(PixelHost, Protocol):
    """A layer to read.

    :ivar target: which one.
    :ivar notices: what is done otherwise than one might think, a sentence each.
    """

    target: Target

    @property
    def notices(self) -> tuple[str, ...]: ...


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


class Host(Protocol):
    """The editor.  What cannot be done raises :class:`ScumbleError`."""

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

    def select(self, mask: MaskSource) -> None:
        """Make a mask the selection."""
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
    ) -> Placed:
        """Put results above the layer they were made of, as one step to undo.

        :param results: (name, result); one without ``group``.
        :param settings: to be kept with the new layer.
        :param masks: the kept masks' names that the settings mention.
        """
        ...

    def place_frames(
        self,
        target: Target,
        frames: Iterable[tuple[int, StylizeResult]],
        name: str,
        settings: str,
        masks: Iterable[str] = (),
    ) -> Placed:
        """Put an animated layer above the one it was made of, as one step to undo."""
        ...

    def activate(self, target: Target) -> None:
        """Make a layer the active one, if it is there."""
        ...

    def layers(self, document: str) -> dict[str, bool]:
        """The layers of a document by id, and whether they are shown; none of a closed one."""
        ...

    def set_visible(self, document: str, layer: str, visible: bool) -> None: ...

    def kept_settings(self, target: Target) -> tuple[str, str]:
        """(settings, the layer they were used on) of a result; ``("", "")`` if it is none."""
        ...

    # -- live preview -----------------------------------------------------------------------------------

    def put_preview(self, target: Target, result: StylizeResult) -> None:
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
