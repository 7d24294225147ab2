"""A whole backend process: start, lock, crash, restart, end (docs/protocol.md, sections 2, 7.7 and 9)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from wire_parts import QUICK, backend_pid, eventually, kill_backend, request, until

from scumble.backend.server import logs
from scumble.shared import events, launch, paths
from scumble.shared.blocking import BlockingClient
from scumble.shared.client import Client, Policy
from scumble.shared.connection import connection_path, lock_path, read_connection
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.lock import is_held

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in backend is a shell script")


def test_start_status_stop(home: Path) -> None:
    """Section 9.1: what the command line does."""
    assert launch.status().state == "stopped"
    started = launch.start(until_ready=True)
    assert started.state == "ready"
    assert launch.start().pid == started.pid, "a second start finds the first one's backend"
    assert launch.status().describe()["details"]["queue"] == 0
    assert launch.stop().state == "stopped"
    assert not connection_path().exists()
    assert launch.stop().state == "stopped", "stopping twice is no error"


def test_the_connection_file_and_its_folder_are_private(home: Path) -> None:
    """Section 2.2."""
    launch.start()
    file = connection_path()
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert launch.log_path().stat().st_mode & 0o777 == 0o600
    content = json.loads(file.read_text())
    assert content["endpoint"].startswith("tcp://127.0.0.1:")
    assert content["client"]["secret"] not in launch.log_path().read_text()
    assert repr(read_connection()).count(content["client"]["secret"]) == 0


def test_two_starts_at_once_give_one_backend(home: Path) -> None:
    """Section 2.3."""
    processes = [launch.spawn() for _ in range(3)]
    eventually(lambda: sum(p.process.poll() is None for p in processes) == 1, "one backend")
    left = next(p for p in processes if p.process.poll() is None)
    assert [p.process.returncode for p in processes if p is not left] == [0, 0]
    assert launch.start().pid == left.process.pid == backend_pid()


def test_clients_that_start_it_at_once_share_one_backend(home: Path) -> None:
    """Section 9.1."""
    pids: list[int] = []

    def use() -> None:
        with BlockingClient(launch=launch.launcher(), policy=QUICK) as client:
            client.stylize(request())
            pids.append(client.ping()["pid"])

    threads = [threading.Thread(target=use) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(pids) == 3 and len(set(pids)) == 1


def test_what_a_killed_backend_left_behind_is_replaced(home: Path) -> None:
    """Section 2.3: connection file and lock file lie there, and nobody holds the lock."""
    first = launch.start().pid
    os.kill(first, signal.SIGKILL)
    eventually(lambda: not is_held(lock_path()))
    assert connection_path().exists() and lock_path().exists()
    assert launch.status().state == "stopped"
    second = launch.start()
    assert second.running and second.pid != first


def test_a_lock_file_with_the_id_of_a_living_process_is_no_lock(home: Path) -> None:
    """Section 2.3: process ids are used again, so none is believed."""
    paths.private_folder(paths.runtime_folder())
    lock_path().write_text(f"{os.getpid()}\n")
    assert launch.start().running


def test_a_backend_killed_in_the_middle_is_reported_and_worth_another_try(home: Path) -> None:
    """Section 9.3: without leave to start one, the client says what happened."""
    launch.start()
    with Client(policy=QUICK) as client:
        job = client.stylize(request(seconds=60))
        until(client, events.Progress, job=job)
        kill_backend()
        error = until(client, events.Failed, job=job).error
    assert error.code is Code.BACKEND_LOST and error.retry and error.hint


def test_a_backend_killed_in_the_middle_is_started_again_and_the_job_sent_again(
    home: Path, tmp_path: Path
) -> None:
    """Section 9.3."""
    diary = tmp_path / "diary"
    with Client(launch=launch.launcher(), policy=QUICK) as client:
        asked = request(seconds=1.0, seed=4, diary=str(diary))
        job = client.stylize(asked)
        until(client, events.Progress, job=job)
        first = backend_pid()
        kill_backend()
        result = until(client, events.Finished, job=job).result
    assert bytes(result.layer.data) == bytes(asked.layer.data)[::-1]
    assert backend_pid() not in (0, first)
    assert diary.read_text().split() == ["4", "4"]


def test_a_job_that_kills_every_backend_is_given_up(home: Path, tmp_path: Path) -> None:
    """Section 9.3: or it would do so for ever."""
    diary = tmp_path / "diary"
    with BlockingClient(launch=launch.launcher(), policy=QUICK) as client:
        with pytest.raises(ScumbleError) as caught:
            client.stylize(request(die=True, diary=str(diary)))
        assert caught.value.code is Code.BACKEND_LOST and caught.value.retry
        assert len(diary.read_text().split()) == 1 + QUICK.restarts
        client.stylize(request())  # and the client is as good as new


def test_a_backend_that_hangs_is_given_up(home: Path) -> None:
    """Section 9.2: no answer to heartbeats, though its process is there."""
    launch.start()
    policy = Policy(silence_s=1.0, connect_s=0.3, tries=2, backoff_s=0.05, ping_s=0.2)
    pid = backend_pid()
    with Client(policy=policy) as client:
        job = client.stylize(request(seconds=60))
        until(client, events.Progress, job=job)
        os.kill(pid, signal.SIGSTOP)
        try:
            error = until(client, events.Failed, job=job).error
            assert error.code is Code.BACKEND_LOST and error.retry
            assert launch.status(0.3).state == "silent"
        finally:
            os.kill(pid, signal.SIGCONT)


def test_stop_ends_a_backend_that_hangs(home: Path) -> None:
    """Section 9.5: the advice that every error about a silent backend gives has to work."""
    pid = launch.start().pid
    os.kill(pid, signal.SIGSTOP)
    assert launch.stop(timeout_s=0.5).state == "stopped"
    assert launch.start().pid != pid


def test_a_client_killed_in_the_middle_does_no_harm(home: Path) -> None:
    """Section 7.6."""
    launch.start()
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from wire_parts import *\n"
        "from scumble.shared.client import Client\n"
        "c = Client(); j = c.stylize(request(512, 512, seconds=2))\n"
        "until(c, events.Progress, job=j); print('running', flush=True); time.sleep(60)\n"
    )
    code = script.replace("from wire_parts import *", "from wire_parts import *; import time")
    with subprocess.Popen(
        [sys.executable, "-c", code, str(Path(__file__).parent)], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None and child.stdout.readline() == "running\n"
        child.kill()
    with BlockingClient(policy=QUICK) as client:
        assert client.stylize(request()).report["seed"] == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_properly(home: Path, number: int) -> None:
    """Section 7.7."""
    pid = launch.start().pid
    os.kill(pid, number)
    eventually(lambda: not is_held(lock_path()))
    assert not connection_path().exists()
    assert "ended by signal" in launch.log_path().read_text()


def test_an_idle_backend_ends_itself_and_is_started_again_on_demand(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Section 7.7."""
    monkeypatch.setenv("TEST_IDLE_S", "0.5")
    with Client(launch=launch.launcher(), policy=QUICK) as client:
        until(client, events.Finished, job=client.stylize(request(seconds=1)))
        first = backend_pid()
        eventually(lambda: not is_held(lock_path()), "the end")
        assert not connection_path().exists()
        until(client, events.Finished, job=client.stylize(request()))
        assert first != backend_pid()


