"""Live preview, animation, the menu, and how Krita feels meanwhile."""

import os
import time

from inside import (
    APPLICATION,
    CONTROLLER,
    OUT,
    STYLES,
    activate,
    close,
    digest,
    dump,
    failure,
    fill,
    fresh_choices,
    history,
    idle,
    names,
    new_document,
    paint,
    picture,
    rest,
    select,
    tree,
    undo,
    undo_text,
)
from PyQt5.QtCore import QByteArray

from scumble.plugin.krita.interface import Output


def live_preview(found):
    document = yield from new_document(512, 512)
    source = document.activeNode()
    fill(document, source)
    document.waitForDone()
    fresh_choices(STYLES[0])
    select(document, 64, 64, 256, 256)
    document.setModified(False)
    found["undo_before"] = undo_text()

    def shown():
        """The preview is shown"""
        return CONTROLLER.state.preview.shown and not CONTROLLER.state.preview.busy

    CONTROLLER.set_preview(True)
    yield shown
    yield from rest(document)
    found["names"] = names(document)
    found["active"] = document.activeNode().name()
    found["text"] = CONTROLLER.state.preview.text
    node = source.parentNode().childNodes()[1]
    found["first"] = dump("preview.first", node)
    CONTROLLER.set_option("texture", 0.9)
    CONTROLLER.set_style(STYLES[1])

    def settled():
        """The preview has followed"""
        data = source.parentNode().childNodes()[1].pixelData(64, 64, 256, 256)
        return shown() and digest(data) != first

    first = digest(node.pixelData(64, 64, 256, 256))
    yield settled
    select(document, 300, 300, 100, 100)

    def moved():
        """The preview is where the selection is now"""
        b = source.parentNode().childNodes()[1].bounds()
        return (b.x(), b.y()) == (300, 300) and shown()

    yield moved
    found["moved"] = dump("preview.moved", source.parentNode().childNodes()[1])
    found["names_moved"] = names(document)
    CONTROLLER.set_preview(False)
    yield from rest(document)
    found["names_gone"] = names(document)
    found["undo_gone"], found["left"] = undo_text(), history()
    found["modified_gone"] = document.modified()
    CONTROLLER.set_preview(True)
    yield shown
    yield from paint(found)
    found["names_applied"] = names(document)
    found["undo_applied"], found["left_applied"] = undo_text(), history()
    # It is still on, and comes with the next change; off and on is quicker.
    CONTROLLER.set_preview(False)
    CONTROLLER.set_preview(True)
    yield shown
    yield from rest(document)
    found["names_over_result"] = names(document)
    CONTROLLER.set_preview(False)
    yield from rest(document)
    yield from undo(document)
    found["names_undone"] = names(document)
    found["undo_undone"], found["left_undone"] = undo_text(), history()
    # Undone by the user: it goes and does not come back by itself.
    CONTROLLER.set_preview(True)
    yield shown
    yield from undo(document)

    def off():
        """The end of the preview"""
        return not CONTROLLER.state.preview.on

    yield off
    yield from rest(document)
    found["by_hand"] = [names(document), CONTROLLER.state.preview.on, CONTROLLER.state.preview.text]
    CONTROLLER.set_preview(False)
    yield from close(document)


