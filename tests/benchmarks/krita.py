"""Time from a click in the real Krita to the new layer, and whose time it is.

    python tests/benchmarks/krita.py [--sides 1024 2048] [--times 3] [--markdown]

*Krita* is everything inside libkis (pixels out and in, taking the layer into the picture); *backend* is
what its report says; *wire* is the rest of the time between the request and the result; *plugin* is what
is left: everything that is ours in Krita.  A live preview's time is from the change of a control to the
preview layer, the time in which the hand has to rest included.  *Longest gap* is the longest time between
two turns of Krita's event loop while a job runs; of our own entries into it, from the click to the layer,
*ours* is the longest without libkis, and *inside libkis* the longest in there.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "editors"))

import krita_world

PARTS = ("total", "plugin", "krita", "wire", "backend")


def split(run: dict[str, Any]) -> dict[str, float]:
    """The seconds of a click by whose they are."""
    backend = float(run["backend"]["seconds"]["total"])
    wire = max(0.0, run["job"] - backend)
    krita = run["krita"]
    plugin = max(0.0, run["total"] - krita - wire - backend)
    return {"total": run["total"], "plugin": plugin, "krita": krita, "wire": wire, "backend": backend}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sides", type=int, nargs="*", default=[1024, 2048])
    parser.add_argument("--large", type=int, nargs="*", default=[], help="only read and written")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--markdown", action="store_true")
    given = parser.parse_args()
    why = krita_world.missing()
    if why:
        print(why, file=sys.stderr)
        return 1
    world = krita_world.World(krita_world.fresh())
    try:
        world.install()
        found = world.krita(
            krita_world.SCRIPTS / "measure_scenes.py",
            timeout_s=900,
            SCUMBLE_SIDES=" ".join(map(str, given.sides)),
            SCUMBLE_LARGE=" ".join(map(str, given.large)),
            SCUMBLE_TIMES=str(given.times),
        )
    finally:
        world.close()
    if not found["done"]:
        print(found["problem"], file=sys.stderr)
        return 1
    print(f"Krita {found['version']}; backend ready {found['ready_s']:.1f} s after the docker was shown")
    show(found, given.markdown)
    for side, parts in found["large"].items():
        for what in ("read", "write"):
            whole, ours, libkis = parts[what]
            print(
                f"{side}²: {what} in {whole:.2f} s; longest turn: ours {ours * 1000:.0f} ms,"
                f" inside libkis {libkis * 1000:.0f} ms"
            )
        print(f"{side}²: Krita composed the result in {parts['composing']:.2f} s")
    return 0


def show(found: dict[str, Any], markdown: bool) -> None:
    """Medians as a table."""
    head = ["selection", *PARTS, "plugin's share", "preview", "longest gap", "ours", "inside libkis"]
    rows = []
    for side, runs in found["runs"].items():
        times = [split(run) for run in runs]
        middle = {part: statistics.median(t[part] for t in times) for part in PARTS}
        share = middle["plugin"] / middle["total"]
        previews = statistics.median(found["previews"][side])
        gaps = [statistics.median(run[name] for run in runs) for name in ("gap", "turn_ours", "turn_libkis")]
        seconds = [f"{middle[part]:.3f} s" for part in PARTS]
        rows.append([f"{side}²", *seconds, f"{share:.1%}", f"{previews:.2f} s"])
        rows[-1] += [f"{gap * 1000:.0f} ms" for gap in gaps]
    if markdown:
        for row in (head, ["---"] * len(head), *rows):
            print("| " + " | ".join(row) + " |")
        return
    for row in (head, *rows):
        print("".join(f"{cell:>16}" for cell in row))


if __name__ == "__main__":
    raise SystemExit(main())
