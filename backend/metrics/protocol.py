"""Which region of which photograph gets which style: chosen once by seed, the same for every run.

A bench folder holds ``NAME.jpg`` (photograph), ``NAME.png`` (label map, 0 = no region) and, if
there is one, ``regions.csv`` with the columns ``stem``, ``label`` and ``area_frac``; without it the
areas are counted.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from scumble.shared.errors import Code, ScumbleError

#: The published evaluation takes masks of at least this share of the picture.
LEAST_AREA = 0.02
#: The second list: regions too small for the published one, yet more than a speck.
TINY_AREA = 0.0005
#: Labels of what no label map holds: the whole picture, and a loose selection.
WHOLE, LOOSE = 0, -1
#: Loose selections cover this much of the picture.
LOOSE_AREAS = (0.03, 0.25)
PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp")


Kind = Literal["regular", "tiny", "loose", "whole"]


@dataclass(frozen=True)
class Triplet:
    """A photograph, one of its regions and a style picture.

    :param label: value of the region in the photograph's label map, or :data:`WHOLE` or :data:`LOOSE`.
    :param area: share of the picture that the region covers.
    """

    stem: str
    label: int
    area: float
    style: str

    @property
    def key(self) -> str:
        """Name of the triplet in reports."""
        return f"{self.stem}:{self.label}:{self.style}"


def draw(*parts: object) -> int:
    """A number that depends on nothing but the parts' text: no generator, no order, no version."""
    text = "\x1f".join(str(p) for p in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def _opened(file: Path) -> Image.Image:
    try:
        picture = Image.open(file)
        picture.load()
        return picture
    except FileNotFoundError:
        raise ScumbleError(Code.FILE_MISSING, f"There is no picture {file}.") from None
    except (OSError, UnidentifiedImageError) as error:
        raise ScumbleError(Code.FILE_UNREADABLE, f"{file} cannot be read as a picture.") from error


def read_picture(file: Path) -> NDArray[np.uint8]:
    """(H, W, 3) ``uint8``, RGB.

    :raises ScumbleError: ``file_missing`` or ``file_unreadable``.
    """
    return np.array(_opened(file).convert("RGB"))


def read_labels(file: Path) -> NDArray[np.int64]:
    """(H, W) label map; raises as :func:`read_picture`."""
    labels = np.array(_opened(file))
    if labels.ndim != 2:
        raise ScumbleError(Code.UNSUPPORTED_FORMAT, f"{file} is not a label map of one channel.")
    return labels.astype(np.int64)


def photo_file(bench: Path, stem: str) -> Path:
    """The photograph of that name: JPEG, since the label map beside it is the PNG."""
    for suffix in (".jpg", ".jpeg"):
        if (bench / (stem + suffix)).is_file():
            return bench / (stem + suffix)
    raise ScumbleError(Code.FILE_MISSING, f"There is no photograph {stem}.jpg in {bench}.")


def loose_selection(size: tuple[int, int], area: float, name: str) -> NDArray[np.uint8]:
    """A smooth blob as a hand draws it around something: it follows no edge of the picture.

    ``r(angle) = r0 (1 + sum of 2nd to 5th harmonics)`` around a drawn centre, in the picture's
    proportions, wholly inside it.

    :param area: share of the picture that it covers, up to rounding.
    :param name: what to draw centre and harmonics from.
    :returns: (H, W), 255 inside.
    """
    height, width = size

    def drawn(what: str) -> float:
        return draw(name, what) / 2**64

    radius = np.sqrt(area / np.pi)
    harmonics = [
        (k, 0.28 * drawn(f"size {k}") / (k - 1), 2 * np.pi * drawn(f"turn {k}")) for k in range(2, 6)
    ]
    reach = radius * (1 + sum(a for _, a, _ in harmonics))
    cy, cx = (reach + (1 - 2 * reach) * drawn(axis) if reach < 0.5 else 0.5 for axis in ("y", "x"))
    y, x = np.mgrid[0:height, 0:width]
    dy, dx = (y + 0.5) / height - cy, (x + 0.5) / width - cx
    angle = np.arctan2(dy, dx)
    edge = radius * (1 + sum(a * np.cos(k * angle + turn) for k, a, turn in harmonics))
    return np.where(np.hypot(dy, dx) <= edge, 255, 0).astype(np.uint8)


def region_mask(bench: Path, triplet: Triplet, size: tuple[int, int]) -> NDArray[np.uint8]:
    """(H, W) ``uint8``, 255 inside the triplet's region.

    :raises ScumbleError: ``mask_size`` if the label map has another size, ``empty_selection`` if it
        lacks the label, or as :func:`read_picture`.
    """
    if triplet.label == WHOLE:
        return np.full(size, 255, np.uint8)
    if triplet.label == LOOSE:
        return loose_selection(size, triplet.area, f"{triplet.stem}:{triplet.area:.6f}")
    labels = read_labels(bench / f"{triplet.stem}.png")
    if labels.shape != size:
        raise ScumbleError(Code.MASK_SIZE, f"{triplet.stem}.png and {triplet.stem}.jpg differ in size.")
    mask = np.where(labels == triplet.label, 255, 0).astype(np.uint8)
    if not mask.any():
        raise ScumbleError(Code.EMPTY_SELECTION, f"{triplet.stem}.png has no region {triplet.label}.")
    return mask


def _stems(bench: Path) -> list[str]:
    if not bench.is_dir():
        raise ScumbleError(Code.FILE_MISSING, f"There is no folder {bench}.", "Give the bench's folder.")
    return sorted({f.stem for f in bench.iterdir() if f.suffix.lower() in (".jpg", ".jpeg")})


def regions(bench: Path) -> dict[str, list[tuple[int, float]]]:
    """Every photograph's regions: stem -> [(label, share of the picture)], both in order.

    :raises ScumbleError: ``file_missing`` or ``file_unreadable``.
    """
    found: dict[str, list[tuple[int, float]]] = {stem: [] for stem in _stems(bench)}
    table = bench / "regions.csv"
    if table.is_file():
        try:
            with table.open(newline="", encoding="utf-8") as file:
                for row in csv.DictReader(file):
                    if row["stem"] in found:
                        found[row["stem"]].append((int(row["label"]), float(row["area_frac"])))
        except (KeyError, ValueError, TypeError) as error:
            raise ScumbleError(
                Code.FILE_UNREADABLE, f"{table} cannot be read.", "It needs stem, label and area_frac."
            ) from error
    else:
        for stem in found:
            if (bench / f"{stem}.png").is_file():
                labels, counts = np.unique(read_labels(bench / f"{stem}.png"), return_counts=True)
                total = int(counts.sum())
                pairs = zip(labels.tolist(), counts.tolist(), strict=True)
                found[stem] = [(label, n / total) for label, n in pairs if label != 0]
    return {stem: sorted(r) for stem, r in found.items()}


def style_files(folder: Path, pattern: str = "*") -> dict[str, Path]:
    """The style pictures of a folder by file name, in order.

    :raises ScumbleError: ``file_missing`` if there are none.
    """
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    found = {f.name: f for f in files if f.suffix.lower() in PICTURES and fnmatch(f.name, pattern)}
    if not found:
        raise ScumbleError(Code.FILE_MISSING, f"There are no style pictures {pattern} in {folder}.")
    return found


def _eligible(bench: Path, kind: Kind, seed: int) -> dict[str, list[tuple[int, float]]]:
    if kind == "whole":
        return {stem: [(WHOLE, 1.0)] for stem in _stems(bench)}
    if kind == "loose":
        low, high = LOOSE_AREAS
        return {s: [(LOOSE, low + (high - low) * draw(seed, s, "area") / 2**64)] for s in _stems(bench)}
    low, high = (TINY_AREA, LEAST_AREA) if kind == "tiny" else (LEAST_AREA, 1.01)
    return {stem: [r for r in found if low <= r[1] < high] for stem, found in regions(bench).items()}


def triplets(
    bench: Path,
    styles: Sequence[str],
    *,
    seed: int = 0,
    kind: Kind = "regular",
    limit: int | None = None,
) -> list[Triplet]:
    """One triplet a photograph: a region and a style drawn by seed among those that are eligible.

    The draw for a photograph does not depend on the other photographs, and a shorter list is the
    beginning of a longer one.

    :param kind: ``regular`` regions of at least 2 % of the picture, ``tiny`` ones of 0.05 to 2 %,
        ``loose`` selections that follow no edge of the picture, or ``whole`` pictures.
    :param limit: how many; photographs are taken in an order drawn by the seed.
    :raises ScumbleError: ``file_missing``, ``file_unreadable``, or ``empty_selection`` if no region
        is eligible.
    """
    names = sorted(styles)
    chosen: list[Triplet] = []
    for stem, eligible in _eligible(bench, kind, seed).items():
        if eligible:
            label, area = eligible[draw(seed, kind, stem, "region") % len(eligible)]
            style = names[draw(seed, kind, stem, "style") % len(names)]
            chosen.append(Triplet(stem, label, area, style))
    if not chosen:
        raise ScumbleError(Code.EMPTY_SELECTION, f"No photograph in {bench} has a region of that size.")
    chosen.sort(key=lambda t: draw(seed, kind, t.stem, "order"))
    return chosen[:limit]


def named_pairs(bench: Path, styles: Sequence[str], texts: Sequence[str]) -> list[Triplet]:
    """Whole photographs with the styles they are named with.

    :param styles: file names of the style pictures there are.
    :param texts: ``PHOTOGRAPH:STYLE`` each, the photograph without its suffix.
    :raises ScumbleError: ``bad_request`` if a text is of another form, ``file_missing`` if there is no such
        photograph or style.
    """
    chosen: list[Triplet] = []
    for text in texts:
        stem, colon, style = text.partition(":")
        if not (stem and colon and style):
            raise ScumbleError(Code.BAD_REQUEST, f"{text!r} is not of the form PHOTOGRAPH:STYLE.")
        photo_file(bench, stem)
        if style not in styles:
            raise ScumbleError(Code.FILE_MISSING, f"There is no style picture {style}.")
        chosen.append(Triplet(stem, WHOLE, 1.0, style))
    return chosen
