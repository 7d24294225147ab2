"""Crops that the full-size network's encoder looked at once, and pairs of them worked out once.

VGG-16 costs more than everything that is trained here, and so do the transports between its 512
channels.  So contents and styles are encoded before the training, and what belongs to a pair of them
(its transport) or to a masked crop (its features under the mask) is kept when it was first needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from scumble.backend.nn.compact import TAPS
from scumble.backend.nn.full import FullEncoder
from scumble.backend.nn.moments import Moments, moments, weights_at
from scumble.backend.nn.restyle import Restyle, StyleCode
from scumble.backend.nn.transport import Affine, transport
from scumble.backend.regions.blending import blend, softened

from .data import Crops
from .losses import raw_moments
from .masked import FEATHERS, random_mask

#: What the judge looks at: the bench's layers.
JUDGED = ("1_1", *TAPS)


@dataclass(frozen=True)
class Crop:
    """A crop with its taps, half precision: (3, S, S) in [0, 1] and {tap: (C, h, w)}."""

    image: Tensor
    taps: Mapping[str, Tensor]


@dataclass(frozen=True)
class Painting(Crop):
    """A crop of a painting.

    :param stats: its moments at every tap, in single precision: a quarter of a style's memory.
    :param seen: :func:`raw_moments` of every judged layer.
    """

    basis: Tensor
    stats: Mapping[str, Moments]
    seen: Mapping[str, Tensor]

    def code(self) -> StyleCode:
        """What the engine would keep of it."""
        features = {tap: x.float() for tap, x in self.taps.items()}
        return StyleCode.laid_out(features, self.stats, self.basis)


@dataclass(frozen=True)
class Region:
    """A random region of a crop, and everything that follows from it; tensors of (1, 1, S, S)."""

    support: Tensor
    drawn: Tensor
    inner: Tensor
    alpha: Tensor
    taps: Mapping[str, Tensor]


def _single(m: Moments) -> Moments:
    return Moments(m.mean.float(), m.covariance.float(), m.count)


@torch.no_grad()
def crops_of(
    encoder: FullEncoder, source: Crops, count: int, size: int, scale: tuple[float, float]
) -> list[Crop]:
    """``count`` crops of ``size`` px, whose sides are a share in ``scale`` of the picture's."""
    found = []
    for _ in range(count):
        image = source.batch(1, size, scale=scale).contiguous(memory_format=torch.channels_last)
        found.append(Crop(image[0].half(), {t: x[0].half() for t, x in encoder(image).items()}))
    return found


@torch.no_grad()
def paintings_of(encoder: FullEncoder, source: Crops, count: int, size: int) -> list[Painting]:
    """``count`` crops of ``size`` px, from four tenths to all of a painting's short side."""
    found = []
    for _ in range(count):
        image = source.batch(1, size, scale=(0.4, 1.0)).contiguous(memory_format=torch.channels_last)
        features = encoder(image, taps=JUDGED)
        taps = {tap: features[tap] for tap in TAPS}
        code = StyleCode.of(taps)
        found.append(
            Painting(
                image[0].half(),
                {tap: x[0].half() for tap, x in taps.items()},
                code.basis,
                {tap: _single(m) for tap, m in code.moments.items()},
                {tap: raw_moments(x) for tap, x in features.items()},
            )
        )
    return found


@dataclass
class Pools:
    """Contents, styles, and what was worked out between them."""

    encoder: FullEncoder
    contents: Sequence[Crop]
    styles: Sequence[Painting]
    seed: int
    #: Styles that each content is met with; each of them takes a transport's time and memory.
    partners: int = 1
    _maps: dict[tuple[int, int, int], dict[str, Affine]] = field(default_factory=dict)
    _regions: dict[int, Region] = field(default_factory=dict)

    def partner(self, content: int, which: int) -> int:
        """The ``which``-th style of a content; the same ones every time."""
        rng = np.random.default_rng([self.seed, 17, content, which])
        return int(rng.integers(len(self.styles)))

    def taps(self, contents: Sequence[int]) -> dict[str, Tensor]:
        """A batch of features in single precision, channels last."""
        return _batched([self.contents[i].taps for i in contents])

    def images(self, crops: Sequence[Crop]) -> Tensor:
        """A batch of pictures, (N, 3, S, S) in [0, 1]."""
        return torch.stack([c.image for c in crops]).float().contiguous(memory_format=torch.channels_last)

    @torch.no_grad()
    def region(self, content: int) -> Region:
        """A content's region with its features through partial convolution."""
        rng = np.random.default_rng([self.seed, 23, content])
        if content not in self._regions:
            image = self.images([self.contents[content]])
            mask, feather = random_mask(image.shape[-1], rng), float(rng.uniform(*FEATHERS))
            parts = blend((mask,), feather=feather, feather_edge=True)
            shown = (softened(mask, feather / 2), mask, parts.inner, parts.alpha)
            support, drawn, inner, alpha = (torch.from_numpy(m)[None, None].to(image) for m in shown)
            taps = self.encoder(image, support, renormalize=True)
            halves = {t: x[0].half() for t, x in taps.items()}
            self._regions[content] = Region(support, drawn, inner, alpha, halves)
        return self._regions[content]

    @torch.no_grad()
    def stylized(
        self,
        pairs: Sequence[tuple[int, int]],
        controls: Sequence[tuple[float, float]],
        taps: Mapping[str, Tensor],
        masks: Sequence[Tensor | None],
        seed: int,
    ) -> dict[str, Tensor]:
        """Stylized features of (content, style) pairs.

        :param controls: (texture, detail) of each pair.
        :param taps: the contents' own features, as a batch.
        :param masks: where each content's statistics are taken; ``None`` for everywhere.
        """
        rows = []
        for i, (content, style) in enumerate(pairs):
            one = {tap: taps[tap][i : i + 1] for tap in TAPS}
            code = self.styles[style].code()
            key = (content, style, int(masks[i] is not None))
            if key not in self._maps:
                self._maps[key] = _halved(_transports(one, code, masks[i]))
            maps = {t: Affine(a.matrix.float(), a.offset) for t, a in self._maps[key].items()}
            texture, detail = controls[i]
            change = Restyle.between(
                {}, [(code, 1.0)], texture=texture, detail=detail, maps=maps, seed=seed + i
            )
            rows.append({tap: x[0] for tap, x in change.apply(one).items()})
        return _batched(rows)


def _transports(one: Mapping[str, Tensor], code: StyleCode, mask: Tensor | None) -> dict[str, Affine]:
    found = {}
    for tap, x in one.items():
        weight = None if mask is None else weights_at(mask[0, 0], (x.shape[-2], x.shape[-1]))
        found[tap] = transport(_single(moments(x[0], weight)), code.moments[tap])
    return found


def _halved(maps: Mapping[str, Affine]) -> dict[str, Affine]:
    return {tap: Affine(a.matrix.half(), a.offset) for tap, a in maps.items()}


def _batched(rows: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    return {
        tap: torch.stack([r[tap] for r in rows]).float().contiguous(memory_format=torch.channels_last)
        for tap in TAPS
    }
