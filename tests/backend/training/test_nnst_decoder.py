"""The training of the stroke decoder runs, resumes and writes what the engine reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from safetensors.torch import load_file
from skimage import data

from scumble.backend.nn.nnst_decoder import StrokeDecoder
from scumble.backend.training.__main__ import main


def test_two_steps_of_training_and_two_more_after_an_interruption(tmp_path: Path) -> None:
    for name, picture in (("photos", data.astronaut()), ("paintings", data.coffee())):
        (tmp_path / name).mkdir()
        Image.fromarray(np.ascontiguousarray(picture[:128, :128])).save(tmp_path / name / "one.png")
    words = ["nnst-decoder", "--size", "32", "--batch", "1", "--save-every", "2"]
    for option in ("photos", "paintings", "out"):
        words += [f"--{option}", str(tmp_path / option)]
    assert main([*words, "--steps", "2"]) == 0
    first = load_file(tmp_path / "out" / "nnst-decoder.safetensors")
    assert main([*words, "--steps", "4"]) == 0
    second = load_file(tmp_path / "out" / "nnst-decoder.safetensors")
    assert any(not np.array_equal(first[k].numpy(), second[k].numpy()) for k in first)
    assert StrokeDecoder.from_tensors(second).project.weight.shape[1] == 416
    assert (tmp_path / "out" / "nnst-decoder-000004.png").exists()
