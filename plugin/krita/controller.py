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
from scumble.plugin.common.jobs import Job, JobView, Query
from scumble.plugin.common.report import Facts, last_lines, layer_text, report
from scumble.plugin.common.session import Change, JobSession
from scumble.plugin.common.settings import Settings
from scumble.plugin.common.sources import SELECTION, MaskSource
from scumble.plugin.common.states import State
from scumble.plugin.common.worker import Worker
from scumble.shared import launch
from scumble.shared.client import Client
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import StylizeResult

from .backend_watch import BackendWatch
from .catalogue import Catalogue
from .choices import EDITOR, Choices
from .commands import Commands
from .host.api import Host, Look, Target
from .interface import Listener, Output, Part, Snapshot
from .loop import Loop, safely
from .past import Past
from .previews import DRAFT, LivePreview, drafted
from .runs import Order, Run, Timing, frozen

log = logging.getLogger(__name__)

#: How often layer and selection are looked at while somebody can see the docker, or a job runs.
LOOK_MS = 300
Connector = Callable[[Remote], Callable[[], Client]]


class _Unkept(History):
    """The session's own history stays empty: a run of many jobs is one result."""

    def add(self, id: str, result: StylizeResult, *_: Any, **__: Any) -> Made:
        return Made(id, None, result)


