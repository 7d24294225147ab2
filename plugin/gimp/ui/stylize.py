"""The dialog of *Stylize Selection* and *Brushwork*."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gi.repository import Gimp

from scumble.plugin.common.forms import Form
from scumble.plugin.common.regions import RegionEntry

from .. import arguments, names
from ..document import Document
from ..procedures import Choice, given, present
from ..running import Conversation
from . import kit
from .gallery import Gallery
from .kit import SPACE, GimpUi, Gtk, column, label
from .painting import PaintingDialog

_PAGES = (
    (names.GALLERY, "Gallery"),
    (names.FILE, "Picture file"),
    (names.DRAWABLE, "Layer"),
    (names.WORDS, "Words"),
)
_SHOWN_AGAIN = ("style", "style-file", "style-drawable", "style-words", "style-from", "strength", "seed")


def ask(procedure: Any, config: Any, document: Document, talk: Conversation, own: str | None) -> Choice:
    """What the user wants; raises ``cancelled``."""
    title = "Scumble: brushwork" if own else "Scumble: stylize selection"
    return Dialog(procedure, config, document, talk, title, own).ask()


class Dialog(PaintingDialog):
    """See the module."""

    def build(self) -> None:
        """See :class:`~.painting.PaintingDialog`."""
        self.dialog.set_default_size(900, 780)
        self._gallery = Gallery(lambda id: self.config.set_property("style", id))
        self._stack = Gtk.Stack(vhomogeneous=False)
        self._stack.add_titled(self._gallery.widget, *_PAGES[0])
        self._stack.add_titled(self._file_page(), *_PAGES[1])
        layers = GimpUi.DrawableChooser.new("Choose the style's layer", "Layer", Gimp.Drawable, None)
        kit.bind(self.config, "style-drawable", layers, "drawable")
        about = label(
            "Any layer of any open image. What is on it, at any size, is the style.", dim=True, wrap=True
        )
        self._stack.add_titled(column(layers, about, border=SPACE), *_PAGES[2])
        switcher = Gtk.StackSwitcher(stack=self._stack, halign=Gtk.Align.CENTER)
        right = column(switcher, spacing=SPACE)
        right.pack_start(self._stack, True, True, 0)
        right.set_size_request(450, -1)
        strength = self.dialog.get_scale_entry("strength", 1.0)
        self.lay((strength, self.engine.widget, kit.name_and_seed(self.config)), right, 180)
        self._show_page()
        self._stack.connect("notify::visible-child-name", self._turned)
        for name in _SHOWN_AGAIN:
            self.config.connect(f"notify::{name}", self._reread)

    def load(self, description: Mapping[str, Any]) -> None:
        """See :class:`~.painting.PaintingDialog`."""
        self._gallery.load(self.styles(description))
        if not self.config.get_property("style") and self._gallery.first:
            self.config.set_property("style", self._gallery.first)
        self._gallery.choose(self.config.get_property("style"))

    def entries(self) -> Sequence[RegionEntry]:
        """See :class:`~.painting.PaintingDialog`."""
        style = arguments.style_of(given(self.config))
        return [RegionEntry("r1", present(self.document), style, "", self.config.get_property("strength"))]

    def changed(self) -> None:
        """See :class:`~.painting.PaintingDialog`."""
        self._words_page(self.engine.form)
        super().changed()

    def _file_page(self) -> Any:
        self._file = Gtk.FileChooserButton(
            title="Choose the style's picture", action=Gtk.FileChooserAction.OPEN
        )
        pictures = Gtk.FileFilter()
        pictures.set_name("Pictures")
        pictures.add_mime_type("image/*")
        pictures.add_pattern("*.xcf")
        self._file.add_filter(pictures)
        folder = self.talk.settings.style_folder
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
        there = self._stack.get_child_by_name(names.WORDS)
        if wanted and there is None:
            entry = Gtk.Entry(placeholder_text="A style in words")
            kit.bind(self.config, "style-words", entry, "text")
            page = column(entry, border=SPACE)
            self._stack.add_titled(page, *_PAGES[3])
            page.show_all()
        elif there is not None:
            there.set_visible(wanted)

    def _choose_file(self, button: Any) -> None:
        self.config.set_property("style-file", button.get_file())
        folder = button.get_current_folder()
        if folder:
            self.talk.settings.style_folder = folder

    def _turned(self, *_: Any) -> None:
        name = self._stack.get_visible_child_name()
        if name and name != self.config.get_property("style-from"):
            self.config.set_property("style-from", name)

    def _show_page(self) -> None:
        """The page of what the style is taken from; what is not said yet is found out here."""
        source = self.config.get_property("style-from")
        if source == names.AUTO:
            source = names.GALLERY
            self.config.set_property("style-from", source)
        self._stack.set_visible_child_name(source)

    def _reread(self, _: Any, changed: Any) -> None:
        if changed.name == "style-from":
            self._show_page()
        elif changed.name == "style":
            self._gallery.choose(self.config.get_property("style"))
        elif changed.name == "style-file":
            file = self.config.get_property("style-file")
            if file is not None and not (self._file.get_file() and file.equal(self._file.get_file())):
                self._file.set_file(file)
        self.changed()
