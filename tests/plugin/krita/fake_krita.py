"""A Krita small enough to be understood, which behaves like the real one where it matters.

As found by driving Krita 5.1.5: wrappers are made anew at each call and outlive what they wrap; a buffer
that is too short is ignored; what is written to an attached layer can neither be undone nor seen before
``refreshProjection``; a node that is attached is one step to undo and becomes the active one a moment
later; a closed document answers with nothing; pixels outside of everything read as 0; transparency masks
made by a script hand out no pixels.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable
from typing import Any

import numpy as np
from PyQt5.QtCore import QByteArray, QRect
from PyQt5.QtGui import QImage

#: Around the canvas, where layers may reach.
PAD = 128
CHANNELS = {"RGBA": 4, "GRAYA": 2, "CMYKA": 5, "LABA": 4, "A": 1}
SAMPLE = {"U8": np.uint8, "U16": np.uint16, "F16": np.float16, "F32": np.float32}
PROFILES = {"RGBA": "sRGB-elle-V2-srgbtrc.icc", "GRAYA": "Gray-D50-elle-V2-srgbtrc.icc"}


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

    def push(self, text: str, back: Callable[[], None], again: Callable[[], None]) -> None:
        self.undo.append((text, back, again))
        self.redo.clear()
        self.modified = True


class Node:
    """libkis' wrapper."""

    def __init__(self, node: _Node) -> None:
        self._n = node

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Node) and other._n is self._n

    def uniqueId(self) -> _Id:
        return self._n.id

    def name(self) -> str:
        return self._n.name

    def setName(self, name: str) -> None:
        self._n.name = name

    def type(self) -> str:
        return self._n.kind

    def visible(self) -> bool:
        return self._n.visible

    def setVisible(self, on: bool) -> None:
        self._n.visible = on

    def locked(self) -> bool:
        return self._n.locked

    def setLocked(self, on: bool) -> None:
        self._n.locked = on

    def setOpacity(self, value: int) -> None:
        self._n.opacity = value

    def setBlendingMode(self, mode: str) -> None:
        self._n.blending = mode

    def animated(self) -> bool:
        return self._n.animated

    def enableAnimation(self) -> None:
        self._n.animated = True

    def hasKeyframeAtTime(self, time: int) -> bool:
        return self._n.animated and time in self._n.frames

    def colorModel(self) -> str:
        return "A" if self._n.kind == "transparencymask" else self._n.space[0]

    def colorDepth(self) -> str:
        return "U8" if self._n.kind == "transparencymask" else self._n.space[1]

    def colorProfile(self) -> str:
        return self._n.space[2]

    def parentNode(self) -> Node | None:
        return None if self._n.parent is None else Node(self._n.parent)

    def childNodes(self) -> list[Node]:
        return [Node(child) for child in self._n.children]

    def bounds(self) -> QRect:
        data = self._n.now() if self._n.kind != "grouplayer" else self._n.looks()
        rows, columns = np.nonzero(data.any(axis=2))
        if not len(rows):
            return QRect(0, 0, 0, 0)
        x, y = int(columns.min()) - PAD, int(rows.min()) - PAD
        return QRect(x, y, int(columns.max()) - PAD - x + 1, int(rows.max()) - PAD - y + 1)

    @staticmethod
    def _cut(data: np.ndarray, x: int, y: int, w: int, h: int) -> QByteArray:
        out = np.zeros((h, w, data.shape[2]), data.dtype)
        top, left = y + PAD, x + PAD
        y0, x0 = max(0, top), max(0, left)
        y1, x1 = min(data.shape[0], top + h), min(data.shape[1], left + w)
        if y1 > y0 and x1 > x0:
            out[y0 - top : y1 - top, x0 - left : x1 - left] = data[y0:y1, x0:x1]
        return QByteArray(out.tobytes())

    def pixelData(self, x: int, y: int, w: int, h: int) -> QByteArray:
        if self._n.kind in ("grouplayer", "vectorlayer", "filelayer") or not self._n.readable:
            return QByteArray()
        return self._cut(self._n.now(), x, y, w, h)

    def projectionPixelData(self, x: int, y: int, w: int, h: int) -> QByteArray:
        return self._cut(self._n.looks(), x, y, w, h)

    def pixelDataAtTime(self, x: int, y: int, w: int, h: int, time: int) -> QByteArray:
        if time not in self._n.frames:
            return QByteArray()
        return self._cut(self._n.frames[time], x, y, w, h)

    def setPixelData(self, value: QByteArray | bytes, x: int, y: int, w: int, h: int) -> None:
        data = self._n.now()
        raw = bytes(value)
        if len(raw) < w * h * data.shape[2] * data.itemsize:
            return  # as libkis does: a line in its log
        part = np.frombuffer(raw, data.dtype)[: w * h * data.shape[2]].reshape(h, w, data.shape[2])
        data[y + PAD : y + PAD + h, x + PAD : x + PAD + w] = part

    def addChildNode(self, child: Node, above: Node | None) -> bool:
        parent, node, image = self._n, child._n, self._n.image
        index = parent.children.index(above._n) + 1 if above is not None else len(parent.children)

        def put() -> None:
            parent.children.insert(index, node)
            node.parent = parent
            image.shown = image.root.looks()

        def take() -> None:
            parent.children.remove(node)
            node.parent = None
            image.shown = image.root.looks()

        put()
        if parent.attached and not image.closed:
            image.push("Add Layer", take, put)
            image.krita.soon.append(lambda: setattr(image, "active", node) if node.attached else None)
            image.krita.events()
        return True

    def remove(self) -> bool:
        node, parent, image = self._n, self._n.parent, self._n.image
        if parent is None:
            return False
        index, attached = parent.children.index(node), node.attached

        def take() -> None:
            parent.children.remove(node)
            node.parent = None

        def put() -> None:
            parent.children.insert(index, node)
            node.parent = parent

        take()
        if attached:
            image.push("Remove Layer", put, take)
        return True

    def duplicate(self) -> Node:
        return Node(self._n.copy())

    def thumbnail(self, w: int, h: int) -> QImage:
        image = QImage(max(1, w), max(1, h), QImage.Format.Format_ARGB32)
        image.fill(0xFF808080)
        return image

    # Only what a selection mask has.
    def selection(self) -> Selection | None:
        return self._n.selected


