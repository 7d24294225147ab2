"""The training of what foretells VGG-16 runs and writes what the engine reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from skimage import data

from scumble.backend.nn.nnst_witness import Witness
from scumble.backend.nn.vgg import VGG16
from scumble.backend.training import nnst_witness
from scumble.backend.training.__main__ import main


def test_a_few_steps_of_training_make_a_witness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a teacher of random weights, which foretelling learns like any other."""
    monkeypatch.setattr(nnst_witness, "FIRST", 6)
    monkeypatch.setattr(nnst_witness, "HELD", 2)
    torch.manual_seed(0)
    teacher = {k.removeprefix("convs."): v for k, v in VGG16().state_dict().items() if k != "means"}
    save_file({k: v.contiguous() for k, v in teacher.items()}, tmp_path / "vgg16.safetensors")
    for name, picture in (("photos", data.astronaut()), ("paintings", data.coffee())):
        (tmp_path / name).mkdir()
        Image.fromarray(np.ascontiguousarray(picture[:160, :160])).save(tmp_path / name / "one.png")
    words = ["nnst-witness", "--teacher", str(tmp_path / "vgg16.safetensors"), "--steps", "3", "--pool", "9"]
    for option in ("photos", "paintings", "out"):
        words += [f"--{option}", str(tmp_path / option)]
    assert main([*words, "--size", "64"]) == 0
    found = Witness.from_tensors(load_file(tmp_path / "out" / "nnst-witness.safetensors"))
    assert found.whiten.weight.shape[1] == 416
    curve = (tmp_path / "out" / "nnst-witness.csv").read_text()
    first = [float(line.split(",")[-1]) for line in curve.splitlines() if "held.3_1" in line]
    assert len(first) == 2 and first[0] < 1.0  # a linear map tells some of it from the first step on
