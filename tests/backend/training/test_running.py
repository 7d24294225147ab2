"""Every stage goes on where it was stopped, to the same weights, and can compute in half precision."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from skimage import data
from torch import Tensor, nn
from torch.nn import functional as F

from scumble.backend.models.bundled import bundled
from scumble.backend.nn.compact import CompactDecoder, CompactEncoder
from scumble.backend.training import decoder, distill, narrow, running, transform
from scumble.backend.training.__main__ import main
from scumble.backend.training.data import Crops

STAGES: dict[str, ModuleType] = {
    "distill": distill,
    "decoder": decoder,
    "narrow": narrow,
    "transform": transform,
}
#: Where there is a GPU, there too.
DEVICES = ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",)


@pytest.fixture(scope="module")
def common(pictures: tuple[Path, Path], teacher: Path) -> list[str]:
    """Where everything is, and few of everything."""
    where = ["--photos", str(pictures[0]), "--paintings", str(pictures[1]), "--teacher", str(teacher)]
    return [*where, "--size", "48", "--batch", "2", "--pool", "4"]


def prepared(out: Path) -> Path:
    """A folder with what the stage before would have left: the bundled network."""
    tensors = {k: v.float() for k, v in bundled("compact").items() if not k.startswith("transform.")}
    out.mkdir()
    save_file({k: v for k, v in tensors.items() if k.startswith("encoder.")}, out / "encoder.safetensors")
    save_file(tensors, out / "start.safetensors")
    torch.manual_seed(2)
    wider = {f"decoder.{k}": v for k, v in CompactDecoder(middle=56, fine=20).state_dict().items()}
    save_file(tensors | wider, out / "wide.safetensors")
    return out


def started(stage: str, out: Path) -> Path:
    """What a stage goes on from; narrowing a decoder that is as narrow already would leave it as it is."""
    return out / ("wide.safetensors" if stage == "narrow" else "start.safetensors")


def run(stage: str, common: list[str], out: Path, *more: str) -> dict[str, Tensor]:
    """The weights that a stage makes in four steps."""
    start = ["--start", str(started(stage, out))] if stage in ("decoder", "narrow") else []
    if stage == "transform":
        save_file(load_file(out / "start.safetensors"), out / "decoder.safetensors")
    assert main([stage, *common, *start, "--out", str(out), "--steps", "4", *more]) == 0
    name = {"distill": "encoder", "transform": "complete"}.get(stage, stage)
    return load_file(out / f"{name}.safetensors")


def stopped_before(step: int) -> Callable[..., np.random.Generator]:
    """What gives every step its draws, until somebody presses Ctrl+C."""

    def draws(seed: int, now: int, *sources: Crops) -> np.random.Generator:
        if now == step:
            raise KeyboardInterrupt
        return running.seeded(seed, now, *sources)

    return draws


@pytest.mark.parametrize("stage", STAGES)
def test_a_run_that_was_stopped_ends_where_an_unbroken_one_does(
    stage: str, common: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unbroken = run(stage, common, prepared(tmp_path / "whole"))
    out = prepared(tmp_path / "stopped")
    with monkeypatch.context() as patch:
        patch.setattr(STAGES[stage], "seeded", stopped_before(3))
        with pytest.raises(KeyboardInterrupt):
            run(stage, common, out, "--save-every", "2")
    (checkpoint,) = out.glob("*.checkpoint")
    assert torch.load(checkpoint, weights_only=True)["step"] == 2
    again = run(stage, common, out)
    assert unbroken.keys() == again.keys()
    assert all(torch.equal(unbroken[k], again[k]) for k in unbroken)
    # What is trained here did move, or going on could not be told from doing nothing.
    before = load_file(started(stage, out))
    new = [k for k in again if k not in before]
    alike = [k for k in again if k in before and before[k].shape == again[k].shape]
    assert new or any(not torch.equal(before[k], again[k]) for k in alike)


def test_a_checkpoint_that_is_cut_off_while_it_is_written_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = nn.Linear(2, 2)
    running.Checkpoint(tmp_path / "net.safetensors", net=net).save(5)
    kept = {k: v.clone() for k, v in net.state_dict().items()}

    def full_disk(state: object, path: Path) -> None:
        path.write_bytes(b"half of it")
        raise OSError("No space left on device")

    nn.init.zeros_(net.weight)
    checkpoint = running.Checkpoint(tmp_path / "net.safetensors", net=net)
    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", full_disk)
        with pytest.raises(OSError, match="No space"):
            checkpoint.save(6)
    assert checkpoint.restore() == 5
    assert all(torch.equal(v, net.state_dict()[k]) for k, v in kept.items())


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("stage", ["distill", "decoder", "narrow"])
def test_half_precision_learns_much_the_same_and_keeps_weights_whole(
    stage: str, device: str, common: list[str], tmp_path: Path
) -> None:
    single = run(stage, common, prepared(tmp_path / "single"), "--device", "cpu")
    half = run(stage, common, prepared(tmp_path / "half"), "--device", device, "--precision", "half")
    assert all(x.dtype == torch.float32 and bool(torch.isfinite(x).all()) for x in half.values())
    assert any(not torch.equal(single[k], half[k]) for k in single)
    for name, wanted in single.items():
        assert float((half[name] - wanted).norm()) < 0.1 * float(wanted.norm()) + 0.01


def test_a_network_in_half_precision_returns_single_and_has_the_same_gradients() -> None:
    encoder = running.placed(CompactEncoder(), torch.device("cpu"))
    lowered = running.placed(copy.deepcopy(encoder), torch.device("cpu"), half=True)
    image = torch.from_numpy(data.chelsea()[:96, :96] / np.float32(255)).movedim(-1, 0)[None]
    slopes = []
    for net in (encoder, lowered):
        taps = net(image)
        assert {x.dtype for x in taps.values()} == {torch.float32}
        sum(x.square().mean() for x in taps.values()).backward()
        slopes.append(torch.cat([p.grad.flatten().double() for p in net.parameters() if p.grad is not None]))
    assert 0.99 < float(F.cosine_similarity(*slopes, dim=0)) < 1 - 1e-6


def test_a_gpu_is_taken_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for there, name in ((True, "cuda"), (False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        assert running.device_of("auto").type == name
        assert running.device_of("cpu").type == "cpu"