def animation(found):
    document = yield from new_document(160, 128)
    layer = document.activeNode()
    layer.enableAnimation()
    yield from rest(document)
    for number, at in enumerate((0, 4, 9)):
        document.setCurrentTime(at)
        yield from rest(document)
        if number:
            APPLICATION.action("add_blank_frame").trigger()
            yield from rest(document)
        data = bytearray(picture(160, 128))
        data[number::4] = bytes([60 * number + 30]) * (160 * 128)
        layer.setPixelData(QByteArray(bytes(data)), 0, 0, 160, 128)
    document.setCurrentTime(4)
    yield from rest(document)
    fresh_choices(STYLES[0])
    select(document, 20, 20, 96, 64)
    CONTROLLER.see()
    found["frames"] = CONTROLLER.state.document.frames
    before = [digest(layer.pixelDataAtTime(0, 0, 160, 128, t)) for t in (0, 4, 9)]
    yield from paint(found)
    found["one"] = {"failure": found["failure"], "names": names(document)}
    yield from undo(document)
    found["undo_before"] = undo_text()
    CONTROLLER.set_all_frames(True)
    batches = set()
    stop = CONTROLLER.listen(lambda parts: batches.add(str(CONTROLLER.state.batch)))
    yield from paint(found)
    stop()
    found["batches"] = sorted(batches)
    found["names"], found["frames_steps"] = names(document), found["steps"]
    found["time"] = document.currentTime()
    new = document.rootNode().childNodes()[1]
    found["keys"] = [t for t in range(12) if new.hasKeyframeAtTime(t)]
    found["new"] = []
    for at in (0, 4, 9):
        data = bytes(new.pixelDataAtTime(0, 0, 160, 128, at))
        with open(os.path.join(OUT, f"frame.{at}"), "wb") as stream:
            stream.write(data)
        found["new"].append(digest(data))
    found["same"] = before == [digest(layer.pixelDataAtTime(0, 0, 160, 128, t)) for t in (0, 4, 9)]
    item = CONTROLLER.state.history[0]
    found["history"] = [item.name, item.placed, item.applicable]
    yield from undo(document)
    found["names_undone"] = names(document)
    CONTROLLER.apply(item.id)

    def applied():
        """The result that is put back"""
        return len(names(document)) > 1 or failure()

    yield applied
    yield from rest(document)
    found["applied"] = [names(document), failure()]
    again = document.rootNode().childNodes()[1]
    found["applied_frames"] = [digest(again.pixelDataAtTime(0, 0, 160, 128, t)) for t in (0, 4, 9)]
    yield from undo(document)
    # Each region a layer of its own, and the same again from the settings in the group.
    for x in (10, 80):
        select(document, x, 30, 50, 60)
        CONTROLLER.pick_region("")
        CONTROLLER.add_region()
    CONTROLLER.set_output(Output.GROUP)
    yield from paint(found)
    CONTROLLER.set_output(Output.LAYER)
    CONTROLLER.set_all_frames(False)
    found["group_failure"], found["group_steps"] = found["failure"], found["steps"]
    found["group"] = tree(document)
    group = document.rootNode().childNodes()[1]
    found["group_keys"] = [[t for t in range(12) if n.hasKeyframeAtTime(t)] for n in group.childNodes()]
    found["group_frames"] = [
        [digest(n.pixelDataAtTime(0, 0, 160, 128, t)) for t in (0, 4, 9)] for n in group.childNodes()
    ]
    fresh_choices(STYLES[1])
    yield from activate(document, group)
    CONTROLLER.rerun()
    yield idle
    yield from rest(document)
    found["rerun_failure"] = failure()
    found["rerun"] = tree(document)
    found["rerun_frames"] = [
        [digest(n.pixelDataAtTime(0, 0, 160, 128, t)) for t in (0, 4, 9)]
        for n in document.rootNode().childNodes()[2].childNodes()
    ]
    yield from close(document)


def where_in_the_menu(name):
    """Titles of the menus down to an action, as the user reads them."""

    def below(menu, path):
        for action in menu.actions():
            if action.objectName() == name:
                return path
            if action.menu() is not None:
                there = below(action.menu(), [*path, action.text().replace("&", "")])
                if there:
                    return there
        return None

    return below(APPLICATION.activeWindow().qwindow().menuBar(), [])


def the_menu(found):
    found["actions"] = sorted(
        a.objectName() for a in APPLICATION.actions() if a.objectName().startswith("scumble")
    )
    action = APPLICATION.action("scumble_stylize")
    found["menu"] = where_in_the_menu("scumble_stylize")
    import zmq

    found["zmq"] = zmq.__file__
    found["shortcut"] = action.shortcut().toString()
    found["dockers"] = [d.objectName() for d in APPLICATION.dockers() if "scumble" in d.objectName()]
    document = yield from new_document(128, 128)
    fill(document, document.activeNode())
    fresh_choices(STYLES[0])
    for docker in APPLICATION.dockers():
        if docker.objectName() == "scumble_docker":
            docker.setVisible(True)
    yield from rest(document)
    action.trigger()

    def painted():
        """The result, or why there is none"""
        return idle() and (len(names(document)) > 1 or failure())

    yield painted
    yield from rest(document)
    found["failure"] = failure()
    found["names"] = names(document)
    yield from close(document)


def responsiveness(found):
    """While a job runs, the GUI thread is never away for long but for Krita's own work."""
    document = yield from new_document(1024, 1024)
    fill(document, document.activeNode())
    document.waitForDone()
    fresh_choices(STYLES[0])
    CONTROLLER.set_option("last_strokes", "few")  # or it would be over before there was much to count
    CONTROLLER.stylize()
    worst, beats, last = 0.0, 0, time.monotonic()

    def beat():
        """A beat"""
        nonlocal worst, beats, last
        now = time.monotonic()
        job = CONTROLLER.state.job
        if job is not None and job.state.value == "running":
            worst, beats = max(worst, now - last), beats + 1
        last = now
        return idle()

    yield beat
    found["worst_gap_s"], found["beats"] = worst, beats
    found["read_s"] = CONTROLLER.timing.read
    found["failure"] = failure()
    yield from close(document)
