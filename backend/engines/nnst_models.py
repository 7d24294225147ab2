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
from scumble.backend.nn.nnst_witness import Foretold, Witness
from scumble.backend.nn.vgg import VGG16

from .nnst_polish import Last
from .nnst_style import Eyes

ENCODER, DECODER, WITNESS, VGG = "nnst-encoder", "nnst-decoder", "nnst-witness", "vgg16-oxford"


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


@lru_cache(maxsize=1)
def foretold(device: str) -> Foretold:
    witness = Witness.from_tensors(bundled(WITNESS)).to(torch.device(device))
    return Foretold(_frozen(device), witness)


def last(options: Mapping[str, Any]) -> Last | None:
    """Who does the last strokes: VGG-16 where it is installed, but not with ``features=compact``.

    After decoding always the bundled branch, which is quicker; without finishing passes nobody.
    """
    if options["mode"] != "optimise":
        return Last.BRIEF if options["finish"] else None
    return Last.VGG if _last_file(options) is not None else Last.FORETOLD


def _last_file(options: Mapping[str, Any]) -> Path | None:
    return catalogue.installed(VGG) if options["features"] != "compact" else None


def polisher(options: Mapping[str, Any], device: torch.device) -> VGG16 | Foretold | None:
    """The network for the last strokes, see :func:`last`; ``None`` where there are none."""
    who = last(options)
    if who is None:
        return None
    path = _last_file(options) if who is Last.VGG else None
    return foretold(str(device)) if path is None else _teacher(str(device), str(path))


def release() -> None:
    """Forget the networks, so that the device's memory can be had."""
    for cached in (_frozen, _decoder, _vgg, _teacher, foretold):
        cached.cache_clear()
