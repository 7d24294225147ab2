"""Blended partial convolution on a small real photograph, from one mask to many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from skimage import data

from scumble.backend.engines import registry
from scumble.backend.engines.base import Cancelled, Context, Job, JobRegion, Painted, StylePart
from scumble.backend.engines.cache import TensorCache
from scumble.backend.engines.partial_conv import PartialConv
from scumble.backend.engines.partial_conv_options import OPTIONS
from scumble.shared.errors import Code, ScumbleError

ENGINE = PartialConv()
Array = np.ndarray[Any, np.dtype[np.float32]]


def tensor(image: np.ndarray[Any, Any]) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).float() / 255


PHOTO = tensor(data.astronaut()[:224, 80:384])
WARM = StylePart(tensor(data.coffee()[::3, ::3]), "coffee")
COLD = StylePart(tensor(data.rocket()[::3, ::3]), "rocket")
HEIGHT, WIDTH = PHOTO.shape[-2:]
Y, X = np.mgrid[:HEIGHT, :WIDTH]


def disc(cx: float, cy: float, radius: float) -> Array:
    return (np.hypot(X - cx, Y - cy) <= radius).astype(np.float32)


def box(x0: int, y0: int, x1: int, y1: int) -> Array:
    return ((x0 <= X) & (x1 > X) & (y0 <= Y) & (y1 > Y)).astype(np.float32)


def job(
    masks: Sequence[Array],
    styles: Sequence[StylePart] = (WARM,),
    strengths: Sequence[float] | None = None,
    content: torch.Tensor = PHOTO,
    **options: Any,
) -> Job:
    chosen = registry.validated(OPTIONS, {"style_scale": 0.4, **options})
    regions = tuple(
        JobRegion(torch.from_numpy(m), (styles[i % len(styles)],), strengths[i] if strengths else 1.0, chosen)
        for i, m in enumerate(masks)
    )
    return Job(content, torch.ones(content.shape[-2:]), regions, chosen, 0, f"photo{content.shape}")


def run(work: Job, tile: int = 4096, cache: TensorCache | None = None) -> Painted:
    return ENGINE.run(
        work, Context(torch.device("cpu"), TensorCache(64 << 20) if cache is None else cache, tile=tile)
    )


def composite(work: Job, painted: Painted) -> torch.Tensor:
    return work.content * (1 - painted.alpha) + painted.image * painted.alpha


def change(work: Job, painted: Painted, where: Array) -> float:
    difference = (composite(work, painted) - work.content).abs().mean(0)
    return float(difference[torch.from_numpy(where) > 0].mean())


MASKS = {
    "a disc": disc(150, 110, 70),
    "the whole layer": np.ones((HEIGHT, WIDTH), np.float32),
    "twelve pixels": box(150, 100, 162, 112),
    "a line two pixels wide": box(20, 100, 280, 102),
    "many small parts": sum(
        (disc(30 + 50 * i, 40 + 60 * j, 7) for i in range(5) for j in range(3)), np.zeros_like(X, np.float32)
    ),
    "a mask touching two borders": box(0, 0, 90, 80),
    "a ring": disc(150, 110, 90) - disc(150, 110, 40),
    "a soft slope": np.clip((X - 60) / 200, 0, 1).astype(np.float32),
}


@pytest.mark.parametrize("name", MASKS)
def test_every_shape_of_region_is_painted_inside_and_only_inside(name: str) -> None:
    mask = MASKS[name]
    work = job([mask])
    painted = run(work)
    assert painted.image.shape == PHOTO.shape and painted.alpha.shape == mask.shape
    assert bool(torch.isfinite(painted.image).all())
    assert bool((painted.alpha[torch.from_numpy(mask) == 0] == 0).all())
    assert float(painted.alpha.sum()) > 0.35 * float(mask.sum())
    assert change(work, painted, (painted.alpha.numpy() > 0.5).astype(np.float32)) > 0.03


def test_strength_zero_is_the_identity_to_the_bit() -> None:
    work = job([MASKS["a disc"]], strengths=[0.0])
    painted = run(work)
    inside = torch.from_numpy(MASKS["a disc"]) > 0
    assert torch.equal(painted.image[:, inside], PHOTO[:, inside])


def test_more_strength_changes_the_picture_more() -> None:
    mask = MASKS["a disc"]
    amounts = [change(w := job([mask], strengths=[s]), run(w), mask) for s in (0.1, 0.3, 0.6, 1.0)]
    assert amounts == sorted(amounts) and amounts[0] > 0


def test_each_region_has_its_own_strength() -> None:
    left, right = disc(70, 110, 50), disc(230, 110, 50)
    work = job([left, right], strengths=[1.0, 0.2])
    painted = run(work)
    assert change(work, painted, left) > 1.5 * change(work, painted, right)


def test_two_distant_regions_do_not_know_each_others_style() -> None:
    left, right = disc(60, 110, 40), disc(250, 110, 40)
    one = run(job([left, right], [WARM, COLD]))
    other = run(job([left, right], [WARM, WARM]))
    where = torch.from_numpy(left) > 0
    assert torch.allclose(one.image[:, where], other.image[:, where], atol=2e-3)
    where = torch.from_numpy(right) > 0
    assert float((one.image - other.image)[:, where].abs().mean()) > 0.03


def test_what_lies_outside_the_mask_does_not_shape_the_inside() -> None:
    mask = disc(150, 110, 60)
    far = torch.from_numpy(disc(150, 110, 75)) == 0
    spoiled = PHOTO.clone()
    spoiled[:, far] = torch.tensor([1.0, 0.0, 1.0])[:, None]
    clean, dirty = run(job([mask])), run(job([mask], content=spoiled))
    inside = torch.from_numpy(mask) > 0
    partial = float((clean.image - dirty.image)[:, inside].abs().mean())
    naive_clean = run(job([mask], method="style-then-mask"))
    naive_dirty = run(replace(job([mask], content=spoiled, method="style-then-mask"), key="spoiled"))
    naive = float((naive_clean.image - naive_dirty.image)[:, inside].abs().mean())
    assert partial < 0.2 * naive


def test_overlapping_regions_mix_and_leave_no_gap() -> None:
    left, right = box(40, 40, 180, 180), box(140, 40, 280, 180)
    work = job([left, right], [WARM, COLD])
    painted = run(work)
    assert float(painted.alpha[60:160, 100:220].min()) == 1.0
    colours = composite(work, painted)[:, 60:160].mean(1)
    assert float((colours[:, 60] - colours[:, 260]).abs().max()) > 0.03


def test_the_region_takes_the_styles_palette_and_keeps_its_own_colours_on_request() -> None:
    mask = MASKS["a disc"]
    inside = torch.from_numpy(mask) > 0

    def hue(image: torch.Tensor) -> torch.Tensor:
        return (image - image.mean(0))[:, inside].mean(1)

    wanted = hue(PHOTO)
    plain, kept = run(job([mask])), run(job([mask], preserve_color=1.0))
    assert float((hue(kept.image) - wanted).norm()) < 0.5 * float((hue(plain.image) - wanted).norm())


def test_colours_come_nearer_to_the_palette_with_the_control() -> None:
    mask = MASKS["a disc"]
    inside = torch.from_numpy(mask) > 0
    target = WARM.image.flatten(1).mean(1)
    gaps = [
        float((run(job([mask], match_color=m, last_strokes="off")).image[:, inside].mean(1) - target).norm())
        for m in (0.0, 0.5, 1.0)
    ]
    assert gaps == sorted(gaps, reverse=True)


@pytest.mark.parametrize("option", ["texture", "detail", "style_scale"])
def test_the_artists_controls_change_the_picture(option: str) -> None:
    mask = MASKS["a disc"]
    low, high = run(job([mask], **{option: 0.25})), run(job([mask], **{option: 1.0}))
    assert float((low.image - high.image)[:, torch.from_numpy(mask) > 0].abs().mean()) > 0.005


def seam(work: Job, painted: Painted, mask: Array) -> float:
    """Mean step between neighbours across the mask's edge."""
    image = composite(work, painted)
    edge = torch.from_numpy(mask[:, 1:] != mask[:, :-1])
    return float((image[:, :, 1:] - image[:, :, :-1]).abs().mean(0)[edge].mean())


