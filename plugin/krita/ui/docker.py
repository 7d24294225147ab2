"""The docker as Krita wants it: a frame around :class:`~.panel.DockPanel`.

Krita makes one for each of its windows; the controller is one for all of them and is handed over through
:func:`set_controller` before the docker is registered.
"""

from __future__ import annotations

from typing import Any

from ..interface import ControllerPort
from ..qt import QtCore, QtGui, QtWidgets
from .panel import DockPanel

try:
    from krita import DockWidget, Krita
except ImportError:  # outside of Krita, for tests
    Krita = None

    class DockWidget(QtWidgets.QDockWidget):  # type: ignore[no-redef]
        """What Krita's own class adds, as far as it matters here."""

        def canvasChanged(self, canvas: Any) -> None:
            """Krita calls it when another view becomes the active one."""


#: Name under which Krita knows the docker, and title of it.
ID, TITLE = "scumble_docker", "Scumble"
#: The action behind "Stylize", whose keys the user may have changed.
_ACTION = "scumble_stylize"

_controller: ControllerPort | None = None
#: Dockers that can be seen: there is one in each of Krita's windows, and one controller.
_seen: set[int] = set()


def set_controller(port: ControllerPort) -> None:
    """The controller of all dockers that are made from now on."""
    global _controller
    _controller = port


class ScumbleDocker(DockWidget):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle(TITLE)
        self.panel: DockPanel | None = None
        self._placed = False
        if _controller is not None:
            self.set_port(_controller)
        self.visibilityChanged.connect(self._tell_shown)

    def set_port(self, port: ControllerPort) -> None:
        """Fill it; a second call replaces what was there."""
        if self.panel is not None:
            self.panel.detach()
            self.panel.deleteLater()
        self.panel = DockPanel(port, self)
        self.setWidget(self.panel)

    def set_shortcut(self, text: str) -> None:
        """Show the keys of "Stylize" on its button."""
        if self.panel is not None:
            self.panel.run.set_shortcut(text)

    def canvasChanged(self, canvas: Any) -> None:
        """Krita calls it; the controller watches documents by itself."""

    def closeEvent(self, event: Any) -> None:
        super().closeEvent(event)
        self._tell_shown(False)

    def _tell_shown(self, shown: bool) -> None:
        if self.panel is not None:
            # Not within Krita's own show: the first time may start the backend.
            port = self.panel.port
            (_seen.add if shown else _seen.discard)(id(self))
            QtCore.QTimer.singleShot(0, lambda: port.set_shown(bool(_seen)))
            action = Krita.instance().action(_ACTION) if Krita is not None and shown else None
            if action is not None:
                self.set_shortcut(action.shortcut().toString(QtGui.QKeySequence.SequenceFormat.NativeText))
