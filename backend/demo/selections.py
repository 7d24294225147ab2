"""The demo's two selections: cut out and brushed the way a painter would, soft at the edge."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.uint8]
#: The photograph's own size, in which everything here is placed.
WIDTH, HEIGHT = 600, 400

#: The saucer with the spoon's handle, clockwise from the top left; points are (x, y) in half pixels.
_SAUCER = (
    (366, 136), (300, 164), (236, 212), (192, 274), (164, 340), (153, 420), (160, 500), (184, 570),
    (226, 632), (282, 684), (346, 726), (420, 756), (500, 774), (580, 778), (670, 766), (750, 740),
    (822, 700), (882, 650), (926, 590), (950, 530), (959, 460), (950, 390), (928, 322), (896, 266),
    (850, 214), (838, 204), (850, 152), (826, 133), (797, 145),
)  # fmt: skip
#: Centre, half axes and slope of the cup's rim, in the same units.
_RIM = ((581, 236), (237, 204), 4)
#: Outline of a brushed selection on the table, clockwise from the top left, in pixels.
_TABLE = (
    (-40, 112), (60, 64), (150, 6), (205, -40), (452, -40), (446, 18), (470, 62), (462, 108), (492, 150),
    (486, 204), (512, 250), (498, 300), (522, 352), (506, 440), (-40, 440),
)  # fmt: skip


def cup() -> Mask:
    """The cup on its saucer, traced as with a lasso.

    :returns: (400, 600), 0 outside to 255 inside, soft over about four pixels.
    """
    drawn = np.zeros((2 * HEIGHT, 2 * WIDTH), np.uint8)
    cv2.fillPoly(drawn, [np.array(_SAUCER, np.int32)], 255, lineType=cv2.LINE_AA)
    cv2.ellipse(drawn, *_RIM, 0, 360, 255, -1, cv2.LINE_AA)
    # The blur rounds the polygon's corners; the threshold keeps the edge where it was drawn.
    rounded = np.where(cv2.GaussianBlur(drawn, (0, 0), 6.0) > 127, 255, 0).astype(np.uint8)
    small = cv2.resize(rounded, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(small, (0, 0), 1.6), np.uint8)


def table(without: Mask) -> Mask:
    """A wide stroke over the wooden table that ends, ragged and soft, on the right.

    :param without: the cup's selection, which is left out.
    """
    shape = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillPoly(shape, [np.array(_TABLE, np.int32)], 255, lineType=cv2.LINE_AA)
    # A wandering edge, as a hand makes it: displace by smooth noise.
    noise = np.random.default_rng(7).normal(size=(2, HEIGHT, WIDTH)).astype(np.float32)
    drift = [cv2.GaussianBlur(n, (0, 0), 12.0) for n in noise]
    ys, xs = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    dx, dy = (9.0 * d / max(float(d.std()), 1e-6) for d in drift)
    moved = cv2.remap(shape, xs + dx, ys + dy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    soft = cv2.GaussianBlur(moved, (0, 0), 7.0).astype(np.float32) / 255
    return np.asarray(np.rint(soft * (255 - without.astype(np.float32))), np.uint8)


def selections(scale: float = 1.0) -> tuple[Mask, Mask]:
    """(cup, table) for the photograph enlarged ``scale`` times."""
    found = cup()
    both = (found, table(found))
    size = (round(WIDTH * scale), round(HEIGHT * scale))
    first, second = (np.asarray(cv2.resize(m, size, interpolation=cv2.INTER_CUBIC), np.uint8) for m in both)
    return first, second
