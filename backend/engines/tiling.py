"""A crop in pieces small enough for memory: cores that are painted, frames around them that are seen."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

#: Context around a tile that the encoder needs (radius of relu4_1: 30 px), in whole coarse cells.
MARGIN = 32
#: The same for the decoder, whose steps beyond that hardly weigh.
DECODER_MARGIN = 16
#: Pixels that neighbouring tiles both paint: strokes are laid tile by tile and would end at a line.
OVERLAP = 16


@dataclass(frozen=True)
class Tile:
    """A piece of the crop: the core is painted, the frame around it is only looked at.

    Both are (x0, y0, x1, y1) on the crop; left and top are whole coarse cells.
    """

    core: tuple[int, int, int, int]
    frame: tuple[int, int, int, int]

    def decoded(self, overlap: int) -> Tile:
        """The core with ``overlap`` pixels of its neighbours', in the smaller frame the decoder needs."""
        return Tile(self._inside(overlap), self._inside(overlap + DECODER_MARGIN))

    def _inside(self, margin: int) -> tuple[int, int, int, int]:
        fx0, fy0, fx1, fy1 = self.frame
        x0, y0, x1, y1 = _grown(self.core, margin, fx1, fy1)
        return max(fx0, x0), max(fy0, y0), x1, y1

    def fade(self, overlap: int) -> Tensor:
        """Weight of this tile's paint on its overlapping core: a ramp across each shared border."""
        x0, y0, x1, y1 = self._inside(overlap)

        def ramp(low: int, core_low: int, core_high: int, high: int) -> Tensor:
            at = torch.arange(low, high) + 0.5
            rise = (at - low) / (2.0 * overlap) if low < core_low else torch.ones_like(at)
            fall = (high - at) / (2.0 * overlap) if high > core_high else torch.ones_like(at)
            return torch.minimum(rise, fall).clamp(1e-3, 1.0)

        columns, rows = ramp(x0, self.core[0], self.core[2], x1), ramp(y0, self.core[1], self.core[3], y1)
        return rows[:, None] * columns[None, :]

    def cut(self, x: Tensor) -> Tensor:
        """The frame's part of a (..., H, W) tensor."""
        x0, y0, x1, y1 = self.frame
        return x[..., y0:y1, x0:x1]

    def core_weight(self, x: Tensor) -> Tensor:
        """The frame's part with everything outside the core set to zero, so no pixel counts twice."""
        x0, y0, x1, y1 = self.core
        fx, fy = self.frame[0], self.frame[1]
        out = torch.zeros_like(self.cut(x))
        out[..., y0 - fy : y1 - fy, x0 - fx : x1 - fx] = x[..., y0:y1, x0:x1]
        return out


def tiles(union: Tensor, side: int) -> list[Tile]:
    """Cover the (H, W) mask's support; tiles without a drawn pixel are left out.

    :param side: largest side of a core, rounded down to whole coarse cells of 8 px.
    """
    height, width = union.shape
    side = max(64, side // 8 * 8)

    def spans(length: int) -> list[tuple[int, int]]:
        if length <= side + 2 * MARGIN:  # a core with its frame fits anyway: do not split it
            return [(0, length)]
        count = -(-length // side)
        step = -(-length // count // 8) * 8
        return [(a, min(a + step, length)) for a in range(0, length, step)]

    found = []
    drawn = (union > 0).numpy()
    for y0, y1 in spans(height):
        for x0, x1 in spans(width):
            part = drawn[y0:y1, x0:x1]
            rows, columns = part.any(1).nonzero()[0], part.any(0).nonzero()[0]
            if not rows.size:
                continue
            # Only what was drawn on is painted; whole coarse cells keep the features aligned.
            top, left = y0 + rows[0] // 8 * 8, x0 + columns[0] // 8 * 8
            bottom, right = min(y1, y0 + (rows[-1] // 8 + 1) * 8), min(x1, x0 + (columns[-1] // 8 + 1) * 8)
            core = (int(left), int(top), int(right), int(bottom))
            found.append(Tile(core, _grown(core, MARGIN, width, height)))
    return found


def _grown(box: tuple[int, int, int, int], margin: int, width: int, height: int) -> tuple[int, int, int, int]:
    x0, y0, x1, y1 = box
    return max(0, x0 - margin), max(0, y0 - margin), min(width, x1 + margin), min(height, y1 + margin)
