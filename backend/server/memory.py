"""How much memory there is, without torch and without a library for it."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

from scumble.shared.errors import Code, ScumbleError

#: Left to the rest of the machine, whatever a job would like.
RESERVE = 256 * 2**20


def available_bytes() -> int | None:
    """Memory that can be had without swapping, ``None`` where the system does not say."""
    if sys.platform == "win32":
        return _windows()
    try:
        for line in Path("/proc/meminfo").read_text("ascii").splitlines():
            if line.startswith("MemAvailable:"):
                free = int(line.split()[1]) * 1024
                limit = _cgroup()
                return free if limit is None else min(free, limit)
    except (OSError, ValueError, IndexError):
        pass
    return None


def _cgroup() -> int | None:
    """What a container's limit leaves, if there is one (version 2, or version 1's memory controller)."""
    for most, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        try:
            root = Path("/sys/fs/cgroup")
            limit = (root / most).read_text("ascii").strip()
            if limit != "max" and int(limit) < 2**60:
                return max(0, int(limit) - int((root / used).read_text("ascii")))
        except (OSError, ValueError):
            continue
    return None


def _windows() -> int | None:
    class Memory(ctypes.Structure):
        _fields_ = [
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            *((f"field{i}", ctypes.c_ulonglong) for i in range(7)),
        ]

    memory = Memory()
    memory.length = ctypes.sizeof(Memory)
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 (only there on Windows)
    # Total and available physical memory are the first two of the seven.
    return int(memory.field1) if kernel.GlobalMemoryStatusEx(ctypes.byref(memory)) else None


def check(needed: int, available: int | None) -> None:
    """Refuse a job that cannot fit.

    :raises ScumbleError: ``out_of_memory``, worth another try when other programs have ended.
    """
    if available is not None and needed > max(0, available - RESERVE):
        raise ScumbleError(
            Code.OUT_OF_MEMORY,
            f"This needs about {_size(needed)} of memory, and {_size(max(0, available - RESERVE))} are free.",
            "Select a smaller part, lower the working size, or close other programs.",
            retry=True,
        )


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{max(1, count // 2**20)} MiB"
