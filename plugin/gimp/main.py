"""The plug-in as GIMP starts it: once to ask what it has, at each start of GIMP, and for each call."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import gi

gi.require_version("Babl", "0.1")
gi.require_version("Gegl", "0.4")
gi.require_version("Gimp", "3.0")
from gi.repository import Gimp, GLib  # noqa: E402

from scumble.shared import paths  # noqa: E402
from scumble.shared.lock import is_held  # noqa: E402

from . import declare, gegl, handover, names, registered, standby  # noqa: E402

#: When this process began to run our code: everything before is Python's and GIMP's own start.
began = time.monotonic()
#: Whether everything was loaded already.
warm = False
#: The installed plug-in's folder.
_folder = ""


class Scumble(Gimp.PlugIn):
    """See the module."""

    def do_set_i18n(self, _name: str) -> bool:
        """No translations yet."""
        return False

    def do_query_procedures(self) -> list[str]:
        """What is the same whatever the backend offers: GIMP asks once and remembers it."""
        return declare.always()

    def do_init_procedures(self) -> list[str]:
        """What depends on the backend: looked at anew at each start of GIMP."""
        description = registered.latest()
        registered.note(description)
        return declare.offered(description)

    def do_create_procedure(self, name: str) -> Any:
        """A procedure by its name."""
        gegl.show()
        run = _run_without_image if name == names.BACKEND else _run
        return declare.create(self, name, run, registered.declared())


def _run(procedure: Any, run_mode: Any, image: Any, drawables: Any, config: Any, *_: Any) -> Any:
    return _call(procedure, run_mode, image, drawables, config)


def _run_without_image(procedure: Any, config: Any, *_: Any) -> Any:
    return _call(procedure, config.get_property("run-mode"), None, [], config)


def _call(procedure: Any, run_mode: Any, image: Any, drawables: Any, config: Any) -> Any:
    trouble = load()
    if trouble:
        error = GLib.Error.new_literal(GLib.quark_from_string("scumble"), trouble, 0)
        return procedure.new_return_values(Gimp.PDBStatusType.EXECUTION_ERROR, error)
    from .procedures import call

    return call(procedure, run_mode, image, drawables, config)


def load() -> str:
    """Import what a call needs, pyzmq above all; ``""``, or what is wrong in words for people."""
    from scumble.plugin.common import vendor

    trouble = vendor.activate(Path(_folder)) if _folder else ""
    if not trouble:
        from . import procedures  # noqa: F401
    return trouble


def run(folder: str) -> None:
    """Talk to GIMP until it is done with us.

    :param folder: the installed plug-in's, which has pyzmq in it.
    """
    global _folder
    _folder = folder
    mode = handover.mode(sys.argv)
    if mode == handover.RUN or (mode == handover.INIT and _backend_runs()):
        standby.prepare(folder, _make_ready, _run_for, _cancel)
    Gimp.main(Scumble.__gtype__, sys.argv)


def _backend_runs() -> bool:
    """Where it does not, the first call has to wait for it anyway, and need not be quicker than that."""
    return bool(os.environ.get("SCUMBLE_CONNECTION")) or is_held(paths.runtime_folder() / "backend.lock")


def _make_ready(gimp: int) -> None:
    """In the process that stands by: all that does not depend on the call."""
    from . import rehearse

    registered.gimp = gimp
    if not load():
        gegl.start(threads=False)
        rehearse.all()


def _run_for(gimp: int) -> None:
    """A call that was handed over by a process that this GIMP has started."""
    global began, warm
    began, warm = time.monotonic(), True
    registered.gimp = gimp
    gegl.hide()
    Gimp.main(Scumble.__gtype__, sys.argv)


def _cancel(job: str) -> None:
    """Nobody waits for it any more."""
    from .running import connection_maker
    from .sentry import cancel

    cancel(job, connection_maker())
