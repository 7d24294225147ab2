"""Train what foretells VGG-16 for engine ``nnst``: ``python -m scumble.backend.training nnst-witness``.

VGG-16 looks at every crop of a pool once.  Its relu3_1 and relu4_1 are turned onto their principal
directions (about the origin, as second moments are), and the branch learns to tell those from the small
network's hypercolumns: place by place, and taken together over the crop.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from scumble.backend.models import bundled
from scumble.backend.nn.nnst_features import Hypercolumns
from scumble.backend.nn.nnst_witness import DIRECTIONS, Witness
from scumble.backend.nn.vgg import VGG16

from .curves import Curves
from .data import Crops
from .losses import raw_moments, relative_moments
from .running import Checkpoint, seeded

#: Crops that the principal directions are taken from, and those that are kept back for measuring.
FIRST, HELD = 64, 32


@dataclass(frozen=True)
class WitnessRecipe:
    """Everything that decides what is learned."""

    steps: int = 2000
    seed: int = 1
    size: int = 128
    batch: int = 4
    rate: float = 1.5e-3
    pool: int = 700
    together_weight: float = 0.3
    save_every: int = 100


@dataclass
class _Pool:
    columns: Tensor
    told: dict[str, Tensor]

    def batch(self, rows: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        return self.columns[rows].float(), {tap: x[rows].float() for tap, x in self.told.items()}


@torch.no_grad()
def _pool(net: Hypercolumns, teacher: VGG16, sources: tuple[Crops, ...], recipe: WitnessRecipe) -> _Pool:
    taps = tuple(DIRECTIONS)
    columns: list[Tensor] = []
    told: dict[str, list[Tensor]] = {tap: [] for tap in taps}
    bases: dict[str, Tensor] = {}
    waiting: list[dict[str, Tensor]] = []
    for i in range(recipe.pool):
        image = sources[i % len(sources)].batch(1, recipe.size, scale=(0.4, 1.0))
        columns.append(net(image[0]).half())
        waiting.append({tap: x[0] for tap, x in teacher(image, taps).items()})
        if not bases and len(waiting) < min(FIRST, recipe.pool):
            continue
        if not bases:
            bases = {tap: _directions([w[tap] for w in waiting], DIRECTIONS[tap]) for tap in taps}
        for one in waiting:
            for tap in taps:
                told[tap].append(torch.einsum("dc,chw->dhw", bases[tap], one[tap]).half())
        waiting = []
    return _Pool(torch.stack(columns), {tap: torch.stack(x) for tap, x in told.items()})


def _directions(features: list[Tensor], count: int) -> Tensor:
    """(count, C): the strongest directions of (C, h, w) features, in units of their deviation."""
    rows = torch.cat([x.flatten(1) for x in features], 1)
    _, vectors = torch.linalg.eigh((rows @ rows.T).double())
    basis = vectors[:, -count:].T.float()
    return basis / (rows - rows.mean(1, keepdim=True)).square().sum(0).mean().sqrt()


def _rows(x: Tensor) -> Tensor:
    return x.float().permute(1, 0, 2, 3).flatten(1)


@torch.no_grad()
def _begin(witness: Witness, pool: _Pool) -> None:
    """Whiten the hypercolumns, and tell what a linear map of them tells (ridge regression)."""
    some = pool.columns[:FIRST].float()
    rows = _rows(some)
    mean = rows.mean(1)
    values, vectors = torch.linalg.eigh(torch.cov(rows).double())
    count = witness.whiten.weight.shape[0]
    turn = (vectors[:, -count:] / (values[-count:] + 1e-4 * values[-1]).sqrt()).T.float()
    witness.whiten.weight.copy_(turn[:, :, None, None])
    assert witness.whiten.bias is not None
    witness.whiten.bias.copy_(-turn @ mean)
    witness.whiten.requires_grad_(False)
    white = witness.whiten(some)
    for tell, seen, tap in ((witness.tell3, white, "3_1"), (witness.tell4, F.avg_pool2d(white, 2), "4_1")):
        x = torch.cat([_rows(seen), torch.ones(1, _rows(seen).shape[1])]).double()
        y = _rows(pool.told[tap][:FIRST]).double()
        square = x @ x.T
        fitted = torch.linalg.solve(square + 1e-3 * x.shape[1] * torch.eye(len(square)).to(square), x @ y.T).T
        assert tell.bias is not None
        tell.weight.zero_()
        tell.weight[:, :count, 0, 0] = fitted[:, :-1].float()
        tell.bias.copy_(fitted[:, -1])


def _loss(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> dict[str, Tensor]:
    """Relative error place by place of each tap, and of the moments."""
    parts = {}
    for tap, want in wanted.items():
        centred = want - want.mean((0, 2, 3), keepdim=True)
        parts[tap] = (found[tap] - want).square().sum() / centred.square().sum()
    have = {tap: raw_moments(x) for tap, x in found.items()}
    want_moments = {tap: raw_moments(x) for tap, x in wanted.items()}
    parts["together"] = relative_moments(have, want_moments) / len(wanted)
    return parts


def train_witness(
    photos: Path, paintings: Path, encoder_file: Path, teacher_file: Path, out: Path, recipe: WitnessRecipe
) -> None:
    """Train and write ``witness.*`` to ``out``; resumes from ``out``'s checkpoint.

    ``held.*`` of the curves are crops never trained on.
    """
    torch.manual_seed(recipe.seed)
    net = Hypercolumns.frozen(load_file(encoder_file))
    teacher = VGG16.from_tensors(load_file(teacher_file))
    paint, photo = Crops(paintings, recipe.seed), Crops(photos, recipe.seed + 1)
    pool = _pool(net, teacher, (paint, photo, paint), recipe)
    witness = Witness(net.width)
    _begin(witness, pool)
    witness.train()
    optimizer = torch.optim.Adam(
        [p for p in witness.parameters() if p.requires_grad], lr=recipe.rate, betas=(0.9, 0.99)
    )
    checkpoint = Checkpoint(out, witness=witness, optimizer=optimizer)
    held = torch.arange(recipe.pool - HELD, recipe.pool)
    curves = Curves(out.with_suffix(".csv"))
    began, sums = time.monotonic(), dict[str, list[float]]()
    for step in range(checkpoint.restore(), recipe.steps):
        rng = seeded(recipe.seed, step)
        for group in optimizer.param_groups:
            group["lr"] = recipe.rate * min(1.0, (step + 1) / 50) * max(0.01, 1 - step / recipe.steps)
        columns, wanted = pool.batch(torch.from_numpy(rng.integers(recipe.pool - HELD, size=recipe.batch)))
        optimizer.zero_grad(set_to_none=True)
        parts = _loss(witness(columns), wanted)
        loss = parts["3_1"] + parts["4_1"] + recipe.together_weight * parts["together"]
        loss.backward()
        nn.utils.clip_grad_norm_(witness.parameters(), 1.0)
        optimizer.step()
        for name, value in parts.items():
            sums.setdefault(name, []).append(float(value.detach()))
        if step == 0 or (step + 1) % recipe.save_every == 0 or step + 1 == recipe.steps:
            with torch.no_grad():
                columns, wanted = pool.batch(held)
                parts = _loss(witness(columns), wanted)
            sums.update({f"held.{name}": [float(value)] for name, value in parts.items()})
            curves.add(step, time.monotonic() - began, {k: sum(v) / len(v) for k, v in sums.items()})
            sums = {}
            save_file({f"witness.{k}": v.detach().contiguous() for k, v in witness.state_dict().items()}, out)
            checkpoint.save(step + 1)


def bundle(source: Path) -> None:
    """Put trained weights into the package, in half precision, and pin their hash."""
    folder = bundled.weights_folder()
    tensors = {k: v.half().contiguous() for k, v in load_file(source).items()}
    save_file(
        tensors, folder / "nnst-witness.safetensors", metadata={"name": "nnst-witness", "licence": "MIT"}
    )
    bundled.pin(folder)


def main(argv: list[str] | None = None) -> int:
    """Train what foretells VGG-16's features for the last strokes of engine ``nnst``."""
    parser = argparse.ArgumentParser(
        prog="python -m scumble.backend.training nnst-witness", description=main.__doc__
    )
    parser.add_argument("--photos", type=Path, required=True, help="folder of photographs")
    parser.add_argument("--paintings", type=Path, required=True, help="folder of paintings")
    parser.add_argument("--teacher", type=Path, required=True, help="Oxford's VGG-16")
    parser.add_argument("--out", type=Path, required=True, help="folder for weights and curves")
    parser.add_argument("--steps", type=int, default=WitnessRecipe.steps)
    parser.add_argument("--pool", type=int, default=WitnessRecipe.pool, help="crops in all")
    parser.add_argument("--size", type=int, default=WitnessRecipe.size, help="side of the crops, in pixels")
    parser.add_argument("--seed", type=int, default=WitnessRecipe.seed)
    parser.add_argument("--rate", type=float, default=WitnessRecipe.rate)
    parser.add_argument("--threads", type=int, default=0, help="0: as many as torch takes by itself")
    parser.add_argument("--install", action="store_true", help="then replace the package's own weights")
    args = parser.parse_args(argv)
    if args.threads:
        torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    target = args.out / "nnst-witness.safetensors"
    encoder = bundled.weights_folder() / "nnst-encoder.safetensors"
    recipe = WitnessRecipe(args.steps, args.seed, args.size, rate=args.rate, pool=args.pool)
    train_witness(args.photos, args.paintings, encoder, args.teacher, target, recipe)
    if args.install:
        bundle(target)
    return 0
