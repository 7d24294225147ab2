"""Which Python versions work.  Old syntax on purpose: a Python 2.7 must be able to import this."""

import os
import shutil
import sys

OLDEST = (3, 10)
#: The newest for which the pinned packages have ready-made builds.
NEWEST = (3, 14)


def supported(version):  # type: (tuple[int, ...]) -> bool
    """Whether this (major, minor) can run Scumble."""
    return OLDEST <= tuple(version[:2]) <= NEWEST


def others(path=None):  # type: (str | None) -> list[str]
    """Commands on the search path that look like a supported Python, newest first."""
    names = ["python3.%d" % minor for minor in range(NEWEST[1], OLDEST[1] - 1, -1)]
    if not hasattr(shutil, "which"):  # Python 2
        return []
    return [name for name in names if shutil.which(name, path=path)]


def unsupported(version, path=None):  # type: (tuple[int, ...], str | None) -> str
    """Empty if this Python will do, otherwise what to tell the user."""
    if supported(version):
        return ""
    found = others(path)
    if found:
        hint = "This machine also has %s; try: %s -m installer %s" % (
            found[0],
            found[0],
            " ".join(sys.argv[1:]) or "demo",
        )
    elif os.name == "nt":
        hint = "Install Python 3.13 from python.org or the Microsoft Store and run this again with it."
    elif sys.platform == "darwin":
        hint = "Install Python 3.13 from python.org (or: brew install python@3.13) and run this again."
    else:
        hint = "Install a newer Python with your system's package manager, e.g.: sudo apt install python3"
    return "Scumble needs Python %s to %s; this is Python %s.\n  %s" % (
        _dotted(OLDEST),
        _dotted(NEWEST),
        _dotted(version),
        hint,
    )


def _dotted(version):  # type: (tuple[int, ...]) -> str
    return "%d.%d" % (version[0], version[1])
