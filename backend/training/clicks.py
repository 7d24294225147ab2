"""Train the click-to-mask network: ``python -m scumble.backend.training clicks --masks DIR --out FILE``.

``DIR`` holds pictures and, under the same stems, label maps (PNG, one number a region) with an
``index.csv`` that names each stem's kind: ``regions`` (every label is a target), ``object`` (all that
is not 0) or ``parts`` (both).  A tenth of the stems, chosen by hash, is never trained on.  Clicks are
simulated as in interactive segmentation since Xu et al. (2016): the first inside the target, each
further one into the largest error of the answer before.  As in Sofiiuk et al. (2021) all turns but a
sample's last are gone through without gradients, so that late turns cost little and are seen often.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import math
import time
from dataclasses import dataclass
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
from scumble.backend.nn.clicks import ClickNet, Seen
from scumble.backend.segment.simulated import first_click, next_click

#: Most clicks of one training sample.
CLICKS = 8
#: How often a sample ends with its first, second, ... click.
ENDS = (0.32, 0.18, 0.14, 0.12, 0.09, 0.07, 0.05, 0.03)
#: How often a picture of a kind is drawn: maps with many regions have more to show than one object.
DRAWN = {"regions": 2.5, "parts": 1.0, "object": 0.8}
#: Shorter side at which pictures are kept, in pixels.
SIDE = 240


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
        side = int(min(height, width) * self.rng.uniform(0.55, 1.0))
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


def boxed(target: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.float32]:
    """A box around a target, drawn by an unsteady hand, as a mask of 0.5."""
    rows, columns = np.flatnonzero(target.any(1)), np.flatnonzero(target.any(0))
    y0, y1, x0, x1 = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    dy, dx = rng.normal(0, 0.03 * (y1 - y0), 2), rng.normal(0, 0.03 * (x1 - x0), 2)
    out = np.zeros(target.shape, np.float32)
    top, left = max(0, round(y0 + dy[0])), max(0, round(x0 + dx[0]))
    out[top : max(top + 2, round(y1 + dy[1])), left : max(left + 2, round(x1 + dx[1]))] = 0.5
    return out


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


def step(net: ClickNet, samples: Samples, count: int, side: int = 0) -> tuple[Tensor, list[float]]:
    """Loss of a batch after its last simulated click, and the mean overlap after each.

    :param side: of the crops; 0 for the samples' own.
    """
    images, targets = samples.batch(count, side)
    rng = samples.rng
    seen: Seen = net.encoder(images.contiguous(memory_format=torch.channels_last))
    goal = F.avg_pool2d(torch.from_numpy(targets)[:, None].float(), 2)
    clicks = torch.zeros(count, CLICKS, 3)
    before: Tensor | None = None
    turns = 1 + int(rng.choice(CLICKS, p=ENDS))
    begin = 0
    if rng.random() < 0.2:  # a box instead of the first click
        drawn = np.stack([boxed(t, rng) for t in targets])
        before = F.avg_pool2d(torch.from_numpy(drawn)[:, None], 2)
        begin = 1
    means = []
    guess = np.zeros_like(targets)
    for turn in range(turns):
        if turn >= begin:
            for i in range(count):
                # A person clicks into the middle more often than anywhere.
                where = None if rng.random() < 0.3 else rng
                hit = first_click(targets[i], where) if turn == 0 else next_click(targets[i], guess[i], where)
                if hit is not None:
                    clicks[i, turn] = torch.tensor([hit.x, hit.y, 1.0 if hit.positive else -1.0])
        with torch.set_grad_enabled(turn == turns - 1):
            logits, scores = net.head(seen, clicks[:, : turn + 1], before)
        real = overlap(logits.detach(), goal)
        means.append(float(real[:, 0].mean()))
        before = logits[:, :1].detach().sigmoid()
        full = F.interpolate(before, scale_factor=2, mode="bilinear", align_corners=False)
        guess = (full[:, 0] > 0.5).numpy()
        if rng.random() < 0.3:  # editors send selections back that are harder than ours
            before = (before > 0.5).float()
    each = losses(logits, goal)
    total = (each[:, 0] + 0.5 * each.amin(1) + 0.05 * each.mean(1)).mean()
    return total + 0.2 * F.binary_cross_entropy_with_logits(scores, real), means


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
    # Edges and colours need no learning, and the first layers cost the most.
    deep = [m for name, m in net.encoder.named_children() if not name.startswith("1_")]
    net.encoder.requires_grad_(False)
    groups = [
        {"params": list(net.head.parameters()), "share": 1.0},
        {"params": [p for m in deep for p in m.parameters()], "share": args.encoder},
    ]
    optimizer = torch.optim.AdamW(groups, lr=args.rate, weight_decay=1e-4)
    averaged = {k: v.clone() for k, v in net.state_dict().items()}
    sides = sorted({max(32, args.size - 32), args.size})
    began, told = time.monotonic(), time.monotonic()
    sums: list[Any] = []
    for number in range(1, args.steps + 1):
        share = max(number / args.steps, (time.monotonic() - began) / (60 * args.minutes or math.inf))
        rate = args.rate * min(1.0, number / 100) * (0.5 + 0.5 * math.cos(math.pi * min(1.0, share)))
        for group in optimizer.param_groups:
            group["lr"] = max(rate, 1e-6) * group["share"]
        for layer in deep:  # costs as much as the head's whole step: not at every one
            layer.requires_grad_(args.encoder > 0 and number % 3 == 0)
        loss, means = step(net, samples, args.batch, int(samples.rng.choice(sides)))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_([p for g in groups for p in g["params"]], 1.0)
        optimizer.step()
        keep = min(0.998, 1 - 10 / (number + 10))
        for key, value in net.state_dict().items():
            averaged[key].lerp_(value, 1 - keep)
        sums.append((float(loss.detach()), means[0], means[-1]))
        if number % 50 == 0:
            mean = np.mean(sums, axis=0)
            line = f"{number} loss {mean[0]:.3f} first {mean[1]:.3f} last {mean[2]:.3f}"
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
    parser.add_argument(
        "--encoder", type=float, default=0.25, help="the encoder's share of the rate; 0 leaves it as it is"
    )
    parser.add_argument("--most", type=int, default=0, help="pictures to use at most; 0: all")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args(argv)
    if args.size % 32:
        parser.error("--size is a multiple of 32")
    train(args)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
