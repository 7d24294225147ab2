"""Regions from what the image has: the children of a layer group, or saved channels, by name."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scumble.plugin.common.regions import RegionEntry
from scumble.plugin.common.sources import CHANNEL, LAYER_ALPHA, MaskSource, StyleSource, is_number
from scumble.shared.errors import Code, ScumbleError

from .arguments import Given, style_of
from .names import CHANNELS, GROUP

KINDS = {GROUP: LAYER_ALPHA, CHANNELS: CHANNEL}


@dataclass(frozen=True)
class Assignment:
    """A mask's name, and what is painted there.

    :param mask: a layer's or channel's name; ``"*"`` for all that are not named.
    """

    mask: str
    style: StyleSource
    strength: float = 1.0
    options: Mapping[str, Any] | None = None


def parse(text: str) -> tuple[Assignment, ...]:
    """The argument ``regions``: a JSON list of objects.

    Each has ``mask`` (a name) and one of ``style`` (a gallery id or a blend), ``file``, ``words``; and
    may have ``strength`` and ``options``.

    :raises ScumbleError: ``bad_request`` with what is wrong.
    """
    if not text.strip():
        return ()
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise _refuse("It is not JSON.") from None
    if not isinstance(data, list):
        raise _refuse("It is not a list.")
    return tuple(_assignment(entry, number) for number, entry in enumerate(data, 1))


def dump(assignments: Iterable[Assignment]) -> str:
    """The argument for these; :func:`parse` gives them back."""
    from .arguments import style_words

    data = []
    for each in assignments:
        entry: dict[str, Any] = {"mask": each.mask, **style_words(each.style)}
        if each.strength != 1.0:
            entry["strength"] = each.strength
        if each.options:
            entry["options"] = dict(each.options)
        data.append(entry)
    return json.dumps(data, ensure_ascii=False)


def entries(kind: str, names: Sequence[str], assignments: Sequence[Assignment]) -> tuple[RegionEntry, ...]:
    """The regions: masks that nothing is assigned to are left alone.

    :param kind: :data:`GROUP` or :data:`CHANNELS`.
    :param names: of the masks that there are, in their order.
    :raises ScumbleError: ``bad_request`` for a mask that is not there, ``empty_selection`` if there is
        none at all, ``unknown_style`` if nothing has a style.
    """
    where = "visible layer in the group" if kind == GROUP else "saved channel"
    if not names:
        raise ScumbleError(
            Code.EMPTY_SELECTION,
            f"There is no {where}, so there is no region to stylize.",
            "Put a layer for each region into the group, painted where the style should go."
            if kind == GROUP
            else "Save a selection for each region: Select > Save to Channel.",
        )
    named = {each.mask: each for each in assignments}
    missing = [name for name in named if name != "*" and name not in names]
    if missing:
        raise ScumbleError(
            Code.BAD_REQUEST,
            f"There is no {where} called {missing[0][:60]!r}.",
            "There is: " + ", ".join(repr(name[:40]) for name in names[:8]) + ".",
        )
    found = tuple(
        RegionEntry(
            f"r{number}",
            MaskSource(KINDS[kind], name),
            each.style,
            name,
            each.strength,
            True,
            each.options or {},
        )
        for number, name in enumerate(names, 1)
        if (each := named.get(name, named.get("*"))) is not None
    )
    if not found:
        raise ScumbleError(
            Code.UNKNOWN_STYLE, "No region has a style yet.", "Choose a style for at least one region."
        )
    return found


def _assignment(entry: Any, number: int) -> Assignment:
    if not isinstance(entry, dict) or not isinstance(entry.get("mask"), str) or not entry["mask"]:
        raise _refuse(f"Entry {number} names no mask.")
    given = {key: entry.get(key, "") for key in ("style", "file", "words")}
    if not all(isinstance(value, str) for value in given.values()):
        raise _refuse(f"Entry {number} has a style that is no text.")
    style = style_of(Given(given["style"], given["file"], None, given["words"]))
    strength, options = entry.get("strength", 1.0), entry.get("options", {})
    if not is_number(strength) or not 0 <= strength <= 1:
        raise _refuse(f"Entry {number} has a strength that is not from 0 to 1.")
    if not isinstance(options, dict):
        raise _refuse(f"Entry {number} has options that are no object.")
    return Assignment(entry["mask"], style, float(strength), options)


def _refuse(why: str) -> ScumbleError:
    return ScumbleError(
        Code.BAD_REQUEST,
        f"The regions cannot be understood. {why}",
        'Write them like [{"mask": "sky", "style": "night-swirls"}, {"mask": "*", "file": "a.png"}].',
    )
