"""Time from calling Scumble in the real GIMP 3 to the new layer, and whose time it is.

    python tests/benchmarks/gimp.py [--sides 1024 2048] [--times 3] [--markdown]

*plugin* is everything that is ours in GIMP, the start of its process included; *GIMP* hands out and takes
in pixels; *wire* is the way there and back; *backend* is what its report says.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "editors"))

import gimp_world

PARTS = ("total", "plugin", "GIMP", "wire", "backend")


def split(run: dict[str, Any]) -> dict[str, float]:
    """The seconds of a call by whose they are."""
    report = run["report"]
    ours, backend = report["seconds"], report["backend"]["seconds"]["total"]
    gimp = ours["pixels"] + ours["insert"]
    wire = max(0.0, ours["job"] - backend)
    total = run["seconds"]
    return {
        "total": total,
        "plugin": total - gimp - wire - backend,
        "GIMP": gimp,
        "wire": wire,
        "backend": backend,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sides", type=int, nargs="+", default=[1024, 2048])
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--detail", action="store_true", help="each call's own clock")
    chosen = parser.parse_args()
    folder = gimp_world.fresh()
    world = gimp_world.World(folder)
    try:
        world.install()
        world.start_backend()
        world.wait_for_backend()
        sides = " ".join(map(str, chosen.sides))
        done = world.gimp("bench.py", timeout_s=580, SIDES=sides, TIMES=str(chosen.times))
        if not (folder / "report.json").exists():
            sys.exit(done.output)
        runs = world.report()["runs"]
    finally:
        world.close()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"| layer | {' | '.join(PARTS)} | plugin's share |")
    print(f"|---|{'---|' * (len(PARTS) + 1)}")
    for side in chosen.sides:
        each = [split(run) for run in runs if run["side"] == side]
        middle = {part: statistics.median(one[part] for one in each) for part in PARTS}
        share = statistics.median(one["plugin"] / one["total"] for one in each)
        cells = " | ".join(f"{middle[part]:.2f} s" for part in PARTS)
        print(f"| {side} x {side} | {cells} | {share:.0%} |")
    if chosen.detail:
        for run in runs:
            print(
                run["side"],
                round(run["seconds"], 3),
                run["report"]["seconds"],
                run["report"]["backend"]["seconds"],
            )


if __name__ == "__main__":
    main()
