"""The published network: official names load, and its arithmetic is the released one (``released.py``)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from released import random_checkpoint, released_pipeline
from torch import Tensor
from torch.nn import functional as F

from scumble.backend.engines.parity import (
    Blending,
    PublishedRegion,
    paint_blended,
    paint_published,
    stylize_blended,
    stylize_published,
)
from scumble.backend.nn.linear_transfer import Encoder, LinearTransfer


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Pictures this small lose more to waiting for a second thread than they gain."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class Pair:
    """One random checkpoint, as the release would hold it and as ours."""

    def __init__(self, layer: str) -> None:
        self.layer = layer
        self.states = random_checkpoint(layer, seed=3)
        self.network = LinearTransfer.from_tensors(
            {f"{part}.{key}": t for part, state in self.states.items() for key, t in state.items()}
        )

    def released(self, content: Tensor, style: Tensor, mask: Tensor | None) -> Tensor:
        with torch.inference_mode():
            return released_pipeline(self.states, self.layer, content, style, mask)


@pytest.fixture(scope="module")
def r31() -> Pair:
    return Pair("r31")


@pytest.fixture(scope="module")
def r41() -> Pair:
    return Pair("r41")


@pytest.fixture(params=["r31", "r41"])
def pair(request: pytest.FixtureRequest) -> Pair:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Pair)
    return found


def picture(h: int, w: int, seed: int) -> Tensor:
    g = torch.Generator().manual_seed(seed)
    coarse = F.interpolate(torch.rand(1, 3, 5, 6, generator=g), size=(h, w), mode="bicubic")
    return (coarse + 0.1 * torch.randn(1, 3, h, w, generator=g)).clamp(0, 1)


def masks(h: int, w: int) -> dict[str, Tensor]:
    yy, xx = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")

    def blank() -> Tensor:
        return torch.zeros(1, 1, h, w)

    box, line, corner, parts = blank(), blank(), blank(), blank()
    box[..., h // 4 : h // 2, w // 5 : w // 2] = 1
    line[..., h // 2 : h // 2 + 2, :] = 1
    corner[..., : h // 3, 2 : w // 3] = 0.7
    corner[..., -9:, -12:] = 1
    parts[..., 3::17, 5::19] = 1
    disc = (1.3 - ((yy - h / 2.0) ** 2 + (xx - w / 3.0) ** 2).sqrt() / (h / 4)).clamp(0, 1)
    ring = disc * (disc < 0.9)
    return {
        "box": box,
        "line": line,
        "corner": corner,
        "parts": parts,
        "soft disc": disc[None, None],
        "hole": ring[None, None],
        "faint": box * 0.3,
        "second column": F.one_hot(torch.tensor(2), w).float().expand(1, 1, h, w).contiguous(),
    }


@pytest.mark.parametrize("size", [(40, 64), (45, 61)])
@pytest.mark.parametrize("kind", sorted(masks(64, 64)))
def test_a_masked_picture_equals_the_released_pipeline(pair: Pair, kind: str, size: tuple[int, int]) -> None:
    """Single masks of several shapes; sides that do not divide by 8 as well."""
    content, style, mask = picture(*size, 0), picture(40, 32, 1), masks(*size)[kind]
    theirs = pair.released(content, style, mask)
    ours = stylize_published(pair.network, content, style, mask)
    assert (ours - theirs).abs().max() < 1e-4
    assert (theirs - content).abs().max() > 0.05  # it did paint something


def test_an_all_ones_mask_equals_the_plain_network(pair: Pair) -> None:
    content, style = picture(40, 56, 0), picture(48, 40, 1)
    ones = torch.ones(1, 1, 40, 56)
    plain = pair.network(content, style)
    assert (stylize_published(pair.network, content, style, ones) - plain).abs().max() < 1e-5
    assert (pair.released(content, style, None) - plain).abs().max() < 1e-4


def test_a_style_of_the_contents_size_is_not_seen_through_the_mask(r41: Pair) -> None:
    """The release's known error: ours gives the same answer whatever was computed before."""
    content, style, mask = picture(64, 64, 0), picture(64, 64, 1), masks(64, 64)["box"]
    first = stylize_published(r41.network, content, style, mask)
    stylize_published(r41.network, content, style, masks(64, 64)["line"])
    assert torch.equal(stylize_published(r41.network, content, style, mask), first)
    assert (first - r41.released(content, style, mask)).abs().max() < 1e-4


