"""What engine ``nnst`` costs and what its shortcuts lose, as a table.

    python tests/benchmarks/nnst.py [--sides 256,512] [--steps 40] [--threads 2] [--vgg]

``agreement`` is the share of matches found in the projection whose cosine is within 0.02 of the exact
best one.  ``published`` descends as the published code does: from the content without its finest
bands, 2e-3, no decoder; ours stops as soon as it is below its final loss.  ``loss`` is 1 - cosine.
With ``--vgg`` all of it also with VGG-16 (`scumble models fetch vgg16-oxford`), and how the whole of our
descent with the bundled network compares with the published one's 200 steps with VGG-16.  Seconds are of
the processor, so that other work on the machine does not count; with several threads they add up.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
import torch
from skimage import data
from torch.nn import functional as F

from scumble.backend import Session, styles
from scumble.backend.engines import nnst_models
from scumble.backend.engines.base import Context, JobRegion
from scumble.backend.engines.cache import TensorCache
from scumble.backend.engines.nnst_descent import Descent, Target
from scumble.backend.engines.nnst_ground import Ground
from scumble.backend.engines.nnst_options import OPTIONS
from scumble.backend.engines.nnst_strokes import strokes
from scumble.backend.engines.nnst_style import Bank
from scumble.backend.engines.registry import validated
from scumble.backend.imaging import pixels
from scumble.backend.nn.nnst_matching import match
from scumble.backend.nn.nnst_pyramid import without_detail
from scumble.backend.prepare import style_part
from scumble.shared.messages import BundledStyle, MaskBuffer, PixelBuffer, Region

STYLE = "oil-orchard"


def photo(side: int) -> np.ndarray:
    """The astronaut at that size, as bytes."""
    x = torch.from_numpy(data.astronaut().copy()).permute(2, 0, 1)[None].float()
    x = F.interpolate(x, (side, side), mode="bilinear", antialias=True)[0]
    return x.round().byte().permute(1, 2, 0).numpy()


def region(**given: object) -> JobRegion:
    """The gallery's style with the default options."""
    raw = styles.load(STYLE)
    part = style_part(PixelBuffer(raw.shape[1], raw.shape[0], "rgb", "u8", pixels.as_bytes(raw)))
    return JobRegion(torch.ones(1, 1), (part,), 1.0, validated(OPTIONS, given))


def parts(features: str, side: int) -> tuple[Ground, Bank, Context, object]:
    """One scale's motif and style."""
    eyes = nnst_models.eyes(features, torch.device("cpu"))
    context = Context(torch.device("cpu"), TensorCache(0))
    content = torch.from_numpy(photo(side)).permute(2, 0, 1).float() / 255
    ones = torch.ones(side, side)
    ground = Ground.of(content, ones, ones, (ones,), (side, side))
    return ground, Bank.of(region(turned=False), eyes, context, 512 / side), context, eyes


@torch.no_grad()
def agreement(features: str, side: int) -> tuple[float, float, float]:
    """(share within 0.02, seconds projected, seconds exact)."""
    ground, bank, _, eyes = parts(features, side)
    queries = eyes.look(ground.content).flatten(1).T  # type: ignore[attr-defined]
    began = time.process_time()
    searcher = bank.searcher(1.0)
    index, _ = match(searcher, searcher.project(queries))
    ours = time.process_time() - began
    began = time.process_time()
    keys = F.normalize(bank.rows.float() - bank.rows.float().mean(0), dim=1)
    units = F.normalize(queries - queries.mean(0), dim=1)
    lost = []
    for q, i in zip(units.split(1024), index.split(1024), strict=True):
        table = q @ keys.T
        lost.append(table.max(1).values - table.gather(1, i[:, None])[:, 0])
    exact = time.process_time() - began
    return float((torch.cat(lost) <= 0.02).float().mean()), ours, exact


