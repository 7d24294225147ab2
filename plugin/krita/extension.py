"""What Krita loads: the docker, and the entries in Tools > Scripts with their shortcuts."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import krita

from .controller import Controller
from .host import KritaHost
from .interface import Part
from .qt import QtCore
from .qt_loop import QtLoop
from .ui import docker

#: Shown on the canvas for so long.
_MESSAGE_MS, _HIGH = 6000, 0
#: (name, what it is called, the controller's method), in the menu's order; shortcuts are in the
#: ``.action`` file, where Krita lets the user change them.
ACTIONS = (
    ("scumble_stylize", "Scumble: Stylize", "stylize"),
    ("scumble_cancel", "Scumble: Cancel", "cancel"),
    ("scumble_preview", "Scumble: Live preview on or off", "flip_preview"),
    ("scumble_compare", "Scumble: Before / after", "toggle_compare"),
    ("scumble_rerun", "Scumble: Run again with the settings of this layer", "rerun"),
)

log = logging.getLogger(__name__)


class ScumbleExtension(krita.Extension):
    """Adds the menu entries to each window."""

    def __init__(self, parent: Any, controller: Controller) -> None:
        super().__init__(parent)
        self.controller = controller
        self._told: Any = None
        controller.listen(self._tell)

    def setup(self) -> None:
        """Krita calls it once, before there is a window."""

    def createActions(self, window: Any) -> None:
        """Krita calls it for each new window."""
        for name, text, method in ACTIONS:
            action = window.createAction(name, text, "tools/scripts")
            action.triggered.connect(lambda *_, method=method: self._do(method))

    def _do(self, method: str) -> None:
        if method == "flip_preview":
            self.controller.set_preview(not self.controller.state.preview.on)
        else:
            getattr(self.controller, method)()

    def _tell(self, parts: frozenset[Part]) -> None:
        """A failure is said on the canvas too: the docker may be closed or behind another."""
        failure = self.controller.state.failure
        if Part.FAILURE not in parts or failure is self._told:
            return
        self._told = failure
        window = krita.Krita.instance().activeWindow()
        view = window.activeView() if window is not None else None
        if failure is not None and view is not None and view.document() is not None:
            icon = krita.Krita.instance().icon("warning")
            view.showFloatingMessage(f"Scumble: {failure.text}", icon, _MESSAGE_MS, _HIGH)


def load(root: Path) -> Controller:
    """Make everything and tell Krita.

    :param root: the plug-in's folder, as installed.
    """
    application = krita.Krita.instance()
    version = _version(root)
    controller = Controller(KritaHost(application, krita.Selection), QtLoop(), version=version)
    docker.set_controller(controller)
    application.addExtension(ScumbleExtension(application, controller))
    place = krita.DockWidgetFactoryBase.DockPosition.DockRight
    application.addDockWidgetFactory(krita.DockWidgetFactory(docker.ID, place, docker.ScumbleDocker))
    core = QtCore.QCoreApplication.instance()
    if core is not None:
        core.aboutToQuit.connect(controller.close)
    return controller


def _version(root: Path) -> str:
    try:
        note = json.loads((root / "scumble-plugin.json").read_text("utf-8"))
        return str(note["scumble"])[:40]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
