"""Whether, and with what, parts of the layer can be matched."""

from __future__ import annotations

from typing import Any

from scumble.plugin.common.sources import BlendedStyle, StyleSource, WordStyle

from ..interface import Snapshot

#: Parts asked for at first where the engine does not say, and at most.
PARTS, MOST_PARTS = 4, 16
#: The engine's options by which it says that it pairs, and how many parts.
PAIRS, COUNT = "pairs", "parts"


def pairs_parts(state: Snapshot) -> bool:
    """Whether the chosen engine pairs parts of the layer with parts of the painting."""
    return state.form is not None and any(field.name == PAIRS for field in state.form.fields)


def chosen_style(state: Snapshot) -> StyleSource | None:
    """The style at hand: of the picked region, or for what is painted next."""
    picked = next((entry for entry in state.regions if entry.id == state.picked), None)
    return picked.style if picked is not None else state.style


def why_not(style: StyleSource | None) -> str:
    """Why a style has no parts to be paired with; ``""`` if it has."""
    if style is None:
        return "Choose a style first."
    if isinstance(style, BlendedStyle):
        return "A blend has no parts: choose one style."
    return "Words have no parts: choose a picture." if isinstance(style, WordStyle) else ""


def parts_of(state: Snapshot) -> int:
    """The number of parts that the engine is set to."""
    fields = state.form.fields if state.form is not None else ()
    value: Any = next((field.value for field in fields if field.name == COUNT), PARTS)
    return min(max(2, int(value)), MOST_PARTS) if isinstance(value, (int, float)) else PARTS
