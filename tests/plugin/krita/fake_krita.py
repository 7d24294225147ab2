"""A Krita small enough to be understood, which behaves like the real one where it matters.

As found by driving Krita 5.1.5: wrappers are made anew at each call and outlive what they wrap; a buffer
that is too short is ignored; what is written to an attached layer can neither be undone nor seen before
``refreshProjection``; a node that is attached is one step to undo and becomes the active one a moment
later; a closed document answers with nothing; pixels outside of everything read as 0; transparency masks
made by a script hand out no pixels; while a picture is composed, undo and redo are not heard.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from fake_image import PAD, _Image, _Node, convert
from fake_nodes import Node, paint
from fake_selection import Selection
from PyQt5.QtCore import QByteArray

__all__ = ["PAD", "FakeKrita", "Node", "Selection", "_Node", "paint"]

PROFILES = {"RGBA": "sRGB-elle-V2-srgbtrc.icc", "GRAYA": "Gray-D50-elle-V2-srgbtrc.icc"}


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
        self._i.busy = True
        self._i.shown = self._i.root.looks()

    def waitForDone(self) -> None:
        self._i.busy = False
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
            data = convert(node.now(), old, new)
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
        if image.busy and self.name in ("edit_undo", "edit_redo"):
            return
        if self.name == "edit_undo" and image.undo:
            step = image.undo.pop()
            step[1]()
            image.redo.append(step)
        elif self.name == "edit_redo" and image.redo:
            step = image.redo.pop()
            step[2]()
            image.undo.append(step)
        elif self.name in ("select_all", "deselect"):
            before, after = image.selection, None
            if self.name == "select_all":
                after = Selection()
                after.select(0, 0, *image.size, 255)

            def back() -> None:
                image.selection = before

            def again() -> None:
                image.selection = after

            again()
            image.push("Select All" if after else "Deselect", back, again)


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
