"""Train the decoder of the full-size network: ``python -m scumble.backend.training full``.

The encoder is Oxford's VGG-16 and stays as it is; it is also the judge.  It looks at a pool of crops
once, so that a step only decodes and judges.  Three kinds of steps take turns: *reconstruction*,
*stylized pairs* with texture and detail drawn at random, and *regions* through the partial
convolutions, whose border must be the layer's own.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from scumble.backend.allocator import keep_freed_memory
from scumble.backend.models import bundled, catalogue
from scumble.backend.nn.compact import TAPS
from scumble.backend.nn.full import FullDecoder, FullEncoder

from .curves import Curves
from .data import Crops
from .full_pool import JUDGED, Pools, crops_of, paintings_of
from .losses import content_loss, raw_moments, relative_moments, sliced_colour, total_variation
from .running import PRECISIONS, Checkpoint, device_of, placed, seeded
from .sheets import sample_sheet

#: Weight of each tap's error against the features that were asked for.
KEPT = {"3_1": 0.6, "4_1": 1.0}


@dataclass(frozen=True)
class FullRecipe:
    """Everything that decides what is learned."""

    steps: int = 4000
    seed: int = 1
    size: int = 128
    batch: int = 3
    #: Crops of photographs and of paintings that are encoded beforehand.
    contents: int = 700
    styles: int = 400
    rate: float = 1e-3
    style_weight: float = 2.0
    content_weight: float = 0.5
    colour_weight: float = 8.0
    variation_weight: float = 0.05
    border_weight: float = 10.0
    #: Reconstructions only, until the decoder gives a picture at all.
    warm_steps: int = 200
    reconstruct_every: int = 6
    masked_every: int = 4
    save_every: int = 200
    #: Pictures on a sample sheet.
    rows: int = 5
    #: Where, and whether in bfloat16.
    device: str = "cpu"
    half: bool = False


def train_full(
    photos: Path,
    paintings: Path,
    vgg_file: Path,
    out: Path,
    recipe: FullRecipe,
    *,
    start: Path | None = None,
) -> None:
    """Train and write ``decoder.*`` to ``out``; resumes from ``out``'s checkpoint."""
    keep_freed_memory()
    torch.manual_seed(recipe.seed)
    device = torch.device(recipe.device)
    encoder = placed(FullEncoder.from_tensors(load_file(vgg_file)), device, half=recipe.half)
    decoder = placed(FullDecoder(), device, half=recipe.half)
    if start is not None:
        decoder.load_state_dict(FullDecoder.from_tensors(load_file(start)).state_dict())
    optimizer = torch.optim.Adam(decoder.parameters(), lr=recipe.rate, betas=(0.9, 0.99))
    checkpoint = Checkpoint(out, decoder=decoder, optimizer=optimizer)
    first = checkpoint.restore()
    sources = (Crops(photos, recipe.seed, device=device), Crops(paintings, recipe.seed + 1, device=device))
    curves = Curves(out.with_suffix(".csv"))
    began = time.monotonic()
    contents = crops_of(encoder, sources[0], recipe.contents, recipe.size, (0.4, 1.0))
    styles = paintings_of(encoder, sources[1], recipe.styles, recipe.size)
    pools = Pools(encoder, contents, styles, recipe.seed)
    curves.add(first, time.monotonic() - began, {"pool": float(len(contents) + len(styles))})
    for step in range(first, recipe.steps):
        rng = seeded(recipe.seed, step)
        for group in optimizer.param_groups:
            group["lr"] = recipe.rate * min(1.0, (step + 1) / 100) * max(0.02, 1 - step / recipe.steps)
        loss, values = _step(step, recipe, decoder, pools, rng)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(decoder.parameters(), 2.0)
        optimizer.step()
        if step % 26 < 3:
            curves.add(step, time.monotonic() - began, {k: float(v.detach()) for k, v in values.items()})
        if (step + 1) % recipe.save_every == 0 or step + 1 == recipe.steps:
            _save(out, decoder)
            checkpoint.save(step + 1)
            sheet = out.with_name(f"{out.stem}-{step + 1:06d}.png")
            sample_sheet(encoder, decoder, sources, sheet, recipe.rows, 2 * recipe.size)


