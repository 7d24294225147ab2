"""Behind the wrappers of the fake Krita: documents and nodes themselves, and what may be undone."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fake_krita import FakeKrita
    from fake_selection import Selection

#: Around the canvas, where layers may reach.
PAD = 128
CHANNELS = {"RGBA": 4, "GRAYA": 2, "CMYKA": 5, "LABA": 4, "A": 1}
SAMPLE = {"U8": np.uint8, "U16": np.uint16, "F16": np.float16, "F32": np.float32}
#: Bytes that each call for pixels has read or written.
TOUCHED: list[int] = []


def touched(nbytes: int) -> None:
    """For tests of how much is done at once."""
    TOUCHED.append(nbytes)


class _Id:
    def __init__(self) -> None:
        self._text = "{" + str(uuid.uuid4()) + "}"

    def toString(self) -> str:
        return self._text


class _Node:
    """A layer or mask itself."""

    def __init__(self, image: _Image, name: str, kind: str) -> None:
        self.image, self.name, self.kind = image, name, kind
        self.id = _Id()
        self.space = image.space
        self.visible, self.locked, self.opacity, self.blending = True, False, 255, "normal"
        self.parent: _Node | None = None
        self.children: list[_Node] = []
        self.frames: dict[int, np.ndarray] = {0: self.blank()}
        self.animated = False
        self.readable = True
        self.selected: Selection | None = None

    def blank(self) -> np.ndarray:
        model, depth, _ = ("A", "U8", "") if self.kind == "transparencymask" else self.space
        w, h = self.image.size
        return np.zeros((h + 2 * PAD, w + 2 * PAD, CHANNELS[model]), SAMPLE[depth])

    def now(self) -> np.ndarray:
        return self.frames[max(t for t in self.frames if t <= self.image.time)]

    @property
    def attached(self) -> bool:
        node: _Node | None = self
        while node is not None and node is not self.image.root:
            node = node.parent
        return node is not None

    def looks(self) -> np.ndarray:
        """With its masks and what lies in it."""
        if self.kind in ("paintlayer", "vectorlayer", "filelayer", "filllayer"):
            found = self.now().copy()
        else:
            found = self.blank()
            for child in self.children:
                if child.visible and child.kind != "transparencymask":
                    over = child.looks()
                    found = np.where(over[..., -1:] > 0, over, found)
        for child in self.children:
            if child.kind == "transparencymask" and child.visible:
                found = np.where(child.now() > 0, found, 0).astype(found.dtype)
        return found

    def copy(self) -> _Node:
        node = _Node(self.image, self.name, self.kind)
        node.frames = {t: data.copy() for t, data in self.frames.items()}
        node.animated, node.opacity, node.space = self.animated, self.opacity, self.space
        for child in self.children:
            twin = child.copy()
            twin.parent = node
            node.children.append(twin)
        return node


class _Image:
    """A document itself."""

    def __init__(self, krita: FakeKrita, w: int, h: int, name: str, space: tuple[str, str, str]) -> None:
        self.krita, self.size, self.name, self.space = krita, (w, h), name, space
        self.time = 0
        self.root = _Node(self, "root", "grouplayer")
        self.selection: Selection | None = None
        self.active: _Node | None = None
        self.annotations: dict[str, bytes] = {}
        self.undo: list[tuple[str, Callable[[], None], Callable[[], None]]] = []
        self.redo: list[tuple[str, Callable[[], None], Callable[[], None]]] = []
        self.modified, self.closed = False, False
        self.shown = self.root.looks()
        self.refreshed = 0
        self.busy = False

    def push(self, text: str, back: Callable[[], None], again: Callable[[], None]) -> None:
        self.undo.append((text, back, again))
        self.redo.clear()
        self.modified = True


def convert(data: np.ndarray, old: tuple[str, str, str], new: tuple[str, str, str]) -> np.ndarray:
    """Between CMYK and RGB, and between depths, well enough for tests."""

    def full(depth: str) -> float:
        return {"U8": 255.0, "U16": 65535.0}.get(depth, 1.0)

    unit = data.astype(np.float64) / full(old[1])
    if old[0] == "CMYKA" and new[0] == "RGBA":
        rgb = (1 - unit[..., :3]) * (1 - unit[..., 3:4])
        unit = np.concatenate([rgb[..., ::-1], unit[..., 4:]], axis=2)
    elif old[0] == "RGBA" and new[0] == "CMYKA":
        cmy = 1 - unit[..., 2::-1]
        unit = np.concatenate([cmy, np.zeros_like(cmy[..., :1]), unit[..., 3:]], axis=2)
    elif old[0] != new[0]:
        raise NotImplementedError(old, new)
    scaled = unit * full(new[1])
    kind = SAMPLE[new[1]]
    return (np.rint(scaled) if kind in (np.uint8, np.uint16) else scaled).astype(kind)
