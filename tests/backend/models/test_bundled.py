"""The weights inside the package: pinned, verified, full precision in memory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from scumble.backend.models import bundled as module
from scumble.backend.models.bundled import bundled, bundled_digest, bundled_metadata, index, pin
from scumble.shared.errors import Code, ScumbleError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "weights ö"
    place.mkdir()
    tensors = {"conv.weight": torch.linspace(-1, 1, 12).reshape(3, 4).half(), "steps": torch.tensor([7])}
    save_file(tensors, place / "tiny.safetensors", metadata={"recipe": "by hand"})
    pin(place)
    return place


def test_half_precision_on_disk_is_float32_in_memory_and_integers_stay(folder: Path) -> None:
    tensors = bundled("tiny", folder)
    assert tensors["conv.weight"].dtype == torch.float32
    assert torch.allclose(tensors["conv.weight"], torch.linspace(-1, 1, 12).reshape(3, 4), atol=1e-3)
    assert tensors["steps"].dtype == torch.int64
    assert bundled_metadata("tiny", folder) == {"recipe": "by hand"}
    assert len(bundled_digest("tiny", folder)) == 64


def test_one_changed_byte_is_refused(folder: Path) -> None:
    file = folder / "tiny.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(ScumbleError) as caught:
        bundled("tiny", folder)
    assert caught.value.code is Code.MODEL_CORRUPT


def test_an_unknown_set_is_answered_with_the_names_there_are(folder: Path) -> None:
    with pytest.raises(ScumbleError) as caught:
        bundled("nothing", folder)
    assert caught.value.code is Code.MODEL_MISSING
    assert "tiny" in caught.value.hint


def test_a_pinned_file_that_vanished_is_missing(folder: Path) -> None:
    (folder / "tiny.safetensors").unlink()
    with pytest.raises(ScumbleError) as caught:
        bundled("tiny", folder)
    assert caught.value.code is Code.MODEL_MISSING


def test_a_broken_index_says_so(folder: Path) -> None:
    (folder / "index.json").write_text('{"tiny": 3}', "utf-8")
    with pytest.raises(ScumbleError) as caught:
        index(folder)
    assert caught.value.code is Code.MODEL_CORRUPT


def test_weights_that_are_not_finite_cannot_be_pinned(folder: Path) -> None:
    before = (folder / "index.json").read_text("utf-8")
    save_file({"w": torch.tensor([1.0, float("nan")])}, folder / "bad.safetensors")
    with pytest.raises(ScumbleError):
        pin(folder)
    assert (folder / "index.json").read_text("utf-8") == before


def test_everything_in_the_package_is_pinned_and_loads() -> None:
    """The index names exactly the files that lie there, and each of them loads."""
    place = module.weights_folder()
    files = {f.stem for f in place.glob("*.safetensors")}
    assert set(index()) == files
    for name in files:
        assert all(torch.isfinite(t).all() for t in bundled(name).values() if t.is_floating_point())


def test_the_pin_command_writes_the_index(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "index.json").unlink()
    monkeypatch.setattr(module, "weights_folder", lambda: folder)
    assert module.main(["--pin"]) == 0
    assert set(json.loads((folder / "index.json").read_text("utf-8"))) == {"tiny"}
    assert module.main([]) == 0
