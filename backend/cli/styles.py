"""``scumble styles [--json]``: the gallery."""

from __future__ import annotations

import argparse
import json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Set up the parser of ``scumble styles``."""
    parser.add_argument("--json", action="store_true", help="for programs, with thumbnails (PNG in base64)")


def run(args: argparse.Namespace) -> int:
    """Print them; the exit code."""
    from ..describe import styles

    found = styles(thumbnails=args.json)
    if args.json:
        print(json.dumps(found, indent=2))
        return 0
    width = max((len(s["id"]) for s in found), default=0)
    for style in found:
        print(f"{style['id']:<{width}}  {style['name']}")
    return 0
