"""Long work of the GUI thread in short pieces, so that the canvas never waits for it.

libkis may be called in the GUI thread only, so reading a large layer cannot go to another thread.  It is
written as a generator instead, which yields wherever it may be interrupted; each turn of the event loop
gets as many of its pieces as fit into :data:`BUDGET_S`.  What is small is done in the first turn.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from typing import TypeVar

from .loop import Action, Loop

T = TypeVar("T")
#: Work that yields where it may be interrupted, and returns what it was done for.
Steps = Generator[None, None, T]

#: Seconds of work in a turn of the event loop, after which the next piece waits for the next turn.
BUDGET_S = 0.012
#: Bytes that one piece touches at most: some milliseconds for reading, converting or packing them.
PIECE_BYTES = 2 * 1024 * 1024


def run(
    loop: Loop, steps: Steps[T], done: Callable[[T], None], failed: Callable[[BaseException], None]
) -> Action:
    """Begin now, and go on in later turns; calling what comes back ends it, and nothing is called then.

    :param done: called with what the steps return.
    :param failed: called with what they raise.
    """
    next_turn: list[Action] = []
    over = False

    def stop() -> None:
        nonlocal over
        over = True
        if next_turn:
            next_turn.pop()()
        # A generator that runs (Krita let the event loop turn inside of it) stops at its next piece.
        if not running:
            steps.close()

    running = False

    def turn() -> None:
        nonlocal over, running
        next_turn.clear()
        until = time.perf_counter() + BUDGET_S
        running = True
        try:
            while not over:
                next(steps)
                if time.perf_counter() >= until:
                    break
        except StopIteration as end:
            if not over:
                over = True
                done(end.value)
            return
        except Exception as error:
            if not over:
                over = True
                failed(error)
            return
        finally:
            running = False
        if over:
            steps.close()
        else:
            next_turn.append(loop.later(0, turn))

    turn()
    return stop


def at_once(steps: Steps[T]) -> T:
    """All of it, without a break."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: T = end.value
            return found


def aside(work: Callable[[], T]) -> Steps[T]:
    """Work that needs nothing of the GUI thread, such as reading a file, in a thread of its own."""
    found: list[T] = []
    raised: list[BaseException] = []

    def do() -> None:
        try:
            found.append(work())
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=do, name="scumble-aside", daemon=True)
    thread.start()
    while thread.is_alive():
        yield
        thread.join(BUDGET_S)
    if raised:
        raise raised[0]
    return found[0]


def strips(rows: int, row_bytes: int, multiple: int = 1) -> tuple[tuple[int, int], ...]:
    """(first row, number of rows) of the pieces that so many rows of so many bytes are worked in.

    :param multiple: of which the numbers are multiples, but for the last.
    """
    high = max(1, PIECE_BYTES // max(1, row_bytes) // multiple) * multiple
    return tuple((first, min(high, rows - first)) for first in range(0, rows, high))
