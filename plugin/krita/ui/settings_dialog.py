"""The settings: where the backend is, how it is started, when it ends itself."""

from __future__ import annotations

from typing import Any

from scumble.plugin.common.backend import Remote, endpoint
from scumble.shared.errors import ScumbleError

from ..interface import BACKEND_IDLE as IDLE
from ..interface import BACKEND_PYTHON as PYTHON
from ..interface import ControllerPort
from ..qt import Qt, QtWidgets
from . import theme
from .basics import Note, column, row, tool

IDLE_DEFAULT = 30


class _Path(QtWidgets.QWidget):
    """A file's path with a button to choose it."""

    def __init__(self, name: str, placeholder: str) -> None:
        super().__init__()
        self._name = name
        self.field = QtWidgets.QLineEdit()
        self.field.setAccessibleName(name)
        self.field.setPlaceholderText(placeholder)
        self.setLayout(row(self.field, tool("file", f"{name}…", self._choose), spacing=2))
        self.setFocusProxy(self.field)

    def _choose(self) -> None:
        dialog = QtWidgets.QFileDialog(self, self._name)
        dialog.setFileMode(QtWidgets.QFileDialog.FileMode.ExistingFile)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.field.setText)
        dialog.open()


class SettingsDialog(QtWidgets.QDialog):
    """See the module; nothing is changed before "OK"."""

    def __init__(self, port: ControllerPort, parent: Any = None) -> None:
        super().__init__(parent)
        self._port = port
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Scumble: settings")
        unit = theme.unit(self)
        remote = port.state.backend.remote
        self.here = QtWidgets.QRadioButton("This computer")
        self.elsewhere = QtWidgets.QRadioButton("Another computer")
        (self.elsewhere if remote.enabled else self.here).setChecked(True)
        self.python = _Path("Python with Scumble's backend", "as installed")
        self.python.field.setText(str(port.get_setting(PYTHON, "") or ""))
        self.idle = QtWidgets.QSpinBox()
        self.idle.setRange(1, 24 * 60)
        self.idle.setSuffix(" min")
        self.idle.setAccessibleName("The backend ends itself after")
        idle = port.get_setting(IDLE, IDLE_DEFAULT)
        self.idle.setValue(idle if isinstance(idle, int) else IDLE_DEFAULT)
        self.restart = QtWidgets.QPushButton("Restart it now")
        self.restart.setToolTip("What is chosen here holds from its next start on.")
        self.restart.clicked.connect(lambda: port.restart_backend())
        self.address = QtWidgets.QLineEdit(remote.address)
        self.address.setAccessibleName("Address")
        self.address.setPlaceholderText("studio.local:5599")
        self.key = _Path("Key file", "the file that you were given")
        self.key.field.setText(remote.key_file)
        self.problem = Note("", dim=False)
        self.problem.hide()
        layout = column(self, margin=unit * 3, spacing=unit * 2)
        title = QtWidgets.QLabel("Where the pictures are painted")
        theme.smaller(title, 1.05, bold=True)
        layout.addWidget(title)
        labels = [QtWidgets.QLabel(text) for text in ("Python", "Ends itself after", "Address", "Key file")]
        wide = max(label.sizeHint().width() for label in labels)
        for label in labels:
            label.setMinimumWidth(wide)
        self.local, form = _form(unit)
        form.addRow(labels[0], self.python)
        form.addRow(labels[1], row(self.idle, self.restart, None, spacing=unit * 2))
        self.remote, form = _form(unit)
        form.addRow(labels[2], self.address)
        form.addRow(labels[3], self.key)
        form.addRow(Note("Pixels of the parts that you stylize are sent there, encrypted, and nothing else."))
        for widget in (self.here, self.local, self.elsewhere, self.remote):
            layout.addWidget(widget)
        layout.addWidget(self.problem)
        layout.addStretch(1)
        button = QtWidgets.QDialogButtonBox.StandardButton
        self.buttons = QtWidgets.QDialogButtonBox(button.Ok | button.Cancel)
        self.buttons.accepted.connect(self._accept)
        self.buttons.rejected.connect(self.reject)
        layout.addWidget(self.buttons)
        self.here.toggled.connect(lambda _on: self._enable())
        self._enable()
        self.setMinimumWidth(unit * 95)
        self.resize(unit * 110, layout.totalHeightForWidth(unit * 110))

    def _enable(self) -> None:
        self.local.setEnabled(self.here.isChecked())
        self.remote.setEnabled(self.elsewhere.isChecked())

    def _accept(self) -> None:
        remote = Remote(
            self.address.text().strip(), self.key.field.text().strip(), self.elsewhere.isChecked()
        )
        problem = _problem(remote)
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        if problem:
            return
        start_anew = remote != self._port.state.backend.remote
        for key, value, default in (
            (PYTHON, self.python.field.text().strip(), ""),
            (IDLE, self.idle.value(), IDLE_DEFAULT),
        ):
            if value != self._port.get_setting(key, default):
                self._port.set_setting(key, value)
                start_anew = True
        if start_anew:  # also with the same address: the next start takes the new settings
            self._port.set_remote(remote)
        self.accept()


def _form(unit: int) -> tuple[Any, Any]:
    holder = QtWidgets.QWidget()
    form = QtWidgets.QFormLayout(holder)
    form.setContentsMargins(unit * 6, 0, 0, unit * 2)
    form.setSpacing(unit + 2)
    form.setFieldGrowthPolicy(QtWidgets.QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
    return holder, form


def _problem(remote: Remote) -> str:
    """Why a backend elsewhere could not be used with this; ``""`` if it can be tried."""
    if not remote.enabled:
        return ""
    if not remote.key_file:
        return "Choose the key file that you were given for that backend."
    if remote.address:
        try:
            endpoint(remote.address)
        except ScumbleError as error:
            return f"{error.message} {error.hint}"
    return ""
