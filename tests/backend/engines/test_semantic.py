"""Engine ``semantic``: the published objective's minimiser, parts given and parts found."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from scumble.backend.engines import pairing
from scumble.backend.engines.semantic import mean_shift, share_of, without_crumbs
from scumble.backend.nn.matching import nearest_inside
from scumble.backend.nn.moments import moments
from scumble.backend.session import Session
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import MaskBuffer, PixelBuffer, PixelStyle, Region, StylizeRequest

SIDE = 96


@pytest.fixture(scope="module")
def session() -> Session:
    """A session on the CPU."""
    return Session("cpu")


def buffer(image: np.ndarray) -> PixelBuffer:
    """(H, W, 3) bytes as pixels."""
    return PixelBuffer(image.shape[1], image.shape[0], "rgb", "u8", np.ascontiguousarray(image).tobytes())


def mask(values: np.ndarray) -> MaskBuffer:
    """(H, W) in [0, 1] as a mask."""
    return MaskBuffer(values.shape[1], values.shape[0], (values * 255).astype(np.uint8).tobytes())


def halves(top: tuple[int, int, int], bottom: tuple[int, int, int], seed: int) -> np.ndarray:
    """A smooth part over a rough one."""
    rng = np.random.default_rng(seed)
    image = np.empty((SIDE, SIDE, 3), np.float32)
    image[: SIDE // 2], image[SIDE // 2 :] = top, bottom
    image[: SIDE // 2] += rng.normal(0, 3, (SIDE // 2, SIDE, 3))
    image[SIDE // 2 :] += rng.normal(0, 30, (SIDE // 2, SIDE, 3))
    return image.clip(0, 255).astype(np.uint8)


PHOTO = halves((90, 120, 200), (60, 110, 50), 1)
PAINTING = halves((230, 190, 60), (120, 20, 60), 2)
ALL = np.ones((SIDE, SIDE), np.float32)
TOP = np.zeros((SIDE, SIDE), np.float32)
TOP[: SIDE // 2] = 1


def painted(session: Session, *regions: Region, **options: Any) -> tuple[np.ndarray, dict[str, Any]]:
    """The new layer as (H, W, 4) and the engine's notes."""
    result = session.stylize(StylizeRequest(buffer(PHOTO), regions, "semantic", options))
    layer = result.layer
    pixels = np.frombuffer(layer.data, np.uint8).reshape(layer.height, layer.width, 4)
    return pixels, dict(result.report["notes"])


def objective(f: torch.Tensor, content: torch.Tensor, style: torch.Tensor, penalty: float) -> torch.Tensor:
    """Lu et al.'s energy of one region with a linear kernel, as docs/semantic.md writes it."""
    n, c = content.shape
    drift = f.sum(0) - style.sum(0) * n / len(style)
    return ((f - content) ** 2).sum() / 2 + penalty * (drift**2).sum() / (4 * n**2 * c**2)


@settings(max_examples=25, deadline=None)
@given(n=st.integers(1, 30), m=st.integers(1, 30), c=st.integers(1, 8),
       penalty=st.floats(1e-2, 1e5), seed=st.integers(0, 99))  # fmt: skip
def test_the_closed_form_is_where_a_numerical_minimisation_of_the_objective_ends(
    n: int, m: int, c: int, penalty: float, seed: int
) -> None:
    """docs/semantic.md: F + w (m_s - m_c) with w = lambda / (lambda + 2 N C^2)."""
    generator = torch.Generator().manual_seed(seed)
    content = torch.randn(n, c, generator=generator, dtype=torch.float64)
    style = torch.randn(m, c, generator=generator, dtype=torch.float64) + 2
    w = share_of(penalty, n, c)
    closed = content + w * (style.mean(0) - content.mean(0))
    f = content.clone().requires_grad_(True)
    minimise = torch.optim.LBFGS([f], max_iter=200, tolerance_grad=1e-12, line_search_fn="strong_wolfe")

    def step() -> torch.Tensor:
        minimise.zero_grad()
        loss = objective(f, content, style, penalty)
        loss.backward()
        return loss

    minimise.step(step)
    assert torch.allclose(f.detach(), closed, atol=1e-4)
    at = closed.clone().requires_grad_(True)
    objective(at, content, style, penalty).backward()
    assert at.grad is not None
    assert float(at.grad.abs().max()) < 1e-8, "the gradient vanishes there"


