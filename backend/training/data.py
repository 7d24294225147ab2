"""Seeded batches of crops from a folder of pictures, decoded once and kept in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


class Crops:
    """Random square crops with random scale and horizontal flip.

    :param folder: searched without descending; every readable picture is used.
    :param seed: two instances with one seed yield the same crops.
    :param exclude: file stems to leave out (a held-out split).
    :param device: where crops are put.
    :raises FileNotFoundError: if the folder holds no picture.
    """

    def __init__(
        self,
        folder: Path,
        seed: int,
        *,
        exclude: frozenset[str] = frozenset(),
        device: torch.device | str = "cpu",
    ) -> None:
        paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and p.stem not in exclude)
        if not paths:
            raise FileNotFoundError(f"no pictures in {folder}")
        self.images = [self._read(p) for p in paths]
        self.rng = np.random.default_rng(seed)
        self.device = device

    @staticmethod
    def _read(path: Path) -> np.ndarray:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))

    def batch(self, count: int, size: int, *, scale: tuple[float, float] = (0.6, 1.0)) -> Tensor:
        """``count`` crops as (count, 3, size, size), RGB in [0, 1].

        :param scale: range of the crop's side as a fraction of the picture's short side; a small
            fraction shows brushwork enlarged, 1.0 shows the whole composition.
        """
        return torch.cat([self._crop(size, scale) for _ in range(count)]).to(self.device)

    def _crop(self, size: int, scale: tuple[float, float]) -> Tensor:
        image = self.images[self.rng.integers(len(self.images))]
        height, width, _ = image.shape
        side = max(16, int(min(height, width) * self.rng.uniform(*scale)))
        top = int(self.rng.integers(height - side + 1))
        left = int(self.rng.integers(width - side + 1))
        crop = image[top : top + side, left : left + side]
        if self.rng.random() < 0.5:
            crop = crop[:, ::-1]
        x = torch.from_numpy(np.ascontiguousarray(crop)).permute(2, 0, 1)[None].float() / 255
        if side != size:
            x = F.interpolate(x, (size, size), mode="bilinear", antialias=True, align_corners=False)
        return x.clamp(0, 1)
