"""``scumble models …``: list, fetch, remove, import, folder.  Plain functions for the command line."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from scumble.shared.errors import BAD_INPUT, Code, ScumbleError

from . import catalogue, fetch, store

_EXAMPLE = (
    "example: scumble models import linear-transfer --encoder vgg_r41.pth --decoder dec_r41.pth "
    "--matrix r41.pth --name published"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Set up the parser of ``scumble models``."""
    actions = parser.add_subparsers(dest="models_action", metavar="ACTION", required=True)

    one = actions.add_parser("list", help="what there is, and what is installed")
    one.add_argument("--json", action="store_true", help="for programs")

    one = actions.add_parser("fetch", help="download models, verified; goes on after an interruption")
    one.add_argument("models", nargs="+", metavar="MODEL")
    one.add_argument("--from", dest="source", type=Path, metavar="FOLDER", help="take the files from there")

    one = actions.add_parser("remove", help="delete fetched or imported models")
    one.add_argument("models", nargs="+", metavar="MODEL")

    one = actions.add_parser("import", help="bring in the published network's files", epilog=_EXAMPLE)
    one.add_argument("kind", choices=["linear-transfer"])
    one.add_argument("--encoder", type=Path, required=True, metavar="VGG.pth")
    one.add_argument("--decoder", type=Path, required=True, metavar="DEC.pth")
    one.add_argument("--matrix", type=Path, required=True, metavar="MATRIX.pth")
    one.add_argument("--name", required=True, help="what to call it: --option model=NAME")
    one.add_argument("--replace", action="store_true", help="overwrite one of that name")
    one.add_argument("--json", action="store_true", help="print the record")

    actions.add_parser("folder", help="print where models are kept and looked for")


def run(args: argparse.Namespace) -> int:
    """Do what was asked; 0, 2 for bad input, 4 for a failure, with a sentence on stderr."""
    try:
        _ACTIONS[args.models_action](args)
    except ScumbleError as error:
        print(f"scumble: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"  {error.hint}", file=sys.stderr)
        unknown = error.code is Code.MODEL_MISSING and not error.retry
        return 2 if error.code in BAD_INPUT or unknown else 4
    except KeyboardInterrupt:
        print("scumble: stopped; a download goes on where it was next time.", file=sys.stderr)
        return 4
    return 0


def megabytes(size: int) -> str:
    """A size for people."""
    return f"{size / 1e9:.2f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


def _list(args: argparse.Namespace) -> None:
    lines = catalogue.listing()
    if args.json:
        print(json.dumps([line.as_dict() for line in lines], indent=2))
        return
    width = max(len(line.id) for line in lines)
    for line in lines:
        size = megabytes(line.bytes) if line.bytes else ""
        print(f"{line.id:<{width}}  {line.state:<10}  {size:>9}  {line.licence:<13}  {line.label}")


class _Bar:
    """Progress on a terminal; silence in a pipe."""

    def __init__(self, name: str) -> None:
        self.name, self.shown, self.tty = name, "", sys.stderr.isatty()

    def __call__(self, stage: str, done: int, of: int) -> None:
        share = min(1.0, done / of) if of else 0.0
        text = f"{self.name}: {stage} {100 * share:3.0f} % of {megabytes(of)}"
        if self.tty and text != self.shown:
            print(f"\r{text:<72}", end="", file=sys.stderr, flush=True)
            self.shown = text

    def close(self) -> None:
        if self.shown:
            print(file=sys.stderr)


def _fetch(args: argparse.Namespace) -> None:
    for name in args.models:
        entry = catalogue.model(name)
        print(f"{entry.label}: licence {entry.licence}. {entry.licence_note}")
        bar = _Bar(name)
        try:
            if args.source is not None:
                fetch.install_from_folder(name, args.source, bar)
            else:
                fetch.fetch(name, bar)
        finally:
            bar.close()
        print(f"{name}: installed.")


def _remove(args: argparse.Namespace) -> None:
    for name in args.models:
        print(f"{name}: removed, {megabytes(catalogue.remove(name))} freed.")


def _import(args: argparse.Namespace) -> None:
    from .importing import import_linear_transfer  # needs torch

    record = import_linear_transfer(args.encoder, args.decoder, args.matrix, args.name, replace=args.replace)
    if args.json:
        print(json.dumps(record, indent=2))
        return
    print(f"Imported the published network ({record['layer']}) as {record['name']}.")
    for part, source in record["sources"].items():
        print(f"  {part:<8} sha256 {source['sha256']}")
    print("The authors state no licence for these weights: judge whether your use is allowed.")
    print(f"Use it with: --option model={record['name']} (and --option parity=true for their arithmetic)")


def _folder(args: argparse.Namespace) -> None:
    own, *more = store.search_folders()
    print(own)
    for folder in more:
        print(f"{folder} (searched)")


_ACTIONS = {"list": _list, "fetch": _fetch, "remove": _remove, "import": _import, "folder": _folder}
