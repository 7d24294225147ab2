"""Real widgets without a screen.  Without PyQt5 the reason is told; in CI that is a failure."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).parent))
try:
    from PyQt5 import QtCore, QtWidgets

    MISSING = ""
except ImportError as error:
    MISSING = f"PyQt5 cannot be used here: {error}"
    if os.environ.get("CI"):
        raise

collect_ignore_glob = ["test_*.py"] if MISSING else []


@pytest.fixture(scope="session")
def app() -> Any:
    """The one application."""
    application = QtWidgets.QApplication.instance() or QtWidgets.QApplication(["scumble-tests"])
    application.setStyle("Fusion")
    return application


@pytest.fixture
def port(app: Any) -> Any:
    """A controller with the real gallery, nothing chosen yet."""
    from fake_port import FakePort

    return FakePort()


@pytest.fixture
def picking(port: Any) -> Any:
    """The controller's questions for masks."""
    return port.picking


@pytest.fixture
def pick_dialog(port: Any) -> Iterator[Any]:
    """The window over a picture of 120 x 90 pixels, each of which stands for two by two of the layer."""
    from hands import turn

    from scumble.plugin.krita.ui.pick_dialog import PickDialog

    it = PickDialog(port)
    it.show()
    turn()
    gone: list[Any] = []
    it.destroyed.connect(gone.append)
    yield it
    if not gone:
        it.close()
    turn()


@pytest.fixture
def panel(port: Any) -> Iterator[Any]:
    """The docker's content, 300 px wide."""
    from scumble.plugin.krita.ui.panel import DockPanel

    panel = DockPanel(port)
    panel.resize(300, 900)
    panel.show()
    QtWidgets.QApplication.processEvents()
    yield panel
    panel.detach()
    panel.close()
    panel.deleteLater()
    # A turn of the loop by hand leaves these out, and Python must not be the one that cleans up.
    late = QtCore.QEvent.Type.DeferredDelete
    # A plain number: what PyQt6 calls an enum, PyQt5 calls a number.
    QtCore.QCoreApplication.sendPostedEvents(None, int(getattr(late, "value", late)))
