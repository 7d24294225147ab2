"""An engine's options as widgets, drawn from its form and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scumble.plugin.common.forms import Field, Form

from .kit import SPACE, Gtk, column, label

_LABELS = 14


class Options:
    """A widget (:attr:`widget`) for all options of a form: basic ones open, others folded away.

    :param changed: called when the user has changed one.
    """

    def __init__(self, form: Form, changed: Callable[[], None]) -> None:
        self.form = form
        self._changed = changed
        self._silent = False
        self._show: list[Callable[[], None]] = []
        self.widget = column(spacing=SPACE * 2)
        for number, group in enumerate(form.groups):
            if group.basic:
                expander = self._expander(group.name or "Options", group.basic)
                expander.set_expanded(number == 0)
                self.widget.pack_start(expander, False, False, 0)
        advanced = tuple(f for group in form.groups for f in group.advanced)
        if advanced:
            self.widget.pack_start(self._expander("Advanced", advanced), False, False, 0)
        self.widget.show_all()

    def refresh(self) -> None:
        """Show the form's values, which somebody else has changed."""
        self._silent = True
        for show in self._show:
            show()
        self._silent = False

    def _expander(self, name: str, fields: tuple[Field, ...]) -> Any:
        grid = Gtk.Grid(
            column_spacing=SPACE * 2, row_spacing=4, margin_start=SPACE * 2, margin_top=4, margin_end=SPACE
        )
        for index, field in enumerate(fields):
            title = label(field.spec.label)
            title.set_width_chars(_LABELS)
            widget = self._widget(field)
            for each in (title, widget):
                each.set_tooltip_text(field.spec.help or None)
            grid.attach(title, 0, index, 1, 1)
            grid.attach(widget, 1, index, 1, 1)
        expander = Gtk.Expander(label=name)
        expander.add(grid)
        return expander

    def _widget(self, field: Field) -> Any:
        if not field.editable:
            return label(field.shown, dim=True)
        maker = {"bool": self._switch, "choice": self._combo, "text": self._entry}.get(field.spec.kind)
        return maker(field) if maker else self._number(field)

    def _set(self, field: Field, value: Any) -> None:
        if not self._silent and value != field.value and field.set(value):
            self._changed()

    def _switch(self, field: Field) -> Any:
        switch = Gtk.Switch(active=field.value, halign=Gtk.Align.START)
        switch.connect("notify::active", lambda widget, _: self._set(field, widget.get_active()))
        self._show.append(lambda: switch.set_active(field.value))
        return switch

    def _combo(self, field: Field) -> Any:
        combo = Gtk.ComboBoxText()
        for choice in field.spec.choices:
            combo.append(choice, choice.replace("-", " ").capitalize())
        combo.set_active_id(field.value)
        combo.connect("changed", lambda widget: self._set(field, widget.get_active_id()))
        self._show.append(lambda: combo.set_active_id(field.value))
        return combo

    def _entry(self, field: Field) -> Any:
        entry = Gtk.Entry(text=field.value, max_length=200)
        entry.connect("activate", lambda widget: self._set(field, widget.get_text()))
        entry.connect("focus-out-event", lambda widget, _: self._set(field, widget.get_text()))
        self._show.append(lambda: entry.set_text(field.value))
        return entry

    def _number(self, field: Field) -> Any:
        spec = field.spec
        whole = spec.kind == "int"
        low = -1e6 if spec.minimum is None else spec.minimum
        high = 1e6 if spec.maximum is None else spec.maximum
        step = spec.step or (1.0 if whole else max((high - low) / 100, 0.01))
        digits = 0 if step >= 1 else 2
        adjustment = Gtk.Adjustment(
            value=field.value, lower=low, upper=high, step_increment=step, page_increment=step * 10
        )
        spin = Gtk.SpinButton(adjustment=adjustment, digits=digits, width_chars=4)
        adjustment.connect("value-changed", lambda each: self._set(field, _tidy(each.get_value(), whole)))
        self._show.append(lambda: adjustment.set_value(field.value))
        box = Gtk.Box(spacing=SPACE, hexpand=True)
        if spec.minimum is not None and spec.maximum is not None:
            scale = Gtk.Scale(
                adjustment=adjustment, draw_value=False, hexpand=True, orientation=Gtk.Orientation.HORIZONTAL
            )
            scale.set_size_request(90, -1)
            box.pack_start(scale, True, True, 0)
        box.pack_start(spin, False, False, 0)
        unit = label(spec.unit, dim=True)
        unit.set_width_chars(2)
        box.pack_start(unit, False, False, 0)
        return box


def _tidy(value: float, whole: bool) -> float | int:
    # A slider gives 0.7000000000000001, which nobody wants to read in a document.
    return round(value) if whole else round(value, 6)
