"""Parts against the whole: ``python tests/benchmarks/semantic.py --masks DIR --teacher VGG16``.

``DIR`` holds pictures, label maps and a ``regions.csv`` (stem, label, name, ge2pct) that names what a
label shows.  Two pictures that show the same things (sky and sky, person and person) make a pair.
``--portraits DIR`` adds pictures of people with masks (``index.csv`` of stem and kind, of kind
``object`` and under ``--prefix``; the tenth that the click network was not trained on), neighbours in
the list making pairs of person and person, ground and ground.  One picture gives its style to the
other, once as a whole (engine ``partial-conv``), once part by part with the masks given, and once with
parts that engine ``semantic`` finds by itself.  The figure is the relative style loss of every common
thing in the result against the *same thing* in the style picture, by Oxford's VGG-16 under both masks.
``--sheet FILE`` shows layer, style and the three results of every pair.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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
from scumble.backend.training.clicks import held_out
from scumble.shared.messages import MaskBuffer, PixelBuffer, PixelStyle, Region, StylizeRequest

SIDE = 384
WAYS = ("whole", "given", "found")


@dataclass(frozen=True)
class Scene:
    """A picture, (H, W, 3) bytes, and the masks of what it shows."""

    image: np.ndarray
    masks: Mapping[str, np.ndarray]


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


def read(folder: Path, stem: str, side: int = SIDE) -> tuple[np.ndarray, np.ndarray]:
    """Picture and labels, the longer side at most ``side``."""
    with Image.open(folder / f"{stem}.jpg") as a, Image.open(folder / f"{stem}.png") as b:
        picture, labels = a.convert("RGB"), b.copy()
    scale = min(1.0, side / max(picture.size))
    size = (round(picture.width * scale), round(picture.height * scale))
    return np.asarray(picture.resize(size, Image.LANCZOS)), np.asarray(labels.resize(size, Image.NEAREST))


def scenes(folder: Path, most: int) -> Iterator[tuple[str, Scene, Scene]]:
    """(kind, content, style): with sky it is a landscape, without it a room."""
    known = things(folder)
    for a, b, common in pairs(known, most):
        made = []
        for stem in (a, b):
            image, labels = read(folder, stem)
            made.append(Scene(image, {t: np.isin(labels, known[stem][t]) for t in common}))
        yield "landscape" if any("sky" in t or "grass" in t for t in common) else "room", made[0], made[1]


def portraits(folder: Path, prefix: str, most: int) -> Iterator[tuple[str, Scene, Scene]]:
    """("portrait", content, style) of people with masks."""
    with (folder / "index.csv").open(newline="") as file:
        rows = [r["stem"] for r in csv.DictReader(file) if r["kind"] == "object"]
    found = []
    for stem in sorted(s for s in rows if s.startswith(prefix) and held_out(s)):
        image, labels = read(folder, stem)
        if 0.12 < (labels > 0).mean() < 0.75:
            found.append(Scene(image, {"person": labels > 0, "ground": labels == 0}))
    for a, b in list(zip(found[::2], found[1::2], strict=False))[:most]:
        yield "portrait", a, b


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


def measured(session: Session, net: VGG16, content: Scene, style: Scene) -> tuple[dict[str, Any], list]:
    """The figures of a pair, and its pictures."""
    common = sorted(content.masks)
    every = mask_buffer(np.any(list(content.masks.values()), axis=0))
    look = PixelStyle(buffer(style.image))
    given = tuple(
        Region(mask_buffer(content.masks[t]), look, style_mask=mask_buffer(style.masks[t])) for t in common
    )
    layer, whole = buffer(content.image), (Region(every, look),)
    requests = {
        # Engine semantic has no last strokes, so the whole style is painted without them too.
        "whole": StylizeRequest(layer, whole, options={"last_strokes": "off"}),
        "given": StylizeRequest(layer, given, "semantic"),
        "found": StylizeRequest(layer, whole, "semantic", {"parts": max(4, len(common))}),
    }
    wanted = {t: under(net, style.image, style.masks[t]) for t in common}
    row: dict[str, Any] = {"things": common}
    pictures = [content.image, style.image]
    for way in WAYS:
        image, row[f"{way}_s"] = painted(session, content.image, requests[way])
        losses = [relative_style_loss(under(net, image, content.masks[t]), wanted[t]) for t in common]
        row[way] = float(np.mean(losses))
        pictures.append(image)
    return row, pictures


def sheet(rows: list[list[np.ndarray]], out: Path) -> None:
    """One row a pair, pictures fitted into equal cells."""
    cell = (240, 200)
    page = Image.new("RGB", (len(rows[0]) * cell[0], len(rows) * cell[1]), "white")
    for y, row in enumerate(rows):
        for x, image in enumerate(row):
            picture = Image.fromarray(image)
            picture.thumbnail((cell[0] - 6, cell[1] - 6), Image.LANCZOS)
            page.paste(picture, (x * cell[0] + 3, y * cell[1] + 3))
    page.save(out)


def told(name: str, row: Mapping[str, float]) -> str:
    """A line of the table."""
    saved = [f"{1 - row[way] / row['whole']:.0%}" for way in WAYS[1:]]
    return f"| {name} | {row['whole']:.2f} | {row['given']:.2f} | {row['found']:.2f} | {' | '.join(saved)} |"


def quickness(session: Session, content: np.ndarray, style: np.ndarray) -> str:
    """Seconds at 800 x 600 with four found parts: the best of three new layers."""
    times = []
    big = np.asarray(Image.fromarray(content).resize((800, 600), Image.LANCZOS)).copy()
    for turn in range(3):
        big[0, 0] = turn  # another picture for the caches
        request = StylizeRequest(
            buffer(big),
            (Region(mask_buffer(np.ones((600, 800))), PixelStyle(buffer(style))),),
            "semantic",
        )
        began, busy = time.perf_counter(), time.process_time()
        session.stylize(request)
        times.append((time.perf_counter() - began, time.process_time() - busy))
    wall, busy = min(times)
    threads = torch.get_num_threads()
    return f"800 x 600, 4 found parts: {wall:.2f} s, {busy:.2f} s of a processor ({threads} threads)"


def main() -> int:
    """Measure all pairs and print the table."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--masks", type=Path, required=True)
    parser.add_argument("--teacher", type=Path, required=True, help="VGG-16's safetensors file")
    parser.add_argument("--most", type=int, default=10)
    parser.add_argument("--portraits", type=Path, help="folder of pictures of people with masks")
    parser.add_argument("--prefix", default="hum_", help="what those pictures' names begin with")
    parser.add_argument("--most-portraits", type=int, default=5)
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    net, session = VGG16.from_tensors(load_file(args.teacher)), Session("cpu")
    chosen = list(portraits(args.portraits, args.prefix, args.most_portraits)) if args.portraits else []
    chosen += list(scenes(args.masks, args.most))
    rows, pages = [], []
    for kind, content, style in chosen:
        row, pictures = measured(session, net, content, style)
        rows.append({"kind": kind, **row})
        pages.append(pictures)
        print(told(f"{kind}: {', '.join(row['things'])}", row), flush=True)
        if args.sheet:
            sheet(pages, args.sheet)
    for kind in sorted({r["kind"] for r in rows}) + [""]:
        those = [r for r in rows if kind in ("", r["kind"])]
        mean = {way: float(np.mean([r[way] for r in those])) for way in WAYS}
        print(told(f"**mean of {len(those)} {kind or 'pair'}s**", mean), flush=True)
    print(quickness(session, chosen[0][1].image, chosen[0][2].image))
    if args.json:
        args.json.write_text(json.dumps(rows, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
