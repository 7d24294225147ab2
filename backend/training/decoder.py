"""Train the compact decoder on reconstructed, stylized and masked pictures."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from scumble.backend.nn.compact import TAPS, CompactDecoder, CompactEncoder
from scumble.backend.nn.moments import moments
from scumble.backend.nn.restyle import Restyle, StyleCode
from scumble.backend.nn.vgg import TAPS as TEACHER_TAPS
from scumble.backend.nn.vgg import VGG16

from .curves import Curves
from .data import Crops
from .losses import (
    TeacherBasis,
    content_loss,
    fit_teacher_basis,
    raw_moments,
    relative_moments,
    sliced_colour,
    total_variation,
)
from .masked import masked_step
from .pool import StyleSample, joined, style_pool
from .running import Checkpoint, placed, seeded
from .sheets import sample_sheet


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what is learned."""

    steps: int
    seed: int = 1
    size: int = 160
    batch: int = 4
    #: Style crops that are worked out beforehand and drawn from.
    pool: int = 800
    rate: float = 1.5e-3
    style_weight: float = 0.5
    content_weight: float = 0.5
    colour_weight: float = 16.0
    variation_weight: float = 0.05
    border_weight: float = 10.0
    reconstruct_every: int = 5
    masked_every: int = 3
    #: Weight of VGG-16's own style loss, in every n-th of the plain stylized steps and on so many
    #: of the batch's pictures: the truest judge, and by far the dearest.
    teacher_weight: float = 2.0
    teacher_every: int = 1
    teacher_batch: int = 1
    #: Weight of nearness to the photograph as VGG-16 sees it, in the same steps; goes with the square of
    #: the detail that is asked for.
    hold_weight: float = 1.3
    save_every: int = 250
    #: Where, and whether in bfloat16.
    device: str = "cpu"
    half: bool = False


def read_encoder(path: Path) -> CompactEncoder:
    """The encoder of a safetensors file, frozen."""
    encoder = CompactEncoder()
    encoder.load_state_dict(part_of(load_file(path), "encoder."))
    return encoder.eval().requires_grad_(False)


