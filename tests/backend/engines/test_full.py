"""Engine ``partial-conv`` with ``model=full``: its encoder is fetched, so random weights stand in here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from skimage import data

from scumble.backend.engines import full, registry
from scumble.backend.engines.base import Context, Job, JobRegion, Painted, StylePart
from scumble.backend.engines.cache import TensorCache
from scumble.backend.engines.partial_conv import PartialConv
from scumble.backend.engines.partial_conv_options import OPTIONS
from scumble.backend.models import store
from scumble.backend.nn.vgg import LAYERS
from scumble.shared.errors import Code, ScumbleError

ENGINE = PartialConv()


def tensor(image: np.ndarray[Any, Any]) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).float() / 255


PHOTO = tensor(data.astronaut()[:160, 96:288])
WARM = StylePart(tensor(data.coffee()[::4, ::4]), "coffee")
COLD = StylePart(tensor(data.rocket()[::4, ::4]), "rocket")
HEIGHT, WIDTH = PHOTO.shape[-2:]
Y, X = np.mgrid[:HEIGHT, :WIDTH]


def disc(cx: float, cy: float, radius: float) -> torch.Tensor:
    return torch.from_numpy((np.hypot(X - cx, Y - cy) <= radius).astype(np.float32))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models' folder with VGG-16's shapes in random numbers."""
    folder = tmp_path_factory.mktemp("models")
    generator = torch.Generator().manual_seed(0)
    tensors = {}
    for name, cin, cout in LAYERS:
        if name != "pool":
            spread = (2 / (9 * cin)) ** 0.5
            kernel = torch.randn(cout, cin, 3, 3, generator=generator) * spread
            tensors |= {f"{name}.weight": kernel.half(), f"{name}.bias": torch.zeros(cout).half()}
    file = folder / "vgg16-oxford.safetensors"
    save_file(tensors, file)
    store.write_json(file.with_suffix(".json"), {"sha256": store.sha256_of(file)})
    return folder


@pytest.fixture(autouse=True)
def installed(weights: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SCUMBLE_MODELS_DIR", str(weights))
    monkeypatch.delenv("SCUMBLE_MODELS_PATH", raising=False)
    yield
    full._loaded.cache_clear()


def job(*masks: torch.Tensor, strengths: tuple[float, ...] = (), **options: Any) -> Job:
    chosen = registry.validated(OPTIONS, {"model": "full", "style_scale": 0.5, **options})
    regions = tuple(
        JobRegion(m, ((WARM, COLD)[i % 2],), strengths[i] if strengths else 1.0, chosen)
        for i, m in enumerate(masks)
    )
    return Job(PHOTO, torch.ones(HEIGHT, WIDTH), regions, chosen, 0, "photo")


def run(work: Job, cache: TensorCache | None = None, tile: int = 4096) -> Painted:
    cache = TensorCache(64 << 20) if cache is None else cache
    return ENGINE.run(work, Context(torch.device("cpu"), cache, tile=tile))


@pytest.mark.parametrize("method", ["partial-conv", "style-then-mask", "mask-then-style"])
def test_a_region_is_painted_inside_and_only_inside(method: str) -> None:
    mask = disc(90, 80, 50)
    painted = run(job(mask, method=method))
    assert painted.image.shape == PHOTO.shape and bool(torch.isfinite(painted.image).all())
    assert bool((painted.alpha[mask == 0] == 0).all()) and float(painted.alpha.sum()) > 0
    assert float((painted.image - PHOTO).abs().mean(0)[painted.alpha > 0.5].mean()) > 0.01


def test_several_regions_are_painted_at_once_each_with_its_strength() -> None:
    left, right = disc(50, 80, 40), disc(140, 80, 40)
    painted = run(job(left, right, strengths=(1.0, 0.0)))
    assert torch.equal(painted.image[:, right > 0], PHOTO[:, right > 0])
    assert float((painted.image - PHOTO)[:, left > 0].abs().mean()) > 0.01


def test_each_blending_technique_makes_another_picture() -> None:
    mask = disc(90, 80, 50)
    whole = run(job(mask))
    for technique in ("feather_before", "expand_during", "feather_decoder"):
        without = run(job(mask, **{technique: False}))
        assert float((whole.image - without.image).abs().max()) > 1e-3


def test_features_of_the_compact_network_are_never_taken_for_its_own() -> None:
    mask, cache = disc(90, 80, 50), TensorCache(64 << 20)
    run(job(mask, model="compact"), cache)
    assert torch.equal(run(job(mask), cache).image, run(job(mask)).image)


def test_tiles_cover_the_region_without_a_gap() -> None:
    mask = torch.ones(HEIGHT, WIDTH)
    painted = run(job(mask, texture=0.0), tile=64)
    assert bool(torch.isfinite(painted.image).all()) and painted.notes["tiles"] >= 1
    assert bool((painted.alpha > 0).all())


def test_while_the_encoder_is_not_installed_the_error_gives_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCUMBLE_MODELS_DIR", str(tmp_path))
    with pytest.raises(ScumbleError) as caught:
        run(job(disc(90, 80, 50)))
    assert caught.value.code is Code.MODEL_MISSING
    assert "scumble models fetch vgg16-oxford" in caught.value.hint


def test_a_damaged_encoder_is_named_as_damaged(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in weights.glob("vgg16-oxford.*"):
        (tmp_path / file.name).write_bytes(file.read_bytes()[: 1000 if file.suffix != ".json" else None])
    monkeypatch.setenv("SCUMBLE_MODELS_DIR", str(tmp_path))
    with pytest.raises(ScumbleError) as caught:
        run(job(disc(90, 80, 50)))
    assert caught.value.code is Code.MODEL_CORRUPT
    assert "scumble models fetch vgg16-oxford" in caught.value.hint


@pytest.mark.parametrize("options", [{"transform": "learned"}, {"parity": True}])
def test_what_it_cannot_do_is_refused_with_a_way_out(options: dict[str, Any]) -> None:
    with pytest.raises(ScumbleError) as caught:
        run(job(disc(90, 80, 50), **options))
    assert caught.value.code is Code.BAD_REQUEST and caught.value.hint


def test_it_asks_for_more_memory_than_the_compact_network_and_no_wider_margin() -> None:
    compact, whole = (registry.validated(OPTIONS, {"model": m}) for m in ("compact", "full"))
    assert ENGINE.margin(whole) == ENGINE.margin(compact)
    assert ENGINE.estimate_bytes(600, 600, 1, whole) > ENGINE.estimate_bytes(600, 600, 1, compact)
