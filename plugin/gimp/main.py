"""The plug-in as GIMP starts it: once to ask what it has, at each start of GIMP, and for each call."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import gi

gi.require_version("Babl", "0.1")
gi.require_version("Gegl", "0.4")
gi.require_version("Gimp", "3.0")
from gi.repository import Gimp, GLib  # noqa: E402

from scumble.plugin.common import vendor  # noqa: E402

from . import declare, names, registered  # noqa: E402

#: When this process began to run our code: everything before is Python's and GIMP's own start.
BEGAN = time.monotonic()
_folder: Path | None = None
#: The installed plug-in's folder.
_root = Path(__file__).parent


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
        run = _run_without_image if name == names.BACKEND else _run
        return declare.create(self, name, run, registered.declared())


def _run(procedure: Any, run_mode: Any, image: Any, drawables: Any, config: Any, *_: Any) -> Any:
    return _call(procedure, run_mode, image, drawables, config)


def _run_without_image(procedure: Any, config: Any, *_: Any) -> Any:
    return _call(procedure, config.get_property("run-mode"), None, [], config)


def _call(procedure: Any, run_mode: Any, image: Any, drawables: Any, config: Any) -> Any:
    if _folder is not None:
        trouble = vendor.activate(_folder)
        if trouble:
            error = GLib.Error.new_literal(GLib.quark_from_string("scumble"), trouble, 0)
            return procedure.new_return_values(Gimp.PDBStatusType.EXECUTION_ERROR, error)
    from .procedures import call  # this imports zmq

    return call(procedure, run_mode, image, drawables, config)


def run(folder: str) -> None:
    """Talk to GIMP until it is done with us.

    :param folder: the installed plug-in's, which has pyzmq in it.
    """
    global _folder
    _folder = Path(folder)
    Gimp.main(Scumble.__gtype__, sys.argv)
