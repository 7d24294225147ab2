"""Picking by clicks: a small picture, a question to the real backend, and what becomes of the answer."""

from inside import (
    CONTROLLER,
    STYLES,
    close,
    dump,
    failure,
    fresh_choices,
    names,
    new_document,
    paint,
    rest,
    select,
    undo,
    undo_text,
)
from PyQt5.QtCore import QByteArray

from scumble.plugin.krita.picking import Combine, Point


def rect_of(document):
    selection = document.selection()
    if selection is None:
        return None
    return [selection.x(), selection.y(), selection.width(), selection.height()]


def a_disc(document, node):
    """A red disc on a green ground."""
    wide, high = document.width(), document.height()
    data = bytearray()
    for y in range(high):
        for x in range(wide):
            inside = (x - wide * 0.4) ** 2 + (y - high / 2) ** 2 < (high * 0.3) ** 2
            data += bytes((40, 40, 200, 255) if inside else (60, 150 + (x // 8 + y // 8) % 2 * 12, 70, 255))
    node.setPixelData(QByteArray(bytes(data)), 0, 0, wide, high)
    document.refreshProjection()
    document.waitForDone()


def picked_by_clicks(found):
    document = yield from new_document(1000, 400)
    source = document.activeNode()
    a_disc(document, source)
    fresh_choices(STYLES[0])
    picking = CONTROLLER.picking
    seen = []

    def answered():
        """The answer"""
        return bool(seen)

    picking.look(seen.append)
    yield answered
    picture = seen.pop()
    found["picture"] = [picture.pixels.width, picture.pixels.height, picture.factor]
    found["picture_rect"] = [picture.rect.x, picture.rect.y, picture.rect.width, picture.rect.height]
    image = picture.image
    found["colours"] = [
        image.pixelColor(*map(int, picture.to_picture(*p))).name() for p in ((400, 200), (5, 5))
    ]
    x, y = picture.to_picture(400, 200)
    for method in ("grabcut", "auto"):
        picking.find(picture, seen.append, points=[Point(x, y), Point(2, 2, False)], method=method)
        yield answered
        result = seen.pop()
        found[method] = failure() if result is None else [result.method, result.masks[0].area]
        if method == "grabcut":
            mask = result.masks[0].mask
    picking.enlarge(picture, mask, seen.append)
    yield answered
    mask = seen.pop()
    select(document, 900, 300, 50, 50)
    yield from rest(document)
    found["before"] = [rect_of(document), undo_text()]
    found["accepted"] = picking.select(mask)
    yield from rest(document)
    found["selected"] = [rect_of(document), undo_text()]
    selection = document.selection()
    found["inside"] = bytes(selection.pixelData(400, 200, 1, 1))[0]
    found["outside"] = bytes(selection.pixelData(800, 200, 1, 1))[0]
    yield from undo(document)
    found["undone"] = rect_of(document)
    picking.select(mask, Combine.ADD)
    yield from rest(document)
    found["added"] = rect_of(document)
    document.waitForDone()
    picking.select(mask, Combine.SUBTRACT)
    yield from rest(document)
    found["subtracted"] = rect_of(document)
    document.waitForDone()
    yield from undo(document)
    yield from undo(document)
    found["all_undone"] = rect_of(document)
    found["region"] = picking.add_region(mask, "disc")
    yield from paint(found)
    found["names"] = names(document)
    found["result"] = dump("picked.result", source.parentNode().childNodes()[1])
    yield from close(document)
