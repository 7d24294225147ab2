"""What the dialogs of painting procedures share: preview, engine, and the wait for what the backend has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scumble.plugin.common.forms import Form
from scumble.plugin.common.regions import RegionEntry
from scumble.shared.errors import Code, ScumbleError

from .. import registered
from ..document import Document
from ..procedures import Choice, fixed, held
from ..running import Conversation
from . import kit
from .engine import Engine
from .kit import SPACE, GimpUi, GLib, column, row, scrolled
from .preview import Preview

_STARTING = "Starting the Scumble backend…"


class PaintingDialog:
    """See the module.  Subclasses say what is painted where, and what stands beside the preview.

    :param own: the engine of a procedure that has one of its own, else ``None``.
    """

    def __init__(
        self, procedure: Any, config: Any, document: Document, talk: Conversation, title: str, own: str | None
    ) -> None:
        kit.start()
        self.config, self.document, self.talk = config, document, talk
        self.dialog = GimpUi.ProcedureDialog.new(procedure, config, title)
        self.dialog.set_ok_label("St_ylize")
        self.engine = Engine(config, held(procedure, config), own, self.changed)
        self.preview = Preview(document, talk, self.wanted)
        self._query = talk.session.describe()
        self._known: Mapping[str, Any] = {}
        self.build()
        self._load(registered.latest())
        GLib.timeout_add(100, self._listen)

    # -- what subclasses say ---------------------------------------------------------------------------

    def build(self) -> None:
        """Put the widgets into the dialog, with :meth:`lay`."""
        raise NotImplementedError

    def load(self, description: Mapping[str, Any]) -> None:
        """Show what the backend has."""
        raise NotImplementedError

    def entries(self) -> Sequence[RegionEntry]:
        """What is painted; raises :class:`ScumbleError` while nothing can be."""
        raise NotImplementedError

    # -- what they use ---------------------------------------------------------------------------------

    def lay(self, options: Sequence[Any], right: Any, height: int) -> None:
        """The preview with the options below it, and something beside them."""
        left = column(self.preview.widget)
        below = column(*options, spacing=SPACE * 2, border=SPACE)
        left.pack_start(scrolled(below, 400, height), True, True, 0)
        whole = row(left, right, spacing=SPACE * 2)
        whole.set_border_width(SPACE)
        self.dialog.get_content_area().pack_start(whole, True, True, 0)
        whole.show_all()

    def styles(self, description: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """The gallery's styles in a description."""
        return [style for style in description.get("styles") or () if isinstance(style, Mapping)]

    def changed(self) -> None:
        """Something that the picture depends on has changed."""
        self.preview.refresh()

    def wanted(self) -> tuple[Form, Mapping[str, Any], Sequence[RegionEntry], int]:
        """What would be painted now; raises :class:`ScumbleError`."""
        form = self.engine.form
        if form is None:
            raise ScumbleError(
                Code.UNKNOWN_STYLE, "The Scumble backend has not said yet what it can do.", "Wait a moment."
            )
        return form, form.options(), self.entries(), self.config.get_property("seed")

    def ask(self) -> Choice:
        """What the user wants, once he has decided; raises ``cancelled``.  The dialog is gone then."""
        try:
            while True:
                if not self.dialog.run():
                    raise ScumbleError(Code.CANCELLED, "")
                try:
                    form, options, entries, seed = self.wanted()
                except ScumbleError as error:
                    self.preview.status.set_text(f"{error.message} {error.hint}".strip())
                    continue
                name = self.config.get_property("layer-name")
                return Choice(form.engine, options, fixed(entries), seed, name)
        finally:
            self.preview.close()
            kit.end(self.dialog)

    # -- inside ----------------------------------------------------------------------------------------

    def _load(self, description: Mapping[str, Any]) -> None:
        if not description:
            self.preview.status.set_text(_STARTING)
            return
        self._known = description
        self.engine.load(description)
        self.load(description)
        self.changed()

    def _listen(self) -> bool:
        if not self._query.done:
            if not self._known:
                self.preview.status.set_text(self._query.status or _STARTING)
            return True
        if self._query.failure is not None:
            self.preview.status.set_text(self._query.failure.text)
            self.preview.status.set_tooltip_text(self._query.failure.text)
        elif isinstance(self._query.value, dict):
            if self._query.value != self._known:
                self._load(self._query.value)
            registered.keep(self._query.value)
        return False
