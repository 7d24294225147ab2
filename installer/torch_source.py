"""Which build of PyTorch to fetch: without an NVIDIA GPU nobody needs gigabytes of CUDA libraries."""

from __future__ import annotations

import os
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterable, Sequence

#: PyTorch's public index of CPU builds.
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
_GPU_ONLY = ("nvidia-", "cuda-", "triton")


def gpu() -> str:
    """Name of the first NVIDIA GPU, or ``""``; ``SCUMBLE_DEVICE=cpu`` means "as if there were none"."""
    if os.environ.get("SCUMBLE_DEVICE", "").lower() == "cpu":
        return ""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return ""
    try:
        done = subprocess.run([tool, "-L"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    first = done.stdout.partition("\n")[0]
    # "GPU 0: NVIDIA RTX A2000 (UUID: ...)"
    return first.partition(":")[2].partition("(UUID")[0].strip() if done.returncode == 0 else ""


def for_gpu(names: Iterable[str]) -> bool:
    """Whether a plan of these packages brings the CUDA libraries."""
    return any(name.lower().replace("_", "-").startswith(_GPU_ONLY) for name in names)


def cpu_index() -> str:
    """The index to ask for CPU builds: ``SCUMBLE_TORCH_INDEX`` (empty: none), or PyTorch's own."""
    return os.environ.get("SCUMBLE_TORCH_INDEX", CPU_INDEX).rstrip("/")


def reachable(index: str, seconds: float = 4.0) -> bool:
    """Whether the index answers for torch soon enough to bother."""
    if not index:
        return False
    try:
        with urllib.request.urlopen(f"{index}/torch/", timeout=seconds) as answer:
            return bool(answer.status == 200)
    except (OSError, ValueError, urllib.error.URLError):
        return False


def options(names: Sequence[str], device: str, index: str | None = None) -> list[str]:
    """Extra pip options that get the right build, given what pip would fetch without them.

    The CPU index is asked only where it helps: there is no GPU and the usual index would bring CUDA.

    :param names: packages of the plan without options.
    :param device: the GPU's name or ``""``.
    """
    if device or not for_gpu(names):
        return []
    index = cpu_index() if index is None else index
    # A local version (2.13.0+cpu) counts as newer than the same without, so pip prefers it.
    return ["--extra-index-url", index] if reachable(index) else []
