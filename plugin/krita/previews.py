"""A quick preview layer that follows the controls: the latest wins, and it goes without a trace.

The engine's own draft is what makes it quick; an engine without one has no preview.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from scumble.plugin.common.build import Built
from scumble.plugin.common.failures import explain
from scumble.plugin.common.jobs import Job
from scumble.plugin.common.session import JobSession
from scumble.plugin.common.states import State
from scumble.shared.errors import ScumbleError
from scumble.shared.messages import StylizeResult

from . import turns
from .host.api import Host
from .interface import PreviewInfo
from .loop import Action, Loop
from .runs import Order, Run

#: How long the hand has to rest before the layer is read.
REST_MS = 120
DRAFT = "draft"


class LivePreview:
    """See the module.

    :param order: what would be painted now; raises what keeps it from being painted.
    :param changed: called when :attr:`info` is new.
    """

    def __init__(
        self,
        host: Host,
        session: Callable[[], JobSession],
        loop: Loop,
        order: Callable[[], Run],
        changed: Callable[[], None],
    ) -> None:
        self.info = PreviewInfo()
        self._host = host
        self._session = session
        self._loop = loop
        self._order = order
        self._changed = changed
        self._job: Job | None = None
        self._run: Run | None = None
        self._asked = 0.0
        self._take_back: Action | None = None
        self._working: Action | None = None

    @property
    def on(self) -> bool:
        """Whether it follows."""
        return self.info.on

    def set_on(self, on: bool) -> None:
        """Follow, or stop following and go."""
        if on == self.on:
            return
        if on:
            self._tell(on=True, text="")
            self.consider()
        else:
            self.stop()

    def consider(self) -> None:
        """Something has changed: preview it when the hand rests."""
        if not self.on:
            return
        if self._take_back is not None:
            self._take_back()
        self._take_back = self._loop.later(REST_MS, self._ask)

    def stop(self) -> None:
        """Stop following, and take the layer out."""
        self._drop()
        self.take_out()
        self.info = replace(self.info, on=False, busy=False)
        self._changed()

    def pause(self) -> None:
        """A real job begins: what is shown stays until its result is there."""
        self._drop()
        self._tell(busy=False)

    def take_out(self) -> None:
        """Take the layer out of the document."""
        self._stop()
        if self.info.shown or self._host.has_preview():
            self._host.remove_preview()
            self._tell(shown=False)

    def look(self) -> None:
        """Notice that the user has undone or removed the preview: they do not want it."""
        if self.info.shown and not self._host.has_preview():
            self._drop()
            self._tell(on=False, shown=False, busy=False, text="The preview was removed.")

    def take(self, job: Job) -> bool:
        """News of a job; false if it is not a preview."""
        if not job.live:
            return False
        if job is not self._job or not job.view.over:
            return True
        run, self._job = self._run, None
        if job.state is State.FINISHED and self.on and run is not None and job.view.result is not None:
            self._put(run, job.view.result)
        elif job.state is State.FAILED and job.view.failure is not None:
            self._tell(busy=False, text=job.view.failure.sentence)
        else:
            self._tell(busy=False)
        return True

    def _put(self, run: Run, result: StylizeResult) -> None:
        def there(_: None) -> None:
            seconds = time.monotonic() - self._asked
            self._tell(busy=False, shown=True, text=f"Preview in {seconds:.1f} s")
            # Krita makes a new layer the active one a moment later.
            self._loop.later(50, lambda: self._host.activate(run.order.target))

        def failed(error: BaseException) -> None:
            self._tell(busy=False, text=explain(error).sentence)

        self._stop()
        self._working = turns.run(self._loop, self._host.put_preview(run.order.target, result), there, failed)

    def _ask(self) -> None:
        self._take_back = None
        if not self.on:
            return
        self._stop()
        asked = time.monotonic()

        def failed(error: BaseException) -> None:
            self.take_out()  # it would show what is not chosen any more
            self._tell(busy=False, text=explain(error).sentence)

        try:
            run = self._order()
        except ScumbleError as error:
            failed(error)
            return

        def ask(built: Built) -> None:
            self._asked, self._run = asked, run
            self._job = self._session().preview(built.request, built.settings, run, delay_s=0.0)
            self._tell(busy=True, text="")

        self._working = turns.run(self._loop, run.build(), ask, failed)

    def _stop(self) -> None:
        """Neither read nor write on."""
        working, self._working = self._working, None
        if working is not None:
            working()

    def _drop(self) -> None:
        self._stop()
        if self._take_back is not None:
            self._take_back()
            self._take_back = None
        if self._job is not None:
            self._job = None
            self._session().drop_preview()

    def _tell(self, **more: object) -> None:
        info = replace(self.info, **more)  # type: ignore[arg-type]
        if info != self.info:
            self.info = info
            self._changed()


def drafted(order: Order) -> Order:
    """The same as a draft; one layer for all."""
    return replace(order, options={**order.options, DRAFT: True}, times=(), apart=False)