def test_the_first_order_map_moves_the_mean_and_nothing_else() -> None:
    """The map that the engine applies is the minimiser's."""
    content, style = torch.randn(6, 9, 11), torch.rand(6, 7, 8) * 5
    change = mean_shift({"3_1": moments(content)}, {"3_1": moments(style)})["3_1"]
    moved = change.apply(content)
    assert torch.allclose(moved.mean((1, 2)), style.mean((1, 2)), atol=1e-5)
    assert torch.allclose(moved - moved.mean((1, 2), keepdim=True),
                          content - content.mean((1, 2), keepdim=True), atol=1e-5)  # fmt: skip


def test_a_region_takes_after_the_part_of_the_painting_that_it_is_paired_with(session: Session) -> None:
    """Masks on both sides."""
    style = PixelStyle(buffer(PAINTING))
    yellow, _ = painted(session, Region(mask(ALL), style, style_mask=mask(TOP)))
    red, _ = painted(session, Region(mask(ALL), style, style_mask=mask(1 - TOP)))
    middle = (slice(10, -10), slice(10, -10))
    assert yellow[middle][..., 1].mean() > red[middle][..., 1].mean() + 60


def test_crossed_pairs_swap_the_styles(session: Session) -> None:
    """Top from bottom and bottom from top."""
    style = PixelStyle(buffer(PAINTING))
    straight, _ = painted(
        session,
        Region(mask(TOP), style, style_mask=mask(TOP)),
        Region(mask(1 - TOP), style, style_mask=mask(1 - TOP)),
    )
    crossed, _ = painted(
        session,
        Region(mask(TOP), style, style_mask=mask(1 - TOP)),
        Region(mask(1 - TOP), style, style_mask=mask(TOP)),
    )
    upper, lower = (slice(8, 36), slice(8, -8), 1), (slice(60, 88), slice(8, -8), 1)
    assert straight[upper].mean() > straight[lower].mean() + 40
    assert crossed[lower].mean() > crossed[upper].mean() + 40


def test_matching_parts_are_found_without_masks_and_told(session: Session) -> None:
    """The smooth part of the layer finds the smooth part of the painting."""
    image, notes = painted(session, Region(mask(ALL), PixelStyle(buffer(PAINTING))), parts=2)
    assert image[10:38, 8:-8, 1].mean() > image[58:88, 8:-8, 1].mean() + 40
    told = notes["pairing"][0]
    assert [p["content_share"] for p in told["parts"]] == pytest.approx([0.5, 0.5], abs=0.1)
    assert told["pairs"] == [{"content": ["0"], "style": ["0"]}, {"content": ["1"], "style": ["1"]}]
    labels = np.asarray(Image.open(io.BytesIO(base64.b64decode(told["content_map"]))))
    assert labels[2, 2] == 0 and labels[-3, 2] == 1


def test_an_artist_may_pair_the_found_parts_anew(session: Session) -> None:
    """The option's text swaps what was matched."""
    region = Region(mask(ALL), PixelStyle(buffer(PAINTING)))
    image, notes = painted(session, region, parts=2, pairs="0:1,1:0")
    assert image[58:88, 8:-8, 1].mean() > image[10:38, 8:-8, 1].mean() + 40
    assert notes["pairing"][0]["pairs"] == [
        {"content": ["0"], "style": ["1"]}, {"content": ["1"], "style": ["0"]}
    ]  # fmt: skip


def test_a_part_that_takes_nothing_stays_as_it_is(session: Session) -> None:
    """``1:-`` leaves part 1 alone."""
    image, _ = painted(session, Region(mask(ALL), PixelStyle(buffer(PAINTING))), parts=2, pairs="1:-")
    assert image[70:, :, 3].max() == 0
    assert image[20:30, 20:70, 3].min() > 200


