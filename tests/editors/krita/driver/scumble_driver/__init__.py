"""A Krita plug-in for the tests: runs the script named in ``SCUMBLE_DRIVER`` inside Krita.

The script has ``main(report)``, a generator.  What it yields is waited for, with Krita's event loop
running: a number of milliseconds, or a function until it returns something true (for at most
``PATIENCE`` looks).  What it puts into ``report`` is written as JSON to ``SCUMBLE_DRIVER_REPORT`` after each
step, so that a crash leaves what was found before.
"""

import json
import os
import sys
import traceback

from krita import Extension, Krita
from PyQt5.QtCore import QTimer

#: Looks, one each 20 ms at most: on a busy machine they take longer.
PATIENCE = 9000


class Driver(Extension):
    """Steps through the script's generator by a timer, never by a nested event loop."""

    def setup(self):
        self.report = {"done": False}
        self.steps = None

    def createActions(self, window):
        if self.steps is None and os.environ.get("SCUMBLE_DRIVER"):
            self.steps = iter(())
            QTimer.singleShot(1500, self.begin)

    def begin(self):
        try:
            application = Krita.instance()
            application.setBatchmode(True)
            file = os.environ["SCUMBLE_DRIVER"]
            space = {"__name__": "scumble_driver_script", "__file__": file}
            sys.path.insert(0, os.path.dirname(file))
            with open(file, encoding="utf-8") as stream:
                exec(compile(stream.read(), file, "exec"), space)
            self.steps = space["main"](self.report)
        except BaseException:
            self.end(traceback.format_exc())
            return
        self.step()

    def step(self, answer=None, problem=None):
        try:
            wanted = self.steps.throw(problem) if problem else self.steps.send(answer)
        except StopIteration:
            self.end("")
            return
        except BaseException:
            self.end(traceback.format_exc())
            return
        self.write()
        if callable(wanted):
            self.watch(wanted, PATIENCE)
        else:
            QTimer.singleShot(int(wanted or 0), self.step)

    def watch(self, wanted, looks):
        try:
            answer = wanted()
        except BaseException as error:
            self.step(problem=error)
            return
        if answer:
            self.step(answer)
        elif not looks:
            self.step(problem=TimeoutError(getattr(wanted, "__doc__", "") or "it did not come true"))
        else:
            QTimer.singleShot(20, lambda: self.watch(wanted, looks - 1))

    def end(self, problem):
        self.report["done"] = not problem
        self.report["problem"] = problem
        self.write()
        application = Krita.instance()
        for document in application.documents():
            document.setModified(False)
        QTimer.singleShot(200, lambda: application.action("file_quit").trigger())

    def write(self):
        file = os.environ["SCUMBLE_DRIVER_REPORT"]
        with open(file + ".partial", "w", encoding="utf-8") as stream:
            json.dump(self.report, stream, indent=1, default=repr)
        os.replace(file + ".partial", file)


Krita.instance().addExtension(Driver(Krita.instance()))
