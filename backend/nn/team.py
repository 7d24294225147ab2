"""Several single-threaded pieces of work at once, each on a core of its own.

Torch shares every single operation among its threads, and between two operations all of them wait for the
slowest and for the interpreter.  Where a piece of work is many short operations, or runs on one thread
anyway (factors, eigenvectors, searches), it is quicker to give every core a piece of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

import torch

_Found = TypeVar("_Found")

_lock = threading.Lock()
_pool: ThreadPoolExecutor | None = None
_members = 0
_here = threading.local()


def size() -> int:
    """How many pieces can be worked on at once: torch's threads; 1 within a piece."""
    return 1 if getattr(_here, "member", False) else torch.get_num_threads()


def _join() -> None:
    _here.member = True
    torch.get_num_threads()  # or the first operation would take over what new threads begin with
    torch.set_num_threads(1)


def _gathered(count: int) -> ThreadPoolExecutor:
    """The threads, which stay for the next time."""
    global _pool, _members
    with _lock:
        if _pool is None or _members < count:
            if _pool is not None:
                _pool.shutdown(wait=False)
            before = torch.get_num_threads()
            _pool, _members = ThreadPoolExecutor(count, "scumble-team", initializer=_join), count
            started = threading.Barrier(count + 1)
            for _ in range(count):
                _pool.submit(started.wait)
            started.wait()
            # A thread's number of threads is its own, but the last one said is what new threads begin with.
            torch.set_num_threads(before)
        return _pool


def together(pieces: Sequence[Callable[[], _Found]]) -> list[_Found]:
    """What the pieces return, in order; each runs on one thread, without gradients.

    One after the other where torch has one thread, or gradients are wanted, or within a piece.

    :raises BaseException: what the first of them that failed raised, once all have ended.
    """
    if len(pieces) < 2 or size() < 2 or torch.is_grad_enabled():
        return [piece() for piece in pieces]

    inference = torch.is_inference_mode_enabled()

    def run(piece: Callable[[], _Found]) -> _Found:
        with torch.inference_mode() if inference else torch.no_grad():
            return piece()

    pool = _gathered(size())
    futures: list[Future[_Found]] = [pool.submit(run, piece) for piece in pieces]
    wait(futures)
    return [future.result() for future in futures]


def shares(length: int, count: int) -> list[tuple[int, int]]:
    """(begin, end) of up to ``count`` nearly equal parts of ``range(length)``, none of them empty."""
    count = max(1, min(length, count))
    return [(i * length // count, (i + 1) * length // count) for i in range(count)]
