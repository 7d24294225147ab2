"""Which of GIMP's pixel formats travels as which of ours.

GIMP names formats as babl does: ``R'G'B'A u16`` (perceptual), ``RGBA float`` (linear), ``Y'A u8`` (grey),
and with the image's colour space behind a dash unless that is sRGB.  A format asked for without a space
is sRGB's: GEGL converts on the way out and back.  Layers in sRGB travel as they are.  Those in another
space travel as sRGB in 32-bit float, which holds what lies outside of sRGB's gamut, so that nothing is
lost there and back.
"""

from __future__ import annotations

from dataclasses import dataclass

from scumble.plugin.common.build import PixelFormat
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import DType, PixelBuffer, PixelLayout

#: GIMP's sample types: what is asked of GEGL, and what that is on the wire.
_SAMPLES: dict[str, tuple[str, DType]] = {
    "u8": ("u8", "u8"),
    "u16": ("u16", "u16"),
    # 24 of 32 bits: far beyond what a brush or an eye resolves, and what GIMP itself computes with.
    "u32": ("float", "f32"),
    "half": ("half", "f16"),
    "float": ("float", "f32"),
    "double": ("float", "f32"),
}
_COLOURS: dict[PixelLayout, tuple[str, str]] = {
    "rgb": ("R'G'B'", "RGB"),
    "rgba": ("R'G'B'A", "RGBA"),
    "gray": ("Y'", "Y"),
    "graya": ("Y'A", "YA"),
}


@dataclass(frozen=True)
class Layer:
    """How a layer's pixels are fetched, and how those of a new one above it are given back.

    :param fetch: the format to ask GEGL for.
    :param sent: what that is in a request.
    :param give: the format of a result, which always has alpha.
    """

    fetch: str
    sent: PixelFormat
    give: str

    @property
    def gives(self) -> PixelLayout:
        """The layout of the result."""
        return "graya" if self.sent.layout in ("gray", "graya") else "rgba"

    def check(self, pixels: PixelBuffer) -> None:
        """Raise ``internal`` for a result of another kind: GEGL would read beyond its end."""
        if pixels.layout != self.gives or pixels.dtype != self.sent.dtype:
            raise ScumbleError(
                Code.INTERNAL,
                "The backend gave a layer of another kind than it got.",
                "Update Scumble's plugin and backend to the same version.",
            )


def of(name: str) -> Layer:
    """From the name of a layer's format.

    :raises ScumbleError: ``unsupported_format`` with the remedy, for indexed layers above all.
    """
    encoding, _, space = name.partition("-")
    model, _, sample = encoding.partition(" ")
    perceptual = "'" in model or "~" in model
    plain = model.replace("'", "").replace("~", "").lower()
    layout: PixelLayout | None = {"rgb": "rgb", "rgba": "rgba", "y": "gray", "ya": "graya"}.get(plain)  # type: ignore[assignment]
    if layout is None or sample not in _SAMPLES:
        raise ScumbleError(
            Code.UNSUPPORTED_FORMAT,
            "Layers of this kind cannot be stylized.",
            "Convert the image to RGB first: Image > Mode > RGB.",
        )
    gegl, dtype = _SAMPLES[sample]
    if space:
        gegl, dtype, perceptual = "float", "f32", True
    index = 0 if perceptual else 1
    opaque: PixelLayout = "gray" if layout in ("gray", "graya") else "rgb"
    alpha: PixelLayout = "graya" if opaque == "gray" else "rgba"
    return Layer(
        f"{_COLOURS[layout][index]} {gegl}",
        PixelFormat(layout, dtype, "srgb" if perceptual else "linear"),
        f"{_COLOURS[alpha][index]} {gegl}",
    )


def of_mask(name: str) -> tuple[str, DType]:
    """How a mask's samples are fetched: as GIMP itself applies them, 16 bits where it has more than 8.

    :param name: of the mask's format; saved channels of 8-bit images carry a curve, selections never.
    """
    encoding = name.partition("-")[0]
    model, _, sample = encoding.partition(" ")
    curve = "'" if "'" in model or "~" in model else ""
    return (f"Y{curve} u8", "u8") if sample == "u8" else (f"Y{curve} u16", "u16")
