"""Models that the user imported: one safetensors file and one JSON record each.  No torch here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from scumble.shared.errors import Code, ScumbleError

from . import store

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}[a-z0-9]|[a-z0-9]")
FOLDER = "imported"


def folder() -> Path:
    """Where imported models lie."""
    return store.models_folder() / FOLDER


def check_name(name: str) -> str:
    """The name, if it can be one; raises ``bad_request`` with what can."""
    from . import bundled, catalogue

    if not _NAME.fullmatch(name):
        raise ScumbleError(
            Code.BAD_REQUEST,
            f"{name[:40]!r} cannot be the name of a model.",
            "Use small letters, digits, dots, dashes and underscores, at most 64 of them.",
        )
    if name in bundled.index() or name == bundled.DEFAULT or any(m.id == name for m in catalogue.MODELS):
        raise ScumbleError(Code.BAD_REQUEST, f"The name {name} is taken by Scumble.", "Choose another name.")
    return name


def files(name: str) -> tuple[Path, Path]:
    """(weights, record) of an imported model, there or not."""
    return folder() / f"{name}.safetensors", folder() / f"{name}.json"


def records() -> dict[str, dict[str, Any]]:
    """The records of all imported models, by name."""
    place = folder()
    if not place.is_dir():
        return {}
    found = {p.stem: store.read_json(p) for p in sorted(place.glob("*.json"))}
    return {name: record for name, record in found.items() if record and _NAME.fullmatch(name)}


def intact(name: str) -> bool:
    """Whether the weights are there and have the hash that was recorded on import."""
    weights, record = files(name)
    try:
        return store.digest_of(weights) == store.read_json(record).get("sha256")
    except OSError:
        return False


def require(name: str) -> Path:
    """The verified weights of an imported model.

    :raises ScumbleError: ``model_missing`` or ``model_corrupt``.
    """
    known = records()
    if name not in known:
        raise ScumbleError(
            Code.MODEL_MISSING,
            f"There is no imported model called {name[:40]!r}.",
            f"Imported are: {', '.join(known) or 'none'}. To import the published network: "
            "scumble models import linear-transfer --encoder vgg_r41.pth --decoder dec_r41.pth "
            "--matrix r41.pth --name NAME",
        )
    if not intact(name):
        raise ScumbleError(
            Code.MODEL_CORRUPT, f"The imported model {name} is damaged.", "Remove it and import it again."
        )
    return files(name)[0]
