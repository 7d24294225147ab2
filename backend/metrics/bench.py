"""Run variants of an engine over the protocol's triplets: in parallel, resumable, with progress.

Every finished measurement is one line of ``REPORT.jsonl`` beside the report; the same command picks
up where an interrupted one stopped.
"""

from __future__ import annotations

import hashlib
import multiprocessing
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import torch
from PIL import Image

from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import MaskBuffer, PixelBuffer, PixelStyle, Region, StylizeRequest

from ..imaging.composite import composite
from .journal import Bar, Journal
from .judge import load_judge, weights_digest
from .measure import METRICS, Picture, measure, timed
from .peers import peer
from .perceptual import Judge
from .protocol import Triplet, photo_file, read_picture, region_mask

#: Raised when records change their meaning, so that old ones are not mixed with new.
VERSION = 2
#: Errors that every triplet would meet alike: they end the run instead of filling the report.
HOPELESS = frozenset(
    {
        Code.UNKNOWN_ENGINE,
        Code.UNKNOWN_OPTION,
        Code.OPTION_OUT_OF_RANGE,
        Code.MODEL_MISSING,
        Code.MODEL_CORRUPT,
    }
)


@dataclass(frozen=True)
class Variant:
    """One way to stylize: an engine, or a peer, with options.

    :param strength: the region's strength.
    :param engine: an engine's name, or ``peer:NAME`` for another program's network.
    """

    name: str
    engine: str = "partial-conv"
    options: Mapping[str, Any] = field(default_factory=dict)
    strength: float = 1.0


@dataclass(frozen=True)
class Setting:
    """What a worker must know; travels to other processes.

    :param judge: VGG-16 as safetensors, or ``None`` for the catalogue's.
    :param pictures: where to keep results for the contact sheet, or ``None``.
    :param keep: how many triplets' results to keep there.
    :param threads: of PyTorch, in each process; 0 leaves them alone.
    """

    bench: Path
    styles: Mapping[str, Path]
    variants: tuple[Variant, ...]
    seed: int = 0
    judge: Path | None = None
    long_side: int = 512
    pictures: Path | None = None
    keep: int = 0
    threads: int = 0


def request_for(photo: Picture, mask: Picture, style: Picture, variant: Variant, seed: int) -> StylizeRequest:
    """The request that asks a backend for one result on a whole photograph."""

    def buffer(picture: Picture) -> PixelBuffer:
        height, width = picture.shape[:2]
        return PixelBuffer(width, height, "rgb", "u8", np.ascontiguousarray(picture).tobytes())

    height, width = mask.shape
    region = Region(
        MaskBuffer(width, height, np.ascontiguousarray(mask).tobytes()),
        PixelStyle(buffer(style)),
        strength=variant.strength,
    )
    return StylizeRequest(buffer(photo), (region,), variant.engine, dict(variant.options), seed=seed)


class Bench:
    """One process's session and judge; everything is loaded at first use."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self._session: Any = None
        self._judge: Judge | None = None
        self._warm: set[str] = set()

    @property
    def judge(self) -> Judge:
        """The judge, loaded once."""
        if self._judge is None:
            self._judge = load_judge(self.setting.judge, self.setting.long_side)
        return self._judge

    def paint(self, photo: Picture, mask: Picture, style: Picture, variant: Variant) -> Picture:
        """The photograph with the variant's result laid over it, (H, W, 3) bytes."""
        if variant.engine.startswith("peer:"):
            painted = peer(variant.engine[5:])(photo, style, variant.strength)
            return np.where(mask[..., None] >= 128, painted, photo)
        if self._session is None:
            from scumble.backend import Session
            from scumble.backend.allocator import keep_freed_memory

            keep_freed_memory()
            self._session = Session()
        request = request_for(photo, mask, style, variant, self.setting.seed)
        seen = composite(request.layer, self._session.stylize(request))
        return np.frombuffer(seen.data, np.uint8).reshape(photo.shape)

    def _forget(self) -> None:
        """Empty the session's caches, so that every variant is timed as if it were the first."""
        if self._session is not None:
            self._session.cache.clear()

    def one(self, triplet: Triplet, variant: Variant, keep: bool = False) -> dict[str, Any]:
        """One record: names and either measures or the error's code."""
        record: dict[str, Any] = {"triplet": triplet.key, "variant": variant.name, **asdict(triplet)}
        try:
            photo = read_picture(photo_file(self.setting.bench, triplet.stem))
            mask = region_mask(self.setting.bench, triplet, photo.shape[:2])
            style = read_picture(self.setting.styles[triplet.style])
            if variant.engine not in self._warm:  # the first call also loads weights
                self.paint(photo, mask, style, variant)
                self._warm.add(variant.engine)
            self._forget()
            result, cost = timed(lambda: self.paint(photo, mask, style, variant))
            record |= measure(
                self.judge,
                photo,
                result,
                mask,
                style,
                style_key=triplet.style,
                photo_key=f"{triplet.stem}:{triplet.label}",
                seed=self.setting.seed,
            )
            record |= asdict(cost)
            if keep and self.setting.pictures is not None:
                self.setting.pictures.mkdir(parents=True, exist_ok=True)
                Image.fromarray(result).save(picture_file(self.setting.pictures, triplet, variant.name))
        except ScumbleError as error:
            record |= {"error": error.code.value, "message": error.message, "hint": error.hint}
        return record


