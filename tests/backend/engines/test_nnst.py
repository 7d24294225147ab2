"""Neural neighbours under regions, on small real pictures."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from skimage import data

from scumble.backend.engines import nnst_models, registry
from scumble.backend.engines.base import Cancelled, Context, Job, JobRegion, Painted, StylePart
from scumble.backend.engines.cache import TensorCache
from scumble.backend.engines.nnst import Nnst
from scumble.backend.engines.nnst_descent import Descent, Target
from scumble.backend.engines.nnst_ground import Ground
from scumble.backend.engines.nnst_options import OPTIONS
from scumble.backend.engines.nnst_plan import pieces, working
from scumble.backend.engines.nnst_splitting import Splitting, split_target
from scumble.backend.engines.nnst_style import Bank

ENGINE = Nnst()
Array = np.ndarray[Any, np.dtype[np.float32]]


def tensor(image: np.ndarray[Any, Any]) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).float() / 255


PHOTO = tensor(data.astronaut()[40:168:, 150:310])
WARM = StylePart(tensor(data.coffee()[::4, ::4]), "coffee")
COLD = StylePart(tensor(data.rocket()[::4, ::4]), "rocket")
HEIGHT, WIDTH = PHOTO.shape[-2:]
Y, X = np.mgrid[:HEIGHT, :WIDTH]


def box(x0: int, y0: int, x1: int, y1: int) -> Array:
    return ((x0 <= X) & (x1 > X) & (y0 <= Y) & (y1 > Y)).astype(np.float32)


def disc(cx: float, cy: float, radius: float) -> Array:
    return (np.hypot(X - cx, Y - cy) <= radius).astype(np.float32)


WHOLE = np.ones((HEIGHT, WIDTH), np.float32)


def job(
    masks: Sequence[Array],
    styles: Sequence[StylePart] = (WARM,),
    content: torch.Tensor = PHOTO,
    strength: float = 1.0,
    seed: int = 0,
    **options: Any,
) -> Job:
    given = {"mode": "decoder", "turned": False, "finish": 0, "steps": 5, **options}
    chosen = registry.validated(OPTIONS, given)
    regions = tuple(
        JobRegion(torch.from_numpy(m), (styles[i % len(styles)],), strength, chosen)
        for i, m in enumerate(masks)
    )
    return Job(content, torch.ones(content.shape[-2:]), regions, chosen, seed, f"photo{content.shape}")


def context(**more: Any) -> Context:
    return Context(torch.device("cpu"), TensorCache(256 << 20), **more)


def run(work: Job, **more: Any) -> Painted:
    return ENGINE.run(work, context(**more))


def composite(work: Job, painted: Painted) -> torch.Tensor:
    return torch.lerp(work.content, painted.image, painted.alpha)


@pytest.mark.parametrize("mode", ["decoder", "optimise"])
def test_only_the_drawn_pixels_change_and_inside_they_do(mode: str) -> None:
    mask = disc(80, 60, 40)
    work = job([mask], mode=mode, finish=1)
    painted = run(work)
    assert float(painted.alpha[torch.from_numpy(mask) == 0].max()) == 0.0
    change = (composite(work, painted) - PHOTO).abs().mean(0)
    assert float(change[torch.from_numpy(disc(80, 60, 25)) > 0].mean()) > 0.03
    assert bool(torch.isfinite(painted.image).all())
    assert float(painted.image.min()) >= 0 and float(painted.image.max()) <= 1


def test_two_distant_regions_do_not_know_of_each_other() -> None:
    wide = tensor(data.astronaut()[40:168, 20:420])
    masks = [np.zeros((128, 400), np.float32) for _ in range(2)]
    masks[0][30:90, 20:90] = 1
    masks[1][30:90, 300:370] = 1
    first, second = (run(job(masks, [WARM, other], content=wide)) for other in (COLD, WARM))
    left = (slice(None), slice(30, 90), slice(20, 90))
    right = (slice(None), slice(30, 90), slice(300, 370))
    assert torch.equal(first.image[left], second.image[left])
    assert not torch.equal(first.image[right], second.image[right])


def test_touching_regions_take_their_own_styles_and_overlaps_mix() -> None:
    masks = [box(10, 20, 90, 110), box(80, 20, 150, 110)]
    both = run(job(masks, [WARM, COLD]))
    alone = [run(job([WHOLE], [style])) for style in (WARM, COLD)]
    middle = slice(40, 90)

    def likeness(region: slice, style: int) -> float:
        mine = both.image[:, middle, region].mean((1, 2))
        return float((mine - alone[style].image[:, middle, region].mean((1, 2))).abs().sum())

    assert likeness(slice(20, 60), 0) < likeness(slice(20, 60), 1)
    assert likeness(slice(110, 140), 1) < likeness(slice(110, 140), 0)


def test_more_of_the_motif_is_kept_the_more_is_asked_for() -> None:
    found = [run(job([WHOLE], keep_content=a)).image for a in (0.0, 0.5, 1.0)]
    look = nnst_models.eyes("compact", torch.device("cpu")).look

    def centred(image: torch.Tensor) -> torch.Tensor:
        rows = look(image).flatten(1)
        return rows - rows.mean(1, keepdim=True)

    def likeness(image: torch.Tensor) -> float:
        return float(torch.cosine_similarity(centred(image), centred(PHOTO), dim=0).mean())

    values = [likeness(x) for x in found]
    assert values[0] < values[1] < values[2]


def test_zero_strength_paints_the_layer_itself_and_half_lies_between() -> None:
    mask = disc(80, 60, 40)
    nothing, half, all_of_it = (run(job([mask], strength=s)).image for s in (0.0, 0.5, 1.0))
    assert torch.allclose(nothing, PHOTO, atol=1e-6)
    assert torch.allclose(half, (all_of_it + PHOTO) / 2, atol=1e-5)


def test_a_seed_gives_the_same_picture_and_another_another() -> None:
    first, again, other = (run(job([WHOLE], variety=4, seed=s)).image for s in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_strokes_come_only_from_the_chosen_part_of_the_painting() -> None:
    halves = torch.cat([torch.rand(3, 96, 64) * 0.2, 0.8 + torch.rand(3, 96, 64) * 0.2], 2)
    chosen = torch.zeros(96, 128)
    chosen[:, 72:] = 1
    part = StylePart(halves, "halves", mask=chosen)
    bright = run(job([WHOLE], [part])).image
    free = run(job([WHOLE], [replace(part, mask=None, key="free")])).image
    assert float(bright.mean()) > 0.75
    assert float(free.mean()) < float(bright.mean()) - 0.1


def test_two_styles_in_a_blend_share_the_region() -> None:
    dark = StylePart(torch.rand(3, 96, 96) * 0.3, "dark", 0.5)
    light = StylePart(0.7 + torch.rand(3, 96, 96) * 0.3, "light", 0.5)
    work = job([WHOLE])
    region = replace(work.regions[0], styles=(dark, light))
    image = run(replace(work, regions=(region,))).image.mean(0)
    assert 0.2 < float((image > 0.5).float().mean()) < 0.8


@pytest.mark.parametrize(("height", "width"), [(64, 64), (72, 100), (256, 24), (24, 1024)])
def test_feature_splitting_compares_each_layer_with_its_own_matches_at_every_size(
    height: int, width: int
) -> None:
    """The published code's pass compares the wrong data when a layer has 64 positions a side or fewer."""
    content = torch.nn.functional.interpolate(PHOTO[None], (height, width), mode="bilinear")[0]
    eyes = nnst_models.eyes("compact", torch.device("cpu"))
    where = context()
    ones = torch.ones(height, width)
    ground = Ground.of(content, ones, ones, (ones,), (height, width))
    bank = Bank.of(job([WHOLE]).regions[0], eyes, where, 1.0)
    index = torch.zeros(1, ground.grid[0] * ground.grid[1], dtype=torch.int64)
    colours = torch.full((index.shape[1], 3), 0.5)
    whole = Target([slice(0, eyes.look.width)], [bank.rows], [index], ground.cell_shares, colours)
    target = split_target(whole, eyes.look.slices)
    descent = Descent(eyes.look, ground, where)
    splitting = Splitting(descent, target, [(None, 1.0)], [bank.grids], seed=0)
    with torch.no_grad():
        for tile, found in descent.features(content):
            splitting(0, tile, found)
        rows = eyes.look(content).flatten(1).T
    for i, part in enumerate(eyes.look.slices):
        mine = rows[:, part] - rows[:, part].mean(0)
        theirs = bank.rows[:, part].float()
        theirs = torch.nn.functional.normalize(theirs - theirs.mean(0), dim=1)
        table = torch.nn.functional.normalize(mine, dim=1) @ theirs.T
        found = table.gather(1, target.index[0][i][:, None])[:, 0]
        assert float(((table.max(1).values - found) < 0.05).float().mean()) > 0.9
    before = len(target.index[0])
    painted = descent.run(content, target, 2)
    assert painted.shape == content.shape and before == len(eyes.look.slices)


