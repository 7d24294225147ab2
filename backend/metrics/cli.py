"""``scumble evaluate``: the bench, the paper's Tables 2 and 3, and the style-for-content curve."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scumble.shared.errors import BAD_INPUT, Code, ScumbleError

KINDS = ("bench", "table2", "table3", "curve")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Put the command's arguments on a parser; imports nothing heavy."""
    parser.add_argument("kind", nargs="?", choices=KINDS, default="bench", help="what to measure")
    parser.add_argument(
        "--bench", type=Path, required=True, metavar="DIR", help="photographs with label maps"
    )
    parser.add_argument("--styles", type=Path, required=True, metavar="DIR", help="style pictures")
    parser.add_argument("--style-pattern", default="*", metavar="GLOB", help="which of them, by file name")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="REPORT.json")
    parser.add_argument("--table", choices=("2", "3"), help="the same as table2 or table3")
    parser.add_argument("--engine", default="partial-conv", help="an engine's name")
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an option of the engine, repeatable",
    )
    parser.add_argument(
        "--method",
        action="append",
        default=[],
        help="a value of the engine's option method; repeat to compare",
    )
    parser.add_argument(
        "--peer",
        action="append",
        default=[],
        help="also measure this program, if installed; painting: the style picture itself in the region",
    )
    parser.add_argument(
        "--sweep",
        action="append",
        default=[],
        metavar="NAME=V,V,…",
        help="curve: a control and its values; several move together (default: texture up, detail down)",
    )
    lists = parser.add_mutually_exclusive_group()
    lists.add_argument("--tiny", action="store_true", help="regions of 0.05 to 2 %% of the picture")
    lists.add_argument("--loose", action="store_true", help="selections that follow no edge of the picture")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N triplets")
    parser.add_argument(
        "--pair",
        action="append",
        default=[],
        metavar="PHOTOGRAPH:STYLE",
        help="curve: this photograph with this style picture instead of drawn ones; repeatable",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the protocol and the engine (default 0)")
    parser.add_argument(
        "--jobs", type=int, default=0, help="processes; 1 for none beside this (default: cores)"
    )
    parser.add_argument("--judge", type=Path, metavar="FILE", help="VGG-16 (default: the catalogue's)")
    parser.add_argument("--long-side", type=int, default=512, help="pixels the judge sees (default 512)")
    parser.add_argument("--restart", action="store_true", help="forget earlier measurements")
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="write a contact sheet")
    parser.add_argument("--seams", type=Path, metavar="FILE", help="write enlarged crops of the seams")
    parser.add_argument("--keep", type=int, default=12, metavar="N", help="rows of the sheets (default 12)")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="also write the table to a file")
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="curve: draw it")


