"""Settings and masks in a document's annotations, which Krita saves with the file.

libkis has annotations of documents only, so each names the layer that it belongs to.  A document may come
from anybody: what is read is bounded and checked.
"""

from __future__ import annotations

import contextlib
import json
import struct
import zlib
from typing import Any

from scumble.plugin.common.annotation import LONGEST, NAME
from scumble.plugin.common.geometry import Rect
from scumble.shared.limits import LIMITS

from ..qt import QtCore
from ..turns import Steps
from .api import KeptSettings
from .masks import Kept

_MASK = "scumble-mask"
_HEAD = struct.Struct("<4siiII")
_MAGIC = b"SCM1"


def settings_key(layer: str) -> str:
    """The annotation of a layer."""
    return f"{NAME}/{layer}"


def write_settings(document: Any, layer: str, kept: KeptSettings) -> None:
    """Keep the settings that made a layer, and what they were used on."""
    data = json.loads(kept.text)
    data |= {"source": kept.source, "frames": kept.frames, "group": kept.group}
    text = json.dumps(data, separators=(",", ":"))
    document.setAnnotation(settings_key(layer), "Scumble's settings of a layer", _bytes(text.encode()))


def read_settings(document: Any, layer: str) -> KeptSettings:
    """What is kept with a layer; empty if that is nothing."""
    key = settings_key(layer)
    if key not in document.annotationTypes():
        return KeptSettings()
    raw = bytes(document.annotation(key))
    if not raw or len(raw) > LONGEST:
        return KeptSettings()
    text, data = raw.decode("utf-8", "replace"), None
    with contextlib.suppress(ValueError, RecursionError):
        data = json.loads(text)
    if not isinstance(data, dict):
        return KeptSettings(text)
    source = data.get("source", "")
    return KeptSettings(
        text,
        source if isinstance(source, str) and len(source) <= 100 else "",
        data.get("frames") is True,
        data.get("group") is True,
    )


def has_settings(document: Any, layer: str) -> bool:
    """Whether a layer is a result whose settings are kept."""
    return settings_key(layer) in document.annotationTypes()


def write_mask(document: Any, name: str, mask: Kept) -> None:
    """Keep a mask, unless it is there."""
    key = f"{_MASK}/{name}"
    if key in document.annotationTypes():
        return
    rect = mask.rect
    head = _HEAD.pack(_MAGIC, rect.x, rect.y, rect.width, rect.height)
    document.setAnnotation(key, "A selection that Scumble used", _bytes(head + mask.packed))


def read_mask(document: Any, name: str) -> Steps[Kept | None]:
    """A mask that was kept; ``None`` if there is none that can be used."""
    key = f"{_MASK}/{name}"
    if len(name) > 100 or key not in document.annotationTypes():
        return None
    raw = bytes(document.annotation(key))
    with contextlib.suppress(struct.error, zlib.error, OverflowError):
        magic, x, y, width, height = _HEAD.unpack_from(raw)
        rect = Rect(x, y, width, height)
        if magic == _MAGIC and not rect.empty and rect.pixels <= LIMITS.pixels:
            kept = Kept(rect, raw[_HEAD.size :])
            yield from kept.read()  # it may be anything
            return kept
    return None


def _bytes(data: bytes) -> Any:
    return QtCore.QByteArray(data)
