"""Train the decoder of engine ``nnst``: ``python -m scumble.backend.training nnst-decoder``.

Two kinds of steps take turns.  *Mending*: a crop of a painting is put together again from a random part
of its own places, and the decoder must give the crop back (L1 on the levels of a Laplacian pyramid).
*Transfer*: a photograph is matched against a painting; the result's hypercolumns must be the ones that
were asked for (cosine cycle), its colours those of the votes, and what occurs together in its features
must be what occurs together in the borrowed ones, as the frozen encoder sees them and, with a teacher,
as VGG-16 does.  The last stands in for the paper's adversarial patch co-occurrence: second moments *are*
co-occurrences, and need no second network to train.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from scumble.backend.models import bundled
from scumble.backend.nn.nnst_decoder import StrokeDecoder, as_image, cells_of, vote
from scumble.backend.nn.nnst_features import Hypercolumns
from scumble.backend.nn.nnst_matching import Grids, Searcher, cohere, match
from scumble.backend.nn.nnst_pyramid import laplacian
from scumble.backend.nn.vgg import VGG16

from .curves import Curves
from .data import Crops
from .nnst_pool import Sample, borrowed, samples, teacher_occurrence
from .running import Checkpoint, seeded


@dataclass(frozen=True)
class StrokeRecipe:
    """Everything that decides what is learned."""

    steps: int = 8000
    seed: int = 1
    size: int = 128
    batch: int = 2
    rate: float = 1e-3
    cycle_weight: float = 1.0
    occurrence_weight: float = 0.15
    teacher_weight: float = 0.4
    colour_weight: float = 2.0
    mend_weight: float = 1.0
    pool: int = 400
    save_every: int = 200


@dataclass(frozen=True)
class Matched:
    """The decoder's input for one picture, and what it was made of."""

    target: Tensor
    own: Tensor
    votes: Tensor
    spread: Tensor
    index: Tensor

    def decode(self, decoder: StrokeDecoder) -> Tensor:
        """(3, H, W)."""
        parts = (self.target, self.own, self.votes, self.spread)
        found: Tensor = decoder(*(p[None] for p in parts))[0]
        return found


@torch.no_grad()
def matched(
    query: Tensor,
    style: Sample,
    *,
    worth: float,
    parties: int,
    seed: int,
    allowed: Tensor | None = None,
) -> Matched:
    """Match a picture's (C, h, w) hypercolumns against a style; ``allowed`` masks the style's cells."""
    query, source = query.float(), style.columns.float()
    size = (query.shape[1], query.shape[2])
    grids = Grids(((source.shape[1], source.shape[2]),))
    rows = source.flatten(1).T
    searcher = Searcher.of(rows, grids, mask=allowed, guide=1.0)
    queries = searcher.project(query.flatten(1).T)
    index, _ = match(searcher, queries, parties=parties, seed=seed)
    index = cohere(searcher, queries, index, torch.arange(index.numel()), size, worth=worth)
    cells = cells_of([style.image.float()])
    votes, spread = vote(cells, grids, index.view(size))
    return Matched(rows[index].T.reshape(-1, *size), cells[index].T.reshape(-1, *size), votes, spread, index)


def random_blocks(size: tuple[int, int], rng: np.random.Generator) -> Tensor:
    """A mask of random blobs over cells, between a third and nine tenths of them: (h*w,)."""
    grid = int(rng.integers(4, 14))
    coarse = torch.from_numpy(rng.random((1, 1, grid, grid), dtype=np.float32))
    field = F.interpolate(coarse, size, mode="bilinear", align_corners=False).flatten()
    return (field > torch.quantile(field, float(rng.uniform(0.1, 0.65)))).float()


def pyramid_l1(output: Tensor, wanted: Tensor) -> Tensor:
    """Mean absolute difference summed over five levels of a Laplacian pyramid."""
    pairs = zip(laplacian(output, 4), laplacian(wanted, 4), strict=True)
    return torch.stack([(a - b).abs().mean() for a, b in pairs]).sum()


def co_occurrence(net: Hypercolumns, found: Tensor, wanted: Tensor) -> Tensor:
    """Relative difference of mean and second moments, averaged over the layers."""
    total = found.new_zeros(())
    for part in net.slices:
        a, b = found[part].flatten(1), wanted[part].flatten(1)
        gram_a, gram_b = a @ a.T / a.shape[1], b @ b.T / b.shape[1]
        total = total + (gram_a - gram_b).square().sum() / gram_b.square().sum().clamp_min(1e-8)
        total = total + (a.mean(1) - b.mean(1)).square().sum() / b.mean(1).square().sum().clamp_min(1e-8)
    return total / len(net.slices)


