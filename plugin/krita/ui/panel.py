"""Everything in the docker, in one widget that needs no Krita."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scumble.plugin.common.forms import Field, Form

from ..interface import ControllerPort, Part, Snapshot
from ..qt import Qt, QtCore, QtWidgets
from . import theme
from .basics import Note, Rule, Section, column, tool
from .controls import FormView, choice_box
from .regions import RegionPanel
from .results import Results
from .run import RunPanel
from .settings_dialog import SettingsDialog
from .status import BackendLine, Messages
from .styles import StyleChooser
from .thumbs import Thumbnails

#: Setting that holds which sections are open.
FOLDS = "docker_sections"
_ALL = frozenset(Part)


class EngineSection(Section):
    """The engine and its options, for everything or for the region that is picked."""

    def __init__(self, port: ControllerPort) -> None:
        super().__init__("Engine", opened=False)
        self._port = port
        self._names: list[str] = []
        self.engine = choice_box("Engine")
        self.engine.activated.connect(lambda at: port.set_engine(self._names[at]))
        self.help = Note("")
        self.form = FormView(port.set_option, port.reset_option)
        self.seed = QtWidgets.QSpinBox()
        self.seed.setRange(0, 2**31 - 1)
        self.seed.setPrefix("Seed ")
        self.seed.setToolTip("Two runs with one seed give the same picture; another one varies the strokes.")
        self.seed.setAccessibleName("Seed")
        self.seed.setMinimumWidth(60)
        self.seed.setKeyboardTracking(False)
        self.seed.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.seed.valueChanged.connect(lambda value: port.set_seed(value))
        self.reset = tool("reset", "Reset all options of this engine", lambda: port.reset_options())
        self.add_tool(self.reset)
        self.own = Section("Only this region", strong=False, opened=False)
        self.own_form = FormView(self._set_own, self._reset_own)
        self.own_reset = tool("reset", "As all other regions", self._reset_region)
        self.own.add_tool(self.own_reset)
        self.own.add(self.own_form)
        for each in (self.engine, self.help, self.form, self.seed, self.own):
            self.add(each)

    def show_state(self, state: Snapshot) -> None:
        """Show the engine and its options as they are now."""
        names = [form.engine for form in state.engines]
        if names != self._names:
            self._names = names
            self.engine.clear()
            for each in state.engines:
                self.engine.addItem(each.label)
                self.engine.setItemData(self.engine.count() - 1, each.help, Qt.ItemDataRole.ToolTipRole)
        form = state.form
        self.engine.setVisible(len(names) > 1)
        if state.engine in names:
            self.engine.setCurrentIndex(names.index(state.engine))
        self.help.setText(
            form.help if form is not None else "The options appear as soon as the backend is there."
        )
        self.help.setVisible(bool(self.help.text()))
        self.form.show_form(form)
        self.form.setVisible(form is not None)
        self.seed.setVisible(form is not None)
        self.reset.setEnabled(form is not None and form.is_changed)
        blocked = self.seed.blockSignals(True)
        self.seed.setValue(min(max(state.seed, 0), 2**31 - 1))
        self.seed.blockSignals(blocked)
        self.set_note(f"{form.label}{', changed' if form.is_changed else ''}" if form is not None else "")
        self._show_own(state)

    def _show_own(self, state: Snapshot) -> None:
        own: Form | None = self._port.region_form(state.picked) if state.picked else None
        self.own.setVisible(own is not None and bool(own.fields))
        if own is not None and own.fields:
            place = [entry.id for entry in state.regions].index(state.picked)
            name = state.regions[place].label or f"region {place + 1}"
            self.own.set_note(f"{name}{', changed' if own.is_changed else ''}")
            self.own_form.show_form(own)
            self.own_reset.setEnabled(own.is_changed)

    def _set_own(self, name: str, value: Any) -> Field | None:
        return self._port.set_region_option(self._port.state.picked, name, value)

    def _reset_own(self, name: str) -> None:
        own = self._port.region_form(self._port.state.picked)
        if own is not None:
            self._port.set_region_option(self._port.state.picked, name, own.field(name).base)

    def _reset_region(self) -> None:
        self._port.reset_region_options(self._port.state.picked)


class DockPanel(QtWidgets.QWidget):
    """The docker's content.

    :param port: the controller; everything that is shown comes from its state, everything that the user
        does goes to its methods.
    """

    def __init__(self, port: ControllerPort, parent: Any = None) -> None:
        super().__init__(parent)
        self.port = port
        self.setObjectName("ScumblePanel")
        unit = theme.unit(self)
        self.pictures = Thumbnails(
            lambda style, side: port.style_thumbnail(style, side, side),
            self,
            lambda style, side, done: port.picking.gallery_picture(style, side, done),
        )
        self.regions = RegionPanel(port, self.pictures)
        self.styles = StyleChooser(port, self.pictures)
        self.engine = EngineSection(port)
        self.results = Results(port)
        self.run = RunPanel(port)
        self.messages = Messages(port)
        self.backend = BackendLine(port, self._open_settings)
        self.note = Note("")
        self._cards: Any = None
        content = QtWidgets.QWidget()
        inner = column(content, spacing=unit)
        inner.setContentsMargins(unit * 2, unit, unit * 2, unit)
        self.sections = {
            "regions": Section("Regions"),
            "style": Section("Style"),
            "results": Section("Results"),
        }
        self.sections["regions"].add(self.note)
        self.sections["regions"].add(self.regions)
        self.sections["style"].add(self.styles, 1)
        self.sections["results"].add(self.results)
        self.sections["engine"] = self.engine
        self.compare = tool("compare", "Before / after (the latest result)", self._compare, checkable=True)
        self.sections["results"].add_tool(self.compare)
        self._rules: dict[str, Rule] = {}
        for name, stretch in (("regions", 0), ("style", 1), ("engine", 0), ("results", 0)):
            if name != "regions":
                self._rules[name] = Rule()
                inner.addWidget(self._rules[name])
            inner.addWidget(self.sections[name], stretch)
            if name == "engine":
                inner.addWidget(self.run.becomes)
        self._inner = inner
        inner.addStretch(0)
        self.area = QtWidgets.QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setWidget(content)
        self.area.viewport().setAutoFillBackground(False)
        content.setAutoFillBackground(False)
        foot = QtWidgets.QWidget()
        below = column(foot, spacing=unit + 1)
        below.setContentsMargins(unit * 2, unit + 1, unit * 2, unit)
        for widget in (self.messages, self.run, self.backend):
            below.addWidget(widget)
        layout = column(self, spacing=0)
        layout.addWidget(self.area, 1)
        layout.addWidget(Rule())
        layout.addWidget(foot)
        self._restore_folds()
        self._stop: Callable[[], None] | None = port.listen(self._heard)
        self.show_state(_ALL)

    def minimumSizeHint(self) -> Any:
        return QtCore.QSize(min(theme.unit(self) * 52, 230), theme.unit(self) * 60)

    def sizeHint(self) -> Any:
        return QtCore.QSize(theme.unit(self) * 72, theme.unit(self) * 190)

    def detach(self) -> None:
        """Listen no more; for when it is thrown away."""
        if self._stop is not None:
            self._stop()
            self._stop = None

    def _heard(self, parts: frozenset[Part]) -> None:
        try:
            self.objectName()
        except RuntimeError:  # its window was closed, and took Qt's half of it away
            self.detach()
            return
        self.show_state(parts)

    def show_state(self, parts: frozenset[Part]) -> None:
        """Draw what is new."""
        state = self.port.state
        if Part.CATALOGUE in parts and state.styles is not self._cards:
            self._cards = state.styles
            self.pictures.set_gallery(state.styles)
            self.styles.gallery.set_cards(state.styles, waiting=state.form is None)
        if parts & {Part.DOCUMENT}:
            self.pictures.forget_layers()
        if parts & {Part.DOCUMENT, Part.REGIONS, Part.CATALOGUE, Part.CHOICE}:
            self._show_document(state)
            self.regions.show_state(state, parts)
            self.styles.show_state(state)
            self.engine.show_state(state)
        if parts & {Part.HISTORY, Part.DOCUMENT}:
            self.results.show_state(state, parts)
            self.sections["results"].setVisible(bool(state.history))
            self._rules["results"].setVisible(bool(state.history))
            self.compare.setVisible(bool(state.compare))
            self.compare.setChecked(state.compare == "before")
        if parts - {Part.HISTORY, Part.SETTINGS}:
            self.run.show_state(state)
        if parts & {Part.FAILURE, Part.NOTICES}:
            self.messages.show_state(state)
        if parts & {Part.BACKEND, Part.CATALOGUE, Part.SETTINGS, Part.JOB}:
            self.backend.show_state(state)

    def _show_document(self, state: Snapshot) -> None:
        document = state.document
        count = len(state.regions)
        off = sum(not entry.enabled for entry in state.regions)
        layer = document.layer if document is not None else ""
        self.sections["regions"].set_note(
            (f"{count}, {off} off" if off else str(count)) + (f" on “{layer}”" if layer else "")
            if count
            else (f"on “{layer}”" if layer else "")
        )
        self.note.setText(document.note if document is not None else "")
        self.note.setVisible(bool(self.note.text()))

    def _compare(self) -> None:
        self.port.toggle_compare()

    def _open_settings(self) -> None:
        SettingsDialog(self.port, self).open()

    def _restore_folds(self) -> None:
        kept = self.port.get_setting(FOLDS, {})
        for name, section in self.sections.items():
            if isinstance(kept, dict) and isinstance(kept.get(name), bool):
                section.opened = kept[name]
            section.toggled.connect(lambda _open: self._keep_folds())
        self._share_room()

    def _share_room(self) -> None:
        """Height that is left over goes to the gallery, or, while that is folded away, to nobody."""
        opened = self.sections["style"].opened
        self._inner.setStretchFactor(self.sections["style"], int(opened))
        self._inner.setStretch(self._inner.count() - 1, int(not opened))

    def _keep_folds(self) -> None:
        self._share_room()
        self.port.set_setting(FOLDS, {name: section.opened for name, section in self.sections.items()})
