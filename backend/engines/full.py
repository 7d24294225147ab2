"""The full-size network for engine ``partial-conv``: ``model=full``."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from scumble.backend.models import catalogue
from scumble.backend.models.bundled import bundled
from scumble.backend.nn.full import FullDecoder, FullEncoder
from scumble.backend.nn.partial_conv import freeze
from scumble.shared.errors import Code, ScumbleError

if TYPE_CHECKING:
    from .painter import Network

NAME = "full"
#: The entry of the catalogue that holds the encoder.
ENCODER = "vgg16-oxford"
#: Largest side of a tile's core: VGG-16 has 64 channels at the image's full size.
TILE = 768
#: Bytes for each pixel of a tile: three of those layers alive at once.
TILE_BYTES = 3 * 64 * 4


def load_full(device: str) -> Network:
    """VGG-16 from the catalogue and the bundled decoder, on a device; loaded once a process.

    :raises ScumbleError: ``model_missing`` with the command to run while VGG-16 is not installed;
        ``model_corrupt`` if it is damaged.
    """
    return _loaded(device, str(catalogue.require(ENCODER)))


@lru_cache(maxsize=1)
def _loaded(device: str, file: str) -> Network:
    from .painter import Network

    try:
        encoder = FullEncoder.from_tensors(load_file(file))
        decoder = FullDecoder.from_tensors(bundled(NAME))
    except (SafetensorError, RuntimeError, KeyError, OSError) as error:
        raise ScumbleError(
            Code.MODEL_CORRUPT,
            "The weights of the full-size network do not fit together.",
            f"Run: scumble models fetch {ENCODER}",
        ) from error
    place = torch.device(device)
    for net in (encoder.to(place), decoder.to(place)):
        freeze(net)
    return Network(NAME, encoder, decoder)
