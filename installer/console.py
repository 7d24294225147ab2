"""Progress for people: steps with their time, a bar on a terminal, plain lines in a pipe."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import TextIO


def megabytes(size: float) -> str:
    """A size as people read it."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


class Console:
    """Where the installer speaks.

    :param stream: where to; the bar appears only if it is a terminal.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stdout
        self.live = bool(getattr(self.stream, "isatty", lambda: False)())
        encoding = getattr(self.stream, "encoding", None) or "ascii"
        try:
            "━✓".encode(encoding)
            self.rich = True
        except (UnicodeEncodeError, LookupError):
            self.rich = False

    def line(self, text: str = "") -> None:
        """One line; what the stream cannot show is replaced, never an error."""
        encoding = getattr(self.stream, "encoding", None) or "ascii"
        self.stream.write(text.encode(encoding, "replace").decode(encoding) + "\n")
        self.stream.flush()

    def step(self, text: str) -> Step:
        """A step as a context manager: shows that it runs, then how long it took."""
        return Step(self, text)


class Step:
    """One step of the work, with its own line."""

    def __init__(self, console: Console, text: str) -> None:
        self.console = console
        self.text = text
        self.note = ""
        self._began = 0.0
        self._done = 0
        self._of = 0
        self._over = threading.Event()
        self._ticker: threading.Thread | None = None

    def progress(self, done: int, of: int) -> None:
        """Bytes fetched so far and in all."""
        self._done, self._of = done, of

    def __enter__(self) -> Step:
        self._began = time.monotonic()
        if self.console.live:
            self._ticker = threading.Thread(target=self._tick, daemon=True)
            self._ticker.start()
        else:
            self.console.line(f"  {self.text} ...")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        seconds = time.monotonic() - self._began
        if self._ticker:
            self._ticker.join()
            self.console.stream.write("\r\x1b[K")
        if kind is None:
            mark = "✓" if self.console.rich else "-"
            note = f"  ({self.note})" if self.note else ""
            self.console.line(f"  {mark} {self.text}{note}  {seconds:.1f} s")

    def _tick(self) -> None:
        while not self._over.wait(0.2):
            self.console.stream.write(f"\r\x1b[K  {self._picture()}")
            self.console.stream.flush()

    def _picture(self) -> str:
        seconds = time.monotonic() - self._began
        if self._of <= 0:
            return f"{self.text} ...  {seconds:.0f} s"
        share = min(1.0, self._done / self._of)
        full, empty = ("━", "·") if self.console.rich else ("#", ".")
        bar = full * round(24 * share) + empty * (24 - round(24 * share))
        return f"{self.text}  {bar}  {megabytes(self._done)} of {megabytes(self._of)}  {seconds:.0f} s"