class Controller(Commands):
    """See the module, and :class:`.interface.ControllerPort` for what it offers.

    :param connect: makes a connector for a remote backend's settings; for tests.
    :ivar timing: of the last run.
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
        self.host = host
        self.loop = loop
        self.version = version
        self.settings = Settings.load() if settings is None else settings
        self.choices = Choices(self.settings)
        self.past = Past(host)
        self.timing = Timing()
        self._connect = connect or (lambda remote: connector(remote, EDITOR, version))
        self.session = JobSession(self._connect(self.settings.remote), history=_Unkept())
        self.preview = LivePreview(
            host, self.working_session, loop, self._preview_run, lambda: self.touch(Part.PREVIEW)
        )
        self.backend = BackendWatch()
        self.look = Look()
        self.run: Run | None = None
        self.failure: Failure | None = None
        self.notices: tuple[str, ...] = (self.settings.problem,) if self.settings.problem else ()
        self._last: JobView | None = None
        self._worker: Worker | None = None
        self._shown = False
        self._looking = False
        self._mark = 0
        self._waiting: Callable[[], None] | None = None
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
            mark = self.host.selection_mark() if self._follows_selection() else 0
            if mark != self._mark or look.target != before.target:
                self._mark = mark
                self.preview.consider()

    def _follows_selection(self) -> bool:
        regions = self.choices.regions.snapshot()
        return not regions or any(r.enabled and r.mask.kind == SELECTION for r in regions)

    # -- painting ---------------------------------------------------------------------------------------

    def order(self) -> Order:
        """What a click would paint now; raises what keeps it from being painted."""
        self.look = look = self.host.look()
        choices = self.choices
        if look.target is None:
            raise as_error(look.problem)
        entries = frozen(self.host, choices.entries(self.host.default_mask()))
        times = look.times if choices.all_frames and len(look.times) > 1 else ()
        return Order(
            look.target,
            entries,
            choices.engine,
            choices.options(),
            choices.seed,
            times,
            choices.output is Output.GROUP,
        )

    def begin(self, order: Callable[[], Order]) -> None:
        """Paint an order, as soon as it is known what the backend can do."""
        if self.run is not None or self._waiting is not None:
            self.tell("Something is being painted already; cancel it to begin anew.")
            return
        self.failure, self.notices = None, ()
        self.touch(Part.FAILURE, Part.NOTICES, Part.JOB)
        found = order()  # now, because the selection may change while the backend starts
        if not self.choices.catalogue.engines:
            self._waiting = lambda: self._begin(found)
            self.refresh()
            return
        self._begin(found)

    def _begin(self, order: Order) -> None:
        if not order.engine:
            order = replace(order, engine=self.choices.engine, options=self.choices.options())
        # Chosen before there was anything to choose from.
        entries = tuple(replace(e, style=e.style or self.choices.style) for e in order.entries)
        order = replace(order, entries=entries)
        self.preview.pause()
        self.run = Run(self.host, self.choices.catalogue, order, self.version)
        self._keep_looking()
        self._next()

    def _next(self) -> None:
        """Build and hand over the present step of the run."""
        run = self.run
        if run is None:
            return
        try:
            built = run.build()
        except Exception as error:
            self._over(error)
            return
        for notice in run.notices if run.index == 0 else ():
            self.tell(notice)
        if built.skipped and run.index == 0:
            self.tell("Regions that do not touch the layer are left out.")
        self._layer_words = layer_text(built.request)
        run.job = self.working_session().start(built.request, built.settings, run)
        self.touch(Part.JOB)

    def _stepped(self, job: Job) -> None:
        """The run's job has changed."""
        run = self.run
        if run is None or job is not run.job or job.view is run.taken:
            return
        self.touch(Part.JOB)
        view = job.view
        if view.over:
            # Krita lets the event loop run while it adds a layer: the same news may come again within.
            run.taken = view
        if view.state is State.FAILED:
            self.failure = view.failure
            self._last = view
            # The run stays, so that it can be tried again.
            self._failed, self.run = run, None
            self.touch(Part.FAILURE)
        elif view.state is State.CANCELLED:
            self._last = view
            self._close(run)
        elif view.state is State.FINISHED and view.result is not None:
            try:
                run.take(view.result)
            except Exception as error:
                self._over(error)
                return
            if run.more and not run.cancelled:
                run.index += 1
                self.loop.later(0, self._next)  # Krita breathes in between
            else:
                self._place(run)

    def _place(self, run: Run) -> None:
        job = run.job
        assert job is not None
        try:
            self.preview.take_out()
            placed = run.place()
        except Exception as error:
            self.past.add(run, job.id, "", job.seconds)
            self._over(error)
            return
        self.timing = run.timing
        self.past.add(run, job.id, placed.layer, job.seconds)
        self._last = job.view
        for notice in placed.notices:
            self.tell(notice)
        self._close(run)
        # Krita makes a new layer the active one a moment later; the user goes on with theirs.
        self.loop.later(50, lambda: self.host.activate(run.order.target))

    def _close(self, run: Run) -> None:
        run.close()
        if self.run is run:
            self.run = None
        self.touch(Part.JOB, Part.HISTORY, Part.PREVIEW)

    def _over(self, error: BaseException) -> None:
        """The run ends with an error of this side's."""
        self.fail(error)
        if self.run is not None:
            self._close(self.run)

    def _abandon(self, run: Run) -> None:
        """The document is gone: nothing more is to be painted for it."""
        run.cancelled = True
        if run.job is not None:
            self.session.cancel(run.job)
        self.fail(
            ScumbleError(
                Code.FILE_MISSING,
                "The document was closed while it was being painted, so the job was cancelled.",
                "Open it again and stylize again; nothing in it was changed.",
            )
        )

    def _preview_run(self) -> Run:
        form = self.choices.form
        if form is None:
            raise ScumbleError(Code.NO_BACKEND, "The Scumble backend is not ready yet.", "Wait a moment.")
        has_draft = any(f.name == DRAFT and f.editable for f in form.fields)
        return Run(self.host, self.choices.catalogue, drafted(self.order(), has_draft), self.version)

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
        self.failure = explain(error)
        self.touch(Part.FAILURE, Part.JOB)

    def tell(self, notice: str) -> None:
        """Show a sentence."""
        if notice not in self.notices:
            self.notices = (*self.notices, notice)
            self.touch(Part.NOTICES)

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

    _failed: Run | None = None
    _layer_words = ""


def as_error(failure: Failure | None) -> ScumbleError:
    """To be raised again."""
    if failure is None:
        return ScumbleError(Code.BAD_REQUEST, "There is nothing to stylize.", "Choose a layer.")
    return ScumbleError(failure.code, failure.sentence, failure.hint, retry=failure.retry)


def mask_or_selection(mask: MaskSource | None) -> MaskSource:
    """What a new region gets."""
    return MaskSource(SELECTION) if mask is None else mask


def same_document(target: Target, layer: str) -> Target:
    """Another layer of a target's document."""
    return Target(target.document, layer)
