"""Commands beside ``stylize``, and what all have in common."""

from __future__ import annotations

import json
import os
import pty
import shlex
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from desk_parts import BASE, Scumble, array, refused
from PIL import Image

from scumble.shared.errors import Code


def test_engines_are_listed_for_people_and_for_programs(scumble: Scumble) -> None:
    code, out, _ = scumble("engines")
    assert code == 0 and "partial-conv" in out and "style_scale" in out
    found = json.loads(scumble("engines", "partial-conv", "--json")[1])
    assert [e["name"] for e in found] == ["partial-conv"]
    assert {"name", "label", "kind", "default", "help", "minimum", "maximum"} <= set(found[0]["options"][0])
    refused(scumble("engines", "magic"), Code.UNKNOWN_ENGINE)


def test_styles_are_listed_with_the_users_own(
    scumble: Scumble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("RGB", (64, 64), (9, 9, 200)).save(tmp_path / "Blue Note.png")
    monkeypatch.setenv("SCUMBLE_STYLES_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert "blue-note" in scumble("styles")[1]
    own = next(s for s in json.loads(scumble("styles", "--json")[1]) if s["id"] == "blue-note")
    assert own["name"] == "Blue Note" and own["source"] == "user" and own["thumbnail"]


def test_models_are_listed(scumble: Scumble) -> None:
    code, out, _ = scumble("models", "list", "--json")
    assert code == 0 and any(m["id"] == "compact" for m in json.loads(out))


def test_the_version_is_told(scumble: Scumble) -> None:
    assert scumble("--version")[:2] == (0, "scumble 0.1.0\n")


@pytest.mark.parametrize("words", [["--help"], ["stylize", "--help"], ["styles"], ["backend", "status"]])
def test_quick_commands_do_not_import_torch(words: list[str], quarters: Path) -> None:
    code = (
        "import sys\nfrom scumble.backend.cli import main\n"
        "try: main(sys.argv[1:])\nexcept SystemExit: pass\nprint('torch' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=60)
    assert done.stdout and done.stderr.strip().endswith("False"), done.stderr


def test_progress_is_drawn_on_a_terminal_and_never_in_a_pipe(desk: Path) -> None:
    here = Path(__file__).resolve().parents[1]
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import conftest\nfrom scumble.backend.cli import main"
    )
    code += f"\nsys.exit(main({list(BASE)!r}))"
    command = [sys.executable, "-c", code, str(here)]
    piped = subprocess.run(command, capture_output=True, timeout=120, check=True)
    assert piped.stdout == piped.stderr == b""
    leader, follower = pty.openpty()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=follower, timeout=120, check=True)
    os.close(follower)
    drawn = os.read(leader, 100_000).decode()
    os.close(leader)
    assert "tint" in drawn and "\r[" in drawn and drawn.endswith("\r\x1b[K")


def test_a_reader_that_stops_reading_is_no_error() -> None:
    command = f"{shlex.quote(sys.executable)} -m scumble.backend engines --json | head -c 10"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert done.stderr == "" and len(done.stdout) == 10


def test_the_backend_is_started_on_demand_paints_and_is_stopped(
    scumble: Scumble, desk: Path, quarters: Path
) -> None:
    code, out, _ = scumble("backend", "status", "--json")
    assert code == 3 and json.loads(out)["state"] == "stopped"
    refused(scumble("backend", "log"), Code.NO_BACKEND, 3)
    args = ("stylize", "photo.png", "--mask", "left.png", "--style", "red.png", "-o", "l.png")
    code, _, err = scumble(*args, "--report", "r.json", "--composite", "c.png")
    assert code == 0, err
    report = json.loads((desk / "r.json").read_text())
    assert report["local"] is False and report["layer"]["origin"] == [15, 10]
    done, content = array(desk / "c.png").copy(), array(desk / "photo.png")
    assert (done != content).any()
    done[10:20, 15:35] = content[10:20, 15:35]
    assert np.array_equal(done, content)
    refused(scumble(*args, "--option", "sparkle=1"), Code.UNKNOWN_OPTION)
    code, out, _ = scumble("backend", "status", "--json")
    status = json.loads(out)
    assert code == 0 and status["state"] == "ready" and status["pid"] > 0
    assert "ready" in scumble("backend", "log", "-n", "50")[1]
    assert scumble("backend", "stop")[0] == 0
    until = time.monotonic() + 10
    while scumble("backend", "status")[0] == 0 and time.monotonic() < until:
        time.sleep(0.05)
    assert scumble("backend", "status")[0] == 3
