"""How long single steps of the fast engine take, each beside the plainer way of doing the same.

    python tests/benchmarks/steps.py [--rounds 9]

Rounds and ratios are those of `speed.py`.  "Half precision" is bfloat16; its rows say little about
processors without instructions for it; those of 8-bit integers, which no part of Scumble uses, need VNNI.
After the table: how far pictures painted with less precision are from those in single precision.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from PIL import Image
from skimage import data
from speed import Row, Scene, measure, ratios
from torch import Tensor
from torch.nn import functional as F

from scumble.backend import Session
from scumble.backend.engines.full import load_full
from scumble.backend.engines.partial_conv import load_network
from scumble.backend.engines.tiling import DECODER_MARGIN
from scumble.backend.nn import half_precision, winograd
from scumble.backend.nn.partial_conv import PartialConv2d, Window
from scumble.shared.messages import BundledStyle, MaskBuffer, PixelBuffer, Region, StylizeRequest

PHOTOS = ("astronaut", "chelsea", "coffee", "cat", "rocket")
STYLES = ("night-swirls", "fauve-harbour")


@contextmanager
def precision(half: bool) -> Iterator[None]:
    """All networks in one of the two, whatever the processor is made for."""
    before = half_precision.available
    half_precision.available = lambda: half  # type: ignore[assignment]
    try:
        yield
    finally:
        half_precision.available = before


def timed(work: Callable[[], object], half: bool = False) -> Callable[[], float]:
    """The seconds that it takes in a precision."""

    def run() -> float:
        with precision(half):
            began = time.perf_counter()
            work()
            return time.perf_counter() - began

    return run


def convolutions(cin: int, cout: int, side: int) -> list[Row]:
    """One layer: the library's convolution, minimal filtering, half precision."""
    layer, plain = PartialConv2d(cin, cout), PartialConv2d(cin, cout)
    layer.freeze()
    if layer._kernels is None:  # not for so few channels, in the product
        layer._kernels = winograd.transformed(layer.weight)
    for each in (layer, plain):
        each.requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    x = torch.randn(1, cin, side, side).contiguous(memory_format=torch.channels_last)
    low = x.bfloat16()

    def convolve(layer: PartialConv2d, x: Tensor) -> Callable[[], object]:
        return torch.inference_mode()(partial(layer.masked, x, None))

    what = f"{cin} to {cout} channels at {side}²"
    return [
        Row(f"{what}, the library's", timed(convolve(plain, x))),
        Row(f"{what}, minimal filtering", timed(convolve(layer, x)), f"{what}, the library's"),
        Row(f"{what}, half precision", timed(convolve(layer, low)), f"{what}, the library's"),
        Row(f"{what}, 8-bit integers", timed(in_integers(layer, x.relu())), f"{what}, the library's"),
    ]


def steps_of(weight: Tensor) -> Tensor:
    """(O,), what one of 127 steps of every output's weights is worth."""
    return weight.flatten(1).abs().amax(1) / 127


def in_integers(layer: PartialConv2d, x: Tensor) -> Callable[[], object]:
    """A layer on what was clipped at zero, rounded to 255 steps; the rounding is timed with it."""
    onednn, sides, steps = torch.ops.onednn, [[1, 1], [1, 1], [1, 1], 1], steps_of(layer.weight)
    rounded = (layer.weight / steps.view(-1, 1, 1, 1)).round().to(torch.int8)
    weights = (
        onednn.qconv_prepack(rounded, steps, 1.0, 0, *sides, None),
        steps,
        torch.zeros(len(steps)).long(),
    )
    how = [*sides, 1.0, 0, torch.float32, "none", [], ""]

    @torch.inference_mode()
    def convolve() -> None:
        step = float(x.amax()) / 255
        low = torch.div(x, step).round_().to(torch.uint8)
        onednn.qconv2d_pointwise(low, step, 0, *weights, layer.bias, *how)

    return convolve


@contextmanager
def rounded_to_integers() -> Iterator[None]:
    """All wide layers as in 8-bit integers, their values still written as numbers in single precision."""
    exact = PartialConv2d.masked

    def masked(layer: PartialConv2d, x: Tensor, *args: Any, **options: Any) -> tuple[Tensor, Tensor | None]:
        if min(layer.in_channels, layer.out_channels) < 16 or layer.in_channels == 16:
            return exact(layer, x, *args, **options)
        again = PartialConv2d(
            layer.in_channels, layer.out_channels, layer.kernel_size[0], padding=layer.border
        )
        steps, step = steps_of(layer.weight).view(-1, 1, 1, 1), max(float(x.amax()) / 255, 1e-12)
        again.weight.data, again.bias = (layer.weight / steps).round() * steps, layer.bias
        return exact(again, (x / step).round() * step, *args, **options)

    PartialConv2d.masked = masked  # type: ignore[method-assign, assignment]
    try:
        with precision(False):
            yield
    finally:
        PartialConv2d.masked = exact  # type: ignore[method-assign]


