"""Jobs: their states, the fair queue, and the results that wait for their clients.

All of it belongs to the I/O thread; the worker touches nothing of a job but its request and its
``cancelled`` event.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from scumble.shared.framing import Message
from scumble.shared.messages import StylizeRequest
from scumble.shared.segmenting import SegmentRequest

#: (user, job id): users are told apart by their keys, so one cannot ask for another's job.
JobKey = tuple[str, str]
#: (user, session token).
SessionKey = tuple[str, str]


@dataclass(eq=False)
class Job:
    """One ``stylize`` or ``segment`` from its acceptance until its result is released or expires.

    :param digest: of the message, so that one id cannot mean two requests.
    :param nbytes: of the request's buffers, counted against the client's share of the queue.
    :param enough: its client wants what there is so far.
    :param final: the message that ended it, once there is one.
    """

    id: str
    session: SessionKey
    digest: bytes
    nbytes: int
    request: StylizeRequest | SegmentRequest | None
    state: Literal["queued", "running", "finished"] = "queued"
    cancelled: threading.Event = field(default_factory=threading.Event)
    enough: threading.Event = field(default_factory=threading.Event)
    abandoned: bool = False
    accepted_at: float = 0.0
    started_at: float = 0.0
    finished_at: float = 0.0
    final: Message | None = None

    @property
    def key(self) -> JobKey:
        """Its place in the table."""
        return self.session[0], self.id


def digest(message: Message) -> bytes:
    """Of all that a message says except its pixels (hashing those would hold up the I/O thread)."""
    declared = [(b.role, b.width, b.height, b.format, b.dtype, b.transfer) for b in message.buffers]
    text = json.dumps([message.type, message.body, declared], sort_keys=True)
    return hashlib.sha256(text.encode()).digest()


class FairQueue:
    """Takes one job of each client in turn, each client's in the order in which they came."""

    def __init__(self) -> None:
        self._lanes: OrderedDict[SessionKey, deque[Job]] = OrderedDict()

    def __len__(self) -> int:
        return sum(len(lane) for lane in self._lanes.values())

    def __iter__(self) -> Iterator[Job]:
        """The jobs in the order in which they would run."""
        lanes = [list(lane) for lane in self._lanes.values()]
        for depth in range(max(map(len, lanes), default=0)):
            for lane in lanes:
                if depth < len(lane):
                    yield lane[depth]

    def push(self, job: Job) -> None:
        """Add a job behind those of its client."""
        self._lanes.setdefault(job.session, deque()).append(job)

    def pop(self) -> Job | None:
        """The next one; its client goes behind all others."""
        if not self._lanes:
            return None
        key, lane = next(iter(self._lanes.items()))
        job = lane.popleft()
        if lane:
            self._lanes.move_to_end(key)
        else:
            del self._lanes[key]
        return job

    def remove(self, job: Job) -> None:
        """Take one out; nothing happens if it is not there."""
        lane = self._lanes.get(job.session)
        if lane is not None and job in lane:
            lane.remove(job)
            if not lane:
                del self._lanes[job.session]

    def position(self, job: Job) -> int:
        """How many run before it."""
        return next((i for i, other in enumerate(self) if other is job), 0)

    def of(self, session: SessionKey) -> tuple[int, int]:
        """(jobs, bytes) of one client."""
        lane = self._lanes.get(session, ())
        return len(lane), sum(job.nbytes for job in lane)


class JobTable:
    """Every job that is known, and the results that are kept, bounded in bytes and time.

    :param keep_bytes: of kept results; the oldest go first, the newest stays however large it is.
    :param keep_s: for which a result waits for its client.
    """

    #: Ids whose results were taken; remembered so that a late copy of the request does not run again.
    RELEASED = 10_000

    def __init__(self, keep_bytes: int, keep_s: float) -> None:
        self.keep_bytes = keep_bytes
        self.keep_s = keep_s
        self._jobs: dict[JobKey, Job] = {}
        self._released: OrderedDict[JobKey, None] = OrderedDict()

    def get(self, key: JobKey) -> Job | None:
        """The job of that id, if it is known."""
        return self._jobs.get(key)

    def add(self, job: Job) -> None:
        """Remember a new job."""
        self._jobs[job.key] = job

    def active(self) -> list[Job]:
        """The jobs that wait or run."""
        return [job for job in self._jobs.values() if job.state != "finished"]

    @property
    def kept_bytes(self) -> int:
        """Bytes of the results that are kept."""
        return sum(job.final.nbytes for job in self._jobs.values() if job.final is not None)

    def finish(self, job: Job, final: Message, now: float) -> None:
        """End a job; its pixels go, its last message stays."""
        job.state, job.final, job.request, job.finished_at = "finished", final, None, now
        # Behind the others, so that iteration meets the oldest result first.
        self._jobs.pop(job.key, None)
        self._jobs[job.key] = job
        self.expire(now)

    def forget(self, job: Job) -> None:
        """As if it had never been."""
        self._jobs.pop(job.key, None)

    def release(self, key: JobKey) -> bool:
        """Its client has the result; whether there was such a finished job."""
        job = self._jobs.get(key)
        if job is None or job.state != "finished":
            return False
        del self._jobs[key]
        self._released[key] = None
        while len(self._released) > self.RELEASED:
            self._released.popitem(last=False)
        return True

    def was_released(self, key: JobKey) -> bool:
        """Whether its client has already had it."""
        return key in self._released

    def expire(self, now: float) -> list[Job]:
        """Drop what is too old or too much; the jobs that went."""
        finished = [job for job in self._jobs.values() if job.state == "finished"]
        kept, gone = self.kept_bytes, []
        for index, job in enumerate(finished):
            newest = index == len(finished) - 1
            if now - job.finished_at > self.keep_s or (kept > self.keep_bytes and not newest):
                kept -= job.final.nbytes if job.final is not None else 0
                del self._jobs[job.key]
                gone.append(job)
        return gone
