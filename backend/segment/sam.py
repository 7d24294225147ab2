"""Method ``sam``: Segment Anything with an official checkpoint of the catalogue."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from scumble.backend.engines.base import Context
from scumble.backend.models import catalogue
from scumble.backend.nn.sam import SIZES, Sam, SamSize
from scumble.shared.errors import Code, ScumbleError

from .base import Candidate, Floats, Prompt, distinct, resized
from .clicknet import agrees

#: Logits that an earlier mask is given as: sure, but not past changing.
SURE = 6.0


class SegmentAnything:
    """Knows things of all kinds; its weights are fetched first, and without a GPU it thinks a while
    about a new picture (further clicks are quick).

    :param sizes: checkpoint id -> shape; the first installed is used on a CPU, the last on a GPU.
    :param locate: the verified file of a checkpoint, ``None`` if it is not installed.
    """

    name = "sam"
    label = "Segment Anything"
    help = "The most knowing; a large download, and slow on a new picture without a GPU."
    side = 1024

    def __init__(
        self,
        sizes: Mapping[str, SamSize] = SIZES,
        locate: Callable[[str], Path | None] = catalogue.installed,
    ) -> None:
        self._sizes, self._locate = sizes, locate
        self._loaded: tuple[str, Path, str, Sam] | None = None
        self._lock = threading.Lock()
        self.side = max(s.side for s in sizes.values())

    def missing(self) -> str:
        """See :meth:`Method.missing`."""
        if any(self._locate(id) is not None for id in self._sizes):
            return ""
        return f"Run: scumble models fetch {next(iter(self._sizes))}"

    def regions(self, image: Floats, most: int, key: str, context: Context) -> None:
        """See :meth:`Method.regions`: the picture is looked at once, and a click is quick."""
        return None

    def free_memory(self) -> None:
        """Forget the network."""
        with self._lock:
            self._loaded = None

    def _network(self, device: torch.device) -> tuple[str, Sam]:
        ids = list(self._sizes) if device.type == "cpu" else list(self._sizes)[::-1]
        for id in ids:
            with self._lock:
                known = self._loaded
            if known is not None and known[0] == id and known[2] == str(device) and known[1].is_file():
                return id, known[3]
            path = self._locate(id)
            if path is None:
                continue
            net = _read(path, id, self._sizes[id]).to(device)
            with self._lock:
                self._loaded = (id, path, str(device), net)
            return id, net
        raise ScumbleError(
            Code.MODEL_MISSING, "Segment Anything is not installed.", self.missing() or "Try again."
        )

    @torch.inference_mode()
    def find(self, image: Floats, prompt: Prompt, key: str, context: Context) -> list[Candidate]:
        """See :meth:`Method.find`."""
        id, net = self._network(context.device)
        side, (height, width) = net.size.side, image.shape[:2]
        scale = side / max(height, width)
        size = (max(1, round(height * scale)), max(1, round(width * scale)))
        name = f"sam/{id}/{key}/{size}"
        seen = context.cache.get(name)
        if not isinstance(seen, Tensor):
            context.progress("look", 0, 1)
            context.checkpoint()
            picture = torch.from_numpy(np.ascontiguousarray(resized(image, size).transpose(2, 0, 1)))
            seen = net.see(picture.clamp(0, 1).to(context.device))
            context.cache.put(name, seen)
            context.progress("look", 1, 1)
        context.checkpoint()
        said = prompt.scaled((size[1] / width, size[0] / height), size)
        device = context.device
        points = torch.tensor([[p.x, p.y] for p in said.points], device=device).view(1, -1, 2)
        signs = torch.tensor([[float(p.positive) for p in said.points]], device=device).view(1, -1)
        box = None if said.box is None else torch.tensor([said.box], dtype=torch.float32, device=device)
        if not said.points and box is None:  # a mask alone is not enough for the decoder
            box = _around(said.before, device)
        mask = None if said.before is None else _as_logits(said.before, net.size).to(device)
        logits, scores = net.answer(seen, points, signs, box, mask)
        small = logits[0].cpu().numpy()
        grid = net.size.grid * 4
        whole = [resized(one, (side, side)) if grid != side else one for one in small]
        fitted = [resized(one[: size[0], : size[1]], (height, width)) for one in whole]
        found = [
            Candidate(np.asarray(1 / (1 + np.exp(-np.clip(m, -30, 30))), np.float32), float(s))
            for m, s in zip(fitted, scores[0].clamp(0, 1).tolist(), strict=True)
        ]
        # One click may mean a part or the whole: the three ambiguous answers; more make it clear.
        clear = len(prompt.points) > 1 or prompt.box is not None or prompt.before is not None
        others = sorted(found[1:], key=lambda c: (-agrees(c.mask, prompt), -c.score))
        return distinct([found[0], *others] if clear else [*others, found[0]])


def _read(path: Path, id: str, size: SamSize) -> Sam:
    try:
        tensors = torch.load(path, map_location="cpu", weights_only=True)
        return Sam.from_tensors({k: v.float() for k, v in tensors.items()}, size)
    except Exception as error:
        raise ScumbleError(
            Code.MODEL_CORRUPT,
            "The weights of Segment Anything cannot be read.",
            f"Run: scumble models remove {id}, then: scumble models fetch {id}",
        ) from error


def _around(mask: Floats | None, device: torch.device) -> Tensor:
    hard = np.ones((1, 1), bool) if mask is None else mask >= 0.5
    rows, columns = np.flatnonzero(hard.any(1)), np.flatnonzero(hard.any(0))
    if not rows.size:
        return torch.tensor([[0.0, 0.0, hard.shape[1], hard.shape[0]]], device=device)
    corners = [[float(columns[0]), float(rows[0]), float(columns[-1]), float(rows[-1])]]
    return torch.tensor(corners, device=device)


def _as_logits(mask: Floats, size: SamSize) -> Tensor:
    """(1, 1, 4 grid, 4 grid) of a mask on the unpadded picture."""
    padded = np.zeros((size.side, size.side), np.float32)
    padded[: mask.shape[0], : mask.shape[1]] = mask
    small = resized(padded, (size.grid * 4, size.grid * 4))
    return torch.from_numpy(np.ascontiguousarray(2 * SURE * (small - 0.5)))[None, None]
