"""A handful of small pictures to train on, and a teacher of the right shapes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from skimage import data

from scumble.backend.nn.vgg import LAYERS


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Folders of two photographs and of two other pictures in the part of paintings."""
    photos, paintings = tmp_path_factory.mktemp("photos"), tmp_path_factory.mktemp("paintings")
    for folder, names in ((photos, ("astronaut", "chelsea")), (paintings, ("coffee", "rocket"))):
        for name in names:
            image = Image.fromarray(getattr(data, name)()).resize((96, 80))
            image.save(folder / f"{name}.png")
    return photos, paintings


@pytest.fixture(scope="session")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """VGG-16's shapes with random weights: enough to train against."""
    generator = torch.Generator().manual_seed(0)
    tensors = {}
    for name, cin, cout in LAYERS:
        if name != "pool":
            kernel = torch.randn(cout, cin, 3, 3, generator=generator) * (2 / (9 * cin)) ** 0.5
            tensors |= {f"{name}.weight": kernel, f"{name}.bias": torch.zeros(cout)}
    path = tmp_path_factory.mktemp("teacher") / "vgg.safetensors"
    save_file(tensors, path)
    return path