def _step(
    step: int, recipe: FullRecipe, decoder: FullDecoder, pools: Pools, rng: np.random.Generator
) -> tuple[Tensor, dict[str, Tensor]]:
    if step < recipe.warm_steps or step % recipe.reconstruct_every == 0:
        return _reconstruction(recipe, decoder, pools, rng)
    contents = [int(i) for i in rng.integers(len(pools.contents), size=recipe.batch)]
    controls = [(float(t), float(d)) for t, d in rng.uniform(0, 1, (recipe.batch, 2))]
    if step % recipe.masked_every == 0:
        return _regions(step, recipe, decoder, pools, contents, controls)
    pairs = [(i, pools.partner(i, int(rng.integers(pools.partners)))) for i in contents]
    target = pools.stylized(pairs, controls, pools.taps(contents), [None] * len(pairs), step)
    output = decoder(target)
    again = pools.encoder(output, taps=JUDGED)
    styles = [pools.styles[j] for _, j in pairs]
    keep = content_loss(again, target, KEPT)
    look = _style_loss(
        {t: raw_moments(x) for t, x in again.items()},
        {t: torch.cat([s.seen[t] for s in styles]) for t in JUDGED},
    )
    directions = F.normalize(torch.randn(6, 3), dim=1).to(output)
    # Sorting is dear, and neighbouring pixels say much the same.
    wanted = pools.images(styles)[..., ::2, ::2]
    colour = sliced_colour(output[..., ::2, ::2], wanted, directions)
    loss = (
        recipe.content_weight * keep
        + recipe.style_weight * look
        + recipe.colour_weight * colour
        + recipe.variation_weight * total_variation(output)
    )
    return loss, {"content": keep, "style": look, "colour": colour}


def _style_loss(output: dict[str, Tensor], style: dict[str, Tensor]) -> Tensor:
    """The bench's relative style loss of each pair, its large values bent down, averaged.

    A style of few features is hardly ever met, and one such pair would outvote all others.
    """
    singly = [
        relative_moments(
            {t: m[i : i + 1] for t, m in output.items()}, {t: m[i : i + 1] for t, m in style.items()}
        )
        for i in range(output["4_1"].shape[0])
    ]
    return (2 * (1 + torch.stack(singly)).sqrt() - 2).mean()


def _reconstruction(
    recipe: FullRecipe, decoder: FullDecoder, pools: Pools, rng: np.random.Generator
) -> tuple[Tensor, dict[str, Tensor]]:
    photos = [pools.contents[int(i)] for i in rng.integers(len(pools.contents), size=recipe.batch - 1)]
    crops = [*photos, pools.styles[int(rng.integers(len(pools.styles)))]]
    images = pools.images(crops)
    taps = {t: torch.stack([c.taps[t] for c in crops]).float() for t in TAPS}
    output = decoder({t: x.contiguous(memory_format=torch.channels_last) for t, x in taps.items()})
    again = pools.encoder(output)
    pixels = ((output - images) ** 2).mean()
    loss = 20 * pixels + content_loss(again, taps, dict.fromkeys(TAPS, 0.25))
    return loss, {"pixels": pixels, "reconstruction": loss}


