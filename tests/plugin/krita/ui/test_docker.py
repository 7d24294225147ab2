"""The docker as a whole: run, cancel, progress, messages, results, settings."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fake_port import FakePort
from hands import click, key, turn
from PyQt5 import QtCore, QtGui, QtWidgets

from scumble.plugin.common.backend import Remote
from scumble.plugin.common.failures import explain
from scumble.plugin.common.jobs import JobView
from scumble.plugin.common.states import State
from scumble.plugin.krita.interface import (
    BackendInfo,
    BackendState,
    Batch,
    HistoryItem,
    Output,
    Part,
    PreviewInfo,
)
from scumble.plugin.krita.ui.docker import ScumbleDocker, set_controller
from scumble.plugin.krita.ui.panel import DockPanel
from scumble.plugin.krita.ui.settings_dialog import IDLE, PYTHON, SettingsDialog
from scumble.plugin.krita.ui.status import LogDialog
from scumble.shared.errors import Code, ScumbleError

UI = Path(__file__).resolve().parents[4] / "plugin" / "krita" / "ui"
FAILURE = explain(ScumbleError(Code.BACKEND_LOST, "The connection was lost.", "Try again.", retry=True))


def test_stylize_is_one_click_and_shows_its_keys(panel: Any, port: FakePort) -> None:
    panel.run.set_shortcut("Ctrl+Alt+S")
    click(panel.run.stylize)
    assert port.called("stylize") == [()] and "Ctrl+Alt+S" in panel.run.stylize.toolTip()


def test_what_keeps_it_from_painting_is_said_and_the_button_is_off(panel: Any, port: FakePort) -> None:
    problem = explain(ScumbleError(Code.UNKNOWN_STYLE, "No style is chosen.", "Choose one above."))
    port.become(Part.CHOICE, problem=problem)
    assert not panel.run.stylize.isEnabled() and panel.run.reason.isVisible()
    assert panel.run.reason.text() == "No style is chosen. Choose one above."
    click(panel.run.stylize)
    assert port.called("stylize") == []


def test_progress_shows_stage_time_left_and_a_way_out(panel: Any, port: FakePort) -> None:
    job = JobView("j", State.RUNNING, "Painting, about 4 s left", "Painting", 0.5, 4.0)
    port.become(Part.JOB, job=job, running=True)
    run = panel.run
    assert run.status.text() == "Painting, about 4 s left" and run.bar.fraction == 0.5
    assert run.cancel.isVisible() and not run.stylize.isVisible()
    click(run.cancel)
    assert port.called("cancel") == [()]
    port.become(Part.JOB, job=replace(job, state=State.CANCELLING, fraction=None))
    assert not run.cancel.isEnabled() and run.bar.fraction is None
    port.become(Part.JOB, running=False)
    assert run.running.isHidden() and run.idle.isVisible()


def test_frames_are_offered_where_there_are_some_and_counted_while_they_are_painted(
    panel: Any, port: FakePort
) -> None:
    assert panel.run.frames.isHidden()
    document = port.state.document
    assert document is not None
    port.become(Part.DOCUMENT, document=replace(document, frames=8))
    assert panel.run.frames.isVisible() and panel.run.frames.itemText(1) == "All 8 frames"
    panel.run.frames.activated.emit(1)
    assert port.state.all_frames
    half = JobView("j", State.RUNNING, "Painting…", "Painting", 0.5)
    port.become(Part.JOB, job=half, running=True, batch=Batch(3, 8, 12))
    assert panel.run.batch.text() == "Frame 12: 3 of 8 done"
    assert panel.run.bar.fraction == pytest.approx(3.5 / 8)


def test_the_result_is_one_layer_or_one_for_each_region(panel: Any, port: FakePort) -> None:
    panel.run.output.activated.emit(1)
    assert port.state.output is Output.GROUP and panel.run.output.currentIndex() == 1


def test_a_preview_follows_is_applied_and_dismissed(panel: Any, port: FakePort) -> None:
    panel.run.preview.click()
    assert port.called("set_preview") == [(True,)] and panel.run.dismiss.isHidden()
    port.become(Part.PREVIEW, preview=PreviewInfo(True, True, False, "0.6 s"))
    assert panel.run.stylize.text() == "Apply" and panel.run.preview_text.text() == "0.6 s"
    click(panel.run.stylize)
    assert port.called("stylize") == [()]
    click(panel.run.dismiss)
    assert not port.state.preview.on and not panel.run.preview.isChecked()
    assert panel.run.stylize.text() == "Stylize"


def test_a_layer_of_ours_can_be_run_again(panel: Any, port: FakePort) -> None:
    assert panel.run.rerun.isHidden()
    document = port.state.document
    assert document is not None
    port.become(Part.DOCUMENT, document=replace(document, rerunnable=True))
    click(panel.run.rerun)
    click(panel.run.load)
    assert port.called("rerun") == [()] and port.called("load_from_layer") == [()]


def test_a_failure_is_a_sentence_a_hint_and_a_report(panel: Any, port: FakePort) -> None:
    port.become(Part.FAILURE, failure=FAILURE)
    card = panel.messages.failure
    assert card.sentence.text() == "The connection was lost." and card.hint.text() == "Try again."
    click(panel.messages.copy)
    assert QtWidgets.QApplication.clipboard().text() == port.report()
    assert panel.messages.copy.text() == "Copied"
    click(panel.messages.again)
    assert port.called("retry") == [()]
    click(card.close_button)
    assert port.state.failure is None and panel.messages.isHidden()


def test_trying_again_is_offered_only_where_it_may_help(panel: Any, port: FakePort) -> None:
    port.become(Part.FAILURE, failure=explain(ScumbleError(Code.TOO_LARGE, "Too large.")))
    assert panel.messages.again.isHidden()


def test_notices_are_shown_until_they_are_dismissed(panel: Any, port: FakePort) -> None:
    port.become(Part.NOTICES, notices=("The CMYK layer was painted as a copy in RGB.",))
    assert "CMYK" in panel.messages.notices.sentence.text()
    click(panel.messages.notices.close_button)
    assert port.state.notices == ()


@pytest.mark.parametrize(
    ("state", "expected", "again"),
    [
        (BackendState.STARTING, "Starting…", False),
        (BackendState.READY, "Ready · CPU", False),
        (BackendState.LOST, "Connection lost", True),
        (BackendState.FAILED, "Could not be started", True),
    ],
)
def test_one_line_says_how_the_backend_is(
    panel: Any, port: FakePort, state: BackendState, expected: str, again: bool
) -> None:
    port.become(Part.BACKEND, backend=BackendInfo(state, "", "CPU"))
    line = panel.backend
    assert line.text.text().startswith(expected) and line.reconnect.isVisible() is again
    click(line.log)  # above all while it starts
    assert len(panel.findChildren(LogDialog)) == 1
    if again:
        click(line.reconnect)
        assert port.called("restart_backend" if state is BackendState.FAILED else "refresh") == [()]


def test_a_backend_elsewhere_is_not_restarted_from_here(panel: Any, port: FakePort) -> None:
    remote = Remote("studio:5599", "key.json", True)
    port.become(Part.BACKEND, backend=BackendInfo(BackendState.FAILED, "", remote=remote))
    click(panel.backend.reconnect)
    assert port.called("refresh") == [()] and port.called("restart_backend") == []


def test_results_are_put_back_compared_taken_up_and_forgotten(panel: Any, port: FakePort) -> None:
    assert panel.sections["results"].isHidden()
    items = (HistoryItem("b", "Second", 1e9, 3.0), HistoryItem("a", "First", 1e9, 90.0, applicable=False))
    port.become(Part.HISTORY, history=items, compare="after")
    results = panel.results
    assert results.selected == "b" and results.apply.isEnabled()
    click(results.apply)
    click(results.compare)
    click(results.load)
    results.view.setCurrentIndex(results.model.index(1, 0))
    assert not results.apply.isEnabled()
    click(results.forget)
    assert port.called("apply") == [("b",)] and port.called("toggle_compare") == [("b",)]
    assert port.called("load_from_history") == [("b",)] and port.called("forget") == [("a",)]
    click(panel.compare)
    assert port.called("toggle_compare")[-1] == ()
    port.become(Part.HISTORY, compare="before")
    assert panel.compare.isChecked()


def test_a_new_result_is_the_one_that_is_selected(panel: Any, port: FakePort) -> None:
    first = HistoryItem("a", "First")
    port.become(Part.HISTORY, history=(first,))
    port.become(Part.HISTORY, history=(HistoryItem("b", "Second"), first))
    assert panel.results.selected == "b"
    panel.results.view.setCurrentIndex(panel.results.model.index(1, 0))
    port.become(Part.HISTORY)
    assert panel.results.selected == "a", "what the user selected stays selected"


def test_sections_stay_folded_as_they_were_left(panel: Any, port: FakePort) -> None:
    click(panel.sections["regions"]._header)
    assert port.settings["docker_sections"]["regions"] is False
    again = DockPanel(port)
    assert not again.sections["regions"].opened and again.sections["style"].opened
    again.detach()
    again.deleteLater()


def test_it_fits_a_dock_of_240_pixels_in_every_state(panel: Any, port: FakePort) -> None:
    panel.engine.opened = True
    for changes in (
        {"failure": FAILURE, "notices": ("A sentence that is rather long for a narrow dock.",)},
        {"running": True, "job": JobView("j", State.RUNNING, "Reading the layer, about 25 s left", "", 0.1)},
        {"history": (HistoryItem("a", "A rather long name of a result (partial-conv)", 1e9, 3.0),)},
        {"preview": PreviewInfo(True, True, False, "Painted in 0.6 s")},
    ):
        port.become(**changes)
        port.add_region()
        panel.resize(240, 800)
        turn()
        assert panel.width() == 240
        content = panel.area.widget()
        assert content.width() <= panel.area.viewport().width()
        assert content.minimumSizeHint().width() <= 240


def test_every_button_can_be_reached_by_keyboard_and_has_a_name(panel: Any) -> None:
    buttons = panel.findChildren(QtWidgets.QAbstractButton)
    assert len(buttons) > 15
    for button in buttons:
        if (
            button.parent().__class__.__name__ != "QLineEdit"
            and button.objectName() != "qt_toolbar_ext_button"
        ):
            is_ours = button.focusPolicy() != QtCore.Qt.FocusPolicy.NoFocus
            inside = isinstance(button.parent(), QtWidgets.QLineEdit)  # Qt's own "clear"
            assert inside or (is_ours and (button.accessibleName() or button.text())), button


def test_settings_change_nothing_before_they_are_accepted(panel: Any, port: FakePort) -> None:
    dialog = SettingsDialog(port, panel)
    dialog.show()
    dialog.elsewhere.setChecked(True)
    dialog.address.setText("studio.local")
    dialog.key.field.setText("/keys/studio.json")
    dialog._accept()
    assert dialog.isVisible() and "address" in dialog.problem.text() and port.called("set_remote") == []
    dialog.address.setText("studio.local:5599")
    dialog.idle.setValue(45)
    dialog._accept()
    assert port.called("set_remote") == [(Remote("studio.local:5599", "/keys/studio.json", True),)]
    assert port.settings[IDLE] == 45 and PYTHON not in port.settings
    turn()


def test_a_remote_backend_needs_its_key_file(panel: Any, port: FakePort) -> None:
    dialog = SettingsDialog(port, panel)
    dialog.elsewhere.setChecked(True)
    dialog._accept()
    assert "key file" in dialog.problem.text()
    assert dialog.remote.isEnabled() and not dialog.local.isEnabled()
    dialog.reject()


def test_the_log_shows_its_end(panel: Any, port: FakePort) -> None:
    dialog = LogDialog(port, panel)
    dialog.show()
    turn()
    bar = dialog.view.verticalScrollBar()
    assert dialog.view.toPlainText().endswith("line 39") and bar.value() == bar.maximum()
    assert panel.findChildren(LogDialog) == [dialog]
    key(dialog, QtCore.Qt.Key.Key_Escape)
    assert panel.findChildren(LogDialog) == [], "closing it leaves nothing behind"


def test_the_docker_tells_when_it_can_be_seen(app: Any) -> None:
    port = FakePort()
    set_controller(port)
    docker = ScumbleDocker()
    assert isinstance(docker.widget(), DockPanel) and docker.windowTitle() == "Scumble"
    docker.show()
    turn()
    docker.close()
    turn()
    assert port.called("set_shown")[0] == (True,) and port.called("set_shown")[-1] == (False,)
    docker.set_port(FakePort())
    assert port.listeners == [], "the one that is replaced does not listen any more"
    docker.deleteLater()
    turn()


def test_with_two_windows_one_docker_that_can_be_seen_is_enough(app: Any) -> None:
    port = FakePort()
    set_controller(port)
    first, second = ScumbleDocker(), ScumbleDocker()
    first.show()
    second.show()
    turn()
    first.close()
    turn()
    assert port.called("set_shown")[-1] == (True,)
    second.close()
    turn()
    assert port.called("set_shown")[-1] == (False,)
    first.deleteLater()
    turn()
    port.become(Part.DOCUMENT)
    assert len(port.listeners) == 1, "the one whose window is gone has noticed it"
    second.deleteLater()
    turn()


def test_a_theme_that_changes_while_it_is_open_is_followed(panel: Any, app: Any) -> None:
    before = app.palette()

    def lightness() -> float:
        return panel.grab().toImage().pixelColor(2, 2).lightnessF()

    try:
        for window, text in (("#202020", "#eeeeee"), ("#f0f0f0", "#101010")):
            palette = QtGui.QPalette(QtGui.QColor(window), QtGui.QColor(window))
            palette.setColor(QtGui.QPalette.ColorRole.WindowText, QtGui.QColor(text))
            app.setPalette(palette)
            turn()
            assert (lightness() < 0.5) is (window == "#202020")
            note = panel.regions.note.palette().color(QtGui.QPalette.ColorRole.WindowText)
            assert (note.lightnessF() > 0.5) is (window == "#202020"), "quiet texts follow, too"
    finally:
        app.setPalette(before)


def test_only_the_shim_knows_which_qt_there_is() -> None:
    wrong = []
    for file in UI.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            wrong += [f"{file.name}: {name}" for name in names if name.startswith("PyQt")]
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("exec", "exec_"):
                wrong.append(f"{file.name}: a loop within the event loop")
    assert wrong == []
