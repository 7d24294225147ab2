"""What every training run needs: a device, half precision, a seed for each step, and a way to go on."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from .data import Crops

#: Of the networks; everything else is in single precision.
PRECISIONS = ("single", "half")

_Net = TypeVar("_Net", bound=nn.Module)


class Stateful(Protocol):
    """A network, an optimizer or a schedule."""

    def state_dict(self) -> dict[str, Any]:
        """Everything that it goes on from."""
        ...

    def load_state_dict(self, state_dict: dict[str, Any]) -> Any:
        """Go on from there."""
        ...


class Checkpoint:
    """What a run that was stopped goes on from, in a file beside the weights it makes.

    :param out: the weights; the file has their name with the suffix ``.checkpoint``.
    :param parts: everything that a step changes.
    """

    def __init__(self, out: Path, **parts: Stateful) -> None:
        self.path = out.with_suffix(".checkpoint")
        self._parts = parts

    def restore(self) -> int:
        """Load every part, if there is a file; the step to go on with, else 0."""
        if not self.path.exists():
            return 0
        state = torch.load(self.path, map_location="cpu", weights_only=True)
        for name, part in self._parts.items():
            part.load_state_dict(state[name])
        step = int(state["step"])
        print(f"going on at step {step}; without {self.path} it begins anew", file=sys.stderr, flush=True)
        return step

    def save(self, step: int) -> None:
        """Write what the run is at before this step; a run that is stopped leaves no half a file."""
        partial = self.path.with_suffix(".unfinished")
        state: dict[str, object] = {name: part.state_dict() for name, part in self._parts.items()}
        torch.save(state | {"step": step}, partial)
        partial.replace(self.path)


def seeded(seed: int, step: int, *sources: Crops) -> np.random.Generator:
    """A step's own draws: a run that was stopped goes on as if it had not been.

    :param sources: their next crops are the step's own, too.
    """
    torch.manual_seed(seed * 1_000_003 + step)
    for number, source in enumerate(sources):
        source.rng = np.random.default_rng([seed, step, number])
    return np.random.default_rng([seed, step])


def device_of(name: str) -> torch.device:
    """``auto`` is a GPU where there is one."""
    if name != "auto":
        return torch.device(name)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def placed(net: _Net, device: torch.device, *, half: bool = False) -> _Net:
    """The network there, channels last, computing in bfloat16 if asked for.

    Its weights, what it is given and what it returns stay in single precision: losses take moments,
    which half precision is too coarse for.
    """
    net.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    if half:
        forward = net.forward

        def lowered(*args: Any, **options: Any) -> Any:
            if device.type == "cpu" and not torch.is_grad_enabled():
                return forward(*args, **options)  # which lowers itself, where that is quicker
            with torch.autocast(device.type, torch.bfloat16):
                found = forward(*args, **options)
            if isinstance(found, Tensor):
                return found.float()
            return {name: x.float() for name, x in found.items()}

        net.forward = lowered
    return net
