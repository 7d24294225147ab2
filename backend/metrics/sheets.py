"""Contact sheets of a run, since no number sees an ugly picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from .bench import Setting, picture_file
from .boundary import band
from .measure import Picture
from .protocol import Triplet, draw, photo_file, read_picture, region_mask

GAP, TITLE = 4, 16


def outlined(photo: Picture, mask: Picture) -> Picture:
    """The photograph with the region's edge in white on black."""
    shown = photo.copy()
    inner, outer = band(mask >= 128)
    shown[outer] = 0
    shown[inner] = 255
    return shown


def _cell(picture: Picture, width: int, height: int) -> Image.Image:
    image = Image.fromarray(picture)
    scale = min(width / image.width, height / image.height)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    cell = Image.new("RGB", (width, height), "white")
    shown = image.resize(size, Image.Resampling.LANCZOS)
    cell.paste(shown, ((width - size[0]) // 2, (height - size[1]) // 2))
    return cell


def _grid(rows: Sequence[Sequence[Picture]], titles: Sequence[str], width: int, height: int) -> Image.Image:
    columns = len(titles)
    sheet = Image.new(
        "RGB", (columns * (width + GAP) + GAP, len(rows) * (height + GAP) + GAP + TITLE), "white"
    )
    pen = ImageDraw.Draw(sheet)
    for n, title in enumerate(titles):
        pen.text((GAP + n * (width + GAP), 2), title, fill="black")
    for r, row in enumerate(rows):
        for c, picture in enumerate(row):
            place = (GAP + c * (width + GAP), TITLE + GAP + r * (height + GAP))
            sheet.paste(_cell(picture, width, height), place)
    return sheet


def _kept(chosen: Sequence[Triplet], setting: Setting) -> list[tuple[Triplet, list[Path]]]:
    if setting.pictures is None:
        return []
    found = []
    for t in chosen[: setting.keep]:
        files = [picture_file(setting.pictures, t, v.name) for v in setting.variants]
        if all(f.is_file() for f in files):
            found.append((t, files))
    return found


def contact_sheet(
    chosen: Sequence[Triplet], setting: Setting, width: int = 300, height: int = 220
) -> Image.Image:
    """One row a triplet: photograph with its region, style, then every variant's result."""
    rows = []
    for t, files in _kept(chosen, setting):
        photo = read_picture(photo_file(setting.bench, t.stem))
        mask = region_mask(setting.bench, t, photo.shape[:2])
        style = read_picture(setting.styles[t.style])
        rows.append([outlined(photo, mask), style, *(read_picture(f) for f in files)])
    return _grid(rows, ["photo and region", "style", *(v.name for v in setting.variants)], width, height)


def seam_sheet(chosen: Sequence[Triplet], setting: Setting, side: int = 96, zoom: int = 2) -> Image.Image:
    """One row a triplet: a square of ``side`` pixels around a point of the edge, enlarged, per variant."""
    rows = []
    for t, files in _kept(chosen, setting):
        photo = read_picture(photo_file(setting.bench, t.stem))
        mask = region_mask(setting.bench, t, photo.shape[:2])
        edge = np.argwhere(band(mask >= 128)[0])
        if not len(edge):
            continue
        y, x = edge[draw(setting.seed, t.key, "seam") % len(edge)]
        top = int(np.clip(y - side // 2, 0, max(0, photo.shape[0] - side)))
        left = int(np.clip(x - side // 2, 0, max(0, photo.shape[1] - side)))
        cut = (slice(top, top + side), slice(left, left + side))
        rows.append([photo[cut], outlined(photo, mask)[cut], *(read_picture(f)[cut] for f in files)])
    names = ["photo", "region", *(v.name for v in setting.variants)]
    return _grid(rows, names, side * zoom, side * zoom)
