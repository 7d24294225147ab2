"""Ties the host, the job session and the user's choices together; what the docker talks to.

No widgets and no Qt: the event loop comes in as :class:`.loop.Loop`.  Everything but the session's own
thread runs in the GUI thread.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from scumble.plugin.common import described
from scumble.plugin.common.annotation import RunSettings
from scumble.plugin.common.backend import Remote, connector
from scumble.plugin.common.failures import Failure, explain
from scumble.plugin.common.history import History, Made
from scumble.plugin.common.jobs import JobView, Query
from scumble.plugin.common.report import Facts, last_lines, report
from scumble.plugin.common.session import Change, JobSession
from scumble.plugin.common.settings import Settings
from scumble.plugin.common.sources import SELECTION, is_number
from scumble.plugin.common.states import State
from scumble.plugin.common.worker import Worker
from scumble.shared import launch
from scumble.shared.client import Client
from scumble.shared.errors import ScumbleError
from scumble.shared.messages import StylizeResult

from .again import Again
from .backend_watch import BackendWatch
from .catalogue import Catalogue
from .choices import EDITOR, Choices
from .commands import Commands
from .host.api import Host, Look
from .interface import BACKEND_IDLE, BACKEND_PYTHON, Listener, Part, Snapshot
from .loop import Loop, safely
from .painting import Painting
from .past import Past
from .picking import Picking
from .previews import LivePreview

log = logging.getLogger(__name__)

#: How often layer and selection are looked at while somebody can see the docker, or a job runs.
LOOK_MS = 300
Connector = Callable[[Remote], Callable[[], Client]]


class _Unkept(History):
    """The session's own history stays empty: a run of many jobs is one result."""

    def add(self, id: str, result: StylizeResult, *_: Any, **__: Any) -> Made:
        return Made(id, None, result)


