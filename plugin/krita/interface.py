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
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from scumble.plugin.common.backend import Remote
from scumble.plugin.common.failures import Failure
from scumble.plugin.common.forms import Field, Form
from scumble.plugin.common.jobs import JobView
from scumble.plugin.common.regions import RegionEntry
from scumble.plugin.common.sources import LayerStyle, MaskSource, StyleSource

if TYPE_CHECKING:
    from .picking import Picking


class Part(str, Enum):
    """A part of the state that is new; what a listener is called with."""

    DOCUMENT = "document"  # another document, layer, selection or frame
    BACKEND = "backend"  # started, lost, ready, moved
    CATALOGUE = "catalogue"  # engines and styles arrived or changed
    CHOICE = "choice"  # engine, options, style, strength, seed, output
    REGIONS = "regions"  # the list, or which entry is picked
    JOB = "job"  # progress, state, batch
    PREVIEW = "preview"  # live preview on, off, put, removed
    HISTORY = "history"
    FAILURE = "failure"  # a failure came or was dismissed
    NOTICES = "notices"
    SETTINGS = "settings"  # remote backend, folders


class Output(str, Enum):
    """What becomes of a result."""

    LAYER = "layer"  # one paint layer above the source
    GROUP = "group"  # a group with one layer for each region


class BackendState(str, Enum):
    """How the backend is."""

    UNKNOWN = "unknown"  # nobody has asked yet; it starts at first use
    STARTING = "starting"
    READY = "ready"
    BUSY = "busy"
    LOST = "lost"  # it was there and does not answer; it is tried again by itself
    FAILED = "failed"  # it could not be started or refuses to work


@dataclass(frozen=True)
class DocumentInfo:
    """The document and layer that a click on "Stylize" would take.

    :param layer: name of the layer whose pixels are read (a mask's parent, if a mask is active).
    :param kind: libkis' word, such as ``paintlayer`` or ``grouplayer``.
    :param colour: for people, such as ``RGB, 16-bit``.
    :param selection: (width, height) of the selection's bounds, ``None`` without one.
    :param frames: how many key frames the layer has; 0 or 1 if it is not animated.
    :param note: a sentence about what will happen that one might not expect (a group is read as it
        looks; CMYK is converted); ``""`` for none.
    :param rerunnable: whether the layer is a result of ours whose settings can be run again.
    """

    name: str = ""
    layer: str = ""
    kind: str = ""
    width: int = 0
    height: int = 0
    colour: str = ""
    selection: tuple[int, int] | None = None
    frames: int = 0
    note: str = ""
    rerunnable: bool = False


@dataclass(frozen=True)
class BackendInfo:
    """:param text: a line for people.
    :param device: such as ``CPU, 2 threads``; ``""`` while it is not known.
    """

    state: BackendState = BackendState.UNKNOWN
    text: str = ""
    device: str = ""
    version: str = ""
    remote: Remote = field(default_factory=Remote)


@dataclass(frozen=True)
class StyleCard:
    """A style of the gallery.

    :param thumbnail: a PNG or JPEG file's bytes, ``b""`` if there is none.
    :param own: whether the user added it.
    """

    id: str
    name: str
    description: str = ""
    tags: tuple[str, ...] = ()
    thumbnail: bytes = b""
    own: bool = False

    def matches(self, words: str) -> bool:
        """Whether every word is somewhere in its name, description or tags."""
        text = " ".join((self.id, self.name, self.description, *self.tags)).casefold()
        return all(word in text for word in words.casefold().split())


@dataclass(frozen=True)
class MaskChoice:
    """A mask that a region may have, for a menu.

    :param group: a heading, such as ``Transparency masks``.
    :param problem: why it cannot be taken now; ``""`` if it can.
    """

    source: MaskSource
    label: str
    group: str = ""
    problem: str = ""


@dataclass(frozen=True)
class LayerChoice:
    """A layer of an open document that may serve as style, for a menu with one part per document."""

    style: LayerStyle
    label: str
    document: str


@dataclass(frozen=True)
class Batch:
    """All frames of a layer.

    :param done: frames that are finished.
    :param frame: the time (number of the frame) that is painted now.
    """

    done: int
    of: int
    frame: int = 0


@dataclass(frozen=True)
class PreviewInfo:
    """:param on: whether a preview follows the controls.
    :param shown: whether a preview layer lies in the document now.
    :param busy: whether one is being painted.
    :param text: a line for people: why there is none, or how long it took.
    """

    on: bool = False
    shown: bool = False
    busy: bool = False
    text: str = ""


@dataclass(frozen=True)
class HistoryItem:
    """A result of this session.

    :param made_at: seconds since 1970.
    :param applicable: whether its pixels are still kept, so that :meth:`ControllerPort.apply` works.
    :param placed: whether its layer is still in an open document.
    :param visible: whether that layer is shown (before / after).
    """

    id: str
    name: str
    made_at: float = 0.0
    seconds: float = 0.0
    applicable: bool = True
    placed: bool = True
    visible: bool = True


@dataclass(frozen=True)
class Snapshot:
    """All that there is to draw, at one moment.

    :param document: ``None`` if no document is open.
    :param problem: why "Stylize" cannot be clicked, with a hint; ``None`` if it can.
    :param engines: a form for each engine; the chosen one's values are the current ones.
    :param form: the chosen engine's; ``None`` before the backend was asked.  Read it only; change it
        through :meth:`ControllerPort.set_option`.
    :param style: for a new region, and for the selection when the list of regions is empty.
    :param regions: empty means: the current selection (the whole layer without one) with ``style``.
    :param picked: id of the region that is selected in the list; ``""`` for none.
    :param job: the job that runs, or the last one; ``None`` before the first.
    :param running: whether a job (or batch) is under way, so that "Cancel" is shown.
    :param finishing: whether the job that runs was told that it is good enough.
    :param failure: of the last job or command, until it is dismissed or the next one starts.
    :param notices: sentences about what was done otherwise than one might think, newest last.
    :param compare: ``"before"`` while results are hidden for comparison, ``"after"`` while shown,
        ``""`` if there is nothing to compare.
    """

    document: DocumentInfo | None = None
    problem: Failure | None = None
    backend: BackendInfo = field(default_factory=BackendInfo)
    engines: tuple[Form, ...] = ()
    engine: str = ""
    form: Form | None = None
    styles: tuple[StyleCard, ...] = ()
    style: StyleSource | None = None
    strength: float = 1.0
    seed: int = 0
    output: Output = Output.LAYER
    all_frames: bool = False
    regions: tuple[RegionEntry, ...] = ()
    picked: str = ""
    job: JobView | None = None
    running: bool = False
    finishing: bool = False
    batch: Batch | None = None
    preview: PreviewInfo = field(default_factory=PreviewInfo)
    history: tuple[HistoryItem, ...] = ()
    compare: str = ""
    failure: Failure | None = None
    notices: tuple[str, ...] = ()
    style_folder: str = ""


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
