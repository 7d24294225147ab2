"""Adam, written out."""

from __future__ import annotations

import torch

from scumble.backend.engines.descent_adam import Adam


def test_a_step_is_that_of_the_librarys_adam() -> None:
    ours = torch.linspace(-1, 1, 7).requires_grad_()
    theirs = ours.detach().clone().requires_grad_()
    step, adam = Adam(ours), torch.optim.Adam([theirs], lr=1e-2, eps=1e-12)
    for _ in range(5):
        ours.pow(4).sum().backward()
        step.step(1e-2)
        adam.zero_grad()
        theirs.pow(4).sum().backward()
        adam.step()
    assert torch.allclose(ours, theirs, atol=1e-7)


def test_slopes_far_below_the_usual_one_are_followed_less() -> None:
    slope = torch.tensor([1.0, 1.0, 1.0, 1e-6])
    moved = []
    for least in (0.0, 0.3):
        values = torch.zeros(4, requires_grad=True)
        (values * slope).sum().backward()
        Adam(values, least).step(1.0)
        moved.append(values.detach().abs())
    assert torch.allclose(moved[0], torch.ones(4), atol=1e-3), "all as far"
    assert float(moved[1][0]) > 0.7 and float(moved[1][3]) < 1e-4