def test_beyond_the_working_size_tiles_leave_no_seam_and_strokes_keep_their_size() -> None:
    tall = torch.nn.functional.interpolate(PHOTO[None], (640, 560), mode="bilinear")[0]
    whole = np.ones((640, 560), np.float32)
    work = job([whole], content=tall, size=256)
    big, tiled = run(work).image, run(work, tile=256).image
    assert big.shape[-2:] == (640, 560)
    assert torch.allclose(big, tiled, atol=2e-3)
    small = run(job([whole], content=tall, size=640)).image
    # Painted at full size it has at least as much fine detail as an enlargement of the working size.
    fine = (big - torch.nn.functional.avg_pool2d(big[None], 3, 1, 1)[0]).abs().mean()
    soft = torch.nn.functional.interpolate(
        torch.nn.functional.interpolate(small[None], (214, 187), mode="bilinear", antialias=True),
        (640, 560), mode="bilinear",
    )[0]  # fmt: skip
    assert fine > (soft - torch.nn.functional.avg_pool2d(soft[None], 3, 1, 1)[0]).abs().mean()


def test_cost_follows_what_was_drawn_not_the_box_around_it() -> None:
    far = np.zeros((600, 900), np.float32)
    far[20:60, 20:60] = 1
    far[540:580, 840:880] = 1
    found = pieces(far)
    assert len(found) == 2
    assert sum(p.box.width * p.box.height for p in found) < 0.15 * far.size
    assert sum(int(p.own.sum()) for p in found) == int(far.sum())
    near = np.zeros((600, 900), np.float32)
    near[20:60, 20:60] = near[20:60, 70:100] = 1
    assert len(pieces(near)) == 1


