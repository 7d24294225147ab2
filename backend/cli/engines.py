"""``scumble engines [NAME] [--json]``: the methods and their options."""

from __future__ import annotations

import argparse
import json
from typing import Any

from scumble.shared.errors import Code, ScumbleError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Set up the parser of ``scumble engines``."""
    parser.add_argument("name", nargs="?", help="show only this one")
    parser.add_argument("--json", action="store_true", help="for programs")


def run(args: argparse.Namespace) -> int:
    """Print them; the exit code."""
    from ..describe import engines

    found = engines()
    if args.name:
        names = ", ".join(e["name"] for e in found)
        found = [e for e in found if e["name"] == args.name]
        if not found:
            raise ScumbleError(
                Code.UNKNOWN_ENGINE,
                f"There is no engine called {args.name[:40]!r}.",
                f"Choose one of: {names}.",
            )
    if args.json:
        print(json.dumps(found, indent=2))
        return 0
    for engine in found:
        print(f"{engine['name']}  {engine['label']}\n  {engine['help']}")
        width = max((len(o["name"]) for o in engine["options"]), default=0)
        for option in engine["options"]:
            print(f"  {option['name']:<{width}}  {option['help']} ({_range(option)})")
    return 0


def _range(option: dict[str, Any]) -> str:
    default = option["default"]
    if option["kind"] == "bool":
        return f"true or false; default {str(default).lower()}"
    if option["kind"] == "choice":
        return f"{', '.join(option['choices'])}; default {default}"
    if option["kind"] == "text" and option["choices"]:
        return f"{', '.join(option['choices'])} or another; default {default}"
    if option["minimum"] is None or option["maximum"] is None:
        return f"default {default}"
    unit = f" {option['unit']}" if option["unit"] else ""
    return f"{option['minimum']:g} to {option['maximum']:g}{unit}; default {default}"
