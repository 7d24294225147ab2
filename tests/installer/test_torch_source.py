"""Nobody without an NVIDIA GPU downloads the CUDA libraries, and nobody needs PyTorch's own index."""

import http.server
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from scumble.installer import torch_source

CUDA = ["torch", "numpy", "nvidia-cublas", "triton"]
PLAIN = ["torch", "numpy", "sympy"]


class _Index(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/whl/cpu/torch/" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def index() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Index) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/whl/cpu"
        server.shutdown()


@pytest.fixture
def nobody() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return f"http://127.0.0.1:{port}/whl/cpu"


def test_without_a_gpu_cuda_packages_are_avoided_by_the_cpu_index(index: str) -> None:
    assert torch_source.options(CUDA, "", index) == ["--extra-index-url", index]


def test_with_a_gpu_the_usual_index_is_right(index: str) -> None:
    assert torch_source.options(CUDA, "NVIDIA RTX A2000", index) == []


def test_where_the_usual_index_has_a_cpu_build_no_other_is_asked(index: str) -> None:
    assert torch_source.options(PLAIN, "", index) == []


def test_an_index_that_does_not_answer_is_done_without(nobody: str) -> None:
    assert torch_source.options(CUDA, "", nobody) == []


def test_an_index_without_torch_is_done_without(index: str) -> None:
    assert torch_source.options(CUDA, "", index + "/elsewhere") == []


def test_a_server_that_accepts_and_stays_silent_costs_no_more_than_the_limit() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        assert not torch_source.reachable(f"http://127.0.0.1:{silent.getsockname()[1]}", seconds=0.3)


def test_the_index_can_be_changed_or_switched_off(monkeypatch: pytest.MonkeyPatch, index: str) -> None:
    monkeypatch.setenv("SCUMBLE_TORCH_INDEX", index + "/")
    assert torch_source.options(CUDA, "") == ["--extra-index-url", index]
    monkeypatch.setenv("SCUMBLE_TORCH_INDEX", "")
    assert torch_source.options(CUDA, "") == []


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for nvidia-smi is a shell script")
def test_the_gpu_is_the_first_one_that_nvidia_smi_lists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text(
        "#!/bin/sh\necho 'GPU 0: NVIDIA RTX A2000 (UUID: GPU-1)'\necho 'GPU 1: other (UUID: 2)'\n"
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.delenv("SCUMBLE_DEVICE", raising=False)
    assert torch_source.gpu() == "NVIDIA RTX A2000"
    monkeypatch.setenv("SCUMBLE_DEVICE", "cpu")
    assert torch_source.gpu() == ""
    monkeypatch.delenv("SCUMBLE_DEVICE")
    tool.write_text("#!/bin/sh\nexit 9\n")  # a driver that does not fit
    assert torch_source.gpu() == ""
