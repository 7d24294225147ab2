"""The dialog of *Backend*: how it is, its models and log, and where it runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from gi.repository import Gimp

from scumble.plugin.common.backend import Remote
from scumble.plugin.common.failures import explain
from scumble.plugin.common.settings import Settings
from scumble.shared.errors import ScumbleError

from .. import keeper, log, registered
from ..running import Conversation
from . import kit
from .kit import SPACE, Gdk, GimpUi, GLib, Gtk, Pango, column, label, scrolled

_STATES = {
    "stopped": "It is not running; it starts by itself when you stylize something.",
    "starting": "It is starting.",
    "ready": "It is ready.",
    "busy": "It is painting.",
    "failed": "It runs, but its engines cannot be loaded.",
    "stopping": "It is ending.",
    "silent": "Its process is there but does not answer.",
}
_EVERY_MS = 3000


def show() -> None:
    """Until the user closes it."""
    kit.start()
    dialog = Dialog()
    try:
        dialog.run()
    finally:
        dialog.close()


class Dialog:
    """See the module.  Nothing that may take time happens in the dialog's own thread."""

    def __init__(self) -> None:
        self._settings = Settings.load()
        self._closed = False
        self._working = False
        self._dialog = GimpUi.Dialog(title="Scumble: backend", role="scumble-backend")
        self._dialog.add_button("_Close", Gtk.ResponseType.CLOSE)
        self._dialog.set_default_size(640, 480)
        book = Gtk.Notebook(border_width=SPACE)
        self._said = label("", wrap=True)
        self._said.set_margin_start(SPACE * 2)
        for name, page in (
            ("Status", self._status_page()),
            ("Models", self._models_page()),
            ("Log", self._log_page()),
            ("Another machine", self._remote_page()),
        ):
            tab = label(name)
            tab.set_margin_start(SPACE)
            tab.set_margin_end(SPACE)
            book.append_page(page, tab)
        self._dialog.get_content_area().pack_start(book, True, True, 0)
        self._dialog.get_content_area().pack_start(self._said, False, False, 0)
        self._said.show()
        book.show_all()
        self._dialog.show()
        self._look()
        self._list_models()
        GLib.timeout_add(_EVERY_MS, self._look)

    def run(self) -> None:
        """Until it is closed."""
        self._dialog.run()

    def close(self) -> None:
        """Take it away."""
        self._closed = True
        kit.end(self._dialog)

    # -- pages -----------------------------------------------------------------------------------------

    def _status_page(self) -> Any:
        self._state = label("Asking…", bold=True, wrap=True)
        self._facts = Gtk.Grid(column_spacing=SPACE * 3, row_spacing=4)
        start = Gtk.Button(label="_Start", use_underline=True)
        start.connect("clicked", lambda _: self._do(lambda: keeper.ACTIONS["start"](""), "Starting…"))
        stop = Gtk.Button(
            label="S_top", use_underline=True, tooltip_text="End it; what it paints is cancelled"
        )
        stop.connect("clicked", lambda _: self._do(lambda: keeper.ACTIONS["stop"](""), "Ending…"))
        copy = Gtk.Button(
            label="_Copy report",
            use_underline=True,
            tooltip_text="What somebody who helps you has to know, without names and addresses",
        )
        copy.connect("clicked", self._copy)
        buttons = Gtk.Box(spacing=SPACE)
        for button in (start, stop, copy):
            buttons.pack_start(button, False, False, 0)
        return column(self._state, self._facts, buttons, spacing=SPACE * 2, border=SPACE * 2)

    def _models_page(self) -> Any:
        self._models = column(spacing=SPACE, border=SPACE)
        self._models_say = label("The backend lists its models when it runs.", dim=True, wrap=True)
        page = column(self._models_say, border=SPACE)
        page.pack_start(scrolled(self._models), True, True, 0)
        return page

    def _log_page(self) -> Any:
        self._log = Gtk.TextView(editable=False, monospace=True, cursor_visible=False, left_margin=4)
        window = Gtk.ScrolledWindow(shadow_type=Gtk.ShadowType.IN)
        window.add(self._log)
        again = Gtk.Button(label="_Reload", use_underline=True, halign=Gtk.Align.START)
        again.connect("clicked", lambda _: self._read_log())
        page = column(border=SPACE)
        page.pack_start(window, True, True, 0)
        page.pack_start(again, False, False, 0)
        self._read_log()
        return page

    def _remote_page(self) -> Any:
        remote = self._settings.remote
        self._elsewhere = Gtk.Switch(active=remote.enabled, halign=Gtk.Align.START)
        self._address = Gtk.Entry(
            text=remote.address, placeholder_text="studio.local:5599", hexpand=True, activates_default=True
        )
        self._key = Gtk.FileChooserButton(title="Choose the key file", action=Gtk.FileChooserAction.OPEN)
        if remote.key_file:
            self._key.set_filename(remote.key_file)
        self._key.connect("file-set", lambda _: self._elsewhere.set_active(True))
        grid = Gtk.Grid(column_spacing=SPACE * 2, row_spacing=SPACE)
        rows = (
            ("Use a backend on another machine", self._elsewhere),
            ("Address", self._address),
            ("Key file", self._key),
        )
        for index, (title, widget) in enumerate(rows):
            grid.attach(label(title), 0, index, 1, 1)
            grid.attach(widget, 1, index, 1, 1)
        apply = Gtk.Button(label="_Apply", use_underline=True, halign=Gtk.Align.START)
        apply.connect("clicked", self._apply)
        self._remote_said = label("", wrap=True)
        about = label(
            "Whoever runs that backend gives you a key file. It holds secrets: keep it readable by you alone."
            " Without an address, the one in the file is used.",
            dim=True,
            wrap=True,
        )
        return column(about, grid, apply, self._remote_said, spacing=SPACE * 2, border=SPACE * 2)

    # -- what happens ----------------------------------------------------------------------------------

    def _do(self, work: Callable[[], Any], doing: str, then: Callable[[Any], None] | None = None) -> None:
        """Something that may take time; one thing at once."""
        if self._working:
            return
        self._working = True
        self._said.set_text(doing)

        def run() -> None:
            try:
                value, said = work(), ""
            except Exception as error:
                value, said = None, explain(error).text
            GLib.idle_add(done, value, said)

        def done(value: Any, said: str) -> bool:
            self._working = False
            if not self._closed:
                self._said.set_text(said)
                if then is not None and not said:
                    then(value)
                self._look()
            return False

        threading.Thread(target=run, daemon=True).start()

    def _look(self) -> bool:
        """How it is, found out in another thread."""

        def run() -> None:
            try:
                found: dict[str, Any] = keeper.status()
            except ScumbleError as error:
                found = {"state": "", "said": explain(error).text}
            GLib.idle_add(self._show, found)

        if not self._closed:
            threading.Thread(target=run, daemon=True).start()
        return not self._closed

    def _show(self, found: dict[str, Any]) -> bool:
        if self._closed:
            return False
        state = str(found.get("state", ""))
        self._state.set_markup(
            f"<b>{GLib.markup_escape_text(_STATES.get(state, found.get('said', state)))}</b>"
        )
        for child in self._facts.get_children():
            self._facts.remove(child)
        for index, (title, text) in enumerate(facts(found)):
            self._facts.attach(label(title, dim=True), 0, index, 1, 1)
            self._facts.attach(label(text), 1, index, 1, 1)
        self._facts.show_all()
        return False

    def _copy(self, _: Any) -> None:
        def put(text: str) -> None:
            Gtk.Clipboard.get(Gdk.SELECTION_CLIPBOARD).set_text(text, -1)
            self._said.set_text("The report is in the clipboard.")

        self._do(lambda: keeper.full_report(f"GIMP {Gimp.version()}"), "Gathering…", put)

    def _read_log(self) -> None:
        buffer = self._log.get_buffer()
        buffer.set_text(keeper.backend_log())
        self._log.scroll_to_iter(buffer.get_end_iter(), 0.0, False, 0.0, 1.0)

    def _list_models(self) -> None:
        def ask() -> Any:
            if keeper.status()["state"] not in ("ready", "busy"):
                return None
            with Conversation(log.version()) as talk:
                return talk.answer(talk.session.models("list"), keeper.Silent(), 20.0)

        self._do(ask, "", self._show_models)

    def _show_models(self, models: Any) -> None:
        if isinstance(models, dict):
            models = models.get("models")
        for child in self._models.get_children():
            self._models.remove(child)
        if not isinstance(models, list):
            return
        self._models_say.set_text("The networks that engines use. What is bundled is always there.")
        for entry in models:
            if isinstance(entry, dict):
                self._models.pack_start(self._model(entry), False, False, 0)
        self._models.show_all()

    def _model(self, entry: dict[str, Any]) -> Any:
        id, state = str(entry.get("id", "")), str(entry.get("state", ""))
        title = label(model_title(entry))
        about = label(model_words(entry, titles(registered.latest())), dim=True)
        for each in (title, about):
            each.set_ellipsize(Pango.EllipsizeMode.END)
        words = column(title, about, spacing=0)
        note = str(entry.get("licence_note", ""))
        words.set_tooltip_text(f"{id}\n{model_words(entry)}" + (f"\n{note}" if note else ""))
        line = Gtk.Box(spacing=SPACE)
        line.pack_start(words, True, True, 0)
        action = ""
        if state == "missing" and entry.get("source") != "import":
            action, text, doing = "fetch", "Install", f"Installing {entry.get('label', id)}…"
        elif entry.get("removable") is True:
            action, text, doing = "remove", "Remove", "Removing…"
        if action:
            button = Gtk.Button(label=text, valign=Gtk.Align.CENTER)
            button.connect("clicked", lambda _: self._change(action, id, doing))
            line.pack_start(button, False, False, 0)
        return line

    def _change(self, action: str, model: str, doing: str) -> None:
        self._do(lambda: keeper.ACTIONS[f"{action}-model"](model), doing, lambda _: self._list_later())

    def _list_later(self) -> None:
        GLib.idle_add(self._list_models)

    def _apply(self, _: Any) -> None:
        try:
            if self._elsewhere.get_active():
                keeper.connect(self._address.get_text().strip(), self._key.get_filename() or "")
            else:
                settings = Settings.load()
                settings.remote = Remote(
                    self._address.get_text().strip(), self._key.get_filename() or "", False
                )
                settings.save()
        except ScumbleError as error:
            self._remote_said.set_text(explain(error).text)
            return
        self._remote_said.set_text(
            "From now on the backend over there is used."
            if self._elsewhere.get_active()
            else "From now on this machine's own backend is used."
        )
        self._read_log()
        self._look()


