"""The foot of the docker: what becomes of the result, live preview, Stylize, progress, Cancel."""

from __future__ import annotations

from typing import Any

from scumble.plugin.common.states import State

from ..interface import ControllerPort, Output, Snapshot
from ..qt import Qt, QtCore, QtGui, QtWidgets, number
from . import theme
from .basics import Card, Elided, Note, column, row, tool
from .controls import choice_box
from .growing import Growing

_OUTPUTS = (
    (Output.LAYER, "Result: one layer", "The result is one new paint layer above yours."),
    (Output.GROUP, "Result: a layer per region", "The result is a group with one new layer for each region."),
)
#: The button that stops a job from refining, before and after it was clicked.
ENOUGH, FINISHING = "Good enough", "Finishing…"
_FRAMES = (("This frame", False), ("All frames", True))


class Accent(QtWidgets.QPushButton):
    """The one button that one looks for."""

    def __init__(self, text: str, parent: Any = None) -> None:
        super().__init__(text, parent)
        font = self.font()
        font.setBold(True)
        self.setFont(font)
        self.setMinimumWidth(60)
        self.setSizePolicy(QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.hint = ""

    def sizeHint(self) -> Any:
        unit = theme.unit(self)
        return QtCore.QSize(unit * 30, self.fontMetrics().height() + unit * 4)

    def minimumSizeHint(self) -> Any:
        return QtCore.QSize(60, self.sizeHint().height())

    def paintEvent(self, event: Any) -> None:
        painter = QtGui.QPainter(self)
        shades, unit = theme.Shades.of(self), theme.unit(self)
        if self.isEnabled():
            fill, text = shades.accent, shades.accent_text
            if self.isDown():
                fill = theme.mix(fill, shades.window, 0.25)
            elif self.underMouse():
                fill = theme.mix(fill, text, 0.12)
        else:
            fill, text = theme.mix(shades.window, shades.text, 0.09), shades.dim
        box = QtCore.QRectF(self.rect())
        theme.rounded(painter, box, unit, fill)
        if self.hasFocus():
            theme.rounded(painter, box.adjusted(2, 2, -2, -2), unit, None, text)
        metrics = self.fontMetrics()
        wide = metrics.horizontalAdvance(self.text())
        painter.setPen(text)
        painter.drawText(self.rect(), number(Qt.AlignmentFlag.AlignCenter), self.text())
        if self.hint and self.isEnabled():
            font = QtGui.QFont(self.font())
            font.setBold(False)
            small = QtGui.QFontMetrics(font)
            need = small.horizontalAdvance(self.hint)
            if (self.width() - wide) // 2 > need + unit * 4:
                painter.setFont(font)
                faint = QtGui.QColor(text)
                faint.setAlphaF(0.65)
                painter.setPen(faint)
                box = self.rect().adjusted(0, 0, -unit * 2, 0)
                painter.drawText(
                    box, number(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight), self.hint
                )


class Bar(QtWidgets.QWidget):
    """Progress: a filled line, or a wandering piece of it while nobody can say how far it is."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._fraction: float | None = None
        self._phase = 0.0
        self._timer = QtCore.QTimer(self)
        self._timer.setInterval(40)
        self._timer.timeout.connect(self._wander)
        self.setFixedHeight(max(5, theme.unit(self) + 2))
        self.setAccessibleName("Progress")

    @property
    def fraction(self) -> float | None:
        """How far, 0 to 1; ``None`` if it cannot be said."""
        return self._fraction

    def show_fraction(self, fraction: float | None) -> None:
        """Show how far it is."""
        self._fraction = fraction
        self._tick()
        self.setAccessibleDescription("" if fraction is None else f"{round(fraction * 100)} %")
        self.update()

    def showEvent(self, event: Any) -> None:
        super().showEvent(event)
        self._tick()

    def hideEvent(self, event: Any) -> None:
        super().hideEvent(event)
        self._timer.stop()

    def _tick(self) -> None:
        if self._fraction is None and self.isVisible():
            self._timer.start()
        else:
            self._timer.stop()

    def _wander(self) -> None:
        self._phase = (self._phase + 0.02) % 1.0
        self.update()

    def paintEvent(self, event: Any) -> None:
        painter = QtGui.QPainter(self)
        shades = theme.Shades.of(self)
        box = QtCore.QRectF(self.rect())
        radius = box.height() / 2
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        path = QtGui.QPainterPath()
        path.addRoundedRect(box, radius, radius)
        painter.fillPath(path, shades.line)
        painter.setClipPath(path)
        if self._fraction is None:
            wide = box.width() * 0.3
            left = (box.width() + wide) * self._phase - wide
            painter.fillRect(QtCore.QRectF(left, 0, wide, box.height()), shades.accent)
        else:
            done = QtGui.QPainterPath()
            done.addRoundedRect(
                QtCore.QRectF(0, 0, box.width() * self._fraction, box.height()), radius, radius
            )
            painter.fillPath(done, shades.accent)


class RunPanel(QtWidgets.QWidget):
    """See the module."""

    def __init__(self, port: ControllerPort, parent: Any = None) -> None:
        super().__init__(parent)
        self._port = port
        self._shown, self._keys = False, ""
        unit = theme.unit(self)
        self.output = choice_box("Result")
        for _, label, tip in _OUTPUTS:
            self.output.addItem(label)
            self.output.setItemData(self.output.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self.output.setToolTip("What the result becomes; always new, above your layer, in one undo step.")
        self.output.activated.connect(lambda at: port.set_output(_OUTPUTS[at][0]))
        self.frames = choice_box("Frames")
        for label, _ in _FRAMES:
            self.frames.addItem(label)
        self.frames.setToolTip("Paint the current frame, or each key frame of the layer.")
        self.frames.activated.connect(lambda at: port.set_all_frames(_FRAMES[at][1]))
        self.preview = QtWidgets.QCheckBox("Live preview")
        self.preview.setToolTip("A quick, rough layer follows the controls and the selection.")
        self.preview.toggled.connect(self._toggle_preview)
        self.preview_text = Elided(dim=True)
        theme.smaller(self.preview_text, 0.9)
        self.dismiss = QtWidgets.QPushButton("Dismiss")
        self.dismiss.setToolTip("Remove the preview layer and stop following.")
        self.dismiss.clicked.connect(lambda: port.dismiss_preview())
        self.dismiss.setMinimumWidth(50)
        self.stylize = Accent("Stylize")
        self.stylize.clicked.connect(lambda: port.stylize())
        self.rerun = tool("again", "Run again with the settings kept in this layer", lambda: port.rerun())
        self.load = tool(
            "sliders", "Take over the settings kept in this layer", lambda: port.load_from_layer()
        )
        self.reason = Note("")
        self.bar = Bar()
        self.status = Elided()
        self.batch = Elided(dim=True)
        self.cancel = QtWidgets.QPushButton("Cancel")
        self.cancel.setMinimumWidth(50)
        self.cancel.clicked.connect(lambda: port.cancel())
        self.enough = QtWidgets.QPushButton(ENOUGH)
        self.enough.setToolTip("Stop refining here, and take what there is as the result.")
        self.enough.setMinimumWidth(50)
        self.enough.clicked.connect(lambda: port.enough())
        self.enough.hide()
        self.growing = Growing()
        self.growing.hide()
        self.running = QtWidgets.QWidget()
        inside = column(self.running, spacing=unit // 2)
        inside.addWidget(self.growing)
        inside.addWidget(self.status)
        inside.addWidget(self.batch)
        last = row(spacing=unit * 2)
        last.addWidget(self.bar, 1, Qt.AlignmentFlag.AlignVCenter)
        last.addWidget(self.enough)
        last.addWidget(self.cancel)
        inside.addLayout(last)
        self.idle = QtWidgets.QWidget()
        self.idle.setLayout(row(self.stylize, self.load, self.rerun, spacing=unit // 2))
        layout = column(self, spacing=unit + 1)
        top = row(spacing=unit)
        top.addWidget(self.output, 3)
        top.addWidget(self.frames, 2)
        #: Not at the foot: seldom changed, and a dock may be low.
        self.becomes = QtWidgets.QWidget()
        self.becomes.setLayout(top)
        self.preview_row = QtWidgets.QWidget()
        preview = row(spacing=unit)
        preview.addWidget(self.preview)
        preview.addWidget(self.preview_text, 1)
        preview.addWidget(self.dismiss)
        self.preview_row.setLayout(preview)
        layout.addWidget(self.preview_row)
        layout.addWidget(self.reason)
        layout.addWidget(self.idle)
        layout.addWidget(self.running)

    def set_shortcut(self, text: str) -> None:
        """Show the keys that do the same as the button."""
        self._keys = text
        self._name()

    def show_state(self, state: Snapshot) -> None:
        """Show what runs and what can be done."""
        self.output.setCurrentIndex([output for output, _, _ in _OUTPUTS].index(state.output))
        frames = state.document.frames if state.document is not None else 0
        self.frames.setVisible(frames > 1)
        self.frames.setItemText(1, f"All {frames} frames" if frames > 1 else "All frames")
        self.frames.setCurrentIndex(int(state.all_frames))
        self._show_preview(state)
        self._show_job(state)
        rerunnable = state.document is not None and state.document.rerunnable
        self.rerun.setVisible(rerunnable)
        self.load.setVisible(rerunnable)
        problem = state.problem
        self.stylize.setEnabled(problem is None)
        self.stylize.setAccessibleDescription(problem.text if problem is not None else "")
        self.reason.setText(problem.text if problem is not None else "")
        self.reason.setVisible(problem is not None and not state.running and state.document is not None)

    def _show_preview(self, state: Snapshot) -> None:
        preview = state.preview
        blocked = self.preview.blockSignals(True)
        self.preview.setChecked(preview.on)
        self.preview.blockSignals(blocked)
        self.preview_text.setText(preview.text if preview.on or preview.text else "")
        self.dismiss.setVisible(preview.shown and not state.running)
        self._shown = preview.shown
        self._name()

    def _name(self) -> None:
        """Stylize by its name; while a preview lies there, the same click makes it good."""
        does = "Replace the preview by the full result" if self._shown else "Paint a new layer"
        self.stylize.setText("Apply" if self._shown else "Stylize")
        self.stylize.setToolTip(f"{does} ({self._keys})" if self._keys else does)
        self.stylize.hint = self._keys
        self.stylize.update()

    def _show_job(self, state: Snapshot) -> None:
        job, batch = state.job, state.batch
        self.running.setVisible(state.running)
        self.preview_row.setVisible(not state.running)
        self.idle.setVisible(not state.running)
        self.batch.setVisible(batch is not None)
        self._show_growing(state)
        if not state.running:
            return
        fraction = job.fraction if job is not None else None
        if batch is not None:
            self.batch.setText(f"Frame {batch.frame}: {batch.done} of {batch.of} done")
            if batch.of:
                fraction = (batch.done + (fraction or 0.0)) / batch.of
        self.status.setText(job.status if job is not None and job.status else "Reading the layer…")
        self.bar.show_fraction(fraction)
        self.cancel.setEnabled(job is None or job.state is not State.CANCELLING)

    def _show_growing(self, state: Snapshot) -> None:
        job = state.job if state.running else None
        preview = job.preview if job is not None else None
        if preview is not None or state.batch is None or not state.running:
            # Between two frames the last one's stays: what is below would jump.
            self.growing.show_preview(preview)
        self.enough.setVisible(preview is not None)
        self.enough.setText(FINISHING if state.finishing else ENOUGH)
        self.enough.setEnabled(job is not None and job.state is State.RUNNING and not state.finishing)

    def _toggle_preview(self, on: bool) -> None:
        self._port.set_preview(on)


class Tell(Card):
    """A card with a sentence, a hint and something to do about it."""

    def __init__(self, tone: str, parent: Any = None) -> None:
        super().__init__(parent, tone=tone)
        unit = theme.unit(self)
        self.sentence = Note("", dim=False, factor=1.0)
        self.hint = Note("")
        for note in (self.sentence, self.hint):
            note.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.close_button = tool("close", "Dismiss")
        top = row(spacing=unit)
        top.addWidget(self.sentence, 1)
        top.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignTop)
        self.content.addLayout(top)
        self.content.addWidget(self.hint)
        self.buttons = row(spacing=unit)
        self.content.addLayout(self.buttons)

    def say(self, sentence: str, hint: str = "") -> None:
        """Show a sentence and a hint."""
        self.sentence.setText(sentence)
        self.hint.setText(hint)
        self.hint.setVisible(bool(hint))
        self.setAccessibleName(sentence)
        self.setAccessibleDescription(hint)
