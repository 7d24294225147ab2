"""Importing the published network's checkpoints: read safely, checked, converted, recorded."""

from __future__ import annotations

import datetime
import hashlib
import pickle
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from scumble.backend.nn.linear_transfer import WIDTH, Layer, LinearTransfer
from scumble.shared.errors import Code, ScumbleError

from . import imported, store

KIND = "linear-transfer"
#: The largest published file has 21 MB; far more than that is something else.
_LARGEST = 1 << 30
_PARTS = ("encoder", "decoder", "matrix")


def _bad(part: str, what: str, hint: str) -> ScumbleError:
    return ScumbleError(Code.FILE_UNREADABLE, f"The {part} file {what}.", hint)


def read_checkpoint(path: Path, part: str) -> dict[str, Tensor]:
    """The tensors of a ``.pth`` or ``.safetensors`` file, and nothing but tensors.

    :param part: what the user calls the file, for messages.
    :raises ScumbleError: ``file_missing``; ``file_unreadable`` for a file that holds code or other
        objects (they are never executed), is damaged, or is no checkpoint.
    """
    if not path.is_file():
        raise ScumbleError(Code.FILE_MISSING, f"There is no {part} file {path.name!r}.", "Check its path.")
    if path.stat().st_size > _LARGEST:
        raise _bad(part, f"{path.name!r} is far too large to be one", "Choose the published .pth file.")
    try:
        if path.suffix == ".safetensors":
            found: Any = load_file(path)
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about odd pickle versions; the result is checked
                found = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise _bad(
            part,
            f"{path.name!r} holds something else than plain tensors and was refused",
            "Such a file could run code, or is damaged. Download the published file again.",
        ) from error
    except (
        RuntimeError,
        ValueError,
        EOFError,
        KeyError,
        OSError,
        SafetensorError,
        zipfile.BadZipFile,
    ) as error:
        raise _bad(
            part, f"{path.name!r} is damaged or no PyTorch checkpoint", "Download it again."
        ) from error
    if not isinstance(found, Mapping) or not found:
        raise _bad(part, f"{path.name!r} does not hold named tensors", "Choose the published .pth file.")
    tensors = {str(k).removeprefix("module."): v for k, v in found.items()}
    for key, value in tensors.items():
        if not isinstance(value, Tensor):
            raise _bad(part, f"{path.name!r} does not hold named tensors", "Choose the published .pth file.")
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise _bad(part, f"{path.name!r} holds values that are not finite ({key})", "Download it again.")
    return {k: v.detach().float().contiguous() for k, v in tensors.items()}


def detect_layer(tensors: Mapping[str, Mapping[str, Tensor]]) -> Layer:
    """r31 or r41, from the width of the matrix's last layer.

    :raises ScumbleError: ``file_unreadable`` if the matrix file is none.
    """
    unzip = tensors["matrix"].get("unzip.weight")
    for layer, width in WIDTH.items():
        if unzip is not None and unzip.ndim == 4 and unzip.shape[0] == width:
            return "r31" if layer == "r31" else "r41"
    raise _bad(
        "matrix",
        "is not a matrix of the published network (it has no fitting unzip.weight)",
        "The files are, in this order: encoder vgg_r41.pth, decoder dec_r41.pth, matrix r41.pth.",
    )


def check_shapes(tensors: Mapping[str, Mapping[str, Tensor]], layer: Layer) -> None:
    """Compare names and shapes with the published network's.

    :raises ScumbleError: ``file_unreadable`` naming the first thing that does not fit.
    """
    with torch.device("meta"):
        network = LinearTransfer(layer)
    for part in _PARTS:
        wanted = {k: tuple(v.shape) for k, v in network.get_submodule(part).state_dict().items()}
        found = {k: tuple(v.shape) for k, v in tensors[part].items()}
        official = {"encoder": f"vgg_{layer}.pth", "decoder": f"dec_{layer}.pth", "matrix": f"{layer}.pth"}[
            part
        ]
        hint = f"With this matrix the {part} file is the published {official}."
        for key, shape in wanted.items():
            if key not in found:
                raise _bad(part, f"does not fit: it has no {key}", hint)
            if found[key] != shape:
                raise _bad(part, f"does not fit: {key} has shape {found[key]}, expected {shape}", hint)
        extra = sorted(found.keys() - wanted.keys())
        if extra:
            raise _bad(part, f"does not fit: it has {extra[0]}, which this network has not", hint)


def import_linear_transfer(
    encoder: Path, decoder: Path, matrix: Path, name: str, *, replace: bool = False
) -> dict[str, Any]:
    """Bring the published checkpoints into the models' folder as one safetensors file and a record.

    :param name: how requests will call it (``--option model=NAME``).
    :param replace: overwrite an imported model of that name.
    :returns: the record: layer, hashes of the files and of the result, sizes, date.
    :raises ScumbleError: see :func:`read_checkpoint`, :func:`detect_layer`, :func:`check_shapes`;
        ``bad_request`` for a name that is taken or impossible; ``disk``.
    """
    imported.check_name(name)
    target, record_file = imported.files(name)
    if record_file.exists() and not replace:
        raise ScumbleError(
            Code.BAD_REQUEST,
            f"There is an imported model called {name} already.",
            "Choose another name, or add --replace.",
        )
    paths = {"encoder": encoder, "decoder": decoder, "matrix": matrix}
    tensors = {part: read_checkpoint(path, part) for part, path in paths.items()}
    layer = detect_layer(tensors)
    check_shapes(tensors, layer)
    sources = {
        part: {"file": path.name, "bytes": path.stat().st_size, "sha256": store.sha256_of(path)}
        for part, path in paths.items()
    }
    flat = {f"{part}.{key}": t for part in _PARTS for key, t in tensors[part].items()}
    metadata = {"kind": KIND, "layer": layer} | {f"{p}_sha256": str(s["sha256"]) for p, s in sources.items()}
    data = save(flat, metadata=metadata)
    record = {
        "name": name,
        "kind": KIND,
        "layer": layer,
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "sources": sources,
        "imported": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "licence": "none stated by the authors",
    }
    store.make_folder(target.parent)
    store.check_room(target.parent, len(data))
    partial = target.with_name(f"{target.name}.partial")
    try:
        partial.write_bytes(data)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise store.disk_error(error) from error
    store.move_into_place(partial, target)
    store.write_json(record_file, record)
    store.remember(target, str(record["sha256"]))
    return record


def load_linear_transfer(name: str) -> LinearTransfer:
    """An imported network, verified, on the CPU, ready to run.

    :raises ScumbleError: ``model_missing`` or ``model_corrupt``.
    """
    path = imported.require(name)
    try:
        return LinearTransfer.from_tensors(load_file(path))
    except (SafetensorError, RuntimeError, OSError) as error:
        raise ScumbleError(
            Code.MODEL_CORRUPT, f"The imported model {name} is damaged.", "Remove it and import it again."
        ) from error
