"""The same tests with PyQt6, as in Krita 6: ``SCUMBLE_TEST_QT=6`` before Qt is imported for the first time.

What the tests themselves import from PyQt5 is PyQt6's then, so they may only use what both have.
"""

from __future__ import annotations

import importlib
import os
import sys

PARTS = ("QtCore", "QtGui", "QtWidgets", "QtTest")


def choose() -> int:
    """The generation of Qt to test with; 6 takes the place of 5 for whoever imports it."""
    if os.environ.get("SCUMBLE_TEST_QT") != "6":
        return 5
    sys.modules["PyQt5"] = importlib.import_module("PyQt6")
    for part in PARTS:
        sys.modules[f"PyQt5.{part}"] = importlib.import_module(f"PyQt6.{part}")
    return 6
