"""Results with the settings that made them, the newest first, bounded in bytes.

When pixels have to go, the settings stay: "re-run with these settings" works for far longer than
"put this result back".  Safe to use from any thread.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from typing import Any

from scumble.shared.messages import StylizeResult

from .annotation import RunSettings

MAX_BYTES, MAX_ENTRIES = 512 * 1024 * 1024, 200


@dataclass(frozen=True)
class Made:
    """A result.

    :param id: of its job.
    :param result: ``None`` when its pixels were dropped to make room.
    :param tag: whatever the editor gave with the job: the document and layer, say.
    :param made_at: seconds since 1970.
    :param seconds: from "stylize" to the result.
    """

    id: str
    settings: RunSettings | None
    result: StylizeResult | None
    tag: Any = None
    made_at: float = 0.0
    seconds: float = 0.0

    @property
    def nbytes(self) -> int:
        """Bytes of its pixels."""
        return 0 if self.result is None else memoryview(self.result.layer.data).nbytes


class History:
    """See the module.

    :param max_bytes: of pixels; the newest result stays however large it is.
    """

    def __init__(self, max_bytes: int = MAX_BYTES, max_entries: int = MAX_ENTRIES) -> None:
        self.max_bytes, self.max_entries = max_bytes, max_entries
        self._made: tuple[Made, ...] = ()
        self._lock = threading.Lock()

    @property
    def entries(self) -> tuple[Made, ...]:
        """The newest first."""
        return self._made

    @property
    def nbytes(self) -> int:
        """Bytes of all pixels that are kept."""
        return sum(made.nbytes for made in self._made)

    def add(
        self,
        id: str,
        result: StylizeResult,
        settings: RunSettings | None = None,
        tag: Any = None,
        seconds: float = 0.0,
    ) -> Made:
        """Keep a result; older pixels go if there are too many."""
        made = Made(id, settings, result, tag, time.time(), seconds)
        with self._lock:
            kept = [made]
            left = self.max_bytes - made.nbytes
            for old in self._made[: self.max_entries - 1]:
                if old.nbytes > left:
                    left = 0  # none that is older than a dropped one stays: no holes
                    old = replace(old, result=None)
                left -= old.nbytes
                if old.result is not None or old.settings is not None:
                    kept.append(old)
            self._made = tuple(kept)
        return made

    def get(self, id: str) -> Made | None:
        """The entry of a job, if there is one."""
        return next((made for made in self._made if made.id == id), None)

    def remove(self, id: str) -> None:
        """Forget one; nothing happens if it is not there."""
        with self._lock:
            self._made = tuple(made for made in self._made if made.id != id)

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._made = ()
