"""The quick way to a step's gradient, and the quick way to matches that follow a picture."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from scumble.backend.models.bundled import bundled
from scumble.backend.nn.nnst_buckets import Buckets
from scumble.backend.nn.nnst_features import VGG_LAYERS, Hypercolumns
from scumble.backend.nn.nnst_matching import Grids, Searcher
from scumble.backend.nn.nnst_swift import cosine_distance, layers_of, unit


@pytest.fixture(scope="module")
def net() -> Hypercolumns:
    return Hypercolumns.frozen(bundled("nnst-encoder"))


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


@settings(max_examples=12, deadline=None)
@given(st.integers(3, 60), st.integers(3, 60), st.integers(0, 10_000))
def test_layers_and_their_gradient_are_the_networks_own_at_every_size(
    net: Hypercolumns, height: int, width: int, seed: int
) -> None:
    image = noise(3, height, width, seed=seed)
    one, other = image.clone().requires_grad_(), image.clone().requires_grad_()
    plain, quick = net(one).flatten(1), torch.cat(layers_of(net, other))
    assert torch.allclose(plain, quick, atol=1e-6)
    pull = noise(*plain.shape, seed=seed + 1)
    (plain * pull).sum().backward()
    (quick * pull).sum().backward()
    assert one.grad is not None and other.grad is not None
    assert torch.allclose(one.grad, other.grad, atol=1e-4 * float(one.grad.abs().max()))


def test_a_layer_that_nobody_asks_for_adds_nothing_to_the_gradient(net: Hypercolumns) -> None:
    image = noise(3, 40, 24)
    one, other = image.clone().requires_grad_(), image.clone().requires_grad_()
    net(one)[net.slices[2]].square().sum().backward()
    layers_of(net, other)[2].square().sum().backward()
    assert one.grad is not None and other.grad is not None
    assert torch.allclose(one.grad, other.grad, atol=1e-4 * float(one.grad.abs().max()))


def test_a_flat_picture_has_the_gradient_of_one_of_its_equal_pixels(net: Hypercolumns) -> None:
    """All four pixels of a pool are the largest: the gradient goes to one, not to each of them."""
    image = torch.full((3, 32, 32), 0.7)
    one, other = image.clone().requires_grad_(), image.clone().requires_grad_()
    net(one).sum().backward()
    torch.cat(layers_of(net, other)).sum().backward()
    assert one.grad is not None and other.grad is not None
    assert torch.allclose(one.grad.sum(), other.grad.sum(), rtol=1e-3)


def test_vgg_goes_the_same_quick_way() -> None:
    torch.manual_seed(0)
    net = Hypercolumns("vgg16", VGG_LAYERS, (0.5, 0.5, 0.5), (1.0, 1.0, 1.0)).eval().requires_grad_(False)
    image = noise(3, 24, 32)
    assert torch.allclose(net(image).flatten(1), torch.cat(layers_of(net, image)), atol=1e-6)


def test_the_quick_way_can_be_stopped_forth_and_back(net: Hypercolumns) -> None:
    seen = []
    found = layers_of(net, noise(3, 16, 16).requires_grad_(), lambda: seen.append(1))
    assert len(seen) == len(net.layers)
    torch.cat(found).sum().backward()
    assert len(seen) == 2 * len(net.layers)


@pytest.mark.parametrize("groups", [[[0, 1, 2]], [[0], [1], [2]], [[0, 2], [1]]])
def test_the_distance_and_its_gradient_are_the_formulas(groups: list[list[int]]) -> None:
    parts = [noise(c, 50, seed=c).requires_grad_() for c in (3, 5, 2)]
    wanted = [noise(c, 50, seed=10 + c) for c in (3, 5, 2)]
    weight = noise(50, seed=20)
    quick = cosine_distance(parts, unit(wanted, groups), weight, groups)
    gradients = torch.autograd.grad(quick, parts)
    each = [
        (1 - F.cosine_similarity(torch.cat([parts[i] for i in g]), torch.cat([wanted[i] for i in g]), dim=0))
        for g in groups
    ]
    direct = torch.stack(each).mean(0) @ weight
    assert torch.allclose(quick, direct, atol=1e-5)
    for a, b in zip(gradients, torch.autograd.grad(direct, parts), strict=True):
        assert torch.allclose(a, b, atol=1e-5)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 900), st.integers(1, 30), st.integers(0, 10_000))
def test_looking_into_every_bucket_finds_what_looking_everywhere_does(
    places: int, count: int, seed: int
) -> None:
    rows = noise(places, 6, seed=seed)
    searcher = Searcher.of(rows, Grids(((1, places),)))
    buckets = Buckets.of(searcher, seed=seed)
    assert sorted(buckets.places.tolist()) == list(range(places)) and buckets.starts[-1] == places
    queries = F.normalize(noise(count, searcher.keys.shape[1], seed=seed + 1) - 0.5, dim=1)
    _, best = searcher.among(queries, searcher.places())
    place, score = buckets.search(queries, range(len(buckets.starts) - 1))
    assert torch.allclose(score, best, atol=1e-5)
    assert torch.allclose(searcher.score(queries, place), best, atol=1e-5)


def test_the_nearest_buckets_hold_nearly_the_best_places(net: Hypercolumns) -> None:
    rows = net(noise(3, 128, 128)).flatten(1).T
    searcher = Searcher.of(rows, Grids(((32, 32),)))
    queries = F.normalize(searcher.project(net(noise(3, 64, 64, seed=1)).flatten(1).T), dim=1)
    _, best = searcher.among(queries, searcher.places())
    few, some = (Buckets.of(searcher).search(queries, range(n))[1] for n in (1, 4))
    assert bool((some >= few - 1e-6).all())
    assert float((best - some).mean()) < 0.5 * float((best - few).mean())


def test_buckets_keep_to_the_chosen_part_of_a_painting_and_weigh_a_soft_one() -> None:
    rows, mask = noise(400, 5), (torch.arange(400) < 100).float()
    queries = F.normalize(noise(30, 5, seed=3) - 0.5, dim=1)
    hard = Buckets.of(Searcher.of(rows, Grids(((20, 20),)), mask=mask))
    assert int(hard.search(queries, range(99))[0].max()) < 100
    soft = Searcher.of(rows, Grids(((20, 20),)), mask=mask, guide=0.4)
    place, score = Buckets.of(soft).search(queries, range(99))
    assert torch.allclose(score, soft.score(queries, place), atol=1e-5)
    assert torch.allclose(score, soft.among(queries, soft.places())[1], atol=1e-5)
