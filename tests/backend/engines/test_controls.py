"""Every control does more when it is turned further, on photographs and with painted styles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from skimage import data
from torch.nn import functional as F

from scumble.backend.engines import registry
from scumble.backend.engines.base import Context, Job, JobRegion, StylePart
from scumble.backend.engines.cache import TensorCache
from scumble.backend.engines.colour import LUMA
from scumble.backend.engines.partial_conv import PartialConv
from scumble.backend.engines.partial_conv_options import OPTIONS
from scumble.backend.styles import load

ENGINE = PartialConv()
#: One for all: every style is looked at once.
CACHE = TensorCache(512 << 20)
PHOTOS = ("astronaut", "chelsea", "coffee")
STYLES = ("night-swirls", "koi-mosaic", "woodcut-sun", "soft-pastel")


@lru_cache
def photo(name: str) -> torch.Tensor:
    image = getattr(data, name)()[:288, :400]
    return torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).float() / 255


@lru_cache
def style(name: str) -> StylePart:
    return StylePart(torch.from_numpy(load(name).copy()).permute(2, 0, 1).float() / 255, name)


def painted(
    content: torch.Tensor,
    parts: Sequence[StylePart],
    *,
    strength: float = 1.0,
    **options: Any,
) -> torch.Tensor:
    """The whole picture painted, (3, H, W)."""
    chosen = registry.validated(OPTIONS, options)
    region = JobRegion(torch.ones(content.shape[-2:]), tuple(parts), strength, chosen)
    job = Job(content, torch.ones(content.shape[-2:]), (region,), chosen, 0, f"{content.sum()}")
    out = ENGINE.run(job, Context(torch.device("cpu"), CACHE, tile=4096))
    return content * (1 - out.alpha) + out.image * out.alpha


def distance(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a - b).abs().mean())


def coarseness(image: torch.Tensor) -> float:
    """Width of the strokes in pixels: their contrast over the mean step between neighbours.

    What is wider than a stroke, the picture's own shapes, is taken out first.
    """
    luma = torch.einsum("chw,c->hw", image, torch.tensor(LUMA)).numpy()
    strokes = luma - cv2.GaussianBlur(luma, (0, 0), 8.0)
    steps = (np.abs(np.diff(strokes, axis=0)).mean() + np.abs(np.diff(strokes, axis=1)).mean()) / 2
    return float(strokes.std() / steps)


def hues(image: torch.Tensor) -> torch.Tensor:
    return image - torch.einsum("chw,c->hw", image, torch.tensor(LUMA))


@pytest.mark.parametrize("name", PHOTOS)
def test_more_strength_leads_further_from_the_photograph(name: str) -> None:
    content = photo(name)
    steps = [distance(painted(content, [style("night-swirls")], strength=s), content) for s in LADDER]
    assert all(a < b for a, b in pairwise(steps)), steps


LADDER = (0.0, 0.25, 0.5, 0.75, 1.0)


@pytest.mark.parametrize("name", PHOTOS)
def test_a_larger_stroke_size_paints_wider_strokes(name: str) -> None:
    content = photo(name)
    look = [
        coarseness(painted(content, [style("night-swirls")], style_scale=s, texture=1.0, detail=0.0))
        for s in (1.0, 1.4, 2.0)
    ]
    assert all(a < b for a, b in pairwise(look)), look


@pytest.mark.parametrize("name", PHOTOS)
def test_strokes_keep_their_size_in_pixels_when_the_layer_is_larger(name: str) -> None:
    content = photo(name)
    larger = F.interpolate(content[None], scale_factor=2.0, mode="bicubic")[0].clamp(0, 1)
    controls = {"style_scale": 1.4, "texture": 1.0, "detail": 0.0}
    grown = coarseness(painted(larger, [style("night-swirls")], **controls)) / coarseness(
        painted(content, [style("night-swirls")], **controls)
    )
    of_the_photograph = coarseness(larger) / coarseness(content)
    assert abs(grown - 1.0) < 0.5 * (of_the_photograph - 1.0), (grown, of_the_photograph)


@pytest.mark.parametrize("name", PHOTOS)
def test_keeping_colours_brings_hues_back_step_by_step(name: str) -> None:
    content = photo(name)
    off = [
        distance(hues(painted(content, [style("koi-mosaic")], preserve_color=amount)), hues(content))
        for amount in LADDER
    ]
    assert all(a > b for a, b in pairwise(off)), off


@pytest.mark.parametrize("name", PHOTOS)
def test_each_of_four_blended_styles_shows_more_with_more_weight(name: str) -> None:
    content = photo(name)
    for chosen in STYLES:
        alone = painted(content, [style(chosen)]).mean((1, 2))
        away = []
        for weight in (0.1, 0.4, 0.85):
            rest = (1.0 - weight) / 3
            parts = [replace(style(s), weight=weight if s == chosen else rest) for s in STYLES]
            away.append(distance(painted(content, parts).mean((1, 2)), alone))
        assert all(a > b for a, b in pairwise(away)), (chosen, away)
