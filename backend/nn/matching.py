"""Nearest-neighbour features: every position borrows the style's own texture.

A transport moves statistics but keeps the content's spatial pattern, so it cannot put a stroke
where the photograph is smooth.  Matching can: each content position takes the features found at
the most similar position of the style, with their neighbourhood at the finer levels.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def matching_basis(keys: Tensor, dims: int) -> Tensor:
    """Principal directions of (C, M) centred features: (dims, C), rows orthonormal."""
    covariance = (keys @ keys.T).double()
    _, vectors = torch.linalg.eigh(covariance)
    return vectors[:, -dims:].T.to(keys.dtype).contiguous()


def nearest(queries: Tensor, keys: Tensor, *, block: int = 4096) -> Tensor:
    """Index of the key with the largest cosine for each query, in blocks of bounded memory.

    :param queries: (C, N), centred; their lengths do not matter.
    :param keys: (C, M), centred.
    :returns: (N,) int64 indices into the keys.
    """
    unit = F.normalize(keys, dim=0)
    found = [(queries[:, i : i + block].T @ unit).argmax(1) for i in range(0, queries.shape[1], block)]
    return torch.cat(found)


def gather_blocks(source: Tensor, index: Tensor, size: tuple[int, int], grid: tuple[int, int]) -> Tensor:
    """Lay out the blocks of ``source`` that belong to matched coarse positions.

    :param source: (C, h*f, w*f), features f times finer than the (h, w) grid that was matched.
    :param index: (H*W,) positions in the (h, w) grid.
    :param size: (H, W) of the result in coarse positions.
    :param grid: (h, w) of the source in coarse positions.
    :returns: (C, H*f, W*f).
    """
    channels = source.shape[0]
    h, w = grid
    factor = source.shape[1] // h
    tiles = source[:, : h * factor, : w * factor].reshape(channels, h, factor, w, factor)
    tiles = tiles.permute(1, 3, 0, 2, 4).reshape(h * w, channels, factor, factor)
    picked = tiles[index].view(*size, channels, factor, factor)
    return picked.permute(2, 0, 3, 1, 4).reshape(channels, size[0] * factor, size[1] * factor)
