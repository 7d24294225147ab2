"""Training runs end to end on a handful of small pictures, resumes, and is the same for one seed."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from scumble.backend.nn.compact import TAPS
from scumble.backend.training.__main__ import main
from scumble.backend.training.data import Crops
from scumble.backend.training.decoder import drawn_controls
from scumble.backend.training.losses import TeacherBasis, raw_moments, relative_moments
from scumble.backend.training.masked import colour_error, random_mask


def test_all_stages_make_weights_that_the_package_can_load(
    pictures: tuple[Path, Path], teacher: Path, tmp_path: Path
) -> None:
    photos, paintings = pictures
    common = ["--photos", str(photos), "--paintings", str(paintings), "--teacher", str(teacher)]
    rest = ["--out", str(tmp_path), "--steps", "4", "--size", "48", "--batch", "2", "--pool", "8"]
    assert main(["all", *common, *rest]) == 0
    tensors = load_file(tmp_path / "compact.safetensors")
    assert {k.split(".")[0] for k in tensors} == {"encoder", "decoder", "transform"}
    assert all(t.dtype == torch.float16 and bool(torch.isfinite(t).all()) for t in tensors.values())
    with (tmp_path / "decoder.csv").open() as file:
        names = {row[2] for row in csv.reader(file)}
    assert {"reconstruction", "style", "content", "teacher style", "hold"} <= names
    assert {"masked style", "masked teacher style", "masked colour", "border"} <= names
    assert list(tmp_path.glob("decoder-*.png"))
    narrow = {k: v + 1 if k.startswith("decoder.") else v for k, v in tensors.items()}
    save_file(narrow, tmp_path / "other.safetensors")
    mean = ["--average", str(tmp_path / "other.safetensors"), "--share", "0.25"]
    assert main(["bundle", "--out", str(tmp_path), *mean]) == 0
    found = load_file(tmp_path / "compact.safetensors")
    for name, tensor in tensors.items():
        moved = 0.25 if name.startswith("decoder.") else 0.0
        assert torch.allclose(found[name].float(), tensor.float() + moved, atol=5e-3)
    # Asking for more steps goes on from the checkpoint instead of starting over.
    rest[3] = "6"
    assert main(["decoder", *common, *rest]) == 0
    with (tmp_path / "decoder.csv").open() as file:
        steps = [int(row[0]) for row in csv.reader(file)]
    assert steps.count(0) == 1


def test_two_loaders_with_one_seed_yield_the_same_crops(pictures: tuple[Path, Path]) -> None:
    a, b, c = Crops(pictures[0], 5), Crops(pictures[0], 5), Crops(pictures[0], 6)
    first = a.batch(3, 40)
    assert torch.equal(first, b.batch(3, 40)) and not torch.equal(first, c.batch(3, 40))
    assert first.shape == (3, 3, 40, 40) and float(first.min()) >= 0 and float(first.max()) <= 1


def test_a_folder_without_pictures_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no pictures"):
        Crops(tmp_path, 0)


def test_training_masks_are_neither_empty_nor_full() -> None:
    rng = np.random.default_rng(0)
    shares = [float(random_mask(64, rng).mean()) for _ in range(50)]
    assert min(shares) > 0 and max(shares) < 1 and max(shares) - min(shares) > 0.3


def test_style_loss_in_the_teachers_basis_equals_that_of_the_mapped_features() -> None:
    torch.manual_seed(1)
    widths = {tap: 4 + i for i, tap in enumerate(TAPS)}
    ours = {t: torch.randn(2, w, 6, 7) for t, w in widths.items()}
    theirs = {t: torch.randn(2, w, 5, 8) + 1 for t, w in widths.items()}
    maps = {}
    for tap, width in widths.items():
        matrix = torch.randn(9, width + 1)
        maps[tap] = torch.cat([matrix, torch.eye(width + 1)[-1:]])

    def mapped(features: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        def one(tap: str, x: torch.Tensor) -> torch.Tensor:
            matrix, offset = maps[tap][:-1, :-1], maps[tap][:-1, -1]
            return torch.einsum("oc,nchw->nohw", matrix, x) + offset[:, None, None]

        return {t: one(t, x) for t, x in features.items()}

    def raw(features: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {t: raw_moments(x) for t, x in features.items()}

    judge = TeacherBasis(maps)
    direct = relative_moments(raw(mapped(ours)), raw(mapped(theirs)))
    assert torch.allclose(judge.style_loss(ours, judge.moments(theirs)), direct, rtol=1e-3)


def test_weighted_moments_do_not_see_what_weighs_nothing() -> None:
    x = torch.randn(1, 3, 4, 4)
    weight = torch.zeros(1, 1, 4, 4)
    weight[..., :2] = 1
    assert torch.allclose(raw_moments(x, weight), raw_moments(x[..., :2]), atol=1e-5)


def test_a_loud_style_counts_for_more() -> None:
    torch.manual_seed(2)
    found, wanted = ({"4_1": raw_moments(torch.randn(2, 3, 4, 4))} for _ in range(2))
    first, second = (
        float(relative_moments({"4_1": found["4_1"][i : i + 1]}, {"4_1": wanted["4_1"][i : i + 1]}))
        for i in range(2)
    )
    both = float(relative_moments(found, wanted, torch.tensor([1.5, 0.5])))
    assert both == pytest.approx(0.75 * first + 0.25 * second, rel=1e-4)


def test_half_of_the_pictures_are_drawn_around_the_controls_that_the_engine_starts_with() -> None:
    controls = np.array(drawn_controls(400, np.random.default_rng(1)))
    assert controls.min() >= 0 and controls.max() <= 1 and controls.std(0).min() > 0.1
    near = (np.abs(controls - (0.6, 0.5)) <= (0.1, 0.2)).all(1).mean()
    assert 0.45 < near < 0.65


def test_a_regions_colours_are_those_under_its_weights_alone() -> None:
    torch.manual_seed(3)
    style = torch.rand(3, 32, 32)
    weight = torch.zeros(1, 1, 32, 32)
    weight[..., :16] = 1
    laid = style[None].clone()
    laid[..., :16] = style[:, torch.randperm(32)][..., :16]  # the palette, in other places
    laid[..., 16:] = 0
    same = float(colour_error(laid, [style], weight))
    outside_too = float(colour_error(laid, [style], torch.ones_like(weight)))
    assert same < 0.003 < 0.03 < outside_too
