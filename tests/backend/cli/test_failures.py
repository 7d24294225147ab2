"""Failures of the command line that are nobody's input: exit codes 3, 4, 130."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from desk_parts import BASE, Scumble, refused

from scumble.backend.cli.app import exit_code
from scumble.shared.errors import BAD_INPUT, Code, ScumbleError


def test_a_folder_that_is_missing_is_found_before_the_job(scumble: Scumble, desk: Path, tint: Any) -> None:
    refused(scumble(*BASE, "-o", "no/l.png"), Code.DISK, 4)
    assert not tint.jobs


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on file sizes")
def test_a_full_disk_is_a_sentence_and_leaves_nothing_half_written(desk: Path) -> None:
    (desk / "l.png").write_bytes(b"yesterday's")
    before = sorted(os.listdir(desk))
    code = f"""
import resource, sys
sys.path.insert(0, sys.argv[1])
import conftest
from scumble.backend.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (50, 50))
sys.exit(main({[*BASE]!r}))
"""
    here = Path(__file__).resolve().parents[1]
    command = [sys.executable, "-B", "-c", code, str(here)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert "disk is full" in refused((done.returncode, done.stdout, done.stderr), Code.DISK, 4)
    assert (desk / "l.png").read_bytes() == b"yesterday's" and sorted(os.listdir(desk)) == before


def test_a_bug_is_a_sentence_without_a_traceback(scumble: Scumble, desk: Path) -> None:
    refused(scumble(*BASE, "--option", "bug=true"), Code.INTERNAL, 4)


def test_without_a_backend_and_no_way_to_start_one_the_exit_code_is_3(
    scumble: Scumble, desk: Path, quarters: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(quarters / "no-python"))
    refused(scumble(*(w for w in BASE if w != "--local")), Code.NO_BACKEND, 3)
    assert not (desk / "l.png").exists()


@pytest.mark.parametrize("code", list(Code))
def test_every_code_has_its_exit_code(code: Code) -> None:
    expected = {Code.CANCELLED: 130, Code.NO_BACKEND: 3, Code.BACKEND_LOST: 3, Code.TIMEOUT: 3}
    expected[Code.UNSUPPORTED_PROTOCOL] = 3
    found = exit_code(ScumbleError(code, "A sentence."))
    assert found == expected.get(code, 2 if code in BAD_INPUT else 4)


INTERRUPTED = """
import os, signal, sys, threading
sys.path.insert(0, sys.argv[1])
import conftest
from scumble.backend.cli import main

run = conftest.Tint.run
def slow(self, job, context):
    threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    return run(self, job, context)
conftest.Tint.run = slow
words = ["stylize", "photo.png", "--style", "red.png", "--engine", "test-tint", "--local", "-o", "l.png"]
sys.exit(main([*words, "--option", "steps=1000000000"]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_ctrl_c_stops_the_job_and_exits_with_130(desk: Path) -> None:
    here = Path(__file__).resolve().parents[1]
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, str(here)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 130, done.stderr
    assert "[cancelled]" in done.stderr and "Traceback" not in done.stderr
    assert not (desk / "l.png").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="needs devices that are files")
def test_a_report_goes_into_a_pipe_and_a_device_stays_one(desk: Path, scumble: Scumble) -> None:
    pipe = desk / "pipe"
    os.mkfifo(pipe)
    heard: list[str] = []
    reader = threading.Thread(target=lambda: heard.append(pipe.read_text()))
    reader.start()
    assert scumble(*BASE, "--report", "pipe")[0] == 0
    reader.join(20)
    assert json.loads(heard[0])["engine"] == "test-tint" and pipe.is_fifo()
    if Path("/dev/full").is_char_device():
        assert "disk is full" in refused(scumble(*BASE, "--report", "/dev/full"), Code.DISK, 4)
        assert Path("/dev/full").is_char_device()
