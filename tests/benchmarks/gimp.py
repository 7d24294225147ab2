"""Time from calling Scumble in the real GIMP 3 to the new layer, and whose time it is.

    python tests/benchmarks/gimp.py [--sides 1024 2048] [--times 5] [--cold] [--detail]

*plugin* is everything that is ours in GIMP, the start of its process included, and all calls of GIMP's
functions that are not named here; *GIMP* hands out and takes in pixels, and, when the plug-in has said that
it is done, puts the image together with the new layer in it; *wire* is the way there and back; *backend* is
what its report says.  *any* is the call of a plug-in in Python that does nothing: what GIMP's start of it
takes, whoever wrote it.  Calls are taken by a process that stands by; ``--cold`` measures without it.
Medians of all calls of a size but the first, for which the backend encodes the layer.
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

PARTS = ("total", "plugin", "GIMP", "wire", "backend", "any")


def split(run: dict[str, Any]) -> dict[str, float]:
    """The seconds of a call by whose they are."""
    report = run["report"]
    ours, backend = report["seconds"], report["backend"]["seconds"]["total"]
    gimp = ours["pixels"] + ours["insert"] + run["over"] - report["ended"]
    wire = max(0.0, ours["job"] - backend)
    total = run["seconds"]
    return {
        "total": total,
        "plugin": total - gimp - wire - backend,
        "GIMP": gimp,
        "wire": wire,
        "backend": backend,
        "any": run["empty"],
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sides", type=int, nargs="+", default=[1024, 2048])
    parser.add_argument("--times", type=int, default=8)
    parser.add_argument("--cold", action="store_true", help="without the process that stands by")
    parser.add_argument("--detail", action="store_true", help="each call's own clock")
    chosen = parser.parse_args()
    folder = gimp_world.fresh()
    world = gimp_world.World(folder)
    try:
        world.install()
        empty = folder / gimp_world.PLUG_INS / "empty" / "empty.py"
        empty.parent.mkdir()
        shutil.copy(folder / "driver" / "empty.py", empty)
        empty.chmod(0o755)
        cold = {"SCUMBLE_STANDBY": "no"} if chosen.cold else {}
        world.start_backend()
        world.wait_for_backend()
        sides = " ".join(map(str, chosen.sides))
        done = world.gimp("bench.py", timeout_s=580, SIDES=sides, TIMES=str(chosen.times), **cold)
        if not (folder / "report.json").exists():
            sys.exit(done.output)
        runs = world.report()["runs"]
    finally:
        world.close()
        shutil.rmtree(folder, ignore_errors=True)
    titles = [*PARTS[:-1], "plugin's share", "GIMP's start of any Python plug-in", "its share"]
    print(f"| layer | {' | '.join(titles)} |")
    print(f"|---|{'---|' * len(titles)}")
    for side in chosen.sides:
        each = [split(run) for run in runs if run["side"] == side][1:]
        middle = {part: statistics.median(one[part] for one in each) for part in PARTS}
        share = statistics.median(one["plugin"] / one["total"] for one in each)
        # Of a call that would have everything else as it is, and this in place of our own.
        any_share = statistics.median(
            one["any"] / (one["total"] - one["plugin"] + one["any"]) for one in each
        )
        cells = " | ".join(f"{middle[part]:.2f} s" for part in PARTS[:-1])
        print(f"| {side} x {side} | {cells} | {share:.0%} | {middle['any']:.2f} s | {any_share:.0%} |")
    if chosen.detail:
        for run in runs:
            print(
                run["side"],
                round(run["seconds"], 3),
                "warm" if run["report"]["warm"] else "cold",
                round(run["empty"], 3),
                run["report"]["seconds"],
                run["report"]["backend"]["seconds"],
            )


if __name__ == "__main__":
    main()