def _regions(
    step: int,
    recipe: FullRecipe,
    decoder: FullDecoder,
    pools: Pools,
    contents: list[int],
    controls: list[tuple[float, float]],
) -> tuple[Tensor, dict[str, Tensor]]:
    """Regions of pictures, judged under their masks and along their borders."""
    # Features under a mask are worked out once a content: a share of them is enough.
    few = [i % max(1, len(pools.contents) // 3) for i in contents][: max(2, recipe.batch - 1)]
    regions = [pools.region(i) for i in few]
    pairs = [(i, pools.partner(i, 0)) for i in few]
    taps = {t: torch.stack([r.taps[t] for r in regions]).float() for t in TAPS}
    styled = pools.stylized(pairs, controls, taps, [r.drawn for r in regions], step)
    support, inner, alpha = (
        torch.cat([getattr(r, name) for r in regions]) for name in ("support", "inner", "alpha")
    )
    shares = {t: F.adaptive_avg_pool2d(inner, (x.shape[-2], x.shape[-1])) for t, x in taps.items()}
    target = {t: torch.lerp(taps[t], styled[t], shares[t]) for t in TAPS}
    target = {t: x.contiguous(memory_format=torch.channels_last) for t, x in target.items()}
    images = pools.images([pools.contents[i] for i in few])
    output = decoder(target, support, renormalize=True)
    again = pools.encoder(output * alpha + images * (1 - alpha), taps=JUDGED)
    shares["1_1"] = inner
    look = _style_loss(
        {t: raw_moments(x, shares[t]) for t, x in again.items()},
        {t: torch.cat([pools.styles[j].seen[t] for _, j in pairs]) for t in JUDGED},
    )
    keep = output.new_zeros(())
    for tap, share in KEPT.items():
        scale = target[tap].std((2, 3), keepdim=True).mean(1, keepdim=True).clamp_min(1e-3)
        error = (((again[tap] - target[tap]) / scale) ** 2).mean(1, keepdim=True)
        keep = keep + share * (error * shares[tap]).sum() / shares[tap].sum().clamp_min(1.0)
    # Where the inner weight fades the decoder is fed the layer's own features: the layer is due.
    ring = (1 - inner) * (alpha > 0)
    border = (((output - images) ** 2) * ring).sum() / (3 * ring.sum()).clamp_min(1.0)
    loss = recipe.content_weight * keep + recipe.style_weight * look + recipe.border_weight * border
    return loss, {"masked style": look, "border": border}


def _save(out: Path, decoder: FullDecoder) -> None:
    state = {f"decoder.{k}": v.detach().contiguous() for k, v in decoder.state_dict().items()}
    partial = out.with_suffix(".partial")
    save_file(state, partial)
    partial.replace(out)


def bundle(sources: Sequence[Path], recipe: FullRecipe) -> None:
    """Put a trained decoder into the package, in half precision, and pin its hash.

    :param sources: one file, or several of one run: their mean is as if the rate had fallen further.
    """
    folder = bundled.weights_folder()
    found = [load_file(source) for source in sources]
    means = {k: torch.stack([one[k] for one in found]).mean(0) for k in found[0]}
    tensors = {k: v.half().contiguous() for k, v in means.items()}
    metadata = {"name": "full", "licence": "MIT", "steps": str(recipe.steps), "seed": str(recipe.seed)}
    save_file(tensors, folder / "full.safetensors", metadata=metadata)
    bundled.pin(folder)


def main(argv: list[str] | None = None) -> int:
    """Train the full-size network's decoder behind Oxford's VGG-16."""
    usual = FullRecipe()
    parser = argparse.ArgumentParser(prog="python -m scumble.backend.training full", description=main.__doc__)
    parser.add_argument("--photos", type=Path, help="folder of photographs")
    parser.add_argument("--paintings", type=Path, help="folder of paintings")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints, curves and sheets")
    parser.add_argument("--teacher", type=Path, help="VGG-16's safetensors file; default: the catalogue's")
    parser.add_argument("--start", type=Path, help="a decoder to start from instead of a random one")
    parser.add_argument("--steps", type=int, default=usual.steps)
    parser.add_argument("--rate", type=float, default=usual.rate)
    parser.add_argument("--size", type=int, default=usual.size, help="side of the crops, in pixels")
    parser.add_argument("--batch", type=int, default=usual.batch)
    parser.add_argument("--contents", type=int, default=usual.contents, help="crops encoded beforehand")
    parser.add_argument("--styles", type=int, default=usual.styles, help="crops encoded beforehand")
    parser.add_argument(
        "--warm-steps", type=int, default=usual.warm_steps, help="plain reconstructions first"
    )
    parser.add_argument("--save-every", type=int, default=usual.save_every)
    parser.add_argument("--rows", type=int, default=usual.rows, help="pictures on a sample sheet")
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--threads", type=int, default=0, help="0: as many as torch takes by itself")
    parser.add_argument("--device", default="auto", help="cpu or cuda; by default a GPU where there is one")
    parser.add_argument(
        "--precision", choices=PRECISIONS, default="single", help="half: networks in bfloat16"
    )
    parser.add_argument("--install", action="store_true", help="then replace the package's own weights")
    parser.add_argument("--average", type=Path, nargs="+", default=[], help="install the mean with these")
    parser.add_argument("--only-install", action="store_true", help="without training: what is in --out")
    args = parser.parse_args(argv)
    if args.threads:
        torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    target = args.out / "full.safetensors"
    recipe = FullRecipe(
        args.steps,
        args.seed,
        args.size,
        args.batch,
        args.contents,
        args.styles,
        args.rate,
        warm_steps=args.warm_steps,
        save_every=args.save_every,
        rows=args.rows,
        device=str(device_of(args.device)),
        half=args.precision == "half",
    )
    if not args.only_install:
        if not (args.photos and args.paintings):
            parser.error("--photos and --paintings are needed to train")
        vgg = args.teacher or catalogue.require("vgg16-oxford")
        train_full(args.photos, args.paintings, vgg, target, recipe, start=args.start)
    if args.install or args.only_install:
        bundle((target, *args.average), recipe)
    return 0


if __name__ == "__main__":
    sys.exit(main())
