"""The local backend: engines, server and command line.  ``Session().stylize(request)`` runs in-process."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

# Before torch is loaded: OpenMP's threads wait for each other by spinning, and when the editor keeps
# a core busy the spinning ones starve the one that is waited for.  A short spin costs nothing on a
# quiet machine (1024 px in 1.2 s, as with the default; 1.5 s without any) and less on a busy one
# (2.3 s with one of two cores taken, 2.8 s with the default).
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

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
