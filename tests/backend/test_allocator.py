"""Freed memory is kept while there is work and given back when there is none."""

from __future__ import annotations

import subprocess
import sys

import pytest

#: Runs in a process of its own: the settings are the whole process's and cannot be undone.
SCRIPT = """
import resource, sys
from scumble.backend.allocator import keep_freed_memory, return_freed_memory

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()

kept = keep_freed_memory()
size = 64 << 20
block = bytearray(b"x") * size
del block
faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    block = bytearray(b"x") * size
    del block
again = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults
held = resident()
return_freed_memory()
print(int(kept), again, held - resident())
"""

READY = """
import resource
from scumble.backend.allocator import have_memory_ready, keep_freed_memory

early = have_memory_ready(96 << 20)
kept = keep_freed_memory()
ready = have_memory_ready(96 << 20)
faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
blocks = [bytearray(b"x") * (16 << 20) for _ in range(5)]
print(int(early), int(kept), int(ready), resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only glibc has these settings")
def test_memory_that_was_made_ready_is_not_waited_for() -> None:
    done = subprocess.run([sys.executable, "-c", READY], capture_output=True, text=True, check=True)
    early, kept, ready, faults = (int(word) for word in done.stdout.split())
    assert not early, "memory that is not kept would be given back at once"
    if not kept:
        pytest.skip("this C library has no such settings")
    assert ready
    assert faults < (80 << 20) // 4096 // 4


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only glibc has these settings")
def test_memory_is_touched_afresh_only_once_and_goes_back_when_asked() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    kept, faults, returned = (int(word) for word in done.stdout.split())
    if not kept:
        pytest.skip("this C library has no such settings")
    pages_of_one_block = (64 << 20) // 4096
    assert faults < pages_of_one_block // 4
    assert returned > 48 << 20