def test_parts_merge_and_split_by_name(session: Session) -> None:
    """``0+1`` is one region; ``0a`` and ``0b`` are halves of one."""
    region = Region(mask(ALL), PixelStyle(buffer(PAINTING)))
    _, merged = painted(session, region, parts=2, pairs="0+1:0")
    assert merged["regions"] == 1
    _, split = painted(session, region, parts=2, pairs="1a:0")
    assert split["pairing"][0]["pairs"] == [
        {"content": ["1a"], "style": ["0"]},
        {"content": ["0"], "style": ["0"]},
        {"content": ["1b"], "style": ["1"]},
    ]


@pytest.mark.parametrize("text", ["0", "0:9", "x:1", "0:1,0:0", ":1", "0:"])
def test_pairs_that_make_no_sense_are_refused_with_an_example(session: Session, text: str) -> None:
    """A sentence and a hint, not a picture."""
    with pytest.raises(ScumbleError) as failed:
        painted(session, Region(mask(ALL), PixelStyle(buffer(PAINTING))), parts=2, pairs=text)
    assert failed.value.code is Code.OPTION_OUT_OF_RANGE and "0:1" in failed.value.hint


@pytest.mark.parametrize("parts", [1, 3, 16])
def test_any_number_of_parts_paints_all_of_the_region_and_nothing_else(session: Session, parts: int) -> None:
    """K from 1 to 16."""
    image, _ = painted(session, Region(mask(TOP), PixelStyle(buffer(PAINTING))), parts=parts)
    assert image.shape[0] == SIDE // 2, "nothing below the region"
    assert image[10:38, 10:-10, 3].min() > 230


def test_a_flat_painting_and_a_flat_layer_have_one_part(session: Session) -> None:
    """Nothing to tell apart is no error."""
    flat = np.full((SIDE, SIDE, 3), 80, np.uint8)
    request = StylizeRequest(
        buffer(flat), (Region(mask(ALL), PixelStyle(buffer(flat))),), "semantic", {"parts": 8}
    )
    assert session.stylize(request).layer.width == SIDE


def test_an_empty_part_of_the_painting_is_a_clear_error(session: Session) -> None:
    """The style's mask selects nothing."""
    with pytest.raises(ScumbleError) as failed:
        painted(session, Region(mask(ALL), PixelStyle(buffer(PAINTING)), style_mask=mask(0 * ALL)))
    assert failed.value.code is Code.EMPTY_SELECTION


def test_the_same_seed_gives_the_same_pairs_and_pixels(session: Session) -> None:
    """The clustering is seeded too."""
    region = Region(mask(ALL), PixelStyle(buffer(PAINTING)))
    first, a = painted(session, region, parts=3)
    session.free_memory()
    second, b = painted(session, region, parts=3)
    assert np.array_equal(first, second) and a["pairing"] == b["pairing"]


@settings(max_examples=30, deadline=None)
@given(height=st.integers(1, 9), width=st.integers(1, 9), seed=st.integers(0, 999))
def test_places_outside_a_part_borrow_from_inside_it(height: int, width: int, seed: int) -> None:
    """And places inside keep their own."""
    rng = np.random.default_rng(seed)
    inside = torch.from_numpy(rng.random((height, width)) < 0.3)
    inside[rng.integers(height), rng.integers(width)] = True
    source = torch.arange(height * width, dtype=torch.float32).view(1, height, width)
    filled = nearest_inside(source, inside)
    assert torch.equal(filled[0][inside], source[0][inside])
    assert set(filled.flatten().tolist()) <= set(source[0][inside].tolist())


@settings(max_examples=40, deadline=None)
@given(a=st.integers(1, 6), b=st.integers(1, 6), seed=st.integers(0, 999))
def test_counterparts_are_one_to_one_and_none_could_be_exchanged_with_profit(
    a: int, b: int, seed: int
) -> None:
    """The matching of the clusters."""
    rng = np.random.default_rng(seed)
    content, style = rng.normal(size=(a, 3)).astype(np.float32), rng.normal(size=(b, 3)).astype(np.float32)
    share = rng.dirichlet(np.ones(a))
    count = max(a, b)
    order = pairing._matched(content, share, style, count)
    rows = [tuple(r) for r in order[~np.isnan(order[:, 0])]]
    assert sorted(rows) == sorted(tuple(r) for r in style)

    def cost(i: int, row: np.ndarray) -> float:
        lost = i >= a or bool(np.isnan(row[0]))
        return 0.0 if lost else float(((content[i] - row) ** 2).sum() * share[i])

    for i in range(count):
        for j in range(i + 1, count):
            now = cost(i, order[i]) + cost(j, order[j])
            assert cost(i, order[j]) + cost(j, order[i]) >= now - 1e-5


