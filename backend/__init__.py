"""The local backend: engines, server and command line.  ``Session().stylize(request)`` runs in-process."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
