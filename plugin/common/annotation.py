"""The settings of a result as text, kept with the layer so that it can be made again.

Compact, versioned JSON: what has its default is left out.  :func:`parse` takes whatever somebody's hands
or another version made of it, keeps what can be understood and says what could not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .sources import (
    CURRENT,
    MaskSource,
    StyleSource,
    is_number,
    mask_from_plain,
    mask_to_plain,
    style_from_plain,
    style_name,
    style_to_plain,
)

#: Of the text's own form.
VERSION = 1
#: Name of the layer annotation or parasite.
NAME = "scumble-settings"
#: A text beyond this is not ours.
LONGEST = 256 * 1024
_REGIONS, _OPTIONS, _TEXT = 32, 64, 2_000
_SEED = 2**63


@dataclass(frozen=True)
class RegionSettings:
    """One region as it was painted.

    :param strength: 0 to 1.
    :param options: what it had of its own.
    """

    style: StyleSource
    mask: MaskSource = CURRENT
    strength: float = 1.0
    options: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""


@dataclass(frozen=True)
class RunSettings:
    """All that it takes to paint the same again.

    :param options: of the engine, those that differ from its defaults.
    :param version: Scumble's, for people.
    """

    engine: str
    regions: tuple[RegionSettings, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    version: str = ""

    @property
    def name(self) -> str:
        """For the new layer: its styles and its engine."""
        names = list(dict.fromkeys(style_name(region.style) for region in self.regions))
        shown = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
        return f"{shown} ({self.engine})" if shown else self.engine


@dataclass(frozen=True)
class Parsed:
    """:param settings: ``None`` if there was nothing to use.
    :param problems: a sentence for each thing that was left out."""

    settings: RunSettings | None
    problems: tuple[str, ...] = ()


def dump(settings: RunSettings) -> str:
    """The settings as text: ASCII, on one line."""
    data: dict[str, Any] = {"scumble": VERSION, "engine": settings.engine}
    if settings.options:
        data["options"] = dict(settings.options)
    if settings.seed:
        data["seed"] = settings.seed
    if settings.version:
        data["version"] = settings.version
    data["regions"] = [_region_plain(region) for region in settings.regions]
    return json.dumps(data, separators=(",", ":"), allow_nan=False)


def parse(text: str | bytes) -> Parsed:
    """The settings in a text; never raises."""
    nothing = "The layer does not hold Scumble's settings in a form that can be read."
    if len(text) > LONGEST:
        return Parsed(None, (nothing,))
    try:
        # A parasite may come with the zero that ends a C string.
        plain = text.decode("utf-8") if isinstance(text, bytes) else text
        data = json.loads(plain.strip("\0 \t\r\n\ufeff"))
    except (ValueError, RecursionError):
        return Parsed(None, (nothing,))
    if not isinstance(data, dict) or type(data.get("scumble")) is not int or data["scumble"] < 1:
        return Parsed(None, (nothing,))
    problems: list[str] = []
    if data["scumble"] > VERSION:
        problems.append("The settings were kept by a newer Scumble; what it added is left out.")
    engine = data.get("engine")
    if not isinstance(engine, str) or not engine or len(engine) > 100:
        return Parsed(None, ("The settings do not name an engine.",))
    regions = _regions(data.get("regions"), problems)
    if not regions:
        return Parsed(None, (*problems, "The settings hold no region."))
    seed = data.get("seed", 0)
    if type(seed) is not int or not -_SEED <= seed < _SEED:
        seed = 0
        problems.append("The seed is not a whole number; 0 is used.")
    options = _options(data.get("options", {}), problems, "The settings")
    version = data.get("version", "")
    version = version if isinstance(version, str) and len(version) <= 100 else ""
    return Parsed(RunSettings(engine, regions, options, seed, version), tuple(problems))


def _region_plain(region: RegionSettings) -> dict[str, Any]:
    data: dict[str, Any] = {"style": style_to_plain(region.style)}
    if region.mask != CURRENT:
        data["mask"] = mask_to_plain(region.mask)
    if region.strength != 1.0:
        data["strength"] = region.strength
    if region.options:
        data["options"] = dict(region.options)
    if region.label:
        data["label"] = region.label
    return data


def _regions(data: Any, problems: list[str]) -> tuple[RegionSettings, ...]:
    if not isinstance(data, list):
        return ()
    if len(data) > _REGIONS:
        problems.append(f"Only the first {_REGIONS} regions are used.")
    found = []
    for number, entry in enumerate(data[:_REGIONS], 1):
        try:
            found.append(_region(entry, number, problems))
        except ValueError:
            problems.append(f"Region {number} is left out: its style or mask cannot be read.")
    return tuple(found)


def _region(data: Any, number: int, problems: list[str]) -> RegionSettings:
    if not isinstance(data, dict):
        raise ValueError
    style = style_from_plain(data.get("style"))
    mask = mask_from_plain(data["mask"]) if "mask" in data else CURRENT
    strength = data.get("strength", 1.0)
    if not is_number(strength) or not 0 <= strength <= 1:
        problems.append(f"Region {number}: its strength is not from 0 to 1; 1 is used.")
        strength = 1.0
    label = data.get("label", "")
    if not isinstance(label, str) or len(label) > _TEXT:
        label = ""
    options = _options(data.get("options", {}), problems, f"Region {number}")
    return RegionSettings(style, mask, float(strength), options, label)


def _options(data: Any, problems: list[str], whose: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        problems.append(f"{whose}: the options cannot be read.")
        return {}
    good = {
        key: value
        for key, value in list(data.items())[:_OPTIONS]
        if len(key) <= 100
        and (isinstance(value, bool) or is_number(value) or (isinstance(value, str) and len(value) <= _TEXT))
    }
    if len(good) < len(data):
        problems.append(f"{whose}: {len(data) - len(good)} option(s) cannot be read.")
    return good
