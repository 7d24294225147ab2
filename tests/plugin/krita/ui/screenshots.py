"""Pictures of the docker in its states, for the documentation.

    python tests/plugin/krita/ui/screenshots.py --out docs/krita

Real widgets, the real gallery and the real engines' options in the colours of Krita's own themes; only
the controller behind them is a stand-in, so that every state can be had without waiting for it.

    python tests/plugin/krita/ui/screenshots.py --krita

takes one of the real Krita instead, with the real backend, under Xvfb.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).parent))

import windows
from fake_port import FakePort
from PIL import Image
from PyQt5 import QtCore, QtGui, QtWidgets
from PyQt5.QtTest import QTest

from scumble.backend import styles as shelf
from scumble.plugin.common.failures import explain
from scumble.plugin.common.jobs import JobView
from scumble.plugin.common.picture_part import outline, rectangle
from scumble.plugin.common.regions import RegionEntry
from scumble.plugin.common.sources import SAVED, BlendedStyle, GalleryStyle, MaskSource
from scumble.plugin.common.states import State
from scumble.plugin.krita import tint
from scumble.plugin.krita.interface import BackendInfo, BackendState, HistoryItem, PreviewInfo
from scumble.plugin.krita.ui import theme
from scumble.plugin.krita.ui.panel import DockPanel
from scumble.plugin.krita.ui.settings_dialog import SettingsDialog
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import PixelBuffer, StylizeResult

#: Window, text, view, text there, button, highlight, text there: as Krita's themes have them.
THEMES = {
    "dark": ((71, 71, 71), (200, 200, 200), (56, 56, 56), (200, 200, 200), (54, 54, 54), (83, 114, 142),
             (235, 235, 235)),
    "bright": ((212, 212, 212), (42, 42, 42), (244, 244, 244), (24, 24, 24), (228, 228, 228), (92, 144, 188),
               (240, 240, 240)),
}  # fmt: skip
NIGHT, WAVE = GalleryStyle("night-swirls"), GalleryStyle("woodblock-wave")
#: In the real Krita: for the cup, and for the table.
IN_KRITA = ("soft-pastel", "night-swirls")
#: For whoever wants all that was taken there.
KEEP = os.environ.get("SCUMBLE_KEEP_SHOTS", "")
NOW = time.mktime((2026, 5, 4, 14, 20, 0, 0, 0, -1))


def palette(name: str) -> Any:
    """The palette of one of Krita's themes."""
    colours = [QtGui.QColor(*rgb) for rgb in THEMES[name]]
    role, group = QtGui.QPalette.ColorRole, QtGui.QPalette.ColorGroup
    roles = (role.Window, role.WindowText, role.Base, role.Text, role.Button, role.Highlight)
    result = QtGui.QPalette(colours[4], colours[0])
    for each, colour in zip((*roles, role.HighlightedText), colours, strict=True):
        result.setColor(each, colour)
    result.setColor(role.ButtonText, colours[1])
    result.setColor(role.ToolTipBase, colours[2])
    result.setColor(role.ToolTipText, colours[3])
    result.setColor(role.PlaceholderText, theme.mix(colours[3], colours[2], 0.5))
    for each in (role.WindowText, role.Text, role.ButtonText):
        result.setColor(group.Disabled, each, theme.mix(result.color(each), colours[0], 0.55))
    return result


def gallery_picture(style: str) -> Any:
    """A picture of the bundled gallery in full."""
    found = next(s for s in shelf.gallery() if s.id == style)
    return QtGui.QImage(str(found.path)).scaled(
        400, 400, QtCore.Qt.AspectRatioMode.KeepAspectRatio, QtCore.Qt.TransformationMode.SmoothTransformation
    )


def mask(draw: Callable[[Any, int, int], None], like: Any) -> Any:
    """A soft mask drawn in white."""
    image = QtGui.QImage(like.size(), QtGui.QImage.Format.Format_Grayscale8)
    image.fill(QtGui.QColor(0, 0, 0))
    painter = QtGui.QPainter(image)
    painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
    painter.setPen(QtCore.Qt.PenStyle.NoPen)
    painter.setBrush(QtGui.QColor(255, 255, 255))
    draw(painter, image.width(), image.height())
    painter.end()
    return image


def sky(painter: Any, wide: int, high: int) -> None:
    path = QtGui.QPainterPath(QtCore.QPointF(0, 0))
    path.lineTo(wide, 0)
    path.lineTo(wide, high * 0.42)
    path.cubicTo(wide * 0.7, high * 0.30, wide * 0.4, high * 0.5, 0, high * 0.4)
    painter.drawPath(path)