def test_blending_softens_the_seam() -> None:
    mask = MASKS["a disc"]
    off = {"feather_before": False, "expand_during": False, "feather_decoder": False}
    hard, soft = job([mask], **off), job([mask])
    assert seam(soft, run(soft), mask) < 0.6 * seam(hard, run(hard), mask)


@pytest.mark.parametrize("technique", ["feather_before", "expand_during", "feather_decoder"])
def test_each_blending_technique_can_be_switched_by_itself(technique: str) -> None:
    mask = MASKS["a disc"]
    off = {"feather_before": False, "expand_during": False, "feather_decoder": False}
    with_it, without = job([mask], **{**off, technique: True}), job([mask], **off)
    assert not torch.equal(composite(with_it, run(with_it)), composite(without, run(without)))


@pytest.mark.parametrize("method", ["style-then-mask", "mask-then-style"])
def test_the_baselines_paint_the_same_region_another_way(method: str) -> None:
    mask = MASKS["a disc"]
    work = job([mask], method=method)
    painted = run(work)
    assert bool((painted.alpha[torch.from_numpy(mask) == 0] == 0).all())
    assert not torch.allclose(painted.image, run(job([mask])).image, atol=0.01)


def test_tiles_do_not_show() -> None:
    mask = MASKS["the whole layer"]
    work = job([mask], texture=0.0, last_strokes="off")
    whole, tiled = run(work), run(work, tile=96)
    assert int(tiled.notes["tiles"]) > 4
    assert float((whole.image - tiled.image).abs().mean()) < 0.01
    # Along a tile's border the step must not exceed what the picture has anyway.
    steps = (tiled.image[:, :, 1:] - tiled.image[:, :, :-1]).abs().mean((0, 1))
    usual = (whole.image[:, :, 1:] - whole.image[:, :, :-1]).abs().mean((0, 1))
    assert float((steps - usual).max()) < 0.02