def facts(found: dict[str, Any]) -> list[tuple[str, str]]:
    """What is worth a line of the backend's own words about itself."""
    details = found.get("details")
    details = details if isinstance(details, dict) else {}
    memory = details.get("memory")
    lines = [("Version", str(found.get("version") or details.get("version") or ""))]
    if found.get("pid"):
        lines.append(("Process", str(found["pid"])))
    if isinstance(details.get("queue"), int):
        lines.append(("Waiting jobs", str(details["queue"])))
    if isinstance(details.get("uptime_s"), (int, float)):
        lines.append(("Running for", f"{details['uptime_s'] / 60:.0f} min"))
    if isinstance(memory, dict) and isinstance(memory.get("available"), (int, float)):
        lines.append(("Free memory", f"{memory['available'] / 2**30:.1f} GiB"))
    if found.get("remote"):
        lines.append(("Where", "on another machine"))
    if details.get("error"):
        lines.append(("Trouble", str(details["error"])))
    return [(title, text) for title, text in lines if text]


_BUNDLED = "Bundled with Scumble"
_TITLES = {
    "clicks": "Clicks to a selection",
    "compact": "Compact network",
    "full": "Full-size network",
    "nnst-encoder": "Brushwork, reading",
    "nnst-decoder": "Brushwork, painting",
    "nnst-witness": "Brushwork, judging",
}


