"""A recipe: how one picture of the gallery is painted."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .fields import Array, combine_angles, finish, structure
from .scene import Scene


@dataclass(frozen=True)
class Recipe:
    """One picture: what it is called and the function that paints it.

    :param paint: called with the side in pixels and a generator; returns float RGB of any size.
    :param quality: JPEG quality that keeps its file within 100-300 KB at 768 px.
    """

    id: str
    name: str
    description: str
    tags: tuple[str, ...]
    paint: Callable[[int, np.random.Generator], Array]
    quality: int = 82

    def render(self, n: int) -> Array:
        """uint8 (n, n, 3); the seed depends on nothing but the id."""
        rng = np.random.default_rng(zlib.crc32(self.id.encode()))
        return finish(self.paint(n, rng), n)


def compose(
    n: int,
    rng: np.random.Generator,
    draw: Callable[..., None],
    edges: float = 0.5,
    flip: bool = False,
    **options: object,
) -> tuple[Scene, Array]:
    """A drawn scene and its stroke directions, which follow edges where those are strong.

    :param n: side in pixels.
    :param draw: one of the scene functions, called with the scene and ``options``.
    :param flip: mirrors the scene left to right.
    :param edges: share of the picture's own structure in the directions, where it is strongest.
    """
    scene = Scene(n, rng)
    draw(scene, **options)
    if flip:
        scene.rgb, scene.label = scene.rgb[:, ::-1].copy(), scene.label[:, ::-1].copy()
        scene.angle = np.pi - scene.angle[:, ::-1]
    along, strength = structure(scene.rgb, n / 150)
    return scene, combine_angles(scene.angle, along, np.clip(strength, 0, 1) * edges)
