"""A stop in the middle of anything leaves the thread as it was found."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from scumble.backend.engines.base import Cancelled, Context
from scumble.backend.engines.cache import TensorCache


def _work() -> None:
    x = torch.ones(2, requires_grad=True)
    with torch.no_grad():
        y = x * 2
        with torch.enable_grad():
            y = y + x
    torch.zeros_like(y).add_(1)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 12))
def test_a_stop_at_any_operation_leaves_gradients_as_they_were(looks: int) -> None:
    context = Context(torch.device("cpu"), TensorCache(1 << 20))
    seen = 0

    def look() -> None:
        nonlocal seen
        seen += 1
        if seen > looks:
            raise Cancelled

    object.__setattr__(context, "checkpoint", look)
    stopped = False
    try:
        with context.watched():
            _work()
    except Cancelled:
        stopped = True
    assert torch.is_grad_enabled()
    assert stopped == (seen > looks) and seen > 0
