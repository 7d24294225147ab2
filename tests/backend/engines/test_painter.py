"""What is kept of one picture serves the next and changes nothing about it."""

from __future__ import annotations

import numpy as np
import pytest

from scumble.backend import Session
from scumble.shared.messages import BundledStyle, MaskBuffer, PixelBuffer, Region, StylizeRequest


def request(seed: int, side: int = 160, **options: object) -> StylizeRequest:
    """A layer of noise on slopes, selected by a soft disc."""
    y, x = np.mgrid[:side, :side]
    noise = np.random.default_rng(seed).integers(0, 90, (side, side, 3))
    pixels = (noise + np.stack([x, y, (x + y) / 2], -1)).clip(0, 255).astype(np.uint8)
    disc = (np.clip(60 - np.hypot(x - 80, y - 75), 0, 8) * 31.8).astype(np.uint8)
    layer = PixelBuffer(side, side, "rgb", "u8", pixels.tobytes())
    region = Region(MaskBuffer(side, side, disc.tobytes()), BundledStyle("night-swirls"))
    return StylizeRequest(layer, (region,), options={"last_strokes": "off", **options})


@pytest.mark.parametrize("options", [{}, {"renormalize": True}, {"expand_during": False}])
def test_a_selection_that_was_painted_before_paints_another_layer_the_same(options):
    """The masks inside the networks are kept with the selection."""
    session, fresh = Session("cpu"), Session("cpu")
    session.stylize(request(0, **options))
    again, alone = session.stylize(request(1, **options)), fresh.stylize(request(1, **options))
    assert bytes(again.layer.data) == bytes(alone.layer.data)


def test_how_masks_are_used_is_kept_apart():
    """Options that change what a mask does inside the network do not meet each other's leftovers."""
    session = Session("cpu")
    plain = bytes(session.stylize(request(0)).layer.data)
    other = bytes(session.stylize(request(1, renormalize=True)).layer.data)
    alone = bytes(Session("cpu").stylize(request(1, renormalize=True)).layer.data)
    assert other == alone
    assert plain != other
