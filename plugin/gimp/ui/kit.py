"""What all dialogs use: the libraries in their versions, pictures from bytes, rows with a label."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import gi

gi.require_version("GimpUi", "3.0")
gi.require_version("Gtk", "3.0")
gi.require_version("Gdk", "3.0")
from gi.repository import Gdk, GdkPixbuf, GimpUi, GLib, GObject, Gtk, Pango  # noqa: E402

__all__ = ["Gdk", "GdkPixbuf", "GimpUi", "GLib", "Gtk", "Pango"]

SPACE = 6
#: Of the event loop, at the end of a dialog.
_TURNS = 500
#: The squares behind what is transparent.
_CHECK, _LIGHT, _DARK = 8, 0x999999, 0x666666


def start() -> None:
    """Before the first widget."""
    GimpUi.init("scumble")


def end(dialog: Any) -> None:
    """Take a dialog off the screen, for there is no event loop to do it afterwards.

    Never waits, and not for ever: something that is always due must not keep the painting from beginning.
    """
    dialog.destroy()
    for _ in range(_TURNS):
        if not Gtk.events_pending():
            break
        Gtk.main_iteration_do(False)


def png(text: str) -> Any:
    """A picture from the base64 of a PNG; ``None`` if it is none."""
    loader = GdkPixbuf.PixbufLoader.new_with_type("png")
    try:
        loader.write(base64.b64decode(text, validate=True))
        loader.close()
        return loader.get_pixbuf()
    except (binascii.Error, ValueError, GLib.Error):
        try:
            loader.close()
        except GLib.Error:
            pass
        return None


def rgba(data: bytes, width: int, height: int) -> Any:
    """A picture from 8-bit RGBA."""
    return GdkPixbuf.Pixbuf.new_from_bytes(
        GLib.Bytes.new(data), GdkPixbuf.Colorspace.RGB, True, 8, width, height, width * 4
    )


def spread_grey(data: bytes) -> bytes:
    """Grey with alpha as RGBA."""
    spread = bytearray(len(data) * 2)
    for channel in range(3):
        spread[channel::4] = data[0::2]
    spread[3::4] = data[1::2]
    return bytes(spread)


def on_checks(picture: Any) -> Any:
    """A picture with alpha, as it looks on a checkerboard."""
    return picture.composite_color_simple(
        picture.get_width(),
        picture.get_height(),
        GdkPixbuf.InterpType.NEAREST,
        255,
        _CHECK,
        _LIGHT,
        _DARK,
    )


def fitted(picture: Any, side: int) -> Any:
    """A picture reduced to a square's size, its shape kept."""
    scale = min(1.0, side / max(picture.get_width(), picture.get_height()))
    if scale == 1.0:
        return picture
    return picture.scale_simple(
        max(1, round(picture.get_width() * scale)),
        max(1, round(picture.get_height() * scale)),
        GdkPixbuf.InterpType.BILINEAR,
    )


def label(text: str, *, dim: bool = False, wrap: bool = False, bold: bool = False) -> Any:
    """A text that begins at the left."""
    made = Gtk.Label(xalign=0.0)
    if bold:
        made.set_markup(f"<b>{GLib.markup_escape_text(text)}</b>")
    else:
        made.set_text(text)
    if dim:
        made.get_style_context().add_class("dim-label")
    made.set_line_wrap(wrap)
    return made


def column(*widgets: Any, spacing: int = SPACE, border: int = 0) -> Any:
    """Widgets below each other."""
    box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=spacing, border_width=border)
    for widget in widgets:
        box.pack_start(widget, False, False, 0)
    return box


def row(*widgets: Any, spacing: int = SPACE) -> Any:
    """Widgets beside each other; the last gets what is left."""
    box = Gtk.Box(orientation=Gtk.Orientation.HORIZONTAL, spacing=spacing)
    for widget in widgets:
        last = widget is widgets[-1]
        box.pack_start(widget, last, last, 0)
    return box


def scrolled(widget: Any, width: int = -1, height: int = -1) -> Any:
    """A widget that may be larger than its place."""
    window = Gtk.ScrolledWindow(hscrollbar_policy=Gtk.PolicyType.NEVER, shadow_type=Gtk.ShadowType.IN)
    window.set_size_request(width, height)
    window.add(widget)
    return window


def bind(config: Any, argument: str, widget: Any, name: str) -> None:
    """Keep an argument and a widget's property the same."""
    both = GObject.BindingFlags.BIDIRECTIONAL | GObject.BindingFlags.SYNC_CREATE
    config.bind_property(argument, widget, name, both)


def name_and_seed(config: Any) -> Any:
    """The new layer's name and the seed, folded away."""
    grid = Gtk.Grid(column_spacing=SPACE * 2, row_spacing=4, margin_start=SPACE * 2, margin_top=4)
    name = Gtk.Entry(placeholder_text="The style's and the engine's", hexpand=True)
    bind(config, "layer-name", name, "text")
    seed = Gtk.SpinButton(
        adjustment=Gtk.Adjustment(lower=0, upper=2**31 - 1, step_increment=1, page_increment=10),
        tooltip_text="The same seed gives the same picture",
        halign=Gtk.Align.START,
    )
    bind(config, "seed", seed.get_adjustment(), "value")
    for index, (title, widget) in enumerate((("New layer's name", name), ("Seed", seed))):
        grid.attach(label(title), 0, index, 1, 1)
        grid.attach(widget, 1, index, 1, 1)
    expander = Gtk.Expander(label="Name and seed")
    expander.add(grid)
    return expander
