"""One start of each real Krita for all tests here: this system's, skipped where there is none and a
failure in CI, and that of a Debian root (:mod:`trixie`), skipped where that cannot be had."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
import krita_world
import trixie

SAMPLES = {"U8": np.uint8, "U16": np.uint16, "F16": np.float16, "F32": np.float32}
CHANNELS = {"RGBA": 4, "GRAYA": 2, "CMYKA": 5, "LABA": 4}
#: What happens inside Krita; not tests.
collect_ignore_glob = ["*_scenes.py", "scenarios.py", "inside.py", "driver/*"]


class Report:
    """What the scenarios found.

    :ivar installed: what the installer said.
    """

    def __init__(self, found: dict[str, Any], folder: Path, installed: str) -> None:
        self.found, self.folder, self.installed = found, folder, installed

    def __getitem__(self, name: str) -> dict[str, Any]:
        """A scenario's part."""
        assert name in self.found, f"Krita did not get as far as that: {self.found.get('problem')}"
        part = self.found[name]
        assert "raised" not in part, part["raised"]
        assert isinstance(part, dict)
        return part

    def pixels(self, dump: dict[str, Any]) -> np.ndarray:
        """What was dumped, as rows, columns, channels."""
        _, _, width, height = dump["rect"]
        data = np.fromfile(self.folder / dump["file"], SAMPLES[dump["depth"]])
        return data.reshape(height, width, CHANNELS[dump["model"]])

    def on_canvas(self, dump: dict[str, Any], width: int, height: int) -> np.ndarray:
        """A layer's pixels where the canvas is."""
        x, y, w, h = dump["rect"]
        data = self.pixels(dump)
        out = np.zeros((height, width, data.shape[2]), data.dtype)
        x0, y0, x1, y1 = max(0, x), max(0, y), min(width, x + w), min(height, y + h)
        out[y0:y1, x0:x1] = data[y0 - y : y1 - y, x0 - x : x1 - x]
        return out


def _here() -> krita_world.World:
    why = krita_world.missing()
    if why:
        assert not os.environ.get("CI"), why
        pytest.skip(why)
    return krita_world.World(krita_world.fresh())


def _elsewhere() -> krita_world.World:
    try:
        return krita_world.OtherWorld()
    except trixie.Unavailable as why:
        pytest.skip(f"no Krita of another Debian: {why}")


@pytest.fixture(scope="session", params=["here", "trixie"])
def report(request: pytest.FixtureRequest) -> Iterator[Report]:
    """Run all scenarios in one Krita: this system's, and that of a Debian root.

    ``SCUMBLE_SCENARIOS`` names those that are to be run, with commas, if not all are.
    """
    world = _here() if request.param == "here" else _elsewhere()
    try:
        said = world.install()
        script = krita_world.SCRIPTS / "scenarios.py"
        other = world.elsewhere()
        found = world.krita(
            script,
            SCUMBLE_STRANGER=str(world.stranger()),
            SCUMBLE_ELSEWHERE=other.address,
            SCUMBLE_ELSEWHERE_KEY=str(other.key),
            SCUMBLE_SCENARIOS=os.environ.get("SCUMBLE_SCENARIOS", ""),
        )
        found["jobs_elsewhere"] = other.jobs()
        found["uninstalled"] = world.uninstall()
        kept = os.environ.get("SCUMBLE_KEEP_REPORT")
        if kept:
            file = Path(kept)
            file.with_name(f"{file.stem}-{request.param}{file.suffix}").write_text(
                json.dumps(found, indent=1), "utf-8"
            )
        yield Report(found, world.folder / "out", said)
    finally:
        world.close()
