"""The real Krita with the real backend: a fresh home with the plug-in installed, one start for everything.

Krita runs under Xvfb with a second plug-in, the driver (``krita/driver``), which executes a script inside
Krita and writes what it finds.  The backend is started by Scumble's plug-in itself, as it would be for a
user, in this Python.  :class:`OtherWorld` has another Debian's Krita.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import trixie
import zmq
from other_machine import OtherMachine

from scumble.shared import launch
from scumble.shared.codec import failed_message
from scumble.shared.connection import Connection, KeyPair, write_connection
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.framing import decode, encode
from scumble.shared.limits import LIMITS
from scumble.shared.link import harden

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = Path(__file__).parent / "krita"


def missing() -> str:
    """What is missing to run Krita here; ``""`` if nothing is."""
    for program in ("krita", "xvfb-run"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    return ""


#: Krita's "Import Python Plugin", without its windows.
_IMPORT = """
import builtins, sys
builtins.i18n = str
sys.path.insert(0, sys.argv[1] + "/plugin_importer")
from plugin_importer import PluginImporter
print(PluginImporter(sys.argv[2], sys.argv[3], lambda plugin: True).import_all())
"""


class World:
    """A user's folders and Krita.

    :param folder: fresh, and as short as can be.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        for name in ("home", "run", "state", "config", "xdg", "out"):
            (folder / name).mkdir(mode=0o700)
        (folder / "config" / launch.PYTHON_FILE).write_text(json.dumps({"python": sys.executable}))
        self._stranger: Stranger | None = None
        self._other: OtherMachine | None = None

    def environment(self) -> dict[str, str]:
        """For Krita and whatever it starts."""
        # As a user's shell has it: not the library folders, Qt platform and Python that the suite's own
        # modules set for themselves.
        ours = ("XDG_", "SCUMBLE_", "LD_", "QT_", "PYTHON", "VIRTUAL_ENV")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
        # Krita's Python takes the modules of whichever python3 it finds first: the system's, and neither
        # this environment's nor that of another Python the suite was started with.
        kept["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        folders = {
            f"SCUMBLE_{key}_DIR": str(self.folder / name)
            for key, name in (("RUNTIME", "run"), ("STATE", "state"), ("CONFIG", "config"))
        }
        return {
            **kept,
            **folders,
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(self.folder / "xdg"),
            "QT_LOGGING_RULES": "*.debug=false",
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "2"),
            "LC_ALL": "C.UTF-8",
        }

    def installer(self, *words: str) -> tuple[int, str]:
        """Run Scumble's installer as the user; exit code, and what it said."""
        done = subprocess.run(
            [sys.executable, "-m", "installer", *words],
            cwd=ROOT,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=180,
        )
        return done.returncode, done.stdout + done.stderr

    @property
    def plugins(self) -> Path:
        """Krita's folder of plug-ins."""
        return self.home / ".local" / "share" / "krita" / "pykrita"

    def install(self) -> str:
        """Install the plug-in with Scumble's installer, and the driver; what that said."""
        code, said = self.installer("krita")
        if code:
            # Without a network there are no wheels: the distribution's own pyzmq does as well.
            code, more = self.installer("krita", "--zmq", "/usr/lib/python3/dist-packages")
            said += f"no network?\n{more}"
        self.add_driver(said)
        return said

    def add_driver(self, said: str) -> None:
        """Put the driver beside the plug-in; ``RuntimeError`` with what was said if that is not there."""
        if not (self.plugins / "scumble_krita" / "__init__.py").is_file():
            raise RuntimeError(f"the installer did not install: {said}")
        shutil.copytree(SCRIPTS / "driver", self.plugins, dirs_exist_ok=True)
        settings = self.home / ".config" / "kritarc"
        lines = settings.read_text("utf-8").splitlines()
        at = lines.index("[python]") + 1
        settings.write_text(
            "\n".join([*lines[:at], "enable_scumble_driver=true", *lines[at:]]) + "\n", "utf-8"
        )

    def uninstall(self) -> tuple[str, list[str]]:
        """Take the plug-in out again; what the installer said, and what there still is of it.

        What Krita itself remembers of windows that it has shown does not count.
        """
        code, said = self.installer("uninstall", "krita", "--yes")
        left = [
            str(file.relative_to(self.home))
            for file in self.home.rglob("*")
            if "scumble" in file.name and "scumble_driver" not in str(file)
        ]
        kritarc = (self.home / ".config" / "kritarc").read_bytes()
        left += [line.decode() for line in kritarc.splitlines() if b"enable_scumble_krita" in line]
        return said, left if code == 0 else [f"exit code {code}"]

    def stranger(self) -> Path:
        """A backend of another version; the connection file to it."""
        self._stranger = Stranger()
        file = self.folder / "stranger.json"
        write_connection(self._stranger.connection, file)
        return file

    def elsewhere(self) -> OtherMachine:
        """A backend on another machine."""
        self._other = OtherMachine(self.folder / "elsewhere")
        return self._other

    def krita(self, script: Path, timeout_s: float = 1200.0, **more: str) -> dict[str, Any]:
        """Run Krita with a script until that has ended; what it found.

        :param more: given to the script as environment.
        """
        report = self.folder / "out" / "report.json"
        report.unlink(missing_ok=True)
        environment = {
            **self.environment(),
            "SCUMBLE_DRIVER": str(script),
            "SCUMBLE_DRIVER_REPORT": str(report),
            **more,
        }
        with open(self.folder / "krita.log", "wb") as log:
            process = subprocess.Popen(
                ["xvfb-run", "-a", "-s", "-screen 0 1600x1000x24", "krita", "--nosplash"],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                pass
            finally:
                end(process)
        if not report.is_file():
            text = (self.folder / "krita.log").read_text("utf-8", "replace")
            raise RuntimeError(f"Krita wrote no report; it said: {text[-3000:]}")
        found = json.loads(report.read_text("utf-8"))
        assert isinstance(found, dict)
        return found

    def close(self) -> None:
        """End the backend that the plug-in started, and take the folders away."""
        before = {key: os.environ.get(key) for key in ("SCUMBLE_RUNTIME_DIR", "SCUMBLE_STATE_DIR")}
        try:
            os.environ["SCUMBLE_RUNTIME_DIR"] = str(self.folder / "run")
            os.environ["SCUMBLE_STATE_DIR"] = str(self.folder / "state")
            launch.stop()
        except ScumbleError:
            pass
        finally:
            for key, value in before.items():
                if value is None:
                    os.environ.pop(key, None)
                else:
                    os.environ[key] = value
        if self._stranger is not None:
            self._stranger.end()
        if self._other is not None:
            self._other.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class OtherWorld(World):
    """The same with the Krita of another Debian, in a root of its own (:mod:`trixie`).

    The folder is seen inside under its own name.  The backend runs on this side: where the plug-in wants
    to start one it runs a small script, and the real one is started here.  pyzmq is that Debian's.

    :raises trixie.Unavailable: if there can be no such root.
    """

    PACKAGES = ("krita", "python3-pyqt5")

    def __init__(self) -> None:
        self._root = trixie.root(self.PACKAGES)
        # Not below /tmp, of which the root has its own.
        super().__init__(Path(tempfile.mkdtemp(prefix="scumble-krita-", dir="/var/tmp")))
        self._backends: list[subprocess.Popen[bytes]] = []
        self._over = threading.Event()
        self._starter = self.folder / "python"
        self._starter.write_text(f"#!/bin/sh\ntouch {self.folder}/wanted\nexec sleep 60\n")
        self._starter.chmod(0o755)
        shutil.copytree(SCRIPTS, self.folder / "scripts")
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    def install(self) -> str:
        """From the zip, by Krita's own importer, which has what that Krita's Python needs.

        Where the zip cannot be made (without a network) as on this side; but the wheel of pyzmq is for
        this side's Python.
        """
        file = self.folder / "scumble.zip"
        code, said = self.installer("krita", "--zip", str(file))
        if code:
            said += f"no network?\n{super().install()}"
            shutil.rmtree(self.plugins / "scumble_krita" / "vendor", ignore_errors=True)
            return said
        self.plugins.mkdir(parents=True)
        done = self._root.run(
            ["python3", "-c", _IMPORT, "/usr/share/krita/pykrita", str(file), str(self.plugins.parent)],
            binds={self.folder: str(self.folder)},
        )
        # As the importer's window does it, once the user has said yes.
        settings = self.home / ".config" / "kritarc"
        settings.parent.mkdir(exist_ok=True)
        settings.write_text("[python]\nenable_scumble_krita=true\n", "utf-8")
        said += f"{done.output}installed by Krita's importer"
        self.add_driver(said)
        return said

    def krita(self, script: Path, timeout_s: float = 1200.0, **more: str) -> dict[str, Any]:
        """Run that Krita."""
        report = self.folder / "out" / "report.json"
        report.unlink(missing_ok=True)
        given = {
            **{key: value for key, value in self.environment().items() if key.startswith("SCUMBLE_")},
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(self.folder / "xdg"),
            "QT_LOGGING_RULES": "*.debug=false",
            "LC_ALL": "C.UTF-8",
            "SCUMBLE_PYTHON": str(self._starter),
            "SCUMBLE_DRIVER": str(self.folder / "scripts" / script.name),
            "SCUMBLE_DRIVER_REPORT": str(report),
            **more,
        }
        screen = ["xvfb-run", "-a", "-s", "-screen 0 1600x1000x24", "dbus-run-session", "--"]
        done = self._root.run(
            [*screen, "krita", "--nosplash"],
            binds={self.folder: str(self.folder)},
            env=given,
            timeout_s=timeout_s,
        )
        if not report.is_file():
            raise RuntimeError(f"Krita wrote no report; it said: {done.output[-3000:]}")
        found = json.loads(report.read_text("utf-8"))
        assert isinstance(found, dict)
        return found

    def close(self) -> None:
        """End the backends, too."""
        self._over.set()
        self._watcher.join(5)
        super().close()
        for backend in self._backends:
            backend.terminate()
            try:
                backend.wait(10)
            except subprocess.TimeoutExpired:
                backend.kill()
        with contextlib.suppress(OSError):
            (self._root.folder / str(self.folder).lstrip("/")).rmdir()

    def _watch(self) -> None:
        wanted = self.folder / "wanted"
        while not self._over.wait(0.1):
            if wanted.exists():
                wanted.unlink()
                command = [sys.executable, "-m", "scumble.backend.server", "--idle", "600"]
                with open(self.folder / "state" / "start.log", "ab") as log:
                    started = subprocess.Popen(
                        command, cwd=ROOT, env=self.environment(), stdout=log, stderr=log
                    )
                self._backends.append(started)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process and the children of its session (xvfb-run leaves Krita behind)."""
    import signal

    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            continue


class Stranger:
    """A backend that speaks no protocol we know: whatever is said to it, it says so."""

    def __init__(self) -> None:
        self._ending = threading.Event()
        keys, client = KeyPair.new(), KeyPair.new()
        self._context: zmq.Context[Any] = zmq.Context()
        self._socket = self._context.socket(zmq.ROUTER)
        harden(self._socket, LIMITS)
        self._socket.curve_server = True
        self._socket.curve_publickey = keys.public.encode()
        self._socket.curve_secretkey = keys.secret.encode()
        self._socket.bind("tcp://127.0.0.1:*")
        endpoint = self._socket.getsockopt_string(zmq.LAST_ENDPOINT)
        self.connection = Connection(endpoint, keys.public, client)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        error = ScumbleError(
            Code.UNSUPPORTED_PROTOCOL,
            "This backend speaks protocol 99, and the plug-in speaks protocol 1.",
            "Update both to the same version of Scumble.",
        )
        while not self._ending.is_set():
            if self._socket.poll(50):
                frames = self._socket.recv_multipart()
                message = decode(frames[1:])
                self._socket.send_multipart([frames[0], *encode(failed_message(error, message.id))])
        self._context.destroy(linger=0)

    def end(self) -> None:
        """Stop it."""
        self._ending.set()
        self._thread.join(5)


def fresh() -> Path:
    """A folder for a :class:`World`."""
    return Path(tempfile.mkdtemp(prefix="scumble-krita-"))