def _pairs(texts: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise ScumbleError(Code.BAD_REQUEST, f"{text!r} is not of the form NAME=VALUE.")
        found[name.strip()] = value.strip()
    return found


def _sweep(texts: Sequence[str]) -> dict[str, tuple[float, ...]]:
    from .curve import STEPS

    try:
        found = {n: tuple(float(v) for v in values.split(",")) for n, values in _pairs(texts).items()}
    except ValueError:
        raise ScumbleError(
            Code.BAD_REQUEST, "A sweep takes numbers.", "Write it as --sweep detail=0,0.5,1."
        ) from None
    return found or STEPS


def _variants(args: argparse.Namespace, kind: str) -> tuple[Any, ...]:
    from .bench import Variant
    from .curve import curve_variants
    from .tables import table2_variants, table3_variants

    base = Variant(args.engine, args.engine, _pairs(args.option))
    if kind == "table2":
        own = table2_variants(base)
    elif kind == "table3":
        own = table3_variants(base)
    elif kind == "curve":
        own = curve_variants(base, _sweep(args.sweep))
    elif args.method:
        own = tuple(Variant(m, args.engine, {**base.options, "method": m}) for m in args.method)
    else:
        own = (base,)
    return own + tuple(Variant(name, f"peer:{name}") for name in args.peer)


def _rendered(
    kind: str,
    found: Mapping[str, Mapping[str, float]],
    records: Sequence[Mapping[str, Any]],
    args: argparse.Namespace,
) -> str:
    from .bench import wins
    from .curve import Point, curve_svg, curve_table, points
    from .peers import KNOWN_POINTS
    from .tables import TABLE2_METRICS, floor_table, plain_table, table2, table3, wins_line

    if kind == "table2":
        better = wins(records, "partial-conv", "style-then-mask")
        measures = [m for m in TABLE2_METRICS if m not in ("seconds", "outside_changed")]
        return table2(found) + "\n\n" + wins_line(better, "style-then-mask", measures)
    if kind == "table3":
        return table3(found) + "\n\n" + floor_table(found)
    if kind == "bench":
        return plain_table(found)
    ours = points(found, [n for n in found if n not in args.peer])
    peers = points(found, args.peer)
    peers += [Point(f"{n} (other pairs)", *p) for n, p in KNOWN_POINTS.items() if n not in args.peer]
    if args.plot is not None and ours:
        args.plot.write_text(curve_svg(ours, peers), "utf-8")
    return curve_table(ours, peers) + "\n\n" + plain_table(found)


def run(args: argparse.Namespace) -> int:
    """Measure, write the report, print the table.

    :returns: 0, or 1 if a triplet failed.
    :raises ScumbleError: for anything that keeps the whole run from happening.
    """
    from . import sheets
    from .bench import Setting, fingerprint, run_bench, summary
    from .journal import Journal
    from .protocol import Kind, named_pairs, style_files, triplets

    kind = f"table{args.table}" if args.table else args.kind
    styles = style_files(args.styles, args.style_pattern)
    which: Kind = "tiny" if args.tiny else "loose" if args.loose else "regular"
    which = "whole" if kind == "curve" else which
    if args.pair and kind != "curve":
        raise ScumbleError(Code.BAD_REQUEST, "Pairs can be named for the curve only.", "Leave out --pair.")
    chosen = named_pairs(args.bench, list(styles), args.pair) if args.pair else []
    chosen = chosen or triplets(args.bench, list(styles), seed=args.seed, kind=which, limit=args.limit)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    jobs = args.jobs or min(cores, len(chosen))
    wants_pictures = args.sheet is not None or args.seams is not None
    setting = Setting(
        bench=args.bench,
        styles=styles,
        variants=_variants(args, kind),
        seed=args.seed,
        judge=args.judge,
        long_side=args.long_side,
        pictures=args.output.with_suffix(".pictures") if wants_pictures else None,
        keep=args.keep,
        threads=1 if jobs > 1 else 0,
    )
    print_of_run = fingerprint(setting, f"{kind} {which}")
    journal = Journal(args.output.with_suffix(".jsonl"), print_of_run, restart=args.restart)
    records = run_bench(chosen, setting, journal, jobs=jobs)
    found = summary(records, [v.name for v in setting.variants])
    failures = [r for r in records if "error" in r]
    text = _rendered(kind, found, records, args)
    report = {"settings": print_of_run, "triplets": len(chosen), "summary": found, "records": records}
    try:
        args.output.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
        if args.markdown is not None:
            args.markdown.write_text(text + "\n", "utf-8")
        if args.sheet is not None:
            sheets.contact_sheet(chosen, setting).save(args.sheet)
        if args.seams is not None:
            sheets.seam_sheet(chosen, setting).save(args.seams)
    except OSError as error:
        raise ScumbleError(Code.DISK, f"A report cannot be written: {error}.") from error
    print(text)
    print(f"\n{len(chosen) - len({r['triplet'] for r in failures})} of {len(chosen)} triplets measured.")
    for record in failures:
        print(f"{record['triplet']} ({record['variant']}): {record['message']}", file=sys.stderr)
    return 1 if failures else 0


def main(argv: list[str] | None = None) -> int:
    """The command on its own: ``python -m scumble.backend.metrics.cli``."""
    parser = argparse.ArgumentParser(prog="scumble evaluate", description=__doc__)
    add_arguments(parser)
    args = parser.parse_args(argv)
    try:
        return run(args)
    except ScumbleError as error:
        print(f"{error.message} {error.hint}".strip(), file=sys.stderr)
        return 2 if error.code in BAD_INPUT else 4
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on from here.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
