"""A network's layers applied one after the other, each under the mask that has grown so far."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from torch import Tensor, nn
from torch.nn import functional as F

from .between import halved
from .moments import area_averaged
from .partial_conv import PartialConv2d, Window


class MaskedLayers:
    """Runs layers and hands the mask on from each to the next.

    :param mask: (N or 1, 1, H, W) in [0, 1], or ``None`` for the plain layers.
    :param expand: see :func:`~scumble.backend.nn.partial_conv.partial_conv2d`.
    :param renormalize: likewise.
    :param tick: called before each layer; may raise to stop the work.
    :param windows: what earlier runs of the same layers under the same mask left here; a first run
        fills the list.  The masks depend on nothing but the region, so the next style painted there
        need not wait for them again.
    """

    def __init__(
        self,
        mask: Tensor | None,
        *,
        expand: bool = True,
        renormalize: bool = False,
        tick: Callable[[], None] = lambda: None,
        windows: list[Window] | None = None,
    ) -> None:
        self._mask = self._current = mask
        self._expand, self._renormalize, self._tick = expand, renormalize, tick
        self._windows = [] if windows is None else windows
        self._done = 0

    def enter(self, like: Tensor) -> None:
        """Begin a level: the mask anew, area-averaged to the size of these features."""
        if self._mask is not None and self._done == len(self._windows):
            self._current = area_averaged(self._mask, (like.shape[-2], like.shape[-1]))

    def __call__(self, layer: PartialConv2d, x: Tensor, *, relu: bool = False) -> Tensor:
        """The layer's (N, C, h, w) features, after a ReLU if asked for."""
        self._tick()
        if self._current is None:
            return layer.masked(x, None, relu=relu)[0]
        if self._done == len(self._windows):
            window = layer.window(self._current, expand=self._expand, renormalize=self._renormalize)
            self._windows.append(window)
        window = self._windows[self._done]
        self._done += 1
        y, self._current = layer.masked(x, window, relu=relu)
        return y

    def encode(
        self, net: nn.Module, names: Iterable[str], x: Tensor, taps: tuple[str, ...]
    ) -> dict[str, Tensor]:
        """Features after the ReLU of the layers named ``taps``; a layer named "pool" halves the size."""
        features: dict[str, Tensor] = {}
        for name in names:
            if name == "pool":
                x = halved(x)
                if self._current is not None and self._done == len(self._windows):
                    self._current = F.max_pool2d(self._current, 2)
                continue
            layer = net.get_submodule(name)
            assert isinstance(layer, PartialConv2d)
            x = self(layer, x, relu=True)
            if name in taps:
                features[name] = x.float()
        return features
