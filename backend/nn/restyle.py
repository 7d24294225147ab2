"""Content features into stylized features: transport, matched texture, and the artist's controls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import torch
from torch import Tensor
from torch.nn import functional as F

from . import team
from .compact import TAPS
from .matching import (
    FirstMatches,
    Places,
    borrow,
    drawn_together,
    first_matches,
    matching_basis,
    nearest_inside,
)
from .moments import Moments, mixed, moments, weights_at
from .transport import Affine, transport

#: Dimensions in which coarse features are matched.
MATCH_DIMS = 32
#: How much of the content's own deviation the "detail" control lets through, per tap, at 0 and 1.
DETAIL_RANGE = {"2_1": (0.2, 1.0), "3_1": (0.6, 1.0), "4_1": (1.0, 1.0)}
#: Taps whose features come from the matched style positions by the "texture" control.
#: Finer taps would show the seams between pieces as cuts; the decoder sharpens these two well enough.
MATCHED_TAPS = ("3_1", "4_1")


@dataclass(frozen=True)
class StyleCode:
    """What is kept of one style picture.

    :param features: {tap: (C, h, w)} of the matched taps, or of all of them.
    :param moments: their moments.
    :param basis: (MATCH_DIMS, C) principal directions of relu4_1.
    :param keys: (MATCH_DIMS, h*w) relu4_1 in that basis, centred.
    """

    features: Mapping[str, Tensor]
    moments: Mapping[str, Moments]
    basis: Tensor
    keys: Tensor

    @classmethod
    def of(
        cls, taps: Mapping[str, Tensor], *, keep_all: bool = False, weight: Tensor | None = None
    ) -> StyleCode:
        """From the encoder's taps of one picture, (1, C, h, w) each.

        :param keep_all: keep the features of all taps, which the learned transform looks at; the
            two finest are five sixths of the bytes.
        :param weight: (H, W) in [0, 1], the part of the picture that counts; ``None`` for all of it.
        """
        kept = TAPS if keep_all else MATCHED_TAPS
        if weight is not None:
            return cls._of_part({tap: taps[tap][0] for tap in TAPS}, kept, weight)
        features = {tap: taps[tap][0].clone(memory_format=torch.preserve_format) for tap in kept}
        stats = {tap: moments(taps[tap][0]) for tap in TAPS}
        deep = features["4_1"].flatten(1)
        centred = deep - stats["4_1"].mean.to(deep)[:, None]
        basis = matching_basis(centred, MATCH_DIMS)
        # Place by place in memory, as the matching wants them.
        return cls(features, stats, basis, (centred.T @ basis.T).T)

    @classmethod
    def _of_part(cls, taps: Mapping[str, Tensor], kept: Sequence[str], weight: Tensor) -> StyleCode:
        shares = {tap: weights_at(weight, (x.shape[-2], x.shape[-1])) for tap, x in taps.items()}
        stats = {tap: moments(taps[tap], shares[tap]) for tap in TAPS}
        # A part thinner than a cell is half of no cell: then its heaviest cells are the part.
        inside = {tap: s >= min(0.5, 0.7 * float(s.max())) for tap, s in shares.items()}
        # Places outside repeat the nearest one inside: a stroke that goes on beyond the part's edge
        # finds paint of the part there.  Their keys are zero, so that no search starts there.
        features = {tap: nearest_inside(taps[tap], inside[tap]) for tap in kept}
        deep = taps["4_1"].flatten(1) - stats["4_1"].mean.to(taps["4_1"])[:, None]
        within = inside["4_1"].flatten()
        basis = matching_basis(deep[:, within], MATCH_DIMS)
        return cls(features, stats, basis, (basis @ deep) * within.to(deep))

    @property
    def bytes(self) -> int:
        """Memory it holds."""
        own = sum(t.numel() * t.element_size() for t in (*self.features.values(), self.keys))
        return own + self.places.bytes

    @cached_property
    def places(self) -> Places:
        """Its places as they are searched."""
        return Places.of(self.keys, _grid(self))


@dataclass(frozen=True)
class Restyle:
    """How one region's features are changed; made once, applied tile by tile.

    :param maps: the transport of each tap.
    :param styles: the styles with weights that add up to one.
    :param texture: 0 (transport only) to 1 (matched style features only).
    :param seed: another seed lays other strokes.
    :param detail: 0 (fine taps carry the style's mean only) to 1 (all the content's detail).
    """

    maps: Mapping[str, Affine]
    styles: Sequence[tuple[StyleCode, float]]
    means: Mapping[str, Tensor]
    texture: float
    detail: float
    seed: int = 0

    @classmethod
    def between(
        cls,
        content: Mapping[str, Moments],
        styles: Sequence[tuple[StyleCode, float]],
        *,
        texture: float,
        detail: float,
        maps: Mapping[str, Affine] | None = None,
        seed: int = 0,
    ) -> Restyle:
        """From the content region's moments and the region's styles.

        :param maps: the affine map of every tap, if not the closed-form transport.
        """
        target = {tap: mixed([(code.moments[tap], w) for code, w in styles]) for tap in TAPS}
        if maps is None:
            # Factors and eigenvectors keep one thread busy each; the dearest first.
            deep_first = TAPS[::-1]
            found = team.together([partial(transport, content[tap], target[tap]) for tap in deep_first])
            maps = dict(zip(deep_first, found, strict=True))
        return cls(maps, styles, {tap: target[tap].mean for tap in TAPS}, texture, detail, seed)

    def apply(self, taps: Mapping[str, Tensor], tick: Callable[[], None] = lambda: None) -> dict[str, Tensor]:
        """Stylized taps of one tile, {tap: (1, C, h, w)} in and out, of sides that are
        whole coarse cells (multiples of 8 px); ``tick`` may raise to stop the work."""
        if self.texture <= 0:
            return {tap: self._moved(tap, taps, tick, relu=True) for tap in TAPS}
        deep = self._moved("4_1", taps, tick, relu=False)
        size = (deep.shape[-2], deep.shape[-1])
        first = [self._searched(deep, size, code, tick) for code, _ in self.styles]

        def settled(number: int) -> Tensor:
            tick()
            code = self.styles[number][0]
            return drawn_together(first[number], size, _grid(code))

        out = {"4_1": deep}

        def finer() -> Tensor:
            for tap in TAPS[:-1]:
                out[tap] = self._moved(tap, taps, tick, relu=tap not in MATCHED_TAPS)
            return deep

        # Searching is many short steps that few cores can share; the finer taps do not wait for it.
        steps: list[Callable[[], Tensor]] = [partial(settled, i) for i in range(len(self.styles))]
        matches = team.together([*steps, finer])[:-1]
        for tap in MATCHED_TAPS:
            matched = self._laid(tap, matches, size, tick)
            out[tap] = out[tap].lerp_(matched[None], self.texture).clamp_min_(0.0)
        return out

    def _moved(self, tap: str, taps: Mapping[str, Tensor], tick: Callable[[], None], *, relu: bool) -> Tensor:
        """A tap's features after its transport."""
        tick()
        low, high = DETAIL_RANGE[tap]
        gain = low + (high - low) * self.detail
        change = self.maps[tap] if gain == 1.0 else self.maps[tap].softened(gain, self.means[tap])
        return change.apply(taps[tap], relu=relu)

    def _searched(
        self, deep: Tensor, size: tuple[int, int], code: StyleCode, tick: Callable[[], None]
    ) -> FirstMatches:
        tick()
        rows = deep[0].movedim(0, -1).reshape(-1, deep.shape[1])
        queries = F.linear(rows, code.basis, -(code.basis @ code.moments["4_1"].mean.to(deep))).T
        return first_matches(queries, code.places, size, self.seed)

    def _laid(
        self, tap: str, matches: Sequence[Tensor], size: tuple[int, int], tick: Callable[[], None]
    ) -> Tensor:
        """The styles' features of a tap at the matched places."""
        total: Tensor | None = None
        for (code, weight), index in zip(self.styles, matches, strict=True):
            tick()
            laid = borrow(code.features[tap], index, size, _grid(code))
            part = laid if len(self.styles) == 1 else weight * laid
            total = part if total is None else total + part
        assert total is not None
        return total


def _grid(code: StyleCode) -> tuple[int, int]:
    return code.features["4_1"].shape[-2], code.features["4_1"].shape[-1]
