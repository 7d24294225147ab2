"""One click on "Stylize": one job, or one for each region or frame, and their way into the document."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from scumble.plugin.common import forms
from scumble.plugin.common.annotation import RunSettings, dump
from scumble.plugin.common.build import Built, build
from scumble.plugin.common.jobs import Job, JobView
from scumble.plugin.common.regions import RegionEntry
from scumble.plugin.common.sources import (
    SAVED,
    SELECTION,
    BlendedStyle,
    GalleryStyle,
    StyleSource,
    style_name,
)
from scumble.plugin.common.states import State
from scumble.shared.messages import StylizeResult

from .catalogue import Catalogue
from .host.api import Host, Placed, Target
from .interface import Batch
from .loop import Action
from .spill import Spill
from .turns import Steps


@dataclass(frozen=True)
class Order:
    """What is to be painted, as it was when the user clicked.

    :param entries: with masks that stay as they are.
    :param times: the frames to paint; empty for what is shown.
    :param apart: a layer for each region.
    """

    target: Target
    entries: tuple[RegionEntry, ...]
    engine: str
    options: Mapping[str, Any]
    seed: int = 0
    times: tuple[int, ...] = ()
    apart: bool = False


@dataclass(frozen=True)
class Step:
    """One job of a run."""

    entries: tuple[RegionEntry, ...]
    title: str
    time: int | None = None


@dataclass
class Timing:
    """Seconds, for the measurement and the report.

    :param read: from the click to the request: the plugin and Krita's reading.
    :param job: from the request to the result: wire and backend.
    :param backend: what the backend says of it.
    :param write: making the layer; :param attach: Krita taking it into the picture.
    """

    read: float = 0.0
    job: float = 0.0
    backend: Mapping[str, Any] = field(default_factory=dict)
    write: float = 0.0
    attach: float = 0.0
    total: float = 0.0


class Run:
    """A run; the controller hands its steps to the session one after the other.

    :ivar job: the job of the present step.
    :ivar taken: how the last one ended that was dealt with.
    :ivar settings: of the whole run, once the first step was built.
    :ivar working: ends what is read or written piece by piece now; ``None`` if nothing is.
    """

    def __init__(self, host: Host, catalogue: Catalogue, order: Order, version: str) -> None:
        self.order = order
        self.job: Job | None = None
        self.taken: JobView | None = None
        self.settings: RunSettings | None = None
        self.notices: tuple[str, ...] = ()
        self.began = time.perf_counter()
        self.timing = Timing()
        self.cancelled = False
        self.working: Action | None = None
        self._enough = ("", 0)
        self._host = host
        self._catalogue = catalogue
        self._version = version
        self._results: list[tuple[str, StylizeResult]] = []
        self._spill = Spill()
        self._handed = 0.0
        self.index = 0
        enabled = tuple(entry for entry in order.entries if entry.enabled)
        self._apart = order.apart and len(enabled) > 1
        parts = [(entry,) for entry in enabled] if self._apart else [order.entries]
        times: tuple[int | None, ...] = order.times or (None,)
        self.steps = tuple(
            Step(part, self.name_of(part if self._apart else enabled), at) for at in times for part in parts
        )

    @property
    def step(self) -> Step:
        """The present one."""
        return self.steps[self.index]

    @property
    def batch(self) -> Batch | None:
        """How far it is, if it has several steps."""
        if len(self.steps) == 1:
            return None
        return Batch(self.index, len(self.steps), self.step.time or 0)

    @property
    def more(self) -> bool:
        """Whether there are steps after the present one."""
        return self.index + 1 < len(self.steps)

    @property
    def finishing(self) -> bool:
        """Whether the present job, as it was sent this time, was told that it is good enough."""
        view = None if self.job is None else self.job.view
        return view is not None and self._enough == (view.id, view.attempt)

    def enough(self) -> bool:
        """The present job is good enough; false if it cannot be told so now."""
        view = None if self.job is None else self.job.view
        if view is None or view.preview is None or view.state is not State.RUNNING or self.finishing:
            return False
        self._enough = (view.id, view.attempt)
        return True

    def lost(self) -> None:
        """The backend is gone, and what it was told with it: it will begin the job anew."""
        self._enough = ("", 0)

    def name_of(self, entries: tuple[RegionEntry, ...]) -> str:
        """For the new layer: styles and engine, as the docker calls them."""
        names = dict.fromkeys(self._style(entry.style) for entry in entries)
        shown = ", ".join(list(names)[:3]) + (", …" if len(names) > 3 else "")
        form = self._catalogue.form(self.order.engine)
        return f"{shown} · {form.label if form is not None else self.order.engine}"

    def _style(self, style: StyleSource | None) -> str:
        if isinstance(style, GalleryStyle):
            return self._catalogue.style_label(style.id)
        if isinstance(style, BlendedStyle):
            return " + ".join(self._style(part) for part, _ in style.parts)
        return style_name(style)

    def build(self) -> Steps[Built]:
        """The request of the present step; reads the layer."""
        began = time.perf_counter()
        step, order = self.step, self.order
        source = self._host.source(replace(order.target, time=step.time))
        self.notices = source.notices
        margin = forms.margin(
            self._catalogue.description, order.engine, order.options, [e.options for e in step.entries]
        )
        yield from source.prefetch(step.entries, margin)
        built = build(
            source,
            step.entries,
            engine=order.engine,
            options=order.options,
            seed=order.seed,
            margin=margin,
            version=self._version,
        )
        if self.settings is None:
            kept = tuple(entry.settings() for entry in order.entries if entry.enabled)
            self.settings = replace(built.settings, regions=kept)
        if self.index == 0:
            # Of one that was started when there was no catalogue yet, only this much is ours.
            began = max(began, self.began)
        self._handed = time.perf_counter()
        self.timing.read += self._handed - began
        return built

    def take(self, result: StylizeResult) -> Steps[None]:
        """The present step's result."""
        self.timing.job += time.perf_counter() - self._handed
        self.timing.backend = result.report
        if self.order.times:
            assert self.step.time is not None
            # Two regions may have one style and so one name.
            number = self.index % (len(self.steps) // len(self.order.times))
            yield from self._spill.add(self.step.time, f"{number}\0{self.step.title}", result)
            if self._results:
                return
        self._results.append((self.step.title, result))

    @property
    def results(self) -> tuple[tuple[str, StylizeResult], ...]:
        """What there is to keep in the history: of an animation its first frame."""
        return tuple(self._results)

    @property
    def frames(self) -> Spill | None:
        """Of an animation all frames."""
        return self._spill if self.order.times else None

    @property
    def name(self) -> str:
        """Of the new layer or group."""
        return self.name_of(tuple(entry for entry in self.order.entries if entry.enabled))

    def place(self) -> Steps[Placed]:
        """Everything into the document."""
        assert self.settings is not None
        text, masks = dump(self.settings), mask_names(self.settings)
        host, order = self._host, self.order
        if order.times:
            frames = self._spill.results(self.name)
            placed = yield from host.place_frames(
                order.target, frames, self.name, text, masks, group=self._apart
            )
        else:
            group = self._apart
            placed = yield from host.place(order.target, self._results, self.name, text, masks, group=group)
        self.timing.write, self.timing.attach = placed.writing_s, placed.attaching_s
        self.timing.total = time.perf_counter() - self.began
        return placed


def frozen(host: Host, entries: tuple[RegionEntry, ...]) -> tuple[RegionEntry, ...]:
    """The entries with a copy of the selection in place of the selection."""
    kept: dict[str, Any] = {}
    found = []
    for entry in entries:
        if entry.enabled and entry.mask.kind == SELECTION:
            if "mask" not in kept:
                kept["mask"] = host.keep(entry.mask)
            entry = replace(entry, mask=kept["mask"])
        found.append(entry)
    return tuple(found)


def mask_names(settings: RunSettings) -> tuple[str, ...]:
    """The kept masks that settings mention."""
    return tuple(dict.fromkeys(r.mask.ref for r in settings.regions if r.mask.kind == SAVED))