def test_without_a_backend_and_without_leave_to_start_one_it_says_so_at_once(home: Path) -> None:
    """Section 9.1."""
    with BlockingClient() as client, pytest.raises(ScumbleError) as caught:
        client.stylize(request())
    assert caught.value.code is Code.NO_BACKEND and "scumble backend start" in caught.value.hint


def test_a_python_that_cannot_run_the_backend_is_reported(home: Path, monkeypatch) -> None:
    """Section 9.1."""
    broken = home / "broken"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setenv("SCUMBLE_PYTHON", str(broken))
    with pytest.raises(ScumbleError, match="exit code 3") as caught:
        launch.start()
    assert caught.value.code is Code.NO_BACKEND
    with BlockingClient(launch=launch.launcher()) as client, pytest.raises(ScumbleError, match="exit code 3"):
        client.stylize(request())


def test_the_backend_starts_from_the_installers_file_and_never_from_this_python(
    home: Path, monkeypatch
) -> None:
    """Section 9.1."""
    python = os.environ["SCUMBLE_PYTHON"]
    monkeypatch.delenv("SCUMBLE_PYTHON")
    with pytest.raises(ScumbleError, match="not installed"):
        launch.find_python()
    folder = paths.config_folder()
    folder.mkdir()
    (folder / launch.PYTHON_FILE).write_text(json.dumps({"python": python}))
    assert launch.start().running
    (folder / launch.PYTHON_FILE).write_text(json.dumps({"python": str(home / "gone")}))
    with pytest.raises(ScumbleError, match="gone"):
        launch.find_python()


def test_the_backend_outlives_the_process_that_started_it_and_has_none_of_its_files(home: Path) -> None:
    """Section 9.1."""
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    code = "from scumble.shared import launch; print(launch.start().pid)"
    done = subprocess.run(
        [sys.executable, "-c", code], pass_fds=[writing], capture_output=True, text=True, check=True
    )
    os.close(writing)
    assert int(done.stdout) == backend_pid()
    assert os.getsid(backend_pid()) == backend_pid()
    assert os.read(reading, 1) == b"", "somebody still holds the pipe's other end"
    os.close(reading)


def test_the_log_is_rotated_and_bounded(home: Path) -> None:
    """Section 7.9."""
    folder = paths.private_folder(paths.state_folder())
    handler = logs.to_file(folder / "backend.log", max_bytes=2000)
    assert handler is not None
    try:
        import logging

        for index in range(500):
            logging.getLogger("scumble.test").info("line %d", index)
    finally:
        logging.getLogger("scumble").removeHandler(handler)
        handler.close()
    files = sorted(folder.glob("backend.log*"))
    assert len(files) == 1 + logs.BACKUPS
    assert all(f.stat().st_size <= 2000 and f.stat().st_mode & 0o777 == 0o600 for f in files)
    assert "line 499" in files[0].read_text()


