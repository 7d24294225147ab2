"""What is the matter: failures, notices, and how the backend is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..interface import BackendState, ControllerPort, Snapshot
from ..qt import Qt, QtCore, QtGui, QtWidgets
from . import theme
from .basics import Elided, column, row, tool
from .run import Tell

_TONES = {
    BackendState.UNKNOWN: "dim",
    BackendState.STARTING: "waiting",
    BackendState.READY: "ready",
    BackendState.BUSY: "accent",
    BackendState.LOST: "waiting",
    BackendState.FAILED: "trouble",
}
_TEXTS = {
    BackendState.UNKNOWN: "Starts at first use",
    BackendState.STARTING: "Starting…",
    BackendState.READY: "Ready",
    BackendState.BUSY: "Busy",
    BackendState.LOST: "Connection lost, trying again…",
    BackendState.FAILED: "Could not be started",
}


class Messages(QtWidgets.QWidget):
    """The last failure and the notices, until they are dismissed."""

    def __init__(self, port: ControllerPort, parent: Any = None) -> None:
        super().__init__(parent)
        self._port = port
        self.failure = Tell("trouble")
        self.failure.close_button.clicked.connect(lambda: port.dismiss_failure())
        self.again = QtWidgets.QPushButton("Try again")
        self.again.clicked.connect(lambda: port.retry())
        self.copy = QtWidgets.QPushButton("Copy report")
        self.copy.setToolTip("A text for whoever helps you; your names, folders and keys are taken out.")
        self.copy.clicked.connect(self._copy)
        for button in (self.again, self.copy):
            button.setMinimumWidth(50)
            self.failure.buttons.addWidget(button)
        self.failure.buttons.addStretch(1)
        self.notices = Tell("accent")
        self.notices.close_button.clicked.connect(lambda: port.dismiss_notices())
        layout = column(self, spacing=theme.unit(self))
        layout.addWidget(self.failure)
        layout.addWidget(self.notices)
        self._told = QtCore.QTimer(self)
        self._told.setSingleShot(True)
        self._told.timeout.connect(self._untell)
        self.show_state(Snapshot())

    def show_state(self, state: Snapshot) -> None:
        """Show what there is to say."""
        failure = state.failure
        self.failure.setVisible(failure is not None)
        if failure is not None:
            self.failure.say(failure.sentence, failure.hint)
            self.again.setVisible(failure.retry)
        self.notices.setVisible(bool(state.notices))
        if state.notices:
            self.notices.say("\n".join(state.notices[-3:]))
        self.setVisible(failure is not None or bool(state.notices))

    def _untell(self) -> None:
        self.copy.setText("Copy report")

    def _copy(self) -> None:
        QtWidgets.QApplication.clipboard().setText(self._port.report())
        self.copy.setText("Copied")
        self._told.start(2000)


class _Dot(QtWidgets.QWidget):
    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.tone = "dim"
        side = theme.unit(self) * 2 + 2
        self.setFixedSize(side, side)

    def paintEvent(self, event: Any) -> None:
        painter = QtGui.QPainter(self)
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(getattr(theme.Shades.of(self), self.tone))
        painter.drawEllipse(QtCore.QRectF(self.rect()).adjusted(1, 1, -1, -1))


class BackendLine(QtWidgets.QWidget):
    """One line: how the backend is, its log, reconnecting, the settings."""

    def __init__(self, port: ControllerPort, open_settings: Callable[[], None], parent: Any = None) -> None:
        super().__init__(parent)
        self._port = port
        self.dot = _Dot()
        self.text = Elided(dim=True)
        theme.smaller(self.text, 0.9)
        self.reconnect = tool("reconnect", "Connect again; starts the backend if need be", self._again)
        self.log = tool("log", "Show the backend's log", self._show_log)
        self.settings = tool("settings", "Settings…", open_settings)
        layout = row(spacing=theme.unit(self) // 2)
        layout.addWidget(self.dot)
        layout.addSpacing(theme.unit(self) // 2)
        layout.addWidget(self.text, 1)
        for button in (self.reconnect, self.log, self.settings):
            layout.addWidget(button)
        self.setLayout(layout)
        self._state = BackendState.UNKNOWN

    def show_state(self, state: Snapshot) -> None:
        """Show how it is."""
        backend = state.backend
        self._state = backend.state
        self.dot.tone = _TONES[backend.state]
        self.dot.update()
        # While something is painted, the progress beside "Cancel" says it better.
        text = "Painting" if state.running and backend.state is BackendState.BUSY else backend.text
        text = text or _TEXTS[backend.state]
        if backend.device and backend.state in (BackendState.READY, BackendState.BUSY):
            text = f"{text} · {backend.device}" if backend.device not in text else text
        self.text.setText(text)
        self.setAccessibleName(f"Backend: {text}")
        self.reconnect.setVisible(backend.state in (BackendState.LOST, BackendState.FAILED))

    def _again(self) -> None:
        remote = self._port.state.backend.remote
        if self._state is BackendState.FAILED and not remote.enabled:
            self._port.restart_backend()
        else:
            self._port.refresh()

    def _show_log(self) -> None:
        LogDialog(self._port, self).show()


class LogDialog(QtWidgets.QDialog):
    """The end of the backend's log."""

    def __init__(self, port: ControllerPort, parent: Any = None) -> None:
        super().__init__(parent)
        self._port = port
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Scumble: the backend's log")
        self.view = QtWidgets.QPlainTextEdit()
        self.view.setReadOnly(True)
        self.view.setAccessibleName("Log")
        self.view.setLineWrapMode(QtWidgets.QPlainTextEdit.LineWrapMode.NoWrap)
        self.view.setFont(QtGui.QFontDatabase.systemFont(QtGui.QFontDatabase.SystemFont.FixedFont))
        refresh = QtWidgets.QPushButton("Refresh")
        refresh.clicked.connect(self.refresh)
        copy = QtWidgets.QPushButton("Copy report")
        copy.setToolTip("What helps others to help; names, folders and keys are taken out.")
        copy.clicked.connect(lambda: QtWidgets.QApplication.clipboard().setText(port.report()))
        close = QtWidgets.QPushButton("Close")
        close.clicked.connect(self.close)
        unit = theme.unit(self)
        layout = column(self, margin=unit * 2, spacing=unit * 2)
        layout.addWidget(self.view, 1)
        layout.addLayout(row(refresh, copy, None, close, spacing=unit))
        self.resize(unit * 160, unit * 100)
        self.refresh()

    def refresh(self) -> None:
        """Read it again."""
        self.view.setPlainText(self._port.backend_log() or "The log is empty.")
        self._to_end()

    def showEvent(self, event: Any) -> None:
        super().showEvent(event)
        QtCore.QTimer.singleShot(0, self._to_end)

    def _to_end(self) -> None:
        bar = self.view.verticalScrollBar()
        bar.setValue(bar.maximum())