class Controller(Painting, Commands, Again):
    """See the module, and :class:`.interface.ControllerPort` for what it offers.

    :param connect: makes a connector for a remote backend's settings; for tests.
    """

    def __init__(
        self,
        host: Host,
        loop: Loop,
        *,
        settings: Settings | None = None,
        connect: Connector | None = None,
        version: str = "",
    ) -> None:
        super().__init__()
        self.host = host
        self.loop = loop
        self.version = version
        self.settings = Settings.load() if settings is None else settings
        self.choices = Choices(self.settings)
        self.past = Past(host)
        self._connect = connect or self._connector
        self.session = JobSession(self._connect(self.settings.remote), history=_Unkept())
        self.preview = LivePreview(
            host, self.working_session, loop, self._preview_run, lambda: self.touch(Part.PREVIEW)
        )
        self.picking = Picking(self)
        self.backend = BackendWatch()
        self.look = Look()
        self.failure: Failure | None = None
        self.notices: tuple[str, ...] = (self.settings.problem,) if self.settings.problem else ()
        self._worker: Worker | None = None
        self._shown = False
        self._looking = False
        self._mark = 0
        self._listeners: list[Listener] = []
        self._new: set[Part] = set()
        self._snapshot: Snapshot | None = None
        known = described.kept()
        if known:
            self.choices.take(Catalogue.of(known))

    # -- what is drawn ----------------------------------------------------------------------------------

    @property
    def state(self) -> Snapshot:
        """What to draw now."""
        if self._snapshot is None:
            self._snapshot = self._draw()
        return self._snapshot

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Be told of changes."""
        self._listeners.append(listener)

        def stop() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return stop

    def touch(self, *parts: Part) -> None:
        """These parts are new."""
        self._snapshot = None
        if not self._new:
            self.loop.later(0, self._tell)
        self._new.update(parts)

    def _tell(self) -> None:
        parts, self._new = frozenset(self._new), set()
        for listener in list(self._listeners):
            safely(lambda listener=listener: listener(parts))  # type: ignore[misc]

    def _draw(self) -> Snapshot:
        choices, job = self.choices, self._last
        if self.run is not None and self.run.job is not None:
            job = self.run.job.view
        elif self._waiting is not None:
            job = JobView("", State.STARTING, self.backend.info.text or "Starting the Scumble backend…")
        return Snapshot(
            document=self.look.info,
            problem=self.look.problem,
            backend=replace(self.backend.info, remote=self.settings.remote),
            engines=choices.catalogue.engines,
            engine=choices.engine,
            form=choices.form,
            styles=choices.catalogue.styles,
            style=choices.style,
            strength=choices.strength,
            seed=choices.seed,
            output=choices.output,
            all_frames=choices.all_frames,
            regions=choices.regions.snapshot(),
            picked=choices.picked,
            job=job,
            running=self.run is not None or self._waiting is not None,
            finishing=self.run is not None and self.run.finishing,
            batch=None if self.run is None else self.run.batch,
            preview=self.preview.info,
            history=self.past.items(),
            compare=self.past.compare(),
            failure=self.failure,
            notices=self.notices,
            style_folder=self.settings.style_folder,
        )

    # -- looking at the document ------------------------------------------------------------------------

    def set_shown(self, shown: bool) -> None:
        """Whether the docker can be seen."""
        self._shown = shown
        if shown:
            self._keep_looking()
            if not self.backend.asked:
                self.refresh()

    def _keep_looking(self) -> None:
        if not self._looking:
            self._looking = True
            self._look_again()

    def _look_again(self) -> None:
        if not (self._shown or self.run is not None or self.preview.on):
            self._looking = False
            return
        try:
            self.see()
        finally:
            self.loop.later(LOOK_MS, self._look_again)

    def see(self) -> None:
        """Look at the document now."""
        look, before = self.host.look(), self.look
        changed = look != before
        if changed:
            self.look = look
            self.touch(Part.DOCUMENT)
        if self.past.look():
            self.touch(Part.HISTORY)
        run = self.run
        if run is not None and not run.cancelled and not self.host.is_open(run.order.target.document):
            self._abandon(run)
        if self.preview.on and run is None:
            self.preview.look()
            if self.mark_selection() or self._moved(before):
                self.preview.consider()

    def _moved(self, before: Look) -> bool:
        """Whether the user has gone to another layer than what was painted last."""
        target = self.look.target
        if target is not None and target.layer == self._fresh:
            return False  # Krita makes a new layer the active one for a moment
        if target == self._ordered:
            self._fresh = ""
            return False
        return target != before.target

    def mark_selection(self) -> bool:
        """Whether the selection, if it is painted, is another one than the last time."""
        regions = self.choices.regions.snapshot()
        follows = not regions or any(r.enabled and r.mask.kind == SELECTION for r in regions)
        before, self._mark = self._mark, self.host.selection_mark() if follows else 0
        return self._mark != before

    # -- the session --------------------------------------------------------------------------------------

    def working_session(self) -> JobSession:
        """The session, with a thread that drives it."""
        if self._worker is None:
            self._worker = Worker(self.session, lambda new: self.loop.post(lambda: self._changed(new)))
            self._worker.start()
        return self.session

    def _changed(self, changes: Iterable[Change]) -> None:
        for change in changes:
            if isinstance(change, Query):
                self._answered(change)
                self.picking.take(change)
            elif not self.preview.take(change):
                self._stepped(change)
        if self.backend.update(self.session, changes):
            self.touch(Part.BACKEND)

    def _answered(self, query: Query) -> None:
        if query.kind != "describe" or not query.done:
            if self._waiting is not None:
                self.touch(Part.JOB)
            return
        waiting, self._waiting = self._waiting, None
        if query.failure is not None:
            if waiting is not None:
                self.failure = query.failure
                self.touch(Part.FAILURE, Part.JOB)
            return
        if isinstance(query.value, dict):
            self.choices.take(Catalogue.of(query.value))
            described.keep(query.value)
            self.backend.describe(self.choices.catalogue)
            self.touch(Part.CATALOGUE, Part.CHOICE)
        if waiting is not None:
            self.touch(Part.JOB)
            self.guarded(waiting)

    # -- for the commands ---------------------------------------------------------------------------------

    def guarded(self, action: Callable[[], Any], default: Any = None) -> Any:
        """Do it; what goes wrong becomes the failure that is shown."""
        try:
            return action()
        except Exception as error:
            self.fail(error)
            return default

    def fail(self, error: BaseException) -> None:
        """Show an error."""
        if not isinstance(error, ScumbleError):
            log.error("a command failed", exc_info=error)
        self.show(explain(error))

    def show(self, failure: Failure) -> None:
        """Show what went wrong."""
        self.failure = failure
        self.touch(Part.FAILURE, Part.JOB)

    def tell(self, notice: str) -> None:
        """Show a sentence."""
        if notice not in self.notices:
            self.notices = (*self.notices, notice)
            self.touch(Part.NOTICES)

    def _connector(self, remote: Remote) -> Callable[[], Client]:
        python = self.settings.get(EDITOR, BACKEND_PYTHON)
        idle = self.settings.get(EDITOR, BACKEND_IDLE)
        return connector(
            remote,
            EDITOR,
            self.version,
            python=python if isinstance(python, str) and python else None,
            idle_minutes=idle if is_number(idle) and idle >= 0 else None,
        )

    def move(self, remote: Remote) -> None:
        """Use another backend."""
        self.session.use(self._connect(remote))
        self.backend.forget()
        self.refresh()

    def facts(self) -> Facts:
        """What a report is made of."""
        run = self.run or self._failed
        settings: RunSettings | None = None if run is None else run.settings
        return Facts(
            editor=self.host.version,
            version=self.version,
            failure=self.failure,
            status="" if self.state.job is None else self.state.job.status,
            settings=settings,
            layer=self._layer_words,
            condition=self.session.condition,
            device=self.choices.catalogue.description.get("device"),
            timings=self.timing.backend,
            log=() if self.settings.remote.enabled else last_lines(launch.log_path()),
        )

    def report(self) -> str:
        """The text behind "copy report"."""
        return str(self.guarded(lambda: report(self.facts()), ""))

    def close(self) -> None:
        """Krita ends: take the preview out, keep the choices, let go of the backend."""
        safely(self.preview.stop)
        safely(self.choices.save)
        if self._worker is not None:
            self._worker.stop()
            self._worker = None
