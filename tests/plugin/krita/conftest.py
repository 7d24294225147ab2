"""Host and controller against a small Krita of the tests' own and a backend that does what it is told."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "common"))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
try:
    import other_qt

    other_qt.choose()
    import PyQt5.QtGui  # noqa: F401

    MISSING = ""
except ImportError as error:
    MISSING = f"Qt cannot be used here: {error}"
    if os.environ.get("CI"):
        raise

collect_ignore_glob = ["test_*.py"] if MISSING else []


@pytest.fixture
def krita() -> Any:
    """A Krita without documents."""
    from fake_krita import FakeKrita

    return FakeKrita()


@pytest.fixture
def host(krita: Any) -> Any:
    """The host for it."""
    from fake_krita import Selection

    from scumble.plugin.krita.host import KritaHost

    return KritaHost(krita, Selection)


@pytest.fixture
def painter() -> Iterator[Any]:
    """A backend that paints."""
    from painting import Painter

    it = Painter()
    it.start()
    yield it
    it.kill()


@pytest.fixture
def studio(krita: Any, host: Any, painter: Any, tmp_path: Path, monkeypatch: Any) -> Iterator[Any]:
    """Everything together; see :class:`studio.Studio`."""
    from studio import Studio

    monkeypatch.setenv("SCUMBLE_STATE_DIR", str(tmp_path))
    it = Studio(krita, host, painter, tmp_path)
    yield it
    it.close()


@pytest.fixture(autouse=True)
def patient_turns(monkeypatch: Any) -> None:
    """What is small is done in one turn, however busy the machine is; tests of pieces say otherwise."""
    from scumble.plugin.krita import turns

    monkeypatch.setattr(turns, "BUDGET_S", 60.0)
