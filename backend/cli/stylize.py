"""``scumble stylize``: read the files, let the backend (or this process) paint, write the files."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import MaskBuffer, Region, StylizeRequest, StylizeResult

from .progress import Bar
from .style_text import parse_style

if TYPE_CHECKING:
    from ..imaging.files import Picture


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Set up the parser of ``scumble stylize``."""
    parser.add_argument("content", type=Path, metavar="CONTENT", help="the picture to stylize")
    parser.add_argument(
        "--mask", type=Path, action="append", default=[], metavar="M",
        help="grey picture of the content's size, white where to paint; repeat for more regions;"
        " without one the whole picture is painted",
    )  # fmt: skip
    parser.add_argument(
        "--style", action="append", required=True, metavar="S",
        help="a file, a style of the gallery, or a blend such as a:0.7,b:0.3; one a mask, or one for all",
    )  # fmt: skip
    parser.add_argument(
        "--style-mask", action="append", default=[], metavar="M",
        help="grey picture, white where the style is taken from, stretched over the style picture; one a"
        " mask (- for the whole style) or one for all; engine semantic pairs such parts",
    )  # fmt: skip
    parser.add_argument("--engine", default="partial-conv", help="the method (default: %(default)s)")
    parser.add_argument(
        "--option", action="append", default=[], metavar="NAME=VALUE",
        help="an option of the engine, repeatable",
    )  # fmt: skip
    parser.add_argument(
        "--strength", type=float, action="append", default=[], metavar="X",
        help="0 (unchanged) to 1 (full, the default); one a mask, or one for all",
    )  # fmt: skip
    parser.add_argument(
        "--seed", type=_seed, default=0, help="same seed, same picture (default: %(default)s)"
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="LAYER.png",
        help="the new layer, as large as the content and transparent outside the regions",
    )  # fmt: skip
    parser.add_argument(
        "--crop", action="store_true", help="write only the layer's box; its place is in the report"
    )
    parser.add_argument(
        "--composite", type=Path, metavar="C.png", help="also write the layer over the content"
    )
    parser.add_argument(
        "--report", type=Path, metavar="R.json", help="also write times, device, memory, options"
    )
    parser.add_argument("--local", action="store_true", help="paint in this process, without the backend")
    parser.add_argument("--device", metavar="NAME", help="with --local: cpu, cuda, cuda:1 ...")


def _seed(text: str) -> int:
    """A whole number that travels: 64 bits."""
    seed = int(text)
    if not -(2**63) <= seed < 2**63:
        raise ValueError
    return seed


_seed.__name__ = "seed"  # argparse: invalid seed value


def run(args: argparse.Namespace) -> int:
    """Do it; the exit code."""
    from ..imaging import files, save
    from ..imaging.composite import composite

    began = time.perf_counter()
    _check_targets(args)
    content = files.read_picture(args.content, "content")
    request = _request(args, content)
    ready = time.perf_counter()
    with Bar() as bar, _interruptible() as stop:
        result = _local(request, args, bar, stop) if args.local else _remote(request, bar, stop)
    painted = time.perf_counter()
    size = (content.pixels.width, content.pixels.height)
    layer = result.layer if args.crop else save.place(result, (0, 0), size)
    save.write_picture(args.output, layer, content.profile)
    if args.composite:
        save.write_picture(args.composite, composite(content.pixels, result), content.profile)
    ended = time.perf_counter()
    if args.report:
        report = dict(result.report) | {
            "layer": {"origin": list(result.origin), "size": [result.layer.width, result.layer.height]},
            "canvas": list(size),
            "cropped": args.crop,
            "local": args.local,
            "client_seconds": {
                "read_files": ready - began,
                "request": painted - ready,
                "write_files": ended - painted,
                "total": ended - began,
            },
        }
        save.write_bytes(args.report, (json.dumps(report, indent=2) + "\n").encode())
    return 0


def _check_targets(args: argparse.Namespace) -> None:
    """Find out before a job, not after it, that its result has nowhere to go or would destroy an input."""
    from ..imaging import save

    save.check_target(args.output, alpha=True)
    if args.composite:
        save.check_target(args.composite, alpha=False)
    if args.report:
        save.check_folder(args.report)
    inputs = [args.content, *args.mask, *(Path(s) for s in (*args.style, *args.style_mask))]
    taken = {p.resolve() for p in inputs if p.exists()}
    for target in (args.output, args.composite, args.report):
        if target is None:
            continue
        if target.resolve() in taken:
            raise ScumbleError(
                Code.BAD_REQUEST,
                f"{target.name} is used twice: writing it would destroy another file of this job.",
                "Give each output a name of its own.",
            )
        taken.add(target.resolve())


def _request(args: argparse.Namespace, content: Picture) -> StylizeRequest:
    pixels = content.pixels
    size = (pixels.width, pixels.height)
    count = max(1, len(args.mask))
    styles = _spread([parse_style(s) for s in args.style], count, "style")
    strengths = _spread(args.strength or [1.0], count, "strength")
    masks = [_mask(path, size) for path in args.mask] or [_whole(size)]
    parts = _spread([_style_mask(text) for text in args.style_mask or ["-"]], count, "style-mask")
    regions = tuple(
        Region(mask, style, strength, style_mask=part)
        for mask, style, strength, part in zip(masks, styles, strengths, parts, strict=True)
    )
    return StylizeRequest(pixels, regions, args.engine, _options(args.option), args.seed, (0, 0), size)


def _mask(path: Path, size: tuple[int, int]) -> MaskBuffer:
    from ..imaging.files import read_mask

    return read_mask(path, size)


def _style_mask(text: str) -> MaskBuffer | None:
    from ..imaging.files import read_mask

    return None if text == "-" else read_mask(Path(text))


def _whole(size: tuple[int, int]) -> MaskBuffer:
    return MaskBuffer(size[0], size[1], b"\xff" * (size[0] * size[1]))


def _spread(values: Sequence[Any], count: int, what: str) -> list[Any]:
    """One value for each region: as many as there are, or one for all."""
    if len(values) == 1:
        return list(values) * count
    if len(values) != count:
        raise ScumbleError(
            Code.BAD_REQUEST,
            f"There are {len(values)} values of --{what} for {count} region{'s' if count > 1 else ''}.",
            f"Give one --{what} for each --mask, or one for all.",
        )
    return list(values)


def _options(texts: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise ScumbleError(
                Code.BAD_REQUEST,
                f"{text[:60]!r} is not an option with a value.",
                "Write it as --option name=value; scumble engines lists them.",
            )
        found[name.strip()] = value.strip()
    return found


@contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """Ctrl-C asks the job to stop and waits for it; a second one does not wait."""
    stop = threading.Event()

    def interrupt(number: int, frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    if threading.current_thread() is not threading.main_thread():  # only there may handlers be set
        yield stop
        return
    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def _local(
    request: StylizeRequest, args: argparse.Namespace, bar: Bar, stop: threading.Event
) -> StylizeResult:
    from ..allocator import keep_freed_memory
    from ..session import Session

    keep_freed_memory()
    return Session(args.device).stylize(request, progress=bar, cancelled=stop)


def _remote(request: StylizeRequest, bar: Bar, stop: threading.Event) -> StylizeResult:
    from scumble.shared.blocking import BlockingClient
    from scumble.shared.launch import launcher

    def accepted(position: int) -> None:
        bar("waiting" if position else "accepted", 0, 1)

    with BlockingClient(name="command line", launch=launcher(sys.executable)) as client:
        bar("starting", 0, 1)
        return client.stylize(request, progress=bar, accepted=accepted, cancelled=stop)
