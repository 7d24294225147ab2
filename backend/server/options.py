"""How a server is set up."""

from __future__ import annotations

from dataclasses import dataclass, field

from scumble.shared.limits import LIMITS, MIB, Limits


@dataclass(frozen=True)
class ServerOptions:
    """Times in seconds.

    :param bind: where to listen; port ``*`` lets the system choose.
    :param idle_s: without work before the process ends itself; 0 for never.
    :param abandon_s: a client that is silent for so long no longer waits for its jobs.
    :param keep_bytes: of results kept for clients that come back.
    :param keep_s: for which a result is kept.
    :param grace_s: for a running job to stop when the server ends.
    """

    bind: str = "tcp://127.0.0.1:*"
    idle_s: float = 30 * 60.0
    abandon_s: float = 60.0
    keep_bytes: int = 512 * MIB
    keep_s: float = 15 * 60.0
    grace_s: float = 3.0
    limits: Limits = field(default=LIMITS)
