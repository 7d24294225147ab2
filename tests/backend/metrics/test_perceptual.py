"""VGG's measures: their formulas against direct computation, their masks against crops."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage import data
from skimage.metrics import structural_similarity
from torch.nn import functional as F

from scumble.backend.metrics.distances import GRAY_WEIGHTS
from scumble.backend.metrics.measure import tensor
from scumble.backend.metrics.perceptual import (
    PERCEPTUAL_TAPS,
    Judge,
    Statistics,
    content_distance,
    extended,
    fitted,
    masked_features,
    perceptual_distance,
    region_box,
    relative_style_loss,
    ssim,
    statistics,
    style_loss,
    weights_at,
)
from scumble.backend.nn.vgg import TAPS, VGG16


@pytest.fixture
def photo(small) -> torch.Tensor:
    return tensor(small(data.astronaut()))


@pytest.fixture
def painting(small) -> torch.Tensor:
    return tensor(small(data.retina(), 64))


def box_mask(image: torch.Tensor, rows: slice, columns: slice) -> torch.Tensor:
    mask = torch.zeros(1, 1, *image.shape[-2:])
    mask[..., rows, columns] = 1
    return mask


def test_mean_and_gram_are_sums_over_positions_written_out():
    features = torch.randn(1, 3, 2, 4, generator=torch.Generator().manual_seed(1))
    found = statistics(features)
    for i in range(3):
        assert float(found.mean[i]) == pytest.approx(float(features[0, i].mean()), abs=1e-6)
        for j in range(3):
            product = sum(
                float(features[0, i, y, x] * features[0, j, y, x]) for y in range(2) for x in range(4)
            )
            assert float(found.gram[i, j]) == pytest.approx(product / (3 * 8), abs=1e-6)


def test_a_mask_of_ones_and_zeros_selects_positions():
    features = torch.randn(1, 5, 6, 7, generator=torch.Generator().manual_seed(2))
    mask = torch.zeros(1, 1, 6, 7)
    mask[..., 1:4, 2:6] = 1
    masked, cropped = statistics(features, mask), statistics(features[..., 1:4, 2:6])
    assert torch.allclose(masked.mean, cropped.mean)
    assert torch.allclose(masked.gram, cropped.gram)


def test_half_covered_positions_count_half():
    features = torch.tensor([2.0, 8.0]).view(1, 1, 1, 2)
    found = statistics(features, torch.tensor([1.0, 0.5]).view(1, 1, 1, 2))
    assert float(found.mean) == pytest.approx((2 + 4) / 1.5)


def test_style_losses_are_the_formulas_on_numbers():
    style = {"1_1": Statistics(torch.tensor([3.0, 4.0]), torch.tensor([[1.0, 0.0], [0.0, 2.0]]))}
    found = {"1_1": Statistics(torch.tensor([3.0, 5.0]), torch.tensor([[1.0, 1.0], [1.0, 2.0]]))}
    assert style_loss(found, style) == pytest.approx(1 + 2)
    assert relative_style_loss(found, style) == pytest.approx(1 / 25 + 2 / 5)


def test_relative_style_loss_does_not_depend_on_the_scale_of_the_features(vgg: VGG16, photo, painting):
    def losses(scale: float) -> tuple[float, float]:
        a, b = vgg(photo), vgg(painting)
        found = {t: statistics(scale * a[t]) for t in TAPS}
        wanted = {t: statistics(scale * b[t]) for t in TAPS}
        return relative_style_loss(found, wanted), style_loss(found, wanted)

    assert losses(3.0)[0] == pytest.approx(losses(1.0)[0], rel=1e-4)
    assert losses(3.0)[1] > 5 * losses(1.0)[1]


def test_the_style_picture_itself_has_no_style_loss(judge: Judge, painting):
    found = judge.judge(painting, painting, torch.ones(1, 1, *painting.shape[-2:]), painting)
    assert found["style_loss"] == pytest.approx(0, abs=1e-6)
    assert found["relative_style_loss"] == pytest.approx(0, abs=1e-9)
    assert found["content_distance"] == 0
    assert found["perceptual_distance"] == pytest.approx(0, abs=1e-9)
    assert found["ssim"] == pytest.approx(1)


def test_a_mask_over_everything_gives_the_plain_network(vgg: VGG16, photo):
    plain, masked = vgg(photo), masked_features(vgg, photo, torch.ones_like(photo[:, :1]))
    for tap in TAPS:
        assert torch.equal(plain[tap], masked[tap])


def test_the_photograph_far_from_the_region_does_not_touch_its_features(vgg: VGG16, photo):
    mask = box_mask(photo, slice(0, 24), slice(0, 24))
    other = photo.clone()
    other[..., 64:] = 0.9
    a, b = masked_features(vgg, photo, mask), masked_features(vgg, other, mask)
    for tap in TAPS:
        inside = weights_at(mask, a[tap].shape[-2:]) > 0
        assert torch.equal(a[tap] * inside, b[tap] * inside)


def test_measuring_on_the_crop_gives_what_the_full_picture_gives(vgg: VGG16, small):
    photo, result = tensor(small(data.astronaut(), 240)), tensor(small(data.rocket(), 240))
    result = F.interpolate(result, photo.shape[-2:])
    style = tensor(small(data.retina(), 48))
    mask = box_mask(photo, slice(101, 131), slice(90, 125))
    result = result * mask + photo * (1 - mask)
    rows, columns = region_box(mask)
    assert (rows.start, columns.start) == (32, 24)
    assert columns.stop < photo.shape[-1]
    found = Judge(vgg, 240).judge(photo, result, mask, style)

    features = masked_features(vgg, result, mask)
    have = {t: statistics(features[t], weights_at(mask, features[t].shape[-2:])) for t in TAPS}
    wanted = {t: statistics(f) for t, f in vgg(style).items()}
    assert found["relative_style_loss"] == pytest.approx(relative_style_loss(have, wanted), rel=1e-5)
    taps = (*PERCEPTUAL_TAPS, "4_1")
    a, b = vgg(result, taps), vgg(photo, taps)
    weights = weights_at(mask, a["4_1"].shape[-2:])
    assert found["content_distance"] == pytest.approx(content_distance(a["4_1"], b["4_1"], weights), rel=1e-5)
    ends = {t: b[t] for t in PERCEPTUAL_TAPS}
    assert found["perceptual_distance"] == pytest.approx(perceptual_distance(a, ends, mask), rel=1e-5)


def test_outside_a_region_every_pixel_repeats_the_nearest_one_inside(photo):
    mask = box_mask(photo, slice(20, 30), slice(10, 40))
    full = extended(photo, mask)
    assert torch.equal(full[..., 20:30, 10:40], photo[..., 20:30, 10:40])
    assert torch.equal(full[..., :20, 25], photo[..., 20:21, 25].expand(1, 3, 20))
    assert torch.equal(full[..., 25, 40:], photo[..., 25, 39:40].expand(1, 3, full.shape[-1] - 40))
    assert torch.equal(full[..., 0, 0], photo[..., 20, 10])


def test_a_flat_region_has_the_inner_style_of_its_colour_however_small_it_is(judge: Judge, photo):
    colour = torch.tensor([0.2, 0.7, 0.4]).view(1, 3, 1, 1)
    mask = box_mask(photo, slice(20, 25), slice(30, 33))
    painted = torch.where(mask > 0, colour, photo)
    found = judge.judge(photo, painted, mask, colour.expand(1, 3, 48, 48))
    assert found["inner_style_loss"] == pytest.approx(0, abs=1e-6)
    assert found["relative_style_loss"] > 1e-3


def test_a_region_of_a_few_pixels_keeps_its_say(judge: Judge, photo, painting):
    mask = box_mask(photo, slice(40, 42), slice(30, 31))
    found = judge.judge(photo, photo, mask, painting)
    assert all(np.isfinite(v) for v in found.values())
    assert found["relative_style_loss"] > 0


def test_content_distance_is_one_when_everything_is_gone():
    content = torch.rand(1, 4, 3, 3, generator=torch.Generator().manual_seed(3))
    assert content_distance(torch.zeros_like(content), content) == pytest.approx(1)
    assert content_distance(2 * content, content) == pytest.approx(1)
    assert content_distance(content, content) == 0


def test_perceptual_distance_sees_direction_and_not_length():
    a = torch.tensor([1.0, 0.0]).view(1, 2, 1, 1)
    b = torch.tensor([0.0, 1.0]).view(1, 2, 1, 1)
    assert perceptual_distance({"x": 5 * a}, {"x": a}) == pytest.approx(0)
    assert perceptual_distance({"x": a}, {"x": b}) == pytest.approx(2)
    assert perceptual_distance({"x": -a}, {"x": a}) == pytest.approx(4)


def test_ssim_is_scikit_images(photo):
    other = (photo + 0.1 * torch.randn(photo.shape, generator=torch.Generator().manual_seed(4))).clamp(0, 1)
    mask = box_mask(photo, slice(20, 70), slice(10, 60))
    gray = [np.tensordot(t[0].numpy(), GRAY_WEIGHTS, (0, 0)).astype(np.float64) for t in (other, photo)]
    _, full = structural_similarity(
        gray[0],
        gray[1],
        data_range=1.0,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    assert ssim(other, photo, mask) == pytest.approx(full[20:70, 10:60].mean(), abs=1e-4)


def test_the_judge_remembers_styles_and_photographs_without_changing_its_mind(vgg: VGG16, photo, painting):
    mask = box_mask(photo, slice(10, 60), slice(10, 60))
    keys = {"style_key": "s", "photo_key": "p"}
    judge = Judge(vgg, 48)
    first = judge.judge(photo, photo.flip(-1), mask, painting, **keys)
    again = judge.judge(photo, photo.flip(-1), mask, painting, **keys)
    fresh = Judge(vgg, 48).judge(photo, photo.flip(-1), mask, painting)
    assert first == again == fresh


def test_pictures_are_fitted_to_the_long_side_and_never_enlarged():
    assert fitted(torch.rand(1, 3, 300, 150), 100).shape == (1, 3, 100, 50)
    assert fitted(torch.rand(1, 3, 30, 50), 100).shape == (1, 3, 30, 50)
