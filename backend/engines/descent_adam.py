"""Adam (Kingma and Ba 2015, algorithm 1) on one tensor, for pictures that descend on features.

The library's own imports its compiler first, which takes more than a second of a fresh process.
"""

from __future__ import annotations

import torch
from torch import Tensor


class Adam:
    """See the module.

    :param values: what descends, in place.
    :param least: slopes well below this share of the tensor's usual one are not followed all the way: where
        there is nothing to go down, rounding would be followed as far as a slope is.
    """

    def __init__(
        self, values: Tensor, least: float = 0.0, *, beta: float = 0.9, gamma: float = 0.999
    ) -> None:
        self.values, self.beta, self.gamma = values, beta, gamma
        self.first, self.second = torch.zeros_like(values), torch.zeros_like(values)
        self.steps, self.share, self.least = 0, least, 0.0

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Take a step along ``values.grad``, and forget that."""
        slope = self.values.grad
        assert slope is not None
        self.values.grad = None
        self.steps += 1
        if self.steps == 1:
            self.least = max(1e-12, self.share * float(slope.square().mean().sqrt()))
        self.first.lerp_(slope, 1 - self.beta)
        self.second.lerp_(slope.square(), 1 - self.gamma)
        size = (self.second / (1 - self.gamma**self.steps)).sqrt_().add_(self.least)
        self.values.addcdiv_(self.first, size, value=-rate / (1 - self.beta**self.steps))