def test_it_runs_without_a_log_when_the_disk_does_not_want_one(home: Path) -> None:
    """Section 7.9."""
    launch.log_path().parent.mkdir()
    launch.log_path().mkdir()  # a folder where the file should be
    with BlockingClient(launch=launch.launcher(), policy=QUICK) as client:
        client.stylize(request())


def test_listening_beyond_this_machine_needs_a_list_of_keys(home: Path, tmp_path: Path) -> None:
    """Section 5.3."""
    process = launch.spawn(args=["--bind", "tcp://0.0.0.0:*"]).process
    assert process.wait(20) == 1
    assert "--authorized" in (paths.state_folder() / "backend-start.log").read_text()


def test_another_machine_is_reached_through_a_connection_file_of_its_own(
    home: Path, tmp_path: Path, monkeypatch
) -> None:
    """Section 5.3: its key on the list, the server's key pinned, no lock to look at."""
    from scumble.shared.connection import Connection, KeyPair, write_connection

    ours, server, stranger = KeyPair.new(), KeyPair.new(), KeyPair.new()
    (tmp_path / "keys").write_text(f"# artists\n{ours.public} Ada's machine\n\n")
    (tmp_path / "secret").write_text(server.secret)
    (tmp_path / "secret").chmod(0o600)
    args = ["--bind", "tcp://0.0.0.0:*", "--authorized", tmp_path / "keys", "--secret", tmp_path / "secret"]
    launch.start(args=[str(a) for a in args])
    endpoint = read_connection().endpoint
    for keys, welcome in ((ours, True), (stranger, False)):
        file = tmp_path / f"studio-{welcome}.json"
        write_connection(Connection(endpoint, server.public, keys), file)
        monkeypatch.setenv("SCUMBLE_CONNECTION", str(file))
        with BlockingClient(policy=Policy(tries=1, connect_s=5.0)) as client:
            if welcome:
                assert client.stylize(request()).report["seed"] == 0
                for forbidden in (client.shutdown, lambda c=client: c.models("remove", "vgg16-oxford")):
                    with pytest.raises(ScumbleError, match="Only the user who runs this backend"):
                        forbidden()
                assert client.models("list")["models"]
                with pytest.raises(ScumbleError, match="runs elsewhere"):
                    launch.stop()
            else:
                with pytest.raises(ScumbleError) as caught:
                    client.ping()
                assert caught.value.code is Code.NO_BACKEND
    monkeypatch.delenv("SCUMBLE_CONNECTION")


def test_torch_is_not_imported_before_the_socket_answers() -> None:
    """Section 7.1: importing the whole server and client pulls in neither torch nor numpy."""
    code = (
        "import sys, scumble.backend.server.main, scumble.shared.blocking, scumble.shared.launch;"
        "print(sorted({'torch', 'numpy', 'cv2'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
def test_the_real_backend_from_nothing_to_a_layer(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Section 9: start, "starting", describe, stylize, cancel, stop, with the real session."""
    monkeypatch.setenv("SCUMBLE_PYTHON", sys.executable)
    from scumble.shared.messages import MaskBuffer, PixelBuffer, PixelStyle, Region, StylizeRequest

    side = 64
    noise = bytes((i * 7919) % 256 for i in range(side * side * 3))
    picture = PixelBuffer(side, side, "rgb", "u8", noise)
    mask = MaskBuffer(32, 32, b"\xff" * 1024, x=16, y=16)
    with BlockingClient(launch=launch.launcher(), policy=QUICK) as client:
        states = {client.ping(timeout_s=30)["state"]}
        description = client.describe(timeout_s=120)
        states.add(client.ping()["state"])
        assert "ready" in states
        assert "partial-conv" in [engine["name"] for engine in description["engines"]]
        result = client.stylize(StylizeRequest(picture, (Region(mask, PixelStyle(picture)),), origin=(5, 6)))
        assert (result.layer.width, result.layer.height, result.origin) == (32, 32, (21, 22))
        assert result.layer.layout == "rgba" and result.report["seconds"]["total"] > 0
        with pytest.raises(ScumbleError) as caught:
            client.stylize(StylizeRequest(picture, (Region(mask, PixelStyle(picture)),), engine="nothing"))
        assert caught.value.code is Code.UNKNOWN_ENGINE and "partial-conv" in caught.value.hint
        stop = threading.Event()
        stop.set()
        with pytest.raises(ScumbleError) as caught:
            client.stylize(StylizeRequest(picture, (Region(mask, PixelStyle(picture)),)), cancelled=stop)
        assert caught.value.code is Code.CANCELLED
        client.free_memory()
    assert launch.stop().state == "stopped"
