"""The full-size network's decoder trains end to end, resumes, and is the same for one seed."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from scumble.backend.models import bundled
from scumble.backend.nn.full import FullDecoder
from scumble.backend.training import full
from scumble.backend.training.__main__ import main


@pytest.fixture(scope="module")
def common(pictures: tuple[Path, Path], teacher: Path) -> list[str]:
    """Where everything is, and few of everything."""
    where = ["--photos", str(pictures[0]), "--paintings", str(pictures[1]), "--teacher", str(teacher)]
    small = "--size 48 --batch 2 --contents 3 --styles 2 --warm-steps 1 --rows 1"
    return ["full", *where, *small.split()]


def trained(common: list[str], out: Path, steps: int) -> dict[str, torch.Tensor]:
    assert main([*common, "--out", str(out), "--steps", str(steps), "--save-every", "3"]) == 0
    return load_file(out / "full.safetensors")


@pytest.fixture(scope="module")
def whole(common: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an unbroken run, which takes every kind of step."""
    out = tmp_path_factory.mktemp("whole")
    trained(common, out, 5)
    return out


def test_the_decoder_can_be_loaded_and_bundled(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tensors = load_file(whole / "full.safetensors")
    FullDecoder.from_tensors(tensors)
    assert all(bool(torch.isfinite(t).all()) for t in tensors.values())
    package = whole / "package"
    package.mkdir()
    monkeypatch.setattr(bundled, "weights_folder", lambda: package)
    assert main(["full", "--out", str(whole), "--only-install"]) == 0
    halves = load_file(package / "full.safetensors")
    assert halves.keys() == tensors.keys() and all(t.dtype == torch.float16 for t in halves.values())
    assert "full" in bundled.index(package)


def test_the_mean_of_two_decoders_can_be_bundled(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tensors = load_file(whole / "full.safetensors")
    other = tmp_path / "other.safetensors"
    save_file({k: torch.zeros_like(v) for k, v in tensors.items()}, other)
    monkeypatch.setattr(bundled, "weights_folder", lambda: tmp_path)
    assert main(["full", "--out", str(whole), "--only-install", "--average", str(other)]) == 0
    halves = load_file(tmp_path / "full.safetensors")
    assert all(torch.equal(halves[k], (v / 2).half()) for k, v in tensors.items())


def test_curves_and_sheets_are_left_to_look_at(whole: Path) -> None:
    with (whole / "full.csv").open() as file:
        names = {row[2] for row in csv.reader(file)}
    assert {"pool", "pixels", "style", "content"} <= names
    assert {p.name for p in whole.glob("full-*.png")} == {"full-000003.png", "full-000005.png"}


def test_a_run_that_was_stopped_ends_where_an_unbroken_one_does(
    common: list[str], whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(full, "sample_sheet", stop)
        with pytest.raises(KeyboardInterrupt):
            trained(common, tmp_path, 5)
    assert torch.load(tmp_path / "full.checkpoint", weights_only=True)["step"] == 3
    again, unbroken = trained(common, tmp_path, 5), load_file(whole / "full.safetensors")
    assert all(torch.equal(unbroken[k], again[k]) for k in unbroken)