class Selection:
    """libkis' selection."""

    def __init__(self) -> None:
        self._rect = (0, 0, 0, 0)
        self._data = np.zeros((0, 0), np.uint8)

    def x(self) -> int:
        return self._rect[0]

    def y(self) -> int:
        return self._rect[1]

    def width(self) -> int:
        return self._rect[2]

    def height(self) -> int:
        return self._rect[3]

    def select(self, x: int, y: int, w: int, h: int, value: int) -> None:
        self._rect, self._data = (x, y, w, h), np.full((h, w), value, np.uint8)

    def setPixelData(self, value: QByteArray | bytes, x: int, y: int, w: int, h: int) -> None:
        self._rect = (x, y, w, h)
        self._data = np.frombuffer(bytes(value), np.uint8)[: w * h].reshape(h, w).copy()

    def pixelData(self, x: int, y: int, w: int, h: int) -> QByteArray:
        out = np.zeros((h, w), np.uint8)
        sx, sy, sw, sh = self._rect
        x0, y0, x1, y1 = max(x, sx), max(y, sy), min(x + w, sx + sw), min(y + h, sy + sh)
        if x1 > x0 and y1 > y0:
            out[y0 - y : y1 - y, x0 - x : x1 - x] = self._data[y0 - sy : y1 - sy, x0 - sx : x1 - sx]
        return QByteArray(out.tobytes())


class Document:
    """libkis' wrapper; of a closed document it answers with nothing."""

    def __init__(self, image: _Image) -> None:
        self._i = image

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Document) and other._i is self._i

    def name(self) -> str:
        return "" if self._i.closed else self._i.name

    def fileName(self) -> str:
        return ""

    def width(self) -> int:
        return 0 if self._i.closed else self._i.size[0]

    def height(self) -> int:
        return 0 if self._i.closed else self._i.size[1]

    def colorModel(self) -> str:
        return self._i.space[0]

    def colorDepth(self) -> str:
        return self._i.space[1]

    def colorProfile(self) -> str:
        return self._i.space[2]

    def rootNode(self) -> Node | None:
        return None if self._i.closed else Node(self._i.root)

    def activeNode(self) -> Node | None:
        return None if self._i.closed or self._i.active is None else Node(self._i.active)

    def setActiveNode(self, node: Node) -> None:
        self._i.active = node._n

    def selection(self) -> Selection | None:
        return self._i.selection

    def setSelection(self, selection: Selection | None) -> None:
        self._i.selection = selection

    def createNode(self, name: str, kind: str) -> Node:
        node = _Node(self._i, name, kind)
        node.readable = kind != "transparencymask"
        return Node(node)

    def currentTime(self) -> int:
        return self._i.time

    def setCurrentTime(self, time: int) -> None:
        self._i.time = time

    def fullClipRangeEndTime(self) -> int:
        return 100

    def playBackEndTime(self) -> int:
        return 100

    def refreshProjection(self) -> None:
        self._i.refreshed += 1
        self._i.shown = self._i.root.looks()

    def waitForDone(self) -> None:
        self._i.krita.events()

    def annotationTypes(self) -> list[str]:
        return list(self._i.annotations)

    def annotation(self, kind: str) -> QByteArray:
        return QByteArray(self._i.annotations.get(kind, b""))

    def setAnnotation(self, kind: str, description: str, data: QByteArray) -> None:
        self._i.annotations[kind] = bytes(data)

    def setColorSpace(self, model: str, depth: str, profile: str) -> bool:
        old, new = self._i.space, (model, depth, profile)
        for node in self._i.root.children:
            data = _convert(node.now(), old, new)
            node.space = new
            node.frames = {0: data}
        self._i.space = new
        return True

    def modified(self) -> bool:
        return self._i.modified

    def setModified(self, on: bool) -> None:
        self._i.modified = on

    def setBatchmode(self, on: bool) -> None: ...

    def close(self) -> bool:
        self._i.closed = True
        krita = self._i.krita
        krita.images.remove(self._i)
        if krita.active is self._i:
            krita.active = krita.images[-1] if krita.images else None
        return True