def part_of(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin with ``prefix``, without it and in full precision."""
    return {k.removeprefix(prefix): v.float() for k, v in tensors.items() if k.startswith(prefix)}


@torch.no_grad()
def teacher_basis(encoder: CompactEncoder, teacher: VGG16, sources: tuple[Crops, ...]) -> TeacherBasis:
    """Fit the maps to VGG-16's channels on a few dozen crops of each source."""
    ours, theirs = [], []
    for _ in range(12):
        images = torch.cat([s.batch(2, 128) for s in sources])
        ours.append(encoder(images))
        theirs.append(teacher(images, TAPS))
    return TeacherBasis(fit_teacher_basis(ours, theirs))


@torch.no_grad()
def stylized_targets(
    content: dict[str, Tensor], codes: Sequence[StyleCode], controls: list[tuple[float, float]]
) -> dict[str, Tensor]:
    """Stylized taps of each pair in the batch, with (texture, detail) controls for each."""
    rows = []
    for i, (texture, detail) in enumerate(controls):
        one = {tap: content[tap][i : i + 1] for tap in TAPS}
        stats = {tap: moments(one[tap][0]) for tap in TAPS}
        change = Restyle.between(stats, [(codes[i], 1.0)], texture=texture, detail=detail)
        rows.append(change.apply(one))
    batch = {tap: torch.cat([r[tap] for r in rows]) for tap in TAPS}
    return {tap: f.contiguous(memory_format=torch.channels_last) for tap, f in batch.items()}


def train_decoder(
    photos: Path,
    paintings: Path,
    encoder_file: Path,
    teacher_file: Path,
    out: Path,
    recipe: Recipe,
    *,
    start: Path | None = None,
) -> None:
    """Train and write ``encoder.*`` and ``decoder.*`` to ``out``; resumes from ``out``'s checkpoint."""
    torch.manual_seed(recipe.seed)
    device = torch.device(recipe.device)
    encoder = placed(read_encoder(encoder_file), device, half=recipe.half)
    decoder = placed(CompactDecoder(), device, half=recipe.half)
    if start is not None:
        known, own = part_of(load_file(start), "decoder."), decoder.state_dict()
        decoder.load_state_dict({k: known.get(k, v) for k, v in own.items()})
    sources = (Crops(photos, recipe.seed, device=device), Crops(paintings, recipe.seed + 1, device=device))
    teacher = placed(VGG16.from_tensors(load_file(teacher_file)), device, half=recipe.half)
    judge = teacher_basis(encoder, teacher, sources)
    optimizer = torch.optim.Adam(decoder.parameters(), lr=recipe.rate, betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda i: min(1.0, (i + 1) / 100) * max(0.02, 1 - i / recipe.steps)
    )
    checkpoint = Checkpoint(out, decoder=decoder, optimizer=optimizer, schedule=schedule)
    first = checkpoint.restore()
    styles = style_pool(encoder, judge, teacher, sources[1], recipe.pool, recipe.size)
    curves = Curves(out.with_suffix(".csv"))
    began = time.monotonic()
    for step in range(first, recipe.steps):
        rng = seeded(recipe.seed, step, *sources)
        values = _step(step, recipe, encoder, decoder, judge, teacher, sources, styles, rng, optimizer)
        schedule.step()
        if step % 24 < 4:
            curves.add(step, time.monotonic() - began, values)
        if (step + 1) % recipe.save_every == 0 or step + 1 == recipe.steps:
            save_networks(out, encoder, decoder)
            checkpoint.save(step + 1)
            sample_sheet(encoder, decoder, sources, out.with_name(f"{out.stem}-{step + 1:06d}.png"))


def _step(
    step: int,
    recipe: Recipe,
    encoder: CompactEncoder,
    decoder: CompactDecoder,
    judge: TeacherBasis,
    teacher: VGG16,
    sources: tuple[Crops, Crops],
    pool: Sequence[StyleSample],
    rng: np.random.Generator,
    optimizer: torch.optim.Optimizer,
) -> dict[str, float]:
    photos, paintings = sources
    half = max(1, recipe.batch // 2)
    if step % recipe.reconstruct_every == 0:
        images = torch.cat([photos.batch(half, recipe.size), paintings.batch(half, recipe.size)])
        with torch.no_grad():
            taps = encoder(images)
        output = decoder(taps)
        again = encoder(output)
        loss = 20 * ((output - images) ** 2).mean() + content_loss(again, taps, dict.fromkeys(TAPS, 0.25))
        values = {"reconstruction": float(loss.detach())}
    else:
        images = photos.batch(recipe.batch, recipe.size).contiguous(memory_format=torch.channels_last)
        styles = [pool[i] for i in rng.integers(len(pool), size=recipe.batch)]
        controls = drawn_controls(recipe.batch, rng)
        few = recipe.teacher_batch if recipe.teacher_weight and step % recipe.teacher_every == 0 else 0
        if recipe.masked_every and step % recipe.masked_every == 0:
            found = masked_step(encoder, decoder, judge, images, styles, controls, rng)
            loss = (
                recipe.content_weight * found.keep
                + recipe.style_weight * found.look
                + recipe.border_weight * found.border
                + recipe.colour_weight * found.colour
            )
            values = {
                "masked style": float(found.look.detach()),
                "border": float(found.border.detach()),
                "masked colour": float(found.colour.detach()),
            }
            if few:
                features = teacher(found.image[:few].clamp(0, 1), TEACHER_TAPS)
                seen = _seen_style(features, styles[:few], found.inner[:few])
                # Next to a border VGG-16 sees the photograph too, so what cannot be helped must not outweigh
                # all the rest.
                loss = loss + recipe.teacher_weight * torch.log1p(seen)
                values["masked teacher style"] = float(seen.detach())
            _descend(loss, decoder, optimizer)
            return values
        with torch.no_grad():
            content = encoder(images)
        target = stylized_targets(content, [s.code for s in styles], controls)
        output = decoder(target)
        again = encoder(output)
        keep = content_loss(again, target, {"3_1": 0.3, "4_1": 1.0})
        look = judge.style_loss(again, joined(styles, "moments"))
        directions = torch.nn.functional.normalize(torch.randn(6, 3), dim=1).to(output)
        wanted = torch.stack([s.image.float() for s in styles])
        # Sorting is dear, and neighbouring pixels say much the same.
        colour = sliced_colour(output[..., ::2, ::2], wanted[..., ::2, ::2], directions)
        loss = (
            recipe.content_weight * keep
            + recipe.style_weight * look
            + recipe.colour_weight * colour
            + recipe.variation_weight * total_variation(output)
        )
        values = {
            "content": float(keep.detach()),
            "style": float(look.detach()),
            "colour": float(colour.detach()),
        }
        if few:
            features = teacher(output[:few].clamp(0, 1), TEACHER_TAPS)
            with torch.no_grad():
                own = teacher(images[:few], TEACHER_TAPS)["4_1"]
            seen = _seen_style(features, styles[:few])
            detail = torch.tensor([d for _, d in controls[:few]]).to(own)
            apart = (features["4_1"] - own).square().sum((1, 2, 3)) / own.square().sum((1, 2, 3))
            hold = (detail**2 * apart).mean()
            loss = loss + recipe.teacher_weight * seen + recipe.hold_weight * hold
            values |= {"teacher style": float(seen.detach()), "hold": float(hold.detach())}
    _descend(loss, decoder, optimizer)
    return values


def drawn_controls(count: int, rng: np.random.Generator) -> list[tuple[float, float]]:
    """(texture, detail) for each picture: anywhere, or as often around where the engine leaves them."""
    anywhere = rng.uniform(0, 1, (count, 2))
    around = rng.uniform((0.5, 0.3), (0.7, 0.7), (count, 2))
    usual = rng.random(count) < 0.5
    return [(float(t), float(d)) for t, d in np.where(usual[:, None], around, anywhere)]


def _seen_style(
    features: dict[str, Tensor], styles: Sequence[StyleSample], inside: Tensor | None = None
) -> Tensor:
    """VGG-16's own style loss of pictures, under (N, 1, H, W) weights if there are any.  Loud styles count
    more."""
    found = {
        tap: raw_moments(
            x, None if inside is None else F.adaptive_avg_pool2d(inside, (x.shape[-2], x.shape[-1]))
        )
        for tap, x in features.items()
    }
    loudness = torch.tensor([s.loudness for s in styles]).to(found["4_1"])
    return relative_moments(found, joined(styles, "seen"), loudness)


def _descend(loss: Tensor, decoder: CompactDecoder, optimizer: torch.optim.Optimizer) -> None:
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(decoder.parameters(), 5.0)
    optimizer.step()


def save_networks(out: Path, encoder: CompactEncoder, decoder: CompactDecoder) -> None:
    """Write ``encoder.*`` and ``decoder.*``; a run that is stopped leaves no half a file."""
    state = {f"encoder.{k}": v.contiguous() for k, v in encoder.state_dict().items()}
    state |= {f"decoder.{k}": v.detach().contiguous() for k, v in decoder.state_dict().items()}
    partial = out.with_suffix(".partial")
    save_file(state, partial)
    partial.replace(out)
