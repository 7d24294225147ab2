"""Where the Debian root for GIMP 3 and the other Krita is had from, and that it leaves nothing behind."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import trixie

OLD = "# comment\ndeb http://example.org/debian bookworm main\ndeb http://other.org/debian bookworm main\n"
NEW = "Types: deb\n# http://snapshot.example/debian\nURIs: https://mirror.example/debian/\nSuites: bookworm\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (OLD, "http://example.org/debian"),
        (NEW, "https://mirror.example/debian"),
        ("URIs: http://mirror.example/debian-security\n", ""),
        ("deb [signed-by=/k] http://mirror.example/debian trixie main\n", "http://mirror.example/debian"),
        ("deb-src http://mirror.example/debian trixie main\n", ""),
        ("", ""),
    ],
)
def test_the_machines_own_mirror_is_taken(text: str, expected: str) -> None:
    assert trixie.mirror_in(text) == expected


def test_a_root_is_ready_when_it_says_so_with_all_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCUMBLE_TRIXIE_ROOT", str(tmp_path))
    assert trixie.place() == tmp_path
    assert not trixie._is_ready(tmp_path)
    (tmp_path / trixie.MARK).write_text('{"packages": ["gimp"]}')
    assert not trixie._is_ready(tmp_path), "a package was added since"


def _runs(process: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False


def test_a_command_in_the_root_leaves_no_mount_and_no_process(tmp_path: Path) -> None:
    if not trixie._is_ready(trixie.place()):
        pytest.skip("there is no root yet; the tests in GIMP make it")
    before = Path("/proc/self/mounts").read_text()
    (tmp_path / "seen").write_text("yes")
    done = trixie.root().run(
        ["sh", "-c", "cat /there/seen; sleep 300 >/dev/null 2>&1 & echo $!"],
        binds={tmp_path: "/there"},
        timeout_s=30,
    )
    assert done.returncode == 0 and done.output.startswith("yes")
    process = int(done.output.removeprefix("yes"))
    assert Path("/proc/self/mounts").read_text() == before
    until = time.monotonic() + 5
    while _runs(process) and time.monotonic() < until:
        time.sleep(0.05)
    assert not _runs(process)
    assert trixie.root().run(["sleep", "60"], timeout_s=0.5).returncode == 124


def test_packages_that_were_added_are_remembered(tmp_path: Path) -> None:
    assert not trixie._is_ready(tmp_path, ("krita",))
    there = sorted([*trixie.PACKAGES, "krita"])
    (tmp_path / trixie.MARK).write_text(json.dumps({"packages": there}))
    assert trixie._is_ready(tmp_path) and trixie._is_ready(tmp_path, ("krita",))
    assert not trixie._is_ready(tmp_path, ("krita", "python3-pyqt5"))
