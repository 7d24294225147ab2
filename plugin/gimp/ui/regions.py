"""The dialog of *Stylize Regions*: one line for each mask, with its style and its strength."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from scumble.plugin.common import described
from scumble.plugin.common.forms import Form
from scumble.plugin.common.regions import RegionEntry
from scumble.plugin.common.sources import FileStyle, GalleryStyle, StyleSource, style_name
from scumble.shared.errors import Code, ScumbleError

from .. import masks
from ..document import Document
from ..groups import names
from ..masks import Assignment
from ..procedures import Choice, fixed
from ..running import Conversation
from . import kit
from .engine import Engine
from .gallery import Gallery
from .kit import SPACE, GimpUi, GLib, Gtk, Pango, column, fitted, label, row, scrolled
from .preview import Preview, nothing_yet

_THUMB = 40


def ask(procedure: Any, config: Any, document: Document, group: Any, talk: Conversation) -> Choice:
    """What the user wants; raises ``cancelled``."""
    kit.start()
    dialog = Dialog(procedure, config, document, group, talk)
    try:
        return dialog.run()
    finally:
        dialog.close()


class Dialog:
    """See the module."""

    def __init__(
        self, procedure: Any, config: Any, document: Document, group: Any, talk: Conversation
    ) -> None:
        self._config, self._document, self._group, self._talk = config, document, group, talk
        self._silent = False
        self._dialog = GimpUi.ProcedureDialog.new(procedure, config, "Scumble: stylize regions")
        self._dialog.set_ok_label("St_ylize")
        self._dialog.set_default_size(900, 700)
        self._engine = Engine(config, None, self._changed)
        self._lines: dict[str, _Line] = {}
        self._gallery = Gallery(self._choose, side=72, height=330)
        self._picked = ""
        self._preview = Preview(document, talk, self._wanted)
        self._query = talk.session.describe()
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

    def _build(self) -> None:
        self._kinds = Gtk.ComboBoxText()
        self._kinds.append(masks.GROUP, "Visible layers in a group")
        self._kinds.append(masks.CHANNELS, "Saved channels")
        self._kinds.connect("changed", self._choose_kind)
        self._list = column(spacing=2, border=4)
        self._about = label("", dim=True, wrap=True)
        self._title = label("")
        none = Gtk.Button(label="Leave as it is", tooltip_text="Paint nothing in this region")
        none.connect("clicked", lambda _: self._assign(self._picked, None))
        file = Gtk.Button(label="Picture file…")
        file.connect("clicked", self._choose_file)
        head = row(none, file, self._title)
        options = column(
            self._engine.widget, kit.name_and_seed(self._config), spacing=SPACE * 2, border=SPACE
        )
        left = column(self._preview.widget)
        left.pack_start(scrolled(options, 400, 160), True, True, 0)
        right = column(
            row(label("Regions are"), self._kinds), self._about, scrolled(self._list, 460, 210), head
        )
        right.pack_start(self._gallery.widget, True, True, 0)
        whole = row(left, right, spacing=SPACE * 2)
        whole.set_border_width(SPACE)
        self._dialog.get_content_area().pack_start(whole, True, True, 0)
        whole.show_all()
        self._reread()
        for name in ("masks", "group", "regions", "seed"):
            self._config.connect(f"notify::{name}", lambda *_: None if self._silent else self._reread())

    def _load(self, description: Mapping[str, Any]) -> None:
        if not description:
            self._preview.status.set_text("Starting the Scumble backend…")
            return
        self._gallery.load([s for s in description.get("styles") or () if isinstance(s, Mapping)])
        self._engine.load(description)
        for line in self._lines.values():
            line.show(self._gallery)
        self._mark()
        self._changed()

    def _listen(self) -> bool:
        if not self._query.done:
            return True
        if self._query.failure is not None:
            self._preview.status.set_text(self._query.failure.text)
        elif isinstance(self._query.value, dict):
            if self._query.value != described.kept() or self._engine.form is None:
                self._load(self._query.value)
            described.keep(self._query.value)
        return False

    # -- the list --------------------------------------------------------------------------------------

    def _reread(self) -> None:
        """The lines anew, from the arguments and what the image has."""
        self._silent = True
        kind = self._config.get_property("masks")
        self._kinds.set_active_id(kind)
        self._silent = False
        for child in self._list.get_children():
            self._list.remove(child)
        self._lines = {}
        try:
            there = names(kind, self._document.image, self._group)
            given = {each.mask: each for each in masks.parse(self._config.get_property("regions"))}
        except ScumbleError as error:
            there, given = [], {}
            self._about.set_text(f"{error.message} {error.hint}")
        else:
            self._about.set_text(
                f"Painted onto the layer “{self._document.layer.get_name()}”."
                if there
                else "The group has no visible layer."
                if kind == masks.GROUP
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
        self._preview.refresh()

    def _mark(self) -> None:
        for name, line in self._lines.items():
            line.mark(name == self._picked)
        picked = self._lines.get(self._picked)
        self._title.set_markup(
            f"Style of <b>{GLib.markup_escape_text(self._picked)}</b>" if picked else "No region yet"
        )
        style = picked.style if picked else None
        self._gallery.choose(style.id if isinstance(style, GalleryStyle) else "")

    def _pick(self, name: str) -> None:
        self._picked = name
        self._mark()

    def _choose(self, id: str) -> None:
        self._assign(self._picked, GalleryStyle(id))

    def _choose_file(self, _: Any) -> None:
        chooser = Gtk.FileChooserNative(
            title="Choose the style's picture", transient_for=self._dialog, action=Gtk.FileChooserAction.OPEN
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
        self._config.set_property("regions", masks.dump(chosen) if chosen else "")
        self._silent = False
        self._preview.refresh()

    def _choose_kind(self, combo: Any) -> None:
        if not self._silent and combo.get_active_id():
            self._config.set_property("masks", combo.get_active_id())

    def _changed(self) -> None:
        self._preview.refresh()

    def _wanted(self) -> tuple[Form, Mapping[str, Any], Sequence[RegionEntry], int]:
        form = self._engine.form
        if form is None:
            raise nothing_yet("The Scumble backend has not said yet what it can do.")
        chosen = [line.assignment for line in self._lines.values() if line.assignment is not None]
        kind = self._config.get_property("masks")
        entries = masks.entries(kind, list(self._lines), chosen)
        return form, form.options(), entries, self._config.get_property("seed")


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
            each.set_ellipsize(Pango.EllipsizeMode.END)
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
