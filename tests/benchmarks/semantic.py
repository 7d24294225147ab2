"""Parts against the whole: ``python tests/benchmarks/semantic.py --masks DIR --teacher VGG16``.

``DIR`` holds pictures, label maps and a ``regions.csv`` (stem, label, name, ge2pct) that names what a
label shows.  Two pictures that show the same things (sky and sky, person and person) make a pair: one
gives its style to the other, once as a whole (engine ``partial-conv``), once part by part with the
masks given, and once with parts that engine ``semantic`` finds by itself.  The figure is the relative
style loss of every common thing in the result against the *same thing* in the style picture, by
Oxford's VGG-16 under both masks.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file

from scumble.backend.metrics.perceptual import (
    Statistics,
    masked_features,
    relative_style_loss,
    statistics,
    weights_at,
)
from scumble.backend.nn.vgg import TAPS, VGG16
from scumble.backend.session import Session, composite
from scumble.shared.messages import MaskBuffer, PixelBuffer, PixelStyle, Region, StylizeRequest

SIDE = 480
WAYS = ("whole", "given", "found")


def things(folder: Path) -> dict[str, dict[str, list[int]]]:
    """stem -> thing -> labels, of regions of at least 2 % of their picture."""
    found: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    with (folder / "regions.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if row["name"] and row["ge2pct"] == "1" and row["stem"].startswith("coco"):
                found[row["stem"]][row["name"]].append(int(row["label"]))
    return found


def pairs(known: Mapping[str, Mapping[str, Any]], most: int) -> list[tuple[str, str, list[str]]]:
    """(content, style, common things): most things in common first, each picture as content once."""
    every = []
    for a in sorted(known):
        for b in sorted(known):
            common = sorted(set(known[a]) & set(known[b]))
            if a != b and len(common) >= 2:
                every.append((a, b, common))
    every.sort(key=lambda p: (-len(p[2]), p[0], p[1]))
    chosen, used = [], set()
    for a, b, common in every:
        if a not in used and b not in used:
            chosen.append((a, b, common))
            used |= {a, b}
    return chosen[:most]


def read(folder: Path, stem: str) -> tuple[np.ndarray, np.ndarray]:
    """Picture and labels, the longer side at most :data:`SIDE`."""
    with Image.open(folder / f"{stem}.jpg") as a, Image.open(folder / f"{stem}.png") as b:
        picture, labels = a.convert("RGB"), b.copy()
    scale = min(1.0, SIDE / max(picture.size))
    size = (round(picture.width * scale), round(picture.height * scale))
    return np.asarray(picture.resize(size, Image.LANCZOS)), np.asarray(labels.resize(size, Image.NEAREST))


def buffer(image: np.ndarray) -> PixelBuffer:
    """As pixels of a request."""
    return PixelBuffer(image.shape[1], image.shape[0], "rgb", "u8", np.ascontiguousarray(image).tobytes())


def mask_buffer(mask: np.ndarray) -> MaskBuffer:
    """As a mask of a request."""
    return MaskBuffer(mask.shape[1], mask.shape[0], (mask * 255).astype(np.uint8).tobytes())


@torch.inference_mode()
def under(net: VGG16, image: np.ndarray, mask: np.ndarray) -> dict[str, Statistics]:
    """Statistics of a picture's features under a mask."""
    x = torch.from_numpy(image.transpose(2, 0, 1).copy())[None].float() / 255
    m = torch.from_numpy(mask.astype(np.float32))[None, None]
    features = masked_features(net, x, m)
    return {t: statistics(features[t], weights_at(m, features[t].shape[-2:])) for t in TAPS}


def painted(session: Session, content: np.ndarray, request: StylizeRequest) -> tuple[np.ndarray, float]:
    """The content with the new layer over it, and the seconds it took."""
    began = time.perf_counter()
    result = session.stylize(request)
    seconds = time.perf_counter() - began
    whole = composite(request.layer, result)
    return np.frombuffer(whole.data, np.uint8).reshape(content.shape), seconds


def main() -> int:
    """Measure all pairs and print the table."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--masks", type=Path, required=True)
    parser.add_argument("--teacher", type=Path, required=True, help="VGG-16's safetensors file")
    parser.add_argument("--most", type=int, default=10)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    net = VGG16.from_tensors(load_file(args.teacher))
    session, known = Session("cpu"), things(args.masks)
    rows = []
    for number, (a, b, common) in enumerate(pairs(known, args.most), 1):
        (content, labels), (style, style_labels) = read(args.masks, a), read(args.masks, b)
        own = {t: np.isin(labels, known[a][t]) for t in common}
        theirs = {t: np.isin(style_labels, known[b][t]) for t in common}
        every = mask_buffer(np.any(list(own.values()), axis=0))
        look = PixelStyle(buffer(style))
        given = tuple(
            Region(mask_buffer(own[t]), look, style_mask=mask_buffer(theirs[t])) for t in common
        )
        layer, whole = buffer(content), (Region(every, look),)
        requests = {
            "whole": StylizeRequest(layer, whole),
            "given": StylizeRequest(layer, given, "semantic"),
            "found": StylizeRequest(layer, whole, "semantic", {"parts": max(3, len(common))}),
        }
        wanted = {t: under(net, style, theirs[t]) for t in common}
        row: dict[str, Any] = {"pair": number, "things": common}
        for way in WAYS:
            image, row[f"{way}_s"] = painted(session, content, requests[way])
            losses = [relative_style_loss(under(net, image, own[t]), wanted[t]) for t in common]
            row[way] = float(np.mean(losses))
        rows.append(row)
        print(
            f"| {', '.join(common)} | {row['whole']:.2f} | {row['given']:.2f} | {row['found']:.2f}"
            f" | {1 - row['given'] / row['whole']:.0%} | {1 - row['found'] / row['whole']:.0%} |",
            flush=True,
        )
    mean = {way: float(np.mean([r[way] for r in rows])) for way in WAYS}
    print(
        f"| **mean of {len(rows)}** | {mean['whole']:.2f} | {mean['given']:.2f} | {mean['found']:.2f}"
        f" | {1 - mean['given'] / mean['whole']:.0%} | {1 - mean['found'] / mean['whole']:.0%} |"
    )
    if args.json:
        args.json.write_text(json.dumps(rows, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
