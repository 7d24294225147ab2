"""All that there is to draw in the docker, at one moment: plain data, no Qt and no Krita in here."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from scumble.plugin.common.backend import Remote
from scumble.plugin.common.failures import Failure
from scumble.plugin.common.forms import Form
from scumble.plugin.common.jobs import JobView
from scumble.plugin.common.regions import RegionEntry
from scumble.plugin.common.sources import LayerStyle, MaskSource, StyleSource


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
