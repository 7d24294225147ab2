"""GEGL for its buffers alone: finding and loading its hundreds of operations takes longer than all the rest
of a call, and none of them is used."""

from __future__ import annotations

import os

from gi.repository import Gegl

#: A folder that is not there.
_NOTHING = os.path.join(os.path.dirname(__file__), "no-operations")
_PATH, _THREADS = "GEGL_PATH", "GEGL_THREADS"
_known: str | None = None


def hide() -> None:
    """From now on GEGL finds no operations; nor does libgimp, which asks for them before each call."""
    global _known
    if os.environ.get(_PATH) != _NOTHING:
        _known = os.environ.get(_PATH)
        os.environ[_PATH] = _NOTHING


def show() -> None:
    """They are there again, for programs that are started from here."""
    if os.environ.get(_PATH) == _NOTHING:
        del os.environ[_PATH]
        if _known is not None:
            os.environ[_PATH] = _known


def start(threads: bool = True) -> None:
    """Start GEGL; nothing happens if it is started.

    :param threads: false for none yet: GIMP says how many, at each call.
    """
    known = os.environ.get(_THREADS)
    if not threads:
        os.environ[_THREADS] = "1"
    hide()
    Gegl.init(None)
    show()
    if not threads:
        del os.environ[_THREADS]
        if known is not None:
            os.environ[_THREADS] = known
