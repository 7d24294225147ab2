"""A call's conversation with a backend, and the other half that stands by."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from wire_parts import PATIENCE, QUICK, eventually, request

from scumble.plugin.common import described
from scumble.plugin.common.annotation import RegionSettings, RunSettings
from scumble.plugin.common.build import Built
from scumble.plugin.common.geometry import Rect
from scumble.plugin.common.sources import GalleryStyle
from scumble.plugin.gimp.running import Conversation
from scumble.plugin.gimp.sentry import last_word
from scumble.shared import launch
from scumble.shared.errors import Code, ScumbleError

SETTINGS = RunSettings("e", (RegionSettings(GalleryStyle("s1")),))


def built(**options: object) -> Built:
    return Built(request(**options), SETTINGS, Rect(0, 0, 8, 6))  # type: ignore[arg-type]


class Bar:
    """Keeps what it was told."""

    def __init__(self) -> None:
        self.shown: list[tuple[str, float | None]] = []

    def show(self, text: str, fraction: float | None) -> None:
        self.shown.append((text, fraction))


def test_a_call_starts_the_backend_shows_progress_and_gets_its_layer(home: Path) -> None:
    bar = Bar()
    with Conversation(policy=QUICK) as talk:
        description = talk.describe(bar)
        result = talk.stylize(built(seconds=0.6, steps=5), bar)
    assert "engines" in description and described.kept() == dict(description)
    assert (result.layer.width, result.layer.height) == (8, 6)
    fractions = [fraction for _, fraction in bar.shown if fraction is not None]
    assert fractions == sorted(fractions) and fractions
    assert any("Starting" in text for text, _ in bar.shown)


def test_what_the_backend_refuses_is_raised_in_its_words(home: Path) -> None:
    with Conversation(policy=QUICK) as talk, pytest.raises(ScumbleError) as raised:
        talk.stylize(built(fail="out_of_memory"), Bar())
    assert raised.value.code is Code.OUT_OF_MEMORY and raised.value.hint


def test_without_a_backend_the_call_fails_soon(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCUMBLE_PYTHON")
    with Conversation(policy=QUICK) as talk, pytest.raises(ScumbleError) as raised:
        talk.describe(Bar())
    assert raised.value.code is Code.NO_BACKEND


CALL = """
import sys
sys.path[:0] = sys.argv[1:]
from test_running import Bar, built
from wire_parts import QUICK
from scumble.plugin.gimp.running import Conversation
with Conversation(policy=QUICK) as talk:
    talk.stylize(built(seconds=100), Bar())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are split on Linux only")
def test_a_job_ends_with_the_process_that_wanted_it(home: Path) -> None:
    """GIMP's Cancel kills the plug-in: the backend is told by the half that stood by."""
    here = Path(__file__)
    places = [str(here.parent), str(here.parents[2] / "backend" / "server")]
    process = subprocess.Popen([sys.executable, "-c", CALL, *places], start_new_session=True)
    try:
        eventually(lambda: launch.status().state == "busy", "the job")
        began = time.monotonic()
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # the whole group, as GIMP does
        process.wait(PATIENCE)
    eventually(lambda: launch.status().state == "ready", "the end of the job")
    assert time.monotonic() - began < 30, "long before the backend gives its client up by itself"


@pytest.mark.parametrize(
    ("heard", "job"),
    [
        (b"", ""),
        (b"abc\n", "abc"),
        (b"abc\ndone\n", ""),
        (b"abc\ndef\n", "def"),
        (b"abc\nde", "abc"),
        (b"../etc\n", ""),
        (b"\xff\xfe\n", ""),
    ],
)
def test_the_other_half_cancels_the_last_job_it_heard_of_unless_all_is_done(heard: bytes, job: str) -> None:
    assert last_word(heard) == job
