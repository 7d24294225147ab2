"""A backend for other machines: key files for those who may come, and nobody else gets in."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from desk_parts import Scumble, refused

from scumble.backend.cli import sharing
from scumble.plugin.common.backend import Remote, connector, remote_connection
from scumble.shared.client import Client
from scumble.shared.connection import KeyPair
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.events import Answer


def own_address() -> str:
    """An address of this machine that others can have, or at least another one than localhost."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.2"


def free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


@contextmanager
def listening(host: str, port: int) -> Iterator[subprocess.Popen[str]]:
    """``scumble backend listen``, until it is interrupted."""
    code = "import sys\nfrom scumble.backend.cli import main\nsys.exit(main(sys.argv[1:]))"
    words = ["backend", "listen", "--host", host, "--port", str(port)]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        assert process.stdout is not None and f"port {port}" in process.stdout.readline()
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def answered(client: Client, patience_s: float) -> bool:
    """Whether a question is answered."""
    with client:
        client.describe()
        until = time.monotonic() + patience_s
        while time.monotonic() < until:
            try:
                if any(isinstance(event, Answer) for event in client.poll(0.1)):
                    return True
            except ScumbleError:
                return False
    return False


def test_a_key_file_lets_its_owner_use_this_backend_from_its_address(
    scumble: Scumble, quarters: Path
) -> None:
    host = own_address()
    port = free_port(host)
    files = [quarters / "anna.json", quarters / "ben.json"]
    for file in files:
        code, out, err = scumble("backend", "share", file, "--address", f"{host}:{port}", "--for", file.stem)
        assert code == 0 and f"listen --port {port}" in out and "secret" in out, err
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert remote_connection(Remote("", str(files[0]), True)).endpoint == f"tcp://{host}:{port}"
    guests = quarters / "config" / sharing.GUESTS
    kept = guests.read_text("utf-8").splitlines()
    assert [line.split()[1] for line in kept] == ["anna", "ben"]
    guests.write_text(kept[0] + "\n", "utf-8")  # the other one is locked out
    with listening(host, port):
        # By the address in the file, and by one that the user has entered.
        for address in ("", f"{host}:{port}"):
            assert answered(connector(Remote(address, str(files[0]), True), "test")(), 60)
        assert not answered(connector(Remote("", str(files[1]), True), "test")(), 3)
        refused(scumble("backend", "listen", "--host", host, "--port", port), Code.BUSY, exit=4)


def test_the_servers_key_stays_the_same_so_that_key_files_stay_good(scumble: Scumble, quarters: Path) -> None:
    keys = set()
    for name in ("a", "b"):
        assert scumble("backend", "share", quarters / name, "--address", "studio.local")[0] == 0
        keys.add(remote_connection(Remote("", str(quarters / name), True)).server_key)
    secret = quarters / "config" / sharing.SECRET
    assert keys == {KeyPair.of_secret(secret.read_text("utf-8").strip()).public}
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    before = (quarters / "a").read_bytes()
    refused(scumble("backend", "share", quarters / "a", "--address", "studio.local"), Code.BAD_REQUEST)
    assert (quarters / "a").read_bytes() == before


@pytest.mark.parametrize(
    ("written", "endpoint"),
    [
        ("studio.local", "tcp://studio.local:5599"),
        ("studio.local:80", "tcp://studio.local:80"),
        ("tcp://10.0.0.7:6000/", "tcp://10.0.0.7:6000"),
        ("[fd00::2]:6000", "tcp://[fd00::2]:6000"),
        ("[fd00::2]", "tcp://[fd00::2]:5599"),
    ],
)
def test_addresses_as_people_write_them(
    scumble: Scumble, quarters: Path, written: str, endpoint: str
) -> None:
    assert scumble("backend", "share", quarters / "key", "--address", written)[0] == 0
    assert remote_connection(Remote("", str(quarters / "key"), True)).endpoint == endpoint


def test_what_cannot_be_is_refused(scumble: Scumble, quarters: Path) -> None:
    refused(scumble("backend", "listen"), Code.BAD_REQUEST)
    for address in ("a b", "/etc", "studio:0", "studio:99999", ""):
        refused(scumble("backend", "share", quarters / "k", "--address", address), Code.BAD_REQUEST)
    nowhere = quarters / "no folder" / "key"
    refused(scumble("backend", "share", nowhere, "--address", "studio.local"), Code.DISK, exit=4)
    assert not (quarters / "k").exists() and not (quarters / "config" / sharing.GUESTS).exists()
    assert scumble("backend", "share", quarters / "k", "--address", "studio.local")[0] == 0
    refused(scumble("backend", "listen", "--port", 70000), Code.BAD_REQUEST)


@pytest.mark.skipif(os.name == "nt", reason="there the profile keeps others out")
def test_a_secret_that_others_can_read_is_not_used(scumble: Scumble, quarters: Path) -> None:
    assert scumble("backend", "share", quarters / "k", "--address", "studio.local")[0] == 0
    (quarters / "config" / sharing.SECRET).chmod(0o644)
    refused(scumble("backend", "listen", "--port", free_port("127.0.0.1")), Code.BAD_REQUEST)
