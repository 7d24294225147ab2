"""Scumble's entry into Krita: finds what lies beside this file, and says so if it cannot run."""

# Old Pythons have to get as far as the message: nothing newer than 3.8 in here.

import importlib
import os
import sys
import traceback
from pathlib import Path

ROOT = Path(os.path.realpath(__file__)).parent
controller = None


def _tell(sentence: str) -> None:
    """A message once Krita has a window."""
    print("Scumble: " + sentence, file=sys.stderr)
    from krita import Krita

    def show() -> None:
        try:
            widgets = importlib.import_module("PyQt5.QtWidgets")
        except ImportError:
            widgets = importlib.import_module("PyQt6.QtWidgets")
        if not Krita.instance().batchmode():
            widgets.QMessageBox.warning(None, "Scumble", sentence)

    Krita.instance().notifier().setActive(True)
    Krita.instance().notifier().windowCreated.connect(show)


def _load() -> object:
    sys.path.insert(0, str(ROOT / "lib"))
    from scumble.plugin.common import vendor

    trouble = vendor.activate(ROOT)
    if trouble:
        _tell(trouble)
        return None
    from scumble.plugin.krita import extension

    return extension.load(ROOT)


try:
    controller = _load()
except Exception:
    # Krita would switch the plug-in off and show the user the trace.
    traceback.print_exc()
    _tell("Scumble could not be loaded. Run: python3 -m installer doctor, which says why.")
