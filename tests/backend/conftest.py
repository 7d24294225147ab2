"""What many tests of the backend need: a small engine that really paints, and something to train on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from skimage import data

from scumble.backend.engines import registry
from scumble.backend.engines.base import Context, Job, Option, Painted
from scumble.backend.nn.vgg import LAYERS


class Tint:
    """Lays each region's mean style colour over it.

    It obeys its options: ``fits`` is the largest tile that it has memory for, ``steps`` how often it
    looks whether it was cancelled, ``bug`` makes it fail, ``spill`` makes it paint outside the masks.
    """

    name = "test-tint"
    label = "Tint"
    help = "Lays the style's mean colour over each region."
    style_kinds = ("pixels",)
    options = (
        Option("amount", "Amount", "float", 1.0, "How much.", minimum=0.0, maximum=1.0, per_region=True),
        Option("margin", "Margin", "int", 8, "Pixels to see around.", minimum=0, maximum=10_000),
        Option("fits", "Fits", "int", 10_000, "Largest tile that fits.", minimum=1, maximum=10_000),
        Option("per_pixel", "Cost", "int", 0, "Bytes a pixel.", minimum=0, maximum=1 << 40),
        Option("steps", "Steps", "int", 1, "Checkpoints.", minimum=1, maximum=1_000_000_000),
        Option("bug", "Bug", "bool", False, "Fail."),
        Option("spill", "Spill", "bool", False, "Paint everywhere."),
    )

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.tiles: list[int] = []
        self.devices: list[str] = []

    def margin(self, options: Mapping[str, Any]) -> int:
        return int(options["margin"])

    def estimate_bytes(self, width: int, height: int, regions: int, options: Mapping[str, Any]) -> int:
        return width * height * int(options["per_pixel"])

    def run(self, job: Job, context: Context) -> Painted:
        self.jobs.append(job)
        self.tiles.append(context.tile)
        self.devices.append(str(context.device))
        if job.options["bug"]:
            raise KeyError("a bug")
        if context.tile > job.options["fits"]:
            raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate ...")
        for step in range(job.options["steps"]):
            context.progress("tint", step, job.options["steps"])
            context.checkpoint()
        image, alpha = job.content.clone(), torch.zeros_like(job.opacity)
        for region in job.regions:
            color = sum(p.image.mean((1, 2)) * p.weight for p in region.styles)
            amount = region.mask * region.strength * region.options["amount"]
            image = torch.lerp(image, torch.as_tensor(color)[:, None, None].expand_as(image), amount)
            alpha = torch.maximum(alpha, region.mask * region.strength)
        return Painted(image, torch.ones_like(alpha) if job.options["spill"] else alpha, {"steps": 1})


_TINT = Tint()
registry.register(_TINT)


@pytest.fixture
def tint() -> Tint:
    """The engine ``test-tint``, with nothing recorded yet."""
    _TINT.jobs.clear()
    _TINT.tiles.clear()
    _TINT.devices.clear()
    return _TINT


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