@settings(max_examples=40, deadline=None)
@given(a=st.integers(1, 6), b=st.integers(1, 6), seed=st.integers(0, 999))
def test_a_part_takes_most_densely_from_what_is_like_it_and_size_decides_between_equals(
    a: int, b: int, seed: int
) -> None:
    """The transport between parts: a share of 1 for the best, none above it, and no bad numbers."""
    rng = np.random.default_rng(seed)
    ours, theirs = rng.normal(size=(a, 3)).astype(np.float32), rng.normal(size=(b, 3)).astype(np.float32)
    plan = pairing.transported((ours * 9, rng.dirichlet(np.ones(a))), (theirs * 9, rng.dirichlet(np.ones(b))))
    assert plan.shape == (a, b) and np.isfinite(plan).all()
    assert plan.min() >= 0 and np.allclose(plan.max(1), 1)


def test_a_doubtful_part_takes_after_more_of_the_painting_than_a_clear_one() -> None:
    """Between two parts of the painting that fit alike both count; a clear match stands alone."""
    theirs = np.array([[0.0, 2.0], [0.0, -2.0]], np.float32)
    between, clear = np.array([[0.0, 0.05]], np.float32), np.array([[0.0, 2.0]], np.float32)
    half, one = np.array([0.5, 0.5]), np.array([1.0])
    doubtful = pairing.transported((between, one), (theirs, half))
    sure = pairing.transported((np.concatenate([clear, -clear]), half), (theirs, half))
    assert doubtful.min() > 0.5
    assert np.allclose(sure, np.eye(2), atol=0.05)


def test_a_part_whose_counterpart_is_of_another_tone_takes_after_all_of_the_painting() -> None:
    """What is as light keeps its match, what is not does not turn from dark to bright."""
    light = pairing.COMPARING["lightness"]
    ours = np.array([[0, 0.1 * light, 0], [0, -1.0 * light, 0]], np.float32)
    theirs = np.array([[0, 0.1 * light, 0], [0, 0.2 * light, 0]], np.float32)
    plan, share = np.eye(2, dtype=np.float32), np.array([0.5, 0.5])
    careful = pairing.cautious(plan, ours, theirs, share)
    assert np.array_equal(careful, [[1, 0], [1, 1]])
    halfway = pairing.cautious(plan, ours * (1, 0.7, 1), theirs, share)
    assert 0.5 < halfway[1, 0] < 1 and halfway[1, 1] == 1


def test_crumbs_of_the_clustering_are_joined_to_their_neighbours(session: Session) -> None:
    """A few odd pixels are no part of a picture."""
    image = PHOTO.copy()
    image[4:7, 4:7] = (255, 0, 0)
    request = StylizeRequest(
        buffer(image), (Region(mask(ALL), PixelStyle(buffer(PAINTING))),), "semantic", {"parts": 2}
    )
    told = session.stylize(request).report["notes"]["pairing"][0]
    assert min(p["content_share"] for p in told["parts"]) >= 0.05


def test_a_part_of_a_few_pixels_goes_to_its_neighbour_and_leaves_no_hole() -> None:
    """What all parts select together stays the same."""
    left, right, crumb = (np.zeros((20, 40), np.float32) for _ in range(3))
    left[:, :20], right[:, 20:] = 1, 1
    right[4:8, 30:35], crumb[4:8, 30:35] = 0, 1
    kept = without_crumbs([left, crumb, right], 48.0)
    assert kept[1] is None and kept[0] is not None and kept[2] is not None
    assert (kept[0] + kept[2] == 1).all() and (kept[2][4:8, 30:35] == 1).all()
    assert without_crumbs([crumb], 48.0) == [None]
