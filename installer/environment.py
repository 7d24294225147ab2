"""The private environment: made step by step, and taken up again wherever it was interrupted.

Everything lies under one folder.  ``scumble-steps.json`` remembers the finished steps of a set-up that
has not come to its end; ``scumble.json``, written last, says that the environment is whole.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from . import checks, places, requirements, torch_source
from .console import Console
from .pip import Package, Pip, clean_environment
from .problem import Problem

State = Literal["missing", "unfinished", "outdated", "ready"]

#: Packages that get a step of their own, because people wait for them; the rest comes in one go.
_LARGE = ("torch", "opencv-python-headless", "numpy", "scipy", "scikit-image", "onnx", "mypy", "ruff")
_READY = "scumble.json"
_STEPS = "scumble-steps.json"
#: Says that a folder is ours from the moment on at which anything is put into it.
_BEGUN = "scumble-begun"


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(file: Path, content: dict[str, Any]) -> None:
    partial = file.with_name(file.name + ".partial")
    with partial.open("w", encoding="utf-8") as stream:
        json.dump(content, stream, indent=1)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(partial, file)


class Environment:
    """A virtual environment with Scumble and everything that it needs.

    :param root: the clone.
    :param folder: where the environment is or will be.
    """

    def __init__(self, root: Path, folder: Path, console: Console) -> None:
        self.root = root
        self.folder = folder
        self.console = console
        self.python = places.python_in(folder)
        self.log = folder.parent / "install.log"
        self.marker = _read(folder / _READY)

    # -- what there is ----------------------------------------------------------------------------

    def extras(self) -> list[str]:
        """The extras it was made with."""
        return [str(e) for e in self.marker.get("extras", [])]

    def state(self, extras: Sequence[str] = ()) -> State:
        """Whether it is there, whole, and what the clone asks for now."""
        if not self.folder.exists():
            return "missing"
        if not self.marker or not self.python.exists():
            return "unfinished"
        if not set(extras) <= set(self.extras()):
            return "outdated"
        try:
            wanted = requirements.requirements(self.root, self.extras())
        except KeyError:
            return "outdated"
        current = (requirements.key(self.root, wanted), requirements.project_key(self.root))
        return "ready" if current == (self.marker.get("key"), self.marker.get("project")) else "outdated"

    # -- making it --------------------------------------------------------------------------------

    def ensure(self, extras: Sequence[str] = (), refresh: bool = False) -> None:
        """Make the environment, finish it or bring it up to date; nothing to do if it is ready.

        :param refresh: look again which packages are right, e.g. after a GPU was built in.
        :raises Problem: with what to do; running it again goes on from there.
        """
        if self.state(extras) == "ready" and not refresh:
            return
        self._check_folder()
        checks.writable(self.folder.parent)
        with self._alone():
            # Another installer may have done the work while this one waited.
            self.marker = _read(self.folder / _READY)
            if self.state(extras) == "ready" and not refresh:
                return
            self._make(sorted({*extras, *self.extras()}), refresh)

    def _make(self, extras: list[str], refresh: bool) -> None:
        known = set(requirements.extras(self.root))
        extras = [e for e in extras if e in known]
        wanted = requirements.requirements(self.root, extras)
        key = requirements.key(self.root, wanted)
        if self.marker.get("key") != key or refresh:
            if not self.marker:
                checks.room(self.folder)
            self.console.line(f"Setting up Scumble's own Python environment in {self.folder}")
            self._create()
            self._install(wanted, key, refresh)
        self._install_project()
        self._try()
        self.marker = {
            "key": key,
            "project": requirements.project_key(self.root),
            "extras": extras,
            "root": str(self.root),
            "python": ".".join(map(str, sys.version_info[:3])),
        }
        _write(self.folder / _READY, self.marker)
        (self.folder / _STEPS).unlink(missing_ok=True)

    def _check_folder(self) -> None:
        # Whatever else is there is not ours to replace.
        if self.folder.is_dir():
            inside = {entry.name for entry in self.folder.iterdir()}
            if inside and not inside & {_READY, _STEPS, _BEGUN}:
                raise Problem(
                    f"{self.folder} is not empty and not an environment of Scumble's.",
                    "Choose an empty or a new folder with SCUMBLE_ENV.",
                )
        elif self.folder.exists():
            raise Problem(f"{self.folder} is a file, not a folder.", "Choose another place with SCUMBLE_ENV.")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One installer at a time; the system lets go of the lock if this process dies."""
        with (self.folder.parent / "install.lock").open("a+b") as file:
            if os.name == "nt":
                import msvcrt

                def take(block: bool) -> None:
                    file.seek(0)
                    mode = "LK_LOCK" if block else "LK_NBLCK"
                    getattr(msvcrt, "locking")(file.fileno(), getattr(msvcrt, mode), 1)  # noqa: B009
            else:
                import fcntl

                def take(block: bool) -> None:
                    fcntl.flock(file, fcntl.LOCK_EX | (0 if block else fcntl.LOCK_NB))

            try:
                take(False)
            except OSError:
                self.console.line("Another installer is at work in this folder; waiting for it ...")
                take(True)
            yield

    def _steps(self, key: str) -> dict[str, Any]:
        steps = _read(self.folder / _STEPS)
        if steps.get("key") != key:
            steps = {"key": key, "plan": None, "options": [], "begun": [], "done": []}
        return steps

    def _create(self) -> None:
        """The bare virtual environment with pip."""
        if (self.folder / _STEPS).exists() or (self.marker and self.python.exists()):
            return
        way = checks.virtual_environments()
        self._discard()
        self.folder.mkdir(parents=True)
        (self.folder / _BEGUN).touch()
        with self.console.step("Python environment"):
            if way == "venv":
                self._command([sys.executable, "-m", "venv", str(self.folder)])
            elif way == "virtualenv":
                self._command([sys.executable, "-m", "virtualenv", str(self.folder)])
            else:
                self._command([sys.executable, "-m", "venv", "--without-pip", str(self.folder)])
                system = Pip(Path(sys.executable), self.log)
                system.run(
                    ["--python", str(self.python), "install", requirements.pinned(self.root, "pip")], "pip"
                )
            # An older pip downloads whole wheels only to read what they depend on.
            Pip(self.python, self.log).run(
                ["install", "--retries", "2", requirements.pinned(self.root, "pip")], "pip"
            )
        _write(self.folder / _STEPS, {"key": ""})

    def _install(self, wanted: list[str], key: str, refresh: bool) -> None:
        pip = Pip(self.python, self.log)
        steps = self._steps("" if refresh else key)
        steps["key"] = key
        if steps["plan"] is None:
            with self.console.step("Looking up packages") as step:
                plan, steps["options"] = self._plan(pip, wanted)
                steps["plan"] = [[p.name, p.version] for p in plan]
                step.note = f"{len(plan)} packages"
            _write(self.folder / _STEPS, steps)
        plan = [Package(name, version) for name, version in steps["plan"]]
        if torch_source.for_gpu(p.name for p in plan) and not steps["done"] and not self.marker:
            checks.room(self.folder, checks.NEEDED_GPU)
        groups = [[p] for p in plan if p.name.lower() in _LARGE]
        groups.append([p for p in plan if p.name.lower() not in _LARGE])
        for number, group in enumerate(groups, 1):
            self._install_group(pip, group, steps, f"[{number}/{len(groups)}]")

    def _install_group(self, pip: Pip, group: list[Package], steps: dict[str, Any], place: str) -> None:
        pins = [p.pin for p in group]
        if set(pins) <= set(steps["done"]):
            return
        over = bool(set(pins) & set(steps["begun"]))
        steps["begun"] = sorted({*steps["begun"], *pins})
        _write(self.folder / _STEPS, steps)
        name = f"{group[0].name} {group[0].version}" if len(group) == 1 else f"{len(group)} smaller packages"
        with self.console.step(f"{place} {name}") as step:
            pip.install(group, steps["options"], over=over, what=name, progress=step.progress)
        steps["done"] = sorted({*steps["done"], *pins})
        _write(self.folder / _STEPS, steps)

    def _plan(self, pip: Pip, wanted: list[str]) -> tuple[list[Package], list[str]]:
        report = self.folder / "plan.json"
        asked = ["-c", str(self.root / "constraints.txt"), *wanted, "setuptools"]
        plan = pip.plan(asked, [], report)
        options = torch_source.options([p.name for p in plan], torch_source.gpu())
        if options:
            plan = pip.plan(asked, options, report)
        return plan, options

    def _install_project(self) -> None:
        with self.console.step("Scumble itself"):
            Pip(self.python, self.log).run(
                ["install", "--no-deps", "--no-build-isolation", "--no-index", "-e", str(self.root)],
                "Scumble",
            )

    def _try(self) -> None:
        """Import what matters once: a broken file shows here and not in the middle of a painting."""
        with self.console.step("Trying it out"):
            code = "import torch, numpy, cv2, PIL, zmq, safetensors, scumble.shared, scumble.backend"
            self._command([str(self.python), "-c", code])

    def _command(self, command: list[str]) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            env=clean_environment(),
            cwd=self.root.anchor,
        )
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"\n$ {' '.join(command)}\n{done.stdout}{done.stderr}")
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines()
            raise Problem(
                f"Setting up failed{': ' + said[-1] if said else '.'}", f"The details are in {self.log}", 1
            )

    # -- using it ---------------------------------------------------------------------------------

    def variables(self) -> dict[str, str]:
        """Variables for a program that runs inside it."""
        found = clean_environment()
        found["PATH"] = os.pathsep.join([str(places.programs_in(self.folder)), found.get("PATH", "")])
        found["VIRTUAL_ENV"] = str(self.folder)
        return found

    def run(self, command: Sequence[str]) -> int:
        """Run a program inside it, on this terminal; returns its exit status."""
        program = shutil.which(command[0], path=self.variables()["PATH"])
        if program is None:
            raise Problem(f"There is no program called {command[0]!r} in the environment.", "", 127)
        sys.stdout.flush()
        process = subprocess.Popen([program, *command[1:]], env=self.variables())
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                # The program got it as well and ends in its own way.
                continue

    def remove(self) -> None:
        """Delete it."""
        self._check_folder()
        self._discard()

    def _discard(self) -> None:
        # Renamed first: killed half-way, a folder without its mark would look like somebody else's.
        rubbish = self.folder.with_name(self.folder.name + ".scumble-rubbish")
        if rubbish.exists():
            shutil.rmtree(rubbish)
        if self.folder.exists():
            self.folder.rename(rubbish)
            shutil.rmtree(rubbish)
