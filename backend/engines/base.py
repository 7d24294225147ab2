"""What an engine is: it describes its options, estimates its memory and fills a region with paint."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Protocol

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from scumble.shared.errors import Code, ScumbleError

Kind = Literal["float", "int", "bool", "choice", "text"]


@dataclass(frozen=True)
class Option:
    """One control of an engine; editors build their widgets from this and nothing else.

    :param name: key in the request's ``options``.
    :param choices: all that a ``choice`` takes; of a ``text``, some values to suggest.
    :param effect: whether it changes the ``picture`` or only the ``speed``.
    :param group: heading under which editors show it.
    :param per_region: whether a region may override it.
    :param advanced: shown folded away.
    """

    name: str
    label: str
    kind: Kind
    default: Any
    help: str
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    choices: tuple[str, ...] = ()
    unit: str = ""
    group: str = "Look"
    effect: Literal["picture", "speed"] = "picture"
    per_region: bool = False
    advanced: bool = False

    def describe(self) -> dict[str, Any]:
        """As plain data for the wire."""
        return {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(self).items()}

    def validate(self, value: Any) -> Any:
        """The value in its proper type (numbers and booleans may arrive as text).

        :raises ScumbleError: ``option_out_of_range`` with what would be accepted.
        """
        try:
            if self.kind == "bool":
                return self._boolean(value)
            if self.kind == "text":
                if isinstance(value, str) and len(value) <= 200:
                    return value
                raise ValueError
            if self.kind == "choice":
                if value in self.choices:
                    return value
                raise ValueError
            if isinstance(value, bool):
                raise ValueError
            number = float(value)
            if self.kind == "int":
                if number != int(number):
                    raise ValueError
                number = int(number)
            low = -math.inf if self.minimum is None else self.minimum
            high = math.inf if self.maximum is None else self.maximum
            if not (math.isfinite(number) and low <= number <= high):
                raise ValueError
            return number
        except (TypeError, ValueError, OverflowError):
            raise ScumbleError(
                Code.OPTION_OUT_OF_RANGE,
                f"Option {self.name} cannot be {str(value)[:40]!r}.",
                f"It takes {self._accepted()}.",
            ) from None

    @staticmethod
    def _boolean(value: Any) -> bool:
        if isinstance(value, bool):
            return value
        words = {"true": True, "yes": True, "on": True, "1": True}
        words |= {"false": False, "no": False, "off": False, "0": False}
        if str(value).lower() not in words:
            raise ValueError
        return words[str(value).lower()]

    def _accepted(self) -> str:
        if self.kind == "bool":
            return "true or false"
        if self.kind == "choice":
            return "one of " + ", ".join(self.choices)
        if self.kind == "text":
            return "a text of at most 200 characters"
        whole = "a whole number" if self.kind == "int" else "a number"
        return f"{whole} from {self.minimum} to {self.maximum}"


@dataclass(frozen=True)
class StylePart:
    """One style picture and its share.

    :param image: (3, H, W), RGB in [0, 1], sRGB-encoded.
    :param key: hash of its content, for caches.
    :param weight: its share; the parts of a region add up to one.
    :param mask: (H, W) in [0, 1]: the part of the painting to take the style from; ``None`` for all of it.
    """

    image: Tensor
    key: str
    weight: float = 1.0
    mask: Tensor | None = None


@dataclass(frozen=True)
class JobRegion:
    """A region as an engine sees it, on the job's crop.

    :param mask: (H, W) in [0, 1], soft; already zero where the layer is transparent.
    :param options: the job's options with this region's overrides.
    :param key: what distinguishes the mask from all others, for caches; empty if unknown.
    """

    mask: Tensor
    styles: tuple[StylePart, ...]
    strength: float
    options: Mapping[str, Any]
    prompt: str = ""
    key: str = ""


@dataclass(frozen=True)
class Job:
    """A request after decoding and cropping: tensors on the CPU, every option validated.

    :param content: (3, H, W), RGB in [0, 1], sRGB-encoded: the regions' box plus the engine's margin.
    :param opacity: (H, W) in [0, 1], the layer's own alpha.
    :param key: hash of the crop's content, for caches.
    """

    content: Tensor
    opacity: Tensor
    regions: tuple[JobRegion, ...]
    options: Mapping[str, Any]
    seed: int
    key: str


@dataclass(frozen=True)
class Painted:
    """What an engine returns, on the job's crop.

    :param image: (3, H, W), RGB in [0, 1]; anything where ``alpha`` is 0.
    :param alpha: (H, W) in [0, 1]: how much the new layer covers; 0 outside every mask.
    """

    image: Tensor
    alpha: Tensor
    notes: Mapping[str, Any] = field(default_factory=dict)


def no_preview(make: Callable[[], Painted]) -> None:
    """A preview callback that nobody looks at."""


class Cancelled(Exception):
    """Raised inside an engine, by :meth:`Context.checkpoint`, when its job was cancelled."""


class Cache(Protocol):
    """A store of tensors bounded in bytes; see :mod:`scumble.backend.engines.cache`."""

    def get(self, key: str) -> Any | None: ...

    def put(self, key: str, value: Any) -> None: ...


@dataclass
class Context:
    """What an engine may use besides its job: device, caches, progress, cancellation.

    :param progress: called with (stage, done, of).
    :param tile: side in pixels of the largest piece to compute at once; halved after an
        out-of-memory error.
    :param preview: called now and then with a function that makes a rough version of the result; it is
        only called (and costs) when a preview is due.
    :param enough: set when the user is content with what there is: the engine stops refining and returns.
    """

    device: torch.device
    cache: Cache
    progress: Callable[[str, int, int], None] = lambda stage, done, of: None
    cancelled: threading.Event = field(default_factory=threading.Event)
    tile: int = 4096
    seconds: dict[str, float] = field(default_factory=dict)
    preview: Callable[[Callable[[], Painted]], None] = no_preview
    enough: threading.Event = field(default_factory=threading.Event)

    def checkpoint(self) -> None:
        """Call between layers, tiles and iterations; raises :class:`Cancelled` when asked to stop."""
        if self.cancelled.is_set():
            raise Cancelled

    def watched(self) -> AbstractContextManager[object]:
        """A block whose every operation of torch is a :meth:`checkpoint`.

        For long stretches without one of their own.  It costs a few microseconds an operation, so
        work that is over in tenths of a second had better call :meth:`checkpoint` itself.
        """
        return _Watch(self.checkpoint)


class _Watch(TorchFunctionMode):
    """See :meth:`Context.watched`; it holds for the thread that enters it."""

    def __init__(self, look: Callable[[], None]) -> None:
        super().__init__()
        self._look = look

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        # To stop there would leave gradients switched off for the thread's next job.
        if func is not torch._C._set_grad_enabled:
            self._look()
        return func(*args, **kwargs) if kwargs else func(*args)


class Engine(Protocol):
    """A method of stylization."""

    name: str
    label: str
    help: str
    options: tuple[Option, ...]
    #: Styles it understands: any of "pixels" and "text".
    style_kinds: tuple[str, ...]

    def margin(self, options: Mapping[str, Any]) -> int:
        """Pixels around the regions' box that the engine wants to see."""
        ...

    def estimate_bytes(self, width: int, height: int, regions: int, options: Mapping[str, Any]) -> int:
        """Upper estimate of the peak memory for a crop of that size, in bytes."""
        ...

    def run(self, job: Job, context: Context) -> Painted:
        """Paint the regions; raises :class:`Cancelled` soon after the context is cancelled."""
        ...
