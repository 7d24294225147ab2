"""From coarse to fine: engine ``nnst`` on one piece of a job."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from scumble.backend.nn.nnst_colour import tamed, with_hues_of
from scumble.backend.nn.nnst_features import CELL, padded
from scumble.backend.nn.nnst_hues import Known
from scumble.backend.nn.nnst_matching import Grids, Searcher, upsampled
from scumble.backend.nn.nnst_witness import Foretold
from scumble.backend.nn.vgg import VGG16

from .base import Context, JobRegion
from .colour import hues_let_in, palette, palette_map, recoloured
from .nnst_cost import SPLIT, SPLIT_SHARE, decode_cost, match_cost, step_cost
from .nnst_descent import Descent, Target
from .nnst_ground import Ground, fit
from .nnst_melt import Melt
from .nnst_moments import style_moments
from .nnst_plan import STYLE_SIDE, Scale, Working, scales, style_short
from .nnst_polish import Last, Looks, Polish
from .nnst_splitting import RATE as SPLIT_RATE
from .nnst_splitting import Splitting, split_target
from .nnst_strokes import strokes, voted
from .nnst_style import Bank, Eyes

#: Beyond this, hypercolumns of the style in full size are not kept, and full size is only decoded.
FULL_ROWS_BYTES = 600 << 20
#: Where hues are held to the painting's own, so many times more of the last strokes' are let in.
HUES = 2.0


@dataclass(frozen=True)
class Canvas:
    """A piece at full size.

    :param content: (3, H, W).
    :param union: (H, W), what was drawn.
    :param cover: (H, W), how much of the paint will show.
    :param shares: per region (H, W).
    :param inner: (H, W), over what width broad tones will melt into the layer, if they will.
    :param feather: that width in pixels.
    """

    content: Tensor
    union: Tensor
    cover: Tensor
    shares: tuple[Tensor, ...]
    regions: tuple[JobRegion, ...]
    inner: Tensor | None = None
    feather: float = 0.0

    def ground(self, size: tuple[int, int]) -> Ground:
        """The motif at a size."""
        return Ground.of(self.content, self.union, self.cover, self.shares, size)

    def melting(self, ground: Ground) -> Ground:
        """The same with what becomes of the paint at the selection's edge in the end."""
        if self.inner is None:
            return ground
        feather = self.feather * ground.size[0] / self.content.shape[-2]
        return replace(ground, melt=Melt(ground.content, fit(self.inner, ground.size), feather))


