"""Runs inside Krita for the measurement: clicks and previews, with libkis' share of the time."""

import os
import time

from inside import (
    APPLICATION,
    CONTROLLER,
    STYLES,
    close,
    failure,
    fill,
    fresh_choices,
    idle,
    new_document,
    ready,
    select,
)

from scumble.plugin.common.sources import GalleryStyle
from scumble.plugin.krita.runs import Run

LIBKIS = ("Document", "Node", "Selection", "SelectionMask", "Krita", "GroupLayer")


class Timed:
    """A libkis object whose calls are added up."""

    spent = 0.0
    depth = 0
    #: Counted only while a click reads or places: Krita is looked at between them, too.
    counting = False
    #: When the last counted call ended.
    ended = 0.0

    def __init__(self, inner):
        object.__setattr__(self, "_inner", inner)

    def __getattr__(self, name):
        found = getattr(self._inner, name)
        if not callable(found):
            return found

        def call(*arguments):
            began = time.perf_counter()
            Timed.depth += 1
            try:
                answer = found(*[bare(a) for a in arguments])
            finally:
                Timed.depth -= 1
                if Timed.counting and not Timed.depth:
                    Timed.spent += time.perf_counter() - began
            return dressed(answer)

        return call

    def __eq__(self, other):
        return self._inner == bare(other)

    def __hash__(self):
        return id(self._inner)


def counted(function):
    """The same, with libkis' time counted."""

    def call(*arguments, **named):
        Timed.counting = True
        try:
            return function(*arguments, **named)
        finally:
            Timed.counting = False
            Timed.ended = time.perf_counter()

    return call


def bare(thing):
    """Without the clock."""
    return thing._inner if isinstance(thing, Timed) else thing


def dressed(thing):
    """With the clock, if it is libkis'."""
    if isinstance(thing, list):
        return [dressed(each) for each in thing]
    return Timed(thing) if type(thing).__name__ in LIBKIS else thing


def main(report):
    report["version"] = APPLICATION.version()
    began = time.monotonic()
    CONTROLLER.set_shown(True)
    yield ready
    report["ready_s"] = time.monotonic() - began
    STYLES.extend(GalleryStyle(card.id) for card in CONTROLLER.state.styles)
    host = CONTROLLER.host
    Run.build, Run.place = counted(Run.build), counted(Run.place)
    CONTROLLER.order = counted(CONTROLLER.order)
    report["runs"], report["previews"] = {}, {}
    for side in map(int, os.environ["SCUMBLE_SIDES"].split()):
        document = new_document(side, side)
        yield 1500
        fill(document, document.activeNode())
        document.waitForDone()
        select(document, 0, 0, side, side)
        yield 500
        runs = report["runs"][str(side)] = []
        host._application = host._preview._application = Timed(APPLICATION)
        for number in range(int(os.environ["SCUMBLE_TIMES"]) + 1):
            fresh_choices(STYLES[number % 8])
            yield 300
            clicked = time.perf_counter()
            Timed.spent, last, gap = 0.0, clicked, 0.0
            CONTROLLER.stylize()

            def beat():
                """The end of the job"""
                nonlocal last, gap
                now = time.perf_counter()
                job = CONTROLLER.state.job
                if job is not None and job.state.value == "running":
                    gap = max(gap, now - last)
                last = now
                return idle()

            yield beat
            if failure():
                raise RuntimeError(str(failure()))
            timing = CONTROLLER.timing
            run = {
                "total": Timed.ended - clicked,
                "job": timing.job,
                "backend": dict(timing.backend),
                "krita": Timed.spent,
                "gap": gap,
            }
            if number:  # the first warms up
                runs.append(run)
            APPLICATION.action("edit_undo").trigger()
            document.waitForDone()
            yield 300
        host._application = host._preview._application = APPLICATION
        previews = report["previews"][str(side)] = []

        def settled():
            """The preview"""
            return CONTROLLER.state.preview.shown and not CONTROLLER.state.preview.busy

        CONTROLLER.set_preview(True)
        yield settled
        yield 400
        for number in range(int(os.environ["SCUMBLE_TIMES"])):
            began = time.monotonic()
            CONTROLLER.set_option("texture", 0.1 + 0.2 * number)

            def under_way():
                """The preview's job"""
                return CONTROLLER.state.preview.busy

            yield under_way
            yield settled
            previews.append(time.monotonic() - began)
            yield 400
        CONTROLLER.set_preview(False)
        close(document)
        yield 500
