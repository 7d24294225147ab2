"""The result on a reduced copy, while the dialog is open: asked for again at every change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from scumble.plugin.common.build import build
from scumble.plugin.common.failures import explain
from scumble.plugin.common.forms import Form
from scumble.plugin.common.regions import RegionEntry
from scumble.plugin.common.session import Change, Job
from scumble.plugin.common.states import State
from scumble.shared.errors import ScumbleError
from scumble.shared.messages import StylizeResult

from .. import reduced
from ..document import Document
from ..running import Conversation
from .kit import SPACE, GdkPixbuf, GLib, Gtk, Pango, column, label, on_checks, rgba, row, spread_grey

SIDE = 340


class Preview:
    """A widget (:attr:`widget`): press on it to see the layer as it is.

    :param wanted: gives engine's form, options, regions and seed; raises :class:`ScumbleError` while
        there is nothing to show.
    """

    def __init__(
        self,
        document: Document,
        talk: Conversation,
        wanted: Callable[[], tuple[Form, Mapping[str, Any], Sequence[RegionEntry], int]],
    ) -> None:
        self._document, self._talk, self._wanted = document, talk, wanted
        self._host: reduced.Reduced | None = None
        self._key: Any = None
        self._job: Job | None = None
        self._before: Any = None
        self._after: Any = None
        self._closed = False
        self._picture = Gtk.Image()
        events = Gtk.EventBox(tooltip_text="Press to see the layer as it is")
        events.add(self._picture)
        events.connect("button-press-event", lambda *_: self._draw(self._before))
        events.connect("button-release-event", lambda *_: self._draw(self._after or self._before))
        frame = Gtk.Frame(shadow_type=Gtk.ShadowType.IN, halign=Gtk.Align.CENTER)
        frame.add(events)
        holder = Gtk.Box(halign=Gtk.Align.CENTER, valign=Gtk.Align.CENTER)
        holder.set_size_request(SIDE + 4, SIDE + 4)
        holder.set_center_widget(frame)
        self._spinner = Gtk.Spinner()
        self.status = label("", dim=True)
        self.status.set_ellipsize(Pango.EllipsizeMode.END)
        self.status.set_max_width_chars(10)
        self._switch = Gtk.CheckButton(label="_Preview", use_underline=True, active=True)
        self._switch.connect("toggled", lambda _: self.refresh())
        self.widget = column(holder, row(self._switch, self._spinner, self.status, spacing=SPACE))
        talk.listener = self._changed

    def refresh(self) -> None:
        """Something has changed: show the result of that."""
        if self._closed:
            return
        self._after = None
        if not self._switch.get_active():
            self._talk.session.drop_preview()
            self._job = None
            self._tell("", False)
            self._draw(self._before)
            return
        try:
            form, options, entries, seed = self._wanted()
            host = self._reduced(entries)
            built = build(
                host,
                entries,
                engine=form.engine,
                options=reduced.options(form, options, host.scale),
                seed=seed,
                margin=None,
            )
        except ScumbleError as error:
            self._talk.session.drop_preview()
            self._job = None
            self._show_layer()
            self._draw(self._before)
            self._tell(explain(error).sentence, False)
            return
        self._draw(self._before)
        self._job = self._talk.session.preview(built.request)
        self._tell("Painting a preview…", True)

    def close(self) -> None:
        """No more pictures."""
        self._closed = True
        self._talk.listener = None
        self._talk.session.drop_preview()

    def _show_layer(self) -> None:
        """At least the layer itself, if the regions cannot be looked at yet."""
        if self._before is None:
            try:
                self._reduced([])
            except ScumbleError:
                pass

    def _reduced(self, entries: Sequence[RegionEntry]) -> reduced.Reduced:
        key = tuple(entry.mask for entry in entries if entry.enabled)
        if self._host is None or key != self._key:
            self._host, self._key = reduced.Reduced(self._document, entries, SIDE), key
            data = self._host.layer_pixels(self._host.rect)
            self._before = on_checks(self._pixbuf(data, self._host.rect.width, self._host.rect.height))
        return self._host

    def _pixbuf(self, data: Any, width: int, height: int) -> Any:
        plain = bytes(data)
        return rgba(spread_grey(plain) if len(plain) == width * height * 2 else plain, width, height)

    def _changed(self, changes: tuple[Change, ...]) -> None:
        """In the session's thread."""
        if any(change is self._job for change in changes):
            GLib.idle_add(self._update)

    def _update(self) -> bool:
        job = self._job
        if self._closed or job is None:
            return False
        view = job.view
        if view.state is State.FINISHED and view.result is not None:
            self._lay(view.result)
            share = "" if self._host is None or self._host.scale > 0.99 else f" at {self._host.scale:.0%}"
            self._tell(f"Preview{share}; press to compare", False)
        elif view.state is State.FAILED and view.failure is not None:
            self._tell(view.failure.sentence, False)
            self.status.set_tooltip_text(view.failure.text)
        elif not view.over:
            if view.preview is not None:
                self._lay(view.preview)
            self._tell(view.status, True)
        return False

    def _lay(self, result: StylizeResult) -> None:
        if self._host is None or self._before is None:
            return
        layer, rect = result.layer, self._host.rect
        x, y = result.origin[0] - rect.x, result.origin[1] - rect.y
        width, height = min(layer.width, rect.width - x), min(layer.height, rect.height - y)
        if x < 0 or y < 0 or width < 1 or height < 1:
            return
        over = self._pixbuf(layer.data, layer.width, layer.height)
        self._after = self._before.copy()
        over.composite(self._after, x, y, width, height, x, y, 1, 1, GdkPixbuf.InterpType.NEAREST, 255)
        self._draw(self._after)

    def _draw(self, picture: Any) -> bool:
        if picture is not None:
            self._picture.set_from_pixbuf(picture)
        return False

    def _tell(self, text: str, busy: bool) -> None:
        self.status.set_text(text)
        self.status.set_tooltip_text(text or None)
        if busy:
            self._spinner.start()
        else:
            self._spinner.stop()
