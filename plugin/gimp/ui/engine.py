"""The engine with its options in a dialog, kept in the procedure's arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from scumble.plugin.common.forms import Form, forms
from scumble.shared.errors import ScumbleError

from .. import names
from ..engine_arguments import Held
from .kit import SPACE, Gtk, column, label, row
from .options import Options


class Engine:
    """A widget (:attr:`widget`), drawn anew when the backend says what it has.

    :param held: the options in the procedure's arguments.
    :param own: the engine of a procedure that has one of its own, else ``None``.
    :param changed: called when the user has changed something.
    """

    def __init__(self, config: Any, held: Held, own: str | None, changed: Callable[[], None]) -> None:
        self._config, self._held, self._own, self._changed = config, held, own, changed
        self._forms: tuple[Form, ...] = ()
        self._options: Options | None = None
        self._silent = False
        self._combo = Gtk.ComboBoxText()
        self._combo.connect("changed", self._choose)
        self._row = row(label("Engine"), self._combo, spacing=SPACE * 2)
        self._row.set_no_show_all(True)
        self._place = Gtk.Box(orientation=Gtk.Orientation.VERTICAL)
        self.widget = column(self._row, self._place, spacing=SPACE * 2)
        for name in held.names:
            config.connect(f"notify::{name}", self._reread)
        if own is None:
            config.connect("notify::engine", self._reread)

    @property
    def form(self) -> Form | None:
        """The engine's form, ``None`` while nothing is known."""
        return None if self._options is None else self._options.form

    def load(self, description: Mapping[str, Any]) -> None:
        """Offer what the backend has."""
        found = forms(description)
        others = tuple(f for f in found if f.engine != names.BRUSHWORK_ENGINE)
        self._forms = tuple(f for f in found if f.engine == self._own) if self._own else others
        self._silent = True
        self._combo.remove_all()
        for form in self._forms:
            self._combo.append(form.engine, form.label)
        self._silent = False
        self._row.set_visible(len(self._forms) > 1)
        for child in self._row.get_children():
            child.set_visible(len(self._forms) > 1)
        self._show()

    def _wanted(self) -> str:
        return self._own or str(self._config.get_property("engine"))

    def _show(self) -> None:
        form = next((f for f in self._forms if f.engine == self._wanted()), None)
        form = form or next(iter(self._forms), None)
        for child in self._place.get_children():
            self._place.remove(child)
        self._options = None
        if form is None:
            return
        self._silent = True
        self._combo.set_active_id(form.engine)
        self._silent = False
        try:
            form.load(self._held.read(form.engine))
        except ScumbleError:
            form.reset()
        self._options = Options(form, self._edited)
        self._combo.set_tooltip_text(form.help or None)
        self._place.pack_start(self._options.widget, False, False, 0)

    def _choose(self, combo: Any) -> None:
        engine = combo.get_active_id()
        if self._silent or not engine:
            return
        self._silent = True
        if self._options is not None:
            self._held.write(self._options.form.engine, {})
        self._config.set_property("engine", engine)
        self._silent = False
        self._show()
        self._changed()

    def _edited(self) -> None:
        assert self._options is not None
        self._silent = True
        form = self._options.form
        self._held.write(form.engine, form.options())
        self._silent = False
        self._changed()

    def _reread(self, *_: Any) -> None:
        """GIMP has loaded a preset or gone back to the defaults."""
        if not self._silent:
            self._show()
            self._changed()
