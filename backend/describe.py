"""What there is to choose from, as plain data for editors and for ``--json``.

Importing this does not import torch, so that listing styles and models stays quick.
"""

from __future__ import annotations

import base64
import io
import json
import sys
from typing import TYPE_CHECKING, Any

from PIL import Image

from scumble.shared.errors import ScumbleError

from . import styles as shelf

if TYPE_CHECKING:
    from .engines.base import Engine

#: Longest side of a style's thumbnail in pixels, and most characters of all of them together.
THUMBNAIL, THUMBNAIL_CHARS = 96, 1 << 20


def engines() -> list[dict[str, Any]]:
    """The engines with their options; this does import torch."""
    from .engines import load, registry

    load()
    return [
        {
            "name": e.name,
            "label": e.label,
            "help": e.help,
            "style_kinds": list(e.style_kinds),
            "options": [o.describe() for o in e.options],
            **_margins(e),
        }
        for e in registry.engines()
    ]


def _margins(engine: Engine) -> dict[str, Any]:
    """How many pixels around its regions an engine wants to see, so that editors send no more.

    ``margin`` holds for the defaults; ``wider`` lists the values of single options that need more. An
    entry without ``value`` stands for every value but the default.
    """
    defaults = {o.name: o.default for o in engine.options}
    least = engine.margin(defaults)
    wider: list[dict[str, Any]] = []
    for option in engine.options:
        if option.kind in ("bool", "choice"):
            for value in option.choices or (not option.default,):
                margin = engine.margin({**defaults, option.name: value})
                if margin > least:
                    wider.append({"option": option.name, "value": value, "margin": margin})
            continue
        ends = ("",) if option.kind == "text" else (option.minimum, option.maximum)
        values = [value for value in (option.default, *ends) if value is not None]
        margin = max(engine.margin({**defaults, option.name: value}) for value in values)
        if margin > least:
            wider.append({"option": option.name, "margin": margin})
    return {"margin": least, "wider": wider}


def styles(thumbnails: bool = True) -> list[dict[str, Any]]:
    """The gallery: id, name and, if asked for, a thumbnail as a PNG in base64.

    Thumbnails of a very large folder of one's own are left out (``""``) after the first megabyte.
    """
    found: list[dict[str, Any]] = []
    left = THUMBNAIL_CHARS
    for style in shelf.gallery():
        entry: dict[str, Any] = {
            "id": style.id,
            "name": style.name,
            "description": style.description,
            "tags": list(style.tags),
            "source": style.source,
        }
        if thumbnails:
            entry["thumbnail"] = _thumbnail(style) if left > 0 else ""
            left -= len(entry["thumbnail"])
        found.append(entry)
    return found


def picture(style: str, side: int) -> dict[str, Any]:
    """A style's picture as a JPEG in base64, at most ``side`` pixels long.

    :raises ScumbleError: ``unknown_style``, ``file_unreadable``, or as :func:`.styles.load`.
    """
    image = Image.fromarray(shelf.load(style)).convert("RGB")
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=90, optimize=True)
    text = base64.b64encode(stream.getvalue()).decode("ascii")
    return {"style": style, "width": image.width, "height": image.height, "jpeg": text}


def _thumbnail(style: shelf.Style) -> str:
    try:
        with Image.open(io.BytesIO(shelf.thumbnail_bytes(style))) as picture:
            small = picture.convert("RGB")
    except (OSError, ScumbleError):
        return ""  # one damaged file in the user's folder must not take the gallery away
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    stream = io.BytesIO()
    small.quantize(128).save(stream, "PNG", optimize=True)
    return base64.b64encode(stream.getvalue()).decode("ascii")


def models() -> list[dict[str, Any]]:
    """The catalogue of weights and what is installed."""
    from .models import catalogue

    return [entry.as_dict() for entry in catalogue.listing()]


def selecting() -> list[dict[str, Any]]:
    """The methods that find selections; this does import torch."""
    from .segment.methods import described

    return described()


def main() -> None:
    """Print what does not depend on a running backend, as JSON: ``python -m scumble.backend.describe``.

    The installer puts it beside the plug-ins, so that they know what there is before their first use.
    """
    found = {"engines": engines(), "styles": styles(), "selecting": selecting()}
    json.dump(found, sys.stdout, separators=(",", ":"))


if __name__ == "__main__":
    main()
