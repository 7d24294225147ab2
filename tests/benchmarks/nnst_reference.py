"""The published algorithm, whole, beside ours: same features, same pictures, same machine.

    python tests/benchmarks/nnst_reference.py [--side 256] [--features compact] [--steps 200] [--ours 80]

The reference goes from 64 px up by doubling: exact matches once a scale, 200 steps of Adam at 2e-3 on
the Laplacian pyramid, then 200 steps that match every layer anew at each.  Both results, and ours on its
way, are judged alike: every place of the picture is matched exactly with the style, and 1 - cosine
averaged; ``columns`` by whole hypercolumns, ``layers`` layer by layer, which is what the reference's last
pass descends on.  Seconds are of the processor.  The style is not turned, in favour of the reference: its
last pass would take four times as long.  Ours is without its last strokes, which descend on other features;
``--plain`` leaves out all that the reference has not, so that both have the same goal.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from nnst import photo, region
from torch import Tensor
from torch.nn import functional as F

from scumble.backend.engines import nnst_descent, nnst_models, nnst_paint
from scumble.backend.engines.base import Context, JobRegion
from scumble.backend.engines.cache import TensorCache
from scumble.backend.engines.nnst_ground import fit
from scumble.backend.engines.nnst_paint import Canvas, PiecePainter
from scumble.backend.engines.nnst_plan import working
from scumble.backend.engines.nnst_style import Bank, Eyes
from scumble.backend.nn.nnst_pyramid import collapse, laplacian, without_detail

RATE, COARSEST, KEEP = 2e-3, 64, 0.5
#: Products of one block.
BLOCK = 1 << 24


@dataclass(frozen=True)
class Setting:
    """What both are given."""

    eyes: Eyes
    context: Context
    content: Tensor
    region: JobRegion

    @classmethod
    def of(cls, features: str, side: int) -> Setting:
        """The benchmark's pictures at a size; the style's short side is the motif's."""
        eyes = nnst_models.eyes(features, torch.device("cpu"))
        context = Context(torch.device("cpu"), TensorCache(1 << 30))
        content = torch.from_numpy(photo(side)).permute(2, 0, 1).float() / 255
        return cls(eyes, context, content, region(style_scale=side / 512, turned=False))

    def rows(self, shrink: float) -> Tensor:
        """The style's hypercolumns."""
        return Bank.of(self.region, self.eyes, self.context, shrink).rows.float()


def _keys(rows: Tensor) -> Tensor:
    return F.normalize(rows - rows.mean(0), dim=1)


