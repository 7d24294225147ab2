"""Paints the bundled gallery: ``python -m scumble.backend.styles.paint --out DIR [--only ID ...]``.

The same seed gives the same picture bit for bit on the same library versions, so ``--out`` pointed at the
package's own ``gallery`` folder changes nothing unless a recipe changed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from .painting.catalogue import RECIPES

SIDE = 768
THUMBNAIL = 128


def encode(picture: NDArray[np.uint8], quality: int) -> bytes:
    """RGB (H, W, 3) as JPEG."""
    settings = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1]
    return cv2.imencode(".jpg", picture[..., ::-1], settings)[1].tobytes()


def write_picture(out: Path, id: str, picture: NDArray[np.uint8], quality: int) -> None:
    """The picture and its thumbnail, as ``ID.jpg`` and ``ID.thumb.jpg``."""
    small = cv2.resize(picture, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA)
    (out / f"{id}.jpg").write_bytes(encode(picture, quality))
    (out / f"{id}.thumb.jpg").write_bytes(encode(np.asarray(small, np.uint8), 85))


def write_index(out: Path) -> None:
    """``index.json``: names, words and hashes of the pictures that are there, in gallery order."""
    entries = []
    for r in RECIPES:
        file, thumb = out / f"{r.id}.jpg", out / f"{r.id}.thumb.jpg"
        if file.is_file() and thumb.is_file():
            entries.append(
                {
                    "id": r.id,
                    "name": r.name,
                    "description": r.description,
                    "tags": list(r.tags),
                    "file": file.name,
                    "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
                    "thumbnail": thumb.name,
                    "thumbnail_sha256": hashlib.sha256(thumb.read_bytes()).hexdigest(),
                }
            )
    (out / "index.json").write_text(json.dumps({"styles": entries}, indent=1) + "\n", encoding="utf-8")


def contact_sheet(folder: Path, target: Path, columns: int = 7, side: int = 200) -> None:
    """All pictures of a gallery folder on one JPEG, in index order."""
    entries = json.loads((folder / "index.json").read_text(encoding="utf-8"))["styles"]
    gap = 6
    rows = -(-len(entries) // columns)
    sheet = np.full((rows * (side + gap) + gap, columns * (side + gap) + gap, 3), 245, np.uint8)
    for i, entry in enumerate(entries):
        picture = cv2.imread(str(folder / entry["file"]), cv2.IMREAD_COLOR)
        if picture is None:
            raise SystemExit(f"cannot read {entry['file']}")
        y, x = gap + (i // columns) * (side + gap), gap + (i % columns) * (side + gap)
        sheet[y : y + side, x : x + side] = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
    target.write_bytes(encode(np.ascontiguousarray(sheet[..., ::-1]), 80))


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m scumble.backend.styles.paint", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for the pictures and index.json")
    parser.add_argument("--only", nargs="+", metavar="ID", help="paint only these")
    parser.add_argument("--size", type=int, default=SIDE, help="side in pixels")
    parser.add_argument("--sheet", type=Path, help="also write a contact sheet of the folder, as JPEG")
    parser.add_argument(
        "--index-only", action="store_true", help="paint nothing, renew index.json (and the sheet)"
    )
    options = parser.parse_args(arguments)
    known = {r.id for r in RECIPES}
    unknown = sorted(set(options.only or ()) - known)
    if unknown:
        parser.error(f"unknown style {', '.join(unknown)}; there are: {', '.join(sorted(known))}")
    if not 64 <= options.size <= 4096:
        parser.error("--size takes 64 to 4096")
    options.out.mkdir(parents=True, exist_ok=True)
    for r in () if options.index_only else RECIPES:
        if options.only and r.id not in options.only:
            continue
        start = time.perf_counter()
        write_picture(options.out, r.id, r.render(options.size), r.quality)
        print(f"{r.id}: {time.perf_counter() - start:.1f} s", file=sys.stderr, flush=True)
    write_index(options.out)
    if options.sheet:
        contact_sheet(options.out, options.sheet)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
