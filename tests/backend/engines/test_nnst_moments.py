"""What a region's features look like taken together, the painting's palette, and VGG-16's last strokes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from skimage import data
from torch.nn import functional as F

from scumble.backend import Session
from scumble.backend.engines import nnst_models, registry
from scumble.backend.engines.base import Context, Job, JobRegion, StylePart
from scumble.backend.engines.cache import TensorCache
from scumble.backend.engines.colour import palette, palette_map
from scumble.backend.engines.nnst_descent import PATIENCE, Descent, Target, spread
from scumble.backend.engines.nnst_ground import Ground, fit
from scumble.backend.engines.nnst_melt import Melt
from scumble.backend.engines.nnst_moments import apart, moments, style_moments
from scumble.backend.engines.nnst_options import OPTIONS
from scumble.backend.engines.nnst_paint import Canvas
from scumble.backend.engines.nnst_polish import Last, Looks, Polish
from scumble.backend.engines.nnst_style import Bank
from scumble.backend.models import store
from scumble.backend.nn.nnst_colour import STRETCH, tamed
from scumble.backend.nn.nnst_witness import Foretold
from scumble.backend.nn.vgg import VGG16
from scumble.shared.messages import MaskBuffer, PixelBuffer, PixelStyle, Region

PHOTO = torch.from_numpy(data.astronaut()[40:136:, 150:246].copy()).permute(2, 0, 1).float() / 255
STYLE = torch.from_numpy(data.coffee()[::4, ::4].copy()).permute(2, 0, 1).float() / 255
PART = StylePart(STYLE, "coffee")


def region(*parts: StylePart, **given: object) -> JobRegion:
    chosen = registry.validated(OPTIONS, {"turned": False, **given})
    return JobRegion(torch.ones(PHOTO.shape[-2:]), parts, 1.0, chosen)


def context() -> Context:
    return Context(torch.device("cpu"), TensorCache(64 << 20))


def ground() -> Ground:
    ones = torch.ones(PHOTO.shape[-2:])
    return Ground.of(PHOTO, ones, ones, (ones,), (96, 96))


def test_moments_are_means_of_values_and_of_products_where_the_weights_are() -> None:
    rows, weights = torch.rand(50, 6), torch.rand(50)
    found = moments(rows, weights)
    share = weights / weights.sum()
    assert torch.allclose(found.mean, (share[:, None] * rows).sum(0), atol=1e-6)
    wanted = sum(share[i] * torch.outer(rows[i], rows[i]) for i in range(50))
    assert torch.allclose(found.gram, wanted, atol=1e-6)
    half = torch.cat([torch.ones(25), torch.zeros(25)])
    assert torch.allclose(moments(rows, half).gram, moments(rows[:25]).gram, atol=1e-6)


def test_a_painting_is_not_apart_from_itself_however_it_may_be_turned() -> None:
    eyes = nnst_models.eyes("compact", torch.device("cpu"))
    for turned in (False, True):
        bank = Bank.of(region(PART, turned=turned, mirrored=turned), eyes, context(), 1.0)
        places, _ = bank.upright()
        rows, layers = bank.rows[places].float(), eyes.look.slices
        wanted = style_moments(bank, layers)
        assert float(apart([rows[:, s].T for s in layers], torch.ones(len(rows)), wanted)) < 1e-6
        assert float(apart([0.5 * rows[:, s].T for s in layers], torch.ones(len(rows)), wanted)) > 0.1


def test_a_blend_wants_what_lies_between_its_styles() -> None:
    eyes = nnst_models.eyes("compact", torch.device("cpu"))
    other = StylePart(STYLE.flip(0) * 0.5, "other", 0.25)
    first = StylePart(STYLE, "coffee", 0.75)
    layers, where = eyes.look.slices, context()

    def mean(*parts: StylePart) -> torch.Tensor:
        return style_moments(Bank.of(region(*parts), eyes, where, 1.0), layers)[0].mean

    assert torch.allclose(
        mean(first, other), 0.75 * mean(PART) + 0.25 * mean(StylePart(other.image, "o")), atol=1e-3
    )


def test_only_the_chosen_part_of_a_painting_says_what_is_wanted() -> None:
    eyes = nnst_models.eyes("compact", torch.device("cpu"))
    halves = torch.cat([torch.zeros(3, 96, 64), torch.ones(3, 96, 64)], 2)
    mask = torch.zeros(96, 128)
    mask[:, 80:] = 1
    layers, where = eyes.look.slices, context()
    chosen = style_moments(Bank.of(region(StylePart(halves, "h", mask=mask)), eyes, where, 1.0), layers)
    bright = style_moments(
        Bank.of(region(StylePart(halves[:, :, 80:].contiguous(), "b")), eyes, where, 1.0), layers
    )
    whole = style_moments(Bank.of(region(StylePart(halves, "w")), eyes, where, 1.0), layers)

    def distance(other: list[object]) -> float:
        return float((chosen[0].mean - other[0].mean).norm())  # type: ignore[attr-defined]

    assert distance(bright) < 0.5 * distance(whole)  # type: ignore[arg-type]


def test_optimising_with_moments_brings_a_region_nearer_to_the_whole_painting() -> None:
    eyes, where, motif = nnst_models.eyes("compact", torch.device("cpu")), context(), ground()
    bank = Bank.of(region(PART), eyes, where, 1.0)
    index = torch.zeros(1, motif.grid[0] * motif.grid[1], dtype=torch.int64)
    colours = F.avg_pool2d(PHOTO, 4).flatten(1).T
    layers = eyes.look.slices
    wanted = style_moments(bank, layers)

    def left(moments_too: bool) -> float:
        target = Target(
            [slice(0, eyes.look.width)], [bank.rows], [index], motif.cell_shares, colours,
            [wanted] if moments_too else (), layers,
        )  # fmt: skip
        painted = Descent(eyes.look, motif, where).run(PHOTO, target, 10)
        with torch.no_grad():
            rows = eyes.look(painted).flatten(1).T
        return float(apart([rows[:, s].T for s in layers], torch.ones(len(rows)), wanted))

    assert left(True) < left(False)


def untrained() -> VGG16:
    """What it was trained for does not matter here."""
    torch.manual_seed(0)
    return VGG16().eval().requires_grad_(False)


def foretold() -> Foretold:
    """The bundled networks in its place."""
    found = nnst_models.polisher({"mode": "optimise", "features": "compact"}, torch.device("cpu"))
    assert isinstance(found, Foretold)
    return found


@pytest.mark.parametrize("network", [untrained, foretold])
def test_the_last_strokes_ask_nothing_of_the_painting_itself_and_something_of_a_photograph(
    network: Callable[[], VGG16 | Foretold],
) -> None:
    net = network()
    style = F.interpolate(STYLE[None], (96, 96), mode="bilinear")[0]
    ones = torch.ones(96, 96)
    motif = Ground.of(style, ones, ones, (ones,), (96, 96))
    polish = Polish(net, motif, ones, (region(StylePart(style, "small")),), context())
    photo = PHOTO.clone().requires_grad_()
    loss = polish(photo)
    loss.backward()
    assert float(polish(style)) < 1e-6 < float(loss.detach())
    assert (
        photo.grad is not None
        and bool(torch.isfinite(photo.grad).all())
        and float(photo.grad.abs().max()) > 0
    )


def test_the_last_strokes_look_at_each_region_where_it_is_and_leave_specks_alone() -> None:
    torch.manual_seed(0)
    net = VGG16().eval().requires_grad_(False)
    left, speck = torch.zeros(96, 96), torch.zeros(96, 96)
    left[:, :40] = 1
    speck[80:84, 80:84] = 1
    shares = (left, speck)
    motif = Ground.of(PHOTO, left + speck, left + speck, shares, (96, 96))
    polish = Polish(net, motif, left + speck, (region(PART), region(PART)), context())
    assert len(polish.seen) == 1
    photo = PHOTO.clone().requires_grad_()
    polish(photo).backward()
    assert photo.grad is not None
    assert float(photo.grad[:, :, :40].abs().max()) > 0 and float(photo.grad[:, :, 72:].abs().max()) == 0


def test_the_last_strokes_look_from_near_and_far_by_turns_but_at_small_regions_from_near_only() -> None:
    net = foretold()
    ones = torch.ones(96, 96)
    motif = Ground.of(PHOTO, ones, ones, (ones,), (96, 96))
    looks = Looks(net, motif, ones, (region(PART),), context())
    near, far = looks.turns
    assert far.size[0] < near.size[0] == 96
    with torch.no_grad():
        assert [float(looks(PHOTO)) for _ in range(3)] == [float(x(PHOTO)) for x in (near, far, near)]
    small = torch.zeros(96, 96)
    small[40:58, 40:58] = 1
    motif = Ground.of(PHOTO, small, small, (ones,), (96, 96))
    assert len(Looks(net, motif, small, (region(PART),), context()).turns) == 1


def test_a_larger_picture_seen_from_as_far_away_is_judged_as_the_picture_itself() -> None:
    net, ones, large = foretold(), torch.ones(96, 96), torch.ones(192, 192)
    near = Ground.of(PHOTO, ones, ones, (ones,), (96, 96))
    grown = F.interpolate(PHOTO[None], (192, 192), mode="bicubic")[0].clamp(0, 1)
    motif = Ground.of(grown, large, large, (large,), (192, 192))
    twice = Polish(net, motif, large, (region(PART, style_scale=2.0),), context(), shrink=2.0)
    with torch.no_grad():
        want = float(Polish(net, near, ones, (region(PART),), context())(PHOTO))
        assert abs(float(twice(grown)) - want) < 0.1 * want


def test_a_further_loss_is_followed_to_the_last_step() -> None:
    look = nnst_models.eyes("compact", torch.device("cpu")).look
    ones = torch.ones(96, 96)
    motif = Ground.of(PHOTO, ones, ones, (ones,), (96, 96))
    cells = motif.weight.numel()
    rows = look(PHOTO).flatten(1).T
    own = F.avg_pool2d(PHOTO, 4).flatten(1).T
    index = torch.arange(cells)[None]
    target = Target([slice(0, look.width)], [rows], [index], motif.cell_shares, own)
    descent = Descent(look, motif, context())
    # From the goal itself nothing is gained, and so a scale is left early.
    descent.run(PHOTO, target, PATIENCE + 6)
    assert len(descent.losses) == PATIENCE + 1
    descent.run(PHOTO, target, PATIENCE + 6, also=lambda composite: 0.1 * composite.mean())
    assert len(descent.losses) == PATIENCE + 6


def test_paint_melts_into_the_layer_in_broad_tones_first_and_is_itself_inside() -> None:
    inner = torch.linspace(-0.3, 1.3, 96).clamp(0, 1).expand(96, 96)
    black, white = torch.zeros(3, 96, 96), torch.ones(3, 96, 96)
    tones = Melt(black, inner, 16.0)(white)
    assert torch.allclose(Melt(PHOTO, inner, 16.0)(PHOTO), PHOTO, atol=1e-5)
    assert float(tones[..., :4].max()) < 0.05 and float(tones[..., 92:].min()) > 0.95
    board = (torch.arange(96)[:, None] + torch.arange(96)) % 2
    strokes = Melt(torch.full_like(black, 0.5), inner, 16.0)(board.expand(3, 96, 96).float())
    middle = slice(38, 58)
    liveliness = 2 * float((strokes - 0.5)[..., middle].abs().mean())
    assert liveliness > float(tones[..., middle].mean()) + 0.1


def test_strokes_settle_against_the_edge_as_it_will_be() -> None:
    ones = torch.ones(96, 96)
    inner = torch.linspace(0, 2, 96).clamp(0, 1).expand(96, 96)
    canvas = Canvas(PHOTO, ones, ones, (ones,), (), inner, 20.0)
    motif = canvas.melting(canvas.ground((48, 48)))
    paint = F.interpolate(STYLE[None, :, :96, :96], (48, 48))[0]
    want = Melt(motif.content, fit(inner, (48, 48)), 10.0)(paint)
    assert torch.equal(motif.over(paint), want)
    plain = replace(canvas, inner=None)
    assert plain.melting(plain.ground((48, 48))).melt is None


def test_last_strokes_after_decoding_bring_a_region_nearer_to_the_whole_painting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pixels = [(x.permute(1, 2, 0).numpy() * 255).astype(np.uint8) for x in (PHOTO, STYLE)]
    layer = PixelBuffer(96, 96, "rgb", "u8", pixels[0].tobytes())
    painting = PixelStyle(PixelBuffer(STYLE.shape[2], STYLE.shape[1], "rgb", "u8", pixels[1].tobytes()))
    whole = Region(MaskBuffer(96, 96, b"\xff" * 96 * 96), painting)
    ones = torch.ones(96, 96)
    motif = Ground.of(PHOTO, ones, ones, (ones,), (96, 96))
    polish = Polish(foretold(), motif, ones, (region(PART),), context())

    def left() -> float:
        options = {"mode": "decoder", "finish": 1}
        painted = Session("cpu").stylize(layer, [whole], engine="nnst", options=options).layer
        found = np.frombuffer(painted.data, np.uint8).reshape(96, 96, -1)[..., :3]
        with torch.no_grad():
            return float(polish(torch.from_numpy(found.copy()).permute(2, 0, 1) / 255))

    polished = left()
    monkeypatch.setattr(nnst_models, "last", lambda options: None)
    assert polished < 0.8 * left()


def test_a_large_region_gets_fewer_last_strokes_after_decoding_and_no_finish_none() -> None:
    steps = [Last.BRIEF.steps(area) for area in (1, 50_000, 100_000, 262_144, 10**7)]
    assert steps == sorted(steps, reverse=True) and steps[0] > steps[-1] > 0
    assert Last.FORETOLD.steps(10**7) == Last.FORETOLD.steps(1)
    options = {"mode": "decoder", "features": "auto", "finish": 2}
    assert nnst_models.last(options) is Last.BRIEF
    assert nnst_models.last({**options, "finish": 0}) is None


def test_the_palette_follows_the_painting_as_far_as_is_asked() -> None:
    session = Session("cpu")
    red = np.zeros((80, 80, 3), np.uint8)
    red[..., 0] = np.random.default_rng(1).integers(150, 250, (80, 80))
    photo = (PHOTO.permute(1, 2, 0).numpy() * 255).astype(np.uint8)
    layer = PixelBuffer(96, 96, "rgb", "u8", photo.tobytes())
    style = PixelStyle(PixelBuffer(80, 80, "rgb", "u8", red.tobytes()))
    whole = Region(MaskBuffer(96, 96, b"\xff" * 96 * 96), style)
    means = []
    for amount in (0.0, 1.0):
        options = {"mode": "decoder", "match_color": amount, "finish": 0}
        painted = session.stylize(layer, [whole], engine="nnst", options=options)
        pixels = np.frombuffer(painted.layer.data, np.uint8).reshape(96, 96, -1)[..., :3]
        means.append(np.abs(pixels.mean((0, 1)) - red.mean((0, 1))).sum())
    assert means[1] <= means[0] + 0.5 and means[1] < 6


def test_a_tamed_palette_moves_the_mean_as_far_and_stretches_less() -> None:
    weight = torch.ones(96, 96)
    flat = 0.5 + 0.05 * (PHOTO - 0.5)
    whole = palette_map(flat, weight, [(palette(PART, context()), 1.0)], 1.0)
    assert whole is not None
    tame = tamed(whole, flat, weight)
    a, b = (change.apply(flat) for change in (whole, tame))
    assert torch.allclose(a.mean((1, 2)), b.mean((1, 2)), atol=1e-4)
    assert float(b.std()) < float(a.std())
    assert float(torch.linalg.eigvalsh(tame.matrix).max()) <= STRETCH[1] + 1e-6


def test_a_spread_gradient_keeps_its_sum_and_reaches_every_pixel_of_a_cell() -> None:
    """Features see the middle of a cell only; what moves its middle moves the rest of it along."""
    one = torch.zeros(3, 32, 32)
    one[:, 9:11, 9:11] = 1
    found = spread(one)
    assert torch.allclose(found.sum((1, 2)), one.sum((1, 2)), atol=1e-4)
    assert bool((found[:, 8:12, 8:12] > 0).all()) and float(found[:, 20:].abs().max()) == 0


def test_what_a_style_hides_under_its_transparency_is_not_borrowed() -> None:
    session = Session("cpu")
    cut = np.zeros((96, 96, 4), np.uint8)
    cut[..., 2] = np.random.default_rng(2).integers(120, 255, (96, 96))  # blue
    cut[..., 3] = 255
    photo = (PHOTO.permute(1, 2, 0).numpy() * 255).astype(np.uint8)
    layer = PixelBuffer(96, 96, "rgb", "u8", photo.tobytes())
    painted = []
    for hidden in ((0, 255, 0, 0), (255, 0, 0, 0)):
        cut[30:60, 30:60] = hidden  # wholly transparent
        style = PixelStyle(PixelBuffer(96, 96, "rgba", "u8", cut.tobytes()))
        whole = Region(MaskBuffer(96, 96, b"\xff" * 96 * 96), style)
        for finish in (0, 2):
            options = {"mode": "decoder", "match_color": 0.0, "finish": finish}
            painted.append(session.stylize(layer, [whole], engine="nnst", options=options).layer)
    assert [bytes(p.data) for p in painted[:2]] == [bytes(p.data) for p in painted[2:]]
    # White stands for what is not there; green beyond its companions would be a leak.
    pixels = np.frombuffer(painted[0].data, np.uint8).reshape(96, 96, -1)[..., :3].astype(int)
    assert (pixels[..., 1] - pixels[..., 0]).max() < 40


@pytest.mark.parametrize("features", ["auto", "vgg16"])
def test_where_vgg_is_installed_it_looks_or_does_the_last_strokes_and_outside_nothing_changes(
    features: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    monkeypatch.setenv("SCUMBLE_MODELS_DIR", str(tmp_path))
    file = tmp_path / "vgg16-oxford.safetensors"
    state = VGG16().state_dict()
    save_file({k.removeprefix("convs."): v.half().contiguous() for k, v in state.items()}, file)
    store.write_json(file.with_suffix(".json"), {"sha256": store.sha256_of(file)})
    photo, part = PHOTO[:, :64, :64], StylePart(STYLE[:, :64, :64].contiguous(), "small")
    mask = torch.zeros(64, 64)
    mask[16:48, 16:48] = 1
    given = {"mode": "optimise", "steps": 5, "finish": 1, "turned": False, "features": features}
    found = []
    for one in (given, {**given, "features": "compact"}):
        chosen = registry.validated(OPTIONS, one)
        work = Job(photo, torch.ones(64, 64), (JobRegion(mask, (part,), 1.0, chosen),), chosen, 0, "photo")
        painted = registry.engine("nnst").run(work, context())
        assert float(painted.alpha[mask == 0].max()) == 0 and bool(torch.isfinite(painted.image).all())
        found.append(painted.image)
    assert float((found[0] - found[1]).abs().mean()) > 1e-3
    nnst_models.release()
