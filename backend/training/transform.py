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
from .running import Checkpoint, placed, seeded

#: Pairs judged in one step.
BATCH = 3


def random_weight(height: int, width: int) -> Tensor:
    """A soft blob as a region's weight: (height, width) in [0, 1], never empty."""
    coarse = torch.rand(1, 1, 4, 4)
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
    photos: Path,
    paintings: Path,
    weights: Path,
    out: Path,
    *,
    steps: int,
    seed: int = 3,
    size: int = 96,
    pool: int = 160,
    save_every: int = 200,
    device: torch.device | str = "cpu",
) -> None:
    """Train on the encoder in ``weights`` and write its tensors and ``transform.*`` to ``out``.

    Goes on from the file's checkpoint, if there is one.  The encoder is frozen, so a pool of photographs
    and paintings is encoded once and paired anew, under a new random region, in every step.
    """
    torch.manual_seed(seed)
    device = torch.device(device)
    encoder = placed(read_encoder(weights), device)
    with torch.no_grad():
        contents, styles = (
            [encoder(s.batch(1, size)) for _ in range(pool)]
            for s in (Crops(photos, seed, device=device), Crops(paintings, seed + 1, device=device))
        )
    net = CompactTransform().to(device)
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda i: min(1.0, (i + 1) / 50) * max(0.02, 1 - i / steps)
    )
    curves = Curves(out.with_suffix(".csv"))
    began = time.monotonic()
    smooth = dict.fromkeys(TAPS, 0.0)
    checkpoint = Checkpoint(out, net=net, optimizer=optimizer, schedule=schedule)
    first = checkpoint.restore()
    for step in range(first, steps):
        seeded(seed, step)
        total = torch.zeros((), device=device)
        for _ in range(BATCH):
            i, j = torch.randint(pool, (2,)).tolist()
            full = random_weight(size, size).to(device)
            for tap in TAPS:
                weight = nn.functional.adaptive_avg_pool2d(full[None, None], contents[i][tap].shape[-2:])[
                    0, 0
                ]
                loss = tap_loss(net, tap, contents[i][tap][0], weight, styles[j][tap][0])
                # Heavy-tailed: a style of one flat colour has next to no variance to divide by.
                total = total + torch.log1p(loss) / BATCH
                smooth[tap] += (float(loss.detach()) - smooth[tap]) / min(step - first + 1, 100)
        optimizer.zero_grad(set_to_none=True)
        total.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 50 == 0:
            curves.add(step, time.monotonic() - began, smooth)
        if (step + 1) % save_every == 0 or step + 1 == steps:
            checkpoint.save(step + 1)
    tensors = {k: v for k, v in load_file(weights).items() if not k.startswith("transform.")}
    tensors |= {f"transform.{k}": v.detach().contiguous() for k, v in net.state_dict().items()}
    partial = out.with_suffix(".partial")
    save_file(tensors, partial)
    partial.replace(out)
