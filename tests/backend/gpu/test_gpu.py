"""What Scumble does on a GPU, on a device that refuses what a GPU refuses; see ``stand_in.py``."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from scumble.backend import device as devices
from scumble.backend.models import store

PAINTED = (
    "a region",
    "two regions",
    "last strokes",
    "the learned transform",
    "a draft",
    "the layer's own hues",
    "style-then-mask",
    "mask-then-style",
    "the full network",
    "nnst",
    "nnst by optimisation",
    "semantic pairs",
)
SELECTED = ("a selection by clicks", "all regions")
TRAINED = tuple(f"training: {stage}" for stage in ("distill", "decoder", "narrow", "transform"))


@pytest.fixture(scope="module")
def found(
    tmp_path_factory: pytest.TempPathFactory, pictures: tuple[Path, Path], teacher: Path
) -> dict[str, dict[str, Any]]:
    """What each scenario came to; in a process of its own, for the device takes over parts of torch."""
    folder, models = tmp_path_factory.mktemp("gpu"), tmp_path_factory.mktemp("models")
    installed = models / "vgg16-oxford.safetensors"
    shutil.copy(teacher, installed)
    store.write_json(installed.with_suffix(".json"), {"sha256": store.sha256_of(installed)})
    run = subprocess.run(
        [
            sys.executable,
            str(Path(__file__).with_name("scenarios.py")),
            *map(str, (folder, *pictures, teacher)),
        ],
        capture_output=True,
        text=True,
        timeout=900,
        env={**os.environ, "SCUMBLE_MODELS_DIR": str(models)},
    )
    assert run.returncode == 0, run.stderr[-3000:]
    return {line.pop("name"): line for line in map(json.loads, run.stdout.splitlines())}


@pytest.mark.parametrize("name", [*PAINTED, *SELECTED, *TRAINED])
def test_on_a_gpu_it_comes_to_the_same_as_on_the_cpu(found: dict[str, dict[str, Any]], name: str) -> None:
    one = found[name]
    assert "error" not in one, one["error"]
    assert one["launches"] > 100  # it was computed there
    # The CPU has quicker ways of its own for some steps; the last digit of a sum decides some matches.
    assert one["apart"] <= 0.02 * one["spread"]


def test_every_scenario_is_looked_at(found: dict[str, dict[str, Any]]) -> None:
    assert found.keys() == {*PAINTED, *SELECTED, *TRAINED}


def test_a_gpu_that_cannot_compute_is_not_chosen(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert devices.computes(torch.device("cpu"))
    # Whatever is put on "meta" has no values, so nothing can be had of it.
    assert not devices.computes(torch.device("meta")) and "meta" in caplog.text
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    for computes, name in ((True, "cuda"), (False, "cpu")):
        monkeypatch.setattr(devices, "computes", lambda _, answer=computes: answer)
        devices.gpu.cache_clear()
        assert devices.choose(None).type == name
    devices.gpu.cache_clear()
    assert devices.choose("cpu").type == "cpu"
