"""The life of a job as a table: in which state, what leads where.

What is not in the table changes nothing: events may come late, twice, or after the end.
"""

from __future__ import annotations

from enum import Enum


class State(str, Enum):
    """Where a job is; the values are stable words for tests and logs."""

    IDLE = "idle"  # made, and not yet handed over (a preview waits for the user's hand to rest)
    STARTING = "starting"  # the backend is being started
    CONNECTING = "connecting"  # also: again, after it was lost
    SENDING = "sending"  # the pixels are on their way
    QUEUED = "queued"
    RUNNING = "running"
    CANCELLING = "cancelling"  # asked for; the backend stops at its next checkpoint
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Trigger(Enum):
    """What may happen to a job."""

    SUBMITTED = "submitted"
    BACKEND_STARTING = "backend starting"
    DISCONNECTED = "disconnected"
    CONNECTED = "connected"
    ACCEPTED = "accepted"
    PROGRESSED = "progressed"
    FINISHED = "finished"
    FAILED = "failed"
    CANCEL_ASKED = "cancel asked"
    CANCELLED = "cancelled"


#: States in which the backend (or the way to it) has something to do for the job.
UNDER_WAY = frozenset({State.STARTING, State.CONNECTING, State.SENDING, State.QUEUED, State.RUNNING})
#: States in which nothing will happen any more by itself.
OVER = frozenset({State.FINISHED, State.FAILED, State.CANCELLED})

TABLE: dict[tuple[State, Trigger], State] = {
    (State.IDLE, Trigger.SUBMITTED): State.CONNECTING,
    (State.FAILED, Trigger.SUBMITTED): State.CONNECTING,  # another try
    (State.IDLE, Trigger.CANCEL_ASKED): State.CANCELLED,
    # What was asked for first holds, whatever the backend managed to do in the meantime.
    (State.CANCELLING, Trigger.FINISHED): State.CANCELLED,
    (State.CANCELLING, Trigger.FAILED): State.CANCELLED,
    (State.CANCELLING, Trigger.CANCELLED): State.CANCELLED,
    **{(state, Trigger.BACKEND_STARTING): State.STARTING for state in UNDER_WAY},
    **{(state, Trigger.DISCONNECTED): State.CONNECTING for state in UNDER_WAY},
    (State.STARTING, Trigger.CONNECTED): State.SENDING,
    (State.CONNECTING, Trigger.CONNECTED): State.SENDING,
    **{(state, Trigger.ACCEPTED): State.QUEUED for state in UNDER_WAY},
    **{(state, Trigger.PROGRESSED): State.RUNNING for state in UNDER_WAY},
    **{(state, Trigger.FINISHED): State.FINISHED for state in UNDER_WAY},
    **{(state, Trigger.FAILED): State.FAILED for state in UNDER_WAY},
    **{(state, Trigger.CANCEL_ASKED): State.CANCELLING for state in UNDER_WAY},
}


def after(state: State, trigger: Trigger) -> State:
    """The next state; the same one if the trigger means nothing in it."""
    return TABLE.get((state, trigger), state)
