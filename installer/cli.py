"""The commands: ``demo``, ``test``, ``setup``, ``run``, ``krita``, ``gimp``, ``doctor``, ``uninstall``."""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from . import client_file, doctor, photo, places, requirements
from .console import Console
from .editors import commands as editors
from .editors import remembered, where
from .environment import Environment
from .pip import clean_environment
from .problem import Problem


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        prog="python3 -m installer",
        description="Sets Scumble up in a private environment and tries it out.",
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    demo = commands.add_parser("demo", help="set up what is needed and stylize two regions of a photograph")
    demo.add_argument("--out", type=Path, default=Path("scumble-demo"), help="folder for the pictures")
    demo.add_argument("--docs", action="store_true", help="also renew docs/overview.jpg in the clone")

    test = commands.add_parser(
        "test", help="run the test suite; further arguments go to pytest", add_help=False
    )
    test.add_argument("rest", nargs=argparse.REMAINDER)

    setup = commands.add_parser("setup", help="make or update the private environment, nothing else")
    setup.add_argument("--extra", action="append", default=[], help="an extra of setup.cfg, e.g. test")
    setup.add_argument("--refresh", action="store_true", help="look again which packages are right")

    run = commands.add_parser("run", help="run a command inside the environment, e.g.: run scumble styles")
    run.add_argument("rest", nargs=argparse.REMAINDER)

    editors.add_parsers(commands)

    check = commands.add_parser("doctor", help="what is there, what is missing, what to do")
    check.add_argument("--json", action="store_true", help="for programs")

    remove = commands.add_parser("uninstall", help="remove the plug-ins, the environment and Scumble's files")
    remove.add_argument("editor", nargs="?", choices=where.EDITORS, help="remove this plug-in alone")
    remove.add_argument("--yes", action="store_true", help="do not ask")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status.  No traceback reaches a user."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    console = Console()
    try:
        if arguments[:1] == ["test"]:  # everything behind it belongs to pytest, options too
            return _test(_environment(console), arguments[1:])
        return _run(parser().parse_args(arguments), console)
    except Problem as problem:
        sys.stdout.flush()
        sys.stderr.write(f"\n{problem.message}\n")
        if problem.hint:
            sys.stderr.write(f"  {problem.hint}\n")
        return problem.code
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped. The same command goes on from here.\n")
        return 130
    except BrokenPipeError:
        return 1
    except OSError as error:
        full = error.errno == 28
        sys.stderr.write(
            "\nThe disk is full.\n  Free some space and run the same command again.\n"
            if full
            else f"\n{error.filename or 'A file'} cannot be used: {error.strerror or error}.\n"
        )
        return 2


def _run(given: argparse.Namespace, console: Console) -> int:
    if given.command == "demo":
        return _demo(given, console)
    if given.command == "setup":
        return _setup(given, console)
    if given.command == "run":
        return _inside(_environment(console), given.rest)
    if given.command == "doctor":
        return _doctor(given.json, console)
    if given.command in where.EDITORS:
        return editors.run(given, _environment(console), console)
    if given.editor:
        return _uninstall_plugin(given.editor, given.yes, console)
    return _uninstall(given.yes, console)


def _environment(console: Console) -> Environment:
    root = places.clone()
    if root is None:
        raise Problem(
            "This command works from a clone of Scumble, not from an installed package.",
            "Run it as python3 -m installer in the clone's folder.",
        )
    return Environment(root, places.environment_folder(root), console)


def _demo(given: argparse.Namespace, console: Console) -> int:
    began = time.monotonic()
    environment = _environment(console)
    environment.ensure()
    client_file.write(environment.python)
    picture = photo.photograph(places.cache_folder(environment.root), environment.python, console)
    ready = time.monotonic() - began
    command = ["python", "-m", "scumble.backend.demo", "--photo", str(picture), "--out", str(given.out)]
    if given.docs:
        command += ["--docs", str(environment.root / "docs" / "overview.jpg")]
    status = environment.run(command)
    if status == 0:
        console.line(f"Set-up {ready:.1f} s, all in all {time.monotonic() - began:.1f} s.")
    return status


