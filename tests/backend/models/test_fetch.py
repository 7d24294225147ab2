"""Fetching against a real, badly behaved file server on this machine."""

from __future__ import annotations

import errno
import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from scumble.backend.models import catalogue, fetch, store
from scumble.backend.models.catalogue import Model, ModelFile
from scumble.shared.errors import Code, ScumbleError

CONTENT = bytes(np.random.default_rng(5).integers(0, 256, 700_000, dtype=np.uint8))
SHA = hashlib.sha256(CONTENT).hexdigest()
DAMAGED = CONTENT[:-1] + bytes([CONTENT[-1] ^ 1])


@dataclass
class Shelf:
    """What the server gives out, how badly, and what it was asked."""

    content: bytes = CONTENT
    ranges: bool = True
    #: Bytes after which each answer's connection dies, one per answer; then answers are whole.
    deaths: list[int] = field(default_factory=list)
    #: Status codes of the next answers; then 200.
    refusals: list[int] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    address: str = ""


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    state = Shelf()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = self.headers.get("Range", "")
            state.asked.append((self.path, asked))
            if state.refusals:
                self.send_response(state.refusals.pop(0))
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            start = int(asked.removeprefix("bytes=").split("-")[0]) if asked and state.ranges else 0
            if start and start >= len(state.content):
                self.send_response(416)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            body = state.content[start:]
            self.send_response(206 if start else 200)
            if start:
                whole = len(state.content)
                self.send_header("Content-Range", f"bytes {start}-{whole - 1}/{whole}")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if state.deaths:
                self.wfile.write(body[: state.deaths.pop(0)])
                self.close_connection = True
                return
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    state.address = f"http://127.0.0.1:{server.server_address[1]}"
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "modèles ö"
    monkeypatch.setenv("SCUMBLE_MODELS_DIR", str(place))
    monkeypatch.delenv("SCUMBLE_MODELS_PATH", raising=False)
    monkeypatch.delenv("SCUMBLE_MODELS_MIRROR", raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(fetch, "PAUSE", 0.01)
    return place


def entry(*addresses: str, sha: str = SHA, size: int | None = None) -> ModelFile:
    return ModelFile("net.pth", sha, addresses, about=len(CONTENT), size=size)


def partials(folder: Path) -> list[Path]:
    return list(folder.glob("*.partial"))


def test_a_download_arrives_whole_with_rising_progress(shelf: Shelf, folder: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    path = fetch.fetch_file(entry(f"{shelf.address}/net.pth"), folder, lambda *step: seen.append(step))
    assert path.read_bytes() == CONTENT and not partials(folder)
    done = [d for stage, d, _ in seen if stage == "download"]
    assert done == sorted(done) and done[-1] == len(CONTENT)
    assert all(d <= of for _, d, of in seen)
    assert seen[-1][0] == "verify"


def test_a_connection_that_dies_in_the_middle_is_resumed_where_it_stopped(shelf: Shelf, folder: Path) -> None:
    shelf.deaths = [200_000, 1, 300_000]
    path = fetch.fetch_file(entry(f"{shelf.address}/net.pth"), folder)
    assert path.read_bytes() == CONTENT
    assert [r for _, r in shelf.asked] == ["", "bytes=200000-", "bytes=200001-", "bytes=500001-"]


def test_a_server_without_ranges_starts_over_and_still_gets_there(shelf: Shelf, folder: Path) -> None:
    shelf.ranges, shelf.deaths = False, [400_000]
    path = fetch.fetch_file(entry(f"{shelf.address}/net.pth"), folder)
    assert path.read_bytes() == CONTENT and len(shelf.asked) == 2


def test_half_a_file_from_last_time_is_continued(shelf: Shelf, folder: Path) -> None:
    """A cancelled download keeps what it has; the next call asks for the rest only."""
    stop = threading.Event()

    def cancel(stage: str, done: int, of: int) -> None:
        if done > 100_000:
            stop.set()

    with pytest.raises(ScumbleError) as caught:
        fetch.fetch_file(entry(f"{shelf.address}/net.pth"), folder, cancel, stop)
    assert caught.value.code is Code.CANCELLED
    half = partials(folder)[0].stat().st_size
    assert 100_000 < half < len(CONTENT) and not (folder / "net.pth").exists()
    assert fetch.fetch_file(entry(f"{shelf.address}/net.pth"), folder).read_bytes() == CONTENT
    assert shelf.asked[-1][1] == f"bytes={half}-"


def test_a_complete_partial_file_needs_no_more_bytes(shelf: Shelf, folder: Path) -> None:
    """The machine may have stopped between the last byte and the check."""
    folder.mkdir()
    (folder / f"net.pth.{SHA[:12]}.partial").write_bytes(CONTENT)
    assert fetch.fetch_file(entry(f"{shelf.address}/net.pth"), folder).read_bytes() == CONTENT


def test_a_damaged_half_is_thrown_away_and_fetched_afresh(shelf: Shelf, folder: Path) -> None:
    folder.mkdir()
    (folder / f"net.pth.{SHA[:12]}.partial").write_bytes(b"\0" * 1000)
    assert fetch.fetch_file(entry(f"{shelf.address}/net.pth"), folder).read_bytes() == CONTENT
    assert [r for _, r in shelf.asked] == ["bytes=1000-", ""]


@pytest.mark.parametrize("extra", [b"", b"!"])
def test_wrong_content_never_gets_the_files_name(shelf: Shelf, folder: Path, extra: bytes) -> None:
    shelf.content = DAMAGED + extra
    with pytest.raises(ScumbleError) as caught:
        fetch.fetch_file(entry(f"{shelf.address}/net.pth"), folder)
    assert caught.value.code is Code.MODEL_CORRUPT and caught.value.hint
    assert not (folder / "net.pth").exists() and not partials(folder)


def test_two_at_once_do_not_spoil_each_others_download(shelf: Shelf, folder: Path) -> None:
    """The second waits, and then finds the file in place."""
    file = entry(f"{shelf.address}/net.pth")
    inside, go_on = threading.Event(), threading.Event()

    def linger(stage: str, done: int, of: int) -> None:
        inside.set()
        go_on.wait(10)

    found: list[Path] = []
    first = threading.Thread(target=lambda: found.append(fetch.fetch_file(file, folder, linger)))
    first.start()
    assert inside.wait(10)
    second = threading.Thread(target=lambda: found.append(fetch.fetch_file(file, folder)))
    second.start()
    second.join(0.2)
    assert second.is_alive()
    go_on.set()
    first.join(10)
    second.join(10)
    assert [p.read_bytes() for p in found] == [CONTENT, CONTENT] and len(shelf.asked) == 1


def test_whoever_waits_for_another_download_can_be_cancelled(folder: Path) -> None:
    stop = threading.Event()
    stop.set()
    with store.exclusive(folder, "net.pth"), pytest.raises(ScumbleError) as caught:
        fetch.fetch_file(entry("http://127.0.0.1:9/net.pth"), folder, cancelled=stop)
    assert caught.value.code is Code.CANCELLED


def test_a_file_of_another_size_is_refused_before_it_is_downloaded(shelf: Shelf, folder: Path) -> None:
    with pytest.raises(ScumbleError):
        fetch.fetch_file(entry(f"{shelf.address}/net.pth", size=17), folder)
    assert not (folder / "net.pth").exists() and not partials(folder)


def test_the_next_address_is_asked_when_one_does_not_have_the_file(shelf: Shelf, folder: Path) -> None:
    shelf.refusals = [404]
    path = fetch.fetch_file(entry(f"{shelf.address}/gone", f"{shelf.address}/net.pth"), folder)
    assert path.read_bytes() == CONTENT
    assert [p for p, _ in shelf.asked] == ["/gone", "/net.pth"]


def test_the_users_mirror_is_asked_first(shelf: Shelf, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCUMBLE_MODELS_MIRROR", f"{shelf.address}/mirror/")
    fetch.fetch_file(entry(f"{shelf.address}/official"), folder)
    assert [p for p, _ in shelf.asked] == ["/mirror/net.pth"]


def test_a_busy_server_is_asked_again(shelf: Shelf, folder: Path) -> None:
    shelf.refusals = [503, 429]
    assert fetch.fetch_file(entry(f"{shelf.address}/net.pth"), folder).read_bytes() == CONTENT
    assert len(shelf.asked) == 3


def test_no_network_is_said_in_words_and_without_paths(folder: Path) -> None:
    with pytest.raises(ScumbleError) as caught:
        fetch.fetch_file(entry("http://127.0.0.1:9/net.pth", "file:///etc/hostname"), folder)
    assert caught.value.code is Code.MODEL_MISSING and caught.value.retry
    assert "proxy" in caught.value.hint and str(folder) not in str(caught.value)


def test_a_full_disk_is_noticed_before_the_first_byte(
    shelf: Shelf, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "SPARE_BYTES", 1 << 60)
    with pytest.raises(ScumbleError) as caught:
        fetch.fetch_file(entry(f"{shelf.address}/net.pth"), folder)
    assert caught.value.code is Code.DISK and not partials(folder)
    assert store.disk_error(OSError(errno.ENOSPC, "")).message == "The disk is full."


def test_a_folder_that_cannot_be_made_is_a_disk_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ScumbleError) as caught:
        fetch.fetch_file(entry("http://127.0.0.1:9/net.pth"), tmp_path / "file" / "models")
    assert caught.value.code is Code.DISK


@pytest.fixture
def listed(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Model]:
    """Put a small model of ours into the catalogue, served by the shelf."""

    def put(**changes: object) -> Model:
        file = entry(f"{shelf.address}/net.pth", size=len(CONTENT))
        model = Model("small-net", "A small net", (file,), "MIT", "Free.", ("tests",))
        monkeypatch.setattr(catalogue, "MODELS", (*catalogue.MODELS, model))
        return model

    return put


def test_a_model_goes_from_missing_to_installed_to_corrupt_to_removed(
    folder: Path, listed: Callable[..., Model], shelf: Shelf
) -> None:
    listed()

    def state() -> str:
        return next(line.state for line in catalogue.listing() if line.id == "small-net")

    assert state() == "missing" and catalogue.installed("small-net") is None
    with pytest.raises(ScumbleError) as caught:
        catalogue.require("small-net")
    assert caught.value.code is Code.MODEL_MISSING and "fetch small-net" in caught.value.hint
    fetch.fetch("small-net")
    assert state() == "installed" and catalogue.require("small-net") == folder / "net.pth"
    fetch.fetch("small-net")
    assert len(shelf.asked) == 1  # intact: nothing to do
    (folder / "net.pth").write_bytes(DAMAGED)
    assert state() == "corrupt" and catalogue.installed("small-net") is None
    with pytest.raises(ScumbleError) as caught:
        catalogue.require("small-net")
    assert caught.value.code is Code.MODEL_CORRUPT
    fetch.fetch("small-net")
    assert state() == "installed"
    assert catalogue.remove("small-net") == len(CONTENT)
    assert state() == "missing"
    with pytest.raises(ScumbleError):
        catalogue.remove("small-net")


def test_weights_in_a_searched_folder_are_used_and_never_deleted(
    tmp_path: Path, listed: Callable[..., Model], monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    listed()
    share = tmp_path / "share"
    share.mkdir()
    (share / "net.pth").write_bytes(CONTENT)
    monkeypatch.setenv("SCUMBLE_MODELS_PATH", f"{tmp_path / 'offline'}{store.os.pathsep}{share}")
    assert catalogue.installed("small-net") == share / "net.pth"
    with pytest.raises(ScumbleError):
        catalogue.remove("small-net")
    assert (share / "net.pth").exists()
    folder.mkdir(exist_ok=True)
    (folder / "net.pth").write_bytes(b"damaged")  # a damaged copy of our own does not hide it
    assert catalogue.installed("small-net") == share / "net.pth"


@pytest.mark.parametrize("name", ["net.pth", "net (1).pth"])
def test_a_model_is_installed_from_a_folder_even_under_another_name(
    tmp_path: Path, listed: Callable[..., Model], folder: Path, name: str, shelf: Shelf
) -> None:
    listed()
    (tmp_path / "usb").mkdir()
    (tmp_path / "usb" / name).write_bytes(CONTENT)
    assert fetch.install_from_folder("small-net", tmp_path / "usb") == [folder / "net.pth"]
    assert catalogue.installed("small-net") and not shelf.asked and not partials(folder)


def test_a_wrong_file_in_the_folder_is_refused(
    tmp_path: Path, listed: Callable[..., Model], folder: Path
) -> None:
    listed()
    with pytest.raises(ScumbleError) as caught:
        fetch.install_from_folder("small-net", tmp_path)
    assert caught.value.code is Code.FILE_MISSING
    (tmp_path / "net.pth").write_bytes(b"something else")
    with pytest.raises(ScumbleError) as caught:
        fetch.install_from_folder("small-net", tmp_path)
    assert caught.value.code is Code.MODEL_CORRUPT
    assert not (folder / "net.pth").exists() and not partials(folder)
