"""How soon a cancellation is answered, and how soon the job has stopped, over the real wire.

    python tests/benchmarks/cancel.py [--tries 20] [--sides 1024 2048] [--threads 1 2] [--busy]

Each row is a real backend process of its own.  A job is sent, and cancelled at a random moment of the
time that an uncancelled one takes; every try changes the layer, so that nothing is cached.  Two times
count from the client's call: until ``cancelling`` is heard (wanted: 100 ms) and until ``cancelled`` is
(wanted: 300 ms).  Two more rows start the backend anew for each try: "first" cancels its first job, sent
when it is ready, and "starting" one that is sent as soon as somebody answers, before torch is imported.
Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import numpy as np
from PIL import Image
from skimage import data

from scumble.shared import events
from scumble.shared.client import Client
from scumble.shared.launch import launcher, stop
from scumble.shared.messages import BundledStyle, MaskBuffer, PixelBuffer, Region, StylizeRequest

STYLES = ("night-swirls", "fauve-harbour", "impasto-bouquet")
PATIENCE_S = 120.0


@dataclass
class Times:
    """Seconds from the call to the two answers, one each a try."""

    answered: list[float] = field(default_factory=list)
    stopped: list[float] = field(default_factory=list)

    def cells(self) -> str:
        """Median and maximum of both, in milliseconds."""
        both = (self.answered, self.stopped)
        return " | ".join(f"{statistics.median(s) * 1e3:.0f} | {max(s) * 1e3:.0f}" for s in both)


class Scene:
    """Requests on a photograph of a side, each a little different."""

    def __init__(self, side: int, several: bool, engine: str, options: dict[str, str]) -> None:
        self.side, self.engine, self.options = side, engine, options
        photo = Image.fromarray(data.astronaut()).resize((side, side), Image.Resampling.LANCZOS)
        self.photo = np.asarray(photo)
        self.count = 0
        full = MaskBuffer(side, side, b"\xff" * (side * side))
        self.regions: tuple[Region, ...] = (Region(full, BundledStyle(STYLES[0])),)
        if several:
            self.regions = tuple(self._disc(i, style) for i, style in enumerate(STYLES))

    def _disc(self, index: int, style: str) -> Region:
        """Soft discs that overlap."""
        rows, columns = np.mgrid[: self.side, : self.side] / self.side
        away = np.hypot(rows - 0.5, columns - (0.3 + 0.2 * index))
        mask = np.clip((0.28 - away) / 0.05, 0, 1) * 255
        return Region(MaskBuffer(self.side, self.side, mask.astype(np.uint8).tobytes()), BundledStyle(style))

    def request(self) -> StylizeRequest:
        """A layer that nobody has seen yet."""
        self.count += 1
        pixels = self.photo.copy()
        middle = self.side // 2
        pixels[middle - 50 : middle + 50, middle, 0] = self.count % 256
        layer = PixelBuffer(self.side, self.side, "rgb", "u8", pixels.tobytes())
        return StylizeRequest(layer, self.regions, self.engine, self.options, seed=self.count)


@contextmanager
def backend(threads: int, *, ready: bool = True) -> Iterator[Client]:
    """A connected client of a backend of its own, whose engines are loaded if it is to be ready."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as after:
        for name in ("RUNTIME", "STATE"):
            os.environ[f"SCUMBLE_{name}_DIR"] = os.path.join(folder, name.lower())
        os.environ["OMP_NUM_THREADS"] = str(threads)
        after.callback(stop)
        client = after.enter_context(Client(name="benchmark", launch=launcher(sys.executable)))
        question = client.describe() if ready else client.ping()
        wait(client, lambda e: isinstance(e, events.Answer | events.Pong) and e.id == question)
        yield client


def wait(client: Client, done: Callable[[events.Event], bool]) -> tuple[events.Event, float]:
    """The first event that ``done`` is content with, and when it came."""
    until = time.perf_counter() + PATIENCE_S
    while time.perf_counter() < until:
        for event in client.poll(0.1):
            if done(event):
                return event, time.perf_counter()
    raise SystemExit("the backend does not answer")


def whole(client: Client, request: StylizeRequest) -> float:
    """Seconds that a job takes if nobody cancels it."""
    began = time.perf_counter()
    job = client.stylize(request)
    event, ended = wait(client, lambda e: isinstance(e, events.Finished | events.Failed) and e.job == job)
    if isinstance(event, events.Failed):
        raise SystemExit(f"the job failed: {event.error}")
    return ended - began


def attempt(client: Client, request: StylizeRequest, after_s: float, times: Times) -> bool:
    """Cancel a job that long after it was sent; whether it still ran then."""
    job = client.stylize(request)
    began = time.perf_counter()
    while (left := began + after_s - time.perf_counter()) > 0:
        for event in client.poll(left):
            if isinstance(event, events.Finished):
                return False
            if isinstance(event, events.Failed):
                raise SystemExit(f"the job failed: {event.error}")
    called = time.perf_counter()
    client.cancel(job)
    answered = 0.0
    until = called + PATIENCE_S
    while time.perf_counter() < until:
        for event in client.poll(0.1):
            now = time.perf_counter()
            if isinstance(event, events.Cancelling) and event.job == job:
                answered = now - called
            elif isinstance(event, events.Cancelled) and event.job == job:
                times.answered.append(answered)
                times.stopped.append(now - called)
                return True
            elif isinstance(event, events.Finished):
                return False  # it was over before the cancellation came
    raise SystemExit("the job does not stop")


def warm_row(scene: Scene, threads: int, tries: int, chance: random.Random) -> Times:
    """Jobs on a backend that has painted before."""
    times = Times()
    with backend(threads) as client:
        whole(client, scene.request())
        length = statistics.median(whole(client, scene.request()) for _ in range(3))
        while len(times.stopped) < tries:
            attempt(client, scene.request(), chance.uniform(0, length), times)
    return times


def fresh_row(scene: Scene, threads: int, tries: int, chance: random.Random, ready: bool) -> Times:
    """The first job of a backend that was just started, or is still starting."""
    times = Times()
    with backend(threads, ready=ready) as client:
        length = whole(client, scene.request())
    while len(times.stopped) < tries:
        with backend(threads, ready=ready) as client:
            attempt(client, scene.request(), chance.uniform(0, length), times)
    return times


#: What each row is called in the table.
ROWS = {
    "whole": "whole layer",
    "several": "three regions",
    "first": "first job",
    "starting": "first job, sent while it starts",
}


@contextmanager
def busy_core(wanted: bool) -> Iterator[None]:
    """Another program that keeps one core busy."""
    if not wanted:
        yield
        return
    other = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        other.kill()
        other.wait()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tries", type=int, default=20)
    parser.add_argument("--sides", type=int, nargs="+", default=[1024, 2048])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--engine", default="partial-conv")
    parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS))
    parser.add_argument("--busy", action="store_true", help="keep one core busy with something else")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    chance = random.Random(args.seed)
    options = dict(word.split("=", 1) for word in args.option)
    print("| what | side | threads | answered: median, ms | most | stopped: median, ms | most |")
    print("|---|---|---|---|---|---|---|")
    with busy_core(args.busy):
        for threads in args.threads:
            for side in args.sides:
                for row in args.rows:
                    scene = Scene(side, row == "several", args.engine, options)
                    if row in ("whole", "several"):
                        times = warm_row(scene, threads, args.tries, chance)
                    else:
                        times = fresh_row(scene, threads, args.tries, chance, row == "first")
                    print(f"| {ROWS[row]} | {side}² | {threads} | {times.cells()} |", flush=True)


if __name__ == "__main__":
    main()
