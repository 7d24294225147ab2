"""Oxford's VGG-16 from its authors' own file, over a real file server on this machine."""

from __future__ import annotations

import struct
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file

from scumble.backend.models import catalogue, fetch, oxford
from scumble.backend.models.caffe_tensors import layer_blobs
from scumble.backend.nn.full import FullEncoder
from scumble.backend.nn.vgg import LAYERS
from scumble.shared.errors import Code, ScumbleError

Blobs = dict[str, tuple[np.ndarray, np.ndarray]]


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def field(number: int, value: bytes | int) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def caffemodel(layers: Blobs, *, new: bool = False) -> bytes:
    """A file as Caffe writes it: layers of the first kind, as VGG's are, or of the second."""
    data = field(1, b"a network")
    for name, blobs in layers.items():
        body = field(1 if new else 4, name.encode())
        for blob in blobs:
            numbers = field(5, struct.pack(f"<{blob.size}f", *blob.flatten()))
            if new:
                shape = b"".join(varint(n) for n in blob.shape)
                numbers += field(7, field(1, shape))
            else:
                four = (1,) * (4 - blob.ndim) + blob.shape
                numbers = b"".join(field(i + 1, n) for i, n in enumerate(four)) + numbers
            body += field(7 if new else 6, numbers)
        data += field(100 if new else 2, body)
    return data


@pytest.fixture(scope="module")
def network() -> Blobs:
    rng = np.random.default_rng(3)
    return {
        f"conv{name}": (
            rng.standard_normal((cout, cin, 3, 3), dtype=np.float32),
            rng.standard_normal(cout, dtype=np.float32),
        )
        for name, cin, cout in LAYERS
        if name != "pool"
    } | {"conv5_1": (np.ones((1, 1, 3, 3), np.float32), np.ones(1, np.float32))}


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that is served over HTTP as the user's mirror; the package registry cannot be reached."""
    served = tmp_path / "served"
    served.mkdir()

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(served)))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    monkeypatch.setenv("SCUMBLE_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.delenv("SCUMBLE_MODELS_PATH", raising=False)
    monkeypatch.setenv("SCUMBLE_MODELS_MIRROR", f"http://127.0.0.1:{server.server_address[1]}")
    monkeypatch.setattr(oxford, "OFFICIAL_URL", f"http://127.0.0.1:{server.server_address[1]}/nowhere")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setattr(fetch, "PAUSE", 0.01)
    yield served
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("new", [False, True])
def test_weights_are_read_out_of_a_caffemodel_without_caffe(new: bool) -> None:
    rng = np.random.default_rng(1)
    layers = {n: (rng.random((4, 3, 3, 3), np.float32), rng.random(4, np.float32)) for n in ("a", "b")}
    found = layer_blobs(caffemodel(layers, new=new), frozenset({"b"}))
    assert found.keys() == {"b"} and np.array_equal(found["b"][0], layers["b"][0])
    assert np.array_equal(found["b"][1].flatten(), layers["b"][1])


@pytest.mark.parametrize("cut", [1, 9, 60])
def test_a_truncated_caffemodel_is_an_error_not_nonsense(cut: int) -> None:
    data = caffemodel({"a": (np.ones((2, 2, 3, 3), np.float32), np.ones(2, np.float32))})
    with pytest.raises(ValueError, match="damaged"):
        layer_blobs(data[:-cut], frozenset({"a"}))


def test_where_the_registry_does_not_answer_the_authors_own_file_is_fetched(
    shelf: Path, network: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shelf / oxford.OFFICIAL_NAME).write_bytes(caffemodel(network))
    layers = {k.removeprefix("conv"): v for k, v in network.items() if k != "conv5_1"}
    monkeypatch.setattr(oxford, "CONTENT_SHA256", oxford.content_digest(oxford._as_tensors(layers)))
    (path,) = fetch.fetch("vgg16-oxford")
    assert catalogue.installed("vgg16-oxford") == path
    assert not list(path.parent.glob("*.partial"))
    tensors = load_file(path)
    bgr = network["conv1_1"][0]
    assert np.allclose(tensors["1_1.weight"].float().numpy(), bgr[:, ::-1], atol=1e-2)
    FullEncoder.from_tensors(tensors)


def test_a_file_with_other_weights_is_refused_and_thrown_away(shelf: Path, network: Blobs) -> None:
    (shelf / oxford.OFFICIAL_NAME).write_bytes(caffemodel(network))
    with pytest.raises(ScumbleError) as caught:
        fetch.fetch("vgg16-oxford")
    assert caught.value.code is Code.MODEL_CORRUPT
    assert catalogue.installed("vgg16-oxford") is None
    assert not list((shelf.parent / "models").glob("*.partial"))


def test_the_authors_own_file_can_be_brought_along(
    shelf: Path, network: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shelf / oxford.OFFICIAL_NAME).write_bytes(caffemodel(network))
    layers = {k.removeprefix("conv"): v for k, v in network.items() if k != "conv5_1"}
    monkeypatch.setattr(oxford, "CONTENT_SHA256", oxford.content_digest(oxford._as_tensors(layers)))
    (path,) = fetch.install_from_folder("vgg16-oxford", shelf)
    assert catalogue.installed("vgg16-oxford") == path


def test_with_no_source_at_all_the_error_says_how_to_bring_it(shelf: Path) -> None:
    with pytest.raises(ScumbleError) as caught:
        fetch.fetch("vgg16-oxford")
    assert caught.value.code is Code.MODEL_MISSING and caught.value.retry
    assert "--from" in caught.value.hint
