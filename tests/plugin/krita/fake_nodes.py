"""The fake Krita's layers and masks, as libkis wraps them."""

from __future__ import annotations

import numpy as np
from fake_image import PAD, _Id, _Node, touched
from fake_selection import Selection
from PyQt5.QtCore import QByteArray, QRect
from PyQt5.QtGui import QImage


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

    def blendingMode(self) -> str:
        return self._n.blending

    def setBlendingMode(self, mode: str) -> None:
        node, before = self._n, self._n.blending
        node.blending = mode
        node.image.push(
            "Change Blending Mode",
            lambda: setattr(node, "blending", before),
            lambda: setattr(node, "blending", mode),
        )

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
        touched(out.nbytes)
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
        touched(len(raw))
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
        if not image.closed:
            image.push("Add Layer", take, put)  # also of one that is not attached
        if parent.attached and not image.closed:
            image.krita.soon.append(lambda: setattr(image, "active", node) if node.attached else None)
            image.krita.events()
        return True

    def remove(self) -> bool:
        node, parent, image = self._n, self._n.parent, self._n.image
        if parent is None:
            return False
        index = parent.children.index(node)

        def take() -> None:
            parent.children.remove(node)
            node.parent = None

        def put() -> None:
            parent.children.insert(index, node)
            node.parent = parent

        take()
        image.push("Remove Layer", put, take)
        return True

    def setChildNodes(self, nodes: list[Node]) -> None:
        """No step to undo; of those that were there, only the first one goes."""
        if self._n.children:
            self._n.children.pop(0).parent = None
        for node in nodes:
            self._n.children.append(node._n)
            node._n.parent = self._n

    def duplicate(self) -> Node:
        return Node(self._n.copy())

    def thumbnail(self, w: int, h: int) -> QImage:
        image = QImage(max(1, w), max(1, h), QImage.Format.Format_ARGB32)
        image.fill(0xFF808080)
        return image

    # Only what a selection mask has.
    def selection(self) -> Selection | None:
        return self._n.selected


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
