"""Which device to compute on, how much memory it has, and what counts as running out of it."""

from __future__ import annotations

import logging
import os
import sys
from functools import lru_cache
from typing import Any

import torch
from torch.nn import functional as F

from . import allocator

_log = logging.getLogger(__name__)

#: Share of the free memory that a job may plan with; the rest is for the editor and the system.
PLANNED_SHARE = 0.7

#: What torch's allocator, its convolutions and Python's threads say when the system gives them no memory.
OUT_OF_MEMORY = (
    "not enough memory",
    "out of memory",
    "can't allocate memory",
    "could not create a primitive",
    "can't start new thread",
)


def choose(name: str | None) -> torch.device:
    """The named device, or CUDA where there is one that computes, or the CPU."""
    return torch.device(name or ("cuda" if gpu() else "cpu"))


@lru_cache(maxsize=1)
def gpu() -> bool:
    """Whether there is a GPU that computes; it is tried once a process."""
    return torch.cuda.is_available() and computes(torch.device("cuda"))


def computes(device: torch.device) -> bool:
    """Whether a convolution can be had of it.

    A GPU that is older than this build of torch supports is available like any other and fails at the first
    work, every time.
    """
    try:
        x = torch.ones(1, 8, 8, 8, device=device)
        return float(F.conv2d(x, x).sum()) > 0
    except RuntimeError as error:
        _log.warning("%s is there and cannot compute, so the CPU does: %s", device, error)
        return False


def memory(device: torch.device) -> tuple[int, int]:
    """(free, total) bytes of the device; (0, 0) where the system does not tell."""
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        # What torch holds in its own pool and does not use is free for us.
        return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device), total
    return _system_memory()


def _system_memory() -> tuple[int, int]:
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            found = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines if "kB" in line}
        return found["MemAvailable"], found["MemTotal"]
    except (OSError, KeyError, ValueError):
        pass
    try:
        page = os.sysconf("SC_PAGE_SIZE")
        total = page * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 0, 0
    # macOS does not tell what is free; half is a fair guess there.
    return total // 2, total


def budget(device: torch.device) -> int:
    """Bytes that a job may plan with now; ``SCUMBLE_MEMORY_MB`` overrides it; 0 means unknown."""
    wanted = os.environ.get("SCUMBLE_MEMORY_MB", "")
    if wanted.isdecimal() and int(wanted) > 0:
        return int(wanted) << 20
    return int(memory(device)[0] * PLANNED_SHARE)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory ran out; torch and what it stands on say so in several ways."""
    if isinstance(error, (MemoryError, torch.cuda.OutOfMemoryError)):
        return True
    text = str(error).lower()
    # A "primitive descriptor" that cannot be created is another matter: an operation that does not exist.
    return isinstance(error, RuntimeError) and (
        any(said in text for said in OUT_OF_MEMORY) and "primitive descriptor" not in text
    )


def peak_bytes(device: torch.device) -> int:
    """The most memory used: of the device since :func:`reset_peak`, of the process so far on the CPU."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    try:
        import resource
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def reset_peak(device: torch.device) -> None:
    """Start measuring the device's peak anew."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def release(device: torch.device) -> None:
    """Give memory that torch keeps in reserve back to the device."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    allocator.return_freed_memory()


def describe(device: torch.device) -> dict[str, Any]:
    """Name and memory, as plain data."""
    free, total = memory(device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    return {
        "kind": device.type,
        "name": name,
        "threads": torch.get_num_threads(),
        "memory_total": total,
        "memory_free": free,
    }
