"""How many clicks a selection takes: ``python tests/benchmarks/segmentation.py --masks DIR``.

``DIR`` holds pictures and label maps under the same stems with an ``index.csv`` (stem, kind), as for
``python -m scumble.backend.training clicks``.  From each picture one region is taken, chosen by hash.
A patient person is simulated: the first click into the middle of the region's thickest part, each
further one into the largest error; the mask so far goes back with it.  Each method runs through
``Session.segment`` as it does for an artist.  Prints a table and, with ``--json``, writes all figures.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import time
from pathlib import Path

import numpy as np
from PIL import Image

from scumble.backend.segment.base import overlap
from scumble.backend.segment.simulated import Click, first_click, next_click
from scumble.backend.session import Session
from scumble.shared.errors import ScumbleError
from scumble.shared.messages import MaskBuffer, PixelBuffer
from scumble.shared.segmenting import Point, SegmentRequest

#: Clicks after which the simulated person gives up, and the overlap that makes them content.
MOST_CLICKS, CONTENT = 10, 0.85


def targets(folder: Path, most: int) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """(name, picture, mask): one region of 2 to 70 % of each picture."""
    with (folder / "index.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    rows.sort(key=lambda r: hashlib.blake2b(r["stem"].encode(), digest_size=8).digest())
    found = []
    for row in rows:
        stem = row["stem"]
        photo = next((p for p in folder.glob(f"{stem}.*") if p.suffix in (".jpg", ".jpeg", ".webp")), None)
        if photo is None:
            continue
        with Image.open(photo) as a, Image.open(folder / f"{stem}.png") as b:
            image, labels = np.asarray(a.convert("RGB")), np.asarray(b)
        if image.shape[:2] != labels.shape:
            continue
        names, counts = np.unique(labels, return_counts=True)
        fit = [int(n) for n, c in zip(names, counts, strict=True) if n and 0.02 <= c / labels.size <= 0.7]
        if not fit:
            continue
        pick = fit[hashlib.blake2b(f"{stem}/region".encode(), digest_size=2).digest()[0] % len(fit)]
        found.append((stem, image, labels == pick))
        if len(found) == most:
            break
    return found


def clicked(
    session: Session, method: str, image: np.ndarray, target: np.ndarray
) -> tuple[list[float], float]:
    """Overlap after each click, and seconds of each further click."""
    height, width = target.shape
    layer = PixelBuffer(width, height, "rgb", "u8", np.ascontiguousarray(image).tobytes())
    clicks: list[Click] = [first_click(target)]
    before: MaskBuffer | None = None
    scores: list[float] = []
    seconds: list[float] = []
    while True:
        points = tuple(Point(c.x, c.y, c.positive) for c in clicks)
        began = time.perf_counter()
        guess = np.zeros(target.shape, bool)
        try:
            result = session.segment(SegmentRequest(layer, "points", points, None, before, method, count=1))
            before = result.masks[0].mask
            part = np.frombuffer(before.data, np.uint8).reshape(before.height, before.width)
            guess[before.y : before.y + before.height, before.x : before.x + before.width] = part >= 128
        except ScumbleError:
            before = None
        seconds.append(time.perf_counter() - began)
        scores.append(overlap(guess, target))
        further = next_click(target, guess)
        if len(clicks) == MOST_CLICKS or further is None or (scores[-1] >= CONTENT and len(scores) >= 5):
            break
        clicks.append(further)
    return scores, float(np.median(seconds[1:] or seconds))


def summary(name: str, runs: list[list[float]], seconds: list[float]) -> dict[str, float | str]:
    """Means over all regions; where a person stopped early the last overlap counts on."""

    def at(count: int) -> float:
        return float(np.mean([r[min(count, len(r)) - 1] for r in runs]))

    needed = [next((i + 1 for i, v in enumerate(r) if v >= CONTENT), MOST_CLICKS) for r in runs]
    failed = [max(r) < CONTENT for r in runs]
    return {
        "method": name,
        "regions": len(runs),
        "iou_1": at(1),
        "iou_3": at(3),
        "iou_5": at(5),
        "clicks_to_85": float(np.mean(needed)),
        "not_in_10": float(np.mean(failed)),
        "seconds_a_click": float(np.median(seconds)),
    }


def main() -> int:
    """Run the methods and print the table."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--masks", type=Path, required=True)
    parser.add_argument("--method", action="append", default=[], help="repeatable; default: clicks, grabcut")
    parser.add_argument("--most", type=int, default=100, help="regions to measure (default: %(default)s)")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    session = Session("cpu")
    chosen = targets(args.masks, args.most)
    lines = []
    print("| method | regions | IoU, 1 click | 3 | 5 | clicks to 85 % | not in 10 | s a click |")
    print("|---|---|---|---|---|---|---|---|")
    for method in args.method or ["clicks", "grabcut"]:
        runs, seconds = [], []
        for _, image, target in chosen:
            scores, each = clicked(session, method, image, target)
            runs.append(scores)
            seconds.append(each)
        line = summary(method, runs, seconds)
        lines.append(line)
        print(
            f"| {method} | {line['regions']} | {line['iou_1']:.3f} | {line['iou_3']:.3f}"
            f" | {line['iou_5']:.3f} | {line['clicks_to_85']:.2f} | {line['not_in_10']:.0%}"
            f" | {line['seconds_a_click']:.2f} |",
            flush=True,
        )
    if args.json:
        args.json.write_text(json.dumps(lines, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
