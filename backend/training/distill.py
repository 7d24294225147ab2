"""Distil the compact encoder from Oxford VGG-16."""

from __future__ import annotations

import time
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from scumble.backend.nn.compact import TAP_WIDTHS, TAPS, CompactEncoder
from scumble.backend.nn.vgg import VGG16

from .curves import Curves
from .data import Crops

TAP_WEIGHTS = {"1_1": 0.5, "2_1": 0.7, "3_1": 1.0, "4_1": 1.3}


def relative_error(student: Tensor, teacher: Tensor) -> Tensor:
    """Squared error over the teacher's energy, with quiet channels lifted.

    Each channel is divided by the geometric mean of its own and the layer's deviation: dividing by
    its own alone would spend the student on channels that hardly ever fire.
    """
    mean = teacher.mean((0, 2, 3), keepdim=True)
    std = teacher.std((0, 2, 3), keepdim=True)
    scale = (std * teacher.std()).sqrt().clamp_min(1e-3)
    target = (teacher - mean) / scale
    return ((student - target) ** 2).mean() / (target**2).mean()


def distill(
    photos: Path,
    paintings: Path,
    teacher_file: Path,
    out: Path,
    *,
    steps: int,
    seed: int = 1,
    size: int = 128,
    batch: int = 8,
    rate: float = 2e-3,
    start: Path | None = None,
    device: str = "cpu",
) -> None:
    """Train and write ``encoder.*`` to a safetensors file; see the module's model card for data."""
    torch.manual_seed(seed)
    teacher = VGG16.from_tensors(load_file(teacher_file)).to(device)
    student = CompactEncoder().to(device)
    if start is not None:
        student.load_state_dict(
            {k.removeprefix("encoder."): v for k, v in load_file(start).items() if k.startswith("encoder.")}
        )
    widths = {"1_1": 64, "2_1": 128, "3_1": 256, "4_1": 512}
    heads = nn.ModuleDict({t: nn.Conv2d(TAP_WIDTHS[t], widths[t], 1) for t in TAPS}).to(device)
    groups = [{"params": student.parameters(), "lr": rate}, {"params": heads.parameters(), "lr": 3 * rate}]
    optimizer = torch.optim.Adam(groups)
    # The heads start at random: until they fit, their gradients would only undo a trained student.
    settle = 80 if start is not None else 0

    def fall(i: int) -> float:
        return max(0.02, 1 - i / steps)

    def student_rate(i: int) -> float:
        return 0.0 if i < settle else min(1.0, (i - settle) / 60) * fall(i)

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, [student_rate, fall])
    sources = (Crops(photos, seed), Crops(paintings, seed + 1))
    curves = Curves(out.with_suffix(".csv"))
    began = time.monotonic()
    for step in range(steps):
        images = torch.cat([s.batch(batch // 2, size, scale=(0.4, 1.0)) for s in sources]).to(device)
        images = images.to(memory_format=torch.channels_last)
        with torch.no_grad():
            targets = teacher(images, TAPS)
        with torch.set_grad_enabled(step >= settle):
            features = student(images)
        errors = {t: relative_error(heads[t](features[t]), targets[t]) for t in TAPS}
        loss = sum((TAP_WEIGHTS[t] * errors[t] for t in TAPS), torch.zeros((), device=device))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(student.parameters(), 5.0)
        optimizer.step()
        schedule.step()
        if step % 50 == 0:
            curves.add(step, time.monotonic() - began, {t: float(e.detach()) for t, e in errors.items()})
        if step % 200 == 199 or step == steps - 1:
            state = {f"encoder.{k}": v.contiguous() for k, v in student.state_dict().items()}
            save_file(state, out)
