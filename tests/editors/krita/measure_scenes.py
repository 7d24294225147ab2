"""Runs inside Krita for the measurement: clicks and previews, with libkis' share of the time."""

import inspect
import os
import time

from inside import (
    APPLICATION,
    CONTROLLER,
    SRGB,
    STYLES,
    close,
    failure,
    fill,
    fresh_choices,
    idle,
    new_document,
    picture,
    ready,
    select,
    undo,
)
from PyQt5.QtCore import QByteArray

from scumble.plugin.common.sources import GalleryStyle
from scumble.plugin.krita import qt_loop
from scumble.plugin.krita.runs import Run
from scumble.shared.messages import PixelBuffer, StylizeResult

LIBKIS = ("Document", "Node", "Selection", "SelectionMask", "Krita", "GroupLayer")


class Timed:
    """A libkis object whose calls are added up."""

    spent = 0.0
    #: Of all calls, also of those between a click's own.
    all_spent = 0.0
    #: In which Krita composes the picture: its own work, whoever asks for it.
    composing = 0.0
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
                if not Timed.depth:
                    took = time.perf_counter() - began
                    if name in ("addChildNode", "refreshProjection", "waitForDone"):
                        Timed.composing += took
                    else:
                        Timed.all_spent += took
                    Timed.spent += took if Timed.counting else 0.0
            return dressed(answer)

        return call

    def __eq__(self, other):
        return self._inner == bare(other)

    def __hash__(self):
        return id(self._inner)


def counted(function):
    """The same, with libkis' time counted; also of a generator, from piece to piece."""

    def call(*arguments, **named):
        Timed.counting = True
        try:
            found = function(*arguments, **named)
        finally:
            Timed.counting = False
            Timed.ended = time.perf_counter()
        return pieces(found) if inspect.isgenerator(found) else found

    def pieces(steps):
        while True:
            Timed.counting = True
            try:
                next(steps)
            except StopIteration as end:
                return end.value
            finally:
                Timed.counting = False
                Timed.ended = time.perf_counter()
            yield

    return call


class Turns:
    """The longest times for which our code kept the event loop, without libkis and within it."""

    def __init__(self):
        self.ours = self.libkis = 0.0
        self._safely = qt_loop.safely

    def __enter__(self):
        qt_loop.safely = self.timed
        return self

    def __exit__(self, *_):
        qt_loop.safely = self._safely

    def timed(self, action):
        """One entry into our code."""
        began, before, composed = time.perf_counter(), Timed.all_spent, Timed.composing
        self._safely(action)
        took, libkis = time.perf_counter() - began, Timed.all_spent - before
        took -= Timed.composing - composed
        self.ours, self.libkis = max(self.ours, took - libkis), max(self.libkis, libkis)


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
    for side in map(int, os.environ.get("SCUMBLE_SIDES", "").split()):
        document = yield from new_document(side, side)
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
            turns = Turns()
            turns.__enter__()
            turns.timed(CONTROLLER.stylize)

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
            turns.__exit__()
            if failure():
                raise RuntimeError(str(failure()))
            timing = CONTROLLER.timing
            run = {
                "total": Timed.ended - clicked,
                "job": timing.job,
                "backend": dict(timing.backend),
                "krita": Timed.spent,
                "gap": gap,
                "turn_ours": turns.ours,
                "turn_libkis": turns.libkis,
            }
            if number:  # the first warms up
                runs.append(run)
            yield from undo(document)
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
        yield from close(document)
    yield from large(report)


def large(report):
    """A layer that is too large to wait for: reading it, and writing a result of its size."""
    host = CONTROLLER.host
    report["large"] = {}
    for side in map(int, os.environ.get("SCUMBLE_LARGE", "").split()):
        document = APPLICATION.createDocument(side, side, "large", "RGBA", "U8", SRGB, 100.0)
        document.setBatchmode(True)
        APPLICATION.activeWindow().addView(document)
        yield 4000
        node = document.activeNode()
        rows = picture(side, 64)
        for y in range(0, side, 64):
            node.setPixelData(QByteArray(rows), 0, y, side, 64)
        document.refreshProjection()
        document.waitForDone()
        yield 2000
        select(document, 3, 5, side - 10, side - 10)
        yield 2000
        fresh_choices(STYLES[0])
        yield 500
        found = report["large"][str(side)] = {}
        host._application = host._preview._application = Timed(APPLICATION)
        with Turns() as turns:
            began = time.perf_counter()
            turns.timed(CONTROLLER.stylize)

            def sent():
                """The layer to be sent"""
                return idle() or CONTROLLER.run.job is not None

            yield sent
            found["read"] = [time.perf_counter() - began, turns.ours, turns.libkis]
            CONTROLLER.cancel()
        yield idle
        yield 1000
        target = CONTROLLER.look.target
        layer = PixelBuffer(side, side, "bgra", "u8", rows * (side // 64))
        over = []
        with Turns() as turns:
            began = time.perf_counter()
            steps = host.place(target, [("large", StylizeResult(layer, (0, 0)))], "large", "")
            turns.timed(lambda steps=steps, over=over: CONTROLLER.slowly(steps, over.append))
            yield lambda over=over: over or failure()
            found["write"] = [time.perf_counter() - began, turns.ours, turns.libkis]
            found["composing"] = over[0].attaching_s if over else failure()
        host._application = host._preview._application = APPLICATION
        yield from close(document)
