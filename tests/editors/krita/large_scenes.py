"""Large canvases: nothing is read or written at once, and what is too large says so."""

import os
import time

from inside import (
    APPLICATION,
    CONTROLLER,
    OUT,
    SRGB,
    STYLES,
    activate,
    close,
    dump,
    failure,
    fresh_choices,
    idle,
    names,
    new_document,
    paint,
    picture,
    rest,
    select,
    undo,
)
from krita import InfoObject, Selection
from PyQt5.QtCore import QByteArray

from scumble.plugin.common.regions import RegionEntry
from scumble.plugin.common.sources import EVERYTHING, MaskSource
from scumble.plugin.krita import qt_loop
from scumble.plugin.krita import turns as in_pieces
from scumble.plugin.krita.host.api import Target
from scumble.plugin.krita.host.nodes import document_id, node_id
from scumble.plugin.krita.runs import Order


class Turns:
    """How long our code kept the event loop at a time: each entry into it is timed.

    Every piece of work gets a turn of its own: a quick machine would do many of them in one.
    """

    def __init__(self):
        self.longest, self.what, self.count = 0.0, "", 0
        self._safely, self._budget = qt_loop.safely, in_pieces.BUDGET_S

    def __enter__(self):
        def timed(action):
            began = time.perf_counter()
            self._safely(action)
            took = time.perf_counter() - began
            self.count += getattr(action, "__qualname__", "") == "run.<locals>.turn"
            if took > self.longest:
                self.longest, self.what = took, getattr(action, "__qualname__", repr(action))

        qt_loop.safely, in_pieces.BUDGET_S = timed, 0.0
        return self

    def __exit__(self, *_):
        qt_loop.safely, in_pieces.BUDGET_S = self._safely, self._budget


def filled(document, node, x, y, width, height):
    """Paint something, row by row."""
    rows = picture(width, 64)
    for top in range(y, y + height, 64):
        count = min(64, y + height - top)
        node.setPixelData(QByteArray(rows[: width * count * 4]), x, top, width, count)
    document.refreshProjection()
    document.waitForDone()


def a_wide_canvas(found):
    """20,000 pixels wide, in a window: a part of it is painted, and Krita goes on turning."""
    document = yield from new_document(20000, 600)
    source = document.activeNode()
    filled(document, source, 0, 0, 20000, 600)
    yield from rest(document)
    fresh_choices(STYLES[0])
    select(document, 19700, 100, 200, 160)
    yield from paint(found)
    found["names"] = names(document)
    found["result"] = dump("wide.result", source.parentNode().childNodes()[1])
    yield from undo(document)
    # And all of it, up to the moment at which it is on its way.
    document.setSelection(None)
    yield from rest(document)
    with Turns() as turns:
        CONTROLLER.stylize()

        def sent():
            """The layer is sent"""
            job = CONTROLLER.state.job
            return idle() or (job is not None and job.state.value == "running")

        yield sent
        found["whole_failure"] = failure()
        CONTROLLER.cancel()
        yield idle
    found["longest_turn_s"], found["longest_turn"] = turns.longest, turns.what
    found["turns"] = turns.count
    found["whole_names"] = names(document)
    yield from close(document)


def a_square_that_is_too_large(found):
    """Without a view, which would be rendered, all of it; so it is named instead of being active."""
    huge = APPLICATION.createDocument(20000, 20000, "huge", "RGBA", "U8", SRGB, 100.0)
    huge.setBatchmode(True)
    node = huge.rootNode().childNodes()[0]
    target = Target(document_id(huge), node_id(node), node.name())
    entry = RegionEntry("", MaskSource(EVERYTHING), STYLES[0])
    fresh_choices(STYLES[0])
    CONTROLLER.guarded(lambda: CONTROLLER.begin(lambda: Order(target, (entry,), "partial-conv", {})))
    yield idle
    found["failure"] = failure()
    yield from close(huge)


def other_kinds_of_layers(found):
    """Fill, file and clone layers: as they look, with a word to the user."""
    document = yield from new_document(192, 160)
    source = document.activeNode()
    filled(document, source, 20, 20, 100, 90)
    root = document.rootNode()
    file = os.path.join(OUT, "layer.png")
    document.setBatchmode(True)
    document.exportImage(file, InfoObject())
    yield from rest(document)
    info = InfoObject()
    info.setProperty("color", "#30a060")
    everywhere = Selection()
    everywhere.select(0, 0, 192, 160, 255)
    fill = document.createFillLayer("fill", "color", info, everywhere)
    root.addChildNode(fill, source)
    yield from rest(document)
    linked = document.createFileLayer("file", file, "None")
    root.addChildNode(linked, fill)

    def loaded():
        """The file layer's file"""
        return not linked.bounds().isEmpty()

    yield loaded
    yield from rest(document)
    clone = document.createCloneLayer("clone", source)
    root.addChildNode(clone, linked)
    yield from rest(document)
    document.refreshProjection()
    document.waitForDone()
    for node in (fill, linked, clone):
        yield from activate(document, node)
        fresh_choices(STYLES[0])
        select(document, 30, 30, 60, 50)
        CONTROLLER.see()
        part = {"note": CONTROLLER.state.document.note}
        yield from paint(part)
        found[node.name()] = part
        part["names"] = names(document)
        if part["failure"] is None:
            above = part["names"].index(node.name()) + 1
            part["result"] = dump(f"other.{node.name()}", root.childNodes()[above])
            yield from undo(document)
    # The file goes: Krita shows what it has, or nothing, and we say what there is to say.
    os.unlink(file)
    yield from activate(document, linked)
    gone = {}
    yield from paint(gone)
    found["file_gone"] = {"failure": gone["failure"], "names": names(document)}
    yield from close(document)
