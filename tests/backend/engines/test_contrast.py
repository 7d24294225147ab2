"""Contrast: each octave comes halfway to the painting's, under the mask, for every style's share of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from skimage import data
from torch.nn import functional as F

from scumble.backend.engines import contrast, registry
from scumble.backend.engines.base import Context, Job, JobRegion, StylePart
from scumble.backend.engines.cache import TensorCache
from scumble.backend.engines.partial_conv import PartialConv
from scumble.backend.engines.partial_conv_options import OPTIONS
from scumble.backend.nn.nnst_pyramid import laplacian

ENGINE = PartialConv()


def tensor(image: np.ndarray[Any, Any]) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).float() / 255


PHOTO = tensor(data.astronaut()[:256, 100:356])
LIVELY = StylePart(tensor(data.immunohistochemistry()[::2, ::2]), "lively")
CALM = StylePart(tensor(cv2.GaussianBlur(data.coffee()[::2, ::2], (0, 0), 6)), "calm")
ALL = torch.ones(256, 256)
LEFT = ALL.clone()
LEFT[:, 128:] = 0


def context() -> Context:
    return Context(torch.device("cpu"), TensorCache(64 << 20))


def region(mask: torch.Tensor, *styles: StylePart, strength: float = 1.0, **options: Any) -> JobRegion:
    return JobRegion(mask, styles, strength, registry.validated(OPTIONS, {"last_strokes": "off", **options}))


def told(image: torch.Tensor, mask: torch.Tensor) -> list[float]:
    *octaves, _ = laplacian(contrast.halved(image), contrast.OCTAVES)
    return contrast.contrasts(octaves, contrast.halved(mask[None])[0])


def changed(style: StylePart, mask: torch.Tensor = ALL, **more: Any) -> torch.Tensor:
    small = contrast.halved(PHOTO)
    found = contrast.change(small, None, region(mask, style, **more), mask, mask, context())
    assert found is not None
    return PHOTO + contrast.enlarged(found, PHOTO.shape[-2:], slice(None))


@pytest.mark.parametrize("style", [LIVELY, CALM])
def test_every_octave_comes_nearer_to_the_paintings_and_none_beyond(style: StylePart) -> None:
    want = contrast.of_style(style, 1.0, context())
    before, after = told(PHOTO, ALL), told(changed(style), ALL)
    for was, now, there in zip(before, after, want, strict=True):
        far, near = abs(np.log(was / there)), abs(np.log(now / there))
        assert near < far or far < 0.05


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 40), st.integers(1, 40))
def test_rows_enlarged_by_themselves_are_those_of_the_whole(
    height: int, width: int, first: int, count: int
) -> None:
    small = contrast.halved(PHOTO[:, :height, :width])
    whole = F.interpolate(small[None], (height, width), mode="bilinear", align_corners=False)[0]
    rows = slice(first, min(first + count, height))
    if first < height:
        part = contrast.enlarged(small, (height, width), rows)
        assert torch.allclose(part, whole[:, rows], atol=1e-5)


def test_the_mean_colours_stay() -> None:
    assert torch.allclose(changed(CALM).mean((1, 2)), PHOTO.mean((1, 2)), atol=2e-3)


def test_nothing_is_changed_outside_the_region_or_by_what_lies_outside() -> None:
    there = changed(LIVELY, LEFT)
    assert torch.equal(there[:, :, 140:], PHOTO[:, :, 140:])
    assert not torch.equal(there[:, :, :120], PHOTO[:, :, :120])
    small, far = contrast.halved(PHOTO), contrast.halved(PHOTO)
    far[:, :, 66:] = 0.5  # painted beyond the edge: nobody's business
    under = small, contrast.halved(LEFT[None])
    one, other = (
        contrast.change(x, under, region(LEFT, LIVELY), LEFT, LEFT, context()) for x in (small, far)
    )
    assert one is not None and other is not None
    assert torch.allclose(one, other, atol=1e-5)


def test_weaker_regions_are_changed_less_and_none_at_strength_nought() -> None:
    much, some = ((changed(LIVELY, strength=s) - PHOTO).abs().mean() for s in (1.0, 0.4))
    assert 0.2 * much < some < 0.6 * much
    small = contrast.halved(PHOTO)
    assert contrast.change(small, None, region(ALL, LIVELY, strength=0.0), ALL, None, context()) is None


def test_two_styles_want_what_lies_between_them() -> None:
    have = [0.05, 0.05, 0.05]
    one, other = [0.07, 0.07, 0.07], [0.04, 0.04, 0.04]
    first, second, both = (
        contrast.gains(have, w, s) for w, s in (([one], [1.0]), ([other], [1.0]), ([one, other], [0.5, 0.5]))
    )
    assert all(b < m < a for a, b, m in zip(first, second, both, strict=True))


def test_an_octave_of_which_too_little_is_seen_is_left_alone() -> None:
    assert contrast.gains([0.0, 0.2], [[0.3, 0.0]], [1.0]) == [1.0, 1.0]


def test_a_painted_region_has_contrasts_nearer_to_the_painting_than_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    want = np.array(contrast.of_style(LIVELY, 1.0, context()))

    def far() -> float:
        one = region(ALL, LIVELY)
        job = Job(PHOTO, ALL, (one,), one.options, 0, "photo")
        return float(np.abs(np.log(np.array(told(ENGINE.run(job, context()).image, ALL)) / want)).sum())

    nearer = far()
    monkeypatch.setattr(contrast, "SHARE", 0.0)
    assert nearer < 0.9 * far()


def test_a_masked_style_counts_by_what_its_mask_shows() -> None:
    lively = LIVELY.image[:, :200]
    both = torch.cat([lively, CALM.image[:, :, :256]], 2)
    mask = torch.zeros(both.shape[-2:])
    mask[:, : lively.shape[2]] = 1
    seen = contrast.of_style(replace(LIVELY, image=both, mask=mask, key="both"), 1.0, context())
    alone = contrast.of_style(replace(LIVELY, image=lively, key="alone"), 1.0, context())
    assert np.allclose(seen, alone, rtol=0.15)
