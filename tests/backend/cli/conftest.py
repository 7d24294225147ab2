"""The command line's tests share a desk with pictures, and parts that lie in this folder."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))

from desk_parts import Scumble

from scumble.backend.cli import main


@pytest.fixture
def scumble(tint: Any, capfd: pytest.CaptureFixture[str]) -> Scumble:
    """Run a command in this process: exit code, stdout, stderr."""

    def run(*words: object) -> tuple[int, str, str]:
        capfd.readouterr()
        code = main([str(w) for w in words])
        out, err = capfd.readouterr()
        return code, out, err

    return run


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a picture, masks and styles, as the current one."""
    rng = np.random.default_rng(1)
    Image.fromarray(rng.integers(0, 256, (40, 60, 3), dtype=np.uint8)).save(tmp_path / "photo.png")
    mask = np.zeros((40, 60), np.uint8)
    mask[10:20, 15:35] = 255
    mask[10:20, 15] = 100
    Image.fromarray(mask).save(tmp_path / "left.png")
    Image.fromarray(np.roll(mask, 20, axis=1)).save(tmp_path / "right.png")
    Image.new("RGB", (8, 8), (255, 0, 0)).save(tmp_path / "red.png")
    Image.new("RGB", (8, 8), (0, 0, 255)).save(tmp_path / "blue.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def quarters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A backend's folders of its own; whatever was started there is stopped."""
    for name in ("RUNTIME", "STATE", "CONFIG"):
        monkeypatch.setenv(f"SCUMBLE_{name}_DIR", str(tmp_path / name.lower()))
    yield tmp_path
    main(["backend", "stop"])
