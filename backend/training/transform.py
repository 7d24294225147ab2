"""Train the learned linear transform of the compact encoder's taps."""

from __future__ import annotations

import time
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from scumble.backend.nn.compact import TAPS
from scumble.backend.nn.learned import RANKS, CompactTransform, SeenCovariance
from scumble.backend.nn.moments import Moments, moments
from scumble.backend.nn.transport import transport

from .curves import Curves
from .data import Crops
from .decoder import read_encoder


def random_weight(height: int, width: int, generator: torch.Generator) -> Tensor:
    """A soft blob as a region's weight: (height, width) in [0, 1], never empty."""
    coarse = torch.rand(1, 1, 4, 4, generator=generator)
    field = nn.functional.interpolate(coarse, (height, width), mode="bicubic", align_corners=False)[0, 0]
    return ((field - field.median()) * 6 + 0.5).clamp(0, 1)


def tap_loss(net: CompactTransform, tap: str, content: Tensor, weight: Tensor, style: Tensor) -> Tensor:
    """How far the learned map's output is from the style's moments and the transport's output.

    :param content: (C, h, w).
    :param weight: (h, w).
    :param style: (C, h', w').
    """
    c, s = moments(content, weight), moments(style)
    unit = net.tap(tap)
    seen_c, seen_s = SeenCovariance(RANKS[tap]), SeenCovariance(RANKS[tap])
    seen_c.add(unit.cnet, content, c, weight)
    seen_s.add(unit.snet, style, s, None)
    learned = unit.affine(unit.cnet.matrix(seen_c.result()), unit.snet.matrix(seen_s.result()), c, s)
    wanted = transport(c, s).apply(content)
    error = (((learned.apply(content) - wanted) ** 2) * weight).sum() / weight.sum()
    scale = float(torch.trace(s.covariance)) + 1e-6
    return error / scale + _moment_error(learned.matrix, learned.offset, c, s)


def _moment_error(matrix: Tensor, offset: Tensor, c: Moments, s: Moments) -> Tensor:
    covariance = matrix @ c.covariance.to(matrix) @ matrix.T
    wanted = s.covariance.to(matrix)
    mean = matrix @ c.mean.to(matrix) + offset
    spread = ((covariance - wanted) ** 2).sum() / (wanted**2).sum()
    return spread + ((mean - s.mean.to(matrix)) ** 2).sum() / (s.mean.to(matrix) ** 2).sum()


def train_transform(
    photos: Path, paintings: Path, weights: Path, out: Path, *, steps: int, seed: int = 3, size: int = 128, batch: int = 3
) -> None:
    """Train on the encoder in ``weights`` and write its tensors and ``transform.*`` to ``out``."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    encoder = read_encoder(weights)
    net = CompactTransform()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda i: min(1.0, (i + 1) / 50) * max(0.02, 1 - i / steps))
    sources = (Crops(photos, seed), Crops(paintings, seed + 1))
    curves = Curves(out.with_suffix(".csv"))
    began = time.monotonic()
    for step in range(steps):
        images = torch.cat([s.batch(batch, size) for s in sources]).to(memory_format=torch.channels_last)
        with torch.no_grad():
            taps = encoder(images)
        losses = {tap: torch.zeros(()) for tap in TAPS}
        for i in range(batch):
            full = random_weight(size, size, generator)
            for tap in TAPS:
                weight = nn.functional.adaptive_avg_pool2d(full[None, None], taps[tap].shape[-2:])[0, 0]
                losses[tap] = losses[tap] + tap_loss(net, tap, taps[tap][i], weight, taps[tap][batch + i]) / batch
        optimizer.zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 20 == 0:
            curves.add(step, time.monotonic() - began, {tap: float(x.detach()) for tap, x in losses.items()})
    tensors = {k: v for k, v in load_file(weights).items() if not k.startswith("transform.")}
    tensors |= {f"transform.{k}": v.detach().contiguous() for k, v in net.state_dict().items()}
    partial = out.with_suffix(".partial")
    save_file(tensors, partial)
    partial.replace(out)