def model_title(entry: dict[str, Any]) -> str:
    """What a model is called; those that are bundled have no other name than their id."""
    title, id = str(entry.get("label", "")), str(entry.get("id", ""))
    if title and not title.startswith(_BUNDLED):
        return title
    return _TITLES.get(id, id.replace("-", " ").capitalize())


def titles(description: Mapping[str, Any]) -> dict[str, str]:
    """What users know engines and methods by, from their names."""
    found = {"click-to-mask": "Select by Points"}
    for kind in ("engines", "selecting"):
        entries = description.get(kind)
        for entry in entries if isinstance(entries, (list, tuple)) else ():
            if isinstance(entry, dict) and entry.get("label"):
                found[str(entry.get("name"))] = str(entry["label"])
    return found


def model_words(entry: dict[str, Any], known: Mapping[str, str] | None = None) -> str:
    """State, size, licence and use of a model on one line.

    :param known: see :func:`titles`.
    """
    size, used = entry.get("bytes"), entry.get("used_by")
    needs = str(entry.get("label", "")).partition("; ")[2]
    users = [str(each) for each in used] if isinstance(used, list) else []
    # Painters know some of them by name; what else uses it is in the tooltip.
    users = (
        [known[name] for name in (each.split(" ")[0] for each in users) if name in known] if known else users
    )
    words = [
        {"missing": "not installed"}.get(str(entry.get("state")), str(entry.get("state", ""))),
        needs if str(entry.get("label", "")).startswith(_BUNDLED) else "",
        size_words(size) if isinstance(size, (int, float)) and size else "",
        str(entry.get("licence", "")),
        "for " + ", ".join(dict.fromkeys(users)) if users else "",
    ]
    return " · ".join(word for word in words if word)


def size_words(size: float) -> str:
    """In megabytes, as people say it."""
    return f"{size / 1e6:.0f} MB" if size >= 950_000 else "under 1 MB"
