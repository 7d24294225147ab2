"""What foretells VGG-16's features from the small network's."""

from __future__ import annotations

import pytest
import torch
from skimage import data
from torch.nn import functional as F

from scumble.backend.engines import nnst_models
from scumble.backend.models.bundled import bundled
from scumble.backend.nn import half_precision
from scumble.backend.nn.nnst_features import Hypercolumns
from scumble.backend.nn.nnst_witness import DIRECTIONS, Foretold, Witness
from scumble.backend.nn.vgg import TAPS

PHOTO = torch.from_numpy(data.astronaut()[40:136, 150:230].copy()).permute(2, 0, 1).float() / 255


def foretold() -> Foretold:
    options = {"mode": "optimise", "features": "compact"}
    found = nnst_models.polisher(options, torch.device("cpu"))
    assert isinstance(found, Foretold)
    return found


def test_every_tap_has_the_size_that_it_has_in_vgg16() -> None:
    seen = foretold()(PHOTO[None], TAPS)
    assert [tuple(seen[tap].shape[-2:]) for tap in TAPS] == [(96, 80), (48, 40), (24, 20), (12, 10)]
    assert seen["3_1"].shape[1] == DIRECTIONS["3_1"] and seen["4_1"].shape[1] == DIRECTIONS["4_1"]
    assert all(bool(torch.isfinite(x).all()) for x in seen.values())


def test_layers_outputs_stacked_are_the_hypercolumns() -> None:
    net = Hypercolumns.frozen(bundled("nnst-encoder"))
    outputs = dict(net.outputs(PHOTO))
    assert tuple(outputs["1_1"].shape) == (1, 16, 96, 80) and tuple(outputs["4_1"].shape) == (1, 128, 12, 10)
    assert torch.equal(net.stacked(list(outputs.values()), (24, 20)), net(PHOTO))


def test_a_witness_comes_back_from_its_tensors_whatever_its_widths() -> None:
    torch.manual_seed(0)
    own = Witness(40, white=12, width=8, deep=10)
    tensors = {f"witness.{k}": v for k, v in own.state_dict().items()}
    columns = torch.rand(1, 40, 6, 8)
    again = Witness.from_tensors({**tensors, "other": torch.zeros(1)})(columns)
    with torch.no_grad():
        assert all(torch.equal(x, again[tap]) for tap, x in own(columns).items())


def test_a_gradient_reaches_the_picture_through_what_is_foretold() -> None:
    photo = PHOTO.clone().requires_grad_()
    foretold()(photo[None], ("4_1",))["4_1"].square().mean().backward()
    assert photo.grad is not None and bool(torch.isfinite(photo.grad).all())
    assert float((photo.grad != 0).float().mean()) > 0.9


def test_in_half_precision_it_foretells_the_same_and_slopes_lead_the_same_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = []
    for half in (False, True):
        monkeypatch.setattr(half_precision, "available", lambda half=half: half)
        photo = PHOTO.clone().requires_grad_()
        seen = foretold()(photo[None], TAPS)
        sum(x.square().mean() for x in seen.values()).backward()
        found.append(({tap: x.detach() for tap, x in seen.items()}, photo.grad))
    (single, slope), (half_seen, half_slope) = found
    for tap in TAPS:
        assert half_seen[tap].dtype == torch.float32
        assert 0 < float((half_seen[tap] - single[tap]).norm() / single[tap].norm()) < 0.02
    assert float(F.cosine_similarity(slope.flatten(), half_slope.flatten(), dim=0)) > 0.995
