"""The overview: what went in, what came out, and the usual way beside it, on one sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Picture = NDArray[np.uint8]

PAPER = (247, 244, 238)
INK = (43, 39, 34)
FADED = (122, 113, 102)
ACCENT = (184, 76, 42)
WIDTH = 1900
MARGIN = 48
GAP = 20
RADIUS = 8
CAPTION = 40


@dataclass(frozen=True)
class Story:
    """Everything on the sheet; pictures are RGB (H, W, 3) unless said otherwise, 8 bit.

    :param source: the photograph.
    :param masks: one (H, W) selection for each style.
    :param styles: (name, picture) for each selection.
    :param layer: the new layer, RGBA, at the source's size.
    :param baseline: the source with both regions done by style-then-mask.
    :param ours: the source under the new layer.
    :param details: (x, y, width, height) of close-ups, as shares of the source's size.
    :param note: small print, e.g. how long it took.
    """

    source: Picture
    masks: Sequence[Picture]
    styles: Sequence[tuple[str, Picture]]
    layer: Picture
    baseline: Picture
    ours: Picture
    details: Sequence[tuple[float, float, float, float]]
    note: str = ""


class _Sheet:
    def __init__(self, height: int) -> None:
        self.image = Image.new("RGB", (WIDTH, height), PAPER)
        self.draw = ImageDraw.Draw(self.image)

    def text(self, x: float, y: float, text: str, size: int, colour: tuple[int, int, int] = INK) -> float:
        """Write at the left top; returns the right end."""
        font = ImageFont.load_default(size)
        self.draw.text((x, y), text, colour, font=font)
        return float(x + self.draw.textlength(text, font=font))

    def caption(self, x: int, y: int, title: str, more: str = "") -> None:
        end = self.text(x, y, title, 19)
        if more:
            self.text(end + 10, y + 2, more, 17, FADED)

    def picture(self, x: int, y: int, width: int, height: int, pixels: Picture) -> None:
        """Fit by covering: the centre of the picture fills the frame."""
        image = Image.fromarray(pixels)
        scale = max(width / image.width, height / image.height)
        w, h = width / scale, height / scale
        left, top = max(0.0, (image.width - w) / 2), max(0.0, (image.height - h) / 2)
        box = (left, top, min(left + w, image.width), min(top + h, image.height))
        fitted = image.resize((width, height), Image.Resampling.LANCZOS, box)
        # Corners drawn four times as large and shrunk: ImageDraw's own have steps.
        corner = Image.new("L", (width * 4, height * 4), 0)
        ImageDraw.Draw(corner).rounded_rectangle((0, 0, width * 4 - 1, height * 4 - 1), RADIUS * 4, 255)
        self.image.paste(fitted, (x, y), corner.resize((width, height), Image.Resampling.BOX))


def _checkered(layer: Picture, cell: int) -> Picture:
    """A layer over the grey squares by which editors show transparency."""
    height, width = layer.shape[:2]
    ys, xs = np.mgrid[0:height, 0:width] // cell
    board = np.where((ys + xs) % 2, 236, 252)[..., None].astype(np.float32)
    alpha = layer[..., 3:].astype(np.float32) / 255
    return np.rint(layer[..., :3] * alpha + board * (1 - alpha)).astype(np.uint8)


def _part(pixels: Picture, detail: tuple[float, float, float, float]) -> Picture:
    height, width = pixels.shape[:2]
    x, y, w, h = detail
    return pixels[round(y * height) : round((y + h) * height), round(x * width) : round((x + w) * width)]


def overview(story: Story) -> Picture:
    """Lay the sheet out; RGB (H, 1900, 3)."""
    inner = WIDTH - 2 * MARGIN
    half = (inner - GAP) // 2
    large = round(half * story.source.shape[0] / story.source.shape[1])
    # Top row: source | masks over each other | styles over each other | layer, all of one height.
    count = len(story.masks)
    aspect = story.source.shape[1] / story.source.shape[0]
    row = round(
        (inner - 3 * GAP + (count - 1) * GAP * (aspect + 1) / count) / (2 * aspect + (aspect + 1) / count)
    )
    small = (row - GAP * (count - 1)) // count
    detail = (inner - 3 * GAP) // 4
    close = round(detail * 0.72)
    tops = [132]
    tops.append(tops[0] + row + CAPTION + GAP)
    tops.append(tops[1] + large + CAPTION + GAP)
    sheet = _Sheet(tops[2] + close + CAPTION + MARGIN)

    end = sheet.text(MARGIN - 2, 36, "Scumble", 52)
    sheet.text(end + 22, 60, "two painted selections, two styles, one new layer", 25, FADED)
    sheet.draw.line((MARGIN, 108, WIDTH - MARGIN, 108), (221, 214, 202), 2)

    _inputs(sheet, story, tops[0], row, small)
    y = tops[1]
    right = WIDTH - MARGIN - half
    sheet.picture(MARGIN, y, half, large, story.baseline)
    sheet.caption(MARGIN, y + large + 8, "style-then-mask", "the whole picture styled, then cut out")
    sheet.picture(right, y, half, large, story.ours)
    sheet.draw.ellipse((right, y + large + 15, right + 10, y + large + 25), ACCENT)
    sheet.caption(right + 18, y + large + 8, "Scumble", "blended partial convolution")

    y = tops[2]
    for number, where in enumerate(list(story.details)[:2]):
        x = MARGIN + 2 * number * (detail + GAP)
        sheet.picture(x, y, detail, close, _part(story.baseline, where))
        sheet.caption(x, y + close + 8, "style-then-mask", "close-up")
        x += detail + GAP
        sheet.picture(x, y, detail, close, _part(story.ours, where))
        sheet.draw.ellipse((x, y + close + 15, x + 10, y + close + 25), ACCENT)
        sheet.caption(x + 18, y + close + 8, "Scumble", "close-up")
    if story.note:
        font = ImageFont.load_default(17)
        left = WIDTH - MARGIN - sheet.draw.textlength(story.note, font=font)
        sheet.draw.text((left, 66), story.note, FADED, font=font)
    return np.asarray(sheet.image)


def _inputs(sheet: _Sheet, story: Story, y: int, row: int, small: int) -> None:
    aspect = story.source.shape[1] / story.source.shape[0]
    wide, mask_wide = round(row * aspect), round(small * aspect)
    x = MARGIN
    sheet.picture(x, y, wide, row, story.source)
    sheet.caption(x, y + row + 8, "photograph")
    x += wide + GAP
    for number, mask in enumerate(story.masks):
        grey = np.repeat(mask[..., None], 3, axis=2)
        sheet.picture(x, y + number * (small + GAP), mask_wide, small, grey)
    sheet.caption(x, y + row + 8, "soft selections")
    x += mask_wide + GAP
    for number, (_, picture) in enumerate(story.styles):
        sheet.picture(x, y + number * (small + GAP), small, small, picture)
    sheet.caption(x, y + row + 8, "their styles")
    x += small + GAP
    layer = _checkered(story.layer, max(4, round(story.layer.shape[1] / 60)))
    sheet.picture(x, y, WIDTH - MARGIN - x, row, layer)
    sheet.caption(x, y + row + 8, "the new layer", " and ".join(name for name, _ in story.styles))