def test_nothing_changes_outside_the_mask(pair: Pair) -> None:
    content, style, mask = picture(64, 64, 0), picture(40, 48, 1), masks(64, 64)["soft disc"]
    outside = (mask == 0).expand_as(content)
    for image in (
        stylize_published(pair.network, content, style, mask),
        stylize_blended(pair.network, content, [PublishedRegion(mask, style)]),
    ):
        assert torch.equal(image[outside], content[outside])


def test_official_files_names_and_shapes_load_unchanged() -> None:
    """Spot checks against the published layout, for both depths."""
    deep, shallow = LinearTransfer("r41").state_dict(), LinearTransfer("r31").state_dict()
    assert deep["encoder.conv1.weight"].shape == (3, 3, 1, 1)
    assert deep["encoder.conv10.weight"].shape == (512, 256, 3, 3)
    assert deep["decoder.conv11.weight"].shape == (256, 512, 3, 3)
    assert deep["decoder.conv19.weight"].shape == (3, 64, 3, 3)
    assert deep["matrix.snet.convs.4.weight"].shape == (32, 128, 3, 3)
    assert deep["matrix.cnet.fc.weight"].shape == (1024, 1024)
    assert deep["matrix.unzip.weight"].shape == (512, 32, 1, 1)
    assert shallow["encoder.conv6.weight"].shape == (256, 128, 3, 3)
    assert "encoder.conv7.weight" not in shallow
    assert shallow["decoder.conv7.weight"].shape == (128, 256, 3, 3)
    assert shallow["decoder.conv11.weight"].shape == (3, 64, 3, 3)
    for layer in ("r31", "r41"):
        named = {f"{p}.{k}" for p, s in random_checkpoint(layer, 0).items() for k in s}
        assert named == set(deep if layer == "r41" else shallow)


def test_the_mask_grows_as_published_on_its_way_to_the_deepest_tap() -> None:
    """A hard square gains 30 to 37 image pixels a side at relu4_1, and soft values saturate."""
    mask = torch.zeros(1, 1, 160, 160)
    mask[..., 72:88, 72:88] = 0.3
    with torch.inference_mode():
        _, grown = Encoder("r41")(torch.rand(1, 3, 160, 160), mask)
    assert grown is not None
    columns = torch.nonzero(grown[0, 0].amax(0)).flatten()
    assert 30 <= 72 - 8 * int(columns[0]) <= 44 and 30 <= 8 * (int(columns[-1]) + 1) - 88 <= 44
    assert grown.max() == 1


def test_an_empty_mask_leaves_the_content(r31: Pair) -> None:
    content, style = picture(32, 32, 0), picture(32, 32, 1)
    nothing = torch.zeros(1, 1, 32, 32)
    assert torch.equal(stylize_published(r31.network, content, style, nothing), content)
    assert torch.equal(stylize_blended(r31.network, content, [PublishedRegion(nothing, style)]), content)


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (12, 12), (15, 9)])
def test_pictures_smaller_than_the_network_can_see_still_work(pair: Pair, size: tuple[int, int]) -> None:
    content, mask = picture(*size, 0), torch.ones(1, 1, *size)
    style = picture(5, 7, 1)
    assert paint_published(pair.network, content, style, mask).shape == content.shape
    image, alpha = paint_blended(pair.network, content, [PublishedRegion(mask, style)])
    assert image.shape == content.shape and alpha.shape == mask.shape
    assert torch.isfinite(image).all()


def test_all_blending_off_with_an_all_ones_mask_is_the_plain_network(pair: Pair) -> None:
    content, style = picture(40, 56, 0), picture(48, 40, 1)
    off = Blending(before=False, expand=False, decoder=False)
    region = PublishedRegion(torch.ones(1, 1, 40, 56), style)
    image, alpha = paint_blended(pair.network, content, [region], off)
    assert (image - pair.network(content, style)).abs().max() < 1e-4
    assert torch.equal(alpha, torch.ones_like(alpha))


@pytest.mark.parametrize("switch", ["before", "expand", "decoder"])
def test_every_blending_switch_changes_the_picture(r41: Pair, switch: str) -> None:
    content, style, mask = picture(64, 64, 0), picture(40, 40, 1), masks(64, 64)["box"]
    off = {"before": False, "expand": False, "decoder": False}
    base = stylize_blended(r41.network, content, [PublishedRegion(mask, style)], Blending(**off))
    one = stylize_blended(
        r41.network, content, [PublishedRegion(mask, style)], Blending(**off | {switch: True})
    )
    assert (base - one).abs().max() > 0.01


