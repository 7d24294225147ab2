"""``doctor``: what is there, what is missing, what to do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from . import checks, client_file, torch_source, versions
from .console import Console, megabytes
from .editors import health
from .environment import Environment
from .finding import Finding, Status
from .pip import clean_environment
from .problem import Problem


def examine(environment: Environment | None) -> list[Finding]:
    """Look at everything; ``environment`` is None for an installed package without a clone."""
    findings = [_python()]
    inside: dict[str, Any] = {}
    if environment is None:
        findings.append(Finding("environment", "ok", f"installed as a package in {sys.prefix}"))
        inside, trouble = _inside(Path(sys.executable))
    else:
        findings += _ground(environment)
        inside, trouble = _inside(environment.python) if environment.marker else ({}, "")
    if trouble:
        todo = "python3 -m installer setup --refresh"
        findings.append(Finding("packages", "wrong", f"they cannot be loaded: {trouble}", todo))
    findings += list(_packages(inside))
    findings.append(_device(inside))
    findings.append(_client_file())
    findings += health.examine(environment.root if environment else None)
    return findings


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    trouble = versions.unsupported(sys.version_info[:2])
    if trouble:
        return Finding("Python", "wrong", version, trouble.partition("\n")[2].strip())
    return Finding("Python", "ok", f"{version} ({sys.executable})")


def _ground(environment: Environment) -> list[Finding]:
    state = environment.state()
    findings = []
    if state == "missing":
        try:
            way = checks.virtual_environments()
            findings.append(Finding("virtual environments", "ok", f"with {way}"))
        except Problem as problem:
            findings.append(Finding("virtual environments", "wrong", problem.message, problem.hint))
    at = checks.existing(environment.folder)
    free = shutil.disk_usage(at).free
    needed = checks.NEEDED if state in ("missing", "unfinished") else 200_000_000
    if free < needed:
        short = checks.no_space(at, free, needed)
        findings.append(Finding("disk", "wrong", f"{megabytes(free)} free at {at}", short.hint))
    else:
        findings.append(Finding("disk", "ok", f"{megabytes(free)} free at {at}"))
    if not os.access(at, os.W_OK):
        findings.append(
            Finding(
                "permission", "wrong", f"no right to write into {at}", "Move the clone, or set SCUMBLE_ENV."
            )
        )
    make = "python3 -m installer setup"
    words: dict[str, tuple[Status, str, str]] = {
        "missing": ("missing", "not made yet", make),
        "unfinished": ("missing", "begun and not finished", f"{make}   (goes on where it stopped)"),
        "outdated": ("missing", "made for another version of this clone", f"{make}   (brings it up to date)"),
        "ready": ("ok", f"{environment.folder}", ""),
    }
    status, found, todo = words[state]
    extras = environment.extras()
    if state == "ready" and extras:
        found += f" (with {', '.join(extras)})"
    findings.append(Finding("environment", status, found, todo))
    return findings


def _inside(python: Path) -> tuple[dict[str, Any], str]:
    """What the installed program says about itself, and what went wrong asking."""
    command = [str(python), "-m", "scumble.backend.demo.inspect"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=clean_environment())
        found = json.loads(done.stdout)
        return (found, "") if isinstance(found, dict) else ({}, "no answer")
    except ValueError:
        said = done.stderr.strip().splitlines()
        return {}, said[-1] if said else f"it ended with status {done.returncode}"
    except (OSError, subprocess.TimeoutExpired) as error:
        return {}, str(error)


def _packages(inside: dict[str, Any]) -> Iterator[Finding]:
    for item in inside.get("findings", []):
        yield Finding(
            str(item.get("what")),
            item.get("status", "note"),
            str(item.get("found")),
            str(item.get("todo", "")),
        )


def _device(inside: dict[str, Any]) -> Finding:
    card = torch_source.gpu()
    used = str(inside.get("gpu") or "")
    if used:
        return Finding("GPU", "ok", used)
    if card and inside:
        todo = "python3 -m installer setup --refresh"
        return Finding("GPU", "note", f"{card} is there, but this PyTorch cannot use it", todo)
    if card:
        return Finding("GPU", "ok", f"{card}; PyTorch for it will be fetched")
    return Finding("GPU", "note", "no NVIDIA GPU: Scumble paints on the processor")


def _client_file() -> Finding:
    python = client_file.read()
    if not python:
        return Finding(
            "editors' note", "missing", f"{client_file.path()} is not there", "python3 -m installer setup"
        )
    if not Path(python).exists():
        todo = "python3 -m installer setup"
        return Finding("editors' note", "wrong", f"it names {python}, which is gone", todo)
    return Finding("editors' note", "ok", f"{client_file.path()} names {python}")


def verdict(findings: list[Finding]) -> int:
    """The exit status: 1 if something stands in the way."""
    return 1 if any(f.status == "wrong" for f in findings) else 0


def report(findings: list[Finding], console: Console) -> None:
    """As a list for people."""
    marks = {"ok": "✓", "note": "·", "missing": "○", "wrong": "✗"} if console.rich else {}
    width = max(len(f.what) for f in findings)
    for f in findings:
        console.line(f"  {marks.get(f.status, f.status)} {f.what:<{width}}  {f.found}")
        if f.todo:
            arrow = "→" if console.rich else "->"
            console.line(f"    {' ' * width}  {arrow} {f.todo}")
    if verdict(findings):
        console.line("Something stands in the way; see above.")
    elif any(f.status == "missing" for f in findings):
        console.line("Nothing stands in the way; what is missing yet, the next command makes.")
    else:
        console.line("All is well.")


def as_data(findings: list[Finding]) -> dict[str, Any]:
    """As plain data for ``--json``."""
    return {"ok": verdict(findings) == 0, "findings": [asdict(f) for f in findings]}
