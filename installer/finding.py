"""One thing that the doctor looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "note", "missing", "wrong"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    :param status: ``ok``; ``note`` for what is only worth knowing; ``missing`` for what the next step
        puts right; ``wrong`` for what stands in the way.
    :param todo: what to do about it, or ``""``.
    """

    what: str
    status: Status
    found: str
    todo: str = ""
