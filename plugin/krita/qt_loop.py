"""Qt's event loop for the controller."""

from __future__ import annotations

from typing import Any

from .loop import Action, safely
from .qt import QtCore, Signal


class _Carrier(QtCore.QObject):
    """Carries calls into the thread that it was made in."""

    sent = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        # Queued: whoever sends from another thread does not wait, and libkis stays in the GUI thread.
        connect: Any = self.sent.connect
        connect(safely, QtCore.Qt.ConnectionType.QueuedConnection)


class QtLoop:
    """See :class:`.loop.Loop`; made in the GUI thread."""

    def __init__(self) -> None:
        self._carrier = _Carrier()
        self._timers: set[Any] = set()

    def post(self, action: Action) -> None:
        """Do something in the GUI thread."""
        self._carrier.sent.emit(action)

    def later(self, delay_ms: int, action: Action) -> Action:
        """Do something after a while."""
        timer = QtCore.QTimer(self._carrier)
        timer.setSingleShot(True)
        self._timers.add(timer)

        def drop() -> None:
            if timer in self._timers:
                self._timers.discard(timer)
                timer.stop()
                timer.deleteLater()

        def fire() -> None:
            if timer in self._timers:
                drop()
                safely(action)

        timer.timeout.connect(fire)
        timer.start(delay_ms)
        return drop
