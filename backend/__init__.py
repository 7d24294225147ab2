"""The local backend: engines, server and command line.  ``Session().stylize(request)`` runs in-process."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

# Before torch is loaded: OpenMP's threads otherwise wait for each other by spinning, and when the
# editor keeps a core busy the spinning ones starve the one that is waited for (measured with one of
# two cores taken: a 512 px region took 1.4 s spinning, 0.8 s waiting asleep).
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

if TYPE_CHECKING:
    from .session import Session

__all__ = ["Session"]


def __getattr__(name: str) -> object:
    # Deferred: importing the package must not import torch, so that the server can bind its socket
    # and answer "starting" first.
    if name == "Session":
        from .session import Session

        return Session
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
