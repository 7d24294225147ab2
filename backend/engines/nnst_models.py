"""Loads the networks of engine ``nnst``: bundled ones, and VGG-16 where the user has fetched it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from scumble.backend.models import catalogue
from scumble.backend.models.bundled import bundled, index
from scumble.backend.nn.nnst_decoder import StrokeDecoder
from scumble.backend.nn.nnst_features import Hypercolumns
from scumble.backend.nn.vgg import VGG16

from .nnst_style import Eyes

ENCODER, DECODER, VGG = "nnst-encoder", "nnst-decoder", "vgg16-oxford"


@lru_cache(maxsize=2)
def _frozen(device: str) -> Hypercolumns:
    return Hypercolumns.frozen(bundled(ENCODER)).to(torch.device(device))


@lru_cache(maxsize=2)
def _decoder(device: str) -> StrokeDecoder | None:
    if DECODER not in index():
        return None
    return StrokeDecoder.from_tensors(bundled(DECODER)).to(torch.device(device))


@lru_cache(maxsize=1)
def _vgg(device: str, path: str) -> Hypercolumns:
    return Hypercolumns.vgg16(load_file(path)).to(torch.device(device))


def eyes(features: str, device: torch.device) -> Eyes:
    """The networks for an option's value.

    :param features: ``compact``, ``vgg16``, or ``auto``: VGG-16 where it is installed and there is a GPU.
    :raises ScumbleError: ``model_missing`` or ``model_corrupt``.
    """
    frozen, decoder = _frozen(str(device)), _decoder(str(device))
    look = frozen
    if features == "vgg16":
        look = _vgg(str(device), str(catalogue.require(VGG)))
    elif features == "auto" and device.type != "cpu":
        path = catalogue.installed(VGG)
        look = frozen if path is None else _vgg(str(device), str(path))
    return Eyes(look, frozen, decoder)


@lru_cache(maxsize=1)
def _teacher(device: str, path: str) -> VGG16:
    return VGG16.from_tensors(load_file(path)).to(torch.device(device))


def polisher_file(options: Mapping[str, Any]) -> Path | None:
    """Where VGG-16 for the last strokes lies: if it is installed, and not with ``features=compact``."""
    wanted = options["mode"] == "optimise" and options["features"] != "compact"
    return catalogue.installed(VGG) if wanted else None


def polisher(options: Mapping[str, Any], device: torch.device) -> VGG16 | None:
    """VGG-16 for the last strokes, or ``None``; see :func:`polisher_file`."""
    path = polisher_file(options)
    return None if path is None else _teacher(str(device), str(path))


def release() -> None:
    """Forget the networks, so that the device's memory can be had."""
    for cached in (_frozen, _decoder, _vgg, _teacher):
        cached.cache_clear()
