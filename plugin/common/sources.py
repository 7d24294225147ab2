"""Where a style or a mask comes from, as a docker keeps it: names and places, no pixels.

They turn into plain data and back, for annotations and settings.  Reading never raises anything but
``ValueError``: the text may come from a document that somebody else made.
"""

from __future__ import annotations

import math
import ntpath
import os
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeGuard

from .picture_part import PicturePart, part_from_plain, part_to_plain

#: Longest text kept of anything that is read.
_LONGEST = 2_000


@dataclass(frozen=True)
class GalleryStyle:
    """A style of the backend's gallery.

    :param part: the part of its picture that counts; ``None`` for all of it.
    """

    id: str
    part: PicturePart | None = None


@dataclass(frozen=True)
class FileStyle:
    """A picture file.  Written down, the user's own folder becomes ``~``: documents get shared.

    :param part: the part of the picture that counts; ``None`` for all of it.
    """

    path: str
    part: PicturePart | None = None


@dataclass(frozen=True)
class LayerStyle:
    """A layer of an open document.

    :param layer: the editor's own id of it.
    :param document: the editor's own name of the document, ``""`` for the one that is painted on.
    :param name: for people.
    :param part: the part of the layer that counts; ``None`` for all of it.
    """

    layer: str
    document: str = ""
    name: str = ""
    part: PicturePart | None = None


@dataclass(frozen=True)
class WordStyle:
    """A style in words, for engines that understand them."""

    prompt: str


SingleStyle = GalleryStyle | FileStyle | LayerStyle | WordStyle


@dataclass(frozen=True)
class BlendedStyle:
    """Two to four styles by weight (also one, while the user puts it together)."""

    parts: tuple[tuple[SingleStyle, float], ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.parts) <= 4:
            raise ValueError("a blend has one to four parts")
        if any(not 0 < weight < math.inf for _, weight in self.parts):
            raise ValueError("weights are positive numbers")


StyleSource = SingleStyle | BlendedStyle


def style_part(style: StyleSource | None) -> PicturePart | None:
    """The part of a style's picture that counts; ``None`` for all of it, for words and for blends."""
    return style.part if isinstance(style, (GalleryStyle, FileStyle, LayerStyle)) else None


def with_part(style: SingleStyle, part: PicturePart | None) -> SingleStyle:
    """The same style from another part of its picture; words have none."""
    return style if isinstance(style, WordStyle) else replace(style, part=part)


#: Kinds of masks.  ``everything`` needs no host; the others are the editor's to understand.
EVERYTHING, SELECTION = "everything", "selection"
SELECTION_MASK, TRANSPARENCY_MASK, LAYER_ALPHA, CHANNEL, SAVED = (
    "selection_mask",
    "transparency_mask",
    "layer_alpha",
    "channel",
    "saved",
)


@dataclass(frozen=True)
class MaskSource:
    """Where a region's mask comes from.

    :param kind: ``everything`` (the whole layer), ``selection`` (the current one), ``selection_mask``,
        ``transparency_mask``, ``layer_alpha``, ``channel``, ``saved`` (a copy that the editor keeps),
        or another word that the editor knows.
    :param ref: the editor's own id of the layer, mask or channel; ``""`` where there is only one.
    """

    kind: str = SELECTION
    ref: str = ""


#: The selection that there is.
CURRENT = MaskSource()


def style_name(style: StyleSource | None) -> str:
    """What to call a style in a list or a layer's name; file names without folder and ending."""
    if style is None:
        return "no style"
    if isinstance(style, GalleryStyle):
        return style.id.replace("-", " ").replace("_", " ") or "a style"
    if isinstance(style, FileStyle):
        # A document may come from another system: both kinds of separators count.
        name = ntpath.basename(posixpath.basename(style.path))
        return os.path.splitext(name)[0] or "a file"
    if isinstance(style, LayerStyle):
        return style.name or "a layer"
    if isinstance(style, WordStyle):
        return style.prompt if len(style.prompt) <= 40 else style.prompt[:39] + "…"
    return " + ".join(style_name(part) for part, _ in style.parts)


def style_to_plain(style: StyleSource) -> dict[str, Any]:
    """A style as JSON data."""
    if isinstance(style, (GalleryStyle, FileStyle, LayerStyle)) and style.part is not None:
        return {**style_to_plain(with_part(style, None)), "part": part_to_plain(style.part)}
    if isinstance(style, GalleryStyle):
        return {"gallery": style.id}
    if isinstance(style, FileStyle):
        return {"file": _without_home(style.path)}
    if isinstance(style, WordStyle):
        return {"words": style.prompt}
    if isinstance(style, LayerStyle):
        more = {"document": style.document, "name": style.name}
        return {"layer": style.layer} | {key: value for key, value in more.items() if value}
    return {"blend": [[style_to_plain(part), weight] for part, weight in style.parts]}


def style_from_plain(data: Any) -> StyleSource:
    """The style in JSON data; raises ``ValueError`` if there is none."""
    if isinstance(data, dict) and isinstance(data.get("blend"), list):
        parts = []
        for entry in data["blend"]:
            if not isinstance(entry, list) or len(entry) != 2 or not is_number(entry[1]):
                raise ValueError("a part of a blend")
            parts.append((_single(entry[0]), float(entry[1])))
        return BlendedStyle(tuple(parts))
    return _single(data)


def mask_to_plain(mask: MaskSource) -> list[str]:
    """A mask's source as JSON data."""
    return [mask.kind, mask.ref] if mask.ref else [mask.kind]


def mask_from_plain(data: Any) -> MaskSource:
    """The mask's source in JSON data; raises ``ValueError`` if there is none."""
    if not isinstance(data, list) or not 1 <= len(data) <= 2:
        raise ValueError("a mask")
    words = [_text(word) for word in data]
    if not words[0]:
        raise ValueError("a mask's kind")
    return MaskSource(*words)


def is_number(value: Any) -> TypeGuard[float]:
    """Whether JSON data is a finite number (``true`` is not one)."""
    try:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # a whole number beyond all floats
        return False


def _single(data: Any) -> SingleStyle:
    if not isinstance(data, dict):
        raise ValueError("a style")
    part = part_from_plain(data["part"]) if "part" in data else None
    if "gallery" in data:
        return GalleryStyle(_filled(data["gallery"]), part)
    if "file" in data:
        return FileStyle(_with_home(_filled(data["file"])), part)
    if "words" in data:
        return WordStyle(_filled(data["words"]))
    if "layer" in data:
        return LayerStyle(_filled(data["layer"]), _field(data, "document"), _field(data, "name"), part)
    raise ValueError("a style of a kind that is not known")


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise ValueError("a text")
    return value


def _filled(value: Any) -> str:
    if not _text(value):
        raise ValueError("an empty text")
    return _text(value)


def _field(data: Mapping[str, Any], name: str) -> str:
    return _text(data.get(name, ""))


def _without_home(path: str) -> str:
    home = os.path.expanduser("~").rstrip("/\\")
    if home and path.startswith((home + "/", home + "\\")):
        return "~/" + path[len(home) + 1 :].replace("\\", "/")
    return path


def _with_home(path: str) -> str:
    # Only "~/": a "~name" of a stranger's document is nobody's folder here.
    return os.path.expanduser("~") + path[1:] if path.startswith("~/") else path
