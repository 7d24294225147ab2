"""Tests of a session share parts that lie in this folder."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from scumble.backend import Session

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="module")
def session() -> Session:
    """A session on the processor."""
    return Session("cpu")
