"""What a run has measured so far, safe on disk, and how far it is."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from scumble.shared.errors import Code, ScumbleError


class Journal:
    """The measured records, one JSON line each behind a line that says what was measured.

    :raises ScumbleError: ``bad_request`` if the file belongs to a different run, ``disk`` if it
        cannot be written.
    """

    def __init__(self, file: Path, print_of_run: Mapping[str, Any], *, restart: bool = False) -> None:
        self.file = file
        self.records: dict[tuple[str, str], dict[str, Any]] = {}
        head = json.dumps({"fingerprint": print_of_run}, sort_keys=True)
        try:
            lines = [] if restart or not file.is_file() else file.read_text("utf-8").split("\n")
            if lines and lines[0] != head:
                raise ScumbleError(
                    Code.BAD_REQUEST,
                    f"{file} holds measurements made with other settings, weights or code.",
                    "Add --restart to measure anew, or give another report with -o.",
                )
            good = [head]
            for line in lines[1:]:
                try:
                    record = json.loads(line)
                    key = (record["triplet"], record["variant"])
                except (ValueError, KeyError, TypeError):
                    continue  # the half line of an interrupted run
                if "error" not in record:  # failures get another chance
                    self.records[key] = record
                    good.append(line)
            file.parent.mkdir(parents=True, exist_ok=True)
            partial = file.with_name(file.name + ".partial")
            partial.write_text("\n".join(good) + "\n", "utf-8")
            partial.replace(file)
        except OSError as error:
            raise ScumbleError(Code.DISK, f"{file} cannot be written: {error.strerror}.") from error

    def add(self, record: dict[str, Any]) -> None:
        """Remember a record, on disk at once."""
        self.records[record["triplet"], record["variant"]] = record
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")


class Bar:
    """A progress bar: redrawn in a terminal, a line every tenth elsewhere."""

    def __init__(self, total: int, done: int = 0, stream: TextIO | None = None) -> None:
        self.total, self.done, self.first = total, done, done
        self.stream = stream or sys.stderr
        self.started = time.monotonic()
        self._tenth = -1
        self._show()

    def step(self) -> None:
        """One more is done."""
        self.done += 1
        self._show()

    def _show(self) -> None:
        share = self.done / max(1, self.total)
        fresh = self.done - self.first
        left = (time.monotonic() - self.started) / fresh * (self.total - self.done) if fresh else 0.0
        text = f"{self.done}/{self.total}" + (f", {left / 60:.1f} min left" if fresh else "")
        if self.stream.isatty():
            bar = "#" * round(30 * share)
            print(f"\r[{bar:<30}] {text}   ", end="\n" if share >= 1 else "", file=self.stream, flush=True)
        elif int(share * 10) != self._tenth:
            self._tenth = int(share * 10)
            print(text, file=self.stream, flush=True)
