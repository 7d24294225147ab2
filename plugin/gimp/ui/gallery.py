"""The styles as pictures with their names, and a field to search them by name, tag and description."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .kit import SPACE, GdkPixbuf, GLib, Gtk, Pango, column, fitted, label, png, scrolled

_MARK = b"""iconview.scumble-gallery:selected, iconview.scumble-gallery .cell:selected {
    background-color: #2f6db3; color: #ffffff; }"""
_ID, _NAME, _PICTURE, _TIP, _WORDS = range(5)


def matches(words: str, query: str) -> bool:
    """Whether every word of the query is somewhere in the words."""
    return all(part in words for part in query.casefold().split())


class Gallery:
    """A widget (:attr:`widget`) with one style chosen, or none.

    :param chosen: called with the id when the user chooses one.
    :param side: of a picture, in pixels.
    """

    def __init__(self, chosen: Callable[[str], None], *, side: int = 88, height: int = 250) -> None:
        self._chosen, self._side = chosen, side
        self._silent = False
        self._store = Gtk.ListStore(str, str, GdkPixbuf.Pixbuf, str, str)
        self._shown = self._store.filter_new()
        self._shown.set_visible_func(self._visible)
        self.search = Gtk.SearchEntry(placeholder_text="Search styles: oil, night, ink…")
        self.search.connect("search-changed", self._search)
        self.search.connect("stop-search", self._stop)
        self.view = Gtk.IconView(
            model=self._shown,
            tooltip_column=_TIP,
            selection_mode=Gtk.SelectionMode.BROWSE,
            item_padding=4,
            column_spacing=0,
            row_spacing=0,
            margin=2,
            activate_on_single_click=True,
        )
        # Renderers of our own: the view's would make every item as wide as the longest name.
        picture = Gtk.CellRendererPixbuf(width=side + 10, height=side)
        name = Gtk.CellRendererText(
            width=side + 10,
            xalign=0.5,
            yalign=0.0,
            alignment=Pango.Alignment.CENTER,
            wrap_mode=Pango.WrapMode.WORD_CHAR,
            wrap_width=side + 8,
            scale=0.85,
        )
        for renderer, attribute, which in ((picture, "pixbuf", _PICTURE), (name, "text", _NAME)):
            self.view.pack_start(renderer, False)
            self.view.add_attribute(renderer, attribute, which)
        # GIMP's themes mark what is selected with hardly any contrast.
        style = Gtk.CssProvider()
        style.load_from_data(_MARK)
        context = self.view.get_style_context()
        context.add_class("scumble-gallery")
        context.add_provider(style, Gtk.STYLE_PROVIDER_PRIORITY_APPLICATION)
        self.view.connect("selection-changed", self._changed)
        self._nothing = label("No style has all of these words.", dim=True)
        self._nothing.set_no_show_all(True)
        frame = scrolled(self.view, -1, height)
        self.widget = column(self.search, self._nothing, spacing=SPACE)
        self.widget.pack_start(frame, True, True, 0)
        self._current = ""

    def load(self, styles: Sequence[Mapping[str, Any]]) -> None:
        """Show these, as ``describe`` lists them."""
        self._silent = True
        self._store.clear()
        for style in styles:
            id, name = str(style.get("id", "")), str(style.get("name", ""))
            picture = png(str(style.get("thumbnail", "")))
            tags = [str(tag) for tag in style.get("tags") or ()]
            about = str(style.get("description", ""))
            self._store.append(
                [
                    id,
                    name,
                    None if picture is None else fitted(picture, self._side),
                    _escaped(f"{name}\n{about}" if about else name),
                    " ".join([id, name, about, *tags]).casefold(),
                ]
            )
        self._silent = False
        self.choose(self._current)

    def picture(self, id: str) -> Any:
        """The thumbnail of a style, or ``None``."""
        return next((row[_PICTURE] for row in self._store if row[_ID] == id), None)

    def name(self, id: str) -> str:
        """What a style is called."""
        return next((str(row[_NAME]) for row in self._store if row[_ID] == id), id)

    @property
    def first(self) -> str:
        """The id of the first style, ``""`` while there is none."""
        return str(self._store[0][_ID]) if len(self._store) else ""

    def choose(self, id: str) -> None:
        """Mark a style as chosen; nobody is called."""
        self._current = id
        self._silent = True
        self.view.unselect_all()
        for row in self._shown:
            if row[_ID] == id:
                self.view.select_path(row.path)
                self.view.scroll_to_path(row.path, False, 0.5, 0.5)
        self._silent = False

    def _visible(self, model: Any, place: Any, _: Any) -> bool:
        return matches(model[place][_WORDS] or "", self.search.get_text())

    def _search(self, _: Any) -> None:
        self._silent = True
        self._shown.refilter()
        self._silent = False
        self._nothing.set_visible(len(self._shown) == 0 and len(self._store) > 0)
        self.choose(self._current)

    def _stop(self, search: Any) -> None:
        """Escape, which a search field keeps to itself: empty it, and from an empty one end the dialog."""
        dialog = search.get_toplevel()
        if search.get_text():
            search.set_text("")
        elif isinstance(dialog, Gtk.Dialog):
            dialog.response(Gtk.ResponseType.CANCEL)

    def _changed(self, view: Any) -> None:
        places = view.get_selected_items()
        if self._silent or not places:
            return
        self._current = self._shown[places[0]][_ID]
        self._chosen(self._current)


def _escaped(text: str) -> str:
    return str(GLib.markup_escape_text(text))
