"""A job as an editor sees it: a state machine fed with events, and a picture of it for other threads.

A :class:`Job` is changed by one thread only, the one that ticks its session.  Everybody else looks at
``job.view``, which is replaced as a whole and never changes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from scumble.shared import events
from scumble.shared.connecting import new_id
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import StylizeRequest, StylizeResult

from .annotation import RunSettings
from .failures import SAME_ID, Failure, explain
from .progress import Progress, stage_label, time_left_text
from .states import OVER, State, Trigger, after


# Compared by identity: comparing by value would compare pixels.
@dataclass(frozen=True, eq=False)
class JobView:
    """A job at one moment.

    :param status: a line for people.
    :param stage: what is being done, in words; ``""`` while nothing is.
    :param fraction: of the whole job, 0 to 1, never going back; ``None`` while nothing can be said.
    :param eta_s: seconds left, smoothed; ``None`` while nothing can be said.
    :param position: how many jobs ran before it when it was queued; ``None`` if it is not queued.
    :param preview: a rough version of the result, the latest.
    :param result: the new layer, once it is finished.
    :param failure: why there is none, once it failed.
    :param attempt: 1, and one more for each retry.
    """

    id: str
    state: State = State.IDLE
    status: str = ""
    stage: str = ""
    fraction: float | None = None
    eta_s: float | None = None
    position: int | None = None
    preview: StylizeResult | None = None
    result: StylizeResult | None = None
    failure: Failure | None = None
    attempt: int = 1

    @property
    def over(self) -> bool:
        """Whether nothing will happen any more by itself."""
        return self.state in OVER


class Job:
    """One "stylize", or one live preview.

    :param request: ``None`` once it is not needed any more; it holds the layer's pixels.
    :param live: a preview, of which only the latest counts.
    :param tag: the editor's own, handed back untouched.
    """

    def __init__(
        self,
        request: StylizeRequest,
        settings: RunSettings | None = None,
        tag: Any = None,
        *,
        live: bool = False,
    ) -> None:
        self.request: StylizeRequest | None = request
        self.settings = settings
        self.tag = tag
        self.live = live
        self.view = JobView(new_id())
        self.began = 0.0
        self.seconds = 0.0
        self._reason = ""
        self._progress = Progress()
        self._shown_at = 0.0

    @property
    def id(self) -> str:
        """Under which the backend knows it."""
        return self.view.id

    @property
    def state(self) -> State:
        """Where it is."""
        return self.view.state

    # -- for the session, in its thread ----------------------------------------------------------------

    def submit(self, now: float) -> bool:
        """Begin, or begin again after a failure; false if that is not possible now."""
        if self.request is None or after(self.state, Trigger.SUBMITTED) is self.state:
            return False
        failure, id, attempt = self.view.failure, self.id, self.view.attempt
        if failure is not None:
            attempt += 1
            if failure.code not in SAME_ID:
                # The backend keeps its last word on an id, and would only say it again.
                id = new_id()
        self._progress, self._reason, self.began = Progress(), "", now
        self.view = JobView(id, self.state, attempt=attempt)
        return self.trigger(Trigger.SUBMITTED, now)

    def trigger(self, trigger: Trigger, now: float, **more: Any) -> bool:
        """Let something happen to it; whether that changed the state."""
        before, state = self.state, after(self.state, trigger)
        if state in OVER and before is not state:
            self.seconds = max(0.0, now - self.began)
        if state in (State.FINISHED, State.CANCELLED):
            self.request = None
        if state is not State.QUEUED:
            more["position"] = None
        if state is not State.RUNNING:
            more["eta_s"] = None
            if state is not State.FINISHED:
                more |= {"stage": "", "fraction": None}
        self.view = replace(self.view, state=state, **more)
        self._show(now)
        return state is not before

    def take(self, event: events.Event, now: float) -> bool:
        """Take an event that names this job; whether anything changed."""
        view = self.view
        if isinstance(event, events.Accepted):
            return self.trigger(Trigger.ACCEPTED, now, position=max(0, event.position))
        if isinstance(event, events.Progress):
            self._progress.update(event.stage, event.done, event.of, event.eta_s, now)
            self.trigger(Trigger.PROGRESSED, now)
        elif isinstance(event, events.Preview):
            self.trigger(Trigger.PROGRESSED, now)
            if self.state is State.RUNNING:
                self.view = replace(self.view, preview=event.result)
        elif isinstance(event, events.Finished):
            if after(self.state, Trigger.FINISHED) is State.FINISHED:
                return self.trigger(Trigger.FINISHED, now, result=event.result, fraction=1.0)
            self.trigger(Trigger.FINISHED, now)
        elif isinstance(event, events.Failed):
            return self.fail(event.error, now)
        elif isinstance(event, events.Cancelled):
            if self.state is State.CANCELLING:
                return self.trigger(Trigger.CANCELLED, now)
            # Nobody here asked for it: the backend was told to end.
            return self.fail(_stopped(), now, same_id=False)
        return self.view is not view

    def fail(self, error: BaseException, now: float, *, same_id: bool = True) -> bool:
        """It is over, without a result."""
        if after(self.state, Trigger.FAILED) is not State.FAILED:
            return self.trigger(Trigger.FAILED, now)
        failure = explain(error)
        changed = self.trigger(Trigger.FAILED, now, failure=failure)
        if not same_id:
            self.view = replace(self.view, id=new_id())
        return changed

    def waiting(self, reason: str, starting: bool, now: float) -> bool:
        """There is no connection; the reason is a sentence."""
        self._reason = reason
        return self.trigger(Trigger.BACKEND_STARTING if starting else Trigger.DISCONNECTED, now)

    def heartbeat(self, running: str, queue: int, now: float) -> bool:
        """What the backend says about itself: the job that it runs for us, and how many wait."""
        if self.state is not State.QUEUED:
            return False
        if running == self.id:
            return self.trigger(Trigger.PROGRESSED, now)
        position = self.view.position
        if position is None or position <= queue:
            return False
        self.view = replace(self.view, position=queue)
        self._show(now)
        return True

    def refresh(self, now: float) -> bool:
        """Let the time left count down; whether there is something new to show."""
        if self.state is not State.RUNNING or now - self._shown_at < 0.5 or self._progress.left(now) is None:
            return False
        self._show(now)
        return True

    def _show(self, now: float) -> None:
        more: dict[str, Any] = {}
        if self.state is State.RUNNING:
            more["stage"] = stage_label(self._progress.stage)
            more["fraction"] = self._progress.fraction if self._progress.stage else None
            more["eta_s"] = self._progress.left(now)
            self._shown_at = now
        self.view = replace(self.view, **more)
        self.view = replace(self.view, status=self._status())

    def _status(self) -> str:
        view, state = self.view, self.view.state
        if state is State.STARTING:
            return "Starting the Scumble backend…"
        if state is State.CONNECTING:
            return self._reason or "Connecting to the Scumble backend…"
        if state is State.SENDING:
            return "Sending the layer…"
        if state is State.QUEUED:
            if not view.position:
                return "Waiting for the backend…"
            return f"Waiting: {view.position} job{'s' * (view.position > 1)} before this one"
        if state is State.RUNNING:
            stage = view.stage or "Working"
            return f"{stage}, {time_left_text(view.eta_s)}" if view.eta_s is not None else f"{stage}…"
        if state is State.FINISHED:
            return f"Done in {self.seconds:.1f} s"
        if state is State.FAILED and view.failure is not None:
            return view.failure.sentence
        return {State.CANCELLING: "Cancelling…", State.CANCELLED: "Cancelled"}.get(state, "")


class Query:
    """A question other than a job: ``describe``, ``models``, ``segment``, ``free_memory``, ``shutdown``.

    Changed by the session's thread; every attribute may be read at any time.  ``done`` is set last.

    :param value: the answer, once ``done`` and without ``failure``.
    """

    def __init__(self, kind: str, arguments: dict[str, Any]) -> None:
        self.kind = kind
        self.arguments = arguments
        self.id = ""
        self.status = ""
        self.stage = ""
        self.fraction: float | None = None
        self.value: Any = None
        self.failure: Failure | None = None
        self.cancelled = False
        self.done = False

    def take(self, event: events.Event) -> bool:
        """Take an event that names this question; whether anything changed."""
        if isinstance(event, events.Progress):
            self.stage = stage_label(event.stage)
            self.fraction = min(max(event.done / event.of, 0.0), 1.0) if event.of > 0 else None
            self.status = f"{self.stage}…"
            return True
        if isinstance(event, events.Answer):
            self._end(value=event.value)
        elif isinstance(event, events.Found):
            self._end(value=event.result)
        elif isinstance(event, events.Pong):
            self._end(value=dict(event.body))
        elif isinstance(event, events.Failed):
            self.fail(event.error)
        elif isinstance(event, events.Cancelled):
            self.cancelled = True
            self.fail(ScumbleError(Code.CANCELLED, ""))
        else:
            return False
        return True

    def fail(self, error: BaseException) -> None:
        """There will be no answer."""
        self._end(failure=explain(error))

    def _end(self, value: Any = None, failure: Failure | None = None) -> None:
        self.value, self.failure = value, failure
        self.status = failure.sentence if failure else ""
        self.arguments = {}  # of a segmentation these are the layer's pixels
        self.done = True


def _stopped() -> ScumbleError:
    return ScumbleError(
        Code.BACKEND_LOST,
        "The Scumble backend was stopped before this was done.",
        "Try again; the backend starts by itself.",
        retry=True,
    )
