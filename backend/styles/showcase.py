"""What the styles do to photographs: ``python -m scumble.backend.styles.showcase --out docs/styles.jpg``.

Every style of the gallery beside three stylized photographs, on one JPEG.  Without ``PHOTO`` arguments the
photographs are the public-domain ones that scikit-image carries in its package (the ``test`` extra).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from scumble.shared.messages import BundledStyle, MaskBuffer, PixelBuffer, Region

from . import gallery, load_style
from .paint import encode

Picture = NDArray[np.uint8]


def photographs(files: list[Path], side: int) -> list[Picture]:
    """Square RGB photographs of the given side; scikit-image's own where no files are given."""
    if files:
        found = []
        for file in files:
            data = cv2.imdecode(np.frombuffer(file.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
            if data is None:
                raise SystemExit(f"{file.name} is not a picture that can be read")
            found.append(np.asarray(data[..., ::-1]))
    else:
        from skimage import data as samples

        found = [samples.astronaut(), samples.chelsea(), samples.coffee()]
    return [square(photo, side) for photo in found]


def square(picture: NDArray[Any], side: int) -> Picture:
    """The middle square of a picture, resized."""
    h, w = picture.shape[:2]
    s = min(h, w)
    cut = picture[(h - s) // 2 : (h + s) // 2, (w - s) // 2 : (w + s) // 2]
    return np.asarray(
        cv2.resize(np.ascontiguousarray(cut), (side, side), interpolation=cv2.INTER_AREA), np.uint8
    )


def middle(picture: Picture, side: int) -> Picture:
    """The middle of a picture, pixel by pixel."""
    h, w = picture.shape[:2]
    top, left = max(0, (h - side) // 2), max(0, (w - side) // 2)
    return square(picture[top : top + side, left : left + side], side)


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m scumble.backend.styles.showcase", description=__doc__)
    parser.add_argument("photos", nargs="*", type=Path, metavar="PHOTO")
    parser.add_argument("--out", type=Path, required=True, help="the JPEG to write")
    parser.add_argument("--only", nargs="+", metavar="ID", help="only these styles")
    parser.add_argument("--first", type=int, metavar="N", help="only the first N photographs")
    parser.add_argument("--engine", default="partial-conv", metavar="NAME", help="what paints them")
    parser.add_argument(
        "--option", action="append", default=[], metavar="NAME=VALUE", help="of the engine (repeatable)"
    )
    parser.add_argument("--detail", action="store_true", help="show the middle of each result, not enlarged")
    parser.add_argument("--side", type=int, default=384, help="side at which the photographs are stylized")
    parser.add_argument("--cell", type=int, default=100, help="side at which everything is shown")
    parser.add_argument("--columns", type=int, default=2, help="styles beside each other")
    options = parser.parse_args(arguments)

    from scumble.backend import Session

    session = Session()
    chosen = dict(word.split("=", 1) for word in options.option)
    photos = photographs(options.photos, options.side)[: options.first]
    cell, gap = options.cell, 4
    strips = []
    for style in gallery():
        if style.source != "bundled" or (options.only and style.id not in options.only):
            continue
        row = [square(load_style(style), cell)]
        for photo in photos:
            n = options.side
            layer = PixelBuffer(n, n, "rgb", "u8", photo.tobytes())
            region = Region(MaskBuffer(n, n, b"\xff" * (n * n)), BundledStyle(style.id))
            result = session.stylize(layer, [region], engine=options.engine, options=chosen).layer
            pixels = np.frombuffer(result.data, np.uint8).reshape(result.height, result.width, -1)
            seen = np.ascontiguousarray(pixels[..., :3])
            row.append(middle(seen, cell) if options.detail else square(seen, cell))
        strip = np.full((cell + gap + 14, (len(row)) * (cell + gap) + 3 * gap, 3), 248, np.uint8)
        for i, picture in enumerate(row):
            x = i * (cell + gap) + (gap if i else 0)
            strip[14 : 14 + cell, x : x + cell] = picture
        # The names must stay legible at this size.
        cv2.putText(strip, style.id, (0, 11), cv2.FONT_HERSHEY_SIMPLEX, 0.38, (60, 60, 60), 1, cv2.LINE_AA)
        strips.append(strip)
        print(style.id, file=sys.stderr, flush=True)
    while len(strips) % options.columns:
        strips.append(np.full_like(strips[0], 248))
    rows = [np.hstack(strips[i : i + options.columns]) for i in range(0, len(strips), options.columns)]
    options.out.write_bytes(
        encode(np.pad(np.vstack(rows), ((8, 8), (8, 0), (0, 0)), constant_values=248), 80)
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