def _convert(data: np.ndarray, old: tuple[str, str, str], new: tuple[str, str, str]) -> np.ndarray:
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


class _Action:
    def __init__(self, krita: FakeKrita, name: str) -> None:
        self.krita, self.name = krita, name

    def text(self) -> str:
        image = self.krita.active
        stack = [] if image is None else (image.undo if self.name == "edit_undo" else image.redo)
        return f"{'Undo' if self.name == 'edit_undo' else 'Redo'} {stack[-1][0] if stack else ''}"

    def trigger(self) -> None:
        image = self.krita.active
        assert image is not None
        if self.name == "edit_undo" and image.undo:
            step = image.undo.pop()
            step[1]()
            image.redo.append(step)
        elif self.name == "edit_redo" and image.redo:
            step = image.redo.pop()
            step[2]()
            image.undo.append(step)


class FakeKrita:
    """``Krita.instance()``.

    :ivar soon: what Krita does when its event loop runs next.
    """

    def __init__(self) -> None:
        self.images: list[_Image] = []
        self.active: _Image | None = None
        self.soon: list[Callable[[], None]] = []
        self.made = 0
        self._turning: Callable[[], None] = lambda: None
        self._numbers = itertools.count()

    def version(self) -> str:
        return "5.1.5"

    def during(self, turn: Callable[[], None]) -> None:
        """What else the event loop does while Krita lets it run inside of its own functions."""
        self._turning = turn

    def events(self) -> None:
        todo, self.soon = self.soon, []
        for action in todo:
            action()
        self._turning()

    def documents(self) -> list[Document]:
        return [Document(image) for image in self.images]

    def activeDocument(self) -> Document | None:
        return None if self.active is None else Document(self.active)

    def action(self, name: str) -> _Action:
        return _Action(self, name)

    def createDocument(
        self, w: int, h: int, name: str, model: str, depth: str, profile: str, resolution: float
    ) -> Document:
        self.made += 1
        image = _Image(self, w, h, name, (model, depth, profile or PROFILES.get(model, model)))
        self.images.append(image)
        node = _Node(image, "Background", "paintlayer")
        node.parent = image.root
        image.root.children.append(node)
        return Document(image)

    def open(self, w: int = 64, h: int = 48, model: str = "RGBA", depth: str = "U8", **more: Any) -> Document:
        """A document in a window, with something painted on its layer."""
        name, profile = str(more.get("name", "picture")), str(more.get("profile", ""))
        document = self.createDocument(w, h, name, model, depth, profile, 72.0)
        self.active = document._i
        layer = document._i.root.children[0]
        document._i.active = layer
        paint(Node(layer), 0, 0, w, h)
        document.refreshProjection()
        return document


def paint(node: Node, x: int, y: int, w: int, h: int, seed: int = 0) -> None:
    """Something on a layer, opaque."""
    generator = np.random.default_rng(seed)
    data = node._n.now()
    shape = (h, w, data.shape[2])
    if data.dtype in (np.uint8, np.uint16):
        top = np.iinfo(data.dtype).max
        values = generator.integers(1, top, shape).astype(data.dtype)
    else:
        top, values = 1, generator.random(shape).astype(data.dtype)
    values[..., -1] = top
    data[y + PAD : y + PAD + h, x + PAD : x + PAD + w] = values
