"""Runs the compact network over a crop: tiles, cached features, masked statistics, decoding."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from scumble.backend.nn import team
from scumble.backend.nn.compact import TAP_CELLS, TAPS, CompactDecoder, CompactEncoder
from scumble.backend.nn.full import FullDecoder, FullEncoder
from scumble.backend.nn.moments import Moments, MomentSums, area_averaged, weights_at
from scumble.backend.nn.partial_conv import Window
from scumble.backend.nn.restyle import Restyle, StyleCode

from .base import Context, StylePart
from .tiling import Tile

#: Short side at which a style picture is encoded at style scale 1, in pixels.
STYLE_SIDE = 512

Taps = Mapping[str, Tensor]


@dataclass(frozen=True)
class Network:
    """Encoder and decoder of one set of weights; ``name`` distinguishes cached features."""

    name: str
    encoder: CompactEncoder | FullEncoder
    decoder: CompactDecoder | FullDecoder


@contextmanager
def timed(context: Context, stage: str) -> Iterator[None]:
    """Add the block's wall time to the report's stage."""
    began = time.perf_counter()
    try:
        yield
    finally:
        context.seconds[stage] = context.seconds.get(stage, 0.0) + time.perf_counter() - began


def style_side(part: StylePart, scale: float) -> int:
    """Short side in pixels at which a style picture is encoded, in steps of 32.

    A picture smaller than :data:`STYLE_SIDE` is not enlarged to it: blurred strokes would make
    blurred paint.
    """
    native = min(part.image.shape[-2:])
    return max(64, round(min(STYLE_SIDE, native) * scale / 32) * 32)


def style_shape(part: StylePart, size: int) -> tuple[int, int]:
    """(height, width) at which a style picture is encoded with its short side at ``size`` px.

    A panorama as a style needs no more than four times its short side.
    """
    height, width = part.image.shape[-2:]
    scale = size / min(height, width)
    return min(4 * size, max(16, round(height * scale))), min(4 * size, max(16, round(width * scale)))


def _padded(image: Tensor) -> Tensor:
    """Repeat the last row and column until both sides are whole coarse cells of 8 px."""
    height, width = image.shape[-2:]
    pad = (0, -width % 8, 0, -height % 8)
    return F.pad(image, pad, mode="replicate") if any(pad) else image


@dataclass(frozen=True)
class Border:
    """What a region's masks do to a tile while it is decoded.

    :param shares: per tap (1, 1, h, w), how much of the stylized features counts; empty for all of it.
    :param support: (1, 1, H, W), the decoder's mask, or ``None`` where it is 1 everywhere.
    :param windows: see :class:`~scumble.backend.nn.masked_layers.MaskedLayers`; the first decoding
        fills them.
    """

    shares: Mapping[str, Tensor]
    support: Tensor | None
    windows: list[Window]

    @classmethod
    def of(cls, tile: Tile, taps: Taps, inner: Tensor | None, mask: Tensor | None) -> Border:
        """For the masks of :meth:`Painter.paint`."""
        weight, support = (
            None if whole is None or _everywhere(tile.cut(whole)) else _padded(tile.cut(whole)[None, None])
            for whole in (inner, mask)
        )
        shares = {} if weight is None else {tap: area_averaged(weight, _size(taps[tap])) for tap in TAPS}
        return cls(shares, support, [])


class Painter:
    """One job on one network: gathers statistics in a first pass, paints in a second."""

    def __init__(self, network: Network, context: Context, *, expand: bool, renormalize: bool) -> None:
        self.network = network
        self.context = context
        self.expand = expand
        self.renormalize = renormalize
        self._digests: dict[object, tuple[Tensor, str]] = {}

    def _tick(self) -> None:
        self.context.checkpoint()

    def encode_style(self, part: StylePart, size: int, *, keep_all: bool = False) -> StyleCode:
        """Encode a style picture with its short side at ``size`` px; cached by content."""
        mask = "" if part.mask is None else f"/{self.mask_key(part.mask)}"
        key = f"style/{self.network.name}/{part.key}/{size}/{keep_all:d}{mask}"
        known = self.context.cache.get(key)
        if isinstance(known, StyleCode):
            return known
        taps = self._style_taps(part, size)
        with timed(self.context, "style"):
            weight = None
            if part.mask is not None:
                # At the coarsest grid's size times 8, with the padding that the taps have, as zeros.
                shape = style_shape(part, size)
                weight = part.mask.to(self.context.device)[None, None]
                weight = F.interpolate(weight, shape, mode="bilinear", antialias=True, align_corners=False)
                weight = padded_zero(weight[0, 0].clamp(0, 1))
            code = StyleCode.of(taps, keep_all=keep_all, weight=weight)
        self.context.cache.put(key, code)
        return code

    def _style_taps(self, part: StylePart, size: int) -> dict[str, Tensor]:
        """The style picture's taps; kept while its parts are looked at one after the other."""
        key = f"style-taps/{self.network.name}/{part.key}/{size}"
        known = self.context.cache.get(key) if part.mask is not None else None
        if isinstance(known, dict):
            return known
        with timed(self.context, "style"):
            image, shape = part.image[None].to(self.context.device), style_shape(part, size)
            if shape != image.shape[-2:]:
                image = F.interpolate(image, shape, mode="bilinear", antialias=True, align_corners=False)
            taps = self.network.encoder(_padded(image), tick=self._tick)
        if part.mask is not None:
            self.context.cache.put(key, taps)
        return taps

    def encode(self, image: Tensor, mask: Tensor | None, tile: Tile, key: str) -> dict[str, Tensor]:
        """The tile's taps through partial convolution; cached under the crop's key."""
        mask_part = None if mask is None else tile.cut(mask)
        if mask_part is not None and _everywhere(mask_part):
            mask_part = None  # identical to the plain network, and cheaper
        name = f"taps/{self.network.name}/{key}/{tile.frame}/{self.mask_key(mask_part)}"
        known = self.context.cache.get(name)
        if isinstance(known, dict):
            return known
        # What a mask does is the same for every layer.
        place = f"windows/{self.network.name}/{tile.frame}/{self.mask_key(mask_part)}"
        before = None if mask_part is None else self.context.cache.get(place)
        windows: list[Window] = before if isinstance(before, list) else []
        with timed(self.context, "encode"):
            part = _padded(tile.cut(image)[None])
            support = None if mask_part is None else _padded(mask_part[None, None])
            taps = self.network.encoder(
                part,
                support,
                expand=self.expand,
                renormalize=self.renormalize,
                tick=self._tick,
                windows=windows,
            )
        if windows and before is None:
            self.context.cache.put(place, windows)
        self.context.cache.put(name, taps)
        return taps

    def mask_key(self, mask: Tensor | None) -> str:
        """What distinguishes a mask, and how it is used, in the keys of cached features."""
        if mask is None:
            return "all"
        place = (mask.data_ptr(), mask.shape, mask.stride())
        if place not in self._digests:
            # The mask is kept with its digest, so that no other comes to lie where it lay.
            values = mask.contiguous().cpu().numpy().data
            digest = hashlib.sha256(values, usedforsecurity=False).hexdigest()[:32]
            self._digests[place] = (mask, digest)
        return f"{self._digests[place][1]}{self.expand:d}{self.renormalize:d}"

    def name_mask(self, mask: Tensor, name: str) -> None:
        """Tell what distinguishes a mask, so that it need not be looked through."""
        self._digests[mask.data_ptr(), mask.shape, mask.stride()] = (mask, name)

    def statistics(
        self,
        pieces: Sequence[Tile],
        taps_of: Callable[[Tile], Taps],
        weights: Sequence[Tensor],
        mask: Tensor | None,
        key: str,
    ) -> list[dict[str, Moments]]:
        """Moments of every region at every tap, gathered over the tiles; cached like the taps.

        :param weights: (H, W) per region.
        :param mask: what the encoder looked through.
        :param key: the crop's.
        """
        digests = "/".join(self.mask_key(m) for m in (mask, *weights))
        name = f"moments/{self.network.name}/{key}/{digests}/{hash(tuple(pieces))}"
        known = self.context.cache.get(name)
        if isinstance(known, list):
            return known
        found = self._gathered(pieces, taps_of, weights)
        self.context.cache.put(name, found)
        return found

    def _gathered(
        self, pieces: Sequence[Tile], taps_of: Callable[[Tile], Taps], weights: Sequence[Tensor]
    ) -> list[dict[str, Moments]]:
        sums = [{tap: MomentSums() for tap in TAPS} for _ in weights]
        for done, tile in enumerate(pieces):
            self._tick()
            self.context.progress("encode", done, len(pieces))
            taps = taps_of(tile)
            with timed(self.context, "statistics"):
                for own, weight in zip(sums, weights, strict=True):
                    core: Tensor | None = None
                    if not (tile.core == tile.frame and _everywhere(weight) and _whole_cells(tile)):
                        core = padded_zero(tile.core_weight(weight))
                        if not float(core.amax()) > 0:
                            continue
                    # The dearest first; each keeps one thread busy.
                    add = partial(self._add, own, taps, core)
                    team.together([partial(add, tap) for tap in TAPS[::-1]])
        return [{tap: s[tap].moments() for tap in TAPS} for s in sums]

    def _add(self, sums: Mapping[str, MomentSums], taps: Taps, weight: Tensor | None, tap: str) -> None:
        self._tick()
        sums[tap].add(taps[tap][0], None if weight is None else weights_at(weight, _size(taps[tap])))

    def paint(
        self,
        tile: Tile,
        taps: Taps,
        changes: Sequence[Restyle],
        shares: Sequence[Tensor],
        strengths: Sequence[float],
        inner: Tensor | None,
        mask: Tensor | None,
        overlap: int = 0,
    ) -> Tensor:
        """Decode one tile's stylized features.

        :param shares: (H, W) per region, adding up to one.
        :param inner: weight of stylized against content features (content feathering), or ``None``.
        :param mask: the decoder's mask, or ``None`` to decode without one.
        :param overlap: pixels beyond the core to paint as well, where the frame has them.
        :returns: (3, h, w) of the tile's core with the overlap.
        """
        frame, tile = tile.frame, tile.decoded(overlap)
        taps = {tap: _within(taps[tap], TAP_CELLS[tap], frame, tile.frame) for tap in TAPS}
        # What the masks do is the same for every style.
        name = f"border/{self.network.name}/{tile.frame}/{self.mask_key(mask)}/{self.mask_key(inner)}"
        known = self.context.cache.get(name)
        with timed(self.context, "transform"):
            border = known if isinstance(known, Border) else Border.of(tile, taps, inner, mask)
            mixed = self._mix(tile, taps, changes, shares, strengths, border.support)
            for tap, share in border.shares.items():
                torch.lerp(taps[tap], mixed[tap], share, out=mixed[tap])
        with timed(self.context, "decode"):
            image = self.network.decoder(
                mixed,
                border.support,
                expand=self.expand,
                renormalize=self.renormalize,
                tick=self._tick,
                windows=border.windows,
            )
        if known is None:
            self.context.cache.put(name, border)
        x0, y0, x1, y1 = tile.core
        return image[0, :, y0 - tile.frame[1] : y1 - tile.frame[1], x0 - tile.frame[0] : x1 - tile.frame[0]]

    def _mix(
        self,
        tile: Tile,
        taps: Taps,
        changes: Sequence[Restyle],
        shares: Sequence[Tensor],
        strengths: Sequence[float],
        support: Tensor | None,
    ) -> dict[str, Tensor]:
        present = [i for i, s in enumerate(shares) if len(shares) == 1 or bool((tile.cut(s) > 1e-4).any())]
        total: dict[str, Tensor] = {}
        for i in present:
            self._tick()
            styled = changes[i].apply(taps, self._tick, support, tile.frame[:2])
            if strengths[i] < 1.0:
                styled = {tap: torch.lerp(taps[tap], styled[tap], strengths[i]) for tap in TAPS}
            if len(present) == 1:
                return styled
            share = _padded(tile.cut(shares[i])[None, None])
            for tap in TAPS:
                self._tick()
                part = styled[tap] * area_averaged(share, _size(styled[tap]))
                total[tap] = part if tap not in total else total[tap] + part
        return total


