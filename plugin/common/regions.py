"""The list of regions as the user edits it: entries never change, the list does.

Taking a snapshot costs nothing and stays as it is; a worker may read one while the user goes on editing.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from scumble.shared.errors import Code, ScumbleError
from scumble.shared.limits import LIMITS

from .annotation import RegionSettings, RunSettings
from .sources import CURRENT, MaskSource, StyleSource, style_name


@dataclass(frozen=True)
class RegionEntry:
    """A region in the list.

    :param id: of its own, as long as the list lives.
    :param style: ``None`` until the user has chosen one.
    :param strength: 0 to 1.
    :param options: what it has of its own, such as :meth:`~.forms.Form.options` of a region's form gives.
    """

    id: str
    mask: MaskSource = CURRENT
    style: StyleSource | None = None
    label: str = ""
    strength: float = 1.0
    enabled: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0.0 <= self.strength <= 1.0:  # also false for NaN
            raise ScumbleError(
                Code.OPTION_OUT_OF_RANGE,
                "The strength of a region is a number from 0 to 1.",
                "Use 0 to leave it as it is and 1 for the full style.",
            )
        object.__setattr__(self, "options", dict(self.options))

    @property
    def name(self) -> str:
        """Its label, or the name of its style."""
        return self.label or style_name(self.style)

    def settings(self) -> RegionSettings:
        """What to remember of it; raises ``unknown_style`` while it has no style."""
        if self.style is None:
            raise ScumbleError(
                Code.UNKNOWN_STYLE,
                f"Region {self.label[:60]!r} has no style yet."
                if self.label
                else "A region has no style yet.",
                "Choose a style for it, or switch the region off.",
            )
        return RegionSettings(self.style, self.mask, self.strength, self.options, self.label)


class RegionList:
    """See the module.  Where entries overlap, order does not matter to the picture, only to the eye."""

    def __init__(self, entries: Iterable[RegionEntry] = ()) -> None:
        self._entries: tuple[RegionEntry, ...] = ()
        self._numbers = itertools.count(1)
        for entry in entries:
            self._entries = (*self._entries, replace(entry, id=self._fresh(entry.id)))

    @classmethod
    def of(cls, settings: RunSettings) -> RegionList:
        """The regions of an earlier run, to be edited or run again."""
        return cls(
            RegionEntry("", region.mask, region.style, region.label, region.strength, True, region.options)
            for region in settings.regions
        )

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[RegionEntry]:
        return iter(self._entries)

    def snapshot(self) -> tuple[RegionEntry, ...]:
        """The entries as they are now."""
        return self._entries

    def get(self, id: str) -> RegionEntry:
        """An entry; raises ``KeyError`` if it is not there (any more)."""
        return self._entries[self._index(id)]

    def add(
        self,
        mask: MaskSource | None = None,
        style: StyleSource | None = None,
        *,
        label: str = "",
        strength: float = 1.0,
        options: Mapping[str, Any] | None = None,
    ) -> RegionEntry:
        """Add one at the end; raises ``too_large`` when there is no room for more."""
        self._check_room()
        entry = RegionEntry(self._fresh(), mask or CURRENT, style, label, strength, True, options or {})
        self._entries = (*self._entries, entry)
        return entry

    def change(self, id: str, **changes: Any) -> RegionEntry:
        """Give an entry other values, by the names of its fields; raises ``KeyError``."""
        if "id" in changes:
            raise TypeError("an entry keeps its id")
        index = self._index(id)
        entry = replace(self._entries[index], **changes)
        self._entries = (*self._entries[:index], entry, *self._entries[index + 1 :])
        return entry

    def remove(self, id: str) -> RegionEntry:
        """Take one out; it."""
        index = self._index(id)
        entry = self._entries[index]
        self._entries = self._entries[:index] + self._entries[index + 1 :]
        return entry

    def move(self, id: str, index: int) -> None:
        """Put one at a place; places outside the list mean its ends."""
        entry = self.remove(id)
        index = max(0, min(index, len(self._entries)))
        self._entries = (*self._entries[:index], entry, *self._entries[index:])

    def duplicate(self, id: str) -> RegionEntry:
        """Put a copy below it; the copy.  Raises ``too_large`` when there is no room for more."""
        self._check_room()
        index = self._index(id)
        entry = replace(self._entries[index], id=self._fresh())
        self._entries = (*self._entries[: index + 1], entry, *self._entries[index + 1 :])
        return entry

    def clear(self) -> None:
        """Take all out."""
        self._entries = ()

    def _index(self, id: str) -> int:
        for index, entry in enumerate(self._entries):
            if entry.id == id:
                return index
        raise KeyError(id)

    def _fresh(self, wanted: str = "") -> str:
        taken = {entry.id for entry in self._entries}
        if wanted and wanted not in taken:
            return wanted
        return next(id for number in self._numbers if (id := f"r{number}") not in taken)

    def _check_room(self) -> None:
        if len(self._entries) >= LIMITS.regions:
            raise ScumbleError(
                Code.TOO_LARGE,
                f"There are {LIMITS.regions} regions already, which is the most that can be painted at once.",
                "Remove a region, or stylize in several steps.",
            )