@pytest.mark.parametrize(("mask", "enlarged"), [(box(60, 50, 70, 60), True), (box(20, 20, 140, 100), False)])
def test_a_tiny_region_is_worked_out_enlarged(mask: Array, enlarged: bool) -> None:
    place = working(pieces(mask)[0].own, 512)
    assert (place.enlarged > 1) == enlarged
    painted = run(job([mask]))
    inside = torch.from_numpy(mask) > 0
    assert float((painted.image - PHOTO).abs().mean(0)[inside].mean()) > 0.02


@pytest.mark.parametrize(
    "style",
    [torch.zeros(3, 64, 64), torch.rand(1, 80, 80).expand(3, -1, -1).contiguous(), torch.rand(3, 33, 40)],
    ids=["all black", "monochrome", "smaller than 64 px"],
)
@pytest.mark.parametrize("mode", ["decoder", "optimise"])
def test_odd_styles_give_a_sensible_picture(style: torch.Tensor, mode: str) -> None:
    odd = StylePart(style, f"odd{style.shape}")
    painted = run(job([disc(80, 60, 45)], [odd], mode=mode, colour="guided"))
    assert bool(torch.isfinite(painted.image).all())
    if float(style.max()) == 0:
        assert float(painted.image[:, 50:70, 70:90].mean()) < 0.2


def test_a_cancelled_job_stops() -> None:
    stop = threading.Event()
    calls = []

    def progress(stage: str, done: int, of: int) -> None:
        calls.append(done)
        if len(calls) == 4:
            stop.set()

    with pytest.raises(Cancelled):
        run(job([WHOLE], mode="optimise", steps=200), progress=progress, cancelled=stop)
    assert len(calls) < 20


def test_progress_grows_previews_come_and_good_enough_ends_early() -> None:
    enough, seen, shown = threading.Event(), [], []

    def progress(stage: str, done: int, of: int) -> None:
        seen.append(done / of)
        if len(seen) == 12:
            enough.set()

    def preview(make: Any) -> None:
        shown.append(make())

    work = job([disc(80, 60, 45)], mode="optimise", steps=100)
    painted = run(work, progress=progress, preview=preview, enough=enough)
    assert seen == sorted(seen) and seen[-1] == 1.0 and len(seen) < 30
    assert shown and shown[0].image.shape == PHOTO.shape
    assert "stopped" in painted.notes
    assert float((painted.image - PHOTO).abs().mean()) > 0.005


def test_optimising_brings_the_loss_down() -> None:
    short, long = (run(job([WHOLE], mode="optimise", steps=n)).notes["loss"] for n in (5, 40))
    assert long < short


def test_the_time_it_expects_grows_with_the_work() -> None:
    defaults = registry.validated(OPTIONS, {"mode": "decoder"})
    best = registry.validated(OPTIONS, {"mode": "optimise"})
    work = ((256, defaults), (512, defaults), (512, best))
    quick, large, slow = (ENGINE.estimate_seconds(side, side, 1, o) for side, o in work)
    assert 0 < quick < large < slow


def test_a_large_style_is_encoded_in_bands_that_agree_with_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    from scumble.backend.engines import nnst_style

    eyes = nnst_models.eyes("compact", torch.device("cpu"))
    part = StylePart(tensor(data.coffee()[:192, :128]), "tall")
    whole = nnst_style.views(part, eyes, context(), (192, 128), turned=False, mirrored=False)
    monkeypatch.setattr(nnst_style, "STYLE_TILE", 64 * 128)
    bands = nnst_style.views(part, eyes, context(), (192, 128), turned=False, mirrored=False)
    assert whole.rows.shape == bands.rows.shape and whole.brush.shape == bands.brush.shape
    assert torch.allclose(whole.rows.float(), bands.rows.float(), atol=2e-3)
    assert torch.allclose(whole.brush.float(), bands.brush.float(), atol=1e-2)
