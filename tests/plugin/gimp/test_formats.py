"""GIMP's pixel formats on the wire and back."""

from __future__ import annotations

import pytest

from scumble.plugin.common.build import PixelFormat
from scumble.plugin.gimp import formats
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import CHANNELS, SAMPLE_BYTES, PixelBuffer

SRGB = {
    "R'G'B'A u8": ("R'G'B'A u8", PixelFormat("rgba", "u8"), "R'G'B'A u8"),
    "R'G'B' u16": ("R'G'B' u16", PixelFormat("rgb", "u16"), "R'G'B'A u16"),
    "R~G~B~A u8": ("R'G'B'A u8", PixelFormat("rgba", "u8"), "R'G'B'A u8"),
    "RGBA u8": ("RGBA u8", PixelFormat("rgba", "u8", "linear"), "RGBA u8"),
    "RGB u32": ("RGB float", PixelFormat("rgb", "f32", "linear"), "RGBA float"),
    "R'G'B'A half": ("R'G'B'A half", PixelFormat("rgba", "f16"), "R'G'B'A half"),
    "RGBA double": ("RGBA float", PixelFormat("rgba", "f32", "linear"), "RGBA float"),
    "Y' u8": ("Y' u8", PixelFormat("gray", "u8"), "Y'A u8"),
    "Y~A u16": ("Y'A u16", PixelFormat("graya", "u16"), "Y'A u16"),
    "YA float": ("YA float", PixelFormat("graya", "f32", "linear"), "YA float"),
}


@pytest.mark.parametrize("name", SRGB)
def test_a_layer_in_srgb_travels_as_it_is(name: str) -> None:
    found = formats.of(name)
    assert (found.fetch, found.sent, found.give) == SRGB[name]


@pytest.mark.parametrize("name", SRGB)
def test_a_layer_in_another_space_travels_in_float_which_holds_all_of_it(name: str) -> None:
    found = formats.of(f"{name}-space-0.9642,1.0000_0.6097")
    assert found.fetch.endswith(" float") and "'" in found.fetch
    assert (found.sent.dtype, found.sent.transfer) == ("f32", "srgb")
    assert found.sent.layout == formats.of(name).sent.layout


@pytest.mark.parametrize("name", ["indexed-palette", "R'G'B'A u128", "", "cmyk u8", "-u8", "RaGaBaA float"])
def test_other_formats_are_refused_with_the_remedy(name: str) -> None:
    with pytest.raises(ScumbleError) as raised:
        formats.of(name)
    assert raised.value.code is Code.UNSUPPORTED_FORMAT and "Mode > RGB" in raised.value.hint


@pytest.mark.parametrize("name", SRGB)
def test_a_result_of_another_kind_is_not_written_into_a_layer(name: str) -> None:
    found = formats.of(name)
    for layout in CHANNELS:
        for dtype in SAMPLE_BYTES:
            pixels = PixelBuffer(1, 1, layout, dtype, bytes(CHANNELS[layout] * SAMPLE_BYTES[dtype]))  # type: ignore[arg-type]
            if (layout, dtype) == (found.gives, found.sent.dtype):
                found.check(pixels)
            else:
                with pytest.raises(ScumbleError):
                    found.check(pixels)


def test_masks_keep_their_curve_and_enough_bits() -> None:
    assert formats.of_mask("Y u8") == ("Y u8", "u8")
    assert formats.of_mask("Y' u8-space") == ("Y' u8", "u8")
    assert formats.of_mask("Y float") == ("Y u16", "u16")
