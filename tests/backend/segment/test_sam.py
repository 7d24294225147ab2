"""Segment Anything: the networks' arithmetic, fetching a checkpoint, clicking with it."""

from __future__ import annotations

import hashlib
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch

from scumble.backend.engines.base import Context
from scumble.backend.engines.cache import TensorCache
from scumble.backend.models import catalogue, fetch
from scumble.backend.models.catalogue import Model, ModelFile
from scumble.backend.nn.sam import SIZES, Sam, SamSize, _cut, _joined
from scumble.backend.segment.base import Prompt
from scumble.backend.segment.sam import SegmentAnything
from scumble.backend.segment.simulated import Click
from scumble.shared.errors import Code, ScumbleError

TINY = SamSize(48, 3, 4, (1,), side=160, window=4)


def network(seed: int = 0) -> Sam:
    """A tiny network of the official architecture with random weights."""
    torch.manual_seed(seed)
    net = Sam(TINY)
    for p in net.parameters():
        torch.nn.init.normal_(p, std=0.08)
    return net.eval()


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """Its weights as a file of the official kind."""
    path = tmp_path / "tiny.pth"
    torch.save(network().state_dict(), path)
    return path


def context() -> Context:
    """On the CPU, with a cache."""
    return Context(torch.device("cpu"), TensorCache(1 << 26))


PICTURE = np.random.default_rng(0).random((60, 100, 3)).astype(np.float32)


def test_the_official_checkpoints_names_and_shapes_are_expected() -> None:
    """Counted from the published architecture: parameters of ViT-B and H."""
    for id, count in (("sam-vit-b", 93_735_472), ("sam-vit-h", 641_090_608)):
        with torch.device("meta"):
            net = Sam(SIZES[id])
        assert sum(p.numel() for p in net.parameters()) == count
    keys = set(network().state_dict())
    for key in (
        "image_encoder.blocks.2.attn.rel_pos_h",
        "image_encoder.neck.3.bias",
        "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix",
        "prompt_encoder.mask_downscaling.6.weight",
        "mask_decoder.transformer.layers.1.cross_attn_image_to_token.out_proj.bias",
        "mask_decoder.output_hypernetworks_mlps.3.layers.2.weight",
        "mask_decoder.iou_prediction_head.layers.0.weight",
    ):
        assert key in keys


def test_windows_are_cut_and_joined_without_loss() -> None:
    """Also where the sides are no multiples of the window."""
    x = torch.randn(2, 10, 7, 3)
    windows, count = _cut(x, 4)
    assert windows.shape == (2 * 3 * 2, 4, 4, 3)
    assert torch.equal(_joined(windows, count, (10, 7)), x)


def test_attention_head_by_head_is_attention() -> None:
    """Against the definition, written out."""
    attention = network().image_encoder.blocks[1].attn
    x = torch.randn(1, 10, 10, 48)
    n, c = 100, 12
    q, k, v = attention.qkv(x).view(1, n, 3, 4, c).permute(2, 0, 3, 1, 4)
    at = torch.arange(10)
    offset = at[:, None] - at[None, :] + 9
    rows, columns = attention.rel_pos_h[offset], attention.rel_pos_w[offset]
    r = q.view(1, 4, 10, 10, c)
    bias = torch.einsum("nhyxc,ykc->nhyxk", r, rows)[..., :, None]
    bias = bias + torch.einsum("nhyxc,xkc->nhyxk", r, columns)[..., None, :]
    scores = q @ k.transpose(-1, -2) / c**0.5 + bias.reshape(1, 4, n, n)
    wanted = attention.proj((scores.softmax(-1) @ v).transpose(1, 2).reshape(1, 10, 10, 48))
    assert torch.allclose(attention(x), wanted, atol=1e-5)


def test_clicks_boxes_and_masks_are_answered_with_candidates(checkpoint: Path) -> None:
    """One click gives several meanings; a clear prompt its own answer first."""
    method = SegmentAnything({"tiny": TINY}, lambda id: checkpoint)
    assert not method.missing()
    for prompt in (
        Prompt((Click(50, 30),)),
        Prompt((Click(50, 30), Click(10, 10, False))),
        Prompt((), (10.0, 5.0, 80.0, 50.0)),
        Prompt((Click(20, 20),), None, (np.indices((60, 100))[1] < 40).astype(np.float32)),
        Prompt((), None, (np.indices((60, 100))[1] < 40).astype(np.float32)),
    ):
        for one in method.find(PICTURE, prompt, "key", context()):
            assert one.mask.shape == (60, 100) and 0 <= one.score <= 1
            assert one.mask.min() >= 0 and one.mask.max() <= 1


def test_the_picture_is_looked_at_once_however_many_clicks_follow(checkpoint: Path) -> None:
    """The embedding is kept by content; another picture has its own."""
    method, kept = SegmentAnything({"tiny": TINY}, lambda id: checkpoint), context()
    told: list[str] = []
    kept.progress = lambda stage, done, of: told.append(stage)
    for x in (10, 20, 30):
        method.find(PICTURE, Prompt((Click(x, 30),)), "one", kept)
    assert told == ["look", "look"]
    method.find(PICTURE[::-1], Prompt((Click(10, 30),)), "two", kept)
    assert told == ["look"] * 4


def test_a_checkpoint_is_fetched_verified_and_used(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a file server on this machine, through the catalogue."""
    monkeypatch.setenv("SCUMBLE_MODELS_DIR", str(tmp_path / "models"))

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(checkpoint.parent))  # type: ignore[arg-type]

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}/{checkpoint.name}"
    digest = hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    size = checkpoint.stat().st_size
    file = ModelFile("tiny.pth", digest, (address,), size, size)
    entry = Model("sam-tiny", "Tiny", (file,), "Apache-2.0", "", ("click-to-mask",))
    monkeypatch.setattr(catalogue, "MODELS", (*catalogue.MODELS, entry))
    method = SegmentAnything({"sam-tiny": TINY})
    assert "scumble models fetch sam-tiny" in method.missing()
    with pytest.raises(ScumbleError) as failed:
        method.find(PICTURE, Prompt((Click(5, 5),)), "key", context())
    assert failed.value.code is Code.MODEL_MISSING
    try:
        fetch.fetch("sam-tiny")
    finally:
        server.shutdown()
        server.server_close()
    assert not method.missing()
    method.find(PICTURE, Prompt((Click(5, 5),)), "key", context())


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    """Never unpickled into objects."""
    bad = tmp_path / "bad.pth"
    bad.write_bytes(b"nonsense")
    method = SegmentAnything({"tiny": TINY}, lambda id: bad)
    with pytest.raises(ScumbleError) as failed:
        method.find(PICTURE, Prompt((Click(5, 5),)), "key", context())
    assert failed.value.code is Code.MODEL_CORRUPT
