"""A progress bar on a terminal, silence in a pipe."""

from __future__ import annotations

import shutil
import sys
import time
from types import TracebackType
from typing import TextIO

_WIDTH = 24
#: Seconds between two drawings: more often only costs.
_EVERY = 0.05


class Bar:
    """``with Bar() as bar: bar("paint", 3, 8)`` draws on stderr if that is a terminal."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stderr
        self.shown = self.stream.isatty()
        self._last = ("", 0.0)
        self._drawn = False

    def __call__(self, stage: str, done: int, of: int) -> None:
        """Show that ``done`` of ``of`` steps of a stage are over."""
        now = time.monotonic()
        if not self.shown or (self._last[0] == stage and done < of and now - self._last[1] < _EVERY):
            return
        self._last = (stage, now)
        share = min(1.0, done / of) if of > 0 else 0.0
        full = round(share * _WIDTH)
        line = f"[{'#' * full}{'.' * (_WIDTH - full)}] {share:4.0%}  {stage}"
        columns = shutil.get_terminal_size().columns - 1
        self.stream.write(f"\r{line[:columns]}\x1b[K")
        self.stream.flush()
        self._drawn = True

    def __enter__(self) -> Bar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._drawn:
            self.stream.write("\r\x1b[K")
            self.stream.flush()
