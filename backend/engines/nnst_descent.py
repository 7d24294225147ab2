"""The optimising half of engine ``nnst``: descend until the features are the borrowed ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from scumble.backend.nn.nnst_features import CELL, GRAIN, Hypercolumns, padded
from scumble.backend.nn.nnst_pyramid import collapse, laplacian
from scumble.backend.nn.nnst_swift import cosine_distance, layers_of, unit

from .base import Context
from .descent_adam import Adam
from .nnst_ground import Ground
from .nnst_moments import Moments, apart

#: Adam's rate at the first step of a scale (published: 2e-3 throughout); it falls to a quarter.
RATE = 4e-3
#: What a cell's mean colour counts beside the cosine of its features.  Not in the paper, which corrects
#: colours afterwards: cosine does not see how strong a colour is, so skies turn into rainbows.
COLOUR_WEIGHT = 0.6
#: What the moments of a region's features count beside it, and from how many cells on.
MOMENTS_WEIGHT, LEAST_CELLS = 0.1, 16.0
#: Weights with which a pixel's gradient spreads over its neighbours.
SPREAD = (1.0, 4.0, 6.0, 4.0, 1.0)
#: A scale is left early when this many steps improved the loss by less than ``LEAST_GAIN``.
PATIENCE, LEAST_GAIN = 20, 0.005
#: Side of a tile's core on a CPU, in pixels; several bound the memory and the wait for a cancellation.
TILE = 640
#: What is wanted of the cells is kept between steps if it takes no more than this.
KEPT_BYTES = 256 << 20


@dataclass
class Target:
    """What each cell's features should become: rows of the regions' styles.

    :param slices: groups of channels that are compared (and were matched) by themselves.
    :param rows: per region (M, C).
    :param index: per region (groups, cells) places; -1 where the region does not match.
    :param shares: per region (cells,).
    :param colours: (cells, 3) mean colour that each cell should have.
    :param moments: per region what its features should be taken together, by ``layers``; may be empty.
    :param turn: goes up whenever ``index`` changes.
    """

    slices: Sequence[slice]
    rows: Sequence[Tensor]
    index: list[Tensor]
    shares: Sequence[Tensor]
    colours: Tensor
    moments: Sequence[Sequence[Moments]] = ()
    layers: Sequence[slice] = ()
    turn: int = 0

    def of(self, cells: Tensor) -> Tensor:
        """(N, C) for N cells: what the regions there want, by their shares."""
        if len(self.rows) == 1:
            return self._borrowed(0, cells)
        total, weight = None, torch.zeros(cells.numel(), 1, device=cells.device)
        for i, shares in enumerate(self.shares):
            share = shares[cells][:, None]
            if not bool((share > 0).any()):
                continue
            part = self._borrowed(i, cells) * share
            total = part if total is None else total + part
            weight += share
        assert total is not None
        return total / weight.clamp_min(1e-6)

    def _borrowed(self, region: int, cells: Tensor) -> Tensor:
        index = self.index[region][:, cells].clamp_min(0)
        rows = self.rows[region]
        if len(self.slices) == 1:
            return rows[index[0]].float()
        return torch.cat([rows[i, s].float() for i, s in zip(index, self.slices, strict=True)], 1)


@dataclass(frozen=True, eq=False)
class Tile:
    """A part of the picture that is looked at by itself."""

    frame: tuple[int, int, int, int]
    columns: Tensor  # positions of the tile's cells within its frame's grid, flat
    cells: Tensor  # the same cells on the whole grid, flat
    all: bool  # whether that is the whole frame


def _tiles(ground: Ground, active: Tensor, side: int, margin: int) -> list[Tile]:
    """Cover the active cells; each tile sees ``margin`` pixels around its core."""
    height, width = ground.content.shape[-2:]
    columns = ground.grid[1]
    side = max(GRAIN, side // GRAIN * GRAIN)
    if max(height, width) <= side + 2 * margin:
        side = max(height, width)
    found = []
    y, x = torch.div(active, columns, rounding_mode="floor"), active % columns
    margin = -(-margin // GRAIN) * GRAIN
    for top in range(0, height, side):
        for left in range(0, width, side):
            inside = (y >= top // CELL) & (y < -(-(top + side) // CELL))
            inside &= (x >= left // CELL) & (x < -(-(left + side) // CELL))
            if not bool(inside.any()):
                continue
            cy, cx = y[inside], x[inside]
            # Only what was drawn on is looked at: the frame hugs the tile's active cells.
            y0 = max(0, int(cy.min()) * CELL - margin) // GRAIN * GRAIN
            x0 = max(0, int(cx.min()) * CELL - margin) // GRAIN * GRAIN
            y1 = min(height, (int(cy.max()) + 1) * CELL + margin)
            x1 = min(width, (int(cx.max()) + 1) * CELL + margin)
            wide = -(-(x1 - x0) // GRAIN) * (GRAIN // CELL)
            local = (cy - y0 // CELL) * wide + (cx - x0 // CELL)
            high = -(-(y1 - y0) // GRAIN) * (GRAIN // CELL)
            found.append(Tile((x0, y0, x1, y1), local, active[inside], local.numel() == wide * high))
    return found


class Descent:
    """One scale's optimisation of the paint on a :class:`Ground`."""

    def __init__(self, net: Hypercolumns, ground: Ground, context: Context) -> None:
        self.net = net
        self.ground = ground
        self.context = context
        matched = torch.stack(ground.cell_shares).sum(0) > 0
        self.active = ((ground.weight > 0) & matched).nonzero()[:, 0]
        side = min(TILE, context.tile) if context.device.type == "cpu" else min(2048, context.tile)
        self.tiles = _tiles(ground, self.active, side, net.reach)
        self.losses: list[float] = []
        self._known: dict[Tile, list[Tensor]] = {}
        self._turn = -1

    def features(self, image: Tensor) -> Iterator[tuple[Tile, list[Tensor]]]:
        """(tile, (C, N) features of its cells, layer by layer) of a (3, H, W) picture."""
        for tile in self.tiles:
            x0, y0, x1, y1 = tile.frame
            found = layers_of(self.net, image[:, y0:y1, x0:x1], self.context.checkpoint)
            yield tile, [x if tile.all else x.index_select(1, tile.columns) for x in found]

    def run(
        self,
        paint: Tensor,
        target: Target,
        steps: int,
        *,
        follow: Callable[[int, Tile, Sequence[Tensor]], None] = lambda step, tile, found: None,
        after: Callable[[int, Tensor], None] = lambda step, image: None,
        also: Callable[[Tensor], Tensor] | None = None,
        rate: float | None = None,
    ) -> Tensor:
        """Descend from a (3, H, W) start; the paint.

        :param follow: called with (step, tile, its features) before these are compared with what is
            wanted, for matches that follow the picture.
        :param after: called with (step, the paint after it).
        :param also: a further loss of the composite.
        :param rate: of the first step, in place of :data:`RATE`.
        """
        bands = [b.clone().requires_grad_() for b in laplacian(paint)]
        rate = RATE if rate is None else rate
        adam = [Adam(b) for b in bands]
        weights = self.ground.weight
        total = float(weights[self.active].sum().clamp_min(1e-6))
        self.losses, self._turn = [], -1
        for step in range(steps):
            self.context.checkpoint()
            composite = self.ground.over(collapse(bands))
            leaf = composite.detach().requires_grad_()
            loss = 0.0
            for tile, found in self.features(leaf):
                with torch.no_grad():
                    follow(step, tile, found)
                part = self._loss(found, target, tile, weights) / total
                part = part + self._together(found, target, tile, weights) / total
                part.backward()
                loss += float(part.detach())
            drift = self._drift(leaf, target, weights) / total
            drift.backward()
            if also is not None:
                also(leaf).backward()
            assert leaf.grad is not None
            composite.backward(spread(leaf.grad))
            for one in adam:
                one.step(rate * (1.0 - 0.75 * step / steps))
            self.losses.append(loss)
            with torch.no_grad():
                after(step, leaf.detach())
            # What is compared here is no measure of how far a further loss has come.
            if self.context.enough.is_set() or (also is None and self._settled(target)):
                break
        with torch.no_grad():
            return collapse(bands).clamp(0, 1)

    def _loss(self, found: Sequence[Tensor], target: Target, tile: Tile, weights: Tensor) -> Tensor:
        groups = self._groups(target)
        return cosine_distance(found, self._wanted(target, tile, groups), weights[tile.cells], groups)

    def _groups(self, target: Target) -> list[list[int]]:
        """Which of the network's layers are compared together."""
        own = list(enumerate(self.net.slices))
        return [[i for i, s in own if g.start <= s.start and s.stop <= g.stop] for g in target.slices]

    @torch.no_grad()
    def _wanted(self, target: Target, tile: Tile, groups: Sequence[Sequence[int]]) -> list[Tensor]:
        """What a tile's features should point at, kept until the matches change."""
        if self._turn != target.turn:
            self._known, self._turn = {}, target.turn
        if tile in self._known:
            return self._known[tile]
        rows = target.of(tile.cells).T
        wanted = unit([rows[s].contiguous() for s in self.net.slices], groups)
        if self.active.numel() * self.net.width * 4 <= KEPT_BYTES:
            self._known[tile] = wanted
        return wanted

    def _together(self, found: Sequence[Tensor], target: Target, tile: Tile, weights: Tensor) -> Tensor:
        """How far each region's features, taken together, are from its style's."""
        loss = found[0].new_zeros(())
        for wanted, shares in zip(target.moments, target.shares, strict=False):
            own = shares[tile.cells] * weights[tile.cells]
            weight = own.sum()
            if float(weight) >= LEAST_CELLS:
                loss = loss + MOMENTS_WEIGHT * weight * apart(found, own, wanted)
        return loss

    def _drift(self, image: Tensor, target: Target, weights: Tensor) -> Tensor:
        """How far the cells' mean colours are from the borrowed ones."""
        found = F.avg_pool2d(padded(image), CELL).flatten(1).T[self.active]
        apart = (found - target.colours[self.active]).abs().mean(1)
        return COLOUR_WEIGHT * apart @ weights[self.active]

    def _settled(self, target: Target) -> bool:
        if len(self.losses) <= PATIENCE or len(target.slices) > 1:
            return False
        return self.losses[-1] > (1 - LEAST_GAIN) * self.losses[-1 - PATIENCE]


def spread(gradient: Tensor) -> Tensor:
    """A (3, H, W) gradient, smoothed.

    Hypercolumns look at the shallow layers only in the middle of each cell: pixels between would be left
    behind, and a mesh of four pixels' width would show.  Smoothed, it is still a way down.
    """
    taps = torch.tensor(SPREAD).to(gradient)
    kernel = torch.outer(taps, taps).expand(gradient.shape[0], 1, -1, -1) / taps.sum() ** 2
    reach = len(SPREAD) // 2
    grown = F.pad(gradient[None], (reach,) * 4, mode="replicate")
    return F.conv2d(grown, kernel, groups=gradient.shape[0])[0]
