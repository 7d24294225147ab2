"""``scumble backend start|stop|status|log|share|listen``: the process that paints."""

from __future__ import annotations

import argparse
import json
import sys
from collections import deque

from scumble.shared.errors import Code, ScumbleError

from . import sharing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Set up the parser of ``scumble backend``."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    helps = {"start": "start it unless it runs", "stop": "end it", "status": "is it there, what does it do"}
    for name, text in helps.items():
        one = actions.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        one.add_argument("--json", action="store_true", help="for programs")
    log = actions.add_parser("log", help="print the end of its log", description="Print the end of its log.")
    log.add_argument("-n", "--lines", type=int, default=40, help="how many (default: %(default)s)")
    log.add_argument("--json", action="store_true", help="a list of lines")
    text = "make a key file with which somebody on another machine may use it"
    sharing.add_share(actions.add_parser("share", help=text, description=f"{text[0].upper()}{text[1:]}."))
    text = "run it for all who have a key file, until interrupted"
    sharing.add_listen(actions.add_parser("listen", help=text, description=f"{text[0].upper()}{text[1:]}."))


def run(args: argparse.Namespace) -> int:
    """Do it; 3 if there is no backend to tell about."""
    if args.action == "share":
        return sharing.share(args)
    if args.action == "listen":
        return sharing.listen(args)
    if args.action == "log":
        return _log(args.lines, args.json)
    from scumble.shared import launch

    if args.action == "start":
        now = launch.start(sys.executable)
    elif args.action == "stop":
        now = launch.stop()
    else:
        now = launch.status()
    if args.json:
        print(json.dumps(now.describe(), indent=2))
    else:
        where = f" (process {now.pid}, {now.endpoint})" if now.pid else ""
        print(f"The backend is {'not running' if not now.running else now.state}{where}.")
    return 0 if now.running or args.action == "stop" else 3


def _log(lines: int, as_json: bool) -> int:
    from scumble.shared.launch import log_path

    try:
        with open(log_path(), encoding="utf-8", errors="replace") as stream:
            tail = deque((line.rstrip("\n") for line in stream), maxlen=max(0, lines))
    except OSError:
        raise ScumbleError(
            Code.NO_BACKEND,
            "There is no log: the backend has not run yet.",
            "Start it with: scumble backend start",
        ) from None
    print(json.dumps(list(tail), indent=2) if as_json else "\n".join(tail))
    return 0