def shore(painter: Any, wide: int, high: int) -> None:
    painter.drawEllipse(QtCore.QRectF(wide * 0.1, high * 0.5, wide * 0.75, high * 0.45))


MASKS = {"r1": sky, "r2": shore}


def with_pictures(port: FakePort) -> FakePort:
    """Give the stand-in a painting with two regions, and results of earlier runs."""
    painting = gallery_picture("oil-orchard")

    def region(id: str, width: int, height: int) -> Any:
        number = [e.id for e in port.state.regions].index(id)
        return tint.tinted(painting, mask(MASKS[id], painting), tint.region_colour(number))

    def result(id: str, width: int, height: int) -> Any:
        style = {"h1": "night-swirls", "h2": "woodblock-wave"}[id]
        image = gallery_picture(style).convertToFormat(QtGui.QImage.Format.Format_ARGB32_Premultiplied)
        painter = QtGui.QPainter(image)
        painter.setCompositionMode(QtGui.QPainter.CompositionMode.CompositionMode_DestinationIn)
        painter.drawImage(0, 0, tint.as_alpha(mask({"h1": sky, "h2": shore}[id], image)))
        painter.end()
        return image

    port.region_picture, port.history_picture = region, result
    return port


REGIONS = (
    RegionEntry("r1", MaskSource(SAVED, "1"), NIGHT, "Sky", 0.8),
    RegionEntry("r2", MaskSource(SAVED, "2"), WAVE, "", 1.0),
)
RESULTS = (
    HistoryItem("h1", "Swirling night · Regions (fast)", NOW, 3.2),
    HistoryItem("h2", "Woodblock wave · Regions (fast)", NOW - 300, 41.0, placed=False),
)


def idle() -> FakePort:
    return FakePort(style=NIGHT)


def regions() -> FakePort:
    return with_pictures(FakePort(style=NIGHT, regions=REGIONS, picked="r1"))


def running() -> FakePort:
    job = JobView("j", State.RUNNING, "Painting, about 4 s left", "Painting", 0.58, 4.0)
    busy = BackendInfo(BackendState.BUSY, "Busy", "CPU, 2 threads")
    return with_pictures(
        FakePort(style=NIGHT, regions=REGIONS, picked="r2", job=job, running=True, backend=busy)
    )


