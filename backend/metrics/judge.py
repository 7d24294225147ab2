"""Finding the judge: Oxford's VGG-16 from a file or from the catalogue of models."""

from __future__ import annotations

import hashlib
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file

from scumble.shared.errors import Code, ScumbleError

from ..nn.vgg import VGG16
from .perceptual import Judge

#: The judge's name in the catalogue of models.
MODEL = "vgg16-oxford"


def judge_file(file: Path | None = None) -> Path:
    """The judge's weights: the given file, or the catalogue's once it was fetched.

    :raises ScumbleError: ``model_missing`` with how to get it, or ``model_corrupt``.
    """
    if file is None:
        from scumble.backend.models import catalogue

        return catalogue.require(MODEL)
    if not file.is_file():
        raise ScumbleError(Code.MODEL_MISSING, f"There is no file {file}.", "Check the path after --judge.")
    return file


def weights_digest(file: Path | None = None) -> str:
    """Sixteen hex digits that name the judge's weights; raises as :func:`judge_file`."""
    return hashlib.sha256(judge_file(file).read_bytes()).hexdigest()[:16]


def load_judge(file: Path | None = None, long_side: int = 512) -> Judge:
    """The judge, ready; raises as :func:`judge_file`, or ``model_corrupt``."""
    place = judge_file(file)
    try:
        return Judge(VGG16.from_tensors(load_file(place)), long_side)
    except (SafetensorError, RuntimeError, KeyError, OSError) as error:
        raise ScumbleError(
            Code.MODEL_CORRUPT, f"{place.name} does not hold VGG-16's weights.", "Fetch the model again."
        ) from error
