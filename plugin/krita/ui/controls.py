"""An engine's options as widgets, made of a form and of nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scumble.plugin.common.forms import Field, Form, Group

from ..qt import Qt, QtWidgets
from . import theme
from .basics import Elided, Note, Section, column, row, tool
from .valuebar import ValueBar

#: Gives a field a value; what comes back says why it was refused.
Set = Callable[[str, Any], Field | None]


class _Row(QtWidgets.QWidget):
    """One option: its control, a reset that is there when there is something to reset, its error."""

    def __init__(self, field: Field, set_value: Set, reset: Callable[[str], None]) -> None:
        super().__init__()
        self.name = field.name
        self._set = set_value
        self._note = Note("", dim=False)
        self._note.hide()
        self._loading = False
        self._control, self._show = _control(field, self._entered, lambda: reset(self.name))
        self._control.setToolTip(_tip(field))
        self._reset = tool("reset", f"Reset “{field.spec.label}”", lambda: reset(self.name))
        policy = self._reset.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self._reset.setSizePolicy(policy)
        layout = column(self, spacing=1)
        layout.addLayout(row(self._control, self._reset, spacing=theme.unit(self) // 2))
        layout.addWidget(self._note)
        self.update_from(field)

    @property
    def control(self) -> Any:
        """The widget that the user touches."""
        return self._control

    @property
    def reset_button(self) -> Any:
        """The button that is to be seen when the value differs from what it would be untouched."""
        return self._reset

    def update_from(self, field: Field) -> None:
        """Show a field as it is now."""
        self._loading = True
        try:
            self._show(field)
        finally:
            self._loading = False
        self._reset.setVisible(field.is_changed)
        self._control.setEnabled(field.editable)
        self._complain(field)

    def _entered(self, value: Any) -> None:
        if not self._loading:
            field = self._set(self.name, value)
            if field is not None:
                self._reset.setVisible(field.is_changed)
                self._complain(field)

    def _complain(self, field: Field) -> None:
        error = field.error
        self._note.setText(f"{error.message} {error.hint}".strip() if error is not None else "")
        self._note.setVisible(error is not None)


def _tip(field: Field) -> str:
    spec = field.spec
    lines = [spec.help or spec.label]
    if spec.known:
        lines.append(f"Takes {spec.accepted}; normally {_plain(field.base, spec.unit)}.")
    else:
        lines.append("Update the plugin to change it.")
    if spec.effect == "speed":
        lines.append("Changes the speed, not the picture.")
    return "\n".join(lines)


def _plain(value: Any, unit: str) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g} {unit}".rstrip() if isinstance(value, (int, float)) else str(value)


def _control(
    field: Field, entered: Callable[[Any], None], reset: Callable[[], None]
) -> tuple[Any, Callable[[Field], None]]:
    """(widget, how to show a field in it)."""
    spec = field.spec
    if not spec.known:
        text = Elided("", dim=True)
        return text, lambda f: text.setText(f"{f.spec.label}: {f.shown}")
    if spec.kind in ("float", "int"):
        return _number(field, entered, reset)
    if spec.kind == "bool":
        box = QtWidgets.QCheckBox(spec.label)
        box.setAccessibleDescription(spec.help)
        box.setMinimumWidth(60)
        box.setSizePolicy(QtWidgets.QSizePolicy.Policy.Ignored, QtWidgets.QSizePolicy.Policy.Fixed)
        box.toggled.connect(entered)
        return box, lambda f: box.setChecked(bool(f.value))
    editor: Any
    if spec.kind == "choice":
        editor = choice_box(spec.label)
        editor.addItems(spec.choices)
        editor.currentTextChanged.connect(entered)

        def show(f: Field) -> None:
            editor.setCurrentIndex(editor.findText(str(f.value)))
    else:
        editor = QtWidgets.QLineEdit()
        editor.setAccessibleName(spec.label)
        editor.setMaxLength(200)
        editor.editingFinished.connect(lambda: entered(editor.text()))

        def show(f: Field) -> None:
            if editor.text() != str(f.value):
                editor.setText(str(f.value))

    return _labelled(spec.label, editor), show


def _number(
    field: Field, entered: Callable[[Any], None], reset: Callable[[], None]
) -> tuple[Any, Callable[[Field], None]]:
    spec = field.spec
    whole = spec.kind == "int"
    if spec.minimum is not None and spec.maximum is not None and spec.maximum > spec.minimum:
        percent = not whole and not spec.unit and spec.minimum == 0 and spec.maximum == 1
        step = spec.step or (1 if whole else (spec.maximum - spec.minimum) / 20)
        bar = ValueBar(
            spec.label, spec.minimum, spec.maximum, step, whole=whole, unit=spec.unit, percent=percent
        )
        bar.changed.connect(entered)
        bar.reset_asked.connect(reset)

        def show_bar(f: Field) -> None:
            if abs(bar.number - float(f.value)) > 1e-12:
                bar.set(f.value)

        return bar, show_bar
    # Open on one side: there is no bar to fill.
    box: Any = QtWidgets.QSpinBox() if whole else QtWidgets.QDoubleSpinBox()
    most = 2**31 - 1 if whole else 1e9
    box.setRange(
        spec.minimum if spec.minimum is not None else -most,
        spec.maximum if spec.maximum is not None else most,
    )
    box.setSingleStep(spec.step or 1)
    if not whole:
        box.setDecimals(3)
    if spec.unit:
        box.setSuffix(f" {spec.unit}")
    box.setKeyboardTracking(False)
    box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    box.setAccessibleName(spec.label)
    box.valueChanged.connect(entered)
    return _labelled(spec.label, box), lambda f: box.setValue(f.value)


def choice_box(name: str) -> Any:
    """A drop-down list that never asks for more width than there is, nor takes the wheel in passing."""
    box = _Choice()
    box.setAccessibleName(name)
    box.setSizeAdjustPolicy(QtWidgets.QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(5)
    box.setMinimumWidth(60)
    box.setSizePolicy(QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Fixed)
    box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return box


class _Choice(QtWidgets.QComboBox):
    def wheelEvent(self, event: Any) -> None:
        event.ignore()


def _labelled(text: str, control: Any) -> Any:
    holder = QtWidgets.QWidget()
    label = Elided(text)
    layout = row(spacing=theme.unit(holder))
    layout.addWidget(label, 2)
    layout.addWidget(control, 3)
    holder.setLayout(layout)
    holder.setFocusProxy(control)
    return holder


class FormView(QtWidgets.QWidget):
    """The fields of a form under their headings.

    :param set_value: called with what the user enters.
    :param reset: called with the name of a field.
    """

    def __init__(self, set_value: Set, reset: Callable[[str], None], parent: Any = None) -> None:
        super().__init__(parent)
        self._set, self._reset = set_value, reset
        self._rows: dict[str, _Row] = {}
        self._shape: Any = None
        self._folds: dict[str, bool] = {}
        self._layout = column(self, spacing=theme.unit(self))

    def row(self, name: str) -> _Row:
        """The row of an option."""
        return self._rows[name]

    def show_form(self, form: Form | None) -> None:
        """Show a form; its widgets stay if it has the same fields as before."""
        shape = None if form is None else (form.engine, tuple(f.spec for f in form.fields))
        if shape != self._shape:
            self._build(form)
            self._shape = shape
        elif form is not None:
            for field in form.fields:
                self._rows[field.name].update_from(field)

    def _build(self, form: Form | None) -> None:
        self._rows.clear()
        while self._layout.count():
            old = self._layout.takeAt(0).widget()
            if old is not None:
                old.hide()
                old.deleteLater()
        groups = form.groups if form is not None else ()
        for group in groups:
            heading = len(groups) > 1 or bool(group.advanced)
            self._layout.addWidget(self._group(group) if heading else self._plain_group(group.fields))

    def _group(self, group: Group) -> Any:
        section = self._section(group.name or "Options", bool(group.basic))
        if group.basic:
            section.add(self._plain_group(group.basic))
        if group.advanced and group.basic:
            more = self._section("Advanced", False, key=f"{group.name}/advanced")
            more.add(self._plain_group(group.advanced))
            more.setContentsMargins(theme.unit(self) * 3, 0, 0, 0)
            section.add(more)
        elif group.advanced:
            section.add(self._plain_group(group.advanced))
        return section

    def _section(self, title: str, opened: bool, key: str = "") -> Section:
        key = key or title
        section = Section(title, strong=False, opened=self._folds.get(key, opened))
        section.toggled.connect(lambda now: self._folds.__setitem__(key, now))
        return section

    def _plain_group(self, fields: tuple[Field, ...]) -> Any:
        holder = QtWidgets.QWidget()
        layout = column(holder, spacing=theme.unit(self) // 2 + 1)
        for field in fields:
            self._rows[field.name] = _Row(field, self._set, self._reset)
            layout.addWidget(self._rows[field.name])
        return holder