def masks() -> list[Row]:
    """Encoding a region with its margin, masks known: factors everywhere, and only where they are not one."""
    side, encoder = 512 + 2 * DECODER_MARGIN, load_network("cpu").encoder
    photo = Image.fromarray(data.astronaut()).resize((side, side), Image.Resampling.LANCZOS)
    image = torch.from_numpy(np.asarray(photo) / np.float32(255)).movedim(-1, 0)[None]
    mask = F.pad(torch.ones(1, 1, 512, 512), (DECODER_MARGIN,) * 4)

    @torch.inference_mode()
    def encode(windows: list[Window]) -> None:
        encoder(image, mask, renormalize=True, windows=windows)

    few: list[Window] = []
    encode(few)
    every = [
        replace(
            window,
            support=replace(window.support, few=None),
            scale=None if window.scale is None else replace(window.scale, few=None),
        )
        for window in few
    ]
    name, half = "encoding a region of 512², every position multiplied", half_precision.available()
    return [
        Row(name, timed(lambda: encode(every), half)),
        Row("encoding a region of 512², only where it matters", timed(lambda: encode(few), half), name),
    ]


def full_network() -> list[Row]:
    """The full encoder and decoder, both precisions."""
    network = load_full("cpu")
    image = torch.rand(1, 3, 1024, 1024).contiguous(memory_format=torch.channels_last)

    @torch.inference_mode()
    def both() -> Tensor:
        return network.decoder(dict(network.encoder(image)))

    name = "model `full`, encoder and decoder, 1024²"
    return [Row(name, timed(both)), Row(f"{name}, half precision", timed(both, True), name)]


def painted(session: Session, pixels: np.ndarray, style: str, **options: object) -> np.ndarray:
    """(H, W, 3) of the new layer for a whole photograph."""
    height, width = pixels.shape[:2]
    buffer = PixelBuffer(width, height, "rgb", "u8", pixels.tobytes())
    mask = MaskBuffer(width, height, b"\xff" * (width * height))
    request = StylizeRequest(buffer, (Region(mask, BundledStyle(style)),), options=options)
    found = session.stylize(request).layer.data
    return np.frombuffer(found, np.uint8).reshape(height, width, -1)[..., :3].astype(np.int16)


def last_strokes(scene: Scene) -> list[Row]:
    """A whole picture with last strokes, both precisions."""
    paint = partial(painted, scene.session, data.astronaut(), STYLES[0], last_strokes="few")
    name = "whole image of 512² with `last_strokes=few`"
    return [Row(name, timed(paint)), Row(f"{name}, half precision", timed(paint, True), name)]


def differences(lowered: Callable[[], AbstractContextManager[None]]) -> str:
    """How many levels of 255 every photograph in every style is from single precision, without brushwork."""
    gaps = []
    for photo in PHOTOS:
        for style in STYLES:
            pair = []
            for way in (partial(precision, False), lowered):
                with way():  # a new session: the other precision's features are not found again
                    pixels = np.ascontiguousarray(getattr(data, photo)())
                    pair.append(painted(Session("cpu"), pixels, style, texture=0.0))
            gaps.append(np.abs(pair[1] - pair[0]))
    means = [float(gap.mean()) for gap in gaps]
    largest = max(int(gap.max()) for gap in gaps)
    return f"{min(means):.2f} to {max(means):.2f} levels of 255 on average, at most {largest}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=9)
    args = parser.parse_args()
    scene = Scene(STYLES)
    found = convolutions(128, 128, 128) + convolutions(48, 64, 256)
    found += masks() + full_network() + last_strokes(scene)
    measure(found, args.rounds)
    print(ratios(found, digits=3))
    print(f"\n{len(PHOTOS) * len(STYLES)} pictures differ from those in single precision:")
    print(f"half precision by {differences(partial(precision, True))};")
    print(f"8-bit integers by {differences(rounded_to_integers)}.")


if __name__ == "__main__":
    main()
