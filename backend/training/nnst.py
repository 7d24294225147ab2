"""Train the decoder of engine ``nnst``: ``python -m scumble.backend.training nnst-decoder``.

Two kinds of steps take turns.  *Mending*: a crop of a painting is put together again from a random part
of its own places, and the decoder must give the crop back (L1 on the levels of a Laplacian pyramid).
*Transfer*: a photograph is matched against a painting; the result's hypercolumns must be the ones that
were asked for (cosine cycle), its colours those of the votes, and what occurs together in its features
must be what occurs together in the borrowed ones.  The last stands in for the paper's adversarial patch
co-occurrence: second moments *are* co-occurrences, and need no second network to train.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

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

from .curves import Curves
from .data import Crops


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
    colour_weight: float = 2.0
    save_every: int = 200


@dataclass(frozen=True)
class Matched:
    """The decoder's input for one picture, and what it was made of."""

    target: Tensor
    own: Tensor
    votes: Tensor
    spread: Tensor

    def decode(self, decoder: StrokeDecoder) -> Tensor:
        """(3, H, W)."""
        parts = (self.target, self.own, self.votes, self.spread)
        found: Tensor = decoder(*(p[None] for p in parts))[0]
        return found


@torch.no_grad()
def matched(
    net: Hypercolumns,
    picture: Tensor,
    style: Tensor,
    *,
    worth: float,
    parties: int,
    seed: int,
    allowed: Tensor | None = None,
) -> Matched:
    """Match a (3, H, W) picture against a (3, h, w) style; ``allowed`` masks the style's cells."""
    query, source = net(picture), net(style)
    size = (query.shape[1], query.shape[2])
    grids = Grids(((source.shape[1], source.shape[2]),))
    rows = source.flatten(1).T
    searcher = Searcher.of(rows, grids, mask=allowed, guide=1.0)
    queries = searcher.project(query.flatten(1).T)
    index, _ = match(searcher, queries, parties=parties, seed=seed)
    index = cohere(searcher, queries, index, torch.arange(index.numel()), size, worth=worth)
    cells = cells_of([style])
    votes, spread = vote(cells, grids, index.view(size))
    return Matched(rows[index].T.reshape(-1, *size), cells[index].T.reshape(-1, *size), votes, spread)


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


def _mend(net: Hypercolumns, decoder: StrokeDecoder, picture: Tensor, rng: np.random.Generator) -> Tensor:
    size = (picture.shape[1] // 4, picture.shape[2] // 4)
    allowed = random_blocks(size, rng)
    how = {
        "worth": float(rng.uniform(0, 0.2)),
        "parties": int(rng.choice([1, 4])),
        "seed": int(rng.integers(1 << 30)),
    }
    found = matched(net, picture, picture, allowed=allowed, **how)  # type: ignore[arg-type]
    return pyramid_l1(found.decode(decoder), picture)


def _transfer(
    net: Hypercolumns,
    decoder: StrokeDecoder,
    photo: Tensor,
    style: Tensor,
    recipe: StrokeRecipe,
    rng: np.random.Generator,
) -> tuple[Tensor, dict[str, float]]:
    how = {
        "worth": float(rng.uniform(0, 0.2)),
        "parties": int(rng.choice([1, 4])),
        "seed": int(rng.integers(1 << 30)),
    }
    picture = photo
    if rng.random() < 0.6:  # a later pass, as it looks in use: the query is an earlier result
        with torch.no_grad():
            first = matched(net, photo, style, **how)  # type: ignore[arg-type]
            picture = torch.lerp(first.decode(decoder).clamp(0, 1), photo, float(rng.uniform(0, 0.5)))
    found = matched(net, picture, style, **how)  # type: ignore[arg-type]
    output = found.decode(decoder)
    features = net(output)
    cycle = (1 - F.cosine_similarity(features, found.target, dim=0)).mean()
    occurs = co_occurrence(net, features, found.target)
    plain = as_image(found.votes)
    colour = (F.avg_pool2d(output, 8) - F.avg_pool2d(plain, 8)).abs().mean()
    loss = recipe.cycle_weight * cycle + recipe.occurrence_weight * occurs + recipe.colour_weight * colour
    return loss, {
        "cycle": float(cycle.detach()),
        "occurs": float(occurs.detach()),
        "colour": float(colour.detach()),
    }


def train_strokes(photos: Path, paintings: Path, encoder_file: Path, out: Path, recipe: StrokeRecipe) -> None:
    """Train and write ``decoder.*`` to ``out``; resumes from ``out``'s checkpoint."""
    torch.manual_seed(recipe.seed)
    net = Hypercolumns.frozen(load_file(encoder_file))
    decoder = StrokeDecoder(net.width)
    optimizer = torch.optim.Adam(decoder.parameters(), lr=recipe.rate, betas=(0.9, 0.99))
    checkpoint, first = out.with_suffix(".checkpoint"), 0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        decoder.load_state_dict(state["decoder"])
        optimizer.load_state_dict(state["optimizer"])
        first = int(state["step"])
    rng = np.random.default_rng([recipe.seed, first])
    content, styles = Crops(photos, recipe.seed + first), Crops(paintings, recipe.seed + 1 + first)
    curves = Curves(out.with_suffix(".csv"))
    began = time.monotonic()
    for step in range(first, recipe.steps):
        for group in optimizer.param_groups:
            group["lr"] = recipe.rate * min(1.0, (step + 1) / 100) * max(0.02, 1 - step / recipe.steps)
        size = recipe.size
        optimizer.zero_grad(set_to_none=True)
        values: dict[str, float] = {}
        for _ in range(recipe.batch):
            if step % 2:
                style = styles.batch(1, size, scale=(0.4, 1.0))[0]
                photo = content.batch(1, size, scale=(0.4, 1.0))[0]
                loss, values = _transfer(net, decoder, photo, style, recipe, rng)
            else:
                loss = _mend(net, decoder, styles.batch(1, size, scale=(0.4, 1.0))[0], rng)
                values = {"mend": float(loss.detach())}
            (loss / recipe.batch).backward()
        nn.utils.clip_grad_norm_(decoder.parameters(), 1.0)
        optimizer.step()
        if step % 25 < 2:
            curves.add(step, time.monotonic() - began, values)
        if (step + 1) % recipe.save_every == 0 or step + 1 == recipe.steps:
            _save(out, decoder)
            state = {"decoder": decoder.state_dict(), "optimizer": optimizer.state_dict(), "step": step + 1}
            torch.save(state, checkpoint)
            _sheet(net, decoder, content, styles, out.with_name(f"{out.stem}-{step + 1:06d}.png"))


def _save(out: Path, decoder: StrokeDecoder) -> None:
    state = {f"decoder.{k}": v.detach().contiguous() for k, v in decoder.state_dict().items()}
    partial = out.with_suffix(".partial")
    save_file(state, partial)
    partial.replace(out)


@torch.no_grad()
def _sheet(net: Hypercolumns, decoder: StrokeDecoder, content: Crops, styles: Crops, path: Path) -> None:
    """Rows of photograph, painting, votes, decoded."""
    rows = []
    for i in range(4):
        photo, style = content.batch(1, 160)[0], styles.batch(1, 160)[0]
        found = matched(net, photo, style, worth=0.1, parties=1, seed=i)
        rows.append(torch.cat([photo, style, as_image(found.votes), found.decode(decoder)], 2))
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
    recipe = StrokeRecipe(args.steps, args.seed, args.size, args.batch, save_every=args.save_every)
    train_strokes(args.photos, args.paintings, encoder, target, recipe)
    if args.install:
        bundle(target, args.steps)
    return 0
