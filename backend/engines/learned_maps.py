"""The learned linear transform inside the engine: gathered over tiles, like the statistics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from scumble.backend.nn.compact import TAPS
from scumble.backend.nn.learned import RANKS, CompactTransform, SeenCovariance
from scumble.backend.nn.moments import Moments, mixed, weights_at
from scumble.backend.nn.restyle import StyleCode
from scumble.backend.nn.transport import Affine

from .painter import padded_zero
from .tiling import Tile

Taps = Mapping[str, Tensor]


def learned_maps(
    net: CompactTransform,
    pieces: Sequence[Tile],
    taps_of: Callable[[Tile], Taps],
    weight: Tensor,
    content: Mapping[str, Moments],
    styles: Sequence[tuple[StyleCode, float]],
) -> dict[str, Affine]:
    """The affine map of every tap for one region.

    :param weight: the region's (H, W) mask.
    :param content: the region's moments at every tap.
    :param styles: the region's styles with weights that add up to one; what the network sees in
        them is averaged by weight.
    """
    seen = {tap: SeenCovariance(RANKS[tap]) for tap in TAPS}
    for tile in pieces:
        core = padded_zero(tile.core_weight(weight))
        if not bool((core > 0).any()):
            continue
        taps = taps_of(tile)
        for tap in TAPS:
            shape = (taps[tap].shape[-2], taps[tap].shape[-1])
            seen[tap].add(net.tap(tap).cnet, taps[tap][0], content[tap], weights_at(core, shape))
    maps: dict[str, Affine] = {}
    for tap in TAPS:
        unit = net.tap(tap)
        covariances = []
        for code, share in styles:
            one = SeenCovariance(RANKS[tap])
            one.add(unit.snet, code.features[tap], code.moments[tap], None)
            covariances.append(share * one.result())
        factor = unit.snet.matrix(torch.stack(covariances).sum(0))
        target = mixed([(code.moments[tap], share) for code, share in styles])
        maps[tap] = unit.affine(unit.cnet.matrix(seen[tap].result()), factor, content[tap], target)
    return maps