def test_strokes_do_not_end_at_a_tiles_border() -> None:
    tiled = run(job([MASKS["the whole layer"]], texture=1.0), tile=96)
    steps = (tiled.image[:, :, 1:] - tiled.image[:, :, :-1]).abs().mean((0, 1))
    # Two tiles of 104 and one of 96 columns: the steps at their borders are like those anywhere.
    borders = torch.tensor([103, 207])
    assert float(steps[borders].max()) < float(steps.mean() + 3 * steps.std())


def test_a_cached_layer_gives_the_same_picture_as_a_fresh_one() -> None:
    cache = TensorCache(64 << 20)
    mask = MASKS["a disc"]
    first = run(job([mask]), cache=cache)
    run(job([mask], [COLD]), cache=cache)
    again = run(job([mask]), cache=cache)
    assert torch.equal(first.image, again.image) and torch.equal(first.alpha, again.alpha)


@pytest.mark.parametrize("method", ["partial-conv", "style-then-mask", "mask-then-style"])
def test_another_mask_on_a_cached_layer_is_painted_as_on_a_fresh_one(method: str) -> None:
    cache = TensorCache(64 << 20)
    run(job([MASKS["a disc"]], method=method), cache=cache)
    other = job([MASKS["a mask touching two borders"]], method=method)
    assert torch.equal(run(other, cache=cache).image, run(other).image)


def test_the_second_style_does_not_encode_the_layer_again() -> None:
    cache = TensorCache(64 << 20)
    mask = MASKS["a disc"]
    run(job([mask]), cache=cache)
    context = Context(torch.device("cpu"), cache)
    ENGINE.run(job([mask], [COLD]), context)
    assert "encode" not in context.seconds and context.seconds["decode"] > 0


