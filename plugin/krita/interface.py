"""What the docker may call and what it is told; no Qt and no Krita in here.

The docker gets a :class:`ControllerPort`.  It draws ``port.state`` (a :class:`Snapshot`, which never
changes), calls methods, and is told through :meth:`ControllerPort.listen` *which parts* of the state are
new.  Everything happens in the GUI thread, and no method blocks or raises: what goes wrong becomes
``state.failure`` or ``state.notices``.

Styles, masks, regions, forms and job views are the editor-independent ones of
:mod:`scumble.plugin.common`.  Pictures (thumbnails) are ``QImage``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from scumble.plugin.common.backend import Remote
from scumble.plugin.common.forms import Field, Form
from scumble.plugin.common.sources import MaskSource, StyleSource

from .snapshot import (
    BackendInfo,
    BackendState,
    Batch,
    DocumentInfo,
    HistoryItem,
    LayerChoice,
    MaskChoice,
    Output,
    Part,
    PreviewInfo,
    Snapshot,
    StyleCard,
)

if TYPE_CHECKING:
    from .picking import Picking

__all__ = [
    "BACKEND_IDLE",
    "BACKEND_PYTHON",
    "BackendInfo",
    "BackendState",
    "Batch",
    "ControllerPort",
    "DocumentInfo",
    "HistoryItem",
    "LayerChoice",
    "Listener",
    "MaskChoice",
    "Output",
    "Part",
    "Plain",
    "PreviewInfo",
    "Snapshot",
    "StyleCard",
]

#: Settings (``ControllerPort.get_setting``) of the backend that is started here, taken over by
#: ``set_remote``: the Python that has it (``""`` for the one that was installed), and the minutes after
#: which it ends itself.
BACKEND_PYTHON, BACKEND_IDLE = "backend_python", "backend_idle_minutes"

#: Called in the GUI thread with what is new; at most once per turn of the event loop.
Listener = Callable[[frozenset[Part]], None]


class ControllerPort(Protocol):
    """What the docker may do.  See the module; nothing here blocks or raises."""

    @property
    def state(self) -> Snapshot:
        """What to draw now; cheap, the same object until something changes."""
        ...

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Be told of changes; calling what comes back ends that."""
        ...

    @property
    def picking(self) -> Picking:
        """Small pictures of the layer, questions for masks, and what becomes of them."""
        ...

    def set_shown(self, shown: bool) -> None:
        """Whether the docker can be seen: layers and selection are only followed while it is.  The
        first time asks the backend (and so starts it) for engines and styles."""
        ...

    # -- painting ---------------------------------------------------------------------------------------

    def stylize(self) -> None:
        """Paint: the regions, or the selection, or the whole layer; all frames if so chosen."""
        ...

    def cancel(self) -> None:
        """Stop the job or batch that runs."""
        ...

    def enough(self) -> None:
        """Good enough: the job that runs stops refining, and its result comes as usual.  Of a batch it is
        the present job; nothing happens while there is no preview of it."""
        ...

    def retry(self) -> None:
        """Try the failed job again."""
        ...

    def rerun(self) -> None:
        """Run again with the settings kept in the active layer, on the layer that it was made of."""
        ...

    def load_from_layer(self) -> None:
        """Take engine, options, styles and regions from the settings kept in the active layer."""
        ...

    # -- choices ----------------------------------------------------------------------------------------

    def set_engine(self, name: str) -> None: ...

    def set_option(self, name: str, value: Any) -> Field | None:
        """The field, whose ``error`` says why the value was refused; ``None`` for an unknown name."""
        ...

    def reset_option(self, name: str) -> None: ...

    def reset_options(self) -> None: ...

    def set_style(self, style: StyleSource | None) -> None:
        """For the picked region, or for what is painted next if none is picked."""
        ...

    def set_strength(self, strength: float) -> None:
        """0 to 1; for the picked region, or for what is painted next if none is picked."""
        ...

    def set_seed(self, seed: int) -> None: ...

    def set_output(self, output: Output) -> None: ...

    def set_all_frames(self, on: bool) -> None: ...

    # -- regions ----------------------------------------------------------------------------------------

    def add_region(self, mask: MaskSource | None = None) -> str:
        """Add one with the current style and pick it; its id, ``""`` if that failed.

        Without a mask the current selection is copied, so that the next one can be drawn.
        """
        ...

    def change_region(self, id: str, **changes: Any) -> None:
        """Give one other values, by the names of :class:`RegionEntry`'s fields."""
        ...

    def region_form(self, id: str) -> Form | None:
        """The options that a region may have of its own, with its values."""
        ...

    def set_region_option(self, id: str, name: str, value: Any) -> Field | None: ...

    def reset_region_options(self, id: str) -> None: ...

    def remove_region(self, id: str) -> None: ...

    def move_region(self, id: str, index: int) -> None: ...

    def duplicate_region(self, id: str) -> None: ...

    def clear_regions(self) -> None: ...

    def pick_region(self, id: str) -> None:
        """Select one in the list (``""`` for none): style and strength then belong to it."""
        ...

    def select_mask(self, id: str) -> None:
        """Make a region's mask the document's selection, to change it."""
        ...

    def mask_choices(self) -> tuple[MaskChoice, ...]:
        """Masks that a region may have now; looked up when called."""
        ...

    def layer_choices(self) -> tuple[LayerChoice, ...]:
        """Layers of all open documents that may serve as style; looked up when called."""
        ...

    def region_thumbnail(self, id: str, width: int, height: int) -> Any:
        """A ``QImage``: the picture with the region tinted; ``None`` if there is none."""
        ...

    def style_thumbnail(self, style: StyleSource, width: int, height: int) -> Any:
        """A ``QImage`` of a style from a file or layer (or of the gallery); ``None`` if there is none."""
        ...

    # -- live preview -----------------------------------------------------------------------------------

    def set_preview(self, on: bool) -> None:
        """Have a quick preview layer follow controls and selection; switching off removes it."""
        ...

    def dismiss_preview(self) -> None:
        """Remove the preview layer and stop following."""
        ...

    # -- history ----------------------------------------------------------------------------------------

    def apply(self, id: str) -> None:
        """Put an earlier result into its document again, as a new layer."""
        ...

    def toggle_compare(self, id: str = "") -> None:
        """Hide or show the layer of a result, by default the latest (before / after)."""
        ...

    def load_from_history(self, id: str) -> None:
        """Take engine, options, styles and regions of an earlier result."""
        ...

    def forget(self, id: str) -> None:
        """Take a result out of the history; its layer stays."""
        ...

    def history_thumbnail(self, id: str, width: int, height: int) -> Any:
        """A ``QImage`` of a result; ``None`` if its pixels are gone."""
        ...

    # -- backend, failures, settings ----------------------------------------------------------------------

    def refresh(self) -> None:
        """Ask the backend again for engines and styles; starts it if it is not there."""
        ...

    def restart_backend(self) -> None:
        """End this machine's backend and start it again."""
        ...

    def backend_log(self) -> str:
        """The last lines of the backend's log."""
        ...

    def set_remote(self, remote: Remote) -> None:
        """Use a backend on another machine, or this one's; kept in the settings."""
        ...

    def set_style_folder(self, folder: str) -> None:
        """Where "from file…" begins."""
        ...

    def get_setting(self, key: str, default: Any = None) -> Any:
        """A setting of the docker's own (plain data), such as which sections are folded."""
        ...

    def set_setting(self, key: str, value: Any) -> None: ...

    def report(self) -> str:
        """The text behind "copy report": redacted, about the last failure or job."""
        ...

    def dismiss_failure(self) -> None: ...

    def dismiss_notices(self) -> None: ...


#: For a fake in tests: any mapping of plain values.
Plain = Mapping[str, Any]
