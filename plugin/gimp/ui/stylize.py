"""The dialog of *Stylize Selection* and *Brushwork*."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gi.repository import Gimp

from scumble.plugin.common import described
from scumble.plugin.common.forms import Form
from scumble.plugin.common.regions import RegionEntry
from scumble.shared.errors import Code, ScumbleError

from .. import arguments
from ..document import Document
from ..procedures import Choice, fixed, given, present
from ..running import Conversation
from . import kit
from .engine import Engine
from .gallery import Gallery
from .kit import SPACE, GimpUi, GLib, Gtk, column, label, row, scrolled
from .preview import Preview, nothing_yet

_PAGES = (
    (arguments.GALLERY, "Gallery"),
    (arguments.FILE, "Picture file"),
    (arguments.DRAWABLE, "Layer"),
    (arguments.WORDS, "Words"),
)


def ask(procedure: Any, config: Any, document: Document, talk: Conversation, own: str | None) -> Choice:
    """What the user wants; raises ``cancelled``."""
    kit.start()
    dialog = Dialog(procedure, config, document, talk, own)
    try:
        return dialog.run()
    finally:
        dialog.close()


class Dialog:
    """See the module."""

    def __init__(
        self, procedure: Any, config: Any, document: Document, talk: Conversation, own: str | None
    ) -> None:
        self._config, self._document, self._talk, self._own = config, document, talk, own
        title = "Scumble: brushwork" if own else "Scumble: stylize selection"
        self._dialog = GimpUi.ProcedureDialog.new(procedure, config, title)
        self._dialog.set_ok_label("St_ylize")
        self._dialog.set_default_size(900, 780)
        self._engine = Engine(config, own, self._changed)
        self._gallery = Gallery(self._choose_style)
        self._preview = Preview(document, talk, self._wanted)
        self._query = talk.session.describe()
        self._first = True
        self._build()
        self._load(described.kept())
        GLib.timeout_add(100, self._listen)

    def run(self) -> Choice:
        """Until the user has decided."""
        while True:
            if not self._dialog.run():
                raise ScumbleError(Code.CANCELLED, "")
            try:
                form, options, entries, seed = self._wanted()
            except ScumbleError as error:
                self._preview.status.set_text(f"{error.message} {error.hint}".strip())
                continue
            name = self._config.get_property("layer-name")
            return Choice(form.engine, options, fixed(entries), seed, name)

    def close(self) -> None:
        """Take it away."""
        self._preview.close()
        self._dialog.destroy()
        while Gtk.events_pending():
            Gtk.main_iteration()

    # -- what it is made of ----------------------------------------------------------------------------

    def _build(self) -> None:
        self._stack = Gtk.Stack(vhomogeneous=False)
        self._stack.add_titled(self._gallery.widget, *_PAGES[0])
        self._stack.add_titled(self._file_page(), *_PAGES[1])
        layers = GimpUi.DrawableChooser.new("Choose the style's layer", "Layer", Gimp.Drawable, None)
        kit.bind(self._config, "style-drawable", layers, "drawable")
        about = label(
            "Any layer of any open image. What is on it, at any size, is the style.", dim=True, wrap=True
        )
        self._stack.add_titled(column(layers, about, border=SPACE), *_PAGES[2])
        switcher = Gtk.StackSwitcher(stack=self._stack, halign=Gtk.Align.CENTER)
        strength = self._dialog.get_scale_entry("strength", 1.0)
        more = kit.name_and_seed(self._config)
        options = column(strength, self._engine.widget, more, spacing=SPACE * 2, border=SPACE)
        left = column(self._preview.widget)
        left.pack_start(scrolled(options, 400, 180), True, True, 0)
        right = column(switcher, spacing=SPACE)
        right.pack_start(self._stack, True, True, 0)
        right.set_size_request(450, -1)
        whole = row(left, right, spacing=SPACE * 2)
        whole.set_border_width(SPACE)
        self._dialog.get_content_area().pack_start(whole, True, True, 0)
        whole.show_all()
        self._show_page()
        self._stack.connect("notify::visible-child-name", self._turned)
        for name in (
            "style",
            "style-file",
            "style-drawable",
            "style-words",
            "strength",
            "seed",
            "style-from",
        ):
            self._config.connect(f"notify::{name}", self._reread)

    def _file_page(self) -> Any:
        self._file = Gtk.FileChooserButton(
            title="Choose the style's picture", action=Gtk.FileChooserAction.OPEN
        )
        pictures = Gtk.FileFilter()
        pictures.set_name("Pictures")
        pictures.add_mime_type("image/*")
        pictures.add_pattern("*.xcf")
        self._file.add_filter(pictures)
        folder = self._talk.settings.style_folder
        if folder:
            self._file.set_current_folder(folder)
        self._file.connect("file-set", self._choose_file)
        about = label(
            "Any picture that GIMP can open: a painting, a texture, a photograph.", dim=True, wrap=True
        )
        return column(self._file, about, border=SPACE)

    def _words_page(self, form: Form | None) -> None:
        """Only while the engine understands words."""
        wanted = form is not None and "text" in form.style_kinds
        there = self._stack.get_child_by_name(arguments.WORDS)
        if wanted and there is None:
            entry = Gtk.Entry(placeholder_text="A style in words")
            kit.bind(self._config, "style-words", entry, "text")
            page = column(entry, border=SPACE)
            self._stack.add_titled(page, *_PAGES[3])
            page.show_all()
        elif there is not None:
            there.set_visible(wanted)

    # -- what happens ----------------------------------------------------------------------------------

    def _load(self, description: Mapping[str, Any]) -> None:
        if not description:
            self._preview.status.set_text("Starting the Scumble backend…")
            return
        self._first = False
        self._gallery.load([s for s in description.get("styles") or () if isinstance(s, Mapping)])
        if not self._config.get_property("style") and self._gallery.first:
            self._config.set_property("style", self._gallery.first)
        self._gallery.choose(self._config.get_property("style"))
        self._engine.load(description)
        self._words_page(self._engine.form)
        self._changed()

    def _listen(self) -> bool:
        if not self._query.done:
            if self._first:
                self._preview.status.set_text(self._query.status or "Starting the Scumble backend…")
            return True
        if self._query.failure is not None:
            self._preview.status.set_text(self._query.failure.text)
            self._preview.status.set_tooltip_text(self._query.failure.text)
        elif isinstance(self._query.value, dict):
            if self._first or self._query.value != described.kept():
                self._load(self._query.value)
            described.keep(self._query.value)
        return False

    def _wanted(self) -> tuple[Form, Mapping[str, Any], Sequence[RegionEntry], int]:
        form = self._engine.form
        if form is None:
            raise nothing_yet("The Scumble backend has not said yet what it can do.")
        style = arguments.style_of(given(self._config))
        entry = RegionEntry("r1", present(self._document), style, "", self._config.get_property("strength"))
        return form, form.options(), [entry], self._config.get_property("seed")

    def _changed(self) -> None:
        self._words_page(self._engine.form)
        self._preview.refresh()

    def _choose_style(self, id: str) -> None:
        self._config.set_property("style", id)

    def _choose_file(self, button: Any) -> None:
        self._config.set_property("style-file", button.get_file())
        folder = button.get_current_folder()
        if folder:
            self._talk.settings.style_folder = folder

    def _turned(self, *_: Any) -> None:
        name = self._stack.get_visible_child_name()
        if name and name != self._config.get_property("style-from"):
            self._config.set_property("style-from", name)

    def _show_page(self) -> None:
        """The page of what the style is taken from; what is not said yet is found out here."""
        source = self._config.get_property("style-from")
        if source == arguments.AUTO:
            source = arguments.GALLERY
            self._config.set_property("style-from", source)
        self._stack.set_visible_child_name(source)

    def _reread(self, _: Any, changed: Any) -> None:
        if changed.name == "style-from":
            self._show_page()
        elif changed.name == "style":
            self._gallery.choose(self._config.get_property("style"))
        elif changed.name == "style-file":
            file = self._config.get_property("style-file")
            if file is not None and not (self._file.get_file() and file.equal(self._file.get_file())):
                self._file.set_file(file)
        self._preview.refresh()