def test_a_cancelled_job_stops_at_the_next_layer() -> None:
    context = Context(torch.device("cpu"), TensorCache(1 << 20))
    stages: list[str] = []

    def progress(stage: str, done: int, of: int) -> None:
        stages.append(stage)
        if stage == "paint":
            context.cancelled.set()

    context.progress = progress
    with pytest.raises(Cancelled):
        ENGINE.run(job([MASKS["a disc"]]), context)
    assert stages[-1] == "paint"


def test_a_blend_of_two_styles_lies_between_them_in_colour() -> None:
    mask = MASKS["a disc"]
    inside = torch.from_numpy(mask) > 0

    def colour(*parts: tuple[StylePart, float]) -> torch.Tensor:
        work = job([mask])
        region = replace(work.regions[0], styles=tuple(replace(p, weight=w) for p, w in parts))
        return run(replace(work, regions=(region,))).image[:, inside].mean(1)

    warm, cold = colour((WARM, 1.0)), colour((COLD, 1.0))
    half = colour((WARM, 0.5), (COLD, 0.5))
    axis = warm - cold
    position = float(((half - cold) @ axis) / (axis @ axis))
    assert 0.2 < position < 0.8


def test_parity_is_refused_for_the_bundled_network_with_a_way_out() -> None:
    with pytest.raises(ScumbleError) as caught:
        run(job([MASKS["a disc"]], parity=True))
    assert caught.value.code is Code.BAD_REQUEST and "import" in caught.value.hint


def test_a_model_that_was_never_imported_is_named_as_missing() -> None:
    with pytest.raises(ScumbleError) as caught:
        run(job([MASKS["a disc"]], model="nowhere"))
    assert caught.value.code is Code.MODEL_MISSING


def test_a_draft_looks_like_the_painting_and_stays_inside_the_mask() -> None:
    big = torch.nn.functional.interpolate(PHOTO[None], scale_factor=2.0, mode="bilinear")[0].clamp(0, 1)
    y, x = np.mgrid[: big.shape[1], : big.shape[2]]
    mask = (np.hypot(x - 300, y - 220) <= 180).astype(np.float32)
    full, draft = job([mask], content=big), job([mask], content=big, draft=True)
    a, b = run(full), run(draft)
    assert bool((b.alpha[torch.from_numpy(mask) == 0] == 0).all())
    inside = torch.from_numpy(mask) > 0
    apart = float((a.image - b.image)[:, inside].abs().mean())
    from_photo = float((a.image - big)[:, inside].abs().mean())
    assert 0 < apart < 0.7 * from_photo


def test_a_plain_layer_in_tiles_is_no_wallpaper() -> None:
    side = 256
    plain = torch.tensor([0.47, 0.59, 0.75]).view(3, 1, 1).expand(3, 128, 3 * side).contiguous()
    mask = np.ones(plain.shape[-2:], np.float32)
    grey = run(job([mask], content=plain, detail=0.0, style_scale=1.0), tile=side).image.mean(0)
    one, other = (x - x.mean() for x in (grey[:, :-side], grey[:, side:]))
    # 0.56 if every tile lays the same strokes.
    assert float((one * other).sum() / (one.norm() * other.norm())) < 0.3


def test_the_learned_transform_paints_too_and_brings_the_palette_nearer() -> None:
    mask = MASKS["a disc"]
    inside = torch.from_numpy(mask) > 0
    options = {"transform": "learned", "match_color": 0.0, "texture": 0.0}
    painted = run(job([mask], **options))
    target = WARM.image.flatten(1).mean(1)
    before = float((PHOTO[:, inside].mean(1) - target).norm())
    assert float((painted.image[:, inside].mean(1) - target).norm()) < 0.5 * before
    other = run(job([mask], **{**options, "transform": "transport"}))
    assert not torch.allclose(painted.image, other.image, atol=0.01)