def picture_file(folder: Path, triplet: Triplet, variant: str) -> Path:
    """Where the result of a triplet and variant is kept for contact sheets."""
    name = hashlib.sha256(f"{triplet.key}\x1f{variant}".encode()).hexdigest()[:16]
    return folder / f"{name}.png"


_bench: Bench | None = None


def _start(setting: Setting) -> None:
    global _bench
    if setting.threads:
        torch.set_num_threads(setting.threads)
    _bench = Bench(setting)


def _work(triplet: Triplet, variants: Sequence[Variant], keep: bool) -> list[dict[str, Any]]:
    assert _bench is not None
    return [_bench.one(triplet, v, keep) for v in variants]


@lru_cache(maxsize=1)
def _code_digest() -> str:
    """Hash of everything that shapes a result or its measures, so that a resumed run is of one kind."""
    root = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for folder in ("engines", "imaging", "nn", "regions", "metrics"):
        for file in sorted((root / folder).glob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def fingerprint(setting: Setting, kind: str) -> dict[str, Any]:
    """What must agree for records of two runs to stand in one report."""
    from scumble.backend.models.bundled import index

    return {
        "version": VERSION,
        "kind": kind,
        "seed": setting.seed,
        "long_side": setting.long_side,
        "styles": sorted(setting.styles),
        "judge": weights_digest(setting.judge),
        "weights": {name: entry["sha256"][:16] for name, entry in index().items()},
        "code": _code_digest(),
        "variants": [asdict(v) for v in setting.variants],
    }


def run_bench(
    chosen: Sequence[Triplet],
    setting: Setting,
    journal: Journal,
    *,
    jobs: int = 1,
    stream: TextIO | None = None,
) -> list[dict[str, Any]]:
    """Measure every variant on every triplet; what the journal knows is not measured again.

    :param jobs: processes; 1 works in this one.
    :returns: the records in the triplets' and variants' order.
    :raises ScumbleError: what every triplet would fail with, such as an unknown option; the failure
        of a single triplet becomes a record with ``error`` instead.
    """
    pending: list[tuple[Triplet, list[Variant], bool]] = []
    for number, t in enumerate(chosen):
        keep = setting.pictures is not None and number < setting.keep
        todo = [
            v
            for v in setting.variants
            if (t.key, v.name) not in journal.records
            or (keep and setting.pictures and not picture_file(setting.pictures, t, v.name).is_file())
        ]
        if todo:
            pending.append((t, todo, keep))
    total = len(chosen) * len(setting.variants)
    bar = Bar(total, total - sum(len(todo) for _, todo, _ in pending), stream)
    for record in _results(pending, setting, max(1, jobs)):
        if "error" in record and Code(record["error"]) in HOPELESS:
            raise ScumbleError(Code(record["error"]), record["message"], record["hint"])
        journal.add(record)
        bar.step()
    return [journal.records[t.key, v.name] for t in chosen for v in setting.variants]


def _results(
    pending: Sequence[tuple[Triplet, list[Variant], bool]], setting: Setting, jobs: int
) -> Iterator[dict[str, Any]]:
    if jobs == 1:
        bench = Bench(setting)
        for triplet, variants, keep in pending:
            for variant in variants:
                yield bench.one(triplet, variant, keep)
        return
    context = multiprocessing.get_context("spawn")  # a forked PyTorch may hang on its thread pool
    with ProcessPoolExecutor(jobs, context, initializer=_start, initargs=(setting,)) as pool:
        running = {pool.submit(_work, *task) for task in pending}
        try:
            while running:
                ready, running = wait(running, return_when=FIRST_COMPLETED)
                for future in ready:
                    yield from future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def wins(records: Sequence[Mapping[str, Any]], variant: str, base: str) -> dict[str, float]:
    """Share of the triplets on which ``variant`` is better than ``base``, per measure."""
    rows: dict[str, dict[str, Mapping[str, Any]]] = {}
    for r in records:
        if "error" not in r:
            rows.setdefault(r["triplet"], {})[r["variant"]] = r
    found: dict[str, float] = {}
    for metric, better in METRICS.items():
        pairs = [
            (row[variant][metric], row[base][metric])
            for row in rows.values()
            if variant in row and base in row and metric in row[variant] and metric in row[base]
        ]
        pairs = [(a, b) for a, b in pairs if np.isfinite(a) and np.isfinite(b)]
        if better and pairs:
            found[metric] = float(np.mean([(a - b) * better > 0 for a, b in pairs]))
    return found


def summary(records: Sequence[Mapping[str, Any]], variants: Sequence[str]) -> dict[str, dict[str, float]]:
    """Per variant the mean of every measure over the triplets that *all* variants finished.

    ``seconds`` is the median and ``peak_mib`` the maximum; ``count`` says how many triplets there were.
    """
    failed = {r["triplet"] for r in records if "error" in r}
    table: dict[str, dict[str, float]] = {}
    for name in variants:
        rows = [r for r in records if r["variant"] == name and r["triplet"] not in failed]
        table[name] = {"count": float(len(rows))}
        for metric in METRICS:
            values = np.array([r[metric] for r in rows if metric in r], np.float64)
            values = values[np.isfinite(values)]
            if values.size:
                table[name][metric] = float(
                    np.median(values)
                    if metric == "seconds"
                    else np.max(values)
                    if metric == "peak_mib"
                    else np.mean(values)
                )
    return table
