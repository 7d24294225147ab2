"""Peak memory of painting a whole picture, each size in a process of its own.

    python tests/benchmarks/memory.py [--sides 1024 2048 4096] [--engine nnst --option mode=decoder]

Prints a Markdown table: the process's peak with Python, PyTorch, the pictures and the network.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

SCRIPT = """
import resource, sys
import numpy as np
from PIL import Image
from skimage import data
from scumble.backend.allocator import keep_freed_memory
keep_freed_memory()
from scumble.backend import Session
from scumble.shared.messages import BundledStyle, MaskBuffer, PixelBuffer, Region, StylizeRequest

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10

side = int(sys.argv[1])
image = np.asarray(Image.fromarray(data.astronaut()).resize((side, side)))
session = Session("cpu")
before = peak()
layer = PixelBuffer(side, side, "rgb", "u8", image.tobytes())
region = Region(MaskBuffer(side, side, b"\\xff" * (side * side)), BundledStyle("night-swirls"))
options = dict(word.split("=", 1) for word in sys.argv[3:])
result = session.stylize(StylizeRequest(layer, (region,), sys.argv[2], options))
print(before, peak(), result.report["seconds"]["total"])
"""


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sides", type=int, nargs="+", default=[1024, 2048, 4096])
    parser.add_argument("--engine", default="partial-conv")
    parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE")
    args = parser.parse_args()
    print("| whole picture | before, MB | peak, MB |\n|---|---|---|")
    for side in args.sides:
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(side), args.engine, *args.option],
            capture_output=True,
            text=True,
            check=True,
        )
        before, peak, _ = done.stdout.split()
        print(f"| {side}² | {before} | {peak} |", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
