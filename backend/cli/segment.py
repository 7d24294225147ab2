"""``scumble segment``: points, a box, the subject or everything to mask pictures."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import MaskBuffer, PixelBuffer
from scumble.shared.segmenting import Point, SegmentRequest, SegmentResult

from .progress import Bar
from .stylize import _interruptible

if TYPE_CHECKING:
    import threading


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Set up the parser of ``scumble segment``."""
    parser.add_argument("image", type=Path, metavar="IMAGE", help="the picture to select on")
    parser.add_argument(
        "--point", action="append", default=[], metavar="X,Y[,-]",
        help="a place that belongs to the selection, or with a minus one that does not; repeatable",
    )  # fmt: skip
    parser.add_argument("--box", metavar="X0,Y0,X1,Y1", help="a box around what is meant")
    parser.add_argument("--refine", type=Path, metavar="M", help="an earlier mask that the points improve")
    parser.add_argument("--subject", action="store_true", help="what the picture is of")
    parser.add_argument(
        "--all", action="store_true", help="every region: writes mask-01.png, mask-02.png ... beside -o"
    )
    parser.add_argument("--method", default="auto", help="auto (the best installed) or a method's name")
    parser.add_argument(
        "--edge", type=float, default=4.0, metavar="PX",
        help="half the width in pixels of the soft edge; 0 for a hard one (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--candidates", type=int, default=1, metavar="N",
        help="also write the next best masks, as -o with -2, -3 ... before the ending",
    )  # fmt: skip
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="MASK.png", help="the mask")
    parser.add_argument("--report", type=Path, metavar="R.json", help="also write scores, boxes and times")
    parser.add_argument("--local", action="store_true", help="work in this process, without the backend")
    parser.add_argument("--device", metavar="NAME", help="with --local: cpu, cuda, cuda:1 ...")


def run(args: argparse.Namespace) -> int:
    """Do it; the exit code."""
    from ..imaging import files, save

    save.check_target(args.output, alpha=False)
    if args.report:
        save.check_folder(args.report)
    picture = files.read_picture(args.image, "picture")
    size = (picture.pixels.width, picture.pixels.height)
    modes = [name for name, given in (("subject", args.subject), ("all", args.all)) if given]
    said = bool(args.point or args.box or args.refine)
    if len(modes) + said != 1:
        raise ScumbleError(
            Code.BAD_REQUEST,
            "Say in one way what to select.",
            "Give points or a box, or --subject, or --all.",
        )
    request = SegmentRequest(
        picture.pixels,
        modes[0] if modes else "points",  # type: ignore[arg-type]
        tuple(_point(text) for text in args.point),
        _box(args.box) if args.box else None,
        files.read_mask(args.refine, size) if args.refine else None,
        args.method,
        args.edge,
        48 if args.all else max(1, args.candidates),
    )
    with Bar() as bar, _interruptible() as stop:
        result = _local(request, args, bar, stop) if args.local else _remote(request, bar, stop)
    targets = _targets(args.output, len(result.masks), args.all)
    for target, found in zip(targets, result.masks, strict=True):
        save.write_picture(target, _placed(found.mask, size))
    if args.report:
        save.write_bytes(args.report, (json.dumps(_report(result, targets), indent=2) + "\n").encode())
    return 0


def _point(text: str) -> Point:
    parts = [p.strip() for p in text.split(",")]
    try:
        if len(parts) == 3 and parts[2] in ("-", "+"):
            return Point(float(parts[0]), float(parts[1]), parts[2] == "+")
        if len(parts) == 2:
            return Point(float(parts[0]), float(parts[1]))
    except ValueError:
        pass
    raise ScumbleError(
        Code.BAD_REQUEST, f"{text[:40]!r} is not a point.", "Write --point 120,80 or, for not this, 120,80,-"
    )


def _box(text: str) -> tuple[float, float, float, float]:
    try:
        x0, y0, x1, y1 = (float(p) for p in text.split(","))
    except ValueError:
        raise ScumbleError(
            Code.BAD_REQUEST, f"{text[:40]!r} is not a box.", "Write --box left,top,right,bottom in pixels."
        ) from None
    return x0, y0, x1, y1


def _placed(mask: MaskBuffer, size: tuple[int, int]) -> PixelBuffer:
    import numpy as np

    from ..regions.geometry import Box, decode_mask

    whole = decode_mask(mask, size[0], size[1], Box(0, 0, size[0], size[1]))
    return PixelBuffer(size[0], size[1], "gray", "u8", np.rint(whole * 255).astype(np.uint8).tobytes())


def _targets(output: Path, count: int, numbered: bool) -> list[Path]:
    if numbered:
        return [output.with_name(f"{output.stem}-{i:02}{output.suffix}") for i in range(1, count + 1)]
    rest = [output.with_name(f"{output.stem}-{i}{output.suffix}") for i in range(2, count + 1)]
    return [output, *rest]


def _report(result: SegmentResult, targets: list[Path]) -> dict[str, object]:
    masks = [
        {
            "file": target.name,
            "score": round(found.score, 4),
            "area": round(found.area, 1),
            "box": [found.mask.x, found.mask.y, found.mask.width, found.mask.height],
        }
        for target, found in zip(targets, result.masks, strict=True)
    ]
    return {"method": result.method, "masks": masks, **result.report}


def _local(
    request: SegmentRequest, args: argparse.Namespace, bar: Bar, stop: threading.Event
) -> SegmentResult:
    from ..session import Session

    return Session(args.device).segment(request, progress=bar, cancelled=stop)


def _remote(request: SegmentRequest, bar: Bar, stop: threading.Event) -> SegmentResult:
    from scumble.shared.blocking import BlockingClient
    from scumble.shared.launch import launcher

    with BlockingClient(name="command line", launch=launcher(sys.executable)) as client:
        bar("starting", 0, 1)
        return client.segment(request, progress=bar, cancelled=stop)
