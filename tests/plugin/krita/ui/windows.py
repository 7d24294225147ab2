"""The windows that the docker opens, for the documentation: a real photograph, the backend's own masks.

Asked for by ``screenshots.py``; the questions are answered by the real methods, in this process.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import skimage.data
import torch
from fake_picking import METHODS, FakePicking, picture_of
from fake_port import FakePort
from PIL import Image
from PyQt5 import QtGui, QtWidgets
from PyQt5.QtTest import QTest

from scumble.backend import styles as shelf
from scumble.backend.engines.base import Context
from scumble.backend.engines.cache import TensorCache
from scumble.backend.segment.find import find
from scumble.plugin.common.picture_part import outline
from scumble.plugin.common.sources import GalleryStyle
from scumble.plugin.krita.ui.pair_dialog import PairDialog
from scumble.plugin.krita.ui.part_dialog import PartDialog
from scumble.plugin.krita.ui.pick_dialog import PickDialog
from scumble.plugin.krita.ui.thumbs import Thumbnails
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import BundledStyle

CACHE = TensorCache(1 << 28)
ORCHARD = GalleryStyle("oil-orchard")


def photograph(name: str, side: int) -> Any:
    """One of scikit-image's photographs as a ``QImage``."""
    image = Image.fromarray(getattr(skimage.data, name)()).convert("RGB")
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    wide = image.width * 3
    return QtGui.QImage(
        image.tobytes(), image.width, image.height, wide, QtGui.QImage.Format.Format_RGB888
    ).copy()


def picture(style: str, side: int) -> Any:
    """A picture of the gallery in full."""
    found = next(each for each in shelf.gallery() if each.id == style)
    return QtGui.QImage(str(found.path)).scaledToWidth(side)


def port_with(name: str, side: int = 640, **state: Any) -> FakePort:
    """A stand-in with a photograph to pick on."""
    port = FakePort(**state)
    port.picking.picture = picture_of(photograph(name, side))
    port.picking.methods = METHODS
    return port


def answer(picking: FakePicking) -> None:
    """Let the backend's own code answer the question that is open."""
    request = picking.last
    style = picking.styles[-1]
    if style is not None:
        request = replace(request, style=BundledStyle(style.id))
    picking.answer(*find(request, Context(torch.device("cpu"), CACHE)).masks)


def click(dialog: PickDialog, x: float, y: float, positive: bool = True) -> None:
    """A click at a share of the picture, and its answer."""
    image = dialog.canvas.picture
    dialog.canvas.clicked.emit(x * image.width(), y * image.height(), positive)
    answer(dialog._port.picking)  # type: ignore[attr-defined]


def by(method: str, name: str, side: int = 640) -> PickDialog:
    """The window over a photograph, with a method chosen."""
    dialog = PickDialog(port_with(name, side))
    box = dialog.method.box
    box.setCurrentIndex([box.itemData(at) for at in range(box.count())].index(method))
    return dialog


def pick() -> PickDialog:
    """A woman picked by a box and clicks."""
    dialog = by("grabcut", "astronaut")
    wide, high = dialog.canvas.picture.width(), dialog.canvas.picture.height()
    dialog.canvas.boxed.emit(0.05 * wide, 0.02 * high, 0.88 * wide, 1.0 * high)
    answer(dialog._port.picking)  # type: ignore[attr-defined]
    click(dialog, 0.43, 0.25)
    click(dialog, 0.85, 0.25, False)
    return dialog


def pick_all() -> PickDialog:
    """The list of all regions."""
    dialog = by("grabcut", "coffee", 360)
    dialog.all.click()
    answer(dialog._port.picking)  # type: ignore[attr-defined]
    return dialog


def pick_nothing() -> PickDialog:
    """A question that found nothing."""
    dialog = pick()
    dialog.canvas.clicked.emit(20.0, 20.0, True)
    dialog._port.picking.fail(  # type: ignore[attr-defined]
        ScumbleError(
            Code.EMPTY_SELECTION,
            "Nothing was found there.",
            "Click in the middle of what you mean, draw a box around it, or try another method.",
        )
    )
    return dialog


def part() -> PartDialog:
    """A part of a painting, drawn freehand."""
    line = [(0.02, 0.02), (0.4, 0.01), (0.72, 0.03), (0.98, 0.02), (0.98, 0.3), (0.8, 0.37), (0.62, 0.41),
            (0.45, 0.4), (0.3, 0.43), (0.12, 0.4), (0.02, 0.42)]  # fmt: skip
    image = picture("oil-orchard", 640)
    return PartDialog("Orchard in oil", outline(line), lambda done: done(image))


def match() -> PairDialog:
    """Parts of a photograph and of a painting."""
    port = port_with("rocket", style=ORCHARD)
    port.set_engine("semantic")
    pictures = Thumbnails()
    pictures.set_gallery(port.state.styles)
    pictures.large = lambda style, side, done: done(picture(style.id, 640))  # type: ignore[method-assign]
    dialog = PairDialog(port, pictures, ORCHARD)
    answer(port.picking)
    dialog.rows.choose([0])
    return dialog


#: name: (what makes it, theme)
WINDOWS: dict[str, tuple[Any, str]] = {
    "pick": (pick, "dark"),
    "pick-nothing": (pick_nothing, "dark"),
    "pick-all": (pick_all, "bright"),
    "part": (part, "dark"),
    "match": (match, "dark"),
}


def take(make: Any) -> Any:
    """A picture of a window."""
    dialog = make()
    dialog.show()
    QTest.qWait(200)
    QtWidgets.QApplication.processEvents()
    shot = dialog.grab()
    dialog.close()
    return shot
