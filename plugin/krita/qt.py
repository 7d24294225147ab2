"""The one place that knows which Qt there is: PyQt5 in Krita 5, PyQt6 in Krita 6.

Everything else imports from here and writes enums in full (``Qt.AlignmentFlag.AlignLeft``), which both
understand.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if not TYPE_CHECKING:
    try:
        import krita  # noqa: F401  Krita's own module loads the Qt that Krita runs on
    except ImportError:
        pass


def _version() -> int:
    """The generation to use: the one that is loaded already, else the one that can be had."""
    for number in (6, 5):
        if f"PyQt{number}.QtCore" in sys.modules:
            return number
    try:
        import PyQt5.QtCore  # noqa: F401
    except ImportError:
        return 6
    return 5


#: 5 or 6.
QT = _version()

if TYPE_CHECKING or QT == 5:
    from PyQt5 import QtCore, QtGui, QtWidgets
    from PyQt5.QtCore import pyqtSignal as Signal
    from PyQt5.QtWidgets import QAction, QShortcut
else:
    from PyQt6 import QtCore, QtGui, QtWidgets
    from PyQt6.QtCore import pyqtSignal as Signal
    from PyQt6.QtGui import QAction, QShortcut

Qt = QtCore.Qt


def position(event: Any) -> Any:
    """Where a mouse, drop or hover event happened, in the widget, as a ``QPoint``."""
    return event.position().toPoint() if hasattr(event, "position") else event.pos()


def number(flags: Any) -> int:
    """Flags as the plain number that some calls of Qt want."""
    return int(getattr(flags, "value", flags))


__all__ = ["QT", "QAction", "QShortcut", "Qt", "QtCore", "QtGui", "QtWidgets", "Signal", "number", "position"]
