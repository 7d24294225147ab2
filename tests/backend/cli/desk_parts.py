"""What the command line's tests share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from scumble.shared.errors import Code

Scumble = Callable[..., tuple[int, str, str]]

TINT = ("--engine", "test-tint", "--local")


def array(path: Path) -> np.ndarray:
    return np.array(Image.open(path))


def refused(answer: tuple[int, str, str], code: Code, exit: int = 2) -> str:
    """Check that a failure is a sentence with its code and a hint, and no traceback."""
    status, _, err = answer
    assert status == exit, err
    sentence, *hint = err.strip().splitlines()
    assert sentence.startswith("scumble: ") and f"[{code.value}]" in sentence
    assert hint and hint[0].startswith("  ") and "Traceback" not in err
    return err


BASE = ("stylize", "photo.png", "--mask", "left.png", "--style", "red.png", *TINT, "-o", "l.png")


def swapped(old: str, new: str) -> tuple[str, ...]:
    return tuple(new if word == old else word for word in BASE)
