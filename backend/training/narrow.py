"""Make a narrower compact decoder out of a trained wider one.

The channels that matter most are kept and the rest is learned from the wide decoder's own pictures,
without VGG-16, so a step costs a third of one of the decoder's training; that goes on from here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from scumble.backend.nn.between import doubled, raised, rows
from scumble.backend.nn.compact import CompactDecoder, CompactEncoder
from scumble.backend.nn.partial_conv import PartialConv2d
from scumble.backend.nn.restyle import StyleCode

from .curves import Curves
from .data import Crops
from .decoder import part_of, read_encoder, save_networks, stylized_targets
from .running import Checkpoint, placed, seeded

Taps = dict[str, Tensor]
RATE = 2e-3
#: Weight of differences between neighbours, so that edges are learned before flat colour is perfect.
EDGES = 2.0


def wide_decoder(path: Path) -> CompactDecoder:
    """The decoder of a safetensors file at the widths that its tensors have, frozen.

    :raises RuntimeError: if a layer is missing or has another shape; ``KeyError`` likewise.
    """
    tensors = part_of(load_file(path), "decoder.")
    net = CompactDecoder(tensors["b4.weight"].shape[0], tensors["b3.weight"].shape[0])
    net.load_state_dict(tensors)
    return net.eval().requires_grad_(False)


@torch.no_grad()
def keep_the_best(wide: CompactDecoder, narrow: CompactDecoder, taps: Taps) -> None:
    """Give the narrow decoder the wide one's channels that move its pictures most.

    A channel's worth is its deviation over the pictures times the length of the weights that read it.

    :param taps: stylized features to judge by.
    """

    def joined(layer: PartialConv2d, x: Tensor, skip: PartialConv2d, tap: str) -> Tensor:
        x = raised(layer(x), skip)
        return F.relu(doubled(x, taps[tap]) + rows(skip, taps[tap]))

    def best(x: Tensor, reader: PartialConv2d, count: int) -> Tensor:
        worth = x.std((0, 2, 3)) * reader.weight.pow(2).sum((0, 2, 3)).sqrt()
        return worth.topk(count).indices.sort().values

    deep = F.relu(wide.a4(taps["4_1"])) + taps["4_1"]
    middle = joined(wide.b4, deep, wide.skip3, "3_1")
    middle = F.relu(wide.a3(middle)) + middle
    fine = joined(wide.b3, middle, wide.skip2, "2_1")
    fine = F.relu(wide.a2(fine)) + fine
    at = {
        "middle": best(middle, wide.b3, narrow.b4.out_channels),
        "fine": best(fine, wide.out, narrow.b3.out_channels),
    }
    # (layer, which of its outputs, which of its inputs)
    for name, out, into in (
        ("a4", "", ""),
        ("b4", "middle", ""),
        ("skip3", "middle", ""),
        ("a3", "middle", "middle"),
        ("b3", "fine", "middle"),
        ("skip2", "fine", ""),
        ("a2", "fine", "fine"),
        ("out", "", "fine"),
    ):
        theirs, ours = wide.get_submodule(name), narrow.get_submodule(name)
        assert isinstance(theirs, PartialConv2d) and isinstance(ours, PartialConv2d)
        assert theirs.bias is not None and ours.bias is not None
        weight, bias = theirs.weight, theirs.bias
        if out:
            weight, bias = weight[at[out]], bias[at[out]]
        ours.weight.copy_(weight[:, at[into]] if into else weight)
        ours.bias.copy_(bias)


def likeness_loss(output: Tensor, wanted: Tensor) -> Tensor:
    """Mean absolute difference of (N, 3, H, W) pictures and, weighted, of their neighbours' differences."""
    error = output - wanted
    edges = (error[..., 1:, :] - error[..., :-1, :]).abs().mean()
    edges = edges + (error[..., 1:] - error[..., :-1]).abs().mean()
    return error.abs().mean() + EDGES * edges


@torch.no_grad()
def _styles(encoder: CompactEncoder, paintings: Crops, count: int, size: int) -> list[StyleCode]:
    return [
        StyleCode.of(
            encoder(paintings.batch(1, size, scale=(0.5, 1.0)).contiguous(memory_format=torch.channels_last))
        )
        for _ in range(count)
    ]


@torch.no_grad()
def _targets(
    encoder: CompactEncoder, photos: Crops, styles: Sequence[StyleCode], rng: np.random.Generator, size: int
) -> Taps:
    count = 4
    images = photos.batch(count, size).contiguous(memory_format=torch.channels_last)
    chosen = [styles[i] for i in rng.integers(len(styles), size=count)]
    controls = [(float(t), float(d)) for t, d in rng.uniform(0, 1, (count, 2))]
    return stylized_targets(encoder(images), chosen, controls)


def narrow_decoder(
    photos: Path,
    paintings: Path,
    start: Path,
    out: Path,
    *,
    steps: int,
    seed: int = 1,
    size: int = 160,
    pool: int = 200,
    save_every: int = 200,
    device: torch.device | str = "cpu",
    half: bool = False,
) -> None:
    """Write ``encoder.*`` as they are in ``start`` and a narrower ``decoder.*`` to ``out``.

    Goes on from the file's checkpoint, if there is one.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    device = torch.device(device)
    encoder = placed(read_encoder(start), device, half=half)
    wide = placed(wide_decoder(start), device, half=half)
    narrow = placed(CompactDecoder(), device, half=half)
    sources = (Crops(photos, seed, device=device), Crops(paintings, seed + 1, device=device))
    styles = _styles(encoder, sources[1], pool, size)
    keep_the_best(wide, narrow, _targets(encoder, sources[0], styles, rng, size))
    optimizer = torch.optim.Adam(narrow.parameters(), lr=RATE, betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda i: min(1.0, (i + 1) / 50) * max(0.02, 1 - i / steps)
    )
    curves = Curves(out.with_suffix(".csv"))
    checkpoint = Checkpoint(out, decoder=narrow, optimizer=optimizer, schedule=schedule)
    for step in range(checkpoint.restore(), steps):
        rng = seeded(seed, step, *sources)
        taps = _targets(encoder, sources[0], styles, rng, size)
        with torch.no_grad():
            wanted = wide({tap: x.clone(memory_format=torch.preserve_format) for tap, x in taps.items()})
        loss = likeness_loss(narrow(taps), wanted)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(narrow.parameters(), 5.0)
        optimizer.step()
        schedule.step()
        if step % 20 == 0:
            curves.add(step, 0.0, {"likeness": float(loss.detach())})
        if (step + 1) % save_every == 0 or step + 1 == steps:
            save_networks(out, encoder, narrow)
            checkpoint.save(step + 1)
