"""What the procedures take, as plain data: names, defaults, and what a text of them means."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from scumble.plugin.common.forms import Form, forms
from scumble.plugin.common.sources import (
    BlendedStyle,
    FileStyle,
    GalleryStyle,
    LayerStyle,
    SingleStyle,
    StyleSource,
    WordStyle,
)
from scumble.shared.errors import Code, ScumbleError
from scumble.shared.segmenting import Point

from .names import AUTO, BRUSHWORK_ENGINE, DRAWABLE, FILE, GALLERY, WORDS

_WEIGHT = re.compile(r"\s*(?P<id>[^:]+?)\s*(?::\s*(?P<weight>[0-9.]+)\s*)?\Z")


@dataclass(frozen=True)
class Given:
    """The arguments that name a style.

    :param style: a gallery id, or a blend such as ``"night-swirls:0.7, etching-street:0.3"``.
    :param file: a path, ``""`` for none.
    :param drawable: a layer of any open image.
    :param source: one of the words above.
    """

    style: str = ""
    file: str = ""
    drawable: LayerStyle | None = None
    words: str = ""
    source: str = AUTO


def style_of(given: Given) -> StyleSource:
    """The style; raises ``unknown_style`` if there is none, ``bad_request`` for more than one."""
    candidates: dict[str, StyleSource] = {}
    if given.source in (AUTO, DRAWABLE) and given.drawable is not None:
        candidates[DRAWABLE] = given.drawable
    if given.source in (AUTO, FILE) and given.file:
        candidates[FILE] = FileStyle(given.file)
    if given.source in (AUTO, WORDS) and given.words.strip():
        candidates[WORDS] = WordStyle(given.words.strip())
    if given.source in (AUTO, GALLERY) and given.style.strip():
        candidates[GALLERY] = gallery_style(given.style)
    if len(candidates) > 1:
        raise ScumbleError(
            Code.BAD_REQUEST,
            f"There is more than one style: {' and '.join(candidates)}.",
            "Give one, or say which with style-from.",
        )
    if not candidates:
        missing = {
            FILE: "Choose a picture file as the style.",
            DRAWABLE: "Choose a layer as the style.",
            WORDS: "Describe the style in words.",
        }
        raise ScumbleError(
            Code.UNKNOWN_STYLE,
            "No style is chosen.",
            missing.get(given.source, "Choose a style from the gallery, a file or a layer."),
        )
    return next(iter(candidates.values()))


def gallery_style(text: str) -> StyleSource:
    """A gallery id, or several with weights; raises ``bad_request``."""
    parts: list[tuple[SingleStyle, float]] = []
    for part in text.split(","):
        found = _WEIGHT.match(part)
        try:
            weight = float(found["weight"] or 1.0) if found else 0.0
        except ValueError:
            weight = 0.0
        if found is None or not 0 < weight < math.inf:
            raise ScumbleError(
                Code.BAD_REQUEST,
                f"The style {text[:60]!r} cannot be understood.",
                "Write a style's id, or a blend such as night-swirls:0.7, etching-street:0.3.",
            )
        parts.append((GalleryStyle(found["id"]), weight))
    if len(parts) == 1:
        return parts[0][0]
    try:
        return BlendedStyle(tuple(parts))
    except ValueError:
        raise ScumbleError(
            Code.BAD_REQUEST, "A blend has two to four styles.", "Leave some of them out."
        ) from None


def style_words(style: StyleSource) -> dict[str, str]:
    """A style as the texts of :func:`style_of`'s arguments; a layer has none and gives nothing."""
    if isinstance(style, GalleryStyle):
        return {"style": style.id}
    if isinstance(style, FileStyle):
        return {"file": style.path}
    if isinstance(style, WordStyle):
        return {"words": style.prompt}
    if isinstance(style, BlendedStyle) and all(isinstance(part, GalleryStyle) for part, _ in style.parts):
        parts = [(part.id, weight) for part, weight in style.parts if isinstance(part, GalleryStyle)]
        return {"style": ", ".join(f"{id}:{weight:g}" for id, weight in parts)}
    return {}


def options_of(text: str) -> dict[str, Any]:
    """The argument ``options``: a JSON object, or ``name=value`` pairs separated by commas.

    :raises ScumbleError: ``bad_request``.
    """
    text = text.strip()
    if not text:
        return {}
    try:
        if text.startswith("{"):
            data = json.loads(text)
        else:
            data = {}
            for pair in text.split(","):
                name, equals, value = pair.partition("=")
                if not equals or not name.strip():
                    raise ValueError
                data[name.strip()] = value.strip()
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise ScumbleError(
            Code.BAD_REQUEST,
            "The options cannot be understood.",
            'Write them like {"texture": 0.8, "draft": true} or like texture=0.8, draft=yes.',
        )
    return data


def engine_form(description: Mapping[str, Any], engine: str) -> Form:
    """The form of an engine, by default of the first; raises ``unknown_engine``."""
    offered = forms(description)
    for form in offered:
        if form.engine == engine or (not engine and form.engine != BRUSHWORK_ENGINE):
            return form
    raise ScumbleError(
        Code.UNKNOWN_ENGINE,
        f"The backend has no engine called {engine[:60]!r}.",
        "There is: " + ", ".join(form.engine for form in offered) + ".",
    )


def checked(form: Form, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that differ from the engine's defaults, in their proper types.

    :raises ScumbleError: ``unknown_option``, ``option_out_of_range``.
    """
    form.reset()
    for name, value in options.items():
        try:
            field = form.field(name)
        except KeyError:
            raise ScumbleError(
                Code.UNKNOWN_OPTION,
                f"{form.label} has no option called {name[:60]!r}.",
                "There is: " + ", ".join(field.name for field in form.fields) + ".",
            ) from None
        if not field.set(value) and field.error is not None:
            raise field.error
    return form.options()


def options_text(options: Mapping[str, Any]) -> str:
    """The argument for these options; ``""`` for none."""
    return json.dumps(dict(options), ensure_ascii=False, sort_keys=True) if options else ""


def points_of(text: str) -> tuple[Point, ...]:
    """The argument ``points``: ``x,y`` or, for what is not wanted, ``x,y,-``, with spaces between them.

    :raises ScumbleError: ``bad_request``.
    """
    found = []
    for part in text.replace(";", " ").split():
        words = part.strip(",").split(",")
        try:
            x, y = float(words[0]), float(words[1])
            sign = words[2] if len(words) > 2 else "+"
            if len(words) > 3 or sign not in ("+", "-") or not (math.isfinite(x) and math.isfinite(y)):
                raise ValueError
        except (ValueError, IndexError):
            raise ScumbleError(
                Code.BAD_REQUEST,
                f"The point {part[:40]!r} cannot be understood.",
                "Write points like 120,80 200,90 and those that are not wanted like 40,30,-",
            ) from None
        found.append(Point(x, y, sign == "+"))
    return tuple(found)


def points_text(points: Iterable[Point]) -> str:
    """The argument for these; :func:`points_of` gives them back."""
    return " ".join(f"{p.x:.10g},{p.y:.10g}{'' if p.positive else ',-'}" for p in points)


def selectors(description: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """The methods that find a subject, those that can be used; empty where the backend has none."""
    methods = description.get("selecting")
    if not isinstance(methods, (list, tuple)):
        return ()
    return tuple(
        entry
        for entry in methods
        if isinstance(entry, Mapping)
        and isinstance(entry.get("name"), str)
        and entry["name"]
        and not entry.get("missing")
    )
