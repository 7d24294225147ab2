"""What is done on the CPU and again on the device that stands in for a GPU; a process of its own.

    python tests/backend/gpu/scenarios.py FOLDER PHOTOS PAINTINGS TEACHER

writes a line of JSON for each: how far the pictures, masks or weights are apart, how many operations ran on
the device, and what went wrong.  ``FOLDER`` is where it may write, the others are what to train with.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import stand_in
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from skimage import data

from scumble.backend import Session
from scumble.backend.models.bundled import bundled
from scumble.backend.nn import half_precision
from scumble.backend.nn.compact import CompactDecoder
from scumble.backend.training.__main__ import main as train
from scumble.shared.messages import BundledStyle, MaskBuffer, PixelBuffer, Region, StylizeRequest
from scumble.shared.segmenting import Point, SegmentRequest

WIDTH, HEIGHT = 176, 144
PHOTO = np.asarray(Image.fromarray(data.chelsea()[:288, :352]).resize((WIDTH, HEIGHT)))
LAYER = PixelBuffer(WIDTH, HEIGHT, "rgb", "u8", PHOTO.tobytes())


def drawn(x0: int, y0: int, x1: int, y1: int, style: str, **more: Any) -> Region:
    """A box with soft edges in a style of the gallery."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[y0:y1, x0:x1] = 128
    mask[y0 + 1 : y1 - 1, x0 + 1 : x1 - 1] = 255
    return Region(MaskBuffer(WIDTH, HEIGHT, mask.tobytes()), BundledStyle(style), **more)


ONE = (drawn(20, 16, 140, 120, "night-swirls"),)
TWO = (drawn(8, 8, 100, 90, "night-swirls"), drawn(70, 60, 170, 140, "koi-mosaic", strength=0.7))

WHOLE = (Region(MaskBuffer(WIDTH, HEIGHT, b"\xff" * WIDTH * HEIGHT), BundledStyle("koi-mosaic")),)


def painted(device: str, regions: tuple[Region, ...], engine: str, **options: Any) -> np.ndarray:
    """The new layer's samples in [0, 1]."""
    result = Session(device).stylize(StylizeRequest(LAYER, regions, engine, options, seed=3))
    assert torch.device(result.report["device"]).type == torch.device(device).type, result.report["device"]
    return np.frombuffer(result.layer.data, np.uint8) / 255


def selected(device: str, **asked: Any) -> np.ndarray:
    """The first mask that is found, on the whole layer."""
    (found, *_) = Session(device).segment(SegmentRequest(LAYER, method="clicks", **asked)).masks
    mask = np.zeros((HEIGHT, WIDTH))
    part = np.frombuffer(found.mask.data, np.uint8).reshape(found.mask.height, found.mask.width)
    mask[found.mask.y : found.mask.y + part.shape[0], found.mask.x : found.mask.x + part.shape[1]] = part
    return mask / 255


def trained(
    device: str, stage: str, folder: Path, photos: Path, paintings: Path, teacher: Path
) -> np.ndarray:
    """How far three more steps of a stage move its weights, which hardly differ from untrained ones."""
    first, last = (made(device, stage, steps, folder, photos, paintings, teacher) for steps in (1, 4))
    return last - first


def made(
    device: str, stage: str, steps: int, folder: Path, photos: Path, paintings: Path, teacher: Path
) -> np.ndarray:
    """The weights after a few steps of a stage."""
    out = folder / f"{stage}-{steps}-{device}"
    out.mkdir()
    tensors = {k: v.float() for k, v in bundled("compact").items() if not k.startswith("transform.")}
    save_file({k: v for k, v in tensors.items() if k.startswith("encoder.")}, out / "encoder.safetensors")
    if stage == "narrow":
        torch.manual_seed(2)
        wider = CompactDecoder(middle=56, fine=20).state_dict()
        tensors |= {f"decoder.{k}": v for k, v in wider.items()}
    save_file(tensors, out / ("decoder.safetensors" if stage == "transform" else "start.safetensors"))
    words = [
        stage,
        "--out",
        str(out),
        "--steps",
        str(steps),
        "--device",
        device,
        "--size",
        "48",
        "--batch",
        "2",
    ]
    words += ["--pool", "4", "--teacher", str(teacher)]
    words += ["--photos", str(photos), "--paintings", str(paintings)]
    words += ["--start", str(out / "start.safetensors")] if stage in ("decoder", "narrow") else []
    assert train(words) == 0
    after = load_file(
        (out / {"distill": "encoder", "transform": "complete"}.get(stage, stage)).with_suffix(".safetensors")
    )
    return torch.cat([after[k].flatten() for k in sorted(after)]).numpy()


def scenarios(*training: Path) -> dict[str, Callable[[str], np.ndarray]]:
    """What there is to do on a device, by name; ``tests/backend/gpu/test_gpu.py`` has the names too.

    :param training: what :func:`trained` takes after the stage.
    """
    paint = "partial-conv"
    return {
        "a region": lambda d: painted(d, ONE, paint, last_strokes="off"),
        "two regions": lambda d: painted(d, TWO, paint, last_strokes="off"),
        "last strokes": lambda d: painted(d, ONE, paint, last_strokes="few"),
        "the learned transform": lambda d: painted(d, ONE, paint, transform="learned", last_strokes="off"),
        "a draft": lambda d: painted(d, WHOLE, paint, draft=True),
        "the layer's own hues": lambda d: painted(d, ONE, paint, preserve_color=1.0, last_strokes="off"),
        "style-then-mask": lambda d: painted(d, ONE, paint, method="style-then-mask", last_strokes="off"),
        "mask-then-style": lambda d: painted(d, ONE, paint, method="mask-then-style", last_strokes="off"),
        "the full network": lambda d: painted(d, ONE, paint, model="full", last_strokes="off"),
        "nnst": lambda d: painted(d, TWO, "nnst", features="compact"),
        "nnst by optimisation": lambda d: painted(
            d, ONE, "nnst", mode="optimise", features="compact", steps=5
        ),
        "semantic pairs": lambda d: painted(d, ONE, "semantic"),
        "a selection by clicks": lambda d: selected(d, points=(Point(90, 70), Point(4, 4, False))),
        "all regions": lambda d: selected(d, mode="all", count=6),
        **{
            f"training: {stage}": partial(lambda stage, d: trained(d, stage, *training), stage)
            for stage in ("distill", "decoder", "narrow", "transform")
        },
    }


def compared(scenario: Callable[[str], np.ndarray]) -> dict[str, Any]:
    """On the CPU, on the device, and how far these are apart."""
    wanted = scenario("cpu")
    before = stand_in.launches
    try:
        found = scenario(stand_in.NAME)
    except Exception as error:
        while error.__cause__ is not None:
            error = error.__cause__  # type: ignore[assignment]
        return {"error": "".join(traceback.format_exception(error)[-4:])}
    return {
        "launches": stand_in.launches - before,
        "apart": float(np.abs(found - wanted).mean()),
        "spread": float(wanted.std()),
    }


if __name__ == "__main__":
    # A GPU computes in single precision where this processor may not.
    half_precision.available = lambda: False  # type: ignore[assignment]
    for name, scenario in scenarios(*map(Path, sys.argv[1:])).items():
        print(json.dumps({"name": name, **compared(scenario)}), flush=True)
