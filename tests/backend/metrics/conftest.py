"""A judge with drawn weights, and a small bench made of scikit-image's own pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from skimage import data

from scumble.backend.metrics.perceptual import Judge
from scumble.backend.nn.vgg import LAYERS, VGG16


def drawn_weights() -> dict[str, torch.Tensor]:
    """VGG-16's tensors with He-scaled noise: the measures' arithmetic needs no trained network."""
    generator = torch.Generator().manual_seed(0)
    tensors = {}
    for name, cin, cout in LAYERS:
        if name != "pool":
            noise = torch.randn(cout, cin, 3, 3, generator=generator)
            tensors[f"{name}.weight"] = noise * (2 / (9 * cin)) ** 0.5
            tensors[f"{name}.bias"] = 0.1 * torch.randn(cout, generator=generator)
    return tensors


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Pictures this small lose more to waiting for a second thread than they gain."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def vgg() -> VGG16:
    return VGG16.from_tensors(drawn_weights())


@pytest.fixture
def judge(vgg: VGG16) -> Judge:
    return Judge(vgg, long_side=48)


@pytest.fixture(scope="session")
def judge_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("judge") / "vgg.safetensors"
    save_file(drawn_weights(), file)
    return file


def shrunk(picture: np.ndarray, long_side: int = 96) -> np.ndarray:
    """A picture scaled down to a long side."""
    image = Image.fromarray(picture).convert("RGB")
    image.thumbnail((long_side, long_side))
    return np.array(image)


@pytest.fixture(scope="session")
def small() -> Callable[..., np.ndarray]:
    """The function that scales a picture down."""
    return shrunk


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(bench, styles): four photographs with one large, one medium and one tiny region; two styles."""
    root = tmp_path_factory.mktemp("bench")
    photos, styles = root / "photos", root / "styles"
    photos.mkdir()
    styles.mkdir()
    for name in ("astronaut", "coffee", "chelsea", "rocket"):
        picture = shrunk(getattr(data, name)())
        labels = np.zeros(picture.shape[:2], np.uint8)
        labels[8:40, 10:50] = 1
        labels[44:60, 30:70] = 2
        labels[50:54, 4:8] = 3
        Image.fromarray(picture).save(photos / f"{name}.jpg", quality=95)
        Image.fromarray(labels).save(photos / f"{name}.png")
    for name in ("immunohistochemistry", "retina"):
        Image.fromarray(shrunk(getattr(data, name)(), 64)).save(styles / f"{name}.png")
    return photos, styles
