"""The real GIMP 3 with the real backend: one folder that both see, one call of GIMP for many scenarios.

GIMP runs in a Debian root (:mod:`trixie`), the backend on this machine in this Python.  The plug-in finds
it as it always does: by its connection file, over TCP.  When the plug-in wants to start a backend, it
runs a small script, and :class:`World` starts the real one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import trixie
from other_machine import OtherMachine

from scumble.shared.connection import Connection, KeyPair, write_connection

ROOT = Path(__file__).resolve().parents[2]
INSIDE = "/scumble"
PLUG_INS = "home/.config/GIMP/3.0/plug-ins"
_NAMES = ("run", "state", "config", "home")


class World:
    """A user's folders, a backend, and GIMP.

    :param folder: fresh, and as short as can be.
    """

    def __init__(self, folder: Path) -> None:
        self.root = trixie.root()
        self.folder = folder
        for name in _NAMES:
            (folder / name).mkdir(mode=0o700)
        self.backends: list[subprocess.Popen[bytes]] = []
        self._other: OtherMachine | None = None
        self._over = threading.Event()
        starter = folder / "python"
        starter.write_text(f"#!/bin/sh\ntouch {INSIDE}/wanted\nexec sleep 60\n")
        starter.chmod(0o755)
        shutil.copytree(ROOT / "tests/editors/gimp/driver", folder / "driver")
        shutil.copy(ROOT / "docs/gimp/stylize_folder.py", folder / "driver")
        _another_backends_keys(folder / "driver")
        settings = folder / "home/.config/GIMP/3.0"
        settings.mkdir(parents=True)
        # No welcome, which a version that is new to this home gives whatever else is said; no questions.
        (settings / "gimprc").write_text(
            '(config-version "3.99.0")\n(show-welcome-dialog no)\n(check-updates no)\n'
        )
        # For tests that press keys in GIMP's window.
        (settings / "shortcutsrc").write_text(
            '(file-version 1)\n(action "plug-in-scumble-repeat-last" "<Primary><Alt>r")\n'
        )
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    # -- the backend -----------------------------------------------------------------------------------

    def environment(self) -> dict[str, str]:
        """For programs on this side."""
        folders = {
            f"SCUMBLE_{key}_DIR": str(self.folder / name)
            for key, name in (("RUNTIME", "run"), ("STATE", "state"), ("CONFIG", "config"))
        }
        return {**os.environ, **folders, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "2")}

    def start_backend(self) -> None:
        """Start a backend; returns at once."""
        log = open(self.folder / "state" / "start.log", "ab")  # noqa: SIM115
        command = [sys.executable, "-m", "scumble.backend.server", "--idle", "600"]
        self.backends.append(
            subprocess.Popen(command, cwd=ROOT, env=self.environment(), stdout=log, stderr=log)
        )
        log.close()

    def wait_for_backend(self, timeout_s: float = 90.0) -> None:
        """Wait until it has its connection file."""
        until = time.monotonic() + timeout_s
        while not (self.folder / "run" / "connection.json").exists():
            if time.monotonic() > until:
                raise TimeoutError(
                    (self.folder / "state" / "start.log").read_text("utf-8", "replace")[-2000:]
                )
            time.sleep(0.1)

    def elsewhere(self) -> OtherMachine:
        """A backend on another machine, made at the first time."""
        if self._other is None:
            self._other = OtherMachine(self.folder / "elsewhere")
        return self._other

    def prepare(self) -> None:
        """Install the plug-in beside a backend that is set up, and start that."""
        self.install()
        self.start_backend()
        self.wait_for_backend()

    def _watch(self) -> None:
        wanted = self.folder / "wanted"
        while not self._over.wait(0.1):
            if wanted.exists():
                wanted.unlink()
                self.start_backend()

    # -- GIMP ------------------------------------------------------------------------------------------

    def install(self) -> None:
        """Put the plug-in into GIMP's folder, as a user does."""
        plug_ins = self.folder / PLUG_INS
        plug_ins.mkdir(parents=True, exist_ok=True)
        # As "installer setup" leaves it; inside the root SCUMBLE_PYTHON is what counts.
        (self.folder / "config/backend.json").write_text(json.dumps({"python": sys.executable}))
        self._installer("gimp", "--folder", str(plug_ins))

    def uninstall(self) -> None:
        """Take it out again."""
        self._installer("uninstall", "gimp", "--yes")

    def _installer(self, *words: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "installer", *words],
            cwd=ROOT,
            env={**self.environment(), "HOME": str(self.folder / "home")},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
        )
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)

    def gimp(
        self, script: str, *, windows: bool = False, timeout_s: float = 300.0, **env: str
    ) -> trixie.Done:
        """Run GIMP with a script of the ``driver`` folder, and end it.

        :param script: the name of a file there; what it finds goes into ``report.json``.
        """
        program = "gimp-3.0" if windows else "gimp-console-3.0"
        batch = f"exec(compile(open('{INSIDE}/driver/{script}').read(), '{script}', 'exec'))"
        words = [program, "-s", "-n", "--quit", "--batch-interpreter=python-fu-eval", "-b", batch]
        if not windows:
            words[1] = "-i"
        else:
            words = ["xvfb-run", "-a", "-s", "-screen 0 1280x900x24", "dbus-run-session", "--", *words]
        given = {
            "HOME": f"{INSIDE}/home",
            "SCUMBLE_RUNTIME_DIR": f"{INSIDE}/run",
            "SCUMBLE_STATE_DIR": f"{INSIDE}/state",
            "SCUMBLE_CONFIG_DIR": f"{INSIDE}/config",
            "SCUMBLE_PYTHON": f"{INSIDE}/python",
            "XDG_RUNTIME_DIR": "/tmp",
            "OMP_NUM_THREADS": "1",
            **env,
        }
        return self.root.run(words, binds={self.folder: INSIDE}, env=given, timeout_s=timeout_s)

    def run(self, script: str, **more: Any) -> dict[str, Any]:
        """What a script of scenarios found, and under ``output`` what GIMP itself said."""
        (self.folder / "report.json").unlink(missing_ok=True)
        done = self.gimp(script, **more)
        try:
            found = self.report()
        except OSError:
            found = {}
        return {**found, "output": done.output}

    def report(self) -> dict[str, Any]:
        """What the last script found."""
        data = json.loads((self.folder / "report.json").read_text("utf-8"))
        assert isinstance(data, dict)
        return data

    def close(self) -> None:
        """End the backends."""
        self._over.set()
        self._watcher.join(5)
        if self._other is not None:
            self._other.close()
        for backend in self.backends:
            backend.terminate()
        for backend in self.backends:
            try:
                backend.wait(10)
            except subprocess.TimeoutExpired:
                backend.kill()


def _another_backends_keys(folder: Path) -> None:
    server = KeyPair.new()
    connection = Connection("tcp://127.0.0.1:1", server.public, KeyPair.new())
    write_connection(connection, folder / "other.json")
    (folder / "other_key.json").write_text(json.dumps({"server_secret": server.secret}))


def fresh() -> Path:
    """A folder for a :class:`World`."""
    return Path(tempfile.mkdtemp(prefix="scumble-gimp-"))
