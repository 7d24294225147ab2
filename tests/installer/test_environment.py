"""The environment is made once, finished after any interruption and brought up to date when it must be."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from .conftest import Clone, make_wheel

MakeClone = Callable[[str], Clone]


@pytest.fixture(scope="module")
def clone(make_clone: MakeClone) -> Clone:
    """A clone, in a path with a space and an umlaut, whose set-up has run."""
    made = make_clone("my clone ö")
    done = made.run("setup")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "torch 1.0" in done.stdout and "smaller packages" in done.stdout
    return made


def test_the_set_up_ends_with_an_environment_and_a_note_for_the_editors(clone: Clone) -> None:
    marker = json.loads((clone.environment / "scumble.json").read_text())
    assert marker["root"] == str(clone.root) and marker["extras"] == []
    note = json.loads((clone.root.parent / "my clone ö config" / "backend.json").read_text(encoding="utf-8"))
    code = "import torch, scumble.backend as b; print(b.__file__)"
    said = subprocess.run([note["python"], "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == str(clone.root / "src" / "scumble" / "backend" / "__init__.py")


def test_a_second_run_fetches_and_installs_nothing(clone: Clone) -> None:
    before = clone.log.read_text(encoding="utf-8")
    # Not even a package server is needed.
    done = clone.run("setup", PIP_FIND_LINKS=str(clone.root / "nowhere"))
    assert done.returncode == 0
    assert clone.log.read_text(encoding="utf-8") == before


def test_test_adds_its_extras_and_passes_arguments_and_exit_status_through(clone: Clone) -> None:
    done = clone.run("test", "-k", "some thing", "--maxfail=1")
    assert done.returncode == 5, done.stdout + done.stderr
    last = done.stdout.splitlines()[-2:]
    assert last == ["['-k', 'some thing', '--maxfail=1']", "3 passed in 0.1s"]
    assert json.loads((clone.environment / "scumble.json").read_text())["extras"] == ["test"]


def test_new_pins_are_installed_over_the_old_ones(clone: Clone) -> None:
    make_wheel(clone.wheels, "small", "2.0", {"small/__init__.py": "version = 2"})
    pins = clone.root / "constraints.txt"
    pins.write_text(pins.read_text().replace("small==1.0", "small==2.0"))
    assert "made for another version" in clone.run("doctor").stdout
    assert clone.run("setup").returncode == 0
    done = clone.run("run", "python", "-c", "import small; print(small.version)")
    assert done.stdout.strip() == "2"


def test_run_passes_the_exit_status_through_and_names_a_program_that_is_not_there(clone: Clone) -> None:
    assert clone.run("run", "python", "-c", "raise SystemExit(7)").returncode == 7
    done = clone.run("run", "no-such-program")
    assert done.returncode == 127 and "no-such-program" in done.stderr and "Traceback" not in done.stderr


def test_a_moved_clone_mends_itself(clone: Clone) -> None:
    moved = Clone(clone.root.with_name("moved ü"), clone.wheels, clone.variables)
    clone.root.rename(moved.root)
    try:
        assert moved.run("setup").returncode == 0
        code = "import scumble.backend as b; print(b.__file__)"
        said = moved.run("run", "python", "-c", code).stdout.strip()
        assert said.startswith(str(moved.root))
    finally:
        moved.root.rename(clone.root)


@pytest.mark.skipif(os.name == "nt", reason="kills a process group")
def test_a_set_up_killed_or_cut_off_anywhere_goes_on_and_does_nothing_twice(make_clone: MakeClone) -> None:
    clone = make_clone("killed")
    steps = clone.environment / "scumble-steps.json"

    def killed_when(reached: Callable[[], bool]) -> None:
        process = subprocess.Popen(
            clone.command("setup"),
            cwd=clone.root,
            env=clone.variables,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        until = time.monotonic() + 60
        while not reached() and process.poll() is None and time.monotonic() < until:
            time.sleep(0.005)
        assert process.poll() is None, "it ended before it could be killed"
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert not (clone.environment / "scumble.json").exists()

    def has(field: str, pin: str) -> Callable[[], bool]:
        return lambda: steps.exists() and pin in json.loads(steps.read_text()).get(field, [])

    killed_when(clone.environment.exists)  # before anything is in it
    killed_when((clone.environment / "pyvenv.cfg").exists)  # in the middle of the virtual environment
    done = clone.run("setup", PIP_FIND_LINKS="", PIP_NO_INDEX="0", PIP_INDEX_URL="http://127.0.0.1:9/simple")
    assert done.returncode == 2
    assert "package server cannot be reached" in done.stderr and "Traceback" not in done.stderr
    killed_when(has("begun", "torch==1.0"))  # in the middle of installing a package
    assert "begun and not finished" in clone.run("doctor").stdout
    killed_when(has("begun", "numpy==1.0"))  # between two packages, or in the next
    done = clone.run("setup")
    assert done.returncode == 0, done.stdout + done.stderr
    # Whatever was finished before a kill was not installed again after it.
    assert sum("torch==1.0" in line for line in clone.installs()) <= 2
    assert clone.run("run", "python", "-c", "import torch, numpy, small").returncode == 0


def test_a_folder_that_is_not_ours_is_left_alone(make_clone: MakeClone) -> None:
    clone = make_clone("other folder")
    folder = clone.root / "photos"
    folder.mkdir()
    (folder / "holiday.jpg").touch()
    done = clone.run("setup", SCUMBLE_ENV=str(folder))
    assert done.returncode == 2 and "not an environment of Scumble's" in done.stderr
    done = clone.run("uninstall", "--yes", SCUMBLE_ENV=str(folder))
    assert done.returncode == 2 and (folder / "holiday.jpg").exists()


def test_uninstall_asks_and_then_removes_what_is_ours_only(clone: Clone) -> None:
    state = clone.root.parent / "my clone ö state"
    state.mkdir(exist_ok=True)
    (state / "backend.log").write_text("...")
    asked = subprocess.run(
        clone.command("uninstall"),
        cwd=clone.root,
        env=clone.variables,
        input="n\n",
        text=True,
        capture_output=True,
    )
    assert asked.returncode == 1 and clone.environment.exists()
    assert clone.run("uninstall", "--yes").returncode == 0
    assert not clone.environment.exists() and not state.exists()
    assert (clone.root / "setup.cfg").exists()
    assert "nothing to remove" in clone.run("uninstall", "--yes").stdout


def test_help_names_every_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scumble.installer", "--help"], capture_output=True, text=True, check=True
    )
    for command in ("demo", "test", "setup", "run", "krita", "gimp", "doctor", "uninstall"):
        assert command in done.stdout
