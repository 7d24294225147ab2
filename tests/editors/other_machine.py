"""A backend on another machine, as far as one machine can have it: folders of its own, an address that is
not localhost, and a key file for the user, all by the commands that are documented for it."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [
    sys.executable,
    "-c",
    "import sys\nfrom scumble.backend.cli import main\nsys.exit(main(sys.argv[1:]))",
    "backend",
]


class OtherMachine:
    """Runs ``scumble backend listen`` until :meth:`close`.

    :param folder: fresh; the machine's folders, and the user's key file.
    :ivar address: to be entered by the user; the key file names another one.
    :ivar key: the key file.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = folder / "key.json"
        names = {key: folder / key.lower() for key in ("RUNTIME", "STATE", "CONFIG")}
        for each in names.values():
            each.mkdir(mode=0o700, parents=True)
        threads = os.environ.get("OMP_NUM_THREADS", "2")
        folders = {f"SCUMBLE_{key}_DIR": str(each) for key, each in names.items()}
        self._environment = {**os.environ, **folders, "OMP_NUM_THREADS": threads}
        host = _own_address()
        with socket.socket() as probe:
            probe.bind((host, 0))
            port = probe.getsockname()[1]
        self.address = f"{host}:{port}"
        words = ["share", str(self.key), "--address", "nowhere.invalid:1"]
        subprocess.run([*COMMAND, *words], cwd=ROOT, env=self._environment, check=True, capture_output=True)
        self._log = open(folder / "listen.log", "wb")  # noqa: SIM115
        self._process = subprocess.Popen(
            [*COMMAND, "listen", "--host", host, "--port", str(port)],
            cwd=ROOT,
            env=self._environment,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    def jobs(self) -> int:
        """How many jobs it has painted."""
        log = self.folder / "state" / "backend.log"
        text = log.read_text("utf-8", "replace") if log.exists() else ""
        return len(re.findall(r" of '(?:krita|gimp)': ", text))

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()


def _own_address() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.2"
