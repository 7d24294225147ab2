"""How the backend is, in words, from what the session says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from scumble.plugin.common.jobs import Job, Query
from scumble.plugin.common.session import Change, JobSession
from scumble.plugin.common.states import State

from .catalogue import Catalogue
from .interface import BackendInfo, BackendState


class BackendWatch:
    """See the module.

    :ivar asked: whether anybody has asked the backend for anything.
    """

    def __init__(self) -> None:
        self.info = BackendInfo()
        self.asked = False

    def ask(self) -> None:
        """It is being asked, and so started."""
        self.asked = True
        if self.info.state is not BackendState.READY:
            self.info = BackendInfo(BackendState.STARTING, "Starting the Scumble backend…")

    def forget(self) -> None:
        """Another one is used from now on."""
        self.info, self.asked = BackendInfo(), False

    def describe(self, catalogue: Catalogue) -> None:
        """It has answered."""
        self.info = BackendInfo(BackendState.READY, "", catalogue.device)

    def update(self, session: JobSession, changes: Iterable[Change]) -> bool:
        """News; whether there is something new to show."""
        before = self.info
        state, text = before.state, before.text
        for change in changes:
            if isinstance(change, Query):
                state, text = _of_query(change, state, text)
            else:
                state, text = _of_job(change, state, text)
        if session.connected and state in (BackendState.LOST, BackendState.STARTING) and before.device:
            state, text = BackendState.READY, ""
        if state is BackendState.READY:
            text = f"Ready · {before.device}" if before.device else "Ready"
        version = str(session.condition.get("version", "") or before.version)
        self.info = replace(before, state=state, text=text, version=version[:40])
        return self.info != before


def _of_query(query: Query, state: BackendState, text: str) -> tuple[BackendState, str]:
    if query.done:
        if query.failure is None:
            return (BackendState.READY, "") if query.kind in ("describe", "ping") else (state, text)
        if query.kind == "describe":
            return BackendState.FAILED, query.failure.sentence
    elif query.status:
        lost = state in (BackendState.READY, BackendState.BUSY, BackendState.LOST)
        return (BackendState.LOST if lost else BackendState.STARTING), query.status
    return state, text


def _of_job(job: Job, state: BackendState, text: str) -> tuple[BackendState, str]:
    now = job.state
    if now in (State.RUNNING, State.QUEUED):
        return BackendState.BUSY, job.view.status
    if now is State.STARTING:
        return BackendState.STARTING, job.view.status
    if now is State.CONNECTING:
        known = state in (BackendState.READY, BackendState.BUSY, BackendState.LOST)
        return (BackendState.LOST if known else BackendState.STARTING), job.view.status
    if now in (State.FINISHED, State.CANCELLED):
        return BackendState.READY, ""
    if now is State.FAILED and job.view.failure is not None:
        lost = job.view.failure.code.value in (
            "no_backend",
            "backend_lost",
            "timeout",
            "unsupported_protocol",
        )
        return (BackendState.FAILED, job.view.failure.sentence) if lost else (BackendState.READY, "")
    return state, text
