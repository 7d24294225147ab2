"""Memory that really runs out, in a real backend process (docs/protocol.md, section 7.2)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from wire_parts import QUICK, backend_pid

from scumble.shared import launch
from scumble.shared.blocking import BlockingClient
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import BundledStyle, MaskBuffer, PixelBuffer, Region, StylizeRequest

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits a process from outside"),
    pytest.mark.slow,
]


def _limit(pid: int, room_mb: int | None) -> None:
    """Let the process have so much more address space than it has now; ``None`` lifts the limit."""
    import resource

    most = resource.RLIM_INFINITY
    if room_mb is not None:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        now = next(int(line.split()[1]) for line in lines if line.startswith("VmSize"))
        most = (now << 10) + (room_mb << 20)
    resource.prlimit(pid, resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))


def _request(side: int, seed: int = 0) -> StylizeRequest:
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    mask = MaskBuffer(side, side, b"\xff" * (side * side))
    layer = PixelBuffer(side, side, "rgb", "u8", pixels.tobytes())
    # Last strokes, which a small layer gets unasked, would leave room that a large one then finds.
    return StylizeRequest(
        layer, (Region(mask, BundledStyle("night-swirls")),), options={"last_strokes": "off"}
    )


def test_memory_that_runs_out_is_a_clear_error_and_the_backend_lives_on(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No part is pretended: torch's own allocator is refused by the system."""
    monkeypatch.setenv("SCUMBLE_PYTHON", sys.executable)
    with BlockingClient(launch=launch.launcher(), policy=QUICK) as client:
        client.describe(timeout_s=120)
        client.stylize(_request(96))
        pid = backend_pid()
        _limit(pid, 10)
        with pytest.raises(ScumbleError) as caught:
            client.stylize(_request(1024))
        assert caught.value.code is Code.OUT_OF_MEMORY and caught.value.retry
        assert "smaller" in caught.value.hint
        # The convolutions' kernels for the sizes that were tried, and what they work in, stay.
        _limit(pid, 100)
        assert client.stylize(_request(96, 1)).layer.width == 96, "less still fits"
        _limit(pid, None)
        assert client.stylize(_request(1024, 1)).report["tile"] == 4096
        assert client.ping()["pid"] == pid
    launch.stop()


#: Paints with so many MB more than the process has when it is warm; prints the tiles' side.
SMALL_TILES = """
import os, resource, sys
sys.path.insert(0, sys.argv[1])
from scumble.backend import Session
from scumble.shared.errors import ScumbleError
from test_memory import _limit, _request
session = Session("cpu")
session.stylize(_request(96))
_limit(os.getpid(), int(sys.argv[2]))
try:
    print(session.stylize(_request(2048)).report["tile"])
except ScumbleError as error:
    print(error.code.value)
"""


def test_memory_that_does_not_do_for_a_whole_picture_does_for_smaller_tiles(home: Path) -> None:
    """Between too little for anything and enough lie some 200 MB; where, depends on the machine."""
    answers = []
    for room in (400, 475, 550, 625):
        command = [sys.executable, "-c", SMALL_TILES, str(Path(__file__).parent), str(room)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        answers.append(done.stdout.strip() or done.stderr)
        if answers[-1].isdecimal() and int(answers[-1]) < 4096:
            break
    assert answers[-1] in ("256", "512"), answers
