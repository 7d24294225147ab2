"""A narrower decoder paints what the wider one does, and better so the longer it learned from it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from skimage import data
from torch import Tensor

from scumble.backend.models.bundled import bundled
from scumble.backend.nn.compact import CompactDecoder, CompactEncoder
from scumble.backend.training.__main__ import main
from scumble.backend.training.decoder import read_encoder
from scumble.backend.training.narrow import keep_the_best, likeness_loss, wide_decoder


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """Photographs, paintings, and the weights of a decoder with some channels more than ours."""
    root = tmp_path_factory.mktemp("narrow")
    for folder, name in (("photos", "astronaut"), ("paintings", "coffee")):
        (root / folder).mkdir()
        Image.fromarray(getattr(data, name)()).resize((96, 80)).save(root / folder / f"{name}.png")
    tensors = {k: v.float() for k, v in bundled("compact").items() if not k.startswith("transform.")}
    save_file(_widened(tensors, 8, 4), root / "wide.safetensors")
    return root / "photos", root / "paintings", root / "wide.safetensors"


def _widened(tensors: dict[str, Tensor], middle: int, fine: int) -> dict[str, Tensor]:
    """The same pictures from more channels: some are there twice, each at half the weight."""
    found = dict(tensors)
    for more, writers, readers in (
        (middle, ("b4", "skip3", "a3"), ("a3", "b3")),
        (fine, ("b3", "skip2", "a2"), ("a2", "out")),
    ):
        for name in writers:
            for part in ("weight", "bias"):
                x = found[f"decoder.{name}.{part}"]
                found[f"decoder.{name}.{part}"] = torch.cat([x, x[:more]])
        for name in readers:
            x = found[f"decoder.{name}.weight"].clone()
            x[:, :more] /= 2
            found[f"decoder.{name}.weight"] = torch.cat([x, x[:, :more]], 1)
    return found


def _unlike(wide: CompactDecoder, narrow: CompactDecoder, encoder: CompactEncoder) -> float:
    image = torch.from_numpy(data.chelsea()[:96, :96].copy()).permute(2, 0, 1)[None].float() / 255
    with torch.no_grad():
        return float(likeness_loss(narrow(encoder(image)), wide(encoder(image))))


def test_with_all_channels_kept_it_is_the_wide_decoder(folders: tuple[Path, Path, Path]) -> None:
    wide, encoder = wide_decoder(folders[2]), read_encoder(folders[2])
    same = CompactDecoder(56, 20)
    keep_the_best(wide, same, encoder(torch.rand(1, 3, 32, 32)))
    assert _unlike(wide, same, encoder) < 1e-6


def test_the_command_makes_a_decoder_that_paints_more_alike_than_the_kept_channels_alone(
    folders: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    photos, paintings, start = folders
    words = ["narrow", "--photos", str(photos), "--paintings", str(paintings), "--start", str(start)]
    found = []
    for steps in ("1", "16"):
        out = tmp_path / steps
        rest = ["--out", str(out), "--steps", steps, "--size", "48", "--pool", "4"]
        assert main([*words, *rest]) == 0
        tensors = load_file(out / "narrow.safetensors")
        narrow = CompactDecoder()
        narrow.load_state_dict({k[8:]: v for k, v in tensors.items() if k.startswith("decoder.")})
        found.append(_unlike(wide_decoder(start), narrow, read_encoder(start)))
    assert found[1] < 0.9 * found[0]


def test_without_a_wide_decoder_the_command_says_what_is_missing(
    folders: tuple[Path, Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--photos", str(folders[0]), "--paintings", str(folders[1]), "--out", str(tmp_path)]
    with pytest.raises(SystemExit) as ended:
        main(["narrow", *words])
    assert ended.value.code == 2 and "--start" in capsys.readouterr().err
