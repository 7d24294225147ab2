"""The weights that ship inside the package: small safetensors files that we trained ourselves.

Every file is verified against ``weights/index.json`` before it is used, so that a damaged
installation says so instead of painting nonsense.  After putting a file there, run::

    python -m scumble.backend.models.bundled --pin
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scumble.shared.errors import Code, ScumbleError

if TYPE_CHECKING:  # torch is imported where tensors are read, so that a mere list stays quick
    from torch import Tensor

#: The set that the main engine uses when nothing else is asked for.
DEFAULT = "compact"
INDEX = "index.json"
SUFFIX = ".safetensors"


def weights_folder() -> Path:
    """Where the files lie: beside this module, in regular and editable installations alike."""
    return Path(str(resources.files("scumble.backend.models"))) / "weights"


def index(folder: Path | None = None) -> dict[str, dict[str, Any]]:
    """What is bundled: name -> ``{"sha256", "bytes"}``; empty when nothing is pinned yet.

    :raises ScumbleError: ``model_corrupt`` if the index itself cannot be read.
    """
    file = (folder or weights_folder()) / INDEX
    if not file.is_file():
        return {}
    try:
        entries = json.loads(file.read_text("utf-8"))
        return {str(k): {"sha256": str(v["sha256"]), "bytes": int(v["bytes"])} for k, v in entries.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ScumbleError(
            Code.MODEL_CORRUPT,
            "The list of the bundled weights cannot be read.",
            "Install Scumble again; its files are damaged.",
        ) from error


def _verified(name: str, folder: Path) -> bytes:
    entries = index(folder)
    if name not in entries:
        raise ScumbleError(
            Code.MODEL_MISSING,
            f"No weights called {name[:40]!r} come with Scumble.",
            f"There are: {', '.join(sorted(entries)) or 'none'}.",
        )
    try:
        data = (folder / f"{name}{SUFFIX}").read_bytes()
    except OSError as error:
        raise ScumbleError(
            Code.MODEL_MISSING,
            f"The bundled weights {name!r} are missing from this installation.",
            "Install Scumble again.",
        ) from error
    if hashlib.sha256(data).hexdigest() != entries[name]["sha256"]:
        raise ScumbleError(
            Code.MODEL_CORRUPT,
            f"The bundled weights {name!r} are damaged: they do not match their recorded SHA-256.",
            "Install Scumble again.",
        )
    return data


def _load(name: str, folder: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        tensors = load(_verified(name, folder))
    except SafetensorError as error:
        raise ScumbleError(
            Code.MODEL_CORRUPT, f"The bundled weights {name!r} cannot be read.", "Install Scumble again."
        ) from error
    return {k: v.float() if v.is_floating_point() else v for k, v in tensors.items()}


@lru_cache(maxsize=4)
def _loaded(name: str) -> dict[str, Tensor]:
    return _load(name, weights_folder())


def bundled(name: str = DEFAULT, folder: Path | None = None) -> dict[str, Tensor]:
    """The tensors of a bundled set, verified; half precision on disk, float32 here.

    The installed sets are read once a process and then shared: copy a tensor before changing it
    (``load_state_dict`` copies anyway).

    :param folder: another folder with files and index, for tests and training.
    :raises ScumbleError: ``model_missing`` or ``model_corrupt``.
    """
    return dict(_loaded(name)) if folder is None else _load(name, folder)


def bundled_metadata(name: str = DEFAULT, folder: Path | None = None) -> dict[str, str]:
    """The text that was stored beside the tensors (widths, recipe, licence)."""
    from safetensors import safe_open

    place = folder or weights_folder()
    _verified(name, place)
    with safe_open(place / f"{name}{SUFFIX}", framework="pt") as file:
        return dict(file.metadata() or {})


def bundled_digest(name: str = DEFAULT, folder: Path | None = None) -> str:
    """The pinned SHA-256 of a set: part of the keys of caches that depend on the weights."""
    entries = index(folder)
    return entries[name]["sha256"] if name in entries else ""


def pin(folder: Path) -> dict[str, dict[str, Any]]:
    """Rewrite the index from the safetensors files that lie in ``folder``; returns it.

    :raises ScumbleError: ``model_corrupt`` if one of them does not load or holds a value that is
        not finite, so that a broken training run cannot be shipped by mistake.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load

    entries: dict[str, dict[str, Any]] = {}
    for file in sorted(folder.glob(f"*{SUFFIX}")):
        data = file.read_bytes()
        try:
            tensors = load(data)
        except SafetensorError as error:
            raise ScumbleError(Code.MODEL_CORRUPT, f"{file.name} is not a safetensors file.") from error
        for key, value in tensors.items():
            if value.is_floating_point() and not bool(torch.isfinite(value).all()):
                raise ScumbleError(
                    Code.MODEL_CORRUPT, f"{file.name} holds values that are not finite ({key})."
                )
        entries[file.stem] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    partial = folder / f"{INDEX}.partial"
    partial.write_text(json.dumps(entries, indent=2, sort_keys=True) + "\n", "utf-8")
    partial.replace(folder / INDEX)
    return entries


def main(argv: list[str] | None = None) -> int:
    """List the bundled weights, or pin them with ``--pin``."""
    parser = argparse.ArgumentParser(prog="scumble.backend.models.bundled", description=main.__doc__)
    parser.add_argument("--pin", action="store_true", help="rewrite the index from the files")
    options = parser.parse_args(argv)
    try:
        if options.pin:
            folder = weights_folder()
            folder.mkdir(exist_ok=True)
            entries = pin(folder)
        else:
            entries = index()
            for name in entries:
                bundled(name)
    except ScumbleError as error:
        print(f"{error.message} {error.hint}".strip(), file=sys.stderr)
        return 4
    for name, entry in entries.items():
        print(f"{name}  {entry['bytes'] / 1e6:.2f} MB  {entry['sha256']}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
