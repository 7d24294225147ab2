"""Run inside the real Krita by ``screenshots.py --krita``: two regions, stylized, and the window's picture.

What it needs lies in the folder that ``SCUMBLE_SHOTS`` names, and there it leaves its pictures.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from krita import Krita, Selection
from PyQt5 import QtCore, QtGui, QtWidgets

FOLDER = Path(os.environ["SCUMBLE_SHOTS"])
KEPT = ("scumble_docker", "KisLayerBox", "ToolBox")


def selection(name: str) -> Any:
    """A selection from a grey picture."""
    mask = QtGui.QImage(str(FOLDER / name)).convertToFormat(QtGui.QImage.Format.Format_Grayscale8)
    rows = []
    for y in range(mask.height()):
        line = mask.constScanLine(y)
        line.setsize(mask.width())
        rows.append(bytes(line))
    result = Selection()
    data = QtCore.QByteArray(b"".join(rows))
    result.setPixelData(data, 0, 0, mask.width(), mask.height())
    return result


def dock(window: Any, name: str) -> Any:
    """A docker by its name."""
    found = window.findChildren(QtWidgets.QDockWidget)
    return next(each for each in found if each.objectName() == name)


def take(widget: Any, name: str) -> None:
    """Save a picture of a widget, or of the screen."""
    screen = QtWidgets.QApplication.primaryScreen()
    (screen.grabWindow(0) if widget is None else widget.grab()).save(str(FOLDER / name))


def main(report: dict[str, Any]) -> Iterator[Any]:
    """The driver's script."""
    application = Krita.instance()
    yield 500
    # Krita fits a picture into its window when it is opened: first everything is put in its place.
    empty = application.createDocument(64, 64, "empty", "RGBA", "U8", "", 72.0)
    application.activeWindow().addView(empty)
    yield 1000
    window = application.activeWindow().qwindow()
    window.showNormal()
    window.move(0, 0)
    window.resize(1600, 1000)
    for each in window.findChildren(QtWidgets.QDockWidget):
        each.setVisible(each.objectName() in KEPT)
    ours, layers = dock(window, "scumble_docker"), dock(window, "KisLayerBox")
    window.splitDockWidget(ours, layers, QtCore.Qt.Orientation.Vertical)
    window.resizeDocks([ours, layers], [310, 310], QtCore.Qt.Orientation.Horizontal)
    window.resizeDocks([ours, layers], [790, 160], QtCore.Qt.Orientation.Vertical)
    yield 800
    document = application.openDocument(str(FOLDER / "picture.png"))
    application.activeWindow().addView(document)
    yield 800
    empty.setModified(False)
    empty.close()
    port = ours.widget().port
    yield lambda: port.state.styles
    yield lambda: port.state.document
    from scumble.plugin.common.sources import GalleryStyle

    for name in ("first", "second"):
        document.setSelection(selection(f"{name}.png"))
        yield 500
        port.pick_region("")
        port.set_style(GalleryStyle((FOLDER / f"{name}.txt").read_text()))
        region = port.add_region()
        port.change_region(region, label={"first": "Cup", "second": "Table"}[name])
    application.action("deselect").trigger()
    yield 2500
    port.stylize()
    yield lambda: port.state.running
    yield lambda: not port.state.running
    yield 2500
    report["failure"] = repr(port.state.failure)
    report["layers"] = [node.name() for node in document.rootNode().childNodes()]
    take(None, "window.png")
    take(ours, "docker.png")
    window.resizeDocks([ours], [240], QtCore.Qt.Orientation.Horizontal)
    yield 800
    report["narrowest"] = [ours.width(), ours.widget().minimumSizeHint().width()]
    take(ours, "narrow.png")
