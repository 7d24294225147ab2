"""The docker's windows by hand: picking by clicks, a part of the painting, matched parts."""

from inside import (
    APPLICATION,
    CONTROLLER,
    STYLES,
    activate,
    close,
    fresh_choices,
    names,
    new_document,
    paint,
    rest,
)
from picking_scenes import a_disc, rect_of
from PyQt5 import QtWidgets
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest

from scumble.plugin.common.picture_part import rectangle
from scumble.plugin.common.sources import style_part


def panel():
    """What is in the docker."""
    window = APPLICATION.activeWindow().qwindow()
    docks = window.findChildren(QtWidgets.QDockWidget)
    return next(dock for dock in docks if dock.objectName() == "scumble_docker").widget()


def undo_step():
    return APPLICATION.action("edit_undo").text()


def by_hand(found):
    document = yield from new_document(600, 240)
    source = document.activeNode()
    a_disc(document, source)
    fresh_choices(STYLES[0])
    picking, docker = CONTROLLER.picking, panel()

    def answered():
        """The answer"""
        return not picking.busy

    # A disc is picked by two clicks and becomes the selection.
    window = docker.regions.open_picker()

    def looked():
        """The picture"""
        return window._picture is not None

    yield looked
    box = window.method.box
    box.setCurrentIndex([box.itemData(at) for at in range(box.count())].index("grabcut"))
    canvas = window.canvas
    for button, place in ((Qt.LeftButton, (240, 120)), (Qt.RightButton, (4, 4))):
        x, y = window._picture.to_picture(*place)
        QTest.mouseClick(canvas, button, Qt.NoModifier, canvas.from_picture(x, y).toPoint())
        yield answered
    found["picked"] = [window.clicks.now.mask is not None, window.message.isVisible(), canvas.has_mask]
    window.takes.make.click()

    def selected():
        """The selection"""
        return rect_of(document) is not None

    yield selected
    yield from rest(document)
    found["selected"] = rect_of(document)
    # Keys are the window's and not Krita's.
    step = undo_step()
    canvas.setFocus()
    QTest.keyClick(canvas, Qt.Key_Backspace)
    QTest.keyClick(canvas, Qt.Key_Z, Qt.ControlModifier)
    yield from rest(document)
    found["keys"] = [window.clicks.can_undo, undo_step() == step, rect_of(document)]
    x, y = window._picture.to_picture(240, 120)
    canvas.clicked.emit(x, y, True)
    yield answered
    window.takes.add.click()

    def added():
        """The region"""
        return bool(CONTROLLER.state.regions)

    yield added
    regions = CONTROLLER.state.regions
    found["region"] = [len(regions), regions[0].mask.kind if regions else ""]
    window.close()
    # Its style from the upper part of the painting, drawn on the gallery's own picture.
    part = docker.styles.open_part()

    def drawn_on():
        """The gallery's picture"""
        return part.canvas.picture is not None and part.canvas.picture.width() > 200

    yield drawn_on
    part.canvas.set_part(rectangle(0, 0, 1, 0.4))
    part.use.click()
    yield from rest(document)
    found["part"] = style_part(CONTROLLER.state.regions[0].style) is not None
    yield from paint(found)
    found["names"] = names(document)
    # Parts that match become regions of both sides.
    CONTROLLER.clear_regions()
    engine = CONTROLLER.state.engine
    yield from activate(document, source)
    CONTROLLER.set_engine("semantic")
    yield from rest(document)
    match = docker.regions.open_matching()

    def matched():
        """The parts"""
        return not picking.busy and (match.table.rows or match.message.isVisible())

    yield matched
    found["rows"] = len(match.table.rows)
    match.rows.choose([0, 1])
    match.merge.click()
    match.use.click()
    yield added
    yield from rest(document)
    regions = CONTROLLER.state.regions
    found["matched"] = [[style_part(each.style) is not None, each.mask.kind] for each in regions]
    match.close()
    CONTROLLER.clear_regions()
    CONTROLLER.set_engine(engine)
    document.setSelection(None)
    yield from close(document)