def growing() -> FakePort:
    image = gallery_picture("night-swirls").convertToFormat(QtGui.QImage.Format.Format_RGBA8888)
    image = image.copy(0, 0, image.width() // 4 * 4, image.height() * 2 // 3)
    bits = image.constBits()
    bits.setsize(image.bytesPerLine() * image.height())
    pixels = PixelBuffer(image.width(), image.height(), "rgba", "u8", bytes(bits))
    shown = StylizeResult(pixels, (0, 0), {})
    job = JobView("j", State.RUNNING, "Refining, about 50 s left", "Refining", 0.42, 50.0, preview=shown)
    busy = BackendInfo(BackendState.BUSY, "Busy", "CPU, 2 threads")
    return FakePort(style=NIGHT, job=job, running=True, backend=busy)


def failed() -> FakePort:
    failure = explain(
        ScumbleError(
            Code.OUT_OF_MEMORY,
            "The graphics card has too little memory for this.",
            "Select a smaller part, or close other programs.",
        )
    )
    lost = BackendInfo(BackendState.LOST, "Connection lost, trying again…")
    return FakePort(style=WAVE, failure=failure, backend=lost)


def finished() -> FakePort:
    return with_pictures(
        FakePort(
            style=NIGHT,
            history=RESULTS,
            compare="after",
            preview=PreviewInfo(on=True, shown=True, text="0.6 s"),
        )
    )


def blended() -> FakePort:
    return FakePort(style=BlendedStyle(((NIGHT, 0.7), (WAVE, 0.4), (GalleryStyle("stained-glass"), 0.25))))


def from_a_part() -> FakePort:
    sky = rectangle(0.03, 0.02, 0.97, 0.42)
    tree = outline(
        [(0.55, 0.5), (0.7, 0.38), (0.9, 0.42), (0.95, 0.6), (0.85, 0.85), (0.75, 0.86), (0.6, 0.7)]
    )
    first = replace(REGIONS[0], style=GalleryStyle("oil-orchard", sky))
    second = replace(REGIONS[1], style=GalleryStyle("oil-orchard", tree), label="Shore")
    return with_pictures(FakePort(style=NIGHT, regions=(first, second), picked="r1"))


def options() -> FakePort:
    port = FakePort(style=NIGHT)
    port.settings["docker_sections"] = {"engine": True, "style": False, "regions": False, "results": False}
    port.set_option("texture", 0.8)
    port.set_option("preserve_color", 0.25)
    return port


#: name: (state, theme, width, height)
SHOTS = {
    "idle": (idle, "dark", 290, 720),
    "regions": (regions, "dark", 290, 860),
    "running": (running, "dark", 290, 720),
    "growing": (growing, "dark", 290, 720),
    "error": (failed, "dark", 290, 720),
    "results": (finished, "dark", 290, 860),
    "from-part": (from_a_part, "dark", 240, 720),
    "options": (options, "dark", 290, 720),
    "blend": (blended, "bright", 290, 720),
    "light": (regions, "bright", 290, 860),
    "narrow": (regions, "dark", 240, 860),
}


def take(app: Any, make: Callable[[], FakePort], colours: str, wide: int, high: int) -> Any:
    """A picture of the docker."""
    app.setPalette(palette(colours))
    panel = DockPanel(make())
    panel.run.set_shortcut("Ctrl+Alt+Y")
    panel.resize(wide, high)
    panel.show()
    QTest.qWait(200)
    panel.setFocus()
    app.processEvents()
    shot = panel.grab()
    assert panel.width() == wide, f"it does not fit {wide} px but takes {panel.width()}"
    panel.detach()
    panel.close()
    panel.deleteLater()
    return shot


def write(shot: Any, file: Path, quality: int = 90) -> None:
    """Write a picture small enough for a document, in its own colours."""
    image = shot.toImage().convertToFormat(QtGui.QImage.Format.Format_RGB888)
    bits = image.constBits()
    bits.setsize(image.bytesPerLine() * image.height())
    size = (image.width(), image.height())
    picture = Image.frombytes("RGB", size, bytes(bits), "raw", "RGB", image.bytesPerLine())
    picture.save(file, quality=quality, subsampling=0, optimize=True)


def real_krita(out: Path) -> None:
    """A picture of Krita after two regions were stylized."""
    import skimage.data

    from scumble.backend.demo.selections import selections

    sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "editors"))
    from krita_world import World

    with tempfile.TemporaryDirectory(prefix="sc") as name:
        folder, shots = Path(name) / "w", Path(name) / "shots"
        folder.mkdir()
        shots.mkdir()
        photograph = Image.fromarray(skimage.data.coffee())
        photograph.resize((1200, 800), Image.Resampling.LANCZOS).save(shots / "picture.png")
        for which, mask, style in zip(("first", "second"), selections(2.0), IN_KRITA, strict=True):
            Image.fromarray(mask).save(shots / f"{which}.png")
            (shots / f"{which}.txt").write_text(style)
        world = World(folder)
        try:
            world.install()
            script = Path(__file__).with_name("in_krita.py")
            print(world.krita(script, timeout_s=280, SCUMBLE_SHOTS=str(shots)))
        finally:
            if KEEP:
                shutil.copy(folder / "krita.log", KEEP)
            world.close()
        window = Image.open(shots / "window.png").convert("RGB")
        window.resize((1280, 800), Image.Resampling.LANCZOS).save(
            out / "krita.jpg", quality=74, optimize=True
        )
        if KEEP:
            for file in shots.glob("*.png"):
                Image.open(file).save(Path(KEEP) / file.name)


def main() -> None:
    """Write the pictures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("docs/krita"))
    parser.add_argument("--only", default="", help="names, separated by commas")
    parser.add_argument("--font", type=float, default=9.0, help="size of the font in points")
    parser.add_argument("--krita", action="store_true", help="the real Krita")
    arguments = parser.parse_args()
    if arguments.krita:
        arguments.out.mkdir(parents=True, exist_ok=True)
        real_krita(arguments.out)
        return
    QtWidgets.QApplication.setAttribute(QtCore.Qt.ApplicationAttribute.AA_UseHighDpiPixmaps)  # as Krita
    app = QtWidgets.QApplication(["screenshots"])
    app.setStyle("Fusion")
    font = app.font()
    font.setPointSizeF(arguments.font)
    app.setFont(font)
    arguments.out.mkdir(parents=True, exist_ok=True)
    chosen = arguments.only.split(",") if arguments.only else [*SHOTS, *windows.WINDOWS, "settings"]
    for name in chosen:
        if name == "settings":
            app.setPalette(palette("dark"))
            dialog = SettingsDialog(FakePort())
            dialog.show()
            app.processEvents()
            shot = dialog.grab()
            dialog.close()
        elif name in windows.WINDOWS:
            make, colours = windows.WINDOWS[name]
            app.setPalette(palette(colours))
            shot = windows.take(make)
        else:
            shot = take(app, *SHOTS[name])
        file = arguments.out / f"{name}.jpg"
        write(shot, file, 80 if name in windows.WINDOWS else 90)  # photographs need fewer bytes
        print(f"{file}: {shot.width()} x {shot.height()}, {file.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
