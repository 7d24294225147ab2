"""The fast engine's last strokes: nearer to the painting, inside the region, unasked only where quick."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from skimage import data

from scumble.backend.engines import last_strokes, registry
from scumble.backend.engines.base import Cancelled, Context, Job, JobRegion, Painted, StylePart
from scumble.backend.engines.cache import TensorCache
from scumble.backend.engines.last_strokes import Plan
from scumble.backend.engines.nnst_ground import Ground
from scumble.backend.engines.nnst_models import foretold
from scumble.backend.engines.nnst_polish import Polish
from scumble.backend.engines.partial_conv import PartialConv
from scumble.backend.engines.partial_conv_options import OPTIONS

ENGINE = PartialConv()


def tensor(image: np.ndarray[Any, Any]) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).float() / 255


PHOTO = tensor(data.astronaut()[:192, 120:344])
STYLE = StylePart(tensor(data.coffee()[::3, ::3]), "coffee")
Y, X = np.mgrid[: PHOTO.shape[-2], : PHOTO.shape[-1]]
DISC = torch.from_numpy((np.hypot(X - 110, Y - 95) <= 60).astype(np.float32))


def context(**more: Any) -> Context:
    return Context(torch.device("cpu"), TensorCache(64 << 20), **more)


def job(mask: torch.Tensor = DISC, style: StylePart = STYLE, strength: float = 1.0, **options: Any) -> Job:
    chosen = registry.validated(OPTIONS, {"style_scale": 0.5, **options})
    region = JobRegion(mask, (style,), strength, chosen)
    return Job(PHOTO, torch.ones_like(mask), (region,), chosen, 0, "photo")


def run(work: Job, **more: Any) -> Painted:
    return ENGINE.run(work, context(**more))


def distance(work: Job, painted: Painted) -> float:
    """How far the region's features are from the painting's, as the bundled branch foretells them."""
    mask = work.regions[0].mask
    size = (mask.shape[0], mask.shape[1])
    ground = Ground.of(work.content, mask, painted.alpha, (torch.ones_like(mask),), size)
    polish = Polish(foretold("cpu"), ground, mask, work.regions, context())
    with torch.no_grad():
        return float(polish(ground.over(painted.image)))


def test_the_more_strokes_the_nearer_the_region_comes_to_the_painting() -> None:
    # Without detail: what that holds them to counts as well, and may be what there is most to gain of.
    found = [distance(w, run(w)) for w in (job(last_strokes=n, detail=0.0) for n in ("off", "few", "many"))]
    assert found[1] < 0.85 * found[0] and found[2] < 0.9 * found[1]


def test_detail_holds_the_strokes_to_what_the_layer_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    seer, size = foretold("cpu"), (PHOTO.shape[-2] // 8, PHOTO.shape[-1] // 8)
    inside = torch.nn.functional.adaptive_avg_pool2d(DISC[None], size)[0] > 0.9

    def away(painted: Painted) -> float:
        shown = torch.lerp(PHOTO, painted.image, painted.alpha)
        with torch.no_grad():
            result, layer = (seer(x[None])["4_1"][0][:, inside] for x in (shown, PHOTO))
        return float((result - layer).square().sum() / layer.square().sum())

    held = away(run(job(last_strokes="many", detail=1.0)))
    monkeypatch.setattr(last_strokes, "HOLD", 0.0)
    assert held < 0.75 * away(run(job(last_strokes="many", detail=1.0)))


def test_a_small_region_gets_some_unasked_and_a_large_one_none() -> None:
    assert 2 <= run(job()).notes["last_strokes"] <= 4
    large = torch.zeros(900, 900)
    large[20:-20, 20:-20] = 1.0
    work = job()
    region = replace(work.regions[0], mask=large)
    large_job = replace(
        work, content=torch.zeros(3, 900, 900), opacity=torch.ones(900, 900), regions=(region,)
    )
    assert Plan.of(large_job).steps == 0
    asked = {**work.options, "last_strokes": "few"}
    assert Plan.of(replace(large_job, options=asked)).steps == last_strokes.FEW


@pytest.mark.parametrize("options", [{"last_strokes": "off"}, {"draft": True}])
def test_who_asks_for_none_or_for_a_draft_gets_none(options: dict[str, Any]) -> None:
    assert "last_strokes" not in run(job(**options)).notes


def test_only_the_paint_changes_and_not_how_much_of_it_shows() -> None:
    plain, worked = run(job(last_strokes="off")), run(job())
    assert torch.equal(plain.alpha, worked.alpha)
    inside = plain.alpha > 0
    assert float((plain.image - worked.image)[:, inside].abs().mean()) > 0.01


def test_a_region_of_no_strength_is_left_as_it_is() -> None:
    work = job(strength=0.0, last_strokes="many")
    painted = run(work)
    inside = painted.alpha > 0
    assert torch.allclose(painted.image[:, inside], PHOTO[:, inside], atol=1e-6)


def test_half_the_strength_takes_half_of_the_strokes() -> None:
    changes = []
    for strength in (0.5, 1.0):
        plain, worked = (run(job(strength=strength, last_strokes=n)).image for n in ("off", "few"))
        changes.append(float((worked - plain)[:, DISC > 0].abs().mean()))
    assert changes[0] < 0.75 * changes[1]


def test_a_painting_without_hues_gets_no_tinge() -> None:
    grey = StylePart(STYLE.image.mean(0, keepdim=True).expand(3, -1, -1).contiguous(), "grey")
    plain, worked = (run(job(style=grey, last_strokes=n)) for n in ("off", "many"))
    inside = DISC > 0

    def tinge(painted: Painted) -> float:
        return float((painted.image - painted.image.mean(0))[:, inside].abs().mean())

    assert tinge(worked) < tinge(plain) + 0.004


def test_a_region_too_large_for_them_is_worked_over_at_a_smaller_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(last_strokes, "MOST_PIXELS", 96 * 96)
    plain, worked = (run(job(last_strokes=n)) for n in ("off", "few"))
    change = worked.image - plain.image
    # What was not seen at that size is not touched: neighbouring pixels change alike.
    steps = (change[..., 1:] - change[..., :-1])[:, :, :].abs()[:, DISC[:, 1:] > 0].mean()
    assert float(change[:, DISC > 0].abs().mean()) > 0.005
    assert float(steps) < float(change[:, DISC > 0].abs().mean())


def test_two_regions_are_each_held_to_their_own_painting() -> None:
    left = torch.from_numpy(((X < 90) & (Y > 20) & (Y < 170)).astype(np.float32))
    right = torch.from_numpy(((X > 130) & (Y > 20) & (Y < 170)).astype(np.float32))
    cold = StylePart(tensor(data.rocket()[::3, ::3]), "rocket")

    def painted(first: StylePart, second: StylePart) -> Painted:
        one = job(left, first, last_strokes="few")
        two = job(right, second, last_strokes="few").regions[0]
        return run(replace(one, regions=(*one.regions, two)))

    one, other = painted(STYLE, cold), painted(STYLE, STYLE)
    far = (left > 0) & torch.from_numpy(X < 60)
    assert torch.allclose(one.image[:, far], other.image[:, far], atol=2e-2)
    assert float((one.image - other.image)[:, right > 0].abs().mean()) > 0.05


def test_the_baselines_get_theirs_over_the_whole_picture() -> None:
    painted = run(job(method="style-then-mask", last_strokes="few"))
    assert painted.notes["last_strokes"] == last_strokes.FEW
    assert bool(torch.isfinite(painted.image).all())


def test_it_stops_when_it_is_cancelled_and_keeps_what_there_is_when_that_is_enough() -> None:
    told: list[tuple[int, int]] = []
    stop = threading.Event()

    def progress(stage: str, done: int, of: int) -> None:
        told.append((done, of))
        if stage == "paint" and 2 * done > of:
            stop.set()

    with pytest.raises(Cancelled):
        run(job(last_strokes="many"), progress=progress, cancelled=stop)
    assert 2 * told[-1][0] <= told[-1][1] + 4, "it was stopped early on the second half of the way"
    stop.clear()
    painted = run(job(last_strokes="many"), progress=progress, enough=stop)
    assert bool(torch.isfinite(painted.image).all())
