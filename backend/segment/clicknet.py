"""Method ``clicks``: the bundled network that was trained on simulated clicks."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from scumble.backend.engines.base import Context
from scumble.backend.models.bundled import bundled, index
from scumble.backend.nn.clicks import ClickNet, Seen

from . import merging
from .base import LEAST_AREA, Candidate, Floats, Prompt, distinct, resized
from .simulated import first_click
from .snapping import snapped

NAME = "clicks"
#: Longer side in pixels of what the network sees: it was trained at about that scale.
SIDE = 192
#: Clicks after which earlier ones are no longer gone through one by one.
REPLAYED = 6
#: A thing smaller than this share of the picture is looked at again enlarged, with this much around it.
ZOOM_BELOW, ZOOM_AROUND = 0.55, 1.5
#: Clicks that are answered at once when all regions are looked for, and overlap from which two answers
#: are one thing.
AT_ONCE, ONE_THING = 8, 0.6


@lru_cache(maxsize=2)
def load(device: str) -> ClickNet:
    """The bundled network on a device; loaded once a process."""
    return ClickNet.from_tensors(bundled(NAME)).to(torch.device(device))


class Clicks:
    """A small network that has seen many things outlined."""

    name = NAME
    label = "Things (small network)"
    help = "Knows how things and regions end; bundled, quick without a GPU."
    side = 640

    def missing(self) -> str:
        """See :meth:`Method.missing`."""
        return "" if NAME in index() else "Its weights are not part of this installation."

    @torch.inference_mode()
    def find(self, image: Floats, prompt: Prompt, key: str, context: Context) -> list[Candidate]:
        """See :meth:`Method.find`."""
        height, width = image.shape[:2]
        whole = (0.0, 0.0, float(width), float(height))
        logits, scores = self._answer(image, whole, prompt, key, context)
        main = np.asarray(_sigmoid(logits[0]))
        frame = zoomed(main, prompt, (height, width))
        if frame is not None:
            context.checkpoint()
            nearer = Prompt(prompt.points, prompt.box, main)
            logits, scores = self._answer(image, frame, nearer, key, context, outside=logits)
        found = [Candidate(_sigmoid(logit), float(s)) for logit, s in zip(logits, scores, strict=True)]
        context.checkpoint()
        moved = snapped(image, found[0].mask, prompt)
        if agrees(moved, prompt):
            found[0] = Candidate(moved, found[0].score)
        fits = [c for c in found[1:] if agrees(c.mask, prompt)]
        return distinct([found[0], *sorted(fits, key=lambda c: -c.score)])

    @torch.inference_mode()
    def regions(self, image: Floats, most: int, key: str, context: Context) -> list[Candidate]:
        """See :meth:`Method.regions`: a click into each part that colours and edges make out, answered
        many at a time; what no answer holds is left as those parts are."""
        parts = merging.divided(image, most, LEAST_AREA, context)
        net, (height, width) = load(str(context.device)), image.shape[:2]
        scale = SIDE / max(height, width)
        size = (max(32, round(height * scale)), max(32, round(width * scale)))
        factor = (size[1] / width, size[0] / height)
        seen = self._seen(net, resized(image, size), f"{key}/{(0, 0, width, height)}", context)
        clicks = [first_click(p.mask >= 0.5) for p in parts]
        found: list[Candidate] = []
        for begin in range(0, len(clicks), AT_ONCE):
            context.checkpoint()
            context.progress("select", begin, len(clicks))
            some = Prompt(tuple(clicks[begin : begin + AT_ONCE])).scaled(factor, size).points
            said = torch.tensor([[[c.x, c.y, 1.0]] for c in some], device=context.device)
            logits, scores = net.head(_repeated(seen, len(some)), said, None)
            fine = F.interpolate(logits[:, :1], scale_factor=2.0, mode="bilinear", align_corners=False)
            masks = fine[:, 0, : size[0], : size[1]].sigmoid().cpu().numpy()
            sure = scores[:, 0].sigmoid().cpu().tolist()
            for click, mask, score in zip(clicks[begin:], masks, sure, strict=False):
                one = Candidate(resized(mask, (height, width)), score)
                hard = one.mask >= 0.5
                if LEAST_AREA < hard.mean() < 0.95 and agrees(one.mask, Prompt((click,))):
                    found.append(one)
        chosen = distinct(sorted(found, key=lambda c: -c.score), ONE_THING)[:most]
        covered = np.zeros((height, width), bool)
        for done, one in enumerate(chosen):
            context.checkpoint()
            context.progress("edge", done, len(chosen))
            chosen[done] = Candidate(snapped(image, one.mask, Prompt()), one.score)
            covered |= chosen[done].mask >= 0.5
        # Sure of being something, not of being what is meant: after all that the network knows.
        rest = [p for p in parts if (covered & (p.mask >= 0.5)).sum() < 0.5 * p.mask.sum()]
        return chosen + [Candidate(p.mask, 0.3 * p.score) for p in rest]

    def _answer(
        self, image: Floats, frame: tuple[float, float, float, float], prompt: Prompt, key: str,
        context: Context, outside: Floats | None = None,
    ) -> tuple[Floats, list[float]]:  # fmt: skip
        """Logits (K, H, W) of the whole picture, found in a frame of it, and scores."""
        net = load(str(context.device))
        x0, y0, x1, y1 = (round(v) for v in frame)
        part = image[y0:y1, x0:x1]
        scale = SIDE / max(part.shape[:2])
        size = (max(32, round(part.shape[0] * scale)), max(32, round(part.shape[1] * scale)))
        factor = (size[1] / part.shape[1], size[0] / part.shape[0])
        seen = self._seen(net, resized(part, size), f"{key}/{(x0, y0, x1, y1)}", context)
        moved = tuple(type(p)(p.x - x0, p.y - y0, p.positive) for p in prompt.points)
        box = prompt.box
        if box is not None:
            box = (box[0] - x0, box[1] - y0, box[2] - x0, box[3] - y0)
        before = None if prompt.before is None else prompt.before[y0:y1, x0:x1]
        small = Prompt(moved, box, before).scaled(factor, size)
        # Seen in a mirror as well: what depends on left and right is noise, and a mean has less of it.
        # Both are of one size and look at the same clicks, so they are one batch.
        logits, scores = _replayed(net, seen, (small, mirrored(small, size)), size, context)
        fitted = np.stack([resized(one, (y1 - y0, x1 - x0)) for one in logits])
        if outside is None:
            return fitted, scores
        joined = np.minimum(outside, -4.0)
        joined[:, y0:y1, x0:x1] = fitted
        return joined, scores

    def _seen(self, net: ClickNet, part: Floats, key: str, context: Context) -> Seen:
        name = f"clicks/{key}"
        known = context.cache.get(name)
        if isinstance(known, Seen):
            return known
        x = torch.from_numpy(np.ascontiguousarray(part.transpose(2, 0, 1)))[None].to(context.device)
        pad = (0, -x.shape[-1] % 32, 0, -x.shape[-2] % 32)
        both = torch.cat([x, x.flip(-1)])
        seen = net.encoder(F.pad(both, pad, mode="replicate") if any(pad) else both)
        context.cache.put(name, seen)
        return seen


def _repeated(seen: Seen, count: int) -> Seen:
    """The picture alone, without its mirror image, as a batch that takes no more memory."""

    def one(x: Tensor) -> Tensor:
        return x[:1].expand(count, -1, -1, -1)

    return Seen(one(seen.colour), tuple(map(one, seen.levels)), tuple(map(one, seen.smooth)))


def mirrored(prompt: Prompt, size: tuple[int, int]) -> Prompt:
    """What was said, on the picture of that (H, W) turned left to right."""
    wide = size[1]
    points = tuple(type(p)(wide - 1 - p.x, p.y, p.positive) for p in prompt.points)
    box = prompt.box
    if box is not None:
        box = (wide - box[2], box[1], wide - box[0], box[3])
    before = None if prompt.before is None else np.ascontiguousarray(prompt.before[:, ::-1])
    return Prompt(points, box, before)


def _replayed(
    net: ClickNet, seen: Seen, ways: tuple[Prompt, Prompt], size: tuple[int, int], context: Context
) -> tuple[Floats, list[float]]:
    """Give the clicks one after the other, as the network was trained; (K, h, w) logits and scores.

    :param seen: the picture and its mirror image.
    :param ways: what was said about either.
    """
    prompt, device = ways[0], context.device
    before: Tensor | None = None
    if prompt.before is not None or prompt.box is not None:
        half = seen.levels[1].shape[-2:]
        drawn = np.stack([_drawn(p, size, (2 * half[0], 2 * half[1])) for p in ways])
        before = F.avg_pool2d(torch.from_numpy(drawn)[:, None].to(device), 2)
    count = len(prompt.points)
    said = [[(p.x, p.y, 1.0 if p.positive else -1.0) for p in way.points] for way in ways]
    every = torch.tensor([rows or [(0.0, 0.0, 0.0)] for rows in said], device=device)
    first = count if prompt.before is not None else max(1, count - REPLAYED)
    turns = list(range(first, count + 1)) or [0]
    if prompt.box is not None and prompt.before is None:
        turns = [0, *turns] if count else [0]
    if count > 1:  # once more with its own answer: several clicks are not all obeyed at once
        turns.append(count)
    for turn in turns:
        context.checkpoint()
        logits, scores = net.head(seen, every[:, : max(1, turn)] * (turn > 0), before)
        before = logits[:, :1].sigmoid()
    fine = F.interpolate(logits, scale_factor=2.0, mode="bilinear", align_corners=False)
    fine = fine[..., : size[0], : size[1]]
    joined = (fine[0] + fine[1].flip(-1)) / 2
    return joined.cpu().numpy(), scores.sigmoid().mean(0).cpu().tolist()


def _drawn(prompt: Prompt, size: tuple[int, int], full: tuple[int, int]) -> Floats:
    """An earlier mask, or else a box, as the network wants to see it."""
    out: Floats = np.zeros(full, np.float32)
    if prompt.before is not None:
        out[: size[0], : size[1]] = prompt.before
    elif prompt.box is not None:
        x0, y0, x1, y1 = (max(0, round(v)) for v in prompt.box)
        out[y0 : max(y0 + 1, y1), x0 : max(x0 + 1, x1)] = 0.5
    return out


def zoomed(mask: Floats, prompt: Prompt, size: tuple[int, int]) -> tuple[float, float, float, float] | None:
    """The frame in which a small thing should be looked at again; ``None`` for a large one."""
    rows, columns = np.flatnonzero((mask >= 0.5).any(1)), np.flatnonzero((mask >= 0.5).any(0))
    if not rows.size:
        return None
    xs = [float(columns[0]), float(columns[-1] + 1), *(p.x for p in prompt.points)]
    ys = [float(rows[0]), float(rows[-1] + 1), *(p.y for p in prompt.points)]
    if prompt.box is not None:
        xs, ys = [*xs, prompt.box[0], prompt.box[2]], [*ys, prompt.box[1], prompt.box[3]]
    side = ZOOM_AROUND * max(max(xs) - min(xs), max(ys) - min(ys), 48.0)
    if side > ZOOM_BELOW * max(size):
        return None
    cx, cy = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
    x0, y0 = max(0.0, cx - side / 2), max(0.0, cy - side / 2)
    return x0, y0, min(float(size[1]), cx + side / 2), min(float(size[0]), cy + side / 2)


def agrees(mask: Floats, prompt: Prompt) -> bool:
    """Whether a mask holds every positive click and no negative one."""
    height, width = mask.shape
    return all(
        (mask[min(height - 1, max(0, round(p.y))), min(width - 1, max(0, round(p.x)))] >= 0.5) == p.positive
        for p in prompt.points
    )


def _sigmoid(x: Floats) -> Floats:
    out: Floats = (1 / (1 + np.exp(-np.clip(x, -30, 30)))).astype(np.float32)
    return out
