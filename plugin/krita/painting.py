"""From a click to the new layer: a run's way through the session and into the document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from scumble.plugin.common.build import Built
from scumble.plugin.common.failures import Failure
from scumble.plugin.common.jobs import Job, JobView
from scumble.plugin.common.report import layer_text
from scumble.plugin.common.states import State
from scumble.shared.errors import Code, ScumbleError

from . import turns
from .host.api import Placed
from .interface import Output, Part
from .previews import DRAFT, drafted
from .runs import Order, Run, Timing, frozen
from .turns import Steps

if TYPE_CHECKING:
    from scumble.plugin.common.session import JobSession

    from .choices import Choices
    from .host.api import Host, Look, Target
    from .loop import Loop
    from .past import Past
    from .previews import LivePreview

T = TypeVar("T")


class Painting:
    """Mixed into the controller.

    :ivar run: what is being painted.
    :ivar timing: of the last run.
    """

    if TYPE_CHECKING:
        host: Host
        loop: Loop
        choices: Choices
        past: Past
        preview: LivePreview
        session: JobSession
        version: str
        look: Look
        failure: Failure | None
        notices: tuple[str, ...]

        def touch(self, *parts: Part) -> None: ...
        def fail(self, error: BaseException) -> None: ...
        def tell(self, notice: str) -> None: ...
        def refresh(self) -> None: ...
        def mark_selection(self) -> bool: ...
        def working_session(self) -> JobSession: ...
        def _keep_looking(self) -> None: ...

    def __init__(self) -> None:
        self.run: Run | None = None
        self.timing = Timing()
        self._failed: Run | None = None
        self._last: JobView | None = None
        #: What was painted or previewed last, and the new layer until Krita is done with it.
        self._ordered: Target | None = None
        self._fresh = ""
        self._layer_words = ""
        # A click that waits for the backend to say what it can do.
        self._waiting: Callable[[], None] | None = None

    def order(self, keep: bool = True) -> Order:
        """What a click would paint now; raises what keeps it from being painted.

        :param keep: with a copy of the selection, which stays as it is.
        """
        self.look = look = self.host.look()
        # What is painted now is nothing new to the preview.
        self.mark_selection()
        self._ordered = look.target
        choices = self.choices
        if look.target is None:
            raise as_error(look.problem)
        entries = choices.entries(self.host.default_mask())
        if keep:
            entries = frozen(self.host, entries)
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
        if run.cancelled:  # between two steps
            self._close(run)
            return
        self._work(run, run.build(), lambda built: self._hand_over(run, built), self._over)
        self.touch(Part.JOB)

    def _work(
        self, run: Run, steps: Steps[T], done: Callable[[T], None], failed: Callable[[BaseException], None]
    ) -> None:
        """Do something for a run piece by piece."""
        ended = False

        def end(action: Callable[[], None]) -> None:
            nonlocal ended
            ended, run.working = True, None
            action()

        stop = turns.run(self.loop, steps, lambda x: end(lambda: done(x)), lambda e: end(lambda: failed(e)))
        if not ended:
            run.working = stop

    def halt(self, run: Run) -> None:
        """Let nothing more come of a run."""
        run.cancelled = True
        if run.working is not None:
            run.working()
            run.working = None
            self._close(run)
        elif run.job is not None:
            self.session.cancel(run.job)

    def _hand_over(self, run: Run, built: Built) -> None:
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
        if view.state in (State.STARTING, State.CONNECTING):
            run.lost()
        if view.over:
            # Krita lets the event loop run while it adds a layer: the same news may come again within.
            run.taken = view
        if view.state is State.FAILED:
            self.failure = view.failure
            self._last = view
            # The run stays, so that it can be tried again.
            self._failed, self.run = run, None
            self.touch(Part.FAILURE)
        elif view.state is State.CANCELLED or (view.state is State.FINISHED and run.cancelled):
            self._last = view
            self._close(run)
        elif view.state is State.FINISHED and view.result is not None:
            self._work(run, run.take(view.result), lambda _: self._taken(run), self._over)

    def _taken(self, run: Run) -> None:
        if run.more:
            run.index += 1
            self.loop.later(0, self._next)  # Krita breathes in between
        else:
            self._place(run)

    def _place(self, run: Run) -> None:
        job = run.job
        assert job is not None

        def placed(made: Placed) -> None:
            self.timing = run.timing
            self.past.add(run, job.id, made.layer, job.seconds)
            self._last, self._fresh = job.view, made.layer
            for notice in made.notices:
                self.tell(notice)
            self._close(run)
            # Krita makes a new layer the active one a moment later; the user goes on with theirs.
            self.loop.later(50, lambda: self.host.activate(run.order.target))

        def failed(error: BaseException) -> None:
            self.past.add(run, job.id, "", job.seconds)
            self._over(error)

        def steps() -> Steps[Placed]:
            self.preview.take_out()
            return (yield from run.place())

        self._work(run, steps(), placed, failed)

    def _close(self, run: Run) -> None:
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
        self.halt(run)
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
        if not any(f.name == DRAFT and f.editable for f in form.fields):
            # As it is it may take minutes, at each touch of a control.
            raise ScumbleError(
                Code.UNKNOWN_OPTION,
                f"{form.label} has no quick preview.",
                "Stylize to see its result, or choose another engine while you look for a style.",
            )
        return Run(self.host, self.choices.catalogue, drafted(self.order(keep=False)), self.version)


def as_error(failure: Failure | None) -> ScumbleError:
    """To be raised again."""
    if failure is None:
        return ScumbleError(Code.BAD_REQUEST, "There is nothing to stylize.", "Choose a layer.")
    return ScumbleError(failure.code, failure.sentence, failure.hint, retry=failure.retry)
