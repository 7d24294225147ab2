"""Keeping freed memory for the next tensor, having some ready, and giving it back after a while.

A layer's activations are tens of megabytes each.  The C library asks the system for every one of them
and returns it afterwards, and the system clears each page again when it is touched: on a CPU that
costs as much as the convolutions do.  Kept, the pages are reused as they are.
"""

from __future__ import annotations

import ctypes
import mmap
import sys
from collections.abc import Callable

# The parameters of glibc's mallopt (malloc.h).
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8

#: About what the features of a layer of 1024 x 1024 pixels take, and a part of what they are made with.
READY_BYTES = 192 << 20
_SLICE = 8 << 20

_kept = False


def keep_freed_memory() -> bool:
    """Have freed memory kept for later allocations; for programs that own their process.

    :returns: whether it took effect; only glibc has it to offer, elsewhere nothing happens.
    """
    mallopt = _glibc("mallopt")
    if mallopt is None:
        return False
    # One arena, grown at its end: the others are made of pieces of 64 MiB, too small for a layer.
    wanted = ((_ARENA_MAX, 1), (_MMAP_THRESHOLD, 1 << 30), (_TRIM_THRESHOLD, 2**31 - 1))
    global _kept
    _kept = sum(mallopt(name, value) for name, value in wanted) == len(wanted)
    return _kept


def have_memory_ready(size: int = READY_BYTES, enough: Callable[[], bool] = lambda: False) -> bool:
    """Have that much kept memory in place before it is needed; for moments without work.

    The features of a layer are kept for the next style, so every new layer needs new pages, and
    waiting for them is a tenth of the time that painting it takes.

    :param enough: asked every few milliseconds; true once there is something better to do.
    :returns: whether it took effect.
    """
    malloc, free = _glibc("malloc"), _glibc("free")
    if not _kept or malloc is None or free is None:
        return False
    malloc.restype = ctypes.c_void_p  # type: ignore[attr-defined]
    place: int | None = malloc(ctypes.c_size_t(size))
    if place is None:
        return False
    try:
        block = memoryview((ctypes.c_char * size).from_address(place)).cast("B")
        for start in range(0, size, _SLICE):
            if enough():
                break
            # A page that is there already costs next to nothing.
            pages = block[start : start + _SLICE : mmap.PAGESIZE]
            pages[:] = bytes(len(pages))
    finally:
        free(ctypes.c_void_p(place))
    return True


def return_freed_memory() -> bool:
    """Give everything that is free back to the system; returns whether anything was."""
    trim = _glibc("malloc_trim")
    return trim is not None and trim(0) == 1


def _glibc(name: str) -> Callable[..., int] | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        found: Callable[..., int] = getattr(ctypes.CDLL(None), name)
    except (OSError, AttributeError):
        return None
    return found
