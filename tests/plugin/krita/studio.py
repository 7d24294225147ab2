"""A user before the fake Krita: the controller, the loop, and the backend in one hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from fake_krita import PAD, FakeKrita, Selection
from painting import HandLoop, Painter

from scumble.plugin.common.settings import Settings
from scumble.plugin.krita.controller import Controller
from scumble.plugin.krita.host import KritaHost


class Studio:
    """See the module."""

    def __init__(self, krita: FakeKrita, host: KritaHost, painter: Painter, folder: Path) -> None:
        self.krita, self.host, self.painter = krita, host, painter
        self.loop = HandLoop()
        krita.during(self.loop.turn)
        self.controller = Controller(
            host,
            self.loop,
            settings=Settings.load(folder / "settings.json"),
            connect=lambda remote: painter.client,
            version="1.2",
        )

    def begin(self) -> None:
        """The docker is shown, and the backend has answered."""
        self.controller.set_shown(True)
        self.loop.until(lambda: self.controller.choices.catalogue.description, "the catalogue")

    def stylize(self) -> None:
        """A click, until it is over."""
        self.controller.stylize()
        self.idle()

    def idle(self) -> None:
        """Until nothing is painted."""
        self.loop.until(lambda: not self.controller.state.running, "the end of the job")
        self.krita.events()
        self.loop.some(0.08)

    def select(self, x: int, y: int, w: int, h: int, value: int = 255) -> None:
        """Select a rectangle."""
        selection = Selection()
        selection.select(x, y, w, h, value)
        document = self.krita.activeDocument()
        assert document is not None
        document.setSelection(selection)

    @property
    def names(self) -> list[str]:
        """Names of the layers, from below."""
        assert self.krita.active is not None
        return [node.name for node in self.krita.active.root.children]

    @property
    def undo(self) -> list[str]:
        """What can be undone."""
        assert self.krita.active is not None
        return [text for text, _, _ in self.krita.active.undo]

    def take_back(self) -> None:
        """Undo, when Krita has come to rest."""
        assert self.krita.active is not None
        self.krita.active.busy = False
        self.krita.action("edit_undo").trigger()

    def layer(self, index: int) -> np.ndarray:
        """A layer's pixels on the canvas."""
        assert self.krita.active is not None
        return canvas(self.krita.active.root.children[index].now())

    def failure(self) -> Any:
        return self.controller.state.failure

    def close(self) -> None:
        self.controller.close()


def canvas(data: np.ndarray) -> np.ndarray:
    """What is on the canvas."""
    return data[PAD:-PAD, PAD:-PAD]
