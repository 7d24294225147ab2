"""Sample sheets: what the network paints now, to look at while it trains."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from scumble.backend.nn.compact import TAPS, CompactDecoder, CompactEncoder
from scumble.backend.nn.full import FullDecoder, FullEncoder
from scumble.backend.nn.moments import moments
from scumble.backend.nn.restyle import Restyle, StyleCode

from .data import Crops

#: (texture, detail) of the columns after photo, painting and plain reconstruction.
COLUMNS = ((0.0, 1.0), (0.0, 0.3), (0.5, 0.5), (1.0, 0.5), (1.0, 0.0))


@torch.no_grad()
def sample_sheet(
    encoder: CompactEncoder | FullEncoder,
    decoder: CompactDecoder | FullDecoder,
    sources: tuple[Crops, Crops],
    path: Path,
    rows: int = 5,
    side: int = 256,
) -> None:
    """Write photo, painting, reconstruction and five settings of the controls per row.

    The pictures are the same for every sheet: whole, centred, taken at fixed places of the sources.

    :param side: of each picture, in pixels; a multiple of 8.
    """
    strips = []
    for row in range(rows):
        photo, painting = (_fixed(s, row, rows, side) for s in sources)
        taps = encoder(photo)
        code = StyleCode.of(encoder(painting))
        stats = {tap: moments(taps[tap][0]) for tap in TAPS}
        pictures = [photo, painting, decoder(taps)]
        change = Restyle.between(stats, [(code, 1.0)], texture=0.0, detail=0.0)
        for texture, detail in COLUMNS:
            pictures.append(decoder(replace(change, texture=texture, detail=detail).apply(taps)))
        strips.append(torch.cat(pictures, 3))
    sheet = torch.cat(strips, 2)[0].clamp(0, 1).permute(1, 2, 0).cpu().numpy()
    Image.fromarray(np.round(sheet * 255).astype(np.uint8)).save(path)


def _fixed(source: Crops, row: int, rows: int, size: int) -> Tensor:
    image = source.images[len(source.images) * (2 * row + 1) // (2 * rows)]
    side = min(image.shape[:2]) // 8 * 8
    crop = image[:side, :side].copy()
    x = torch.from_numpy(crop).permute(2, 0, 1)[None].float().to(source.device) / 255
    return torch.nn.functional.interpolate(x, (size, size), mode="bilinear", antialias=True)
