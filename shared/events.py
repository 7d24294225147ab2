"""What a client tells its owner: one small object an event, in the order in which things happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import ScumbleError
from .messages import StylizeResult
from .segmenting import SegmentResult


@dataclass(frozen=True)
class Connected:
    """The backend has answered; sent again after each reconnection.

    :param session: the name under which the backend knows this client.
    """

    session: str
    server: str


@dataclass(frozen=True)
class Waiting:
    """Not connected; the reason is a sentence for a status line.

    :param attempt: 1 for the first try.
    """

    reason: str
    attempt: int


@dataclass(frozen=True)
class Pong:
    """How the backend is: ``state`` is ``starting``, ``ready``, ``busy``, ``failed`` or ``stopping``."""

    id: str
    state: str
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Accepted:
    """The job is in the queue; at ``position`` 0 it is the one that runs."""

    job: str
    position: int


@dataclass(frozen=True)
class Progress:
    """:param eta_s: seconds that the stage may still take, or ``None``."""

    job: str
    stage: str
    done: int
    of: int
    eta_s: float | None = None


@dataclass(frozen=True)
class Preview:
    """A rough version of the result."""

    job: str
    result: StylizeResult


@dataclass(frozen=True)
class Finished:
    """The new layer; the job is over."""

    job: str
    result: StylizeResult


@dataclass(frozen=True)
class Found:
    """The masks that were asked for; the request is over."""

    job: str
    result: SegmentResult


@dataclass(frozen=True)
class Failed:
    """The job (or other request) is over, without a result."""

    job: str
    error: ScumbleError


@dataclass(frozen=True)
class Cancelling:
    """The backend has heard the cancellation; :class:`Cancelled` follows when the job has stopped."""

    job: str


@dataclass(frozen=True)
class Cancelled:
    """The job is over, because somebody said so."""

    job: str


@dataclass(frozen=True)
class Answer:
    """The answer to ``describe``, ``models``, ``free_memory`` or ``shutdown``."""

    id: str
    kind: str
    value: Any


Event = (
    Connected
    | Waiting
    | Pong
    | Accepted
    | Progress
    | Preview
    | Finished
    | Found
    | Failed
    | Cancelling
    | Cancelled
    | Answer
)
#: Events after which no other event of that job or request follows.
FINAL = (Finished, Found, Failed, Cancelled, Answer, Pong)
