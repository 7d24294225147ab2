"""A style from a part of its picture, from the choice through the request to the layer's settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PyQt5 import QtGui

from scumble.plugin.common.picture_part import rectangle
from scumble.plugin.common.settings import Settings
from scumble.plugin.common.sources import FileStyle, GalleryStyle, style_part
from scumble.plugin.krita.choices import EDITOR
from scumble.shared.messages import BundledStyle, MaskBuffer, PixelStyle

LEFT = rectangle(0.0, 0.0, 0.5, 1.0)


def selected(mask: MaskBuffer | None) -> np.ndarray:
    assert mask is not None
    return np.frombuffer(bytes(mask.data), np.uint8).reshape(mask.height, mask.width)


def test_the_backend_is_told_which_part_and_the_layer_remembers_it(studio: Any) -> None:
    studio.krita.open()
    studio.begin()
    studio.controller.set_style(GalleryStyle("ink", LEFT))
    studio.stylize()
    region = studio.painter.requests[-1].regions[0]
    assert region.style == BundledStyle("ink")
    part = selected(region.style_mask)
    half = part.shape[1] // 2
    assert (part[:, :half] == 255).all() and (part[:, half:] == 0).all()
    # Another day.
    document = studio.krita.activeDocument()
    studio.controller.set_style(GalleryStyle("oil"))
    studio.stylize()
    assert studio.painter.requests[-1].regions[0].style_mask is None
    document.setActiveNode(document.rootNode().childNodes()[1])
    studio.controller.see()
    studio.controller.load_from_layer()
    assert studio.failure() is None
    taken = {style_part(entry.style) for entry in studio.controller.state.regions} | {
        style_part(studio.controller.state.style)
    }
    assert LEFT in taken


def test_two_regions_may_take_after_two_parts_of_one_file(studio: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "two.png")
    image = QtGui.QImage(40, 20, QtGui.QImage.Format.Format_RGB32)
    image.fill(QtGui.QColor(200, 30, 30))
    assert image.save(path)
    studio.krita.open()
    studio.begin()
    for x, part in ((2, LEFT), (20, rectangle(0.5, 0.0, 1.0, 1.0))):
        studio.select(x, 4, 10, 10)
        studio.controller.pick_region("")
        studio.controller.set_style(FileStyle(path, part))
        assert studio.controller.add_region()
    studio.stylize()
    assert studio.failure() is None
    first, second = studio.painter.requests[-1].regions
    assert isinstance(first.style, PixelStyle) and first.style == second.style
    assert (selected(first.style_mask).astype(int) + selected(second.style_mask) == 255).all()


def test_the_style_is_kept_with_its_part_for_the_next_time(studio: Any, tmp_path: Path) -> None:
    studio.krita.open()
    studio.begin()
    studio.controller.set_style(GalleryStyle("ink", LEFT))
    studio.controller.close()
    again = Settings.load(tmp_path / "settings.json")  # where the studio keeps them
    assert again.last(EDITOR).style == GalleryStyle("ink", LEFT)