class PiecePainter:
    """Paints one :class:`Canvas`.

    :param show: called with the paint so far, (3, h, w) at whatever scale it is.
    :param spend: called with the cost of what was just done, in the units of :func:`cost`.
    """

    def __init__(
        self,
        canvas: Canvas,
        place: Working,
        eyes: Eyes,
        context: Context,
        options: Mapping[str, Any],
        seed: int,
        show: Callable[[Tensor], None],
        spend: Callable[[float], None],
        polisher: VGG16 | Foretold | None = None,
        last: Last | None = None,
    ) -> None:
        self.canvas = canvas
        self.place = place
        self.eyes = eyes
        self.context = context
        self.optimise = options["mode"] == "optimise"
        self.steps = int(options["steps"])
        self.finish = int(options["finish"])
        self.seed = seed
        self.polisher = polisher
        self.last = last
        self.show = show
        self.spend = spend
        self.fields: list[Tensor] = []
        self.grid = (0, 0)
        self.losses: list[float] = []

    def run(self) -> Tensor:
        """The paint, (3, H, W) at the canvas's size."""
        paint: Tensor | None = None
        steps = piece_scales(self.canvas.regions, self.place)
        for i, scale in enumerate(steps):
            last = i == len(steps) - 1
            if self.context.enough.is_set() and not last:
                continue  # the finest scale once, from what there is: quick, and sharp at full size
            paint = self._scale(scale, paint, last)
            self.show(paint)
        assert paint is not None
        if self.place.full > 1:
            paint = self._full(paint)
        return fit(paint, self._size()).clamp(0, 1)

    def _size(self) -> tuple[int, int]:
        height, width = self.canvas.content.shape[-2:]
        return height, width

    # -- one scale -----------------------------------------------------------------------------------

    def _scale(self, scale: Scale, paint: Tensor | None, last: bool) -> Tensor:
        ground = self.canvas.ground(scale.size)
        banks = [Bank.of(r, self.eyes, self.context, scale.shrink) for r in self.canvas.regions]
        searchers = [
            b.searcher(float(r.options["guide"])) for b, r in zip(banks, self.canvas.regions, strict=True)
        ]
        before = None if paint is None else fit(paint, scale.size)
        self._match(ground, banks, searchers, before, None)
        self.spend(match_cost(ground))
        stopped = self.context.enough.is_set()
        if not self.optimise or stopped:
            paint = self._strokes(ground, banks)
            self.spend(decode_cost(ground))
            for turn in range(self.finish if last and not stopped else 0):
                self.show(paint)
                self._match(ground, banks, searchers, paint, 1 + turn)
                paint = self._strokes(ground, banks)
                self.spend(match_cost(ground) + decode_cost(ground))
            return self._polished(paint, paint, banks, ground) if last else paint
        # The published code starts from the content (without its finest bands) and then from the scale
        # before.  From the decoded matches it is nearer to the goal, and colours cannot drift: cosine
        # does not see how strong a colour is.
        start = self._strokes(ground, banks)
        self.spend(decode_cost(ground))
        self.show(start)
        descent = Descent(self.eyes.look, ground, self.context)
        target = self._target(banks, ground, start)
        paint = descent.run(start, target, self.steps, after=self._after(ground))
        self.losses += descent.losses[-1:]
        split = round(self.finish * SPLIT_SHARE * self.steps) if last else 0
        if split and not self.context.enough.is_set():
            paint = self._split(descent, banks, ground, paint, target, split)
        with torch.no_grad():
            paint = with_hues_of(paint, start)
        return self._polished(paint, start, banks, ground) if last else paint

    def _polished(self, paint: Tensor, start: Tensor, banks: Sequence[Bank], ground: Ground) -> Tensor:
        """After the last strokes; ``start`` is what decoding made."""
        if self.polisher is None or self.last is None or self.context.enough.is_set():
            return paint
        ground = self.canvas.melting(ground)
        drawn = fit(self.canvas.union, ground.size)
        looks = Looks(self.polisher, ground, drawn, self.canvas.regions, self.context)
        target = replace(self._target(banks, ground, start), moments=())
        steps = self.last.steps(float((drawn > 0).sum()))
        after = self._after(ground, self.last.cost)
        descent = Descent(self.eyes.look, ground, self.context)
        paint = descent.run(paint, target, steps, rate=self.last.rate, after=after, also=looks)
        return self._coloured(paint, start, ground)

    @torch.no_grad()
    def _coloured(self, paint: Tensor, start: Tensor, ground: Ground) -> Tensor:
        """The last strokes' own colours as far as the paintings have them; specks of colour go."""
        let_in, known = torch.zeros_like(ground.cover), torch.zeros_like(paint)
        for region, share in zip(self.canvas.regions, ground.shares, strict=True):
            let_in += share * min(1.0, HUES * hues_let_in(region, self.context))
            colours = Known.of([(p.image.to(paint), p.mask, p.weight) for p in region.styles])
            known += share * colours.nearest(paint)
        return with_hues_of(known, torch.lerp(start, known, let_in))

    @torch.no_grad()
    def _strokes(self, ground: Ground, banks: Sequence[Bank]) -> Tensor:
        """What the matches make, in the paintings' palettes; (3, H, W)."""
        paint = strokes(ground, self.fields, banks, self.eyes, self.context)
        found, drawn = torch.zeros_like(paint), fit(self.canvas.union, ground.size)
        for region, share in zip(self.canvas.regions, ground.shares, strict=True):
            palettes = [(palette(p, self.context), p.weight) for p in region.styles]
            own = share * drawn
            change = palette_map(paint, own, palettes, float(region.options["match_color"]))
            change = change and tamed(change, paint, own)
            found += recoloured(paint, change) * share
        return found

    @torch.no_grad()
    def _match(
        self,
        ground: Ground,
        banks: Sequence[Bank],
        searchers: Sequence[Searcher],
        paint: Tensor | None,
        again: int | None,
    ) -> None:
        """Fill :attr:`fields`.

        :param paint: what is there so far, or ``None`` at the coarsest scale.
        :param again: number of the finishing pass; those look at the paint alone.
        """
        tick = self.context.checkpoint
        alphas = [float(r.options["keep_content"]) for r in self.canvas.regions]
        seen: dict[float, Tensor] = {}
        earlier = self.fields
        self.fields, self.grid = [], ground.grid
        for r, (region, bank, searcher) in enumerate(zip(self.canvas.regions, banks, searchers, strict=True)):
            keep = 1.0 if paint is None else alphas[r] if again is None else 0.5 * alphas[r]
            if keep not in seen:
                mixed = (
                    ground.content if paint is None else torch.lerp(ground.over(paint), ground.content, keep)
                )
                seen[keep] = self.eyes.look(mixed, tick).flatten(1).T
            cells = ground.active(r)
            field = torch.full((ground.grid[0] * ground.grid[1],), -1, device=cells.device)
            if cells.numel():
                # Centred on all that is seen, not on the region alone: a flat sky would be all noise.
                queries = searcher.project(seen[keep][cells], seen[keep].mean(0))
                seed = self.seed + 7919 * r + 104729 * (again or 0)
                known = None if again is None else earlier[r][cells]
                field[cells] = bank.field(searcher, queries, cells, ground.grid, region, seed, tick, known)
            self.fields.append(field)

    def _target(self, banks: Sequence[Bank], ground: Ground, decoded: Tensor) -> Target:
        width = banks[0].rows.shape[1]
        index = [f[None] for f in self.fields]
        # Of the whole composite: where paint is let through only in part, so are its colours.
        colours = F.avg_pool2d(padded(ground.over(decoded)), CELL).flatten(1).T
        layers = self.eyes.look.slices
        wanted = [style_moments(b, layers) for b in banks]
        rows = [b.rows for b in banks]
        return Target([slice(0, width)], rows, index, ground.cell_shares, colours, wanted, layers)

    def _after(self, ground: Ground, more: float = 0.0) -> Callable[[int, Tensor], None]:
        def after(step: int, image: Tensor) -> None:
            self.spend(step_cost(ground, self.eyes, more))
            self.show(image)

        return after

    def _split(
        self,
        descent: Descent,
        banks: Sequence[Bank],
        ground: Ground,
        paint: Tensor,
        target: Target,
        steps: int,
    ) -> Tensor:
        target = split_target(target, self.eyes.look.slices)
        masks = [(b.mask, float(r.options["guide"])) for b, r in zip(banks, self.canvas.regions, strict=True)]
        splitting = Splitting(descent, target, masks, [b.grids for b in banks], self.seed)
        after = self._after(ground, SPLIT)
        found = descent.run(paint, target, steps, follow=splitting, after=after, rate=SPLIT_RATE)
        self.losses += descent.losses[-1:]
        return found

    # -- beyond the working size ---------------------------------------------------------------------

    def _full(self, paint: Tensor) -> Tensor:
        """The same matches at full size: the field continues inside every cell, strokes keep their size."""
        full = self.place.full
        size = (self.place.size[0] * full, self.place.size[1] * full)
        canvas = self._padded(size)
        ground, regions = canvas.ground(size), canvas.regions
        small = canvas.ground(self.place.size)
        coarse = [Bank.of(r, self.eyes, self.context, 1.0) for r in regions]
        large = [Bank.of(r, self.eyes, self.context, 1.0 / full, cell=CELL * full) for r in regions]
        # What decoding and optimising made of the votes at the working size holds at full size too.
        mended = paint - voted(small, self.fields, self.grid, coarse, self.context)
        painted = voted(ground, self.fields, self.grid, large, self.context)
        painted = (painted + F.interpolate(mended[None], size, mode="bicubic")[0]).clamp(0, 1)
        self.spend(decode_cost(ground))
        if self.optimise and full == 2 and not self.context.enough.is_set() and self._rows_fit(full):
            self.show(painted)
            painted = self._descended(painted, ground, [c.grids for c in coarse])
        height, width = self._size()
        return painted[:, :height, :width]

    def _descended(self, painted: Tensor, ground: Ground, grids: Sequence[Grids]) -> Tensor:
        """Optimise at full size, with each match continued inside its cell."""
        full = self.place.full
        rows, columns = ground.grid
        banks = [Bank.of(r, self.eyes, self.context, 1.0 / full) for r in self.canvas.regions]
        taken = (upsampled(f, g, self.grid, full) for f, g in zip(self.fields, grids, strict=True))
        self.fields = [f.view(self.grid[0] * full, -1)[:rows, :columns].reshape(-1) for f in taken]
        steps = max(5, self.steps // 2)
        target = self._target(banks, ground, painted)
        looks = self._from_afar(ground)
        descent = Descent(self.eyes.look, ground, self.context)
        after = self._after(ground, 0.0 if looks is None or self.last is None else self.last.cost / full**2)
        found = descent.run(painted, target, steps, after=after, also=looks)
        return found if looks is None else self._coloured(found, painted, ground)

    def _from_afar(self, ground: Ground) -> Polish | None:
        """What the last strokes hold to, so that it is not lost again: seen at the working size."""
        if self.polisher is None or self.last is None:
            return None
        full = self.place.full
        large = [
            replace(r, options={**r.options, "style_scale": full * float(r.options["style_scale"])})
            for r in self.canvas.regions
        ]
        drawn = fit(self.canvas.union, ground.size)
        return Polish(self.polisher, ground, drawn, large, self.context, shrink=float(full))

    def _padded(self, size: tuple[int, int]) -> Canvas:
        """The canvas with its last row and column repeated up to a whole multiple of the working size."""
        pad = (0, size[1] - self.canvas.content.shape[-1], 0, size[0] - self.canvas.content.shape[-2])

        def grown(x: Tensor) -> Tensor:
            return F.pad(x[None, None] if x.ndim == 2 else x[None], pad, mode="replicate")[0]

        c = self.canvas
        return Canvas(
            grown(c.content), grown(c.union)[0], grown(c.cover)[0],
            tuple(grown(s)[0] for s in c.shares), c.regions,
        )  # fmt: skip

    def _rows_fit(self, full: int) -> bool:
        places = 0
        for region in self.canvas.regions:
            turns = (4 if region.options["turned"] else 1) * (2 if region.options["mirrored"] else 1)
            for part in region.styles:
                short = style_short(tuple(part.image.shape[-2:]), region.options["style_scale"])  # type: ignore[arg-type]
                ratio = max(part.image.shape[-2:]) / min(part.image.shape[-2:])
                places += int(turns * ratio * (short * full / 4) ** 2)
        return places * self.eyes.look.width * 2 <= FULL_ROWS_BYTES


def piece_scales(regions: Sequence[JobRegion], place: Working) -> list[Scale]:
    """The scales at which a piece with these regions is worked out."""
    sides = [
        style_short(tuple(p.image.shape[-2:]), r.options["style_scale"])  # type: ignore[arg-type]
        for r in regions
        for p in r.styles
    ]
    side = min(sides, default=float(STYLE_SIDE))
    return scales(place.size, side)