def _everywhere(mask: Tensor) -> bool:
    """Whether a mask is one at every position; its least value is found without a copy of it."""
    return float(mask.amin()) >= 1


def _whole_cells(tile: Tile) -> bool:
    """Whether the frame ends where its last coarse cells do, so that no feature stands for padding."""
    x0, y0, x1, y1 = tile.frame
    return (x1 - x0) % 8 == 0 and (y1 - y0) % 8 == 0


def _size(x: Tensor) -> tuple[int, int]:
    return x.shape[-2], x.shape[-1]


def _within(
    x: Tensor, cell: int, frame: tuple[int, int, int, int], part: tuple[int, int, int, int]
) -> Tensor:
    """The features of a part of the frame they were computed on; each stands for ``cell`` pixels."""
    x0, y0 = (part[0] - frame[0]) // cell, (part[1] - frame[1]) // cell
    # Features exist for whole coarse cells, also where the image's last one is incomplete.
    width, height = (-(-(part[2] - part[0]) // 8) * 8 // cell, -(-(part[3] - part[1]) // 8) * 8 // cell)
    return x[..., y0 : y0 + height, x0 : x0 + width]


def padded_zero(weight: Tensor) -> Tensor:
    """Add rows and columns of weight 0 until both sides are whole coarse cells of 8 px."""
    height, width = weight.shape[-2:]
    return F.pad(weight, (0, -width % 8, 0, -height % 8))
