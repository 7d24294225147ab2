"""Results of this session, and where their layers are."""

from __future__ import annotations

from dataclasses import dataclass, replace

from scumble.plugin.common.history import History, Made
from scumble.shared.errors import Code, ScumbleError

from .host.api import Host, Target
from .interface import HistoryItem
from .runs import Run, Spill

#: Whose layers are looked after.
_WATCHED = 20


@dataclass(frozen=True)
class Where:
    """A result's way into the document.

    :param layer: its layer; ``""`` if it could not be placed.
    :param frames: of an animation all frames, on the disk.
    """

    target: Target
    layer: str
    name: str
    frames: Spill | None = None


class Past:
    """See the module."""

    def __init__(self, host: Host) -> None:
        self.history = History()
        self._host = host
        self._seen: dict[str, tuple[bool, bool]] = {}

    def add(self, run: Run, id: str, layer: str, seconds: float) -> None:
        """Keep what a run has made; of several regions each is one result, an animation is one."""
        results, frames = run.results, run.frames
        if frames is not None:
            results = results[:1]  # its picture; all of them come back together
        for number, (title, result) in enumerate(results):
            name = id if len(results) == 1 else f"{id}-{number}"
            title = title if frames is None else run.name
            where = Where(run.order.target, layer, title, frames)
            self.history.add(name, result, run.settings, where, seconds)
            self._seen[name] = (bool(layer), bool(layer))

    def get(self, id: str) -> Made:
        """One of them, by default the newest; raises ``bad_request``."""
        made = self.history.get(id) if id else next(iter(self.history.entries), None)
        if made is None:
            raise ScumbleError(
                Code.BAD_REQUEST, "This result is not kept any more.", "Stylize again to have it anew."
            )
        return made

    def items(self) -> tuple[HistoryItem, ...]:
        """For the list, the newest first."""
        found = []
        for made in self.history.entries:
            placed, visible = self._seen.get(made.id, (False, False))
            where = made.tag
            found.append(
                HistoryItem(
                    made.id, where.name, made.made_at, made.seconds, made.result is not None, placed, visible
                )
            )
        return tuple(found)

    def moved(self, made: Made, layer: str) -> None:
        """A result has another layer now."""
        where = made.tag
        where = replace(where, layer=layer)
        entries = self.history.entries
        self.history.clear()
        for old in reversed(entries):
            tag = where if old.id == made.id else old.tag
            if old.result is not None:
                self.history.add(old.id, old.result, old.settings, tag, old.seconds)
        self._seen[made.id] = (True, True)

    def look(self) -> bool:
        """Look where the layers are; whether anything is new."""
        entries = self.history.entries[:_WATCHED]
        # Each document once: it may have hundreds of layers.
        layers = {id: self._host.layers(id) for id in {made.tag.target.document for made in entries}}
        seen = {}
        for made in entries:
            where: Where = made.tag
            visible = layers[where.target.document].get(where.layer)
            seen[made.id] = (visible is not None, bool(visible))
        changed = seen != {key: self._seen[key] for key in seen if key in self._seen}
        self._seen.update(seen)
        return changed

    def compare(self) -> str:
        """``before`` if the newest result that is placed is hidden, ``after`` if it is shown."""
        for made in self.history.entries:
            placed, visible = self._seen.get(made.id, (False, False))
            if placed:
                return "after" if visible else "before"
        return ""

    def toggle(self, id: str) -> None:
        """Hide or show a result's layer; by default the newest that is placed."""
        if not id:
            id = next((m.id for m in self.history.entries if self._seen.get(m.id, (False,))[0]), "")
        made = self.get(id)
        where: Where = made.tag
        shown = self._host.layers(where.target.document).get(where.layer)
        if shown is None:
            raise ScumbleError(
                Code.FILE_MISSING,
                "The layer of this result is not there any more.",
                "Put the result into the document again.",
            )
        visible = not shown
        self._host.set_visible(where.target.document, where.layer, visible)
        self._seen[made.id] = (True, visible)
