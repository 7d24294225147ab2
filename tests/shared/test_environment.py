"""What a backend does not inherit from an editor (docs/protocol.md, section 9.1)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from wire_parts import backend_pid

from scumble.shared import launch
from scumble.shared.environment import scrubbed


@pytest.mark.parametrize(
    "name",
    ["LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_INSERT_LIBRARIES", "PYTHONHOME", "PYTHONPATH", "QT_PLUGIN_PATH",
     "GI_TYPELIB_PATH", "GDK_PIXBUF_MODULE_FILE", "__PYVENV_LAUNCHER__", "APPDIR", "SSL_CERT_FILE"],
)  # fmt: skip
def test_an_editors_trap_is_removed(name: str) -> None:
    assert scrubbed({name: "/tmp/.mount_krita/usr/lib", "HOME": "/home/a"}) == {"HOME": "/home/a"}


def test_the_rest_stays() -> None:
    given = {
        "HOME": "/h",
        "CUDA_VISIBLE_DEVICES": "1",
        "SCUMBLE_STATE_DIR": "/s",
        "LANG": "de",
        "DISPLAY": ":0",
    }
    assert scrubbed(given) == given


@pytest.mark.parametrize(
    "saved", ["{}_ORIG", "APPIMAGE_ORIGINAL_{}", "APPRUN_ORIGINAL_{}", "{}_VSCODE_SNAP_ORIG"]
)
def test_what_a_launcher_saved_is_put_back(saved: str) -> None:
    """PyInstaller, AppImage's launchers and Snaps each have their own way to save a variable."""
    saved = saved.format("LD_LIBRARY_PATH")
    given = {"LD_LIBRARY_PATH": "/app/lib:/opt/cuda", saved: "/opt/cuda"}
    assert scrubbed(given) == {"LD_LIBRARY_PATH": "/opt/cuda"}
    assert scrubbed(given | {saved: ""}) == {}, "saved as empty means that it was not set"


def test_a_bundles_entries_are_taken_out_of_lists() -> None:
    given = {
        "APPDIR": "/tmp/.mount_k1",
        "PATH": "/tmp/.mount_k1/usr/bin:/usr/bin:/tmp/.mount_k12/bin",
        "XDG_DATA_DIRS": "/tmp/.mount_k1/usr/share:/usr/share",
    }
    assert scrubbed(given) == {"PATH": "/usr/bin:/tmp/.mount_k12/bin", "XDG_DATA_DIRS": "/usr/share"}


def test_a_flatpak_gives_the_users_own_folders_back() -> None:
    given = {
        "FLATPAK_ID": "org.kde.krita",
        "XDG_CONFIG_HOME": "/home/a/.var/app/org.kde.krita/config",
        "HOST_XDG_CONFIG_HOME": "/home/a/.config",
        "PATH": "/app/bin:/usr/bin",
    }
    clean = scrubbed(given)
    assert (clean["XDG_CONFIG_HOME"], clean["PATH"]) == ("/home/a/.config", "/usr/bin")


def test_a_user_can_keep_a_variable() -> None:
    given = {"LD_LIBRARY_PATH": "/opt/cuda", "SCUMBLE_KEEP_ENV": "LD_LIBRARY_PATH, OTHER"}
    assert scrubbed(given)["LD_LIBRARY_PATH"] == "/opt/cuda"


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
def test_a_running_backend_has_none_of_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole way: a PYTHONHOME that would break any Python, and the backend runs."""
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    monkeypatch.setenv("QT_PLUGIN_PATH", "/nowhere")
    broken = subprocess.run([sys.executable, "-c", ""], capture_output=True)
    assert broken.returncode != 0, "the trap works"
    assert launch.start().running
    environment = Path(f"/proc/{backend_pid()}/environ").read_bytes()
    assert b"/nowhere" not in environment
    assert os.readlink(f"/proc/{backend_pid()}/cwd") == str((home / "runtime").resolve())