def _exact(queries: Tensor, keys: Tensor) -> Tensor:
    """As published: the whole table of products, in blocks, and the largest of each row."""
    units = F.normalize(queries - queries.mean(0), dim=1)
    step = max(1, BLOCK // keys.shape[0])
    return torch.cat([(part @ keys.T).argmax(1) for part in units.split(step)])


def _steps(setting: Setting, start: Tensor, steps: int, loss: object) -> Iterator[tuple[Tensor, float]]:
    bands = [b.clone().requires_grad_() for b in laplacian(start)]
    adam = torch.optim.Adam(bands, lr=RATE)
    for _ in range(steps):
        adam.zero_grad()
        value = loss(setting.eyes.look(collapse(bands)).flatten(1).T)  # type: ignore[operator]
        value.backward()
        adam.step()
        yield collapse([b.detach() for b in bands]), float(value.detach())


def reference(setting: Setting, steps: int) -> tuple[Tensor, Tensor, float, float]:
    """(result before the last pass, result, seconds before the last pass, seconds)."""
    side, paint = setting.content.shape[-1], None
    sizes = [side]
    while sizes[-1] > COARSEST:
        sizes.append(sizes[-1] // 2)
    began = time.process_time()
    rows = setting.rows(1.0)
    for size in reversed(sizes):
        small = fit(setting.content, (size, size))
        rows = setting.rows(side / size)
        query = small if paint is None else torch.lerp(fit(paint, (size, size)), small, KEEP)
        paint = without_detail(small, 2) if paint is None else fit(paint, (size, size))
        with torch.no_grad():
            wanted = rows[_exact(setting.eyes.look(query).flatten(1).T, _keys(rows))]

        def whole(found: Tensor, wanted: Tensor = wanted) -> Tensor:
            return (1 - F.cosine_similarity(found, wanted, dim=1)).mean()

        for found, _ in _steps(setting, paint, steps, whole):
            paint = found
    assert paint is not None
    before, first = paint, time.process_time() - began

    layers = [(part, rows[:, part].contiguous()) for part in setting.eyes.look.slices]
    known = [_keys(own) for _, own in layers]

    def split(found: Tensor) -> Tensor:
        parts = []
        for (part, own), keys in zip(layers, known, strict=True):
            with torch.no_grad():
                wanted = own[_exact(found[:, part], keys)]
            parts.append((1 - F.cosine_similarity(found[:, part], wanted, dim=1)).mean())
        return torch.stack(parts).mean()

    for found, _ in _steps(setting, paint, steps, split):
        paint = found
    return before, paint.clamp(0, 1), first, time.process_time() - began


def multiplied(setting: Setting, few: int, steps: int) -> tuple[float, float]:
    """(seconds before the last pass, seconds) of the reference with ``steps`` a scale, from ``few`` of each.

    From two runs, so that what is done once is not multiplied.
    """
    reference(setting, 1)  # the first one also encodes the style
    _, _, first, total = reference(setting, few)
    _, _, first_one, total_one = reference(setting, 1)
    each, last = (first - first_one) / (few - 1), (total - first - total_one + first_one) / (few - 1)
    before = first_one + (steps - 1) * each
    return before, before + total_one - first_one + (steps - 1) * last


@torch.no_grad()
def judged(setting: Setting, picture: Tensor) -> tuple[float, float]:
    """(by columns, by layers), see the module."""
    rows, found = setting.rows(1.0), setting.eyes.look(picture).flatten(1).T

    def one(part: slice) -> float:
        wanted = rows[_exact(found[:, part], _keys(rows[:, part]))][:, part]
        return float((1 - F.cosine_similarity(found[:, part], wanted, dim=1)).mean())

    return one(slice(None)), float(np.mean([one(part) for part in setting.eyes.look.slices]))


def plain() -> None:
    """Leave out of ours what the reference has not: moments, colours, the smoothed gradient, the hues."""
    nnst_descent.MOMENTS_WEIGHT = nnst_descent.COLOUR_WEIGHT = 0.0
    nnst_descent.LEAST_CELLS = float("inf")
    nnst_descent.SPREAD = (1.0,)
    nnst_paint.with_hues_of = lambda output, other: output


def ours(setting: Setting, **options: object) -> list[tuple[float, Tensor]]:
    """(seconds, picture) after each step of the finest scale; the last one is the result."""
    given = {**setting.region.options, "mode": "optimise", **options}
    own = replace(setting.region, options=given)
    side = setting.content.shape[-1]
    ones = torch.ones(side, side)
    seen: list[tuple[float, Tensor]] = []
    began = time.process_time()

    def show(paint: Tensor) -> None:
        if paint.shape[-1] == side:
            seen.append((time.process_time() - began, paint.clone()))

    canvas = Canvas(setting.content, ones, ones, (ones,), (own,))
    place = working(np.ones((side, side), bool), 512)
    painter = PiecePainter(canvas, place, setting.eyes, setting.context, given, 0, show, lambda cost: None)
    result = painter.run()
    return [*seen, (time.process_time() - began, result)]


def main() -> None:
    """Print what each reaches, and when."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--features", default="compact")
    parser.add_argument("--steps", type=int, default=200, help="of the reference, at each scale")
    parser.add_argument("--ours", type=int, default=80, help="steps of ours at each scale")
    parser.add_argument("--finish", type=int, default=2, help="finishing passes of ours")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--few", type=int, default=0, help="time so many steps of it, and multiply")
    parser.add_argument("--plain", action="store_true", help="ours on the reference's loss alone")
    args = parser.parse_args()
    if args.plain:
        plain()
    torch.set_num_threads(args.threads)
    setting = Setting.of(args.features, args.side)
    if args.few:
        before, total = multiplied(setting, args.few, args.steps)
        print(f"reference, {args.steps} steps: {before:.0f} s before its last pass, {total:.0f} s whole")
        return
    print("| | s | columns | layers |\n|---|---|---|---|")
    seen = ours(setting, steps=args.ours, finish=args.finish, features=args.features)
    for seconds, picture in [*seen[:: max(1, len(seen) // 12)], seen[-1]]:
        columns, layers = judged(setting, picture)
        print(f"| ours | {seconds:.1f} | {columns:.4f} | {layers:.4f} |", flush=True)
    before, result, first, total = reference(setting, args.steps)
    for name, seconds, picture in (("before its last pass", first, before), ("whole", total, result)):
        columns, layers = judged(setting, picture)
        print(f"| reference, {name} | {seconds:.1f} | {columns:.4f} | {layers:.4f} |", flush=True)


if __name__ == "__main__":
    main()
