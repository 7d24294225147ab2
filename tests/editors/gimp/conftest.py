"""Two starts of the real GIMP 3 for all tests here, one without windows and one with.

Skipped with the reason where a Debian root with GIMP cannot be made; a failure in CI.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
import gimp_world
import trixie

#: What happens inside GIMP; not tests.
collect_ignore_glob = ["driver/*", "pictures.py"]


@pytest.fixture(scope="session")
def world() -> Iterator[gimp_world.World]:
    """A fresh home with the plug-in installed, and a backend."""
    try:
        trixie.root()
    except trixie.Unavailable as reason:
        if os.environ.get("CI"):
            pytest.fail(f"GIMP 3 cannot be had: {reason}")
        pytest.skip(f"GIMP 3 cannot be had: {reason}")
    folder = gimp_world.fresh()
    made = gimp_world.World(folder)
    try:
        made.prepare()
        yield made
    finally:
        made.close()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def console(world: gimp_world.World) -> dict[str, Any]:
    """What the scenarios without windows found."""
    return world.run("console.py", timeout_s=900, SCUMBLE_ELSEWHERE=world.elsewhere().address)


@pytest.fixture(scope="session")
def windows(world: gimp_world.World, console: dict[str, Any]) -> dict[str, Any]:
    """What those with windows found; in the same home, so that GIMP has started there before."""
    return world.run("windows.py", windows=True, timeout_s=700)
