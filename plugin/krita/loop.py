"""The GUI thread's event loop, as far as the controller needs it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

Action = Callable[[], None]

log = logging.getLogger(__name__)


class Loop(Protocol):
    """See the module; :class:`.qt_loop.QtLoop` is Qt's."""

    def post(self, action: Action) -> None:
        """Do something in the GUI thread, soon; callable from any thread."""
        ...

    def later(self, delay_ms: int, action: Action) -> Action:
        """Do something in the GUI thread after a while; calling what comes back takes it back."""
        ...


def safely(action: Action) -> None:
    """Do it; what goes wrong is logged.  An exception in a Qt slot would end up on a console nobody sees."""
    try:
        action()
    except Exception:
        log.exception("something went wrong in the GUI thread")
