"""A call is handed over to a process that is ready for it, or done in place if there is none."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scumble.plugin.gimp import handover

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="splitting processes is Linux's")

#: What GIMP does: two pipes, the plug-in as a program, a question down one pipe and an answer up the other.
PLUG_IN = """
import os, sys, time
from scumble.plugin.gimp import handover, sentry, standby

folder = os.environ["FOLDER"]

def load(gimp):
    sys.loaded = os.getpid()

def run(gimp):
    asked = os.read(int(sys.argv[handover.READ]), 1000)
    if asked == b"die":
        raise SystemExit(3)
    if asked == b"hang":
        os.write(int(sys.argv[handover.WRITE]), str(os.getpid()).encode())
        time.sleep(60)
    if asked in (b"paint", b"well"):
        watcher = sentry.Sentry(lambda: None)
        watcher.watch("a-job")
        if asked == b"paint":
            os.write(int(sys.argv[handover.WRITE]), b"painting")
            time.sleep(60)
        watcher.dismiss()
    ready = getattr(sys, "loaded", 0) not in (0, os.getpid())
    words = [asked.decode(), str(gimp), os.environ["ONLY"], str(ready), sys.argv[-1]]
    os.write(int(sys.argv[handover.WRITE]), " ".join(words).encode())

def cancel(job):
    with open(os.path.join(folder, "cancelled"), "a") as stream:
        stream.write(job)

status = handover.hand_over(folder)
if status is None:
    if handover.mode(sys.argv) in os.environ["STANDS"].split():
        standby.prepare(folder, load, run, cancel)
    run(os.getppid())
    status = 0
os._exit(status)
"""


class Gimp:
    """As much of GIMP as a plug-in sees of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stands = "-run"
        folder.mkdir()
        (folder / "scumble-plugin.json").write_text("{}")

    def start(self, only: str = "a", mode: str = "-run") -> tuple[subprocess.Popen[bytes], int, int]:
        theirs, mine = os.pipe()
        my_end, their_end = os.pipe()
        words = [sys.executable, "-c", PLUG_IN, "-gimp", "277", str(theirs), str(their_end), mode, only]
        # "python -c" drops one word: then everything stands where GIMP puts it.
        process = subprocess.Popen(
            words,
            pass_fds=(theirs, their_end),
            env={**os.environ, "FOLDER": str(self.folder), "ONLY": only, "STANDS": self.stands},
            start_new_session=True,
        )
        os.close(theirs)
        os.close(their_end)
        return process, mine, my_end

    def call(self, question: bytes, only: str = "a", mode: str = "-run") -> tuple[int, list[str]]:
        """The exit status and the answer."""
        process, to, back = self.start(only, mode)
        os.write(to, question)
        answer = os.read(back, 1000).decode().split(" ")
        os.close(to)
        os.close(back)
        return process.wait(20), answer

    @property
    def address(self) -> str:
        return handover.address(str(self.folder), os.getpid()).decode().replace("\0", "@")

    def stands_by(self, wanted: bool = True, patience: float = 60.0) -> bool:
        until = time.monotonic() + patience
        while time.monotonic() < until:
            if (self.address in Path("/proc/net/unix").read_text()) == wanted:
                return wanted
            time.sleep(0.05)
        return not wanted


@pytest.fixture
def gimp(tmp_path: Path) -> Gimp:
    return Gimp(tmp_path / "plug-in")


def end(gimp: Gimp) -> None:
    """Install the plug-in anew: what stands by looks every few seconds, and at every call."""
    file = gimp.folder / "scumble-plugin.json"
    file.unlink()


def test_the_first_call_is_done_in_place_and_later_ones_by_the_process_that_stands_by(gimp: Gimp) -> None:
    me = str(os.getpid())
    assert gimp.call(b"one", "first") == (0, ["one", me, "first", "False", "first"])
    assert gimp.stands_by()
    for only in ("second", "third"):
        assert gimp.call(b"next", only) == (0, ["next", me, only, "True", only])
    address = gimp.address
    end(gimp)
    until = time.monotonic() + 60
    while address in Path("/proc/net/unix").read_text() and time.monotonic() < until:
        time.sleep(0.1)
    assert address not in Path("/proc/net/unix").read_text(), "it ends when the plug-in is gone"


def test_calls_at_the_same_time_do_not_wait_for_each_other(gimp: Gimp) -> None:
    gimp.call(b"one")
    assert gimp.stands_by()
    slow, _, slow_answer = running = gimp.start("slow")
    quick = gimp.call(b"two", "quick")
    assert quick[1][3] == "True" and slow.poll() is None
    os.write(running[1], b"three")
    assert os.read(slow_answer, 1000).startswith(b"three") and slow.wait(20) == 0
    end(gimp)


def test_what_fails_there_fails_here(gimp: Gimp) -> None:
    gimp.call(b"one")
    assert gimp.stands_by()
    assert gimp.call(b"die")[0] == 1
    assert gimp.call(b"on")[1][3] == "True", "the next one is not harmed"
    end(gimp)


def test_ending_what_gimp_has_started_ends_the_call(gimp: Gimp) -> None:
    gimp.call(b"one")
    assert gimp.stands_by()
    process, to, back = gimp.start()
    os.write(to, b"hang")
    worker = int(os.read(back, 1000))
    assert worker != process.pid
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)
    until = time.monotonic() + 60
    while Path(f"/proc/{worker}/cmdline").exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert not Path(f"/proc/{worker}/cmdline").exists()
    assert gimp.call(b"on")[1][3] == "True"
    end(gimp)


def test_a_job_is_cancelled_when_what_gimp_has_started_is_ended(gimp: Gimp) -> None:
    gimp.call(b"one")
    assert gimp.stands_by()
    process, to, back = gimp.start()
    os.write(to, b"paint")
    assert os.read(back, 1000) == b"painting"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)
    told = gimp.folder / "cancelled"
    until = time.monotonic() + 60
    while not (told.exists() and told.read_text()) and time.monotonic() < until:
        time.sleep(0.05)
    assert told.read_text() == "a-job"
    assert gimp.call(b"well")[1][3] == "True"
    assert gimp.call(b"on")[1][3] == "True"
    assert told.read_text() == "a-job", "one that has said that all is well is not cancelled"
    end(gimp)


def test_a_process_may_stand_by_from_gimps_start(gimp: Gimp) -> None:
    gimp.stands = "-init"
    assert gimp.call(b"asked", mode="-init")[1][3] == "False"
    assert gimp.stands_by()
    assert gimp.call(b"first")[1][3] == "True"
    end(gimp)


def test_only_calls_are_handed_over_and_only_to_the_same_plug_in(gimp: Gimp) -> None:
    assert gimp.call(b"asked", mode="-query")[1][3] == "False"
    assert not gimp.stands_by(patience=1.0), "nobody has called yet"
    gimp.call(b"one")
    assert gimp.stands_by()
    assert gimp.call(b"asked", mode="-init")[1][3] == "False"
    end(gimp)
    (gimp.folder / "scumble-plugin.json").write_text("{ }")
    assert gimp.call(b"anew")[1][3] == "False"
    end(gimp)
