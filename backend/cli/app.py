"""``scumble COMMAND``: finds the command's module, runs it, turns failures into sentences and exit codes.

Importing this imports neither torch nor numpy: ``scumble --help`` answers at once.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from scumble.shared.errors import BAD_INPUT, Code, ScumbleError

#: Exit codes.
OK, BAD, NO_BACKEND, FAILED, INTERRUPTED = 0, 2, 3, 4, 130
_NO_BACKEND = frozenset({Code.NO_BACKEND, Code.BACKEND_LOST, Code.UNSUPPORTED_PROTOCOL, Code.TIMEOUT})


@dataclass(frozen=True)
class Command:
    """A command: its module has ``add_arguments(parser)`` and ``run(args) -> int``."""

    name: str
    module: str
    help: str


COMMANDS = (
    Command("stylize", "scumble.backend.cli.stylize", "stylize regions of a picture as a new layer"),
    Command("segment", "scumble.backend.cli.segment", "select by points, a box or the subject"),
    Command("engines", "scumble.backend.cli.engines", "list the methods and their options"),
    Command("styles", "scumble.backend.cli.styles", "list the styles of the gallery"),
    Command("models", "scumble.backend.models.cli", "list, fetch, remove and import weights"),
    Command("backend", "scumble.backend.cli.backend", "start, stop and look at the backend"),
    Command("evaluate", "scumble.backend.metrics.cli", "measure the quality of stylized regions"),
)


def exit_code(error: ScumbleError) -> int:
    """The exit code of a failure: 2 bad input, 3 no backend, 4 the job failed, 130 interrupted."""
    if error.code is Code.CANCELLED:
        return INTERRUPTED
    if error.code in _NO_BACKEND:
        return NO_BACKEND
    return BAD if error.code in BAD_INPUT else FAILED


def _available() -> list[Command]:
    """The commands whose module is installed; some are parts that a small installation leaves out."""
    found = []
    for command in COMMANDS:
        try:
            if importlib.util.find_spec(command.module) is not None:
                found.append(command)
        except ImportError:
            continue
    return found


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in the same form as every other failure, not with the whole usage."""

    def error(self, message: str) -> NoReturn:
        complain(ScumbleError(Code.BAD_REQUEST, _sentence(message), f"What it takes: {self.prog} --help"))
        raise SystemExit(BAD)


def _parser(chosen: str) -> argparse.ArgumentParser:
    parser = _Parser(
        prog="scumble",
        description="Stylize painted regions of a picture, as a new layer.",
        epilog="Exit codes: 0 done, 2 bad input, 3 no backend, 4 the job failed, 130 interrupted.",
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for command in _available():
        one = commands.add_parser(command.name, help=command.help, description=_sentence(command.help))
        if command.name == chosen:
            importlib.import_module(command.module).add_arguments(one)
    return parser


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:].rstrip('.')}."


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("scumble")
    except PackageNotFoundError:
        return "unknown"


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; the exit code.  Never raises, except for argparse's own exit."""
    words = list(sys.argv[1:] if argv is None else argv)
    chosen = next((w for w in words if not w.startswith("-")), "")
    try:
        parser = _parser(chosen)
        args = parser.parse_args(words)
        if args.version:
            print(f"scumble {_version()}")
            return OK
        if args.command is None:
            parser.print_help(sys.stderr)
            return BAD
        module = next(c.module for c in COMMANDS if c.name == args.command)
        code: int = importlib.import_module(module).run(args)
        sys.stdout.flush()
        return code
    except ScumbleError as error:
        complain(error)
        return exit_code(error)
    except KeyboardInterrupt:
        print("scumble: interrupted.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has seen enough; Python would complain again at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except Exception as error:
        if os.environ.get("SCUMBLE_DEBUG"):
            traceback.print_exc()
        complain(
            ScumbleError(
                Code.INTERNAL,
                f"Something went wrong inside Scumble ({type(error).__name__}).",
                "Run it again with SCUMBLE_DEBUG=1 in the environment and report what it prints.",
            )
        )
        return FAILED


def complain(error: ScumbleError) -> None:
    """Tell a user what failed and what to do: two lines on stderr."""
    # Where nobody can be told (a log on the disk that is full), the exit code still tells.
    with contextlib.suppress(OSError):
        print(f"scumble: {error.message} [{error.code.value}]", file=sys.stderr)
        if error.hint:
            print(f"  {error.hint}", file=sys.stderr)