def _test(environment: Environment, rest: Sequence[str]) -> int:
    environment.ensure(["test"])
    client_file.write(environment.python)
    # From the clone's root, where pytest finds its settings; nothing is printed after its closing line.
    sys.stdout.flush()
    command = [str(environment.python), "-m", "pytest", *rest]
    process = subprocess.Popen(command, cwd=environment.root, env=environment.variables())
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


def _setup(given: argparse.Namespace, console: Console) -> int:
    environment = _environment(console)
    unknown = set(given.extra) - set(requirements.extras(environment.root))
    if unknown:
        known = ", ".join(requirements.extras(environment.root))
        raise Problem(f"There is no extra called {', '.join(sorted(unknown))}.", f"There are: {known}.")
    environment.ensure(given.extra, given.refresh)
    client_file.write(environment.python)
    editors.describe_anew(environment.python)
    console.line(f"Scumble's environment is ready: {environment.folder}")
    return 0


def _inside(environment: Environment, command: Sequence[str]) -> int:
    command = list(command[1:] if command[:1] == ["--"] else command)
    if not command:
        raise Problem("Which command?", "For example: python3 -m installer run scumble styles")
    if environment.state() != "ready":
        environment.ensure()
        client_file.write(environment.python)
    return environment.run(command)


def _doctor(as_json: bool, console: Console) -> int:
    findings = doctor.examine(_environment(console) if places.clone() else None)
    if as_json:
        console.line(json.dumps(doctor.as_data(findings), indent=1))
    else:
        doctor.report(findings, console)
    return doctor.verdict(findings)


def _uninstall(yes: bool, console: Console) -> int:
    environment = _environment(console)
    plugins = editors.installed()
    ours = [places.runtime_folder(), places.state_folder(), client_file.path(), remembered.path()]
    ours += sorted(places.config_folder().glob("settings.json*"))  # the plug-ins', with what they set aside
    ours = [p for p in ours if p.exists()]
    if environment.folder.exists():
        ours.insert(0, environment.folder)
    if places.cache_folder(environment.root).exists():
        ours.append(places.cache_folder(environment.root))
    traces = [path for plugin in plugins for path in plugin.traces()]
    if not ours and not traces:
        console.line("There is nothing to remove.")
        return 0
    _announce([*traces, *ours], console)
    console.line("Your own styles, imported models and pictures stay.")
    if not _agreed(yes, console):
        return 1
    if environment.python.exists():
        stop = [str(environment.python), "-c", "from scumble.shared import launch; launch.stop()"]
        subprocess.run(stop, capture_output=True, env=clean_environment(), timeout=60)
    editors.remove(plugins)
    for path in ours:
        if path == environment.folder:
            environment.remove()
        elif path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        places.config_folder().rmdir()  # unless something else is in it
    console.line("Scumble's environment and files are gone; the clone itself you can simply delete.")
    return 0


def _uninstall_plugin(editor: str, yes: bool, console: Console) -> int:
    plugins = editors.installed([editor])
    if not plugins:
        console.line(f"There is no plug-in of Scumble's in {where.NAMES[editor]}.")
        return 0
    _announce([path for plugin in plugins for path in plugin.traces()], console)
    if not _agreed(yes, console):
        return 1
    editors.remove(plugins)
    console.line(f"The plug-in is gone; a running {where.NAMES[editor]} has it until it is closed.")
    return 0


def _announce(paths: Sequence[Path], console: Console) -> None:
    console.line("This removes:")
    for path in paths:
        note = "   (one line in it)" if path.name == "kritarc" else ""
        console.line(f"  {path}{note}")


def _agreed(yes: bool, console: Console) -> bool:
    """Whether the user wants it."""
    if not yes:
        try:
            answer = input("Go on? [y/N] ")
        except EOFError:
            answer = ""
        if answer.strip().lower() not in ("y", "yes"):
            console.line("Nothing was removed.")
            return False
    return True
