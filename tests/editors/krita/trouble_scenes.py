"""What goes wrong: input, cancelling, backends that die or are strangers."""

import os
import time

from inside import (
    APPLICATION,
    CONTROLLER,
    STYLES,
    activate,
    close,
    failure,
    fill,
    fresh_choices,
    idle,
    names,
    new_document,
    paint,
    rest,
    select,
    shut,
    undo_text,
)
from krita import Selection

from scumble.plugin.common.backend import Remote


def bad_input(found):
    fresh_choices(STYLES[0])
    for document in APPLICATION.documents():
        yield from close(document)

    def none():
        """No document"""
        return APPLICATION.activeDocument() is None

    yield none
    CONTROLLER.see()
    found["no_document_problem"] = CONTROLLER.state.problem.sentence
    yield from paint(found)
    found["no_document"] = found["failure"]
    document = yield from new_document(128, 128)
    source = document.activeNode()
    fill(document, source)
    select(document, -80, -80, 40, 40)
    yield from paint(found)
    found["selection_outside"] = found["failure"]
    document.setSelection(Selection())
    yield from rest(document)
    yield from paint(found)
    found["empty_selection"] = found["failure"]
    document.setSelection(None)
    empty = document.createNode("empty", "paintlayer")
    source.parentNode().addChildNode(empty, source)
    yield from activate(document, empty)
    yield from paint(found)
    found["empty_layer"] = found["failure"]
    found["names"] = names(document)
    for node in document.rootNode().childNodes():
        node.remove()
    yield from rest(document)
    CONTROLLER.see()
    found["no_layer_problem"] = CONTROLLER.state.problem and CONTROLLER.state.problem.sentence
    yield from paint(found)
    found["no_layer"] = found["failure"]
    found["names_without"] = names(document)
    yield from close(document)


def cancelled_midway(found):
    document = yield from new_document(1100, 1100)
    source = document.activeNode()
    fill(document, source)
    document.waitForDone()
    fresh_choices(STYLES[0])
    found["undo_before"] = undo_text()
    CONTROLLER.stylize()

    def running():
        """The job runs"""
        job = CONTROLLER.state.job
        return job is not None and job.state.value == "running"

    yield running
    found["stage"] = CONTROLLER.state.job.status
    began = time.monotonic()
    CONTROLLER.cancel()
    yield idle
    found["cancel_s"] = time.monotonic() - began
    found["state"] = CONTROLLER.state.job.state.value
    found["failure"] = failure()
    found["names"] = names(document)
    found["undo_after"] = undo_text()
    # And the backend killed in the middle of the next.
    CONTROLLER.stylize()
    yield running
    from scumble.shared.connection import read_connection

    pid = read_connection().pid
    os.kill(pid, 9)
    found["killed"] = pid
    yield idle
    yield from rest(document)
    found["after_kill_failure"] = failure()
    found["after_kill_names"] = names(document)
    found["after_kill_pid"] = read_connection().pid
    # The document is closed while it is painted.
    CONTROLLER.stylize()
    yield running
    shut(document)
    yield idle

    def told():
        """What became of the job"""
        return failure() is not None and CONTROLLER.state.job.state.value == "cancelled"

    yield told
    found["closed_failure"] = failure()
    found["closed_state"] = CONTROLLER.state.job.state.value
    found["report"] = CONTROLLER.report()


def another_backend(found):
    document = yield from new_document(128, 128)
    fill(document, document.activeNode())
    fresh_choices(STYLES[0])
    CONTROLLER.set_remote(Remote("", os.environ["SCUMBLE_STRANGER"], True))
    yield from paint(found)
    found["other_version"] = found["failure"]
    found["other_backend"] = CONTROLLER.state.backend.text
    CONTROLLER.set_remote(Remote("nonsense here", os.environ["SCUMBLE_STRANGER"], True))
    found["nonsense"] = failure()
    CONTROLLER.set_remote(Remote())
    yield from paint(found)
    found["back"] = found["failure"]
    found["names"] = names(document)
    yield from close(document)


def on_another_machine(found):
    """With the address and the key file that are entered in the settings, and none of this machine's own."""
    from scumble.shared import launch
    from scumble.shared.connection import connection_path

    document = yield from new_document(160, 128)
    fill(document, document.activeNode())
    fresh_choices(STYLES[0])
    launch.stop()
    key = os.environ["SCUMBLE_ELSEWHERE_KEY"]
    CONTROLLER.set_remote(Remote(os.environ["SCUMBLE_ELSEWHERE"], key, True))

    def answered():
        """The backend elsewhere"""
        return CONTROLLER.state.backend.state.value == "ready"

    yield answered
    yield from paint(found)
    found["painted"] = [found["failure"], names(document)]
    found["started_here"] = connection_path().exists()
    found["log"] = CONTROLLER.backend_log()
    found["report"] = CONTROLLER.report()
    CONTROLLER.restart_backend()
    found["told"] = list(CONTROLLER.state.notices)
    CONTROLLER.set_remote(Remote())
    yield from paint(found)
    found["back"] = [found["failure"], connection_path().exists()]
    yield from close(document)
