"""Training curves as CSV: a line a measurement, readable by any plotting tool, safe to append to."""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping
from pathlib import Path


class Curves:
    """Append named values per step to a CSV file and echo them to standard error."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path

    def add(self, step: int, seconds: float, values: Mapping[str, float]) -> None:
        """Write one row a value: ``step, seconds, name, value``."""
        with self.path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            for name, value in values.items():
                writer.writerow([step, f"{seconds:.1f}", name, f"{value:.6g}"])
        shown = "  ".join(f"{name} {value:.4g}" for name, value in values.items())
        print(f"step {step:6d}  {seconds:7.1f} s  {shown}", file=sys.stderr, flush=True)
