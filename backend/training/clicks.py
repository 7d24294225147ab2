"""Train the click-to-mask network: ``python -m scumble.backend.training clicks --masks DIR --out FILE``.

``DIR`` holds pictures and, under the same stems, label maps (PNG, one number a region) with an
``index.csv`` that names each stem's kind: ``regions`` (every label is a target), ``object`` (all that
is not 0) or ``parts`` (both).  A tenth of the stems, chosen by hash, is never trained on.  Clicks are
simulated as in interactive segmentation since Xu et al. (2016): the first inside the target, each
further one into the largest error of the answer before; see :mod:`.clicks_pool`.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import math
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional as F

from scumble.backend.models.bundled import bundled
from scumble.backend.nn.clicks import ClickNet

from .clicks_pool import Pool

#: How often a picture of a kind is drawn: maps with many regions have more to show than one object.
DRAWN = {"regions": 2.5, "parts": 1.0, "object": 0.8}
#: Shorter side at which pictures are kept, in pixels.
SIDE = 288
#: Least and largest side of a crop, as a share of the shorter side: small things are seen enlarged too.
CROPS = (0.4, 1.0)
#: Conversations under way at once, in batches.
POOL = 5


def held_out(stem: str) -> bool:
    """Whether a stem belongs to the tenth that is never trained on."""
    return int(hashlib.blake2b(stem.encode(), digest_size=4).hexdigest(), 16) % 10 == 0


@dataclass(frozen=True)
class Labelled:
    """A picture with its label map, both of one size."""

    image: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    kind: str


def load(folder: Path, *, held: bool = False, most: int = 0) -> list[Labelled]:
    """Read the pictures that are (not) held out, their shorter side brought down to :data:`SIDE`."""
    found = []
    with (folder / "index.csv").open(newline="") as file:
        rows = [r for r in csv.DictReader(file) if held_out(r["stem"]) == held]
    for row in rows[: most or None]:
        paths = [p for p in folder.glob(f"{row['stem']}.*") if p.suffix in (".jpg", ".jpeg", ".webp")]
        if not paths:
            continue
        with Image.open(paths[0]) as picture, Image.open(folder / f"{row['stem']}.png") as drawn:
            image, labels = np.asarray(picture.convert("RGB")), np.asarray(drawn)
        scale = min(1.0, SIDE / min(image.shape[:2]))
        size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
        fit = cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST).astype(np.uint8)
        found.append(Labelled(small, fit, row["kind"]))
    return found


class Samples:
    """Random crops with a target each.

    :param side: of a crop in pixels, a multiple of 32.
    """

    def __init__(self, pictures: list[Labelled], side: int, seed: int) -> None:
        self.pictures, self.side = pictures, side
        self.rng = np.random.default_rng(seed)
        weights = np.array([DRAWN.get(p.kind, 1.0) for p in pictures])
        self._often = weights / weights.sum()

    def batch(self, count: int, side: int = 0) -> tuple[Tensor, NDArray[np.bool_]]:
        """(count, 3, side, side) in [0, 1] and (count, side, side) targets."""
        side = side or self.side
        images, targets = zip(*(self._one(side) for _ in range(count)))
        stacked = np.stack(images).transpose(0, 3, 1, 2)
        return torch.from_numpy(np.ascontiguousarray(stacked)), np.stack(targets)

    def _one(self, to: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        while True:
            one = self.pictures[self.rng.choice(len(self.pictures), p=self._often)]
            image, labels = self._crop(one, to)
            target = self._target(labels, one.kind)
            if target is not None:
                return self._lit(image), target

    def _crop(self, one: Labelled, to: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        height, width = one.labels.shape
        side = int(min(height, width) * self.rng.uniform(*CROPS))
        # A little anamorphic: a picture's format is no fact about its content.
        wide = min(width, int(side * self.rng.uniform(0.85, 1.5)))
        top, left = self.rng.integers(height - side + 1), self.rng.integers(width - wide + 1)
        place = (slice(top, top + side), slice(left, left + wide))
        size = (to, to)
        image = cv2.resize(one.image[place], size, interpolation=cv2.INTER_AREA)
        labels = cv2.resize(one.labels[place], size, interpolation=cv2.INTER_NEAREST)
        if self.rng.random() < 0.5:
            image, labels = image[:, ::-1], labels[:, ::-1]
        return image.astype(np.uint8), labels.astype(np.uint8)

    def _target(self, labels: NDArray[np.uint8], kind: str) -> NDArray[np.bool_] | None:
        if kind == "object" or (kind == "parts" and self.rng.random() < 0.4):
            target = labels > 0
        else:
            names, counts = np.unique(labels, return_counts=True)
            fit = names[(counts > 0.012 * labels.size) & (names > 0)]
            if not fit.size:
                return None
            target = labels == self.rng.choice(fit)
        return target if 0.012 < target.mean() < 0.9 else None

    def _lit(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        x = image.astype(np.float32) / 255
        gain, shift = self.rng.uniform(0.75, 1.25, 3) * self.rng.uniform(0.8, 1.2), self.rng.normal(0, 0.05)
        x = np.clip(x * gain.mean() * (0.7 + 0.3 * gain / gain.mean()) + shift, 0, 1)
        if self.rng.random() < 0.1:
            x = np.repeat(x.mean(2, keepdims=True), 3, 2)
        return x.astype(np.float32)


def losses(logits: Tensor, target: Tensor) -> Tensor:
    """(N, CANDIDATES): cross entropy, the unsure pixels weighing most, plus what the masks miss of
    each other."""
    goal = target.expand_as(logits)
    raw = F.binary_cross_entropy_with_logits(logits, goal, reduction="none")
    doubt = (logits.detach().sigmoid() - goal).abs() + 0.1
    cross = (raw * doubt).sum((2, 3)) / doubt.sum((2, 3))
    p = logits.sigmoid()
    dice = 1 - (2 * (p * goal).sum((2, 3)) + 1) / ((p + goal).sum((2, 3)) + 1)
    return cross + dice


def overlap(logits: Tensor, target: Tensor) -> Tensor:
    """(N, CANDIDATES) intersection over union of what is above 0."""
    mask, goal = logits > 0, (target > 0.5).expand_as(logits)
    both, either = (mask & goal).sum((2, 3)), (mask | goal).sum((2, 3))
    return both.float() / either.clamp_min(1).float()


def step(net: ClickNet, pool: Pool, count: int) -> tuple[Tensor, float]:
    """Loss of one turn of some conversations, and the mean overlap after it; the conversations go on."""
    chosen = pool.batch(count)
    seen, clicks, before, goal = pool.said(chosen)
    logits, scores = net.head(seen, clicks, before)
    real = overlap(logits.detach(), goal)
    each = losses(logits, goal)
    total = (each[:, 0] + 0.5 * each.amin(1) + 0.05 * each.mean(1)).mean()
    pool.answered(chosen, logits[:, :1].detach().sigmoid())
    return total + 0.2 * F.binary_cross_entropy_with_logits(scores, real), float(real[:, 0].mean())


def save(averaged: dict[str, Tensor], out: Path, facts: dict[str, str]) -> None:
    """Write the averaged weights in half precision."""
    halves = {k: v.half().contiguous() for k, v in averaged.items()}
    save_file(halves, out, metadata={"name": "clicks", "licence": "MIT", **facts})


def train(args: argparse.Namespace) -> None:
    """Train until the steps or the minutes are used up, whichever is first."""
    torch.manual_seed(args.seed)
    net = ClickNet()
    start = load_file(args.start) if args.start else bundled("clicks")
    own = {k.removeprefix("encoder."): v.float() for k, v in start.items() if k.startswith("encoder.")}
    net.encoder.load_state_dict(own)
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    head = {k.removeprefix("head."): v.float() for k, v in start.items() if k.startswith("head.")}
    if head and not args.fresh:
        net.head.load_state_dict(head)
    samples = Samples(load(args.masks, most=args.most), args.size, args.seed)
    print(f"{len(samples.pictures)} pictures", flush=True)
    net.encoder.requires_grad_(False)
    optimizer = torch.optim.AdamW(net.head.parameters(), lr=args.rate, weight_decay=1e-4)
    averaged = {k: v.clone() for k, v in net.state_dict().items()}
    # Half the steps at a smaller size cost little and see the scene from further away.
    sides = sorted({max(32, args.size - 32), args.size})
    pools = [Pool(net, partial(samples.batch, side=side), POOL * args.batch, samples.rng) for side in sides]
    began, told = time.monotonic(), time.monotonic()
    sums: list[Any] = []
    for number in range(1, args.steps + 1):
        share = max(number / args.steps, (time.monotonic() - began) / (60 * args.minutes or math.inf))
        rate = args.rate * min(1.0, number / 100) * (0.5 + 0.5 * math.cos(math.pi * min(1.0, share)))
        for group in optimizer.param_groups:
            group["lr"] = max(rate, 1e-6)
        loss, mean = step(net, pools[number % len(pools)], args.batch)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.head.parameters(), 1.0)
        optimizer.step()
        keep = min(0.998, 1 - 10 / (number + 10))
        for key, value in net.state_dict().items():
            averaged[key].lerp_(value, 1 - keep)
        sums.append((float(loss.detach()), mean))
        if number % 50 == 0:
            told_loss, told_mean = np.mean(sums, axis=0)
            line = f"{number} loss {told_loss:.3f} overlap {told_mean:.3f}"
            print(f"{line} {(time.monotonic() - began) / 60:.1f} min", flush=True)
            sums.clear()
        done = share >= 1
        if done or number == args.steps or time.monotonic() - told > 120:
            told = time.monotonic()
            save(averaged, args.out, {"seed": str(args.seed), "steps": str(number)})
        if done:
            return


def main(argv: list[str] | None = None) -> int:
    """Train the network of click-to-mask method ``clicks``."""
    parser = argparse.ArgumentParser(
        prog="python -m scumble.backend.training clicks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--masks", type=Path, required=True, help="folder of pictures with label maps")
    parser.add_argument("--out", type=Path, required=True, help="the safetensors file to write")
    parser.add_argument("--start", type=Path, help="weights to start from; default: the bundled ones")
    parser.add_argument("--fresh", action="store_true", help="only the encoder of --start, a new head")
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--minutes", type=float, default=0.0, help="end after so long; 0: after --steps")
    parser.add_argument("--size", type=int, default=128, help="side of a crop in pixels, a multiple of 32")
    parser.add_argument("--batch", type=int, default=12)
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--most", type=int, default=0, help="pictures to use at most; 0: all")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args(argv)
    if args.size % 32:
        parser.error("--size is a multiple of 32")
    train(args)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
