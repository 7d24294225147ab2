"""The style's side of engine ``nnst``: what every place of the pictures looks like, ready to be borrowed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from scumble.backend.nn.nnst_decoder import StrokeDecoder, cells_of
from scumble.backend.nn.nnst_features import CELL, Hypercolumns
from scumble.backend.nn.nnst_matching import DIMS, Grids, Searcher, cohere, match, shared_out

from .base import Context, JobRegion, StylePart
from .nnst_plan import style_size

#: Places of the style that are searched on a CPU, at most; a seeded share of more.  Coherence reaches the
#: places between them.
MOST_KEYS, MOST_KEYS_DECODER = 24576, 12288
#: The same in a finishing pass, which keeps the match it has where it finds no better one.
AGAIN_KEYS = 4096
#: Hypercolumns of so many channels are matched in twice as many directions as others.
WIDE = 1024
#: Pixels of a style picture that are encoded at once.
STYLE_TILE = 1 << 19


@dataclass(frozen=True)
class Views:
    """One style picture at one size, in every orientation that may be borrowed.

    :param rows: (M, C) hypercolumns, half precision; empty where only the pixels are wanted.
    :param brush: (M, P) what the decoder wants of them, half precision.
    :param cells: (M, V) pixels, half precision; V is 48 for the networks' own cells.
    :param mask: (M,) the chosen part of the painting, or ``None``.
    """

    rows: Tensor
    brush: Tensor
    cells: Tensor
    grids: Grids
    mask: Tensor | None


@dataclass(frozen=True)
class Eyes:
    """The networks: what is matched with, what the decoder was trained on, and the decoder.

    :param look: source of the hypercolumns that are matched and optimised.
    :param frozen: the bundled one; the same object where nothing better is installed.
    """

    look: Hypercolumns
    frozen: Hypercolumns
    decoder: StrokeDecoder | None

    @property
    def name(self) -> str:
        """Part of the keys of cached features."""
        return f"{self.look.name}{'' if self.decoder is None else '+'}"


def orientations(image: Tensor, turned: bool, mirrored: bool) -> list[Tensor]:
    """A (C, H, W) picture turned by quarter turns, and each of them mirrored, as asked for."""
    found = [torch.rot90(image, turn, (-2, -1)) for turn in range(4 if turned else 1)]
    if mirrored:
        found += [x.flip(-1) for x in found]
    return [x.contiguous() for x in found]


@torch.no_grad()
def views(
    part: StylePart,
    eyes: Eyes,
    context: Context,
    size: tuple[int, int],
    *,
    turned: bool,
    mirrored: bool,
    cell: int = CELL,
) -> Views:
    """Encode a style picture at a size; cached by content.

    :param cell: side in pixels of the cells that are cut out; if it is not the networks' own, only the
        pixels are wanted and nothing is encoded.
    """
    key = f"nnst/{eyes.name}/{part.key}/{size[0]}x{size[1]}/{turned:d}{mirrored:d}/{cell}"
    known = context.cache.get(key)
    if not isinstance(known, Views):
        known = _views(part, eyes, context, size, turned, mirrored, cell)
        context.cache.put(key, known)
    if part.mask is None:
        return known
    small = F.adaptive_avg_pool2d(part.mask[None].to(context.device), (size[0] // cell, size[1] // cell))
    flat = torch.cat([m.flatten() for m in orientations(small[0], turned, mirrored)])
    return Views(known.rows, known.brush, known.cells, known.grids, flat)


def _views(
    part: StylePart,
    eyes: Eyes,
    context: Context,
    size: tuple[int, int],
    turned: bool,
    mirrored: bool,
    cell: int,
) -> Views:
    image = part.image.to(context.device)
    if tuple(image.shape[-2:]) != size:
        image = F.interpolate(image[None], size, mode="bilinear", antialias=True, align_corners=False)[0]
    seen = orientations(image.clamp(0, 1), turned, mirrored)
    rows, brush = [], []
    for one in seen:
        decoder = eyes.decoder
        for band in _bands(eyes.look, one, context) if cell == CELL else ():
            rows.append(band.half())
            if decoder is not None and eyes.look is eyes.frozen:
                brush.append(decoder.projected(band).half())
        if decoder is not None and cell == CELL and eyes.look is not eyes.frozen:
            brush += [decoder.projected(band).half() for band in _bands(eyes.frozen, one, context)]
    shapes = tuple((x.shape[-2] // cell, x.shape[-1] // cell) for x in seen)
    empty = image.new_zeros(0, dtype=torch.float16)
    return Views(
        torch.cat(rows) if rows else empty,
        torch.cat(brush) if brush else empty,
        cells_of(seen, cell).half(),
        Grids(shapes),
        None,
    )


def _bands(net: Hypercolumns, image: Tensor, context: Context) -> Iterator[Tensor]:
    """(N, C) hypercolumns of a picture of any size, in bands of rows, top to bottom."""
    height, width = image.shape[-2:]
    step = max(64, STYLE_TILE // width // 8 * 8)
    margin = -(-net.reach // 8) * 8
    for top in range(0, height, step):
        low, high = max(0, top - margin), min(height, top + step + margin)
        band = net(image[:, low:high], context.checkpoint)
        first = (top - low) // CELL
        yield band[:, first : first + (min(top + step, height) - top) // CELL].flatten(1).T


@dataclass(frozen=True)
class Bank:
    """Everything that one region may borrow at one scale: its style pictures, one after the other.

    :param owner: (M,) which picture a place belongs to, for blends of several; else ``None``.
    """

    rows: Tensor
    brush: Tensor
    cells: Tensor
    grids: Grids
    mask: Tensor | None
    owner: Tensor | None
    weights: tuple[float, ...]

    @classmethod
    def of(cls, region: JobRegion, eyes: Eyes, context: Context, shrink: float, *, cell: int = CELL) -> Bank:
        """Gather a region's styles.

        :param shrink: how many times smaller than at the finest working scale; below 1: larger.
        :param cell: see :func:`views`.
        """
        options = region.options
        found = []
        for part in region.styles:
            base = style_size(tuple(part.image.shape[-2:]), options["style_scale"], max(1.0, shrink))  # type: ignore[arg-type]
            size = base if shrink >= 1 else (round(base[0] / shrink), round(base[1] / shrink))
            found.append(
                views(
                    part, eyes, context, size,
                    turned=options["turned"], mirrored=options["mirrored"], cell=cell,
                )
            )  # fmt: skip
        return cls._joined(found, tuple(p.weight for p in region.styles))

    @classmethod
    def _joined(cls, found: Sequence[Views], weights: tuple[float, ...]) -> Bank:
        if len(found) == 1:
            v = found[0]
            return cls(v.rows, v.brush, v.cells, v.grids, v.mask, None, weights)
        shapes = tuple(shape for v in found for shape in v.grids.shapes)
        masks = None
        if any(v.mask is not None for v in found):
            masks = torch.cat(
                [v.cells.new_ones(v.cells.shape[0]).float() if v.mask is None else v.mask for v in found]
            )
        owner = torch.cat(
            [torch.full((v.cells.shape[0],), i, device=v.cells.device) for i, v in enumerate(found)]
        )
        joined = [torch.cat([getattr(v, name) for v in found]) for name in ("rows", "brush", "cells")]
        return cls(joined[0], joined[1], joined[2], Grids(shapes), masks, owner, weights)

    def upright(self) -> tuple[Tensor, Tensor]:
        """The places of the pictures as they are, not turned or mirrored, and what each counts: (K,), (K,).

        A picture's places count its share of the blend together.
        """
        starts, turns = self.grids.starts, len(self.grids.shapes) // len(self.weights)
        device = self.cells.device
        places = [torch.arange(starts[i * turns], starts[i * turns + 1]) for i in range(len(self.weights))]
        shares = [torch.full((p.numel(),), w / p.numel()) for p, w in zip(places, self.weights, strict=True)]
        return torch.cat(places).to(device), torch.cat(shares).to(device)

    def searcher(self, guide: float, part: slice = slice(None)) -> Searcher:
        """Ready to be searched by whole hypercolumns, or by one layer's slice of them."""
        rows = self.rows[:, part]
        dims = DIMS if rows.shape[1] < WIDE else 2 * DIMS
        return Searcher.of(rows, self.grids, dims=dims, mask=self.mask, guide=guide)

    def field(
        self,
        searcher: Searcher,
        queries: Tensor,
        cells: Tensor,
        size: tuple[int, int],
        region: JobRegion,
        seed: int,
        tick: Callable[[], None],
        before: Tensor | None = None,
    ) -> Tensor:
        """Places for (N, D) projected queries that stand in ``cells`` of an (h, w) grid: (N,).

        :param before: (N,) an earlier pass's places, which stay where nothing better is found.
        """
        options = region.options
        most = MOST_KEYS if options["mode"] == "optimise" else MOST_KEYS_DECODER
        if queries.is_cuda:
            most = 1 << 30
        elif before is not None:
            most = AGAIN_KEYS
        how: dict[str, Any] = {"most": most, "parties": int(options["variety"]), "seed": seed, "tick": tick}
        if self.owner is None:
            index, _ = match(searcher, queries, **how)
        else:
            index = self._dealt(searcher, queries, how)
        if before is not None and self.owner is None:
            units = F.normalize(queries, dim=1)
            better = searcher.score(units, index) > searcher.score(units, before.clamp_min(0))
            index = torch.where(better | (before < 0), index, before)
        return cohere(searcher, queries, index, cells, size, worth=float(options["long_strokes"]), tick=tick)

    def _dealt(self, searcher: Searcher, queries: Tensor, how: dict[str, Any]) -> Tensor:
        """Matches in several pictures, in the proportions of the blend."""
        assert self.owner is not None
        found, scores = [], []
        places = searcher.places()
        for i in range(len(self.weights)):
            own = places[self.owner[places] == i]
            limited = Searcher(
                searcher.mean,
                searcher.basis,
                searcher.keys,
                searcher.grids,
                own,
                searcher.bonus,
                searcher.weight,
            )
            index, score = match(limited, queries, **how)
            found.append(index)
            scores.append(score)
        chosen = shared_out(scores, self.weights)
        return torch.stack(found).gather(0, chosen[None])[0]
