"""The dialog of *Stylize Regions*: one line for each mask, with its style and its strength."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from scumble.plugin.common.regions import RegionEntry
from scumble.plugin.common.sources import FileStyle, GalleryStyle, StyleSource, style_name
from scumble.shared.errors import ScumbleError

from .. import masks
from ..document import Document
from ..groups import mask_names
from ..masks import Assignment
from ..names import CHANNELS, GROUP
from ..procedures import Choice
from ..running import Conversation
from . import kit
from .gallery import Gallery
from .kit import SPACE, GLib, Gtk, Pango, column, fitted, label, row, scrolled
from .painting import PaintingDialog

_THUMB = 40


def ask(procedure: Any, config: Any, document: Document, group: Any, talk: Conversation) -> Choice:
    """What the user wants; raises ``cancelled``."""
    return Dialog(procedure, config, document, group, talk).ask()


class Dialog(PaintingDialog):
    """See the module."""

    def __init__(
        self, procedure: Any, config: Any, document: Document, group: Any, talk: Conversation
    ) -> None:
        self._group = group
        self._silent = False
        self._lines: dict[str, _Line] = {}
        self._picked = ""
        super().__init__(procedure, config, document, talk, "Scumble: stylize regions", None)

    def build(self) -> None:
        """See :class:`~.painting.PaintingDialog`."""
        self.dialog.set_default_size(900, 700)
        self._gallery = Gallery(self._choose, side=72, height=330)
        self._kinds = Gtk.ComboBoxText()
        self._kinds.append(GROUP, "Visible layers in a group")
        self._kinds.append(CHANNELS, "Saved channels")
        self._kinds.connect("changed", self._choose_kind)
        self._list = column(spacing=2, border=4)
        self._about = label("", dim=True, wrap=True)
        self._title = label("")
        _shorten(self._title)
        none = Gtk.Button(label="Leave as it is", tooltip_text="Paint nothing in this region")
        none.connect("clicked", lambda _: self._assign(self._picked, None))
        file = Gtk.Button(label="Picture file…")
        file.connect("clicked", self._choose_file)
        self._buttons = none, file
        about = Gtk.Box(spacing=SPACE)
        about.pack_start(self._about, True, True, 0)
        self._heading = label("Strength", dim=True)
        self._heading.set_valign(Gtk.Align.END)
        self._heading.set_margin_end(SPACE * 10)
        self._heading.set_no_show_all(True)
        about.pack_start(self._heading, False, False, 0)
        right = column(
            row(label("Regions are"), self._kinds),
            about,
            scrolled(self._list, 460, 210),
            row(none, file, self._title),
        )
        right.pack_start(self._gallery.widget, True, True, 0)
        self.lay((self.engine.widget, kit.name_and_seed(self.config)), right, 160)
        if self._group is None and self.document.image.get_channels():
            self.config.set_property("masks", CHANNELS)
        self._reread()
        for name in ("masks", "group", "regions", "seed"):
            self.config.connect(f"notify::{name}", lambda *_: None if self._silent else self._reread())

    def load(self, description: Mapping[str, Any]) -> None:
        """See :class:`~.painting.PaintingDialog`."""
        self._gallery.load(self.styles(description))
        for line in self._lines.values():
            line.show(self._gallery)
        self._mark()

    def entries(self) -> Sequence[RegionEntry]:
        """See :class:`~.painting.PaintingDialog`."""
        chosen = [line.assignment for line in self._lines.values() if line.assignment is not None]
        return masks.entries(self.config.get_property("masks"), list(self._lines), chosen)

    # -- the list --------------------------------------------------------------------------------------

    def _reread(self) -> None:
        """The lines anew, from the arguments and what the image has."""
        self._silent = True
        kind = self.config.get_property("masks")
        self._kinds.set_active_id(kind)
        self._silent = False
        for child in self._list.get_children():
            self._list.remove(child)
        self._lines = {}
        try:
            there = mask_names(kind, self.document.image, self._group)
            given = {each.mask: each for each in masks.parse(self.config.get_property("regions"))}
        except ScumbleError as error:
            there, given = [], {}
            self._about.set_text(f"{error.message} {error.hint}")
        else:
            self._about.set_text(
                f"Painted onto the layer “{self.document.layer.get_name()}”."
                if there
                else "The group has no visible layer."
                if kind == GROUP
                else "The image has no saved channel: Select > Save to Channel makes one of the selection."
            )
        for name in there:
            known = given.get(name, given.get("*"))
            made = _Line(name, known, self._pick, self._edited)
            made.show(self._gallery)
            self._lines[name] = made
            self._list.pack_start(made.widget, False, False, 0)
        self._list.show_all()
        self._picked = self._picked if self._picked in self._lines else next(iter(self._lines), "")
        self._mark()
        self.changed()

    def _mark(self) -> None:
        for name, line in self._lines.items():
            line.mark(name == self._picked)
        picked = self._lines.get(self._picked)
        self._title.set_markup(
            f"Style of <b>{GLib.markup_escape_text(self._picked)}</b>" if picked else "No region yet"
        )
        self._heading.set_visible(picked is not None)
        for button in self._buttons:
            button.set_sensitive(picked is not None)
        style = picked.style if picked else None
        self._gallery.choose(style.id if isinstance(style, GalleryStyle) else "")

    def _pick(self, name: str) -> None:
        self._picked = name
        self._mark()

    def _choose(self, id: str) -> None:
        self._assign(self._picked, GalleryStyle(id))

    def _choose_file(self, _: Any) -> None:
        chooser = Gtk.FileChooserNative(
            title="Choose the style's picture", transient_for=self.dialog, action=Gtk.FileChooserAction.OPEN
        )
        if chooser.run() == Gtk.ResponseType.ACCEPT and chooser.get_filename():
            self._assign(self._picked, FileStyle(chooser.get_filename()))

    def _assign(self, name: str, style: StyleSource | None) -> None:
        if name in self._lines:
            self._lines[name].style = style
            self._lines[name].show(self._gallery)
            self._mark()
            self._edited()

    def _edited(self) -> None:
        self._silent = True
        chosen = [line.assignment for line in self._lines.values() if line.assignment is not None]
        self.config.set_property("regions", masks.dump(chosen) if chosen else "")
        self._silent = False
        self.changed()

    def _choose_kind(self, combo: Any) -> None:
        if not self._silent and combo.get_active_id():
            self.config.set_property("masks", combo.get_active_id())


def _shorten(text: Any) -> None:
    """Let a label be as wide as there is room, and no reason for a wider dialog."""
    text.set_ellipsize(Pango.EllipsizeMode.END)
    text.set_max_width_chars(12)
    text.set_hexpand(True)


class _Line:
    """A mask in the list."""

    def __init__(self, name: str, known: Assignment | None, picked: Any, edited: Any) -> None:
        self.name = name
        self.style: StyleSource | None = known.style if known else None
        self._known = known
        self._picture = Gtk.Image()
        self._picture.set_size_request(_THUMB, _THUMB)
        self._about = label("", dim=True)
        title = label(name)
        for each in (title, self._about):
            _shorten(each)
        self._strength = Gtk.SpinButton(
            adjustment=Gtk.Adjustment(
                value=known.strength if known else 1.0,
                lower=0.0,
                upper=1.0,
                step_increment=0.05,
                page_increment=0.25,
            ),
            digits=2,
            width_chars=4,
            valign=Gtk.Align.CENTER,
            tooltip_text="Strength of the style in this region",
        )
        self._strength.connect("value-changed", lambda _: edited())
        words = column(title, self._about, spacing=0)
        words.set_valign(Gtk.Align.CENTER)
        self._button = Gtk.Button(relief=Gtk.ReliefStyle.NONE)
        self._button.add(row(self._picture, words, spacing=SPACE * 2))
        self._button.connect("clicked", lambda _: picked(name))
        self.widget = Gtk.Box(spacing=SPACE)
        self.widget.pack_start(self._button, True, True, 0)
        self.widget.pack_start(self._strength, False, False, 0)

    @property
    def assignment(self) -> Assignment | None:
        """What is painted here, ``None`` for nothing."""
        if self.style is None:
            return None
        strength = round(self._strength.get_value(), 4)
        if self._known is not None:
            return replace(self._known, mask=self.name, style=self.style, strength=strength)
        return Assignment(self.name, self.style, strength)

    def show(self, gallery: Gallery) -> None:
        """Its style, as the gallery shows it."""
        picture = gallery.picture(self.style.id) if isinstance(self.style, GalleryStyle) else None
        if picture is not None:
            self._picture.set_from_pixbuf(fitted(picture, _THUMB))
        else:
            icon = "image-x-generic" if self.style else "list-remove"
            self._picture.set_from_icon_name(icon, Gtk.IconSize.LARGE_TOOLBAR)
        known = gallery.name(self.style.id) if isinstance(self.style, GalleryStyle) else ""
        self._about.set_text((known or style_name(self.style)) if self.style else "left as it is")
        self._strength.set_sensitive(self.style is not None)

    def mark(self, picked: bool) -> None:
        """Whether its style is the one that the gallery shows."""
        self._button.set_relief(Gtk.ReliefStyle.NORMAL if picked else Gtk.ReliefStyle.NONE)
