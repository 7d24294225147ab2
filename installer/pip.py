"""Runs pip inside the environment, watches its progress and turns its failures into sentences."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .problem import Problem

#: Settings of the user's pip that would make it install somewhere else than into our environment.
_MISLEADING = ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_REQUIRE_VIRTUALENV", "PIP_DRY_RUN")
_PROGRESS = re.compile(r"^Progress (\d+) of (\d+)\s*$")
_NO_SPACE = ("no space left on device", "errno 28", "not enough space on the disk", "disk quota exceeded")
_NO_NETWORK = (
    "newconnectionerror",
    "failed to establish a new connection",
    "connection refused",
    "name or service not known",
    "temporary failure in name resolution",
    "getaddrinfo failed",
    "nodename nor servname",
    "network is unreachable",
    "no route to host",
    "connecttimeout",
    "readtimeout",
    "read timed out",
    "connection aborted",
    "connection reset",
    "connection broken",
    "max retries exceeded",
    "proxyerror",
)
_NO_BUILD = ("no matching distribution found", "could not find a version")


@dataclass(frozen=True)
class Package:
    """One package of a plan: exactly this version will be installed."""

    name: str
    version: str

    @property
    def pin(self) -> str:
        """As pip reads it."""
        return f"{self.name}=={self.version}"


def clean_environment() -> dict[str, str]:
    """This process's variables without those that would lead a Python or pip astray."""
    kept = {k: v for k, v in os.environ.items() if k not in _MISLEADING}
    for name in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__"):
        kept.pop(name, None)
    # Without it pip reads the user's own site packages as installed already.
    kept["PYTHONNOUSERSITE"] = "1"
    kept["PYTHONIOENCODING"] = "utf-8"
    return kept


class Pip:
    """pip of one interpreter.

    :param python: the environment's interpreter.
    :param log: file that receives everything pip says.
    """

    def __init__(self, python: Path, log: Path) -> None:
        self.python = python
        self.log = log
        self._bar: list[str] | None = None

    def run(
        self, arguments: Sequence[str], what: str, progress: Callable[[int, int], None] | None = None
    ) -> None:
        """Run pip to its end.

        :param what: for messages, e.g. ``"torch"``.
        :param progress: called with (bytes so far, bytes in all) while something is fetched.
        :raises Problem: in words for the user; the log has pip's own.
        """
        command = [str(self.python), "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments]
        last: deque[str] = deque(maxlen=200)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"\n$ pip {' '.join(arguments)}\n")
            with subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=clean_environment(),
                encoding="utf-8",
                errors="replace",
            ) as process:
                assert process.stdout is not None
                try:
                    for line in process.stdout:
                        found = _PROGRESS.match(line)
                        if found:
                            if progress:
                                progress(int(found[1]), int(found[2]))
                            continue
                        last.append(line)
                        log.write(line)
                except BaseException:
                    process.terminate()
                    raise
        if process.returncode:
            raise explain("".join(last), what, self.log)

    def bar(self) -> list[str]:
        """The options that make pip tell its progress in numbers, if it is new enough for that."""
        if self._bar is None:
            code = "import pip; raise SystemExit(tuple(map(int, pip.__version__.split('.')[:2])) < (24, 1))"
            old = subprocess.run([str(self.python), "-c", code], capture_output=True, env=clean_environment())
            self._bar = ["--progress-bar", "off" if old.returncode else "raw"]
        return self._bar

    def plan(self, requirements: Sequence[str], options: Sequence[str], report: Path) -> list[Package]:
        """What would be installed for these requirements, all of them, without installing anything."""
        partial = report.with_suffix(".partial")
        self.run(
            ["install", "--dry-run", "--ignore-installed", "--progress-bar", "off", "--retries", "2"]
            + ["--report", str(partial), *options, *requirements],
            "the list of packages",
        )
        found = json.loads(partial.read_text(encoding="utf-8"))
        partial.unlink()
        return [Package(i["metadata"]["name"], i["metadata"]["version"]) for i in found["install"]]

    def install(
        self,
        packages: Sequence[Package],
        options: Sequence[str],
        *,
        over: bool,
        what: str,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """Install exactly these, without what they depend on.

        :param over: write over leftovers of an installation that was killed half-way.
        """
        arguments = ["install", "--no-deps", *self.bar(), "--retries", "3", *options]
        if over:
            arguments.append("--ignore-installed")
        self.run([*arguments, *(p.pin for p in packages)], what, progress)


def explain(output: str, what: str, log: Path) -> Problem:
    """Turn pip's last words into a sentence and a hint."""
    said = output.lower()
    if any(word in said for word in _NO_SPACE):
        return Problem(
            f"The disk became full while installing {what}.",
            "Free some space and run the same command again: it goes on where it stopped.",
        )
    if any(word in said for word in _NO_NETWORK):
        return Problem(
            f"The package server cannot be reached, so {what} cannot be fetched.",
            "Check the network (behind a proxy, set HTTPS_PROXY) and run the same command again: "
            "it goes on where it stopped.",
        )
    if "permission denied" in said or "errno 13" in said:
        return Problem(
            f"There is no permission to install {what}.",
            "Choose a folder of your own: SCUMBLE_ENV=FOLDER python3 -m installer ...",
        )
    if any(word in said for word in _NO_BUILD):
        return Problem(
            f"The package server has no build of {what} for this computer.",
            f"A 64-bit Windows, macOS 14 or Linux with Python 3.10 to 3.14 is needed; details: {log}",
        )
    error = next((line[7:].strip() for line in output.splitlines() if line.startswith("ERROR: ")), "")
    return Problem(
        f"Installing {what} failed{': ' + error if error else '.'}", f"The details are in {log}", 1
    )
