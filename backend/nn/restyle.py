"""Content features into stylized features: transport, matched texture, and the artist's controls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from torch import Tensor

from . import team
from .compact import TAPS
from .laying import Around, Texture, lay, strokes
from .matching import FirstMatches, Places, drawn_together, first_matches, matching_basis, nearest_inside
from .moments import Moments, area_averaged, mixed, moments, weights_at
from .transport import Affine, transport

#: Dimensions in which coarse features are matched.
MATCH_DIMS = 32
#: How much of the content's own deviation the "detail" control lets through, per tap, at 0 and 1.
DETAIL_RANGE = {"2_1": (0.6, 1.0), "3_1": (0.6, 1.0), "4_1": (1.0, 1.0)}
#: The tap that keeps the layer's colours and takes the fine strokes of the matched places; the features
#: of the others come from these places as they are.
STROKES_TAP = "2_1"
#: From a tile's place to its seed; primes, so that no two tiles of a layer have the same.
_APART = (1_000_003, 15_485_863)


@dataclass(frozen=True)
class StyleCode:
    """What is kept of one style picture.

    :param textures: what is laid of it at every tap: of :data:`STROKES_TAP` its fine strokes, of the
        others its features.
    :param moments: of its features at every tap.
    :param basis: (MATCH_DIMS, C) principal directions of relu4_1.
    :param places: relu4_1 in that basis, as it is searched.
    :param features: {tap: (C, h, w)} of all taps where they were asked for.
    """

    textures: Mapping[str, Texture]
    moments: Mapping[str, Moments]
    basis: Tensor
    places: Places
    features: Mapping[str, Tensor]

    @classmethod
    def of(
        cls, taps: Mapping[str, Tensor], *, keep_all: bool = False, weight: Tensor | None = None
    ) -> StyleCode:
        """From the encoder's taps of one picture, (1, C, h, w) each.

        :param keep_all: keep the features of all taps, which the learned transform looks at.
        :param weight: (H, W) in [0, 1], the part of the picture that counts; ``None`` for all of it.
        """
        features = {tap: taps[tap][0] for tap in TAPS}
        inside: Tensor | None = None
        if weight is None:
            stats = {tap: moments(x) for tap, x in features.items()}
        else:
            shares = {tap: weights_at(weight, (x.shape[-2], x.shape[-1])) for tap, x in features.items()}
            stats = {tap: moments(x, shares[tap]) for tap, x in features.items()}
            # A part thinner than a cell is half of no cell: then its heaviest cells are the part.
            within = {tap: s >= min(0.5, 0.7 * float(s.max())) for tap, s in shares.items()}
            # Places outside repeat the nearest one inside: a stroke that goes on beyond the part's edge
            # finds paint of the part there.  Their keys are zero, so that no search starts there.
            features = {tap: nearest_inside(x, within[tap]) for tap, x in features.items()}
            inside = within["4_1"].flatten()
        deep = taps["4_1"][0].flatten(1) - stats["4_1"].mean.to(taps["4_1"])[:, None]
        basis = matching_basis(deep if inside is None else deep[:, inside], MATCH_DIMS)
        return cls.laid_out(features, stats, basis, inside=inside, keep_all=keep_all)

    @classmethod
    def laid_out(
        cls,
        features: Mapping[str, Tensor],
        stats: Mapping[str, Moments],
        basis: Tensor,
        *,
        inside: Tensor | None = None,
        keep_all: bool = False,
    ) -> StyleCode:
        """From features of every tap, (C, h, w), their moments and the basis that :meth:`of` finds.

        :param inside: (h*w,) of relu4_1, where a search may start; ``None`` for everywhere.
        """
        deep = features["4_1"].flatten(1) - stats["4_1"].mean.to(features["4_1"])[:, None]
        # Place by place in memory, as the matching wants them.
        keys = (deep.T @ basis.T).T
        grid = (features["4_1"].shape[-2], features["4_1"].shape[-1])
        places = Places.of(keys if inside is None else keys * inside, grid)
        laid = {tap: strokes(x) if tap == STROKES_TAP else x for tap, x in features.items()}
        textures = {tap: Texture.of(x, grid) for tap, x in laid.items()}
        return cls(textures, stats, basis, places, features if keep_all else {})


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

    def apply(
        self,
        taps: Mapping[str, Tensor],
        tick: Callable[[], None] = lambda: None,
        support: Tensor | None = None,
        at: tuple[int, int] = (0, 0),
    ) -> dict[str, Tensor]:
        """Stylized taps of one tile, {tap: (1, C, h, w)} in and out.

        :param taps: of sides that are whole coarse cells (multiples of 8 px).
        :param tick: may raise to stop the work.
        :param support: (1, 1, H, W), where the layer was looked at; ``None`` for everywhere.
        :param at: where the tile begins.  Tiles elsewhere lay other strokes, or those of a plain layer would
            all be the same.
        """
        if self.texture <= 0:
            return {tap: self._change(tap).apply(taps[tap], relu=True) for tap in TAPS}
        size = (taps["4_1"].shape[-2], taps["4_1"].shape[-1])
        seed = self.seed + sum(a * b for a, b in zip(at, _APART, strict=True))
        first = [self._searched(taps["4_1"], code, seed, tick) for code, _ in self.styles]
        # Of the strokes' tap the fine detail makes room for the strokes, its colours stay.
        room = self.texture * (1 - self.detail)
        changes = {tap: self._change(tap).scaled(1 - self.texture) for tap in TAPS}
        changes[STROKES_TAP] = self._change(STROKES_TAP).scaled(1 - room)
        matches: dict[int, Tensor] = {}
        arounds: list[Around] = []
        changed: dict[str, Tensor] = {}

        def settle(number: int) -> None:
            tick()
            matches[number] = drawn_together(first[number], size, self.styles[number][0].places.grid)

        def look_around() -> None:
            arounds.append(self._around(taps[STROKES_TAP], support))

        def transport_coarse(tap: str) -> None:
            changed[tap] = changes[tap].apply(taps[tap])

        # Drawing together is many short steps that keep one thread busy; what does not wait for it goes to
        # the others.
        steps: list[Callable[[], None]] = [partial(settle, i) for i in range(len(self.styles))]
        steps += [look_around] if room > 0 else []
        steps += [partial(transport_coarse, tap) for tap in TAPS if tap != STROKES_TAP]
        team.together(steps)
        out: dict[str, Tensor] = {}
        for tap in TAPS:
            tick()
            layers = [
                (code.textures[tap].at(matches[i], size), weight * self.texture)
                for i, (code, weight) in enumerate(self.styles)
            ]
            if tap == STROKES_TAP:
                factor = taps[tap].shape[-2] // size[0]
                layers += [(x.at(size, factor), room) for x in arounds]
                out[tap] = lay(taps[tap], layers, size, change=changes[tap], relu=True)
            else:
                out[tap] = lay(changed[tap], layers, size, relu=True)
        return out

    def _change(self, tap: str) -> Affine:
        """A tap's transport, of as much deviation as the "detail" control lets through."""
        low, high = DETAIL_RANGE[tap]
        gain = low + (high - low) * self.detail
        return self.maps[tap] if gain == 1.0 else self.maps[tap].softened(gain, self.means[tap])

    def _around(self, content: Tensor, support: Tensor | None) -> Around:
        """The stylized colours around, of the tap that strokes are laid on."""
        fine = (content.shape[-2], content.shape[-1])
        around = Around.of(content, None if support is None else area_averaged(support, fine))
        # The map is affine: what it makes of a mean is the mean of what it makes.
        return replace(around, means=self._change(STROKES_TAP).apply(around.means))

    def _searched(self, deep: Tensor, code: StyleCode, seed: int, tick: Callable[[], None]) -> FirstMatches:
        tick()
        seen = self._change("4_1").seen_in(code.basis, code.moments["4_1"].mean).apply(deep)[0]
        queries = seen.movedim(0, -1).reshape(-1, seen.shape[0]).T
        return first_matches(queries, code.places, (seen.shape[-2], seen.shape[-1]), seed)
