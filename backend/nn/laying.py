"""Lays what was matched: the painting's texture as it is, its fine strokes over the layer's own colours.

Features at 1/4 and 1/8 of the size are taken whole.  Those at 1/2 carry colour as much as strokes, and
copied they would bring the painting's colours in pieces; of these only what differs from the mean around
it is laid, and the layer's own fine detail makes room for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from . import team
from .transport import Affine

#: Side of the squares whose means are what strokes are laid over, in positions of relu2_1: 32 px.
AROUND = 16
#: Positions that are laid in one go; so many stay in a core's cache until they are done.
AT_ONCE = 1 << 14


@dataclass(frozen=True)
class Rows:
    """What lies at some rows of positions: weighted sums of a few rows of a table each.

    :param table: (m, C).
    :param places: (n, 4) or (n, 1) integers, rows of the table.
    :param shares: as many.
    """

    table: Tensor
    places: Tensor
    shares: Tensor

    def mixed(self) -> Tensor:
        """(n, C)."""
        # An embedding bag is just this: a weighted sum of a table's rows, in one pass over the memory.
        return F.embedding_bag(self.places, self.table, per_sample_weights=self.shares, mode="sum")


#: The rows from one up to another, counted in the coarse cells that matches are for.
Layer = Callable[[int, int], Rows]


def lay(
    features: Tensor,
    layers: Sequence[tuple[Layer, float]],
    cells: tuple[int, int],
    *,
    change: Affine | None = None,
    relu: bool = False,
) -> Tensor:
    """Layers times their weights on features: in place, or on what these are changed to.

    Everything is done to a few rows while they lie in a core's cache: to a whole picture's features, reading
    and writing them costs more than all that is done with them.

    :param features: (1, C, H*f, W*f).
    :param cells: (H, W), coarse.
    :param change: what is done to the features first; they stay as they are then.
    :param relu: clip what comes out at zero.
    :returns: (1, C, H*f, W*f), channels last in memory.
    """
    _, channels, height, width = features.shape
    factor = height // cells[0]
    image = features[0].movedim(0, -1) if change is None else features.new_empty(height, width, channels)

    def part(begin: int, end: int) -> None:
        lines = slice(begin * factor, end * factor)
        strip = image[lines] if change is None else change.apply(features[:, :, lines])[0].movedim(0, -1)
        for layer, weight in layers:
            strip.add_(layer(begin, end).mixed().view(strip.shape), alpha=weight)
        if relu:
            torch.clamp_min(strip, 0.0, out=image[lines])
        elif change is not None:
            image[lines] = strip

    # Whole strips for every core, each of few enough positions.
    many = max(team.size(), -(-height * width // AT_ONCE))
    team.together([partial(part, *share) for share in team.shares(cells[0], many)])
    return image.movedim(-1, 0)[None]


def _by_lines(rows: Rows, line: int) -> Layer:
    """For lines of coarse cells with that many positions each."""

    def part(begin: int, end: int) -> Rows:
        lines = slice(begin * line, end * line)
        return Rows(rows.table, rows.places[lines], rows.shares[lines])

    return part


@dataclass(frozen=True)
class Texture:
    """A painting's finer features, ready to be laid at matched places; made once.

    :param table: (m, C), all positions row by row, half a coarse cell more on every side.
    :param starts: (h*w,) int32, where in the table each coarse place begins.
    :param factor: how many times finer the features are; one or even.
    :param width: positions in a row of the table.
    """

    table: Tensor
    starts: Tensor
    factor: int
    width: int

    @classmethod
    def of(cls, features: Tensor, grid: tuple[int, int]) -> Texture:
        """From (C, h*f, w*f) features, f times finer than the (h, w) grid that is matched."""
        factor = features.shape[-1] // grid[1]
        edge = factor // 2
        framed = F.pad(features[None], (edge,) * 4, mode="replicate")[0] if edge else features
        width = framed.shape[-1]
        rows, cols = (torch.arange(n, device=features.device) * factor + edge for n in grid)
        starts = (rows[:, None] * width + cols).flatten().int()
        return cls(framed.movedim(0, -1).reshape(-1, features.shape[0]).contiguous(), starts, factor, width)

    def at(self, index: Tensor, size: tuple[int, int]) -> Layer:
        """Laid at the matched coarse positions, cross-faded.

        A fine position mixes, with bilinear weights, what the four coarse cells around it would
        continue to at that place.  Cells that agree give an exact copy, others a soft seam.

        :param index: (H*W,) positions in the coarse grid.
        :param size: (H, W) in coarse positions.
        """
        factor, width, device = self.factor, self.width, index.device
        begins = self.starts.index_select(0, index).view(size)
        if factor == 1:
            alone = self.table.new_ones((size[0] * size[1], 1))
            return _by_lines(Rows(self.table, begins.view(-1, 1), alone), size[1])
        # Beyond the border lies what the cell at the border would continue to.
        begins = torch.cat([begins[:, :1] - factor, begins, begins[:, -1:] + factor], 1)
        begins = torch.cat([begins[:1] - factor * width, begins, begins[-1:] + factor * width], 0)
        # At every fine position of a cell: the step to its neighbour on that side, and both weights.
        fine = torch.arange(factor, device=device)
        side = torch.where(fine < factor // 2, -1, 1)
        away = ((fine + 0.5) / factor - 0.5).abs().to(self.table)
        step = torch.stack([torch.zeros_like(side), side], 1)
        share = torch.stack([1 - away, away], 1)
        # The four that mix at (row, column) of a cell, as one of the nine cells around, and how far the
        # position is from where each of them begins: (f, f, 2, 2).
        down, right = step[:, None, :, None], step[None, :, None, :]
        ninth = ((down + 1) * 3 + right + 1).flatten()
        onward = ((fine[:, None, None, None] - down * factor) * width).expand(-1, factor, -1, 2)
        onward = (onward + fine[None, :, None, None] - right * factor).int().view(1, factor, 1, -1)
        nine = begins.unfold(0, 3, 1).unfold(1, 3, 1).reshape(-1, 9)
        four = nine.index_select(1, ninth).view(*size, factor, -1).transpose(1, 2)
        shares = (share[:, None, :, None] * share[None, :, None, :]).view(1, factor, 1, -1)
        shares = shares.expand(size[0], -1, size[1], -1)
        found = Rows(self.table, (four + onward).reshape(-1, 4), shares.reshape(-1, 4))
        return _by_lines(found, factor * factor * size[1])


def strokes(features: Tensor) -> Tensor:
    """What a painting's (C, h, w) features differ from their means around."""
    size = (features.shape[-2], features.shape[-1])
    means = F.avg_pool2d(features[None], AROUND, ceil_mode=True, count_include_pad=False)
    return features - _enlarged(means, size)[0]


