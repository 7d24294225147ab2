"""Installing a plug-in sees to it that there is something for it to start, if the user wants that."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scumble.installer.editors import wheels
from scumble.installer.editors.world import World

from ..conftest import Clone
from .conftest import ROOT, Place, tiny_pyzmq

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the folders and terminals of Unix")


def answered(place: Place, answer: bytes, *arguments: str) -> str:
    """Run the installer on a terminal and answer its question."""
    import pty

    here, there = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "installer", *arguments],
        cwd=place.clone,
        env={**place.variables, "TERM": "dumb"},
        stdin=there,
        stdout=there,
        stderr=there,
        start_new_session=True,
    )
    os.close(there)
    said = b""
    while True:
        try:
            part = os.read(here, 4096)
        except OSError:  # the other side is closed: Linux says it this way
            break
        if not part:
            break
        said += part
        if b"[Y/n]" in part:
            os.write(here, answer)
    os.close(here)
    process.wait(60)
    return said.decode("utf-8", "replace")


def test_the_offer_can_be_turned_down(place: Place) -> None:
    place.editor("krita")
    said = answered(place, b"n\n", "krita")
    assert "is not set up (about 2.5 GB). Set it up now? [Y/n]" in said
    assert "Before that, set up what paints: python3 -m installer setup" in said
    assert (place.home / ".local/share/krita/pykrita/scumble_krita/__init__.py").is_file()
    assert not (place.clone / ".scumble" / "env").exists()


def test_with_yes_the_backend_is_set_up_and_noted_for_the_editor(
    make_clone: Callable[[str], Clone], tmp_path: Path
) -> None:
    clone = make_clone("with an editor ö")
    for name in ("plugin", "shared"):
        shutil.copytree(ROOT / name, clone.root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for build in wheels.builds(World.here().platform):
        kept = clone.root / ".scumble" / "cache" / "wheels" / build.name
        kept.mkdir(parents=True)
        tiny_pyzmq(kept, build)
    folder = tmp_path / "krita" / "pykrita"
    done = clone.run("krita", "--yes", "--folder", str(folder))
    assert done.returncode == 0, done.stdout + done.stderr
    assert (folder / "scumble_krita" / "__init__.py").is_file()
    assert "installer setup" not in done.stdout
    note = json.loads(Path(clone.variables["SCUMBLE_CONFIG_DIR"], "backend.json").read_text("utf-8"))
    assert note["python"] == str(clone.environment / "bin" / "python")
    assert clone.run("uninstall", "--yes").returncode == 0
    assert not folder.exists() and not clone.environment.exists()
