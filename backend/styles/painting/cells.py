"""Cells: Voronoi tessellations, evenly spread points, tesserae and stipples."""

from __future__ import annotations

import cv2
import numpy as np

from .fields import Array, grid


def _labels(n: int, points: Array) -> Array:
    """Index of the nearest point for every pixel of an (n, n) picture."""
    seeds = np.full((n, n), 255, np.uint8)
    at = np.clip(points.astype(np.int32), 0, n - 1)
    seeds[at[:, 1], at[:, 0]] = 0
    _, labels = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    table = np.zeros(int(labels.max()) + 1, np.int32)
    table[labels[at[:, 1], at[:, 0]]] = np.arange(len(points))
    return table[labels]


def voronoi(n: int, points: Array, shift: tuple[Array, Array] | None = None) -> tuple[Array, Array]:
    """Cell numbers and the distance in pixels to the nearest cell border.

    :param points: (k, 2) pixel positions.
    :param shift: maps (dx, dy) in pixels that make the borders crooked.
    """
    index = _labels(n, points)
    if shift is not None:
        ys, xs = np.mgrid[0:n, 0:n].astype(np.float32)
        index = cv2.remap(
            index.astype(np.float32),
            xs + shift[0],
            ys + shift[1],
            cv2.INTER_NEAREST,
            borderMode=cv2.BORDER_REPLICATE,
        ).astype(np.int32)
    return index, border_distance(index)


def border_distance(index: Array) -> Array:
    """Distance in pixels to the nearest change of the cell number."""
    edge = np.zeros(index.shape, bool)
    edge[:, 1:] |= index[:, 1:] != index[:, :-1]
    edge[1:] |= index[1:] != index[:-1]
    return cv2.distanceTransform((~edge).astype(np.uint8), cv2.DIST_L2, 5)


def cell_means(index: Array, values: Array, count: int) -> Array:
    """Mean of ``values`` (n, n) or (n, n, c) in each of ``count`` cells."""
    flat = index.ravel()
    size = np.maximum(np.bincount(flat, minlength=count), 1)
    v = values.reshape(len(flat), -1)
    sums = [np.bincount(flat, v[:, c], minlength=count) for c in range(v.shape[1])]
    out = (np.stack(sums, 1) / size[:, None]).astype(np.float32)
    return out[:, 0] if values.ndim == 2 else out


def scatter(rng: np.random.Generator, density: Array, count: int) -> Array:
    """``count`` random points (x, y) in pixels, drawn with the given density."""
    p = density.ravel().astype(np.float64)
    p = np.cumsum(p)
    at = np.searchsorted(p, rng.random(count) * p[-1])
    n = density.shape[1]
    return np.stack([at % n, at // n], 1).astype(np.float32) + rng.random((count, 2), dtype=np.float32)


def centroidal(rng: np.random.Generator, density: Array, count: int, rounds: int = 6) -> Array:
    """Points spread evenly with the density: Lloyd's relaxation (weighted Voronoi stippling)."""
    n = density.shape[0]
    points = scatter(rng, density, count)
    x, y = grid(n)
    weight = density + 1e-5
    for _ in range(rounds):
        index = _labels(n, points).ravel()
        mass = np.bincount(index, weight.ravel(), minlength=count)
        mx = np.bincount(index, (weight * x).ravel(), minlength=count)
        my = np.bincount(index, (weight * y).ravel(), minlength=count)
        full = mass > 0
        points[full] = np.stack([mx[full] / mass[full], my[full] / mass[full]], 1) * n
    return np.clip(points, 0, n - 1)