def _how(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "worth": float(rng.uniform(0, 0.2)),
        "parties": int(rng.choice([1, 4])),
        "seed": int(rng.integers(1 << 30)),
    }


def _mend(decoder: StrokeDecoder, picture: Sample, rng: np.random.Generator) -> Tensor:
    allowed = random_blocks((picture.columns.shape[1], picture.columns.shape[2]), rng)
    found = matched(picture.columns, picture, allowed=allowed, **_how(rng))
    return pyramid_l1(found.decode(decoder), picture.image.float())


def _transfer(
    net: Hypercolumns,
    teacher: VGG16 | None,
    decoder: StrokeDecoder,
    photo: Sample,
    style: Sample,
    recipe: StrokeRecipe,
    rng: np.random.Generator,
) -> tuple[Tensor, dict[str, float]]:
    how, query = _how(rng), photo.columns
    if rng.random() < 0.6:  # a later pass, as it looks in use: the query is an earlier result
        with torch.no_grad():
            first = matched(query, style, **how).decode(decoder).clamp(0, 1)
            query = net(torch.lerp(first, photo.image.float(), float(rng.uniform(0, 0.5))))
    found = matched(query, style, **how)
    output = found.decode(decoder)
    features = net(output)
    plain = as_image(found.votes)
    parts = {
        "cycle": (1 - F.cosine_similarity(features, found.target, dim=0)).mean(),
        "occurs": co_occurrence(net, features, found.target),
        "colour": (F.avg_pool2d(output, 8) - F.avg_pool2d(plain, 8)).abs().mean(),
    }
    weights = [recipe.cycle_weight, recipe.occurrence_weight, recipe.colour_weight]
    if teacher is not None:
        parts["teacher"] = teacher_occurrence(teacher, output, style, borrowed(style, found.index))
        weights.append(recipe.teacher_weight)
    loss = torch.stack([w * p for w, p in zip(weights, parts.values(), strict=True)]).sum()
    return loss, {name: float(value.detach()) for name, value in parts.items()}


def train_strokes(
    photos: Path,
    paintings: Path,
    encoder_file: Path,
    out: Path,
    recipe: StrokeRecipe,
    *,
    teacher_file: Path | None = None,
    start: Path | None = None,
) -> None:
    """Train and write ``decoder.*`` to ``out``; resumes from ``out``'s checkpoint.

    :param teacher_file: Oxford's VGG-16, whose moments the results are held to; ``None`` does without.
    :param start: weights to begin with where there is no checkpoint.
    """
    torch.manual_seed(recipe.seed)
    net = Hypercolumns.frozen(load_file(encoder_file))
    teacher = None if teacher_file is None else VGG16.from_tensors(load_file(teacher_file))
    decoder = StrokeDecoder(net.width) if start is None else StrokeDecoder.from_tensors(load_file(start))
    decoder.train().requires_grad_(True)
    optimizer = torch.optim.Adam(decoder.parameters(), lr=recipe.rate, betas=(0.9, 0.99))
    checkpoint = Checkpoint(out, decoder=decoder, optimizer=optimizer)
    first = checkpoint.restore()
    count = min(recipe.pool, recipe.steps * recipe.batch)
    content = samples(Crops(photos, recipe.seed), count, recipe.size, net, None)
    styles = samples(Crops(paintings, recipe.seed + 1), count, recipe.size, net, teacher)
    curves = Curves(out.with_suffix(".csv"))
    began = time.monotonic()
    sums: dict[str, list[float]] = {}
    for step in range(first, recipe.steps):
        rng = seeded(recipe.seed, step)
        for group in optimizer.param_groups:
            group["lr"] = recipe.rate * min(1.0, (step + 1) / 50) * max(0.02, 1 - step / recipe.steps)
        optimizer.zero_grad(set_to_none=True)
        for turn in range(recipe.batch):
            style = styles[int(rng.integers(len(styles)))]
            if (step * recipe.batch + turn) % 2:
                photo = content[int(rng.integers(len(content)))]
                loss, values = _transfer(net, teacher, decoder, photo, style, recipe, rng)
            else:
                loss = recipe.mend_weight * _mend(decoder, style, rng)
                values = {"mend": float(loss.detach())}
            (loss / recipe.batch).backward()
            for name, value in values.items():
                sums.setdefault(name, []).append(value)
        nn.utils.clip_grad_norm_(decoder.parameters(), 1.0)
        optimizer.step()
        if (step + 1) % 25 == 0:
            curves.add(step, time.monotonic() - began, {k: sum(v) / len(v) for k, v in sums.items()})
            sums = {}
        if (step + 1) % recipe.save_every == 0 or step + 1 == recipe.steps:
            _save(out, decoder)
            checkpoint.save(step + 1)
            _sheet(decoder, content, styles, out.with_name(f"{out.stem}-{step + 1:06d}.png"))


