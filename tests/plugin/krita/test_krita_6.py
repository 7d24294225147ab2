"""Krita 6 has PyQt6: the same tests of widgets, controller and host with that, in a process of their own."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.slow
@pytest.mark.skipif(os.environ.get("SCUMBLE_TEST_QT") == "6", reason="this is that process")
@pytest.mark.parametrize("part", ["host and controller", "widgets"])
def test_everything_holds_with_pyqt6(part: str) -> None:
    if importlib.util.find_spec("PyQt6") is None:
        assert not os.environ.get("CI"), "PyQt6 is among the tests' requirements"
        pytest.skip("PyQt6 is not installed")
    widgets = str(HERE / "ui")
    what = [widgets] if part == "widgets" else [str(HERE), f"--ignore={widgets}"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider", *what],
        cwd=HERE.parents[2],
        env={**os.environ, "SCUMBLE_TEST_QT": "6", "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
