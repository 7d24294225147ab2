"""What the backend offers, made of its answer to ``describe``; anything odd in it is left out."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scumble.plugin.common import forms

from .interface import StyleCard


@dataclass(frozen=True)
class Catalogue:
    """Engines, styles and the device.

    :param description: the answer itself.
    """

    description: Mapping[str, Any] = field(default_factory=dict)
    engines: tuple[forms.Form, ...] = ()
    styles: tuple[StyleCard, ...] = ()
    device: str = ""

    @classmethod
    def of(cls, description: Mapping[str, Any]) -> Catalogue:
        """From an answer; never raises."""
        entries = description.get("styles")
        cards = [_card(e) for e in entries if isinstance(e, Mapping)] if isinstance(entries, list) else []
        return cls(
            description,
            forms.forms(description),
            tuple(card for card in cards if card is not None),
            _device(description.get("device")),
        )

    def form(self, engine: str) -> forms.Form | None:
        """An engine's form."""
        return next((form for form in self.engines if form.engine == engine), None)

    def style_label(self, id: str) -> str:
        """What the gallery calls a style."""
        return next((card.name for card in self.styles if card.id == id), id.replace("-", " "))


def _card(entry: Mapping[str, Any]) -> StyleCard | None:
    id = _text(entry, "id")
    if not id:
        return None
    tags = entry.get("tags")
    return StyleCard(
        id,
        _text(entry, "name") or id,
        _text(entry, "description"),
        tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, (list, tuple)) else (),
        _picture(entry.get("thumbnail")),
        _text(entry, "source") not in ("", "bundled"),
    )


def _picture(data: Any) -> bytes:
    if not isinstance(data, str):
        return b""
    try:
        return base64.b64decode(data.rpartition(",")[2], validate=True)
    except (ValueError, binascii.Error):
        return b""


def _device(data: Any) -> str:
    if not isinstance(data, Mapping):
        return ""
    name, threads = _text(data, "name"), data.get("threads")
    if data.get("kind") == "cpu" and isinstance(threads, int):
        return f"{name or 'CPU'}, {threads} thread{'s' * (threads != 1)}"
    return name


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    return value if isinstance(value, str) else ""
