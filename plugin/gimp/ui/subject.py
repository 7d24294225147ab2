"""The dialog of *Select Subject*."""

from __future__ import annotations

from typing import Any

from scumble.shared.errors import Code, ScumbleError

from .. import arguments, registered
from . import kit
from .kit import SPACE, GimpUi, Gtk, column, label, row


def ask(procedure: Any, config: Any) -> None:
    """Let the user set the arguments; raises ``cancelled``."""
    kit.start()
    dialog = GimpUi.ProcedureDialog.new(procedure, config, "Scumble: select subject")
    methods = Gtk.ComboBoxText()
    methods.append("", "The best there is")
    for method in arguments.selectors(registered.latest()):
        methods.append(method["name"], str(method.get("label") or method["name"]))
    kit.bind(config, "method", methods, "active-id")
    about = label(
        "Finds what the layer shows in front of its background. Draw a rectangular selection around it first"
        " if there are several things.",
        dim=True,
        wrap=True,
    )
    about.set_max_width_chars(48)
    edge = dialog.get_scale_entry("edge", 1.0)
    box = column(
        about, row(label("Method"), methods, spacing=SPACE * 2), edge, spacing=SPACE * 2, border=SPACE * 2
    )
    dialog.get_content_area().pack_start(box, True, True, 0)
    box.show_all()
    answer = dialog.run()
    kit.end(dialog)
    if not answer:
        raise ScumbleError(Code.CANCELLED, "")
