"""The gallery, and styles from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fake_port import FakePort
from hands import click, click_row, key, turn, write
from PyQt5 import QtCore, QtGui, QtWidgets

from scumble.plugin.common.regions import RegionEntry
from scumble.plugin.common.sources import BlendedStyle, FileStyle, GalleryStyle, LayerStyle
from scumble.plugin.krita.interface import Part, StyleCard

NIGHT, WAVE = GalleryStyle("night-swirls"), GalleryStyle("woodblock-wave")


def pick(panel: Any, style: str) -> None:
    gallery = panel.styles.gallery
    row = [card.id for card in gallery.model.shown].index(style)
    gallery.view.scrollTo(gallery.model.index(row, 0))
    turn()
    box = gallery.view.visualRect(gallery.model.index(row, 0))
    click(gallery.view.viewport(), box.center())


def test_every_bundled_style_is_there_with_its_picture(panel: Any, port: FakePort) -> None:
    shown = panel.styles.gallery.model.shown
    assert shown == port.state.styles and len(shown) >= 12
    assert all(not panel.pictures.of_card(card).isNull() for card in shown)


def test_a_click_chooses_a_style_and_it_is_shown_by_its_name(panel: Any, port: FakePort) -> None:
    pick(panel, "night-swirls")
    assert port.state.style == NIGHT
    assert panel.styles.name.text() == "Swirling night" and panel.styles.whose.text() == "for the selection"


def test_the_search_narrows_and_enter_takes_the_first(panel: Any, port: FakePort) -> None:
    gallery = panel.styles.gallery
    write(gallery.search, "wood print")
    shown = [card.id for card in gallery.model.shown]
    assert shown and len(shown) < len(port.state.styles)
    key(gallery.search, QtCore.Qt.Key.Key_Return)
    assert port.state.style == GalleryStyle(shown[0])
    write(gallery.search, "qqq")
    assert gallery.model.shown == () and gallery.empty.isVisible() and "qqq" in gallery.empty.text()


def test_the_arrow_keys_walk_through_the_gallery(panel: Any, port: FakePort) -> None:
    view = panel.styles.gallery.view
    pick(panel, port.state.styles[0].id)
    panel.activateWindow()
    view.setFocus()
    turn()
    key(view, QtCore.Qt.Key.Key_Right)
    assert port.state.style == GalleryStyle(port.state.styles[1].id)


def test_before_the_backend_answers_the_gallery_says_so(panel: Any, port: FakePort) -> None:
    port.become(Part.CATALOGUE, styles=(), form=None, engines=(), engine="")
    assert "appear as soon as" in panel.styles.gallery.empty.text()


def test_a_style_without_a_readable_picture_is_still_to_be_chosen(panel: Any, port: FakePort) -> None:
    port.become(Part.CATALOGUE, styles=(StyleCard("mine", "Mine", thumbnail=b"no picture"),))
    turn()
    pick(panel, "mine")
    assert port.state.style == GalleryStyle("mine")


def test_the_style_of_the_picked_region_is_the_one_that_is_shown_and_changed(
    panel: Any, port: FakePort
) -> None:
    port.list.add(style=NIGHT, label="Sky", strength=0.4)
    port._listed(picked="r1")
    assert panel.styles.name.text() == "Swirling night" and panel.styles.whose.text() == "for Sky"
    assert panel.styles.strength.number == 0.4
    pick(panel, "woodblock-wave")
    panel.styles.strength.edit("90")
    key(panel.styles.strength.findChild(QtWidgets.QLineEdit), QtCore.Qt.Key.Key_Return)
    assert port.state.regions[0] == RegionEntry("r1", port.state.regions[0].mask, WAVE, "Sky", 0.9)


def test_a_file_becomes_the_style_and_its_picture_arrives(
    panel: Any, port: FakePort, tmp_path: Path, app: Any
) -> None:
    file = tmp_path / "a picture ö.png"
    image = QtGui.QImage(640, 400, QtGui.QImage.Format.Format_RGB32)
    image.fill(QtGui.QColor(200, 30, 30))
    assert image.save(str(file))
    panel.styles.take_file(str(file))
    assert port.state.style == FileStyle(str(file)) and port.called("set_style_folder") == [(str(tmp_path),)]
    QtCore.QThreadPool.globalInstance().waitForDone(5000)
    turn()
    picture = panel.pictures.image(port.state.style)
    assert picture is not None and max(picture.width(), picture.height()) <= 192
    assert panel.styles.name.text() == "a picture ö"


def test_a_file_that_is_gone_has_no_picture_and_is_asked_for_once(panel: Any, tmp_path: Path) -> None:
    gone = FileStyle(str(tmp_path / "gone.png"))
    assert panel.pictures.image(gone) is None
    QtCore.QThreadPool.globalInstance().waitForDone(5000)
    turn()
    assert panel.pictures.image(gone) is None and not panel.pictures._asked


def test_layers_of_open_documents_are_offered_by_document(panel: Any, port: FakePort) -> None:
    click(panel.styles.from_layer)
    menu = QtWidgets.QApplication.activePopupWidget()
    texts = [action.text() for action in menu.actions()]
    assert texts == ["harbour.kra", "Colour study", "papers.kra", "Texture"]
    menu.actions()[3].trigger()
    menu.close()
    assert port.state.style == LayerStyle("l2", "other", "Texture")
    assert panel.styles.name.text() == "Texture"


def test_a_blend_takes_up_to_four_styles_with_weights(panel: Any, port: FakePort) -> None:
    pick(panel, "night-swirls")
    click(panel.styles.blending)
    for style in ("woodblock-wave", "stained-glass", "batik", "koi-mosaic"):
        pick(panel, style)
    assert isinstance(port.state.style, BlendedStyle)
    names = [part.id for part, _ in port.state.style.parts]
    assert names == ["night-swirls", "woodblock-wave", "stained-glass", "batik"]
    panel.styles._parts[1].bar.edit("80")
    key(panel.styles._parts[1].bar.findChild(QtWidgets.QLineEdit), QtCore.Qt.Key.Key_Return)
    assert port.state.style.parts[1] == (WAVE, 0.8)
    click(panel.styles._parts[0].remove)
    assert [part.id for part, _ in port.state.style.parts] == names[1:]


def test_ending_the_blend_keeps_its_strongest_style(panel: Any, port: FakePort) -> None:
    port.set_style(BlendedStyle(((NIGHT, 0.2), (WAVE, 0.9))))
    assert panel.styles.blending.isChecked() and panel.styles.blend.isVisible()
    click(panel.styles.blending)
    assert port.state.style == WAVE and not panel.styles.blend.isVisible()


def test_choosing_with_the_mouse_while_blending_does_not_take_one_twice(panel: Any, port: FakePort) -> None:
    port.set_style(BlendedStyle(((NIGHT, 0.2), (WAVE, 0.9))))
    pick(panel, "woodblock-wave")
    assert port.state.style == BlendedStyle(((NIGHT, 0.2), (WAVE, 0.9)))


@pytest.mark.parametrize("width", [240, 300, 420, 700])
def test_the_columns_fill_the_width(panel: Any, width: int) -> None:
    panel.resize(width, 900)
    turn()
    view = panel.styles.gallery.view
    columns = view.viewport().width() // view.gridSize().width()
    left = view.viewport().width() - columns * view.gridSize().width()
    assert panel.width() == width and columns >= 2 and left <= columns + 1


def test_words_are_offered_only_where_the_engine_understands_them(panel: Any) -> None:
    assert panel.styles.from_words.isHidden()


def test_a_row_of_the_gallery_reads_as_its_name(panel: Any) -> None:
    model = panel.styles.gallery.model
    assert model.data(model.index(0, 0), QtCore.Qt.ItemDataRole.AccessibleTextRole) == model.shown[0].name
    click_row(panel.styles.gallery.view, 0, 20)
