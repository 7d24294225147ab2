"""From this part of the painting: drawn on the style's picture, shown on its thumbnail, cleared."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_port import FakePort
from hands import NONE, click, key, turn
from PyQt5 import QtCore, QtGui, QtWidgets
from PyQt5.QtTest import QTest

from scumble.plugin.common.picture_part import Outline, part_box, rectangle
from scumble.plugin.common.sources import (
    BlendedStyle,
    FileStyle,
    GalleryStyle,
    LayerStyle,
    WordStyle,
    style_part,
)
from scumble.plugin.krita.interface import Part
from scumble.plugin.krita.ui.part_dialog import PartDialog

KEY, LEFT, SHIFT = QtCore.Qt.Key, QtCore.Qt.MouseButton.LeftButton, QtCore.Qt.KeyboardModifier.ShiftModifier
NIGHT, WAVE = GalleryStyle("night-swirls"), GalleryStyle("woodblock-wave")
CORNER = rectangle(0.0, 0.0, 0.5, 0.5)


def grey(width: int = 200, height: int = 100) -> Any:
    image = QtGui.QImage(width, height, QtGui.QImage.Format.Format_RGB32)
    image.fill(QtGui.QColor(120, 120, 120))
    return image


@pytest.fixture
def dialog(app: Any) -> Iterator[Any]:
    """The window over a grey picture, twice as wide as high."""
    it = PartDialog("Grey", None, lambda done: done(grey()))
    it.taken = []
    it.chosen.connect(it.taken.append)
    it.show()
    turn()
    gone: list[Any] = []
    it.destroyed.connect(gone.append)
    yield it
    if not gone:
        it.close()
    turn()


def draw(dialog: Any, *places: tuple[float, float]) -> None:
    """Press, move and let go, at shares of the picture."""
    canvas = dialog.canvas
    wide, high = canvas.picture.width(), canvas.picture.height()
    points = [canvas.from_picture(x * wide, y * high).toPoint() for x, y in places]
    QTest.mousePress(canvas, LEFT, NONE, points[0])
    for point in points[1:]:
        event = QtGui.QMouseEvent(QtCore.QEvent.Type.MouseMove, QtCore.QPointF(point), LEFT, LEFT, NONE)
        QtWidgets.QApplication.sendEvent(canvas, event)
        canvas.grab()  # drawing on the way does no harm
    QTest.mouseRelease(canvas, LEFT, NONE, points[-1])
    turn()


def lightness(image: Any, x: float, y: float) -> int:
    return int(image.pixelColor(round(x * image.width()), round(y * image.height())).lightness())


def test_a_rectangle_is_dragged_and_used(dialog: Any) -> None:
    assert dialog.use.text() == "Use the whole picture"
    draw(dialog, (0.75, 0.6), (0.3, 0.3), (0.25, 0.2))
    click(dialog.use)
    assert part_box(dialog_taken(dialog)) == pytest.approx((0.25, 0.2, 0.75, 0.6), abs=0.01)


def dialog_taken(dialog: Any) -> Any:
    """What the window was used for, once."""
    assert len(dialog.taken) == 1
    return dialog.taken[0]


def test_a_line_is_drawn_around_it_and_closed(dialog: Any) -> None:
    click(dialog.tools["lasso"])
    draw(dialog, (0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.5, 0.9), (0.2, 0.8))
    click(dialog.use)
    part = dialog_taken(dialog)
    assert isinstance(part, Outline) and len(part.points) == 5
    assert part_box(part) == pytest.approx((0.2, 0.2, 0.8, 0.9), abs=0.01)


def test_beyond_the_border_it_is_cut_off(dialog: Any) -> None:
    draw(dialog, (0.5, 0.5), (1.4, 1.6))
    click(dialog.use)
    assert part_box(dialog_taken(dialog)) == pytest.approx((0.5, 0.5, 1.0, 1.0), abs=0.01)


@pytest.mark.parametrize("kind", ["rectangle", "lasso"])
def test_a_mere_click_changes_nothing(dialog: Any, kind: str) -> None:
    draw(dialog, (0.25, 0.25), (0.75, 0.75))
    before = dialog.canvas.part
    click(dialog.tools[kind])
    draw(dialog, (0.5, 0.5))
    assert dialog.canvas.part == before is not None


def test_what_is_left_out_is_dimmed_while_drawing(dialog: Any) -> None:
    draw(dialog, (0.0, 0.0), (0.5, 0.5))
    shot, place = dialog.canvas.grab().toImage(), dialog.canvas.place
    inside = shot.pixelColor(round(place.left() + place.width() * 0.25), round(place.center().y() - 30))
    outside = shot.pixelColor(round(place.left() + place.width() * 0.75), round(place.center().y() + 30))
    assert inside.lightness() > outside.lightness() + 40


def test_keys_move_a_rectangle_and_change_its_size(dialog: Any) -> None:
    canvas = dialog.canvas
    canvas.setFocus()
    key(canvas, KEY.Key_Right)
    assert part_box(canvas.part) == pytest.approx((0.27, 0.25, 0.77, 0.75))
    key(canvas, KEY.Key_Down, SHIFT)
    assert part_box(canvas.part) == pytest.approx((0.27, 0.25, 0.77, 0.77))
    for _ in range(40):
        key(canvas, KEY.Key_Right)
        key(canvas, KEY.Key_Up, SHIFT)
    left, top, right, bottom = part_box(canvas.part)
    assert right == 1.0 and left == pytest.approx(0.5) and 0 < bottom - top < 0.05


def test_cancelling_and_closing_use_nothing(dialog: Any) -> None:
    draw(dialog, (0.1, 0.1), (0.6, 0.6))
    key(dialog, KEY.Key_Escape)
    assert dialog.taken == []


def test_the_whole_picture_is_one_click_away(app: Any) -> None:
    dialog = PartDialog("Grey", CORNER, lambda done: done(grey()))
    taken: list[Any] = []
    dialog.chosen.connect(taken.append)
    dialog.show()
    turn()
    assert dialog.canvas.part == CORNER and dialog.use.text() == "Use this part"
    click(dialog.whole)
    click(dialog.use)
    assert taken == [None]


def test_a_picture_that_comes_late_or_never_does_no_harm(app: Any) -> None:
    later: list[Any] = []
    dialog = PartDialog("Grey", CORNER, later.append)
    dialog.show()
    turn()
    assert not dialog.use.isEnabled()
    draw_on_nothing = dialog.canvas
    click(draw_on_nothing)
    later[0](grey(60, 90))
    assert dialog.use.isEnabled() and dialog.canvas.part == CORNER
    dialog.close()
    later[0](grey())
    gone = PartDialog("Gone", None, lambda done: done(None))
    assert "cannot be shown" in gone.canvas.text and not gone.use.isEnabled()
    gone.close()


# -- in the docker ------------------------------------------------------------------------------------


def test_the_part_belongs_to_the_chosen_style_and_is_cleared_beside_it(panel: Any, port: FakePort) -> None:
    styles = panel.styles
    port.set_style(NIGHT)
    turn()
    assert styles.clear_part.isHidden() and "part of the picture" in styles.part.toolTip()
    dialog = styles.open_part()
    turn()
    dialog.canvas.set_part(CORNER)
    dialog._use()
    turn()
    assert port.state.style == GalleryStyle("night-swirls", CORNER)
    assert "from a part of it" in styles.whose.text() and styles.clear_part.isVisible()
    click(styles.clear_part)
    assert port.state.style == NIGHT and styles.clear_part.isHidden()


def test_a_click_on_the_styles_picture_opens_the_window_and_there_is_one(panel: Any, port: FakePort) -> None:
    port.set_style(NIGHT)
    turn()
    click(panel.styles.swatch)
    first = panel.styles._part_dialog
    gone: list[Any] = []
    first.destroyed.connect(gone.append)
    click(panel.styles.swatch)
    assert gone and panel.styles._part_dialog is not None
    panel.styles._part_dialog.close()
    turn()
    assert panel.styles._part_dialog is None


def test_a_picked_regions_style_has_a_part_of_its_own(panel: Any, port: FakePort) -> None:
    for style in (NIGHT, NIGHT):
        port.list.add(style=style)
    port._listed(picked="r2")
    turn()
    dialog = panel.styles.open_part()
    dialog.canvas.set_part(CORNER)
    dialog._use()
    assert [style_part(entry.style) for entry in port.state.regions] == [None, CORNER]


def test_a_part_that_was_drawn_on_another_style_is_not_given_to_the_chosen_one(
    panel: Any, port: FakePort
) -> None:
    port.set_style(NIGHT)
    turn()
    dialog = panel.styles.open_part()
    port.set_style(WAVE)
    dialog.canvas.set_part(CORNER)
    dialog._use()
    assert port.state.style == WAVE


def test_another_style_of_the_gallery_is_taken_whole(panel: Any, port: FakePort) -> None:
    port.set_style(GalleryStyle("night-swirls", CORNER))
    turn()
    panel.styles.gallery.chosen.emit("woodblock-wave")
    assert port.state.style == WAVE


def test_words_and_blends_have_no_part_and_a_blend_takes_whole_pictures(panel: Any, port: FakePort) -> None:
    styles = panel.styles
    port.set_style(GalleryStyle("night-swirls", CORNER))
    turn()
    styles.blending.setChecked(True)
    styles.gallery.chosen.emit("woodblock-wave")
    assert port.state.style == BlendedStyle(((NIGHT, 0.5), (WAVE, 0.5)))
    assert not styles.part.isEnabled() and "whole pictures" in styles.part.toolTip()
    assert styles.open_part() is None
    port.set_style(WordStyle("stormy"))
    assert not styles.part.isEnabled() and styles.clear_part.isHidden()


def test_the_thumbnail_shows_the_part_and_dims_the_rest(panel: Any, port: FakePort, tmp_path: Path) -> None:
    path = str(tmp_path / "grey.png")
    assert grey().save(path)
    port.style_picture = lambda style: grey()
    layer = LayerStyle("l1", "", "Study", CORNER)
    file = FileStyle(path, CORNER)
    for style in (layer, file):
        for _ in range(300):
            image = panel.pictures.image(style)
            if image is not None:
                break
            QTest.qWait(10)
        assert lightness(image, 0.25, 0.25) > lightness(image, 0.75, 0.75) + 40
        assert lightness(image, 0.25, 0.49) > 200, "a line around it"
        assert panel.pictures.image(style) is image, "made once"
    whole = panel.pictures.image(LayerStyle("l1", "", "Study"))
    assert lightness(whole, 0.75, 0.75) == 120
    panel.pictures.forget_layers()
    assert panel.pictures.image(layer) is not None


def test_a_file_is_read_in_full_to_draw_on_and_a_layer_is_asked_for(
    panel: Any, port: FakePort, tmp_path: Path
) -> None:
    path, sizes = str(tmp_path / "large.png"), []
    assert grey(1600, 800).save(path)
    found: list[Any] = []
    panel.pictures.large(FileStyle(path, CORNER), 1024, found.append)
    for _ in range(300):
        if found:
            break
        QTest.qWait(10)
    assert (found[0].width(), found[0].height()) == (1024, 512)
    panel.pictures.large(FileStyle(str(tmp_path / "gone.png")), 1024, found.append)
    for _ in range(300):
        if len(found) > 1:
            break
        QTest.qWait(10)
    assert found[1] is None

    def layer(style: Any, width: int, height: int) -> Any:
        sizes.append((style, width, height))
        return grey()

    port.style_thumbnail = layer  # type: ignore[method-assign]
    panel.pictures.large(LayerStyle("l1", "", "Study", CORNER), 700, found.append)
    assert sizes == [(LayerStyle("l1", "", "Study"), 700, 700)] and found[2].width() == 200


def test_a_picture_of_the_gallery_is_its_thumbnail_until_it_is_there(panel: Any, port: FakePort) -> None:
    port.set_style(GalleryStyle("night-swirls", CORNER))
    turn()
    dialog = panel.styles.open_part()
    assert dialog.canvas.picture.width() <= 128 and dialog.use.isEnabled()
    style, side, done = port.picking.pictures[-1]
    assert style == "night-swirls" and side >= 768
    done(grey(800, 800))
    assert dialog.canvas.picture.width() == 800 and dialog.canvas.part == CORNER
    done(None)
    assert dialog.canvas.picture.width() == 800, "an older backend has none"
    dialog.close()
    done(grey())
    turn()


def test_the_docker_stays_narrow_with_a_part(panel: Any, port: FakePort) -> None:
    port.set_style(GalleryStyle("night-swirls", CORNER))
    panel.resize(240, 800)
    turn()
    assert panel.width() == 240 and panel.styles.minimumSizeHint().width() <= 224
    port.become(Part.CHOICE)
