"""The released masked pipeline stated a second time, to compare with.

Plain functions on a checkpoint's tensors, written from the published facts and independent of the
product's modules.  One known error of the release is left out: its layers remember the last mask and
show it to a style picture of the content's size.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

State = dict[str, Tensor]

ENCODERS = {
    "r31": [(3, 3), (3, 64), (64, 64), "pool", (64, 128), (128, 128), "pool", (128, 256)],
    "r41": [
        *[(3, 3), (3, 64), (64, 64), "pool", (64, 128), (128, 128), "pool"],
        *[(128, 256), (256, 256), (256, 256), (256, 256), "pool", (256, 512)],
    ],
}
DECODERS = {
    "r31": [(256, 128), "up", (128, 128), (128, 64), "up", (64, 64), (64, 3)],
    "r41": [
        *[(512, 256), "up", (256, 256), (256, 256), (256, 256), (256, 128), "up"],
        *[(128, 128), (128, 64), "up", (64, 64), (64, 3)],
    ],
}
FIRST_DECODER_CONV = {"r31": 7, "r41": 11}


def random_checkpoint(layer: str, seed: int) -> dict[str, State]:
    """Random tensors under the official names and shapes, scaled so that signals stay near one."""
    g = torch.Generator().manual_seed(seed)

    def conv(state: State, name: str, cin: int, cout: int, k: int, gain: float = 2.0) -> None:
        state[f"{name}.weight"] = torch.randn(cout, cin, k, k, generator=g) * (gain / (cin * k * k)) ** 0.5
        state[f"{name}.bias"] = torch.randn(cout, generator=g) * 0.1

    encoder: State = {}
    for i, (cin, cout) in enumerate((s for s in ENCODERS[layer] if s != "pool"), start=1):
        conv(encoder, f"conv{i}", cin, cout, 1 if i == 1 else 3)
    decoder: State = {}
    for i, (cin, cout) in enumerate((s for s in DECODERS[layer] if s != "up"), FIRST_DECODER_CONV[layer]):
        conv(decoder, f"conv{i}", cin, cout, 3, 0.1 if cout == 3 else 2.0)
    wide = ENCODERS[layer][-1][1]
    matrix: State = {}
    for half in ("snet", "cnet"):
        for index, (cin, cout) in enumerate([(wide, wide // 2), (wide // 2, wide // 4), (wide // 4, 32)]):
            conv(matrix, f"{half}.convs.{2 * index}", cin, cout, 3)
        matrix[f"{half}.fc.weight"] = torch.randn(1024, 1024, generator=g) / 64
        matrix[f"{half}.fc.bias"] = torch.eye(32).flatten() + torch.randn(1024, generator=g) * 0.01
    conv(matrix, "compress", wide, 32, 1)
    conv(matrix, "unzip", 32, wide, 1)
    return {"encoder": encoder, "decoder": decoder, "matrix": matrix}


def masked_conv(x: Tensor, m: Tensor | None, state: State, name: str, zero_border: int = 0) -> Tensor:
    """One released partial convolution, on input that already has its reflected border."""
    if m is not None:
        x = x * F.max_pool2d(m, 3, 1, 1)
    return F.conv2d(x, state[f"{name}.weight"], state[f"{name}.bias"], padding=zero_border)


def next_mask(m: Tensor, k: int) -> Tensor:
    return F.conv2d(m, torch.ones(1, 1, k, k)).clamp(0, 1)


def border(t: Tensor) -> Tensor:
    return F.pad(t, (1, 1, 1, 1), mode="reflect")


def encode(x: Tensor, m: Tensor | None, state: State, layer: str) -> tuple[Tensor, Tensor | None]:
    number = 0
    for step in ENCODERS[layer]:
        if step == "pool":
            x = F.max_pool2d(x, 2)
            m = None if m is None else F.max_pool2d(m, 2)
            continue
        number += 1
        if number > 1:
            x, m = border(x), None if m is None else border(m)
        x = masked_conv(x, m, state, f"conv{number}")
        m = None if m is None else next_mask(m, 1 if number == 1 else 3)
        x = x if number == 1 else F.relu(x)
    return x, m


def factor(x: Tensor, m: Tensor | None, state: State, half: str) -> Tensor:
    for index in (0, 2, 4):
        x = masked_conv(x, m, state, f"{half}.convs.{index}", zero_border=1)
        x = F.relu(x) if index < 4 else x
    columns = x[0].flatten(1)
    if m is not None:
        columns = columns[:, m.flatten() > 0]
    covariance = columns @ columns.T / columns.shape[1]
    return F.linear(covariance.flatten(), state[f"{half}.fc.weight"], state[f"{half}.fc.bias"]).view(32, 32)


def transform(c: Tensor, s: Tensor, m: Tensor | None, state: State) -> Tensor:
    inside = torch.ones(c.shape[-2:], dtype=torch.bool) if m is None else m[0, 0] > 0
    c = c.clone()
    c[0][:, inside] -= c[0][:, inside].mean(1, keepdim=True)
    style_mean = s[0].flatten(1).mean(1)
    s = s - style_mean[None, :, None, None]
    compressed = masked_conv(c, m, state, "compress")
    product = factor(s, None, state, "snet") @ factor(c, m, state, "cnet")
    scattered = torch.zeros_like(compressed)
    scattered[0][:, inside] = product @ compressed[0][:, inside]
    out = masked_conv(scattered, m, state, "unzip")
    out[0][:, inside] += style_mean[:, None]
    return out


def decode(x: Tensor, m: Tensor | None, state: State, layer: str) -> Tensor:
    h, w = x.shape[-2:]
    last = FIRST_DECODER_CONV[layer] + len([s for s in DECODERS[layer] if s != "up"]) - 1

    def resized(scale: int) -> Tensor | None:
        return None if m is None else F.interpolate(m, size=(h * scale, w * scale), mode="bilinear")

    scale, number, now = 1, FIRST_DECODER_CONV[layer], resized(1)
    for step in DECODERS[layer]:
        if step == "up":
            scale *= 2
            x, now = x.repeat_interleave(2, -1).repeat_interleave(2, -2), resized(scale)
            continue
        x, now = border(x), None if now is None else border(now)
        x = masked_conv(x, now, state, f"conv{number}")
        now = None if now is None else next_mask(now, 3)
        x = x if number == last else F.relu(x)
        number += 1
    return x


def released_pipeline(
    states: dict[str, State], layer: str, content: Tensor, style: Tensor, mask: Tensor | None
) -> Tensor:
    """Content (1, 3, H, W), style (1, 3, h, w), mask (1, 1, H, W) -> (1, 3, H, W), not clamped."""
    c, grown = encode(content, mask, states["encoder"], layer)
    s, _ = encode(style, None, states["encoder"], layer)
    x = decode(transform(c, s, grown, states["matrix"]), mask, states["decoder"], layer)
    if x.shape[-2:] != content.shape[-2:]:
        x = F.interpolate(x, size=content.shape[-2:], mode="bilinear")
    return x if mask is None else x * mask + content * (1 - mask)
