"""Results of an animation: on the disk, where Krita keeps its own tiles too."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import IO

from scumble.shared.errors import Code, ScumbleError
from scumble.shared.messages import Bytes, PixelBuffer, StylizeResult

from .turns import Steps, strips


class Spill:
    """See the module.  The file goes with the last that holds on to this."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._kept: list[tuple[int, str, int, StylizeResult]] = []

    def add(self, at: int, title: str, result: StylizeResult) -> Steps[None]:
        """Keep a frame of the layer of that name; raises ``disk``."""
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="scumble-")  # noqa: SIM115  lives as long as this
            place = self._file.seek(0, 2)
            data = memoryview(result.layer.data).cast("B")
            for first, count in strips(len(data), 1):
                self._file.write(data[first : first + count])
                yield
        except OSError as error:
            raise ScumbleError(
                Code.DISK,
                f"The frames cannot be kept ({error.strerror or 'no room'}).",
                "Make room on the disk, or stylize fewer frames at once.",
                retry=True,
            ) from error
        self._kept.append((at, title, place, StylizeResult(_with(result.layer, b""), result.origin)))

    def results(self, name: str) -> Sequence[tuple[str, Iterator[tuple[int, StylizeResult]]]]:
        """(name of a layer, its frames); ``name`` if there is only one."""
        titles = list(dict.fromkeys(title for _, title, _, _ in self._kept))
        if len(titles) == 1:
            return [(name, self._frames(titles[0]))]
        return [(title.partition("\0")[2], self._frames(title)) for title in titles]

    def _frames(self, wanted: str) -> Iterator[tuple[int, StylizeResult]]:
        for at, title, place, result in self._kept:
            if title == wanted:
                assert self._file is not None
                self._file.seek(place)
                layer = result.layer
                data = self._file.read(layer.width * layer.height * layer.pixel_bytes)
                yield at, replace(result, layer=_with(layer, data))

    def __len__(self) -> int:
        return len(self._kept)


def _with(pixels: PixelBuffer, data: Bytes) -> PixelBuffer:
    """The same picture's form with other bytes, or none."""
    shell = object.__new__(PixelBuffer)
    for name in ("width", "height", "layout", "dtype", "transfer"):
        object.__setattr__(shell, name, getattr(pixels, name))
    object.__setattr__(shell, "data", data)
    return shell
