"""How broad tones of paint and layer cross a selection's edge, where fine strokes turn into paint at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor
from torch.nn import functional as F

from scumble.backend.nn.nnst_pyramid import collapse, laplacian

#: Powers of the inner ramp with which the finest band, and the broadest, turn into paint.
FINE, BROAD = 0.35, 1.0


class Melt:
    """Blends paint with the layer band by band (Burt and Adelson 1983).

    Only inside the selection, and never beyond the feather: a small region keeps its style's colours.

    :param content: (3, H, W), the layer.
    :param inner: (H, W) in [0, 1]: 0 at the selection's edge, 1 a feather's width inside.
    :param feather: that width in pixels of this size.
    """

    def __init__(self, content: Tensor, inner: Tensor, feather: float) -> None:
        levels = max(1, round(float(np.log2(max(2.0, feather)))))
        self.theirs: Sequence[Tensor] = laplacian(content, levels)
        self.levels = levels
        self.shares = []
        for i, band in enumerate(self.theirs):
            share = F.adaptive_avg_pool2d(inner[None], (band.shape[-2], band.shape[-1])).clamp(0, 1)
            # Fine bands turn into paint early, the broad tones last.
            self.shares.append(share ** (FINE + (BROAD - FINE) * i / max(1, len(self.theirs) - 1)))

    def __call__(self, paint: Tensor) -> Tensor:
        """What a (3, H, W) paint becomes; differentiable in it."""
        bands = zip(self.theirs, laplacian(paint, self.levels), self.shares, strict=True)
        return collapse([theirs.lerp(ours, share) for theirs, ours, share in bands])