def _save(out: Path, decoder: StrokeDecoder) -> None:
    state = {f"decoder.{k}": v.detach().contiguous() for k, v in decoder.state_dict().items()}
    partial = out.with_suffix(".partial")
    save_file(state, partial)
    partial.replace(out)


@torch.no_grad()
def _sheet(decoder: StrokeDecoder, content: list[Sample], styles: list[Sample], path: Path) -> None:
    """Rows of photograph, painting, votes, decoded."""
    rows = []
    for i, (photo, style) in enumerate(zip(content[:6], styles[:6], strict=False)):
        found = matched(photo.columns, style, worth=0.1, parties=1, seed=i)
        shown = [photo.image.float(), style.image.float(), as_image(found.votes), found.decode(decoder)]
        rows.append(torch.cat(shown, 2))
    picture = (torch.cat(rows, 1).clamp(0, 1) * 255).round().byte().permute(1, 2, 0)
    Image.fromarray(picture.numpy()).save(path)


def bundle(source: Path, steps: int) -> None:
    """Put trained weights into the package, in half precision, and pin their hash."""
    folder = bundled.weights_folder()
    tensors = {k: v.half().contiguous() for k, v in load_file(source).items()}
    metadata = {"name": "nnst-decoder", "licence": "MIT", "steps": str(steps)}
    save_file(tensors, folder / "nnst-decoder.safetensors", metadata=metadata)
    bundled.pin(folder)


def main(argv: list[str] | None = None) -> int:
    """Train the decoder of engine ``nnst`` on the bundled frozen encoder."""
    parser = argparse.ArgumentParser(
        prog="python -m scumble.backend.training nnst-decoder", description=main.__doc__
    )
    parser.add_argument("--photos", type=Path, required=True, help="folder of photographs")
    parser.add_argument("--paintings", type=Path, required=True, help="folder of paintings")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints, curves and sheets")
    parser.add_argument("--encoder", type=Path, help="another encoder than the bundled one")
    parser.add_argument("--teacher", type=Path, help="Oxford's VGG-16; without it one loss is left out")
    parser.add_argument("--start", type=Path, help="weights to begin with, such as the bundled ones")
    parser.add_argument("--pool", type=int, default=StrokeRecipe.pool, help="crops of each kind")
    parser.add_argument("--rate", type=float, default=StrokeRecipe.rate)
    parser.add_argument("--steps", type=int, default=StrokeRecipe.steps)
    parser.add_argument("--size", type=int, default=StrokeRecipe.size, help="side of the crops, in pixels")
    parser.add_argument("--batch", type=int, default=StrokeRecipe.batch)
    parser.add_argument("--seed", type=int, default=StrokeRecipe.seed)
    parser.add_argument("--save-every", type=int, default=StrokeRecipe.save_every)
    parser.add_argument("--threads", type=int, default=0, help="0: as many as torch takes by itself")
    parser.add_argument("--install", action="store_true", help="then replace the package's own weights")
    args = parser.parse_args(argv)
    if args.threads:
        torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    encoder = args.encoder or bundled.weights_folder() / "nnst-encoder.safetensors"
    target = args.out / "nnst-decoder.safetensors"
    recipe = StrokeRecipe(
        args.steps, args.seed, args.size, args.batch, args.rate, pool=args.pool, save_every=args.save_every
    )
    train_strokes(
        args.photos, args.paintings, encoder, target, recipe, teacher_file=args.teacher, start=args.start
    )
    if args.install:
        bundle(target, args.steps)
    return 0
