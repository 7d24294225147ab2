"""What a session can ask the backend, other than for a new layer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from scumble.shared.segmenting import SegmentRequest

from .jobs import Query


class Questions(ABC):
    """The questions of a :class:`~.session.JobSession`; to be asked from any thread.

    Each gives the :class:`~.jobs.Query` that will have the answer.
    """

    @abstractmethod
    def _ask(self, kind: str, **arguments: Any) -> Query:
        """Ask what :class:`~scumble.shared.client.Client` has a method for."""

    def describe(self, refresh: bool = False) -> Query:
        """Ask what the backend can do; the answer is also kept as ``description``."""
        return self._ask("describe", refresh=refresh)

    def models(self, action: str, model: str = "") -> Query:
        """``list``, ``fetch`` or ``remove`` weights."""
        return self._ask("models", action=action, model=model)

    def segment(self, request: SegmentRequest) -> Query:
        """Ask for selections; the answer is a :class:`~scumble.shared.segmenting.SegmentResult`."""
        return self._ask("segment", request=request)

    def picture(self, style: str, side: int) -> Query:
        """A style's picture of the gallery, at most ``side`` pixels long."""
        return self._ask("picture", style=style, side=side)

    def free_memory(self) -> Query:
        """Have the backend drop its caches."""
        return self._ask("free_memory")

    def ping(self) -> Query:
        """Ask how the backend is."""
        return self._ask("ping")

    def shutdown(self) -> Query:
        """End the backend."""
        return self._ask("shutdown")
