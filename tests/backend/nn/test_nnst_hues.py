"""Hues that a painting has stay; others move to the nearest of them."""

from __future__ import annotations

import torch

from scumble.backend.nn.nnst_colour import from_oklab, oklab
from scumble.backend.nn.nnst_hues import BINS, RANGE, Known


def flat(lightness: float, a: float, b: float, side: int = 24) -> torch.Tensor:
    return from_oklab(torch.tensor([lightness, a, b]).view(3, 1, 1).expand(3, side, side)).clamp(0, 1)


ORANGE, TEAL, MAGENTA = (0.65, 0.10, 0.10), (0.6, -0.08, -0.02), (0.63, 0.14, -0.06)


def test_a_paintings_own_hues_stay_at_any_of_its_lightnesses() -> None:
    known = Known.of([(torch.cat([flat(*ORANGE), flat(*TEAL)], 2), None, 1.0)])
    for _, a, b in (ORANGE, TEAL):
        image = flat(0.62, a, b)
        found = oklab(known.nearest(image)) - oklab(image)
        assert float(found.abs().max()) < 2 * RANGE / BINS, "within a bin"


def test_a_foreign_hue_becomes_the_nearest_known_one_and_keeps_its_lightness() -> None:
    known = Known.of([(torch.cat([flat(*ORANGE), flat(*TEAL)], 2), None, 1.0)])
    image = flat(*MAGENTA)
    found = oklab(known.nearest(image))[:, 0, 0]
    before, want = oklab(image)[:, 0, 0], torch.tensor(ORANGE)
    assert abs(float(found[0] - before[0])) < 0.02
    step = 2 * RANGE / BINS
    assert float((found[1:] - want[1:]).norm()) < 4 * step < float((before[1:] - want[1:]).norm())


def test_white_paper_takes_no_tinge() -> None:
    known = Known.of([(flat(0.95, 0.0, 0.0), None, 1.0)])
    grey = oklab(known.nearest(flat(0.8, 0.06, -0.05)))[1:]
    assert float(grey.abs().max()) < 0.03


def test_only_the_chosen_part_of_a_painting_has_a_say_and_a_blend_has_the_hues_of_both() -> None:
    both = torch.cat([flat(*ORANGE), flat(*TEAL)], 2)
    left = torch.zeros(24, 48)
    left[:, :24] = 1
    image = flat(*TEAL)
    of_left = Known.of([(both, left, 1.0)]).nearest(image)
    assert float(oklab(of_left)[1].mean()) > 0.03, "teal is not in that part"
    of_both = Known.of([(flat(*ORANGE), None, 0.5), (flat(*TEAL), None, 0.5)]).nearest(image)
    assert float((oklab(of_both) - oklab(image)).abs().max()) < 2 * RANGE / BINS
    nothing = Known.of([(both, torch.zeros(24, 48), 1.0)]).nearest(image)
    assert torch.allclose(nothing, image, atol=1e-3), "a part of nothing says nothing"


def test_nothing_becomes_lighter_or_darker_than_the_painting() -> None:
    known = Known.of([(torch.cat([flat(0.3, 0.0, 0.0), flat(0.5, 0.0, 0.0)], 2), None, 1.0)])
    for tone, want in ((0.1, 0.3), (0.4, 0.4), (0.9, 0.5)):
        assert abs(float(oklab(known.nearest(flat(tone, 0.0, 0.0)))[0].mean()) - want) < 0.02


def test_a_small_accent_is_one_of_the_paintings_colours() -> None:
    painting = flat(*TEAL, side=100)
    painting[:, 40:52, 40:52] = flat(*ORANGE, side=12)  # 1.4 % of it
    image = flat(*ORANGE)
    found = oklab(Known.of([(painting, None, 1.0)]).nearest(image)) - oklab(image)
    assert float(found.abs().max()) < 2 * RANGE / BINS
