"""A store of tensors bounded in bytes; the least recently used go first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from torch import Tensor

#: What a value weighs beyond its tensors: keys, containers, numbers.
_OVERHEAD = 512


def size_of(value: Any) -> int:
    """Bytes of all tensors in a value: a tensor, or any nesting of tuples, lists, dicts, dataclasses.

    A tensor that is a view counts with the whole storage that it keeps alive.
    """
    seen: dict[int, int] = {}
    _storages(value, seen)
    return _OVERHEAD + sum(seen.values())


def _storages(value: Any, seen: dict[int, int]) -> None:
    if isinstance(value, Tensor):
        storage = value.untyped_storage()
        seen[storage.data_ptr()] = storage.nbytes()
    elif isinstance(value, Mapping):
        for item in value.values():
            _storages(item, seen)
    elif isinstance(value, (tuple, list)):
        for item in value:
            _storages(item, seen)
    elif is_dataclass(value):
        for f in fields(value):
            _storages(getattr(value, f.name), seen)


class TensorCache:
    """Least-recently-used cache, safe to use from several threads.

    :param limit: most bytes to hold; a value larger than that is not kept.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._values: OrderedDict[str, tuple[Any, int]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    @property
    def bytes(self) -> int:
        """Bytes held now."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: str) -> Any | None:
        """The value of that key, which counts as used now; ``None`` if there is none."""
        with self._lock:
            found = self._values.get(key)
            if found is None:
                return None
            self._values.move_to_end(key)
            return found[0]

    def put(self, key: str, value: Any) -> None:
        """Keep a value; older ones leave until it fits."""
        size = size_of(value)
        with self._lock:
            old = self._values.pop(key, None)
            if old is not None:
                self._bytes -= old[1]
            if size > self.limit:
                return
            while self._values and self._bytes + size > self.limit:
                _, (_, gone) = self._values.popitem(last=False)
                self._bytes -= gone
            self._values[key] = (value, size)
            self._bytes += size

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._values.clear()
            self._bytes = 0
