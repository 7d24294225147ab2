"""Distil the compact encoder from Oxford VGG-16.

VGG-16 costs thirty times what the student does, so it looks at every crop of a pool once; the student
then goes through the pool many times.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from scumble.backend.nn.compact import TAP_WIDTHS, CompactEncoder
from scumble.backend.nn.vgg import TAPS as TEACHER_TAPS
from scumble.backend.nn.vgg import VGG16

from .curves import Curves
from .data import Crops
from .running import Checkpoint, placed, seeded

#: Weight of each of the teacher's taps.
TAP_WEIGHTS = {"1_1": 0.5, "2_1": 0.7, "3_1": 1.0, "4_1": 1.3}
#: The student's tap each of the teacher's is read from.  The teacher's relu1_1 is at the image's full
#: size; the student tells it for the four pixels of each of its positions at once.
SOURCES = {"1_1": "2_1", "2_1": "2_1", "3_1": "3_1", "4_1": "4_1"}
WIDTHS = {"1_1": 4 * 64, "2_1": 128, "3_1": 256, "4_1": 512}
#: Of how many positions of a crop one is kept; neighbours at fine taps say much the same.
THINNING = {"1_1": 4, "2_1": 4, "3_1": 2, "4_1": 1}


@dataclass(frozen=True)
class Pool:
    """Crops and what VGG-16 sees in them.

    :param images: (K, 3, S, S) uint8.
    :param places: {tap: (K, P) positions kept}.
    :param targets: {tap: (K, C, P) half precision, centred and scaled}.
    """

    images: Tensor
    places: dict[str, Tensor]
    targets: dict[str, Tensor]


@torch.no_grad()
def fill_pool(
    teacher: VGG16, sources: tuple[Crops, ...], count: int, size: int, device: torch.device
) -> Pool:
    """Crops of all sources in turn, ``count`` in all.

    Each channel is divided by the geometric mean of its own and the layer's deviation: dividing by
    its own alone would spend the student on channels that hardly ever fire.
    """
    batch = 8
    images: list[Tensor] = []
    places: dict[str, list[Tensor]] = {t: [] for t in TEACHER_TAPS}
    targets: dict[str, list[Tensor]] = {t: [] for t in TEACHER_TAPS}
    for i in range(-(-count // batch)):
        crops = sources[i % len(sources)].batch(batch, size, scale=(0.4, 1.0))
        images.append((crops * 255).round().to(torch.uint8))
        crops = images[-1].to(device).float() / 255
        seen = teacher(crops.to(memory_format=torch.channels_last), TEACHER_TAPS)
        seen["1_1"] = F.pixel_unshuffle(seen["1_1"], 2)
        for tap, features in seen.items():
            flat = features.flatten(2)
            positions = flat.shape[-1]
            place = torch.rand(batch, positions).argsort(1)[:, : positions // THINNING[tap]]
            places[tap].append(place)
            kept = flat.gather(2, place.to(device)[:, None].expand(-1, flat.shape[1], -1))
            targets[tap].append(kept.half().cpu())
    joined: dict[str, Tensor] = {}
    for tap, parts in targets.items():
        sample = torch.cat([p.float() for p in parts[:: max(1, len(parts) // 40)]])
        mean = sample.mean((0, 2), keepdim=True)
        scale = (sample.std((0, 2), keepdim=True) * sample.std()).sqrt().clamp_min(1e-3)
        joined[tap] = torch.cat([((p.float() - mean) / scale).half() for p in parts])
        parts.clear()
    return Pool(torch.cat(images), {t: torch.cat(p) for t, p in places.items()}, joined)


def relative_error(student: Tensor, target: Tensor) -> Tensor:
    """Squared error over the target's energy; 1 is what a constant would reach."""
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
    pool: int = 2400,
    rate: float = 2e-3,
    start: Path | None = None,
    save_every: int = 200,
    device: torch.device | str = "cpu",
    half: bool = False,
) -> None:
    """Train and write ``encoder.*`` to a safetensors file; see the module's model card for data.

    Goes on from the file's checkpoint, if there is one.
    """
    torch.manual_seed(seed)
    device = torch.device(device)
    teacher = placed(VGG16.from_tensors(load_file(teacher_file)), device, half=half)
    student = placed(CompactEncoder(), device, half=half)
    if start is not None:
        student.load_state_dict(
            {k.removeprefix("encoder."): v for k, v in load_file(start).items() if k.startswith("encoder.")}
        )
    heads = nn.ModuleDict({t: nn.Linear(TAP_WIDTHS[s], WIDTHS[t]) for t, s in SOURCES.items()}).to(device)
    groups = [{"params": student.parameters(), "lr": rate}, {"params": heads.parameters(), "lr": 2 * rate}]
    optimizer = torch.optim.Adam(groups)
    # The heads start at random: until they fit, their gradients would only undo a trained student.
    settle = 80 if start is not None else 0

    def fall(i: int) -> float:
        return max(0.02, 1 - i / steps)

    def student_rate(i: int) -> float:
        return 0.0 if i < settle else min(1.0, (i - settle) / 60) * fall(i)

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, [student_rate, fall])
    curves = Curves(out.with_suffix(".csv"))
    began = time.monotonic()
    checkpoint = Checkpoint(out, student=student, heads=heads, optimizer=optimizer, schedule=schedule)
    first = checkpoint.restore()
    if first >= steps:
        return
    known = fill_pool(teacher, (Crops(photos, seed), Crops(paintings, seed + 1)), pool, size, device)
    for step in range(first, steps):
        seeded(seed, step)
        chosen = torch.randint(len(known.images), (batch,))
        images = known.images[chosen].to(device).float() / 255
        with torch.set_grad_enabled(step >= settle):
            features = student(images.to(memory_format=torch.channels_last))
        loss = torch.zeros((), device=device)
        errors: dict[str, Tensor] = {}
        for tap, source in SOURCES.items():
            place = known.places[tap][chosen].to(device)[..., None]
            rows = features[source].movedim(1, -1).flatten(1, 2)
            rows = rows.gather(1, place.expand(-1, -1, rows.shape[-1]))
            target = known.targets[tap][chosen].to(device).float().transpose(1, 2)
            errors[tap] = relative_error(heads[tap](rows), target)
            loss = loss + TAP_WEIGHTS[tap] * errors[tap]
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(student.parameters(), 5.0)
        optimizer.step()
        schedule.step()
        if step % 50 == 0:
            curves.add(step, time.monotonic() - began, {t: float(e.detach()) for t, e in errors.items()})
        if (step + 1) % save_every == 0 or step + 1 == steps:
            state = {f"encoder.{k}": v.contiguous() for k, v in student.state_dict().items()}
            save_file(state, out)
            checkpoint.save(step + 1)
