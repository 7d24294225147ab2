"""What is set and what is done in the dialog for picking: the method, and what becomes of a mask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..picking import Combine, Method
from ..qt import Qt, QtWidgets, Signal
from . import theme
from .basics import row
from .controls import choice_box

#: The method that takes the best one there is.
AUTO = "auto"
_HOW = {
    Combine.REPLACE: ("Make selection", "Make the mask the document's selection"),
    Combine.ADD: ("Add to selection", "Add the mask to the selection that there is"),
    Combine.SUBTRACT: ("Take from selection", "Take the mask out of the selection that there is"),
}


class MethodBox(QtWidgets.QWidget):
    """The methods that the backend has; ``changed(str)`` names another one."""

    changed = Signal(str)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.box = choice_box("Method")
        self.box.setToolTip("How the mask is found")
        self.box.activated.connect(lambda _at: self.changed.emit(self.chosen))
        self.setLayout(row(self.box))
        self.setFixedWidth(theme.unit(self) * 42)

    def show_methods(self, methods: Sequence[Method], kept: Any) -> None:
        """Show these, ``kept`` chosen if it can be used; a method that is missing says why."""
        box, tip = self.box, Qt.ItemDataRole.ToolTipRole
        best = next((m.label for m in methods if m.default), "")
        box.clear()
        box.addItem("Best there is", AUTO)
        box.setItemData(0, f"The best one that is installed{f': {best}' if best else ''}", tip)
        for at, method in enumerate(methods, 1):
            box.addItem(method.label, method.name)
            box.setItemData(at, method.missing or method.help, tip)
            if method.missing:
                box.model().item(at).setEnabled(False)
            elif method.name == kept:
                box.setCurrentIndex(at)
        self.setVisible(len(methods) > 1)

    @property
    def chosen(self) -> str:
        """The chosen method's name."""
        return str(self.box.currentData() or AUTO)


class Takes(QtWidgets.QWidget):
    """The buttons at the bottom: ``made(Combine)``, ``added()`` and ``closed()``."""

    made = Signal(object)
    added = Signal()
    closed = Signal()

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.make = QtWidgets.QToolButton()
        self.make.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.make.setIcon(theme.icon("selection"))
        self.make.setPopupMode(QtWidgets.QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        self.make.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.menu = QtWidgets.QMenu(self)
        self.menu.setToolTipsVisible(True)
        for how, (text, tip) in _HOW.items():
            action = self.menu.addAction(text)
            action.setToolTip(tip)
            action.triggered.connect(lambda _checked=False, how=how: self.made.emit(how))
        self.make.setMenu(self.menu)
        self.make.setText(_HOW[Combine.REPLACE][0])
        self.make.setToolTip(_HOW[Combine.REPLACE][1])
        self.make.clicked.connect(lambda _checked=False: self.made.emit(Combine.REPLACE))
        self.add = QtWidgets.QPushButton(theme.icon("add"), "Add as region")
        self.add.setToolTip("Keep the mask as a region with the style that is chosen in the docker")
        self.add.clicked.connect(lambda _checked=False: self.added.emit())
        self.close_button = QtWidgets.QPushButton("Close")
        self.close_button.clicked.connect(lambda _checked=False: self.closed.emit())
        for button in (self.add, self.close_button):
            button.setAutoDefault(False)  # Enter belongs to the crosshair
        self.setLayout(row(self.make, self.add, None, self.close_button, spacing=theme.unit(self)))
        self.make.setFixedHeight(self.add.sizeHint().height())

    def allow(self, ready: bool, several: bool) -> None:
        """Whether there is something to take, and whether it is more than one mask."""
        self.make.setEnabled(ready)
        self.add.setEnabled(ready)
        self.add.setText("Add as regions" if several else "Add as region")
