"""Conversations under way: pictures that were seen once and are clicked on again and again.

A sample's every turn is trained on, each with the answer that the network gave to the turn before, as
in Sofiiuk et al. (2021); because samples stay in the pool between their turns, no turn is gone through
for the sake of a later one, and the encoder looks at a picture once for all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from scumble.backend.nn.clicks import ClickNet, Seen
from scumble.backend.segment.simulated import Click, first_click, next_click

#: Most clicks of one training sample.
CLICKS = 8
#: How often a sample ends with its first, second, ... click.
ENDS = (0.26, 0.17, 0.14, 0.13, 0.1, 0.08, 0.07, 0.05)
#: How often a box comes before the first click, and a mask goes back hardened: editors' selections are.
BOXED, HARDENED = 0.15, 0.3
#: How often a click is placed as the simulated person of the benchmark does, not just well inside.
MIDDLE = 0.4

#: Draws pictures (n, 3, side, side) in [0, 1] and their targets (n, side, side).
Draw = Callable[[int], tuple[Tensor, NDArray[np.bool_]]]


def boxed(target: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.float32]:
    """A box around a target, drawn by an unsteady hand, as a mask of 0.5."""
    rows, columns = np.flatnonzero(target.any(1)), np.flatnonzero(target.any(0))
    y0, y1, x0, x1 = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    dy, dx = rng.normal(0, 0.03 * (y1 - y0), 2), rng.normal(0, 0.03 * (x1 - x0), 2)
    out = np.zeros(target.shape, np.float32)
    top, left = max(0, round(y0 + dy[0])), max(0, round(x0 + dx[0]))
    out[top : max(top + 2, round(y1 + dy[1])), left : max(left + 2, round(x1 + dx[1]))] = 0.5
    return out


@dataclass
class Slot:
    """A conversation.

    :param seen: of one picture.
    :param before: (2, h, w) at half the size: the mask so far and whether there is one.
    :param clicks: (CLICKS, 3) as the head takes them.
    :param said: clicks so far, ``ends`` when it is over.
    """

    seen: Seen
    target: NDArray[np.bool_]
    goal: Tensor
    clicks: Tensor
    before: Tensor
    said: int
    ends: int

    def click(self, hit: Click | None) -> None:
        """Say one thing more; nothing where there is nothing to say."""
        if hit is not None:
            self.clicks[self.said] = torch.tensor([hit.x, hit.y, 1.0 if hit.positive else -1.0])
        self.said += 1


class Pool:
    """Conversations about pictures of one size.

    :param size: how many at once.
    """

    def __init__(self, net: ClickNet, draw: Draw, size: int, rng: np.random.Generator) -> None:
        self._net, self._draw, self._rng = net, draw, rng
        self._slots: list[Slot] = self._begun(size)

    def batch(self, count: int) -> list[int]:
        """Which conversations go on now."""
        return [int(i) for i in self._rng.choice(len(self._slots), min(count, len(self._slots)), False)]

    def said(self, chosen: list[int]) -> tuple[Seen, Tensor, Tensor, Tensor]:
        """What the head is told, and the goals (n, 1, h, w) in [0, 1]."""
        slots = [self._slots[i] for i in chosen]
        colour = torch.cat([s.seen.colour for s in slots])
        levels = tuple(torch.cat(level) for level in zip(*(s.seen.levels for s in slots), strict=True))
        smooth = tuple(torch.cat(level) for level in zip(*(s.seen.smooth for s in slots), strict=True))
        most = max(1, *(s.said for s in slots))
        clicks = torch.stack([s.clicks for s in slots])[:, :most]
        before, goals = torch.stack([s.before for s in slots]), torch.stack([s.goal for s in slots])
        return Seen(colour, levels, smooth), clicks, before, goals

    def answered(self, chosen: list[int], masks: Tensor) -> None:
        """Go on after the head's main masks, (n, 1, h, w) in [0, 1]: click, or begin anew."""
        over = []
        for i, mask in zip(chosen, masks, strict=True):
            slot = self._slots[i]
            if slot.said >= slot.ends:
                over.append(i)
                continue
            height, width = slot.target.shape
            full = cv2.resize(mask[0].numpy(), (width, height), interpolation=cv2.INTER_LINEAR)
            hit = next_click(slot.target, full > 0.5, self._hand()) if slot.said else self._first(slot.target)
            if hit is None:  # right already
                over.append(i)
                continue
            slot.click(hit)
            hard = self._rng.random() < HARDENED
            slot.before = torch.cat([(mask > 0.5).float() if hard else mask, torch.ones_like(mask)])
        for i, new in zip(over, self._begun(len(over)), strict=True):
            self._slots[i] = new

    def _hand(self) -> np.random.Generator | None:
        return None if self._rng.random() < MIDDLE else self._rng

    def _first(self, target: NDArray[np.bool_]) -> Click:
        return first_click(target, self._hand())

    @torch.no_grad()
    def _begun(self, count: int) -> list[Slot]:
        slots: list[Slot] = []
        while len(slots) < count:
            images, targets = self._draw(min(16, count - len(slots)))
            seen = self._net.encoder(images.contiguous(memory_format=torch.channels_last))
            goals = F.avg_pool2d(torch.from_numpy(targets)[:, None].float(), 2)
            for i, target in enumerate(targets):
                one = Seen(
                    seen.colour[i : i + 1].clone(),
                    tuple(x[i : i + 1].clone() for x in seen.levels),
                    tuple(x[i : i + 1].clone() for x in seen.smooth),
                )
                before = torch.zeros(2, *goals.shape[2:])
                ends = 1 + int(self._rng.choice(CLICKS, p=ENDS))
                slot = Slot(one, target, goals[i], torch.zeros(CLICKS, 3), before, 0, ends)
                if self._rng.random() < BOXED:
                    drawn = F.avg_pool2d(torch.from_numpy(boxed(target, self._rng))[None], 2)
                    slot.before = torch.cat([drawn, torch.ones_like(drawn)])
                else:
                    slot.click(self._first(target))
                slots.append(slot)
        return slots