def _enlarged(means: Tensor, size: tuple[int, int]) -> Tensor:
    """(N, C, h, w) of squares, bilinearly at every position of (H, W)."""
    near = F.interpolate(means, scale_factor=AROUND, mode="bilinear", align_corners=False)
    return near[..., : size[0], : size[1]]


@dataclass(frozen=True)
class Around:
    """Means over squares of :data:`AROUND` positions, which lie bilinearly between their middles.

    :param means: (1, C, h, w).
    :param weight: (h, w), the mean weight of each, or ``None`` where all is one.
    """

    means: Tensor
    weight: Tensor | None

    @classmethod
    def of(cls, features: Tensor, weight: Tensor | None) -> Around:
        """From (1, C, H, W) features; what has no weight does not count.

        :param weight: (1, 1, H, W) in [0, 1] or ``None``.
        """
        pool = partial(F.avg_pool2d, kernel_size=AROUND, ceil_mode=True, count_include_pad=False)
        if weight is None:
            return cls(pool(features), None)
        share = pool(weight)
        return cls(pool(features * weight) / share.clamp_min(1e-6), share[0, 0])

    def at(self, size: tuple[int, int], factor: int) -> Layer:
        """Laid on features of (H*f, W*f) positions.

        :param size: (H, W) in coarse cells.
        :param factor: f.
        """
        height, width = self.means.shape[-2:]
        table = self.means[0].flatten(1).T.contiguous()
        left, x = self._between(size[1] * factor, width)
        upper, y = self._between(size[0] * factor, height)
        # As products of matrices, (rows, 2) with (2, W*f * 2 * 2), the quickest of sums; where squares
        # are, in double precision, for some devices' single precision is none.
        lines = torch.eye(2, device=x.device).repeat_interleave(2, 1).repeat(1, x.shape[0])
        columns = left.repeat(1, 2).flatten().double()
        places = torch.addmm(columns, upper.double(), lines.double() * width).int().view(-1, 4)
        shares = (y @ (lines.to(x) * x.repeat(1, 2).flatten())).view(-1, 4)
        if self.weight is not None:
            table = table * self.weight.view(-1, 1)
            total = _enlarged(self.weight[None, None], (y.shape[0], x.shape[0]))
            shares.div_(total.clamp_min(1e-6).reshape(-1, 1))
        return _by_lines(Rows(table, places, shares), factor * factor * size[1])

    def _between(self, count: int, length: int) -> tuple[Tensor, Tensor]:
        """(n, 2) int32 squares that positions lie between, and their weights."""
        at = (torch.arange(count, device=self.means.device) + 0.5) / AROUND - 0.5
        low = at.floor()
        past = (at - low).to(self.means)
        squares = torch.stack([low, low + 1], 1).clamp_(0, length - 1).int()
        return squares, torch.stack([1 - past, past], 1)
