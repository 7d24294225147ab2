"""The methods there are, the best first, and which of them can be used."""

from __future__ import annotations

from typing import Any

from scumble.shared.errors import Code, ScumbleError

from .base import Method
from .clicknet import Clicks
from .grabcut import GrabCut
from .sam import SegmentAnything

#: The best first.
METHODS: tuple[Method, ...] = (SegmentAnything(), Clicks(), GrabCut())
AUTO = "auto"


def method(name: str) -> Method:
    """The method of that name; with ``auto`` the best that can be used.

    :raises ScumbleError: ``unknown_engine``, or ``model_missing`` with what to do about it.
    """
    if name == AUTO:
        return next(m for m in METHODS if not m.missing())
    for one in METHODS:
        if one.name == name:
            reason = one.missing()
            if reason:
                raise ScumbleError(Code.MODEL_MISSING, f"Method {name} cannot be used here.", reason)
            return one
    raise ScumbleError(
        Code.UNKNOWN_ENGINE,
        f"There is no method called {name[:40]!r} to find selections.",
        f"Choose one of: {', '.join([AUTO, *(m.name for m in METHODS)])}.",
    )


def described() -> list[dict[str, Any]]:
    """The methods as plain data for editors: name, label, help, why it is missing, whether it is the
    default."""
    best = next(m.name for m in METHODS if not m.missing())
    return [
        {
            "name": m.name,
            "label": m.label,
            "help": m.help,
            "missing": m.missing(),
            "default": m.name == best,
        }
        for m in METHODS
    ]


def free_memory() -> None:
    """Forget loaded networks."""
    for one in METHODS:
        release = getattr(one, "free_memory", None)
        if release is not None:
            release()