def descents(features: str, side: int, steps: int) -> tuple[float, float, float, float]:
    """(published seconds, its final loss, our seconds to the same loss, our loss)."""
    ground, bank, context, eyes = parts(features, side)
    searcher = bank.searcher(1.0)
    with torch.no_grad():
        rows = eyes.look(ground.content).flatten(1).T  # type: ignore[attr-defined]
        field, _ = match(searcher, searcher.project(rows))
    empty = torch.zeros(field.numel(), 3)
    target = Target([slice(0, bank.rows.shape[1])], [bank.rows], [field[None]], ground.cell_shares, empty)
    from scumble.backend.engines import nnst_descent as module

    saved = module.RATE, module.COLOUR_WEIGHT, module.PATIENCE, module.SPREAD
    module.RATE, module.COLOUR_WEIGHT, module.PATIENCE, module.SPREAD = 2e-3 / 0.625, 0.0, 10**9, (1.0,)
    theirs = Descent(eyes.look, ground, context)  # type: ignore[attr-defined]
    began = time.process_time()
    theirs.run(without_detail(ground.content, 2), target, steps)
    published, goal = time.process_time() - began, theirs.losses[-1]
    module.RATE, module.COLOUR_WEIGHT, module.PATIENCE, module.SPREAD = saved
    ours = Descent(eyes.look, ground, context)  # type: ignore[attr-defined]
    began, reached = time.process_time(), [0.0]

    def after(step: int, image: torch.Tensor) -> None:
        if ours.losses[-1] <= goal:
            reached[0] = time.process_time() - began
            context.enough.set()

    start = strokes(ground, [field], [bank], eyes, context)  # type: ignore[arg-type]
    target.colours = F.avg_pool2d(start, 4).flatten(1).T
    ours.run(start, target, steps, after=after)
    return published, goal, reached[0] or float("inf"), ours.losses[-1]


def a_step(features: str, side: int, steps: int = 3) -> float:
    """Seconds of one step of descending at one scale."""
    ground, bank, context, eyes = parts(features, side)
    index = torch.zeros(1, ground.grid[0] * ground.grid[1], dtype=torch.int64)
    colours = F.avg_pool2d(ground.content, 4).flatten(1).T
    target = Target([slice(0, bank.rows.shape[1])], [bank.rows], [index], ground.cell_shares, colours)
    descent = Descent(eyes.look, ground, context)  # type: ignore[attr-defined]
    descent.run(ground.content, target, 1)
    began = time.process_time()
    descent.run(ground.content, target, steps)
    return (time.process_time() - began) / steps


def whole(session: Session, side: int, **options: object) -> float:
    """Seconds of a whole job."""
    raw = photo(side)
    layer = PixelBuffer(side, side, "rgb", "u8", raw.tobytes())
    mask = MaskBuffer(side, side, b"\xff" * (side * side))
    session.cache.clear()
    began = time.process_time()
    session.stylize(layer, [Region(mask, BundledStyle(STYLE))], engine="nnst", options=options)
    return time.process_time() - began


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sides", default="256,512")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--vgg", action="store_true")
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    session = Session("cpu")
    sides = [int(s) for s in args.sides.split(",")]
    networks = ["compact", "vgg16"] if args.vgg else ["compact"]
    print(f"threads: {torch.get_num_threads()}\n")
    print("| features | side | agreement | matching, s | exact, s |\n|---|---|---|---|---|")
    for name in networks:
        for side in sides:
            share, ours, exact = agreement(name, side)
            print(f"| {name} | {side} | {share:.1%} | {ours:.2f} | {exact:.2f} |", flush=True)
    print("\n| features | side | published, s | its loss | ours to that loss, s | ratio |")
    print("|---|---|---|---|---|---|")
    for name in networks:
        for side in sides:
            published, goal, ours, _ = descents(name, side, args.steps)
            print(
                f"| {name} | {side} | {published:.1f} | {goal:.4f} | {ours:.1f} | {ours / published:.2f} |",
                flush=True,
            )
    if args.vgg:
        print("\n| side | published, VGG-16, s a step | ours, bundled network, 80 steps, s | of 200 steps |")
        print("|---|---|---|---|")
        for side in sides:
            each, ours = a_step("vgg16", side), descents("compact", side, 80)[0]
            print(f"| {side} | {each:.2f} | {ours:.1f} | {ours / (200 * each):.3f} |", flush=True)
    print("\n| whole job | side | s |\n|---|---|---|")
    for side in sides:
        print(f"| decoder | {side} | {whole(session, side, mode='decoder'):.1f} |", flush=True)
        seconds = whole(session, side, mode="optimise", steps=args.steps)
        print(f"| optimise, {args.steps} steps | {side} | {seconds:.1f} |", flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\npeak memory of all this: {peak:.0f} MB")


if __name__ == "__main__":
    main()