def test_content_features_reach_the_decoder_outside_the_mask(r31: Pair) -> None:
    """Far from the mask the decoder then works on the content's own features: the plain round trip."""
    content, style = picture(32, 128, 0), picture(32, 32, 1)
    mask = torch.zeros(1, 1, 32, 128)
    mask[..., :40] = 1
    image, _ = paint_blended(r31.network, content, [PublishedRegion(mask, style)])

    def own(tap: str, _: Tensor) -> Tensor:
        return features[tap]

    with torch.inference_mode():
        features, _ = r31.network.encoder(content)
        trip = r31.network.decoder(features["r31"], before=own)
    assert (image - trip)[..., 70:].abs().max() < 1e-4
    assert (image - trip)[..., :30].abs().max() > 0.05


def test_regions_far_apart_do_not_touch_each_other(r31: Pair) -> None:
    """Two masks with two styles in one pass give, each in its place, what each gives alone."""
    content = picture(32, 160, 0)
    left, right = torch.zeros(1, 1, 32, 160), torch.zeros(1, 1, 32, 160)
    left[..., 4:28, 8:40], right[..., 4:28, 120:152] = 1, 1
    a, b = PublishedRegion(left, picture(32, 32, 1)), PublishedRegion(right, picture(32, 32, 2))
    both = stylize_blended(r31.network, content, [a, b])
    alone = stylize_blended(r31.network, content, [a])
    other = stylize_blended(r31.network, content, [b])
    assert (both - alone)[..., :60].abs().max() < 1e-4
    assert (both - other)[..., 100:].abs().max() < 1e-4


def test_overlapping_regions_share_by_weight(r31: Pair) -> None:
    """The same mask twice with one style is that style; with two it lies between them."""
    content, mask = picture(48, 48, 0), masks(48, 48)["soft disc"]
    one, two = PublishedRegion(mask, picture(32, 32, 1)), PublishedRegion(mask, picture(32, 32, 2))
    single, _ = paint_blended(r31.network, content, [one])
    doubled, _ = paint_blended(r31.network, content, [one, one])
    mixed, _ = paint_blended(r31.network, content, [one, two])
    swapped, _ = paint_blended(r31.network, content, [two, one])
    assert (single - doubled).abs().max() < 1e-2 * single.abs().max()
    assert (mixed - swapped).abs().max() < 1e-4
    assert (mixed - single)[..., mask[0, 0] > 0.9].abs().max() > 0.01


def test_styles_blended_under_one_mask_keep_its_alpha_and_mix_by_weight(r31: Pair) -> None:
    """One style given twice with weights 0.7 and 0.3 is that style at full brightness."""
    content, mask, style = picture(48, 48, 0), masks(48, 48)["soft disc"] * 0.6, picture(32, 32, 1)
    other = picture(32, 32, 2)
    whole, alpha = paint_blended(r31.network, content, [PublishedRegion(mask, style)])

    def mixed(a: Tensor, b: Tensor, share: float) -> tuple[Tensor, Tensor]:
        parts = [PublishedRegion(mask, a, 1.0, share), PublishedRegion(mask, b, 1.0, 1 - share)]
        return paint_blended(r31.network, content, parts)

    same, same_alpha = mixed(style, style, 0.7)
    assert (alpha - same_alpha).abs().max() < 1e-5 and (whole - same).abs().max() < 1e-2
    near, far = mixed(style, other, 0.9)[0], mixed(style, other, 0.1)[0]
    assert (near - whole).abs().mean() < (far - whole).abs().mean()


def test_strength_zero_is_the_identity_to_the_bit_and_half_lies_between(r31: Pair) -> None:
    content, style, mask = picture(48, 48, 0), picture(32, 32, 1), masks(48, 48)["box"]
    results = [
        stylize_blended(r31.network, content, [PublishedRegion(mask, style, s)])
        for s in (0.0, 0.05, 0.5, 1.0)
    ]
    assert torch.equal(results[0], content)
    assert all(torch.isfinite(r).all() for r in results)
    distances = [float((r - results[3]).abs().mean()) for r in results[2:]]
    assert distances[0] > 0 and float((results[2] - content).abs().mean()) > 0
